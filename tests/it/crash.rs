//! kill -9 of the real binary while players sign up, link, redeem passes and queue: everything that
//! was acknowledged is there afterwards, and the store opens each time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::harness::{Answer, Auth};
use crate::program::Program;
use crate::races::user_id;
use crate::running::signal;

const DEV: Auth<'static> = Auth::Key("defaultkey");
const SHARD: &str = "00000000-0000-0000-0000-000000000001";

/// What the server has acknowledged so far, over all rounds.
#[derive(Default)]
struct Told {
    /// Device or custom id → user.
    accounts: HashMap<(&'static str, String), String>,
    /// Device → last position it was told.
    places: HashMap<String, u64>,
    /// Ticket → last position it was told.
    tickets: HashMap<String, u64>,
    /// Pass → who redeemed it.
    redeemed: HashMap<String, String>,
}

type Shared = Rc<RefCell<Told>>;

fn rounds(ordinary: usize) -> usize {
    std::env::var("CRASH_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ordinary)
}

/// `None`: the server went away in the middle, so nothing was acknowledged.
async fn ask(method: &str, url: &str, auth: Auth<'_>, body: Option<Value>) -> Option<Answer> {
    crate::harness::try_ask(method, url, auth, body).await
}

async fn device(program: &Program, id: &str) -> Option<Answer> {
    let url = program.url("/v2/account/authenticate/device");
    ask("POST", &url, DEV, Some(json!({"id": id}))).await
}

/// Signs up devices, links a custom id to each, until the server is gone.
async fn sign_up(program: Rc<Program>, told: Shared, name: String) {
    for n in 0.. {
        let id = format!("{name}-{n}-device");
        let Some(answer) = device(&program, &id).await else { return };
        if answer.status != 200 {
            continue;
        }
        let (token, custom) = (answer.str("/token").to_owned(), format!("{name}-{n}-custom"));
        let user = user_id(&token);
        told.borrow_mut().accounts.insert(("device", id), user.clone());
        let url = program.url("/v2/account/link/custom");
        let body = Some(json!({"id": custom}));
        let Some(linked) = ask("POST", &url, Auth::Bearer(&token), body).await else { return };
        assert_eq!(linked.status, 200, "{}", linked.text);
        told.borrow_mut().accounts.insert(("custom", custom), user);
    }
}

/// Takes tickets and redeems the passes among them, until the server is gone.
async fn queue(program: Rc<Program>, told: Shared, name: String) {
    for n in 0.. {
        let url = program.url("/v1/loginqueue/getinqueuev1");
        let Some(answer) = ask("GET", &url, Auth::None, None).await else { return };
        let token = answer.str("/token").to_owned();
        if answer.json["isAllowedIn"] == json!(false) {
            let position = answer.json["positionInQueue"].as_u64().unwrap();
            told.borrow_mut().tickets.insert(token, position);
            continue;
        }
        let player = format!("{name}-{n}");
        let Some(answer) = redeem(&program, &token, &player).await else { return };
        assert_eq!(answer.status, 200, "{}", answer.text);
        told.borrow_mut().redeemed.insert(token, player);
    }
}

async fn redeem(program: &Program, pass: &str, player: &str) -> Option<Answer> {
    let token = json!({"accountId": player, "displayName": "Player"}).to_string();
    let body = json!({"providerId": "UNSAFE", "providerToken": token, "gameShardId": SHARD, "loginQueuePassToken": pass});
    let url = program.url("/v1/account/authenticateorcreatev2");
    ask("POST", &url, Auth::None, Some(body)).await
}

/// Runs the binary under load and kills it after `acknowledged` answers.
fn storm(
    folder: &Path,
    round: usize,
    told: &Shared,
    settings: &[(&str, &str)],
    acknowledged: usize,
) {
    let before = size(told);
    let program = Rc::new(Program::start(folder, settings));
    let pid = program.pid();
    actix_rt::System::new().block_on(async {
        let mut tasks = Vec::new();
        for n in 0..8 {
            let name = format!("round-{round}-task-{n}");
            tasks.push(actix_rt::spawn(sign_up(program.clone(), told.clone(), name.clone())));
            tasks.push(actix_rt::spawn(queue(program.clone(), told.clone(), name)));
        }
        while size(told) < before + acknowledged {
            tokio::task::yield_now().await;
        }
        signal(pid, "KILL");
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn size(told: &Shared) -> usize {
    let told = told.borrow();
    told.accounts.len() + told.tickets.len() + told.redeemed.len()
}

#[test]
fn accounts_links_and_redemptions_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let told = Shared::default();
    let open = [("QUEUE__RATE", "100000"), ("QUEUE__BURST", "10000"), ("QUEUE__CAP", "10000000")];
    let all = [
        &open[..],
        &[
            ("LIMITS__SIGN_IN_PER_SECOND", "0"),
            ("LIMITS__ENTER_PER_SECOND", "0"),
            ("QUEUE__SETTLE_S", "0"),
        ],
    ]
    .concat();
    for round in 0..rounds(6) {
        storm(folder.path(), round, &told, &all, 150 + 37 * round);
    }
    let program = Program::start(folder.path(), &all);
    actix_rt::System::new().block_on(async {
        accounts_are_there(&program, &told).await;
        let redeemed = told.borrow().redeemed.clone();
        for (pass, player) in &redeemed {
            let thief = redeem(&program, pass, "somebody-else").await.unwrap();
            assert_eq!(thief.status, 401, "a pass of {player} was redeemed twice: {}", thief.text);
        }
    });
    assert!(told.borrow().accounts.len() > 100 && told.borrow().redeemed.len() > 20);
}

#[test]
fn places_in_line_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let told = Shared::default();
    // Nobody is admitted, so every place can be asked for again.
    let held = [
        ("QUEUE__RATE", "0"),
        ("LIMITS__SIGN_IN_PER_SECOND", "0"),
        ("LIMITS__ENTER_PER_SECOND", "0"),
        ("LIMITS__POLL_PER_SECOND", "1000"),
        // All come from here, and fast: places are compared within one lane.
        ("QUEUE__ABUSE__SUSPECTS_TO_LOW", "false"),
        ("QUEUE__ABUSE__PREFIX_PER_SECOND", "0"),
    ];
    for round in 0..rounds(5) {
        storm_of_waiters(folder.path(), round, &told, &held, 120 + 61 * round);
        let program = Program::start(folder.path(), &held);
        actix_rt::System::new().block_on(still_stand(&program, &told));
    }
    assert!(told.borrow().places.len() > 100 && told.borrow().tickets.len() > 100);
}

/// sled writes a snapshot of its own while it opens; killed in the middle of that, it leaves a file
/// behind on which the next opening would end in a panic.
#[test]
fn a_kill_while_the_store_writes_its_snapshot_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let told = Shared::default();
    let open = [
        ("QUEUE__RATE", "100000"),
        ("QUEUE__BURST", "10000"),
        ("QUEUE__SETTLE_S", "0"),
        ("LIMITS__SIGN_IN_PER_SECOND", "0"),
        ("LIMITS__ENTER_PER_SECOND", "0"),
    ];
    let mut caught = 0;
    for round in 0..rounds(8) {
        storm(folder.path(), round, &told, &open, 200);
        // The line is opened after the store: while its file is not there, the store is opening.
        std::fs::remove_dir_all(folder.path().join("queue")).unwrap();
        let mut child = crate::program::spawn(folder.path(), &open);
        while child.try_wait().unwrap().is_none()
            && !folder.path().join("queue/line.snapshot").exists()
        {
            if is_generating(&folder.path().join("accounts")) {
                caught += 1;
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("killed {caught} times while a snapshot was being written");
    let program = Program::start(folder.path(), &open);
    actix_rt::System::new().block_on(async {
        accounts_are_there(&program, &told).await;
    });
}

/// Everybody who was told of an account finds it, under the same user.
async fn accounts_are_there(program: &Program, told: &Shared) {
    let accounts = told.borrow().accounts.clone();
    for ((kind, id), user) in &accounts {
        let url = program.url(&format!("/v2/account/authenticate/{kind}?create=false"));
        let answer = ask("POST", &url, DEV, Some(json!({"id": id}))).await.unwrap();
        assert_eq!(answer.status, 200, "{kind} {id} is lost: {}", answer.text);
        assert_eq!(&user_id(answer.str("/token")), user, "{kind} {id}");
    }
}

fn is_generating(store: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(store) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().ends_with(".generating"))
}

fn storm_of_waiters(
    folder: &Path,
    round: usize,
    told: &Shared,
    settings: &[(&str, &str)],
    acknowledged: usize,
) {
    let program = Rc::new(Program::start(folder, settings));
    let pid = program.pid();
    let before = told.borrow().places.len();
    actix_rt::System::new().block_on(async {
        let mut tasks = Vec::new();
        for n in 0..8 {
            let name = format!("round-{round}-task-{n}");
            tasks.push(actix_rt::spawn(wait_by_device(
                program.clone(),
                told.clone(),
                name.clone(),
            )));
            tasks.push(actix_rt::spawn(queue(program.clone(), told.clone(), name)));
        }
        while told.borrow().places.len() < before + acknowledged {
            tokio::task::yield_now().await;
        }
        signal(pid, "KILL");
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn wait_by_device(program: Rc<Program>, told: Shared, name: String) {
    for n in 0.. {
        let id = format!("{name}-{n}-waiting");
        let Some(answer) = device(&program, &id).await else { return };
        assert_eq!(answer.status, 429, "{}", answer.text);
        let position = answer.json["queue"]["position"].as_u64().unwrap();
        told.borrow_mut().places.insert(id, position);
    }
}

/// Nobody stands further back than they were told, and no two stand in one place.
async fn still_stand(program: &Program, told: &Shared) {
    let mut taken = HashMap::new();
    let places: Vec<_> = told.borrow().places.iter().map(|(id, at)| (id.clone(), *at)).collect();
    for (id, at) in places {
        let answer = device(program, &id).await.unwrap();
        let now =
            answer.json["queue"]["position"].as_u64().unwrap_or_else(|| panic!("{}", answer.text));
        assert!(now <= at, "{id} stood at {at} and was put back to {now}");
        let other = taken.insert(now, id.clone());
        assert_eq!(other, None, "two stand at {now}: {id}: {}", answer.text);
    }
    let tickets: Vec<_> =
        told.borrow().tickets.iter().map(|(token, at)| (token.clone(), *at)).collect();
    for (token, at) in tickets {
        let url = program.url("/v1/loginqueue/checkticketv1");
        let answer = ask("POST", &url, Auth::None, Some(json!({"token": token}))).await.unwrap();
        let now =
            answer.json["positionInQueue"].as_u64().unwrap_or_else(|| panic!("{}", answer.text));
        assert!(now <= at, "a ticket stood at {at} and was put back to {now}");
        assert_eq!(taken.insert(now, token), None, "two stand at {now}");
    }
}
