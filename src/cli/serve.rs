//! `anteroom serve`: from settings to a running server, until a signal.

use std::io::Write as _;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use actix_rt::signal::unix::{Signal, SignalKind, signal};

use super::{UNUSABLE, fail};
use crate::clock::Clock;
use crate::config::tls::Ports;
use crate::config::{Overrides, from_here, load};
use crate::ids::Dice;
use crate::observe::logging;
use crate::observe::supervisor::{Supervisor, watchdog};
use crate::server::{Bound, Dials, bind};

pub(super) fn run(overrides: &Overrides) -> ExitCode {
    let config = match load(overrides) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    if let Err(error) = logging::start(&config.log) {
        return fail(&format!("settings: log.level: {error}"), UNUSABLE);
    }
    let dice = match Dice::machine() {
        Ok(dice) => dice,
        Err(error) => return fail(&format!("no randomness from the system: {error}"), 1),
    };
    actix_rt::System::new().block_on(async {
        let bound = match Box::pin(bind(config, Clock::machine(), dice)).await {
            Ok(bound) => bound,
            Err(error) => return fail(&error, if error.is_unusable() { UNUSABLE } else { 1 }),
        };
        // Before anybody is told that the server is there: a signal must never find no handler.
        let (stop, hangup) = match (stop_signal(), signal(SignalKind::hangup())) {
            (Ok(stop), Ok(hangup)) => (stop, hangup),
            (Err(error), _) | (_, Err(error)) => return fail(&format!("signals: {error}"), 1),
        };
        announce(&bound);
        reload_on_hangup(hangup, bound.dials());
        let supervisor = Rc::new(Supervisor::of_environment());
        supervisor.ready();
        if let Some(within) = watchdog() {
            actix_rt::spawn(say_alive(Rc::clone(&supervisor), within / 4, bound.dials()));
        }
        let stop = async move {
            stop.await;
            supervisor.stopping();
        };
        match bound.run(stop).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 1),
        }
    })
}

/// What a person wants to know when the server has started; also read by scripts.
fn announce(bound: &Bound) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading; the server runs all the same.
    drop(out.write_all(announcement(bound).as_bytes()).and_then(|()| out.flush()));
}

fn announcement(bound: &Bound) -> String {
    let (players, operators) = (bound.player_address(), bound.operators_address());
    let grpc = bound.grpc_address();
    let scheme = |ports| if bound.config().tls.serves(ports) { "https" } else { "http" };
    let (web, for_grpc) = (scheme(Ports::Players), scheme(Ports::Grpc));
    let for_operators = scheme(Ports::Operators);
    let host = from_here(players);
    let ready = format!(
        "anteroom is ready: players {web}://{players}, gRPC {for_grpc}://{grpc}, operators {for_operators}://{operators}\n"
    );
    let more = if bound.config().dev {
        format!(
            "  --dev: server key `defaultkey`, UNSAFE sign-in, test01 to test20. Never in production.\n  \
             try it in a browser: {web}://{host}/\n"
        )
    } else if let Some(server_key) = bound.new_server_key() {
        format!(
            "  first run: secrets are in {}\n  \
             server key for your clients, shown this once: {server_key}\n  \
             curl -u '{server_key}:' {web}://{host}/v2/account/authenticate/device -d '{{\"id\":\"my-first-device\"}}'\n",
            bound.config().server.data.join("secrets.toml").display()
        )
    } else {
        String::new()
    };
    ready + &more + &first_operator(bound)
}

/// How the first operator is made, while there is none.
fn first_operator(bound: &Bound) -> String {
    let Some(code) = bound.new_setup_code() else { return String::new() };
    let operators = from_here(bound.operators_address());
    let is_tls = bound.config().tls.serves(Ports::Operators);
    let scheme = if is_tls { "https" } else { "http" };
    format!(
        "  no operator yet: open {scheme}://{operators}/#/setup?code={code}\n  \
         setup code, good once and for 15 minutes: {code}\n"
    )
}

/// Resolves on the first SIGTERM or SIGINT; the second ends the process at once. The handlers are
/// in place when this returns.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping; a second signal stops at once");
        actix_rt::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            std::process::exit(1);
        });
    })
}

/// Lets the supervisor hear that the line still answers: a server whose line is stuck serves nobody.
async fn say_alive(supervisor: Rc<Supervisor>, every: Duration, dials: Dials) {
    loop {
        if dials.figures().await.is_ok() {
            supervisor.alive();
        }
        actix_rt::time::sleep(every).await;
    }
}

/// SIGHUP reads the settings again and applies what can change live. Settings that cannot be used
/// change nothing.
fn reload_on_hangup(mut hangup: Signal, dials: Dials) {
    actix_rt::spawn(async move {
        while hangup.recv().await.is_some() {
            if let Err(error) = dials.reload().await {
                tracing::error!(%error, "settings were not reloaded");
            }
        }
    });
}
