//! An opening from its schedule to the last entrant: what players are told, what is published, and
//! that the two agree.

use std::collections::BTreeMap;
use std::process::Command;

use anteroom::clock::Stopwatch;
use anteroom::config::Config;
use anteroom::domain::lottery::{LotteryId, Stage};
use anteroom::store::lottery::Lotteries;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::fakes::beacon::Beacon;
use crate::harness::{Answer, TestServer};

const DEVICE: &str = "/v2/account/authenticate/device";
/// `TestServer::noon` and two minutes.
const OPENS: &str = "2027-01-15T08:02:00Z";
const ID: &str = "opening-2027-01-15t080200z";
const PEOPLE: u64 = 200;

/// Who gathers: even ones by Pragma's way with a ticket, odd ones by Nakama's without.
struct People(BTreeMap<u64, Option<String>>);

impl People {
    async fn gather(server: &TestServer, who: impl Iterator<Item = u64>) -> Self {
        let mut people = Self(BTreeMap::new());
        for who in who {
            people.0.insert(who, None);
            people.ask(server, who).await;
        }
        people
    }

    /// Asks where one stands, as its client would.
    async fn ask(&mut self, server: &TestServer, who: u64) -> Answer {
        if who % 2 == 1 {
            let id = json!({"id": format!("device-of-player-{who}")});
            return server.with_key(DEVICE, id).await;
        }
        let ticket = self.0.get_mut(&who).unwrap();
        let answer = match ticket {
            None => server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await,
            Some(token) => {
                let body = json!({"token": token});
                server.plain("POST", "/v1/loginqueue/checkticketv1", Some(body)).await
            }
        };
        *ticket = Some(answer.str("/token").to_owned());
        answer
    }

    /// The place of each.
    async fn places(&mut self, server: &TestServer) -> BTreeMap<u64, Told> {
        let mut places = BTreeMap::new();
        for who in self.0.keys().copied().collect::<Vec<_>>() {
            places.insert(who, Told::of(who, &self.ask(server, who).await));
        }
        places
    }

    fn number(&self, who: u64) -> u64 {
        let token = self.0[&who].as_ref().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims["ticketNumber"].as_str().and_then(|text| text.parse().ok()).unwrap()
    }
}

/// What somebody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    phase: String,
    place: Option<u64>,
    reason: Option<String>,
}

impl Told {
    fn of(who: u64, answer: &Answer) -> Self {
        let queue = if who % 2 == 1 { &answer.json["queue"] } else { &answer.json };
        let place = if who % 2 == 1 { "position" } else { "positionInQueue" };
        let text = |key: &str| queue[key].as_str().map(str::to_owned);
        Self {
            phase: text("phase").unwrap_or_default(),
            place: queue[place].as_u64(),
            reason: text("reason"),
        }
    }
}

fn held(beacon: Option<&Beacon>) -> impl FnOnce(&mut Config) {
    let url = beacon.map(Beacon::url);
    move |config| {
        config.queue.rate = 0.0;
        config.queue.opening.at = OPENS.into();
        if let Some(url) = url {
            config.identity.allow_private = true;
            config.queue.opening.beacon = "test beacon round 42".into();
            config.queue.opening.beacon_url = url;
            config.queue.opening.beacon_round = 42;
        }
    }
}

async fn state(server: &TestServer) -> Value {
    server.plain("GET", "/v1/queue/opening", None).await.json
}

/// Asks until the opening is as it should be; other threads and the beacon take a moment.
async fn until(server: &TestServer, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let waits = Stopwatch::start();
    while waits.elapsed_us() < 60_000_000 {
        let told = state(server).await;
        if is(&told) {
            return told;
        }
        actix_rt::task::yield_now().await;
    }
    panic!("not {what}: {}", state(server).await);
}

/// The entrants are published.
async fn closed(server: &TestServer) -> Value {
    until(server, "closed", |told| told["lottery"]["entrants"].is_u64()).await
}

async fn drawn(server: &TestServer) -> Value {
    until(server, "drawn", |told| told["state"] == "drawn").await
}

async fn published(server: &TestServer, file: &str) -> Answer {
    server.plain("GET", &format!("/v1/queue/opening/{ID}/{file}"), None).await
}

fn numbers(text: &str) -> Vec<u64> {
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// What the independent program says of what the server hands out.
async fn verify(server: &TestServer, earlier: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    for file in ["lottery.json", "entrants.txt", "order.txt"] {
        std::fs::write(folder.path().join(file), published(server, file).await.text).unwrap();
    }
    std::fs::write(folder.path().join("earlier"), earlier).unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_verify-lottery"))
        .arg(folder.path())
        .arg("--earlier")
        .arg(folder.path().join("earlier"))
        .output()
        .unwrap();
    let words = String::from_utf8([program.stdout, program.stderr].concat()).unwrap();
    assert_eq!(program.status.code(), Some(0), "{words}");
    words
}

/// The places told are those of the published order, and old tickets found them.
fn agree(people: &People, first: u64, order: &[u64], entrants: &[u64], told: &BTreeMap<u64, Told>) {
    for (who, told) in told {
        // They came one by one: the nth to come had the nth number.
        let old = entrants[usize::try_from(*who).unwrap()];
        let place = order.iter().position(|number| *number == old).unwrap() as u64;
        assert_eq!(told.place, Some(place + 1), "player {who}");
        if who % 2 == 0 {
            assert_eq!(people.number(*who), first + place, "player {who}");
        }
    }
}

#[actix_rt::test]
async fn an_opening_is_drawn_as_anybody_can_check() {
    let beacon = Beacon::start();
    let server = TestServer::start(held(Some(&beacon))).await;
    let scheduled = state(&server).await;
    assert_eq!(
        (&scheduled["state"], &scheduled["lottery"]["id"]),
        (&json!("prequeue"), &json!(ID))
    );
    let earlier = published(&server, "lottery.json").await;
    assert_eq!(earlier.header("cache-control"), Some("public, max-age=2"));
    for hidden in ["entrants.txt", "order.txt", "seeds", "..%2fseeds"] {
        assert_eq!(published(&server, hidden).await.status, 404, "{hidden}");
    }

    let mut people = People::gather(&server, 0..PEOPLE).await;
    let told = people.places(&server).await;
    assert!(told.values().all(|told| told.phase == "lottery"), "{told:?}");
    assert_eq!((told[&1].place, told[&2].place), (None, Some(PEOPLE)), "nobody has a place yet");
    let message = people.ask(&server, 1).await;
    assert!(message.str("/message").contains("doors open in 2 minutes"), "{}", message.text);

    server.pass_ms(119_000).await;
    assert_eq!(state(&server).await["state"], "prequeue");
    server.pass_ms(1_000).await;
    let told = closed(&server).await;
    let late = People::gather(&server, [1_000].into_iter()).await;
    beacon.ask_once().await;
    assert_eq!(people.places(&server).await[&4].phase, "drawing", "closed until the beacon speaks");
    assert_eq!(told["opens_at_ms"], 1_800_000_120_000_u64);
    beacon.speak("c0ffee00c0ffee00");
    let told = drawn(&server).await;
    assert_eq!(told["lottery"]["entrants"], PEOPLE);

    let words = verify(&server, &earlier.text).await;
    assert!(words.contains("c0ffee00c0ffee00"), "{words}");
    let order = numbers(&published(&server, "order.txt").await.text);
    let entrants = numbers(&published(&server, "entrants.txt").await.text);
    let told = people.places(&server).await;
    assert!(told.values().all(|told| told.reason.as_deref() == Some("drawn")), "{told:?}");
    let first = entrants.last().unwrap() + 1;
    agree(&people, first, &order, &entrants, &told);
    assert_eq!(late.number(1_000), first + PEOPLE, "behind all entrants");
}

#[actix_rt::test]
async fn a_restart_in_the_middle_changes_nothing() {
    let beacon = Beacon::start();
    let server = TestServer::start(held(Some(&beacon))).await;
    let earlier = published(&server, "lottery.json").await.text;
    let mut people = People::gather(&server, 0..40).await;
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();

    // While players gather; the doors' time comes while nobody is there.
    clock.advance_ms(200_000);
    let server = TestServer::start_on(folder.path(), clock.clone(), held(Some(&beacon))).await;
    server.pass_ms(1).await;
    closed(&server).await;
    assert_eq!(published(&server, "lottery.json").await.json["commitment"], {
        let earlier: Value = serde_json::from_str(&earlier).unwrap();
        earlier["commitment"].clone()
    });
    beacon.ask_once().await;
    server.stop();

    // While the beacon is awaited.
    let server = TestServer::start_on(folder.path(), clock.clone(), held(Some(&beacon))).await;
    assert_eq!(state(&server).await["state"], "drawing");
    assert_eq!(people.places(&server).await[&4].phase, "drawing");
    beacon.speak("0123");
    drawn(&server).await;
    server.stop();

    // After the draw, and nobody has asked yet.
    let server = TestServer::start_on(folder.path(), clock, held(Some(&beacon))).await;
    verify(&server, &earlier).await;
    let order = numbers(&published(&server, "order.txt").await.text);
    let entrants = numbers(&published(&server, "entrants.txt").await.text);
    let told = people.places(&server).await;
    let first = entrants.last().unwrap() + 1;
    agree(&people, first, &order, &entrants, &told);
}

#[actix_rt::test]
async fn a_schedule_can_be_changed_until_the_close_and_called_off_after_it() {
    let server = TestServer::start(held(None)).await;
    let mut queue = crate::harness::config().queue;
    queue.rate = 0.0;
    queue.opening.at = "2027-01-15T08:03:00Z".into();
    server.dials.apply(&queue).await;
    let moved = state(&server).await;
    assert_eq!(moved["lottery"]["id"], "opening-2027-01-15t080300z");
    assert_eq!(
        published(&server, "lottery.json").await.status,
        200,
        "the first one stays on record"
    );
    let beacon = Beacon::start();
    queue.opening.beacon = "round 7".into();
    queue.opening.beacon_url = beacon.url();
    queue.opening.beacon_round = 7;
    server.dials.apply(&queue).await;
    let changed = state(&server).await;
    assert_eq!(changed["lottery"]["id"], "opening-2027-01-15t080300z-2");
    assert_ne!(changed["lottery"]["commitment"], moved["lottery"]["commitment"]);

    let mut people = People::gather(&server, 0..6).await;
    server.pass_ms(180_000).await;
    closed(&server).await;
    queue.opening.at = "2027-01-15T09:00:00Z".into();
    server.dials.apply(&queue).await;
    assert_eq!(state(&server).await["state"], "drawing", "too late");
    queue.opening = anteroom::config::OpeningConfig::default();
    server.dials.apply(&queue).await;
    assert_eq!(state(&server).await["state"], "none");
    let places: Vec<_> =
        people.places(&server).await.into_values().map(|told| told.place).collect();
    assert_eq!(places, (1..=6).map(Some).collect::<Vec<_>>(), "in the order they came");

    let folder = server.stop().unwrap();
    let lotteries = Lotteries::open(&folder.path().join("lottery")).unwrap();
    let id = LotteryId::try_from("opening-2027-01-15t080300z-2".to_owned()).unwrap();
    let stage = lotteries.record(&id).unwrap().stage().clone();
    assert!(matches!(stage, Stage::Closed(_)), "the commitment stands without a draw: {stage:?}");
}

#[actix_rt::test]
async fn what_operators_and_the_lottery_did_is_on_record() {
    let server = TestServer::start(|config| {
        held(None)(config);
        config.queue.rate = 1.0;
    })
    .await;
    let mut people = People::gather(&server, 0..4).await;
    server.pass_ms(115_000).await;
    people.places(&server).await;
    server.pass_ms(5_000).await;
    drawn(&server).await;
    people.places(&server).await;
    let mut queue = crate::harness::config().queue;
    queue.opening.at = OPENS.into();
    (queue.rate, queue.cap, queue.paused) = (2.5, 77, true);
    server.dials.apply(&queue).await;
    queue.paused = false;
    server.dials.apply(&queue).await;
    server.dials.apply(&queue).await;
    let folder = server.stop().unwrap();
    let anteroom = |args: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        let output = program.args(args).arg("--data").arg(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, records) = anteroom(&["audit", "show"]);
    let records: Vec<Value> =
        records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> =
        records.iter().map(|record| record["what"]["kind"].as_str().unwrap()).collect();
    let expected = [
        "setting",
        "opening_scheduled",
        "opening_closed",
        "opening_drawn",
        "pause",
        "rate",
        "cap",
        "resume",
    ];
    assert_eq!((code, &kinds[..]), (Some(0), &expected[..]));
    let [closed, drawn] = [2, 3].map(|at: usize| &records[at]["what"]);
    assert_eq!((&drawn["root"], &drawn["places"]), (&closed["root"], &json!(4)));
    assert_eq!(records[5]["what"], json!({"kind": "rate", "from": 1.0, "to": 2.5}));
    assert_eq!(anteroom(&["audit", "verify"]).0, Some(0));
}

#[actix_rt::test]
async fn an_opening_that_is_over_does_nothing_and_one_without_a_lottery_keeps_the_order() {
    let server = TestServer::start(|config| {
        held(None)(config);
        config.queue.opening.at = "2027-01-15T07:59:00Z".into();
    })
    .await;
    assert_eq!(state(&server).await["state"], "none");
    drop(server);
    let server = TestServer::start(|config| {
        held(None)(config);
        config.queue.opening.lottery = false;
    })
    .await;
    let mut people = People::gather(&server, 0..4).await;
    let told = people.places(&server).await;
    assert!(told.values().all(|told| told.phase == "prequeue"), "{told:?}");
    let places: Vec<_> = told.into_values().map(|told| told.place).collect();
    assert_eq!(places, (1..=4).map(Some).collect::<Vec<_>>());
    server.pass_ms(120_000).await;
    assert_eq!(state(&server).await["state"], "none");
    assert_eq!(people.places(&server).await[&3].place, Some(4));
}
