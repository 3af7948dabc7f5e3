//! The one way out (protocol-nakama §2.16): a time limit for the whole answer, no redirects, no
//! proxies, a limit of size, a limit of requests at once, no private addresses. Addresses and bodies
//! carry tokens, so nothing of them is in an error.
//!
//! [`HttpClient`] is that for anybody, [`Outbound`] for identity providers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::address::{PublicOnly, is_public};
use super::figures::Figures;
use super::{IdentityError, SetupError};
use crate::clock::Stopwatch;
use crate::config::IdentityConfig;
use crate::domain::account::LinkKind;

/// Bounds of every request.
#[derive(Clone, Copy, Debug)]
pub(super) struct HttpLimits {
    /// For the whole answer.
    pub timeout: Duration,
    /// Of the answer's body.
    pub response_max_bytes: usize,
    /// Whether it may go to private addresses.
    pub allow_private: bool,
}

/// A client within these bounds. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    client: Client,
    /// Whether https:// can be trusted at all.
    pub has_roots: bool,
    limits: HttpLimits,
}

/// An answer, read to its end.
pub(super) struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may be kept, in seconds, if the answer says so.
    pub max_age_s: Option<u64>,
}

/// The client that asks providers. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Outbound {
    http: HttpClient,
    places: Arc<BTreeMap<LinkKind, Semaphore>>,
    figures: Arc<Figures>,
}

/// What a provider answered, read to its end.
pub(super) struct Answer {
    kind: LinkKind,
    status: StatusCode,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may be kept, in seconds, if the provider says so.
    pub max_age_s: Option<u64>,
}

impl HttpClient {
    /// A client; `None`: none can be made.
    pub fn new(limits: HttpLimits) -> Option<Self> {
        // A machine without root certificates may still serve players who need nobody outside.
        let (client, has_roots) = match builder(limits).build() {
            Ok(client) => (client, true),
            Err(_) => (builder(limits).tls_certs_only([]).build().ok()?, false),
        };
        Some(Self { client, has_roots, limits })
    }

    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// Words for logs: no connection, no whole answer in time, an answer that is too large.
    pub async fn fetch(&self, request: RequestBuilder) -> Result<Fetched, &'static str> {
        let request = request.build().map_err(|_| "the request cannot be made")?;
        if !self.limits.allow_private && is_private_literal(request.url()) {
            return Err("its address is not public");
        }
        let mut response = self.client.execute(request).await.map_err(no_answer)?;
        let too_large = "its answer is too large";
        let most = self.limits.response_max_bytes;
        if response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large);
        }
        let (status, max_age_s) = (response.status(), max_age_s(&response));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len() + chunk.len() > most {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { status, body, max_age_s })
    }
}

impl Outbound {
    pub fn new(config: &IdentityConfig, figures: Arc<Figures>) -> Result<Self, SetupError> {
        let http = HttpClient::new(HttpLimits {
            timeout: Duration::from_millis(config.timeout_ms),
            response_max_bytes: config.response_max_bytes,
            allow_private: config.allow_private,
        });
        let http = http.ok_or(SetupError::Client)?;
        let places = figures.kinds().map(|kind| (kind, Semaphore::new(config.concurrency)));
        Ok(Self { http, places: Arc::new(places.collect()), figures })
    }

    /// An address of the settings.
    ///
    /// # Errors
    ///
    /// It is none, or it is neither https:// nor allowed to be http://; or this machine trusts nobody.
    pub fn url(&self, key: &str, text: &str) -> Result<Url, SetupError> {
        let url = Url::parse(text).map_err(|_| SetupError::Address(key.to_owned()))?;
        match url.scheme() {
            "https" if self.http.has_roots => Ok(url),
            "https" => Err(SetupError::NoRoots(key.to_owned())),
            "http" if self.http.limits.allow_private => Ok(url),
            _ => Err(SetupError::Address(key.to_owned())),
        }
    }

    /// An address a provider publishes of itself; `None`: it may not be asked.
    pub fn published(&self, text: &str) -> Option<Url> {
        self.url("", text).ok()
    }

    pub fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    pub fn post(&self, url: Url) -> RequestBuilder {
        self.http.post(url)
    }

    /// Sends a request and reads the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]: too many requests at once, no connection, no whole answer in
    /// time, an answer that is too large.
    pub async fn send(
        &self,
        kind: LinkKind,
        request: RequestBuilder,
    ) -> Result<Answer, IdentityError> {
        let _place = self.place(kind)?;
        let watch = Stopwatch::start();
        let fetched = self.http.fetch(request).await;
        if let Some(figures) = self.figures.of(kind) {
            figures.called(watch.elapsed_us() / 1_000);
        }
        let Fetched { status, body, max_age_s } =
            fetched.map_err(|why| IdentityError::Unavailable(kind, why))?;
        Ok(Answer { kind, status, body, max_age_s })
    }

    /// What is at an address that is no provider's, if the answer is 200.
    ///
    /// # Errors
    ///
    /// Why it is not to be had.
    pub async fn fetch(&self, url: Url) -> Result<Vec<u8>, &'static str> {
        let Fetched { status, body, .. } = self.http.fetch(self.http.get(url)).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(odd(status)) }
    }

    /// Waits for an answer that somebody else fetches, within the same limits.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]: too many at once, or no answer in time.
    pub async fn timed<T>(
        &self,
        kind: LinkKind,
        asking: impl Future<Output = T>,
    ) -> Result<T, IdentityError> {
        let _place = self.place(kind)?;
        let watch = Stopwatch::start();
        let answer = tokio::time::timeout(self.http.limits.timeout, asking).await;
        if let Some(figures) = self.figures.of(kind) {
            figures.called(watch.elapsed_us() / 1_000);
        }
        answer.map_err(|_| IdentityError::Unavailable(kind, "no answer in time"))
    }

    /// A place among the requests to a provider, for as long as it is held.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]: all are taken.
    pub fn place(&self, kind: LinkKind) -> Result<SemaphorePermit<'_>, IdentityError> {
        let unavailable = |why| IdentityError::Unavailable(kind, why);
        let places = self.places.get(&kind).ok_or_else(|| unavailable("it has no provider"))?;
        places.try_acquire().map_err(|_| unavailable("too many requests to it at once"))
    }
}

/// A client for the operator's own collector of traces: no redirects, no proxies, and it may be in a
/// private network. `None`: none can be made.
pub fn collector_client(timeout: Duration) -> Option<Client> {
    let limits = HttpLimits { timeout, response_max_bytes: 65_536, allow_private: true };
    Some(HttpClient::new(limits)?.client)
}

fn builder(limits: HttpLimits) -> ClientBuilder {
    Client::builder()
        .timeout(limits.timeout)
        .connect_timeout(limits.timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(PublicOnly { allow_private: limits.allow_private })
}

/// The error without its address, which carries tokens.
fn no_answer(error: reqwest::Error) -> &'static str {
    let why = match &error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    };
    let error = error.without_url();
    tracing::debug!(%error, "no answer from outside");
    why
}

/// What an unexpected status means.
fn odd(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "it answers with a redirect",
        429 => "it says that we ask too much",
        500..=599 => "it has an error",
        _ => "it answers with an unexpected status",
    }
}

/// Whether the host is an address, and a private one. Names are the resolver's business.
fn is_private_literal(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip))
}

fn max_age_s(response: &Response) -> Option<u64> {
    let value = response.headers().get(reqwest::header::CACHE_CONTROL)?.to_str().ok()?;
    value.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse().ok())
}

impl Answer {
    /// The answer, if it is 200.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Refused`] for what is the caller's fault (400, 401, 403, 404),
    /// [`IdentityError::Unavailable`] for every other status.
    pub fn accepted(self) -> Result<Self, IdentityError> {
        match self.status.as_u16() {
            200 => Ok(self),
            400 | 401 | 403 | 404 => Err(IdentityError::Refused(self.kind, "it does not know it")),
            _ => Err(self.odd()),
        }
    }

    /// The answer, if it is 200; nothing the caller sent could have made it another.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]
    pub fn ok(self) -> Result<Self, IdentityError> {
        if self.status == StatusCode::OK { Ok(self) } else { Err(self.odd()) }
    }

    /// Whose answer it is.
    pub const fn kind(&self) -> LinkKind {
        self.kind
    }

    /// The status.
    pub const fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Why an unexpected status is an outage.
    pub fn odd(&self) -> IdentityError {
        IdentityError::Unavailable(self.kind, odd(self.status))
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Unavailable`]
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, IdentityError> {
        serde_json::from_slice(&self.body)
            .map_err(|_| IdentityError::Unavailable(self.kind, "its answer makes no sense"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_literals_are_seen_however_they_are_written() {
        for host in ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:10.0.0.1]"]
        {
            let url = Url::parse(&format!("https://{host}/x")).unwrap();
            assert!(is_private_literal(&url), "{host}");
        }
        assert!(!is_private_literal(&Url::parse("https://8.8.8.8/").unwrap()));
        assert!(!is_private_literal(&Url::parse("https://appleid.apple.com/").unwrap()));
    }
}
