//! How many callers wait for the line, and the bound on it: actix mailboxes hold nobody back.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::actors::CallError;

#[derive(Debug)]
pub(super) struct Callers {
    waiting: AtomicUsize,
    max: usize,
}

impl Callers {
    pub(super) const fn new(max: usize) -> Self {
        Self { waiting: AtomicUsize::new(0), max }
    }

    /// A seat for one caller, given back when dropped.
    pub(super) fn take(&self) -> Result<Seat<'_>, CallError> {
        let seat = Seat(self);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.max {
            Ok(seat)
        } else {
            Err(CallError::Overloaded)
        }
    }
}

pub(super) struct Seat<'a>(&'a Callers);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_caller_takes_no_seat() {
        let callers = Callers::new(2);
        let first = callers.take().unwrap();
        let _second = callers.take().unwrap();
        for _ in 0..3 {
            assert_eq!(callers.take().map(drop), Err(CallError::Overloaded));
        }
        drop(first);
        assert!(callers.take().is_ok());
    }
}
