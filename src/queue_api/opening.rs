//! `GET /v1/queue/opening`: how far the opening is; below it the files of lotteries, for everybody to
//! check (`docs/lottery.md`).

use std::fs::File;
use std::io::{self, Read as _};

use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, Resource, web};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;

use crate::actors::Line;
use crate::domain::lottery::{LotteryId, Record, Stage};

/// Bytes of a file read and sent at a time.
const PIECE: u64 = 64 * 1_024;
/// How long a cache may keep what still changes, in seconds.
const CHANGING_S: u32 = 2;

/// The two resources, below the prefix of this front end.
pub fn resources(line: Line) -> [Resource; 2] {
    let line = web::Data::new(line);
    [
        web::resource("/opening").app_data(line.clone()).route(web::get().to(opening)),
        web::resource("/opening/{id}/{file}").app_data(line).route(web::get().to(file)),
    ]
}

/// How far the opening is. Times in milliseconds since the epoch; what is not known is absent.
#[derive(Serialize)]
struct Told<'a> {
    /// `none`, `prequeue`, `drawing`, `drawn`.
    state: &'static str,
    now_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lottery: Option<Lottery<'a>>,
}

#[derive(Serialize)]
struct Lottery<'a> {
    id: &'a str,
    commitment: String,
    beacon: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrants: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrants_root: Option<String>,
    /// Where its files are.
    files: String,
}

async fn opening(line: web::Data<Line>) -> HttpResponse {
    let notice = line.opening().borrow().clone();
    let lottery = notice.opening.lottery().and(notice.record.as_ref());
    let told = Told {
        state: notice.opening.name(),
        now_ms: line.now().as_millis(),
        opens_at_ms: notice.opening.opens_at().map(crate::domain::time::UnixMicros::as_millis),
        lottery: lottery.map(Lottery::of),
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(told)
}

impl<'a> Lottery<'a> {
    fn of(record: &'a Record) -> Self {
        let schedule = record.schedule();
        let id = schedule.id().as_str();
        Self {
            id,
            commitment: schedule.commitment().to_string(),
            beacon: schedule.beacon(),
            entrants: record.closed().map(|closed| closed.entrants),
            entrants_root: record.closed().map(|closed| closed.root.to_string()),
            files: format!("{}/opening/{id}/", super::PREFIX),
        }
    }
}

async fn file(line: web::Data<Line>, path: web::Path<(String, String)>) -> HttpResponse {
    let (id, name) = path.into_inner();
    let Ok(id) = LotteryId::try_from(id) else { return HttpResponse::NotFound().finish() };
    let notice = line.opening().borrow().clone();
    let current = notice.record.as_ref().filter(|record| *record.schedule().id() == id);
    let changes = name == "lottery.json"
        && current.is_some_and(|record| !matches!(record.stage(), Stage::Drawn(..)));
    let is_json = name == "lottery.json";
    let opened = web::block(move || -> io::Result<Option<(File, u64)>> {
        let Some(path) = line.lottery_file(&id, &name) else { return Ok(None) };
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Some((file, length)))
    });
    match opened.await {
        Ok(Ok(Some((file, length)))) => {
            let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            let keep = if changes {
                format!("public, max-age={CHANGING_S}")
            } else {
                "public, max-age=86400".to_owned()
            };
            HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, kind))
                .insert_header((CACHE_CONTROL, keep))
                .body(SizedStream::new(length, pieces(file)))
        }
        Ok(Ok(None)) => HttpResponse::NotFound().finish(),
        Ok(Err(_)) | Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// The bytes of a file, one piece in memory at a time.
fn pieces(file: File) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(file, |file| async move {
        let read = web::block(move || {
            let mut piece = Vec::new();
            (&file).take(PIECE).read_to_end(&mut piece)?;
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
}
