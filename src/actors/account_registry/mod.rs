//! `AccountRegistry`: the only writer of the store, and [`Accounts`]: the way to it.
//!
//! Group commit (design §6): what arrived together is decided, staged and flushed together, and
//! nobody is answered before the flush. A failed flush stops the process.

use crate::domain::account::{Account, AccountId, Link, Refusal};
use crate::domain::time::UnixMicros;

use super::CallError;

/// Finds or makes the account of a link, redeems the pass, and answers when that is durable.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// How the caller proved who they are. Checked and normalised already.
    pub link: Link,
    /// Make an account when the link is unknown.
    pub create: Option<NewAccount>,
    /// The pass to redeem in the same commit.
    pub pass: Option<PassUse>,
    /// Pragma: the shard to have a player id on, and the name to show if there is none yet.
    pub pragma: Option<PragmaSignIn>,
    /// Revoke every earlier session of the account (`nakama.session.single_session`).
    pub single_session: bool,
}

/// What a new account starts with. The registry's dice fill in the rest.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// Wanted user name; `None`: a generated one, tried again until free.
    pub username: Option<String>,
    /// Password hash (PHC) for an e-mail link.
    pub password: Option<String>,
}

/// A pass to redeem exactly once (design §5): a repeat by the same account is the same answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassUse {
    /// The pass: epoch and ticket number.
    pub epoch: u32,
    /// The ticket number.
    pub number: u64,
    /// Until when the redemption has to be remembered.
    pub remember_until: UnixMicros,
}

/// What a Pragma sign-in needs beside the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PragmaSignIn {
    /// The game shard, when the request named one.
    pub shard: Option<uuid::Uuid>,
    /// Name from the provider for an account that has none yet.
    pub display_name: String,
}

/// A sign-in that is durable.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The account after the sign-in.
    pub account: Account,
    /// Whether it was made just now.
    pub created: bool,
    /// The moment the registry decided; tokens are issued at or after it.
    pub at: UnixMicros,
}

/// What an account is looked up by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Its id.
    Id(AccountId),
    /// One of its links.
    Link(Link),
    /// Its user name, exactly.
    Username(String),
}

/// Why the registry did not do as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountsError {
    /// A rule refused; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The registry did not take or answer the call.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What a revocation covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoke {
    /// Every token issued so far.
    All,
    /// Single tokens: their id, their kind and until when they would have lived.
    Tokens(Vec<RevokedToken>),
}

/// One revoked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedToken {
    /// Token id (Nakama `tid`, Pragma `jti`).
    pub id: uuid::Uuid,
    /// Access and refresh tokens share an id and are revoked apart (protocol-nakama §3.5).
    pub refresh: bool,
    /// When it would have expired: then the revocation may be forgotten.
    pub expires_at: u64,
}

/// The way to the registry.
#[derive(Clone, Debug)]
pub struct Accounts;
