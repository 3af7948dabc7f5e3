//! Accounts by Pragma's door: the portal, look-ups, names, linking (protocol-pragma §6, §7, §8).

use serde_json::{Value, json};

use crate::fakes;
use crate::harness::{Answer, Auth, TestServer, ask};
use crate::pragma_client::{
    SHARD, Tokens, authenticate, claims, come_in, error_of, pass, refused, rpc, rpc_answer,
    rpc_refused, unsafe_proof,
};

async fn portal(server: &TestServer, call: &str, provider: &str, token: &str) -> Answer {
    let url = server.url(&format!("/v1/accounts/{call}"));
    // What a portal has no use for is not looked at.
    let body = json!({"providerId": provider, "providerToken": token,
        "gameShardId": "no shard", "loginQueuePassToken": "no pass"});
    ask("POST", &url, Auth::None, Some(body)).await
}

#[actix_rt::test]
async fn the_portal_makes_no_account_by_accident_and_needs_no_pass() {
    let server = TestServer::start(|config| config.queue.cap = 0).await;
    let ada = unsafe_proof("ada");
    let unknown = portal(&server, "authenticatev1", "UNSAFE", &ada).await;
    refused(&unknown, 403, "AccountService_NotFound");
    let made = portal(&server, "createaccountv1", "UNSAFE", &ada).await;
    assert_eq!((made.status, made.str("/pragmaTokens/pragmaGameToken")), (200, ""));
    let again = portal(&server, "createaccountv1", "UNSAFE", &ada).await;
    refused(&again, 409, "AccountService_AlreadyExists");
    let known = portal(&server, "authenticatev1", "unsafe", &ada).await;
    let social = known.str("/pragmaTokens/pragmaSocialToken");
    let id = &claims(social)["sub"];
    assert_eq!(*id, claims(made.str("/pragmaTokens/pragmaSocialToken"))["sub"]);
    let account = rpc(server.players, social, "AccountRpc.GetAccountV1Request", json!({})).await;
    assert_eq!(account["pragmaSocialId"], *id);
    assert_eq!(account["gameIdentities"], json!([]));
    assert_eq!(account["displayName"]["displayName"], "ada");
}

#[actix_rt::test]
async fn the_portal_is_limited_by_address_and_open_to_its_own_pages_only() {
    let server = TestServer::start(|config| {
        config.limits.portal_per_minute = 2;
        config.pragma.portal_origins = vec!["https://portal.example".into()];
    })
    .await;
    let ada = unsafe_proof("ada");
    for status in [403, 403, 429] {
        let answer = portal(&server, "authenticatev1", "UNSAFE", &ada).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(answer.header("retry-after").is_some(), status == 429);
    }
    for (origin, allowed) in
        [("https://portal.example", Some("https://portal.example")), ("https://evil.example", None)]
    {
        let client = awc::Client::default();
        let request = client
            .options(server.url("/v1/accounts/authenticatev1"))
            .insert_header(("Origin", origin))
            .insert_header(("Access-Control-Request-Method", "POST"));
        let answer = request.send().await.unwrap();
        let got = answer.headers().get("access-control-allow-origin");
        assert_eq!(got.map(|value| value.to_str().unwrap()), allowed, "{origin}");
        let exposed = answer.headers().get("access-control-expose-headers");
        let exposed = exposed.map(|value| value.to_str().unwrap());
        assert_eq!(exposed, allowed.map(|_| "Retry-After, X-Request-Id"), "{origin}");
    }
}

#[actix_rt::test]
async fn a_social_only_sign_in_takes_no_slot() {
    let server = TestServer::start(|config| config.queue.cap = 1).await;
    let pass_of_ada = pass(&server).await;
    let more = json!({"loginQueuePassToken": pass_of_ada});
    let answer = authenticate(server.players, "UNSAFE", &unsafe_proof("ada"), more).await;
    assert_eq!((answer.status, answer.str("/pragmaTokens/pragmaGameToken")), (200, ""));
    assert!(!answer.str("/pragmaTokens/pragmaSocialToken").is_empty());
    // The one slot is free for somebody who plays.
    assert!(!come_in(&server, "bob").await.game.is_empty());
}

async fn look_up(server: &TestServer, by: &Tokens, ids: Value) -> Vec<Value> {
    let payload = json!({"gameShardId": SHARD.to_uppercase(), "providerAccountIds": ids});
    let kind = "AccountRpc.GetPlayerIdentitiesByProviderAccountIdsV1Request";
    let found = rpc(server.players, &by.social, kind, payload).await;
    found["playerIdentities"].as_array().unwrap().clone()
}

#[actix_rt::test]
async fn identities_are_found_in_the_order_asked_and_show_what_may_be_seen() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| {
        fakes.config(config);
        config.pragma.providers.entry("steam".to_owned()).or_default().visible = false;
    })
    .await;
    let (ada, bob) = (come_in(&server, "ada").await, come_in(&server, "bob").await);
    let ticket = fakes.steam_ticket("76561198000000001");
    let link = json!({"newProvider": {"providerId": "STEAM", "providerToken": ticket}});
    let kind = "AccountRpc.LinkIdentityProviderAccountV2Request";
    assert_eq!(rpc(server.players, &ada.social, kind, link).await, json!({}));

    let unsafe_id = |id: &str| json!({"idProviderType": "UNSAFE", "providerAccountId": id});
    let ids = json!([unsafe_id("bob"), unsafe_id("nobody"), unsafe_id("ada")]);
    let found = look_up(&server, &bob, ids.clone()).await;
    let names: Vec<_> = found.iter().map(|it| &it["pragmaDisplayName"]["displayName"]).collect();
    assert_eq!(names, ["bob", "ada"]);
    assert_eq!(found[1]["idProviderAccounts"].as_array().unwrap().len(), 1, "Steam is hidden");
    let own = look_up(&server, &ada, ids).await;
    let own: Vec<_> = own[1]["idProviderAccounts"].as_array().unwrap().clone();
    let types: Vec<_> = own.iter().map(|it| it["idProviderType"].as_str().unwrap()).collect();
    assert_eq!(types, ["UNSAFE", "STEAM"], "one sees all of one's own, in the order of numbers");
    let by_steam = json!([{"idProviderType": 4, "providerAccountId": "76561198000000001"}]);
    assert!(look_up(&server, &bob, by_steam.clone()).await.is_empty());
    assert_eq!(look_up(&server, &ada, by_steam).await.len(), 1);

    let player = claims(&ada.game)["sub"].clone();
    let at = server.players;
    let name = rpc(
        at,
        &bob.social,
        "AccountRpc.GetDisplayNameForPragmaPlayerIdV1Request",
        json!({"pragmaPlayerId": player.as_str().unwrap().to_uppercase(), "gameShardId": SHARD}),
    )
    .await;
    assert_eq!(name["displayName"], "ada");
    let kind = "AccountRpc.GetPragmaPlayerIdForDisplayNameV1Request";
    let mut asked = name.clone();
    asked["gameShardId"] = SHARD.into();
    assert_eq!(rpc(at, &bob.social, kind, asked.clone()).await["pragmaPlayerId"], player);
    asked["discriminator"] = "0000".into();
    assert_eq!(rpc_refused(at, &bob.social, kind, asked).await, "AccountService_NotFound");
    let identities = rpc(
        at,
        &bob.social,
        "AccountRpc.GetPlayerIdentitiesV1Request",
        json!({"playerIds": [player, SHARD], "gameShardId": SHARD}),
    )
    .await;
    assert_eq!(identities["playerIdentities"].as_array().unwrap().len(), 1);
    assert_eq!(identities["failures"][0]["error"], "AccountService_NotFound");
}

/// Every row of §7.2 that a player can meet.
#[actix_rt::test]
async fn linking_is_refused_for_each_reason_by_its_name() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| {
        fakes.config(config);
        let providers = &mut config.pragma.providers;
        let steam = providers.entry("steam".to_owned()).or_default();
        steam.unlinking = true;
        steam.linking_cooldown_days = 3;
        let playstation = providers.entry("playstation".to_owned()).or_default();
        playstation.unlinking = true;
        playstation.one_association = true;
        providers.entry("xbox".to_owned()).or_default().linking = false;
    })
    .await;
    let at = server.players;
    let (ada, bob) = (come_in(&server, "ada").await, come_in(&server, "bob").await);
    let link = async |by: &Tokens, provider: &str, token: &str| {
        let payload = json!({"newProvider": {"providerId": provider, "providerToken": token}});
        let kind = "AccountRpc.LinkIdentityProviderAccountV2Request";
        let answer = rpc_answer(at, &by.social, kind, payload).await;
        error_of(&answer).unwrap_or_default().to_owned()
    };
    let unlink = async |by: &Tokens, provider: &str| {
        let kind = "AccountRpc.UnlinkIdentityProviderAccountV2Request";
        let payload = json!({"idProvider": provider});
        let answer = rpc_answer(at, &by.social, kind, payload).await;
        error_of(&answer).unwrap_or_default().to_owned()
    };
    let (first, second) =
        (fakes.steam_ticket("76561198000000001"), fakes.steam_ticket("76561198000000002"));
    assert_eq!(link(&ada, "NOPE", "x").await, "AccountService_InvalidIdProvider");
    assert_eq!(link(&ada, "EMAIL", "x").await, "AccountService_IdProviderMissing");
    assert_eq!(link(&ada, "XBOX", "x").await, "AccountService_IdProviderLinkingDisabled");
    assert_eq!(link(&ada, "STEAM", "00").await, "AccountService_Unauthorized");
    assert_eq!(link(&ada, "STEAM", &first).await, "");
    assert_eq!(link(&ada, "steam", &first).await, "", "the same again is a success");
    let taken = "AccountService_IdProviderAlreadyAssociated";
    assert_eq!(link(&bob, "4", &first).await, taken);
    let bound = "AccountService_AccountAlreadyBoundToProviderType";
    assert_eq!(link(&ada, "STEAM", &second).await, bound);

    assert_eq!(unlink(&ada, "UNSAFE").await, "ID_PROVIDER_UNLINKING_DISABLED");
    assert_eq!(unlink(&ada, "STEAM").await, "");
    assert_eq!(unlink(&ada, "STEAM").await, "", "what is not linked is unlinked");
    assert_eq!(link(&ada, "STEAM", &second).await, "LINK_COOLDOWN");
    server.pass_ms(3 * 86_400_000).await;
    let ada = come_in(&server, "ada").await;
    let second = fakes.steam_ticket("76561198000000002");
    assert_eq!(link(&ada, "STEAM", &second).await, "");

    assert_eq!(link(&ada, "PLAYSTATION", &fakes.psn_code("p1", "Ada")).await, "");
    assert_eq!(unlink(&ada, "PLAYSTATION").await, "");
    let other = fakes.psn_code("p2", "Ada");
    assert_eq!(link(&ada, "PLAYSTATION", &other).await, "LINK_ONE_ASSOCIATION_ONLY");
    assert_eq!(link(&ada, "PLAYSTATION", &fakes.psn_code("p1", "Ada")).await, "");
}

/// The account that was made by one protocol is the same by the other (issue: cross-protocol).
#[actix_rt::test]
async fn a_steam_link_made_by_nakama_signs_in_by_pragma() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let device = json!({"id": "device-0123456789"});
    let made = server.with_key("/v2/account/authenticate/device?create=true", device).await;
    let session = made.str("/token").to_owned();
    let ticket = fakes.steam_ticket("76561198000000009");
    let linked = server
        .with_token(
            "POST",
            "/v2/account/link/steam",
            &session,
            Some(json!({"account": {"token": ticket}})),
        )
        .await;
    assert_eq!(linked.status, 200, "{}", linked.text);
    let more = json!({"gameShardId": SHARD, "loginQueuePassToken": pass(&server).await});
    let ticket = fakes.steam_ticket("76561198000000009");
    let tokens = Tokens::of(&authenticate(server.players, "STEAM", &ticket, more).await);
    let nakama = claims(&session)["uid"].clone();
    assert_eq!(claims(&tokens.social)["pragmaSocialId"], nakama);
    assert_eq!(claims(&tokens.game)["idProvider"], "STEAM");
}

#[actix_rt::test]
async fn a_player_renames_themselves_where_that_is_allowed() {
    let server = TestServer::start(|config| {
        config.pragma.display_name_changes = true;
        config.pragma.display_name_cooldown_days = 1;
    })
    .await;
    let ada = come_in(&server, "ada").await;
    let kind = "AccountRpc.UpdateDisplayNameV1Request";
    let wish = |name: &str| json!({"requestedDisplayName": name});
    let at = server.players;
    let bad = rpc_refused(at, &ada.social, kind, wish("  ")).await;
    assert_eq!(bad, "AccountService_BadRequest");
    let renamed = rpc(at, &ada.social, kind, wish("Countess")).await;
    assert_eq!(renamed["updatedDisplayName"]["displayName"], "Countess");
    let soon = rpc_refused(at, &ada.social, kind, wish("Duchess")).await;
    assert_eq!(soon, "AccountService_DisplayNameUpdateNotAllowed");
    let ada = come_in(&server, "ada").await;
    assert_eq!(claims(&ada.game)["displayName"], "Countess", "in tokens issued from now on");

    let fixed = TestServer::start(|_| {}).await;
    let bob = come_in(&fixed, "bob").await;
    let off = rpc_refused(fixed.players, &bob.social, kind, wish("Bobby")).await;
    assert_eq!(off, "AccountService_DisplayNameUpdateNotAllowed");
}
