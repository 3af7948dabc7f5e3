//! What hooks are told afterwards, what they are never told, and what is said of them elsewhere.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anteroom::clock::Clock;
use anteroom::domain::hook::HookEvent::{
    self, AccountCreate, AccountCreated, AccountDeleted, AccountLogin, AccountRename,
};
use anteroom::ids::Dice;
use anteroom::server::{Own, StartError, bind_with};
use serde_json::{Value, json};

use super::example::OurName;
use super::receiver::{Reply, SECRET};
use super::{custom, start};
use crate::harness::{Auth, TestServer, ask, config};
use crate::pragma_client::{claims, come_in, rpc_refused};
use crate::running::Running;

#[actix_web::test]
async fn an_account_is_told_of_once_it_is_there_and_again_until_that_is_heard() {
    let (receiver, server) = start(&[AccountCreated]).await;
    receiver.replies(AccountCreated, vec![Reply::Status(503), Reply::Status(204)]);
    let made = custom(&server, "shop|7").await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first, second, "the same event");
    let id = server.with_token("GET", "/v2/account", made.str("/token"), None).await;
    let id = id.json["user"]["id"].clone();
    let expected = json!({
        "event": "account_created", "eventId": first["eventId"],
        "account": {"id": id, "username": "ada", "displayName": "", "pragmaName": null},
        "link": {"kind": "custom", "id": "shop|7"},
        "wanted": {"username": null, "displayName": null}, "created": true,
        "protocol": "nakama", "gameShardId": null, "clientAddress": null,
    });
    assert_eq!(first, expected);
    let pam = come_in(&server, "pam").await;
    let told = receiver.next().await;
    assert_eq!(told["account"]["id"], claims(&pam.social)["pragmaSocialId"]);
    assert_eq!(told["gameShardId"], claims(&pam.game)["gameShardId"]);
    custom(&server, "shop|7").await;
    come_in(&server, "pam").await;
    let folder = server.stop();
    assert_eq!(receiver.calls(AccountCreated).len(), 3, "who is there already is no news");
    drop(folder);
}

#[actix_web::test]
async fn nothing_anybody_signs_in_with_is_told_or_shown() {
    let (receiver, server) = start(&HookEvent::ALL).await;
    let login = json!({"email": "ada@example.com", "password": "correct-horse"});
    let ada = server.with_key("/v2/account/authenticate/email?create=true", login.clone()).await;
    let token = ada.str("/token").to_owned();
    let device = json!({"id": "device-0123456789"});
    for (path, body) in [
        ("link/device", device.clone()),
        ("unlink/device", device.clone()),
        ("link/email", json!({"email": "ada2@example.com", "password": "correct-horse-2"})),
        ("link/device", device.clone()),
        ("unlink/email", json!({"email": "ada2@example.com"})),
    ] {
        let path = format!("/v2/account/{path}");
        assert_eq!(server.with_token("POST", &path, &token, Some(body)).await.status, 200);
    }
    server.with_key("/v2/account/authenticate/device", device).await;
    assert_eq!(server.with_token("DELETE", "/v2/account", &token, None).await.status, 200);
    while receiver.calls(AccountDeleted).is_empty() {
        receiver.next().await;
    }
    let said = receiver.said();
    for event in HookEvent::ALL.into_iter().filter(|event| *event != AccountRename) {
        assert!(!receiver.calls(event).is_empty(), "{event:?}");
    }
    for secret in ["example.com", "correct-horse", "device-0123456789", &token, SECRET] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    assert!(receiver.forged().is_empty());
}

#[actix_web::test]
async fn what_came_of_hooks_stands_on_the_metrics_page() {
    let (receiver, server) = start(&[AccountLogin, AccountCreated]).await;
    custom(&server, "shop|7").await;
    receiver.next().await;
    receiver.next().await;
    receiver.refuse(AccountLogin, "no");
    custom(&server, "shop|7").await;
    receiver.reply(AccountLogin, Reply::Status(500));
    custom(&server, "shop|7").await;
    let url = format!("http://{}/metrics", server.operators);
    let page = ask("GET", &url, Auth::None, None).await;
    for outcome in ["allowed", "refused", "unavailable"] {
        let line = format!("hooks_total{{event=\"account_login\",outcome=\"{outcome}\"}} 1");
        assert!(page.text.contains(&line), "{line} in {}", page.text);
    }
}

#[actix_web::test]
async fn two_at_once_make_one_account_and_both_are_asked_about() {
    let (receiver, server) = start(&[AccountCreate, AccountLogin, AccountCreated]).await;
    let both = (0..8).map(|_| custom(&server, "shop|7"));
    let both = futures_util::future::join_all(both).await;
    let made = both.iter().filter(|it| it.json["created"] == true).count();
    assert_eq!((made, both.iter().all(|it| it.status == 200)), (1, true), "{both:?}");
    // Everybody who found it there was asked about as such.
    let known = receiver.calls(AccountLogin).iter().filter(|it| it["created"] == false).count();
    assert_eq!(known, 7);
    while receiver.calls(AccountCreated).is_empty() {
        receiver.next().await;
    }
}

#[actix_web::test]
async fn hooks_may_be_compiled_in_and_not_be_in_the_settings_beside() {
    let document = include_str!("../../../docs/hooks.md");
    let example = include_str!("example.rs");
    assert!(document.contains(&format!("```rust\n{example}```\n")), "copy the example into it");
    let folder = tempfile::tempdir().unwrap();
    let mut settings = config();
    settings.server.data = folder.path().to_owned();
    settings.hooks.url = "https://hooks.example/".into();
    settings.hooks.secret = SECRET.into();
    let own = || Own { hooks: Some(Arc::new(OurName)), ..Own::default() };
    let server =
        TestServer::start_own(own(), |config| config.pragma.display_name_changes = true).await;
    let ada = custom(&server, "shop|7").await;
    let rename = async |name: &str| {
        let body = Some(json!({"display_name": name}));
        server.with_token("PUT", "/v2/account", ada.str("/token"), body).await
    };
    rename("ACME support").await.is_error(403, 7, "That name is ours.");
    assert_eq!(rename("Ada").await.status, 200);
    let pam = come_in(&server, "pam").await;
    let kind = "AccountRpc.UpdateDisplayNameV1Request";
    let wanted = json!({"requestedDisplayName": "Acme Pam"});
    assert_eq!(rpc_refused(server.players, &pam.social, kind, wanted).await, "REFUSED_BY_HOOK");
    let started = bind_with(settings, TestServer::noon(), Dice::seeded(7), own()).await;
    assert!(matches!(started.err(), Some(StartError::TwoHooks)));
}

#[test]
fn settings_that_ask_nobody_are_refused() {
    let mut settings = config();
    settings.hooks.events = vec![AccountLogin];
    let refused = anteroom::config::check::check(&settings).unwrap_err().to_string();
    assert_eq!(refused, "hooks.events need hooks.url");
}

/// The service that the page shows, run as it stands there.
#[actix_web::test]
async fn the_pages_own_service_answers_us_and_nobody_else() {
    let page = include_str!("../../../docs/hooks.md");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/hooks.mjs");
    assert!(
        page.contains(std::fs::read_to_string(script).unwrap().trim()),
        "copy it into the page"
    );
    let mut command = Command::new("node");
    command.arg(script).env("PORT", "0").env("HOOK_SECRET", SECRET).stdout(Stdio::piped());
    let mut service = Running::start(&mut command);
    let mut line = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().trim_start_matches("hooks at ").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_on(folder.path(), Clock::machine(), |config| {
        config.hooks.url.clone_from(&url);
        config.hooks.secret = SECRET.into();
        config.hooks.events = vec![AccountCreate, AccountLogin];
    })
    .await;
    custom(&server, "forged-id").await.is_error(403, 7, "Sign up in our shop first.");
    assert_eq!(custom(&server, "shop|7").await.status, 200);
    let pam = come_in(&server, "pam").await;
    let ext: Value =
        serde_json::from_str(claims(&pam.game)["extSessionInfo"].as_str().unwrap()).unwrap();
    assert_eq!(ext, json!({"clan": "red"}));
    let forged = ask("POST", &url, Auth::None, Some(json!({"event": "account_login"}))).await;
    assert_eq!(forged.status, 401);
}
