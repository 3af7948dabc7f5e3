//! The operator API: settings in force, read again, and new keys.

use std::path::PathBuf;

use anteroom::config::Overrides;
use serde_json::{Value, json};

use crate::operator_client::{Desk, refused};

/// A server whose settings come from a file that the test writes.
async fn with_file(text: &str) -> (Desk, tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let named = file.clone();
    let desk = Desk::open(move |config| {
        let overrides = Overrides { file: Some(named), ..Overrides::default() };
        let read = anteroom::config::load(&overrides).unwrap();
        config.origin = read.origin;
        config.queue.rate = read.queue.rate;
        config.hooks.secret = "a-secret-of-hooks".into();
    })
    .await;
    (desk, folder, file)
}

fn keys(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect()
}

#[actix_rt::test]
async fn settings_are_told_with_their_sources_and_no_secret_is() {
    let (desk, ..) = with_file("[queue]\nrate = 33.0\n").await;
    let page = desk.get("/settings?search=queue.rate").await;
    let rate = &page["items"][0];
    assert_eq!(
        (&rate["value"], &rate["source"], &rate["live"]),
        (&json!(33.0), &json!("file"), &json!(true))
    );
    let secret = desk.get("/settings?search=hooks.secret").await;
    let secret = &secret["items"][0];
    assert_eq!((&secret["value"], &secret["secret"]), (&Value::Null, &json!(true)));
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/settings?limit=100{after}")).await;
        assert!(!page.to_string().contains("a-secret-of-hooks"));
        all.extend(keys(&page["items"]).into_iter().map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert!(all.len() > 150 && all.is_sorted_by(|a, b| a < b), "{}", all.len());
}

#[actix_rt::test]
async fn a_reload_changes_what_it_can_and_says_what_needs_a_restart() {
    let (desk, _folder, file) = with_file("[queue]\nrate = 33.0\n").await;
    // What the test set beside the file differs from it, too: that is taken or told once.
    desk.done("POST", "/settings/reload", Value::Null).await;
    let text = "[queue]\nrate = 44.0\nlane_weights = [5, 4, 3]\nline_max = 1234\n\
                [limits]\nsign_in_per_second = 1\nsign_in_burst = 2\n";
    std::fs::write(&file, text).unwrap();
    let done = desk.done("POST", "/settings/reload", Value::Null).await;
    let changed =
        ["limits.sign_in_burst", "limits.sign_in_per_second", "queue.lane_weights", "queue.rate"];
    assert_eq!(keys(&done["changed"]), changed);
    assert!(keys(&done["needs_restart"]).contains(&"queue.line_max"), "{done}");
    let dials = desk.get("/queue").await["dials"].clone();
    assert_eq!((&dials["rate"], &dials["lanes"]["weights"]), (&json!(44.0), &json!([5, 4, 3])));
    // The limit is in force: of three sign-ins at once the third is told to come back.
    let mut last = 0;
    for _ in 0..4 {
        let path = "/v2/account/authenticate/device";
        last = desk.server.with_key(path, json!({"id": "ada-device-id"})).await.status;
    }
    assert_eq!(last, 429);
    let again = desk.done("POST", "/settings/reload", Value::Null).await;
    assert_eq!(again["changed"], json!([]), "nothing is new");
    std::fs::write(&file, "[queue]\nrate = -1\n").unwrap();
    let bad = desk.call("POST", "/settings/reload", Value::Null).await;
    refused(&bad, 409, "bad_settings");
    assert!(bad.str("/message").contains("queue.rate"));
    assert_eq!(desk.get("/queue").await["dials"]["rate"], 44.0, "nothing was changed");
    let eve = desk.helper("eve", json!(["server.settings.get"])).await;
    refused(&desk.call_as(&eve, "POST", "/settings/reload", Value::Null).await, 403, "forbidden");
    let all = json!({"which": "all"});
    refused(&desk.call_as(&eve, "POST", "/keys/rotate", all).await, 403, "forbidden");
    let on_record = desk.on_record();
    for kind in ["rate", "lanes", "setting"] {
        assert!(on_record.iter().any(|it| it == kind), "{kind} in {on_record:?}");
    }
}

#[actix_rt::test]
async fn without_a_file_there_is_nothing_to_read_again_and_new_keys_wait_for_a_start() {
    let desk = Desk::open(|_| {}).await;
    refused(&desk.call("POST", "/settings/reload", Value::Null).await, 409, "no_file");
    refused(&desk.call("POST", "/keys/rotate", json!({"which": "some"})).await, 400, "bad_request");
    let rotated = desk.done("POST", "/keys/rotate", json!({"which": "tickets"})).await;
    assert_eq!(rotated, json!({"which": "tickets", "needs_restart": true}));
    desk.get("/queue").await;
    let folder = desk.server.stop().unwrap();
    let secrets = std::fs::read_to_string(folder.path().join("secrets.toml")).unwrap();
    assert!(secrets.contains("previous_ticket_key") && !secrets.contains("previous_nakama"));
}
