//! Reads the settings again when their file changes, if they say so (`server.watch_settings`); and the
//! certificate when its files do.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config::load::DEFAULT_FILE;
use crate::domain::audit::Who;
use crate::signin::reloading::Reloader;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Runs as long as the server. Settings that cannot be used change nothing, and are said to be so.
pub(super) async fn run(reloader: Reloader) {
    let Some(overrides) = reloader.in_force().origin.overrides.clone() else { return };
    let file = overrides.file.unwrap_or_else(|| DEFAULT_FILE.into());
    let mut seen = changed_at(&file);
    loop {
        tokio::time::sleep(EVERY).await;
        let now = changed_at(&file);
        if now == seen {
            continue;
        }
        seen = now;
        // A file that is gone says nothing: an editor may be about to put another in its place.
        if now.is_none() || !reloader.in_force().server.watch_settings {
            continue;
        }
        match reloader.reload(Who::Settings).await {
            Ok(done) => tracing::info!(
                changed = done.changed.len(),
                needs_restart = done.needs_restart.len(),
                "the settings file has changed"
            ),
            Err(error) => tracing::error!(%error, "the settings file was not taken"),
        }
    }
}

fn changed_at(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

/// Runs as long as the server: a certificate lapses, so its files need no setting to be looked at. Where
/// an authority gives it, it is asked in time.
pub(super) async fn certificate(reloader: Reloader) {
    loop {
        tokio::time::sleep(EVERY).await;
        reloader.look_at_certificate().await;
    }
}
