//! The operator API: what is on record.

use serde_json::{Value, json};

use crate::operator_client::{Desk, refused};
use crate::pragma_client::{come_in, rpc};
use crate::pragma_office::{ask, partner, refusal, social_id};

/// Records come to the disk a moment after they were made.
async fn records(desk: &Desk, query: &str, count: usize) -> Value {
    for _ in 0..10_000 {
        let page = desk.get(&format!("/audit{query}")).await;
        if page["items"].as_array().unwrap().len() >= count {
            return page;
        }
    }
    panic!("no {count} records of {query}");
}

#[actix_rt::test]
async fn records_are_found_newest_first_a_page_at_a_time_and_the_chain_holds() {
    let desk = Desk::open(|_| {}).await;
    for number in 0..5 {
        desk.done("POST", "/tags", json!({"name": format!("tag {number}")})).await;
    }
    let mut change = desk.done("POST", "/queue/changes", json!({"rate": 7.0})).await;
    let id = change["id"].take();
    let apply = format!("/queue/changes/{}/apply", id.as_str().unwrap());
    desk.done("POST", &apply, Value::Null).await;
    let by = social_id(&desk.olga);
    let page = records(&desk, "?what=rate,tag_created", 6).await;
    let newest = &page["items"][0];
    assert_eq!((&newest["what"]["kind"], &newest["what"]["to"]), (&json!("rate"), &json!(7.0)));
    let name = desk.get(&format!("/audit/pseudonyms/{by}")).await["pseudonym"].clone();
    assert_eq!(newest["who"], json!({"operator": name}));
    let first = records(&desk, &format!("?by={by}&limit=4"), 4).await;
    let next = first["next"].as_str().unwrap();
    let second = desk.get(&format!("/audit?by={by}&limit=4&after={next}")).await;
    let seq = |page: &Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|it| it["seq"].as_u64().unwrap()).collect()
    };
    let all = [seq(&first), seq(&second)].concat();
    assert!(all.len() == 6 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(desk.get("/audit?since_ms=1900000000000").await["items"], json!([]));
    assert_eq!(desk.get("/audit?until_ms=5").await["items"], json!([]));
    let whole = desk.get("/audit/verify").await;
    assert_eq!(
        (&whole["holds"], &whole["whole"], &whole["broken"]),
        (&json!(true), &json!(true), &json!(0))
    );
    assert!(whole["records"].as_u64().unwrap() >= 6 && whole["head"].is_string());
    refused(&desk.call("GET", "/audit?limit=1000", Value::Null).await, 400, "bad_request");
    refused(&desk.call("GET", "/audit?account=7", Value::Null).await, 400, "bad_request");
    let eve = desk.helper("eve", json!(["queue.dials.get"])).await;
    for path in ["/audit", "/audit/verify", &format!("/audit/pseudonyms/{by}")] {
        refused(&desk.call_as(&eve, "GET", path, Value::Null).await, 403, "forbidden");
    }
}

#[actix_rt::test]
async fn what_operators_and_game_servers_do_by_pragmas_requests_is_on_record_too() {
    let desk = Desk::open(|_| {}).await;
    let (server, olga) = (&desk.server, &desk.olga);
    let ada = social_id(&come_in(server, "ada").await);
    let ban =
        json!({"pragmaSocialId": ada, "banScope": "BAN_SCOPE_FULL_ACCOUNT", "banReason": 101});
    ask(server, olga, "AccountRpc.BanAccountOperatorV1", ban).await;
    ask(server, olga, "AccountRpc.ViewTagsOperatorV1", json!({})).await;
    let nobody = json!({"roleId": uuid::Uuid::from_u128(7)});
    refusal(server, olga, "RoleRpc.DeleteRoleOperatorV1", nobody).await;
    let (fleet, partner_id) = partner(server, olga, Value::Null).await;
    let tag = json!({"pragmaSocialIds": [ada], "request": {"accountTags": [{"tag": "vip"}]}});
    rpc(server.partners, &fleet.social, "AccountRpc.AddAccountTagsPartnerV1Request", tag).await;

    let page = records(&desk, &format!("?account={ada}"), 2).await;
    let shown = |it: &Value| (it["who"].clone(), it["what"]["name"].clone());
    let name =
        async |id: &str| desk.get(&format!("/audit/pseudonyms/{id}")).await["pseudonym"].clone();
    let by_olga = json!({"operator": name(&social_id(olga)).await});
    let about: Vec<_> = page["items"].as_array().unwrap().iter().map(shown).collect();
    let by_fleet = json!({"partner": partner_id});
    assert_eq!(
        about,
        [
            (by_fleet, json!("AccountRpc.AddAccountTagsPartnerV1")),
            (by_olga.clone(), json!("AccountRpc.BanAccountOperatorV1")),
        ]
    );
    let page = records(&desk, "?what=not_done", 1).await;
    let refused = &page["items"][0];
    assert_eq!((&refused["who"], page["items"].as_array().unwrap().len()), (&by_olga, 1));
    assert_eq!(refused["what"]["details"][0], json!(["name", "RoleRpc.DeleteRoleOperatorV1"]));
    let tried = records(&desk, "?what=RoleRpc.DeleteRoleOperatorV1", 1).await;
    let which = json!([["roleId", uuid::Uuid::from_u128(7)]]);
    assert_eq!(tried["items"][0]["what"]["details"], which);
    assert_eq!(desk.get("/audit?what=AccountRpc.ViewTagsOperatorV1").await["items"], json!([]));
}
