//! How often one address, one account or one ticket may ask: checked before anything is looked up.
//!
//! `governor` keeps the counts; the clock is ours. Every map is bounded: addresses and accounts are
//! hashed into a fixed number of cells, so an attacker with many of them costs no memory. Two that
//! share a cell share its allowance, which with 65,536 cells is rare and only ever too strict.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use governor::clock::Reference as _;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::config::LimitsConfig;
use crate::domain::queue::Number;

/// How often a place may go to another owner, a minute: each time is written to disk.
const TRANSFERS_PER_MINUTE: u32 = 5;
/// Cells each limit is spread over.
const CELLS: u64 = 65_536;

impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Self::now(self).0.saturating_mul(1_000))
    }
}

type Limiter = RateLimiter<u16, DashMapStateStore<u16, Hashing>, Clock, NoOpMiddleware<Nanos>>;
/// Fast, and seeded per process, so that nobody can aim at somebody else's cell.
type Hashing = hashbrown::DefaultHashBuilder;

/// The limits at the door. They change while the server runs; the counts then begin anew.
pub struct Limits {
    clock: Clock,
    hasher: Hashing,
    each: RwLock<Each>,
}

/// One of each.
struct Each {
    sign_in: Option<Limiter>,
    enter: Option<Limiter>,
    identity: Option<Limiter>,
    portal: Option<Limiter>,
    wrong_password: Limiter,
    poll: Limiter,
    transfer: Limiter,
}

/// Asked too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("asked too often; come back in {retry_after_s} s")]
pub struct TooOften {
    /// When the next attempt counts as new, in seconds, at least 1.
    pub retry_after_s: u32,
}

impl Limits {
    /// Limits as configured, on the server's clock.
    pub fn new(config: &LimitsConfig, clock: Clock) -> Self {
        let each = RwLock::new(Each::new(config, &clock));
        Self { clock, hasher: Hashing::default(), each }
    }

    /// Other limits from now on.
    pub fn set(&self, config: &LimitsConfig) {
        let each = Each::new(config, &self.clock);
        *self.each.write().unwrap_or_else(PoisonError::into_inner) = each;
    }

    fn each(&self) -> RwLockReadGuard<'_, Each> {
        self.each.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Each {
    fn new(config: &LimitsConfig, clock: &Clock) -> Self {
        let per_second = |rate, burst| {
            let quota = Quota::per_second(NonZeroU32::new(rate)?).allow_burst(at_least_one(burst));
            Some(limiter(quota, clock))
        };
        let per_minute = |rate| Quota::per_minute(at_least_one(rate));
        let some_per_minute =
            |rate| NonZeroU32::new(rate).map(|rate| limiter(Quota::per_minute(rate), clock));
        let wrong = per_minute(config.wrong_passwords_per_minute);
        let poll = Quota::per_second(at_least_one(config.poll_per_second))
            .allow_burst(at_least_one(config.poll_per_second.saturating_mul(2)));
        Self {
            sign_in: per_second(config.sign_in_per_second, config.sign_in_burst),
            enter: per_second(config.enter_per_second, config.enter_burst),
            identity: some_per_minute(config.enter_identity_per_minute),
            portal: some_per_minute(config.portal_per_minute),
            wrong_password: limiter(wrong, clock),
            poll: limiter(poll, clock),
            transfer: limiter(per_minute(TRANSFERS_PER_MINUTE), clock),
        }
    }
}

impl Limits {
    /// A sign-in from an address; an unknown address is not limited (a proxy that says nothing).
    pub fn sign_in(&self, from: Option<IpAddr>) -> Result<(), TooOften> {
        self.address(self.each().sign_in.as_ref(), from)
    }

    /// A new place in line for an address.
    pub fn enter(&self, from: Option<IpAddr>) -> Result<(), TooOften> {
        self.address(self.each().enter.as_ref(), from)
    }

    /// An entry by one device or account, whatever its address. Its place is safe.
    pub fn identity(&self, owner: impl Hash) -> Result<(), TooOften> {
        self.each().identity.as_ref().map_or(Ok(()), |limiter| self.ask(limiter, &owner))
    }

    /// A call of the web portal from an address.
    pub fn portal(&self, from: Option<IpAddr>) -> Result<(), TooOften> {
        self.address(self.each().portal.as_ref(), from)
    }

    /// A poll of a ticket. Its place is safe whatever the answer.
    pub fn poll(&self, ticket: Number) -> Result<(), TooOften> {
        self.ask(&self.each().poll, &ticket)
    }

    /// A place that goes to another owner.
    pub fn transfer(&self, ticket: Number) -> Result<(), TooOften> {
        self.ask(&self.each().transfer, &ticket)
    }

    /// An attempt to prove `account` by password from an address. Counting pairs keeps a stranger
    /// from locking the owner out.
    pub fn password(&self, account: &str, from: Option<IpAddr>) -> Result<(), TooOften> {
        self.ask(&self.each().wrong_password, &(account, from.map(network)))
    }

    fn address(&self, limiter: Option<&Limiter>, from: Option<IpAddr>) -> Result<(), TooOften> {
        match (limiter, from) {
            (Some(limiter), Some(address)) => self.ask(limiter, &network(address)),
            _ => Ok(()),
        }
    }

    fn ask(&self, limiter: &Limiter, key: &impl Hash) -> Result<(), TooOften> {
        #[expect(clippy::cast_possible_truncation, reason = "below CELLS, which fits")]
        let cell = (self.hasher.hash_one(key) % CELLS) as u16;
        limiter.check_key(&cell).map_err(|not_until| {
            let now = governor::clock::Clock::now(&self.clock);
            let wait = std::time::Duration::from(not_until.earliest_possible().duration_since(now));
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            TooOften { retry_after_s: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX) }
        })
    }
}

fn limiter(quota: Quota, clock: &Clock) -> Limiter {
    RateLimiter::dashmap_with_clock_and_hasher(quota, clock.clone(), Hashing::default())
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// What counts as one address: an IPv4 address, or the /64 an IPv6 subscriber is given.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let s = v6.segments();
            IpAddr::from([s[0], s[1], s[2], s[3], 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UnixMicros;

    fn limits(clock: &Clock) -> Limits {
        let config = LimitsConfig {
            sign_in_per_second: 1,
            sign_in_burst: 2,
            enter_per_second: 0,
            wrong_passwords_per_minute: 3,
            ..LimitsConfig::default()
        };
        Limits::new(&config, clock.clone())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what the limits are asked with")]
    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_burst_then_the_rate() {
        let clock = Clock::manual(UnixMicros::from_secs(1_000));
        let limits = limits(&clock);
        let home = address("192.0.2.7");
        assert_eq!(limits.sign_in(home), Ok(()));
        assert_eq!(limits.sign_in(home), Ok(()));
        assert_eq!(limits.sign_in(home), Err(TooOften { retry_after_s: 1 }));
        assert_eq!(limits.sign_in(address("192.0.2.8")), Ok(()));
        clock.advance_ms(1_000);
        assert_eq!(limits.sign_in(home), Ok(()));
    }

    #[test]
    fn one_ipv6_subscriber_is_one_address() {
        let limits = limits(&Clock::manual(UnixMicros::from_secs(1_000)));
        assert_eq!(limits.sign_in(address("2001:db8::1")), Ok(()));
        assert_eq!(limits.sign_in(address("2001:db8::2")), Ok(()));
        assert!(limits.sign_in(address("2001:db8::3")).is_err());
    }

    #[test]
    fn zero_means_no_limit() {
        let limits = limits(&Clock::manual(UnixMicros::from_secs(1_000)));
        assert!((0..10_000).all(|_| limits.enter(address("192.0.2.7")).is_ok()));
    }

    #[test]
    fn one_device_is_limited_and_no_other() {
        let clock = Clock::manual(UnixMicros::from_secs(1_000));
        let config = LimitsConfig { enter_identity_per_minute: 2, ..LimitsConfig::default() };
        let limits = Limits::new(&config, clock.clone());
        assert!((0..2).all(|_| limits.identity(7_u64).is_ok()));
        assert_eq!(limits.identity(7_u64), Err(TooOften { retry_after_s: 30 }));
        assert_eq!(limits.identity(8_u64), Ok(()));
        clock.advance_ms(30_000);
        assert_eq!(limits.identity(7_u64), Ok(()));
    }

    #[test]
    fn a_stranger_does_not_lock_the_owner_out() {
        let limits = limits(&Clock::manual(UnixMicros::from_secs(1_000)));
        while limits.password("ada@example.org", address("192.0.2.66")).is_ok() {}
        assert_eq!(limits.password("ada@example.org", address("192.0.2.7")), Ok(()));
    }
}
