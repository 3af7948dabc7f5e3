//! A store whose commits wait at a gate.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::domain::account::{Account, AccountId, Change, Link, Redemption, Revoked};
use crate::domain::time::UnixMicros;
use crate::store::{Commit, Store, StoreError};

/// Opens and shuts the gate. Shut at first; dropped, it opens.
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        self.set(true);
    }

    pub fn shut(&self) {
        self.set(false);
    }

    fn set(&self, open: bool) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = open;
        self.0.1.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

pub fn new(inner: Box<dyn Store>) -> (Gate, Box<dyn Store>) {
    let gate = Arc::default();
    (Gate(Arc::clone(&gate)), Box::new(Gated { inner, gate }))
}

struct Gated {
    inner: Box<dyn Store>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

struct GatedCommit {
    inner: Box<dyn Commit>,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Commit for GatedCommit {
    fn run(self: Box<Self>) -> Result<(), StoreError> {
        let mut open = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.gate.1.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
        drop(open);
        self.inner.run()
    }
}

impl Store for Gated {
    fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.inner.account(id)
    }

    fn account_by_link(&self, link: &Link) -> Result<Option<Account>, StoreError> {
        self.inner.account_by_link(link)
    }

    fn account_by_username(&self, username: &str) -> Result<Option<Account>, StoreError> {
        self.inner.account_by_username(username)
    }

    fn id_for(&self, link: &Link) -> Option<AccountId> {
        self.inner.id_for(link)
    }

    fn is_free(&self, id: AccountId) -> Result<bool, StoreError> {
        self.inner.is_free(id)
    }

    fn has_pragma_name(&self, folded: &str, discriminator: u16) -> Result<bool, StoreError> {
        self.inner.has_pragma_name(folded, discriminator)
    }

    fn redeemed_by(&self, epoch: u32, number: u64) -> Result<Option<AccountId>, StoreError> {
        self.inner.redeemed_by(epoch, number)
    }

    fn redemptions(&self) -> Result<Vec<Redemption>, StoreError> {
        self.inner.redemptions()
    }

    fn revoked(&self, account: AccountId) -> Result<Revoked, StoreError> {
        self.inner.revoked(account)
    }

    fn revocations(&self) -> Result<Vec<(AccountId, Revoked)>, StoreError> {
        self.inner.revocations()
    }

    fn count(&self) -> u64 {
        self.inner.count()
    }

    fn stage(&mut self, change: &Change) -> Result<(), StoreError> {
        self.inner.stage(change)
    }

    fn forget(&mut self, now: UnixMicros, records_max: usize) -> Result<usize, StoreError> {
        self.inner.forget(now, records_max)
    }

    fn seal(&mut self) -> Option<Box<dyn Commit>> {
        let inner = self.inner.seal()?;
        Some(Box::new(GatedCommit { inner, gate: self.gate.clone() }))
    }

    fn settled(&mut self) {
        self.inner.settled();
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.close()
    }
}
