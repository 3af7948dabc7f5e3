//! A store whose commits wait at a gate.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::account::{AccountId, Change, Redemption, Revoked};
use crate::domain::time::UnixMicros;
use crate::store::{Commit, Reads, Store, StoreError};

/// Opens and shuts the gate. Shut at first; dropped, it opens.
pub struct Gate(Arc<Hinge>);

#[derive(Default)]
struct Hinge {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    waiting: bool,
}

impl Hinge {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.moved.wait_while(self.lock(), |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    pub fn open(&self) {
        self.set(true);
    }

    pub fn shut(&self) {
        self.set(false);
    }

    /// Blocks until a commit waits at the gate.
    pub fn wait_for_commit(&self) {
        drop(self.0.wait_while(|state| !state.waiting));
    }

    fn set(&self, open: bool) {
        self.0.lock().open = open;
        self.0.moved.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

pub fn new(inner: Box<dyn Store>) -> (Gate, Box<dyn Store>) {
    let gate = Arc::<Hinge>::default();
    (Gate(Arc::clone(&gate)), Box::new(Gated { inner, gate }))
}

struct Gated {
    inner: Box<dyn Store>,
    gate: Arc<Hinge>,
}

struct GatedCommit {
    inner: Box<dyn Commit>,
    gate: Arc<Hinge>,
}

impl Commit for GatedCommit {
    fn run(self: Box<Self>) -> Result<(), StoreError> {
        self.gate.lock().waiting = true;
        self.gate.moved.notify_all();
        self.gate.wait_while(|state| !state.open).waiting = false;
        self.inner.run()
    }
}

impl Store for Gated {
    fn reads(&self) -> &dyn Reads {
        self.inner.reads()
    }

    fn reader(&self) -> Arc<dyn Reads> {
        self.inner.reader()
    }

    fn redeemed_by(&self, epoch: u32, number: u64) -> Result<Option<AccountId>, StoreError> {
        self.inner.redeemed_by(epoch, number)
    }

    fn redemptions(&self) -> Result<Vec<Redemption>, StoreError> {
        self.inner.redemptions()
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
