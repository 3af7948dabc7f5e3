//! Device switch: the place goes along, the old device has none, through restarts and crashes.

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer, ask};
use crate::program::Program;
use crate::queue_client::{device, enter, events, stands, ticket, with_ticket};

async fn held() -> TestServer {
    TestServer::start(|config| config.queue.rate = 0.0).await
}

async fn offer(server: &TestServer, ticket: &str) -> Answer {
    with_ticket(server, "POST", "/v1/queue/transfer", ticket).await
}

async fn accept(server: &TestServer, token: &Value, whose: Value) -> Answer {
    let mut body = json!({"transfer_token": token});
    body.as_object_mut().unwrap().extend(whose.as_object().unwrap().clone());
    server.plain("POST", "/v1/queue/transfer/accept", Some(body)).await
}

#[track_caller]
fn is_gone(answer: &Answer, why: &str) {
    let said = (answer.status, answer.json["state"].as_str(), answer.json["why"].as_str());
    assert_eq!(said, (404, Some("gone"), Some(why)), "{}", answer.text);
}

#[actix_rt::test]
async fn the_place_goes_along_and_the_old_device_has_none_after_a_restart_too() {
    let server = held().await;
    let _first = ticket(&server, json!({})).await;
    let old = ticket(&server, device("old-phone")).await;
    let _last = ticket(&server, json!({})).await;
    let offered = offer(&server, &old).await;
    assert_eq!(offered.status, 200, "{}", offered.text);
    assert_eq!(offered.json["expires_ms"], 1_800_000_300_000_u64);
    assert_eq!(stands(&server, &old).await.status, 202, "nothing changed yet");
    let token = &offered.json["transfer_token"];
    let moved = accept(&server, token, device("new-phone")).await;
    assert_eq!((moved.status, &moved.json["position"]), (202, &json!(2)), "{}", moved.text);
    let new = moved.str("/ticket").to_owned();
    is_gone(&stands(&server, &old).await, "transferred");
    is_gone(&offer(&server, &old).await, "transferred");
    is_gone(&accept(&server, token, device("thief")).await, "transferred");
    let found = enter(&server, device("new-phone")).await;
    assert_eq!(found.json["number"], moved.json["number"]);
    let (status, body) = events(&server, &format!("?ticket={old}")).await.err().unwrap();
    assert!(status == 404 && body.contains("transferred"), "{body}");

    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |c| c.queue.rate = 0.0).await;
    is_gone(&stands(&server, &old).await, "transferred");
    let back = stands(&server, &new).await;
    assert_eq!((&back.json["position"], back.str("/reason")), (&json!(2), "restarted"));
    let anew = enter(&server, device("old-phone")).await;
    assert_eq!(anew.json["position"], 4, "the old device starts at the end");
}

#[actix_rt::test]
async fn a_crash_right_after_it_was_acknowledged_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("QUEUE__RATE", "0"), ("QUEUE__SNAPSHOT_S", "300")];
    let program = Program::start(folder.path(), &settings);
    let post =
        async |url: String, auth: Auth<'_>, body: Value| ask("POST", &url, auth, Some(body)).await;
    let enter = program.url("/v1/queue/enter");
    let anonymous = post(enter.clone(), Auth::None, json!({})).await;
    let bound = post(enter, Auth::None, device("old-phone")).await;
    let mut moved = Vec::new();
    for (old, to) in [(&anonymous, "new-phone"), (&bound, "tablet")] {
        let url = program.url("/v1/queue/transfer");
        let offered = post(url, Auth::Bearer(old.str("/ticket")), json!({})).await;
        let mut body = device(to);
        body["transfer_token"] = offered.json["transfer_token"].clone();
        moved.push(post(program.url("/v1/queue/transfer/accept"), Auth::None, body).await);
    }
    drop(program); // kill -9

    let program = Program::start(folder.path(), &settings);
    let stands = async |ticket: &str| {
        ask("GET", &program.url("/v1/queue/ticket"), Auth::Bearer(ticket), None).await
    };
    for old in [&anonymous, &bound] {
        is_gone(&stands(old.str("/ticket")).await, "transferred");
    }
    for (position, new) in moved.iter().enumerate() {
        let back = stands(new.str("/ticket")).await;
        assert_eq!((back.status, &back.json["position"]), (202, &json!(position + 1)));
    }
}

#[actix_rt::test]
async fn a_device_that_has_a_place_keeps_the_better_one() {
    let server = held().await;
    let first = ticket(&server, device("ada")).await;
    let second = ticket(&server, device("bob")).await;
    let offered = offer(&server, &first).await.json["transfer_token"].clone();
    let kept = accept(&server, &offered, device("bob")).await;
    assert_eq!(kept.json["position"], 1, "{}", kept.text);
    is_gone(&stands(&server, &second).await, "forgotten");
    is_gone(&stands(&server, &first).await, "transferred");
}

#[actix_rt::test]
async fn a_place_can_go_to_an_account() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
        config.queue.connect_window_s = 1;
    })
    .await;
    let path = "/v2/account/authenticate/device";
    let ada = server.with_key(path, json!({"id": "ada-device"})).await;
    server.dials.turn().await; // her slot is hers before time passes
    server.pass_ms(1_100).await;
    server.dials.announce(anteroom::domain::queue::Announcement::pause()).await.unwrap();
    let old = ticket(&server, json!({})).await;
    let offered = offer(&server, &old).await.json["transfer_token"].clone();
    let proof = json!({"proof": ada.str("/token")});
    let moved = accept(&server, &offered, proof).await;
    assert_eq!((moved.status, &moved.json["position"]), (202, &json!(1)), "{}", moved.text);
    let sign_in = server.with_key(path, json!({"id": "ada-device"})).await;
    assert_eq!(sign_in.json["queue"]["position"], 1, "found by the sign-in: {}", sign_in.text);
}

#[actix_rt::test]
async fn what_cannot_be_handed_on_is_refused() {
    let server = held().await;
    let ada = ticket(&server, json!({})).await;
    let offered = offer(&server, &ada).await.json["transfer_token"].clone();
    let refused = async |token: Value, whose: Value, status: u16, why: &str| {
        let answer = accept(&server, &token, whose).await;
        assert_eq!((answer.status, answer.str("/why")), (status, why), "{}", answer.text);
    };
    refused(offered.clone(), json!({}), 400, "bad_request").await;
    refused(offered.clone(), json!({"device_key": "short"}), 400, "bad_request").await;
    refused(json!(ada), device("bob"), 401, "transfer").await;
    refused(json!(7), device("bob"), 400, "bad_request").await;
    server.pass_ms(300_000).await;
    refused(offered, device("bob"), 401, "transfer").await;

    let server = TestServer::start(|_| {}).await;
    let passed = enter(&server, json!({})).await;
    let answer = offer(&server, passed.str("/pass")).await;
    assert_eq!((answer.status, answer.str("/why")), (409, "admitted"), "{}", answer.text);
}

#[actix_rt::test]
async fn a_place_does_not_go_back_and_forth_all_day() {
    let server = held().await;
    let mut ticket = ticket(&server, device("phone-0")).await;
    let mut refusals = 0;
    for turn in 1..=8 {
        let offered = offer(&server, &ticket).await.json["transfer_token"].clone();
        let moved = accept(&server, &offered, device(&format!("phone-{turn}"))).await;
        match moved.status {
            202 => moved.str("/ticket").clone_into(&mut ticket),
            429 => refusals += 1,
            _ => panic!("{}", moved.text),
        }
    }
    assert_eq!(refusals, 3, "five a minute");
    assert_eq!(stands(&server, &ticket).await.json["position"], 1);
}
