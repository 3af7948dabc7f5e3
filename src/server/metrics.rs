//! Gathers the figures of all parts for one page of metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::parts::Running;
use crate::actors::{Accounts, Audit, Backups, Board, CallError, Line, SessionDoor};
use crate::domain::queue::{Figures, Lane, Mode};
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;
use crate::identity::Providers;
use crate::observe::catalogue as name;
use crate::observe::metrics::Page;
use crate::observe::process::Process;
use crate::observe::{Health, Live, PortKind, Tracer, Traffic};
use crate::queue_api;
use crate::signin::Door;
use crate::signin::hooks::HookFigures;
use crate::tls::Certificates;

/// The time that the worst of a loop's lag is told of, in microseconds: as often as Prometheus mostly
/// looks.
const LAG_US: u64 = 15_000_000;
/// What the history calls it.
const LAG_COLUMN: &str = "loop_lag_ms";

/// Where figures come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sources {
    accounts: Accounts,
    line: Line,
    board: Board,
    sockets: SessionDoor,
    door: Door,
    queue_api: queue_api::App,
    providers: Providers,
    health: Health,
    audit: Audit,
    backups: Backups,
    traffic: Traffic,
    tracer: Tracer,
    live: Live,
    certificates: Option<Certificates>,
}

/// The page could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the page could not be written")]
    Text(#[from] std::fmt::Error),
}

impl Sources {
    pub fn new(running: &Running) -> Self {
        Self {
            accounts: running.accounts.clone(),
            line: running.line.clone(),
            board: running.door.board.clone(),
            sockets: running.sockets.clone(),
            door: running.door.clone(),
            queue_api: (*running.queue_api).clone(),
            providers: running.providers.clone(),
            health: running.health.clone(),
            audit: running.audit.clone(),
            backups: running.backups.clone(),
            traffic: running.traffic.clone(),
            tracer: running.access.tracer().clone(),
            live: running.live.clone(),
            certificates: running.certificates.clone(),
        }
    }

    pub async fn page(&self) -> Result<String, PageError> {
        let mut page = Page::default();
        queue(&mut page, &self.line.figures().await?);
        self.queue_api(&mut page);
        self.sign_ins(&mut page);
        self.identity(&mut page);
        self.sessions(&mut page);
        self.store(&mut page);
        let audit = self.audit.figures();
        page.put(name::AUDIT_RECORDS, audit.written.load(Ordering::Relaxed));
        page.put(name::AUDIT_UNRECORDED, audit.unrecorded.load(Ordering::Relaxed));
        if let Some(stream) = &audit.stream {
            page.put(name::AUDIT_BEHIND, stream.behind());
        }
        self.http(&mut page);
        self.traces(&mut page);
        process(&mut page);
        self.backups(&mut page);
        self.tls(&mut page);
        if let Some(journal) = self.line.journal() {
            page.put(name::JOURNAL_BYTES, journal.bytes.load(Ordering::Relaxed));
            page.put(name::JOURNAL_GAPS, journal.gaps.load(Ordering::Relaxed));
        }
        page.put(name::READY, self.health.ready().0);
        Ok(page.text()?)
    }

    fn queue_api(&self, page: &mut Page) {
        let queue_api::App { streams, figures, .. } = &self.queue_api;
        for (verdict, count) in self.door.guard.verdicts() {
            page.labelled(name::VERDICTS, verdict, count);
        }
        page.put(name::ALARM_LEVEL, u64::from(self.door.guard.level()));
        page.put(name::STREAMS, streams.count());
        page.put(name::STREAMS_OPENED, streams.opened());
        page.put(name::FRAMES_SERVED, figures.frames());
        page.put(name::TRANSFERS, figures.transfers());
    }

    fn sign_ins(&self, page: &mut Page) {
        for (kind, result, count) in self.door.outcomes.each().filter(|(.., count)| *count > 0) {
            page.labelled2(name::SIGN_INS, (kind, result), count);
        }
        for (result, count) in self.door.outcomes.refreshes() {
            page.labelled(name::REFRESHES, result, count);
        }
        for (event, outcome, count) in
            self.door.hooks().figures().into_iter().flat_map(HookFigures::each)
        {
            page.labelled2(name::HOOKS, (event, outcome), count);
        }
        let hashing = self.door.hash_figures();
        page.put(name::HASHES_PENDING, hashing.pending.load(Ordering::Relaxed));
        page.put(name::HASHES_MAX, self.door.hash_backlog().1);
        page.labelled(name::HASHES, "done", hashing.done.load(Ordering::Relaxed));
        page.labelled(name::HASHES, "refused", hashing.refused.load(Ordering::Relaxed));
    }

    /// Only providers that were asked: most games have one or two.
    fn identity(&self, page: &mut Page) {
        for (provider, figures) in self.providers.figures().each() {
            for (result, count) in [
                ("ok", &figures.ok),
                ("refused", &figures.refused),
                ("unavailable", &figures.unavailable),
            ] {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    page.labelled2(name::IDENTITY_CHECKS, (provider, result), count);
                }
            }
            let calls = figures.calls.load(Ordering::Relaxed);
            if calls > 0 {
                page.labelled(name::IDENTITY_CALLS, provider, calls);
                let ms = |of: &AtomicU64| Duration::from_millis(of.load(Ordering::Relaxed));
                page.labelled(name::IDENTITY_CALLS_TOOK, provider, ms(&figures.calls_ms));
                page.labelled(name::IDENTITY_CALL_MAX, provider, ms(&figures.call_ms_max));
            }
        }
    }

    fn sessions(&self, page: &mut Page) {
        let figures = self.sockets.figures();
        page.put(name::SOCKETS, figures.open());
        page.put(name::SOCKETS_OPENED, figures.opened());
        for reason in CloseReason::ALL {
            page.labelled(name::SOCKETS_CLOSED, reason.name(), figures.closed(reason));
        }
        page.labelled(name::FRAMES, "in", figures.frames_in());
        page.labelled(name::FRAMES, "out", figures.frames_out());
        page.put(name::PRESENCE_DELIVERED, self.board.delivered());
    }

    fn http(&self, page: &mut Page) {
        let answers = self.traffic.answers();
        let bad = answers.client_errors + answers.server_errors;
        page.labelled(name::HTTP_ANSWERS, "ok", answers.all.saturating_sub(bad));
        page.labelled(name::HTTP_ANSWERS, "client_error", answers.client_errors);
        page.labelled(name::HTTP_ANSWERS, "server_error", answers.server_errors);
        for (port, open) in PortKind::ALL.iter().zip(self.traffic.connections()) {
            page.labelled(name::HTTP_CONNECTIONS, port.name(), open);
        }
        let since = UnixMicros(self.door.clock.now().0.saturating_sub(LAG_US));
        if let Some(lag_ms) = self.live.most(LAG_COLUMN, since) {
            page.put(name::LOOP_LAG, lag_ms / 1e3);
        }
    }

    fn traces(&self, page: &mut Page) {
        let Some(figures) = self.tracer.figures() else { return };
        for (result, count) in
            [("sent", &figures.sent), ("failed", &figures.failed), ("dropped", &figures.dropped)]
        {
            page.labelled(name::SPANS, result, count.load(Ordering::Relaxed));
        }
    }

    fn backups(&self, page: &mut Page) {
        let figures = self.backups.figures();
        page.labelled(name::BACKUPS, "made", figures.made.load(Ordering::Relaxed));
        page.labelled(name::BACKUPS, "failed", figures.failed.load(Ordering::Relaxed));
        match figures.newest_s.load(Ordering::Relaxed) {
            0 => {}
            newest => page.put(name::BACKUP_NEWEST, newest),
        }
    }

    fn tls(&self, page: &mut Page) {
        let Some(certificates) = &self.certificates else { return };
        let figures = certificates.figures();
        page.put(name::CERTIFICATE_EXPIRY, certificates.facts().not_after.as_secs());
        page.labelled(name::CERTIFICATES, "taken", figures.taken.load(Ordering::Relaxed));
        page.labelled(name::CERTIFICATES, "refused", figures.refused.load(Ordering::Relaxed));
        page.labelled(name::ACME_ORDERS, "issued", figures.issued.load(Ordering::Relaxed));
        page.labelled(name::ACME_ORDERS, "failed", figures.not_issued.load(Ordering::Relaxed));
        page.put(name::HANDSHAKES_FAILED, figures.failed.load(Ordering::Relaxed));
    }

    fn store(&self, page: &mut Page) {
        let figures = self.accounts.figures();
        page.put(name::COMMITS, figures.commits.load(Ordering::Relaxed));
        page.put(name::WRITES, figures.writes.load(Ordering::Relaxed));
        let us = |of: &AtomicU64| Duration::from_micros(of.load(Ordering::Relaxed));
        page.put(name::COMMITS_TOOK, us(&figures.commit_us_sum));
        page.put(name::COMMIT_MAX, us(&figures.commit_us_max));
        page.put(name::ACCOUNTS, figures.accounts.load(Ordering::Relaxed));
    }
}

fn process(page: &mut Page) {
    let process = Process::read();
    for (metric, figure) in [
        (name::MEMORY, process.memory_bytes),
        (name::FILES_OPEN, process.files_open),
        (name::FILES_MAX, process.files_max),
    ] {
        if let Some(figure) = figure {
            page.put(metric, figure);
        }
    }
}

fn queue(page: &mut Page, figures: &Figures) {
    for (lane, waiting) in Lane::ALL.iter().zip(figures.waiting) {
        page.labelled(name::WAITING, lane.name(), waiting);
    }
    for (lane, admitted) in Lane::ALL.iter().zip(figures.admitted_total) {
        page.labelled(name::ADMITTED, lane.name(), admitted);
    }
    page.put(name::PARTIES, figures.parties_total);
    page.put(name::PARKED, figures.parked);
    page.put(name::TARGET_RATE, figures.rate);
    page.put(name::TARGET_CCU, figures.cap);
    page.put(name::RATE, figures.rate_in_force);
    if let Some(rate) = figures.measured_limit {
        page.put(name::MEASURED_RATE, rate);
    }
    if let Some(health) = figures.health {
        page.put(name::HEALTH, health);
    }
    page.put(name::HELD, figures.held_total);
    page.put(name::MASS_DROP, figures.mass_drop.unwrap_or(0));
    page.put(name::MASS_DROPS, figures.mass_drops_total);
    page.put(name::PUT_OFF, figures.returns_put_off_total);
    for mode in Mode::ALL {
        page.labelled(name::MODE, mode.name(), figures.mode == mode);
    }
    page.put(name::PAUSED, !figures.mode.admits());
    for (state, slots) in [
        ("live", figures.live),
        ("reserved", figures.reserved),
        ("pass", figures.passes_out),
        ("grace", figures.grace),
    ] {
        page.labelled(name::SLOTS, state, slots);
    }
    let expired = figures.expired_total;
    for (what, count) in [
        ("pass", expired.pass),
        ("lease", expired.lease),
        ("parked", expired.parked),
        ("grace", expired.grace),
    ] {
        page.labelled(name::EXPIRED, what, count);
    }
    page.put(name::LEFT, figures.left_total);
    page.put(name::RETURNED, figures.returned_total);
    page.put(name::REFUSED_FULL, figures.refused_full_total);
    page.put(name::REFUSED_CLOSED, figures.refused_closed_total);
    page.put(name::OPENING_ENTRANTS, figures.entrants);
    for (quantile, error) in [("0.5", figures.eta_error_median), ("0.9", figures.eta_error_p90)] {
        if let Some(error) = error {
            page.labelled(name::ETA_ERROR, quantile, error);
        }
    }
    page.put(name::REVERSALS, figures.position_reversals);
}
