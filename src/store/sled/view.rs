//! Looking things up: what is stored, with what is staged laid over it.
//!
//! The owner's view has staged writes; a reader's has none and sees what is stored.

use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};

use ::sled::{Db, IVec};
use uuid::Uuid;

use crate::domain::account::{Account, AccountId, Link, Revoked, generated};
use crate::domain::friend::Edge;
use crate::domain::notification::Notification;
use crate::domain::realm::Realm;
use crate::store::{Reads, StoreError};

use super::elsewhere::Elsewhere;
use super::home::Home;
use super::staged::Staged;
use super::{keys, records};

/// The database, for everybody who looks, until it is closed.
#[derive(Clone)]
pub struct Shelf(Arc<RwLock<Option<Db>>>);

impl Shelf {
    pub fn new(db: Db) -> Self {
        Self(Arc::new(RwLock::new(Some(db))))
    }

    pub fn with<T>(
        &self,
        look: impl FnOnce(&Db) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.0.read().unwrap_or_else(PoisonError::into_inner);
        look(db.as_ref().ok_or(StoreError::Abandoned)?)
    }
}

/// Takes the database away from everybody who looks, when its owner goes.
pub struct Ownership(pub Shelf);

impl Drop for Ownership {
    fn drop(&mut self) {
        *self.0.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A way to look.
pub struct View {
    pub shelf: Shelf,
    pub home: Home,
    pub elsewhere: Elsewhere,
    pub staged: Staged,
}

impl View {
    /// A view of what is stored.
    pub fn of_stored(&self) -> Self {
        Self {
            shelf: self.shelf.clone(),
            home: self.home.clone(),
            elsewhere: self.elsewhere.clone(),
            staged: Staged::default(),
        }
    }

    /// The value of a key, staged or stored.
    pub fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        match self.staged.get(key) {
            Some(staged) => Ok(staged.cloned()),
            None => self.shelf.with(|db| db.get(key).map_err(reading)),
        }
    }

    /// Every key and value under a prefix, staged or stored, in no order.
    pub fn scan(&self, prefix: &[u8]) -> Result<Vec<(IVec, IVec)>, StoreError> {
        let stored = self.shelf.with(|db| collect(db.scan_prefix(prefix)));
        Ok(self.merge(stored?, |key| key.starts_with(prefix)))
    }

    /// The accounts with ids from `first` to `last`, both included.
    fn neighbours(
        &self,
        first: AccountId,
        last: AccountId,
    ) -> Result<Vec<(IVec, IVec)>, StoreError> {
        let (first, last) = (keys::account(first), keys::account(last));
        let range = &first[..]..=&last[..];
        let stored = self.shelf.with(|db| collect(db.range::<&[u8], _>(range.clone())));
        Ok(self.merge(stored?, |key| range.contains(&key)))
    }

    /// What is stored, with what is staged laid over it.
    fn merge(
        &self,
        mut found: Vec<(IVec, IVec)>,
        belongs: impl Fn(&[u8]) -> bool,
    ) -> Vec<(IVec, IVec)> {
        found.retain(|(key, _)| self.staged.get(key).is_none());
        found.extend(self.staged.live(belongs));
        found
    }

    /// The account an index entry points to.
    fn indexed(&self, key: &[u8]) -> Result<Option<Account>, StoreError> {
        match self.get(key)? {
            Some(id) => self.account(records::id(&id)?),
            None => Ok(None),
        }
    }
}

fn collect(entries: ::sled::Iter) -> Result<Vec<(IVec, IVec)>, StoreError> {
    entries.map(|entry| entry.map_err(reading)).collect()
}

pub fn reading(error: ::sled::Error) -> StoreError {
    StoreError::failed("read from the account store", error)
}

impl Reads for View {
    fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let stored = self.get(&keys::account(id))?;
        stored.map(|value| records::decode_account(id, &value)).transpose()
    }

    fn account_by_link(&self, link: &Link) -> Result<Option<Account>, StoreError> {
        let home = self.home.of(link);
        let places = [self.elsewhere.of(home), Some(home)];
        for place in places.into_iter().flatten() {
            let account = self.account(place)?.filter(|account| account.has(link));
            if account.is_some() {
                return Ok(account);
            }
        }
        let found = self.indexed(&keys::link(link))?;
        if let Some(account) = &found {
            self.elsewhere.remember(home, account.id);
        }
        Ok(found)
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

    fn account_by_player(&self, player: Uuid) -> Result<Option<Account>, StoreError> {
        self.indexed(&keys::player(player))
    }

    fn account_by_pragma_name(
        &self,
        folded: &str,
        discriminator: u16,
    ) -> Result<Option<Account>, StoreError> {
        self.indexed(&keys::pragma_name(folded, discriminator))
    }

    fn account_by_matter(&self, matter: Uuid) -> Result<Option<Account>, StoreError> {
        self.indexed(&keys::matter(matter))
    }

    fn staff(&self) -> Result<Vec<Account>, StoreError> {
        let mut ids = Vec::new();
        for (_, id) in self.scan(keys::ALL_STAFF)? {
            ids.push(records::id(&id)?);
        }
        ids.sort_unstable();
        let accounts = ids.into_iter().map(|id| self.account(id));
        // One that goes away meanwhile is none.
        accounts.filter_map(Result::transpose).collect()
    }

    fn scan_accounts(
        &self,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let after = after.map(keys::account);
        let start = match &after {
            Some(after) => Bound::Excluded(&after[..]),
            None => Bound::Included(keys::ACCOUNTS),
        };
        let mut found = self.shelf.with(|db| {
            let stored = db.range::<&[u8], _>((start, Bound::Unbounded));
            let ours = stored.take_while(|entry| {
                entry.as_ref().map_or(true, |(key, _)| key.starts_with(keys::ACCOUNTS))
            });
            let unstaged = ours.filter(|entry| {
                entry.as_ref().map_or(true, |(key, _)| self.staged.get(key).is_none())
            });
            unstaged.take(limit).map(|entry| entry.map_err(reading)).collect::<Result<Vec<_>, _>>()
        })?;
        let behind = |key: &[u8]| after.as_ref().is_none_or(|after| key > &after[..]);
        found.extend(self.staged.live(|key| key.starts_with(keys::ACCOUNTS) && behind(key)));
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        found.truncate(limit);
        let account =
            |(key, value): (IVec, IVec)| records::decode_account(keys::account_id(&key)?, &value);
        found.into_iter().map(account).collect()
    }

    fn realm(&self) -> Result<Realm, StoreError> {
        let stored = self.get(keys::REALM)?;
        Ok(stored.map(|value| records::decode_realm(&value)).transpose()?.unwrap_or_default())
    }

    fn id_for(&self, link: &Link) -> Option<AccountId> {
        Some(self.home.of(link))
    }

    fn is_unused(&self, id: AccountId) -> Result<bool, StoreError> {
        Ok(self.get(&keys::account(id))?.is_none() && self.get(&keys::tombstone(id))?.is_none())
    }

    fn is_free(&self, id: AccountId) -> Result<bool, StoreError> {
        let name = generated::username(id);
        let Some((first, last)) = generated::bearers(&name) else {
            return Ok(false); // not a random id
        };
        Ok(self.neighbours(first, last)?.is_empty()
            && self.get(&keys::username(&name))?.is_none()
            && self.get(&keys::tombstone(id))?.is_none())
    }

    fn has_pragma_name(&self, folded: &str, discriminator: u16) -> Result<bool, StoreError> {
        Ok(self.get(&keys::pragma_name(folded, discriminator))?.is_some())
    }

    fn revoked(&self, account: AccountId) -> Result<Revoked, StoreError> {
        match self.get(&keys::revoked(account))? {
            Some(value) => records::decode_revoked(&value),
            None => Ok(Revoked::default()),
        }
    }

    fn edge(&self, owner: AccountId, other: AccountId) -> Result<Option<Edge>, StoreError> {
        let stored = self.get(&keys::edge(owner, other))?;
        stored.map(|value| records::decode(&value)).transpose()
    }

    fn edges(&self, owner: AccountId) -> Result<Vec<(AccountId, Edge)>, StoreError> {
        let mut found = self.scan(&keys::edges(owner))?;
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let edge = |(key, value): (IVec, IVec)| {
            Ok((AccountId(keys::second_id(&key)?), records::decode(&value)?))
        };
        found.into_iter().map(edge).collect()
    }

    fn notifications(
        &self,
        owner: AccountId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut found = self.scan(&keys::notifications(owner))?;
        if let Some(after) = after {
            let after = keys::notification(owner, after);
            found.retain(|(key, _)| key[..] > after[..]);
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        found.truncate(limit);
        found.into_iter().map(|(_, value)| records::decode(&value)).collect()
    }
}
