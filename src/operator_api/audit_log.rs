//! `/v1/operator/audit`: what is on record, and whether the chain holds.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, Refusal, json, operator, page};
use crate::actors::audit::Checked;
use crate::domain::account::AccountId;
use crate::domain::audit::{Search, Seen};
use crate::domain::time::UnixMicros;

/// To see what is on record.
const SEE: &str = "audit.records.get";
/// Kinds one search may name.
const KINDS_MAX: usize = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    since_ms: Option<u64>,
    until_ms: Option<u64>,
    /// Kinds, separated by commas.
    what: Option<String>,
    /// By or about this account.
    account: Option<Uuid>,
    /// By this operator.
    by: Option<Uuid>,
    after: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Record {
    seq: u64,
    at_ms: u64,
    who: serde_json::Value,
    what: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    hash: String,
}

impl From<Seen> for Record {
    fn from(Seen { head, at, who, what, request }: Seen) -> Self {
        let (seq, hash) = (head.seq, head.hash.to_string());
        Self { seq, at_ms: at.as_millis(), who, what, request, hash }
    }
}

/// Records, the newest first.
pub(super) async fn list(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let wanted: Wanted = page::query(&request)?;
    let limit = page::limit(wanted.limit)?;
    let audit = app.audited.audit();
    let name = |id: Uuid| audit.pseudonyms().account(AccountId(id));
    let moment = |ms: u64| UnixMicros::from_millis(ms);
    let kinds = wanted.what.as_deref().unwrap_or_default().split(',').map(str::trim);
    let kinds: Vec<_> = kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    if kinds.len() > KINDS_MAX {
        return Err(Refusal::BadRequest);
    }
    let search = Search {
        since: wanted.since_ms.map(moment),
        until: wanted.until_ms.map(moment),
        kinds,
        account: wanted.account.map(name),
        by: wanted.by.map(name),
    };
    let looked = audit.search(search, wanted.after, limit).await?;
    let items: Vec<Record> = looked.records.into_iter().map(Into::into).collect();
    let next = looked.next.map(|seq| seq.to_string());
    Ok(json(StatusCode::OK, &page::List { items, next, count: None }))
}

/// What the records call accounts, so that a page can show who is meant.
pub(super) async fn pseudonym(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Called {
        pseudonym: String,
    }
    operator(&app, &request, SEE).await?;
    let pseudonym = app.audited.audit().pseudonyms().account(AccountId(*id)).to_string();
    Ok(json(StatusCode::OK, &Called { pseudonym }))
}

#[derive(Serialize)]
struct Verified {
    holds: bool,
    records: u64,
    first: Option<u64>,
    /// `number:hash` of the last record: what can be posted elsewhere.
    head: Option<String>,
    /// Whether the whole chain was read, and not only the newest files.
    whole: bool,
    broken: u64,
    breaks: Vec<Break>,
}

#[derive(Serialize)]
struct Break {
    file: String,
    why: String,
}

/// Whether the chain holds.
pub(super) async fn verify(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let Checked { records, first, head, breaks, broken, is_whole } =
        app.audited.audit().verify().await?;
    let breaks = breaks.into_iter().map(|(file, why)| Break { file, why }).collect();
    let head = head.map(|head| head.to_string());
    let holds = broken == 0;
    let verified = Verified { holds, records, first, head, whole: is_whole, broken, breaks };
    Ok(json(StatusCode::OK, &verified))
}
