//! Streams: told instead of asking, the pass at once, bounded, and worth nothing to lose.

use anteroom::clock::Clock;
use anteroom::domain::queue::{Announcement, Mode};
use serde_json::json;

use crate::harness::{Auth, TestServer, ask};
use crate::queue_client::{
    Stream, device, enter, events, slow_gate, socket, stands, ticket, with_ticket,
};

/// A stream of either kind.
async fn open(server: &TestServer, kind: &str, ticket: &str) -> Result<Stream, (u16, String)> {
    let query = format!("?ticket={ticket}");
    if kind == "socket" { socket(server, &query).await } else { events(server, &query).await }
}

#[actix_rt::test]
async fn a_stream_tells_the_place_as_it_changes_and_the_pass_at_once() {
    for kind in ["socket", "events"] {
        let server = slow_gate().await;
        enter(&server, json!({})).await;
        let first = ticket(&server, json!({})).await;
        let ada = ticket(&server, device("ada")).await;
        let mut stream = open(&server, kind, &ada).await.ok().unwrap();
        assert_eq!(stream.told("frame").await["mode"], "open");
        assert_eq!(stream.told("ticket").await["position"], 2);
        with_ticket(&server, "DELETE", "/v1/queue/ticket", &first).await;
        server.pass_ms(100).await;
        server.dials.announce(Announcement::new(Mode::Paused, None, "soon")).await.unwrap();
        let shown = stream.told("frame").await;
        assert_eq!((&shown["mode"], &shown["message"]), (&json!("paused"), &json!("soon")));
        let told = stream.told("ticket").await;
        assert_eq!((&told["state"], &told["position"]), (&json!("paused"), &json!(1)));
        server.dials.announce(Announcement::open()).await.unwrap();
        stream.told("frame").await;
        assert_eq!(stream.told("ticket").await["state"], "front");
        server.pass_ms(1_000).await;
        let passed = stream.told("pass").await;
        assert_eq!(passed["state"], "passed");
        assert_eq!(stream.next().await, None, "it has said everything");
        let body = json!({"id": "ada-device", "vars": {"login_queue_pass_token": passed["pass"]}});
        let path = "/v2/account/authenticate/device";
        assert_eq!(server.with_key(path, body).await.status, 200);
        assert!(streams(&server).await < 1.0);
    }
}

/// Streams that are open, as the metrics say.
async fn streams(server: &TestServer) -> f64 {
    let url = format!("http://{}/metrics", server.operators);
    let page = ask("GET", &url, Auth::None, None).await.text;
    let line = page.lines().find_map(|line| line.strip_prefix("login_queue_streams "));
    line.unwrap().parse().unwrap()
}

#[actix_rt::test]
async fn a_stream_renews_the_lease_by_itself() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.005;
        config.queue.burst = 1;
        config.queue.lease_s = 60;
        config.queue.poll_max_ms = 10_000;
    })
    .await;
    enter(&server, json!({})).await;
    let (silent, ada) = (ticket(&server, json!({})).await, ticket(&server, json!({})).await);
    let mut stream = open(&server, "socket", &ada).await.ok().unwrap();
    for _ in 0..7 {
        server.pass_ms(20_000).await;
        stream.beat().await;
    }
    // Silent for longer than a lease: the one before has none left.
    assert_eq!(stands(&server, &silent).await.status, 404);
    let told = stands(&server, &ada).await;
    assert_eq!((told.status, &told.json["position"]), (202, &json!(1)), "{}", told.text);
}

#[actix_rt::test]
async fn there_is_room_for_so_many_and_the_others_poll() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.5;
        config.queue.burst = 1;
        config.queue.streams_max = 1;
    })
    .await;
    enter(&server, json!({})).await;
    let (ada, bob) = (ticket(&server, json!({})).await, ticket(&server, json!({})).await);
    let mut stream = open(&server, "socket", &ada).await.ok().unwrap();
    stream.told("frame").await;
    assert!(stands(&server, &bob).await.json.get("stream").is_none(), "not invited: no room");
    for kind in ["socket", "events"] {
        let (status, body) = open(&server, kind, &bob).await.err().unwrap();
        assert_eq!(status, 503, "{body}");
        assert!(body.contains(r#""why":"streams_full""#) && body.contains("retry_after_ms"));
    }
    // The same ticket again takes the place of its own stream.
    let mut second = open(&server, "events", &ada).await.ok().unwrap();
    second.told("frame").await;
    stream.told("ticket").await;
    assert_eq!(stream.told("notice").await["why"], "replaced");
    assert_eq!(stream.next().await, None);
    drop(second);
}

#[actix_rt::test]
async fn who_watches_opens_a_stream_instead_of_saying_once_more_that_he_is_there() {
    // Room for streams of ten seconds before each turn.
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
        config.queue.streams_max = 20;
        config.queue.line_max = 1_000;
        config.limits.enter_per_second = 0;
    })
    .await;
    for _ in 0..101 {
        enter(&server, json!({})).await;
    }
    let ada = server.plain("POST", "/v1/queue/enter?watch=1", Some(json!({}))).await.json;
    let (eta, asks) =
        (ada["eta"]["mid_ms"].as_u64().unwrap(), ada["poll_after_ms"].as_u64().unwrap());
    let login = 10_000;
    assert_eq!(eta - login - asks, 30_000, "{ada}");
    assert_eq!(ada["stream"]["after_ms"].as_u64().unwrap(), eta - login - 10_000, "{ada}");
    let bob = server.plain("POST", "/v1/queue/enter", Some(json!({}))).await.json;
    assert!(bob.get("stream").is_none(), "who polls asks again before that: {bob}");
    // She says nothing until then, and her turn is hers when it has come (sooner, for nobody else asks).
    server.pass_ms(eta - login - 9_000).await;
    let mut stream = open(&server, "events", ada["ticket"].as_str().unwrap()).await.ok().unwrap();
    while stream.next().await.expect("the pass comes").0 != "pass" {}
}

#[actix_rt::test]
async fn who_is_far_or_nobody_gets_no_stream() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.2;
        config.queue.burst = 1;
        config.queue.stream_from_s = 2;
    })
    .await;
    for _ in 0..20 {
        enter(&server, json!({})).await;
    }
    let far = ticket(&server, json!({})).await;
    let left = ticket(&server, json!({})).await;
    with_ticket(&server, "DELETE", "/v1/queue/ticket", &left).await;
    for (ticket, status, why) in
        [(&*far, 403, "not_invited"), (&*left, 404, "forgotten"), ("a.b.c", 401, "ticket")]
    {
        for kind in ["socket", "events"] {
            let (found, body) = open(&server, kind, ticket).await.err().unwrap();
            assert_eq!(found, status, "{body}");
            assert!(body.contains(&format!(r#""why":"{why}""#)), "{body}");
        }
    }
    let (status, _) = events(&server, "").await.err().unwrap();
    assert_eq!(status, 401);
}

#[actix_rt::test]
async fn leaving_ends_the_stream_and_losing_it_costs_nothing() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let (ada, bob) = (ticket(&server, json!({})).await, ticket(&server, json!({})).await);
    let mut stream = open(&server, "socket", &bob).await.ok().unwrap();
    stream.told("frame").await;
    drop(stream);
    assert_eq!(stands(&server, &bob).await.json["position"], 2);
    let mut stream = open(&server, "events", &ada).await.ok().unwrap();
    stream.told("frame").await;
    stream.told("ticket").await;
    with_ticket(&server, "DELETE", "/v1/queue/ticket", &ada).await;
    let notice = stream.told("notice").await;
    assert_eq!((&notice["state"], &notice["why"]), (&json!("gone"), &json!("forgotten")));
    assert_eq!(stream.next().await, None);
}

#[actix_rt::test]
async fn events_end_after_some_minutes_so_that_who_is_there_says_so() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.002;
        config.queue.burst = 1;
    })
    .await;
    enter(&server, json!({})).await;
    let ada = ticket(&server, json!({})).await;
    let mut stream = open(&server, "events", &ada).await.ok().unwrap();
    for _ in 0..11 {
        server.pass_ms(20_000).await;
        stream.beat().await;
    }
    server.pass_ms(20_000).await;
    assert_eq!(stream.told("notice").await["why"], "renew");
    assert_eq!(stream.next().await, None);
    let told = stands(&server, &ada).await;
    assert_eq!((told.status, &told.json["position"]), (202, &json!(1)));
}

#[actix_rt::test]
async fn a_server_that_stops_says_so_and_does_not_wait_for_streams() {
    let server = slow_gate().await;
    enter(&server, json!({})).await;
    let ada = ticket(&server, json!({})).await;
    let bob = ticket(&server, json!({})).await;
    let mut streams = [
        open(&server, "socket", &ada).await.ok().unwrap(),
        open(&server, "events", &bob).await.ok().unwrap(),
    ];
    let stopped = std::thread::spawn(move || drop(server.stop()));
    for stream in &mut streams {
        stream.told("frame").await;
        stream.told("ticket").await;
        assert_eq!(stream.told("notice").await["why"], "leaving");
    }
    stopped.join().unwrap();
}

/// `cargo test --test it free_slot -- --ignored --nocapture`
#[actix_rt::test]
#[expect(clippy::cast_precision_loss, reason = "microseconds of a moment")]
#[ignore = "prints a figure of docs/figures.md: from a slot that comes free to the pass at a client"]
async fn from_a_free_slot_to_the_pass_of_the_next() {
    let server = TestServer::start(|config| {
        config.queue.cap = 1;
        config.queue.rate = 100_000.0;
        config.queue.burst = 10_000;
        config.limits.enter_per_second = 0;
    })
    .await;
    let (clock, mut spans) = (Clock::machine(), Vec::new());
    let mut pass = enter(&server, json!({})).await.str("/pass").to_owned();
    let mut tickets = Vec::new();
    for _ in 0..500 {
        tickets.push(ticket(&server, json!({})).await);
    }
    for (at, next) in tickets.iter().enumerate() {
        let vars = json!({"login_queue_pass_token": pass});
        let body = json!({"id": format!("player-{at}-device"), "vars": vars});
        let player = server.with_key("/v2/account/authenticate/device", body).await;
        assert_eq!(player.status, 200, "{}", player.text);
        server.pass_ms(1_000).await;
        // Until a few have left nobody can say how long it takes, and nobody is invited.
        let mut stream = socket(&server, &format!("?ticket={next}")).await.ok();
        if let Some(stream) = &mut stream {
            let _ = (stream.next().await, stream.next().await);
        }
        let began = clock.now();
        let token = player.str("/token");
        let out = server.with_token("POST", "/v2/session/logout", token, Some(json!({}))).await;
        assert_eq!(out.status, 200, "{}", out.text);
        let Some(stream) = &mut stream else {
            pass = stands(&server, next).await.str("/pass").to_owned();
            continue;
        };
        let told = loop {
            match stream.next().await.expect("the stream lasts until the pass") {
                (name, data) if name == "pass" => break data,
                _ => {}
            }
        };
        spans.push(clock.now().since_us(began));
        pass = told["pass"].as_str().unwrap().to_owned();
    }
    assert!(spans.len() > 400, "{}", spans.len());
    spans.sort_unstable();
    let at = |percent: usize| spans[spans.len() * percent / 100] as f64 / 1e3;
    println!("free slot to pass: median {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
