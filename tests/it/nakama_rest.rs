//! Nakama's calls over REST (protocol-nakama §2 to §6): where each field of a call is, what is
//! refused in which words, and what players can do to their own account.

use std::io::Read;

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer};

const AUTHENTICATE: &str = "/v2/account/authenticate/";
const PROVIDERS: [&str; 6] =
    ["apple", "facebook", "facebookinstantgame", "gamecenter", "google", "steam"];

async fn server() -> TestServer {
    TestServer::start(|config| {
        config.queue.gate = anteroom::config::Gate::Off;
        config.nakama.response_headers = vec!["x-game=pong".into(), "Vary=Never".into()];
    })
    .await
}

async fn signed_in(server: &TestServer, device: &str) -> String {
    let path = format!("{AUTHENTICATE}device");
    let answer = server.with_key(&path, json!({ "id": device })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.str("/token").to_owned()
}

/// A player and their calls.
struct Player<'a> {
    server: &'a TestServer,
    token: String,
}

impl Player<'_> {
    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.server.with_token(method, path, &self.token, Some(body)).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.with_token("GET", path, &self.token, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }
}

async fn player<'a>(server: &'a TestServer, device: &str) -> Player<'a> {
    Player { server, token: signed_in(server, device).await }
}

#[actix_rt::test]
async fn ways_to_sign_in_come_and_go() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    let empty = json!({});
    ada.post("/v2/account/link/custom", json!({"id": "custom1", "vars": null}))
        .await
        .is(200, empty.clone());
    let mail = json!({"email": "Ada@Example.org", "password": "correct horse"});
    ada.post("/v2/account/link/email", mail.clone()).await.is(200, empty.clone());
    ada.post("/v2/account/link/device", json!({"id": "another-device"}))
        .await
        .is(200, empty.clone());

    let account = ada.get("/v2/account").await;
    assert_eq!(account.str("/custom_id"), "custom1");
    assert_eq!(account.str("/email"), "ada@example.org");
    assert_eq!(account.json["devices"].as_array().map(Vec::len), Some(2));
    assert_eq!(account.str("/user/metadata"), "{}");
    assert!(account.json.pointer("/user/online").is_none(), "no socket shows a status");

    let id = account.str("/user/id");
    for (kind, body) in [("custom", json!({"id": "custom1"})), ("email", mail)] {
        let answer = server.with_key(&format!("{AUTHENTICATE}{kind}?create=false"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let same = Player { server: &server, token: answer.str("/token").to_owned() };
        assert_eq!(same.get("/v2/account").await.str("/user/id"), id);
    }

    let unlink = "/v2/account/unlink/";
    let last = "Cannot unlink last account identifier. Check profile exists and is not last link.";
    ada.post(&format!("{unlink}custom"), json!({"id": "other1"})).await.is_error(403, 7, last);
    ada.post(&format!("{unlink}custom"), json!({})).await.is(200, empty.clone());
    server.clock.advance_ms(1_000);
    ada.post(&format!("{unlink}custom"), json!({})).await.is(200, empty.clone());
    ada.post(&format!("{unlink}email"), Value::Null).await.is(200, empty.clone());
    let missing = "A device ID must be supplied.";
    ada.post(&format!("{unlink}device"), json!({})).await.is_error(400, 3, missing);
    let first = json!({"id": "0123456789"});
    ada.post(&format!("{unlink}device"), first).await.is(200, empty);
    let second = json!({"id": "another-device"});
    ada.post(&format!("{unlink}device"), second).await.is_error(403, 7, last);
}

#[actix_rt::test]
async fn what_is_somebody_elses_is_not_linked() {
    let server = server().await;
    let bob = player(&server, "bobs-device").await;
    bob.post("/v2/account/link/custom", json!({"id": "custom1"})).await.is(200, json!({}));
    let mail = json!({"email": "bob@example.org", "password": "correct horse"});
    bob.post("/v2/account/link/email", mail.clone()).await.is(200, json!({}));
    let ada = player(&server, "adas-device").await;
    for (kind, body, message) in [
        ("device", json!({"id": "bobs-device"}), "Device ID already in use."),
        ("custom", json!({"id": "custom1"}), "Custom ID is already in use."),
        ("email", mail, "Email is already in use."),
    ] {
        ada.post(&format!("/v2/account/link/{kind}"), body).await.is_error(409, 6, message);
    }
    let common = json!({"email": "ada@example.org", "password": "Password1!"});
    let message = "Password is too common. Choose another one.";
    ada.post("/v2/account/link/email", common).await.is_error(400, 3, message);
}

#[actix_rt::test]
async fn providers_say_what_is_missing_or_that_they_are_not_set_up() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    let whole = json!({"token": "t", "signed_player_info": "a.b", "signedPlayerInfo": null,
        "player_id": "p", "bundleId": "b", "timestamp_seconds": "1767225600000", "salt": "s",
        "signature": "s", "publicKeyUrl": "https://static.gc.apple.com/k.cer"});
    let whole = without(&whole, "signedPlayerInfo");
    for provider in PROVIDERS {
        let path = format!("{AUTHENTICATE}{provider}");
        server.plain("POST", &path, None).await.is_error(401, 16, "Server key required");
        let link = format!("/v2/account/link/{provider}");
        server.plain("POST", &link, None).await.is_error(401, 16, "Auth token required");
        for answer in
            [server.with_key(&path, whole.clone()).await, ada.post(&link, whole.clone()).await]
        {
            let message = answer.str("/message");
            assert_eq!((answer.status, answer.json["code"].as_u64()), (400, Some(9)), "{message}");
            assert!(message.ends_with(" authentication is not configured."), "{message}");
        }
        let unlink = format!("/v2/account/unlink/{provider}");
        server.clock.advance_ms(1_000);
        ada.post(&unlink, json!({})).await.is(200, json!({}));
    }
    for (provider, message) in [
        ("facebook", "Facebook access token is required."),
        ("facebookinstantgame", "Signed Player Info for a Facebook Instant Game is required."),
        ("google", "Google access token is required."),
    ] {
        let path = format!("{AUTHENTICATE}{provider}?sync=true&create=false&");
        server.with_key(&path, json!({"token": ""})).await.is_error(400, 3, message);
        let link = format!("/v2/account/link/{provider}?import=false");
        ada.post(&link, json!({"token": null})).await.is_error(400, 3, message);
    }
    let steam = "/v2/account/link/steam";
    let missing = "Steam access token is required.";
    ada.post(steam, json!({"sync": true})).await.is_error(400, 3, missing);
    for body in [json!({"account": {"token": "14"}, "sync": false}), json!({"token": "14"})] {
        let answer = ada.post(steam, body).await;
        answer.is_error(400, 9, "Steam authentication is not configured.");
    }
    let path = format!("{AUTHENTICATE}gamecenter");
    let nothing = server.raw("POST", &path, Auth::Key(&server.server_key), Vec::new()).await;
    nothing.is_error(400, 3, "GameCenter access credentials are required.");
    let empty = server.with_key(&path, json!({})).await;
    empty.is_error(400, 3, "GameCenter bundle ID is required.");
}

fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name);
    object
}

#[actix_rt::test]
async fn updates_are_checked_before_anything_is_changed() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    let length = "Username invalid, must be 1-128 bytes.";
    for (body, message) in [
        (json!({}), "No fields to update."),
        (json!({"username": null, "displayName": null}), "No fields to update."),
        (json!({"username": ""}), length),
        (json!({"username": "x".repeat(129)}), length),
        (json!({"username": "a\tb"}), "Username invalid, no spaces or control characters allowed."),
        (json!({"langTag": ""}), "Invalid lang_tag, must be 1-18 characters."),
        (json!({"avatar_url": "x".repeat(513)}), "Invalid avatar_url, must be 0-512 characters."),
    ] {
        ada.call("PUT", "/v2/account", body).await.is_error(400, 3, message);
    }
    let twice = br#"{"display_name":"a","displayName":"b"}"#.to_vec();
    let answer = server.raw("PUT", "/v2/account", Auth::Bearer(&ada.token), twice).await;
    assert_eq!((answer.status, &answer.json["code"]), (400, &json!(3)));
    server.plain("PUT", "/v2/account", None).await.is_error(401, 16, "Auth token required");
    server.plain("DELETE", "/v2/account", None).await.is_error(401, 16, "Auth token required");
}

#[actix_rt::test]
async fn friends_users_and_notifications_refuse_in_their_words() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    let account = ada.get("/v2/account").await;
    let me = account.str("/user/id").to_owned();
    let name = account.str("/user/username").to_owned();
    let nil = uuid::Uuid::nil();
    let to = |path: &str| path.replace("NAME", &name).replace("ME", &me);
    let limit = "Invalid limit - limit must be between 1 and 100.";
    for (method, path, message) in [
        ("GET", "/v2/user?ids=x", "ID 'x' is not a valid system ID."),
        ("GET", "/v2/friend?limit=0", "Invalid limit - limit must be between 1 and 1000."),
        ("GET", "/v2/friend?limit=1001", "Invalid limit - limit must be between 1 and 1000."),
        ("GET", "/v2/friend?state=4", "Invalid state - state must be between 0 and 3."),
        ("GET", "/v2/friend?cursor=x", "Cursor is invalid."),
        ("GET", "/v2/friend/friends?limit=101", limit),
        ("GET", "/v2/friend/friends?cursor=x", "Cursor is invalid."),
        ("POST", "/v2/friend?ids=ME", "Cannot add self as friend."),
        ("POST", "/v2/friend?usernames=NAME", "Cannot add self as friend."),
        ("POST", "/v2/friend?ids=x&usernames=", "Invalid user ID 'x'."),
        ("POST", "/v2/friend?usernames=", "Username must not be empty."),
        ("POST", "/v2/friend?usernames=bob&metadata=x", "Invalid metadata, must be a JSON object."),
        ("DELETE", "/v2/friend?ids=ME&", "Cannot delete self."),
        ("DELETE", "/v2/friend?usernames=NAME", "Cannot delete self."),
        ("POST", "/v2/friend/block?ids=ME", "Cannot block self."),
        ("POST", "/v2/friend/block?usernames=", "Username must not be empty."),
        ("GET", "/v2/notification?limit=0", limit),
        ("GET", "/v2/notification?limit=1&cacheable_cursor=x", "Malformed cursor was used."),
        ("GET", "/v2/notification?cursor=x", "Malformed cursor was used."),
        ("GET", "/v2/notification?cacheableCursor=x", "Malformed cursor was used."),
        ("DELETE", "/v2/notification?ids=x", "Error while deleting notifications."),
    ] {
        let answer = server.with_token(method, &to(path), &ada.token, None).await;
        answer.is_error(400, 3, message);
    }
    let path = format!("/v2/friend?ids={nil}");
    let message = format!("Invalid user ID '{nil}'.");
    server.with_token("POST", &path, &ada.token, None).await.is_error(400, 3, &message);
    for (method, path) in [
        ("GET", "/v2/user"),
        ("POST", "/v2/friend"),
        ("DELETE", "/v2/friend?"),
        ("POST", "/v2/friend/block"),
        ("DELETE", "/v2/notification"),
    ] {
        let answer = server.with_token(method, path, &ada.token, None).await;
        answer.is(200, json!({}));
        server.plain(method, path, None).await.is_error(401, 16, "Auth token required");
    }
    let import = ada.post("/v2/friend/facebook?reset=true", json!({"token": ""})).await;
    import.is_error(400, 3, "Facebook token is required.");
    let import = ada.post("/v2/friend/steam", json!({"token": "14"})).await;
    assert_ne!(import.status, 200, "nothing to ask Steam with");
}

#[actix_rt::test]
async fn queries_have_one_meaning_and_answers_the_configured_headers() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    for path in [
        "/v2/friend?limit=x",
        "/v2/friend?limit=1&limit=1",
        "/v2/friend?state=1.5",
        "/v2/friend/facebook?reset=perhaps",
    ] {
        let method = if path.contains("facebook") { "POST" } else { "GET" };
        let answer = server.with_token(method, path, &ada.token, None).await;
        assert_eq!((answer.status, &answer.json["code"]), (400, &json!(3)), "{path}");
    }
    let answer = ada.get("/v2/user?").await;
    assert_eq!(answer.header("x-game"), Some("pong"));
    assert_eq!(answer.header("vary"), Some("Accept-Encoding"), "only what is lacking");
    let answer = server.plain("GET", "/v2/nope", None).await;
    assert_eq!(answer.header("x-game"), Some("pong"), "errors have them, too");
}

#[actix_rt::test]
async fn long_answers_are_packed() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    for n in 0..40 {
        let body = json!({"id": format!("one-more-device-{n}")});
        ada.post("/v2/account/link/device", body).await.is(200, json!({}));
    }
    for (accept, encoding) in [("gzip, deflate", Some("gzip")), ("identity", None)] {
        let request = awc::Client::default().get(server.url("/v2/account"));
        let request = request.bearer_auth(&ada.token).insert_header(("Accept-Encoding", accept));
        let mut response = request.no_decompress().send().await.unwrap();
        let found = response.headers().get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(found, encoding, "{accept}");
        let body = response.body().await.unwrap();
        let mut text = Vec::new();
        match encoding {
            Some(_) => flate2::read::GzDecoder::new(&*body).read_to_end(&mut text).unwrap(),
            None => (&*body).read_to_end(&mut text).unwrap(),
        };
        let account: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(account["devices"].as_array().map(Vec::len), Some(41));
    }
}

#[actix_rt::test]
async fn a_form_is_as_good_as_a_query_where_there_is_no_body() {
    let server = server().await;
    let ada = player(&server, "0123456789").await;
    let form = |path: &str| {
        let request = awc::Client::default().post(server.url(path)).bearer_auth(&ada.token);
        request.insert_header(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"))
    };
    let mut response = form("/v2/friend/block").send_body("ids=x&usernames=a+b").await.unwrap();
    let body = response.body().await.unwrap();
    assert_eq!(&*body, br#"{"code":3,"message":"Invalid user ID 'x'."}"#);
    let mut response = form("/v2/friend?usernames=").send_body("usernames=bob").await.unwrap();
    let body = response.body().await.unwrap();
    assert_eq!(&*body, br#"{"code":3,"message":"Username must not be empty."}"#);
}
