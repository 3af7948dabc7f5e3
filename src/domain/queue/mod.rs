//! The login queue: a line, a gate and a ledger of slots, joined in one state machine.
//!
//! Read `queue` for the machine, then its parts: `line` (order under abandonment), `gate`
//! (rate), `ledger` (slots), `lanes`, `eta`, `poll`. The invariants I1 to I14 are those of
//! the project's note on login queues; each test names the one it keeps.

pub mod settings;
pub mod standing;

pub use settings::Settings;
pub use standing::{
    Checked, Departure, Eta, Identity, Lane, Number, PassRefused, Phase, Player, Reason, Standing,
    TicketRef, Waiting,
};
