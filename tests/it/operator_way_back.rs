//! The last administrator is locked out, and gets back in by the server's own folder.

use anteroom::clock::Clock;
use serde_json::{Value, json};

use crate::cli::{anteroom, printed};
use crate::harness::TestServer;
use crate::operator_session::{Browser, PASSWORD, enrol, refused, with_ada};

/// Runs `anteroom operators invite` on a folder: exit code, output, errors.
fn invite(folder: &std::path::Path, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = folder.to_str().unwrap();
    let output = anteroom(&[&["operators", "invite", "--data", folder], more].concat());
    let (out, errors) = printed(&output);
    (output.status.code(), out, errors)
}

#[actix_rt::test]
async fn the_last_administrator_who_is_locked_out_invites_herself_from_the_machine() {
    let (server, mut ada) = with_ada(|config| config.dev = false).await;
    enrol(&server, &mut ada).await;
    let (code, _, errors) = invite(server.folder_path(), &[]);
    assert!(code == Some(1) && errors.contains("a server runs on this folder"), "{errors}");
    let folder = server.stop().unwrap();
    let (code, _, errors) = invite(folder.path(), &["--role", "Support"]);
    assert!(code == Some(1) && errors.contains("there are Admin"), "{errors}");
    let (code, said, errors) = invite(folder.path(), &["--role", "admin"]);
    assert_eq!(code, Some(0), "{errors}");
    let link = said.split_whitespace().find(|word| word.contains("/#/sign-in/invited?code="));
    let invitation = link.unwrap().split_once("code=").unwrap().1.to_owned();

    // The program knows the machine's time only.
    let clock = Clock::manual(Clock::machine().now());
    let server = TestServer::start_on(folder.path(), clock, |config| config.dev = false).await;
    assert_eq!(server.setup_code, None, "there is an administrator, who cannot get in");
    let mut page = Browser::at(&server);
    refused(&page.sign_in("ada@example.org", PASSWORD, "").await, 401, "totp");
    let joins = json!({"code": invitation, "email": "ada+2@example.org", "password": PASSWORD});
    let joined = page.ask("POST", "/operators/accept", joins.clone()).await;
    assert_eq!(
        (joined.status, &joined.json["permissions"]),
        (201, &json!(["*"])),
        "{}",
        joined.text
    );
    refused(&Browser::at(&server).ask("POST", "/operators/accept", joins).await, 403, "wrong_code");
    enrol_second(&server, &mut page).await;
    let all = page.get("/operators").await;
    let operators = all.json["operators"].as_array().unwrap();
    let old = operators.iter().find(|it| it["email"] == "ada@example.org").unwrap();
    let path = format!("/operators/{}", old["id"].as_str().unwrap());
    assert_eq!(page.ask("DELETE", &path, Value::Null).await.status, 204);

    let shown = printed(&anteroom(&[
        "audit",
        "show",
        "--what",
        "operator_invited",
        "--data",
        folder.path().to_str().unwrap(),
    ]));
    assert!(shown.0.contains(r#""who":"settings""#), "{shown:?}");
    assert!(!shown.0.contains(&invitation), "{shown:?}");
}

async fn enrol_second(server: &TestServer, page: &mut Browser) {
    crate::operator_session::enrol_as(server, page, "ada%2B2%40example.org").await;
}

#[test]
fn a_folder_without_a_server_and_one_without_an_administrator_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, errors) = invite(folder.path(), &[]);
    assert!(code == Some(1) && errors.contains("no server's data"), "{errors}");
}

#[actix_rt::test]
async fn while_nobody_is_an_administrator_the_setup_code_is_the_way() {
    let server = TestServer::start(|_| {}).await;
    let folder = server.stop().unwrap();
    let (code, _, errors) = invite(folder.path(), &[]);
    assert!(code == Some(1) && errors.contains("setup code"), "{errors}");
}
