//! The operator API: the history of the launch, and its stream.

use serde_json::{Value, json};

use crate::operator_client::{Desk, refused};
use crate::pragma_client::come_in;
use crate::queue_client::{events_at, ticket};

async fn slow() -> Desk {
    Desk::open(|config| {
        config.queue.rate = 2.0;
        config.queue.burst = 1;
    })
    .await
}

/// The newest number of a column.
fn newest<'a>(live: &'a Value, name: &str) -> &'a Value {
    let numbers = live["series"][name].as_array().unwrap_or_else(|| panic!("no {name}"));
    numbers.last().unwrap()
}

#[actix_rt::test]
async fn what_is_measured_each_second_is_what_happened() {
    let desk = slow().await;
    desk.server.pass_ms(1_000).await;
    come_in(&desk.server, "ada").await;
    for _ in 0..20 {
        ticket(&desk.server, json!({})).await;
    }
    desk.server.pass_ms(1_000).await;
    let live = desk.get("/live").await;
    assert_eq!((&live["step_ms"], live["at_ms"].as_array().unwrap().len()), (&json!(10_000), 0));
    let since = live["now_ms"].as_u64().unwrap() - 60_000;
    let live = desk.get(&format!("/live?since_ms={since}")).await;
    assert_eq!(live["step_ms"], 1_000);
    let whole = |name: &str| newest(&live, name).as_u64().unwrap();
    assert_eq!(whole("waiting.standard") + whole("admitted"), 21, "{live}");
    assert_eq!((whole("rate.set"), whole("sign_ins.unsafe")), (2, 1));
    assert!(newest(&live, "eta.quoted_s").as_f64() > Some(5.0), "{live}");
    for _ in 0..5 {
        desk.server.pass_ms(1_000).await;
    }
    let live = desk.get(&format!("/live?since_ms={since}&step=1")).await;
    assert_eq!(newest(&live, "admitted"), &json!(1), "one at once, and one look a second: {live}");
    assert!(
        newest(&live, "eta.waited_s").as_f64() > Some(2.0),
        "the true wait of those admitted now: {live}"
    );
    let before = live["at_ms"].as_array().unwrap().len();
    desk.server.pass_ms(60_000).await;
    let live = desk.get(&format!("/live?since_ms={since}&step=1")).await;
    assert_eq!(live["at_ms"].as_array().unwrap().len(), before + 1, "a gap stays a gap");
    assert_eq!(desk.get("/live?step=10").await["at_ms"].as_array().unwrap().len(), 1);
    refused(&desk.call("GET", "/live?step=7", Value::Null).await, 400, "bad_request");
    let eve = desk.helper("eve", json!(["account.tags.get"])).await;
    refused(&desk.call_as(&eve, "GET", "/live", Value::Null).await, 403, "forbidden");
}

#[actix_rt::test]
async fn the_stream_tells_each_row_and_has_room_for_64() {
    let desk = slow().await;
    let at = desk.server.operators;
    let path = "/v1/operator/live/stream";
    desk.server.pass_ms(1_000).await;
    let mut stream = events_at(at, path, &desk.olga.social).await.ok().unwrap();
    let first = stream.told("row").await;
    assert_eq!(first["values"]["rate.set"], 2);
    desk.server.pass_ms(1_000).await;
    let second = stream.told("row").await;
    assert_eq!(second["at_ms"].as_u64().unwrap() - first["at_ms"].as_u64().unwrap(), 1_000);
    let mut others = Vec::new();
    for _ in 1..64 {
        others.push(events_at(at, path, &desk.olga.social).await.ok().unwrap());
    }
    let (status, text) = events_at(at, path, &desk.olga.social).await.err().unwrap();
    assert!(status == 503 && text.contains("no_room"), "{text}");
    assert_eq!(desk.get("/status").await["streams"]["operators"], 64);
    // The server stops without waiting for them.
    drop(desk.server.stop());
    assert!(stream.next().await.is_none());
}
