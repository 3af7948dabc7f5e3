//! Tickets, codes and access tokens, which only the provider can check: Steam, Facebook's Graph API,
//! Play Games, Xbox Live, `PlayStation` Network.

use serde_json::json;

use super::*;
use crate::fakes::Mood;

const TICKET: &str = "/ISteamUserAuth/";

#[actix_web::test]
async fn a_steam_ticket_proves_its_player() {
    let bench = Bench::start().await;
    let ticket = steam(bench.fakes.steam_ticket("76561198000000001"));
    let verified = bench.verify(&ticket).await.unwrap();
    assert_eq!(verified, Verified::of(link(LinkKind::Steam, "76561198000000001")));
    let asked = bench.fakes.last(TICKET).unwrap();
    assert!(
        asked.contains("format=json")
            && asked.contains("appid=480")
            && !asked.contains("identity=")
    );
    let named = bench.others(|config| config.identity.steam.ticket_identity = "anteroom".into());
    let other = steam(bench.fakes.steam_ticket("76561198000000001"));
    assert!(named.verify(&other).await.is_ok());
    assert!(bench.fakes.last(TICKET).unwrap().contains("identity=anteroom"));
}

#[actix_web::test]
async fn steam_refuses_strangers_zeros_and_bans_as_configured() {
    let bench = Bench::start().await;
    is_refused(&bench.verify(&steam("00ff")).await);
    let asked = bench.fakes.asked(TICKET);
    for odd in ["", "xyz", "00 ff", "00&key=1", &"0".repeat(4_098)] {
        is_refused(&bench.verify(&steam(odd)).await);
    }
    assert_eq!(bench.fakes.asked(TICKET), asked, "that is no ticket; nobody is asked");
    for id in ["0", "", "-1", "0765", "+7", "76561198000000001x", "99999999999999999999"] {
        is_refused(&bench.verify(&steam(bench.fakes.steam_ticket(id))).await);
    }
    let no_id = bench.fakes.steam_ticket_with(json!({"result": "OK"}));
    is_refused(&bench.verify(&steam(no_id)).await);
    let not_ok = bench.fakes.steam_ticket_with(json!({"result": "No", "steamid": "5"}));
    is_refused(&bench.verify(&steam(not_ok)).await);
    let banned = |vac: bool, publisher: bool| {
        steam(bench.fakes.steam_ticket_with(json!({
            "result": "OK", "steamid": "5", "vacbanned": vac, "publisherbanned": publisher,
        })))
    };
    assert!(bench.verify(&banned(true, false)).await.is_ok());
    is_refused(&bench.verify(&banned(false, true)).await);
    let turned = bench.others(|config| {
        config.identity.steam.refuse_vac_banned = true;
        config.identity.steam.refuse_publisher_banned = false;
    });
    is_refused(&turned.verify(&banned(true, false)).await);
    assert!(turned.verify(&banned(false, true)).await.is_ok());
    // A ticket of another app; a key Steam does not take, which is our own fault.
    let ticket = || steam(bench.fakes.steam_ticket("5"));
    let other_app = bench.others(|config| config.identity.steam.app_id = 481);
    is_refused(&other_app.verify(&ticket()).await);
    let wrong_key = bench.others(|config| config.identity.steam.publisher_key = "x".into());
    is_unavailable(&wrong_key.verify(&ticket()).await);
}

#[actix_web::test]
async fn steam_friends_come_as_links_and_private_ones_as_none() {
    let bench = Bench::start().await;
    let ticket = steam(bench.fakes.steam_ticket("5"));
    bench.fakes.friends("5", Some(&["6", "7", "0", "x"]));
    let friends = bench.providers.friends(&ticket).await.unwrap();
    assert_eq!(friends, [link(LinkKind::Steam, "6"), link(LinkKind::Steam, "7")]);
    assert!(bench.fakes.last("/ISteamUser/").unwrap().contains("relationship=friend"));
    bench.fakes.friends("5", None);
    assert_eq!(bench.providers.friends(&ticket).await, Ok(Vec::new()));
    bench.fakes.mood("/ISteamUser/", Mood::Status(500));
    let down = bench.providers.friends(&ticket).await;
    assert!(matches!(down, Err(IdentityError::Unavailable(..))), "{down:?}");
    let forged = bench.providers.friends(&steam("00")).await;
    assert!(matches!(forged, Err(IdentityError::Refused(..))), "{forged:?}");
    assert_eq!(bench.fakes.asked("/ISteamUserAuth/"), 2, "the ticket's answer is remembered");
    let none = bench.providers.friends(&apple(bench.fakes.apple_token(json!({})))).await;
    assert!(matches!(none, Err(IdentityError::Refused(..))), "Apple tells none");
}

#[actix_web::test]
async fn an_access_token_of_our_app_proves_its_owner() {
    let bench = Bench::start().await;
    let me = json!({
        "id": "f1", "name": "Eff", "email": "F@x.io",
        "picture": {"data": {"url": "http://p.io/f"}},
    });
    let verified = bench.verify(&facebook(bench.fakes.graph_token(me))).await.unwrap();
    assert_eq!(verified.link, link(LinkKind::Facebook, "f1"));
    let profile = verified.profile;
    assert_eq!(
        (profile.display_name.as_str(), profile.avatar_url.as_str()),
        ("Eff", "http://p.io/f")
    );
    let email = profile.email.unwrap();
    assert_eq!((email.address.as_str(), email.verified), ("f@x.io", false));
    let bare = bench.fakes.graph_token_with(json!({"id": "f2"}), json!({"expires_at": 0}));
    assert_eq!(bench.id(&facebook(bare)).await, "f2");
}

#[actix_web::test]
async fn access_tokens_of_others_are_refused() {
    let bench = Bench::start().await;
    let now = bench.fakes.now_s();
    for facts in [
        json!({"app_id": "4712"}),
        json!({"app_id": ""}),
        json!({"is_valid": false}),
        json!({"expires_at": now}),
        json!({"user_id": "f2"}),
        json!({"user_id": ""}),
    ] {
        let token = bench.fakes.graph_token_with(json!({"id": "f1"}), facts);
        is_refused(&bench.verify(&facebook(token)).await);
    }
    for me in [json!({"id": ""}), json!({"id": "x".repeat(129)}), json!({"id": "a\tb"})] {
        is_refused(&bench.verify(&facebook(bench.fakes.graph_token(me))).await);
    }
    for text in ["", "EAAB", "EAAB&fields=id", &"x".repeat(5_000)] {
        is_refused(&bench.verify(&facebook(text)).await);
    }
    // Our own credentials are wrong: nobody's fault who signs in.
    let wrong = bench.others(|config| config.identity.facebook.app_secret = "x".into());
    is_unavailable(&wrong.verify(&facebook(bench.fakes.graph_token(json!({"id": "f1"})))).await);
}

#[actix_web::test]
async fn facebook_friends_are_read_page_by_page_from_facebook_alone() {
    let bench = Bench::start().await;
    let token = bench.fakes.graph_token(json!({"id": "f1"}));
    bench.fakes.friends(&token, Some(&["f2", "f3", "f4"]));
    let friends = bench.providers.friends(&facebook(token.clone())).await.unwrap();
    let expected = ["f2", "f3", "f4"].map(|id| link(LinkKind::Facebook, id));
    assert_eq!(friends, expected);
    assert_eq!(bench.fakes.asked("/v22.0/me/friends"), 3);
    let many: Vec<String> = (0..60).map(|n| format!("m{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    bench.fakes.friends(&token, Some(&many));
    let friends = bench.providers.friends(&facebook(token.clone())).await.unwrap();
    assert_eq!(friends.len(), 50, "a page each, and there is a limit of pages");
    bench.fakes.friends(&token, Some(&[]));
    assert_eq!(bench.providers.friends(&facebook(token)).await, Ok(Vec::new()));
}

#[actix_web::test]
async fn a_play_games_code_is_redeemed_for_the_player() {
    let bench = Bench::start().await;
    let code = bench.fakes.google_code(json!({
        "playerId": "g2", "displayName": "Dee", "avatarImageUrl": "https://p.io/d",
        "originalPlayerId": "g1",
    }));
    let verified = bench.verify(&google(code)).await.unwrap();
    assert_eq!(verified.link, link(LinkKind::Google, "g2"));
    assert_eq!(verified.formerly, Some(link(LinkKind::Google, "g1")));
    assert_eq!(verified.profile.display_name, "Dee");
    assert_eq!(verified.profile.avatar_url, "https://p.io/d");
    assert!(!bench.fakes.last("/games/").unwrap().contains("access"), "no token in an address");
    for original in [json!("g2"), json!(""), json!(null)] {
        let player = json!({"playerId": "g2", "originalPlayerId": original});
        let verified = bench.verify(&google(bench.fakes.google_code(player))).await.unwrap();
        assert_eq!(verified.formerly, None);
    }
    for text in ["", "4/unknown", &"x".repeat(5_000)] {
        is_refused(&bench.verify(&google(text)).await);
    }
    for player in [json!({"playerId": ""}), json!({}), json!({"playerId": "a\u{1}"})] {
        is_refused(&bench.verify(&google(bench.fakes.google_code(player))).await);
    }
    bench.fakes.mood("/google/token", Mood::Status(401));
    is_unavailable(&bench.verify(&google("4/x")).await);
}

#[actix_web::test]
async fn an_xsts_token_is_tried_at_the_profile_service() {
    let bench = Bench::start().await;
    let verified = bench.verify(&xbox(bench.fakes.xbox_token("2533274790000001", "Gee"))).await;
    let verified = verified.unwrap();
    assert_eq!(verified.link, link(LinkKind::Xbox, "2533274790000001"));
    assert_eq!(verified.profile.display_name, "Gee");
    let asked = bench.fakes.asked("/xbox");
    for odd in
        ["", "XBL3.0 x=17", "XBL3.0 x=;t", "XBL3.0 x=17;", "Bearer t", "XBL3.0 x=17;t\r\nX: y"]
    {
        is_refused(&bench.verify(&xbox(odd)).await);
    }
    assert_eq!(bench.fakes.asked("/xbox"), asked, "that is no token; nobody is asked");
    is_refused(&bench.verify(&xbox("XBL3.0 x=17;unknown")).await);
    for id in ["", "0", "x", "01"] {
        is_refused(&bench.verify(&xbox(bench.fakes.xbox_token(id, "Gee"))).await);
    }
    let off = bench.others(|config| config.identity.xbox.enabled = false);
    assert!(!off.is_configured(LinkKind::Xbox));
}

#[actix_web::test]
async fn a_psn_code_is_redeemed_for_the_account() {
    let bench = Bench::start().await;
    let verified = bench.verify(&psn(bench.fakes.psn_code("123", "Pea"))).await.unwrap();
    assert_eq!(verified.link, link(LinkKind::PlayStation, "123"));
    assert_eq!(verified.profile.display_name, "Pea");
    let other_name = bench.fakes.psn_code_with(json!({"account_id": "124"}));
    assert_eq!(bench.id(&psn(other_name)).await, "124");
    let other_app = bench.fakes.psn_code_with(json!({"user_id": "1", "client_id": "evil"}));
    is_refused(&bench.verify(&psn(other_app)).await);
    is_refused(&bench.verify(&psn(bench.fakes.psn_code("", "Pea"))).await);
    for text in ["", "unknown", &"x".repeat(5_000)] {
        is_refused(&bench.verify(&psn(text)).await);
    }
    bench.fakes.mood("/psn/token", Mood::Status(401));
    is_unavailable(&bench.verify(&psn("v3.x")).await);
}

#[actix_web::test]
async fn what_can_be_redeemed_once_is_remembered_for_a_while() {
    let bench = Bench::start().await;
    for (proof, path) in [
        (psn(bench.fakes.psn_code("1", "P")), "/psn/token?"),
        (google(bench.fakes.google_code(json!({"playerId": "g"}))), "/google/token"),
        (steam(bench.fakes.steam_ticket("5")), TICKET),
        (xbox(bench.fakes.xbox_token("6", "X")), "/xbox"),
        (facebook(bench.fakes.graph_token(json!({"id": "f"}))), "/v22.0/me?"),
    ] {
        // Together, and again while the player waits in line.
        let first = bench.verify(&proof);
        let all = futures_util::future::join(first, bench.verify(&proof)).await;
        assert!(all.0.is_ok() && all.0 == all.1, "{all:?}");
        bench.clock.advance_ms(100_000);
        assert_eq!(bench.verify(&proof).await, all.0);
        assert_eq!(bench.fakes.asked(path), 1, "{path}");
    }
    let code = psn(bench.fakes.psn_code("1", "P"));
    assert!(bench.verify(&code).await.is_ok());
    bench.clock.advance_ms(120_000);
    is_refused(&bench.verify(&code).await);
    let forgetful = bench.others(|config| config.identity.remember_s = 0);
    let code = psn(bench.fakes.psn_code("1", "P"));
    assert!(forgetful.verify(&code).await.is_ok());
    is_refused(&forgetful.verify(&code).await);
}
