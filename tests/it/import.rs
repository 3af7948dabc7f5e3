//! Accounts that move: a hundred thousand from Nakama's tables, who sign in with their old passwords;
//! an export that becomes the same accounts again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::printed;
use crate::harness::{Answer, TestServer};
use crate::operator_providers::{OKTA, for_, office, trip};
use crate::operator_session::with_ada;
use crate::races::user_id;

/// "their old password", by bcrypt as Nakama stores it, cheap enough for a test.
const COST: u32 = 4;

/// Runs the binary; exit code, output, errors.
fn anteroom(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
    let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
    let (out, errors) = printed(&output);
    (output.status.code(), out, errors)
}

fn id(n: u32) -> String {
    format!("4c2a0d6e-0000-4000-8000-{n:012x}")
}

fn is_disabled(n: u32) -> bool {
    n % 1_000 == 7
}

/// The password of somebody who has one: every tenth.
fn password(n: u32) -> String {
    if n < 30 { format!("old password {n}") } else { "their old password".to_owned() }
}

/// What `COPY … TO … CSV HEADER` would write; some rows are bad.
fn tables(folder: &Path, count: u32) {
    let epoch = "1970-01-01 00:00:00+00";
    let then = "2021-03-04 05:06:07.890123+00";
    let hash = |password: &str| {
        let hash = bcrypt::hash(password, COST).unwrap();
        hash.bytes().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    };
    let shared = hash("their old password");
    let mut users = "id,username,display_name,avatar_url,lang_tag,location,timezone,metadata,wallet,\
                     email,password,facebook_id,google_id,gamecenter_id,steam_id,custom_id,edge_count,\
                     create_time,update_time,verify_time,disable_time,facebook_instant_game_id,apple_id\n"
        .to_owned();
    let mut devices = "id,user_id\n".to_owned();
    let mut edges = "source_id,position,update_time,destination_id,state,metadata\n".to_owned();
    let nobody = "00000000-0000-0000-0000-000000000000";
    writeln!(users, "{nobody},,,,en,,,{{}},{{}},,,,,,,,0,{then},{then},{epoch},{epoch},,").unwrap();
    for n in 0..count {
        let (mut email, mut old) = (String::new(), String::new());
        if n % 10 == 0 {
            email = format!("Player{n}@mail.example");
            old = if n < 30 { hash(&password(n)) } else { shared.clone() };
        }
        let disabled = if is_disabled(n) { then } else { epoch };
        let metadata = if n == 3 { "\"{\"\"level\"\": 5}\"" } else { "{}" };
        let id = id(n);
        writeln!(
            users,
            "{id},player{n},\"Player, {n}\",,en,,,{metadata},{{}},{email},{old},,,,,,0,{then},{then},\
             {epoch},{disabled},,"
        )
        .unwrap();
        writeln!(devices, "device-of-player-{n},{id}").unwrap();
    }
    let mut edge = |a: u32, b: u32, state: u8| {
        writeln!(edges, "{},1600000000000000000,{then},{},{state},{{}}", id(a), id(b)).unwrap();
    };
    for n in (0..count).step_by(4) {
        edge(n, n + 1, 0);
        edge(n + 1, n, 0);
        edge(n, n + 2, 1);
        edge(n + 2, n, 2);
        edge(n, n + 3, 3);
    }
    edge(1, 2, 0); // the other side knows nothing of it
    edge(1, count + 5, 3); // nobody
    writeln!(users, "not-an-id,x,,,,,,,,,,,,,,,0,{then},{then},{epoch},{epoch},,").unwrap();
    writeln!(users, "too,short").unwrap();
    writeln!(users, "{},player1,,,,,,,,,,,,,,,0,{then},{then},{epoch},{epoch},,", id(count + 1))
        .unwrap();
    writeln!(devices, "second-device-of-nobody,{}", id(count + 1)).unwrap();
    writeln!(devices, "tiny,{}", id(5)).unwrap();
    for (name, text) in
        [("users.csv", users), ("user_device.csv", devices), ("user_edge.csv", edges)]
    {
        fs::write(folder.join(name), text).unwrap();
    }
}

async fn by_device(server: &TestServer, n: u32) -> Answer {
    let body = json!({"id": format!("device-of-player-{n}")});
    server.with_key("/v2/account/authenticate/device?create=false", body).await
}

async fn by_email(server: &TestServer, n: u32, password: &str) -> Answer {
    let body = json!({"email": format!("player{n}@mail.example"), "password": password});
    server.with_key("/v2/account/authenticate/email?create=false", body).await
}

/// Names and states of somebody's friends.
async fn friends(server: &TestServer, n: u32) -> Vec<(String, u64)> {
    let token = by_device(server, n).await.str("/token").to_owned();
    let answer = server.with_token("GET", "/v2/friend", &token, None).await;
    let friends = answer.json["friends"].as_array().cloned().unwrap_or_default();
    let entry = |friend: &Value| {
        let name = friend["user"]["username"].as_str().unwrap().to_owned();
        (name, friend["state"].as_u64().unwrap_or_default())
    };
    friends.iter().map(entry).collect()
}

/// Every account of an export, by its id.
fn accounts(export: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(export).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let accounts = lines.filter(|line| line["line"] == "account");
    accounts.map(|line| (line["id"].as_str().unwrap().to_owned(), line)).collect()
}

#[test]
fn rows_that_cannot_be_taken_are_told_and_an_import_goes_on_where_it_stopped() {
    const COUNT: u32 = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    tables(folder.path(), COUNT);
    let data = path("data");
    let import = ["import", &path(""), "--from", "nakama", "--data", &data];
    let (code, said, errors) = anteroom(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("2000 would be taken, 0 there already, 3 not taken"), "{said}");
    assert!(!Path::new(&data).join("accounts").exists(), "nothing was written");

    // Half of it first, as if it had been interrupted.
    let half = folder.path().join("half");
    fs::create_dir(&half).unwrap();
    tables(&half, COUNT / 2);
    let first = ["import", half.to_str().unwrap(), "--from", "nakama", "--data", &data];
    assert_eq!(anteroom(&first).0, Some(0));
    let (code, said, errors) = anteroom(&import);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("accounts: 1000 taken, 1000 there already, 3 not taken"), "{said}");
    assert!(said.contains("blocks: 1500 taken"), "{said}");
    assert!(said.contains("not kept: metadata of 1 accounts"), "{said}");
    for problem in [
        format!("users.csv:{}: id: cannot be read", COUNT + 3),
        format!("users.csv:{}: not a line of this form: 2 columns, not 23", COUNT + 4),
        format!("users.csv:{}: a link or a name of it is another account's", COUNT + 5),
        "users.csv:8: the device id cannot be one here".to_owned(),
        format!("user_edge.csv:{}: the other side has no record", COUNT / 4 * 5 + 2),
        format!("user_edge.csv:{}: one of the two accounts is not there", COUNT / 4 * 5 + 3),
    ] {
        assert!(errors.contains(&problem), "no `{problem}` in\n{errors}");
    }
    assert_eq!(errors.lines().count(), 6, "{errors}");
    let (code, said, _) = anteroom(&import);
    assert_eq!(code, Some(0));
    assert!(said.contains("0 taken, 2000 there already, 3 not taken"), "again: {said}");
    assert!(said.contains("blocks: 0 taken"), "again: {said}");
    fs::write(folder.path().join("users.csv"), "a,b\n1,2\n").unwrap();
    let (code, _, errors) = anteroom(&import);
    assert_eq!(code, Some(78));
    assert!(errors.contains("has no column id"), "{errors}");
}

#[actix_rt::test]
async fn a_hundred_thousand_players_come_from_nakama_and_sign_in_as_before() {
    const COUNT: u32 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    tables(folder.path(), COUNT);
    let data = path("data");
    let (code, said, errors) =
        anteroom(&["import", &path(""), "--from", "nakama", "--data", &data]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("accounts: 100000 taken"), "{said}");
    assert!(said.contains("blocks: 150000 taken"), "{said}");

    let server = TestServer::start_on(Path::new(&data), TestServer::noon(), |config| {
        config.queue.gate = anteroom::config::Gate::Off;
    })
    .await;
    for n in [0, 1, 12_345, COUNT - 1] {
        let answer = by_device(&server, n).await;
        assert_eq!(answer.status, 200, "{n}: {}", answer.text);
        assert_eq!(user_id(answer.str("/token")), id(n));
    }
    for n in [0, 10, 20, 500, 99_990] {
        assert_eq!(by_email(&server, n, "not their password").await.status, 401);
        for _ in 0..2 {
            let answer = by_email(&server, n, &password(n)).await;
            assert_eq!(answer.status, 200, "{n}: {}", answer.text);
            assert_eq!(user_id(answer.str("/token")), id(n));
        }
    }
    assert_eq!(by_device(&server, 1_007).await.status, 403, "disabled there, banned here");
    let named = |n: u32, state: u64| (format!("player{n}"), state);
    assert_eq!(friends(&server, 400).await, [named(401, 0), named(402, 1), named(403, 3)]);
    assert_eq!(friends(&server, 402).await, [named(400, 2)]);
    assert!(friends(&server, 403).await.is_empty(), "who is blocked is not told");
    let account = by_device(&server, 3).await.str("/token").to_owned();
    let account = server.with_token("GET", "/v2/account", &account, None).await;
    assert_eq!(
        (account.str("/user/display_name"), account.str("/user/create_time")),
        ("Player, 3", "2021-03-04T05:06:07Z")
    );
    drop(server);

    let export = path("export.jsonl");
    let (code, _, errors) = anteroom(&["export", &export, "--data", &data]);
    assert_eq!(code, Some(0), "{errors}");
    let accounts = accounts(Path::new(&export));
    let scheme = |n: u32| accounts[&id(n)]["password"].as_str().unwrap()[..4].to_owned();
    for n in [0, 10, 20, 500, 99_990] {
        assert_eq!(scheme(n), "$arg", "{n} was hashed anew at the sign-in");
    }
    assert!(scheme(30).starts_with("$2"), "who did not come yet keeps the old hash");
}

#[actix_rt::test]
async fn an_export_becomes_the_same_accounts_again() {
    let server = TestServer::start(|_| {}).await;
    let mut tokens = Vec::new();
    for name in ["ada", "bob", "cem"] {
        let path = format!("/v2/account/authenticate/device?username={name}");
        let answer = server.with_key(&path, json!({"id": format!("{name}-device-id")})).await;
        tokens.push(answer.str("/token").to_owned());
    }
    for (by, other) in [(0, 1), (1, 0), (0, 2)] {
        let path = format!("/v2/friend?ids={}", user_id(&tokens[other]));
        server.with_token("POST", &path, &tokens[by], None).await.is(200, json!({}));
    }
    let email = json!({"email": "ada@mail.example", "password": "correct horse"});
    let linked = server.with_token("POST", "/v2/account/link/email", &tokens[0], Some(email)).await;
    assert_eq!(linked.status, 200);
    let folder = server.stop().unwrap();
    let data = folder.path().to_str().unwrap();
    let other = tempfile::tempdir().unwrap();
    let path = |name: &str| other.path().join(name).to_str().unwrap().to_owned();

    let (first, second, target) = (path("first.jsonl"), path("second.jsonl"), path("data"));
    assert_eq!(anteroom(&["export", &first, "--data", data]).0, Some(0));
    let (code, said, errors) = anteroom(&["import", &first, "--data", &target]);
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains("23 taken") && said.contains("blocks: 4 taken"), "{said}");
    assert_eq!(anteroom(&["export", &second, "--data", &target]).0, Some(0));
    let (mine, theirs) = (accounts(Path::new(&first)), accounts(Path::new(&second)));
    assert_eq!(mine.len(), 23);
    assert_eq!(mine, theirs);
    let (_, said, _) = anteroom(&["import", &first, "--data", &target]);
    assert!(said.contains("0 taken, 23 there already"), "{said}");

    let good = fs::read_to_string(&first).unwrap();
    for (text, words) in [
        (String::new(), "it is empty"),
        ("{}\n".to_owned(), "it has no head"),
        (good.replacen("\"format\":1", "\"format\":2", 1), "of a newer version"),
    ] {
        fs::write(path("bad.jsonl"), text).unwrap();
        let (code, _, errors) = anteroom(&["import", &path("bad.jsonl"), "--data", &target]);
        assert_eq!(code, Some(78));
        assert!(errors.contains(words), "{errors}");
    }
    let broken = good.replacen("\"username\":\"ada\"", "\"username\":7", 1);
    fs::write(path("bad.jsonl"), broken).unwrap();
    let (code, said, errors) = anteroom(&["import", &path("bad.jsonl"), "--data", &path("new")]);
    assert_eq!(code, Some(0));
    assert!(said.contains("22 taken") && errors.contains("not a line of this form"), "{said}");
}

#[actix_rt::test]
async fn operators_who_come_to_a_server_with_operators_of_its_own_are_none_there() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    trip(&fakes, &mut ada, OKTA, (for_("bind"), json!({"sub": "ada-there"}))).await;
    let from = server.stop().unwrap();
    let to = with_ada(|_| {}).await.0.stop().unwrap();
    let file = |name: &str| from.path().join(name);
    let run = |what: &str, file: &Path, folder: &Path| {
        let (file, folder) = (file.to_str().unwrap(), folder.to_str().unwrap());
        let (code, _, errors) = anteroom(&[what, file, "--data", folder]);
        assert_eq!(code, Some(0), "{what}: {errors}");
    };
    run("export", &file("theirs"), from.path());
    let theirs = fs::read_to_string(file("theirs")).unwrap();
    assert!(theirs.contains("ada-there"));
    // The address is somebody's there.
    fs::write(file("theirs"), theirs.replace("ada@example.org", "eve@example.org")).unwrap();
    run("import", &file("theirs"), to.path());
    run("export", &file("all"), to.path());
    let all = accounts(&file("all"));
    let eve = all.values().find(|it| it.to_string().contains("eve@example.org")).unwrap();
    assert_eq!(eve["dossier"]["roles"], json!([]), "{eve}");
    assert_eq!(eve["dossier"]["operator"]["bindings"], json!([]), "{eve}");
}
