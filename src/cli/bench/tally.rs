//! What the players of one thread saw, and the sum over threads.

use std::collections::BTreeMap;

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    PragmaEnter,
    PragmaCheck,
    PragmaSignIn,
    NakamaDevice,
    NakamaEmail,
    SocketOpen,
    SocketHeartbeat,
    SocketStatus,
}

impl Call {
    /// The name in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PragmaEnter => "getinqueuev1",
            Self::PragmaCheck => "checkticketv1",
            Self::PragmaSignIn => "authenticateorcreatev2",
            Self::NakamaDevice => "authenticate/device",
            Self::NakamaEmail => "authenticate/email",
            Self::SocketOpen => "open a socket",
            Self::SocketHeartbeat => "HeartbeatV1",
            Self::SocketStatus => "status_update",
        }
    }
}

/// Times are microseconds of one clock, shared by all threads.
pub(super) type Micros = u64;

/// Somebody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    /// When the player heard of it.
    pub(super) heard: Micros,
    /// The ticket's number, if it shows one.
    pub(super) number: Option<u64>,
    /// The second it happened in, from the life of the pass, if it shows one.
    pub(super) second: Option<u64>,
}

/// Somebody asked and was told to go on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// When the question was sent.
    pub(super) asked: Micros,
    /// The ticket's number.
    pub(super) number: u64,
}

/// What somebody who got in had been told about the time left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    /// When it was said.
    pub(super) told: Micros,
    /// How long it would take, in microseconds.
    pub(super) said: Micros,
    /// How long it took.
    pub(super) took: Micros,
}

/// Everything seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// How long each call took, in microseconds.
    pub(super) calls: BTreeMap<Call, Vec<u32>>,
    /// What went wrong, in words, and how often.
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) admissions: Vec<Admission>,
    pub(super) waits: Vec<Wait>,
    pub(super) guesses: Vec<Guess>,
    /// When each player went online and offline.
    pub(super) online: Vec<(Micros, Micros)>,
    /// Players who lost patience.
    pub(super) gave_up: u64,
    /// Players who still waited at the end.
    pub(super) left_over: u64,
    /// Players who met an error they could not get past.
    pub(super) failed: u64,
}

impl Tally {
    pub(super) fn called(&mut self, call: Call, micros: Micros) {
        self.calls.entry(call).or_default().push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    pub(super) fn went_wrong(&mut self, words: String) {
        *self.errors.entry(words).or_default() += 1;
    }

    /// Adds what another thread saw.
    pub(super) fn add(&mut self, other: Self) {
        for (call, times) in other.calls {
            self.calls.entry(call).or_default().extend(times);
        }
        for (words, times) in other.errors {
            *self.errors.entry(words).or_default() += times;
        }
        self.admissions.extend(other.admissions);
        self.waits.extend(other.waits);
        self.guesses.extend(other.guesses);
        self.online.extend(other.online);
        self.gave_up += other.gave_up;
        self.left_over += other.left_over;
        self.failed += other.failed;
    }

    /// Calls answered.
    pub(super) fn call_count(&self) -> usize {
        self.calls.values().map(Vec::len).sum()
    }
}
