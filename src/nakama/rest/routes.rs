//! Which method and path is which call (protocol-nakama §0.8).

use actix_http::Method;

use crate::domain::account::LinkKind;
use crate::nakama::errors::Failure;

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
    /// `POST /v2/account/link/...`
    Link(LinkKind),
    /// `POST /v2/account/unlink/...`
    Unlink(LinkKind),
    /// `GET /v2/account`
    GetAccount,
    /// `PUT /v2/account`
    UpdateAccount,
    /// `DELETE /v2/account`
    DeleteAccount,
    /// `GET /v2/user`
    GetUsers,
    /// `GET /v2/friend`
    ListFriends,
    /// `GET /v2/friend/friends`
    ListFriendsOfFriends,
    /// `POST /v2/friend`
    AddFriends,
    /// `DELETE /v2/friend`
    DeleteFriends,
    /// `POST /v2/friend/block`
    BlockFriends,
    /// `POST /v2/friend/facebook`
    ImportFacebook,
    /// `POST /v2/friend/steam`
    ImportSteam,
    /// `GET /v2/notification`
    ListNotifications,
    /// `DELETE /v2/notification`
    DeleteNotifications,
}

/// What is offered where.
const OFFERED: &[(&str, &str, Call)] = &[
    ("POST", "/v2/account/authenticate/device", Call::Authenticate(LinkKind::Device)),
    ("POST", "/v2/account/authenticate/custom", Call::Authenticate(LinkKind::Custom)),
    ("POST", "/v2/account/authenticate/email", Call::Authenticate(LinkKind::Email)),
    ("POST", "/v2/account/authenticate/apple", Call::Authenticate(LinkKind::Apple)),
    ("POST", "/v2/account/authenticate/facebook", Call::Authenticate(LinkKind::Facebook)),
    (
        "POST",
        "/v2/account/authenticate/facebookinstantgame",
        Call::Authenticate(LinkKind::FacebookInstantGame),
    ),
    ("POST", "/v2/account/authenticate/gamecenter", Call::Authenticate(LinkKind::GameCenter)),
    ("POST", "/v2/account/authenticate/google", Call::Authenticate(LinkKind::Google)),
    ("POST", "/v2/account/authenticate/steam", Call::Authenticate(LinkKind::Steam)),
    ("GET", "/healthcheck", Call::Health),
    ("POST", "/v2/account/session/refresh", Call::Refresh),
    ("POST", "/v2/session/logout", Call::Logout),
    ("GET", "/v2/account", Call::GetAccount),
    ("PUT", "/v2/account", Call::UpdateAccount),
    ("DELETE", "/v2/account", Call::DeleteAccount),
    ("GET", "/v2/user", Call::GetUsers),
    ("GET", "/v2/friend", Call::ListFriends),
    ("GET", "/v2/friend/friends", Call::ListFriendsOfFriends),
    ("POST", "/v2/friend", Call::AddFriends),
    ("DELETE", "/v2/friend", Call::DeleteFriends),
    ("POST", "/v2/friend/block", Call::BlockFriends),
    ("POST", "/v2/friend/facebook", Call::ImportFacebook),
    ("POST", "/v2/friend/steam", Call::ImportSteam),
    ("GET", "/v2/notification", Call::ListNotifications),
    ("DELETE", "/v2/notification", Call::DeleteNotifications),
    ("POST", "/v2/account/link/device", Call::Link(LinkKind::Device)),
    ("POST", "/v2/account/link/custom", Call::Link(LinkKind::Custom)),
    ("POST", "/v2/account/link/email", Call::Link(LinkKind::Email)),
    ("POST", "/v2/account/link/apple", Call::Link(LinkKind::Apple)),
    ("POST", "/v2/account/link/facebook", Call::Link(LinkKind::Facebook)),
    ("POST", "/v2/account/link/facebookinstantgame", Call::Link(LinkKind::FacebookInstantGame)),
    ("POST", "/v2/account/link/gamecenter", Call::Link(LinkKind::GameCenter)),
    ("POST", "/v2/account/link/google", Call::Link(LinkKind::Google)),
    ("POST", "/v2/account/link/steam", Call::Link(LinkKind::Steam)),
    ("POST", "/v2/account/unlink/device", Call::Unlink(LinkKind::Device)),
    ("POST", "/v2/account/unlink/custom", Call::Unlink(LinkKind::Custom)),
    ("POST", "/v2/account/unlink/email", Call::Unlink(LinkKind::Email)),
    ("POST", "/v2/account/unlink/apple", Call::Unlink(LinkKind::Apple)),
    ("POST", "/v2/account/unlink/facebook", Call::Unlink(LinkKind::Facebook)),
    ("POST", "/v2/account/unlink/facebookinstantgame", Call::Unlink(LinkKind::FacebookInstantGame)),
    ("POST", "/v2/account/unlink/gamecenter", Call::Unlink(LinkKind::GameCenter)),
    ("POST", "/v2/account/unlink/google", Call::Unlink(LinkKind::Google)),
    ("POST", "/v2/account/unlink/steam", Call::Unlink(LinkKind::Steam)),
];

/// Method and path of every call that is offered.
pub fn offered() -> impl Iterator<Item = (&'static str, &'static str)> {
    OFFERED.iter().map(|(method, path, _)| (*method, *path))
}

/// Finds the call. A known path with an unknown method is 501, as is a call of Nakama's that is
/// not offered here; anything else is 404 (§0.4).
///
/// # Errors
///
/// [`Failure::wrong_method`], [`Failure::not_built`], [`Failure::unknown_path`]
pub fn find(method: &Method, path: &str) -> Result<Call, Failure> {
    let mut known = false;
    for (offered, at, call) in OFFERED {
        if *at == path {
            if *offered == method.as_str() {
                return Ok(*call);
            }
            known = true;
        }
    }
    if known { Err(Failure::wrong_method()) } else { Err(not_offered(method, path)) }
}

/// The path of a call that is offered, as it stands in the table: what a log may say of a request.
pub fn named(path: &str) -> Option<&'static str> {
    OFFERED.iter().map(|(_, at, _)| *at).find(|at| *at == path)
}

/// The rest of Nakama's client API. `*` stands for one segment that is not empty.
const NOT_BUILT: &[(&str, &str)] = &[
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
        assert_eq!(found(Method::GET, "/v2/account"), Ok(Call::GetAccount));
        assert_eq!(found(Method::POST, "/v2/session/logout"), Ok(Call::Logout));
        let device = Call::Authenticate(LinkKind::Device);
        assert_eq!(found(Method::POST, "/v2/account/authenticate/device"), Ok(device));
        assert_eq!(found(Method::GET, "/healthcheck"), Ok(Call::Health));
        assert_eq!(found(Method::PUT, "/v2/account"), Ok(Call::UpdateAccount));
        assert_eq!(found(Method::DELETE, "/v2/friend"), Ok(Call::DeleteFriends));
        let steam = Call::Link(LinkKind::Steam);
        assert_eq!(found(Method::POST, "/v2/account/link/steam"), Ok(steam));

        for (method, path) in [
            (Method::POST, "/v2/account"),
            (Method::HEAD, "/v2/account"),
            (Method::PUT, "/v2/friend"),
            (Method::GET, "/v2/friend/facebook"),
            (Method::GET, "/v2/account/authenticate/device"),
            (Method::DELETE, "/v2/user"),
            (Method::GET, "/v2/group/g/join"),
            (Method::POST, "/healthcheck"),
        ] {
            assert_eq!(found(method, path), Err(Failure::wrong_method()), "{path}");
        }
        for (method, path) in [
            (Method::GET, "/v2/group"),
            (Method::GET, "/v2/user/u/group"),
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
