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
mod home;
mod keys;
mod opening;
mod passes;
mod records;
mod staged;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::sled::{Config, Db, IVec};

use crate::domain::account::{
    Account, AccountId, Change, Link, Redemption, Revoked, generated, names,
};
use crate::domain::time::UnixMicros;

use self::commit::SledCommit;
use self::home::Home;
use self::passes::Passes;
use self::staged::Staged;
use super::{Commit, Store, StoreError};

pub use self::opening::{Options, SyncFile, sync_data};

/// Accounts in a sled database.
pub struct SledStore {
    config: Config,
    db: Db,
    /// sled's own file, for the `fdatasync` it does not do.
    file: Arc<File>,
    home: Home,
    staged: Staged,
    passes: Passes,
    /// When what is revoked of an account may be forgotten.
    revoked_until: BTreeSet<(u64, AccountId)>,
    count: u64,
    /// Something was sealed since opening.
    has_written: bool,
    sync: SyncFile,
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

    /// The value of a key, staged or stored.
    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        match self.staged.get(key) {
            Some(staged) => Ok(staged.cloned()),
            None => self.db.get(key).map_err(reading),
        }
    }

    /// Every key and value under a prefix, staged or stored.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<(IVec, IVec)>, StoreError> {
        self.merge(self.db.scan_prefix(prefix), |key| key.starts_with(prefix))
    }

    /// The accounts with ids from `first` to `last`, both included.
    fn neighbours(
        &self,
        first: AccountId,
        last: AccountId,
    ) -> Result<Vec<(IVec, IVec)>, StoreError> {
        let (first, last) = (keys::account(first), keys::account(last));
        let stored = self.db.range::<&[u8], _>(&first[..]..=&last[..]);
        self.merge(stored, |key| (&first[..]..=&last[..]).contains(&key))
    }

    /// What is stored, with what is staged laid over it.
    fn merge(
        &self,
        stored: ::sled::Iter,
        belongs: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<(IVec, IVec)>, StoreError> {
        let mut found = Vec::new();
        for entry in stored {
            let (key, value) = entry.map_err(reading)?;
            if self.staged.get(&key).is_none() {
                found.push((key, value));
            }
        }
        found.extend(self.staged.live(belongs));
        Ok(found)
    }

    /// The account an index entry points to.
    fn indexed(&self, key: &[u8]) -> Result<Option<Account>, StoreError> {
        match self.get(key)? {
            Some(id) => self.account(records::id(&id)?),
            None => Ok(None),
        }
    }

    /// The index entries of an account: what cannot be told from its id.
    fn index(&self, account: &Account) -> BTreeSet<Vec<u8>> {
        let links = account.links.iter().filter(|link| self.home.of(link) != account.id);
        let mut index: BTreeSet<Vec<u8>> = links.map(keys::link).collect();
        if account.username != generated::username(account.id) {
            index.insert(keys::username(&account.username));
        }
        if let Some(name) = &account.pragma_name {
            let folded = names::fold_display_name(&name.name);
            index.insert(keys::pragma_name(&folded, name.discriminator));
        }
        index
    }

    /// Whether a link or name that a change adds is another account's already.
    fn conflicts(&self, change: &Change) -> Result<bool, StoreError> {
        let (before, after) = (change.before.as_ref(), &change.after);
        let is_other = |found: Option<Account>| found.is_some_and(|found| found.id != after.id);
        if before.is_none() && self.get(&keys::account(after.id))?.is_some() {
            return Ok(true);
        }
        for link in &after.links {
            let had = before.is_some_and(|before| before.has(link));
            if !had && is_other(self.account_by_link(link)?) {
                return Ok(true);
            }
        }
        let named = before.is_some_and(|before| before.username == after.username);
        if !named && is_other(self.account_by_username(&after.username)?) {
            return Ok(true);
        }
        if let Some(name) = &after.pragma_name
            && before.is_none_or(|before| before.pragma_name.as_ref() != Some(name))
        {
            let folded = names::fold_display_name(&name.name);
            let key = keys::pragma_name(&folded, name.discriminator);
            let owner = self.get(&key)?.map(|id| records::id(&id)).transpose()?;
            return Ok(owner.is_some_and(|owner| owner != after.id));
        }
        Ok(false)
    }

    fn stage_account(&mut self, change: &Change) -> Result<(), StoreError> {
        let id = change.after.id;
        let record = records::encode_account(&change.after)?;
        let index = self.index(&change.after);
        let gone = change.before.as_ref().map(|before| self.index(before)).unwrap_or_default();
        for key in gone.difference(&index) {
            self.staged.remove(key);
        }
        for key in index.difference(&gone) {
            self.staged.put(key, id.0.as_bytes().as_slice());
        }
        self.staged.put(&keys::account(id), record);
        if change.before.is_none() {
            self.count = self.count.saturating_add(1);
            self.staged.put(keys::COUNT, &self.count.to_be_bytes());
        }
        Ok(())
    }

    fn stage_revoked(&mut self, account: AccountId, revoked: &Revoked) -> Result<(), StoreError> {
        let kept = self.revoked(account)?;
        self.revoked_until.remove(&(kept.until(), account));
        if *revoked == Revoked::default() {
            self.staged.remove(&keys::revoked(account));
            return Ok(());
        }
        self.staged.put(&keys::revoked(account), records::encode(revoked)?);
        self.revoked_until.insert((revoked.until(), account));
        Ok(())
    }
}

fn reading(error: ::sled::Error) -> StoreError {
    StoreError::failed("read from the account store", error)
}

impl Store for SledStore {
    fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let stored = self.get(&keys::account(id))?;
        stored.map(|value| records::decode_account(id, &value)).transpose()
    }

    fn account_by_link(&self, link: &Link) -> Result<Option<Account>, StoreError> {
        let at_home = self.account(self.home.of(link))?;
        match at_home.filter(|account| account.has(link)) {
            Some(account) => Ok(Some(account)),
            None => self.indexed(&keys::link(link)),
        }
    }

    fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        let chosen = self.indexed(&keys::username(username))?;
        let Some((first, last)) = generated::bearers(username).filter(|_| chosen.is_none()) else {
            return Ok(chosen);
        };
        for (key, value) in self.neighbours(first, last)? {
            let account = records::decode_account(keys::account_id(&key)?, &value)?;
            if account.username == username {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    fn id_for(&self, link: &Link) -> Option<AccountId> {
        Some(self.home.of(link))
    }

    fn is_free(&self, id: AccountId) -> Result<bool, StoreError> {
        let name = generated::username(id);
        let Some((first, last)) = generated::bearers(&name) else {
            return Ok(false); // not a random id
        };
        Ok(self.neighbours(first, last)?.is_empty() && self.get(&keys::username(&name))?.is_none())
    }

    fn has_pragma_name(&self, folded: &str, discriminator: u16) -> Result<bool, StoreError> {
        Ok(self.get(&keys::pragma_name(folded, discriminator))?.is_some())
    }

    fn redeemed_by(&self, epoch: u32, number: u64) -> Result<Option<AccountId>, StoreError> {
        Ok(self.passes.holder(epoch, number))
    }

    fn redemptions(&self) -> Result<Vec<Redemption>, StoreError> {
        Ok(self.passes.all())
    }

    fn revoked(&self, account: AccountId) -> Result<Revoked, StoreError> {
        let stored = self.get(&keys::revoked(account))?;
        stored.map_or(Ok(Revoked::default()), |value| records::decode(&value))
    }

    fn revocations(&self) -> Result<Vec<(AccountId, Revoked)>, StoreError> {
        let found = self.scan(&[keys::REVOKED])?;
        found
            .into_iter()
            .map(|(key, value)| Ok((keys::account_id(&key)?, records::decode(&value)?)))
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
        if changes_account {
            self.stage_account(change)?;
        }
        if let Some(revoked) = &change.revoked {
            self.stage_revoked(change.after.id, revoked)?;
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
            self.staged.remove(&keys::passes(group));
            gone += 1;
        }
        while gone < records_max
            && let Some((until, account)) = self.revoked_until.first().copied()
            && until < now_s
        {
            self.revoked_until.pop_first();
            self.staged.remove(&keys::revoked(account));
            gone += 1;
        }
        Ok(gone)
    }

    fn seal(&mut self) -> Option<Box<dyn Commit>> {
        for (group, redemptions) in self.passes.seal() {
            self.staged.put(&keys::passes(group), redemptions);
        }
        let writes = self.staged.seal()?;
        self.has_written = true;
        Some(Box::new(SledCommit {
            db: self.db.clone(),
            file: self.file.clone(),
            writes,
            sync: self.sync.clone(),
        }))
    }

    fn settled(&mut self) {
        self.staged.settled();
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        let Self { config, db, file, has_written, .. } = *self;
        drop(db);
        opening::wait_until_unlocked(&file)?;
        if has_written {
            opening::write_snapshot(&config);
        }
        opening::wait_until_unlocked(&file)
    }
}

#[cfg(test)]
mod tests;
