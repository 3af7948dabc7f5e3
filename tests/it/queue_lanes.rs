//! Who stands in which lane, decided before they wait; and that the banned do not wait.

use anteroom::domain::hook::HookEvent::QueueEnter;
use anteroom::domain::lane_rules::LaneRule;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::hooks::receiver::{Receiver, Reply};
use crate::pragma_client::{claims, operator};
use crate::pragma_office::{ask, office};
use crate::queue_client::{device, enter};

const DEVICE: &str = "/v2/account/authenticate/device";

fn rules(rules: Value) -> Vec<LaneRule> {
    serde_json::from_value(rules).unwrap()
}

async fn sign_in(server: &TestServer, name: &str) -> Answer {
    server.with_key(DEVICE, json!({"id": format!("{name}-device")})).await
}

/// An account that is made by a device.
async fn account(server: &TestServer, name: &str) -> (String, String) {
    let signed_in = sign_in(server, name).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let token = signed_in.str("/token").to_owned();
    (claims(&token)["uid"].as_str().unwrap().to_owned(), token)
}

#[track_caller]
fn stands(answer: &Answer, lane: &str) {
    let said = (answer.status, answer.json["queue"]["lane"].as_str());
    assert_eq!(said, (429, Some(lane)), "{}", answer.text);
}

#[actix_rt::test]
async fn tags_groups_and_whether_there_is_an_account_decide_and_the_banned_do_not_wait() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let (ada, of_ada) = account(&server, "ada").await;
    let (eve, _) = account(&server, "eve").await;
    let (sue, of_sue) = account(&server, "sue").await;
    account(&server, "bob").await;
    let tag = json!({"request": {"pragmaSocialIds": [ada], "accountTags": ["Founder"]}});
    ask(&server, &olga, "AccountRpc.AddAccountTagsOperatorV1", tag).await;
    let create = "AccountRpc.CreatePlayerGroupOperatorV1";
    let made = ask(&server, &olga, create, json!({"name": "Crew"})).await;
    let group = &made["playerGroup"]["playerGroupId"];
    let joins = json!({"playerGroupId": group, "pragmaSocialId": sue});
    ask(&server, &olga, "AccountRpc.AddAccountToPlayerGroupOperatorV1", joins).await;
    let ban = json!({"pragmaSocialId": eve, "banScope": "FULL_ACCOUNT",
        "durationInMillis": "3600000", "banReason": 1, "comment": ""});
    ask(&server, &olga, "AccountRpc.BanAccountOperatorV1", ban).await;
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();

    let server = TestServer::start_on(folder.path(), clock, |config| {
        config.queue.rate = 0.0;
        config.queue.lane_rules = rules(json!([
            {"lane": "staff", "groups": ["crew"]},
            {"lane": "paying", "tags": ["founder"]},
            {"lane": "low", "known": false},
        ]));
    })
    .await;
    // Their slots were kept for them; that is over.
    server.pass_ms(200_000).await;
    stands(&sign_in(&server, "ada").await, "paying");
    stands(&sign_in(&server, "bob").await, "standard");
    stands(&sign_in(&server, "nobody-yet").await, "low");
    let found = enter(&server, json!({"proof": of_ada})).await;
    assert_eq!((found.str("/lane"), &found.json["position"]), ("paying", &json!(1)));
    let staff = enter(&server, json!({"proof": of_sue})).await;
    assert_eq!((staff.status, staff.str("/lane")), (202, "staff"), "{}", staff.text);
    let stranger = enter(&server, device("some")).await;
    assert_eq!(stranger.str("/lane"), "low", "a device says nothing about an account");
    for _ in 0..2 {
        assert_eq!(sign_in(&server, "eve").await.status, 403, "refused, not told to wait");
    }
    let waiting: u64 = server.dials.figures().await.unwrap().waiting.iter().sum();
    assert_eq!(waiting, 5, "and no place is hers");
}

#[actix_rt::test]
async fn a_service_of_the_studio_decides_once_a_place_and_is_not_needed() {
    let mut receiver = Receiver::start().await;
    let server = TestServer::start(|config| {
        receiver.config(config, &[QueueEnter]);
        config.hooks.timeout_ms = 500;
        config.queue.rate = 0.0;
        config.queue.lane_rules = rules(json!([{"lane": "low", "known": false}]));
    })
    .await;
    receiver.reply(QueueEnter, Reply::Says(json!({"allow": true, "lane": "paying"})));
    for _ in 0..3 {
        stands(&sign_in(&server, "ada").await, "paying");
    }
    let calls = receiver.calls(QueueEnter);
    assert_eq!(calls.len(), 1, "a poll asks nobody");
    let told = (&calls[0]["link"], &calls[0]["account"], &calls[0]["protocol"]);
    assert_eq!(told, (&json!({"kind": "device", "id": null}), &Value::Null, &json!("nakama")));

    receiver.refuse(QueueEnter, "Not in your country.");
    sign_in(&server, "bob").await.is_error(403, 7, "Not in your country.");
    receiver.reply(QueueEnter, Reply::Says(json!({"allow": true, "lane": "grace"})));
    stands(&sign_in(&server, "cem").await, "low");
    receiver.stop();
    stands(&sign_in(&server, "dan").await, "low");
    enter(&server, json!({})).await;
    let waiting: u64 = server.dials.figures().await.unwrap().waiting.iter().sum();
    assert_eq!(waiting, 4, "ada, cem, dan and somebody; not bob");
}
