//! A lottery among those who stood in line before an opening, which anybody can check.
//!
//! Three moments, each of which publishes something: when the opening is *scheduled*, a commitment
//! to a secret server seed and the name of a public value nobody can know yet (the beacon); when
//! the pre-queue *closes*, the entrants and the root of a Merkle tree over them; when it is *drawn*,
//! the public value, the server seed and the order. The order follows from what is published, so
//! whoever kept what was published earlier can compute it again. `docs/lottery.md` has the formulas
//! for people; the program `verify-lottery` follows that page and shares no code with this room.
//!
//! Read [`Record`] for the three stages, then `order` and `merkle` for the formulas.

mod entrants;
mod merkle;
mod order;
mod record;
#[cfg(test)]
mod tests;

pub use entrants::{BadNumbers, NumberLines, check_entrants};
pub use merkle::{InclusionProof, Tree, entrants_root};
pub use order::{PublicSeed, Seed, ServerSeed, draw};
pub use record::{Closed, Drawn, LotteryId, Record, Schedule, Stage};

/// Most entrants of a lottery: as many as a line can hold.
pub const ENTRANTS_MAX: usize = 100_000_000;

/// Longest name of a beacon, in bytes.
pub const BEACON_MAX: usize = 200;

/// Longest public seed, in bytes.
pub const PUBLIC_SEED_MAX: usize = 256;

/// Why a step of a lottery is refused, or a published record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LotteryError {
    /// The id is not 1 to 64 of a to z, 0 to 9 and `-`, beginning with a letter or digit.
    #[error("a lottery's id is 1 to 64 of a-z, 0-9 and -, beginning with a letter or digit")]
    Id,
    /// The beacon's name is too long or has control characters.
    #[error("a beacon's name has at most {BEACON_MAX} bytes and no control characters")]
    Beacon,
    /// The record has a format this program does not know.
    #[error("the record has version {0}; this program knows 1")]
    Version(u32),
    /// Fields of a stage are missing, or fields of a later stage are there without it.
    #[error("the record has some fields of a stage and not all")]
    Incomplete,
    /// The lottery is not at the stage this step needs.
    #[error("the lottery is {is}, not {needed}")]
    Stage {
        /// Where it is.
        is: &'static str,
        /// Where it would have to be.
        needed: &'static str,
    },
    /// The entrants' numbers do not ascend.
    #[error("the numbers of entrants must ascend, each once")]
    NotAscending,
    /// There are more than [`ENTRANTS_MAX`] entrants.
    #[error("more than {ENTRANTS_MAX} entrants")]
    TooMany,
    /// The server seed is not the one that was committed to.
    #[error("the server seed is not the one the commitment was made with")]
    OtherServerSeed,
    /// The entrants are not those the root was made of.
    #[error("the entrants are not those of the published root")]
    OtherEntrants,
    /// A beacon was named, but there is no public seed, or the other way round.
    #[error("a public seed belongs to a beacon named in advance, and a named beacon needs one")]
    PublicSeed,
    /// The public seed is longer than [`PUBLIC_SEED_MAX`] or not lower-case hex.
    #[error("a public seed has at most {PUBLIC_SEED_MAX} bytes, in lower-case hex")]
    PublicSeedForm,
}
