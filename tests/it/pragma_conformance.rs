//! Points of the protocol's checklist (protocol-pragma §18) that no other file goes through.

use serde_json::{Value, json};

use crate::fakes::{self, Mood};
use crate::harness::TestServer;
use crate::pragma_client::{
    SHARD, Socket, Tokens, authenticate, check_ticket, claims, come_in, connect, get_in_queue,
    operator, pass, refused, rpc, rpc_answer, unsafe_proof,
};
use crate::pragma_office::ask as office_ask;

const ELSEWHERE: &str = "7a1d6c1e-5b0e-4b52-9f8e-2f5a7c1f0a11";
const HEARTBEAT: &str = "PlayerSessionRpc.HeartbeatV1Request";

/// 5: a ticket that is admitted and never used gives its slot to the next.
#[actix_rt::test]
async fn an_admitted_ticket_that_is_never_used_releases_its_slot() {
    let server = TestServer::start(|config| {
        config.queue.cap = 1;
        config.queue.pass_ttl_s = 10;
    })
    .await;
    pass(&server).await;
    let mut waiting = get_in_queue(&server).await;
    assert_eq!(waiting.json["isAllowedIn"], false);
    for _ in 0..12 {
        server.pass_ms(1_000).await;
        waiting = check_ticket(&server, waiting.str("/token")).await;
    }
    assert_eq!(waiting.json["isAllowedIn"], true, "{}", waiting.text);
}

/// 6: who has no good pass troubles no provider; who has one keeps it while the provider is down.
#[actix_rt::test]
async fn a_provider_is_asked_only_for_those_who_have_a_pass() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let ticket = fakes.steam_ticket("76561198000000001");
    let with = |pass: &str| json!({"gameShardId": SHARD, "loginQueuePassToken": pass});
    let session = come_in(&server, "somebody").await;
    for bad in ["", "garbage", session.game.as_str()] {
        let answer = authenticate(server.players, "STEAM", &ticket, with(bad)).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    let steam = "/ISteamUserAuth";
    assert_eq!(fakes.asked(steam), 0);
    let good = pass(&server).await;
    fakes.mood(steam, Mood::Status(503));
    let down = authenticate(server.players, "STEAM", &ticket, with(&good)).await;
    refused(&down, 502, "AccountService_IdProviderUnexpectedResponse");
    fakes.mood(steam, Mood::Works);
    Tokens::of(&authenticate(server.players, "STEAM", &ticket, with(&good)).await);
    assert!(fakes.asked(steam) > 0);
}

/// 7: one account of a provider is one account here, with a player on each shard.
#[actix_rt::test]
async fn one_provider_account_is_one_account_with_a_player_on_each_shard() {
    let server = TestServer::start(|config| {
        config.pragma.shards = vec![ELSEWHERE.parse().unwrap()];
    })
    .await;
    let first_time = (0..50).map(async |_| {
        let more = json!({"gameShardId": SHARD, "loginQueuePassToken": pass(&server).await});
        Tokens::of(&authenticate(server.players, "UNSAFE", &unsafe_proof("ada"), more).await)
    });
    let all = futures_util::future::join_all(first_time).await;
    let first = claims(&all[0].game);
    for tokens in &all {
        let game = claims(&tokens.game);
        assert_eq!(game["pragmaSocialId"], first["pragmaSocialId"]);
        assert_eq!(game["sub"], first["sub"]);
    }
    let more = json!({"gameShardId": ELSEWHERE, "loginQueuePassToken": pass(&server).await});
    let other = authenticate(server.players, "UNSAFE", &unsafe_proof("ada"), more).await;
    let other = Tokens::of(&other);
    let game = claims(&other.game);
    assert_eq!(game["pragmaSocialId"], first["pragmaSocialId"]);
    assert_ne!(game["sub"], first["sub"]);
    assert_eq!(game["gameShardId"], ELSEWHERE);
    // 14: a token of another shard is no good here.
    let answer = rpc_answer(server.players, &other.game, HEARTBEAT, json!({})).await;
    refused(&answer, 403, "GameManagementService_GameShardInvalid");
    assert_eq!(connect(&server, Some(&other.game), "").await.map(drop), Err(403));
    let own = rpc(server.players, &other.social, "AccountRpc.GetAccountV1Request", json!({})).await;
    assert_eq!(own["gameIdentities"].as_array().unwrap().len(), 2);
}

/// 17: who says nothing is gone: session, presence and slot. Silence is real time, the shortest that
/// can be set.
#[actix_rt::test]
async fn silence_ends_the_session_its_presence_and_its_slot() {
    let server = TestServer::start(|config| {
        config.queue.cap = 2;
        config.queue.grace_s = 0;
        config.pragma.idle_timeout_s = 5;
    })
    .await;
    let (ada, bob) = (come_in(&server, "ada").await, come_in(&server, "bob").await);
    let invite = json!({"inviteeSocialId": claims(&bob.social)["sub"]});
    let kind = "FriendRpc.SendFriendInviteBySocialIdV1Request";
    rpc(server.players, &ada.social, kind, invite).await;
    let accept = json!({"inviterSocialId": claims(&ada.social)["sub"], "acceptInvite": true});
    rpc(server.players, &bob.social, "FriendRpc.RespondToFriendInviteV1Request", accept).await;
    let mut game = Socket::open(&server, &ada.game).await;
    let mut social = Socket::open(&server, &ada.social).await;
    game.heartbeat(7).await;
    let presence =
        json!({"basicPresence": "Online", "gameShardId": SHARD, "requestExt": {"in": "lobby"}});
    let set = social.ask(9, "FriendRpc.SetPresenceV1Request", presence).await;
    assert_eq!(set["payload"]["response"], "Ok");
    social.next().await;
    let presences = async || {
        let kind = "FriendRpc.GetFriendListAndRegisterOnlineV1Request";
        let list = rpc(server.players, &bob.social, kind, json!({})).await;
        list["friendList"]["friends"][0]["presences"].as_array().unwrap().len()
    };
    assert_eq!(presences().await, 1);
    for socket in [&mut game, &mut social] {
        assert_eq!(socket.terminated().await, "EXPIRED");
        assert_eq!(socket.closed().await, 1000);
    }
    while presences().await > 0 || server.dials.figures().await.unwrap().live > 0 {
        tokio::task::yield_now().await;
    }
}

/// 18: a player who was banned since gets no game token at the next refresh, and may not play.
#[actix_rt::test]
async fn a_refresh_asks_whether_the_player_may_still_play() {
    let server = TestServer::start(|config| {
        config.pragma.providers.entry("unsafe".to_owned()).or_default().operator_login = true;
    })
    .await;
    let staff = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let ban = json!({"pragmaSocialId": claims(&ada.social)["sub"], "gameShardId": SHARD,
        "banScope": "BAN_SCOPE_GAME_SHARD", "banReason": 101, "comment": "seen"});
    office_ask(&server, &staff, "AccountRpc.BanAccountOperatorV1", ban).await;
    let pair = json!({"pragmaTokens":
        {"pragmaGameToken": ada.game, "pragmaSocialToken": ada.social}});
    let renewed = rpc(server.players, &ada.social, "AccountRpc.RefreshTokensV1Request", pair).await;
    assert_eq!(renewed["pragmaTokens"]["pragmaGameToken"], "");
    assert_ne!(renewed["pragmaTokens"]["pragmaSocialToken"], "");
    let more = json!({"gameShardId": SHARD, "loginQueuePassToken": pass(&server).await});
    let again = authenticate(server.players, "UNSAFE", &unsafe_proof("ada"), more).await;
    assert_eq!((again.status, again.str("/pragmaTokens/pragmaGameToken")), (200, ""));
}

/// 21: a partner's game token is for its shard, the social one for everywhere.
#[actix_rt::test]
async fn a_partner_token_of_another_shard_is_good_at_the_social_gateway_only() {
    let server = TestServer::start(|config| {
        config.pragma.shards = vec![ELSEWHERE.parse().unwrap()];
        config.pragma.providers.entry("unsafe".to_owned()).or_default().operator_login = true;
    })
    .await;
    let staff = operator(&server, "olga").await;
    let wish = json!({"gameShardId": ELSEWHERE, "label": "elsewhere", "permissions": Value::Null});
    let made = office_ask(&server, &staff, "AccountRpc.CreatePartnerTokenV1", wish).await;
    let token = |name: &str| made["pragmaTokens"][name].as_str().unwrap().to_owned();
    let kind = "PartnerSessionRpc.HeartbeatPartnerV1Request";
    let at = server.partners;
    let game = rpc_answer(at, &token("pragmaGameToken"), kind, json!({})).await;
    refused(&game, 403, "GameManagementService_GameShardInvalid");
    rpc(at, &token("pragmaSocialToken"), kind, json!({})).await;
}
