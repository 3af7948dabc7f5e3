//! What a call costs over real HTTP, beside a bare actix-web JSON POST in the same run.
//!
//! Budgets (issue 2): `checkticketv1` with 1M waiting ≥ 85 % of the bare POST's requests/s and
//! ≤ 1.4 × its CPU; device sign-in ≤ 2.5 × its CPU; new accounts, durable, ≥ 10,000/s and ≤ 130 µs;
//! start with 1M accounts and 1M tickets ≤ 1 s.
//!
//! Budgets (issue 3): sign-in by device or custom id, `GET /v2/account` and refresh ≤ 2.5 × the bare
//! POST's CPU; gRPC within 1.5 × of REST;
//! link and unlink, durable, ≥ 10,000/s and ≤ 100 µs; 19,000 sockets with a status ≤ 8 kB and
//! ≤ 60 µs a connect; a status to 1,000 followers ≤ 3 µs an event in bursts, ≤ 12 µs single.
//!
//! `cargo bench --bench http` runs everything; `-- NAME…` some of: polls, sign-in, calls, grpc,
//! links, sockets, accounts, start.
//! Budgets (issue 5): with 1M waiting and 500 admissions a second ≤ 2,000 requests/s by the frame and
//! ≤ 20,000 by polling; 10M waiting ≤ 400 MB in all (`-- waiting`, `-- memory`: only when named).
//!
//! Budgets (issue 6): p99 of sign-ins while 1M accounts are backed up ≤ 2 × (`-- backup`).
//!
//! `SCALE=0.1` makes the crowds ten times smaller. The server is a process of its own; its CPU time
//! is read from /proc.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measurement: it reads the clock, rounds, and has nobody to answer to when it fails"
)]

mod backups;
mod bare;
mod child;
mod grpc;
mod load;
mod nakama;
mod scenes;
mod sockets;
mod streams;
mod waiting;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == "bare-server") {
        return bare::serve();
    }
    let wanted = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    if wanted("polls") {
        scenes::polls();
    }
    if wanted("sign-in") {
        scenes::sign_in();
    }
    if wanted("calls") {
        nakama::calls();
    }
    if wanted("links") {
        nakama::links();
    }
    if wanted("grpc") {
        grpc::grpc();
    }
    if wanted("sockets") {
        sockets::sockets();
    }
    if wanted("accounts") {
        scenes::accounts();
    }
    // Minutes each, so only when they are asked for.
    if args.iter().any(|arg| arg == "waiting") {
        waiting::waiting();
    }
    if args.iter().any(|arg| arg == "memory") {
        waiting::memory();
    }
    if args.iter().any(|arg| arg == "backup") {
        backups::backups();
    }
    if wanted("start") {
        scenes::start();
    }
}
