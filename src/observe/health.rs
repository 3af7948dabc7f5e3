//! Whether the server is ready for players: what a load balancer asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the server is in its life. Cheap to clone; all clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<AtomicU8>);

/// A stage of the server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Opening the store and the line.
    Starting,
    /// Answering players.
    Ready,
    /// Letting go: finishes what it has, takes nothing new.
    Draining,
}

impl Health {
    /// Says where the server is now.
    pub fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::SeqCst);
    }

    /// Where the server is.
    pub fn stage(&self) -> Stage {
        match self.0.load(Ordering::SeqCst) {
            0 => Stage::Starting,
            1 => Stage::Ready,
            _ => Stage::Draining,
        }
    }

    /// The word for `/readyz`, and whether it means yes.
    pub fn ready(&self) -> (bool, &'static str) {
        match self.stage() {
            Stage::Starting => (false, "starting"),
            Stage::Ready => (true, "ready"),
            Stage::Draining => (false, "draining"),
        }
    }
}
