//! What operators see: metrics, logs, health.

pub mod catalogue;
pub mod health;
pub mod logging;
pub mod metrics;

pub use health::Health;
