//! The operator API: game shards, events, groups, tags and partner tokens.

use serde_json::{Value, json};

use crate::operator_client::{Desk, refused};
use crate::pragma_client::{SHARD, rpc, rpc_answer};

#[actix_rt::test]
async fn a_shard_is_limited_to_groups_and_events() {
    let desk = Desk::open(|_| {}).await;
    let shards = desk.get("/shards").await;
    let whole = json!({"id": SHARD, "own": true, "access": "everyone", "groups": []});
    assert_eq!((&shards["items"][0], &shards["count"]), (&whole, &json!(1)));
    let group =
        desk.done("POST", "/groups", json!({"name": "Testers", "description": "early"})).await;
    let id = group["id"].as_str().unwrap();
    let at = format!("/shards/{SHARD}");
    let limited = desk.done("PUT", &at, json!({"access": "limited", "groups": [id]})).await;
    assert_eq!((&limited["access"], &limited["groups"]), (&json!("limited"), &json!([id])));
    refused(&desk.call("DELETE", &format!("/groups/{id}"), Value::Null).await, 409, "in_use");
    let form = json!({"shard": SHARD, "name": "Weekend", "groups": [id],
        "start_ms": 1_800_000_000_000_u64, "end_ms": 1_800_100_000_000_u64});
    let event = desk.done("POST", "/events", form.clone()).await;
    let event_at = format!("/events/{}", event["id"].as_str().unwrap());
    let mut longer = form;
    longer["name"] = json!("Long weekend");
    assert_eq!(desk.done("PUT", &event_at, longer.clone()).await["name"], "Long weekend");
    longer["end_ms"] = json!(1);
    refused(&desk.call("PUT", &event_at, longer).await, 400, "bad_value");
    assert_eq!(desk.get("/events").await["items"][0]["name"], "Long weekend");
    desk.done("DELETE", &event_at, Value::Null).await;
    refused(&desk.call("DELETE", &event_at, Value::Null).await, 404, "not_there");
    desk.done("PUT", &at, json!({"access": "everyone", "groups": []})).await;
    let renamed = json!({"name": "Early birds"});
    assert_eq!(desk.done("PUT", &format!("/groups/{id}"), renamed).await["name"], "Early birds");
    desk.done("DELETE", &format!("/groups/{id}"), Value::Null).await;
    refused(&desk.call("PUT", &at, json!({})).await, 400, "bad_request");
    let elsewhere = "/shards/00000000-0000-0000-0000-0000000000ff";
    refused(&desk.call("PUT", elsewhere, json!({"access": "limited"})).await, 404, "not_there");
    let on_record = desk.on_record();
    let begin = ["group_created", "shard_groups", "shard_access", "group_deleted", "not_done"];
    assert_eq!(on_record[..5], begin);
}

#[actix_rt::test]
async fn tags_come_a_page_at_a_time() {
    let desk = Desk::open(|_| {}).await;
    for number in 0..5 {
        desk.done("POST", "/tags", json!({"name": format!("tag {number}")})).await;
    }
    let again = desk.done("POST", "/tags", json!({"name": " TAG 3 "})).await;
    assert_eq!(again["name"], "tag 3", "one that says the same is the answer");
    let first = desk.get("/tags?limit=3").await;
    assert_eq!((&first["count"], &first["next"]), (&json!(5), &json!("3")));
    let second = desk.get("/tags?limit=3&after=3").await;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (2, &Value::Null));
    let at = format!("/tags/{}", again["id"].as_str().unwrap());
    assert_eq!(desk.done("PUT", &at, json!({"name": "third"})).await["name"], "third");
    refused(&desk.call("PUT", &at, json!({"name": "tag 4"})).await, 409, "taken");
    desk.done("DELETE", &at, Value::Null).await;
    assert_eq!(desk.get("/tags").await["count"], 4);
    let eve = desk.helper("eve", json!(["account.tags.get"])).await;
    let made = desk.call_as(&eve, "POST", "/tags", json!({"name": "mine"})).await;
    refused(&made, 403, "forbidden");
    assert_eq!(desk.call_as(&eve, "GET", "/tags", Value::Null).await.status, 200);
    for path in ["/shards", "/events", "/groups", "/partner-tokens"] {
        refused(&desk.call_as(&eve, "GET", path, Value::Null).await, 403, "forbidden");
    }
}

#[actix_rt::test]
async fn a_partner_token_is_shown_once_works_and_is_revoked() {
    let desk = Desk::open(|_| {}).await;
    let form = json!({"label": "eu-fleet", "permissions": ["account.tags.get"]});
    let made = desk.call("POST", "/partner-tokens", form).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, token) = (made.str("/id").to_owned(), made.str("/social_token").to_owned());
    let listed = desk.get("/partner-tokens").await;
    assert_eq!(listed["items"][0]["label"], "eu-fleet");
    assert!(!listed.to_string().contains(&token) && !listed.to_string().contains("token\""));
    let view = "AccountRpc.ViewTagsPartnerV1Request";
    rpc(desk.server.partners, &token, view, json!({})).await;
    assert!(desk.get("/partner-tokens").await["items"][0]["last_used_ms"].is_u64());
    let at = format!("/partner-tokens/{id}");
    let named = desk.done("PATCH", &at, json!({"label": "us-fleet"})).await;
    assert_eq!(named["label"], "us-fleet");
    let gone = desk.done("DELETE", &at, Value::Null).await;
    assert!(gone["revoked_ms"].is_u64(), "{gone}");
    assert_eq!(rpc_answer(desk.server.partners, &token, view, json!({})).await.status, 401);
    for bad in [json!({"permissions": []}), json!({"permissions": ["no.such.thing"]}), json!(7)] {
        refused(&desk.call("POST", "/partner-tokens", bad).await, 400, "bad_request");
    }
    // Nobody gives away what they may not do themselves.
    let eve = desk.helper("eve", json!(["account.partner_tokens.create"])).await;
    for form in [json!({}), json!({"permissions": ["account.tags.get"]})] {
        refused(&desk.call_as(&eve, "POST", "/partner-tokens", form).await, 403, "forbidden");
    }
    let own = json!({"permissions": ["account.partner_tokens.create"]});
    assert_eq!(desk.call_as(&eve, "POST", "/partner-tokens", own).await.status, 201);
    let expected = ["created", "relabelled", "revoked", "created"];
    assert_eq!(desk.on_record(), expected.map(|name| format!("partner_token_{name}")));
}
