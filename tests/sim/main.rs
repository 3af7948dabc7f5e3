//! Launches of a game, simulated: hundreds of players arrive, give up, drop, switch devices, sign in,
//! play and leave, while everything goes wrong that can. The core is driven through
//! [`anteroom::domain::queue::Queue::handle`], and what is around it here (what is durable when, who
//! is answered when) does as the line's owner does.
//!
//! `cargo test --test sim` plays 1,000 launches. `SIM_SEEDS=10000` plays more, `SEED=17` one, and a
//! failure names its seed. `TRACE="Number(7)"` tells what concerns that ticket. Whether a broken core
//! would be noticed is tested in `tests/mutants`.
//!
//! What goes wrong: crashes and clean stops at any moment, between the steps of an opening, after a
//! device switch, between the registry and the line; writes that take their time or fail, so that
//! what was ordered is lost and nobody is answered; requests and answers that are lost, doubled, and
//! late; a clock set back and forward; operators who pause, and turn rate and cap to nought; 30 or
//! 90 % of the players cut off at once; game servers that fall silent; clients that ask a hundred
//! times as often as they were told.
//!
//! | invariant (the project's note on login queues, §2.16) | asserted after | in |
//! |---|---|---|
//! | I1 rate, over all windows and every change of it | every input | `Checks::admit` |
//! | I2 slots within the cap; a slot that was promised is there | every input, restart, socket | `Checks::after`, `Checks::restarted`, `connect`, `come_back`, `heartbeats` |
//! | I3 first come, first served among those present | every answer | `Checks::waits` |
//! | I4 no place is lost: whoever comes in time has it; every ticket that goes is counted | every poll, pass and switch; every input until the first restart | `has_kept`, `begin`, `Books::check_tickets` |
//! | I5 a pass is used once, by one player, and paid for once | every sign-in | `Checks::redeems`, `Checks::settles`, `sign_in` |
//! | I6 no position gets worse without a reason | every answer | `Checks::waits`, `Checks::after` |
//! | I7 one owner, one place; a ticket that was handed on is nobody's | every answer | `Checks::stands`, `check_old`, `Books::check_tickets` |
//! | I8 who may come in does so within 50 ms | every input | `World::check_work_conservation` |
//! | I9 a lane in which somebody waits has its turn within a round; everybody's story ends | every input; the end | `Books::check_turns`, `World::play`, `World::finish` |
//! | I10 nobody comes in while the line is paused | every input | `Checks::after` |
//! | I11 leases last longer by the time the server was down | every poll | `survive`, `has_kept` |
//! | I12 places are those the published seeds give, computed anew | every draw and restart | `World::check_draw` |
//! | I13 the ledger is the sum of its changes; what is told of holders and of admissions out of turn adds up, in the audit chain, too | every input; the end | `Books::check_slots`, `check_holders`, `write_chain`, `finish` |
//! | I14 polls stay within their budget while clients obey | every minute | `Books::check_polls` |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a simulation stops at the first thing that is not as it should be"
)]

mod books;
mod checks;
mod crowd;
mod disk;
mod doors;
mod people;
mod story;
mod summary;
mod wire;
mod world;

use summary::Summary;
use world::World;

const SEEDS: u64 = 1_000;

/// How often a thing must have happened in a hundred launches, or the storm has not blown.
const BLOWN: [(&str, u64); 28] = [
    ("crashes", 50),
    ("clean stops", 15),
    ("clock steps back", 2),
    ("clock jumps forward", 2),
    ("came in", 5_000),
    ("gave up", 500),
    ("returned", 100),
    ("joined", 100),
    ("parties", 50),
    ("recovered places", 500),
    ("redeemed after a restart", 500),
    ("held", 10),
    ("drops of many", 20),
    ("silent servers", 50),
    ("kept through silence", 100),
    ("lost requests", 300),
    ("lost answers", 300),
    ("doubled requests", 300),
    ("late requests", 1_000),
    ("switched devices", 100),
    ("crashes after a switch", 2),
    ("crashes between registry and line", 2),
    ("failed writes", 5),
    ("answers that waited for the disk", 50),
    ("poll storms", 3),
    ("openings", 10),
    ("draws", 5),
    ("inputs", 100_000),
];

/// The same in a thousand launches.
const BLOWN_RARELY: [(&str, u64); 6] = [
    ("mass drops", 3),
    ("put off", 10),
    ("crashes at the close", 5),
    ("crashes before the entrants are published", 5),
    ("crashes before the order is published", 5),
    ("crashes before the draw is applied", 5),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn launches_with_crashes_keep_every_promise() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIM_SEEDS").unwrap_or(SEEDS),
    };
    let count = seeds.end - seeds.start;
    let mut sum = Summary::default();
    for seed in seeds {
        let played = std::panic::catch_unwind(|| World::new(seed).play());
        let Ok(summary) = played else {
            panic!("seed {seed} broke a promise: replay it with SEED={seed}");
        };
        sum.merge(&summary);
    }
    println!("{count} launches: {sum:?}");
    for (what, least) in BLOWN {
        assert!(sum.of(what) >= least * (count / 100), "too few: {what} in {sum:?}");
    }
    for (what, least) in BLOWN_RARELY {
        assert!(sum.of(what) >= least * (count / 1_000), "too few: {what} in {sum:?}");
    }
}
