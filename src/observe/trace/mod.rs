//! Traces for `OpenTelemetry`: spans of requests and of the steps that take their time. A request
//! that nobody traces costs a comparison. What is exported is bounded and never waits: what finds
//! no room is dropped and counted.

mod export;
mod parent;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::Either;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::request::{current_parent, within};
use crate::clock::{Clock, Stopwatch};
use crate::config::TraceConfig;
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use parent::Traceparent;

/// Spans that may wait to be sent; some 2 MB.
const WAITING_MAX: usize = 4_096;
/// How long the last spans may take to be sent when the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// What the tracer counts, in spans.
#[derive(Debug, Default)]
pub struct TraceFigures {
    /// Taken by the collector.
    pub sent: AtomicU64,
    /// Sent, and not taken.
    pub failed: AtomicU64,
    /// Not sent: too many were waiting.
    pub dropped: AtomicU64,
}

/// Where spans come from and go to; without a collector it does nothing. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    dice: Dice,
    /// A request whose number is below is traced.
    below: u64,
    follow_players: bool,
    scope: InstrumentationScope,
    waiting: mpsc::Sender<SpanData>,
    figures: Arc<TraceFigures>,
    leaving: watch::Sender<bool>,
    exporting: Mutex<Option<JoinHandle<()>>>,
}

/// The settings of traces cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// No HTTP client.
    #[error("trace: the HTTP client cannot be made")]
    Client,
    /// What the exporter says.
    #[error("trace.endpoint: {0}")]
    Exporter(String),
}

/// The span that what is begun now belongs to.
#[derive(Clone, Debug)]
pub struct Parent {
    tracer: Arc<Inner>,
    trace: TraceId,
    span: SpanId,
}

/// Something that takes time, until it is ended. One that is dropped is not told of.
#[derive(Debug)]
pub struct Span {
    own: Parent,
    under: SpanId,
    is_remote: bool,
    kind: SpanKind,
    name: &'static str,
    began: UnixMicros,
    took: Stopwatch,
}

impl Tracer {
    /// A tracer as configured; without an endpoint one that does nothing. Sends from the runtime
    /// this is called on.
    ///
    /// # Errors
    ///
    /// [`TraceError`]
    pub fn start(config: &TraceConfig, clock: Clock, dice: Dice) -> Result<Self, TraceError> {
        if config.endpoint.is_empty() {
            return Ok(Self(None));
        }
        let exporter = export::exporter(config)?;
        let (waiting, spans) = mpsc::channel(WAITING_MAX);
        let (leaving, leave) = watch::channel(false);
        let figures = Arc::new(TraceFigures::default());
        let sending = export::run(spans, exporter, Arc::clone(&figures), leave);
        Ok(Self(Some(Arc::new(Inner {
            clock,
            dice,
            below: threshold(config.sample),
            follow_players: config.follow_players,
            scope: InstrumentationScope::builder("anteroom").with_version(crate::VERSION).build(),
            waiting,
            figures,
            leaving,
            exporting: Mutex::new(Some(actix_rt::spawn(sending))),
        }))))
    }

    /// The span of a request with this number, if it is traced: as `traceparent` says where that is
    /// believed, else by the share of the settings.
    pub fn request(&self, number: u64, traceparent: Option<&str>, is_own: bool) -> Option<Span> {
        let tracer = self.0.as_ref()?;
        let believed = traceparent.filter(|_| is_own || tracer.follow_players);
        let (trace, under) = match believed.and_then(Traceparent::parse) {
            Some(Traceparent { is_sampled: false, .. }) => return None,
            Some(Traceparent { trace, span, .. }) => (trace, Some(span)),
            None if number >= tracer.below => return None,
            None => (TraceId::from_bytes(tracer.dice.bytes()), None),
        };
        let parent =
            Parent { tracer: Arc::clone(tracer), trace, span: under.unwrap_or(SpanId::INVALID) };
        let span = parent.begin("request", SpanKind::Server);
        Some(Span { is_remote: under.is_some(), ..span })
    }

    /// What is counted; `None`: nothing is traced.
    pub fn figures(&self) -> Option<&TraceFigures> {
        self.0.as_ref().map(|tracer| &*tracer.figures)
    }

    /// Sends what waits, as far as that goes within some seconds, and ends.
    pub async fn close(&self) {
        let Some(tracer) = &self.0 else { return };
        tracer.leaving.send_replace(true);
        let exporting = tracer.exporting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(exporting) = exporting
            && tokio::time::timeout(CLOSE_WITHIN, exporting).await.is_err()
        {
            tracing::warn!("the collector did not take the last spans in time");
        }
    }
}

/// The number below which this share of all numbers is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "0 to 1 of 2^64, saturating"
)]
fn threshold(share: f64) -> u64 {
    (share * u64::MAX as f64) as u64
}

impl Parent {
    fn begin(&self, name: &'static str, kind: SpanKind) -> Span {
        let tracer = &self.tracer;
        let span = SpanId::from_bytes(tracer.dice.bytes());
        let own = Self { tracer: Arc::clone(tracer), trace: self.trace, span };
        let began = tracer.clock.now();
        let (under, took) = (self.span, Stopwatch::start());
        Span { own, under, is_remote: false, kind, name, began, took }
    }
}

impl Span {
    /// For whatever is a step of this.
    pub fn as_parent(&self) -> Parent {
        self.own.clone()
    }

    /// It is over. `failure`: in a few words, why it did not do what it should have.
    pub fn end(self, attributes: Vec<KeyValue>, failure: Option<&'static str>) {
        let tracer = Arc::clone(&self.own.tracer);
        let took = Duration::from_micros(self.took.elapsed_us());
        let start_time = moment(self.began);
        let flags = TraceFlags::SAMPLED;
        let (trace, span) = (self.own.trace, self.own.span);
        let data = SpanData {
            span_context: SpanContext::new(trace, span, flags, false, TraceState::NONE),
            parent_span_id: self.under,
            parent_span_is_remote: self.is_remote,
            span_kind: self.kind,
            name: self.name.into(),
            start_time,
            end_time: start_time + took,
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: failure.map_or(Status::Unset, Status::error),
            instrumentation_scope: tracer.scope.clone(),
        };
        if tracer.waiting.try_send(data).is_err() {
            tracer.figures.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn moment(at: UnixMicros) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(at.0)
}

/// A step of a request, as a span of its own where the request is traced.
pub fn step<T, F: Future<Output = T>>(
    name: &'static str,
    step: F,
) -> impl Future<Output = T> + use<T, F> {
    let Some((id, parent)) = current_parent() else {
        return Either::Left(step);
    };
    // Boxed: those that nobody traces, nearly all, do not carry it.
    Either::Right(Box::pin(async move {
        let span = parent.begin(name, SpanKind::Internal);
        let done = within(id, Some(span.as_parent()), step).await;
        span.end(Vec::new(), None);
        done
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn tracer(share: f64, follow_players: bool, room: usize) -> (Tracer, mpsc::Receiver<SpanData>) {
        let (waiting, spans) = mpsc::channel(room);
        let inner = Inner {
            clock: Clock::manual(UnixMicros(1_000_000)),
            dice: Dice::seeded(1),
            below: threshold(share),
            follow_players,
            scope: InstrumentationScope::builder("anteroom").build(),
            waiting,
            figures: Arc::default(),
            leaving: watch::Sender::new(false),
            exporting: Mutex::new(None),
        };
        (Tracer(Some(Arc::new(inner))), spans)
    }

    #[test]
    fn who_says_whether_it_is_traced_is_followed_and_the_rest_is_a_share() {
        let (never, _spans) = tracer(0.0, true, 1);
        let (always, _more) = tracer(1.0, false, 1);
        let unsampled = SAMPLED.replace("-01", "-00");
        assert!(never.request(7, None, false).is_none());
        assert!(never.request(7, Some("garbage"), false).is_none());
        assert!(never.request(7, Some(SAMPLED), false).is_some());
        assert!(always.request(7, None, false).is_some());
        assert!(always.request(7, Some(&unsampled), true).is_none());
        let span = always.request(7, Some(&unsampled), false).unwrap();
        assert!(span.under == SpanId::INVALID, "players say nothing here");
        let (tenth, _spans) = tracer(0.1, true, 1);
        let ids = crate::ids::Scattered::new(&Dice::seeded(3));
        let traced = (0..10_000).filter(|_| tenth.request(ids.next(), None, true).is_some());
        let traced = traced.count();
        assert!((900..1_100).contains(&traced), "{traced}");
    }

    #[tokio::test]
    async fn steps_are_spans_below_their_request_and_below_each_other() {
        let (tracer, mut spans) = tracer(0.0, true, 8);
        let request = tracer.request(7, Some(SAMPLED), false).unwrap();
        let parent = Some(request.as_parent());
        let inner = step("nobody asked", async {});
        inner.await;
        within(super::super::request::RequestId::made(7), parent, async {
            step("sign in", async { step("hash password", async {}).await }).await;
        })
        .await;
        request.end(vec![], None);
        drop(tracer);
        let mut told = Vec::new();
        while let Some(span) = spans.recv().await {
            told.push(span);
        }
        let names: Vec<_> = told.iter().map(|span| &*span.name).collect();
        assert_eq!(names, ["hash password", "sign in", "request"]);
        assert_eq!(told[0].parent_span_id, told[1].span_context.span_id());
        assert_eq!(told[1].parent_span_id, told[2].span_context.span_id());
        assert_eq!(told[2].parent_span_id.to_string(), "00f067aa0ba902b7");
        assert!(told[2].parent_span_is_remote);
        for span in told {
            let trace = span.span_context.trace_id().to_string();
            assert_eq!(trace, "4bf92f3577b34da6a3ce929d0e0e4736");
        }
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let (tracer, _spans) = tracer(1.0, true, 2);
        for number in 0..5 {
            tracer.request(number, None, true).unwrap().end(vec![], None);
        }
        assert_eq!(tracer.figures().unwrap().dropped.load(Ordering::Relaxed), 3);
    }
}
