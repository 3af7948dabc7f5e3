//! `anteroom why`: a real server, and then the real binary tells what happened on it.

use std::path::Path;
use std::process::Command;

use anteroom::domain::queue::{Announcement, Mode};
use anteroom::domain::time::UnixMicros;
use anteroom::store::journal;
use serde_json::{Value, json};

use crate::harness::{Auth, TestServer, ask};
use crate::pragma_client::{check_ticket, claims, get_in_queue, sign_in};

const DEVICE: &str = "/v2/account/authenticate/device";

/// Exit code, output, errors.
fn why(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut anteroom = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    anteroom.arg("why").args(args).arg("--data").arg(data).current_dir(data);
    let output = anteroom.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn told(data: &Path, args: &[&str]) -> Value {
    let (code, text, error) = why(data, &[args, &["--json"]].concat());
    assert_eq!(code, Some(0), "{error}");
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["exact"], true, "{text}");
    told
}

fn happened(told: &Value) -> Vec<&str> {
    let events = told["story"]["events"].as_array().unwrap();
    events.iter().map(|event| event["what"].as_str().unwrap()).collect()
}

async fn one_a_second() -> TestServer {
    TestServer::start(|config| {
        (config.queue.rate, config.queue.burst, config.queue.slow_start) = (1.0, 1, 1.0);
    })
    .await
}

/// Time passes, and these ask in each second.
async fn pass_s(server: &TestServer, seconds: u64, tickets: &[String]) {
    for _ in 0..seconds {
        server.pass_ms(1_000).await;
        for ticket in tickets {
            assert_eq!(check_ticket(server, ticket).await.status, 200);
        }
    }
}

async fn ticket(server: &TestServer) -> String {
    get_in_queue(server).await.str("/token").to_owned()
}

#[actix_rt::test]
async fn the_story_of_a_ticket() {
    let server = one_a_second().await;
    let mut tickets = Vec::new();
    for _ in 0..6 {
        tickets.push(ticket(&server).await);
    }
    let ours = tickets.last().unwrap().clone();
    pass_s(&server, 2, &tickets).await;
    let until = UnixMicros(server.clock.now().0).plus_secs(60);
    let pause = Announcement::new(Mode::Paused, Some(until), "a new map");
    server.dials.announce(pause).await.unwrap();
    pass_s(&server, 63, &tickets).await;
    let pass = check_ticket(&server, &ours).await;
    assert_eq!(pass.json["isAllowedIn"], true, "{}", pass.text);
    assert_eq!(sign_in(&server, "ada", pass.str("/token")).await.status, 200);
    server.pass_ms(2_000).await;
    let data = server.stop().unwrap();

    let told = told(data.path(), &["--token", &ours]);
    assert_eq!(happened(&told), ["entered", "announced", "announced", "admitted"]);
    let story = &told["story"];
    assert_eq!(story["events"][0]["position"], 5);
    assert_eq!(story["events"][1]["said"]["message"], "a new map");
    assert_eq!(story["ended"][1], "signed_in");
    assert_eq!(story["causes"], json!({"paused": 60_000_000, "rate": 4_000_000}));
    assert_eq!(story["ahead"], json!({"admitted": 4, "left": 0, "silent": 0, "returned": 0}));
    let summary = told["summary"].as_str().unwrap();
    assert!(
        summary
            .starts_with("You waited 1 min 4 s: 1 min 0 s because admissions were paused, 4.0 s"),
        "{summary}"
    );

    let number = claims(&ours)["sub"].as_str().unwrap().to_owned();
    let (code, text, _) = why(data.path(), &["--ticket", &number]);
    assert_eq!(code, Some(0));
    assert!(text.contains("place 5 of the standard lane"), "{text}");
    assert!(text.contains("\u{201c}a new map\u{201d}") && text.ends_with("signed in.\n"), "{text}");
    let (code, _, error) = why(data.path(), &["--ticket", "12345"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("had not been given"), "{error}");
    let (code, _, error) = why(data.path(), &["--token", "nonsense"]);
    assert_eq!((code, error.as_str()), (Some(1), "anteroom: why: --token: not a ticket token\n"));
    assert_eq!(why(data.path(), &[]).0, Some(2), "somebody, or a moment");
}

#[actix_rt::test]
async fn who_stands_in_line_without_a_token_and_over_a_restart() {
    let server = one_a_second().await;
    for _ in 0..5 {
        ticket(&server).await;
    }
    let ada = json!({"id": "ada-device-0001"});
    assert_eq!(server.with_key(DEVICE, ada.clone()).await.status, 429);
    server.pass_ms(2_000).await;
    let clock = server.clock.clone();
    let data = server.stop().unwrap();
    clock.advance_ms(30_000);
    let again = TestServer::start_on(data.path(), clock, |config| {
        (config.queue.rate, config.queue.burst) = (0.0, 1);
    })
    .await;
    assert_eq!(again.with_key(DEVICE, ada).await.status, 429);
    again.pass_ms(5_000).await;
    again.stop();

    let told = told(data.path(), &["--owner", "device:ada-device-0001"]);
    assert_eq!(happened(&told)[..3], ["entered", "stopped", "started"]);
    assert_eq!(told["story"]["causes"]["down"], 30_000_000, "{}", told["story"]);
    assert!(told["story"]["causes"]["no_rate"].as_u64() >= Some(5_000_000), "{}", told["story"]);
    assert_eq!(told["story"]["stands"]["lane"], "standard");
    let (code, _, error) = why(data.path(), &["--owner", "device:nobody"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("does not stand in line anywhere"), "{error}");

    let (code, scene, error) = why(data.path(), &["--at", "2027-01-15T08:00:01Z"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(scene.contains("waiting: 5 standard") && scene.contains("rate: 1 a second"), "{scene}");
    let (code, _, error) = why(data.path(), &["--at", "2027-01-14T08:00:00Z"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("not in the journal any more: it begins at 2027-01-15"), "{error}");
}

#[actix_rt::test]
async fn a_running_server_is_asked_and_its_journal_is_the_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_on(folder.path(), TestServer::noon(), |config| {
        (config.queue.rate, config.queue.cap) = (0.0, 10);
    })
    .await;
    let ours = ticket(&server).await;
    // The journal is written behind the line: it is there some time after its second is over.
    let told = loop {
        server.pass_ms(1_000).await;
        let (code, text, _) = why(folder.path(), &["--token", &ours]);
        if code == Some(0) {
            break text;
        }
    };
    assert!(told.contains("because the rate was set to 0"), "{told}");
    assert!(told.contains("You are at place 1 of the standard lane."), "{told}");
    let segments = journal::list(&folder.path().join("queue/journal")).unwrap();
    let mode = std::fs::metadata(&segments[0].path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let url = format!("http://{}/metrics", server.operators);
    let metrics = ask("GET", &url, Auth::None, None).await.text;
    assert!(metrics.contains("login_queue_journal_bytes"), "{metrics}");
    assert!(metrics.contains("login_queue_journal_gaps_total 0"), "{metrics}");
}

#[actix_rt::test]
async fn without_a_journal_nothing_is_written_and_nothing_told() {
    let server = TestServer::start(|config| config.queue.journal_mb = 0).await;
    ticket(&server).await;
    let data = server.stop().unwrap();
    assert!(!data.path().join("queue/journal").exists());
    let (code, _, error) = why(data.path(), &["--ticket", "1"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("there is no journal"), "{error}");
}
