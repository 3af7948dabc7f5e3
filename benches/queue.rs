//! What the queue core costs with a million waiting, on one thread.
//!
//! Budget (issue 2): 5M enqueues/s, 2M polls/s with exact position, 5M admissions/s, and at most
//! 40 bytes of resident memory a waiting ticket at 1M and at 10M, identity index included.
//!
//! `cargo bench --bench queue`; add `-- --memory-only` for the memory alone. `cargo test` plays it once with
//! a small line, so that it still runs when it is needed.

use anteroom::domain::queue::{
    AdaptiveSettings, Announcement, Checked, Costs, Identity, Lane, MassDropSettings, Number,
    Queue, Settings, Standing, TicketRef,
};
use anteroom::domain::time::UnixMicros;
use divan::Bencher;
use divan::counter::ItemsCount;

/// Who waits: a million, or few where nothing is measured.
const CROWD: u64 = if cfg!(debug_assertions) { 10_000 } else { 1_000_000 };
/// Small, so that the fastest sample is not interrupted by other programs.
const BATCH: u64 = 2_000;
const START: UnixMicros = UnixMicros::from_secs(1_000_000);

fn main() {
    memory();
    if cfg!(debug_assertions) {
        divan::Divan::from_args().test_benches();
    } else if !std::env::args().any(|arg| arg == "--memory-only") {
        divan::main();
    }
}

fn settings(rate: f64, burst: u32) -> Settings {
    Settings {
        rate,
        burst,
        cap: 100_000_000,
        strict_cap: true,
        line_max: 100_000_000,
        lease_ms: 600_000,
        parked_ms: 600_000,
        pass_ttl_ms: 120_000,
        connect_window_ms: 60_000,
        grace_ms: 60_000,
        clean_close_frees: true,
        settle_ms: 15_000,
        amnesty_ms: 0,
        poll_budget: 20_000,
        poll_min_ms: 1_000,
        poll_max_ms: 300_000,
        login_ms: 10_000,
        grace_share: 0.5,
        slow_start: 1.0,
        party_max: 5,
        party_join_ms: 60_000,
        costs: Costs::default(),
        adaptive: AdaptiveSettings::default(),
        mass_drop: MassDropSettings::default(),
        lane_weights: [18, 9, 1],
    }
}

/// A fingerprint as the real ones are: spread over all bits, never zero.
fn identity(number: u64) -> Identity {
    Identity((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The ticket of whoever entered as the `nth`, from 0; numbers begin at 1.
fn ticket(nth: u64) -> TicketRef {
    let identity = identity(nth);
    TicketRef {
        epoch: 1,
        number: Number(nth + 1),
        lane: Lane::Standard,
        identity,
        issued_at: START,
    }
}

/// A line in which `count` wait; the gate lets in `burst` at a time once it is opened.
fn line(count: u64, rate: f64, burst: u32) -> Queue {
    let mut queue = Queue::new(settings(rate, burst), 1, START);
    queue.grant_numbers(Number(100_000_000));
    queue.announce(START, Announcement::pause());
    for number in 0..count {
        queue.enter(START, identity(number), Lane::Standard);
    }
    queue
}

/// Resident pages of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn memory() {
    for count in [CROWD, 10 * CROWD] {
        let before = resident();
        let queue = line(count, 500.0, 10);
        let bytes = resident().saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "for people to read")]
        let each = bytes as f64 / count as f64;
        println!("memory: {count} waiting, {each:.1} bytes a ticket (RSS delta {bytes})");
        assert_eq!(queue.figures().waiting.iter().sum::<u64>(), count);
        drop(queue);
    }
}

#[divan::bench(sample_count = 400, sample_size = 1)]
fn enqueue(bencher: Bencher) {
    let mut queue = line(CROWD, 500.0, 10);
    queue.announce(START, Announcement::open());
    let mut next = CROWD;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            let standing = queue.enter(START, identity(next), Lane::Standard);
            assert!(matches!(divan::black_box(standing), Standing::Waiting(_)));
            next += 1;
        }
    });
}

/// Pragma's tickets: bound to their token alone, so not in the identity index.
#[divan::bench(sample_count = 400, sample_size = 1)]
fn enqueue_anonymous(bencher: Bencher) {
    let mut queue = line(CROWD, 500.0, 10);
    queue.announce(START, Announcement::open());
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            let standing = queue.enter(START, Identity::ANONYMOUS, Lane::Standard);
            assert!(matches!(divan::black_box(standing), Standing::Waiting(_)));
        }
    });
}

#[divan::bench(sample_count = 400, sample_size = 1)]
fn poll_at_random_with_exact_position(bencher: Bencher) {
    let mut queue = line(CROWD, 500.0, 10);
    queue.announce(START, Announcement::open());
    let mut dice = 88_172_645_463_325_252_u64;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        for _ in 0..BATCH {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let checked = queue.check(START, ticket(dice % CROWD));
            assert!(matches!(divan::black_box(checked), Checked::Standing(_)));
        }
    });
}

#[divan::bench(sample_count = 400, sample_size = 1)]
fn admissions(bencher: Bencher) {
    let burst = u32::try_from(BATCH).unwrap_or(u32::MAX);
    let mut queue = line(CROWD + BATCH, 1e9, burst);
    queue.announce(START, Announcement::open());
    let mut now = START;
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        now = now.plus_ms(1);
        let before: u64 = queue.figures().passes_out;
        queue.tick(now);
        assert_eq!(queue.figures().passes_out - before, BATCH);
    });
}
