//! The queue API: a place, how it stands, every state and every refusal, and the way in with the pass.

use anteroom::config::Gate;
use anteroom::domain::queue::{Announcement, Mode};
use anteroom::domain::time::UnixMicros;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::pragma_client;
use crate::pragma_office::{office, social_id};
use crate::queue_client::{conditional, device, enter, slow_gate, stands, ticket, with_ticket};

const DEVICE: &str = "/v2/account/authenticate/device";
const HOUR_MS: u64 = 3_600_000;

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!((answer.status, answer.str("/why")), (status, why), "{}", answer.text);
    let state = if status == 404 && why != "not_found" { "gone" } else { "refused" };
    assert_eq!(answer.str("/state"), state);
    assert!(!answer.str("/message").is_empty());
    let body_ms = answer.json["retry_after_ms"].as_u64();
    let header_s = answer.header("retry-after").map(|text| text.parse::<u64>().unwrap());
    assert_eq!(header_s, body_ms.map(|ms| ms.div_ceil(1_000).max(1)), "{}", answer.text);
}

async fn nakama(server: &TestServer, name: &str, pass: &Value) -> Answer {
    let body = json!({"id": format!("{name}-device"), "vars": {"login_queue_pass_token": pass}});
    server.with_key(DEVICE, body).await
}

#[actix_rt::test]
async fn an_empty_line_gives_a_pass_that_both_doors_take() {
    let server = TestServer::start(|_| {}).await;
    let passed = enter(&server, device("ada")).await;
    assert_eq!((passed.status, passed.str("/state")), (200, "passed"), "{}", passed.text);
    let now_ms = passed.json["now_ms"].as_u64().unwrap();
    assert_eq!(passed.json["pass_until_ms"].as_u64(), Some(now_ms + 120_000));
    assert_eq!(nakama(&server, "ada", &passed.json["pass"]).await.status, 200);
    let again = nakama(&server, "bob", &passed.json["pass"]).await;
    assert_ne!(again.status, 200, "a pass is good once");

    let passed = enter(&server, json!({})).await;
    let signed_in = pragma_client::sign_in(&server, "cem", passed.str("/pass")).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
}

#[actix_rt::test]
async fn who_has_to_wait_is_told_everything_a_client_shows() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let bob = enter(&server, device("bob")).await;
    assert_eq!((bob.status, bob.str("/state"), bob.str("/lane")), (202, "front", "standard"));
    assert_eq!((&bob.json["position"], &bob.json["number"]), (&json!(1), &json!(2)));
    let eta = |bound: &str| bob.json["eta"][bound].as_u64().unwrap();
    assert!(eta("low_ms") <= eta("mid_ms") && eta("mid_ms") <= eta("high_ms"), "{}", bob.text);
    for member in ["poll_after_ms", "frame_after_ms", "epoch", "lease_until_ms", "now_ms"] {
        assert!(bob.json[member].as_u64().is_some_and(|n| n > 0), "{member}: {}", bob.text);
    }
    assert_eq!(
        bob.json["stream"],
        json!({"url": "/v1/queue/stream", "invited": true, "after_ms": 0})
    );
    assert!(bob.json.get("reason").is_none() && bob.json.get("message").is_none());
    assert_eq!(bob.header("cache-control"), Some("no-store"));

    let polled = stands(&server, bob.str("/ticket")).await;
    assert_eq!((polled.status, polled.str("/ticket")), (202, bob.str("/ticket")), "unsigned");
    server.pass_ms(1_000).await;
    let passed = stands(&server, bob.str("/ticket")).await;
    assert_eq!((passed.status, passed.str("/state")), (200, "passed"));
    assert_eq!(nakama(&server, "bob", &passed.json["pass"]).await.status, 200);
}

#[actix_rt::test]
async fn one_device_has_one_place_and_nobody_in_particular_gets_a_new_one() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let first = enter(&server, device("ada")).await;
    let again = enter(&server, device("ada")).await;
    assert_eq!(first.json["number"], again.json["number"]);
    let (bob, other) = (enter(&server, json!({})).await, enter(&server, json!({})).await);
    assert_eq!((&bob.json["position"], &other.json["position"]), (&json!(2), &json!(3)));
}

#[actix_rt::test]
async fn an_account_finds_its_place_by_any_proof_and_so_does_its_next_sign_in() {
    let server = slow_gate().await;
    let ada = server.with_key(DEVICE, json!({"id": "ada-device"})).await;
    let (token, refresh) = (ada.str("/token").to_owned(), ada.str("/refresh_token").to_owned());
    let body = Some(json!({"id": "ada-custom"}));
    server.with_token("POST", "/v2/account/link/custom", &token, body).await;
    let holds = enter(&server, json!({"proof": token})).await;
    assert_eq!((holds.status, holds.json.get("pass")), (200, None), "a slot waits for her");

    // The slot lapses, and the line is longer than a moment.
    server.pass_ms(61_000).await;
    enter(&server, json!({})).await;
    let by_access = enter(&server, json!({"proof": token})).await;
    assert_eq!((by_access.status, &by_access.json["position"]), (202, &json!(1)));
    let by_refresh = enter(&server, json!({"proof": refresh, "device_key": "x"})).await;
    assert_eq!(by_refresh.json["number"], by_access.json["number"]);
    let sign_in = server.with_key(DEVICE, json!({"id": "ada-device"})).await;
    assert_eq!((sign_in.status, &sign_in.json["queue"]["position"]), (429, &json!(1)));
    server.with_token("DELETE", "/v1/queue/ticket", by_access.str("/ticket"), None).await;
    // A place taken by another of the account's links is found too.
    let custom = "/v2/account/authenticate/custom";
    let sign_in = server.with_key(custom, json!({"id": "ada-custom"})).await;
    assert_eq!(sign_in.json["queue"]["position"], 1, "{}", sign_in.text);
    let found = enter(&server, json!({"proof": token})).await;
    assert_eq!(found.json["position"], 1, "{}", found.text);
    assert_ne!(found.json["number"], by_access.json["number"]);
}

#[actix_rt::test]
async fn a_pragma_player_proves_by_token_and_the_banned_are_refused_at_the_door() {
    let server = office(|_| {}).await;
    let olga = pragma_client::operator(&server, "olga").await;
    let ada = pragma_client::come_in(&server, "ada").await;
    let holds = enter(&server, json!({"proof": ada.game})).await;
    assert_eq!((holds.status, holds.json.get("pass")), (200, None), "{}", holds.text);
    let ban = json!({"pragmaSocialId": social_id(&ada), "banScope": "FULL_ACCOUNT",
        "durationInMillis": "60000", "banReason": 1, "comment": ""});
    crate::pragma_office::ask(&server, &olga, "AccountRpc.BanAccountOperatorV1", ban).await;
    refused(&enter(&server, json!({"proof": ada.social})).await, 403, "banned");
    refused(&enter(&server, json!({"proof": olga.social})).await, 401, "proof");
    refused(&enter(&server, json!({"proof": "a.b.c"})).await, 401, "proof");
}

#[actix_rt::test]
async fn who_signed_out_proves_nothing() {
    let server = TestServer::start(|_| {}).await;
    let ada = server.with_key(DEVICE, json!({"id": "ada-device"})).await;
    let (token, refresh) = (ada.str("/token").to_owned(), ada.str("/refresh_token").to_owned());
    let body = Some(json!({"token": token, "refresh_token": refresh}));
    assert_eq!(server.with_token("POST", "/v2/session/logout", &token, body).await.status, 200);
    for proof in [token, refresh] {
        refused(&enter(&server, json!({"proof": proof})).await, 401, "proof");
    }
}

#[actix_rt::test]
async fn every_mode_is_a_state_with_its_words() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let waits = ticket(&server, device("ada")).await;
    let until = UnixMicros::from_secs(1_800_000_600);
    for (mode, state) in [
        (Mode::Paused, "paused"),
        (Mode::Held, "held"),
        (Mode::Maintenance, "maintenance"),
        (Mode::Draining, "front"),
    ] {
        let words = format!("about {state}");
        server.dials.announce(Announcement::new(mode, Some(until), &words)).await.unwrap();
        let told = stands(&server, &waits).await;
        assert_eq!((told.status, told.str("/state")), (202, state), "{}", told.text);
        assert_eq!(told.str("/message"), words);
        assert_eq!(told.json["until_ms"], 1_800_000_600_000_u64);
        assert_eq!(told.json["eta"].is_null(), state != "front");
        assert_eq!(told.json.get("stream").is_some(), state == "front", "no turn, no stream");
        let newcomer = enter(&server, json!({})).await;
        match mode {
            Mode::Maintenance => refused(&newcomer, 503, "maintenance"),
            Mode::Draining => refused(&newcomer, 503, "draining"),
            _ => assert_eq!(newcomer.status, 202),
        }
    }
}

#[actix_rt::test]
async fn a_full_line_says_so_and_who_waits_keeps_the_place() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.line_max = 1;
    })
    .await;
    let ada = enter(&server, device("ada")).await;
    assert_eq!((ada.status, ada.str("/state"), &ada.json["eta"]), (202, "held", &Value::Null));
    refused(&enter(&server, device("bob")).await, 503, "full");
    assert_eq!(stands(&server, ada.str("/ticket")).await.status, 202);
}

#[actix_rt::test]
async fn leaving_is_at_once_and_however_often() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let (ada, bob) = (ticket(&server, json!({})).await, ticket(&server, json!({})).await);
    for _ in 0..2 {
        let left = with_ticket(&server, "DELETE", "/v1/queue/ticket", &ada).await;
        assert_eq!((left.status, left.text.as_str()), (204, ""));
    }
    refused(&stands(&server, &ada).await, 404, "forgotten");
    assert_eq!(stands(&server, &bob).await.json["position"], 1);
}

#[actix_rt::test]
async fn an_unchanged_answer_is_not_sent_again_and_renews_the_lease() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.lease_s = 60;
        config.queue.poll_max_ms = 10_000;
    })
    .await;
    let ticket = ticket(&server, json!({})).await;
    let told = stands(&server, &ticket).await;
    let etag = told.header("etag").unwrap().to_owned();
    for _ in 0..4 {
        server.pass_ms(50_000).await;
        assert_eq!(conditional(&server, "/v1/queue/ticket", &ticket, &etag).await, 304);
    }
    let words = Announcement::new(Mode::Paused, None, "soon");
    server.dials.announce(words).await.unwrap();
    assert_eq!(conditional(&server, "/v1/queue/ticket", &ticket, &etag).await, 202, "news");
}

#[actix_rt::test]
async fn hammering_is_refused_and_costs_no_place() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.limits.poll_per_second = 2;
        config.limits.enter_per_second = 1;
        config.limits.enter_burst = 2;
    })
    .await;
    let ada = ticket(&server, json!({})).await;
    for _ in 0..4 {
        assert_eq!(stands(&server, &ada).await.status, 202, "early, and answered");
    }
    refused(&stands(&server, &ada).await, 429, "too_often");
    ticket(&server, json!({})).await;
    refused(&enter(&server, json!({})).await, 429, "too_often");
    server.pass_ms(1_000).await;
    assert_eq!(stands(&server, &ada).await.json["position"], 1);
}

#[actix_rt::test]
async fn who_watches_the_frame_is_told_to_come_back_near_the_front() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.01;
        config.queue.burst = 1;
    })
    .await;
    for _ in 0..20 {
        enter(&server, json!({})).await;
    }
    let ada = ticket(&server, json!({})).await;
    let after = |answer: &Answer| answer.json["poll_after_ms"].as_u64().unwrap();
    let plain = after(&stands(&server, &ada).await);
    let watching = with_ticket(&server, "GET", "/v1/queue/ticket?watch=1", &ada).await;
    assert!(after(&watching) > 1_000_000 && plain <= 300_000, "{plain} {}", watching.text);
    // The stream is for ten minutes before the turn, which comes in 2,000 s and more.
    let open_after = watching.json["stream"]["after_ms"].as_u64().unwrap();
    assert!((1_390_000..=1_600_000).contains(&open_after), "{}", watching.text);
    let entered = server.plain("POST", "/v1/queue/enter?watch=1", Some(json!({}))).await;
    assert!(after(&entered) > 1_000_000, "who enters may watch as well: {}", entered.text);
    let ready = with_ticket(&server, "POST", "/v1/queue/ready", &ada).await;
    assert_eq!((ready.status, after(&ready)), (202, plain));
}

#[actix_rt::test]
async fn without_a_gate_everybody_comes_in_without_a_pass() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.gate = Gate::Off;
    })
    .await;
    let passed = enter(&server, device("ada")).await;
    assert_eq!((passed.status, passed.json.get("pass")), (200, None), "{}", passed.text);
    assert_eq!(nakama(&server, "ada", &json!("")).await.status, 200);
}

#[actix_rt::test]
async fn what_makes_no_sense_is_refused_with_a_word() {
    let server = slow_gate().await;
    refused(&enter(&server, json!({"device_key": "short"})).await, 400, "bad_request");
    refused(&enter(&server, json!("ada")).await, 400, "bad_request");
    let long = json!({"proof": "x".repeat(40_000)});
    refused(&enter(&server, long).await, 413, "too_large");
    refused(&server.plain("GET", "/v1/queue/enter", None).await, 405, "method");
    refused(&server.plain("GET", "/v1/queue/nowhere", None).await, 404, "not_found");
    refused(&server.plain("GET", "/v1/queue/ticket", None).await, 401, "ticket");
    refused(&stands(&server, "a.b.c").await, 401, "ticket");
    let far = with_ticket(&server, "DELETE", "/v1/queue/ticket", "a.b.c").await;
    refused(&far, 401, "ticket");
}

#[actix_rt::test]
async fn a_ticket_is_renewed_before_its_life_is_over() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.lease_s = 86_400;
        config.queue.parked_s = 86_400;
    })
    .await;
    let old = ticket(&server, json!({})).await;
    let mut new = old.clone();
    // A week is a ticket's life.
    for hours in (20..=180).step_by(20) {
        server.pass_ms(20 * HOUR_MS).await;
        stands(&server, &new).await.str("/ticket").clone_into(&mut new);
        assert_eq!(new == old, hours < 7 * 12, "renewed when half its life is over");
    }
    refused(&stands(&server, &old).await, 404, "expired");
    assert_eq!(stands(&server, &new).await.json["position"], 1);
}

#[actix_rt::test]
async fn a_page_of_any_origin_may_ask() {
    let server = slow_gate().await;
    let request = awc::Client::default()
        .request(actix_http::Method::OPTIONS, server.url("/v1/queue/ticket"))
        .insert_header(("Origin", "https://game.example"))
        .insert_header(("Access-Control-Request-Method", "DELETE"))
        .insert_header(("Access-Control-Request-Headers", "authorization,if-none-match"));
    let response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let granted = response.headers().get("access-control-allow-headers").unwrap();
    assert_eq!(granted, "authorization,if-none-match");
}
