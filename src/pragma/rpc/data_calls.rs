//! Players' rights to their data (protocol-pragma §6.8): requests, their steps, links to reports. Of
//! the engine's messages two are published; the others follow them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Ask, Call, Step};
use super::lookups::known;
use super::office_shapes::{self, REQUEST_KINDS, REQUEST_STEPS};
use super::payload::Payload;
use super::search_calls::page;
use crate::domain::account::dossier::{DataRequest, DataRequestKind, DataRequestStatus};
use crate::domain::account::{Account, AccountFilter, AccountId, OfficeAsk};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::{Fault, data_rights};

/// What is served here to game servers and operators.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "DataRightsRpc" "SubmitRequest" "V1" "data_rights.requests.create" submit_for;
        "DataRightsRpc" "GetRequests" "V1" "data_rights.requests.get" of_account;
        "DataRightsRpc" "GetOpenRequests" "V1" "data_rights.requests.get" open;
        "DataRightsRpc" "UpdateRequestStatus" "V1" "data_rights.requests.update" advance;
        "DataRightsRpc" "GenerateDownloadUrlAndToken" "V1" "data_rights.reports.create" offer;
    }
    operator {}
};

/// What is served here to players.
pub(super) const OWN: &[Call] = &[
    Call::new(
        "DataRightsRpc.SubmitRequestV1Request",
        SessionType::Player,
        BackendType::Social,
        |ask| Step::later(submit(ask)),
    ),
    Call::new(
        "DataRightsRpc.GetRequestsV1Request",
        SessionType::Player,
        BackendType::Social,
        |ask| Step::later(own(ask)),
    ),
    Call::new(
        "DataRightsRpc.CancelRequestV1Request",
        SessionType::Player,
        BackendType::Social,
        |ask| Step::later(cancel(ask)),
    ),
];

async fn submit(ask: Ask) -> Result<Value, Fault> {
    let account = ask.account()?;
    make(&ask, account).await
}

async fn submit_for(ask: Ask) -> Result<Value, Fault> {
    let account = Payload::of(&ask).account("pragmaSocialId")?;
    make(&ask, account).await
}

async fn make(ask: &Ask, account: AccountId) -> Result<Value, Fault> {
    let kind = Payload::of(ask).choice("requestType", "", &REQUEST_KINDS);
    let kind = kind.ok().flatten().ok_or(Fault::DataRequestUnexpected)?;
    let made = ask.app.door.office(account, OfficeAsk::SubmitRequest(kind)).await?;
    one(&made.account, made.about)
}

async fn own(ask: Ask) -> Result<Value, Fault> {
    Ok(every(&known(&ask, ask.account()?).await?))
}

async fn of_account(ask: Ask) -> Result<Value, Fault> {
    Ok(every(&known(&ask, Payload::of(&ask).account("pragmaSocialId")?).await?))
}

fn every(account: &Account) -> Value {
    let requests = account.dossier().data_requests.iter();
    let shown = requests.map(|request| office_shapes::data_request(account.id, request));
    json!({"requests": shown.collect::<Vec<_>>()})
}

/// Players take back their own requests only.
async fn cancel(ask: Ask) -> Result<Value, Fault> {
    let id = Payload::of(&ask).id("requestId")?;
    let what = OfficeAsk::AdvanceRequest(id, DataRequestStatus::Canceled);
    let done = ask.app.door.office(ask.account()?, what).await?;
    one(&done.account, id)
}

/// Of the accounts on the page, every request that is not over.
async fn open(ask: Ask) -> Result<Value, Fault> {
    let filter = AccountFilter { has_open_request: true, ..AccountFilter::default() };
    let found = ask.app.door.search(filter, page(Payload::of(&ask))?).await?;
    let requests = found.accounts.iter().flat_map(|account| {
        let open = account.dossier().data_requests.iter().filter(|it| !it.status.is_over());
        open.map(|request| office_shapes::data_request(account.id, request))
    });
    Ok(json!({"requests": requests.collect::<Vec<_>>(), "count": found.count}))
}

/// A request to be deleted is fulfilled by deleting the account, and the request goes with it.
async fn advance(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let id = payload.id("requestId")?;
    let step = payload.choice("requestStatus", "", &REQUEST_STEPS)?.ok_or(Fault::BadParam)?;
    let holder = ask.app.door.holder(id).await?;
    let account = known(&ask, holder).await?;
    let request = request(&account, id)?;
    let erases = request.kind == DataRequestKind::AccountDeletion
        && step == DataRequestStatus::Fulfilled
        && !request.status.is_over();
    if erases {
        ask.app.door.erase(holder).await?;
        let mut done = request.clone();
        (done.status, done.ended_ms) = (step, ask.app.door.clock.now().as_millis());
        return Ok(json!({"request": office_shapes::data_request(holder, &done)}));
    }
    let done = ask.app.door.office(holder, OfficeAsk::AdvanceRequest(id, step)).await?;
    one(&done.account, id)
}

/// The link holds no secret: the token is posted to it.
async fn offer(ask: Ask) -> Result<Value, Fault> {
    let offer = ask.app.door.offer_report(Payload::of(&ask).id("requestId")?).await?;
    Ok(json!({
        "downloadUrl": data_rights::address(&ask.app),
        "downloadToken": *offer.token.0,
    }))
}

fn one(account: &Account, id: Uuid) -> Result<Value, Fault> {
    Ok(json!({"request": office_shapes::data_request(account.id, request(account, id)?)}))
}

fn request(account: &Account, id: Uuid) -> Result<&DataRequest, Fault> {
    let mut requests = account.dossier().data_requests.iter();
    requests.find(|it| it.id == id).ok_or(Fault::DataRequestNotFound)
}
