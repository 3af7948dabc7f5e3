//! What operators see: metrics, logs, traces, health.

pub mod access;
pub mod catalogue;
pub mod errors;
pub mod health;
pub mod live;
pub mod logging;
pub mod metrics;
#[cfg(test)]
pub mod overheard;
pub mod process;
pub mod request;
pub mod supervisor;
pub mod trace;
pub mod traffic;

pub use access::Access;
pub use health::Health;
pub use live::Live;
pub use trace::Tracer;
pub use traffic::{PortKind, Traffic};
