//! Signing in, by nine kinds of credentials (protocol-nakama §2). In the order of §2.2: the server
//! key, the identifier, then the user name, which is checked even when it will not be used.

use zeroize::Zeroizing;

use super::proofs::{self, said};
use super::session::{Issue, pair};
use super::{Asked, entrance};
use crate::domain::account::names::EmailSignIn;
use crate::domain::account::{LinkKind, Refusal, names};
use crate::domain::token::nakama::Vars;
use crate::identity::Proof;
use crate::nakama::errors::{Context, Failure, failure};
use crate::nakama::wire::api;
use crate::signin::{Credential, Password, SignInAsk, Wish};

const HERE: Context = Context::Authenticate;

/// What every sign-in may ask for beside the credential.
struct Wanted {
    create: Option<bool>,
    username: String,
    vars: Vars,
    import_friends: bool,
}

/// Signs in by a credential whose form is checked; `Wanted` is checked here.
async fn sign_in(
    asked: &Asked<'_>,
    credential: Credential,
    wanted: Wanted,
) -> Result<api::Session, Failure> {
    let username = said(HERE, names::username(&wanted.username))?;
    enter(asked, credential, username, wanted).await
}

/// Signs in by a credential when the user name is checked, too.
async fn enter(
    asked: &Asked<'_>,
    credential: Credential,
    username: Option<String>,
    wanted: Wanted,
) -> Result<api::Session, Failure> {
    let app = asked.app;
    let mut vars = wanted.vars;
    let entrance = entrance::entrance(asked, &mut vars)?;
    let ask = SignInAsk {
        credential,
        entrance,
        wish: Wish {
            create: wanted.create.unwrap_or(true),
            username,
            single_session: app.config.nakama.single_session,
            import_friends: wanted.import_friends,
            ..Wish::default()
        },
    };
    let signed_in = app.door.authenticate(ask, asked.from).await;
    let signed_in = signed_in.map_err(|error| failure(HERE, error))?;
    let at = signed_in.at.max(app.door.clock.now());
    let account = signed_in.account;
    let session = Issue {
        token: app.door.dice.uuid(),
        account: account.id,
        username: account.username,
        vars,
        signed_in_at: at.as_secs(),
        at,
    };
    Ok(pair(app, session, signed_in.created))
}

/// Signs in by a device id (§2.5).
///
/// # Errors
///
/// Those of §2.4 and §2.5.
pub async fn authenticate_device(
    asked: &Asked<'_>,
    request: api::AuthenticateDeviceRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateDeviceRequest { account, create, username } = request;
    let account = account.unwrap_or_default();
    let credential = said(HERE, proofs::device(&account.id))?;
    let wanted = Wanted { create, username, vars: account.vars, import_friends: false };
    sign_in(asked, credential, wanted).await
}

/// Signs in by a custom id, or by a console's token with that console's prefix (§2.6).
///
/// # Errors
///
/// Those of §2.4 and §2.6.
pub async fn authenticate_custom(
    asked: &Asked<'_>,
    request: api::AuthenticateCustomRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateCustomRequest { account, create, username } = request;
    let account = account.unwrap_or_default();
    let credential = said(HERE, asked.app.door.custom(&account.id))?;
    let wanted = Wanted { create, username, vars: account.vars, import_friends: false };
    sign_in(asked, credential, wanted).await
}

/// Signs in by an address and its password, or by user name and password without one (§2.7).
///
/// # Errors
///
/// Those of §2.4 and §2.7.
pub async fn authenticate_email(
    asked: &Asked<'_>,
    request: api::AuthenticateEmailRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateEmailRequest { account, create, username } = request;
    let missing = Refusal::IdMissing(LinkKind::Email);
    let api::AccountEmail { email, password, vars } = said(HERE, account.ok_or(missing))?;
    let password = Password(Zeroizing::new(password));
    let length_max = asked.app.config.passwords.length_max;
    let checked = names::email_sign_in(&email, &password.0, &username, length_max);
    let (credential, username) = match said(HERE, checked)? {
        EmailSignIn::Address { link, username } => {
            (Credential::Email { email: link.id, password }, username)
        }
        EmailSignIn::Username(username) => (Credential::Username { username, password }, None),
    };
    let wanted = Wanted { create, username: String::new(), vars, import_friends: false };
    enter(asked, credential, username, wanted).await
}

/// Signs in by what a provider has to confirm.
async fn prove(
    asked: &Asked<'_>,
    proof: Result<Proof, Refusal>,
    wanted: Wanted,
) -> Result<api::Session, Failure> {
    sign_in(asked, Credential::Provider(said(HERE, proof)?), wanted).await
}

/// Signs in by Apple's identity token (§2.10).
///
/// # Errors
///
/// Those of §2.4 and §2.10.
pub async fn authenticate_apple(
    asked: &Asked<'_>,
    request: api::AuthenticateAppleRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateAppleRequest { account, create, username } = request;
    let mut account = account.unwrap_or_default();
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: false };
    prove(asked, proofs::apple(account), wanted).await
}

/// Signs in by Facebook's token; with `sync` friends are imported (§2.11).
///
/// # Errors
///
/// Those of §2.4 and §2.11.
pub async fn authenticate_facebook(
    asked: &Asked<'_>,
    request: api::AuthenticateFacebookRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateFacebookRequest { account, create, username, sync } = request;
    let mut account = account.unwrap_or_default();
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: sync.unwrap_or(false) };
    prove(asked, proofs::facebook(account), wanted).await
}

/// Signs in by signed player info (§2.12). A bad signature is 16/401, not 15/500.
///
/// # Errors
///
/// Those of §2.4 and §2.12.
pub async fn authenticate_facebook_instant_game(
    asked: &Asked<'_>,
    request: api::AuthenticateFacebookInstantGameRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateFacebookInstantGameRequest { account, create, username } = request;
    let mut account = account.unwrap_or_default();
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: false };
    prove(asked, proofs::instant(account), wanted).await
}

/// Signs in by what Game Center signed (§2.13).
///
/// # Errors
///
/// Those of §2.4 and §2.13.
pub async fn authenticate_game_center(
    asked: &Asked<'_>,
    request: api::AuthenticateGameCenterRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateGameCenterRequest { account, create, username } = request;
    let missing = Refusal::IdMissing(LinkKind::GameCenter);
    let mut account = said(HERE, account.ok_or(missing))?;
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: false };
    prove(asked, Ok(proofs::game_center(account)?), wanted).await
}

/// Signs in by Google's token or auth code (§2.14).
///
/// # Errors
///
/// Those of §2.4 and §2.14.
pub async fn authenticate_google(
    asked: &Asked<'_>,
    request: api::AuthenticateGoogleRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateGoogleRequest { account, create, username } = request;
    let mut account = account.unwrap_or_default();
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: false };
    prove(asked, proofs::google(account), wanted).await
}

/// Signs in by Steam's session ticket; with `sync` friends are imported (§2.15).
///
/// # Errors
///
/// Those of §2.4 and §2.15.
pub async fn authenticate_steam(
    asked: &Asked<'_>,
    request: api::AuthenticateSteamRequest,
) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let api::AuthenticateSteamRequest { account, create, username, sync } = request;
    let mut account = account.unwrap_or_default();
    let vars = std::mem::take(&mut account.vars);
    let wanted = Wanted { create, username, vars, import_friends: sync.unwrap_or(false) };
    prove(asked, proofs::steam(account), wanted).await
}
