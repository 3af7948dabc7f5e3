//! Policies of sessions: refresh tokens that are replaced, one session, sockets that end with their
//! token, keys that are rotated (protocol-nakama §3.4 to §3.7).

use anteroom::config::{FollowPolicy, RefreshPolicy};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::{Answer, TestServer};
use crate::nakama_friends::Player;
use crate::socket_protobuf::Socket;

async fn sign_in(server: &TestServer) -> Answer {
    server.with_key("/v2/account/authenticate/device", json!({"id": "session-device"})).await
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.with_key("/v2/account/session/refresh", json!({ "token": token })).await
}

#[actix_rt::test]
async fn kept_refresh_tokens_are_good_as_often_as_they_are_used() {
    let server = TestServer::start(|_| {}).await;
    let session = sign_in(&server).await;
    let token = session.str("/refresh_token");
    let all = join_all((0..10).map(|_| refresh(&server, token))).await;
    assert!(all.iter().all(|answer| answer.status == 200));
    server.clock.advance_ms(86_400_000);
    assert_eq!(refresh(&server, token).await.status, 200);
}

#[actix_rt::test]
async fn a_replaced_refresh_token_gets_its_successor_again_and_later_ends_the_session() {
    let server = TestServer::start(|config| {
        config.nakama.refresh_token = RefreshPolicy::Rotate;
        config.nakama.refresh_retry_s = 120;
    })
    .await;
    let session = sign_in(&server).await;
    let first = session.str("/refresh_token");
    // SDKs refresh in parallel: all get one and the same successor.
    let all = join_all((0..10).map(|_| refresh(&server, first))).await;
    let second = all[0].str("/refresh_token");
    assert_ne!(second, first);
    for answer in &all {
        assert_eq!(
            (answer.str("/refresh_token"), answer.str("/token")),
            (second, all[0].str("/token"))
        );
    }
    server.clock.advance_ms(60_000);
    assert_eq!(refresh(&server, first).await.str("/refresh_token"), second, "an answer was lost");
    let third = refresh(&server, second).await;
    assert_eq!(third.status, 200);
    server.clock.advance_ms(121_000);
    let stolen = refresh(&server, second).await;
    stolen.is_error(401, 16, "Refresh token invalid or expired.");
    for token in [first, second, third.str("/refresh_token")] {
        refresh(&server, token).await.is_error(401, 16, "Refresh token invalid or expired.");
    }
    let account = server.with_token("GET", "/v2/account", third.str("/token"), None).await;
    account.is_error(401, 16, "Auth token invalid");
    assert_eq!(sign_in(&server).await.status, 200, "the player signs in again");
}

#[actix_rt::test]
async fn what_ended_stays_ended_after_a_restart() {
    let clock = TestServer::noon();
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_on(folder.path(), clock.clone(), |_| {}).await;
    let (one, two) = (sign_in(&server).await, sign_in(&server).await);
    let leaving = json!({"token": one.str("/token"), "refresh_token": one.str("/refresh_token")});
    let left =
        server.with_token("POST", "/v2/session/logout", one.str("/token"), Some(leaving)).await;
    left.is(200, json!({}));
    drop(server.stop());
    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    let account = server.with_token("GET", "/v2/account", one.str("/token"), None).await;
    account.is_error(401, 16, "Auth token invalid");
    assert_eq!(refresh(&server, one.str("/refresh_token")).await.status, 401);
    let other = server.with_token("GET", "/v2/account", two.str("/token"), None).await;
    assert_eq!(other.status, 200, "the other session goes on");
    server
        .with_token("POST", "/v2/session/logout", two.str("/token"), None)
        .await
        .is(200, json!({}));
    assert_eq!(refresh(&server, two.str("/refresh_token")).await.status, 401);
}

#[actix_rt::test]
async fn a_single_session_ends_the_earlier_ones() {
    let server = TestServer::start(|config| config.nakama.single_session = true).await;
    let first = sign_in(&server).await;
    server.clock.advance_ms(1);
    let second = sign_in(&server).await;
    let old = server.with_token("GET", "/v2/account", first.str("/token"), None).await;
    old.is_error(401, 16, "Auth token invalid");
    assert_eq!(refresh(&server, first.str("/refresh_token")).await.status, 401);
    let new = server.with_token("GET", "/v2/account", second.str("/token"), None).await;
    assert_eq!(new.status, 200);
}

#[actix_rt::test]
async fn provider_ids_of_others_are_hidden_unless_asked_by_them() {
    for (hide, shown) in [(true, false), (false, true)] {
        let fakes = crate::fakes::Providers::start(&TestServer::noon()).await;
        let server = TestServer::start(|config| {
            fakes.config(config);
            config.nakama.hide_provider_ids = hide;
        })
        .await;
        let (ada, bob) = (Player::new(&server, "ada").await, Player::new(&server, "bob").await);
        let steam = json!({"account": {"token": fakes.steam_ticket("76561198000000031")}});
        let linked = server.with_token("POST", "/v2/account/link/steam", &ada.token, Some(steam));
        assert_eq!(linked.await.status, 200);
        let facebook = json!({"token": fakes.graph_token(json!({"id": "fb-ada", "name": "Ada"}))});
        let linked =
            server.with_token("POST", "/v2/account/link/facebook", &ada.token, Some(facebook));
        assert_eq!(linked.await.status, 200);
        let seen = bob.ask(&server, "GET", "/v2/user?usernames=ada").await;
        assert_eq!(seen.json["users"][0]["steam_id"].is_string(), shown, "{}", seen.text);
        let by_facebook = bob.ask(&server, "GET", "/v2/user?facebook_ids=fb-ada").await;
        assert_eq!(by_facebook.json["users"][0]["facebook_id"], "fb-ada");
        let own = ada.ask(&server, "GET", "/v2/account").await;
        assert_eq!(own.json["user"]["steam_id"], "76561198000000031");
        assert_eq!(own.json["user"]["display_name"], "Ada", "filled by the provider");
    }
}

/// Kept here because the policy is a setting: whom one may follow.
#[actix_rt::test]
async fn only_friends_are_followed_when_so_set() {
    let server = TestServer::start(|config| config.nakama.follow = FollowPolicy::Friends).await;
    let (ada, bob) = (Player::new(&server, "ada").await, Player::new(&server, "bob").await);
    let open = |player: &Player, status: bool| {
        let query = format!("token={}&status={status}", player.token);
        let server = &server;
        async move { Socket::open(server, &query).await }
    };
    let mut adas = open(&ada, true).await;
    adas.json().await; // her own join
    let mut bobs = open(&bob, false).await;
    let follow = json!({"cid": "1", "status_follow": {"user_ids": [ada.id]}});
    bobs.tell_json(follow.clone()).await;
    assert_eq!(bobs.json().await, json!({"cid": "1", "status": {"presences": []}}));
    bob.ask(&server, "POST", "/v2/friend?usernames=ada").await;
    ada.ask(&server, "POST", "/v2/friend?usernames=bob").await;
    bobs.json().await; // the acceptance
    bobs.tell_json(follow).await;
    let seen = bobs.json().await;
    assert_eq!(seen["status"]["presences"][0]["user_id"], ada.id.as_str(), "{seen}");
}

#[actix_rt::test]
async fn denied_refreshes_are_counted() {
    let server = TestServer::start(|_| {}).await;
    let session = sign_in(&server).await;
    refresh(&server, session.str("/refresh_token")).await;
    refresh(&server, session.str("/token")).await;
    let url = format!("http://{}/metrics", server.operators);
    let page = crate::harness::ask("GET", &url, crate::harness::Auth::None, None).await;
    for line in [
        r#"session_refreshes_total{result="renewed"} 1"#,
        r#"session_refreshes_total{result="invalid"} 1"#,
    ] {
        assert!(page.text.lines().any(|it| it.starts_with(line)), "{line}\n{}", page.text);
    }
}
