//! Structured logs on standard error. A line that is written while a request is answered says which
//! one: `request_id`.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::OnceLock;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::{Format, Full, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::request::{RequestId, current_id};
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
    let is_terminal = std::io::stderr().is_terminal();
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr);
    let log = tracing_subscriber::registry().with(filter);
    let started = match config.format {
        LogFormat::Text => {
            let text = Format::default().with_ansi(is_terminal);
            log.with(layer.event_format(OfRequest(text))).try_init()
        }
        LogFormat::Json => {
            let json = OfRequest(Format::default().json().flatten_event(true));
            log.with(layer.json().event_format(json)).try_init()
        }
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

/// A format whose lines say which request they are about. Not by a span of `tracing`: that would
/// cost every request something, and most write no line.
struct OfRequest<F>(F);

/// Where a format takes one more field.
trait Field {
    /// The line with the field in it.
    fn with(line: &str, id: RequestId, to: &mut Writer<'_>) -> fmt::Result;
}

impl<T> Field for Format<Full, T> {
    fn with(line: &str, id: RequestId, to: &mut Writer<'_>) -> fmt::Result {
        writeln!(to, "{} request_id={id}", line.trim_end_matches('\n'))
    }
}

impl<T> Field for Format<Json, T> {
    fn with(line: &str, id: RequestId, to: &mut Writer<'_>) -> fmt::Result {
        let Some(members) = line.strip_prefix('{') else { return to.write_str(line) };
        // An id needs no escapes: its characters were looked at when it was taken.
        write!(to, "{{\"request_id\":\"{id}\",{members}")
    }
}

impl<S, N, F> FormatEvent<S, N> for OfRequest<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N> + Field,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(id) = current_id() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        F::with(&line, id, &mut writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::overheard::{Overheard, listen};
    use crate::observe::request::within;

    #[tokio::test]
    async fn a_line_says_which_request_it_is_about() {
        let kept = Overheard::default();
        let to = kept.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false);
        let layer = layer.with_writer(move || to.clone());
        let id = RequestId::made(0xfeed);
        let speak = || async { tracing::info!(answer = 42, "done \"well\"") };

        let json = OfRequest(Format::default().json().flatten_event(true));
        let log = tracing_subscriber::registry().with(layer.json().event_format(json));
        let guard = listen(log);
        within(id, None, speak()).await;
        let line: serde_json::Value = serde_json::from_str(&kept.take()).unwrap();
        assert_eq!(
            (&line["request_id"], &line["answer"]),
            (&"000000000000feed".into(), &42.into())
        );
        assert_eq!(line["message"], "done \"well\"");
        speak().await;
        let line: serde_json::Value = serde_json::from_str(&kept.take()).unwrap();
        assert_eq!(line.get("request_id"), None);
        drop(guard);

        let to = kept.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false);
        let text = OfRequest(Format::default().with_ansi(false));
        let log = tracing_subscriber::registry()
            .with(layer.with_writer(move || to.clone()).event_format(text));
        let _guard = listen(log);
        within(id, None, speak()).await;
        let line = kept.take();
        assert!(line.ends_with(" answer=42 request_id=000000000000feed\n"), "{line}");
    }
}
