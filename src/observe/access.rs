//! Every request, whichever door it comes by: its id, its span, and its line in the log.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_http::Method;
use actix_http::header::{HeaderMap, HeaderValue};
use futures_util::FutureExt as _;
use opentelemetry::KeyValue;

use super::request::{RequestId, within};
use super::trace::{Span, Tracer};
use crate::clock::Stopwatch;
use crate::ids::{Dice, Scattered};

/// The header that says a request's id, both ways.
pub const REQUEST_ID: &str = "x-request-id";
/// The header that says which trace a request belongs to.
pub const TRACEPARENT: &str = "traceparent";
/// What a request is called that comes to no route.
pub const NO_ROUTE: &str = "none";

/// Looks at requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ids: Scattered,
    tracer: Tracer,
    /// Proxies whose headers are believed.
    proxies: Vec<IpAddr>,
}

/// Looks at the requests that come by one door. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Doorway {
    access: Access,
    port: &'static str,
    is_private: bool,
}

/// What a request says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// Its id.
    pub id: Option<&'a [u8]>,
    /// Its trace.
    pub traceparent: Option<&'a [u8]>,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Asked {
    /// Its id.
    pub id: RequestId,
    port: &'static str,
    span: Option<Span>,
    took: Stopwatch,
}

impl<'a> Said<'a> {
    /// What these headers say.
    pub fn in_headers(headers: &'a HeaderMap) -> Self {
        let value = |name| headers.get(name).map(HeaderValue::as_bytes);
        Self { id: value(REQUEST_ID), traceparent: value(TRACEPARENT) }
    }
}

impl Access {
    /// Looks at requests for this tracer; `proxies` are believed as the studio's own machines are.
    pub fn new(dice: &Dice, tracer: Tracer, proxies: Vec<IpAddr>) -> Self {
        Self(Arc::new(Inner { ids: Scattered::new(dice), tracer, proxies }))
    }

    /// For one door. `is_private`: only the studio's own machines come by it, so an id they give is
    /// taken. Players' are their own: one that many requests share would mix up the log.
    pub fn by(&self, port: &'static str, is_private: bool) -> Doorway {
        Doorway { access: self.clone(), port, is_private }
    }

    /// Where spans go.
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }
}

/// A door of a program that is not the server: nobody hears of its requests.
impl Default for Doorway {
    fn default() -> Self {
        Access::new(&Dice::seeded(0), Tracer::default(), Vec::new()).by("", false)
    }
}

impl Doorway {
    /// A request begins.
    pub fn begin(&self, peer: Option<SocketAddr>, said: Said<'_>) -> Asked {
        let Inner { ids, tracer, proxies } = &*self.access.0;
        let is_proxy = || peer.is_some_and(|it| proxies.contains(&it.ip().to_canonical()));
        let is_own = self.is_private || !proxies.is_empty() && is_proxy();
        let number = ids.next();
        let given = said.id.filter(|_| is_own).and_then(RequestId::given);
        let traceparent = said.traceparent.and_then(|text| std::str::from_utf8(text).ok());
        let span = tracer.request(number, traceparent, is_own);
        let id = given.unwrap_or_else(|| RequestId::made(number));
        Asked { id, port: self.port, span, took: Stopwatch::start() }
    }
}

impl Asked {
    /// Answers it: what `answer` and then `done` do is done for this request.
    pub fn answer<T, U, F: Future<Output = T>, D: FnOnce(Self, T) -> U>(
        self,
        answer: F,
        done: D,
    ) -> impl Future<Output = U> + use<T, U, F, D> {
        let parent = self.span.as_ref().map(Span::as_parent);
        within(self.id, parent, answer.map(move |answer| done(self, answer)))
    }

    /// Its id, for the answer.
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.id.as_str()).ok()
    }

    /// It was answered with this HTTP status. `named`: the method, and the route as it is registered;
    /// never a raw path or a query, which may carry secrets. Asked for only if somebody hears it.
    pub fn end<R: AsRef<str>>(self, status: u16, named: impl FnOnce() -> (Method, R)) {
        if self.span.is_none() && !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let (port, micros) = (self.port, self.took.elapsed_us());
        let (method, route) = named();
        let (method, route) = (method.as_str(), route.as_ref());
        tracing::debug!(port, method, route, status, micros, "answered");
        let Some(span) = self.span else { return };
        let attributes = vec![
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("http.route", route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(status)),
            KeyValue::new("anteroom.port", port),
            KeyValue::new("anteroom.request_id", self.id.to_string()),
        ];
        span.end(attributes, (status >= 500).then_some("no good answer"));
    }
}
