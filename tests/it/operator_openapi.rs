//! `/v1/operator/openapi.json` is true: every route is in it, and what the running server answers is as
//! it says.

use std::collections::BTreeSet;

use anteroom::operator_api::{OFFERED, PREFIX};
use serde_json::{Value, json};

use crate::nakama_friends::Player;
use crate::openapi::Described;
use crate::operator_client::Desk;
use crate::pragma_client::SHARD;
use crate::queue_client::enter;

async fn read(desk: &Desk) -> Described {
    Described::read_from(&desk.url("/openapi.json")).await
}

#[actix_rt::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let desk = Desk::open(|_| {}).await;
    let described: BTreeSet<_> = read(&desk)
        .await
        .operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let served =
        OFFERED.iter().map(|(method, path)| (method.to_uppercase(), format!("{PREFIX}{path}")));
    assert_eq!(described, served.collect());
    let operations = read(&desk).await.operations();
    let names = operations.iter().map(|(.., it)| it["operationId"].to_string());
    assert_eq!(names.collect::<BTreeSet<_>>().len(), OFFERED.len(), "each has a name of its own");
}

#[actix_rt::test]
async fn refusals_are_as_described_and_nothing_answers_strangers() {
    let desk = Desk::open(|_| {}).await;
    let described = read(&desk).await;
    let eve = desk.helper("eve", json!(["session.attributes.update"])).await;
    for (method, path, operation) in described.operations() {
        // What signs people in is for strangers, too, and has tests of its own.
        let Some(permission) = operation["description"].as_str() else { continue };
        let path = path.strip_prefix(PREFIX).unwrap();
        let one = path.replace("{id}", SHARD).replace("{ban}", SHARD).replace("{key}", "x");
        let body = operation.get("requestBody").map_or(Value::Null, |_| json!({}));
        let url = desk.url(&one);
        let stranger = crate::harness::ask(&method, &url, crate::harness::Auth::None, None).await;
        assert_eq!(stranger.status, 401, "{path}");
        described.check(&operation, &stranger);
        let refused = desk.call_as(&eve, &method, &one, body).await;
        assert_eq!(refused.status, 403, "{path} {}", refused.text);
        described.check(&operation, &refused);
        let named = refused.str("/message").split(' ').nth(2).unwrap();
        assert!(permission.contains(named), "{path}: {}", refused.text);
        if operation.get("requestBody").is_some() {
            let odd = desk.call(&method, &one, json!("odd")).await;
            assert!((400..500).contains(&odd.status), "{path}");
            described.check(&operation, &odd);
        }
    }
}

/// What is done, in this order; `$` in a path or a body is the id the last answer gave.
fn script(ada: &str) -> Vec<(&'static str, String, Value)> {
    let at = |more: &str| format!("/accounts/{ada}{more}");
    let s = str::to_owned;
    vec![
        ("GET", s("/queue"), Value::Null),
        (
            "POST",
            s("/queue/changes"),
            json!({"rate": 9.0, "lanes": {"weights": [3, 2, 1], "grace_share": 0.4}}),
        ),
        ("POST", s("/queue/changes/$/apply"), Value::Null),
        ("GET", s("/queue"), Value::Null),
        ("POST", s("/queue/changes/$/undo"), Value::Null),
        (
            "POST",
            s("/queue/changes"),
            json!({"announce": {"mode": "paused", "message": "A moment."}}),
        ),
        ("DELETE", s("/queue/changes/$"), Value::Null),
        ("GET", s("/live"), Value::Null),
        ("GET", s("/accounts?limit=3"), Value::Null),
        ("POST", s("/accounts"), json!({"kind": "custom", "id": "custom-of-zoe"})),
        ("GET", at(""), Value::Null),
        ("POST", at("/bans"), json!({"scope": "shard", "shard": SHARD})),
        ("DELETE", at("/bans/$"), Value::Null),
        ("PATCH", at(""), json!({"username": "ada_l"})),
        ("GET", at("/friends"), Value::Null),
        ("GET", at("/export"), Value::Null),
        ("POST", at("/kick"), Value::Null),
        ("POST", at("/sign-out"), Value::Null),
    ]
}

/// Then this.
fn more_of_the_script(ada: &str) -> Vec<(&'static str, String, Value)> {
    let at = |more: &str| format!("/accounts/{ada}{more}");
    let s = str::to_owned;
    let event =
        json!({"shard": SHARD, "name": "Weekend", "groups": [], "start_ms": 1, "end_ms": 2});
    vec![
        ("POST", s("/tags"), json!({"name": "vip"})),
        ("PUT", s("/tags/$"), json!({"name": "star"})),
        ("GET", s("/tags"), Value::Null),
        ("PUT", at("/tags"), json!({"ids": ["$"]})),
        ("DELETE", s("/tags/$"), Value::Null),
        ("PUT", at("/groups"), json!({"ids": []})),
        ("POST", s("/groups"), json!({"name": "Testers"})),
        ("PUT", s("/groups/$"), json!({"name": "Early birds"})),
        ("GET", s("/groups"), Value::Null),
        ("DELETE", s("/groups/$"), Value::Null),
        ("GET", s("/shards"), Value::Null),
        ("PUT", format!("/shards/{SHARD}"), json!({"access": "limited"})),
        ("POST", s("/events"), event.clone()),
        ("PUT", s("/events/$"), event),
        ("GET", s("/events"), Value::Null),
        ("DELETE", s("/events/$"), Value::Null),
        ("POST", s("/partner-tokens"), json!({"label": "eu"})),
        ("PATCH", s("/partner-tokens/$"), json!({"label": "us"})),
        ("GET", s("/partner-tokens"), Value::Null),
        ("DELETE", s("/partner-tokens/$"), Value::Null),
        ("GET", s("/status"), Value::Null),
        ("GET", format!("/presence/{ada}"), Value::Null),
        ("GET", s("/audit?limit=5"), Value::Null),
        ("GET", s("/audit/verify"), Value::Null),
        ("GET", format!("/audit/pseudonyms/{ada}"), Value::Null),
        ("GET", s("/settings?limit=100"), Value::Null),
        ("POST", s("/settings/reload"), Value::Null),
        ("POST", s("/keys/rotate"), json!({"which": "tickets"})),
        ("POST", s("/round-trips"), Value::Null),
        ("POST", s("/backup"), Value::Null),
        ("GET", s("/permissions"), Value::Null),
        ("DELETE", at(""), Value::Null),
    ]
}

/// The same of operators themselves.
fn staff_script() -> Vec<(&'static str, String, Value)> {
    let s = str::to_owned;
    vec![
        ("GET", s("/session"), Value::Null),
        ("POST", s("/operators"), json!({"label": "Pete", "roles": [SHARD]})),
        ("GET", s("/operators"), Value::Null),
        ("DELETE", s("/operators/invitations/$"), Value::Null),
        (
            "POST",
            s("/tokens"),
            json!({"label": "ctl", "permissions": ["queue.dials.get"], "days": 7}),
        ),
        ("GET", s("/tokens"), Value::Null),
        ("DELETE", s("/tokens/$"), Value::Null),
    ]
}

#[actix_rt::test]
async fn answers_are_as_described() {
    let desk = Desk::open(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 2;
    })
    .await;
    let described = read(&desk).await;
    let ada = Player::new(&desk.server, "ada").await;
    for _ in 0..4 {
        enter(&desk.server, json!({})).await;
    }
    desk.server.pass_ms(1_000).await;
    let operations = described.operations();
    let (mut done, mut id) = (BTreeSet::new(), String::new());
    let all = script(&ada.id).into_iter().chain(more_of_the_script(&ada.id)).chain(staff_script());
    for (method, path, body) in all {
        let path = path.replace('$', &id);
        let body: Value = serde_json::from_str(&body.to_string().replace('$', &id)).unwrap();
        let answer = desk.call(method, &path, body).await;
        let asked = format!("{PREFIX}{}", path.split('?').next().unwrap());
        let fits = |described: &str| {
            let (a, b) = (described.split('/'), asked.split('/'));
            a.clone().count() == b.clone().count()
                && a.zip(b).all(|(a, b)| a == b || a.starts_with('{'))
        };
        let exact = operations.iter().find(|(m, p, _)| m == method && *p == asked);
        let found = exact.or_else(|| operations.iter().find(|(m, p, _)| m == method && fits(p)));
        let (.., operation) = found.unwrap_or_else(|| panic!("{method} {path}"));
        let is_no = answer.status >= 400;
        assert!(!is_no || path.ends_with("/reload"), "{method} {path}: {}", answer.text);
        if answer.status == 204 {
            assert!(operation["responses"].get("204").is_some(), "{path}");
        } else {
            described.check(operation, &answer);
        }
        done.insert(operation["operationId"].as_str().unwrap().to_owned());
        if let Some(given) = answer.json["id"].as_str().filter(|_| method == "POST") {
            given.clone_into(&mut id);
        }
    }
    let left: BTreeSet<_> = operations
        .iter()
        .map(|(.., it)| it["operationId"].as_str().unwrap())
        .filter(|id| !done.contains(*id))
        .collect();
    // Streams, the link that is taken away, round trips and who signs in how are in tests of their own.
    let others = [
        "unlink",
        "roundTrip",
        "liveStream",
        "presenceStream",
        "openapi",
        "signIn",
        "endSession",
        "stepUp",
        "setUp",
        "accept",
        "enrol",
        "dropTotp",
        "confirmTotp",
        "codeAfterProvider",
        "beginAtProvider",
        "unbindProvider",
        "backFromProvider",
        "setRoles",
        "dismiss",
    ];
    assert_eq!(left, others.into());
}
