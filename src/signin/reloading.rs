//! Settings that change while the server runs: by signal, by the operator API, or because the file did.
//! One way for all three.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::Door;
use super::steering::{SteerError, Steering};
use crate::actors::Audit;
use crate::actors::audit::NotTaken;
use crate::config::origin::{self, Changed};
use crate::config::{Config, ConfigError, load};
use crate::domain::audit::{What, Who};
use crate::observe::logging;
use crate::tls::{Certificates, Keeper, Renewed};

/// Why settings were not taken, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// This server's settings were not read from anywhere.
    #[error("the settings of this server come from no file")]
    NoOrigin,
    /// They cannot be used; nothing was changed.
    #[error(transparent)]
    Unusable(#[from] ConfigError),
    /// The log's level is neither a level nor a filter; nothing was changed.
    #[error("settings: log.level: {0}")]
    LogLevel(String),
    /// The change cannot be put on record; nothing was changed.
    #[error("settings were not reloaded: {0}")]
    NotRecorded(#[from] NotTaken),
    /// The line did not take all of it; asking again is safe.
    #[error(transparent)]
    Steer(#[from] SteerError),
}

/// A list of the settings that changes while the server runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ListInForce<T>(Arc<RwLock<Arc<[T]>>>);

impl<T: Clone> ListInForce<T> {
    pub(super) fn new(list: &[T]) -> Self {
        Self(Arc::new(RwLock::new(list.into())))
    }

    /// As it is now.
    pub fn get(&self) -> Arc<[T]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set(&self, list: &[T]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = list.into();
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reloaded {
    /// What is different now.
    pub changed: Vec<Changed>,
    /// What differs and counts from the next start on.
    pub needs_restart: Vec<Changed>,
    /// What came of reading the certificate again; `None`: there is no TLS.
    pub certificate: Option<Renewed>,
}

/// Reads settings again. Cheap to clone.
#[derive(Clone)]
pub struct Reloader(Arc<Inner>);

struct Inner {
    door: Door,
    steering: Steering,
    audit: Audit,
    certificates: Option<Certificates>,
    keeper: Option<Keeper>,
    in_force: Mutex<Arc<Config>>,
    /// One at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Reloader {
    /// For a server that started with the settings of its door.
    pub fn new(
        door: Door,
        steering: Steering,
        audit: Audit,
        certificates: Option<Certificates>,
    ) -> Self {
        let in_force = Mutex::new(Arc::clone(&door.config));
        let (tls, clock) = (&door.config.tls, &door.clock);
        let keeper = certificates.as_ref().and_then(|it| Keeper::new(tls, clock, it));
        Self(Arc::new(Inner {
            door,
            steering,
            audit,
            certificates,
            keeper,
            in_force,
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// The settings in force.
    pub fn in_force(&self) -> Arc<Config> {
        Arc::clone(&self.lock())
    }

    /// Reads the settings again and applies what changes live. The settings file is the word on rate,
    /// cap, lanes and pause, even where operators have turned them since. The certificate is read first:
    /// settings that cannot be used are no reason to let it lapse, and it is none to keep a rate.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]
    pub async fn reload(&self, who: Who) -> Result<Reloaded, ReloadError> {
        let certificate = self.0.certificates.as_ref().map(Certificates::renew);
        let overrides = self.in_force().origin.overrides.clone().ok_or(ReloadError::NoOrigin)?;
        let read = load(&overrides)?;
        Ok(Reloaded { certificate, ..self.apply(who, &read).await? })
    }

    /// Looks whether the files of the certificate have changed, and whether it is time to fetch another.
    pub async fn look_at_certificate(&self) {
        self.0.certificates.as_ref().map(Certificates::look);
        if let Some(keeper) = &self.0.keeper {
            keeper.look().await;
        }
    }

    /// Applies of these settings what changes live.
    ///
    /// # Errors
    ///
    /// [`ReloadError`]
    pub async fn apply(&self, who: Who, read: &Config) -> Result<Reloaded, ReloadError> {
        let _turn = self.0.turn.lock().await;
        let before = self.in_force();
        let (changed, needs_restart) =
            origin::changes(&before, read).into_iter().partition::<Vec<_>, _>(|it| it.live);
        for it in changed.iter().filter(|it| !is_steered(&it.key)) {
            let text = |value: &Option<serde_json::Value>| {
                value.as_ref().map(ToString::to_string).unwrap_or_default().into()
            };
            let (from, to) = (text(&it.from), text(&it.to));
            self.0
                .audit
                .record(who.clone(), What::Setting { key: it.key.as_str().into(), from, to })?;
        }
        if before.log.level != read.log.level {
            logging::set_level(&read.log.level)
                .map_err(|error| ReloadError::LogLevel(error.to_string()))?;
        }
        let now = Arc::new(origin::merged(&before, read));
        self.0.door.retune(&now);
        *self.lock() = Arc::clone(&now);
        self.0.steering.apply_by(who, &now.queue).await?;
        Ok(Reloaded { changed, needs_restart, certificate: None })
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Config>> {
        self.0.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What steering puts on record itself.
fn is_steered(key: &str) -> bool {
    let own = ["rate", "cap", "paused", "grace_share", "lane_weights", "poll_budget"];
    key.strip_prefix("queue.").is_some_and(|key| own.contains(&key))
}
