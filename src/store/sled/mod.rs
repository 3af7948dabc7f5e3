//! sled 0.34 behind the store trait. No sled type leaves this folder.
//!
//! One tree with a prefix for each kind of key ([`keys`]), since there is one writer: a commit is
//! one batch, sled's flush, and our own `fdatasync` of its file, because sled 0.34 flushes by
//! `sync_file_range`, which a power cut undoes.
//!
//! Two thirds of what an account costs is paid per key, so a new one is a single key where it can
//! be: the account's id is derived from its first link by a keyed hash ([`home`]), its generated
//! name from its id, and neither needs an index entry. Whatever does not fit that gets one.

mod commit;
mod copying;
mod elsewhere;
mod home;
mod keys;
mod opening;
mod passes;
mod records;
mod staged;
mod view;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::sled::{Config, Db};

use crate::domain::account::{
    Account, AccountId, Change, EdgeWrite, NotificationWrite, Redemption, Revoked, generated, names,
};
use crate::domain::time::UnixMicros;

use self::commit::SledCommit;
use self::copying::{Notes, SledCopies};
use self::passes::Passes;
use self::view::{Ownership, View};
use super::{Commit, Copies, Piece, Reads, Store, StoreError};

pub use self::opening::{Options, SyncFile, is_in_use, peek, sync_data};

/// Accounts in a sled database.
pub struct SledStore {
    config: Config,
    db: Db,
    view: View,
    ownership: Ownership,
    /// sled's own file, for the `fdatasync` it does not do.
    file: Arc<File>,
    passes: Passes,
    /// When what is revoked of an account may be forgotten.
    revoked_until: BTreeSet<(u64, AccountId)>,
    count: u64,
    /// Something was sealed since opening.
    has_written: bool,
    sync: SyncFile,
    notes: Notes,
}

impl SledStore {
    /// Opens the folder `accounts` under `data`, making it if it is not there.
    ///
    /// `salt` is rolled by the caller and used when the folder is new: it decides which ids
    /// accounts get, so that nobody can tell a device from an id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Newer`], [`StoreError::Locked`], [`StoreError::Corrupt`],
    /// [`StoreError::Failed`].
    pub fn open(data: &Path, options: &Options) -> Result<Self, StoreError> {
        opening::open(data, options)
    }

    /// Makes a folder `accounts` under `data`, which must not be there, from the pieces of a copy.
    ///
    /// # Errors
    ///
    /// The first error of `pieces`; [`StoreError::Failed`]. What is in the folder then is of no use.
    pub fn rebuild(
        data: &Path,
        options: &Options,
        pieces: impl FnMut() -> Result<Option<Piece>, StoreError>,
    ) -> Result<(), StoreError> {
        opening::rebuild(data, options, pieces)
    }

    /// The index entries of an account: what cannot be told from its id.
    fn index(&self, account: &Account) -> BTreeSet<Vec<u8>> {
        let links = account.links.iter().filter(|link| self.view.home.of(link) != account.id);
        let mut index: BTreeSet<Vec<u8>> = links.map(keys::link).collect();
        if account.username != generated::username(account.id) {
            index.insert(keys::username(&account.username));
        }
        if let Some(name) = &account.pragma_name {
            let folded = names::fold_display_name(&name.name);
            index.insert(keys::pragma_name(&folded, name.discriminator));
        }
        index.extend(keys::of_parts(account).into_iter().map(Vec::from));
        index
    }

    /// Whether a link or name that a change adds is another account's already.
    fn conflicts(&self, change: &Change) -> Result<bool, StoreError> {
        let (before, after) = (change.before.as_ref(), &change.after);
        let is_other = |found: Option<Account>| found.is_some_and(|found| found.id != after.id);
        if before.is_none() && !self.view.is_unused(after.id)? {
            return Ok(true);
        }
        for link in &after.links {
            let had = before.is_some_and(|before| before.has(link));
            if !had && is_other(self.view.account_by_link(link)?) {
                return Ok(true);
            }
        }
        let named = before.is_some_and(|before| before.username == after.username);
        if !named && is_other(self.view.account_by_username(&after.username)?) {
            return Ok(true);
        }
        if let Some(name) = &after.pragma_name
            && before.is_none_or(|before| before.pragma_name.as_ref() != Some(name))
        {
            let folded = names::fold_display_name(&name.name);
            let key = keys::pragma_name(&folded, name.discriminator);
            let owner = self.view.get(&key)?.map(|id| records::id(&id)).transpose()?;
            return Ok(owner.is_some_and(|owner| owner != after.id));
        }
        Ok(false)
    }

    fn stage_account(
        &mut self,
        before: Option<&Account>,
        after: &Account,
    ) -> Result<(), StoreError> {
        let id = after.id;
        let record = records::encode_account(after)?;
        let index = self.index(after);
        let gone = before.map(|before| self.index(before)).unwrap_or_default();
        for key in gone.difference(&index) {
            self.view.staged.remove(key);
        }
        for key in index.difference(&gone) {
            self.view.staged.put(key, id.0.as_bytes().as_slice());
        }
        self.view.staged.put(&keys::account(id), record);
        if before.is_none() {
            self.set_count(self.count.saturating_add(1));
        }
        Ok(())
    }

    /// An account goes; its id is never given again.
    fn bury(&mut self, account: &Account) {
        for key in self.index(account) {
            self.view.staged.remove(&key);
        }
        self.view.staged.remove(&keys::account(account.id));
        self.view.staged.put(&keys::tombstone(account.id), &[][..]);
        self.set_count(self.count.saturating_sub(1));
    }

    fn set_count(&mut self, count: u64) {
        self.count = count;
        self.view.staged.put(keys::COUNT, &count.to_be_bytes());
    }

    fn stage_edge(&mut self, write: &EdgeWrite) -> Result<(), StoreError> {
        let key = keys::edge(write.owner, write.other);
        match &write.edge {
            Some(edge) => self.view.staged.put(&key, records::encode(edge)?),
            None => self.view.staged.remove(&key),
        }
        Ok(())
    }

    fn stage_notification(&mut self, write: &NotificationWrite) -> Result<(), StoreError> {
        match write {
            NotificationWrite::Keep(owner, kept) => {
                let key = keys::notification(*owner, kept.id);
                self.view.staged.put(&key, records::encode(kept)?);
            }
            NotificationWrite::Drop(owner, id) => {
                self.view.staged.remove(&keys::notification(*owner, *id));
            }
        }
        Ok(())
    }

    fn stage_revoked(&mut self, account: AccountId, revoked: &Revoked) -> Result<(), StoreError> {
        let kept = self.view.revoked(account)?;
        self.revoked_until.remove(&(kept.until(), account));
        if *revoked == Revoked::default() {
            self.view.staged.remove(&keys::revoked(account));
            return Ok(());
        }
        self.view.staged.put(&keys::revoked(account), records::encode(revoked)?);
        self.revoked_until.insert((revoked.until(), account));
        Ok(())
    }
}

impl Store for SledStore {
    fn reads(&self) -> &dyn Reads {
        &self.view
    }

    fn reader(&self) -> Arc<dyn Reads> {
        Arc::new(self.view.of_stored())
    }

    fn redeemed_by(&self, epoch: u32, number: u64) -> Result<Option<AccountId>, StoreError> {
        Ok(self.passes.holder(epoch, number))
    }

    fn redemptions(&self) -> Result<Vec<Redemption>, StoreError> {
        Ok(self.passes.all())
    }

    fn revocations(&self) -> Result<Vec<(AccountId, Revoked)>, StoreError> {
        let found = self.view.scan(&[keys::REVOKED])?;
        found
            .into_iter()
            .map(|(key, value)| Ok((keys::account_id(&key)?, records::decode_revoked(&value)?)))
            .collect()
    }

    fn count(&self) -> u64 {
        self.count
    }

    fn stage(&mut self, change: &Change) -> Result<(), StoreError> {
        let changes_account = change.changes_account();
        if changes_account && self.conflicts(change)? {
            return Err(StoreError::Conflict);
        }
        if change.deletes {
            self.bury(&change.after);
        } else if changes_account {
            self.stage_account(change.before.as_ref(), &change.after)?;
        }
        for (before, after) in &change.others {
            self.stage_account(Some(before), after)?;
        }
        change.edges.iter().try_for_each(|write| self.stage_edge(write))?;
        change.notifications.iter().try_for_each(|write| self.stage_notification(write))?;
        if let Some(revoked) = &change.revoked {
            self.stage_revoked(change.after.id, revoked)?;
        }
        if let Some(realm) = &change.realm {
            self.view.staged.put(keys::REALM, records::encode(realm)?);
        }
        if let Some(pass) = &change.redeemed {
            self.passes.stage(Redemption { pass: pass.clone(), account: change.after.id });
        }
        Ok(())
    }

    fn forget(&mut self, now: UnixMicros, records_max: usize) -> Result<usize, StoreError> {
        let now_s = now.as_secs();
        let mut gone = 0;
        while gone < records_max
            && let Some(group) = self.passes.forget_group(now_s)
        {
            self.view.staged.remove(&keys::passes(group));
            gone += 1;
        }
        while gone < records_max
            && let Some((until, account)) = self.revoked_until.first().copied()
            && until < now_s
        {
            self.revoked_until.pop_first();
            self.view.staged.remove(&keys::revoked(account));
            gone += 1;
        }
        Ok(gone)
    }

    fn seal(&mut self) -> Option<Box<dyn Commit>> {
        for (group, redemptions) in self.passes.seal() {
            self.view.staged.put(&keys::passes(group), redemptions);
        }
        let writes = self.view.staged.seal()?;
        self.has_written = true;
        Some(Box::new(SledCommit {
            db: self.db.clone(),
            file: self.file.clone(),
            writes,
            sync: self.sync.clone(),
            notes: self.notes.clone(),
        }))
    }

    fn settled(&mut self) {
        self.view.staged.settled();
    }

    fn copies(&self) -> Option<Arc<dyn Copies>> {
        let copies = SledCopies { shelf: self.view.shelf.clone(), notes: self.notes.clone() };
        Some(Arc::new(copies))
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let Self { config, db, ownership, file, has_written, .. } = *self;
        drop((ownership, db));
        opening::wait_until_unlocked(&file)?;
        if has_written {
            opening::write_snapshot(&config);
        }
        opening::wait_until_unlocked(&file)
    }
}

#[cfg(test)]
mod tests;
