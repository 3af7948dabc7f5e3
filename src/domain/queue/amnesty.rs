//! The amnesty: the line's files are gone and the key of its tickets is not. Whoever shows a ticket of
//! the line that was lost stands in the new one, in the old order, before everybody who came since.
//!
//! The first [`SPAN`] numbers of a line that begins anew are kept for them: the first who comes back
//! gets the one in the middle, and everybody else one as far from it as the tickets were apart. For a
//! while from the first on nobody is admitted, so that those who stood before can come back before
//! them. A ticket that left, lapsed or came in since is not taken back a second time.
//!
//! What is lost for good: who was admitted already, and who had given up. With their tickets they
//! stand in line again. Places of Nakama's clients, who hold no ticket, are lost with the files.

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use super::exact::sorted;
use super::line::State;
use super::record::{Record, secs};
use super::{Checked, Number, Queue, Reason, Standing, TicketRef, UnixMicros};

/// Numbers kept for those who come back: tickets so far apart, half of it before and half after the
/// first, find their place.
pub(super) const SPAN: u64 = 1 << 24;

/// What is known of a line that was lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Amnesty {
    /// Until when tickets are taken.
    until: UnixMicros,
    lost: Option<Lost>,
    /// Numbers of the span that came to an end.
    #[serde(with = "sorted::set")]
    ended: HashSet<u32>,
}

/// The line whose tickets are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lost {
    epoch: u32,
    /// The ticket that came first.
    first: Number,
    /// Its number in the span.
    place: u64,
    /// When the newest ticket seen of it was given.
    newest: UnixMicros,
}

impl Amnesty {
    /// The number that a ticket of the lost line gets. `None`: of another line, or too far away.
    ///
    /// When files were lost twice, the tickets of the later line are newer than all of the earlier,
    /// and stand behind those that were taken back already.
    fn number(&mut self, ticket: TicketRef) -> Option<Number> {
        let (epoch, first, newest) = (ticket.epoch, ticket.number, ticket.issued_at);
        let lost = match &mut self.lost {
            Some(lost) if lost.epoch == epoch => lost,
            Some(lost) if newest <= lost.newest => return None,
            other => {
                let before = other.map_or(SPAN * 3 / 8, |lost| lost.place);
                let place = (before + SPAN / 8).min(SPAN * 7 / 8);
                other.insert(Lost { epoch, first, place, newest })
            }
        };
        lost.newest = lost.newest.max(newest);
        let number = (lost.place + ticket.number.0).checked_sub(lost.first.0)?;
        (1..SPAN).contains(&number).then_some(Number(number))
    }

    /// As it was, longer by the time the server was down.
    pub(super) fn longer(mut self, down_us: u64) -> Self {
        self.until = self.until.plus_us(down_us);
        self
    }

    /// Notes that a number is not to be taken back again.
    #[expect(clippy::cast_possible_truncation, reason = "below the span")]
    pub(super) fn note_end(&mut self, number: Number) {
        if number.0 < SPAN && self.lost.is_some() {
            self.ended.insert(number.0 as u32);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "below the span")]
    fn takes(&self, now: UnixMicros, number: Number) -> bool {
        let is_open = now < self.until && self.lost.is_some();
        is_open && (1..SPAN).contains(&number.0) && !self.ended.contains(&(number.0 as u32))
    }
}

impl Queue {
    /// This line begins without files, and a line may have been lost: tickets of another epoch are
    /// taken for `amnesty_ms`. Before anybody enters. Does nothing if that is 0.
    pub fn expect_returners(&mut self, now: UnixMicros) {
        if self.settings.amnesty_ms == 0 {
            return;
        }
        let until = now.plus_ms(self.settings.amnesty_ms);
        self.amnesty = Some(Amnesty { until, lost: None, ended: HashSet::new() });
        self.line.skip_to(Number(SPAN));
    }

    /// A ticket of another epoch, whose signature is ours.
    pub(super) fn welcome_back(&mut self, now: UnixMicros, ticket: TicketRef) -> Checked {
        let Some(amnesty) = self.amnesty.as_mut().filter(|amnesty| now < amnesty.until) else {
            return Checked::Forgotten;
        };
        let is_first = amnesty.lost.is_none();
        let Some(number) = amnesty.number(ticket) else { return Checked::Forgotten };
        if is_first {
            self.settle_until = self.settle_until.max(now.plus_ms(self.settings.settle_ms));
        }
        let ticket = TicketRef { epoch: self.epoch, number, ..ticket };
        if self.line.state(number) == State::Gone {
            return self.take_back(now, ticket).unwrap_or_else(|| self.check_gone(number));
        }
        self.check_known(now, ticket)
    }

    /// Puts a ticket in its place of the span. `None`: it has come to an end, or the span is not for
    /// it.
    pub(super) fn take_back(&mut self, now: UnixMicros, ticket: TicketRef) -> Option<Checked> {
        let TicketRef { number, identity, lane, .. } = ticket;
        self.amnesty.as_ref().filter(|amnesty| amnesty.takes(now, number))?;
        if self.ledger.holds(identity) {
            return Some(Checked::Standing(Standing::HoldsSlot));
        }
        if let Some(other) = self.line.find(identity) {
            if other < number || self.line.state(other) == State::Pass {
                return Some(Checked::Standing(self.known(now, other, false)));
            }
            self.end(other);
        }
        if !self.line.reach_back(number) {
            return None;
        }
        let mut record = Record::new(identity, lane, now);
        record.entered_s = secs(ticket.issued_at.min(now));
        self.line.put(number, record);
        self.line.set_waiting(number, lane);
        self.tally.returned += 1;
        let waiting = self.touch(now, number, Some(Reason::Restarted));
        self.done(now);
        Some(Checked::Standing(match self.line.state(number) {
            State::Pass => self.passed(number, false),
            _ => Standing::Waiting(waiting),
        }))
    }

    /// Whether somebody may come to stand before others at any moment.
    pub(super) fn takes_back(&self) -> bool {
        self.amnesty.as_ref().is_some_and(|amnesty| amnesty.lost.is_some())
    }

    /// Forgets an amnesty that is over.
    pub(super) fn end_amnesty(&mut self, now: UnixMicros) {
        if self.amnesty.as_ref().is_some_and(|amnesty| amnesty.until <= now) {
            self.amnesty = None;
        }
    }
}

#[cfg(test)]
#[path = "amnesty_tests.rs"]
mod tests;
