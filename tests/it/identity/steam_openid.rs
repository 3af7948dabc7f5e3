//! Steam's web sign-in (protocol-pragma §4.4), who owns the app, and names.

use serde_json::{Value, json};

use super::*;
use crate::fakes::Mood;

const ADA: &str = "76561198000000001";
const OPENID: &str = "/steam/openid";

fn assertion(text: impl Into<String>) -> Proof {
    Proof::SteamOpenId(secret(text))
}

/// With a memory of answers it would be that which knows a second time.
async fn forgetful() -> Bench {
    Bench::with(|config| config.identity.remember_s = 0).await
}

#[actix_web::test]
async fn an_assertion_proves_its_player_once() {
    let bench = forgetful().await;
    let text = assertion(bench.fakes.steam_assertion(ADA, json!({})));
    assert_eq!(bench.verify(&text).await.unwrap().link, link(LinkKind::Steam, ADA));
    is_refused(&bench.verify(&text).await);
    assert_eq!(bench.fakes.asked(OPENID), 1, "a replay is not even asked about");
    // The same nonce in another assertion that Steam would stand by.
    let nonce: Value = serde_json::from_str(&text_of(&text)).unwrap();
    let nonce = &nonce["responseNonce"];
    let same = bench.fakes.steam_assertion("76561198000000002", json!({"responseNonce": nonce}));
    is_refused(&bench.verify(&assertion(same)).await);
    // The same account as by a ticket.
    let ticket = steam(bench.fakes.steam_ticket(ADA));
    assert_eq!(bench.id(&ticket).await, ADA);
}

fn text_of(proof: &Proof) -> String {
    let Proof::SteamOpenId(text) = proof else { panic!("an assertion") };
    text.to_string()
}

#[actix_web::test]
async fn of_two_that_bring_the_same_at_once_one_is_let_in() {
    let bench = forgetful().await;
    let text = bench.fakes.steam_assertion(ADA, json!({}));
    // Not the same text, so they are not the same question.
    let (one, two) = (assertion(text.clone()), assertion(format!("{text} ")));
    let both = futures_util::future::join(bench.verify(&one), bench.verify(&two)).await;
    assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|ok| **ok).count(), 1, "{both:?}");
}

#[actix_web::test]
async fn who_waits_in_line_may_bring_it_again() {
    let bench = Bench::start().await;
    let text = assertion(bench.fakes.steam_assertion(ADA, json!({})));
    assert!(bench.verify(&text).await.is_ok());
    bench.clock.advance_ms(100_000);
    assert!(bench.verify(&text).await.is_ok());
    bench.clock.advance_ms(20_000);
    is_refused(&bench.verify(&text).await);
}

#[actix_web::test]
async fn every_rule_is_kept_before_steam_is_asked() {
    let bench = forgetful().await;
    let nonce = |s| bench.fakes.nonce(s, "x");
    let id = |id: &str| format!("https://steamcommunity.com/openid/id/{id}");
    let both = |id: String| json!({"claimedId": id, "identity": id});
    for wrong in [
        json!({"opEndpoint": "https://evil.example/openid/login"}),
        json!({"opEndpoint": "https://steamcommunity.com/openid/login/"}),
        json!({"identity": id("76561198000000002")}),
        json!({"claimedId": id("76561198000000002")}),
        both(id("7656119800000000")),
        both(id("765611980000000011")),
        both(id("7656119800000000x")),
        both(id("76561198000000001/")),
        both("http://steamcommunity.com/openid/id/76561198000000001".into()),
        both("https://steamcommunity.com.evil.example/openid/id/76561198000000001".into()),
        json!({"signed": "signed,op_endpoint,identity,return_to,response_nonce,assoc_handle"}),
        json!({"signed": "signed,op_endpoint,claimed_id,identity,response_nonce,assoc_handle"}),
        json!({"signed": "signed,op_endpoint,claimed_id,identity,return_to,assoc_handle"}),
        json!({"signed": ""}),
        json!({"responseNonce": nonce(-301)}),
        json!({"responseNonce": nonce(301)}),
        json!({"responseNonce": "yesterday"}),
        json!({"responseNonce": ""}),
        json!({"returnTo": "https://evil.example/back"}),
        json!({"returnTo": "http://game.example/back"}),
        json!({"returnTo": "https://game.example.evil.example/"}),
        json!({"returnTo": "https://game.example:8443/"}),
        json!({"returnTo": "https://game.example@evil.example/"}),
        json!({"returnTo": ""}),
        json!({"mode": "setup_needed"}),
        json!({"ns": "http://specs.openid.net/auth/1.0"}),
        json!({"assocHandle": 7}),
    ] {
        let text = bench.fakes.steam_assertion(ADA, wrong.clone());
        let result = bench.verify(&assertion(text)).await;
        assert!(matches!(result, Err(IdentityError::Refused(..))), "{wrong} {result:?}");
    }
    for text in [String::new(), "{}".into(), "7656".into(), "x".repeat(10_000)] {
        is_refused(&bench.verify(&assertion(text)).await);
    }
    assert_eq!(bench.fakes.asked(OPENID), 0, "that is no assertion; nobody is asked");
    for edge in [-300, 300] {
        let text = bench.fakes.steam_assertion(ADA, json!({"responseNonce": nonce(edge)}));
        assert!(bench.verify(&assertion(text)).await.is_ok(), "{edge}");
    }
}

#[actix_web::test]
async fn what_steam_does_not_stand_by_is_refused_and_uses_nothing_up() {
    let bench = forgetful().await;
    let nonce = bench.fakes.nonce(0, "mine");
    let forged = json!({"sig": "Zm9yZ2Vk", "responseNonce": nonce});
    let forged = bench.fakes.steam_assertion(ADA, forged);
    is_refused(&bench.verify(&assertion(forged)).await);
    assert_eq!(bench.fakes.asked(OPENID), 1);
    let real = bench.fakes.steam_assertion(ADA, json!({"responseNonce": nonce}));
    bench.fakes.mood(OPENID, Mood::Status(503));
    is_unavailable(&bench.verify(&assertion(real.clone())).await);
    bench.fakes.mood(OPENID, Mood::Works);
    assert!(bench.verify(&assertion(real)).await.is_ok(), "the forger has not used it up");
}

#[actix_web::test]
async fn web_sites_are_those_of_the_settings() {
    let bench = Bench::start().await;
    let text = || bench.fakes.steam_assertion(ADA, json!({"returnTo": "https://two.example/x"}));
    is_refused(&bench.verify(&assertion(text())).await);
    let set = |origins: &[&str]| {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        bench.others(|config| config.identity.steam.openid_return_to = origins)
    };
    let two = set(&["https://game.example", "https://two.example/anything"]);
    assert!(two.verify(&assertion(text())).await.is_ok());
    assert!(set(&["*"]).verify(&assertion(text())).await.is_ok());
    let none = set(&[]);
    assert!(!none.takes(&assertion(text())) && none.takes(&steam("00")));
    let off = Err(IdentityError::NotConfigured(LinkKind::Steam));
    assert_eq!(none.verify(&assertion(text())).await, off);
    let only = bench.others(|config| config.identity.steam.publisher_key = "".into());
    assert!(only.is_configured(LinkKind::Steam) && !only.takes(&steam("00")));
    assert!(only.verify(&assertion(bench.fakes.steam_assertion(ADA, json!({})))).await.is_ok());
}

#[actix_web::test]
async fn owners_of_the_app_are_let_in_by_either_way_and_who_only_tries_it_is_not() {
    let bench = Bench::start().await;
    let owners = bench.others(|config| config.identity.steam.restrict_by_app_ownership = true);
    for (facts, lets_in) in [
        (json!({"owns": true}), true),
        (json!({"owns": true, "trial": true}), false),
        (json!({"owns": false}), false),
        (json!({}), false),
    ] {
        bench.fakes.steam_player(ADA, facts.clone());
        for proof in [
            steam(bench.fakes.steam_ticket(ADA)),
            assertion(bench.fakes.steam_assertion(ADA, json!({}))),
        ] {
            assert!(bench.verify(&proof).await.is_ok(), "anybody, unless restricted");
            let result = if matches!(proof, Proof::Steam(_)) {
                owners.verify(&steam(bench.fakes.steam_ticket(ADA))).await
            } else {
                owners.verify(&assertion(bench.fakes.steam_assertion(ADA, json!({})))).await
            };
            assert_eq!(result.is_ok(), lets_in, "{proof:?} {facts} {result:?}");
            if !lets_in {
                is_refused(&result);
            }
        }
    }
    bench.fakes.steam_player(ADA, json!({"owns": true}));
    for mood in [Mood::Status(500), Mood::Status(403), Mood::Garbage, Mood::OtherJson] {
        bench.fakes.mood("/ISteamUser/CheckAppOwnership/", mood);
        is_unavailable(&owners.verify(&steam(bench.fakes.steam_ticket(ADA))).await);
    }
}

#[actix_web::test]
async fn a_vac_ban_keeps_out_by_the_web_too() {
    let bench = Bench::start().await;
    let strict = bench.others(|config| config.identity.steam.refuse_vac_banned = true);
    let text = || assertion(bench.fakes.steam_assertion(ADA, json!({})));
    assert!(strict.verify(&text()).await.is_ok());
    bench.fakes.steam_player(ADA, json!({"vac": true}));
    is_refused(&strict.verify(&text()).await);
    assert!(bench.verify(&text()).await.is_ok(), "unless the settings let them in");
    bench.fakes.mood("/ISteamUser/GetPlayerBans/", Mood::Status(500));
    is_unavailable(&strict.verify(&text()).await);
}

#[actix_web::test]
async fn a_name_is_asked_for_only_when_it_is_wanted() {
    let bench = Bench::start().await;
    bench.fakes.steam_player(ADA, json!({"name": "Ada"}));
    let verified = bench.verify(&steam(bench.fakes.steam_ticket(ADA))).await.unwrap();
    let names = "/ISteamUser/GetPlayerSummaries/";
    assert_eq!((verified.shown.name.as_str(), bench.fakes.asked(names)), ("", 0));
    let shown = bench.providers.shown(&verified).await;
    assert_eq!((shown.name.as_str(), shown.discriminator.as_str()), ("Ada", ""));
    for mood in [Mood::Status(500), Mood::Status(403), Mood::Garbage, Mood::OtherJson] {
        bench.fakes.mood(names, mood);
        assert_eq!(bench.providers.shown(&verified).await.name, "", "{mood:?}");
    }
}
