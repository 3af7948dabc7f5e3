//! `/v1/operator/settings`: what is in force and where it came from; reading it again; new keys.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::{App, Refusal, fresh_operator, json, operator, page, read};
use crate::config::origin::{Changed, Setting, settings};
use crate::config::rotation::{self, Keys};
use crate::domain::audit::Who;
use crate::signin::reloading::{ReloadError, Reloaded};
use crate::tls::Renewed;

/// To see settings.
const SEE: &str = "server.settings.get";
/// To have them read again.
const RELOAD: &str = "server.settings.reload";
/// To make new keys.
const ROTATE: &str = "server.keys.rotate";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A part of the key.
    search: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Settings in force, by their keys.
pub(super) async fn list(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let Wanted { search, after, limit } = page::query(&request)?;
    let (limit, search) = (page::limit(limit)?, search.unwrap_or_default().to_lowercase());
    let mut wanted: Vec<Setting> = settings(&app.reloader.in_force());
    wanted.retain(|setting| setting.key.contains(&search));
    let count = wanted.len();
    let mut items: Vec<_> = wanted
        .into_iter()
        .filter(|setting| after.as_ref().is_none_or(|after| setting.key > *after))
        .take(limit + 1)
        .collect();
    let is_more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().map(|last| last.key.clone()).filter(|_| is_more);
    Ok(json(StatusCode::OK, &page::List { items, next, count: Some(count) }))
}

/// Reads the settings again, as SIGHUP does.
pub(super) async fn reload(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Done {
        changed: Vec<Changed>,
        needs_restart: Vec<Changed>,
        #[serde(skip_serializing_if = "Option::is_none")]
        certificate: Option<Renewed>,
    }
    let by = operator(&app, &request, RELOAD).await?;
    let who = Who::Operator(app.audited.audit().pseudonyms().account(by));
    let done = app.reloader.reload(who).await.map_err(|error| {
        tracing::error!(%error, "settings were not reloaded");
        match error {
            ReloadError::NoOrigin => Refusal::NoFile,
            ReloadError::Unusable(_) | ReloadError::LogLevel(_) => {
                Refusal::BadSettings(error.to_string())
            }
            ReloadError::NotRecorded(_) => Refusal::NotRecorded,
            ReloadError::Steer(_) => Refusal::Unavailable,
        }
    })?;
    let Reloaded { changed, needs_restart, certificate } = done;
    Ok(json(StatusCode::OK, &Done { changed, needs_restart, certificate }))
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Sessions,
    Nakama,
    Tickets,
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateAsk {
    which: Which,
}

/// New keys in the secrets file. They count from the next start on; what the old ones signed stays good.
pub(super) async fn rotate(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Rotated {
        which: Which,
        needs_restart: bool,
    }
    let by = fresh_operator(&app, &request, ROTATE).await?;
    let RotateAsk { which } = read(&body)?;
    let keys = match which {
        Which::Sessions => Keys::Sessions,
        Which::Nakama => Keys::Nakama,
        Which::Tickets => Keys::Tickets,
        Which::All => Keys::All,
    };
    let details = vec![("which", format!("{keys:?}").to_lowercase())];
    app.audited.record_other(by, "keys_rotated", details).map_err(|_| Refusal::NotRecorded)?;
    let (config, dice) = (std::sync::Arc::clone(&app.door.config), app.door.dice.clone());
    // An RSA key takes its time.
    let done = tokio::task::spawn_blocking(move || {
        rotation::rotate_signed(&config.server.data, &dice, keys, config.pragma.signing)
    });
    match done.await {
        Ok(Ok(())) => Ok(json(StatusCode::OK, &Rotated { which, needs_restart: true })),
        Ok(Err(error)) => {
            tracing::error!(%error, "keys were not rotated");
            Err(Refusal::Unavailable)
        }
        Err(_) => Err(Refusal::Unavailable),
    }
}
