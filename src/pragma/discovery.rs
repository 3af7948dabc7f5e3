//! What a client asks before it has a token (protocol-pragma §1.3), and the gateway to pin to.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::HOST;
use serde_json::json;

use super::{App, Fault, Siblings, bearer, json as answer};
use crate::config::PragmaConfig;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `GET /v1/info`: where the backends are for the type of session this port serves. Both are this
/// server.
pub(super) fn info(app: &App, request: &HttpRequest) -> HttpResponse {
    let config = &app.config.pragma;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let is_tls = app.is_by_tls();
    let (host, port) = place(config, is_tls, host, request.app_config().local_addr());
    let own = |port_of: fn(&Siblings) -> u16| match &app.siblings {
        Some(siblings) if config.public_port == 0 => port_of(siblings),
        _ => port,
    };
    let (http, socket) = if is_tls { ("https", "wss") } else { ("http", "ws") };
    let social_host = Some(&config.public_social_host).filter(|host| !host.is_empty());
    let social_host = social_host.unwrap_or(&host);
    let (social_port, game_port) = (own(|it| it.social), own(|it| it.game));
    let backend = |host: &str, port: u16| json!({"host": host, "port": port, "protocol": http, "webSocketProtocol": socket});
    answer(
        json!({
            "name": config.name,
            "platformVersion": VERSION,
            "version": VERSION,
            "backendMode": config.backend_mode,
            "authenticateBackend": {"host": social_host, "port": social_port,
                "protocol": http, "scheme": http},
            "socialBackend": backend(social_host, social_port),
            "gameBackend": backend(&host, game_port),
            "gameShardId": config.game_shard,
        })
        .to_string(),
    )
}

/// The host and port to give: what is configured; else what the client itself asked for, since
/// that is known to work for it; else the address the request came to.
fn place(
    config: &PragmaConfig,
    is_tls: bool,
    asked: Option<&str>,
    local: std::net::SocketAddr,
) -> (String, u16) {
    let authority = asked.and_then(|host| host.parse::<actix_web::http::uri::Authority>().ok());
    let by_scheme = if is_tls { 443 } else { 80 };
    let (mut host, mut port) = match &authority {
        Some(authority) => (authority.host().to_owned(), authority.port_u16().unwrap_or(by_scheme)),
        None => (local.ip().to_string(), local.port()),
    };
    if !config.public_host.is_empty() {
        host.clone_from(&config.public_host);
    }
    if config.public_port != 0 {
        port = config.public_port;
    }
    (host, port)
}

/// `GET /v1/healthcheck`.
pub(super) fn healthcheck(app: &App) -> HttpResponse {
    answer(
        json!({
            "isHealthy": true,
            "version": VERSION,
            "platformVersion": VERSION,
            "portalVersion": VERSION,
            "contentVersion": VERSION,
            "configVersion": VERSION,
            "launchTimeUnixMillis": app.started_at.as_millis(),
        })
        .to_string(),
    )
}

/// `GET /v1/gateway`: the node to pin to. There is one.
pub(super) fn gateway(app: &App, request: &HttpRequest) -> Result<HttpResponse, Fault> {
    bearer::check(app, request.headers())?;
    Ok(answer(r#"{"gateway":"0"}"#))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_sent_where_they_came_from_unless_told_otherwise() {
        let local = std::net::SocketAddr::from(([10, 0, 0, 5], 7350));
        let plain = PragmaConfig::default();
        assert_eq!(place(&plain, false, Some("game.test:9000"), local), ("game.test".into(), 9000));
        assert_eq!(place(&plain, false, Some("game.test"), local), ("game.test".into(), 80));
        assert_eq!(place(&plain, false, Some("[::1]:9000"), local), ("[::1]".into(), 9000));
        assert_eq!(place(&plain, false, None, local), ("10.0.0.5".into(), 7350));
        assert_eq!(place(&plain, false, Some("a b\"c"), local), ("10.0.0.5".into(), 7350));
        assert_eq!(place(&plain, true, Some("game.test"), local), ("game.test".into(), 443));
        let set = PragmaConfig {
            public_host: "play.example".into(),
            public_port: 443,
            ..PragmaConfig::default()
        };
        assert_eq!(place(&set, false, Some("x:1"), local), ("play.example".into(), 443));
    }
}
