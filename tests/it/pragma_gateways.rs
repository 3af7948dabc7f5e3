//! Which port takes whose token (protocol-pragma §1.2, §9.3, §18.14), and Pragma's own six ports.

use std::net::SocketAddr;

use anteroom::domain::token::{BackendType, SessionType};
use serde_json::json;

use crate::harness::{Auth, TestServer, ask};
use crate::pragma_client::{
    SHARD, Socket, Tokens, authenticate, claims, come_in, connect_at, operator, refused, rpc,
    rpc_answer, unsafe_proof,
};

const HEARTBEAT: &str = "PlayerSessionRpc.HeartbeatV1Request";

/// A server with Pragma's own ports open, each on a free one.
pub async fn with_ports() -> TestServer {
    TestServer::start(|config| {
        let ports = &mut config.pragma.ports;
        ports.enabled = true;
        for port in [
            &mut ports.game_player,
            &mut ports.social_player,
            &mut ports.game_partner,
            &mut ports.social_partner,
            &mut ports.game_operator,
            &mut ports.social_operator,
        ] {
            *port = SocketAddr::from(([127, 0, 0, 1], 0));
        }
        let options = config.pragma.providers.entry("unsafe".to_owned()).or_default();
        options.operator_login = true;
    })
    .await
}

fn port(server: &TestServer, session: SessionType, backend: BackendType) -> SocketAddr {
    let found = server.pragma_ports.iter().find(|(of, _)| *of == (session, backend));
    found.expect("the port is open").1
}

#[actix_rt::test]
async fn a_player_goes_the_whole_way_over_pragmas_own_ports() {
    let server = with_ports().await;
    let game = port(&server, SessionType::Player, BackendType::Game);
    let social = port(&server, SessionType::Player, BackendType::Social);
    let info = ask("GET", &format!("http://{game}/v1/info"), Auth::None, None).await.json;
    assert_eq!(info["gameBackend"]["port"], game.port());
    assert_eq!(info["socialBackend"]["port"], social.port());
    assert_eq!(info["authenticateBackend"]["port"], social.port());

    let queue = format!("http://{game}/v1/loginqueue/getinqueuev1");
    let pass = ask("GET", &queue, Auth::None, None).await.str("/token").to_owned();
    let more = json!({"gameShardId": SHARD, "loginQueuePassToken": pass});
    let tokens =
        Tokens::of(&authenticate(social, "UNSAFE", &unsafe_proof("ada"), more.clone()).await);
    for (at, token) in [(social, &tokens.social), (game, &tokens.game)] {
        let mut socket = connect_at(at, Some(token), "").await.expect("a socket");
        socket.heartbeat(7).await;
        socket.leave().await;
    }
    // Each backend answers only what is its own.
    refused(&authenticate(game, "UNSAFE", &unsafe_proof("ada"), more).await, 404, "NOT_FOUND");
    let queue = format!("http://{social}/v1/loginqueue/getinqueuev1");
    refused(&ask("GET", &queue, Auth::None, None).await, 404, "NOT_FOUND");
}

#[actix_rt::test]
async fn a_token_is_good_at_its_own_gateway_and_nowhere_else() {
    let server = with_ports().await;
    let player = come_in(&server, "ada").await;
    let staff = operator(&server, "olga").await;
    assert_eq!(claims(&staff.social)["sessionType"], "OPERATOR");
    let own = [
        (SessionType::Player, BackendType::Game, &player.game),
        (SessionType::Player, BackendType::Social, &player.social),
        (SessionType::Operator, BackendType::Game, &staff.game),
        (SessionType::Operator, BackendType::Social, &staff.social),
    ];
    for (of, at) in &server.pragma_ports {
        for (session, backend, token) in own {
            let kind = match session {
                SessionType::Operator => "OperatorSessionRpc.HeartbeatV1Request",
                _ => HEARTBEAT,
            };
            let answer = rpc_answer(*at, token, kind, json!({})).await;
            let socket = connect_at(*at, Some(token), "").await.map(drop);
            if *of == (session, backend) {
                assert_eq!(answer.status, 200, "{of:?}: {}", answer.text);
                assert_eq!(socket, Ok(()), "{of:?}");
            } else {
                refused(&answer, 403, "SessionService_WrongSessionType");
                assert_eq!(socket, Err(403), "{of:?} for {session:?} {backend:?}");
            }
        }
    }
    for (at, token) in [(server.operators, &player.social), (server.partners, &player.game)] {
        let answer = rpc_answer(at, token, HEARTBEAT, json!({})).await;
        refused(&answer, 403, "SessionService_WrongSessionType");
    }
}

#[actix_rt::test]
async fn operators_do_not_queue_and_take_no_slot() {
    let server = TestServer::start(|config| {
        config.queue.cap = 1;
        let options = config.pragma.providers.entry("unsafe".to_owned()).or_default();
        options.operator_login = true;
    })
    .await;
    let staff = operator(&server, "olga").await;
    let life = claims(&staff.game);
    assert_eq!(life["exp"].as_u64().unwrap() - life["iat"].as_u64().unwrap(), 2_880 * 60);
    for token in [&staff.social, &staff.game] {
        assert!(connect_at(server.operators, Some(token), "").await.is_ok());
    }
    let player = come_in(&server, "ada").await;
    Socket::open(&server, &player.game).await.heartbeat(7).await;
    let payload = json!({"pragmaTokens":
        {"pragmaGameToken": staff.game, "pragmaSocialToken": staff.social}});
    let kind = "AccountRpc.RefreshTokensOperatorV1Request";
    let renewed = rpc(server.operators, &staff.social, kind, payload).await;
    let social = renewed["pragmaTokens"]["pragmaSocialToken"].as_str().unwrap();
    assert_eq!(claims(social)["sessionType"], "OPERATOR");
}

#[actix_rt::test]
async fn a_provider_that_is_not_for_operators_makes_none() {
    let server = TestServer::start(|config| {
        let options = config.pragma.providers.entry("unsafe".to_owned()).or_default();
        options.operator_login = false;
        options.player_login = false;
    })
    .await;
    let disabled = "AccountService_IdProviderAuthenticationDisabled";
    for at in [server.operators, server.players] {
        let answer = authenticate(at, "UNSAFE", &unsafe_proof("eve"), json!({})).await;
        refused(&answer, 403, disabled);
    }
}
