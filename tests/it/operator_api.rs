//! The operator API: the line at a glance, changes that are looked at, made and taken back, and who may.

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer};
use crate::pragma_client::{Tokens, come_in, operator};
use crate::pragma_office::{ask, office, social_id};
use crate::queue_client::{stands, ticket};

const QUEUE: &str = "/v1/operator/queue";

async fn call(server: &TestServer, method: &str, by: &Tokens, path: &str, body: Value) -> Answer {
    let url = format!("http://{}{QUEUE}{path}", server.operators);
    let body = (!body.is_null()).then_some(body);
    crate::harness::ask(method, &url, Auth::Bearer(&by.social), body).await
}

async fn see(server: &TestServer, by: &Tokens) -> Value {
    let seen = call(server, "GET", by, "", Value::Null).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.json
}

async fn stage(server: &TestServer, by: &Tokens, change: Value) -> Answer {
    call(server, "POST", by, "/changes", change).await
}

async fn id_of(server: &TestServer, by: &Tokens, change: Value) -> String {
    let staged = stage(server, by, change).await;
    assert_eq!(staged.status, 201, "{}", staged.text);
    staged.str("/id").to_owned()
}

async fn turn(server: &TestServer, by: &Tokens, id: &str, what: &str) -> Answer {
    call(server, "POST", by, &format!("/changes/{id}/{what}"), Value::Null).await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(
        (answer.status, answer.json["why"].as_str()),
        (status, Some(why)),
        "{}",
        answer.text
    );
    assert!(!answer.str("/message").is_empty());
}

async fn slow() -> (TestServer, Tokens) {
    let server = office(|config| {
        config.queue.rate = 0.5;
        config.queue.burst = 1;
    })
    .await;
    let olga = operator(&server, "olga").await;
    (server, olga)
}

#[actix_rt::test]
async fn a_change_says_what_it_would_do_is_made_and_taken_back() {
    let (server, olga) = slow().await;
    come_in(&server, "ada").await;
    for _ in 0..120 {
        ticket(&server, json!({})).await;
    }
    let seen = see(&server, &olga).await;
    assert_eq!(
        (&seen["dials"]["rate"], &seen["dials"]["announce"]["mode"]),
        (&json!(0.5), &json!("open"))
    );
    assert_eq!(
        (&seen["lanes"]["standard"]["waiting"], &seen["reserved"]),
        (&json!(120), &json!(1))
    );
    assert_eq!(seen["lanes"].get("staff"), None, "nobody waits there");

    let change = json!({"rate": 2.0});
    let staged = stage(&server, &olga, change).await;
    let told = &staged.json["lanes"]["standard"];
    let seconds = |name: &str| told[name].as_f64().unwrap();
    assert!((seconds("last_waits_s") - 240.0).abs() < 5.0, "{told}");
    assert!((seconds("last_would_wait_s") - 60.0).abs() < 3.0, "{told}");
    let id = staged.str("/id").to_owned();
    let seen = see(&server, &olga).await;
    assert_eq!((&seen["dials"]["rate"], &seen["staged"][0]["id"]), (&json!(0.5), &json!(id)));

    let made = turn(&server, &olga, &id, "apply").await;
    assert_eq!((made.status, &made.json["before"]["rate"]), (200, &json!(0.5)), "{}", made.text);
    assert_eq!(made.json["by"], json!(social_id(&olga)));
    let seen = see(&server, &olga).await;
    assert_eq!((&seen["dials"]["rate"], &seen["made"][0]["undone"]), (&json!(2.0), &json!(false)));
    assert_eq!(seen["staged"], json!([]));
    refused(&turn(&server, &olga, &id, "apply").await, 404, "not_staged");

    let undone = turn(&server, &olga, &id, "undo").await;
    assert_eq!((undone.status, &undone.json["dials"]["rate"]), (200, &json!(0.5)));
    refused(&turn(&server, &olga, &id, "undo").await, 409, "undone");
    assert_eq!(server.dials.figures().await.unwrap().rate.to_bits(), 0.5_f64.to_bits());

    let folder = server.stop().unwrap();
    let chain = std::fs::read_dir(folder.path().join("audit")).unwrap();
    let chain: String =
        chain.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let lines = |kind: &str| chain.lines().filter(|line| line.contains(kind)).count();
    assert_eq!((lines("\"rate\""), lines("\"undo\"")), (2, 1), "{chain}");
    assert!(!chain.contains(&social_id(&olga)) && chain.contains("operator"), "{chain}");
}

#[actix_rt::test]
async fn a_pause_has_words_and_an_end_and_players_read_them() {
    let (server, olga) = slow().await;
    ticket_or_in(&server).await;
    let waits = ticket(&server, json!({})).await;
    let announce = json!({"announce":
        {"mode": "maintenance", "until_ms": 1_800_000_600_000_u64, "message": "A new bridge."}});
    let id = id_of(&server, &olga, announce).await;
    assert_eq!(stands(&server, &waits).await.json["state"], "front", "staged is not made");
    assert_eq!(turn(&server, &olga, &id, "apply").await.status, 200);
    let told = stands(&server, &waits).await;
    let said = (told.str("/state"), told.str("/message"), &told.json["until_ms"]);
    assert_eq!(said, ("maintenance", "A new bridge.", &json!(1_800_000_600_000_u64)));
    let seen = see(&server, &olga).await;
    assert_eq!(seen["lanes"]["standard"]["last_waits_s"], Value::Null, "nobody can say");
    assert_eq!(turn(&server, &olga, &id, "undo").await.status, 200);
    assert_eq!(stands(&server, &waits).await.json["state"], "front");
}

async fn ticket_or_in(server: &TestServer) {
    crate::queue_client::enter(server, json!({})).await;
}

#[actix_rt::test]
async fn what_another_turned_since_is_not_taken_back_and_what_is_staged_goes_by_itself() {
    let (server, olga) = slow().await;
    let first = id_of(&server, &olga, json!({"rate": 1.0, "cap": 500})).await;
    let second = id_of(&server, &olga, json!({"rate": 3.0})).await;
    let dropped = id_of(&server, &olga, json!({"rate": 4.0})).await;
    let late = id_of(&server, &olga, json!({"rate": 5.0})).await;
    for id in [&first, &second] {
        assert_eq!(turn(&server, &olga, id, "apply").await.status, 200);
    }
    refused(&turn(&server, &olga, &first, "undo").await, 409, "overtaken");
    let path = format!("/changes/{dropped}");
    assert_eq!(call(&server, "DELETE", &olga, &path, Value::Null).await.status, 204);
    refused(&turn(&server, &olga, &dropped, "apply").await, 404, "not_staged");
    server.pass_ms(900_000).await;
    refused(&turn(&server, &olga, &late, "apply").await, 404, "not_staged");
    assert_eq!(turn(&server, &olga, &second, "undo").await.status, 200);
    assert_eq!(turn(&server, &olga, &first, "undo").await.json["dials"]["cap"], 10_000);
}

#[actix_rt::test]
async fn only_operators_with_the_permission_and_only_what_makes_sense() {
    let (server, olga) = slow().await;
    for (change, why) in [
        (json!({}), "bad_change"),
        (json!({"rate": -1}), "bad_change"),
        (json!({"cap": 1_000_000_000_u64}), "bad_change"),
        (json!({"announce": {"mode": "paused", "until_ms": 5}}), "bad_change"),
        (json!({"speed": 7}), "bad_request"),
        (json!(7), "bad_request"),
    ] {
        refused(&stage(&server, &olga, change).await, 400, why);
    }
    let ada = come_in(&server, "ada").await;
    refused(&call(&server, "GET", &ada, "", Value::Null).await, 401, "token");
    let eve = operator(&server, "eve").await;
    refused(&call(&server, "GET", &eve, "", Value::Null).await, 403, "forbidden");
    let role = json!({"name": "Watch", "permissions": ["queue.dials.get"]});
    let made = ask(&server, &olga, "RoleRpc.CreateRoleOperatorV1", role).await;
    let gives = json!({"pragmaSocialId": social_id(&eve), "roleId": made["role"]["roleId"]});
    ask(&server, &olga, "RoleRpc.AddAccountToRoleOperatorV1", gives).await;
    see(&server, &eve).await;
    refused(&stage(&server, &eve, json!({"rate": 1})).await, 403, "forbidden");
    refused(&call(&server, "GET", &olga, "/nowhere", Value::Null).await, 404, "not_found");
    let at_players = server.plain("GET", QUEUE, None).await;
    assert_eq!(at_players.status, 404, "not at the players' port");
}
