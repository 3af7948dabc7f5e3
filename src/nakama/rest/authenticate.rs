//! `POST /v2/account/authenticate/{device,custom,email}` (protocol-nakama §2).

use actix_http::header::HeaderMap;
use actix_web::web::Payload;
use zeroize::Zeroizing;

use super::Asked;
use super::session::{Issue, pair};
use crate::config::queue::Gate;
use crate::domain::account::names::EmailSignIn;
use crate::domain::account::{LinkKind, Refusal, names};
use crate::domain::queue::PassRefused;
use crate::domain::token::nakama::Vars;
use crate::nakama::App;
use crate::nakama::body::{self, Identified, Mailed};
use crate::nakama::errors::{Context, Failure, failure, pass_refused, refused};
use crate::nakama::query::SignInQuery;
use crate::nakama::reply::Reply;
use crate::signin::{Credential, Entrance, PassTokenRefused, Password, SignInAsk, Wish};

/// The session variable that carries a pass; it does not become one of the session (design §5).
pub const PASS_VAR: &str = "login_queue_pass_token";
/// The header that carries a pass.
pub const PASS_HEADER: &str = "x-login-queue-pass";

/// Signs in, perhaps making the account.
pub(super) async fn call(
    asked: &Asked<'_>,
    kind: LinkKind,
    payload: Payload,
) -> Result<Reply, Failure> {
    asked.server_key()?;
    let query = SignInQuery::parse(asked.request.query_string())?;
    let body = asked.body(payload).await?;
    let app = asked.app;
    let wanted = Wanted::read(kind, &body, query, app.config.passwords.length_max)?;
    let Wanted { credential, create, username, mut vars } = wanted;
    let entrance = entrance(app, asked.headers(), &mut vars)?;
    let ask = SignInAsk {
        credential,
        entrance,
        wish: Wish {
            create,
            username,
            single_session: app.config.nakama.single_session,
            ..Wish::default()
        },
    };
    let signed_in = app
        .door
        .authenticate(ask, asked.from())
        .await
        .map_err(|error| failure(Context::Authenticate, error))?;
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

/// A sign-in whose form has been checked.
#[derive(Debug)]
pub struct Wanted {
    credential: Credential,
    create: bool,
    username: Option<String>,
    vars: Vars,
}

impl Wanted {
    /// Reads and checks in the order of §2.2: the identifier, then the user name, which is checked
    /// even when it will not be used.
    ///
    /// # Errors
    ///
    /// 3/400 in the words of §2.3 to §2.7.
    pub fn read(
        kind: LinkKind,
        body: &[u8],
        query: SignInQuery,
        password_max: usize,
    ) -> Result<Self, Failure> {
        let SignInQuery { create, username } = query;
        let checked = match kind {
            LinkKind::Email => mailed(body::parse(body)?, &username, password_max),
            _ => identified(kind, body::parse(body)?.unwrap_or_default(), &username),
        };
        let (credential, username, vars) =
            checked.map_err(|refusal| refused(Context::Authenticate, &refusal))?;
        Ok(Self { credential, create, username, vars })
    }
}

/// Credential, wanted user name, session variables.
type Checked = Result<(Credential, Option<String>, Vars), Refusal>;

/// §2.5, §2.6.
fn identified(kind: LinkKind, body: Identified, username: &str) -> Checked {
    let credential = match kind {
        LinkKind::Custom => Credential::Custom(names::custom(&body.id)?.id),
        _ => Credential::Device(names::device(&body.id)?.id),
    };
    Ok((credential, names::username(username)?, body.vars))
}

/// §2.7: with an address, or by user name and password without one.
fn mailed(body: Option<Mailed>, username: &str, password_max: usize) -> Checked {
    let Mailed { email, password, vars } = body.ok_or(Refusal::IdMissing(LinkKind::Email))?;
    let password = Password(Zeroizing::new(password));
    Ok(match names::email_sign_in(&email, &password.0, username, password_max)? {
        EmailSignIn::Address { link, username } => {
            (Credential::Email { email: link.id, password }, username, vars)
        }
        EmailSignIn::Username(username) => {
            (Credential::Username { username, password }, None, vars)
        }
    })
}

/// How this sign-in gets past the line: by the pass it brought, else as `queue.gate` says. Takes
/// the pass out of the session variables.
fn entrance(app: &App, headers: &HeaderMap, vars: &mut Vars) -> Result<Entrance, Failure> {
    let named = vars.remove(PASS_VAR);
    let carried = headers.get(PASS_HEADER).map(|value| value.to_str().unwrap_or("?"));
    if let Some(pass) = named.as_deref().or(carried).filter(|pass| !pass.is_empty()) {
        return app.door.read_pass(pass).map_err(|refused| match refused {
            PassTokenRefused::StillWaiting => pass_refused(PassRefused::StillWaiting),
            PassTokenRefused::Token(_) => Failure::bad_pass(),
        });
    }
    Ok(match app.config.queue.gate {
        Gate::All => Entrance::Implicit,
        Gate::Pragma | Gate::Off => Entrance::Exempt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: LinkKind, body: &str, query: &str) -> Result<Wanted, String> {
        Wanted::read(kind, body.as_bytes(), SignInQuery::parse(query).unwrap(), 64).map_err(
            |failure| {
                assert_eq!((failure.code, failure.status), (3, 400));
                failure.message.into_owned()
            },
        )
    }

    fn says(kind: LinkKind, body: &str, query: &str, message: &str) {
        assert_eq!(read(kind, body, query).unwrap_err(), message, "{body} {query}");
    }

    #[test]
    fn device_ids_are_checked_in_order() {
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(129));
        let characters = "Device ID invalid, no spaces or control characters allowed.";
        for (body, message) in [
            ("", "Device ID is required."),
            ("null", "Device ID is required."),
            ("{}", "Device ID is required."),
            (r#"{"id":null}"#, "Device ID is required."),
            (r#"{"id":""}"#, "Device ID is required."),
            (r#"{"id":"a b"}"#, characters),
            (r#"{"id":"0123456789\u0000"}"#, characters),
            (r#"{"id":"0123456789\t"}"#, characters),
            (r#"{"id":"short"}"#, "Device ID invalid, must be 10-128 bytes."),
            (&long, "Device ID invalid, must be 10-128 bytes."),
        ] {
            says(LinkKind::Device, body, "", message);
        }
        assert!(read(LinkKind::Device, r#"{"id":"0123456789"}"#, "").is_ok());
    }

    #[test]
    fn custom_ids_are_checked_in_order() {
        for (body, message) in [
            ("", "Custom ID is required."),
            (r#"{"id":"a b"}"#, "Custom ID invalid, no spaces or control characters allowed."),
            (r#"{"id":"12345"}"#, "Custom ID invalid, must be 6-128 bytes."),
        ] {
            says(LinkKind::Custom, body, "", message);
        }
        assert!(read(LinkKind::Custom, r#"{"id":"123456"}"#, "").is_ok());
    }

    #[test]
    fn email_and_password_are_checked_in_order() {
        let needed = "Email address and password is required.";
        let short = "Password must be at least 8 characters long.";
        let long = format!(r#"{{"email":"a@example.com","password":"{}"}}"#, "x".repeat(65));
        for (body, message) in [
            ("", needed),
            ("null", needed),
            ("{}", short),
            (
                r#"{"email":"a b","password":"x"}"#,
                "Invalid email address, no spaces or control characters allowed.",
            ),
            (r#"{"email":"nobody","password":"x"}"#, "Invalid email address format."),
            (r#"{"email":"a@b.c","password":"x"}"#, "Invalid email address, must be 10-255 bytes."),
            (r#"{"email":"a@example.com","password":"short"}"#, short),
            (r#"{"email":"a@example.com"}"#, short),
            (&long, "Password is too long."),
            (
                r#"{"password":"longenough"}"#,
                "Username is required when email address is not supplied.",
            ),
        ] {
            says(LinkKind::Email, body, "", message);
        }
        let wanted =
            read(LinkKind::Email, r#"{"email":"Alice@Example.COM","password":"longenough"}"#, "");
        let Credential::Email { email, .. } = wanted.unwrap().credential else { panic!() };
        assert_eq!(email, "alice@example.com");
        let wanted =
            read(LinkKind::Email, r#"{"email":"","password":"longenough"}"#, "username=al");
        let Credential::Username { username, .. } = wanted.unwrap().credential else { panic!() };
        assert_eq!(username, "al");
    }

    #[test]
    fn the_user_name_is_checked_after_the_identifier_and_even_when_nothing_is_created() {
        let id = r#"{"id":"0123456789"}"#;
        let long = format!("create=false&username={}", "x".repeat(129));
        says(LinkKind::Device, "", "username=%00", "Device ID is required.");
        says(
            LinkKind::Device,
            id,
            "create=false&username=a%00b",
            "Username invalid, no spaces or control characters allowed.",
        );
        says(LinkKind::Device, id, &long, "Username invalid, must be 1-128 bytes.");
        let wanted = read(LinkKind::Device, id, "username=a+b").unwrap();
        assert_eq!(wanted.username.as_deref(), Some("a b"));
        assert!(wanted.create);
        assert_eq!(read(LinkKind::Device, id, "username=").unwrap().username, None);
    }
}
