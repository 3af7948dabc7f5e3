//! Launches of a game, simulated: hundreds of players arrive, give up, drop, sign in, play and
//! leave, while operators turn the dials, the clock steps back and the server crashes. The core is
//! driven through [`anteroom::domain::queue::Queue::handle`]; after every input the invariants of
//! the project's note on login queues (§2.16) are checked.
//!
//! `cargo test --test sim` plays 1,000 launches. `SIM_SEEDS=20000` plays more, `SEED=17` one, and a
//! failure names its seed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a simulation stops at the first thing that is not as it should be"
)]

mod checks;
mod crowd;
mod people;
mod story;
mod world;

use world::World;

const SEEDS: u64 = 1_000;

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
    let mut sum = world::Summary::default();
    for seed in seeds {
        let played = std::panic::catch_unwind(|| World::new(seed).play());
        let Ok(summary) = played else {
            panic!("seed {seed} broke a promise: replay it with SEED={seed}");
        };
        sum.add(summary);
    }
    println!("{count} launches: {sum:?}");
    if count >= SEEDS {
        // The storm must really have blown.
        assert!(sum.crashes > count / 2 && sum.clean_stops > count / 8, "{sum:?}");
        assert!(sum.came_in > count * 50 && sum.returned > count, "{sum:?}");
        assert!(sum.joined > count * 5 && sum.parties > count, "{sum:?}");
        assert!(sum.recovered_places > count * 5 && sum.clock_steps > 0, "{sum:?}");
        assert!(sum.held > count / 10 && sum.mass_drops > 20 && sum.put_off > 100, "{sum:?}");
        assert!(sum.silent_servers > count / 2, "{sum:?}");
        assert!(sum.kept_through_silence > count, "{sum:?}");
    }
}
