//! What a waiting ticket's owner is told: position, estimate, when to ask again, and why it got
//! worse if it did.

use super::eta::Road;
use super::lanes::{Lanes, WEIGHTED};
use super::line::{Mark, State};
use super::record::{Record, secs, secs_up};
use super::{
    Eta, Lane, Mode, Number, Phase, Queue, Reason, Standing, TicketRef, UnixMicros, Waiting,
};
use crate::domain::steering::{Dials, Outlook};

/// The range around an estimate (login-queues §2.6).
const EARLY: f64 = 1.2;
const LATE: f64 = 1.3;
/// Within this many seconds a ticket is at the front.
const FRONT_S: f64 = 60.0;
/// An estimate this much above the first one counts as worse: a fifth and five seconds.
const WORSE: f64 = 1.2;
const WORSE_S: f64 = 5.0;
/// Beyond about thirty years nobody can say.
const SECONDS_MAX: f64 = 1e9;

impl Queue {
    /// Hears of a waiting ticket: renews its lease and says where it stands.
    pub(super) fn touch(
        &mut self,
        now: UnixMicros,
        number: Number,
        mut reason: Option<Reason>,
    ) -> Waiting {
        if self.recovered.is_some() && self.line.has(number, Mark::Unheard) {
            self.line.clear(number, Mark::Unheard);
            reason = reason.or(Some(Reason::Restarted));
        }
        let lane = match self.line.state(number) {
            State::Waiting(lane) => lane,
            _ => Lane::Standard,
        };
        let place = self.stands_with(number, lane);
        let position = self.line.position(place, lane).max(1);
        let shown = self.line.record(number).and_then(Record::shown);
        // Whose place it was may have gone, or be silent.
        let shared = self.parties.was_left_behind(number) || !self.parties.with(number).is_empty();
        if shared && shown.is_some_and(|shown| position > shown) {
            reason = reason.or(Some(Reason::PartyChanged));
        }
        self.answer(now, number, lane, position, reason)
    }

    /// What the owner of a ticket that waits at `computed` of `lane` is told.
    pub(super) fn answer(
        &mut self,
        now: UnixMicros,
        number: Number,
        lane: Lane,
        computed: u64,
        mut reason: Option<Reason>,
    ) -> Waiting {
        let seconds = self.seconds(lane, computed, self.waited_s(now, number));
        let poll_after_ms = self.pace.interval_ms(number, seconds.map(Guess::value));
        let eta = match seconds {
            Some(Guess::Estimate(seconds)) => Some(self.range(seconds)),
            _ => None,
        };
        let (lease_ms, changed, slower) =
            (self.settings.lease_ms, secs_up(self.settings_changed_at), self.eta.slower_at());
        let recovering = self.recovered.is_some();
        let older_return = matches!(lane, Lane::Grace | Lane::Staff) || self.takes_back();
        let drawn = self.was_drawn(number);
        let computed = if self.is_to_be_drawn(number, lane) { 0 } else { computed };
        let mut position = computed;
        let mut lease_until = now;
        if let Some(record) = self.line.record_mut(number) {
            if let Some(shown) = record.shown().filter(|&shown| computed > shown) {
                if older_return || reason.is_some() {
                    reason = reason.or(Some(Reason::OlderReturned));
                } else if recovering {
                    // Somebody older was recognised, in another lane than presumed.
                    reason = Some(Reason::Restarted);
                } else {
                    position = shown;
                    self.tally.reversals += 1;
                }
            }
            let waited_s = secs(now).saturating_sub(record.entered_s);
            if let Some(Guess::Estimate(seconds)) = seconds {
                let total_s = f64::from(waited_s) + seconds;
                if record.quoted_s == 0 && record.shown().is_none() && reason.is_none() {
                    record.quoted_s = whole_s(total_s);
                }
                let worse = total_s > f64::from(record.quoted_s) * WORSE + WORSE_S;
                if worse && record.quoted_s > 0 && reason.is_none() {
                    reason = why_worse(record.seen_s, changed, secs_up(slower));
                }
            } else if reason.is_none() && record.shown().is_some() && changed >= record.seen_s {
                reason = Some(Reason::SettingsChanged);
            }
            if drawn && record.shown().is_none() {
                reason = reason.or(Some(Reason::Drawn));
            }
            record.set_shown(position);
            self.eta.waited_on(waited_s, secs(now).saturating_sub(record.seen_s));
            record.seen_s = secs_up(now);
            record.set_interval_ms(poll_after_ms);
            lease_until = record.lease_until(lease_ms);
        }
        let ticket = self.ticket(number);
        let phase = self.phase(seconds, number, lane);
        // Nobody who takes part in a draw has a place yet: how many they are.
        let position = if position == 0 { self.entrants_count().max(1) } else { position };
        Waiting { ticket, position, eta, poll_after_ms, lease_until, phase, reason, watches: false }
    }

    /// Lengthens the interval of somebody who watches the frame, and the lease with it.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a wait")]
    pub(super) fn leave_alone(&mut self, waiting: &mut Waiting) {
        let nobody_can_say =
            waiting.eta.is_none() && matches!(waiting.phase, Phase::Queued | Phase::Front);
        if self.opening.is_pending() || nobody_can_say {
            // The doors open at their own time, or slots come free by themselves: he comes back as
            // everybody does.
            return;
        }
        let number = waiting.ticket.number;
        let login_ms = self.settings.login_ms;
        let seconds = waiting.eta.map(|eta| eta.mid_ms.saturating_sub(login_ms) as f64 / 1e3);
        let alone_ms = self.pace.watch_ms(number, seconds).max(waiting.poll_after_ms);
        let lease_ms = self.settings.lease_ms;
        if let Some(record) = self.line.record_mut(number) {
            record.set_watched_ms(alone_ms);
            waiting.poll_after_ms = alone_ms;
            waiting.watches = true;
            waiting.lease_until = record.lease_until(lease_ms);
            self.longest_ms = self.longest_ms.max(alone_ms);
        }
    }

    fn phase(&self, seconds: Option<Guess>, number: Number, lane: Lane) -> Phase {
        let to_be_drawn = self.is_to_be_drawn(number, lane);
        match seconds {
            None if to_be_drawn || self.announced.mode.is_of_opening() => {
                self.opening_phase(number, lane).unwrap_or(Phase::Held)
            }
            None => match self.announced.mode {
                Mode::Paused => Phase::Paused,
                Mode::Maintenance => Phase::Maintenance,
                Mode::Open | Mode::Held | Mode::Draining | Mode::Prequeue | Mode::Drawing => {
                    Phase::Held
                }
            },
            Some(Guess::Estimate(seconds)) if seconds <= FRONT_S => Phase::Front,
            Some(_) => Phase::Queued,
        }
    }

    /// Seconds until the ticket at `position` of `lane`, which has waited `waited_s`, comes in.
    /// `None` while the line stands.
    pub(super) fn seconds(&self, lane: Lane, position: u64, waited_s: u32) -> Option<Guess> {
        if !self.announced.mode.admits() || self.time.now < self.settle_until {
            return None;
        }
        let with = (self.gate.rate(), self.settings.cap, &self.lanes);
        self.seconds_with(lane, position, waited_s, with)
    }

    /// When the last of each lane would come in with other dials than those in force. The rate is
    /// taken at its word: what is measured may allow less.
    pub fn outlook(&self, dials: &Dials) -> [Outlook; Lane::COUNT] {
        let lanes = self.lanes.with(dials.lanes.grace_share, dials.lanes.weights);
        Lane::ALL.map(|lane| {
            let waiting = self.line.waiting()[lane as usize];
            let moves = waiting > 0 && dials.announced.mode.admits();
            let with = (dials.rate, dials.cap, &lanes);
            let last = moves.then(|| self.seconds_with(lane, waiting, 0, with)).flatten();
            let last_s = match last {
                Some(Guess::Estimate(seconds)) => Some(seconds),
                _ => None,
            };
            Outlook { waiting, last_s }
        })
    }

    /// The shortest lease of a silent ticket, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a setting of at most some days")]
    pub(super) fn lease_s(&self) -> f64 {
        self.settings.lease_ms as f64 / 1e3
    }

    /// The same at another rate, with other slots and shares, whatever was announced.
    fn seconds_with(
        &self,
        lane: Lane,
        position: u64,
        waited_s: u32,
        (rate, cap, lanes): (f64, u64, &Lanes),
    ) -> Option<Guess> {
        if rate <= 0.0 || cap == 0 {
            return None;
        }
        let n = self.ahead_with(lanes, lane, position);
        #[expect(clippy::cast_precision_loss, reason = "a setting of at most a day")]
        let pass_s = self.settings.pass_ttl_ms as f64 / 1e3;
        let used = self.used();
        let lease_s = self.lease_s();
        let road = Road { rate, cap, used, passes: self.line.count(Mark::Pass), pass_s, lease_s };
        Some(match self.eta.seconds(n, waited_s, road) {
            Some(seconds) if seconds < SECONDS_MAX => Guess::Estimate(seconds),
            _ => Guess::AtLeast((n / rate).min(SECONDS_MAX)),
        })
    }

    /// How many come in up to and including the ticket at `position` of `lane`: those before it in
    /// its lane, and what the other lanes take meanwhile by their shares.
    pub(super) fn ahead(&self, lane: Lane, position: u64) -> f64 {
        self.ahead_with(&self.lanes, lane, position)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn ahead_with(&self, lanes: &Lanes, lane: Lane, position: u64) -> f64 {
        let n = position as f64;
        let waiting = self.line.waiting().map(|count| count as f64);
        let waits = |lane: Lane| waiting[lane as usize];
        let share = lanes.grace_share();
        let mixed = match lane {
            Lane::Staff => return n,
            Lane::Grace => {
                let others: f64 = WEIGHTED.into_iter().map(waits).sum();
                let per_grace = if share > 0.0 { (1.0 - share) / share } else { f64::INFINITY };
                return waits(Lane::Staff) + n + others.min(n * per_grace);
            }
            Lane::Paying | Lane::Standard | Lane::Low => {
                let others = WEIGHTED.into_iter().filter(|&other| other != lane);
                let meanwhile = |other| waits(other).min(n * lanes.turns_per(other, lane));
                n + others.map(meanwhile).sum::<f64>()
            }
        };
        let per_other = if share < 1.0 { share / (1.0 - share) } else { f64::INFINITY };
        waits(Lane::Staff) + mixed + waits(Lane::Grace).min(mixed * per_other)
    }

    /// The range shown for an estimate, with the time from admission to being in added.
    #[expect(clippy::cast_precision_loss, reason = "a setting far below 2^52")]
    fn range(&self, seconds: f64) -> Eta {
        let login_ms = self.settings.login_ms as f64;
        let ms = |seconds: f64| whole_ms(seconds * 1e3 + login_ms);
        Eta { low_ms: ms(seconds / EARLY), mid_ms: ms(seconds), high_ms: ms(seconds * LATE) }
    }

    /// The answer for a ticket that became a pass.
    pub(super) fn passed(&self, number: Number, on_the_spot: bool) -> Standing {
        let pass_until = self.line.record(number).map_or(UnixMicros(0), Record::until);
        Standing::Passed { ticket: self.ticket(number), pass_until, on_the_spot }
    }

    /// What the token of a ticket in the window says.
    pub(super) fn ticket(&self, number: Number) -> TicketRef {
        let record = self.line.record(number).copied().unwrap_or_default();
        TicketRef {
            epoch: self.epoch,
            number,
            lane: record.lane(),
            identity: record.identity(),
            issued_at: UnixMicros::from_secs(record.entered_s.into()),
        }
    }
}

/// Seconds until a ticket comes in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guess {
    /// Good enough to show.
    Estimate(f64),
    /// As fast as the gate could go; the slots will take longer. For the poll interval only.
    AtLeast(f64),
}

impl Guess {
    pub(super) const fn value(self) -> f64 {
        match self {
            Self::Estimate(seconds) | Self::AtLeast(seconds) => seconds,
        }
    }
}

/// Why an estimate got worse since a ticket was last heard of, as far as that is known.
fn why_worse(seen_s: u32, changed_s: u32, slower_s: u32) -> Option<Reason> {
    if changed_s >= seen_s && changed_s > 0 {
        Some(Reason::SettingsChanged)
    } else if slower_s >= seen_s && slower_s > 0 {
        Some(Reason::SlowerDepartures)
    } else {
        None
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
const fn whole_ms(ms: f64) -> u64 {
    ms.ceil() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole_s(seconds: f64) -> u16 {
    seconds.round().max(1.0) as u16
}
