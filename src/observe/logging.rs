//! Structured logs on standard error.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::config::{LogConfig, LogFormat};

/// What is logged, to be changed. One for the process, as the log is.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging as configured. A second call changes nothing (tests start many servers).
///
/// # Errors
///
/// When `log.level` is neither a level nor a filter.
pub fn start(config: &LogConfig) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(&config.level)?;
    let (filter, handle) = reload::Layer::new(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let log = tracing_subscriber::registry().with(filter);
    let started = match config.format {
        LogFormat::Text => log.with(layer).try_init(),
        LogFormat::Json => log.with(layer.json().flatten_event(true)).try_init(),
    };
    // Otherwise started by an earlier server of this process, whose handle is the one.
    if started.is_ok() {
        drop(FILTER.set(handle));
    }
    Ok(())
}

/// Changes what is logged from now on. Where logging was not started there is nothing to change.
///
/// # Errors
///
/// When `level` is neither a level nor a filter.
pub fn set_level(level: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(level)?;
    if let Some(handle) = FILTER.get()
        && handle.reload(filter).is_err()
    {
        tracing::error!("what is logged could not be changed");
    }
    Ok(())
}
