//! Asks whom the server relies on: identity providers, and the time elsewhere.

use std::time::Duration;

use reqwest::header::DATE;

use crate::cli::operator::{Operator, OperatorArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::tls::Ports;
use crate::domain::checkup::{self, Finding, Seen};
use crate::identity::{DryCall, Providers};
use crate::ids::Dice;

/// How long somebody may take to tell the time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that is asked for over the network.
pub(super) fn look(config: &Config, clock: &Clock) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Ok(runtime), Ok(dice)) = (runtime, Dice::machine()) else { return Vec::new() };
    let providers = match Providers::new(&config.identity, clock.clone(), &dice, Vec::new()) {
        Ok(providers) => providers,
        Err(error) => {
            let advice = "the server does not start with these settings";
            return vec![Finding::failed("identity providers", error.to_string(), advice)];
        }
    };
    runtime.block_on(async {
        let calls = providers.dry_calls().await;
        let mut findings = vec![time(config, clock, &calls).await];
        for DryCall { provider, answer } in calls {
            let answer = answer.map(|answer| answer.map_err(|error| error.to_string()));
            findings.push(checkup::provider(&provider, answer));
        }
        findings
    })
}

/// Goes in by the public address and asks whom the server saw.
pub(super) fn round_trip(config: &Config, operator: &OperatorArgs) -> Finding {
    let check = "round trip by the public address";
    let pragma = &config.pragma;
    if pragma.public_host.is_empty() {
        return Finding::ok(check, "not checked: pragma.public_host is not set");
    }
    let operator = match Operator::new(operator, config.operators_url(), PATIENCE) {
        Ok(operator) => operator,
        Err(error) => return Finding::ok(check, format!("not checked: {error}")),
    };
    let begun = match operator.ask(reqwest::Method::POST, "/round-trips", None) {
        Ok(begun) => begun,
        Err(error) => return Finding::ok(check, format!("not checked: {error}")),
    };
    let id = begun["id"].as_str().unwrap_or_default();
    let is_tls = config.is_by_tls(Ports::Players);
    let scheme = if is_tls { "https" } else { "http" };
    let port = match pragma.public_port {
        0 => config.server.listen.port(),
        port => port,
    };
    let url = format!("{scheme}://{}:{port}/v1/round-trip/{id}", pragma.public_host);
    let came = operator.visit(&url).map_err(|error| error.to_string()).map(|()| {
        let seen = operator.ask(reqwest::Method::GET, &format!("/round-trips/{id}"), None).ok()?;
        let ip = |name: &str| seen[name].as_str()?.parse().ok();
        Some(Seen { peer: ip("peer")?, client: ip("client")? })
    });
    // TLS that ends here needs no proxy.
    checkup::round_trip(came, pragma.public_tls && !config.tls.serves(Ports::Players))
}

/// How far the clock is off the first that tells its time.
async fn time(config: &Config, clock: &Clock, calls: &[DryCall]) -> Finding {
    for url in hosts(config, calls) {
        if let Some(theirs_s) = date(&url).await {
            let ours_s = i64::try_from(clock.now().as_secs()).unwrap_or_default();
            let host = url.host_str().unwrap_or_default().to_owned();
            return checkup::clock(Some(ours_s - theirs_s), &host);
        }
    }
    checkup::clock(None, "")
}

/// Addresses the settings name: of the providers that answered, of the beacon and of hooks.
fn hosts(config: &Config, calls: &[DryCall]) -> Vec<reqwest::Url> {
    let sections = serde_json::to_value(&config.identity).unwrap_or_default();
    let answered = calls.iter().filter(|call| call.answer == Some(Ok(())));
    let of_providers = answered.filter_map(|call| {
        let section = sections.get(&call.provider)?.as_object()?;
        section.values().filter_map(|value| value.as_str()).find(|text| text.starts_with("http"))
    });
    let others = [config.queue.opening.beacon_url.as_str(), config.hooks.url.as_str()];
    of_providers.chain(others).filter_map(|url| reqwest::Url::parse(url).ok()).collect()
}

/// When it is there, in seconds since the epoch.
async fn date(url: &reqwest::Url) -> Option<i64> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .ok()?;
    let root = url.join("/").ok()?;
    let answer = client.head(root).send().await.ok()?;
    let date = httpdate::parse_http_date(answer.headers().get(DATE)?.to_str().ok()?).ok()?;
    let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}
