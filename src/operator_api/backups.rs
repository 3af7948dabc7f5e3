//! `/v1/operator/backup`: a backup, now.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::{App, Refusal, json, operator};
use crate::domain::audit::What;

/// To make backups.
pub const MAKE: &str = "operators.backup.create";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    /// Whether the server's secrets go in.
    #[serde(default)]
    secrets: bool,
}

/// A backup that was made.
#[derive(Serialize)]
struct Told {
    /// The file, on the server's disk.
    file: String,
    bytes: u64,
    accounts: u64,
    made_ms: u64,
    took_ms: u64,
}

/// Makes a backup in the server's folder for them, and answers when it is there.
pub(super) async fn make(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, MAKE).await?;
    let ask: Ask = if body.is_empty() {
        Ask::default()
    } else {
        serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest)?
    };
    let details = vec![("secrets".into(), if ask.secrets { "yes" } else { "no" }.into())];
    let what = What::Other { name: "backup".into(), details: details.into() };
    app.steering.record(by, what).map_err(|_| Refusal::NotRecorded)?;
    let made = app.backups.make(ask.secrets).await?;
    let told = Told {
        file: made.path.display().to_string(),
        bytes: made.bytes,
        accounts: made.accounts,
        made_ms: made.at.as_millis(),
        took_ms: made.took_ms,
    };
    Ok(json(StatusCode::CREATED, &told))
}
