//! The operator API: what is on record.

use serde_json::{Value, json};

use crate::operator_client::{Desk, refused};
use crate::pragma_office::social_id;

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
