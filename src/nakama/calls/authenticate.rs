//! Signing in, by nine kinds of credentials (protocol-nakama §2): the server key, the form, then the
//! line and the use case.

use super::forms::{Form, Rules};
use super::session::{Issue, pair};
use super::{Asked, entrance, proofs};
use crate::nakama::errors::{Context, Failure, failure};
use crate::nakama::wire::api;
use crate::nakama::{App, waiting};
use crate::signin::{SignInAsk, SignInError, Wish};

/// Signs in as the form says.
async fn sign_in(asked: &Asked<'_>, form: impl Form) -> Result<api::Session, Failure> {
    asked.server_key()?;
    let app = asked.app;
    let wanted = form.read(&Rules {
        custom: &|id| app.door.custom(id),
        configured: &|kind| proofs::configured(app, kind),
        password_max: app.config.passwords.length_max,
    })?;
    let mut vars = wanted.vars;
    let entrance = entrance::entrance(asked, &mut vars)?;
    let ask = SignInAsk {
        credential: wanted.credential,
        entrance,
        wish: Wish {
            create: wanted.create,
            username: wanted.username,
            single_session: app.config.nakama.single_session,
            import_friends: wanted.import_friends,
            ..Wish::default()
        },
    };
    let signed_in = app.door.authenticate(ask, asked.from).await;
    let signed_in = signed_in.map_err(|error| refused(app, error))?;
    let at = signed_in.at.max(app.door.clock.now());
    let account = signed_in.account;
    let session = Issue {
        token: app.door.dice.uuid(),
        account: account.id,
        username: account.username,
        vars,
        signed_in_at: at.as_secs(),
        at,
        generation: 0,
    };
    Ok(pair(app, session, signed_in.created))
}

/// Why nobody was signed in; who has to wait hears what operators announced.
fn refused(app: &App, error: SignInError) -> Failure {
    let waits = matches!(error, SignInError::Wait(_));
    let failure = failure(Context::Authenticate, error);
    if !waits {
        return failure;
    }
    waiting::with_announcement(failure, &app.door.frame().announced, app.door.clock.now())
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
    sign_in(asked, request).await
}

/// Signs in by a custom id, or a console's token behind that console's prefix (§2.6).
///
/// # Errors
///
/// Those of §2.4 and §2.6.
pub async fn authenticate_custom(
    asked: &Asked<'_>,
    request: api::AuthenticateCustomRequest,
) -> Result<api::Session, Failure> {
    sign_in(asked, request).await
}

/// Signs in by an address and its password, or by user name and password (§2.7).
///
/// # Errors
///
/// Those of §2.4 and §2.7.
pub async fn authenticate_email(
    asked: &Asked<'_>,
    request: api::AuthenticateEmailRequest,
) -> Result<api::Session, Failure> {
    sign_in(asked, request).await
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
    sign_in(asked, request).await
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
    sign_in(asked, request).await
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
    sign_in(asked, request).await
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
    sign_in(asked, request).await
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
    sign_in(asked, request).await
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
    sign_in(asked, request).await
}
