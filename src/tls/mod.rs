//! TLS at the server's own ports: the certificate in force, and connections that begin with it.
//!
//! `pair` reads a certificate and its key, [`Certificates`] holds the pair in force and exchanges it
//! while connections go on, `acceptor` begins a connection, `acme` fetches a pair.

mod acceptor;
#[cfg(feature = "acme")]
mod acme;
#[cfg(not(feature = "acme"))]
#[path = "acme_left_out.rs"]
mod acme;
mod pair;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;

pub use acceptor::{Acceptor, NoHandshake};
pub use acme::Keeper;
use acme::{Challenges, is_challenge};
pub use pair::PairError;

use crate::clock::Clock;
use crate::config::TlsConfig;
use crate::config::tls::MinVersion;
use crate::domain::checkup::Certificate;
use pair::{Pair, Stamp};

/// What a port speaks behind TLS (ALPN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1, and sockets, which begin with it.
    Http,
    /// gRPC, which is HTTP/2.
    Grpc,
}

/// The certificate in force. Cheap to clone.
#[derive(Clone)]
pub struct Certificates(Arc<Inner>);

struct Inner {
    config: TlsConfig,
    clock: Clock,
    in_force: Arc<InForce>,
    /// The files as they were when they were looked at last, and when they were read.
    seen: Mutex<Seen>,
    figures: Arc<Figures>,
}

#[derive(Default)]
struct Seen {
    looked: Option<Stamp>,
    read: Option<Stamp>,
}

#[derive(Debug)]
struct InForce {
    pair: RwLock<Arc<Pair>>,
    challenges: Challenges,
}

impl InForce {
    fn get(&self) -> Arc<Pair> {
        Arc::clone(&self.pair.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for InForce {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if is_challenge(&hello) {
            return self.challenges.answer(&hello);
        }
        Some(Arc::clone(&self.get().key))
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Connections that never got through their handshake.
    pub failed: AtomicU64,
    /// Pairs that were taken while the server ran.
    pub taken: AtomicU64,
    /// Pairs that were refused while it ran.
    pub refused: AtomicU64,
    /// Certificates that the authority gave.
    pub issued: AtomicU64,
    /// Orders that it did not fill.
    pub not_issued: AtomicU64,
}

#[cfg(feature = "acme")]
impl Figures {
    fn count_order(&self, is_filled: bool) {
        let counter = if is_filled { &self.issued } else { &self.not_issued };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// What came of reading the files again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Renewed {
    /// Whether another certificate is in force now.
    pub changed: bool,
    /// When the one in force lapses, in milliseconds since the epoch.
    pub expires_at_ms: u64,
    /// Why what is in the files was refused, and the one from before is still in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Certificates {
    /// Reads the files; `None`: there is no TLS. A certificate that has lapsed is served all the same,
    /// and said to have: a server that does not start serves nobody. Where an authority is asked for
    /// certificates, files that cannot be used are as good as none: it is asked for another.
    ///
    /// # Errors
    ///
    /// [`PairError`]
    pub fn open(config: &TlsConfig, clock: Clock) -> Result<Option<Self>, PairError> {
        if !config.is_on() {
            return Ok(None);
        }
        let stamp = Stamp::of(config);
        let pair = Self::first(config)?;
        if let Err(problem) = pair.facts.check(clock.now()) {
            tracing::error!(%problem, "players refuse this certificate");
        }
        Ok(Some(Self(Arc::new(Inner {
            config: config.clone(),
            clock,
            in_force: Arc::new(InForce {
                pair: RwLock::new(Arc::new(pair)),
                challenges: Challenges::default(),
            }),
            seen: Mutex::new(Seen { looked: stamp, read: stamp }),
            figures: Arc::default(),
        }))))
    }

    fn first(config: &TlsConfig) -> Result<Pair, PairError> {
        match Pair::read(config) {
            Err(error) if config.acme.is_on() => {
                tracing::warn!(%error, "no certificate of the authority yet");
                Pair::placeholder(config)
            }
            read => read,
        }
    }

    /// Begins connections with the certificate that is in force then.
    ///
    /// # Errors
    ///
    /// The system has no randomness for the keys of tickets.
    pub fn acceptor(&self, speaks: Speaks) -> Result<Acceptor, PairError> {
        let versions: &[_] = match self.0.config.min_version {
            MinVersion::V1_2 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            MinVersion::V1_3 => &[&rustls::version::TLS13],
        };
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(versions)?
                .with_no_client_auth()
                .with_cert_resolver(Arc::<InForce>::clone(&self.0.in_force));
        // Who comes back after a drop saves the server a signature.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.alpn_protocols = match speaks {
            // Over HTTP/2 nobody looks.
            Speaks::Http if self.0.config.acme.is_on() => {
                vec![b"http/1.1".to_vec(), acme::PROTOCOL.to_vec()]
            }
            Speaks::Http => vec![b"http/1.1".to_vec()],
            Speaks::Grpc => vec![b"h2".to_vec()],
        };
        Ok(Acceptor::new(config, Arc::clone(&self.0.figures)))
    }

    /// Reads the files again. A pair that cannot be used changes nothing, open connections neither way.
    pub fn renew(&self) -> Renewed {
        self.lock().read = Stamp::of(&self.0.config);
        let before = self.0.in_force.get();
        let now = self.0.clock.now();
        let read = Pair::read(&self.0.config).map_err(|error| error.to_string());
        let usable =
            read.and_then(|pair| pair.facts.check(now).map(|()| pair).map_err(str::to_owned));
        let (pair, problem) = match usable {
            Ok(pair) if pair.key.cert == before.key.cert => (before, None),
            Ok(pair) => {
                let pair = Arc::new(pair);
                let mut in_force =
                    self.0.in_force.pair.write().unwrap_or_else(PoisonError::into_inner);
                let changed = std::mem::replace(&mut *in_force, Arc::clone(&pair));
                drop((in_force, changed));
                self.0.figures.taken.fetch_add(1, Ordering::Relaxed);
                let expires_at_ms = pair.facts.not_after.as_millis();
                tracing::info!(expires_at_ms, "another certificate is in force");
                return Renewed { changed: true, expires_at_ms, problem: None };
            }
            Err(problem) => {
                self.0.figures.refused.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%problem, "the certificate from before is still in force");
                (before, Some(problem))
            }
        };
        Renewed { changed: false, expires_at_ms: pair.facts.not_after.as_millis(), problem }
    }

    /// Looks whether the files have changed, and reads them if they have and no longer do: a renewal
    /// writes one after the other.
    pub fn look(&self) -> Option<Renewed> {
        let now = Stamp::of(&self.0.config);
        let mut seen = self.lock();
        let settled = std::mem::replace(&mut seen.looked, now) == now;
        // A file that is gone says nothing: another may be about to take its place.
        let is_news = settled && now.is_some() && seen.read != now;
        drop(seen);
        is_news.then(|| self.renew())
    }

    /// What the one in force says.
    pub fn facts(&self) -> Certificate {
        self.0.in_force.get().facts.clone()
    }

    #[cfg(feature = "acme")]
    /// What the authority's certificate says; `None`: the one in force is none of its.
    fn fetched(&self) -> Option<Certificate> {
        let pair = self.0.in_force.get();
        (!pair.is_placeholder).then(|| pair.facts.clone())
    }

    #[cfg(feature = "acme")]
    /// What is shown to an authority that looks.
    fn challenges(&self) -> &Challenges {
        &self.0.in_force.challenges
    }

    /// What is counted.
    pub fn figures(&self) -> &Figures {
        &self.0.figures
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificates").field(&self.0.config.certificate).finish()
    }
}

/// What the certificate in the files says, for whoever runs no server.
///
/// # Errors
///
/// [`PairError`]
pub fn look_at(config: &TlsConfig) -> Result<Certificate, PairError> {
    Pair::read(config).map(|pair| pair.facts)
}
