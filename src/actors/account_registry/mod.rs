//! `AccountRegistry`: the only writer of the store, and [`Accounts`]: the way to it.
//!
//! Group commit (design §6): what arrived together is decided, staged and flushed together, and
//! nobody is answered before the flush. While one group is flushed, by a thread of its own, the
//! next is decided. A failed flush stops the process.

mod befriending;
mod committer;
mod deciding;
mod figures;
mod group;
mod handle;
mod in_flight;
mod listeners;
mod looking;
mod office;
mod realm_view;
mod registry;
mod revocations;
mod searching;

pub use self::figures::RegistryFigures;
pub use self::handle::{Accounts, RegistryLimits, Stopped};
pub use self::realm_view::RealmView;
pub use self::revocations::Revocations;
pub use self::searching::{Browsed, Found, Page};
pub use crate::domain::account::linking::LinkAsk;
pub use crate::domain::account::rotating::{Presented, Successor};
pub use crate::domain::account::sign_in::{Expected, NewAccount, Password, PragmaSignIn, SignIn};
pub use crate::domain::account::{PassUse, Revoke, RevokedToken};

use crate::domain::account::provider_links::ProviderLink;
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{
    Account, AccountId, Link, LinkKind, OfficeAsk, PragmaName, Refusal, names,
};
use crate::domain::friend::FriendAsk;
use crate::domain::notification::Notification;
use crate::domain::realm::{RealmAsk, RealmChanged};
use crate::domain::time::UnixMicros;
use crate::store::{Reads, StoreError};

use uuid::Uuid;

use super::CallError;

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
    /// Its player id on any shard.
    Player(Uuid),
    /// Its Pragma name, folded, and the discriminator.
    PragmaName(String, u16),
    /// The id of one of its bans or of its requests about data.
    Matter(Uuid),
}

impl Key {
    /// A link.
    pub fn link(kind: LinkKind, id: impl Into<String>) -> Self {
        Self::Link(Link { kind, id: id.into() })
    }

    /// A Pragma name as it is shown, and the discriminator.
    pub fn pragma_name(name: &str, discriminator: u16) -> Self {
        Self::PragmaName(names::fold_display_name(name), discriminator)
    }

    /// The account with this key, if there is one.
    fn look(&self, reads: &dyn Reads) -> Result<Option<Account>, StoreError> {
        match self {
            Self::Id(id) => reads.account(*id),
            Self::Link(link) => reads.account_by_link(link),
            Self::Username(name) => reads.account_by_username(name),
            Self::Player(player) => reads.account_by_player(*player),
            Self::PragmaName(name, number) => reads.account_by_pragma_name(name, *number),
            Self::Matter(matter) => reads.account_by_matter(*matter),
        }
    }
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

/// Who is told what, once it is durable.
pub type Told = Vec<(AccountId, Notification)>;

/// What is to be written, but for sign-ins.
enum Edit {
    /// A pass alone, by whoever has this id.
    Redeem(PassUse),
    /// Of no account: asked about [`Account::SYSTEM`].
    Realm(RealmAsk),
    /// Something of an account.
    Account(AccountEdit),
}

impl From<AccountEdit> for Edit {
    fn from(edit: AccountEdit) -> Self {
        Self::Account(edit)
    }
}

/// A change of an account that is there.
enum AccountEdit {
    Link(LinkAsk),
    Unlink(LinkKind, Option<String>),
    Rehash {
        old: String,
        new: String,
    },
    Revoke(Revoke),
    Rotate(Presented),
    Update(AccountUpdate),
    Delete,
    Friends(FriendAsk),
    RefuseInvites(bool),
    DropNotifications(Vec<Uuid>),
    Office(OfficeAsk),
    Bind(ProviderLink),
    Unbind(LinkKind, Vec<LinkKind>),
    /// A Pragma name, and how many seconds after the last change by a player, if it is one.
    Rename(String, Option<u64>),
}

/// What came of a change.
#[derive(Debug, Default)]
struct Edited {
    told: Told,
    successor: Option<Successor>,
    name: Option<PragmaName>,
    officed: Option<Box<Officed>>,
    realm: Option<Box<RealmChanged>>,
}

/// What came of an operator's ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officed {
    /// The account now.
    pub account: Account,
    /// The ban or the request it was about; nil: neither.
    pub about: Uuid,
}

#[cfg(test)]
mod tests;
