//! Who is asked for what before there is a place: nothing by default; during an attack a challenge, the
//! low lane where nobody can answer one, and nothing of who has proven an account. Addresses that many
//! share are as good as their players.

use anteroom::domain::abuse::When;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::fakes;
use crate::harness::{Answer, Auth, TestServer, ask};
use crate::pragma_client::{claims, get_in_queue};
use crate::queue_client::{device, enter, with_ticket};

const DEVICE: &str = "/v2/account/authenticate/device";
/// What Pragma's tickets say for the low lane and the standard one.
const LOW: u64 = 3;
const STANDARD: u64 = 2;

/// Nobody comes in, and five places a second are an attack.
async fn closed(challenge: When) -> TestServer {
    TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.abuse.challenge = challenge;
        config.queue.abuse.attack_per_second = 5;
        config.queue.abuse.bits_min = 6;
        config.queue.abuse.bits_max = 10;
    })
    .await
}

/// So many ask for places at once.
async fn attack(server: &TestServer, many: usize) {
    for _ in 0..many {
        enter(server, json!({})).await;
    }
}

#[track_caller]
fn challenged(answer: &Answer, why: &str) -> (String, u64) {
    let said = (answer.status, answer.str("/state"), answer.str("/why"));
    assert_eq!(said, (428, "challenge", why), "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.str("/challenge").to_owned(), answer.json["bits"].as_u64().unwrap())
}

/// The work, done from the page of the API alone.
fn solve(challenge: &str, bits: u64) -> String {
    let zeros = |nonce: &String| {
        let hash = digest(&SHA256, format!("{challenge}{nonce}").as_bytes());
        let head: [u8; 8] = hash.as_ref()[..8].try_into().unwrap();
        u64::from(u64::from_be_bytes(head).leading_zeros())
    };
    (0..u64::MAX).map(|n| n.to_string()).find(|nonce| zeros(nonce) >= bits).unwrap()
}

/// The same that entered, with an answer.
async fn answer(server: &TestServer, who: Value, challenge: &str, nonce: &str) -> Answer {
    let mut body = who;
    body["challenge"] = json!(challenge);
    body["nonce"] = json!(nonce);
    enter(server, body).await
}

/// Enters from an address, as a trusted proxy says.
async fn enter_from(server: &TestServer, address: &str, who: Value) -> (u16, Value) {
    let request = awc::Client::default()
        .post(server.url("/v1/queue/enter"))
        .insert_header(("X-Forwarded-For", address));
    let mut response = request.send_json(&who).await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn metric(server: &TestServer, name: &str) -> String {
    let url = format!("http://{}/metrics", server.operators);
    let page = ask("GET", &url, Auth::None, None).await;
    let line = page.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{}", page.text)).to_owned()
}

async fn verdicts(server: &TestServer, verdict: &str) -> String {
    metric(server, &format!("login_queue_verdicts_total{{verdict=\"{verdict}\"}}")).await
}

async fn nakama(server: &TestServer, name: &str) -> Answer {
    server.with_key(DEVICE, json!({"id": format!("{name}-device")})).await
}

#[actix_rt::test]
async fn off_by_default_nobody_is_asked_or_put_behind_whatever_comes() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.abuse.attack_per_second = 1;
    })
    .await;
    for n in 0..150 {
        let placed = enter(&server, device(&format!("player-{n}"))).await;
        assert_eq!((placed.status, placed.str("/lane")), (202, "standard"), "{}", placed.text);
    }
    assert_eq!(nakama(&server, "ada").await.json["queue"]["lane"], "standard");
    let pragma = get_in_queue(&server).await;
    assert_eq!(claims(pragma.str("/token"))["l"], STANDARD);
    assert_eq!(verdicts(&server, "clear").await, "152.0");
    assert_eq!(metric(&server, "login_queue_alarm_level").await, "5.0", "but it is told");
}

#[actix_rt::test]
async fn in_an_attack_a_place_costs_a_solved_challenge_once_soon_and_from_the_same_device() {
    let server = closed(When::Attack).await;
    let calm = enter(&server, device("early")).await;
    assert_eq!(calm.status, 202, "{}", calm.text);
    attack(&server, 60).await;
    let (challenge, bits) = challenged(&enter(&server, device("ada")).await, "challenged");
    assert!((6..=10).contains(&bits), "{bits}");
    let wrong = (0..u64::MAX).map(|n| n.to_string());
    let hash = |nonce: &String| digest(&SHA256, format!("{challenge}{nonce}").as_bytes());
    let wrong = wrong.into_iter().find(|nonce| hash(nonce).as_ref()[0] > 127).unwrap();
    challenged(&answer(&server, device("ada"), &challenge, &wrong).await, "failed");
    let nonce = solve(&challenge, bits);
    challenged(&answer(&server, device("bob"), &challenge, &nonce).await, "failed");
    challenged(&answer(&server, json!({}), &challenge, &nonce).await, "failed");
    let placed = answer(&server, device("ada"), &challenge, &nonce).await;
    assert_eq!((placed.status, placed.str("/lane")), (202, "standard"), "{}", placed.text);
    challenged(&answer(&server, device("ada"), &challenge, &nonce).await, "replayed");
    challenged(&answer(&server, device("cem"), "c1.AAAA", &nonce).await, "failed");

    let (challenge, bits) = challenged(&enter(&server, device("dan")).await, "challenged");
    server.pass_ms(90_000).await;
    let late = answer(&server, device("dan"), &challenge, &solve(&challenge, bits)).await;
    let (challenge, bits) = challenged(&late, "expired");
    let again = answer(&server, device("dan"), &challenge, &solve(&challenge, bits)).await;
    assert_eq!((again.status, again.str("/lane")), (202, "standard"), "{}", again.text);
    for (verdict, count) in
        [("solved", "2.0"), ("failed", "4.0"), ("replayed", "1.0"), ("expired", "1.0")]
    {
        assert_eq!(verdicts(&server, verdict).await, count, "{verdict}");
    }
    server.pass_ms(3_600_000).await;
    assert_eq!(metric(&server, "login_queue_alarm_level").await, "0.0");
    assert_eq!(enter(&server, device("eve")).await.status, 202, "over: nobody is asked");
}

#[actix_rt::test]
async fn a_friend_who_is_invited_is_asked_as_everybody_is() {
    let server = closed(When::Attack).await;
    let first = enter(&server, device("ada")).await;
    let invited = with_ticket(&server, "POST", "/v1/queue/party", first.str("/ticket")).await;
    attack(&server, 60).await;
    let mut bob = device("bob");
    bob["party"] = invited.json["party_token"].clone();
    let (challenge, bits) = challenged(&enter(&server, bob.clone()).await, "challenged");
    let placed = answer(&server, bob, &challenge, &solve(&challenge, bits)).await;
    assert_eq!((placed.status, placed.str("/lane")), (202, "standard"), "{}", placed.text);
    assert_eq!(placed.json["position"], 1, "beside ada");
}

#[actix_rt::test]
async fn a_challenge_is_for_the_network_it_went_to() {
    let server = TestServer::start(|config| {
        config.server.trusted_proxies = vec![[127, 0, 0, 1].into()];
        config.queue.abuse.challenge = When::Always;
    })
    .await;
    let (status, asked) = enter_from(&server, "192.0.2.7", device("ada")).await;
    assert_eq!((status, &asked["bits"]), (428, &json!(0)), "calm: no work");
    let mut solved = device("ada");
    solved["challenge"] = asked["challenge"].clone();
    let (status, elsewhere) = enter_from(&server, "198.51.100.7", solved.clone()).await;
    assert_eq!((status, &elsewhere["why"]), (428, &json!("failed")));
    let (status, _) = enter_from(&server, "192.0.2.99", solved).await;
    assert_eq!(status, 200, "a phone's address changes within its network");
}

#[actix_rt::test]
async fn clients_that_cannot_answer_wait_in_the_low_lane_and_keep_places_they_had() {
    let server = closed(When::Attack).await;
    assert_eq!(nakama(&server, "early").await.json["queue"]["lane"], "standard");
    attack(&server, 60).await;
    let bob = nakama(&server, "bob").await;
    assert_eq!((bob.status, &bob.json["queue"]["lane"]), (429, &json!("low")), "{}", bob.text);
    let pragma = get_in_queue(&server).await;
    assert_eq!((pragma.status, &pragma.json["isAllowedIn"]), (200, &json!(false)));
    assert_eq!(claims(pragma.str("/token"))["l"], LOW);
    assert_eq!(nakama(&server, "early").await.json["queue"]["lane"], "standard", "as it was");
    assert_eq!(nakama(&server, "bob").await.json["queue"]["position"], 1, "counted once");
    assert_eq!(verdicts(&server, "unanswered").await, "2.0");
}

#[actix_rt::test]
async fn whom_a_provider_knows_is_not_put_behind() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| {
        fakes.config(config);
        config.queue.rate = 0.0;
        config.queue.abuse.challenge = When::Attack;
        config.queue.abuse.attack_per_second = 5;
    })
    .await;
    attack(&server, 60).await;
    let body = json!({"token": fakes.apple_token(json!({"sub": "apple-ada"}))});
    let ada = server.with_key("/v2/account/authenticate/apple", body).await;
    assert_eq!((ada.status, &ada.json["queue"]["lane"]), (429, &json!("standard")), "{}", ada.text);
    assert_eq!(verdicts(&server, "proven").await, "1.0");
}

#[actix_rt::test]
async fn who_proves_an_account_is_never_asked() {
    let server = TestServer::start(|config| {
        config.queue.abuse.challenge = When::Attack;
        config.queue.abuse.attack_per_second = 5;
    })
    .await;
    let ada = nakama(&server, "ada").await;
    let proof = json!({"proof": ada.str("/token")});
    attack(&server, 90).await;
    let holds = enter(&server, proof.clone()).await;
    assert_eq!((holds.status, holds.json.get("pass")), (200, None), "{}", holds.text);
    // Her slot lapses; the attack goes on.
    server.pass_ms(61_000).await;
    attack(&server, 60).await;
    challenged(&enter(&server, device("bob")).await, "challenged");
    let mut queue = crate::harness::config().queue;
    queue.rate = 0.0;
    queue.abuse.challenge = When::Attack;
    queue.abuse.attack_per_second = 5;
    server.dials.apply(&queue).await;
    let waits = enter(&server, proof).await;
    assert_eq!((waits.status, waits.str("/lane")), (202, "standard"), "{}", waits.text);
    assert_eq!(verdicts(&server, "proven").await, "1.0");
}

#[actix_rt::test]
async fn a_dorm_of_two_hundred_plays_on_and_an_address_of_bots_waits_behind_until_somebody_plays() {
    let server = TestServer::start(|config| {
        config.queue.burst = 1_000;
        // As shipped: an address is limited in earnest.
        config.limits.enter_per_second = 50;
        config.limits.sign_in_per_second = 50;
    })
    .await;
    for evening in 0..3 {
        for n in 0..200 {
            let passed = enter(&server, device(&format!("player-{evening}-{n}"))).await;
            let pass = passed.str("/pass");
            let body = json!({"id": format!("player-device-{n}"),
                "vars": {"login_queue_pass_token": pass}});
            assert_eq!(server.with_key(DEVICE, body).await.status, 200, "{n}");
        }
        server.pass_ms(600_000).await;
    }
    assert_eq!(verdicts(&server, "clear").await, "600.0");
    // The same address, and nobody comes: what the players earned is used up first.
    for n in 0..210 {
        enter(&server, device(&format!("bot-{n}"))).await;
    }
    server.pass_ms(240_000).await;
    server.pass_ms(240_000).await;
    let late = enter(&server, device("late")).await;
    assert_eq!(late.status, 200, "who is suspect comes in, too: {}", late.text);
    assert_eq!(verdicts(&server, "suspect").await, "1.0");
    for n in 0..6 {
        assert_eq!(nakama(&server, &format!("earnest-{n}")).await.status, 200);
    }
    let before = verdicts(&server, "clear").await;
    assert_eq!(enter(&server, device("later")).await.status, 200);
    assert_ne!(verdicts(&server, "clear").await, before, "players have paid for it");
}

#[actix_rt::test]
async fn limits_by_device_refuse_for_a_while_and_by_network_put_behind() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.server.trusted_proxies = vec![[127, 0, 0, 1].into()];
        config.limits.enter_identity_per_minute = 3;
        config.limits.enter_per_second = 1;
        config.limits.enter_burst = 10;
        config.queue.abuse.prefix_per_second = 4;
    })
    .await;
    for _ in 0..3 {
        assert_eq!(enter_from(&server, "192.0.2.1", device("ada")).await.0, 202);
    }
    let (status, refused) = enter_from(&server, "198.51.100.1", device("ada")).await;
    assert_eq!((status, &refused["why"]), (429, &json!("too_often")), "from wherever");
    assert_eq!(verdicts(&server, "limited_identity").await, "1.0");
    for n in 2..21 {
        let (_, placed) = enter_from(&server, &format!("192.0.2.{n}"), json!({})).await;
        assert_eq!(placed["lane"], "standard", "{n}: {placed}");
    }
    let (status, behind) = enter_from(&server, "192.0.2.77", json!({})).await;
    assert_eq!((status, &behind["lane"]), (202, &json!("low")));
    let (_, other) = enter_from(&server, "192.0.3.77", json!({})).await;
    assert_eq!(other["lane"], "standard");
    assert_eq!(verdicts(&server, "limited_prefix").await, "1.0");
    for _ in 0..10 {
        enter_from(&server, "203.0.113.1", json!({})).await;
    }
    assert_eq!(enter_from(&server, "203.0.113.1", json!({})).await.0, 429);
    assert_eq!(verdicts(&server, "limited_address").await, "1.0");
}

#[actix_rt::test]
async fn operators_switch_it_on_and_off_while_it_goes_on() {
    let server = closed(When::Off).await;
    attack(&server, 60).await;
    let mut queue = crate::harness::config().queue;
    queue.rate = 0.0;
    queue.abuse.attack_per_second = 5;
    queue.abuse.challenge = When::Attack;
    server.dials.apply(&queue).await;
    challenged(&enter(&server, device("ada")).await, "challenged");
    queue.abuse.challenge = When::Off;
    server.dials.apply(&queue).await;
    assert_eq!(enter(&server, device("ada")).await.status, 202);
}
