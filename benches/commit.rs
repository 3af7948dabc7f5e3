//! What a new account costs when it is durable before the answer: through the registry, many
//! callers at once, without HTTP.
//!
//! Budget (over HTTP, on two cores, 128 in flight): at least 10,000 accounts a second and at most
//! 130 µs of CPU each, of which this may take 100; at 1M accounts at most 1.2 kB of disk and 300
//! bytes resident each.
//!
//! `cargo bench --bench commit -- [--accounts N] [--in-flight N] [--wait-us N] [--cache-mib N]
//! [--passes]`

#![expect(clippy::unwrap_used, reason = "a bench ends when something fails")]

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use anteroom::actors::Accounts;
use anteroom::actors::account_registry::{NewAccount, PassUse, RegistryLimits, SignIn};
use anteroom::clock::Clock;
use anteroom::config::StoreConfig;
use anteroom::domain::account::names;
use anteroom::ids::Dice;

/// What to run.
#[derive(Clone, Debug)]
struct Plan {
    accounts: u64,
    in_flight: u64,
    passes: bool,
    store: StoreConfig,
}

fn main() {
    let plan = plan();
    println!("{plan:?}");
    actix::System::new().block_on(run(plan));
}

fn plan() -> Plan {
    let mut store = StoreConfig::default();
    let number = |name: &str| {
        let mut args = std::env::args().skip_while(|arg| arg != name).skip(1);
        args.next().and_then(|number| number.parse::<u64>().ok())
    };
    if let Some(wait) = number("--wait-us") {
        store.commit_wait_us = wait;
    }
    if let Some(cache) = number("--cache-mib") {
        store.cache_mib = cache;
    }
    Plan {
        accounts: number("--accounts").unwrap_or(200_000),
        in_flight: number("--in-flight").unwrap_or(128),
        passes: std::env::args().any(|arg| arg == "--passes"),
        store,
    }
}

async fn run(plan: Plan) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let clock = Clock::machine();
    let limits = RegistryLimits::default();
    let dice = Dice::seeded(1);
    let (accounts, _stopped) =
        Accounts::open(&plan.store, folder.path(), clock.clone(), dice, limits).unwrap();
    let devices = Dice::seeded(2);
    storm(&accounts, "warm up", plan.accounts / 100, &plan, &devices, true).await;

    let resident = resident_bytes();
    storm(&accounts, "create", plan.accounts, &plan, &devices, true).await;
    let per = |bytes: u64| bytes / plan.accounts.max(1);
    println!("resident: {} bytes an account", per(resident_bytes().saturating_sub(resident)));
    println!("disk: {} bytes an account", per(disk_bytes(folder.path())));
    let figures = accounts.figures();
    let (commits, writes) = (
        figures.commits.load(std::sync::atomic::Ordering::Relaxed),
        figures.writes.load(std::sync::atomic::Ordering::Relaxed),
    );
    println!(
        "{commits} commits, {} writes each, {} µs each",
        writes / commits.max(1),
        figures.commit_us_sum.load(std::sync::atomic::Ordering::Relaxed) / commits.max(1)
    );

    let again = Dice::seeded(2);
    storm(&accounts, "sign in again", plan.accounts / 4, &plan, &again, false).await;
    println!("resident: {} bytes an account", per(resident_bytes().saturating_sub(resident)));

    let mut accounts = accounts;
    for _ in 0..2 {
        let at = clock.now();
        accounts.close().await;
        println!("closed in {} ms", clock.now().since_ms(at));
        println!("disk: {} bytes an account", per(disk_bytes(folder.path())));
        let at = clock.now();
        (accounts, _) =
            Accounts::open(&plan.store, folder.path(), clock.clone(), Dice::seeded(3), limits)
                .unwrap();
        println!("opened again in {} ms", clock.now().since_ms(at));
    }
    println!("{} accounts", accounts.count().await.unwrap());
    accounts.close().await;
}

/// Signs `number` devices in, `plan.in_flight` at a time, and prints what it cost.
async fn storm(
    accounts: &Accounts,
    name: &str,
    number: u64,
    plan: &Plan,
    devices: &Dice,
    new: bool,
) {
    let clock = Clock::machine();
    let (cpu, started) = (cpu_us(), clock.now());
    let left = Rc::new(Cell::new(number));
    let callers = (0..plan.in_flight).map(|_| {
        let (accounts, devices, left) = (accounts.clone(), devices.clone(), left.clone());
        let (clock, passes) = (clock.clone(), plan.passes);
        actix::spawn(async move {
            let mut took = Vec::new();
            while left.get() > 0 {
                left.set(left.get() - 1);
                let ask = ask(&devices, passes.then(|| clock.now()), new);
                let at = clock.now();
                accounts.sign_in(ask).await.unwrap();
                took.push(clock.now().since_us(at));
            }
            took
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.unwrap());
    }
    let (cpu, wall) = (cpu_us() - cpu, clock.now().since_us(started));
    took.sort_unstable();
    let number = number.max(1);
    println!(
        "{name}: {number} in {} ms, {}/s, {} µs CPU each, p50 {} µs, p99 {} µs",
        wall / 1000,
        number * 1_000_000 / wall.max(1),
        cpu / number,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
}

fn ask(devices: &Dice, pass: Option<anteroom::domain::time::UnixMicros>, new: bool) -> SignIn {
    let link = names::device(&devices.uuid().to_string()).unwrap();
    SignIn {
        pass: pass.map(|now| PassUse {
            epoch: u32::from(new),
            number: devices.number(),
            remember_until: now.plus_secs(120),
        }),
        ..SignIn::by(link, new.then(NewAccount::default))
    }
}

/// User and system time of this process, in microseconds (100 ticks a second).
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    (ticks(11) + ticks(12)) * 10_000
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// What the folder takes on the disk: blocks, not lengths.
fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let meta = entry.metadata().unwrap();
            if meta.is_dir() { disk_bytes(&entry.path()) } else { meta.blocks() * 512 }
        })
        .sum()
}
