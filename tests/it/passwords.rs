//! Sign-in by password: right, wrong, nobody; hashing that is busy; parameters that changed.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::TestServer;
use crate::races::user_id;

const PATH: &str = "/v2/account/authenticate/email";

fn ada(password: &str) -> serde_json::Value {
    json!({"email": "Ada@Example.org", "password": password})
}

#[actix_rt::test]
async fn the_right_password_signs_in_whatever_the_case_of_the_address() {
    let server = TestServer::start(|_| {}).await;
    let made = server.with_key(PATH, ada("correct horse")).await;
    assert_eq!((made.status, &made.json["created"]), (200, &json!(true)), "{}", made.text);
    let again = json!({"email": "ada@example.ORG", "password": "correct horse"});
    let again = server.with_key(PATH, again).await;
    assert_eq!(user_id(again.str("/token")), user_id(made.str("/token")));
    assert_eq!(again.json.get("created"), None);
}

#[actix_rt::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let server = TestServer::start(|_| {}).await;
    server.with_key(PATH, ada("correct horse")).await;
    let wrong = server.with_key(&format!("{PATH}?create=false"), ada("battery staple")).await;
    let nobody = json!({"email": "nobody@example.org", "password": "battery staple"});
    let nobody = server.with_key(&format!("{PATH}?create=false"), nobody).await;
    wrong.is_error(401, 16, "Invalid credentials.");
    assert_eq!((wrong.status, &wrong.json), (nobody.status, &nobody.json));
}

#[actix_rt::test]
async fn the_answers_can_be_told_apart_where_the_studio_wants_it() {
    let server = TestServer::start(|config| config.passwords.uniform_answer = false).await;
    let nobody = server.with_key(&format!("{PATH}?create=false"), ada("battery staple")).await;
    nobody.is_error(404, 5, "User account not found.");
}

#[actix_rt::test]
async fn a_user_name_and_the_password_sign_in_too() {
    let server = TestServer::start(|_| {}).await;
    let made = server.with_key(&format!("{PATH}?username=ada"), ada("correct horse")).await;
    let by_name = json!({"email": "", "password": "correct horse"});
    let by_name = server.with_key(&format!("{PATH}?username=ada"), by_name).await;
    assert_eq!(user_id(by_name.str("/token")), user_id(made.str("/token")));
}

#[actix_rt::test]
async fn a_wrong_password_does_not_hold_a_slot() {
    let server = TestServer::start(|config| config.queue.burst = 100).await;
    server.with_key(PATH, ada("correct horse")).await;
    let before = server.dials.figures().await.unwrap();
    for n in 0..5 {
        let body = json!({"email": format!("nobody{n}@example.org"), "password": "battery staple"});
        let answer = server.with_key(&format!("{PATH}?create=false"), body).await;
        assert_eq!(answer.status, 401);
    }
    server.dials.turn().await;
    let after = server.dials.figures().await.unwrap();
    assert_eq!(after.passes_out, before.passes_out, "slots went back");
}

#[actix_rt::test]
async fn a_busy_pool_says_when_to_come_back_and_the_others_are_served() {
    let server = TestServer::start(|config| {
        config.passwords.queue_max = 1;
        config.passwords.threads = 1;
        config.queue.burst = 1_000;
    })
    .await;
    let asks = (0..30).map(|n| {
        let body = json!({"email": format!("player{n}@example.org"), "password": "correct horse"});
        server.with_key(PATH, body)
    });
    let answers = join_all(asks).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty() && answers.iter().any(|answer| answer.status == 200));
    for answer in refused {
        assert_eq!(answer.json["code"], 8, "{}", answer.text);
        assert!(
            answer.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0))
        );
    }
    let device =
        server.with_key("/v2/account/authenticate/device", json!({"id": "no-password-here"})).await;
    assert_eq!(device.status, 200);
}

#[actix_rt::test]
async fn too_many_wrong_passwords_are_refused_for_a_while() {
    let server = TestServer::start(|config| config.limits.wrong_passwords_per_minute = 3).await;
    server.with_key(PATH, ada("correct horse")).await;
    for _ in 0..3 {
        server.with_key(PATH, ada("battery staple")).await.is_error(
            401,
            16,
            "Invalid credentials.",
        );
    }
    let refused = server.with_key(PATH, ada("correct horse")).await;
    assert_eq!((refused.status, &refused.json["code"]), (429, &json!(8)), "{}", refused.text);
    server.pass_ms(60_000).await;
    assert_eq!(server.with_key(PATH, ada("correct horse")).await.status, 200);
}

#[actix_rt::test]
async fn a_password_is_hashed_anew_when_the_parameters_have_changed() {
    let server = TestServer::start(|_| {}).await;
    server.with_key(PATH, ada("correct horse")).await;
    let (folder, clock) = (tempfile::tempdir().unwrap(), server.clock.clone());
    let old = server.stop().unwrap();
    let _ = folder;
    let stored = |folder: &std::path::Path| phc_on_disk(folder);
    assert!(stored(old.path()).iter().any(|hash| hash.contains("m=8192,t=1")));
    for round in 0..2 {
        let set = |config: &mut anteroom::config::Config| config.passwords.iterations = 2;
        let server = TestServer::start_on(old.path(), clock.clone(), set).await;
        assert_eq!(server.with_key(PATH, ada("correct horse")).await.status, 200, "round {round}");
        server.stop();
    }
    assert!(stored(old.path()).iter().any(|hash| hash.contains("m=8192,t=2")));
}

/// Every argon2 hash that stands in the store's files, readable or not by any index.
fn phc_on_disk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                found.extend(
                    text.split("$argon2id$").skip(1).map(|rest| rest.chars().take(40).collect()),
                );
            }
        }
    }
    found
}
