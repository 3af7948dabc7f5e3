//! Sends spans to the collector, many at once, by OTLP over HTTP in protobuf.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter as Otlp, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::sync::{mpsc, watch};

use super::{TraceError, TraceFigures};
use crate::config::TraceConfig;
use crate::identity::collector_client;

/// Most spans in one request.
const BATCH_MAX: usize = 512;
/// How long the first waits for others to go with it.
const GATHER: Duration = Duration::from_secs(1);
/// Time for a whole request.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The exporter of these settings. A header for the collector may be in the environment
/// (`OTEL_EXPORTER_OTLP_HEADERS`), so that its token is in no file.
pub(super) fn exporter(config: &TraceConfig) -> Result<Otlp, TraceError> {
    let client = collector_client(TIMEOUT).ok_or(TraceError::Client)?;
    let exporter = Otlp::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(config.address())
        .with_timeout(TIMEOUT)
        // One try: what a collector does not take now is counted, and the next ones have their turn.
        .with_retry_policy(RetryPolicy::disabled())
        .build();
    let mut exporter = exporter.map_err(|error| TraceError::Exporter(error.to_string()))?;
    exporter.set_resource(
        &Resource::builder_empty()
            .with_service_name(config.service_name.clone())
            .with_attribute(opentelemetry::KeyValue::new("service.version", crate::VERSION))
            .build(),
    );
    Ok(exporter)
}

/// Sends until it is told to leave and nothing waits.
pub(super) async fn run(
    mut spans: mpsc::Receiver<SpanData>,
    exporter: impl SpanExporter,
    figures: Arc<TraceFigures>,
    mut leaving: watch::Receiver<bool>,
) {
    let mut was_taken = true;
    loop {
        let mut batch = Vec::new();
        let taken = tokio::select! {
            taken = spans.recv_many(&mut batch, BATCH_MAX) => taken,
            _ = leaving.wait_for(|leaving| *leaving), if !spans.is_closed() => {
                spans.close();
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        if !spans.is_closed() && batch.len() < BATCH_MAX {
            let _ = tokio::time::timeout(GATHER, leaving.wait_for(|leaving| *leaving)).await;
            while batch.len() < BATCH_MAX
                && let Ok(span) = spans.try_recv()
            {
                batch.push(span);
            }
        }
        let count = batch.len() as u64;
        let sent = exporter.export(batch).await;
        let counter = if sent.is_ok() { &figures.sent } else { &figures.failed };
        counter.fetch_add(count, Ordering::Relaxed);
        match &sent {
            // Once, not with every batch of an outage.
            Err(error) if was_taken => tracing::warn!(%error, "the collector takes no spans"),
            Ok(()) if !was_taken => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        was_taken = sent.is_ok();
    }
}
