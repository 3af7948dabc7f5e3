//! The scenes of Nakama's calls: what a known player's calls cost beside a bare POST, and linking.

use super::child::Server;
use super::load::{Plan, get, post};
use super::scenes::{KEY, OPEN, beside_bare, device, field, measure, scaled};

/// Sign-in by device and custom id, the account, a refresh: each beside the bare POST.
pub fn calls() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &OPEN);
    let accounts = scaled(20_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 1 };
    let (_, made) = measure("new account by device", &server, &plan);
    let sessions: Vec<(String, String)> = made
        .bodies
        .iter()
        .map(|body| (field(body, "token"), field(body, "refresh_token")))
        .collect();
    let link = |n: u64| {
        let (token, _) = &sessions[n as usize];
        let bearer = format!("Authorization: Bearer {token}\r\n");
        post("/v2/account/link/custom", &bearer, &format!("{{\"id\":\"bench-custom-{n:010}\"}}"))
    };
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &link, keep_every: 0 };
    measure("link/custom", &server, &plan);

    let any = |n: u64| (n * 7919) % accounts;
    let bare = "{\"token\":\"bench-device-0000000001\"}";
    let requests = scaled(200_000);
    beside_bare("device sign-in", &server, requests, &|n| device(any(n)), bare);
    let custom = |n: u64| {
        let body = format!("{{\"id\":\"bench-custom-{:010}\"}}", any(n));
        post("/v2/account/authenticate/custom", KEY, &body)
    };
    beside_bare("custom sign-in", &server, requests, &custom, bare);
    let account = |n: u64| {
        let (token, _) = &sessions[any(n) as usize];
        get("/v2/account", &format!("Authorization: Bearer {token}\r\n"))
    };
    beside_bare("GET /v2/account", &server, requests, &account, bare);
    let refresh = |n: u64| {
        let (_, token) = &sessions[any(n) as usize];
        post("/v2/account/session/refresh", KEY, &format!("{{\"token\":\"{token}\"}}"))
    };
    beside_bare("session/refresh", &server, requests, &refresh, bare);
}

/// Links and unlinks, durable before the answer, 128 in flight.
pub fn links() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::anteroom(folder.path(), &OPEN);
    let accounts = scaled(50_000);
    let plan =
        Plan { at: server.at, connections: 128, requests: accounts, make: &device, keep_every: 1 };
    let (_, made) = measure("new account by device", &server, &plan);
    let tokens: Vec<String> = made.bodies.iter().map(|body| field(body, "token")).collect();
    let call = |path: &'static str, round: u64, n: u64| {
        let bearer = format!("Authorization: Bearer {}\r\n", tokens[n as usize]);
        post(path, &bearer, &format!("{{\"id\":\"bench-custom-{round}-{n:010}\"}}"))
    };
    for round in 0..3 {
        for (name, path) in [
            ("link/custom", "/v2/account/link/custom"),
            ("unlink/custom", "/v2/account/unlink/custom"),
        ] {
            let request = |n: u64| call(path, round, n);
            let (at, requests) = (server.at, accounts);
            let plan = Plan { at, connections: 128, requests, make: &request, keep_every: 0 };
            measure(name, &server, &plan);
        }
    }
}
