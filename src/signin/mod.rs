//! The use cases both protocols call: admit, prove, ask the registry, tell the line.
//!
//! A front end translates its wire to these and back; nothing of a wire is known here.

pub mod audited;
pub mod door;
mod entrance;
pub mod friendship;
pub mod guard;
pub mod hashing;
pub mod hooks;
mod lanes;
pub mod limits;
mod linking;
mod naming;
pub mod office;
pub mod operators;
pub mod outcomes;
pub mod places;
mod providers;
mod proving;
pub mod recent;
pub mod reloading;
pub mod renewing;
pub mod slots;
pub mod social;
pub mod steering;
pub mod users;

pub use audited::{Audited, DeedError};
pub use door::{Door, Parts, PassTokenRefused};
pub use guard::SharedGuard;
pub use hooks::{AccountHooks, HookDown, HookError, Hooks, Origin};

use crate::actors::CallError;
use crate::domain::account::{Account, LinkKind, Refusal};
use crate::domain::queue::{PassRefused, Standing, TicketRef};
use crate::domain::time::UnixMicros;
use crate::identity::{IdentityError, Proof};

/// Who somebody says they are. Identifiers are checked and normalised by [`crate::domain::account::names`]
/// before they come here.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A device id.
    Device(String),
    /// A custom id.
    Custom(String),
    /// E-mail address (lower case) and password.
    Email {
        /// The address.
        email: String,
        /// The password, as typed.
        password: Password,
    },
    /// User name and password (protocol-nakama §2.7, no address given).
    Username {
        /// The user name.
        username: String,
        /// The password, as typed.
        password: Password,
    },
    /// Pragma's UNSAFE provider: anybody is who they say.
    Unsafe {
        /// Id at the provider.
        account_id: String,
        /// Name at the provider.
        display_name: String,
    },
    /// What an identity provider has to confirm.
    Provider(Proof),
}

/// A password as typed. Wiped when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct Password(pub zeroize::Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How a sign-in gets past the line.
#[derive(Clone, Debug)]
pub enum Entrance {
    /// By a pass the client brought; its signature and lifetime are checked already.
    Pass {
        /// The pass.
        ticket: TicketRef,
        /// When the pass token expires.
        expires_at: UnixMicros,
    },
    /// By an implicit ticket whose identity is the credential (design §5).
    Implicit,
    /// Not at all: bypass, or a door that has no line.
    Exempt,
    /// Not at all, and no slot either: whoever comes this way does not play (operators, the web
    /// portal).
    Outside,
}

/// A request to sign in.
#[derive(Clone, Debug)]
pub struct SignInAsk {
    /// Who.
    pub credential: Credential,
    /// How they pass the line.
    pub entrance: Entrance,
    /// What is wanted beside.
    pub wish: Wish,
}

/// What a sign-in wants beside being let in.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Whether to make an account when there is none.
    pub create: bool,
    /// Wanted user name for a new account.
    pub username: Option<String>,
    /// Pragma's door.
    pub pragma: Option<PragmaWish>,
    /// Revoke every earlier session of the account.
    pub single_session: bool,
    /// Import the player's friends from the provider afterwards; what fails there is not told
    /// (protocol-nakama §2.1, `sync`).
    pub import_friends: bool,
}

/// What a sign-in through Pragma's door wants beside.
#[derive(Clone, Debug, Default)]
pub struct PragmaWish {
    /// The game shard to have a player on.
    pub shard: Option<uuid::Uuid>,
}

/// What to unlink (protocol-nakama §4.5).
#[derive(Clone, Debug)]
pub enum Unlink {
    /// Whatever is linked of this kind.
    Kind(LinkKind),
    /// This identifier.
    Id(LinkKind, String),
    /// Whatever the provider says this proof belongs to.
    Proof(Proof),
}

/// A sign-in that is durable.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// Whether it was made just now.
    pub created: bool,
    /// The moment to issue tokens at.
    pub at: UnixMicros,
    /// The address that the provider of this sign-in says is theirs and verified.
    pub vouched_email: Option<String>,
    /// What a hook wants in the session's `extSessionInfo`.
    pub session_info: serde_json::Map<String, serde_json::Value>,
}

/// Why a sign-in did not happen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SignInError {
    /// A rule refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Stand in line: [`Standing::Waiting`] or [`Standing::Full`].
    #[error("wait in line")]
    Wait(Standing),
    /// The pass is not good.
    #[error(transparent)]
    Pass(#[from] PassRefused),
    /// Too much at once: come back. Nothing was done.
    #[error("too many requests")]
    Busy {
        /// When to come back, in seconds.
        retry_after_s: u32,
    },
    /// The server cannot answer now; asking again is safe.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The identity provider said no, or nothing.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A hook said no, or nothing. Nothing was done.
    #[error(transparent)]
    Hook(#[from] HookError),
}
