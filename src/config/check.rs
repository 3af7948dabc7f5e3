//! Bounds of every setting, each complaint with the path of the key.

use std::fmt::Display;

use super::identity::{Method, StudioConfig, TokenKind, TokenPlace};
use super::{BackendMode, Config};
use crate::domain::abuse::challenge::BITS_MAX;
use crate::domain::operator::BINDINGS_MAX;
use crate::domain::steering::{CAP_MAX, RATE_MAX};

/// A setting that is out of bounds or contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct Invalid {
    /// Path of the key, e.g. `queue.rate`.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// Checks every setting and the rules between them.
///
/// # Errors
///
/// The first setting that is out of bounds.
pub fn check(config: &Config) -> Result<(), Invalid> {
    queue(config)?;
    nakama(config)?;
    pragma(config)?;
    identity(config)?;
    hooks(config)?;
    operators(config)?;
    let p = &config.passwords;
    within("passwords.memory_kib", p.memory_kib, 8_192, 1_048_576)?;
    within("passwords.iterations", p.iterations, 1, 20)?;
    within("passwords.threads", p.threads, 0, 64)?;
    within("passwords.queue_max", p.queue_max, 1, 100_000)?;
    within("passwords.length_max", p.length_max, 64, 4_096)?;
    let l = &config.limits;
    within("limits.body_max_bytes", l.body_max_bytes, 1_024, 16 << 20)?;
    within("limits.sign_in_per_second", l.sign_in_per_second, 0, 1_000_000)?;
    within("limits.sign_in_burst", l.sign_in_burst, 1, 1_000_000)?;
    within("limits.wrong_passwords_per_minute", l.wrong_passwords_per_minute, 1, 1_000)?;
    within("limits.portal_per_minute", l.portal_per_minute, 0, 1_000_000)?;
    within("limits.enter_per_second", l.enter_per_second, 0, 1_000_000)?;
    within("limits.enter_burst", l.enter_burst, 1, 1_000_000)?;
    within("limits.enter_identity_per_minute", l.enter_identity_per_minute, 0, 1_000_000)?;
    within("limits.poll_per_second", l.poll_per_second, 1, 1_000)?;
    within("limits.callers_max", l.callers_max, 16, 1_000_000)?;
    let s = &config.store;
    within("store.cache_mib", s.cache_mib, 8, 1_048_576)?;
    within("store.commit_wait_us", s.commit_wait_us, 0, 100_000)?;
    within("store.commit_max", s.commit_max, 1, 65_536)?;
    within("backup.every_h", config.backup.every_h, 0, 8_760)?;
    within("backup.keep", config.backup.keep, 1, 10_000)?;
    let t = &config.trace;
    within("trace.sample", t.sample, 0.0, 1.0)?;
    ordered("trace.endpoint", t.is_address(), "must be an http:// or https:// address, or empty")?;
    ordered("trace.service_name", !t.service_name.is_empty(), "must not be empty")?;
    within("server.workers", config.server.workers, 0, 256)?;
    within("server.connections_max", config.server.connections_max, 16, 1_000_000)?;
    within("server.drain_s", config.server.drain_s, 0, 600)?;
    within("server.return_after_s", config.server.return_after_s, 0, 600)?;
    within("server.return_spread_s", config.server.return_spread_s, 0, 3_600)?;
    match config.tls.problem() {
        Some((key, problem)) => ordered(key, false, problem),
        None => Ok(()),
    }
}

fn queue(config: &Config) -> Result<(), Invalid> {
    let q = &config.queue;
    within("queue.rate", q.rate, 0.0, RATE_MAX)?;
    within("queue.burst", q.burst, 0, 10_000)?;
    within("queue.slow_start", q.slow_start, 0.01, 1.0)?;
    within("queue.cap", q.cap, 0, CAP_MAX)?;
    within("queue.line_max", q.line_max, 1, 100_000_000)?;
    within("queue.lease_s", q.lease_s, 30, 86_400)?;
    within("queue.parked_s", q.parked_s, 0, 86_400)?;
    within("queue.pass_ttl_s", q.pass_ttl_s, 5, 86_400)?;
    within("queue.connect_window_s", q.connect_window_s, 1, 3_600)?;
    within("queue.grace_s", q.grace_s, 0, 3_600)?;
    within("queue.server_lease_s", q.server_lease_s, 10, 3_600)?;
    within("queue.settle_s", q.settle_s, 0, 600)?;
    within("queue.amnesty_s", q.amnesty_s, 0, 86_400)?;
    within("queue.poll_budget", q.poll_budget, 10, 1_000_000)?;
    within("queue.poll_min_ms", q.poll_min_ms, 100, 60_000)?;
    within("queue.poll_max_ms", q.poll_max_ms, 1_000, 3_600_000)?;
    within("queue.seconds_to_login", q.seconds_to_login, 0, 600)?;
    within("queue.party_max", q.party_max, 1, 16)?;
    within("queue.party_join_s", q.party_join_s, 0, 86_400)?;
    within("queue.grace_share", q.grace_share, 0.0, 1.0)?;
    for weight in q.lane_weights {
        within("queue.lane_weights", weight, 1, 1_000)?;
    }
    within("queue.snapshot_s", q.snapshot_s, 1, 300)?;
    within("queue.journal_mb", q.journal_mb, 0, 1_000_000)?;
    within("queue.journal_hours", q.journal_hours, 1, 8_760)?;
    for (key, cost) in [
        ("queue.cost_known", q.cost_known),
        ("queue.cost_password", q.cost_password),
        ("queue.cost_new_account", q.cost_new_account),
        ("queue.cost_refresh", q.cost_refresh),
    ] {
        within(key, cost, 0.0, 100.0)?;
    }
    within("queue.mass_drop_share", q.mass_drop_share, 0.0, 1.0)?;
    within("queue.mass_drop_hold_s", q.mass_drop_hold_s, 0, 3_600)?;
    within("queue.mass_drop_returns_per_s", q.mass_drop_returns_per_s, 1, 100_000)?;
    within("queue.adaptive.target_ms", q.adaptive.target_ms, 20, 60_000)?;
    within("queue.adaptive.floor_share", q.adaptive.floor_share, 0.01, 1.0)?;
    within("queue.adaptive.hold_share", q.adaptive.hold_share, 0.01, 1.0)?;
    within("queue.adaptive.hold_failures", q.adaptive.hold_failures, 1, 1_000_000)?;
    if let Some((key, problem)) = q.opening.problem() {
        ordered(key, false, problem)?;
    }
    within("queue.abuse.attack_per_second", q.abuse.attack_per_second, 0, 1_000_000)?;
    within("queue.abuse.bits_min", q.abuse.bits_min, 0, BITS_MAX)?;
    within("queue.abuse.bits_max", q.abuse.bits_max, q.abuse.bits_min, BITS_MAX)?;
    within("queue.abuse.suspect_no_shows", q.abuse.suspect_no_shows, 10, 1_000_000)?;
    within("queue.abuse.prefix_per_second", q.abuse.prefix_per_second, 0, 1_000_000)?;
    within("queue.frame_budget", q.frame_budget, 1, 1_000_000)?;
    within("queue.streams_max", q.streams_max, 0, 1_000_000)?;
    within("queue.stream_from_s", q.stream_from_s, 0, 86_400)?;
    ordered("queue.poll_min_ms", q.poll_min_ms <= q.poll_max_ms, "must not exceed poll_max_ms")
}

fn nakama(config: &Config) -> Result<(), Invalid> {
    let n = &config.nakama;
    within("nakama.token_expiry_s", n.token_expiry_s, 1, 86_400)?;
    within("nakama.refresh_expiry_s", n.refresh_expiry_s, 1, 31_536_000)?;
    within("nakama.devices_max", n.devices_max, 1, 1_000)?;
    within("nakama.message_max_bytes", n.message_max_bytes, 256, 1 << 20)?;
    within("nakama.ping_period_ms", n.ping_period_ms, 1_000, 600_000)?;
    within("nakama.pong_wait_ms", n.pong_wait_ms, 2_000, 3_600_000)?;
    within("nakama.outbox_messages", n.outbox_messages, 1, 10_000)?;
    within("nakama.outbox_bytes", n.outbox_bytes, 1_024, 16 << 20)?;
    within("nakama.follows_max", n.follows_max, 1, 100_000)?;
    within("nakama.sockets_per_account", n.sockets_per_account, 1, 1_000)?;
    within("nakama.friends_max", n.friends_max, 10, 100_000)?;
    within("nakama.notifications_max", n.notifications_max, 1, 10_000)?;
    within("nakama.refresh_retry_s", n.refresh_retry_s, 60, 86_400)?;
    within("nakama.socket_outlives_token_s", n.socket_outlives_token_s, 0, 86_400)?;
    within("nakama.messages_per_second", n.messages_per_second, 1, 10_000)?;
    for header in &n.response_headers {
        ordered("nakama.response_headers", is_header(header), "must be \"name=value\" each")?;
    }
    ordered(
        "nakama.ping_period_ms",
        n.ping_period_ms < n.pong_wait_ms,
        "must be shorter than pong_wait_ms",
    )
}

/// Whether a text is a header's name and value as HTTP allows them (RFC 9110 §5.1, §5.5).
fn is_header(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    text.split_once('=').is_some_and(|(name, value)| {
        !name.is_empty()
            && name.bytes().all(token)
            && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    })
}

fn pragma(config: &Config) -> Result<(), Invalid> {
    let p = &config.pragma;
    within("pragma.player_token_min", p.player_token_min, 1, 525_600)?;
    within("pragma.operator_token_min", p.operator_token_min, 1, 525_600)?;
    within("pragma.player_refresh_min", p.player_refresh_min, 1, 525_600)?;
    within("pragma.player_refresh_variance_min", p.player_refresh_variance_min, 0, 60)?;
    within("pragma.operator_token_min", p.operator_token_min, 1, 525_600)?;
    within("pragma.partner_token_h", p.partner_token_h, 1, 876_000)?;
    ordered("pragma.shards", p.shards.len() <= 1_000, "must be 1000 at most")?;
    for entry in &p.bootstrap_admins {
        let parts = entry.split_once(':');
        let is_whole = parts.is_some_and(|(provider, who)| !provider.is_empty() && !who.is_empty());
        ordered("pragma.bootstrap_admins", is_whole, "must be \"PROVIDER:account id\" each")?;
    }
    within("pragma.idle_timeout_s", p.idle_timeout_s, 5, 3_600)?;
    within("pragma.display_name_min", p.display_name_min, 1, 128)?;
    within("pragma.display_name_max", p.display_name_max, 1, 128)?;
    within("pragma.display_name_cooldown_days", p.display_name_cooldown_days, 0, 3_650)?;
    for options in p.providers.values() {
        let days = options.linking_cooldown_days;
        within("pragma.providers: linking_cooldown_days", days, 0, 3_650)?;
    }
    ordered(
        "pragma.providers",
        p.providers.keys().all(|name| name.chars().all(|letter| !letter.is_ascii_uppercase())),
        "are named in lower case",
    )?;
    ordered(
        "pragma.display_name_min",
        p.display_name_min <= p.display_name_max,
        "must not exceed display_name_max",
    )?;
    within("pragma.reconnect_grace_s", p.reconnect_grace_s, 0, 3_600)?;
    within("pragma.message_max_bytes", p.message_max_bytes, 1_024, 16 << 20)?;
    within("pragma.invites_sent_max", p.invites_sent_max, 1, 100_000)?;
    within("pragma.invites_received_max", p.invites_received_max, 1, 100_000)?;
    ordered(
        "pragma.player_refresh_variance_min",
        p.player_refresh_variance_min < p.player_refresh_min,
        "must be shorter than player_refresh_min",
    )?;
    let production = p.backend_mode == BackendMode::Production && !config.dev;
    ordered(
        "pragma.login_queue_bypass",
        !(production && p.login_queue_bypass && !p.bypass_in_production),
        "lets everybody in without a pass: in PRODUCTION it also needs bypass_in_production = true",
    )
}

fn identity(config: &Config) -> Result<(), Invalid> {
    let i = &config.identity;
    within("identity.timeout_ms", i.timeout_ms, 50, 60_000)?;
    within("identity.response_max_bytes", i.response_max_bytes, 1_024, 16 << 20)?;
    within("identity.concurrency", i.concurrency, 1, 10_000)?;
    within("identity.leeway_s", i.leeway_s, 0, 300)?;
    within("identity.remember_s", i.remember_s, 0, 3_600)?;
    within("identity.remember_max", i.remember_max, 1, 1_000_000)?;
    let instant = &i.facebook_instant_game;
    within("identity.facebook_instant_game.max_age_s", instant.max_age_s, 0, 31_536_000)?;
    within("identity.gamecenter.max_age_s", i.gamecenter.max_age_s, 1, 86_400)?;
    // Nothing says for whom their access tokens are, so those prove nobody.
    for (key, kind) in [
        ("identity.apple.token_kind", i.apple.token_kind),
        ("identity.googleworkspace.token_kind", i.googleworkspace.token_kind),
        ("identity.okta.token_kind", i.okta.token_kind),
        ("identity.auth0.token_kind", i.auth0.token_kind),
    ] {
        ordered(key, kind != TokenKind::AccessToken, "must not be access_token")?;
    }
    ordered(
        "identity.discord.token_kind",
        i.discord.token_kind != TokenKind::IdToken,
        "must not be id_token: Discord's are not read",
    )?;
    i.studio.iter().try_for_each(studio_provider)
}

fn operators(config: &Config) -> Result<(), Invalid> {
    let o = &config.operators;
    within("operators.session_h", o.session_h, 1, 168)?;
    within("operators.idle_min", o.idle_min, 1, 1_440)?;
    ordered("operators.providers", o.providers.len() <= BINDINGS_MAX, "must be 8 at most")?;
    let offered = o.offered(&config.identity);
    offered.map(drop).map_err(|problem| Invalid { key: "operators.providers", problem })
}

fn hooks(config: &Config) -> Result<(), Invalid> {
    let h = &config.hooks;
    within("hooks.timeout_ms", h.timeout_ms, 50, 3_000)?;
    within("hooks.concurrency", h.concurrency, 1, 10_000)?;
    // Whoever lists events relies on somebody being asked.
    ordered("hooks.events", h.events.is_empty() || !h.url.is_empty(), "need hooks.url")
}

/// Bounds of one of the studio's own; its number and name are checked where all are known
/// ([`crate::identity::SetupError`]).
fn studio_provider(studio: &StudioConfig) -> Result<(), Invalid> {
    let says = |holds: bool, problem: &str| {
        ordered("identity.studio", holds, &format!("{}: {problem}", studio.name))
    };
    says(studio.oidc.is_some() != studio.http.is_some(), "must have either oidc or http")?;
    let fits = studio.separator.len() <= 4 && !studio.separator.contains(char::is_control);
    says(fits, "separator must be at most 4 bytes")?;
    if let Some(oidc) = &studio.oidc {
        let takes = oidc.token_kind != TokenKind::AccessToken;
        says(takes, "oidc.token_kind must not be access_token")?;
        says(!oidc.algorithms.is_empty(), "oidc.algorithms must name one")?;
    }
    if let Some(http) = &studio.http {
        says((50..=60_000).contains(&http.timeout_ms), "http.timeout_ms must be 50 to 60000")?;
        let has_body = http.token_in != TokenPlace::Body || http.method == Method::Post;
        says(has_body, "http.token_in = \"body\" needs method POST")?;
        says(!http.token_name.is_empty(), "http.token_name must not be empty")?;
        let pointers = [&http.display_name_pointer, &http.discriminator_pointer];
        let is_pointer = |pointer: &&String| pointer.is_empty() || pointer.starts_with('/');
        says(pointers.iter().all(is_pointer), "pointers begin with /")?;
        let points = http.account_id_pointer.starts_with('/');
        says(points, "http.account_id_pointer must begin with /")?;
    }
    Ok(())
}

fn within<T: PartialOrd + Display + Copy>(
    key: &'static str,
    value: T,
    low: T,
    high: T,
) -> Result<(), Invalid> {
    if value >= low && value <= high {
        return Ok(());
    }
    Err(Invalid { key, problem: format!("must be {low} to {high}, not {value}") })
}

fn ordered(key: &'static str, holds: bool, problem: &str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid { key, problem: problem.to_owned() }) }
}
