//! Requests as the official SDKs send them that cannot run here, byte for byte where it matters
//! (protocol-nakama §13): Godot, Defold, C++, Unreal, .NET, Dart, Java, Swift.

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer};
use crate::nakama_friends::Player;

const DEFAULT_KEY: &str = "Basic ZGVmYXVsdGtleTo=";

async fn server() -> TestServer {
    TestServer::start(|config| config.queue.burst = 1_000).await
}

/// A request with a body, or with none at all.
async fn send(server: &TestServer, method: &str, path: &str, auth: &str, body: &str) -> Answer {
    server.raw(method, path, Auth::Header(auth), body.as_bytes().to_vec()).await
}

/// What Godot, C++ and Unreal need: exactly 200 and a JSON object.
#[track_caller]
fn is_success(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json.is_object(), "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

/// What C++ indexes without looking, and .NET casts.
#[track_caller]
fn is_refusal(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.json["code"].is_u64() && answer.json["message"].is_string(), "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[actix_rt::test]
async fn godot_sends_no_content_type_and_takes_only_200_with_json() {
    let server = server().await;
    let path = "/v2/account/authenticate/device?create=true&username=ada%20l";
    let made = send(&server, "POST", path, DEFAULT_KEY, r#"{"id":"godot-device-1"}"#).await;
    is_success(&made);
    let bearer = format!("Bearer {}", made.str("/token"));
    is_success(&send(&server, "GET", "/healthcheck", &bearer, "").await);
    for (method, path) in [
        ("GET", "/v2/account"),
        ("POST", "/v2/friend?usernames=nobody+l"),
        ("DELETE", "/v2/friend?usernames=nobody"),
        ("GET", "/v2/friend?limit=10&state=0"),
        ("GET", "/v2/notification?limit=10"),
        ("GET", "/v2/user?usernames=ada+l&usernames=ada%20l"),
        ("DELETE", "/v2/notification"),
    ] {
        let answer = send(&server, method, path, &bearer, "").await;
        if path.contains("nobody+l") {
            is_refusal(&answer, 400);
        } else {
            is_success(&answer);
        }
    }
    let body = r#"{"display_name":null,"lang_tag":"de","username":null}"#;
    is_success(&send(&server, "PUT", "/v2/account", &bearer, body).await);
}

#[actix_rt::test]
async fn defold_speaks_camel_case_and_refreshes_with_a_stale_bearer() {
    let server = server().await;
    let path = "/v2/account/authenticate/device?create=true&username=defold";
    let made =
        send(&server, "POST", path, DEFAULT_KEY, r#"{"id":"defold-device","vars":{"k":"v"}}"#)
            .await;
    is_success(&made);
    let bearer = format!("Bearer {}", made.str("/token"));
    let body = r#"{"displayName":"D","avatarUrl":"u","langTag":"en"}"#;
    is_success(&send(&server, "PUT", "/v2/account", &bearer, body).await);
    let account = send(&server, "GET", "/v2/account", &bearer, "").await;
    assert_eq!((account.str("/user/display_name"), account.str("/user/avatar_url")), ("D", "u"));
    is_success(&send(&server, "GET", "/v2/user?facebookIds=1&facebookIds=2", &bearer, "").await);
    is_success(
        &send(&server, "GET", "/v2/notification?limit=5&cacheableCursor=", &bearer, "").await,
    );
    server.clock.advance_ms(3_600_000);
    let stale = json!({"token": made.str("/refresh_token")}).to_string();
    let renewed = send(&server, "POST", "/v2/account/session/refresh", &bearer, &stale).await;
    is_success(&renewed);
    let bearer = format!("Bearer {}", renewed.str("/token"));
    let leaving =
        json!({"token": renewed.str("/token"), "refreshToken": renewed.str("/refresh_token")});
    is_success(&send(&server, "POST", "/v2/session/logout", &bearer, &leaving.to_string()).await);
    let spent = json!({"token": renewed.str("/refresh_token")}).to_string();
    is_refusal(
        &send(&server, "POST", "/v2/account/session/refresh", DEFAULT_KEY, &spent).await,
        401,
    );
}

#[actix_rt::test]
async fn cpp_and_unreal_send_import_flat_steam_and_their_own_cursor() {
    let server = server().await;
    let ada = Player::new(&server, "ada").await;
    for name in ["bob", "cem"] {
        let other = Player::new(&server, name).await;
        other.ask(&server, "POST", "/v2/friend?usernames=ada").await;
    }
    let bearer = format!("Bearer {}", ada.token);
    let first = send(&server, "GET", "/v2/notification?limit=1", &bearer, "").await;
    let path = format!("/v2/notification?limit=1&cursor={}", first.str("/cacheable_cursor"));
    let second = send(&server, "GET", &path, &bearer, "").await;
    assert_eq!(second.json["notifications"][0]["content"], json!({"username": "cem"}).to_string());
    // Refused by the provider's settings, not by the form.
    let path = "/v2/account/authenticate/facebook?create=true&import=true";
    is_refusal(&send(&server, "POST", path, DEFAULT_KEY, r#"{"token":"t"}"#).await, 400);
    let flat =
        send(&server, "POST", "/v2/account/link/steam", &bearer, r#"{"token":"00ff"}"#).await;
    flat.is_error(400, 9, "Steam authentication is not configured.");
    let reset =
        send(&server, "POST", "/v2/friend/facebook", &bearer, r#"{"token":"t","reset":true}"#);
    is_refusal(&reset.await, 400);
}

#[actix_rt::test]
async fn net_needs_codes_in_every_refusal_and_numbers_as_text() {
    let server = server().await;
    let path = "/v2/account/authenticate/gamecenter?create=true";
    let body = json!({
        "bundle_id": "com.example.game", "player_id": "G:1", "public_key_url": "https://x.apple.com/a.cer",
        "salt": "ABEiMw==", "signature": "AA==", "timestamp_seconds": "1767225600000",
    });
    let refused = send(&server, "POST", path, DEFAULT_KEY, &body.to_string()).await;
    refused.is_error(400, 9, "GameCenter authentication is not configured.");
    for (method, path, status) in [
        ("GET", "/v2/nowhere", 404),
        ("PATCH", "/v2/account", 501),
        ("GET", "/v2/account", 401),
        ("POST", "/v2/account/authenticate/device", 400),
    ] {
        let auth = if path.contains("authenticate") { DEFAULT_KEY } else { "Bearer x" };
        is_refusal(&send(&server, method, path, auth, "").await, status);
    }
}

#[actix_rt::test]
async fn dart_sends_nulls_and_takes_no_missing_fields() {
    let server = server().await;
    let body = r#"{"id":"dart-device-id","vars":null}"#;
    let made = send(&server, "POST", "/v2/account/authenticate/device", DEFAULT_KEY, body).await;
    is_success(&made);
    let bearer = format!("Bearer {}", made.str("/token"));
    let body = r#"{"username":"dart","display_name":null,"avatar_url":null,"lang_tag":null,"location":null,"timezone":null}"#;
    is_success(&send(&server, "PUT", "/v2/account", &bearer, body).await);
    let ada = Player::new(&server, "ada").await;
    ada.ask(&server, "POST", "/v2/friend?usernames=dart").await;
    let told = send(&server, "GET", "/v2/notification?limit=100", &bearer, "").await;
    let told = &told.json["notifications"][0];
    for field in ["id", "code", "sender_id", "create_time", "persistent"] {
        assert_ne!(told[field], Value::Null, "{field} in {told}");
    }
    let friends = send(&server, "GET", "/v2/friend", &bearer, "").await;
    for field in ["user", "state", "update_time"] {
        assert_ne!(friends.json["friends"][0][field], Value::Null, "{field}");
    }
}

#[actix_rt::test]
async fn swift_reads_every_token_as_plain_base64() {
    let server = server().await;
    for n in 0..200 {
        let name = format!("?>~ÿ{n}");
        let path =
            "/v2/account/authenticate/device?create=true&username=".to_owned() + &percent(&name);
        let body = json!({"id": format!("swift-device-{n}"), "vars": {"~?>": name}}).to_string();
        let made = send(&server, "POST", &path, DEFAULT_KEY, &body).await;
        for token in [made.str("/token"), made.str("/refresh_token")] {
            let payload = token.split('.').nth(1).unwrap();
            assert!(!payload.contains(['-', '_']) && payload.len().is_multiple_of(4), "{payload}");
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| out + &format!("%{byte:02X}"))
}
