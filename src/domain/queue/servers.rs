//! What game servers say of slots: who is in the world, and who has left it (login-queues §6). They
//! see players whose sockets we do not.

use super::ledger::Kind;
use super::{Departure, Identity, Player, Queue, UnixMicros};

impl Queue {
    /// A game server has the player in its world: the slot is kept for `lease_ms` from now, unless a
    /// socket holds it anyway, and after that as long as a dropped player's. A player without a slot is counted, above the cap if need be, for they
    /// are in; nobody else is admitted until it fits again. `true`: they held one.
    pub fn keep(&mut self, now: UnixMicros, player: Player, lease_ms: u64) -> bool {
        let now = self.begin(now);
        let held = self.ledger.get(player).map(|slot| slot.kind);
        let lease = now.plus_ms(lease_ms);
        let kind = match held {
            Some(Kind::Live { sockets }) => Kind::Live { sockets },
            // Grace of a mass drop may be longer than a lease, and is over: he is here.
            Some(Kind::Grace { .. }) | None => Kind::InWorld { until: lease },
            Some(Kind::Reserved { until } | Kind::InWorld { until }) => {
                Kind::InWorld { until: until.max(lease) }
            }
        };
        self.ledger.put(player, kind, Identity::ANONYMOUS);
        self.done(now);
        held.is_some()
    }

    /// A game server's player has left its world. Their slot is free at once or held for grace, as
    /// `how` says; while a socket is open it is the socket's to give up.
    pub fn give_up(&mut self, now: UnixMicros, player: Player, how: Departure) {
        let now = self.begin(now);
        let held = self.ledger.get(player).map(|slot| slot.kind);
        let is_ours =
            matches!(held, Some(Kind::Reserved { .. } | Kind::InWorld { .. } | Kind::Grace { .. }));
        if !is_ours {
            return;
        }
        let was_in = matches!(held, Some(Kind::InWorld { .. }));
        let held_until = match how {
            Departure::Dropped if was_in => self.note_drop(now),
            // Known to be away already: what is held for them stays.
            Departure::Dropped => match held {
                Some(Kind::Grace { until }) => self.grace_until(now).max(Some(until)),
                _ => self.grace_until(now),
            },
            Departure::Clean | Departure::Ended => None,
        };
        if let Some(until) = held_until {
            self.ledger.put(player, Kind::Grace { until }, Identity::ANONYMOUS);
        } else {
            self.ledger.free(player);
            self.eta.departed();
        }
        self.done(now);
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{START, at, enter, passed, queue, run_until, settings, waiting};
    use super::super::{Queue, Settings, TicketRef};
    use super::*;

    const LEASE_MS: u64 = 90_000;

    /// A world with one place, and somebody who waits for it.
    fn full() -> (Queue, TicketRef) {
        let mut queue = queue(Settings { rate: 100.0, burst: 10, cap: 1, ..settings() });
        let ticket = passed(enter(&mut queue, START, 1));
        queue.begin_redeem(START, ticket).unwrap();
        queue.finish_redeem(START, ticket.number, Player(1), Identity(1));
        let next = waiting(enter(&mut queue, START, 2)).ticket;
        (queue, next)
    }

    /// Passes out at a second; who waits has just asked.
    fn passes(queue: &mut Queue, next: TicketRef, second: u64) -> u64 {
        queue.check(at(second - 1), next);
        run_until(queue, at(second));
        queue.figures().passes_out
    }

    #[test]
    fn heartbeats_hold_a_slot_that_has_no_socket() {
        let (mut queue, next) = full();
        for second in [50, 100, 150, 200, 210] {
            assert!(queue.keep(at(second), Player(1), LEASE_MS));
            assert_eq!(passes(&mut queue, next, second + 1), 0);
        }
        assert_eq!(passes(&mut queue, next, 255), 0);
        assert_eq!(passes(&mut queue, next, 299), 0);
        assert_eq!(queue.figures().grace, 0);
        assert_eq!(passes(&mut queue, next, 302), 0, "a silent server's players are in grace");
        assert_eq!(queue.figures().grace, 1);
        assert_eq!(passes(&mut queue, next, 359), 0);
        assert_eq!(passes(&mut queue, next, 361), 1, "a lease and the grace after the last one");
    }

    #[test]
    fn who_leaves_is_followed_at_once_and_who_crashes_after_the_grace() {
        let (mut queue, next) = full();
        queue.keep(at(1), Player(1), LEASE_MS);
        queue.give_up(at(2), Player(1), Departure::Ended);
        assert_eq!(passes(&mut queue, next, 3), 1);
        let (mut queue, next) = full();
        queue.keep(at(1), Player(1), LEASE_MS);
        queue.give_up(at(2), Player(1), Departure::Dropped);
        assert_eq!(passes(&mut queue, next, 30), 0);
        assert_eq!(passes(&mut queue, next, 61), 0);
        assert_eq!(passes(&mut queue, next, 63), 1);
    }

    #[test]
    fn who_is_in_the_world_is_counted_even_above_the_cap() {
        let (mut queue, next) = full();
        assert!(!queue.keep(at(1), Player(7), LEASE_MS));
        queue.give_up(at(2), Player(1), Departure::Ended);
        assert_eq!(passes(&mut queue, next, 3), 0, "the one place is somebody's");
        queue.give_up(at(4), Player(7), Departure::Ended);
        assert_eq!(passes(&mut queue, next, 5), 1);
    }

    #[test]
    fn a_socket_s_slot_is_the_sockets() {
        let (mut queue, next) = full();
        queue.connect(at(1), Player(1)).unwrap();
        queue.keep(at(2), Player(1), LEASE_MS);
        queue.give_up(at(3), Player(1), Departure::Ended);
        assert_eq!((queue.figures().live, passes(&mut queue, next, 4)), (1, 0));
    }
}
