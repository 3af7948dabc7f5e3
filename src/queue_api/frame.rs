//! `GET /v1/queue/frame`: one small answer for everybody in line, from which each works out their place.
//!
//! Written and signed once for each frame the line posts, about once a second; a request copies a
//! pointer. `docs/queue-api.md` has the client's arithmetic.

use std::sync::{Arc, PoisonError, RwLock};

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
};
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use serde::Serialize;

use super::{App, JSON, Refusal};
use crate::config::QueueConfig;
use crate::domain::queue::frame::LaneFrame;
use crate::domain::queue::{FRONT_CONFIRM_S, Frame};
use crate::domain::time::UnixMicros;
use crate::domain::token::PlayerKeys;
use crate::domain::token::detached::FRAME;
use crate::domain::token::player::KeyError;

/// Where the signature is: a detached JWS over the body.
pub const SIGNATURE: &str = "x-frame-signature";
/// What caches may keep it for.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=1");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// Shortest time between two fetches of one client, in milliseconds.
const AFTER_MIN_MS: u64 = 1_000;
/// Longest: nobody is left without news for an hour.
const AFTER_MAX_MS: u64 = 3_600_000;
/// The time between two fetches when a cache answers them, in milliseconds.
const CACHED_MS: u64 = 5_000;

/// How long a client waits before it fetches the frame again, in milliseconds: so long that all who
/// wait stay within `queue.frame_budget` requests a second, or as a cache can bear.
pub(super) fn after_ms(config: &QueueConfig, frame: &Frame) -> u64 {
    if config.frame_cached {
        return CACHED_MS;
    }
    let waiting: u64 = frame.lanes.iter().map(|lane| lane.waiting).sum();
    let budget = u64::from(config.frame_budget.max(1));
    (waiting.saturating_mul(1_000) / budget).clamp(AFTER_MIN_MS, AFTER_MAX_MS)
}

/// A frame as it is written. Times in milliseconds since the epoch; `rate` in admissions a second.
#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    epoch: u32,
    at_ms: u64,
    started_ms: u64,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    rate: f64,
    /// Added to every time: from admission to being in.
    login_ms: u64,
    /// So long before the turn a client says that it is there.
    confirm_ms: u64,
    frame_after_ms: u64,
    lanes: Vec<Lane>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "names of the wire")]
struct Lane {
    lane: &'static str,
    waiting: u64,
    /// Number, place and seconds of each point, each as the difference to the point before. While
    /// nobody can say how long it takes there are no seconds.
    points: Vec<Vec<i64>>,
}

fn written<'a>(config: &QueueConfig, frame: &'a Frame) -> Written<'a> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a constant")]
    let confirm_ms = (FRONT_CONFIRM_S * 1e3) as u64;
    Written {
        v: 1,
        epoch: frame.epoch,
        at_ms: frame.at.as_millis(),
        started_ms: frame.started_at.as_millis(),
        mode: frame.announced.mode.name(),
        until_ms: frame.announced.until.map(UnixMicros::as_millis),
        message: &frame.announced.message,
        rate: frame.rate,
        login_ms: u64::from(config.seconds_to_login) * 1_000,
        confirm_ms,
        frame_after_ms: after_ms(config, frame),
        lanes: frame.lanes.iter().map(lane).collect(),
    }
}

fn lane(frame: &LaneFrame) -> Lane {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a wait; the cast saturates")]
    let seconds = |seconds: f64| seconds.round() as i64;
    let timed = frame.points.iter().all(|point| point.seconds.is_some());
    let mut before = [0; 3];
    let points = frame.points.iter().map(|point| {
        let time = point.seconds.map_or(0, seconds);
        let now = [whole(point.number.0), whole(point.position), time];
        let step = now.iter().zip(before).map(|(now, before)| now.saturating_sub(before));
        let step = step.take(if timed { 3 } else { 2 }).collect();
        before = now;
        step
    });
    Lane { lane: frame.lane.name(), waiting: frame.waiting, points: points.collect() }
}

/// A frame as it is served.
#[derive(Debug)]
pub(super) struct Printed {
    of: Arc<Frame>,
    pub(super) body: Bytes,
    etag: HeaderValue,
    signature: HeaderValue,
}

impl Printed {
    fn new(config: &QueueConfig, keys: &PlayerKeys, of: Arc<Frame>) -> Result<Self, KeyError> {
        let body = serde_json::to_vec(&written(config, &of)).map_err(|_| KeyError::Library)?;
        let signature = keys.sign_detached(FRAME, &body)?;
        let hash = digest(&SHA256, &body);
        let name = hash.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| KeyError::Library);
        let (etag, signature) = (header(&format!("\"{name:016x}\""))?, header(&signature)?);
        Ok(Self { of, body: body.into(), etag, signature })
    }
}

/// Where the latest frame lies, ready to be handed out. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Desk(Arc<RwLock<Option<Arc<Printed>>>>);

impl Desk {
    /// The line's latest frame; whoever asks first after it was posted writes and signs it.
    pub(super) fn read(&self, app: &App) -> Result<Arc<Printed>, Refusal> {
        let latest = app.posted();
        let fresh = |kept: &Option<Arc<Printed>>| {
            kept.as_ref().filter(|kept| Arc::ptr_eq(&kept.of, &latest)).map(Arc::clone)
        };
        if let Some(kept) = fresh(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(kept);
        }
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = fresh(&kept) {
            return Ok(kept);
        }
        let printed = Printed::new(&app.config.queue, &app.player_keys, Arc::clone(&latest));
        let printed = Arc::new(printed.map_err(|error| {
            tracing::error!(%error, "the frame could not be signed");
            Refusal::Unavailable
        })?);
        *kept = Some(Arc::clone(&printed));
        Ok(printed)
    }
}

/// See the module.
pub(super) async fn serve(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let printed = app.frames.read(&app)?;
    app.figures.count_frame();
    let is_known = lists(request.headers().get_all(IF_NONE_MATCH), &printed.etag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // For any page, whoever asked first: a cache hands the same answer to all of them.
    response
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, ANY))
        .insert_header((CACHE_CONTROL, CACHE))
        .insert_header((ETAG, printed.etag.clone()))
        .insert_header((SIGNATURE, printed.signature.clone()));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((CONTENT_TYPE, JSON)).body(printed.body.clone()))
}

/// Whether `If-None-Match` names this tag (RFC 9110 §13.1.2: compared weakly).
pub(super) fn lists<'a>(values: impl Iterator<Item = &'a HeaderValue>, etag: &HeaderValue) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(wanted) = etag.to_str().map(plain) else { return false };
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || plain(tag) == wanted)
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "small numbers of a test"
)]
mod tests {
    use super::*;
    use crate::domain::queue::frame::{Point, ROOM_BYTES};
    use crate::domain::queue::mode::MESSAGE_MAX;
    use crate::domain::queue::{Announcement, Lane as LaneOf, Mode, Number};

    /// Ten million in line, and as many points as a frame may have.
    fn longest(message: &str) -> Frame {
        let point = |at: usize| {
            let at = at as u64 + 1;
            let number = Number(900_000_000 + at * 141_421);
            Point { number, position: at * 138_889 + at % 7, seconds: Some(277.78 * at as f64) }
        };
        let few = |lane| LaneFrame { lane, waiting: 10_000_000, points: Vec::new() };
        let mut lanes: Vec<_> = LaneOf::ALL.into_iter().map(few).collect();
        let mut room = 0;
        for at in 0.. {
            let lane = at % LaneOf::COUNT;
            room -= lanes[lane].room();
            lanes[lane].points.push(point(at));
            room += lanes[lane].room();
            if room > ROOM_BYTES {
                break;
            }
        }
        Frame {
            epoch: u32::MAX,
            at: UnixMicros::from_secs(1_800_000_000),
            started_at: UnixMicros::from_secs(1_800_000_000),
            announced: Announcement::new(Mode::Maintenance, Some(UnixMicros(1)), message),
            rate: 499.5,
            lanes,
        }
    }

    #[test]
    fn a_frame_of_ten_million_is_within_two_kilobytes_with_the_longest_message() {
        let config = QueueConfig::default();
        let body = |message: &str| serde_json::to_string(&written(&config, &longest(message)));
        let worded = body(&"x".repeat(MESSAGE_MAX)).unwrap().len();
        assert!((1_500..=2_048).contains(&worded), "{worded} bytes");
    }

    #[test]
    fn steps_add_up_to_the_points() {
        let frame = longest("");
        let mut sum = [0; 3];
        for (step, point) in lane(&frame.lanes[0]).points.iter().zip(&frame.lanes[0].points) {
            sum.iter_mut().zip(step).for_each(|(sum, step)| *sum += step);
            let seconds = point.seconds.unwrap().round() as i64;
            assert_eq!(sum, [point.number.0 as i64, point.position as i64, seconds]);
        }
    }

    #[test]
    fn the_whole_line_stays_within_the_budget() {
        let config = QueueConfig { frame_budget: 2_000, ..QueueConfig::default() };
        assert_eq!(after_ms(&config, &longest("")), AFTER_MAX_MS.min(5_000_000));
        let cached = QueueConfig { frame_cached: true, ..config };
        assert_eq!(after_ms(&cached, &longest("")), CACHED_MS);
    }

    #[test]
    fn a_tag_is_found_in_a_list_and_compared_weakly() {
        let etag = HeaderValue::from_static("\"abc\"");
        let named =
            |text: &'static str| lists([&HeaderValue::from_static(text)].into_iter(), &etag);
        assert!(named("\"abc\"") && named("\"x\", W/\"abc\"") && named("*"));
        assert!(!named("\"ab\"") && !named(""));
    }
}
