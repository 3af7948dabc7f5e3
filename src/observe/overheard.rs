//! Log lines as a test reads them.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Subscriber};

/// Where a test's log lines are written. Clones are one place.
#[derive(Clone, Default)]
pub(crate) struct Overheard(Arc<Mutex<Vec<u8>>>);

impl Overheard {
    /// What was written since it was last taken.
    pub(crate) fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Overheard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sends what this thread logs to `log`, until the guard is dropped.
///
/// While there is one subscriber only, tracing asks that of whichever thread comes by a place in the code
/// first whether the place is of interest, and keeps the answer for all: a test beside this one, which
/// listens to nothing, would answer no. A second one, which lives for ever, has it ask them all.
pub(crate) fn listen(log: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    static SECOND: OnceLock<Dispatch> = OnceLock::new();
    SECOND.get_or_init(|| Dispatch::new(NoSubscriber::default()));
    tracing::subscriber::set_default(log)
}
