//! The shared frame: small, cacheable, signed, and as true as what each ticket is told.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::queue_client::{conditional, enter, stands, ticket};

const FRAME: &str = "/v1/queue/frame";

async fn frame(server: &TestServer) -> Answer {
    let answer = server.plain("GET", FRAME, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// What a client works out, as the page says: place and seconds of a number. `None`: newer.
fn look_up(lane: &Value, number: f64) -> Option<(f64, Option<f64>)> {
    let (mut before, mut now) = (None, [0.0; 3]);
    for step in lane["points"].as_array().unwrap() {
        let step: Vec<f64> = step.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
        step.iter().zip(&mut now).for_each(|(step, now)| *now += step);
        if now[0] >= number {
            let from: [f64; 3] = before.unwrap_or(now);
            let span = now[0] - from[0];
            let share = if span > 0.0 { (number - from[0]) / span } else { 1.0 };
            let between = |at: usize| from[at] + (now[at] - from[at]) * share;
            return Some((between(1), (step.len() == 3).then(|| between(2))));
        }
        before = Some(now);
    }
    None
}

#[actix_rt::test]
async fn everybody_finds_the_place_in_the_frame_that_their_ticket_is_told() {
    let server = TestServer::start(|config| {
        config.queue.rate = 2.0;
        config.queue.burst = 1;
    })
    .await;
    let mut tickets = Vec::new();
    for _ in 0..400 {
        tickets.push(enter(&server, json!({})).await.json["ticket"].clone());
    }
    // A line with holes.
    for gone in tickets.iter().skip(100).take(150).filter_map(Value::as_str) {
        server.with_token("DELETE", "/v1/queue/ticket", gone, None).await;
    }
    server.pass_ms(1_000).await;
    let shown = frame(&server).await.json;
    let lane = &shown["lanes"][0];
    assert_eq!(
        (&lane["lane"], lane["points"][0].as_array().unwrap().len()),
        (&json!("standard"), 3)
    );
    for token in tickets.iter().skip(5).step_by(7).filter_map(Value::as_str) {
        let told = stands(&server, token).await;
        if told.status != 202 {
            continue;
        }
        let (place, seconds) = look_up(lane, told.json["number"].as_f64().unwrap()).unwrap();
        let position = told.json["position"].as_f64().unwrap();
        assert!((place - position).abs() <= (position * 0.01).max(6.0), "{place} {}", told.text);
        let eta_s = (told.json["eta"]["mid_ms"].as_f64().unwrap()
            - shown["login_ms"].as_f64().unwrap())
            / 1e3;
        let seconds = seconds.unwrap();
        assert!((seconds - eta_s).abs() <= (eta_s * 0.01).max(3.0), "{seconds} {}", told.text);
    }
    assert_eq!(look_up(lane, 1e9), None, "newer than the frame");
}

#[actix_rt::test]
async fn a_frame_says_what_the_line_does_and_when_to_look_again() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.frame_budget = 1;
    })
    .await;
    for _ in 0..3 {
        enter(&server, json!({})).await;
    }
    server.pass_ms(1_000).await;
    let shown = frame(&server).await;
    assert_eq!((&shown.json["mode"], &shown.json["rate"]), (&json!("open"), &json!(0.0)));
    assert_eq!(shown.json["frame_after_ms"], 3_000, "three fetch it, one a second");
    assert_eq!(shown.json["at_ms"], 1_800_000_001_000_u64);
    assert_eq!(shown.json["started_ms"], 1_800_000_000_000_u64);
    assert_eq!(shown.json["confirm_ms"], 180_000);
    let lane = &shown.json["lanes"][0];
    assert_eq!(lane["waiting"], 3);
    assert_eq!(look_up(lane, 2.0), Some((2.0, None)), "nobody can say how long: {lane}");
    let waits = ticket(&server, json!({})).await;
    assert_eq!(stands(&server, &waits).await.json["frame_after_ms"], 3_000);
}

#[actix_rt::test]
async fn behind_a_cache_everybody_looks_every_five_seconds() {
    let server = TestServer::start(|config| config.queue.frame_cached = true).await;
    assert_eq!(frame(&server).await.json["frame_after_ms"], 5_000);
}

#[actix_rt::test]
async fn a_cache_may_keep_it_a_second_and_hand_it_to_any_page() {
    let server = TestServer::start(|_| {}).await;
    let shown = frame(&server).await;
    assert_eq!(shown.header("cache-control"), Some("public, max-age=1"));
    assert_eq!(shown.header("access-control-allow-origin"), Some("*"));
    let etag = shown.header("etag").unwrap();
    assert_eq!(frame(&server).await.text, shown.text, "the same bytes for everybody");
    assert_eq!(conditional(&server, FRAME, "nobody", etag).await, 304);
    server.pass_ms(1_000).await;
    assert_eq!(conditional(&server, FRAME, "nobody", etag).await, 200);
}

#[actix_rt::test]
async fn the_signature_is_the_published_keys_over_these_very_bytes() {
    let server = TestServer::start(|_| {}).await;
    let shown = frame(&server).await;
    let detached = shown.header("x-frame-signature").unwrap().to_owned();
    let (head, signature) = detached.split_once("..").unwrap();
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let header: Value = serde_json::from_slice(&decode(head)).unwrap();
    let keys = server.plain("GET", "/.well-known/jwks.json", None).await;
    let key = &keys.json["keys"][0];
    assert_eq!((&header["kid"], &header["alg"]), (&key["kid"], &json!("EdDSA")));
    let public = UnparsedPublicKey::new(&ED25519, decode(key["x"].as_str().unwrap()));
    let is_good = |body: &str| {
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(body));
        public.verify(signed.as_bytes(), &decode(signature)).is_ok()
    };
    assert!(is_good(&shown.text));
    assert!(!is_good(&shown.text.replace("\"rate\":50", "\"rate\":90")), "{}", shown.text);
    // Put together it is a token by our key, and still opens nothing.
    let whole = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(&shown.text));
    assert_eq!(enter(&server, json!({"proof": whole})).await.status, 401);
    let rpc = server.with_token("POST", "/v1/rpc", &whole, Some(json!({}))).await;
    assert_eq!(rpc.status, 401, "{}", rpc.text);
}
