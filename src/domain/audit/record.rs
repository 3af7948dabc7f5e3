//! What a record says.

use serde::{Deserialize, Serialize};

use super::{DETAILS_MAX, Pseudonym, TEXT_MAX};
use crate::domain::digest::Digest;
use crate::domain::queue::{Lane, Number};
use crate::domain::time::UnixMicros;

/// Free text of at most [`TEXT_MAX`] characters; what is longer is cut. No names of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl From<String> for Text {
    fn from(mut text: String) -> Self {
        if let Some((end, _)) = text.char_indices().nth(TEXT_MAX) {
            text.truncate(end);
        }
        Self(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.chars().take(TEXT_MAX).collect())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The server by itself, by its rules.
    Server,
    /// Whoever can write the settings file or start the program.
    Settings,
    /// An operator's account.
    Operator(Pseudonym),
    /// A game server, by the id of its partner token.
    Partner(Text),
}

/// Why somebody came in out of turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum OutOfTurn {
    /// By the lane the ticket stands in.
    Lane {
        /// Its word: staff, grace, low, or a later one such as paying.
        lane: Text,
    },
    /// With the leader's ticket of a party.
    Party {
        /// The leader's number.
        leader: Number,
        /// How many came in together.
        members: u32,
    },
    /// By the order of a lottery.
    Lottery {
        /// The lottery's id.
        lottery: Text,
        /// The place drawn, counted from 1.
        place: u64,
    },
    /// Past the line: an exemption.
    Bypass {
        /// The rule that exempts.
        rule: Text,
    },
    /// In place of a wait that was lost through no fault of the player.
    Compensation {
        /// Why.
        reason: Text,
    },
}

impl OutOfTurn {
    /// By a lane of the line; `None` for the ordinary one.
    pub fn lane(lane: Lane) -> Option<Self> {
        (lane != Lane::Standard).then(|| Self::Lane { lane: lane.name().into() })
    }
}

/// What was done. Times are microseconds since the epoch, rates admissions per second. A kind that
/// is not here is [`What::Other`]; readers pass over kinds they do not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// The rate of admissions.
    Rate {
        /// Before.
        from: f64,
        /// Since.
        to: f64,
    },
    /// The cap of slots.
    Cap {
        /// Before.
        from: u64,
        /// Since.
        to: u64,
    },
    /// The lanes and their shares, in words.
    Lanes {
        /// Before.
        from: Text,
        /// Since.
        to: Text,
    },
    /// Admissions stand still; places are kept.
    Pause {
        /// What players are told.
        reason: Text,
        /// Until when, if that was said.
        until: Option<UnixMicros>,
    },
    /// Admissions go on.
    Resume,
    /// Nobody new comes in, and the world empties.
    Drain {
        /// Whether it begins or ends.
        on: bool,
    },
    /// Slots kept free.
    Hold {
        /// How many.
        slots: u64,
        /// For what.
        reason: Text,
    },
    /// The doors are closed for work.
    Maintenance {
        /// Whether it begins or ends.
        on: bool,
        /// What players are told.
        message: Text,
    },
    /// An earlier action was taken back.
    Undo {
        /// The id of that change.
        change: Text,
    },
    /// Any other setting.
    Setting {
        /// Its key as in the settings file.
        key: Text,
        /// Before.
        from: Text,
        /// Since.
        to: Text,
    },
    /// An opening with a lottery was scheduled.
    OpeningScheduled {
        /// The lottery's id.
        lottery: Text,
        /// When the doors open.
        opens_at: UnixMicros,
        /// The commitment to the server seed.
        commitment: Digest,
        /// The public value that will be used; empty: none.
        beacon: Text,
    },
    /// Its pre-queue closed.
    OpeningClosed {
        /// The lottery's id.
        lottery: Text,
        /// How many stood in it.
        entrants: u64,
        /// The root over them.
        root: Digest,
    },
    /// It was drawn.
    OpeningDrawn {
        /// The lottery's id.
        lottery: Text,
        /// The root over the entrants, who come in by this order.
        root: Digest,
        /// The number of the first place.
        first: Number,
        /// How many places there are, with numbers in a row.
        places: u64,
        /// The beacon's value, in hex.
        public_seed: Text,
        /// The server seed, in hex.
        server_seed: Text,
    },
    /// Somebody was banned.
    Ban {
        /// The account.
        account: Pseudonym,
        /// What for.
        reason: Text,
        /// Until when; `None`: for good.
        until: Option<UnixMicros>,
    },
    /// A ban was taken back.
    BanLifted {
        /// The account.
        account: Pseudonym,
    },
    /// Somebody's place in line was changed by hand.
    Moved {
        /// The ticket that was given up.
        from: Number,
        /// The one in its place.
        to: Number,
        /// Why.
        reason: Text,
    },
    /// Somebody came in and it was not plain first come, first served.
    Admitted {
        /// The line's epoch.
        epoch: u32,
        /// The ticket's number; `None`: without a ticket.
        number: Option<Number>,
        /// Who, if that is known at the gate.
        player: Option<Pseudonym>,
        /// Why.
        #[serde(flatten)]
        why: OutOfTurn,
    },
    /// So many came in by a lane within about a second, and it was not plain first come, first
    /// served.
    AdmittedMany {
        /// The line's epoch.
        epoch: u32,
        /// The lane's word.
        lane: Text,
        /// How many.
        count: u64,
        /// The smallest of their numbers.
        first: Number,
        /// The largest.
        last: Number,
    },
    /// An operator signed in, or proved again who they are.
    OperatorSignedIn {
        /// What they showed: password, code, recovery code.
        by: Text,
    },
    /// A sign-in of an operator was refused.
    OperatorRefused {
        /// The account that was tried, if there is one.
        account: Option<Pseudonym>,
        /// What was wrong.
        why: Text,
        /// How many more were refused before, beyond what is put on record.
        more: u64,
    },
    /// Somebody became an operator.
    OperatorMade {
        /// The account.
        account: Pseudonym,
        /// By the setup code, or by an invitation.
        how: Text,
        /// The roles, by id.
        roles: Text,
    },
    /// Somebody was invited to become one.
    OperatorInvited {
        /// The id of the invitation.
        invitation: Text,
        /// The roles that come with it, by id; empty: it was withdrawn.
        roles: Text,
    },
    /// An operator has other roles; none: they are no operator any more.
    OperatorRoles {
        /// The account.
        account: Pseudonym,
        /// Before, by id.
        from: Text,
        /// Since.
        to: Text,
    },
    /// An operator's authenticator was set up or taken away.
    Authenticator {
        /// Whether there is one since.
        on: bool,
    },
    /// An operator signs in by a provider since, or no more.
    OperatorProvider {
        /// The provider.
        provider: Text,
        /// Whether they do.
        on: bool,
    },
    /// A token for scripts was made or revoked.
    AutomationToken {
        /// Its id.
        token: Text,
        /// What it permits; empty: it was revoked.
        permissions: Text,
    },
    /// So many records of the rules' own doings are missing: more came than could be written.
    Unrecorded {
        /// How many.
        records: u64,
    },
    /// The chain before this record does not hold; what is known of it. It goes on from here in a
    /// file of its own.
    ChainBroken {
        /// The file in which it was found.
        file: Text,
        /// The record at which it was found.
        seq: u64,
        /// What was found.
        why: Text,
    },
    /// Anything else.
    Other {
        /// A word for it.
        name: Text,
        /// What belongs to it.
        details: Details,
    },
}

/// Names and values, at most [`DETAILS_MAX`] of them; more are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Text, Text)>")]
pub struct Details(Vec<(Text, Text)>);

impl From<Vec<(Text, Text)>> for Details {
    fn from(mut details: Vec<(Text, Text)>) -> Self {
        details.truncate(DETAILS_MAX);
        Self(details)
    }
}

/// A record before it has its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: UnixMicros,
    /// Who did it.
    pub who: Who,
    /// What.
    pub what: What,
    /// The id of the request by which it was asked for, as the log and the answer say it.
    pub request: Option<Text>,
}

impl Entry {
    /// Something that no request asked for.
    pub const fn of(at: UnixMicros, who: Who, what: What) -> Self {
        Self { at, who, what, request: None }
    }
}
