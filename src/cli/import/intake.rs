//! The way into the account store of a server that does not run.

use std::path::PathBuf;

use super::ImportError;
use crate::config::Config;
use crate::domain::account::{Account, AccountId, Change, EdgeWrite};
use crate::domain::friend::Edge;
use crate::domain::realm::Realm;
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::store::sled::{Options, SledStore, sync_data};
use crate::store::{Store as _, StoreError};

/// Changes that share a commit.
const GROUP: usize = 512;

/// Takes accounts and relationships.
pub(super) struct Intake {
    store: Box<SledStore>,
    /// For a trial: the accounts that are there; what is taken goes into a folder that is removed.
    there: Option<Box<SledStore>>,
    trial: Option<PathBuf>,
    staged: usize,
}

/// What came of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is new.
    New,
    /// One of this id is there.
    There,
    /// One of this id was deleted.
    Deleted,
    /// A link or a name of it is another account's.
    Conflict,
}

impl Intake {
    /// Opens the accounts of the server's folder, making them if there are none.
    pub fn open(
        config: &Config,
        dice: &Dice,
        now: UnixMicros,
        is_trial: bool,
    ) -> Result<Self, ImportError> {
        let accounts = config.server.data.join("accounts");
        let (cache_mib, salt) = (config.store.cache_mib, dice.bytes());
        let options = Options { cache_mib, salt, sync: sync_data() };
        let open = |folder: &PathBuf| SledStore::open(folder, &options).map(Box::new);
        if !is_trial {
            return Ok(Self { store: open(&accounts)?, there: None, trial: None, staged: 0 });
        }
        let there = if accounts.exists() { Some(open(&accounts)?) } else { None };
        let trial = std::env::temp_dir().join(format!("anteroom-trial-{}", now.0));
        Ok(Self { store: open(&trial)?, there, trial: Some(trial), staged: 0 })
    }

    /// Takes an account without relationships.
    pub fn account(&mut self, mut account: Account) -> Result<Taken, StoreError> {
        account.edge_count = 0;
        for store in self.there.iter().chain([&self.store]) {
            let reads = store.reads();
            if reads.account(account.id)?.is_some() {
                return Ok(Taken::There);
            }
            if !reads.is_unused(account.id)? {
                return Ok(Taken::Deleted);
            }
        }
        if let Some(there) = &self.there {
            let reads = there.reads();
            let mut is_others = reads.account_by_username(&account.username)?.is_some();
            for link in &account.links {
                is_others |= reads.account_by_link(link)?.is_some();
            }
            if is_others {
                return Ok(Taken::Conflict);
            }
        }
        match self.store.stage(&Change::of(None, account)) {
            Ok(()) => self.staged().map(|()| Taken::New),
            Err(StoreError::Conflict) => Ok(Taken::Conflict),
            Err(error) => Err(error),
        }
    }

    /// Whether this account is there.
    pub fn has(&self, id: AccountId) -> Result<bool, StoreError> {
        for store in self.there.iter().chain([&self.store]) {
            if store.reads().account(id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the records of one account, of relationships with accounts that are there; those it has
    /// already stay. How many are new.
    pub fn friends(
        &mut self,
        owner: AccountId,
        edges: Vec<(AccountId, Edge)>,
    ) -> Result<u64, StoreError> {
        let Some(account) = self.store.reads().account(owner)? else { return Ok(0) };
        let mut change = Change::beside(&account);
        let mut new = 0;
        for (other, edge) in edges {
            if self.store.reads().edge(owner, other)?.is_some() {
                continue;
            }
            new += 1;
            change.after.edge_count += u32::from(edge.state.is_shown());
            change.edges.push(EdgeWrite { owner, other, edge: Some(edge) });
        }
        if new > 0 {
            self.store.stage(&change)?;
            self.staged()?;
        }
        Ok(new)
    }

    /// Takes the realm where there is none. Whether this one is there now.
    pub fn realm(&mut self, realm: &Realm) -> Result<bool, StoreError> {
        let found = match &self.there {
            Some(there) => there.reads().realm()?,
            None => self.store.reads().realm()?,
        };
        if found != Realm::default() {
            return Ok(found == *realm);
        }
        let mut change = Change::beside(&Account::system());
        change.realm = Some(Box::new(realm.clone()));
        self.store.stage(&change)?;
        self.staged()?;
        Ok(true)
    }

    fn staged(&mut self) -> Result<(), StoreError> {
        self.staged += 1;
        if self.staged >= GROUP { self.commit() } else { Ok(()) }
    }

    /// What was taken is on the disk when this returns.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.staged = 0;
        self.store.sync()
    }

    /// Commits and lets go of the folder.
    pub fn close(mut self) -> Result<(), ImportError> {
        let committed = self.commit();
        let closed = self.store.close();
        if let Some(there) = self.there {
            there.close()?;
        }
        if let Some(trial) = self.trial {
            // It is in the system's folder for such things.
            let _ = std::fs::remove_dir_all(trial);
        }
        committed?;
        Ok(closed?)
    }
}
