//! What Nakama's wire allows and forbids (protocol-nakama §0, §1, §3), whatever the call.

use serde_json::json;

use crate::harness::{Answer, Auth, TestServer};

const DEVICE: &str = "/v2/account/authenticate/device";

async fn server() -> TestServer {
    TestServer::start(|config| config.queue.gate = anteroom::config::Gate::Off).await
}

/// Signs a device in; gives access and refresh token.
async fn signed_in(server: &TestServer, device: &str) -> (String, String) {
    let answer = server.with_key(DEVICE, json!({ "id": device })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    (answer.str("/token").to_owned(), answer.str("/refresh_token").to_owned())
}

async fn device(server: &TestServer, path: &str, body: &[u8]) -> Answer {
    server.raw("POST", path, Auth::Key(&server.server_key), body.to_vec()).await
}

#[actix_rt::test]
async fn odd_requests_of_real_clients_are_served() {
    let server = server().await;
    for (path, body) in [
        ("?create=true&username=alice&", &br#"{"id":"0123456789","vars":{}}"#[..]),
        ("?", br#"{"id":"0123456789","vars":null} trailing"#),
        ("?create=False&unknown=1&unknown=2", br#"{"id":"0123456789","later":[{}]}"#),
        ("?username=", br#"{"id":"0123456789"}"#),
    ] {
        let answer = device(&server, &format!("{DEVICE}{path}"), body).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store, no-cache, must-revalidate"));
        let created = answer.json.get("created").is_some();
        assert_eq!(created, path.contains("alice"), "created is there only when true");
    }
}

#[actix_rt::test]
async fn malformed_requests_are_400_and_change_nothing() {
    let server = server().await;
    let deep = format!(r#"{{"id":"0123456789","vars":{}"#, r#"{"a":"#.repeat(50_000));
    let large = format!(r#"{{"id":"0123456789","x":"{}"}}"#, "x".repeat(300_000));
    for (query, body) in [
        ("", "{"),
        ("", r#"["0123456789"]"#),
        ("", r#"{"id":1234567890}"#),
        ("", r#"{"id":"0123456789","id":"0123456789"}"#),
        ("", &deep),
        ("?create=maybe", r#"{"id":"0123456789"}"#),
        ("?create=true&create=true", r#"{"id":"0123456789"}"#),
    ] {
        let answer = device(&server, &format!("{DEVICE}{query}"), body.as_bytes()).await;
        assert_eq!((answer.status, &answer.json["code"]), (400, &json!(3)), "{}", answer.text);
        assert!(answer.json["message"].is_string());
    }
    let answer = device(&server, DEVICE, large.as_bytes()).await;
    answer.is_error(400, 3, "http: request body too large");
    let answer = device(&server, DEVICE, b"{\"id\":\"\xff123456789\"}").await;
    assert_eq!(answer.status, 400);
    device(&server, DEVICE, b"").await.is_error(400, 3, "Device ID is required.");

    let known = format!("{DEVICE}?create=false");
    device(&server, &known, br#"{"id":"0123456789"}"#).await.is_error(
        404,
        5,
        "User account not found.",
    );
}

#[actix_rt::test]
async fn paths_and_methods_nobody_serves_are_told_apart() {
    let server = server().await;
    for (method, path, status, code, message) in [
        ("GET", "/v2/nope", 404, 5, "Not Found"),
        ("GET", "/nope", 404, 5, "Not Found"),
        ("GET", "/v2/%zz", 400, 3, "Bad Request"),
        ("DELETE", "/v2/user", 501, 12, "Method Not Allowed"),
        ("GET", DEVICE, 501, 12, "Method Not Allowed"),
        ("GET", "/v2/group", 501, 12, "Not implemented by this server"),
        ("POST", "/v2/rpc/echo", 501, 12, "Not implemented by this server"),
    ] {
        server.plain(method, path, None).await.is_error(status, code, message);
    }
    server.plain("GET", "/healthcheck", None).await.is(200, json!({}));
}

#[actix_rt::test]
async fn who_asks_is_checked_as_the_failure_matrix_says() {
    let server = server().await;
    let (access, refresh) = signed_in(&server, "0123456789").await;
    let required = (16, "Server key required");
    let invalid = (16, "Server key invalid");
    let key = |value| server.raw("POST", DEVICE, value, b"{}".to_vec());
    key(Auth::None).await.is_error(401, required.0, required.1);
    for value in [Auth::Key("wrong"), Auth::Header("basic x"), Auth::Bearer(&access)] {
        let answer = key(value).await;
        answer.is_error(401, invalid.0, invalid.1);
        assert_eq!(answer.header("www-authenticate"), Some(invalid.1));
    }

    let account = |value| server.raw("GET", "/v2/account", value, Vec::new());
    account(Auth::None).await.is_error(401, 16, "Auth token required");
    let two_spaces = format!("Bearer  {access}");
    let lower = format!("bearer {access}");
    for value in [
        Auth::Key(&server.server_key),
        Auth::Bearer("x"),
        Auth::Bearer(&refresh),
        Auth::Header(&two_spaces),
        Auth::Header(&lower),
    ] {
        account(value).await.is_error(401, 16, "Auth token invalid");
    }
    assert_eq!(account(Auth::Bearer(&access)).await.status, 200);
    server.clock.advance_ms(900_000);
    account(Auth::Bearer(&access)).await.is_error(401, 16, "Auth token invalid");
}

#[actix_rt::test]
async fn a_refresh_needs_a_good_token_and_takes_any_bearer_with_it() {
    const REFRESH: &str = "/v2/account/session/refresh";
    let server = server().await;
    let (access, refresh) = signed_in(&server, "0123456789").await;
    server.with_key(REFRESH, json!({})).await.is_error(400, 3, "Refresh token is required.");
    let refused = "Refresh token invalid or expired.";
    server.with_key(REFRESH, json!({ "token": access })).await.is_error(401, 16, refused);

    server.clock.advance_ms(1_000_000);
    let body = json!({ "token": refresh, "vars": { "k": "v" } });
    let stale = server.with_token("POST", REFRESH, &access, Some(body.clone())).await;
    assert_eq!(stale.status, 200, "{}", stale.text);
    assert!(stale.json.get("created").is_none());
    let bad = json!({ "token": "x" });
    let answer = server.with_token("POST", REFRESH, &access, Some(bad)).await;
    answer.is_error(401, 16, "Server key invalid");
    let answer = server.plain("POST", REFRESH, Some(body.clone())).await;
    answer.is_error(401, 16, "Server key required");

    let again = server.with_key(REFRESH, body).await;
    assert_eq!(again.status, 200, "a refresh token is good until it expires");
    let token = again.str("/token").to_owned();
    assert_eq!(server.with_token("GET", "/v2/account", &token, None).await.status, 200);
    server.clock.advance_ms(31 * 86_400_000);
    let late = json!({ "token": refresh });
    server.with_key(REFRESH, late).await.is_error(401, 16, refused);
}

#[actix_rt::test]
async fn a_logout_revokes_each_token_for_its_own_kind_or_everything() {
    const LOGOUT: &str = "/v2/session/logout";
    const REFRESH: &str = "/v2/account/session/refresh";
    let server = server().await;
    let (access, refresh) = signed_in(&server, "0123456789").await;
    let (other, _) = signed_in(&server, "someone-else").await;
    let logout = |body| server.with_token("POST", LOGOUT, &access, Some(body));
    logout(json!({ "token": "x" })).await.is_error(400, 3, "Session token invalid.");
    logout(json!({ "token": other })).await.is_error(400, 3, "Session token invalid.");
    let swapped = json!({ "refreshToken": access });
    logout(swapped).await.is_error(400, 3, "Refresh token invalid.");

    logout(json!({ "token": access })).await.is(200, json!({}));
    logout(json!({})).await.is_error(401, 16, "Auth token invalid");
    let renewed = server.with_key(REFRESH, json!({ "token": refresh })).await;
    assert_eq!(renewed.status, 200, "the refresh token is still good: {}", renewed.text);

    let (access, refresh) = signed_in(&server, "0123456789").await;
    server.with_token("POST", LOGOUT, &access, None).await.is(200, json!({}));
    let answer = server.with_key(REFRESH, json!({ "token": refresh })).await;
    answer.is_error(401, 16, "Refresh token invalid or expired.");
    let (access, _) = signed_in(&server, "0123456789").await;
    let answer = server.with_token("GET", "/v2/account", &access, None).await;
    assert_eq!(answer.status, 200, "a sign-in in the same instant is not revoked");
}

#[actix_rt::test]
async fn a_plain_get_of_the_socket_says_what_is_missing() {
    let server = server().await;
    let (access, _) = signed_in(&server, "0123456789").await;
    let get = async |path: &str| {
        let answer = server.plain("GET", path, None).await;
        (answer.status, answer.text)
    };
    assert_eq!(get("/ws").await, (401, "Missing or invalid token\n".into()));
    let other = format!("/ws?format=xml&token={access}");
    assert_eq!(get(&other).await, (400, "Invalid format parameter\n".into()));
    assert_eq!(get(&format!("/ws?token={access}")).await.0, 400);
    server.plain("POST", "/ws", None).await.is_error(404, 5, "Not Found");
}
