//! `POST /v1/datarights/report`: everything the server knows of a player, for whoever has the token of
//! the link (protocol-pragma §6.8). The token is in the body, so that it is in no log of addresses, and
//! good once, for seven days.

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::rpc::office_shapes;
use super::rpc::shapes::{self, Viewer, millis_of};
use super::{App, Fault, client, json as answer};
use crate::domain::account::search::email;
use crate::domain::account::{Account, AccountId};
use crate::domain::friend::EdgeState;

/// Where a report is fetched.
pub(super) const PATH: &str = "/v1/datarights/report";

/// The address to give: whole where the server knows its own, else the path.
pub(super) fn address(app: &App) -> String {
    let config = &app.config.pragma;
    let scheme = if app.is_by_tls() { "https" } else { "http" };
    let port = match config.public_port {
        0 => String::new(),
        port => format!(":{port}"),
    };
    match config.public_host.as_str() {
        "" => PATH.to_owned(),
        host => format!("{scheme}://{host}{port}{PATH}"),
    }
}

/// Answers with the report and uses the token up: first durably, then the report is made.
pub(super) async fn report(
    app: &App,
    request: &HttpRequest,
    body: &[u8],
) -> Result<HttpResponse, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        download_token: String,
    }
    let wanted: Wanted = serde_json::from_slice(body).map_err(|_| Fault::BadRequest)?;
    let account = app.door.take_report(&wanted.download_token, client(app, request)).await?;
    let known = app.door.acquaintances(account.id).await?;
    let mut response = answer(content(app, &account, &known).to_string());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What a player is to another, by its word; `None`: that is the other's own affair.
const fn relation(state: EdgeState) -> Option<&'static str> {
    match state {
        EdgeState::Friend => Some("Friend"),
        EdgeState::InviteSent => Some("InviteSent"),
        EdgeState::InviteReceived => Some("InviteReceived"),
        EdgeState::Blocked => Some("Blocked"),
        EdgeState::BlockedBy => None,
    }
}

/// What a report holds. Of others it says only who they are to the player; operators' comments are
/// about the player, too.
fn content(app: &App, account: &Account, known: &[(AccountId, EdgeState)]) -> Value {
    let (address, is_verified) = email(account);
    let (dossier, realm) = (account.dossier(), app.door.realm());
    let links = account.links.iter().map(|link| json!({"kind": link.kind.name(), "id": link.id}));
    let names = dossier
        .shown
        .iter()
        .map(|shown| json!({"displayName": shown.name, "discriminator": shown.discriminator}));
    let bans = dossier
        .bans
        .iter()
        .map(|ban| json!({"ban": office_shapes::ban(account.id, ban), "comment": ban.comment}));
    let friends = known.iter().filter_map(|(other, state)| {
        Some(json!({"pragmaSocialId": other.0, "state": relation(*state)?}))
    });
    let requests = dossier.data_requests.iter();
    let requests = requests.map(|request| office_shapes::data_request(account.id, request));
    let unlinked = dossier
        .unlinked
        .iter()
        .map(|gone| json!({"id": gone.id, "unlinkedTimestampMillis": millis_of(gone.at)}));
    json!({
        "pragmaSocialId": account.id.0,
        "displayName": shapes::display_name(account),
        "gameIdentities": shapes::game_identities(account),
        "idProviderAccounts": shapes::providers(account, &app.door, Viewer::Trusted),
        "links": links.collect::<Vec<_>>(),
        "namesAtProviders": names.collect::<Vec<_>>(),
        "unlinked": unlinked.collect::<Vec<_>>(),
        "personalData": {
            "username": account.username,
            "displayName": account.display_name,
            "emailAddress": address,
            "emailVerified": is_verified,
            "avatarUrl": account.avatar_url,
            "language": account.lang_tag,
            "location": account.location,
            "timeZone": account.timezone,
            "hasPassword": account.password.is_some(),
            "createdTimestampMillis": millis_of(account.created_at),
            "lastLoginTimestampMillis": millis_of(dossier.last_login_at),
        },
        "tags": office_shapes::tags(account, &realm),
        "bans": bans.collect::<Vec<_>>(),
        "friends": friends.collect::<Vec<_>>(),
        "orders": [],
        "dataRequests": requests.collect::<Vec<_>>(),
    })
}
