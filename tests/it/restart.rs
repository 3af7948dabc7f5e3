//! Restarts in good order: everybody stands where they stood.

use serde_json::json;

use crate::harness::{TestServer, config};
use crate::program::Program;
use crate::queue_client::{device, enter, with_ticket};

const DEVICE: &str = "/v2/account/authenticate/device";

#[actix_rt::test]
async fn places_and_passes_survive_an_orderly_restart() {
    let held = |config: &mut anteroom::config::Config| config.queue.rate = 0.0;
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    let pass = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let ticket = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let implicit = server.with_key(DEVICE, json!({"id": "waiting-device"})).await;
    assert_eq!(
        (&ticket.json["positionInQueue"], &implicit.json["queue"]["position"]),
        (&json!(1), &json!(2))
    );
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    clock.advance_ms(3_600_000);

    let server = TestServer::start_on(folder.path(), clock, held).await;
    let body = json!({"token": ticket.str("/token")});
    let again = server.plain("POST", "/v1/loginqueue/checkticketv1", Some(body)).await;
    assert_eq!(again.json["positionInQueue"], 1, "an hour of downtime costs nobody's place");
    let again = server.with_key(DEVICE, json!({"id": "waiting-device"})).await;
    assert_eq!(again.json["queue"]["position"], 2);
    let newcomer = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    assert_eq!(newcomer.json["positionInQueue"], 3);
    assert_ne!(newcomer.str("/token"), pass.str("/token"));
}

#[actix_rt::test]
async fn a_redeemed_pass_stays_redeemed() {
    let server = TestServer::start(|_| {}).await;
    let pass = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let sign_in = |player: &str| {
        json!({
            "providerId": "UNSAFE",
            "providerToken": json!({"accountId": player, "displayName": player}).to_string(),
            "gameShardId": config().pragma.game_shard.to_string(),
            "loginQueuePassToken": pass.str("/token"),
        })
    };
    let path = "/v1/account/authenticateorcreatev2";
    let first = server.plain("POST", path, Some(sign_in("ada"))).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();

    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    let thief = server.plain("POST", path, Some(sign_in("bob"))).await;
    assert_eq!(thief.status, 401, "{}", thief.text);
    let retry = server.plain("POST", path, Some(sign_in("ada"))).await;
    assert_eq!(
        retry.status, 200,
        "a retry of the same sign-in gets the same answer: {}",
        retry.text
    );
}

#[actix_rt::test]
async fn a_log_out_is_not_forgotten() {
    let server = TestServer::start(|_| {}).await;
    let ada = server.with_key(DEVICE, json!({"id": "adas-only-device"})).await;
    let (token, refresh) = (ada.str("/token").to_owned(), ada.str("/refresh_token").to_owned());
    let body = Some(json!({"token": token, "refresh_token": refresh}));
    assert_eq!(server.with_token("POST", "/v2/session/logout", &token, body).await.status, 200);
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();

    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    let account = server.with_token("GET", "/v2/account", &token, None).await;
    account.is_error(401, 16, "Auth token invalid");
    let refreshed = server.with_key("/v2/account/session/refresh", json!({"token": refresh})).await;
    refreshed.is_error(401, 16, "Refresh token invalid or expired.");
}

#[test]
fn sigterm_drains_and_exits_well() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[("SERVER__DRAIN_S", "1")]);
    assert_eq!(program.terminate(), Some(0));
    let program = Program::start(folder.path(), &[]);
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn settings_that_cannot_be_used_end_with_code_78_and_words() {
    let folder = tempfile::tempdir().unwrap();
    let run = |key: &str, value: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .current_dir(folder.path())
            .env(key, value)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = run("ANTEROOM__QUEUE__RATE", "-1");
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("queue.rate must be 0 to 100000"), "{words}");
    let (code, words) = run("ANTEROOM__QUEUE__RAET", "1");
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("raet") && words.contains("rate"), "{words}");
}

/// Deletes everything in the folder but the keys.
fn lose_all_but_the_keys(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.file_name().is_some_and(|name| name != "secrets.toml") {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "the keys are left");
}

#[actix_rt::test]
async fn with_the_data_gone_and_the_keys_kept_everybody_stands_where_they_stood() {
    let held = |config: &mut anteroom::config::Config| config.queue.rate = 0.0;
    let server = TestServer::start(held).await;
    let mut pragma = Vec::new();
    for _ in 0..4 {
        let taken = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
        pragma.push(taken.str("/token").to_owned());
    }
    let ours = enter(&server, device("ada")).await;
    assert_eq!(ours.json["position"], 5);
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    lose_all_but_the_keys(folder.path());
    clock.advance_ms(60_000);

    let server = TestServer::start_on(folder.path(), clock, |config| {
        config.queue.rate = 0.01;
        config.queue.burst = 1;
    })
    .await;
    server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let newcomer = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let place = async |token: &str| {
        let body = json!({ "token": token });
        let answer = server.plain("POST", "/v1/loginqueue/checkticketv1", Some(body)).await;
        (answer.json["positionInQueue"].clone(), answer.str("/token").to_owned())
    };
    let (back, again) = place(&pragma[2]).await;
    assert_eq!(back, 1, "before the newcomer");
    let mine = with_ticket(&server, "GET", "/v1/queue/ticket", ours.str("/ticket")).await;
    assert_eq!((&mine.json["position"], mine.str("/reason")), (&json!(2), "restarted"));
    assert_eq!(place(&pragma[0]).await.0, 1, "the old order, whoever comes back first");
    assert_eq!(place(&again).await.0, 2, "the ticket that was given is good");
    assert_eq!(place(newcomer.str("/token")).await.0, 4);
    let found = enter(&server, device("ada")).await;
    assert_eq!(found.json["position"], 3, "the device is known as before");
    // The gate was used by the one who came in at once; then the old ones come, in their order.
    server.pass_ms(101_000).await;
    assert_eq!(place(&pragma[0]).await.0, 0, "and in");
    assert_eq!(place(&again).await.0, 1);
}
