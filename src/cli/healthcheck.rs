//! `anteroom healthcheck`: whether the server of these settings serves players. For containers, which have
//! no other program to ask with.

use std::process::ExitCode;
use std::time::Duration;

use super::operator::words;
use super::{ServeArgs, UNUSABLE, fail};
use crate::config::{Config, load};

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn run(args: &ServeArgs) -> ExitCode {
    let config = match load(&args.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    match ask(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => fail(&problem, 1),
    }
}

fn ask(config: &Config) -> Result<(), String> {
    // A port of this machine, whose certificate is for another name: nothing secret is said or heard, and
    // no roots are needed.
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .tls_certs_only([])
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(|error| words(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let url = url(config);
    let answer = runtime.block_on(async { client.get(&url).send().await });
    let answer = answer.map_err(|error| format!("{url}: {}", words(&error)))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(format!("{url}: {status}")),
    }
}

/// Where operators ask on this machine whether the server is ready.
fn url(config: &Config) -> String {
    format!("{}/readyz", config.operators_url())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tls::Ports;

    #[test]
    fn the_port_is_asked_on_this_machine() {
        let mut config = Config::default();
        assert_eq!(url(&config), "http://127.0.0.1:7351/readyz");
        config.server.operators = Some("[::]:9".parse().unwrap());
        config.tls.certificate = "c.pem".into();
        config.tls.listeners = vec![Ports::Operators];
        assert_eq!(url(&config), "https://[::1]:9/readyz");
    }
}
