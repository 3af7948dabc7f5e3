//! The guard before the line, shared by all entrances: what the rules of [`crate::domain::abuse`] need
//! from outside, and the counts of what they found.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::DefaultHashBuilder;

use super::limits::network;
use super::places::EnterError;
use super::{Door, SignInError};
use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::domain::abuse::challenge::{Answer, Bound, Challenge};
use crate::domain::abuse::{Guard, Heads, Manner, Placed, Settings, Source, Verdict};
use crate::domain::queue::{Frame, Identity, Lane, Number, Phase, Standing, TicketRef};
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::observe::trace;

/// A place is new if the line gave it so recently, in milliseconds: its age is told in whole seconds.
const NEW_MS: u64 = 2_000;

/// The guard, and what it found.
pub struct SharedGuard {
    clock: Clock,
    guard: Mutex<Guard>,
    verdicts: [AtomicU64; Verdict::COUNT],
}

/// Who is about to take a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrant {
    /// From where; `None`: nobody knows.
    pub from: Option<IpAddr>,
    /// How, as far as a challenge goes.
    pub manner: Manner,
}

/// A challenge that has to be answered before there is a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenged {
    /// The challenge.
    pub challenge: Challenge,
    /// Why: there was no answer yet, or what was wrong with it.
    pub why: Verdict,
}

impl SharedGuard {
    /// As configured, on the server's clock. The key of challenges is rolled now.
    pub fn new(config: &QueueConfig, clock: Clock, dice: &Dice) -> Self {
        let hasher = DefaultHashBuilder::default();
        let guard = Mutex::new(Guard::new(settings(config), &dice.bytes(), &hasher));
        Self { clock, guard, verdicts: Default::default() }
    }

    /// Changes the settings. What is known stays known.
    pub fn set(&self, config: &QueueConfig) {
        self.lock().set(settings(config));
    }

    /// How strong an attack is, 0 (calm) to 5.
    pub fn level(&self) -> u8 {
        self.lock().level(self.clock.now())
    }

    /// Each verdict's name and count.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.verdicts.iter().map(|count| count.load(Ordering::Relaxed));
        Verdict::ALL.iter().map(|verdict| verdict.name()).zip(counts)
    }

    /// Asks a client that can answer.
    ///
    /// # Errors
    ///
    /// [`Challenged`]: not before that is answered.
    pub(super) fn ask(
        &self,
        from: Option<IpAddr>,
        device_key: Option<&str>,
        answer: Option<Answer<'_>>,
    ) -> Result<Manner, Challenged> {
        let prefix = from.map_or(0, |address| source(address).prefix);
        let asked = self.lock().ask(self.clock.now(), answer, Bound { prefix, device_key });
        match asked {
            Ok(manner) => {
                if manner == Manner::Solved {
                    self.count(Verdict::Solved);
                }
                Ok(manner)
            }
            Err((challenge, why)) => {
                self.count(why);
                Err(Challenged { challenge, why })
            }
        }
    }

    /// What there is to say of somebody's new place; [`Verdict::lane`] is where it leads.
    fn judge(&self, entrant: Entrant, frame: &Frame) -> Verdict {
        let now = self.clock.now();
        let mut guard = self.lock();
        guard.settle(now, &heads(frame));
        guard.judge(now, entrant.from.map(source), entrant.manner)
    }

    /// The line answered: a new place is noted, and counted as what was found.
    fn placed(&self, standing: &Standing, entrant: Entrant, found: Verdict) {
        let now = self.clock.now();
        let Some(place) = new_place(standing, now) else { return };
        if self.lock().placed(now, place, entrant.from.map(source), entrant.manner) {
            self.count(found);
        }
    }

    /// A place led to a sign-in from this address.
    pub(super) fn signed_in(&self, place: Number, from: Option<IpAddr>) {
        self.lock().signed_in(self.clock.now(), place, from.map(source));
    }

    /// Counts a verdict.
    pub(super) fn count(&self, verdict: Verdict) {
        self.verdicts[verdict as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What a panic may have interrupted is a count or a score: it is used as it is.
    fn lock(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    /// Takes a place in line, or finds the one that is there: with
    /// [`Door::take_place_with`] the one way to the line for every entrance. The guard's word moves nobody whom `lane` already sets apart.
    pub(super) async fn take_place(
        &self,
        identity: Identity,
        lane: Lane,
        entrant: Entrant,
    ) -> Result<Standing, SignInError> {
        let (lane, found) = self.judged(lane, entrant);
        let standing = trace::step("take place", self.line.enter(identity, lane)).await?;
        self.guard.placed(&standing, entrant, found);
        Ok(self.put_off(standing))
    }

    /// The same beside the owner of `first`, to come in together.
    pub(super) async fn take_place_with(
        &self,
        first: TicketRef,
        identity: Identity,
        lane: Lane,
        entrant: Entrant,
    ) -> Result<Standing, EnterError> {
        let (lane, found) = self.judged(lane, entrant);
        let standing = self.line.join(identity, lane, first).await.map_err(SignInError::from)??;
        self.guard.placed(&standing, entrant, found);
        Ok(self.put_off(standing))
    }

    /// The lane a new place will be in, and what was found.
    fn judged(&self, lane: Lane, entrant: Entrant) -> (Lane, Verdict) {
        let found = self.guard.judge(entrant, &self.line.frame());
        let lane = if lane == Lane::Standard { found.lane().unwrap_or(lane) } else { lane };
        (lane, found)
    }

    /// Counts an entry against its address.
    pub(super) fn limit_entry(&self, from: Option<IpAddr>) -> Result<(), SignInError> {
        let limited = self.limits.enter(from);
        Ok(limited.inspect_err(|_| self.guard.count(Verdict::LimitedAddress))?)
    }
}

fn settings(config: &QueueConfig) -> Settings {
    config.abuse.settings(config.rate, config.pass_ttl_s)
}

/// A place that the line gave just now, if it did.
fn new_place(standing: &Standing, now: UnixMicros) -> Option<Placed> {
    match standing {
        Standing::Passed { ticket, on_the_spot: true, .. } => Some(Placed {
            number: ticket.number,
            lane: ticket.lane,
            passed: true,
            to_be_drawn: false,
        }),
        Standing::Waiting(waiting) if now.since_ms(waiting.ticket.issued_at) < NEW_MS => {
            let to_be_drawn = matches!(waiting.phase, Phase::Lottery { .. } | Phase::Drawing);
            let ticket = waiting.ticket;
            Some(Placed { number: ticket.number, lane: ticket.lane, passed: false, to_be_drawn })
        }
        _ => None,
    }
}

/// Where the lanes' heads are. A lane whose places are still to be drawn has none, and counts as one
/// whose head nobody has reached.
fn heads(frame: &Frame) -> Heads {
    let mut first = [None; Lane::COUNT];
    for lane in &frame.lanes {
        let head = lane.points.first().map_or(Number(0), |point| point.number);
        first[lane.lane as usize] = Some(head);
    }
    Heads { at: frame.at, first }
}

/// An address as the rules know it: what one subscriber has, and the /24 or /48 around it. IPv4
/// addresses stand where no IPv6 network is given to anybody.
fn source(address: IpAddr) -> Source {
    match network(address) {
        IpAddr::V4(v4) => {
            let address = u64::from(v4.to_bits());
            Source { address, prefix: address & !0xff }
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments().map(u64::from);
            let prefix = a << 48 | b << 32 | c << 16;
            Source { address: prefix | d, prefix }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Source {
        source(text.parse().unwrap())
    }

    #[test]
    fn an_address_and_its_network_of_both_families() {
        let home = of("192.0.2.7");
        assert_eq!(home, of("::ffff:192.0.2.7"), "the same written otherwise");
        let neighbour = of("192.0.2.8");
        assert!(home.address != neighbour.address && home.prefix == neighbour.prefix);
        assert_ne!(home.prefix, of("192.0.3.7").prefix);
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"), "one subscriber");
        let other = of("2001:db8:1:3::1");
        assert_ne!(of("2001:db8:1:2::1").address, other.address);
        assert_eq!(of("2001:db8:1:2::1").prefix, other.prefix);
        assert_ne!(other.prefix, of("2001:db8:2::1").prefix);
    }
}
