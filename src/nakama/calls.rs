//! Which method and path is which call (protocol-nakama §0.8).

use actix_http::Method;

use super::errors::Failure;
use crate::domain::account::LinkKind;

/// A call that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `GET /healthcheck`
    Health,
    /// `POST /v2/account/authenticate/...`
    Authenticate(LinkKind),
    /// `POST /v2/account/session/refresh`
    Refresh,
    /// `POST /v2/session/logout`
    Logout,
    /// `GET /v2/account`
    Account,
    /// `POST /v2/account/link/...`
    Link(LinkKind),
    /// `POST /v2/account/unlink/...`
    Unlink(LinkKind),
}

/// Finds the call. A known path with an unknown method is 501, as is a call of Nakama's that is
/// not offered here; anything else is 404 (§0.4).
///
/// # Errors
///
/// [`Failure::wrong_method`], [`Failure::not_built`], [`Failure::unknown_path`]
pub fn find(method: &Method, path: &str) -> Result<Call, Failure> {
    let offered = match path {
        "/healthcheck" => (Method::GET, Call::Health),
        "/v2/account" if *method == Method::GET => return Ok(Call::Account),
        "/v2/account/session/refresh" => (Method::POST, Call::Refresh),
        "/v2/session/logout" => (Method::POST, Call::Logout),
        "/v2/account/authenticate/device" => (Method::POST, Call::Authenticate(LinkKind::Device)),
        "/v2/account/authenticate/custom" => (Method::POST, Call::Authenticate(LinkKind::Custom)),
        "/v2/account/authenticate/email" => (Method::POST, Call::Authenticate(LinkKind::Email)),
        "/v2/account/link/device" => (Method::POST, Call::Link(LinkKind::Device)),
        "/v2/account/link/custom" => (Method::POST, Call::Link(LinkKind::Custom)),
        "/v2/account/link/email" => (Method::POST, Call::Link(LinkKind::Email)),
        "/v2/account/unlink/device" => (Method::POST, Call::Unlink(LinkKind::Device)),
        "/v2/account/unlink/custom" => (Method::POST, Call::Unlink(LinkKind::Custom)),
        "/v2/account/unlink/email" => (Method::POST, Call::Unlink(LinkKind::Email)),
        _ => return Err(not_offered(method, path)),
    };
    if *method == offered.0 { Ok(offered.1) } else { Err(Failure::wrong_method()) }
}

/// The rest of Nakama's client API. `*` stands for one segment that is not empty.
const NOT_BUILT: &[(&str, &str)] = &[
    ("PUT DELETE", "/v2/account"),
    ("POST", "/v2/account/authenticate/apple"),
    ("POST", "/v2/account/authenticate/facebook"),
    ("POST", "/v2/account/authenticate/facebookinstantgame"),
    ("POST", "/v2/account/authenticate/gamecenter"),
    ("POST", "/v2/account/authenticate/google"),
    ("POST", "/v2/account/authenticate/steam"),
    ("POST", "/v2/account/link/apple"),
    ("POST", "/v2/account/link/facebook"),
    ("POST", "/v2/account/link/facebookinstantgame"),
    ("POST", "/v2/account/link/gamecenter"),
    ("POST", "/v2/account/link/google"),
    ("POST", "/v2/account/link/steam"),
    ("POST", "/v2/account/unlink/apple"),
    ("POST", "/v2/account/unlink/facebook"),
    ("POST", "/v2/account/unlink/facebookinstantgame"),
    ("POST", "/v2/account/unlink/gamecenter"),
    ("POST", "/v2/account/unlink/google"),
    ("POST", "/v2/account/unlink/steam"),
    ("GET", "/v2/user"),
    ("GET POST DELETE", "/v2/friend"),
    ("GET", "/v2/friend/friends"),
    ("POST", "/v2/friend/block"),
    ("POST", "/v2/friend/facebook"),
    ("POST", "/v2/friend/steam"),
    ("GET DELETE", "/v2/notification"),
    ("GET", "/v2/channel/*"),
    ("POST", "/v2/event"),
    ("GET POST", "/v2/group"),
    ("PUT DELETE", "/v2/group/*"),
    ("POST", "/v2/group/*/add"),
    ("POST", "/v2/group/*/ban"),
    ("POST", "/v2/group/*/demote"),
    ("POST", "/v2/group/*/join"),
    ("POST", "/v2/group/*/kick"),
    ("POST", "/v2/group/*/leave"),
    ("POST", "/v2/group/*/promote"),
    ("GET", "/v2/group/*/user"),
    ("GET", "/v2/user/*/group"),
    ("POST", "/v2/iap/purchase/apple"),
    ("POST", "/v2/iap/purchase/facebookinstant"),
    ("POST", "/v2/iap/purchase/google"),
    ("POST", "/v2/iap/purchase/huawei"),
    ("POST", "/v2/iap/purchase/samsung"),
    ("POST", "/v2/iap/subscription"),
    ("POST", "/v2/iap/subscription/apple"),
    ("POST", "/v2/iap/subscription/google"),
    ("GET", "/v2/iap/subscription/*"),
    ("GET POST DELETE", "/v2/leaderboard/*"),
    ("GET", "/v2/leaderboard/*/owner/*"),
    ("GET", "/v2/match"),
    ("GET", "/v2/matchmaker/stats"),
    ("GET", "/v2/party"),
    ("GET POST", "/v2/rpc/*"),
    ("POST PUT", "/v2/storage"),
    ("PUT", "/v2/storage/delete"),
    ("GET", "/v2/storage/*"),
    ("GET", "/v2/storage/*/*"),
    ("GET", "/v2/tournament"),
    ("GET POST PUT DELETE", "/v2/tournament/*"),
    ("GET", "/v2/tournament/*/owner/*"),
    ("POST", "/v2/tournament/*/join"),
];

fn not_offered(method: &Method, path: &str) -> Failure {
    let mut known = false;
    for (methods, pattern) in NOT_BUILT {
        if matches(pattern, path) {
            if methods.split(' ').any(|name| name == method.as_str()) {
                return Failure::not_built();
            }
            known = true;
        }
    }
    if known { Failure::wrong_method() } else { Failure::unknown_path() }
}

fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    pattern.split('/').all(|wanted| {
        segments.next().is_some_and(|found| match wanted {
            "*" => !found.is_empty(),
            _ => wanted == found,
        })
    }) && segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_lead_where_the_table_says() {
        let found = |method: Method, path| find(&method, path);
        assert_eq!(found(Method::GET, "/v2/account"), Ok(Call::Account));
        assert_eq!(found(Method::POST, "/v2/session/logout"), Ok(Call::Logout));
        let device = Call::Authenticate(LinkKind::Device);
        assert_eq!(found(Method::POST, "/v2/account/authenticate/device"), Ok(device));
        assert_eq!(found(Method::GET, "/healthcheck"), Ok(Call::Health));

        for (method, path) in [
            (Method::POST, "/v2/account"),
            (Method::HEAD, "/v2/account"),
            (Method::GET, "/v2/account/authenticate/device"),
            (Method::DELETE, "/v2/user"),
            (Method::GET, "/v2/group/g/join"),
            (Method::POST, "/healthcheck"),
        ] {
            assert_eq!(found(method, path), Err(Failure::wrong_method()), "{path}");
        }
        for (method, path) in [
            (Method::PUT, "/v2/account"),
            (Method::DELETE, "/v2/account"),
            (Method::POST, "/v2/account/link/steam"),
            (Method::GET, "/v2/user"),
            (Method::POST, "/v2/rpc/echo"),
            (Method::PUT, "/v2/storage/delete"),
            (Method::GET, "/v2/storage/delete"),
            (Method::GET, "/v2/leaderboard/a/owner/b"),
        ] {
            assert_eq!(found(method, path), Err(Failure::not_built()), "{path}");
        }
        for path in [
            "/v2",
            "/v2/",
            "/v2/nope",
            "/v2/account/",
            "/v2/account/authenticate",
            "/v2/account/authenticate/device/",
            "/v2/account/authenticate/myspace",
            "/v2/rpc/",
            "/v2/rpc/a/b",
            "//v2/account",
        ] {
            assert_eq!(found(Method::GET, path), Err(Failure::unknown_path()), "{path}");
        }
    }
}
