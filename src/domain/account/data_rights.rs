//! Requests about a player's data: how they go from one step to the next (protocol-pragma §6.8).

use uuid::Uuid;

use super::dossier::{DataRequest, DataRequestKind, DataRequestStatus, ENTRIES_MAX};
use super::office::OfficeRefusal;
use super::record::Account;
use crate::domain::time::UnixMicros;

/// How long a request may take, in milliseconds: a month, as the law says where there is one.
pub const TARGET_MS: u64 = 30 * 24 * 3_600 * 1_000;
/// How long a report waits to be fetched, in milliseconds (protocol-pragma §6.8).
pub const REPORT_LIFE_MS: u64 = 7 * 24 * 3_600 * 1_000;

impl DataRequestStatus {
    /// Whether nothing more will come of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Failed | Self::Canceled)
    }
}

/// A new request. One of its kind at a time.
pub(super) fn submit(
    account: &mut Account,
    kind: DataRequestKind,
    id: Uuid,
    now: UnixMicros,
) -> Result<Uuid, OfficeRefusal> {
    let requests = &mut account.dossier_mut().data_requests;
    if requests.iter().any(|it| it.kind == kind && !it.status.is_over()) {
        return Err(OfficeRefusal::RequestInProgress);
    }
    if requests.len() >= ENTRIES_MAX
        && let Some(over) = requests.iter().position(|it| it.status.is_over())
    {
        requests.remove(over);
    }
    let submitted_ms = now.as_millis();
    requests.push(DataRequest {
        id,
        kind,
        status: DataRequestStatus::InProgress,
        submitted_ms,
        target_ms: submitted_ms.saturating_add(TARGET_MS),
        ended_ms: 0,
        report: None,
    });
    Ok(id)
}

/// A request is at another step: forward, or over. A report that waited goes with a request that is
/// over.
pub(super) fn advance(
    account: &mut Account,
    id: Uuid,
    status: DataRequestStatus,
    now: UnixMicros,
) -> Result<Uuid, OfficeRefusal> {
    let request = find(account, id)?;
    if request.status == status {
        return Ok(id);
    }
    if request.status.is_over() || status == DataRequestStatus::InProgress {
        return Err(OfficeRefusal::RequestStep);
    }
    request.status = status;
    if status.is_over() {
        end(request, now);
    }
    Ok(id)
}

/// A report may be fetched, by whoever has the token of this hash; an earlier token is void.
pub(super) fn offer_report(
    account: &mut Account,
    id: Uuid,
    hash: [u8; 32],
    until_ms: u64,
) -> Result<Uuid, OfficeRefusal> {
    let request = find(account, id)?;
    if request.kind != DataRequestKind::PersonalData || request.status.is_over() {
        return Err(OfficeRefusal::RequestStep);
    }
    request.status = DataRequestStatus::Ready;
    request.report = Some((hash, until_ms));
    Ok(id)
}

/// The report is fetched: once.
pub(super) fn take_report(
    account: &mut Account,
    id: Uuid,
    hash: &[u8; 32],
    now: UnixMicros,
) -> Result<Uuid, OfficeRefusal> {
    let request = find(account, id)?;
    let waits = request.report.is_some_and(|(kept, until_ms)| {
        // Both are hashes of secrets: how long the comparison takes says nothing about those.
        kept == *hash && now.as_millis() < until_ms
    });
    if !waits {
        return Err(OfficeRefusal::UnknownRequest);
    }
    request.status = DataRequestStatus::Fulfilled;
    end(request, now);
    Ok(id)
}

fn end(request: &mut DataRequest, now: UnixMicros) {
    request.ended_ms = now.as_millis();
    request.report = None;
}

fn find(account: &mut Account, id: Uuid) -> Result<&mut DataRequest, OfficeRefusal> {
    let mut requests = account.dossier_mut().data_requests.iter_mut();
    requests.find(|request| request.id == id).ok_or(OfficeRefusal::UnknownRequest)
}
