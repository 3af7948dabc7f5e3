//! Pragma's flow from the line to online, by the note's conformance list (its §18).

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Auth, TestServer};
use crate::pragma_client::{
    SHARD, Socket, Tokens, check_ticket, claims, come_in, connect, get_in_queue, pass, refused,
    sign_in,
};

/// A server that lets many in at one moment: the clock of a test stands still.
async fn busy_server() -> TestServer {
    TestServer::start(|config| config.queue.burst = 100).await
}

#[actix_rt::test]
async fn from_discovery_to_two_sockets_and_out_again() {
    let server = busy_server().await;
    let info = server.plain("GET", "/v1/info", None).await;
    for backend in ["socialBackend", "gameBackend"] {
        let backend = &info.json[backend];
        assert_eq!(backend["port"], server.players.port(), "{}", info.text);
        assert_eq!(
            (&backend["protocol"], &backend["webSocketProtocol"]),
            (&json!("http"), &json!("ws"))
        );
    }
    assert_eq!(info.json["authenticateBackend"]["scheme"], "http");
    assert_eq!(info.json["gameShardId"], SHARD);
    let types = server.plain("GET", "/v1/types", None).await;
    assert!(types.json["PlayerSessionRpc.HeartbeatV1Request"].as_u64().unwrap() > 0);

    let tokens = come_in(&server, "ada").await;
    for token in [&tokens.social, &tokens.game] {
        let gateway = server.with_token("GET", "/v1/gateway", token, None).await;
        gateway.is(200, json!({"gateway": "0"}));
    }
    let mut social = Socket::open(&server, &tokens.social).await;
    let mut game = Socket::open(&server, &tokens.game).await;
    social.heartbeat(7).await;
    game.heartbeat(8).await;

    let answer = game.ask(9, "PlayerSessionRpc.RequestLogoutV1Request", json!({})).await;
    assert_eq!(answer["payload"], json!({}));
    assert_eq!(game.terminated().await, "AS_REQUESTED");
    assert_eq!(game.closed().await, 1000);
    social.heartbeat(10).await;
    social.leave().await;
}

#[actix_rt::test]
async fn tokens_say_what_the_real_client_reads() {
    let server = busy_server().await;
    let tokens = come_in(&server, "ada").await;
    let (game, social) = (claims(&tokens.game), claims(&tokens.social));
    for token in [&game, &social] {
        assert_eq!((&token["iss"], &token["sessionType"]), (&json!("pragma"), &json!("PLAYER")));
        assert_eq!(
            (&token["displayName"], &token["idProvider"]),
            (&json!("ada"), &json!("UNSAFE"))
        );
        assert_eq!(token["discriminator"].as_str().unwrap().len(), 4);
        assert_eq!(token["expiresInMillis"], "86400000");
        assert_eq!(token["exp"].as_u64().unwrap() - token["iat"].as_u64().unwrap(), 86_400);
        assert_eq!(token["extSessionInfo"], "{}");
        let refresh: u64 = token["refreshInMillis"].as_str().unwrap().parse().unwrap();
        assert!(
            (2_400_000..=3_000_000).contains(&refresh) && refresh.is_multiple_of(1_000),
            "{refresh}"
        );
    }
    assert_eq!((&game["backendType"], &social["backendType"]), (&json!("GAME"), &json!("SOCIAL")));
    assert_eq!(game["sub"], game["pragmaPlayerId"]);
    assert_eq!(social["sub"], social["pragmaSocialId"]);
    assert_eq!(game["pragmaSocialId"], social["pragmaSocialId"]);
    assert_eq!(game["gameShardId"], SHARD);
    assert_ne!(game["jti"], social["jti"]);
    assert!(social.get("pragmaPlayerId").is_none() && social.get("gameShardId").is_none());

    let header = |token: &str| {
        let whole = format!("x.{}", token.split('.').next().unwrap());
        claims(&whole)
    };
    let jwks = server.plain("GET", "/.well-known/jwks.json", None).await;
    assert_eq!(jwks.json["keys"][0]["kid"], header(&tokens.game)["kid"]);
    assert_eq!(header(&tokens.game)["kid"], header(&tokens.social)["kid"]);
}

#[actix_rt::test]
async fn five_clients_at_one_a_second_come_in_in_order() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    let mut first = server.plain("POST", "/v1/loginqueue/getinqueuev1", Some(json!({}))).await;
    assert_eq!(first.json["isAllowedIn"], true, "{}", first.text);
    assert_eq!((&first.json["eta"], &first.json["positionInQueue"]), (&json!("0"), &json!(0)));
    let mut line: Vec<(String, u64)> = Vec::new();
    for place in 1..=4 {
        first = get_in_queue(&server).await;
        assert_eq!(first.json["isAllowedIn"], false, "{}", first.text);
        assert_eq!(first.json["positionInQueue"], place, "{}", first.text);
        assert!(first.json["eta"].is_string() && first.json["pollNextDuration"].is_u64());
        assert_eq!(claims(first.str("/token"))["isAllowedIn"], "false");
        line.push((first.str("/token").to_owned(), place));
    }
    for second in 1..=5 {
        server.pass_ms(1_000).await;
        let mut still = Vec::new();
        for (token, place) in line {
            let answer = check_ticket(&server, &token).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            if answer.json["isAllowedIn"] == true {
                assert_eq!(claims(answer.str("/token"))["isAllowedIn"], "true");
                assert_eq!(answer.json["loginQueuePassToken"], answer.json["token"]);
                assert!(still.is_empty(), "nobody overtakes in second {second}");
                continue;
            }
            let now = answer.json["positionInQueue"].as_u64().unwrap();
            assert!(now <= place, "a position never grows: {place} to {now}");
            still.push((answer.str("/token").to_owned(), now));
        }
        line = still;
    }
    assert!(line.is_empty(), "the last is in after five seconds: {line:?}");
}

#[actix_rt::test]
async fn a_freed_slot_lets_the_next_one_in() {
    let server = TestServer::start(|config| config.queue.cap = 1).await;
    let tokens = come_in(&server, "first").await;
    let game = Socket::open(&server, &tokens.game).await;
    let waiting = get_in_queue(&server).await;
    assert_eq!(waiting.json["isAllowedIn"], false, "{}", waiting.text);
    let ticket = waiting.str("/token").to_owned();
    server.pass_ms(2_000).await;
    assert_eq!(check_ticket(&server, &ticket).await.json["isAllowedIn"], false);
    game.leave().await;
    for _ in 0..100 {
        server.pass_ms(1_000).await;
        if check_ticket(&server, &ticket).await.json["isAllowedIn"] == true {
            return;
        }
    }
    panic!("the second never came in");
}

#[actix_rt::test]
async fn a_full_line_and_a_held_one_are_answers_not_errors() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.line_max = 1;
    })
    .await;
    let held = get_in_queue(&server).await;
    assert_eq!((held.status, &held.json["positionInQueue"]), (200, &json!(1)), "{}", held.text);
    for _ in 0..2 {
        let full = get_in_queue(&server).await;
        assert_eq!((full.status, &full.json["isAllowedIn"]), (200, &json!(false)), "{}", full.text);
        assert_eq!(full.json["positionInQueue"], 2);
        assert!(full.json["pollNextDuration"].as_u64().unwrap() > 0);
        let again = check_ticket(&server, full.str("/token")).await;
        assert_eq!(
            (again.status, &again.json["isAllowedIn"]),
            (200, &json!(false)),
            "{}",
            again.text
        );
        let signed_in = sign_in(&server, "ada", again.str("/token")).await;
        refused(&signed_in, 401, "AccountService_Unauthorized");
    }
}

#[actix_rt::test]
async fn every_bad_pass_is_refused_by_its_name() {
    let server = busy_server().await;
    let other = busy_server().await;
    let good = pass(&server).await;
    let payload = good.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    let last = if good.ends_with('A') { 'E' } else { 'A' };
    let changed = format!("{}{last}", &good[..good.len() - 1]);
    let session = come_in(&server, "somebody").await;
    for (bad, name) in [
        (String::new(), "AccountService_Unauthorized"),
        ("garbage".to_owned(), "AccountService_TokenDecodeFailed"),
        (pass(&other).await, "AccountService_JwtKeyNotFound"),
        (unsigned, "AccountService_JwtKeyNotFound"),
        (changed, "AccountService_TokenSignatureVerificationFailed"),
        (session.game, "AccountService_Unauthorized"),
        (session.social, "AccountService_Unauthorized"),
    ] {
        refused(&sign_in(&server, "ada", &bad).await, 401, name);
    }
    let body = json!({"providerId": "UNSAFE", "providerToken": "{\"accountId\":\"ada\"}"});
    let missing = server.plain("POST", "/v1/account/authenticateorcreatev2", Some(body)).await;
    refused(&missing, 401, "AccountService_Unauthorized");

    // The proof fails after a good pass: the pass is still good. Then it is used up, except for
    // the same account.
    let proof = json!({"providerId": 1, "providerToken": "nonsense", "loginQueuePassToken": good});
    let failed = server.plain("POST", "/v1/account/authenticateorcreatev2", Some(proof)).await;
    refused(&failed, 401, "AccountService_Unauthorized");
    let first = Tokens::of(&sign_in(&server, "ada", &good).await);
    let again = Tokens::of(&sign_in(&server, "ada", &good).await);
    assert_eq!(claims(&first.game)["sub"], claims(&again.game)["sub"]);
    refused(&sign_in(&server, "eve", &good).await, 401, "AccountService_Unauthorized");

    let late = pass(&server).await;
    server.pass_ms(3_600_000).await;
    refused(&sign_in(&server, "ada", &late).await, 401, "AccountService_TokenExpired");
}

#[actix_rt::test]
async fn a_ticket_that_waits_is_no_pass() {
    let server = TestServer::start(|config| config.queue.rate = 0.0).await;
    let ticket = get_in_queue(&server).await;
    let answer = sign_in(&server, "ada", ticket.str("/token")).await;
    refused(&answer, 401, "AccountService_Unauthorized");
}

#[actix_rt::test]
async fn providers_shards_and_members_are_read_leniently_and_refused_exactly() {
    let server = busy_server().await;
    let ask = async |provider: Value, token: Value, shard: Value| {
        let body = json!({"providerId": provider, "providerToken": token, "gameShardId": shard,
            "loginQueuePassToken": pass(&server).await, "somethingElse": {"a": [1]}});
        server.plain("POST", "/V1/accounts/authenticateOrCreateV2", Some(body)).await
    };
    let proof = json!({"accountId": "ada", "displayName": "Ada"});
    let text = json!(proof.to_string());
    let mut players = Vec::new();
    for (provider, token) in [
        (json!(1), &proof),
        (json!("1"), &text),
        (json!("unsafe"), &text),
        (json!("UNSAFE"), &proof),
    ] {
        let answer = ask(provider, token.clone(), json!(SHARD.to_uppercase())).await;
        players.push(claims(&Tokens::of(&answer).game)["sub"].clone());
    }
    assert!(players.iter().all(|player| *player == players[0]), "{players:?}");
    for none in [json!(null), json!("")] {
        let tokens = Tokens::of(&ask(json!(1), text.clone(), none).await);
        assert!(tokens.game.is_empty(), "a social-only request has an empty game token");
        assert_eq!(claims(&tokens.social)["backendType"], "SOCIAL");
    }
    for unknown in [json!(0), json!(13), json!("NOPE")] {
        let answer = ask(unknown, text.clone(), json!(SHARD)).await;
        refused(&answer, 400, "AccountService_InvalidIdProvider");
    }
    for absent in [json!(4), json!("4"), json!("steam")] {
        let answer = ask(absent, text.clone(), json!(SHARD)).await;
        refused(&answer, 400, "AccountService_IdProviderMissing");
    }
    let elsewhere = json!("7a1d6c1e-5b0e-4b52-9f8e-2f5a7c1f0a11");
    refused(&ask(json!(1), text.clone(), elsewhere).await, 404, "AccountService_NotFound");
    refused(&ask(json!(1), text, json!("no shard")).await, 400, "AccountService_BadRequest");
    let broken =
        server.raw("POST", "/v1/account/authenticateorcreatev2", Auth::None, b"{".to_vec());
    refused(&broken.await, 400, "AccountService_BadRequest");
}

#[actix_rt::test]
async fn a_second_socket_takes_over_and_the_first_is_told() {
    let server = busy_server().await;
    let tokens = come_in(&server, "ada").await;
    let mut first = Socket::open(&server, &tokens.game).await;
    let mut social = Socket::open(&server, &tokens.social).await;
    first.heartbeat(1).await;
    let mut second = Socket::open(&server, &tokens.game).await;
    assert_eq!(first.terminated().await, "USURPED");
    assert_eq!(first.closed().await, 1000);
    second.heartbeat(2).await;
    social.heartbeat(3).await;
    let mut third = match connect(&server, Some(&tokens.game), "pragma-reconnect: \r\n").await {
        Ok(socket) => socket,
        Err(status) => panic!("refused with {status}"),
    };
    third.heartbeat(4).await;
    assert_eq!(second.closed().await, 1000, "a lost socket is not told that it was usurped");
}

#[actix_rt::test]
async fn a_socket_answers_what_it_does_not_know_and_ends_on_what_nobody_can_read() {
    let server = busy_server().await;
    let tokens = come_in(&server, "ada").await;
    let mut game = Socket::open(&server, &tokens.game).await;
    let unknown = game.ask(57, "PartyRpc.CreateV1Request", json!({})).await;
    assert_eq!(
        (&unknown["status"], &unknown["extError"]),
        (&json!("BAD_PARAM"), &json!("INVALID_REQUEST_TYPE"))
    );
    assert!(unknown["debugDetails"].is_array() && unknown["traceId"].is_string());
    game.heartbeat(58).await;
    game.send(Message::text("{\"requestId\":")).await;
    assert_eq!(game.closed().await, 1007);
    let mut game = Socket::open(&server, &tokens.game).await;
    game.send(Message::binary(b"\x08\x01".to_vec())).await;
    assert_eq!(game.closed().await, 1003);
}

#[actix_rt::test]
async fn a_socket_needs_a_token_and_json() {
    let server = busy_server().await;
    let tokens = come_in(&server, "ada").await;
    let refusal =
        async |token: Option<&str>, extra: &str| connect(&server, token, extra).await.err();
    assert_eq!(refusal(None, "").await, Some(401));
    assert_eq!(refusal(Some("garbage"), "").await, Some(401));
    let ticket = pass(&server).await;
    assert_eq!(refusal(Some(&ticket), "").await, Some(401));
    server.pass_ms(86_400_000 + 31_000).await;
    assert_eq!(refusal(Some(&tokens.game), "").await, Some(401));
}

#[actix_rt::test]
async fn tokens_are_renewed_in_pairs_and_put_under_the_live_session() {
    let server = busy_server().await;
    let (ada, eve) = (come_in(&server, "ada").await, come_in(&server, "eve").await);
    let mut social = Socket::open(&server, &ada.social).await;
    let pair = |game: &str, social: &str| json!({"pragmaTokens": {"pragmaGameToken": game, "pragmaSocialToken": social}});
    let kind = "AccountRpc.RefreshTokensV1Request";
    let answer = social.ask(210, kind, pair(&ada.game, &ada.social)).await;
    assert_eq!(answer["type"], "AccountRpc.RefreshTokensV1Response", "{answer}");
    let new = &answer["payload"]["pragmaTokens"];
    let new =
        (new["pragmaGameToken"].as_str().unwrap(), new["pragmaSocialToken"].as_str().unwrap());
    assert_eq!(claims(new.0)["sub"], claims(&ada.game)["sub"]);
    assert_ne!(claims(new.0)["jti"], claims(&ada.game)["jti"]);
    let kind = "PlayerSessionRpc.SessionRefreshV1Request";
    let answer = social.ask(211, kind, json!({"token": new.1})).await;
    assert_eq!(answer["payload"], json!({}), "{answer}");
    for foreign in [new.0, eve.social.as_str()] {
        let answer = social.ask(212, kind, json!({"token": foreign})).await;
        assert_eq!(answer["error"], "SessionService_TokenDoesNotMatchCurrentSession");
    }
    let kind = "AccountRpc.RefreshTokensV1Request";
    for (game, other) in
        [(&eve.game, &ada.social), (&ada.game, &eve.social), (&eve.game, &eve.social)]
    {
        let answer = social.ask(213, kind, pair(game, other)).await;
        assert_eq!(answer["error"], "AccountService_Unauthorized");
    }
}

#[actix_rt::test]
async fn rpc_over_http_needs_no_session() {
    let server = busy_server().await;
    let tokens = come_in(&server, "ada").await;
    let call =
        async |body: Value| server.with_token("POST", "/v1/rpc", &tokens.game, Some(body)).await;
    let kind = "PlayerSessionRpc.HeartbeatV1Request";
    let answer = call(json!({"requestId": 3, "type": kind, "payload": {}})).await;
    answer.is(
        200,
        json!({"sequenceNumber": 0, "response": {"requestId": 3,
        "type": "PlayerSessionRpc.HeartbeatV1Response", "payload": {}}}),
    );
    let unknown = call(json!({"requestId": 4, "type": "NoRpc.NothingV1Request"})).await;
    assert_eq!(
        (unknown.status, &unknown.json["serviceError"]["status"]),
        (200, &json!("BAD_PARAM"))
    );
    refused(&call(json!(["no envelope"])).await, 400, "AccountService_BadRequest");
    let plain = server.plain("POST", "/v1/rpc", Some(json!({}))).await;
    refused(&plain, 401, "AccountService_Unauthorized");
}

#[actix_rt::test]
async fn the_bypass_asks_for_no_pass_and_still_answers_the_queue() {
    let server = TestServer::start(|config| {
        config.pragma.login_queue_bypass = true;
        config.queue.rate = 0.0;
    })
    .await;
    let answer = get_in_queue(&server).await;
    assert_eq!(answer.json["isAllowedIn"], true, "{}", answer.text);
    for (name, pass) in [("ada", ""), ("ada", "anything"), ("ada", answer.str("/token"))] {
        Tokens::of(&sign_in(&server, name, pass).await);
    }
}
