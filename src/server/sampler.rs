//! Measures once a second what operators watch: one message to the line, and counters.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::parts::Running;
use crate::actors::{Line, SessionDoor};
use crate::clock::Clock;
use crate::domain::history::{Column, Fold};
use crate::domain::queue::{Figures, Lane, Mode};
use crate::domain::time::UnixMicros;
use crate::observe::{Live, Traffic};
use crate::queue_api::stream::Streams;
use crate::signin::Door;
use crate::signin::outcomes::KINDS;

/// Time between two rows.
const EVERY: Duration = Duration::from_secs(1);

/// The columns but for those of sign-ins, in the order of [`Sampler::row`].
const COLUMNS: [(&str, Fold); 30] = [
    ("waiting.staff", Fold::Last),
    ("waiting.grace", Fold::Last),
    ("waiting.standard", Fold::Last),
    ("waiting.low", Fold::Last),
    ("waiting.paying", Fold::Last),
    ("parked", Fold::Last),
    ("admitted", Fold::Mean),
    ("rate.set", Fold::Last),
    ("rate.in_force", Fold::Last),
    ("slots.live", Fold::Last),
    ("slots.reserved", Fold::Last),
    ("slots.passes", Fold::Last),
    ("slots.grace", Fold::Last),
    ("slots.cap", Fold::Last),
    ("admits", Fold::Last),
    ("eta.quoted_s", Fold::Last),
    ("eta.waited_s", Fold::Mean),
    ("hash.pending", Fold::Max),
    ("hash.size", Fold::Last),
    ("loop_lag_ms", Fold::Max),
    ("sockets", Fold::Last),
    ("streams", Fold::Last),
    ("http.connections", Fold::Last),
    ("http.answers", Fold::Mean),
    ("http.client_errors", Fold::Mean),
    ("http.server_errors", Fold::Mean),
    ("store.writes", Fold::Mean),
    ("store.commits", Fold::Mean),
    ("sign_ins.failed", Fold::Mean),
    ("sign_ins.waiting", Fold::Mean),
];

/// Columns of sign-ins by method, in the order of [`KINDS`].
const SIGN_INS: [&str; KINDS.len()] = [
    "sign_ins.device",
    "sign_ins.custom",
    "sign_ins.email",
    "sign_ins.username",
    "sign_ins.unsafe",
    "sign_ins.apple",
    "sign_ins.facebook",
    "sign_ins.facebookinstantgame",
    "sign_ins.gamecenter",
    "sign_ins.google",
    "sign_ins.steam",
    "sign_ins.xbox",
    "sign_ins.psn",
    "sign_ins.nintendo",
    "sign_ins.epic",
    "sign_ins.discord",
    "sign_ins.twitch",
    "sign_ins.okta",
    "sign_ins.auth0",
    "sign_ins.googleworkspace",
    "sign_ins.studio",
];

/// Every column of a row.
pub(super) fn columns() -> Vec<Column> {
    let column = |(name, fold)| Column { name, fold };
    let sign_ins = SIGN_INS.into_iter().map(|name| (name, Fold::Mean));
    COLUMNS.into_iter().chain(sign_ins).map(column).collect()
}

/// Totals at the row before, from which rates follow.
#[derive(Clone, Debug, Default)]
struct Totals {
    at: UnixMicros,
    admitted: u64,
    standard: (u64, u64),
    answers: crate::observe::traffic::Answers,
    writes: u64,
    commits: u64,
    failed: u64,
    waiting: u64,
    sign_ins: [u64; KINDS.len()],
}

/// Measures. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sampler(Arc<Inner>);

struct Inner {
    clock: Clock,
    line: Line,
    door: Door,
    accounts: crate::actors::Accounts,
    sockets: SessionDoor,
    streams: Streams,
    traffic: Traffic,
    live: Live,
    before: Mutex<Option<Totals>>,
}

impl Sampler {
    pub fn new(running: &Running) -> Self {
        Self(Arc::new(Inner {
            clock: running.door.clock.clone(),
            line: running.line.clone(),
            door: running.door.clone(),
            accounts: running.accounts.clone(),
            sockets: running.sockets.clone(),
            streams: running.queue_api.streams.clone(),
            traffic: running.traffic.clone(),
            live: running.live.clone(),
            before: Mutex::new(None),
        }))
    }

    /// Measures once a second for as long as the server runs.
    pub async fn run(self) {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            self.take().await;
        }
    }

    /// Measures now. A line that does not answer leaves a gap.
    pub async fn take(&self) {
        let Ok(figures) = self.0.line.figures().await else { return };
        let now = self.totals(&figures);
        let before = {
            let mut kept = self.0.before.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.as_ref().is_some_and(|kept| kept.at >= now.at) {
                return;
            }
            kept.replace(now.clone())
        };
        let at = now.at;
        let row = self.row(&figures, &now, before.as_ref());
        self.0.live.push(at, row.into());
    }

    fn totals(&self, figures: &Figures) -> Totals {
        let store = self.0.accounts.figures();
        let standard = Lane::Standard as usize;
        let mut totals = Totals {
            at: self.0.clock.now(),
            admitted: figures.admitted_total.iter().sum(),
            standard: (figures.waited_s_total[standard], figures.admitted_total[standard]),
            answers: self.0.traffic.answers(),
            writes: store.writes.load(Ordering::Relaxed),
            commits: store.commits.load(Ordering::Relaxed),
            ..Totals::default()
        };
        for (kind, result, count) in self.0.door.outcomes.each() {
            match result {
                "created" | "signed_in" => {
                    if let Some(at) = KINDS.iter().position(|known| *known == kind) {
                        totals.sign_ins[at] += count;
                    }
                }
                "waiting" => totals.waiting += count,
                _ => totals.failed += count,
            }
        }
        totals
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn row(&self, figures: &Figures, now: &Totals, before: Option<&Totals>) -> Vec<f64> {
        // The first row knows of no second before.
        let none = Totals { at: now.at, ..Totals::default() };
        let (before, seconds) = match before {
            Some(before) => (before, now.at.since_us(before.at) as f64 / 1e6),
            None => (&none, f64::NAN),
        };
        let per_s = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        let (pending, size) = self.0.door.hash_backlog();
        let connections: usize = self.0.traffic.connections().iter().sum();
        let waited_s = now.standard.0.saturating_sub(before.standard.0) as f64;
        let came_in = now.standard.1.saturating_sub(before.standard.1) as f64;
        let mut row: Vec<f64> = figures.waiting.iter().map(|&waiting| waiting as f64).collect();
        row.extend([
            figures.parked as f64,
            per_s(now.admitted, before.admitted),
            figures.rate,
            figures.rate_in_force,
            figures.live as f64,
            figures.reserved as f64,
            figures.passes_out as f64,
            figures.grace as f64,
            figures.cap as f64,
            f64::from(u8::from(figures.mode.admits())),
            self.quoted_s(figures),
            // Nobody came in: nought by nought, which is not known.
            if seconds.is_nan() { f64::NAN } else { waited_s / came_in },
            pending as f64,
            size as f64,
            self.0.traffic.take_lag_us() as f64 / 1e3,
            self.0.sockets.figures().open() as f64,
            self.0.streams.count() as f64,
            connections as f64,
            per_s(now.answers.all, before.answers.all),
            per_s(now.answers.client_errors, before.answers.client_errors),
            per_s(now.answers.server_errors, before.answers.server_errors),
            per_s(now.writes, before.writes),
            per_s(now.commits, before.commits),
            per_s(now.failed, before.failed),
            per_s(now.waiting, before.waiting),
        ]);
        row.extend(now.sign_ins.iter().zip(before.sign_ins).map(|(&now, it)| per_s(now, it)));
        row
    }

    /// What whoever enters now is told: what the last of the frame is.
    fn quoted_s(&self, figures: &Figures) -> f64 {
        if figures.mode != Mode::Open && figures.mode != Mode::Draining {
            return f64::NAN;
        }
        let frame = self.0.line.frame();
        let standard = frame.lanes.iter().find(|lane| lane.lane == Lane::Standard);
        match standard.and_then(|lane| lane.points.last()) {
            Some(point) => point.seconds.unwrap_or(f64::NAN),
            None => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_signing_in_has_its_column() {
        for (kind, column) in KINDS.iter().zip(SIGN_INS) {
            assert_eq!(column, format!("sign_ins.{kind}"));
        }
        assert_eq!(columns().len(), COLUMNS.len() + KINDS.len());
    }
}
