//! `/v1/operator/queue`: the line and its dials; changes that are staged, applied and taken back.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{App, Refusal, SEE, TURN, json, operator};
use crate::domain::queue::{Announcement, Lane, Mode};
use crate::domain::steering::{Change, Dials, LaneShares, Made, Outlook, Staged};
use crate::domain::time::UnixMicros;

/// What the line is told to do.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    Open,
    Paused,
    Held,
    Draining,
    Maintenance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    mode: Wanted,
    #[serde(default)]
    until_ms: Option<u64>,
    #[serde(default)]
    message: String,
}

/// How the lanes share the rate.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lanes {
    /// Turns of the lanes paying, standard and low.
    weights: [u32; 3],
    grace_share: f64,
}

impl From<LaneShares> for Lanes {
    fn from(LaneShares { weights, grace_share }: LaneShares) -> Self {
        Self { weights, grace_share }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    #[serde(default)]
    rate: Option<f64>,
    #[serde(default)]
    cap: Option<u64>,
    #[serde(default)]
    lanes: Option<Lanes>,
    #[serde(default)]
    announce: Option<Say>,
}

impl Ask {
    fn change(self) -> Change {
        let announce = self.announce.map(|Say { mode, until_ms, message }| {
            let mode = match mode {
                Wanted::Open => Mode::Open,
                Wanted::Paused => Mode::Paused,
                Wanted::Held => Mode::Held,
                Wanted::Draining => Mode::Draining,
                Wanted::Maintenance => Mode::Maintenance,
            };
            let until = until_ms.map(|ms| UnixMicros(ms.saturating_mul(1_000)));
            Announcement::new(mode, until, &message)
        });
        let lanes =
            self.lanes.map(|Lanes { weights, grace_share }| LaneShares { weights, grace_share });
        Change { rate: self.rate, cap: self.cap, lanes, announce }
    }
}

/// What was announced. Moments in milliseconds since the epoch.
#[derive(Serialize)]
struct Announced {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

impl From<Announcement> for Announced {
    fn from(said: Announcement) -> Self {
        let until_ms = said.until.map(UnixMicros::as_millis);
        Self { mode: said.mode.name(), until_ms, message: said.message }
    }
}

/// Dials; in a change only those that it turns.
#[derive(Serialize)]
struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cap: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes: Option<Lanes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    announce: Option<Announced>,
}

impl From<Change> for Told {
    fn from(Change { rate, cap, lanes, announce }: Change) -> Self {
        Self { rate, cap, lanes: lanes.map(Into::into), announce: announce.map(Into::into) }
    }
}

impl From<Dials> for Told {
    fn from(Dials { rate, cap, lanes, announced }: Dials) -> Self {
        let (lanes, announce) = (Some(lanes.into()), Some(announced.into()));
        Self { rate: Some(rate), cap: Some(cap), lanes, announce }
    }
}

/// A lane somebody waits in.
#[derive(Serialize)]
struct LaneTold {
    waiting: u64,
    /// Seconds until the last of them comes in; `null`: nobody can say.
    last_waits_s: Option<f64>,
}

/// The same before and after a change.
#[derive(Serialize)]
struct LaneThen {
    waiting: u64,
    last_waits_s: Option<f64>,
    last_would_wait_s: Option<f64>,
}

fn lanes<T>(of: impl Fn(Lane) -> (u64, T)) -> BTreeMap<&'static str, T> {
    let told = Lane::ALL.into_iter().map(|lane| (lane.name(), of(lane)));
    told.filter(|(_, (waiting, _))| *waiting > 0).map(|(name, (_, told))| (name, told)).collect()
}

#[derive(Serialize)]
struct StagedTold {
    id: Uuid,
    by: Uuid,
    expires_ms: u64,
    change: Told,
}

impl From<Staged> for StagedTold {
    fn from(Staged { id, change, by, expires }: Staged) -> Self {
        Self { id, by: by.0, expires_ms: expires.as_millis(), change: change.into() }
    }
}

#[derive(Serialize)]
struct MadeTold {
    id: Uuid,
    by: Uuid,
    at_ms: u64,
    undone: bool,
    change: Told,
    before: Told,
}

impl From<Made> for MadeTold {
    fn from(Made { id, change, before, by, at, undone }: Made) -> Self {
        let (change, before) = (change.into(), before.into());
        Self { id, by: by.0, at_ms: at.as_millis(), undone, change, before }
    }
}

/// Everything at a glance.
#[derive(Serialize)]
struct View {
    now_ms: u64,
    dials: Told,
    /// Admissions a second in force: less after a standstill, or by what is measured.
    rate_in_force: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured_limit: Option<f64>,
    live: u64,
    reserved: u64,
    passes_out: u64,
    grace: u64,
    parked: u64,
    lanes: BTreeMap<&'static str, LaneTold>,
    staged: Vec<StagedTold>,
    made: Vec<MadeTold>,
}

/// The line, its dials, and what was changed lately.
pub(super) async fn see(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, SEE).await?;
    let steering = &app.steering;
    let figures = steering.figures().await?;
    let dials = steering.dials_of(&figures);
    let outlook = steering.outlook(dials.clone()).await?;
    let (staged, made) = steering.changes();
    let view = View {
        now_ms: steering.now().as_millis(),
        dials: dials.into(),
        rate_in_force: figures.rate_in_force,
        measured_limit: figures.measured_limit,
        live: figures.live,
        reserved: figures.reserved,
        passes_out: figures.passes_out,
        grace: figures.grace,
        parked: figures.parked,
        lanes: lanes(|lane| {
            let Outlook { waiting, last_s } = outlook[lane as usize];
            (waiting, LaneTold { waiting, last_waits_s: last_s })
        }),
        staged: staged.into_iter().map(Into::into).collect(),
        made: made.into_iter().map(Into::into).collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// What a change would do.
#[derive(Serialize)]
struct Preview {
    #[serde(flatten)]
    staged: StagedTold,
    lanes: BTreeMap<&'static str, LaneThen>,
}

/// Stages a change. Nothing changes.
pub(super) async fn stage(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, TURN).await?;
    let ask: Ask = serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest)?;
    let change = ask.change().checked(app.steering.now())?;
    let (staged, preview) = app.steering.stage(app.door.dice.uuid(), change, by).await?;
    let lanes = lanes(|lane| {
        let (now, then) = (preview.now[lane as usize], preview.then[lane as usize]);
        let (last_waits_s, last_would_wait_s) = (now.last_s, then.last_s);
        (now.waiting, LaneThen { waiting: now.waiting, last_waits_s, last_would_wait_s })
    });
    Ok(json(StatusCode::CREATED, &Preview { staged: staged.into(), lanes }))
}

/// Drops a staged change, however often it is called.
pub(super) async fn drop_staged(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    operator(&app, &request, TURN).await?;
    app.steering.drop_staged(*id);
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a staged change.
pub(super) async fn apply(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    let by = operator(&app, &request, TURN).await?;
    let made = app.steering.make(*id, by).await?;
    Ok(json(StatusCode::OK, &MadeTold::from(made)))
}

/// Takes a change back.
pub(super) async fn undo(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Undone {
        id: Uuid,
        dials: Told,
    }
    let by = operator(&app, &request, TURN).await?;
    let dials = app.steering.undo(*id, by).await?;
    Ok(json(StatusCode::OK, &Undone { id: *id, dials: dials.into() }))
}
