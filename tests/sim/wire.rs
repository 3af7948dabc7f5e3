//! The network between people and the server: requests and answers get lost, arrive twice, and late.

use anteroom::domain::queue::{Input, Output, Player, Standing, TicketRef, Work};

use crate::disk::Reply;
use crate::world::{Event, World};

/// Something that arrives long after it was sent, when nobody listens any more.
#[derive(Clone, Debug)]
pub enum Late {
    Request(Input),
    /// A whole sign-in: the pass, and whose it is.
    SignIn(TicketRef, Player),
}

impl World {
    /// A request of somebody's client. `None`: no answer comes, and the person will try again as
    /// they are.
    pub fn call(&mut self, who: usize, input: Input) -> Option<Output> {
        if self.dice.chance(self.weather) {
            self.summary.count("lost requests");
            self.try_again(who);
            return None;
        }
        let copy = self.dice.chance(self.weather).then(|| input.clone());
        if self.dice.chance(self.weather) {
            self.summary.count("doubled requests");
            let first = self.ask(input.clone());
            self.unheard(&first);
        }
        let transfers = matches!(input, Input::Transfer(..));
        let output = self.ask(input);
        // A switch that was refused and happens later would be one that nobody heard of.
        if let Some(copy) = copy.filter(|_| !matches!(output, Output::Transferred(Err(_)))) {
            self.send_late(Late::Request(copy));
        }
        if self.disk.stops {
            // Nothing is answered that may not be true. The restart has plans for everybody.
            return None;
        }
        if let Some(standing) = standing_in(&output)
            && self.waits_for_disk(standing, transfers)
        {
            self.plan(who, 30_000);
            let plan = self.people[who].plan;
            self.disk.replies.push(Reply { who, plan, standing });
            return None;
        }
        if self.dice.chance(self.weather) {
            self.summary.count("lost answers");
            self.unheard(&output);
            self.try_again(who);
            return None;
        }
        Some(output)
    }

    /// What is said last of a lease counts, heard or not: the line knows one lease of a ticket.
    fn unheard(&mut self, output: &Output) {
        let (number, until) = match standing_in(output) {
            Some(Standing::Waiting(waiting)) => (waiting.ticket.number, waiting.lease_until),
            Some(Standing::Passed { ticket, pass_until, .. }) => (ticket.number, pass_until),
            _ => return,
        };
        let until = self.now.plus_us(until.since_us(self.queue.now()));
        for person in &mut self.people {
            let same = |ticket: TicketRef| self.queue.current(ticket).number;
            if person.ticket.map(same) == Some(number) {
                person.lease_until = person.lease_until.min(until);
            }
        }
    }

    /// Whether this may be said only when the place is in the log.
    fn waits_for_disk(&self, standing: Standing, transfers: bool) -> bool {
        let number = match standing {
            Standing::Waiting(waiting) => waiting.ticket.number,
            Standing::Passed { ticket, .. } if transfers => ticket.number,
            _ => return false,
        };
        self.disk.unsynced.iter().any(|&(unsynced, ..)| unsynced == number)
    }

    pub fn try_again(&mut self, who: usize) {
        let ms = self.dice.ms(200, 6_000);
        self.plan(who, ms);
    }

    /// A copy stays behind in the network and arrives after later ones.
    pub fn send_late(&mut self, late: Late) {
        let at = self.now.plus_ms(self.dice.ms(1, 40_000));
        self.late.push(late);
        self.push(at, Event::Late(self.late.len() - 1));
    }

    pub fn arrive(&mut self, late: usize) {
        self.summary.count("late requests");
        match self.late[late].clone() {
            Late::Request(input) => {
                let output = self.ask(input);
                self.unheard(&output);
            }
            Late::SignIn(ticket, player) => {
                if self.ask(Input::BeginRedeem(ticket)) == Output::Redeem(Ok(())) {
                    self.redeem(ticket, player);
                }
            }
        }
    }

    /// The registry has the sign-in, then the line hears of it. Whether the pass was used by this.
    pub fn redeem(&mut self, ticket: TicketRef, player: Player) -> bool {
        let number = self.queue.current(ticket).number;
        self.checks.redeems(number, player);
        if !self.disk.redeemed.contains(&(number, player)) {
            self.disk.redeemed.push((number, player));
        }
        if self.dice.chance(self.weather / 10.0) {
            // Killed between the two.
            self.summary.count("crashes between registry and line");
            self.disk.stops = true;
            return false;
        }
        let finished = Input::FinishRedeem(number, player, ticket.identity);
        let first = self.ask(finished) == Output::Redeemed(true);
        if first {
            self.checks.settles(number);
            let work = match self.dice.below(3) {
                0 => Work::Known,
                1 => Work::Password,
                _ => Work::NewAccount,
            };
            self.ask(Input::Settle(work));
        }
        first
    }
}

/// The standing an answer tells of.
pub fn standing_in(output: &Output) -> Option<Standing> {
    use anteroom::domain::queue::Checked;
    match output {
        Output::Entered(standing)
        | Output::Joined(Ok(standing))
        | Output::Checked(Checked::Standing(standing))
        | Output::Transferred(Ok(standing)) => Some(*standing),
        _ => None,
    }
}
