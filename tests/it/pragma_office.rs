//! Operators and game servers at work (protocol-pragma §6.5 to §6.7, §9, §13): roles, partner tokens,
//! accounts, tags, groups, bans, limited access.

use anteroom::config::Config;
use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::pragma_client::{
    SHARD, Socket, Tokens, claims, come_in, connect_at, operator, refused, rpc, rpc_answer,
    rpc_refused,
};

const FORBIDDEN: &str = "AccountService_Unauthorized";

/// A server whose operators sign in by the test provider; the first gets every permission.
pub async fn office(set: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::start(|config| {
        let options = config.pragma.providers.entry("unsafe".to_owned()).or_default();
        options.operator_login = true;
        set(config);
    })
    .await
}

/// A call of an operator's that must be answered.
pub async fn ask(server: &TestServer, by: &Tokens, kind: &str, payload: Value) -> Value {
    rpc(server.operators, &by.social, &format!("{kind}Request"), payload).await
}

/// A call of an operator's that must be refused: the name of the error.
pub async fn refusal(server: &TestServer, by: &Tokens, kind: &str, payload: Value) -> String {
    rpc_refused(server.operators, &by.social, &format!("{kind}Request"), payload).await
}

/// Whose account a token is of.
pub fn social_id(tokens: &Tokens) -> String {
    claims(&tokens.social)["pragmaSocialId"].as_str().unwrap().to_owned()
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}

/// A pair of partner tokens, and its id.
pub async fn partner(server: &TestServer, by: &Tokens, permissions: Value) -> (Tokens, String) {
    let payload = json!({"gameShardId": SHARD, "label": "eu-fleet", "permissions": permissions});
    let made = ask(server, by, "AccountRpc.CreatePartnerTokenV1", payload).await;
    let tokens = Tokens {
        game: text(&made, "/pragmaTokens/pragmaGameToken"),
        social: text(&made, "/pragmaTokens/pragmaSocialToken"),
    };
    (tokens, text(&made, "/tokenId"))
}

async fn make_role(server: &TestServer, by: &Tokens, name: &str, permissions: Value) -> String {
    let payload = json!({"name": name, "permissions": permissions});
    let made = ask(server, by, "RoleRpc.CreateRoleOperatorV1", payload).await;
    text(&made, "/role/roleId")
}

#[actix_rt::test]
async fn roles_permit_and_nobody_gives_what_they_do_not_have() {
    let server = office(|_| {}).await;
    let (olga, pete) = (operator(&server, "olga").await, operator(&server, "pete").await);
    let own = ask(&server, &olga, "RoleRpc.GetOwnPermissionsOperatorV1", json!({})).await;
    assert!(own["permissions"].as_array().unwrap().len() > 20, "{own}");
    let admin = text(&own, "/roleIds/0");
    let own = ask(&server, &pete, "RoleRpc.GetOwnPermissionsOperatorV1", json!({})).await;
    assert_eq!(own, json!({"roleIds": [], "permissions": []}), "only the first is let loose");
    let view = "AccountRpc.ViewTagsOperatorV1";
    assert_eq!(refusal(&server, &pete, view, json!({})).await, FORBIDDEN);

    let support = make_role(&server, &olga, "Support", json!(["account.tags.get"])).await;
    let lead = json!(["account.tags.get", "account.roles.update", "account.account_roles.update"]);
    let lead = make_role(&server, &olga, "Lead", lead).await;
    let give = "RoleRpc.AddAccountToRoleOperatorV1";
    let to = |role: &str, who: &Tokens| json!({"roleId": role, "pragmaSocialId": social_id(who)});
    assert_eq!(ask(&server, &olga, give, to(&lead, &pete)).await["roleIds"], json!([lead]));
    assert_eq!(ask(&server, &pete, view, json!({})).await["accountTags"], json!([]));

    let ruth = operator(&server, "ruth").await;
    ask(&server, &pete, give, to(&support, &ruth)).await;
    assert_eq!(refusal(&server, &pete, give, to(&admin, &pete)).await, FORBIDDEN);
    let more = json!({"roleId": lead, "permissions": ["account.accounts.delete"]});
    assert_eq!(refusal(&server, &pete, "RoleRpc.UpdateRoleOperatorV1", more).await, FORBIDDEN);
    let more = json!({"name": "God", "permissions": ["account.bans.create"]});
    assert_eq!(refusal(&server, &pete, "RoleRpc.CreateRoleOperatorV1", more).await, FORBIDDEN);
    for (kind, payload) in [
        ("RoleRpc.UpdateRoleOperatorV1", json!({"roleId": admin, "name": "Boss"})),
        ("RoleRpc.DeleteRoleOperatorV1", json!({"roleId": admin})),
        ("RoleRpc.CreateRoleOperatorV1", json!({"name": "admin"})),
        ("RoleRpc.RemoveAccountFromRoleOperatorV1", to(&admin, &olga)),
        ("AccountRpc.DeleteAccountOperatorV1", json!({"pragmaSocialId": social_id(&olga)})),
    ] {
        assert_eq!(refusal(&server, &olga, kind, payload).await, "CONFLICT", "{kind}");
    }
    let unknown = json!({"name": "New", "permissions": ["no.such.thing"]});
    let refused = refusal(&server, &olga, "RoleRpc.CreateRoleOperatorV1", unknown).await;
    assert_eq!(refused, "INVALID_REQUEST");

    let with = ask(&server, &olga, "RoleRpc.GetRoleAccountsOperatorV1", json!({"roleId": support}));
    assert_eq!(with.await["count"], 1);
    ask(&server, &olga, "RoleRpc.DeleteRoleOperatorV1", json!({"roleId": support})).await;
    assert_eq!(refusal(&server, &ruth, view, json!({})).await, FORBIDDEN, "at once");

    // All of it is there after a restart.
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    assert_eq!(ask(&server, &pete, view, json!({})).await["accountTags"], json!([]));
    assert_eq!(refusal(&server, &ruth, view, json!({})).await, FORBIDDEN);
    let roles = ask(&server, &olga, "RoleRpc.GetRolesOperatorV1", json!({})).await;
    assert_eq!(roles["roles"].as_array().unwrap().len(), 2, "the built-in one, and Lead");
}

#[actix_rt::test]
async fn whom_the_list_names_is_let_loose_and_the_first_is_not() {
    let list = vec!["UNSAFE:boss".to_owned()];
    let server = office(|config| config.pragma.bootstrap_admins = list).await;
    let (first, boss) = (operator(&server, "first").await, operator(&server, "boss").await);
    let view = "AccountRpc.ViewTagsOperatorV1";
    assert_eq!(refusal(&server, &first, view, json!({})).await, FORBIDDEN);
    ask(&server, &boss, view, json!({})).await;
}

#[actix_rt::test]
async fn partner_tokens_are_good_until_revoked() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let elsewhere = json!({"gameShardId": "7a1d6c1e-5b0e-4b52-9f8e-2f5a7c1f0a11"});
    let create = "AccountRpc.CreatePartnerTokenOperatorV1";
    let refused_shard = refusal(&server, &olga, create, elsewhere).await;
    assert_eq!(refused_shard, "GameManagementService_GameShardInvalid");
    let nothing = json!({"gameShardId": SHARD, "permissions": []});
    assert_eq!(refusal(&server, &olga, create, nothing).await, "INVALID_REQUEST");

    let (fleet, id) = partner(&server, &olga, json!(["account.tags.get"])).await;
    let game = claims(&fleet.game);
    assert_eq!((&game["sessionType"], &game["gameShardId"]), (&json!("PARTNER"), &json!(SHARD)));
    assert_eq!((&game["sub"], &game["permissions"]), (&json!(id), &json!(["account.tags.get"])));
    let life_s = game["exp"].as_u64().unwrap() - game["iat"].as_u64().unwrap();
    assert_eq!(life_s, 876_000 * 3_600);
    assert!(claims(&fleet.social).get("gameShardId").is_none());

    let view = "AccountRpc.ViewTagsPartnerV1Request";
    rpc(server.partners, &fleet.social, view, json!({})).await;
    let more = "AccountRpc.ViewPlayerGroupsPartnerV1Request";
    assert_eq!(rpc_refused(server.partners, &fleet.social, more, json!({})).await, FORBIDDEN);
    let theirs = "AccountRpc.ViewTagsOperatorV1Request";
    let wrong = rpc_refused(server.partners, &fleet.social, theirs, json!({})).await;
    assert_eq!(wrong, "SessionService_WrongSessionType");

    let listed = ask(&server, &olga, "AccountRpc.ListPartnerTokensV1", json!({})).await;
    let record = &listed["partnerTokens"][0];
    assert_eq!((&record["tokenId"], &record["revoked"]), (&json!(id), &json!(false)));
    assert_eq!(
        (&record["label"], &record["createdBy"]),
        (&json!("eu-fleet"), &json!(social_id(&olga)))
    );
    assert_ne!(record["lastUsedTimestampMillis"], "0", "{record}");
    assert!(!listed.to_string().contains(&fleet.game), "a token is shown once");
    let named = json!({"tokenId": id.to_uppercase(), "label": "us-fleet"});
    let named = ask(&server, &olga, "AccountRpc.RelabelPartnerTokenV1", named).await;
    assert_eq!(named["partnerToken"]["label"], "us-fleet");

    let (all, other) = partner(&server, &olga, Value::Null).await;
    rpc(server.partners, &all.social, more, json!({})).await;
    let mut socket = connect_at(server.partners, Some(&all.game), "").await.unwrap();
    let beat = socket.ask(7, "PartnerSessionRpc.HeartbeatPartnerV1Request", json!({})).await;
    assert_eq!(beat["payload"], json!({}), "{beat}");
    let revoked = ask(&server, &olga, "AccountRpc.RevokePartnerTokenV1", json!({"tokenId": other}));
    assert_eq!(revoked.await["partnerToken"]["revoked"], true);
    let ended = socket.next().await;
    assert_eq!(ended["notification"]["payload"]["reason"], "KICKED", "{ended}");
    assert_eq!(socket.closed().await, 1000);

    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    for token in [&all.social, &all.game] {
        let answer = rpc_answer(server.partners, token, view, json!({})).await;
        refused(&answer, 401, FORBIDDEN);
        assert_eq!(connect_at(server.partners, Some(token), "").await.err(), Some(401));
    }
    rpc(server.partners, &fleet.social, view, json!({})).await;
}

#[actix_rt::test]
async fn accounts_are_looked_up_one_by_one_and_failures_told_apart() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let (ada, eve) = (come_in(&server, "ada").await, come_in(&server, "eve").await);
    let (fleet, _) = partner(&server, &olga, Value::Null).await;
    let player = |tokens: &Tokens| text(&claims(&tokens.game), "/pragmaPlayerId");
    let nobody = "7a1d6c1e-5b0e-4b52-9f8e-2f5a7c1f0a11";
    let ids = json!([player(&ada).to_uppercase(), nobody, "garbage", player(&eve)]);
    let payload = json!({"playerIds": ids, "gameShardId": SHARD, "unknown": {}});
    let failures = json!([
        {"pragmaId": nobody, "error": "AccountService_NotFound"},
        {"pragmaId": "garbage", "error": "AccountService_BadRequest"},
    ]);
    for (at, token, kind) in [
        (server.partners, &fleet.social, "AccountRpc.GetPlayerIdentitiesPartnerV1Request"),
        (server.operators, &olga.social, "AccountRpc.GetPlayerIdentitiesOperatorV1Request"),
    ] {
        let found = rpc(at, token, kind, payload.clone()).await;
        assert_eq!(found["failures"], failures, "{kind}");
        let found = &found["playerIdentities"];
        assert_eq!(found[0]["pragmaPlayerId"], player(&ada));
        assert_eq!(found[0]["pragmaDisplayName"]["displayName"], "ada");
        assert_eq!(found[0]["idProviderAccounts"][0]["idProviderType"], "UNSAFE");
        assert_eq!(found[1]["pragmaSocialId"], social_id(&eve));
    }
    let payload = json!({"socialIds": [social_id(&ada), nobody]});
    let found = ask(&server, &olga, "AccountRpc.GetSocialIdentitiesOperatorV1", payload).await;
    assert_eq!(found["socialIdentities"][0]["gameIdentities"][0]["gameShardId"], SHARD);
    assert_eq!(found["failures"][0]["pragmaId"], nobody);
    let payload = json!({"playerId": player(&ada), "gameShardId": SHARD});
    let kind = "AccountRpc.GetDisplayNameForPlayerIdPartnerV2Request";
    let name = rpc(server.partners, &fleet.social, kind, payload).await;
    assert_eq!(name["displayName"]["displayName"], "ada");
    let payload = json!({"pragmaSocialId": social_id(&ada)});
    let view = ask(&server, &olga, "AccountRpc.ViewSocialIdentityOperatorV2", payload).await;
    let seen = &view["socialIdentity"];
    assert_eq!(seen["socialIdentity"]["pragmaSocialId"], social_id(&ada));
    assert_eq!((&seen["tags"], &seen["emailVerified"]), (&json!([]), &json!(false)));
    let unknown = json!({"pragmaSocialId": nobody});
    let refused = refusal(&server, &olga, "AccountRpc.ViewSocialIdentityOperatorV2", unknown).await;
    assert_eq!(refused, "AccountService_NotFound");
}

#[actix_rt::test]
async fn a_deleted_player_is_sent_away_and_may_begin_anew() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = come_in(&server, "ada").await;
    let mut game = Socket::open(&server, &ada.game).await;
    let gone = json!({"pragmaSocialId": social_id(&ada)});
    for _ in 0..2 {
        let done = ask(&server, &olga, "AccountRpc.DeleteAccountOperatorV1", gone.clone()).await;
        assert_eq!(done, json!({}), "also when it is gone already");
    }
    assert_eq!(game.terminated().await, "AS_REQUESTED");
    assert_eq!(game.closed().await, 1000);
    assert_eq!(connect_at(server.players, Some(&ada.game), "").await.err(), Some(401));
    assert_ne!(social_id(&come_in(&server, "ada").await), social_id(&ada));
}

#[actix_rt::test]
async fn tags_are_made_by_what_they_say_and_groups_by_operators() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let (ada, eve) = (come_in(&server, "ada").await, come_in(&server, "eve").await);
    let (fleet, _) = partner(&server, &olga, Value::Null).await;
    let (ada, eve) = (social_id(&ada), social_id(&eve));
    let add = "AccountRpc.AddAccountTagsPartnerV1Request";
    let payload = json!({"request":
        {"pragmaSocialIds": [ada, "x"], "accountTags": ["VIP", {"tag": "vip"}, "Streamer"]}});
    let tagged = rpc(server.partners, &fleet.social, add, payload).await;
    let tags = tagged["accountTagsBySocialId"][0]["accountTags"].as_array().unwrap().clone();
    assert_eq!((tags.len(), &tags[0]["tag"]), (2, &json!("VIP")), "{tagged}");
    assert_eq!(tagged["failures"][0]["error"], "AccountService_BadRequest");
    let vip = text(&tags[0], "/tagId");
    let seen = ask(&server, &olga, "AccountRpc.ViewTagsOperatorV1", json!({})).await;
    assert_eq!(seen["accountTags"].as_array().unwrap().len(), 2);
    let payload = json!({"request": {"pragmaSocialIds": [ada], "accountTagIds": [vip]}});
    let left = ask(&server, &olga, "AccountRpc.RemoveAccountTagsOperatorV1", payload).await;
    assert_eq!(left["accountTagsBySocialId"][0]["accountTags"], json!([tags[1]]));
    let long = json!({"request": {"pragmaSocialIds": [ada], "accountTags": ["x".repeat(200)]}});
    let refused = refusal(&server, &olga, "AccountRpc.AddAccountTagsOperatorV1", long).await;
    assert_eq!(refused, "AccountService_AccountTagValidation");
    let streamer = json!({"tagId": tags[1]["tagId"]});
    ask(&server, &olga, "AccountRpc.DeleteTagOperatorV1", streamer).await;
    let payload = json!({"pragmaSocialIds": [ada, eve]});
    let left = ask(&server, &olga, "AccountRpc.GetAccountTagsOperatorV1", payload).await;
    assert_eq!(left["accountTagsBySocialId"][0]["accountTags"], json!([]), "gone from everybody");

    let create = "AccountRpc.CreatePlayerGroupOperatorV1";
    let made = ask(&server, &olga, create, json!({"name": "Testers"})).await;
    let group = text(&made, "/playerGroup/playerGroupId");
    let twice = refusal(&server, &olga, create, json!({"name": "testers"})).await;
    assert_eq!(twice, "AccountService_PlayerGroupNameCollision");
    let payload = json!({"playerGroupId": group, "pragmaSocialId": eve});
    let kind = "AccountRpc.AddAccountToPlayerGroupPartnerV1Request";
    let joined = rpc(server.partners, &fleet.social, kind, payload.clone()).await;
    assert_eq!(joined["playerGroupIds"], json!([group]));
    let unknown = json!({"playerGroupId": ada, "pragmaSocialId": eve});
    let refused = rpc_refused(server.partners, &fleet.social, kind, unknown).await;
    assert_eq!(refused, "AccountService_PlayerGroupValidation");
    let left = ask(&server, &olga, "AccountRpc.RemoveAccountFromPlayerGroupOperatorV1", payload);
    assert_eq!(left.await["playerGroupIds"], json!([]));
}

#[actix_rt::test]
async fn only_groups_and_their_events_enter_a_limited_shard() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await;
    let ada = social_id(&come_in(&server, "ada").await);
    let may_play = async |name: &str| !come_in(&server, name).await.game.is_empty();
    let mut groups = Vec::new();
    for name in ["Staff", "Testers"] {
        let made = json!({"name": name});
        let made = ask(&server, &olga, "AccountRpc.CreatePlayerGroupOperatorV1", made).await;
        groups.push(text(&made, "/playerGroup/playerGroupId"));
    }
    let mode = "GameManagementRpc.SetGameShardAccessModeOperatorV1";
    let limited = json!({"gameShardId": SHARD, "accessMode": "LIMITED"});
    assert_eq!(ask(&server, &olga, mode, limited).await["gameShard"]["accessMode"], "LIMITED");
    assert!(!may_play("ada").await, "in no group");
    let join = "AccountRpc.AddAccountToPlayerGroupOperatorV1";
    let member = json!({"playerGroupId": groups[1], "pragmaSocialId": ada});
    ask(&server, &olga, join, member).await;
    assert!(!may_play("ada").await, "no event yet");

    let now_ms = 1_800_000_000_000_u64;
    let event = |from: u64, to: u64| {
        json!({"limitedAccessEventDetails": {
            "gameShardId": SHARD, "name": "weekend", "playerGroupIds": [groups[1]],
            "startUnixTimeMs": (now_ms + from).to_string(), "endUnixTimeMs": now_ms + to,
            "timeZone": "UTC"}})
    };
    let create = "GameManagementRpc.CreateLimitedAccessEventOperatorV1";
    assert_eq!(refusal(&server, &olga, create, event(5, 5)).await, "INVALID_REQUEST");
    let made = ask(&server, &olga, create, event(60_000, 120_000)).await;
    let id = text(&made, "/limitedAccessEvent/limitedAccessEventId");
    assert!(!may_play("ada").await, "it has not begun");
    server.pass_ms(60_000).await;
    assert!(may_play("ada").await && !may_play("eve").await);
    let busy = json!({"playerGroupId": groups[1]});
    let refused = refusal(&server, &olga, "AccountRpc.DeletePlayerGroupOperatorV1", busy).await;
    assert_eq!(refused, "AccountService_PlayerGroupCouldNotRemove");
    server.pass_ms(60_000).await;
    assert!(!may_play("ada").await, "it is over");

    let full = json!({"gameShardId": SHARD, "playerGroupIds": groups});
    ask(&server, &olga, "GameManagementRpc.SetFullAccessPlayerGroupsOperatorV1", full).await;
    assert!(may_play("ada").await);
    let gone = json!({"limitedAccessEventId": id});
    let delete = "GameManagementRpc.DeleteLimitedAccessEventOperatorV1";
    ask(&server, &olga, delete, gone.clone()).await;
    let again = refusal(&server, &olga, delete, gone).await;
    assert_eq!(again, "GameManagementService_LimitedAccessEventNotFound");
    let everyone = json!({"gameShardId": SHARD, "accessMode": "EVERYONE"});
    ask(&server, &olga, mode, everyone).await;
    assert!(may_play("eve").await);
    let shards = ask(&server, &olga, "GameManagementRpc.GetGameShardsOperatorV1", json!({})).await;
    assert_eq!(shards["gameShards"][0]["fullAccessPlayerGroupIds"].as_array().unwrap().len(), 2);
}
