//! What outlives the process: accounts (a trait and its engine), the line's own files, lotteries and
//! the audit chain.
//!
//! [`Store`] blocks and has one owner. It speaks of accounts, not of keys: no type of an engine
//! leaves the engine's folder. One contract suite (`contract`) runs over every engine.

pub mod audit;
pub mod backup;
#[cfg(test)]
pub(crate) mod contract;
mod copying;
mod durable;
pub mod faulty;
pub mod journal;
pub mod line;
pub mod lottery;
pub mod sled;

pub use self::copying::{Copies, Copying, Piece};

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::account::{Account, AccountId, Change, Link, Redemption, Revoked};
use crate::domain::friend::Edge;
use crate::domain::notification::Notification;
use crate::domain::realm::Realm;
use crate::domain::time::UnixMicros;

/// What can be looked up.
pub trait Reads: Send + Sync {
    /// The account with this id.
    fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;

    /// The account that holds this link.
    fn account_by_link(&self, link: &Link) -> Result<Option<Account>, StoreError>;

    /// The account with exactly this user name.
    fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError>;

    /// The account with this player id on any shard (protocol-pragma §6.1).
    fn account_by_player(&self, player: Uuid) -> Result<Option<Account>, StoreError>;

    /// The account with this Pragma name; `folded` as for [`Reads::has_pragma_name`].
    fn account_by_pragma_name(
        &self,
        folded: &str,
        discriminator: u16,
    ) -> Result<Option<Account>, StoreError>;

    /// The account with this ban or this request about data.
    fn account_by_matter(&self, matter: Uuid) -> Result<Option<Account>, StoreError>;

    /// Every account with a role of operators, by their ids.
    fn staff(&self) -> Result<Vec<Account>, StoreError>;

    /// Accounts in the order of their ids, behind `after`, `limit` at most: for going through all of
    /// them piece by piece.
    fn scan_accounts(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError>;

    /// What operators keep beside accounts; empty when they never did.
    fn realm(&self) -> Result<Realm, StoreError>;

    /// An id under which this store finds the account of `link` at the least cost, for an account
    /// to be made; it may be taken. `None`: any id will do.
    fn id_for(&self, link: &Link) -> Option<AccountId>;

    /// Whether nobody has or had this id.
    fn is_unused(&self, id: AccountId) -> Result<bool, StoreError>;

    /// Whether a new account may have this id together with its generated user name
    /// ([`crate::domain::account::generated`]). Certain when it says yes.
    fn is_free(&self, id: AccountId) -> Result<bool, StoreError>;

    /// Whether an account has this Pragma name. `folded` as
    /// [`crate::domain::account::names::fold_display_name`] gives it.
    fn has_pragma_name(&self, folded: &str, discriminator: u16) -> Result<bool, StoreError>;

    /// What is revoked of an account; empty when nothing is.
    fn revoked(&self, account: AccountId) -> Result<Revoked, StoreError>;

    /// What `owner` has recorded about `other`.
    fn edge(&self, owner: AccountId, other: AccountId) -> Result<Option<Edge>, StoreError>;

    /// Everything `owner` has recorded about others, by their ids.
    fn edges(&self, owner: AccountId) -> Result<Vec<(AccountId, Edge)>, StoreError>;

    /// The player's notifications, oldest first; only those behind `after`, `limit` at most.
    fn notifications(
        &self,
        owner: AccountId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError>;
}

/// Where accounts live. One writer owns it; calls block, so the owner has a thread of its own.
///
/// Its [`Store::reads`] see what is staged. What is staged becomes durable in groups:
/// [`Store::seal`] takes it into a [`Commit`], which any thread may run while more is staged;
/// [`Store::settled`] then says that it is done. At most one commit is under way at a time, and
/// after a failed one the store is only good for being dropped: nobody knows what is on disk until
/// it is opened again.
pub trait Store: Send + 'static {
    /// Looks things up, with what is staged laid over what is stored.
    fn reads(&self) -> &dyn Reads;

    /// Looks up what is stored, from any thread. It may see a commit that is being written and not
    /// yet durable. After [`Store::close`] every look-up is [`StoreError::Abandoned`].
    fn reader(&self) -> Arc<dyn Reads>;

    /// Who redeemed a pass, if somebody did and it is not forgotten.
    fn redeemed_by(&self, epoch: u32, number: u64) -> Result<Option<AccountId>, StoreError>;

    /// Every redemption that is not forgotten, in no particular order.
    fn redemptions(&self) -> Result<Vec<Redemption>, StoreError>;

    /// Every account of which something is revoked and not forgotten.
    fn revocations(&self) -> Result<Vec<(AccountId, Revoked)>, StoreError>;

    /// How many accounts there are. Costs nothing.
    fn count(&self) -> u64;

    /// Writes `change` whole or not at all. Visible at once; durable after its commit.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a link or name in it is another account's: nothing is staged,
    /// decide again from what is there now. Any other error: see [`Store`].
    fn stage(&mut self, change: &Change) -> Result<(), StoreError>;

    /// Forgets redemptions and revocations that nobody needs any more at `now`, at most
    /// `records_max` stored records of them: a share of the sweep in every commit instead of a
    /// pause now and then. Staged like a change. Returns how many went.
    fn forget(&mut self, now: UnixMicros, records_max: usize) -> Result<usize, StoreError>;

    /// Takes everything staged so far into a commit. `None`: nothing is staged.
    fn seal(&mut self) -> Option<Box<dyn Commit>>;

    /// The last sealed commit was run and succeeded.
    fn settled(&mut self);

    /// Returns when everything staged would survive a power cut. No commit may be under way.
    fn sync(&mut self) -> Result<(), StoreError> {
        if let Some(commit) = self.seal() {
            commit.run()?;
            self.settled();
        }
        Ok(())
    }

    /// A way to copy everything while the store is in use. `None`: the engine has backups of its own.
    fn copies(&self) -> Option<Arc<dyn Copies>> {
        None
    }

    /// Lets go of the files and waits until somebody else could open them. What is staged and not
    /// committed is lost.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// A group of changes on its way to the disk.
pub trait Commit: Send {
    /// Writes the group whole or not at all and returns when it would survive a power cut.
    ///
    /// # Errors
    ///
    /// Any error means that nobody knows whether the group is there.
    fn run(self: Box<Self>) -> Result<(), StoreError>;
}

/// Why the store could not do its work. After any but [`StoreError::Conflict`]: stop, and start
/// from the stored truth.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds data of a later version of this program.
    #[error(
        "the data has format {found}, written by a newer version; this version reads up to \
         {known}. Start the newer version again, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The format found.
        found: u32,
        /// The newest format this program knows.
        known: u32,
    },
    /// Another process has the folder open.
    #[error("the data folder is in use by another process")]
    Locked,
    /// Something stored cannot be read.
    #[error("stored data cannot be read: {0}")]
    Corrupt(&'static str),
    /// The file system or the engine failed.
    #[error("cannot {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What it failed with.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A link or name belongs to another account by now. Nothing was staged.
    #[error("another account has this link or name")]
    Conflict,
    /// Whoever owned the store ended without closing it; the log says why.
    #[error("the account registry ended unexpectedly")]
    Abandoned,
}

impl StoreError {
    /// `source` happened while `doing`.
    pub fn failed(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Failed { doing, source: source.into() }
    }
}
