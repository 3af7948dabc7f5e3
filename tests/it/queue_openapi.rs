//! `/v1/queue/openapi.json` is true: what the running server answers is as it says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer, ask};
use crate::openapi::Described;
use crate::queue_client::{device, enter, slow_gate, stands, ticket, with_ticket};

struct Page(Described);

impl Page {
    async fn read(server: &TestServer) -> Self {
        Self(Described::read_at(server, "/v1/queue/openapi.json").await)
    }

    #[track_caller]
    fn check(&self, named: &str, answer: &Answer) {
        let operations = self.0.operations();
        let (.., operation) =
            operations.iter().find(|(.., it)| it["operationId"] == named).unwrap();
        self.0.check(operation, answer);
    }
}

#[actix_rt::test]
async fn every_answer_is_as_described() {
    let server = slow_gate().await;
    let page = Page::read(&server).await;
    page.check("enter", &enter(&server, device("ada")).await);
    let waits = enter(&server, device("bob")).await;
    assert_eq!(waits.status, 202, "{}", waits.text);
    page.check("enter", &waits);
    page.check("enter", &enter(&server, json!({"device_key": 7})).await);
    let bob = waits.str("/ticket").to_owned();
    page.check("ticket", &stands(&server, &bob).await);
    page.check("ready", &with_ticket(&server, "POST", "/v1/queue/ready", &bob).await);
    let offer = with_ticket(&server, "POST", "/v1/queue/transfer", &bob).await;
    page.check("transfer", &offer);
    let invited = with_ticket(&server, "POST", "/v1/queue/party", &bob).await;
    page.check("party", &invited);
    let mut friend = device("dan");
    friend["party"] = invited.json["party_token"].clone();
    page.check("enter", &enter(&server, friend.clone()).await);
    friend["party"] = json!("p1.x");
    page.check("enter", &enter(&server, friend).await);
    let mut body = device("cem");
    body["transfer_token"] = offer.json["transfer_token"].clone();
    let accept = "/v1/queue/transfer/accept";
    let moved = server.plain("POST", accept, Some(body.clone())).await;
    assert_eq!(moved.status, 202, "{}", moved.text);
    page.check("accept", &moved);
    page.check("accept", &server.plain("POST", accept, Some(body)).await);
    page.check("ticket", &stands(&server, &bob).await);
    page.check("frame", &server.plain("GET", "/v1/queue/frame", None).await);
    server.pass_ms(1_000).await;
    let passed = stands(&server, moved.str("/ticket")).await;
    assert_eq!(passed.status, 200, "{}", passed.text);
    page.check("ticket", &passed);
    let words = anteroom::domain::queue::Announcement::new(
        anteroom::domain::queue::Mode::Maintenance,
        Some(anteroom::domain::time::UnixMicros::from_secs(1_900_000_000)),
        "back soon",
    );
    ticket(&server, json!({})).await;
    let held = ticket(&server, json!({})).await;
    server.dials.announce(words).await.unwrap();
    page.check("ticket", &stands(&server, &held).await);
    page.check("enter", &enter(&server, json!({})).await);
    server.pass_ms(1_000).await;
    page.check("frame", &server.plain("GET", "/v1/queue/frame", None).await);
}

#[actix_rt::test]
async fn a_challenge_is_as_described() {
    let server = TestServer::start(|config| {
        config.queue.abuse.challenge = anteroom::domain::abuse::When::Always;
    })
    .await;
    let page = Page::read(&server).await;
    let asked = enter(&server, device("ada")).await;
    assert_eq!(asked.status, 428, "{}", asked.text);
    page.check("enter", &asked);
    let mut body = device("ada");
    body["challenge"] = json!("c1.of another start");
    page.check("enter", &enter(&server, body).await);
}

#[actix_rt::test]
async fn every_described_call_is_there_and_says_no_as_described() {
    let server = TestServer::start(|_| {}).await;
    let page = Page::read(&server).await;
    let mut found = BTreeSet::new();
    for (method, path, operation) in page.0.operations() {
        let body = (method == "POST").then(|| json!({"transfer_token": "x"}));
        let answer = ask(&method, &server.url(&path), Auth::Bearer("x"), body).await;
        assert_ne!(answer.json["why"], "not_found", "{path}");
        let is_described = operation["responses"].get(answer.status.to_string()).is_some();
        if answer.status >= 400 || is_described && answer.json != Value::Null {
            page.0.check(&operation, &answer);
        }
        found.insert(operation["operationId"].to_string());
    }
    assert_eq!(found.len(), 10, "{found:?}");
}
