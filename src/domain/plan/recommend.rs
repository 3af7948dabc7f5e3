//! What to set, and why: rules of thumb with their sources, over what a plan found.

use serde::Serialize;

use super::crowd::Mix;
use super::launch::Launch;
use super::outcome::Outcome;

/// What a login costs in hashes (login-queues §2.3): with a password, with a token, a new account.
const COSTS: [f64; 3] = [1.0, 0.02, 2.0];
/// Share of the hashing that is planned for: the rest is for wrong passwords and bad minutes.
const HASH_SHARE: f64 = 0.8;
/// The world should be full within this many seconds of an opening: five minutes.
const FILL_S: f64 = 300.0;
/// How much faster than slots come free the gate should be, so that it never is what they wait for.
const TURNOVER_SLACK: f64 = 1.2;
/// Slots beyond the demand: passes out and players in grace hold some.
const CAP_SLACK: f64 = 1.05;
/// Polls in a wait, at best (`queue::poll` asks for no more).
const POLLS_PER_WAIT: f64 = 10.0;
/// Polls an admission causes at least, or passes lapse unseen.
const POLLS_PER_ADMISSION: f64 = 6.0;
/// Polls a second one core answers beside everything else: half of what docs/figures.md measures.
const POLLS_PER_CORE: f64 = 25_000.0;
/// Numbers are rounded up to two digits that count.
const DIGITS: f64 = 10.0;

/// The machine it will run on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Cores.
    pub cores: f64,
    /// Passwords a core hashes a second (58 with argon2id of 19 MiB and two passes).
    pub logins_per_core: f64,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Its key.
    pub key: &'static str,
    /// What the plan was played with.
    pub played: f64,
    /// What it should be.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Why.
    pub why: String,
}

/// Hashes a login takes on average.
pub fn login_cost(mix: Mix) -> f64 {
    let shares = [mix.password, mix.token, mix.new_account];
    let all: f64 = shares.iter().sum();
    if all <= 0.0 {
        return COSTS[0];
    }
    shares.iter().zip(COSTS).map(|(share, cost)| share / all * cost).sum()
}

/// Admissions a second that hashing carries.
pub fn rate_by_hashing(machine: Machine, mix: Mix) -> f64 {
    HASH_SHARE * machine.cores * machine.logins_per_core / login_cost(mix)
}

/// Admissions a second that keep a full world full: slots that come free, and a pass for each of
/// those who do not come. Endless sessions free none.
pub fn turnover(cap: f64, session_s: Option<f64>, no_show: f64) -> f64 {
    session_s.map_or(0.0, |session_s| cap / session_s / (1.0 - no_show.min(0.9)))
}

/// The rate: fast enough to fill the world in five minutes and to keep it full, and never faster than
/// hashing carries.
pub fn rate(by_hashing: f64, cap: f64, turnover: f64) -> f64 {
    (cap / FILL_S).max(turnover * TURNOVER_SLACK).min(by_hashing)
}

/// Most players online at once if nobody had to wait, from the arrivals of each minute: sessions end
/// memorylessly. At most everybody who came.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, rounded; casts saturate"
)]
pub fn demand_peak(per_minute: &[u32], session_s: Option<f64>) -> u64 {
    let stays = session_s.map_or(1.0, |session_s| (-60.0 / session_s).exp());
    let (mut online, mut most) = (0.0_f64, 0.0_f64);
    for &arrivals in per_minute {
        // Who comes within the minute has been there half of it at its end.
        online = online * stays + f64::from(arrivals) * stays.sqrt();
        most = most.max(online);
    }
    most.round() as u64
}

/// Life of a pass, in seconds: three times what the slowest of a hundred logins takes, 30 at least
/// (login-queues §2.4).
pub fn pass_ttl_s(login_p99_s: f64) -> f64 {
    (3.0 * login_p99_s).clamp(30.0, 86_400.0).ceil()
}

/// Lease of a silent ticket, in seconds: five minutes, and three of the longest poll intervals
/// (login-queues §2.5).
pub fn lease_s(poll_max_ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a setting far below 2^52")]
    let longest_s = poll_max_ms as f64 / 1e3;
    (3.0 * longest_s).clamp(300.0, 86_400.0)
}

/// Polls a second: everybody asks ten times in their wait (login-queues §2.7, with c = 0.1), as far
/// as half the cores answer that; six for each admission in any case, below which passes lapse unseen.
pub fn poll_budget(longest: f64, rate: f64, poll_ms: (u64, u64), cores: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "settings far below 2^52")]
    let (low_s, high_s) = (poll_ms.0.max(1) as f64 / 1e3, poll_ms.1.max(1) as f64 / 1e3);
    let near = rate * POLLS_PER_WAIT;
    // No more ask often than wait at all.
    let often = near * (1.0 + (high_s / low_s).max(1.0).ln());
    let rarely = (longest - high_s * near).max(0.0) / high_s;
    let wished = (often + rarely).min(longest.max(1.0) / low_s);
    let carried = (POLLS_PER_CORE * cores / 2.0).max(POLLS_PER_ADMISSION * rate);
    nice(wished.min(carried).clamp(10.0, 1_000_000.0))
}

/// Tickets that may wait: half as many again as the longest line, 10,000 at least.
pub fn line_max(longest: f64) -> f64 {
    nice((longest * 1.5).clamp(10_000.0, 100_000_000.0))
}

/// Rounded up to two digits that count.
fn nice(value: f64) -> f64 {
    if value < DIGITS {
        return value.ceil();
    }
    let step = 10_f64.powf((value / DIGITS).log10().floor());
    (value / step).ceil() * step
}

/// Rounded down to two digits that count: a bound must not be rounded over.
fn nice_below(value: f64) -> f64 {
    if value < DIGITS {
        return (value * 10.0).floor().max(1.0) / 10.0;
    }
    let step = 10_f64.powf((value / DIGITS).log10().floor());
    (value / step).floor() * step
}

/// What to set for this launch, given what playing it showed.
#[expect(clippy::cast_precision_loss, reason = "counts and settings of one launch")]
pub fn advise(launch: &Launch, outcome: &Outcome, machine: Machine) -> Vec<Advice> {
    let (settings, crowd) = (&launch.settings, &launch.crowd);
    let ms = |ms: u64| ms as f64 / 1e3;
    let by_hashing = rate_by_hashing(machine, crowd.mix);
    // A cap above the demand never binds.
    let cap = (settings.cap as f64).min(outcome.demand_peak as f64 * CAP_SLACK).max(1.0);
    let frees = turnover(cap, crowd.session.mean_s(), crowd.no_show);
    let advised = nice_below(rate(by_hashing, cap, frees));
    let longest = outcome.line.longest as f64;
    let row = |key, played, value, unit, why| Advice { key, played, value, unit, why };
    vec![
        row("queue.rate", settings.rate, advised, "/s", why_rate(by_hashing, cap, frees, advised)),
        row(
            "queue.cap",
            settings.cap as f64,
            nice(outcome.demand_peak as f64 * CAP_SLACK),
            "slots",
            why_cap(outcome, settings.cap),
        ),
        row(
            "queue.pass_ttl_s",
            ms(settings.pass_ttl_ms),
            pass_ttl_s(crowd.login.p99_s()),
            "s",
            format!(
                "three times what the slowest login of a hundred takes ({:.1} s), 30 s at least; a \
                 longer pass only keeps slots of those who do not come",
                crowd.login.p99_s()
            ),
        ),
        row(
            "queue.lease_s",
            ms(settings.lease_ms),
            lease_s(settings.poll_max_ms),
            "s",
            format!(
                "three of the longest poll intervals ({:.0} s), five minutes at least",
                ms(settings.poll_max_ms)
            ),
        ),
        row(
            "queue.poll_budget",
            f64::from(settings.poll_budget),
            poll_budget(
                longest,
                advised,
                (settings.poll_min_ms, settings.poll_max_ms),
                machine.cores,
            ),
            "/s",
            format!(
                "ten questions in every wait with {longest:.0} in line, as far as half of {} cores \
                 answer them; {} a second were the most in this plan",
                machine.cores, outcome.polls.peak_per_s
            ),
        ),
        row(
            "queue.line_max",
            settings.line_max as f64,
            line_max(longest),
            "tickets",
            format!("half as many again as the longest line ({longest:.0})"),
        ),
    ]
}

fn why_rate(by_hashing: f64, cap: f64, frees: f64, advised: f64) -> String {
    let bound = format!("hashing carries {by_hashing:.0}/s by this mix");
    if by_hashing < frees {
        let full = by_hashing / frees * 100.0;
        return format!(
            "{bound}; slots come free faster ({frees:.0}/s), so the world stays {full:.0} % full at \
             best: more cores, or fewer passwords"
        );
    }
    let fills_s = cap / advised.max(0.1);
    format!("{bound}; slots come free at {frees:.1}/s; this fills {cap:.0} slots in {fills_s:.0} s")
}

#[expect(clippy::cast_precision_loss, reason = "counts of one launch")]
fn why_cap(outcome: &Outcome, cap: u64) -> String {
    let demand = outcome.demand_peak;
    if cap >= demand {
        return format!(
            "{demand} at most would be online at once if nobody waited, and a twentieth for passes \
             and grace: this cap is enough"
        );
    }
    format!(
        "{demand} at most would be online at once if nobody waited; {cap} is {:.0} % of that, and \
         the others wait for slots, whatever the rate. What your game servers carry comes first",
        cap as f64 / demand as f64 * 100.0
    )
}
