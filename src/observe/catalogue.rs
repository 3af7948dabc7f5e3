//! Every metric there is: name, kind, meaning. Names are stable; `docs/reference/metrics.md` is
//! written from here and compared in a test.

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up; its name on the page ends in `_total`.
    Counter,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, without `_total`.
    pub name: &'static str,
    /// Gauge or counter.
    pub kind: Kind,
    /// Meaning and unit.
    pub help: &'static str,
    /// Its labels, empty for none.
    pub labels: &'static str,
}

macro_rules! catalogue {
    ($($id:ident = $kind:ident $name:literal [$labels:literal] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric =
                Metric { name: $name, kind: Kind::$kind, help: $help, labels: $labels };
        )*
        /// Every metric, in the order of the page.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

catalogue! {
    WAITING = Gauge "login_queue_waiting" ["lane"] "Tickets that wait";
    PARKED = Gauge "login_queue_parked" [""] "Tickets that were silent at the head and keep their number";
    TARGET_RATE = Gauge "login_queue_target_rate" [""] "Admissions per second, as set";
    RATE = Gauge "login_queue_rate" [""] "Admissions per second in force: less after a standstill, or by what is measured";
    MEASURED_RATE = Gauge "login_queue_measured_rate" [""] "Admissions per second that what is measured allows; not there: as many as are set";
    HEALTH = Gauge "login_queue_servers_health" [""] "Health that game servers told in the last minute, 0 to 1; not there: none did";
    HELD = Counter "login_queue_held" [""] "Times the line held itself because sign-ins failed";
    MASS_DROP = Gauge "login_queue_mass_drop" [""] "Players lost in the mass drop that goes on; 0: none does";
    MASS_DROPS = Counter "login_queue_mass_drops" [""] "Mass drops";
    PUT_OFF = Counter "login_queue_returns_put_off" [""] "Sign-ins of players who dropped with many others that were told to come at their turn";
    TARGET_CCU = Gauge "login_queue_target_ccu" [""] "Slots, as set";
    PAUSED = Gauge "login_queue_paused" [""] "1 while nobody is admitted: paused, held, maintenance, prequeue, drawing";
    MODE = Gauge "login_queue_mode" ["mode"] "1 for what the line does: open, paused, held, draining, maintenance, prequeue, drawing";
    SLOTS = Gauge "login_queue_slots" ["state"] "Slots in use: live, reserved (signed in, no socket yet), pass, grace";
    ADMITTED = Counter "login_queue_admitted" ["lane"] "Tickets admitted";
    PARTIES = Counter "login_queue_parties" [""] "Parties whose members were admitted in the same moment";
    EXPIRED = Counter "login_queue_expired" ["what"] "What lapsed unused: lease, pass, parked, grace";
    LEFT = Counter "login_queue_left" [""] "Tickets given up by their owners";
    RETURNED = Counter "login_queue_returned" [""] "Parked tickets whose owners came back";
    REFUSED_FULL = Counter "login_queue_refused_full" [""] "Entries refused because the line had its maximum length";
    REFUSED_CLOSED = Counter "login_queue_refused_closed" [""] "Entries refused while draining or in maintenance";
    OPENING_ENTRANTS = Gauge "login_queue_opening_entrants" [""] "Tickets that take part in the lottery of an opening, before it is drawn";
    ETA_ERROR = Gauge "login_queue_eta_error_ratio" ["quantile"] "Estimate given against wait that came true, over recent admissions";
    REVERSALS = Counter "login_queue_position_reversals" [""] "Positions that rose without a reason; must stay 0";
    VERDICTS = Counter "login_queue_verdicts" ["verdict"] "What was found of those who take places. Each new place is `clear`, `proven`, or in the low lane as `unanswered`, `suspect` or `limited_prefix`; beside that `challenged`, `solved`, `failed`, `expired`, `replayed`, and refused for now: `limited_address`, `limited_identity`";
    ALARM_LEVEL = Gauge "login_queue_alarm_level" [""] "How strong an attack on the line is: 0 (calm) to 5";
    JOURNAL_BYTES = Gauge "login_queue_journal_bytes" [""] "Bytes the journal of the line takes on disk";
    JOURNAL_GAPS = Counter "login_queue_journal_gaps" [""] "Times a part of the journal was lost because the disk was too slow or failed";
    STREAMS = Gauge "login_queue_streams" [""] "Streams of the queue API that are open";
    STREAMS_OPENED = Counter "login_queue_streams_opened" [""] "Streams of the queue API opened";
    FRAMES_SERVED = Counter "login_queue_frames_served" [""] "Answers with the queue API's shared frame, unchanged ones too";
    TRANSFERS = Counter "login_queue_transfers" [""] "Places taken on another device";
    SIGN_INS = Counter "sign_ins" ["kind,result"] "Sign-ins by kind of credential and what came of them";
    REFRESHES = Counter "session_refreshes" ["result"] "Refreshes of sessions: renewed, invalid (forged, expired, revoked), reused, refused (account gone or banned), unavailable";
    HASHES_PENDING = Gauge "password_hashes_pending" [""] "Passwords being hashed or waiting for it";
    HASHES_MAX = Gauge "password_hashes_pending_limit" [""] "How many passwords may be hashed or wait for it; more are refused";
    HASHES = Counter "password_hashes" ["result"] "Passwords hashed (done) and refused because the pool was full (refused)";
    IDENTITY_CHECKS = Counter "identity_checks" ["provider,result"] "Proofs checked with identity providers: ok, refused, unavailable";
    IDENTITY_CALLS = Counter "identity_calls" ["provider"] "Requests to identity providers";
    IDENTITY_CALLS_TOOK = Counter "identity_call_seconds" ["provider"] "Time requests to identity providers took together, in seconds";
    IDENTITY_CALL_MAX = Gauge "identity_call_max_seconds" ["provider"] "Longest request to an identity provider since the start, in seconds";
    HOOKS = Counter "hooks" ["event,outcome"] "Hooks called: allowed, refused, unavailable (nobody said, so nothing was done); told afterwards, dropped (given up after five tries, or too much was yet to be told)";
    SOCKETS = Gauge "sessions_online" [""] "Sockets that are open";
    SOCKETS_OPENED = Counter "sessions_opened" [""] "Sockets opened";
    SOCKETS_CLOSED = Counter "sessions_closed" ["reason"] "Sockets closed, by reason";
    FRAMES = Counter "session_frames" ["direction"] "Socket messages in and out";
    PRESENCE_DELIVERED = Counter "presence_delivered" [""] "Presence events delivered to sessions";
    HTTP_ANSWERS = Counter "http_answers" ["class"] "Answers of the HTTP ports, by what they say: `ok`, `client_error` (400 to 499), `server_error` (500 and more)";
    HTTP_CONNECTIONS = Gauge "http_connections" ["port"] "Open connections: players, operators, partners, pragma";
    LOOP_LAG = Gauge "http_loop_lag_seconds" [""] "How late the loop of an HTTP worker was at most in the last fifteen seconds, in seconds";
    COMMITS = Counter "store_commits" [""] "Flushes of the store";
    WRITES = Counter "store_writes" [""] "Changes written to the store";
    COMMITS_TOOK = Counter "store_commit_seconds" [""] "Time flushes of the store took together, in seconds";
    COMMIT_MAX = Gauge "store_commit_max_seconds" [""] "Longest flush since the start, in seconds";
    ACCOUNTS = Gauge "accounts" [""] "Accounts stored";
    AUDIT_RECORDS = Counter "audit_records" [""] "Records written to the audit chain";
    AUDIT_UNRECORDED = Counter "audit_unrecorded" [""] "Records the audit chain did not take: operators' actions among them were not done";
    AUDIT_BEHIND = Gauge "audit_stream_behind" [""] "Records on disk that the audit stream has not told yet; not there: there is no stream";
    BACKUPS = Counter "backups" ["result"] "Backups since the start: made, failed";
    BACKUP_NEWEST = Gauge "backup_newest_timestamp_seconds" [""] "When the newest backup in the folder was begun, in seconds since the epoch; not there: there is none";
    SPANS = Counter "trace_spans" ["result"] "Spans of traces: sent, failed (the collector did not take them), dropped (too many were waiting); not there: nothing is traced";
    MEMORY = Gauge "process_resident_memory_bytes" [""] "Memory the process has, in bytes";
    FILES_OPEN = Gauge "process_open_fds" [""] "Open files and sockets";
    FILES_MAX = Gauge "process_max_fds" [""] "How many files and sockets may be open";
    CERTIFICATE_EXPIRY = Gauge "tls_certificate_expiry_timestamp_seconds" [""] "When the certificate in force lapses, in seconds since the epoch; not there: the server has no TLS";
    CERTIFICATES = Counter "tls_certificates" ["result"] "Certificates found in the files while the server ran: taken, refused (the one before stayed in force)";
    ACME_ORDERS = Counter "tls_acme_orders" ["result"] "Certificates asked of the authority: issued, failed (the log says why; the one before stayed in force)";
    HANDSHAKES_FAILED = Counter "tls_handshakes_failed" [""] "Connections to ports with TLS that never got through the handshake";
    READY = Gauge "ready" [""] "1 while players are served";
}

/// The reference page.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Metrics\n\nAt `/metrics` on the operators' port, in the Prometheus text format. Written from \
         `src/observe/catalogue.rs` by `anteroom config metrics`; a test compares.\n\n\
         | name | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for metric in ALL {
        let (name, kind) = match metric.kind {
            Kind::Gauge => (metric.name.to_owned(), "gauge"),
            Kind::Counter => (format!("{}_total", metric.name), "counter"),
        };
        let line = format!("| `{name}` | {kind} | {} | {} |\n", metric.labels, metric.help);
        page.push_str(&line);
    }
    page
}
