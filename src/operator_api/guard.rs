//! Who asks, and whether he may: by the token of Pragma's operator sign-in, by a token for scripts, or
//! by the console's cookie. Roles are looked up each time, so that one that is taken away is gone at
//! once.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use subtle::ConstantTimeEq as _;

use super::{App, Refusal};
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, AccountId};
use crate::domain::operator::{FRESH_S, Session, proof_of_page};
use crate::domain::time::UnixMicros;
use crate::domain::token::{Claims, SessionType, bearer};
use crate::signin::operators::{Opened, Operators};

/// The console's cookie where the connection is private; the prefix makes browsers insist on that.
const COOKIE_SECURE: &str = "__Host-anteroom";
/// The console's cookie on this machine, where there is no TLS.
const COOKIE_LOOPBACK: &str = "anteroom";
/// What binds a sign-in at a provider to the browser that began it.
const AWAY_SECURE: &str = "__Host-anteroom-away";
/// The same on this machine.
const AWAY_LOOPBACK: &str = "anteroom-away";
/// What a page shows beside the cookie when it changes something.
const PROOF: &str = "x-anteroom-csrf";

/// How somebody showed who they are.
enum By {
    /// By the token of Pragma's operator sign-in, issued at this moment.
    Token(UnixMicros),
    /// By the console's cookie.
    Session(String, Session),
    /// By a token for scripts that permits this.
    Script(Vec<String>),
}

/// Who asks.
pub(super) struct Asker {
    /// Their account.
    pub account: Account,
    by: By,
}

impl Asker {
    /// Who asks, whatever he may: his token or cookie is good, he is not banned, and a page that
    /// changes something is the console's.
    ///
    /// # Errors
    ///
    /// [`Refusal::Token`], [`Refusal::ForeignPage`], no answer.
    pub async fn of(app: &App, request: &HttpRequest) -> Result<Self, Refusal> {
        let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (account, by) = match value.map(bearer) {
            Some(token) => by_token(app, token.ok_or(Refusal::Token)?).await?,
            None => by_cookie(app, request).await?,
        };
        let now = app.door.clock.now();
        let is_operator = !account.dossier().roles.is_empty() || matches!(by, By::Token(_));
        if account.is_banned(now) || !is_operator {
            return Err(Refusal::Token);
        }
        Ok(Self { account, by })
    }

    /// The same for what only a person does, not a script.
    ///
    /// # Errors
    ///
    /// Those of [`Self::of`]; [`Refusal::NoScript`].
    pub async fn person(app: &App, request: &HttpRequest) -> Result<Self, Refusal> {
        let asker = Self::of(app, request).await?;
        if matches!(asker.by, By::Script(_)) { Err(Refusal::NoScript) } else { Ok(asker) }
    }

    /// Who just signed in.
    pub fn signed_in(opened: &Opened) -> Self {
        let by = By::Session(opened.token.to_string(), opened.session);
        Self { account: opened.account.clone(), by }
    }

    /// The console's session, with its token.
    pub fn session(&self) -> Option<(&str, &Session)> {
        match &self.by {
            By::Session(token, session) => Some((token, session)),
            By::Token(_) | By::Script(_) => None,
        }
    }

    /// Whether an authenticator has to be set up before anything is changed.
    pub fn needs_totp(&self, app: &App) -> bool {
        let has = self.account.dossier().operator.as_deref();
        self.session().is_some_and(|(_, session)| !session.is_vouched)
            && app.operators.requires_totp()
            && has.is_none_or(|has| has.totp.is_none())
    }

    /// That he has a permission now, and an authenticator if he changes something.
    ///
    /// # Errors
    ///
    /// [`Refusal::Forbidden`], [`Refusal::TotpNeeded`].
    pub fn permitted(
        &self,
        app: &App,
        request: &HttpRequest,
        permission: &'static str,
    ) -> Result<(), Refusal> {
        let by_roles = app.door.realm().permits(&self.account.dossier().roles, permission);
        let by_token = match &self.by {
            By::Script(permissions) => permissions.iter().any(|one| one == permission),
            By::Token(_) | By::Session(..) => true,
        };
        if !by_roles || !by_token {
            return Err(Refusal::Forbidden(permission));
        }
        if changes(request) && self.needs_totp(app) {
            return Err(Refusal::TotpNeeded);
        }
        Ok(())
    }

    /// The same for the first authenticator, which may also be set up by who signed in just now by a
    /// provider that does not say when it asked who they are: else they never could.
    ///
    /// # Errors
    ///
    /// [`Refusal::StepUp`]
    pub fn fresh_or_new(&self, app: &App) -> Result<(), Refusal> {
        let has = self.account.dossier().operator.as_deref();
        let has_totp = has.is_some_and(|has| has.totp.is_some());
        let is_new = self
            .session()
            .is_some_and(|(_, session)| app.door.clock.now() < session.opened.plus_secs(FRESH_S));
        if is_new && !has_totp { Ok(()) } else { self.fresh(app) }
    }

    /// That he proved lately who he is. A token for scripts was made by somebody who did.
    ///
    /// # Errors
    ///
    /// [`Refusal::StepUp`]
    pub fn fresh(&self, app: &App) -> Result<(), Refusal> {
        let until = match &self.by {
            By::Token(issued) => issued.plus_secs(FRESH_S),
            By::Session(_, session) => session.fresh_until,
            By::Script(_) => return Ok(()),
        };
        if app.door.clock.now() < until { Ok(()) } else { Err(Refusal::StepUp) }
    }
}

/// Who asks, if he may.
///
/// # Errors
///
/// [`Refusal::Token`], [`Refusal::Forbidden`], [`Refusal::ForeignPage`], [`Refusal::TotpNeeded`], or
/// no answer.
pub(super) async fn operator(
    app: &App,
    request: &HttpRequest,
    permission: &'static str,
) -> Result<AccountId, Refusal> {
    let asker = Asker::of(app, request).await?;
    asker.permitted(app, request, permission)?;
    Ok(asker.account.id)
}

/// The same for what cannot be undone: he proved in the last ten minutes who he is.
///
/// # Errors
///
/// Those of [`operator`]; [`Refusal::StepUp`].
pub(super) async fn fresh_operator(
    app: &App,
    request: &HttpRequest,
    permission: &'static str,
) -> Result<AccountId, Refusal> {
    let asker = Asker::of(app, request).await?;
    asker.permitted(app, request, permission)?;
    asker.fresh(app)?;
    Ok(asker.account.id)
}

async fn by_token(app: &App, token: &str) -> Result<(Account, By), Refusal> {
    if Operators::is_token(token) {
        let found = app.operators.by_token(token).await?;
        let (account, permissions) = found.map_err(|_| Refusal::Token)?;
        return Ok((account, By::Script(permissions)));
    }
    let now = app.door.clock.now();
    let Ok(Claims::Person(person)) = app.keys.verify(token, now) else {
        return Err(Refusal::Token);
    };
    let id = AccountId(person.session.social_id);
    let is_good = person.session.session_type == SessionType::Operator
        && !app.door.is_revoked(id, person.jti, false, person.issued_at_us);
    if !is_good {
        return Err(Refusal::Token);
    }
    let account = app.door.find(Key::Id(id)).await?.ok_or(Refusal::Token)?;
    Ok((account, By::Token(UnixMicros(person.issued_at_us))))
}

async fn by_cookie(app: &App, request: &HttpRequest) -> Result<(Account, By), Refusal> {
    let token = cookie(request).ok_or(Refusal::Token)?;
    let session = app.operators.session(token).ok_or(Refusal::Token)?;
    if changes(request) {
        let shown = request.headers().get(PROOF).map_or(&[][..], |value| value.as_bytes());
        let is_shown: bool = shown.ct_eq(proof_of_page(token).as_bytes()).into();
        let has_origin = request.headers().contains_key(ORIGIN);
        if !is_shown || !has_origin || !is_own_page(request) {
            return Err(Refusal::ForeignPage);
        }
    }
    let account = app.door.find(Key::Id(session.account)).await?.ok_or(Refusal::Token)?;
    Ok((account, By::Session(token.to_owned(), session)))
}

fn changes(request: &HttpRequest) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// Whether no other page makes this request, as far as the browser says: who is no browser says
/// nothing.
pub(super) fn is_own_page(request: &HttpRequest) -> bool {
    let told = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_same_site = told("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let host = told(HOST.as_str()).unwrap_or_default();
    let is_same_origin = told(ORIGIN.as_str()).is_none_or(|origin| {
        origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
    });
    is_same_site && is_same_origin
}

/// What the browser keeps of its session.
pub(super) fn cookie(request: &HttpRequest) -> Option<&str> {
    cookie_named(request, cookie_name(request))
}

/// What the browser keeps of its sign-in at a provider; empty: nothing.
pub(super) fn away(request: &HttpRequest) -> &str {
    cookie_named(request, away_name(request)).unwrap_or_default()
}

fn cookie_named<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let lines = request.headers().get_all(COOKIE).filter_map(|value| value.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// The header that makes the browser keep a session for so long; zero: that it forgets it.
pub(super) fn keep(request: &HttpRequest, token: &str, life_s: u64) -> String {
    kept(cookie_name(request), token, life_s, "Strict")
}

/// The same of a sign-in at a provider. It has to come along when the provider sends the browser back.
pub(super) fn keep_away(request: &HttpRequest, browser: &str, life_s: u64) -> String {
    kept(away_name(request), browser, life_s, "Lax")
}

fn kept(name: &str, value: &str, life_s: u64, same_site: &str) -> String {
    let secure = if name.starts_with("__Host-") { " Secure;" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={life_s}; HttpOnly;{secure} SameSite={same_site}")
}

fn cookie_name(request: &HttpRequest) -> &'static str {
    if is_loopback(request) { COOKIE_LOOPBACK } else { COOKIE_SECURE }
}

fn away_name(request: &HttpRequest) -> &'static str {
    if is_loopback(request) { AWAY_LOOPBACK } else { AWAY_SECURE }
}

/// On this machine there is no TLS, and not every browser keeps a cookie then that insists on it.
fn is_loopback(request: &HttpRequest) -> bool {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn request(headers: &[(&str, &str)]) -> HttpRequest {
        let post = TestRequest::post();
        headers
            .iter()
            .fold(post, |request, header| request.insert_header(*header))
            .to_http_request()
    }

    #[test]
    fn a_page_of_another_host_is_told_from_ours() {
        let host = ("host", "console.example:7351");
        for (headers, own) in [
            (&[host][..], true),
            (&[host, ("origin", "https://console.example:7351")][..], true),
            (&[host, ("origin", "https://CONSOLE.example:7351")][..], true),
            (&[host, ("origin", "https://console.example")][..], false),
            (&[host, ("origin", "https://console.example:7351.evil.example")][..], false),
            (&[host, ("origin", "null")][..], false),
            (&[host, ("sec-fetch-site", "same-origin")][..], true),
            (&[host, ("sec-fetch-site", "same-site")][..], false),
            (&[host, ("sec-fetch-site", "cross-site")][..], false),
            (&[host, ("sec-fetch-site", "none")][..], false),
        ] {
            assert_eq!(is_own_page(&request(headers)), own, "{headers:?}");
        }
    }

    #[test]
    fn the_cookie_insists_on_tls_but_on_this_machine() {
        for (host, name) in [
            ("127.0.0.1:7351", COOKIE_LOOPBACK),
            ("localhost:7351", COOKIE_LOOPBACK),
            ("LOCALHOST", COOKIE_LOOPBACK),
            ("[::1]:7351", COOKIE_LOOPBACK),
            ("console.example", COOKIE_SECURE),
            ("10.0.0.7:7351", COOKIE_SECURE),
            ("localhost.example:7351", COOKIE_SECURE),
            ("127.0.0.1.example", COOKIE_SECURE),
            ("", COOKIE_SECURE),
        ] {
            let asked = request(&[("host", host)]);
            let kept = keep(&asked, "token", 60);
            assert!(kept.starts_with(&format!("{name}=token; Path=/;")), "{host}: {kept}");
            assert_eq!(kept.contains("Secure;"), name == COOKIE_SECURE, "{host}: {kept}");
            let shows = format!("other=1; {name}=abc; {name}-away=def; anteroomx=2");
            let again = request(&[("host", host), ("cookie", &shows)]);
            assert_eq!((cookie(&again), away(&again)), (Some("abc"), "def"), "{host}");
            let kept = keep_away(&asked, "browser", 60);
            assert!(kept.starts_with(&format!("{name}-away=browser; Path=/;")), "{kept}");
            assert_eq!(kept.contains("Secure;"), name == COOKIE_SECURE, "{host}: {kept}");
            assert!(kept.ends_with("SameSite=Lax") && kept.contains("HttpOnly;"), "{kept}");
        }
        assert_eq!(
            cookie(&request(&[("host", "console.example"), ("cookie", "anteroom=x")])),
            None
        );
    }
}
