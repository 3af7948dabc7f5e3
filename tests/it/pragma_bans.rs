//! Bans, searches and players' rights to their data (protocol-pragma §6.5, §6.6, §6.8).

use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::pragma_client::{
    SHARD, Socket, Tokens, claims, come_in, connect_at, operator, pass, refused, rpc, sign_in,
};
use crate::pragma_office::{ask, office, partner, refusal, social_id};

const BAN: &str = "AccountRpc.BanAccountOperatorV1";

fn ban(who: &Tokens, scope: &str) -> Value {
    json!({"pragmaSocialId": social_id(who), "banScope": scope, "durationInMillis": "60000",
        "banReason": 101, "comment": "seen by three", "gameShardId": SHARD})
}

#[actix_rt::test]
async fn a_banned_player_plays_on_is_told_and_gets_no_game_token_next_time() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let mut social = Socket::open(&server, &ada.social).await;
    let mut game = Socket::open(&server, &ada.game).await;
    let done = ask(&server, &olga, BAN, ban(&ada, "BAN_SCOPE_GAME_SHARD")).await;
    let record = &done["banRecord"];
    assert_eq!(
        (&record["bannedBy"], &record["comment"]),
        (&json!(social_id(&olga)), &json!("seen by three"))
    );
    let told = social.next().await;
    assert_eq!(told["notification"]["type"], "AccountRpc.BanV1Notification", "{told}");
    let expected = json!({"banId": record["ban"]["banId"], "pragmaSocialId": social_id(&ada),
        "revoked": false, "gameShardId": SHARD, "startTimestampMillis": "1800000000000",
        "durationInMillis": "60000", "banScope": "BAN_SCOPE_GAME_SHARD", "banReason": 101});
    assert_eq!(told["notification"]["payload"]["ban"], expected);
    game.heartbeat(7).await; // heard nothing, and goes on
    let own = social.ask(8, "AccountRpc.GetBansV1Request", json!({})).await;
    assert_eq!(own["payload"], json!({"bans": [expected]}), "without what operators say");

    let pair =
        json!({"pragmaTokens": {"pragmaGameToken": ada.game, "pragmaSocialToken": ada.social}});
    let renewed = social.ask(9, "AccountRpc.RefreshTokensV1Request", pair).await;
    assert_eq!(renewed["payload"]["pragmaTokens"]["pragmaGameToken"], "");
    let again = come_in(&server, "ada").await;
    assert!(again.game.is_empty() && !again.social.is_empty());

    let (fleet, _) = partner(&server, &olga, Value::Null).await;
    let id = json!({"banId": record["ban"]["banId"]});
    let kind = "AccountRpc.RevokeBanAccountPartnerV1Request";
    let revoked = rpc(server.partners, &fleet.social, kind, id).await;
    assert_eq!(revoked["banRecord"]["revokedBy"], claims(&fleet.social)["sub"]);
    assert!(!come_in(&server, "ada").await.game.is_empty());
    let whose = json!({"pragmaSocialId": social_id(&ada)});
    let history = ask(&server, &olga, "AccountRpc.GetBansBySocialIdOperatorV1", whose).await;
    assert_eq!(history["banRecords"][0]["ban"]["revoked"], true);
}

#[actix_rt::test]
async fn a_full_ban_keeps_a_player_out_by_every_door_until_it_is_over() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    ask(&server, &olga, BAN, ban(&ada, "FULL_ACCOUNT")).await;
    let answer = sign_in(&server, "ada", &pass(&server).await).await;
    refused(&answer, 403, "AccountService_Unauthorized");

    let device = json!({"id": "device-of-eve"});
    let path = "/v2/account/authenticate/device?create=true";
    let nakama = async || server.with_key(path, device.clone()).await;
    let signed_in = nakama().await;
    let (token, refresh) = (signed_in.str("/token").to_owned(), signed_in.str("/refresh_token"));
    let account = server.with_token("GET", "/v2/account", &token, None).await;
    let mut eve = ban(&ada, "FULL_ACCOUNT");
    eve["pragmaSocialId"] = account.json["user"]["id"].clone();
    ask(&server, &olga, BAN, eve).await;
    let banned = |answer: &Answer| assert_eq!(answer.status, 403, "{}", answer.text);
    banned(&nakama().await);
    let again = json!({"token": refresh});
    banned(&server.with_key("/v2/account/session/refresh", again).await);
    server.pass_ms(60_000).await;
    assert_eq!(nakama().await.status, 200);
    assert!(!come_in(&server, "ada").await.game.is_empty());
}

#[actix_rt::test]
async fn with_the_switch_a_ban_ends_sessions_at_once() {
    let server = office(|config| {
        config.pragma.bans_end_sessions = true;
        config.queue.cap = 1;
    })
    .await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let mut game = Socket::open(&server, &ada.game).await;
    ask(&server, &olga, BAN, ban(&ada, "ALL_GAME_SHARDS")).await;
    assert_eq!(game.terminated().await, "KICKED");
    assert_eq!(game.closed().await, 1000);
    for token in [&ada.game, &ada.social] {
        assert_eq!(connect_at(server.players, Some(token), "").await.err(), Some(401));
    }
    assert!(!come_in(&server, "eve").await.game.is_empty(), "the slot is free at once");
}

#[actix_rt::test]
async fn what_is_no_ban_is_refused() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let with = |member: &str, value: Value| {
        let mut ban = ban(&ada, "GAME_SHARD");
        ban[member] = value;
        ban
    };
    for (payload, error) in [
        (with("banScope", json!("NOPE")), "INVALID_REQUEST"),
        (with("durationInMillis", json!(0)), "INVALID_REQUEST"),
        (with("durationInMillis", json!("-5")), "INVALID_REQUEST"),
        (with("gameShardId", Value::Null), "INVALID_REQUEST"),
        (with("gameShardId", json!(social_id(&ada))), "GameManagementService_GameShardInvalid"),
        (with("pragmaSocialId", json!(SHARD)), "AccountService_NotFound"),
        (with("comment", json!("x".repeat(1_025))), "INVALID_REQUEST"),
    ] {
        assert_eq!(refusal(&server, &olga, BAN, payload.clone()).await, error, "{payload}");
    }
    let last = ban(&olga, "FULL_ACCOUNT");
    assert_eq!(refusal(&server, &olga, BAN, last).await, "CONFLICT", "the last who may everything");
    let unknown = json!({"banId": SHARD});
    let kind = "AccountRpc.RevokeBanAccountOperatorV1";
    assert_eq!(refusal(&server, &olga, kind, unknown).await, "NOT_FOUND");
}

#[actix_rt::test]
async fn accounts_are_found_by_every_filter_and_paged() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let mut ids = Vec::new();
    for name in ["ada", "bea", "cid", "Zoë"] {
        ids.push(social_id(&come_in(&server, name).await));
    }
    let tag = json!({"request": {"pragmaSocialIds": [ids[0], ids[1]], "accountTags": ["VIP"]}});
    let tagged = ask(&server, &olga, "AccountRpc.AddAccountTagsOperatorV1", tag).await;
    let tag = tagged["accountTagsBySocialId"][0]["accountTags"][0]["tagId"].clone();
    let made = json!({"name": "Testers"});
    let made = ask(&server, &olga, "AccountRpc.CreatePlayerGroupOperatorV1", made).await;
    let group = made["playerGroup"]["playerGroupId"].clone();
    let member = json!({"playerGroupId": group, "pragmaSocialId": ids[1]});
    ask(&server, &olga, "AccountRpc.AddAccountToPlayerGroupOperatorV1", member).await;

    let kind = "AccountRpc.GetPragmaAccountOverviewsOperatorV1";
    let find = async |filter: Value| {
        let payload = json!({"filter": filter, "pageIndex": 0, "pageSize": 10});
        let found = ask(&server, &olga, kind, payload).await;
        let accounts = found["accounts"].as_array().unwrap().clone();
        assert_eq!(found["count"], accounts.len(), "{found}");
        let mut of: Vec<_> = accounts.iter().map(|it| it["pragmaSocialId"].clone()).collect();
        of.sort_by_key(|id| ids.iter().position(|known| id == known));
        of
    };
    let zoe = json!({"pragmaSocialIds": [], "socialIds": [ids[3]]});
    let zoe = ask(&server, &olga, "AccountRpc.GetSocialIdentitiesOperatorV1", zoe).await;
    let number = zoe["socialIdentities"][0]["pragmaDisplayName"]["discriminator"].clone();
    let full = format!("ZOË#{}", number.as_str().unwrap());
    let elsewhere = "7a1d6c1e-5b0e-4b52-9f8e-2f5a7c1f0a11";
    let unsafe_name = json!({"idProvider": "UNSAFE", "fullDisplayName": "CID"});
    for (filter, found) in [
        (json!({"accountTagIds": [tag]}), &ids[..2]),
        (json!({"accountTagIds": [tag], "excludedPlayerGroupIds": [group]}), &ids[..1]),
        (json!({"playerGroupIds": [group], "accountTagIds": [tag]}), &ids[1..2]),
        (json!({"playerGroupIds": [group], "excludedAccountTagIds": [tag]}), &[]),
        (json!({"pragmaSocialId": ids[2].to_uppercase()}), &ids[2..3]),
        (json!({"idProviderAccountId": "cid", "idProviders": ["UNSAFE"]}), &ids[2..3]),
        (json!({"idProviderAccountId": "cid", "idProviders": [4]}), &[]),
        (json!({"idProviderAccountId": "cid"}), &ids[2..3]),
        (json!({"pragmaFullDisplayName": full}), &ids[3..]),
        (json!({"pragmaFullDisplayName": "zoë"}), &ids[3..]),
        (json!({"idProviderDisplayNameSearch": unsafe_name}), &ids[2..3]),
        (json!({"gameShardId": elsewhere}), &[]),
        (json!({"emailAddress": "ada@example.org"}), &[]),
    ] {
        assert_eq!(find(filter.clone()).await, found, "{filter}");
    }
}

#[actix_rt::test]
async fn searches_are_paged_and_bounded_by_what_the_searcher_may_see() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    for name in ["ada", "bea", "cid", "Zoë"] {
        come_in(&server, name).await;
    }
    let kind = "AccountRpc.GetPragmaAccountOverviewsOperatorV1";
    let mut seen = Vec::new();
    for page in 0..4 {
        let filter = json!({"gameShardId": SHARD});
        let payload = json!({"filter": filter, "pageIndex": page, "pageSize": 2});
        let found = ask(&server, &olga, kind, payload).await;
        assert_eq!(found["count"], 5, "four players and the operator");
        let accounts = found["accounts"].as_array().unwrap();
        seen.extend(accounts.iter().map(|it| it["pragmaSocialId"].to_string()));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "each on one page");
    for empty in [json!({}), json!({"filter": {}}), json!({"filter": {"searchEmailVerified": 0}})] {
        assert_eq!(refusal(&server, &olga, kind, empty).await, "AccountService_MissingFilter");
    }
    let unknown = json!({"filter": {"idProviders": ["NOPE"]}});
    assert_eq!(refusal(&server, &olga, kind, unknown).await, "AccountService_InvalidIdProvider");

    let (fleet, _) = partner(&server, &olga, json!(["account.accounts.get"])).await;
    let payload = json!({"filter": {"emailAddress": "ada@example.org"}});
    let kind = "AccountRpc.GetPragmaAccountOverviewsPartnerV1Request";
    let answer = crate::pragma_client::rpc_refused(server.partners, &fleet.social, kind, payload);
    assert_eq!(answer.await, "AccountService_Unauthorized", "addresses are personal");
}

async fn submit(server: &TestServer, who: &Tokens, kind: Value) -> Value {
    let name = "DataRightsRpc.SubmitRequestV1Request";
    rpc(server.players, &who.social, name, json!({"requestType": kind})).await["request"].clone()
}

#[actix_rt::test]
async fn a_player_gets_their_data_once_by_a_link_that_lives_a_week() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    ask(&server, &olga, BAN, ban(&ada, "ALL_GAME_SHARDS")).await;
    let request = submit(&server, &ada, json!("PERSONAL_DATA")).await;
    assert_eq!(request["requestStatus"], "IN_PROGRESS");
    assert_eq!(request["submittedTimestampMs"], "1800000000000");
    let id = json!({"requestId": request["requestId"]});
    let twice = crate::pragma_client::rpc_refused(
        server.players,
        &ada.social,
        "DataRightsRpc.SubmitRequestV1Request",
        json!({"requestType": 2}),
    );
    assert_eq!(twice.await, "DataRightsService_RequestAlreadyInProgress");
    let open = ask(&server, &olga, "DataRightsRpc.GetOpenRequestsOperatorV1", json!({})).await;
    assert_eq!((&open["requests"][0], &open["count"]), (&request, &json!(1)));

    let offer = "DataRightsRpc.GenerateDownloadUrlAndTokenOperatorV1";
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let link = ask(&server, &olga, offer, id.clone()).await;
        assert_eq!(link["downloadUrl"], "/v1/datarights/report", "no secret in it");
        tokens.push(link["downloadToken"].as_str().unwrap().to_owned());
    }
    let fetch = async |token: &str| {
        let body = json!({"downloadToken": token});
        server.plain("POST", "/v1/datarights/report", Some(body)).await
    };
    let gone = |answer: &Answer| refused(answer, 404, "DataRightsService_RequestNotFound");
    for bad in ["", "nonsense", &tokens[0]] {
        gone(&fetch(bad).await);
    }
    let report = fetch(&tokens[1]).await;
    assert_eq!((report.status, report.header("cache-control")), (200, Some("no-store")));
    assert_eq!(report.json["pragmaSocialId"], social_id(&ada));
    assert_eq!(report.json["links"][0], json!({"kind": "unsafe", "id": "ada"}));
    assert_eq!(report.json["bans"][0]["comment"], "seen by three");
    assert_eq!(report.json["gameIdentities"][0]["gameShardId"], SHARD);
    gone(&fetch(&tokens[1]).await);
    let whose = json!({"pragmaSocialId": social_id(&ada)});
    let done = ask(&server, &olga, "DataRightsRpc.GetRequestsOperatorV1", whose).await;
    assert_eq!(done["requests"][0]["requestStatus"], "FULFILLED");
    assert_eq!(refusal(&server, &olga, offer, id).await, "DataRightsService_UnexpectedRequestType");

    let request = submit(&server, &ada, json!("PERSONAL_DATA")).await;
    let id = json!({"requestId": request["requestId"]});
    let link = ask(&server, &olga, offer, id).await;
    server.pass_ms(7 * 24 * 3_600 * 1_000).await;
    gone(&fetch(link["downloadToken"].as_str().unwrap()).await);
}

#[actix_rt::test]
async fn a_report_tells_whom_a_player_blocks_and_not_who_blocks_them() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let (ada, bob, eve) = (
        come_in(&server, "ada").await,
        come_in(&server, "bob").await,
        come_in(&server, "eve").await,
    );
    for (who, whom) in [(&ada, &bob), (&eve, &ada)] {
        let whom = json!({"blockedSocialId": social_id(whom)});
        let done = rpc(server.players, &who.social, "FriendRpc.BlockV1Request", whom).await;
        assert_eq!(done["response"], "Ok");
    }
    let request = submit(&server, &ada, json!("PERSONAL_DATA")).await;
    let id = json!({"requestId": request["requestId"]});
    let offer = "DataRightsRpc.GenerateDownloadUrlAndTokenOperatorV1";
    let token = ask(&server, &olga, offer, id).await["downloadToken"].clone();
    let body = json!({"downloadToken": token});
    let report = server.plain("POST", "/v1/datarights/report", Some(body)).await;
    let blocked = json!([{"pragmaSocialId": social_id(&bob), "state": "Blocked"}]);
    assert_eq!(report.json["friends"], blocked);
}

#[actix_rt::test]
async fn a_player_who_wants_to_be_deleted_is_and_may_think_again_before() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let first = submit(&server, &ada, json!(1)).await;
    let id = json!({"requestId": first["requestId"]});
    let cancel = "DataRightsRpc.CancelRequestV1Request";
    let canceled = rpc(server.players, &ada.social, cancel, id.clone()).await;
    assert_eq!(canceled["request"]["requestStatus"], "CANCELED");
    let update = "DataRightsRpc.UpdateRequestStatusOperatorV1";
    let fulfil = |id: &Value| json!({"requestId": id["requestId"], "requestStatus": "FULFILLED"});
    let over = refusal(&server, &olga, update, fulfil(&first)).await;
    assert_eq!(over, "DataRightsService_UnexpectedRequestType");
    let request = submit(&server, &ada, json!("ACCOUNT_DELETION")).await;
    let eve = come_in(&server, "eve").await;
    let foreign = json!({"requestId": request["requestId"]});
    let refused_foreign =
        crate::pragma_client::rpc_refused(server.players, &eve.social, cancel, foreign);
    assert_eq!(refused_foreign.await, "DataRightsService_RequestNotFound");
    let done = ask(&server, &olga, update, fulfil(&request)).await;
    assert_eq!(done["request"]["requestStatus"], "FULFILLED");
    let whose = json!({"pragmaSocialId": social_id(&ada)});
    let gone = refusal(&server, &olga, "DataRightsRpc.GetRequestsOperatorV1", whose).await;
    assert_eq!(gone, "AccountService_NotFound");
    let unknown = json!({"pragmaSocialId": social_id(&eve), "requestType": "WISH"});
    let unknown = refusal(&server, &olga, "DataRightsRpc.SubmitRequestOperatorV1", unknown).await;
    assert_eq!(unknown, "DataRightsService_UnexpectedRequestType");
}
