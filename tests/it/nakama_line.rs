//! Unmodified Nakama clients stand in the line: refused with a place, kept while they ask again.

use anteroom::domain::queue::{Announcement, Mode};
use anteroom::domain::time::UnixMicros;
use serde_json::json;

use crate::harness::{Answer, Auth, TestServer, ask};

const DEVICE: &str = "/v2/account/authenticate/device";

async fn device(server: &TestServer, name: &str) -> Answer {
    server.with_key(DEVICE, json!({"id": format!("{name}-device")})).await
}

/// One admission a second, one at once.
async fn slow_gate() -> TestServer {
    TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await
}

#[track_caller]
fn position(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{}", answer.text);
    answer.json["queue"]["position"].as_u64().expect("a position")
}

#[actix_rt::test]
async fn an_empty_line_is_not_noticed() {
    let server = slow_gate().await;
    assert_eq!(device(&server, "ada").await.status, 200);
}

#[actix_rt::test]
async fn a_busy_gate_says_where_you_stand_and_when_to_come_back() {
    let server = slow_gate().await;
    device(&server, "ada").await;
    let bob = device(&server, "bob").await;
    assert_eq!(bob.json["code"], 8);
    assert_eq!(position(&bob), 1);
    let queue = &bob.json["queue"];
    assert_eq!((&queue["lane"], &queue["phase"]), (&json!("standard"), &json!("front")));
    assert!(queue["eta_ms"].as_u64().is_some_and(|ms| ms > 0), "{}", bob.text);
    assert!(bob.str("/message").contains('1'), "{}", bob.str("/message"));
    let retry: u64 = bob.header("retry-after").unwrap().parse().unwrap();
    assert!(retry >= 1);
}

#[actix_rt::test]
async fn asking_again_keeps_the_place_and_the_order_is_that_of_arrival() {
    let server = slow_gate().await;
    device(&server, "ada").await;
    for (at, name) in ["bob", "cem", "dan"].iter().enumerate() {
        assert_eq!(position(&device(&server, name).await), at as u64 + 1);
    }
    assert_eq!(position(&device(&server, "dan").await), 3, "asked again: the same place");
    for name in ["bob", "cem", "dan"] {
        server.pass_ms(1_000).await;
        assert_eq!(device(&server, name).await.status, 200, "{name}'s turn");
    }
}

#[actix_rt::test]
async fn somebody_who_holds_a_slot_comes_in_past_the_line() {
    let server = slow_gate().await;
    device(&server, "ada").await;
    assert_eq!(position(&device(&server, "bob").await), 1);
    assert_eq!(device(&server, "ada").await.status, 200, "ada signed in a moment ago");
}

#[actix_rt::test]
async fn refreshing_a_session_does_not_queue() {
    let server = slow_gate().await;
    let ada = device(&server, "ada").await;
    assert_eq!(position(&device(&server, "bob").await), 1);
    let body = json!({"token": ada.str("/refresh_token")});
    assert_eq!(server.with_key("/v2/account/session/refresh", body).await.status, 200);
}

#[actix_rt::test]
async fn a_pass_from_the_line_opens_the_door_in_vars_and_in_a_header() {
    let server = slow_gate().await;
    let pass = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    assert_eq!(pass.json["isAllowedIn"], true);
    assert_eq!(position(&device(&server, "bob").await), 1, "the gate is closed now");
    let body = json!({"id": "ada-device", "vars": {"login_queue_pass_token": pass.str("/token"), "k": "v"}});
    let ada = server.with_key(DEVICE, body).await;
    assert_eq!(ada.status, 200, "{}", ada.text);
    let claims = claims(ada.str("/token"));
    assert_eq!(claims["vrs"], json!({"k": "v"}), "the pass is no session variable");

    server.pass_ms(1_000).await;
    assert_eq!(device(&server, "bob").await.status, 200);
    server.pass_ms(1_000).await;
    let pass = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let pass = pass.str("/token").to_owned();
    assert_eq!(position(&device(&server, "dan").await), 1);
    let request = awc::Client::new()
        .post(server.url(DEVICE))
        .basic_auth(&server.server_key, "")
        .insert_header(("X-Login-Queue-Pass", pass))
        .send_json(&json!({"id": "cem-device"}));
    assert_eq!(request.await.unwrap().status().as_u16(), 200);
}

fn claims(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[actix_rt::test]
async fn a_full_line_is_an_answer_with_a_time() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.line_max = 2;
    })
    .await;
    assert_eq!(position(&device(&server, "ada").await), 1);
    assert_eq!(position(&device(&server, "bob").await), 2);
    let full = device(&server, "cem").await;
    assert_eq!((full.status, &full.json["code"]), (429, &json!(8)), "{}", full.text);
    assert!(full.header("retry-after").is_some());
    let pragma = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    assert_eq!((pragma.status, &pragma.json["isAllowedIn"]), (200, &json!(false)));
    assert!(pragma.json["pollNextDuration"].as_u64().is_some_and(|ms| ms > 0));
    assert_eq!(position(&device(&server, "bob").await), 2, "those in line stay");
}

#[actix_rt::test]
async fn the_gate_can_be_left_to_pragmas_clients() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.gate = anteroom::config::Gate::Pragma;
    })
    .await;
    assert_eq!(device(&server, "ada").await.status, 200);
    let pragma = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    assert_eq!(pragma.json["isAllowedIn"], false);
}

#[actix_rt::test]
async fn the_cap_holds_and_a_freed_slot_goes_to_the_first_in_line() {
    let server = TestServer::start(|config| {
        config.queue.cap = 1;
        config.queue.rate = 1_000.0;
    })
    .await;
    let ada = device(&server, "ada").await;
    assert_eq!(ada.status, 200);
    assert_eq!(position(&device(&server, "bob").await), 1);
    let url = server.url("/v2/session/logout");
    let out = ask("POST", &url, Auth::Bearer(ada.str("/token")), Some(json!({}))).await;
    assert_eq!(out.status, 200, "{}", out.text);
    server.pass_ms(100).await;
    assert_eq!(device(&server, "bob").await.status, 200);
}

#[actix_rt::test]
async fn what_operators_announce_is_read_by_those_in_line() {
    let server = slow_gate().await;
    device(&server, "ada").await;
    device(&server, "bob").await;
    let until = UnixMicros::from_secs(1_800_000_600);
    let said = Announcement::new(Mode::Maintenance, Some(until), "We are mending the bridge.");
    server.dials.announce(said).await.unwrap();
    let bob = device(&server, "bob").await;
    assert_eq!((bob.status, position(&bob)), (429, 1), "the place is kept");
    assert!(bob.str("/message").starts_with("We are mending the bridge. You are"), "{}", bob.text);
    let queue = &bob.json["queue"];
    let told = (&queue["phase"], &queue["announced"], &queue["announced_for_ms"]);
    let bridge = json!("We are mending the bridge.");
    assert_eq!(told, (&json!("maintenance"), &bridge, &json!(600_000)));
    let cem = device(&server, "cem").await;
    assert_eq!((cem.status, &cem.json["queue"]["announced"]), (429, &bridge), "{}", cem.text);
    server.pass_ms(601_000).await;
    let bob = device(&server, "bob").await;
    assert_eq!(bob.json["queue"].get("announced"), None, "{}", bob.text);
}
