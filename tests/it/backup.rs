//! Backups: made under load, by the clock and from a shell; refused when they are not whole; restored,
//! with everything where it was.

use std::fs;
use std::path::{Path, PathBuf};

use anteroom::store::backup;
use serde_json::{Value, json};

use crate::cli::printed;
use crate::harness::{Answer, Auth, TestServer, ask};
use crate::pragma_client::{Tokens, operator};
use crate::pragma_office::office;
use crate::queue_client::{device, enter, stands, with_ticket};
use crate::races::user_id;

const DEVICE: &str = "/v2/account/authenticate/device";

async fn back_up(server: &TestServer, by: &Tokens) -> Answer {
    let url = format!("http://{}/v1/operator/backup", server.operators);
    ask("POST", &url, Auth::Bearer(&by.social), None).await
}

async fn file_of(server: &TestServer, by: &Tokens) -> PathBuf {
    let made = back_up(server, by).await;
    assert_eq!(made.status, 201, "{}", made.text);
    PathBuf::from(made.str("/file"))
}

/// A backup in a folder of its own, with the secrets that were kept apart.
fn restored(file: &Path, secrets: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(secrets, folder.path().join("secrets.toml")).unwrap();
    backup::restore(file, folder.path(), 8).unwrap();
    folder
}

/// Somebody with two devices.
struct Player {
    name: String,
    id: String,
    token: String,
}

async fn sign_up(server: &TestServer, name: &str) -> Player {
    let path = format!("{DEVICE}?username={name}");
    let answer = server.with_key(&path, json!({"id": format!("{name}-first-device")})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = answer.str("/token").to_owned();
    let second = json!({"id": format!("{name}-second-device")});
    let linked = server.with_token("POST", "/v2/account/link/device", &token, Some(second)).await;
    assert_eq!(linked.status, 200, "{}", linked.text);
    Player { name: name.to_owned(), id: user_id(&token), token }
}

async fn befriend(server: &TestServer, a: &Player, b: &Player) {
    for (by, other) in [(a, b), (b, a)] {
        let path = format!("/v2/friend?ids={}", other.id);
        server.with_token("POST", &path, &by.token, None).await.is(200, json!({}));
    }
}

async fn friends(server: &TestServer, token: &str) -> Vec<String> {
    let answer = server.with_token("GET", "/v2/friend?state=0", token, None).await;
    let friends = answer.json["friends"].as_array().cloned().unwrap_or_default();
    let name = |friend: &Value| friend["user"]["username"].as_str().unwrap().to_owned();
    let mut names: Vec<_> = friends.iter().map(name).collect();
    names.sort();
    names
}

/// Whether somebody is there with both devices and these friends.
async fn is_whole(server: &TestServer, player: &Player, with: &[String]) {
    for device in ["first", "second"] {
        let body = json!({"id": format!("{}-{device}-device", player.name)});
        let path = format!("{DEVICE}?create=false");
        let answer = server.with_key(&path, body).await;
        assert_eq!(answer.status, 200, "{} by the {device}: {}", player.name, answer.text);
        assert_eq!(user_id(answer.str("/token")), player.id);
        assert_eq!(friends(server, answer.str("/token")).await, with, "{}", player.name);
    }
}

/// Two backups while players sign up, link, become friends and enter the line: whoever was told that
/// it is done before a backup began is in it, whole.
#[actix_rt::test]
async fn a_backup_under_load_has_everything_that_was_acknowledged_before_it() {
    let server = office(|config| {
        config.queue.rate = 10_000.0;
        config.queue.burst = 1_000;
        config.queue.cap = 100_000;
    })
    .await;
    let olga = operator(&server, "olga").await;
    let mut files = Vec::new();
    let mut before: Vec<(Player, Player)> = Vec::new();
    for round in 0..2 {
        let load = (0..24).map(|n| {
            let server = &server;
            async move {
                let ada = sign_up(server, &format!("ada-{round}-{n}")).await;
                enter(server, device(&format!("waiting-{round}-{n}"))).await;
                let bob = sign_up(server, &format!("bob-{round}-{n}")).await;
                befriend(server, &ada, &bob).await;
                (ada, bob)
            }
        });
        let acknowledged = before.len();
        let load = futures_util::future::join_all(load);
        let (done, file) = futures_util::future::join(load, file_of(&server, &olga)).await;
        before.extend(done);
        files.push((file, acknowledged));
    }
    files.push((file_of(&server, &olga).await, before.len()));
    let (clock, folder) = (server.clock.clone(), server.stop().unwrap());
    for (file, acknowledged) in files {
        let again = restored(&file, &folder.path().join("secrets.toml"));
        let server = TestServer::start_on(again.path(), clock.clone(), |config| {
            config.queue.gate = anteroom::config::Gate::Off;
        })
        .await;
        for (ada, bob) in &before[..acknowledged] {
            is_whole(&server, ada, std::slice::from_ref(&bob.name)).await;
            is_whole(&server, bob, std::slice::from_ref(&ada.name)).await;
        }
        let url = format!("http://{}/metrics", server.operators);
        let page = ask("GET", &url, Auth::None, None).await.text;
        let count = page.lines().find_map(|line| line.strip_prefix("accounts ")).unwrap();
        let said = backup::verify(&file).unwrap().accounts;
        assert_eq!(count.parse::<f64>().unwrap().to_string(), said.to_string());
    }
}

fn position(answer: &Answer) -> u64 {
    let place = answer.json.pointer("/position").or(answer.json.pointer("/queue/position"));
    place.and_then(Value::as_u64).unwrap_or_else(|| panic!("no place: {}", answer.text))
}

/// Who holds a ticket and who does not stand in the old order, and who held a slot holds it.
#[actix_rt::test]
async fn places_and_slots_are_as_after_a_crash() {
    let server = office(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    let olga = operator(&server, "olga").await;
    let inside = server.with_key(DEVICE, json!({"id": "inside-device"})).await;
    assert_eq!(inside.status, 200);
    server.pass_ms(6_000).await; // the line is written to disk every five seconds
    let later = server.with_key(DEVICE, json!({"id": "later-device"})).await;
    assert_eq!(later.status, 200, "{}", later.text);
    let mut tickets = Vec::new();
    for n in 0..12 {
        let answer = enter(&server, device(&format!("ticket-{n}"))).await;
        tickets.push(answer.str("/ticket").to_owned());
        let id = json!({"id": format!("implicit-{n}-device")});
        assert_eq!(server.with_key(DEVICE, id).await.status, 429);
    }
    // One leaves: nobody behind may stand worse for it.
    with_ticket(&server, "DELETE", "/v1/queue/ticket", &tickets.remove(3)).await;
    let mut old = Vec::new();
    for ticket in &tickets {
        old.push(position(&stands(&server, ticket).await));
    }
    let file = file_of(&server, &olga).await;
    let (clock, folder) = (server.clock.clone(), server.stop().unwrap());

    let again = restored(&file, &folder.path().join("secrets.toml"));
    clock.advance_ms(600_000);
    let server = TestServer::start_on(again.path(), clock, |config| config.queue.rate = 0.0).await;
    let mut new = Vec::new();
    for (n, ticket) in tickets.iter().enumerate() {
        new.push((position(&stands(&server, ticket).await), n));
        let n = if n < 3 { n } else { n + 1 };
        let id = json!({"id": format!("implicit-{n}-device")});
        let answer = server.with_key(DEVICE, id).await;
        assert_eq!(answer.status, 429, "{}", answer.text);
        assert!(position(&answer) > new.last().unwrap().0, "right behind the ticket");
    }
    assert!(new.is_sorted(), "{new:?}");
    for ((new, n), old) in new.iter().zip(&old) {
        // Who came in or left since the last snapshot is presumed there until a lease has passed.
        let presumed = 1 + u64::from(*n >= 3);
        assert!((*old..=old + presumed).contains(new), "ticket {n}: {old} before, {new} now");
    }
    let inside = server.with_key(DEVICE, json!({"id": "inside-device"})).await;
    assert_eq!(inside.status, 200, "the slot is held: {}", inside.text);
}

#[actix_rt::test]
async fn backups_are_made_by_the_clock_the_oldest_go_and_the_age_is_known() {
    let server = office(|config| {
        config.backup.every_h = 6;
        config.backup.keep = 2;
    })
    .await;
    let made = |server: &TestServer| {
        let url = format!("http://{}/metrics", server.operators);
        async move {
            let page = ask("GET", &url, Auth::None, None).await.text;
            let figure = |name: &str| {
                let line = page.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().parse::<f64>().unwrap())
            };
            (figure("backups_total{result=\"made\"} "), figure("backup_newest_timestamp_seconds "))
        }
    };
    assert_eq!(made(&server).await, (Some(0.0), None));
    server.pass_ms(3_599_000).await;
    assert_eq!(made(&server).await, (Some(0.0), None), "the first is due an hour after the start");
    for count in 1..=4_u32 {
        let hours = if count == 1 { 1 } else { 6 };
        server.pass_ms(hours * 3_600_000).await;
        let wanted = f64::from(count);
        let now_s = server.clock.now().as_secs();
        // The thread that makes it says when it is done; asking again is how one hears of it.
        for _ in 0..10_000 {
            if made(&server).await.0 == Some(wanted) {
                break;
            }
            tokio::task::yield_now().await;
        }
        let (backups, newest) = made(&server).await;
        assert_eq!(
            (backups, newest.map(|s| s.to_string())),
            (Some(wanted), Some(now_s.to_string()))
        );
    }
    let folder = server.stop().unwrap();
    let names = fs::read_dir(folder.path().join("backups")).unwrap();
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        backup::verify(&folder.path().join("backups").join(name)).unwrap();
    }
}

#[actix_rt::test]
async fn only_operators_with_the_permission_make_backups_and_it_is_on_record() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let oscar = operator(&server, "oscar").await;
    let refused = back_up(&server, &oscar).await;
    assert_eq!((refused.status, refused.str("/why")), (403, "forbidden"));
    assert!(refused.str("/message").contains("operators.backup.create"));
    file_of(&server, &olga).await;
    let folder = server.stop().unwrap();
    let chain = fs::read_dir(folder.path().join("audit")).unwrap().next().unwrap().unwrap();
    let chain = fs::read_to_string(chain.path()).unwrap();
    assert!(chain.contains("\"backup\"") && chain.contains("secrets"), "{chain}");
}

/// Runs the binary; exit code, output, errors.
fn anteroom(arguments: &[&str], token: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
    let command = command.args(arguments).current_dir(folder.path()).env("ANTEROOM_TOKEN", token);
    let output = command.output().unwrap();
    let (out, errors) = printed(&output);
    (output.status.code(), out, errors)
}

#[actix_rt::test]
async fn a_shell_makes_checks_and_restores_backups() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = sign_up(&server, "ada").await;
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let at = format!("http://{}", server.operators);
    let data = server.folder_path().to_str().unwrap().to_owned();

    // While the server runs: through it.
    let online = path("online.tar.gz");
    let backup = |file: &str, token: &str| {
        anteroom(&["backup", file, "--data", &data, "--server", &at], token)
    };
    let (code, _, errors) = backup(&online, "");
    assert_eq!(code, Some(1));
    assert!(errors.contains("a server runs") && errors.contains("ANTEROOM_TOKEN"), "{errors}");
    let (code, said, errors) = backup(&online, &olga.social);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("accounts"), "{said}");
    assert_eq!(backup(&online, &olga.social).0, Some(1), "nobody's file is overwritten");

    // When none runs: from its folder, here with the secrets.
    let (clock, folder) = (server.clock.clone(), server.stop().unwrap());
    let offline = path("offline.tar.gz");
    let (code, _, errors) = anteroom(&["backup", &offline, "--data", &data, "--with-secrets"], "");
    assert_eq!(code, Some(0), "{errors}");
    let (code, said, errors) = anteroom(&["restore", &offline, "--verify"], "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("good"), "{said}");

    let (code, _, errors) = anteroom(&["restore", &offline, "--data", &data], "");
    assert_eq!(code, Some(78));
    assert!(errors.contains("is not empty"), "{errors}");
    let mut cut = fs::read(&offline).unwrap();
    cut.truncate(cut.len() / 2);
    fs::write(path("cut.tar.gz"), cut).unwrap();
    let target = path("target");
    let (code, _, errors) = anteroom(&["restore", &path("cut.tar.gz"), "--data", &target], "");
    assert_eq!(code, Some(78), "{errors}");
    assert!(errors.contains("cut short") && !Path::new(&target).exists(), "{errors}");

    let (code, said, errors) = anteroom(&["restore", &offline, "--data", &target], "");
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("start the server"), "{said}");
    let server = TestServer::start_on(Path::new(&target), clock, |_| {}).await;
    is_whole(&server, &ada, &[]).await;
    let account = server.with_token("GET", "/v2/account", &ada.token, None).await;
    assert_eq!(account.status, 200, "with the secrets the old tokens stay good");
    drop(folder);
}

#[test]
fn a_restore_that_was_not_finished_keeps_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("restoring")).unwrap();
    let data = folder.path().to_str().unwrap();
    let (code, _, errors) =
        anteroom(&["serve", "--dev", "--listen", "127.0.0.1:0", "--data", data], "");
    assert_eq!(code, Some(78), "{errors}");
    assert!(errors.contains("restore again"), "{errors}");
}
