//! Where identity providers send players back to (protocol-pragma §4.6): a small page that shows the
//! code, or hands it to the game that waits for it on the same machine.
//!
//! A sign-in that starts here carries a state bound to the browser by a cookie. A game that opened the
//! provider's page itself brings a state of its own, which we cannot check: it goes back to the game
//! with the code, and the game compares it.

use std::fmt::Write as _;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    X_FRAME_OPTIONS,
};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

use super::providers::Provider;
use super::{App, Fault};
use crate::domain::token::oauth_state::{LIFE_S, StateKey};

/// The cookie that binds a sign-in to a browser.
const COOKIE: &str = "anteroom-sign-in";
/// Longest code or state taken, in bytes.
const TEXT_MAX: usize = 4_096;
/// Shortest state of a game's own, so that nobody guesses it.
const STATE_MIN: usize = 16;
/// Hands the form over at once; the only script the page has.
const SCRIPT: &str = "document.forms[0].submit()";

/// What a path of this kind stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Sends the player to the provider.
    Start,
    /// The player comes back to sign in.
    SignIn,
    /// The player comes back to link.
    Link,
}

/// The page of a path, and the provider's name in it. The case does not matter.
pub(super) fn find(path: &str) -> Option<(Page, &str)> {
    let within = |start: &str, end: &str| {
        let (head, rest) = path.split_at_checked(start.len())?;
        let name = rest.len().checked_sub(end.len()).and_then(|at| rest.split_at_checked(at))?;
        let is_it = head.eq_ignore_ascii_case(start) && name.1.eq_ignore_ascii_case(end);
        let good = |name: &str| {
            (1..=32).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        (is_it && good(name.0)).then_some(name.0)
    };
    let start = within("/v1/account/", "-signin").map(|name| (Page::Start, name));
    start
        .or_else(|| Some((Page::SignIn, within("/v1/account/", "-redirect")?)))
        .or_else(|| Some((Page::SignIn, within("/redirect/SignIn", "")?)))
        .or_else(|| Some((Page::Link, within("/redirect/Link", "")?)))
}

#[derive(Default, Deserialize)]
struct Asked {
    port: Option<u16>,
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Answers such a path.
pub(super) fn answer(app: &App, request: &HttpRequest) -> Result<HttpResponse, Fault> {
    let (page, name) = find(request.path()).ok_or(Fault::NoSuchPath)?;
    let provider = Provider::resolve(&Value::String(name.to_owned()), &app.door)?;
    let asked =
        Query::<Asked>::from_query(request.query_string()).map_err(|_| Fault::BadRequest)?;
    match page {
        Page::Start => start(app, &provider, asked.port.unwrap_or(0)),
        Page::SignIn | Page::Link => Ok(back(app, request, &provider, &asked)),
    }
}

/// Sends the player to the provider's page, with a state that only this browser can bring back.
fn start(app: &App, provider: &Provider, port: u16) -> Result<HttpResponse, Fault> {
    let portal = app.door.portal(provider.kind).ok_or(Fault::IdProviderMissing)?;
    let browser = app.door.dice.uuid().simple().to_string();
    let state = app.states.sign(provider.number, &browser, port, app.door.clock.now());
    let secure = if app.is_by_tls() { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={browser}; Path=/; Max-Age={LIFE_S}; HttpOnly; SameSite=Lax{secure}");
    Ok(HttpResponse::Found()
        .insert_header((LOCATION, portal.with_state(&state)))
        .insert_header((SET_COOKIE, cookie))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish())
}

fn back(app: &App, request: &HttpRequest, provider: &Provider, asked: &Asked) -> HttpResponse {
    let short = |text: &Option<String>| {
        text.as_deref().filter(|text| !text.is_empty() && text.len() <= TEXT_MAX).map(str::to_owned)
    };
    if asked.error.is_some() {
        return page(400, "You were not signed in", "The provider said no. Close this page.", None);
    }
    let (Some(code), Some(state)) = (short(&asked.code), short(&asked.state)) else {
        return page(400, "Nothing to see", "This page needs a code and a state.", None);
    };
    let port = if StateKey::is_ours(&state) {
        let browser = cookie(request).unwrap_or_default();
        let now = app.door.clock.now();
        match app.states.verify(&state, provider.number, &browser, now) {
            Ok(port) => port,
            Err(error) => return page(400, "Start again", &error.to_string(), None),
        }
    } else {
        match own_port(&state) {
            Some(port) => port,
            None => return page(400, "Nothing to see", "This state is not a game's.", None),
        }
    };
    let handed = Handed { provider: &provider.name, code: &code, state: &state, port };
    page(200, "You are signed in", "Go back to the game.", Some(&handed))
}

/// The port in a state of a game's own making: a text nobody guesses, and `:port` where it waits.
fn own_port(state: &str) -> Option<u16> {
    let (random, port) = state.rsplit_once(':').unwrap_or((state, "0"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    (random.len() >= STATE_MIN && random.bytes().all(plain)).then(|| port.parse().ok()).flatten()
}

/// The value of our cookie.
fn cookie(request: &HttpRequest) -> Option<String> {
    let lines = request.headers().get_all(actix_web::http::header::COOKIE);
    let mut pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let own = |pair: &str| pair.trim().strip_prefix(COOKIE)?.strip_prefix('=').map(str::to_owned);
    pairs.find_map(own)
}

/// What the game gets.
struct Handed<'a> {
    provider: &'a str,
    code: &'a str,
    state: &'a str,
    /// Where it waits on this machine; 0: nowhere, the player copies the code.
    port: u16,
}

fn page(status: u16, title: &str, words: &str, handed: Option<&Handed<'_>>) -> HttpResponse {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <h1>{title}</h1><p>{}</p>",
        escaped(words)
    );
    let mut form_action = "'none'".to_owned();
    if let Some(handed) = handed {
        let _ = match handed.port {
            0 => write!(html, "<p>Your code:</p><p><code>{}</code></p>", escaped(handed.code)),
            port => {
                form_action = format!("http://127.0.0.1:{port}");
                write!(
                    html,
                    "<form method=\"post\" action=\"{form_action}/\">\
                     <input type=\"hidden\" name=\"provider\" value=\"{}\">\
                     <input type=\"hidden\" name=\"code\" value=\"{}\">\
                     <input type=\"hidden\" name=\"state\" value=\"{}\">\
                     <button>Continue</button></form><script>{SCRIPT}</script>",
                    escaped(handed.provider),
                    escaped(handed.code),
                    escaped(handed.state),
                )
            }
        };
    }
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCRIPT.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; form-action {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .body(html)
}

/// Text as HTML shows it, also within quotes.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, letter| {
        match letter {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            letter => html.push(letter),
        }
        html
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_any_case_with_their_provider() {
        for (path, found) in [
            ("/v1/account/discord-redirect", Some((Page::SignIn, "discord"))),
            ("/V1/Account/Discord-Redirect", Some((Page::SignIn, "Discord"))),
            ("/v1/account/epic-signin", Some((Page::Start, "epic"))),
            ("/redirect/SignInGoogle", Some((Page::SignIn, "Google"))),
            ("/redirect/LinkTwitch", Some((Page::Link, "Twitch"))),
            ("/redirect/SignIn", None),
            ("/redirect/SignIn<b>", None),
            ("/v1/account/-redirect", None),
            ("/v1/account/authenticatev1", None),
        ] {
            assert_eq!(find(path), found, "{path}");
        }
    }

    #[test]
    fn a_games_own_state_is_long_and_plain_and_may_name_a_port() {
        assert_eq!(own_port("0123456789abcdef"), Some(0));
        assert_eq!(own_port("0123456789abcdef:49152"), Some(49_152));
        for bad in
            ["", "short:80", "0123456789abcde<", "0123456789abcdef:x", "0123456789abcdef:70000"]
        {
            assert_eq!(own_port(bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_a_provider_says_becomes_markup() {
        assert_eq!(escaped("<a href=\"'&'\">"), "&lt;a href=&quot;&#39;&amp;&#39;&quot;&gt;");
    }
}
