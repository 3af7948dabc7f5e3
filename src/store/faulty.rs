//! A store that fails on order, for tests of what happens then. Wraps any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::domain::account::{AccountId, Change, Redemption, Revoked};
use crate::domain::time::UnixMicros;

use super::{Commit, Copies, Reads, Store, StoreError};

/// When to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FailAt {
    /// Not at all.
    Never = 0,
    /// The commit fails and nothing of it is written.
    BeforeSync = 1,
    /// The commit is written and durable, and fails nevertheless.
    AfterSync = 2,
    /// A change cannot be staged.
    Stage = 3,
    /// The commit panics.
    Panic = 4,
}

/// Orders a [`FaultyStore`] to fail. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<AtomicU8>);

impl Fault {
    /// From now on, fail so.
    pub fn set(&self, at: FailAt) {
        self.0.store(at as u8, Ordering::SeqCst);
    }

    fn is(&self, at: FailAt) -> bool {
        self.0.load(Ordering::SeqCst) == at as u8
    }
}

/// A store that works like another until it is ordered to fail.
pub struct FaultyStore {
    inner: Box<dyn Store>,
    fault: Fault,
}

impl FaultyStore {
    /// Wraps `inner`; `fault` says when to fail.
    pub const fn new(inner: Box<dyn Store>, fault: Fault) -> Self {
        Self { inner, fault }
    }
}

fn ordered(doing: &'static str) -> StoreError {
    StoreError::failed(doing, "failed on order")
}

impl Store for FaultyStore {
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
        if self.fault.is(FailAt::Stage) {
            return Err(ordered("stage a change"));
        }
        self.inner.stage(change)
    }

    fn forget(&mut self, now: UnixMicros, records_max: usize) -> Result<usize, StoreError> {
        self.inner.forget(now, records_max)
    }

    fn seal(&mut self) -> Option<Box<dyn Commit>> {
        let inner = self.inner.seal()?;
        Some(Box::new(FaultyCommit { inner, fault: self.fault.clone() }))
    }

    fn settled(&mut self) {
        self.inner.settled();
    }

    fn copies(&self) -> Option<Arc<dyn Copies>> {
        self.inner.copies()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.close()
    }
}

struct FaultyCommit {
    inner: Box<dyn Commit>,
    fault: Fault,
}

impl Commit for FaultyCommit {
    fn run(self: Box<Self>) -> Result<(), StoreError> {
        if self.fault.is(FailAt::BeforeSync) {
            return Err(ordered("write a commit"));
        }
        assert!(!self.fault.is(FailAt::Panic), "the store panics on order");
        self.inner.run()?;
        if self.fault.is(FailAt::AfterSync) {
            return Err(ordered("flush a commit"));
        }
        Ok(())
    }
}
