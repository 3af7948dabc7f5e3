//! Operators who sign in to the console: the first one, password and code, the session and its cookie,
//! a page that is not the console's, a second proof.

use std::collections::BTreeMap;

use anteroom::config::Config;
use anteroom::domain::operator::totp;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer, ask_with};

pub const PASSWORD: &str = "a bridge over the river";
const API: &str = "/v1/operator";

/// A browser with the console in it: keeps the cookie, shows the page's proof.
#[derive(Clone, Default)]
pub struct Browser {
    pub base: String,
    cookies: BTreeMap<String, String>,
    proof: String,
}

impl Browser {
    pub fn at(server: &TestServer) -> Self {
        let base = format!("http://{}", server.operators);
        Self { base, ..Self::default() }
    }

    pub async fn ask(&mut self, method: &str, path: &str, body: Value) -> Answer {
        let proof = self.proof.clone();
        let page = [("origin", self.base.clone()), ("sec-fetch-site", "same-origin".to_owned())];
        let mut headers = page.to_vec();
        headers.push(("x-anteroom-csrf", proof));
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.ask_as(method, path, &headers, body).await
    }

    /// The same with other headers than the console's page sends; the cookie is the browser's.
    pub async fn ask_as(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let cookie = self.shows();
        let mut headers = headers.to_vec();
        if !cookie.is_empty() {
            headers.push(("cookie", &cookie));
        }
        let url = format!("{}{API}{path}", self.base);
        let answer = ask_with(method, &url, &headers, (!body.is_null()).then_some(body)).await;
        self.keeps(&answer.headers);
        if let Some(proof) = answer.json["csrf"].as_str() {
            proof.clone_into(&mut self.proof);
        }
        answer
    }

    /// The cookies it has.
    fn shows(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Keeps the cookies of an answer.
    fn keeps(&mut self, headers: &[(String, String)]) {
        for (_, kept) in headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = kept.split(';').next().unwrap().split_once('=').unwrap();
            let same_site =
                if name.ends_with("-away") { "SameSite=Lax" } else { "SameSite=Strict" };
            assert!(kept.contains("HttpOnly") && kept.contains(same_site), "{kept}");
            if kept.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Goes where a provider sends it, and is told where to go on: status and address.
    pub async fn comes_back(&mut self, address: &str) -> (u16, String) {
        let client = awc::Client::builder().disable_redirects().finish();
        let request = client.get(address).insert_header(("Cookie", self.shows()));
        let answer = request.insert_header(("Sec-Fetch-Site", "cross-site")).send().await.unwrap();
        let told: Vec<_> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        self.keeps(&told);
        let location = told.iter().find(|(name, _)| name == "location");
        (answer.status().as_u16(), location.map(|(_, to)| to.clone()).unwrap_or_default())
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null).await
    }

    pub async fn sign_in(&mut self, email: &str, password: &str, code: &str) -> Answer {
        let body = json!({"email": email, "password": password, "totp": code});
        self.ask("POST", "/session", body).await
    }
}

#[track_caller]
pub fn refused(answer: &Answer, status: u16, why: &str) {
    let got = (answer.status, answer.json["why"].as_str());
    assert_eq!(got, (status, Some(why)), "{}", answer.text);
    assert!(!answer.str("/message").is_empty());
}

/// A server whose first operator is ada.
pub async fn with_ada(set: impl FnOnce(&mut Config)) -> (TestServer, Browser) {
    let server = TestServer::start(set).await;
    let mut ada = Browser::at(&server);
    let made = set_up(&server, &mut ada, server.setup_code.as_deref().unwrap(), PASSWORD).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (server, ada)
}

async fn set_up(_: &TestServer, by: &mut Browser, code: &str, password: &str) -> Answer {
    let body = json!({"code": code, "email": "Ada@Example.org", "password": password});
    by.ask("POST", "/setup", body).await
}

/// An authenticator: what it shows for a moment so many steps from now.
pub struct Phone(Vec<u8>);

impl Phone {
    pub fn shows(&self, server: &TestServer, steps: u64) -> String {
        totp::shown(&self.0, server.clock.now().as_secs() / totp::STEP_S + steps)
    }
}

pub async fn enrol(server: &TestServer, by: &mut Browser) -> (Phone, Vec<String>) {
    enrol_as(server, by, "ada%40example.org").await
}

/// Sets an authenticator up for who is called this in its link.
pub async fn enrol_as(server: &TestServer, by: &mut Browser, name: &str) -> (Phone, Vec<String>) {
    let made = by.ask("POST", "/totp", json!({})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(made.str("/picture").starts_with("<svg "));
    let secret = made.str("/secret");
    assert!(made.str("/uri").contains(secret) && made.str("/uri").contains(name));
    let values = secret.bytes().map(|c| if c.is_ascii_digit() { c - b'2' + 26 } else { c - b'A' });
    let bits: Vec<u8> =
        values.flat_map(|five| (0..5).rev().map(move |at| five >> at & 1)).collect();
    let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | bit);
    let phone = Phone(bits.chunks_exact(8).map(byte).collect());
    // Any six digits are somebody's code one time in a few hundred thousand, and once they were.
    let now = server.clock.now().as_secs() / totp::STEP_S;
    let right = [now - 1, now, now + 1].map(|step| totp::shown(&phone.0, step));
    let wrong = ["000000", "111111", "222222", "333333"].into_iter();
    let wrong = wrong.map(str::to_owned).find(|code| !right.contains(code)).unwrap();
    refused(&by.ask("POST", "/totp/confirm", json!({"code": wrong})).await, 401, "wrong_totp");
    let shown = phone.shows(server, 0);
    let done = by.ask("POST", "/totp/confirm", json!({"code": shown})).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let codes: Vec<String> = serde_json::from_value(done.json["recovery_codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10);
    (phone, codes)
}

#[actix_rt::test]
async fn the_first_operator_is_made_once_by_the_code_that_was_printed() {
    let server = TestServer::start(|_| {}).await;
    let mut page = Browser::at(&server);
    let nobody = page.get("/session").await;
    refused(&nobody, 401, "token");
    assert_eq!(nobody.json["setup"], true);
    let code = server.setup_code.clone().unwrap();
    refused(&set_up(&server, &mut page, "AAAAA-AAAAA", PASSWORD).await, 403, "wrong_code");
    refused(&set_up(&server, &mut page, &code, "too short").await, 400, "password_short");
    let common = "12345678901234567890";
    refused(&set_up(&server, &mut page, &code, common).await, 400, "password_common");
    let made = set_up(&server, &mut page, &code.to_lowercase(), PASSWORD).await;
    assert_eq!((made.status, made.str("/name")), (201, "ada@example.org"), "{}", made.text);
    assert_eq!(
        (&made.json["permissions"], &made.json["roles"][0]["name"]),
        (&json!(["*"]), &json!("Admin"))
    );
    assert_eq!(page.get("/session").await.status, 200);
    assert_eq!(page.get("/queue").await.status, 200, "the dials take the cookie, too");
    let mut late = Browser::at(&server);
    refused(&set_up(&server, &mut late, &code, PASSWORD).await, 409, "setup_over");
    assert_eq!(late.get("/session").await.json["setup"], false);
}

#[actix_rt::test]
async fn a_setup_code_is_over_after_fifteen_minutes() {
    let server = TestServer::start(|_| {}).await;
    server.pass_ms(900_000).await;
    let code = server.setup_code.clone().unwrap();
    let late = set_up(&server, &mut Browser::at(&server), &code, PASSWORD).await;
    refused(&late, 403, "wrong_code");
}

#[actix_rt::test]
async fn who_is_no_operator_hears_what_a_wrong_password_hears() {
    let (server, mut ada) = with_ada(|_| {}).await;
    let player = json!({"account": {"email": "bob@example.org", "password": PASSWORD}});
    server.with_key("/v2/account/authenticate/email?create=true", player["account"].clone()).await;
    let mut page = Browser::at(&server);
    let wrong = page.sign_in("ada@example.org", "another bridge over it", "").await;
    let unknown = page.sign_in("nobody@example.org", PASSWORD, "").await;
    let no_operator = page.sign_in("bob@example.org", PASSWORD, "").await;
    refused(&wrong, 401, "wrong");
    assert_eq!((&unknown.text, &no_operator.text), (&wrong.text, &wrong.text));
    assert_eq!((unknown.status, no_operator.status), (401, 401));
    // A player's door does not know the operator's password.
    let as_player = json!({"email": "ada@example.org", "password": PASSWORD});
    let as_player = server.with_key("/v2/account/authenticate/email?create=false", as_player).await;
    assert_eq!(as_player.status, 401, "{}", as_player.text);
    assert_eq!(page.sign_in("ADA@example.org", PASSWORD, "").await.status, 201);
    assert_eq!(ada.ask("DELETE", "/session", Value::Null).await.status, 204);
    refused(&ada.get("/session").await, 401, "token");
    assert_eq!(page.get("/session").await.status, 200, "the other one goes on");
}

#[actix_rt::test]
async fn without_an_authenticator_there_is_only_looking_and_each_code_is_good_once() {
    let (server, mut ada) = with_ada(|config| config.dev = false).await;
    assert_eq!(ada.get("/queue").await.status, 200);
    let change = json!({"rate": 7.0});
    let early = ada.ask("POST", "/queue/changes", change.clone()).await;
    refused(&early, 403, "totp_needed");
    assert_eq!(ada.get("/session").await.json["needs_totp"], true);
    let (phone, recovery) = enrol(&server, &mut ada).await;
    assert_eq!(ada.ask("POST", "/queue/changes", change).await.status, 201);

    let mut page = Browser::at(&server);
    let mut sign_in = async |code: &str| page.sign_in("ada@example.org", PASSWORD, code).await;
    refused(&sign_in("").await, 401, "totp");
    refused(&sign_in(&phone.shows(&server, 0)).await, 401, "wrong_totp");
    server.pass_ms(30_000).await;
    let shown = phone.shows(&server, 0);
    assert_eq!(sign_in(&shown).await.status, 201);
    refused(&sign_in(&shown).await, 401, "wrong_totp");
    assert_eq!(sign_in(&recovery[3].to_lowercase()).await.status, 201);
    refused(&sign_in(&recovery[3]).await, 401, "wrong_totp");
    assert_eq!(sign_in(&recovery[4]).await.json["recovery_codes"], 8);
    server.pass_ms(90_000).await;
    refused(&sign_in(&shown).await, 401, "wrong_totp");

    // What is kept outlives the process; sessions do not.
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |config| config.dev = false).await;
    assert_eq!(server.setup_code, None, "there is an operator");
    let mut page = Browser::at(&server);
    refused(&page.sign_in("ada@example.org", PASSWORD, "").await, 401, "totp");
    let shown = phone.shows(&server, 0);
    assert_eq!(page.sign_in("ada@example.org", PASSWORD, &shown).await.status, 201);
    ada.base.clone_from(&page.base);
    refused(&ada.get("/session").await, 401, "token");
    drop(server);
}

#[actix_rt::test]
async fn only_the_consoles_page_changes_something_by_the_cookie() {
    let (server, mut ada) = with_ada(|_| {}).await;
    let (own, proof) = (ada.base.clone(), ada.proof.clone());
    let change = json!({"rate": 7.0});
    let foreign = "https://evil.example";
    for headers in [
        &[("origin", own.as_str())][..],
        &[("x-anteroom-csrf", proof.as_str())][..],
        &[("origin", own.as_str()), ("x-anteroom-csrf", "00")][..],
        &[("origin", foreign), ("x-anteroom-csrf", proof.as_str())][..],
        &[("origin", "null"), ("x-anteroom-csrf", proof.as_str())][..],
        &[
            ("origin", own.as_str()),
            ("x-anteroom-csrf", proof.as_str()),
            ("sec-fetch-site", "cross-site"),
        ][..],
    ] {
        let told = ada.ask_as("POST", "/queue/changes", headers, change.clone()).await;
        refused(&told, 403, "csrf");
    }
    let good = [("origin", own.as_str()), ("x-anteroom-csrf", proof.as_str())];
    assert_eq!(ada.ask_as("POST", "/queue/changes", &good, change).await.status, 201);
    // Nobody is signed in by another page, either.
    let mut page = Browser::at(&server);
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let told = page.ask_as("POST", "/session", &[("origin", foreign)], body.clone()).await;
    refused(&told, 403, "csrf");
    let out = ada.ask_as("DELETE", "/session", &[("origin", foreign)], Value::Null).await;
    refused(&out, 403, "csrf");
    assert_eq!(page.ask_as("POST", "/session", &[], body).await.status, 201, "a script");
}

#[actix_rt::test]
async fn a_session_ends_when_it_is_not_used_and_at_the_end_of_its_life() {
    let (server, mut ada) = with_ada(|config| {
        config.operators.session_h = 2;
        config.operators.idle_min = 30;
    })
    .await;
    let mut idle = Browser::at(&server);
    assert_eq!(idle.sign_in("ada@example.org", PASSWORD, "").await.status, 201);
    for _ in 0..4 {
        server.pass_ms(29 * 60_000).await;
        assert_eq!(ada.get("/session").await.status, 200);
    }
    refused(&idle.get("/session").await, 401, "token");
    server.pass_ms(5 * 60_000).await;
    refused(&ada.get("/session").await, 401, "token");
    refused(&ada.ask("POST", "/queue/changes", json!({"rate": 7.0})).await, 401, "token");
}

#[actix_rt::test]
async fn what_gives_power_wants_a_proof_of_the_last_ten_minutes() {
    let (server, mut ada) = with_ada(|_| {}).await;
    let (phone, recovery) = enrol(&server, &mut ada).await;
    let make = json!({"label": "scripts", "permissions": ["queue.dials.get"], "days": 1});
    assert_eq!(ada.ask("POST", "/tokens", make.clone()).await.status, 201);
    server.pass_ms(600_000).await;
    refused(&ada.ask("POST", "/tokens", make.clone()).await, 403, "step_up");
    refused(&ada.ask("DELETE", "/totp", Value::Null).await, 403, "step_up");
    refused(&ada.ask("POST", "/totp", json!({})).await, 403, "step_up");
    assert_eq!(ada.ask("POST", "/queue/changes", json!({"rate": 7.0})).await.status, 201);

    let mut prove = async |password: &str, code: &str| {
        let shown = json!({"password": password, "totp": code});
        ada.ask("POST", "/session/step-up", shown).await
    };
    let shown = phone.shows(&server, 0);
    refused(&prove("not the password", &shown).await, 401, "wrong");
    refused(&prove(PASSWORD, "").await, 401, "totp");
    refused(&prove(PASSWORD, "123456").await, 401, "wrong_totp");
    assert_eq!(prove(PASSWORD, &shown).await.status, 200);
    refused(&prove(PASSWORD, &shown).await, 401, "wrong_totp");
    assert_eq!(prove(PASSWORD, &recovery[0]).await.status, 200);
    assert_eq!(ada.ask("POST", "/tokens", make).await.status, 201);
    assert_eq!(ada.ask("DELETE", "/totp", Value::Null).await.status, 204);
    assert_eq!(ada.get("/session").await.json["totp"], false);
}
