//! `/v1/operator/accounts`: who there is, and everything about one of them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account_shapes::{LineTold, Row, Sight, SignInTold, Whole};
use super::page::{self, List, Paging};
use super::{App, Refusal, json, operator, permits};
use crate::actors::account_registry::Browsed;
use crate::domain::account::search::Term;
use crate::domain::account::{Account, AccountFilter, AccountId, LinkKind, Refusal as Rule};
use crate::domain::friend::EdgeState;
use crate::signin::SignInError;

/// To look accounts up.
pub const LOOK: &str = "account.accounts.get";
/// To see what is personal, and search by it.
pub const PERSONAL: &str = "account.accounts_personal.get";
/// To see bans.
const BANS: &str = "account.bans.get";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    search: Option<String>,
    after: Option<Uuid>,
    limit: Option<usize>,
}

/// Accounts, all or those that are looked for, by their ids.
pub(super) async fn list(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, LOOK).await?;
    let Wanted { search, after, limit } = page::query(&request)?;
    let limit = page::limit(limit)?;
    let (after, now) = (after.map(AccountId), app.door.clock.now());
    let found = match search.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => app.door.browse(AccountFilter::default(), after, limit).await?,
        Some(text) => {
            let term = Term::read(text).ok_or(Refusal::BadRequest)?;
            if term.is_personal() && !permits(&app, &request, PERSONAL).await? {
                return Err(Refusal::Forbidden(PERSONAL));
            }
            search_for(&app, term, after, limit).await?
        }
    };
    let Browsed { accounts, next } = found;
    let row = |account: &Account| Row::of(account, app.door.is_online(account.id), now);
    let items: Vec<Row> = accounts.iter().map(row).collect();
    let next = next.map(|id| id.0.to_string());
    Ok(json(StatusCode::OK, &List { items, next, count: None }))
}

async fn search_for(
    app: &App,
    term: Term,
    after: Option<AccountId>,
    limit: usize,
) -> Result<Browsed, Refusal> {
    // Who signs in by the address is found at once; others may have it from a provider.
    if let Term::Email(address) = &term
        && after.is_none()
    {
        let link = AccountFilter {
            kinds: vec![LinkKind::Email],
            provider_id: Some(address.clone()),
            ..AccountFilter::default()
        };
        let found = app.door.browse(link, None, limit).await?;
        if !found.accounts.is_empty() {
            return Ok(found);
        }
    }
    Ok(app.door.browse(term.filter(), after, limit).await?)
}

#[derive(Serialize)]
struct OneTold {
    #[serde(flatten)]
    account: Whole,
    friends: Counts,
    online: bool,
    /// The kinds of open sockets, one for each.
    sockets: Vec<&'static str>,
    /// The last ones since the server started, the newest first.
    sign_ins: Vec<SignInTold>,
    line: LineTold,
}

#[derive(Default, Serialize)]
struct Counts {
    friends: usize,
    invites_sent: usize,
    invites_received: usize,
    blocked: usize,
}

/// Everything about one.
pub(super) async fn one(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, LOOK).await?;
    let account = known(&app, *id).await?;
    Ok(json(StatusCode::OK, &told(&app, &request, &account).await?))
}

/// The account as it is now, after something was done to it.
pub(super) async fn now(
    app: &App,
    request: &HttpRequest,
    id: Uuid,
) -> Result<HttpResponse, Refusal> {
    let account = known(app, id).await?;
    Ok(json(StatusCode::OK, &told(app, request, &account).await?))
}

pub(super) async fn known(app: &App, id: Uuid) -> Result<Account, Refusal> {
    let found = app.door.account(AccountId(id)).await?;
    found.ok_or_else(|| SignInError::Refused(Rule::NoAccount).into())
}

async fn told(app: &App, request: &HttpRequest, account: &Account) -> Result<OneTold, Refusal> {
    let sight = Sight {
        personal: permits(app, request, PERSONAL).await?,
        bans: permits(app, request, BANS).await?,
    };
    let door = &app.door;
    let mut friends = Counts::default();
    for (_, state) in door.acquaintances(account.id).await? {
        match state {
            EdgeState::Friend => friends.friends += 1,
            EdgeState::InviteSent => friends.invites_sent += 1,
            EdgeState::InviteReceived => friends.invites_received += 1,
            EdgeState::Blocked => friends.blocked += 1,
            EdgeState::BlockedBy => {}
        }
    }
    let sockets = door.channels(account.id).into_iter();
    Ok(OneTold {
        account: Whole::of(account, &door.realm(), sight, door.clock.now()),
        friends,
        online: door.is_online(account.id),
        sockets: sockets.map(crate::actors::session::Channel::name).collect(),
        sign_ins: door.recent.of(account.id).into_iter().map(Into::into).collect(),
        line: door.see_in_line(account).await?.into(),
    })
}

/// Somebody an account has a relationship with.
#[derive(Serialize)]
struct Friend {
    id: Uuid,
    username: String,
    state: &'static str,
}

/// The word for a relationship; `None`: it is the other's own affair.
const fn word(state: EdgeState) -> Option<&'static str> {
    match state {
        EdgeState::Friend => Some("friend"),
        EdgeState::InviteSent => Some("invite_sent"),
        EdgeState::InviteReceived => Some("invite_received"),
        EdgeState::Blocked => Some("blocked"),
        EdgeState::BlockedBy => None,
    }
}

async fn friends_of(app: &App, account: &Account, paging: Paging) -> Result<List<Friend>, Refusal> {
    let known = app.door.acquaintances(account.id).await?;
    let shown: Vec<_> =
        known.into_iter().filter_map(|(id, state)| Some((id, word(state)?))).collect();
    let page = paging.of(shown.into_iter())?;
    let friend = |(id, state): (AccountId, &'static str)| {
        // One that was deleted meanwhile has no name.
        let username = app.door.seen(id).map(|account| account.username).unwrap_or_default();
        Friend { id: id.0, username, state }
    };
    let items = page.items.into_iter().map(friend).collect();
    Ok(List { items, next: page.next, count: page.count })
}

/// Friends, invitations and blocks, a page at a time.
pub(super) async fn friends(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, LOOK).await?;
    let paging = page::query(&request)?;
    let account = known(&app, *id).await?;
    Ok(json(StatusCode::OK, &friends_of(&app, &account, paging).await?))
}

/// Everything that is known of a player, for the player.
#[derive(Serialize)]
struct Report {
    made_ms: u64,
    account: Whole,
    unlinked: Vec<Unlinked>,
    friends: Vec<Acquaintance>,
    sign_ins: Vec<SignInTold>,
}

#[derive(Serialize)]
struct Unlinked {
    kind: String,
    id: String,
    at_ms: u64,
}

/// Of others a report only says who they are to the player.
#[derive(Serialize)]
struct Acquaintance {
    id: Uuid,
    state: &'static str,
}

/// The report of the data rights, at once.
pub(super) async fn export(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, "data_rights.reports.create").await?;
    let account = app.audited.export(by, AccountId(*id)).await?;
    let (door, now) = (&app.door, app.door.clock.now());
    let known = door.acquaintances(account.id).await?.into_iter();
    let unlinked = account.dossier().unlinked.iter().map(|gone| Unlinked {
        kind: LinkKind::from_number(gone.kind).map(super::account_shapes::kind).unwrap_or_default(),
        id: gone.id.clone(),
        at_ms: gone.at.saturating_mul(1_000),
    });
    let everything = Sight { personal: true, bans: true };
    let report = Report {
        made_ms: now.as_millis(),
        account: Whole::of(&account, &door.realm(), everything, now),
        unlinked: unlinked.collect(),
        friends: known
            .filter_map(|(id, state)| Some(Acquaintance { id: id.0, state: word(state)? }))
            .collect(),
        sign_ins: door.recent.of(account.id).into_iter().map(Into::into).collect(),
    };
    let mut answer = json(StatusCode::OK, &report);
    let name = format!("attachment; filename=\"account-{}.json\"", account.id.0);
    if let Ok(name) = name.try_into() {
        answer.headers_mut().insert(actix_web::http::header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}
