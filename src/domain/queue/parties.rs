//! Parties: friends who stand in line together and come in together.
//!
//! Every member has a ticket of his own, with its own lease, pass and place to fall back to; the party
//! only says that they are admitted in the same moment, when the first of them comes to the head. So a
//! party is exactly as long as its members are, and whoever loses his connection costs the others
//! nothing. Friends may join only soon after the first has come, so that nobody sells a place.
//!
//! A party that comes to the head of a full world keeps what comes free for itself, for a while; then
//! those behind it come in for as long, then it keeps twice as long. So it comes in whatever its size,
//! and singles are never starved.

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::exact::sorted;
use super::line::State;
use super::{Identity, Lane, Number, Queue, Standing, TicketRef, UnixMicros};

/// How long a party keeps freed slots for itself at first, in milliseconds.
const HOLD_MS: u64 = 15_000;
/// It doubles with every try, up to this.
const HOLD_MAX_MS: u64 = 240_000;
/// Tickets behind a party that are looked at for one that may come in before it.
const LOOKS_MAX: u32 = 64;

/// Why somebody cannot join a party. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoParty {
    /// The ticket one wants to join does not stand in line (any more).
    #[error("the party does not stand in line any more")]
    Gone,
    /// The party has its largest size.
    #[error("the party is full")]
    Full,
    /// Its first member came too long ago.
    #[error("the party has been in line for too long to be joined")]
    Late,
}

/// The parties in line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Parties {
    /// By the number that was joined first.
    #[serde(with = "sorted::map")]
    members: HashMap<Number, Vec<Number>>,
    #[serde(with = "sorted::map")]
    party_of: HashMap<Number, Number>,
    /// Whose party has become smaller since they heard of it: the place they shared may be gone.
    #[serde(with = "sorted::set")]
    left_behind: HashSet<Number>,
    hold: Option<Hold>,
}

/// A party at the head of a full world.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Hold {
    party: Number,
    /// Whether freed slots are kept for it, or others come in meanwhile.
    keeps: bool,
    until: UnixMicros,
    span_ms: u64,
}

/// What a ticket at the head of its lane does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Comes in alone.
    Alone,
    /// These come in together.
    Together(Vec<Number>),
    /// Nobody comes in before then, or before a slot comes free.
    Until(UnixMicros),
    /// Others come in before it, until then at most.
    PassBy(UnixMicros),
}

/// A party, for a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedParty(Vec<Number>);

impl Parties {
    /// The members of a number's party, itself among them; empty: it is in none.
    pub(super) fn with(&self, number: Number) -> &[Number] {
        let party = self.party_of.get(&number).and_then(|party| self.members.get(party));
        party.map_or(&[], Vec::as_slice)
    }

    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        !self.members.is_empty()
    }

    /// Two come together, or one more joins them.
    fn add(&mut self, first: Number, number: Number) {
        let party = *self.party_of.entry(first).or_insert(first);
        let leaves = self.party_of.contains_key(&number);
        self.remove(number);
        if leaves {
            self.left_behind.insert(number);
        }
        self.party_of.insert(number, party);
        let members = self.members.entry(party).or_insert_with(|| vec![first]);
        members.push(number);
        members.sort_unstable();
    }

    /// A number is in no party any more. The last member of a party is in none either.
    pub(super) fn remove(&mut self, number: Number) {
        self.left_behind.remove(&number);
        let Some(party) = self.party_of.remove(&number) else { return };
        let Some(members) = self.members.get_mut(&party) else { return };
        members.retain(|member| *member != number);
        self.left_behind.extend(members.iter());
        if let &mut [last] = members.as_mut_slice() {
            self.party_of.remove(&last);
            self.members.remove(&party);
        }
        if self.hold.is_some_and(|hold| hold.party == party) && !self.members.contains_key(&party) {
            self.hold = None;
        }
    }

    /// Whether somebody of its party has gone since this number heard of it.
    pub(super) fn was_left_behind(&mut self, number: Number) -> bool {
        self.left_behind.remove(&number)
    }

    /// The world is full: whether the party keeps what comes free, or others come in first.
    fn full(&mut self, now: UnixMicros, member: Number) -> Turn {
        let party = self.party_of.get(&member).copied().unwrap_or(member);
        let hold = match self.hold {
            Some(hold) if hold.party == party && now < hold.until => hold,
            Some(hold) if hold.party == party => {
                let doubled_ms = (hold.span_ms * 2).min(HOLD_MAX_MS);
                let span_ms = if hold.keeps { hold.span_ms } else { doubled_ms };
                Hold { party, keeps: !hold.keeps, until: now.plus_ms(span_ms), span_ms }
            }
            // One party at a time; another one waits for its turn.
            Some(other) if now < other.until => return Turn::PassBy(other.until),
            _ => Hold { party, keeps: true, until: now.plus_ms(HOLD_MS), span_ms: HOLD_MS },
        };
        self.hold = Some(hold);
        if hold.keeps { Turn::Until(hold.until) } else { Turn::PassBy(hold.until) }
    }

    /// What a snapshot keeps.
    pub(super) fn saved(&self) -> Vec<SavedParty> {
        let mut saved: Vec<_> = self.members.values().cloned().map(SavedParty).collect();
        saved.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        saved
    }

    pub(super) fn restored(saved: &[SavedParty]) -> Self {
        let mut parties = Self::default();
        for SavedParty(members) in saved {
            let Some((&first, rest)) = members.split_first() else { continue };
            for &member in rest {
                parties.add(first, member);
            }
        }
        parties
    }
}

impl Queue {
    /// As [`Queue::enter`], together with the owner of `first`, who waits: both come in when the
    /// first of their party has his turn. Who comes in at once, or has a slot, needs no party.
    ///
    /// # Errors
    ///
    /// [`NoParty`]; no place was taken.
    pub fn join(
        &mut self,
        now: UnixMicros,
        identity: Identity,
        lane: Lane,
        first: TicketRef,
    ) -> Result<Standing, NoParty> {
        let begun = self.begin(now);
        self.may_join(identity, first)?;
        let first = self.current(first);
        let is_member = self.is_member(identity, first.number);
        let standing = self.enter(now, identity, lane);
        if let Standing::Waiting(waiting) = &standing
            && waiting.ticket.number != first.number
            && !is_member
            && self.waits(first)
        {
            let (number, why) = (waiting.ticket.number, waiting.reason);
            self.parties.add(first.number, number);
            let mut standing = self.known(begun, number, false);
            if let Standing::Waiting(waiting) = &mut standing {
                waiting.reason = waiting.reason.or(why);
            }
            return Ok(standing);
        }
        Ok(standing)
    }

    /// Whether [`Queue::join`] would take somebody, as of the last call.
    ///
    /// # Errors
    ///
    /// [`NoParty`]
    pub fn may_join(&self, identity: Identity, first: TicketRef) -> Result<(), NoParty> {
        let begun = self.time.now;
        let first = self.current(first);
        if !self.is_of(first) || !self.waits(first) {
            return Err(NoParty::Gone);
        }
        let members = self.parties.with(first.number);
        let is_member = self.is_member(identity, first.number);
        if members.len().max(1) >= self.settings.party_max && !is_member {
            return Err(NoParty::Full);
        }
        let oldest_s =
            members.iter().chain([&first.number]).map(|&n| self.waited_s(begun, n)).max();
        if u64::from(oldest_s.unwrap_or(0)) * 1_000 > self.settings.party_join_ms && !is_member {
            return Err(NoParty::Late);
        }
        Ok(())
    }

    /// Whether somebody is in the party of this number.
    fn is_member(&self, identity: Identity, first: Number) -> bool {
        let members = self.parties.with(first);
        self.line.find(identity).is_some_and(|own| members.contains(&own))
    }

    /// Whether a ticket is known to be its bearer's.
    fn is_of(&self, ticket: TicketRef) -> bool {
        self.line.record(ticket.number).is_some_and(|record| record.identity() == ticket.identity)
    }

    /// What the ticket at the head of a lane does, alone or with its party.
    pub(super) fn turn(&mut self, now: UnixMicros, number: Number) -> Turn {
        let members = self.parties.with(number);
        if members.is_empty() {
            return Turn::Alone;
        }
        let present = |&member: &Number| {
            matches!(self.line.state(member), State::Waiting(_)) && !self.is_silent(now, member)
        };
        let present: Vec<Number> = members.iter().copied().filter(present).collect();
        let count = present.len() as u64;
        if count < 2 {
            return Turn::Alone;
        }
        if self.free() < count && self.settings.cap >= count {
            return self.parties.full(now, number);
        }
        match self.gate.opens_for(count) {
            // More than all the slots there are: better one by one than never.
            _ if self.settings.cap < count => Turn::Alone,
            Some(at) if at <= now => Turn::Together(present),
            Some(at) => Turn::Until(at),
            None => Turn::Alone,
        }
    }

    /// The first behind a party that may come in before it.
    pub(super) fn behind(&mut self, now: UnixMicros, lane: Lane, number: Number) -> Option<Number> {
        let mut after = number;
        for _ in 0..LOOKS_MAX {
            after = self.line.first_after(lane, after)?;
            if self.parties.with(after).is_empty() && !self.is_silent(now, after) {
                return Some(after);
            }
        }
        None
    }

    /// The number whose place a ticket shares: the first of its party that waits in the same lane, or
    /// its own.
    pub(super) fn stands_with(&self, number: Number, lane: Lane) -> Number {
        let waits = |member: &&Number| self.line.state(**member) == State::Waiting(lane);
        let first = self.parties.with(number).iter().find(waits);
        first.copied().map_or(number, |first| first.min(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::examples::{
        at, enter, passed, queue, run_until, settings, standing, waiting,
    };
    use crate::domain::queue::{Departure, Player, Reason, Recovery, Settings, Waiting};

    fn join(queue: &mut Queue, now: UnixMicros, who: u64, first: TicketRef) -> Waiting {
        waiting(queue.join(now, Identity(who), Lane::Standard, first).unwrap())
    }

    /// Everybody who waits says that he is there.
    fn poll(queue: &mut Queue, now: UnixMicros, tickets: &[TicketRef]) {
        for ticket in tickets {
            queue.check(now, *ticket);
        }
    }

    fn has_pass(queue: &Queue, ticket: TicketRef) -> bool {
        queue.line.state(ticket.number) == State::Pass
    }

    #[test]
    fn a_party_comes_in_together_at_the_place_of_its_first() {
        let mut queue = queue(Settings { burst: 5, ..settings() });
        for who in 1..=5 {
            passed(enter(&mut queue, at(0), who));
        }
        let first = waiting(enter(&mut queue, at(0), 10)).ticket;
        let strangers: Vec<_> =
            (20..24).map(|who| waiting(enter(&mut queue, at(0), who))).collect();
        let second = join(&mut queue, at(0), 11, first);
        let third = join(&mut queue, at(0), 12, second.ticket);
        assert_eq!((second.position, third.position), (1, 1), "the place of the first");
        let again = waiting(standing(queue.check(at(0), third.ticket)));
        assert_eq!(again.position, 1);
        run_until(&mut queue, at(3));
        for ticket in [first, second.ticket, third.ticket] {
            assert!(has_pass(&queue, ticket));
        }
        assert_eq!(queue.figures().parties_total, 1);
        assert!(!has_pass(&queue, strangers[0].ticket), "the gate has let three in");
        run_until(&mut queue, at(4));
        assert!(has_pass(&queue, strangers[0].ticket));
    }

    #[test]
    fn a_party_larger_than_the_burst_comes_in_when_all_before_is_paid_for() {
        let mut queue = queue(settings());
        passed(enter(&mut queue, at(0), 1));
        let first = waiting(enter(&mut queue, at(0), 10)).ticket;
        let second = join(&mut queue, at(0), 11, first).ticket;
        let behind = waiting(enter(&mut queue, at(0), 20)).ticket;
        run_until(&mut queue, at(1));
        assert!(has_pass(&queue, first) && has_pass(&queue, second));
        run_until(&mut queue, at(2));
        assert!(!has_pass(&queue, behind), "two at once cost two seconds");
        run_until(&mut queue, at(3));
        assert!(has_pass(&queue, behind));
    }

    #[test]
    fn who_may_join() {
        let mut queue = queue(Settings { party_max: 3, lease_ms: 600_000, ..settings() });
        let pass = passed(enter(&mut queue, at(0), 1));
        let join = |queue: &mut Queue, now, who, first| {
            queue.join(now, Identity(who), Lane::Standard, first).map(drop)
        };
        queue.set_rate(at(0), 0.0);
        let first = waiting(enter(&mut queue, at(0), 10)).ticket;
        assert_eq!(join(&mut queue, at(0), 2, pass), Err(NoParty::Gone));
        let forged = TicketRef { identity: Identity(99), ..first };
        assert_eq!(join(&mut queue, at(0), 2, forged), Err(NoParty::Gone));
        assert_eq!(join(&mut queue, at(60), 11, first), Ok(()));
        assert_eq!(join(&mut queue, at(60), 12, first), Ok(()));
        assert_eq!(join(&mut queue, at(60), 13, first), Err(NoParty::Full));
        assert_eq!(join(&mut queue, at(90), 12, first), Ok(()), "who is in it asks again");
        let lonely = waiting(enter(&mut queue, at(90), 40)).ticket;
        assert_eq!(join(&mut queue, at(151), 41, lonely), Err(NoParty::Late));
        assert_eq!(queue.parties.with(first.number).len(), 3);
        assert_eq!(queue.figures().waiting[Lane::Standard as usize], 4);
    }

    #[test]
    fn in_a_full_world_a_party_gathers_slots_and_singles_are_not_starved() {
        let fast = Settings { rate: 100.0, burst: 10, cap: 10, line_max: 100, ..settings() };
        let mut queue = queue(fast);
        for who in 1..=10_u64 {
            let pass = passed(enter(&mut queue, at(0), who));
            queue.begin_redeem(at(0), pass).unwrap();
            queue.finish_redeem(at(0), pass.number, Player(who.into()), Identity(who));
            queue.connect(at(0), Player(who.into())).unwrap();
        }
        let first = waiting(enter(&mut queue, at(0), 20)).ticket;
        let mut tickets = vec![first];
        tickets.extend((21..24).map(|who| join(&mut queue, at(0), who, first).ticket));
        let single = waiting(enter(&mut queue, at(0), 30)).ticket;
        let later = waiting(enter(&mut queue, at(0), 31)).ticket;
        tickets.extend([single, later]);
        // One slot comes free: it is kept for the party of four, for fifteen seconds.
        queue.disconnect(at(1), Player(1), Departure::Ended);
        poll(&mut queue, at(14), &tickets);
        assert!(!has_pass(&queue, single));
        run_until(&mut queue, at(17));
        assert!(has_pass(&queue, single), "then who is behind comes in");
        // Then the party gathers again, for twice as long, and has four at last.
        run_until(&mut queue, at(32));
        poll(&mut queue, at(32), &tickets);
        for (second, who) in [(33, 2), (40, 3), (47, 4), (54, 5)] {
            queue.disconnect(at(second), Player(who), Departure::Ended);
            poll(&mut queue, at(second), &tickets);
        }
        for ticket in &tickets[..4] {
            assert!(has_pass(&queue, *ticket), "{ticket:?}");
        }
        assert!(!has_pass(&queue, later));
        assert_eq!(queue.free(), 0);
    }

    #[test]
    fn who_loses_a_shared_place_is_told_why() {
        let mut queue = queue(Settings { rate: 0.0, lease_ms: 600_000, ..settings() });
        let first = waiting(enter(&mut queue, at(0), 10)).ticket;
        waiting(enter(&mut queue, at(0), 20));
        let other = waiting(enter(&mut queue, at(0), 30)).ticket;
        let mine = join(&mut queue, at(0), 11, first).ticket;
        assert_eq!(waiting(standing(queue.check(at(1), mine))).position, 1);
        let moved = join(&mut queue, at(2), 11, other);
        let again = waiting(standing(queue.check(at(3), mine)));
        assert_eq!((moved.position, again.position), (3, 3));
        assert_eq!(moved.reason, Some(Reason::PartyChanged));
        queue.leave(at(4), other.number);
        let alone = waiting(standing(queue.check(at(5), mine)));
        assert_eq!((alone.position, alone.reason), (3, None), "no worse than before");
        assert_eq!(queue.figures().position_reversals, 0);
    }

    #[test]
    fn a_silent_friend_holds_nobody_up_and_a_restart_parts_nobody() {
        let mut queue = queue(Settings { lease_ms: 600_000, ..settings() });
        passed(enter(&mut queue, at(0), 1));
        let first = waiting(enter(&mut queue, at(0), 10)).ticket;
        let second = join(&mut queue, at(0), 11, first).ticket;
        let silent = join(&mut queue, at(0), 12, first).ticket;
        queue.set_rate(at(0), 0.0);
        let saved = queue.snapshot(at(0));
        let recovery =
            Recovery { clean: true, reserved_until: Number(100_000), ..Recovery::default() };
        let mut queue = Queue::restore(settings(), saved, recovery, at(10));
        assert_eq!(queue.parties.with(second.number).len(), 3);
        poll(&mut queue, at(400), &[first, second]);
        queue.set_rate(at(400), 1.0);
        run_until(&mut queue, at(402));
        assert!(has_pass(&queue, first) && has_pass(&queue, second) && !has_pass(&queue, silent));
        assert!(queue.parties.with(silent.number).is_empty(), "nobody is left to go with");
    }
}
