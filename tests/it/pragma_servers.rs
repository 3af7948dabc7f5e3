//! What game servers do with partner tokens: slots, attributes of sessions (protocol-pragma §10.7,
//! §10.8; login-queues §6).

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer, ask};
use crate::pragma_client::{
    SHARD, Socket, Tokens, claims, come_in, connect, get_in_queue, operator, pass, refused, rpc,
    rpc_refused,
};
use crate::pragma_office::partner;

const SET: &str = "PartnerSessionRpc.SetPlayerSessionAttributesPartnerV1Request";
const PARTY: &str = "0a000000-0000-0000-0000-00000000000a";

async fn server_with(cap: u64) -> (TestServer, Tokens) {
    let server = TestServer::start(|config| {
        config.queue.cap = cap;
        config.queue.server_lease_s = 90;
        config.pragma.reconnect_grace_s = 60;
        config.pragma.idle_timeout_s = 600;
        config.pragma.providers.entry("unsafe".to_owned()).or_default().operator_login = true;
    })
    .await;
    let staff = operator(&server, "olga").await;
    let (tokens, _) = partner(&server, &staff, Value::Null).await;
    (server, tokens)
}

async fn slots(at: SocketAddr, token: &str, call: &str, body: Value) -> Answer {
    let url = format!("http://{at}/v1/slots/{call}");
    ask("POST", &url, Auth::Bearer(token), Some(body)).await
}

/// Whether somebody who comes now is let in at once.
async fn is_free(server: &TestServer) -> bool {
    get_in_queue(server).await.json["isAllowedIn"] == true
}

#[actix_rt::test]
async fn a_pass_is_redeemed_by_one_session_and_held_by_heartbeats() {
    let (server, servers) = server_with(1).await;
    let (at, token) = (server.partners, servers.game.as_str());
    let given = pass(&server).await;
    let (one, other) = (SHARD, PARTY);
    let redeem = |session: &str| json!({"pass": given, "session": session});
    let held = slots(at, token, "redeem", redeem(one)).await;
    held.is(200, json!({"session": one, "leaseSeconds": 90}));
    assert_eq!(slots(at, token, "redeem", redeem(one)).await.status, 200, "a lost answer");
    let stolen = slots(at, token, "redeem", redeem(other)).await;
    refused(&stolen, 401, "AccountService_Unauthorized");
    for _ in 0..4 {
        server.pass_ms(60_000).await;
        let beat = slots(at, token, "heartbeat", json!({"sessions": [one]})).await;
        beat.is(200, json!({"leaseSeconds": 90, "counted": 1, "unknown": []}));
        assert!(!is_free(&server).await, "the one slot is held");
    }
    let left = slots(at, token, "leave", json!({"session": one, "reason": "quit"})).await;
    assert_eq!(left.status, 200, "{}", left.text);
    server.pass_ms(5_000).await;
    assert!(server.dials.figures().await.unwrap().passes_out > 0, "somebody who waited is let in");
}

#[actix_rt::test]
async fn a_player_in_a_world_keeps_the_slot_without_a_socket() {
    let (server, servers) = server_with(1).await;
    let (at, token) = (server.partners, servers.game.as_str());
    let ada = come_in(&server, "ada").await;
    let player = claims(&ada.game)["sub"].clone();
    for _ in 0..4 {
        server.pass_ms(60_000).await;
        let body = json!({"players": [player, PARTY]});
        let beat = slots(at, token, "heartbeat", body).await;
        beat.is(200, json!({"leaseSeconds": 90, "counted": 1, "unknown": [PARTY]}));
        assert!(!is_free(&server).await);
    }
    let nobody = slots(at, token, "leave", json!({"player": PARTY, "reason": "quit"})).await;
    refused(&nobody, 404, "AccountService_NotFound");
    let left = slots(at, token, "leave", json!({"player": player, "reason": "kick"})).await;
    assert_eq!(left.status, 200);
}

/// A server that says how it is slows admissions down; one that falls silent loses nobody's slot.
#[actix_rt::test]
async fn a_server_s_health_is_a_share_of_the_rate_and_its_silence_is_grace() {
    let (server, servers) = server_with(10).await;
    let (at, token) = (server.partners, servers.game.as_str());
    let ada = come_in(&server, "ada").await;
    let player = claims(&ada.game)["sub"].clone();
    let beat = json!({"players": [player], "health": 0.4});
    assert_eq!(slots(at, token, "heartbeat", beat).await.status, 200);
    server.pass_ms(1_000).await;
    let figures = server.dials.figures().await.unwrap();
    let share = figures.rate_in_force / figures.rate;
    assert!((share - 0.5).abs() < 1e-6, "0.4 of 0.8: {share}");
    for bad in [json!(2), json!(-0.1), json!("well")] {
        let beat = json!({"players": [], "health": bad});
        assert_eq!(slots(at, token, "heartbeat", beat).await.status, 400);
    }
    server.pass_ms(91_000).await;
    let figures = server.dials.figures().await.unwrap();
    assert_eq!((figures.grace, figures.reserved), (1, 0), "the lease is over");
    assert!((figures.rate_in_force - figures.rate).abs() < 1e-6, "a word counts for a minute");
    server.pass_ms(61_000).await;
    assert_eq!(server.dials.figures().await.unwrap().grace, 0);
}

#[actix_rt::test]
async fn slots_are_for_game_tokens_of_partners_who_may() {
    let (server, servers) = server_with(10).await;
    let at = server.partners;
    let body = json!({"players": []});
    let social = slots(at, &servers.social, "heartbeat", body.clone()).await;
    refused(&social, 403, "SessionService_WrongSessionType");
    let staff = operator(&server, "olga").await;
    let (narrow, _) = partner(&server, &staff, json!(["account.accounts.get"])).await;
    let forbidden = slots(at, &narrow.game, "heartbeat", body.clone()).await;
    refused(&forbidden, 403, "AccountService_Unauthorized");
    let elsewhere = slots(server.players, &servers.game, "heartbeat", body.clone()).await;
    assert_eq!(elsewhere.status, 404);
    for bad in [json!({"reason": "quit"}), json!({"player": PARTY, "reason": "bored"})] {
        assert_eq!(slots(at, &servers.game, "leave", bad).await.status, 400);
    }
}

async fn set(server: &TestServer, by: &str, player: &Value, set: Value, removed: Value) {
    let payload =
        json!({"pragmaPlayerId": player, "attributesSet": set, "attributesRemoved": removed});
    assert_eq!(rpc(server.partners, by, SET, payload).await, json!({}));
}

/// §18.16, and attributes as §10.8 has them.
#[actix_rt::test]
async fn a_session_that_is_resumed_has_its_attributes_and_starts_counting_anew() {
    let (server, servers) = server_with(10).await;
    let ada = come_in(&server, "ada").await;
    let player = claims(&ada.game)["sub"].clone();
    let payload = json!({"pragmaPlayerId": player, "attributesSet": {"2": PARTY}});
    let nowhere = rpc_refused(server.partners, &servers.game, SET, payload).await;
    assert_eq!(nowhere, "SessionService_SessionNotFound");

    let mut first = Socket::open(&server, &ada.game).await;
    first.heartbeat(7).await;
    set(&server, &servers.game, &player, json!({"2": PARTY.to_uppercase()}), json!([3.0])).await;
    let changed = first.next().await["notification"].clone();
    assert_eq!(changed["type"], "PlayerSessionRpc.SessionChangedV1Notification");
    let expected =
        json!({"newVersion": 2, "attributesSet": {"2": PARTY}, "attributesRemoved": [3]});
    assert_eq!(changed["payload"], expected);
    first.cut().await;

    server.pass_ms(30_000).await;
    let again = connect(&server, Some(&ada.game), "pragma-reconnect: \r\n").await;
    let mut again = again.expect("it is resumed");
    again.heartbeat(8).await;
    set(&server, &servers.game, &player, json!({"4": PARTY}), json!(["2"])).await;
    assert_eq!(again.next().await["notification"]["payload"]["newVersion"], 3);

    // A second reconnect takes the session over without a word to anybody but the socket.
    let third = connect(&server, Some(&ada.game), "pragma-reconnect: \r\n").await;
    let mut third = third.expect("it is resumed");
    third.heartbeat(9).await;
    assert_eq!(again.closed().await, 1000);
    // And a plain one ends it, saying what it was.
    let mut usurper = Socket::open(&server, &ada.game).await;
    let farewell = third.next().await["notification"]["payload"].clone();
    assert_eq!(farewell["reason"], "USURPED");
    assert_eq!(farewell["playerSession"]["attributes"], json!({"4": PARTY}));
    assert_eq!(farewell["playerSession"]["version"], 3);
    usurper.heartbeat(10).await;
    set(&server, &servers.game, &player, json!({"1": PARTY}), json!([])).await;
    let fresh = usurper.next().await;
    assert_eq!(fresh["notification"]["payload"]["newVersion"], 2, "a session of its own");
}

#[actix_rt::test]
async fn a_session_is_not_resumed_after_its_grace_nor_after_a_log_out() {
    let (server, servers) = server_with(10).await;
    let ada = come_in(&server, "ada").await;
    let player = claims(&ada.game)["sub"].clone();
    for leaves in [false, true] {
        let mut socket = Socket::open(&server, &ada.game).await;
        socket.heartbeat(7).await;
        set(&server, &servers.game, &player, json!({"2": PARTY}), json!([])).await;
        socket.next().await;
        if leaves {
            socket.leave().await;
        } else {
            socket.cut().await;
            server.pass_ms(61_000).await;
        }
        let later = connect(&server, Some(&ada.game), "pragma-reconnect: \r\n").await;
        let mut later = later.expect("a socket");
        later.heartbeat(8).await;
        set(&server, &servers.game, &player, json!({"2": PARTY}), json!([])).await;
        let payload = later.next().await["notification"]["payload"].clone();
        assert_eq!(payload["newVersion"], 2, "nothing of the old session is left");
        later.leave().await;
    }
}
