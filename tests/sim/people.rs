//! Who plays: what kind of client, how patient, and what they do next.

use anteroom::domain::queue::{Identity, Lane, Number, Player, TicketRef};
use anteroom::domain::time::UnixMicros;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Dice with a seed.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// Evenly from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    /// Milliseconds, evenly from `from` up to `to`.
    pub fn ms(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to - from)
    }

    /// Milliseconds with this mean, memoryless.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, small")]
    pub fn spread_ms(&mut self, mean: f64) -> u64 {
        (-(1.0 - self.unit()).ln() * mean * 1e3) as u64
    }
}

/// Where a person is in their own story.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// Has nothing; will ask to come in.
    Outside,
    /// Has a ticket and polls.
    Waiting,
    /// Has a pass and will sign in. Whether it came without waiting: then there is no token.
    Passed { on_the_spot: bool },
    /// The server is checking the credential.
    SigningIn { on_the_spot: bool, incarnation: u64 },
    /// Signed in; opens a socket until then, with a slot for sure if `sure`.
    Connecting { until: UnixMicros, sure: bool },
    /// Playing.
    Online,
    /// Playing in the world of a game server, which says so.
    InWorld,
    /// Dropped with many others; signs in again. The slot is theirs until then.
    Returning { until: UnixMicros },
    /// Takes the place along to another device, which goes by this name.
    Switching { to: Identity },
    /// Went away for good.
    Gone,
}

/// A person with a client.
#[derive(Clone, Debug)]
pub struct Person {
    pub stage: Stage,
    /// Whether the client holds a token of its own (Pragma's) or none (Nakama's).
    pub has_token: bool,
    /// Nobody for clients with tokens, until they switch devices; a credential for those without.
    pub identity: Identity,
    pub player: Player,
    pub lane: Lane,
    /// Gives up after this moment.
    pub patience: UnixMicros,
    /// Silent until a next contact that is not a scheduled poll.
    pub was_silent: bool,
    pub ticket: Option<TicketRef>,
    /// What it was called on the device before.
    pub old: Option<TicketRef>,
    /// Promised: until then the place is kept.
    pub lease_until: UnixMicros,
    pub pass_until: UnixMicros,
    /// Came in by the slot of their sign-in, so it is known whose it is.
    pub bound: bool,
    /// Counts the moments planned, so that stale ones are known.
    pub plan: u64,
}

impl Person {
    pub fn new(id: u64, start: UnixMicros, dice: &mut Dice) -> Self {
        let tokens = dice.chance(0.5);
        let lane = match dice.below(40) {
            0 => Lane::Staff,
            1..=4 => Lane::Low,
            5..=7 => Lane::Paying,
            _ => Lane::Standard,
        };
        let patience = if dice.chance(0.5) {
            UnixMicros(u64::MAX)
        } else {
            start.plus_ms(dice.spread_ms(120.0))
        };
        Self {
            stage: Stage::Outside,
            has_token: tokens,
            identity: if tokens { Identity::ANONYMOUS } else { Identity(id + 1) },
            player: Player(u128::from(id) + 1),
            lane,
            patience,
            was_silent: false,
            ticket: None,
            old: None,
            lease_until: UnixMicros(0),
            pass_until: UnixMicros(0),
            bound: false,
            plan: 0,
        }
    }

    /// The server's clock has jumped by so much: what was promised is over sooner.
    pub fn age(&mut self, now: UnixMicros, by_us: u64) {
        let sooner = |at: UnixMicros| UnixMicros(at.0.saturating_sub(by_us));
        self.lease_until = sooner(self.lease_until);
        self.pass_until = sooner(self.pass_until);
        match &mut self.stage {
            Stage::Connecting { sure, .. } => *sure = false,
            // It takes too long by that clock: once more.
            &mut Stage::SigningIn { on_the_spot, .. } => {
                self.stage = Stage::Passed { on_the_spot };
            }
            Stage::Returning { until } => *until = now,
            _ => {}
        }
    }

    pub fn number(&self) -> Option<Number> {
        self.ticket.map(|ticket| ticket.number)
    }
}
