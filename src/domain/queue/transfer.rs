//! Whose a place is: it goes to another owner, who switched devices; and where the place of a ticket is
//! that is shown in vain.

use super::line::State;
use super::record::Record;
use super::{Checked, Identity, Queue, Standing, TicketRef, UnixMicros};

/// Where the place of a ticket is that is forgotten ([`Checked::Forgotten`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// With another owner.
    Transferred,
    /// Nowhere: its owner left, it lapsed or was used, or it is of another line.
    Over,
}

/// Why a place did not go to another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTransferred {
    /// The ticket has no place.
    #[error("the ticket has no place")]
    Forgotten,
    /// It has a pass, or its owner holds a slot: there is no place any more to hand on.
    #[error("the ticket was admitted")]
    Admitted,
}

impl Queue {
    /// Gives the place of a ticket to another owner: same number, same lane. From now on the ticket
    /// is nobody's; the new one is in the answer. An owner who has a place already keeps the better of
    /// the two and gives up the other, and whoever holds a slot needs neither.
    ///
    /// The caller makes it durable before anybody is told: after a crash the place is the one's it was
    /// given to last ([`super::Recovery::places`]).
    ///
    /// # Errors
    ///
    /// [`NotTransferred`]; nothing was changed but the ticket's lease.
    pub fn transfer(
        &mut self,
        now: UnixMicros,
        ticket: TicketRef,
        to: Identity,
    ) -> Result<Standing, NotTransferred> {
        let ours = match self.check(now, ticket) {
            Checked::Standing(Standing::Waiting(ours)) => ours,
            Checked::Standing(_) => return Err(NotTransferred::Admitted),
            Checked::Forgotten => return Err(NotTransferred::Forgotten),
        };
        let now = self.time.now;
        // Its number may be another since it was given.
        let ticket = ours.ticket;
        if to == ticket.identity {
            return Ok(Standing::Waiting(ours));
        }
        if self.ledger.holds(to) {
            return Ok(Standing::HoldsSlot);
        }
        if let Some(other) = self.line.find(to) {
            let theirs = self.known(now, other, false);
            let is_better = match theirs {
                Standing::Waiting(theirs) => {
                    self.ahead(theirs.ticket.lane, theirs.position)
                        <= self.ahead(ours.ticket.lane, ours.position)
                }
                _ => true,
            };
            if is_better {
                self.leave(now, ticket.number);
                return Ok(theirs);
            }
            self.leave(now, other);
        }
        self.line.rebind(ticket.number, to);
        // The other's return may have let this one in: nobody has been told, so the pass goes along.
        Ok(self.known(now, ticket.number, false))
    }

    /// Where the place of a forgotten ticket is.
    pub fn whereabouts(&self, ticket: TicketRef) -> Whereabouts {
        let stands = ticket.epoch == self.epoch && self.line.state(ticket.number) != State::Gone;
        let owner = self.line.record(ticket.number).map(Record::identity);
        if stands && owner != Some(ticket.identity) {
            Whereabouts::Transferred
        } else {
            Whereabouts::Over
        }
    }

    /// The first of these owners who has a place.
    pub fn first_in_line(&self, owners: &[Identity]) -> Option<Identity> {
        owners.iter().copied().find(|&owner| self.line.find(owner).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::queue::examples::{
        START, at, crash, enter, passed, queue, run_until, settings, standing, waiting,
    };
    use crate::domain::queue::{Lane, Number, Reason, Recovery, Settings, Snapshot};

    fn held() -> Queue {
        queue(Settings { rate: 0.0, ..settings() })
    }

    fn place(standing: Standing) -> (u64, u64) {
        let waiting = waiting(standing);
        (waiting.ticket.number.0, waiting.position)
    }

    #[test]
    fn a_place_goes_to_another_owner_and_the_old_ticket_is_nobodys() {
        let mut queue = held();
        let tickets: Vec<_> =
            (1..=3).map(|who| waiting(enter(&mut queue, START, who)).ticket).collect();
        let moved = waiting(queue.transfer(at(1), tickets[1], Identity(9)).unwrap());
        assert_eq!((moved.ticket.number, moved.position), (tickets[1].number, 2));
        assert_eq!(moved.ticket.identity, Identity(9));
        assert_eq!(queue.check(at(2), tickets[1]), Checked::Forgotten);
        assert_eq!(queue.whereabouts(tickets[1]), Whereabouts::Transferred);
        assert_eq!(place(standing(queue.check(at(2), moved.ticket))), (2, 2));
        assert_eq!(place(enter(&mut queue, at(2), 9)), (2, 2), "found by the new owner");
        assert_eq!(place(enter(&mut queue, at(2), 2)), (4, 4), "the old owner starts anew");
        queue.leave(at(3), tickets[1].number);
        assert_eq!(queue.whereabouts(tickets[1]), Whereabouts::Over);
        let again = queue.transfer(at(3), tickets[1], Identity(8));
        assert_eq!(again, Err(NotTransferred::Forgotten));
    }

    #[test]
    fn of_two_places_the_better_one_is_kept() {
        let mut queue = held();
        let mut take = |who| waiting(enter(&mut queue, START, who)).ticket;
        let (first, second, third) = (take(1), take(2), take(3));
        assert_eq!(place(queue.transfer(at(1), first, Identity(3)).unwrap()), (1, 1));
        assert_eq!(queue.check(at(1), third), Checked::Forgotten);
        assert_eq!(queue.whereabouts(third), Whereabouts::Over, "given up");
        assert_eq!(place(standing(queue.check(at(1), second))), (2, 2));
        assert_eq!(place(queue.transfer(at(1), second, Identity(3)).unwrap()), (1, 1));
        assert_eq!(queue.figures().waiting[Lane::Standard as usize], 1);
    }

    #[test]
    fn a_pass_is_not_handed_on_and_who_has_one_keeps_it() {
        let mut queue = queue(settings());
        let pass = passed(enter(&mut queue, START, 1));
        let second = waiting(enter(&mut queue, START, 2)).ticket;
        let refused = queue.transfer(START, pass, Identity(9));
        assert_eq!(refused, Err(NotTransferred::Admitted));
        assert_eq!(passed(queue.transfer(START, second, Identity(1)).unwrap()), pass);
        assert_eq!(queue.check(START, second), Checked::Forgotten);
    }

    #[test]
    fn a_parked_place_comes_back_as_it_is_handed_on() {
        let mut queue = queue(Settings { rate: 0.01, lease_ms: 600_000, ..settings() });
        passed(enter(&mut queue, START, 1));
        let silent = waiting(enter(&mut queue, START, 2)).ticket;
        run_until(&mut queue, at(100));
        assert_eq!(queue.figures().parked, 1);
        queue.set_rate(at(100), 0.0);
        let saved = queue.snapshot(at(100));
        let moved = waiting(queue.transfer(at(101), silent, Identity(9)).unwrap());
        assert_eq!((moved.ticket.lane, moved.position), (Lane::Grace, 1));
        let logged = vec![
            (silent.number, Identity(2), Lane::Standard),
            (silent.number, Identity(9), Lane::Grace),
        ];
        // The snapshot knows the owner before.
        let mut queue = after_crash(&saved, logged);
        assert_eq!(queue.check(at(110), silent), Checked::Forgotten);
        assert_eq!(waiting(standing(queue.check(at(110), moved.ticket))).position, 1);
    }

    fn after_crash(saved: &Snapshot, places: Vec<(Number, Identity, Lane)>) -> Queue {
        let recovery = Recovery { reserved_until: Number(1_000), places, ..Recovery::default() };
        crash(saved, Settings { rate: 0.0, ..settings() }, at(105), recovery)
    }

    #[test]
    fn a_place_that_nobody_in_particular_had_is_its_new_owners_after_a_crash() {
        let mut queue = held();
        let saved = queue.snapshot(START);
        let ticket = waiting(queue.enter(START, Identity::ANONYMOUS, Lane::Standard)).ticket;
        let moved = waiting(queue.transfer(at(1), ticket, Identity(9)).unwrap()).ticket;
        let mut queue = after_crash(&saved, vec![(ticket.number, Identity(9), Lane::Standard)]);
        assert_eq!(queue.check(at(110), ticket), Checked::Forgotten, "shown first, and in vain");
        assert_eq!(queue.whereabouts(ticket), Whereabouts::Transferred);
        let back = waiting(standing(queue.check(at(110), moved)));
        assert_eq!((back.position, back.reason), (1, Some(Reason::Restarted)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Enter(u64),
        Transfer(usize, u64),
        Leave(usize),
        Snapshot,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1_u64..9).prop_map(Step::Enter),
            5 => (0_usize..64, 1_u64..9).prop_map(|(at, to)| Step::Transfer(at, to)),
            1 => (0_usize..64).prop_map(Step::Leave),
            1 => Just(Step::Snapshot),
        ]
    }

    proptest! {
        /// Whoever was told last that a place is theirs finds it after a crash, and nobody else does.
        #[test]
        fn a_crash_gives_each_place_to_the_owner_told_last(
            steps in prop::collection::vec(step(), 1..60)
        ) {
            let mut queue = held();
            let mut saved = queue.snapshot(START);
            let (mut log, mut tickets) = (Vec::new(), Vec::new());
            let mut owners: BTreeMap<u64, TicketRef> = BTreeMap::new();
            for step in steps {
                let pick = |at: usize| (!tickets.is_empty()).then(|| tickets[at % tickets.len()]);
                let told = match step {
                    Step::Enter(who) => Some(waiting(enter(&mut queue, START, who)).ticket),
                    Step::Transfer(of, to) => pick(of).and_then(|ticket| {
                        let moved = queue.transfer(START, ticket, Identity(to)).ok()?;
                        owners.retain(|_, known| known.number != ticket.number);
                        Some(waiting(moved).ticket)
                    }),
                    Step::Leave(of) => {
                        let Some(ticket) = pick(of) else { continue };
                        if standing_of(&mut queue, ticket).is_some() {
                            queue.leave(START, ticket.number);
                            owners.retain(|_, known| known.number != ticket.number);
                        }
                        None
                    }
                    Step::Snapshot => {
                        saved = queue.snapshot(START);
                        None
                    }
                };
                let Some(ticket) = told else { continue };
                owners.retain(|_, known| known.number != ticket.number);
                owners.insert(ticket.identity.0, ticket);
                tickets.push(ticket);
                log.push((ticket.number, ticket.identity, ticket.lane));
            }
            let mut queue = after_crash(&saved, log);
            for &ticket in &tickets {
                let owner = owners.get(&ticket.identity.0).map(|known| known.number);
                let stands = standing_of(&mut queue, ticket);
                if owner == Some(ticket.number) {
                    prop_assert_eq!(stands, Some(ticket.number), "{:?}", ticket);
                } else if owners.values().any(|known| known.number == ticket.number) {
                    prop_assert_eq!(stands, None, "{:?} is another's", ticket);
                }
            }
        }
    }

    fn standing_of(queue: &mut Queue, ticket: TicketRef) -> Option<Number> {
        match queue.check(START, ticket) {
            Checked::Standing(Standing::Waiting(waiting)) => Some(waiting.ticket.number),
            _ => None,
        }
    }
}
