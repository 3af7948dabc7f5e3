//! What operators see: metrics, logs, health.

pub mod catalogue;
pub mod health;
pub mod live;
pub mod logging;
pub mod metrics;
pub mod process;
pub mod traffic;

pub use health::Health;
pub use live::Live;
pub use traffic::{PortKind, Traffic};
