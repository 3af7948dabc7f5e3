//! Providers that are asked by OAuth (protocol-pragma §4.4): id tokens, codes, access tokens. Each
//! good, and wrong in every single way.

use anteroom::config::identity::{Algorithm, TokenKind};
use serde_json::{Value, json};

use super::*;
use crate::fakes::keys::{EcKey, RsaKey};
use crate::fakes::oauth::{CLIENT, CLUB, GUILD, ROLE, signed_eddsa, signed_es256};

/// How a text goes to a provider.
pub fn proof(kind: LinkKind, text: impl Into<String>) -> Proof {
    let text = secret(text);
    match kind {
        LinkKind::Epic => Proof::Epic(text),
        LinkKind::Discord => Proof::Discord(text),
        LinkKind::Twitch => Proof::Twitch(text),
        LinkKind::Google => Proof::GoogleOauth(text),
        LinkKind::GoogleWorkspace => Proof::GoogleWorkspace(text),
        LinkKind::Okta => Proof::Okta(text),
        LinkKind::Auth0 => Proof::Auth0(text),
        LinkKind::Apple => Proof::AppleOauth(text),
        LinkKind::Studio(number) => Proof::Studio(number, text),
        other => panic!("{other:?} is not asked by OAuth"),
    }
}

/// Those that take id tokens.
const SIGNED: [LinkKind; 8] = [
    LinkKind::Epic,
    LinkKind::Twitch,
    LinkKind::Google,
    LinkKind::GoogleWorkspace,
    LinkKind::Okta,
    LinkKind::Auth0,
    LinkKind::Apple,
    LinkKind::Studio(CLUB),
];

/// Those that take access tokens, and how theirs are of another app.
fn bearers() -> [(LinkKind, &'static str, Value); 4] {
    [
        (LinkKind::Epic, "e1", json!({"client_id": "evil"})),
        (LinkKind::Discord, "3", json!({"application": {"id": "evil"}})),
        (LinkKind::Twitch, "4", json!({"client_id": "evil"})),
        (LinkKind::Google, "g1", json!({"aud": "evil"})),
    ]
}

#[actix_web::test]
async fn an_id_token_proves_its_subject_and_nobody_is_asked_twice_for_keys() {
    let bench = Bench::start().await;
    for kind in SIGNED {
        let token = bench.fakes.id_token(kind, json!({"sub": "77"}));
        assert_eq!(bench.verify(&proof(kind, token)).await.unwrap().link, link(kind, "77"));
        let asked = bench.fakes.asked("/");
        let second = bench.fakes.id_token(kind, json!({"aud": ["x", audience(kind)]}));
        assert!(bench.verify(&proof(kind, second)).await.is_ok(), "{kind:?}");
        assert_eq!(bench.fakes.asked("/"), asked, "{kind:?}");
    }
    let second = bench.fakes.id_token(LinkKind::Epic, json!({"aud": "oauth-client-2"}));
    assert!(bench.verify(&proof(LinkKind::Epic, second)).await.is_ok(), "our other client");
}

fn audience(kind: LinkKind) -> &'static str {
    if kind == LinkKind::Apple { fakes::BUNDLE } else { CLIENT }
}

#[actix_web::test]
async fn every_wrong_claim_is_refused() {
    let bench = Bench::start().await;
    let now = bench.fakes.now_s();
    for kind in SIGNED {
        for wrong in [
            json!({"exp": now - 31}),
            json!({"exp": null}),
            json!({"nbf": now + 31}),
            json!({"iat": now + 31}),
            json!({"iss": "https://evil.example"}),
            json!({"iss": null}),
            json!({"aud": "evil"}),
            json!({"aud": ["evil"]}),
            json!({"aud": null}),
            json!({"sub": ""}),
            json!({"sub": null}),
            json!({"sub": "x".repeat(129)}),
        ] {
            let token = bench.fakes.id_token(kind, wrong.clone());
            let result = bench.verify(&proof(kind, token)).await;
            let is_refused = matches!(result, Err(IdentityError::Refused(..)));
            assert!(is_refused, "{kind:?} {wrong} {result:?}");
        }
    }
}

#[actix_web::test]
async fn a_token_of_one_provider_is_nothing_at_another() {
    let bench = Bench::start().await;
    for kind in SIGNED {
        let token = bench.fakes.id_token(kind, json!({"aud": [CLIENT, fakes::BUNDLE]}));
        for other in SIGNED.into_iter().filter(|other| *other != kind) {
            // A Workspace account is a Google account, though not the other way round.
            let is_google = kind == LinkKind::GoogleWorkspace && other == LinkKind::Google;
            let result = bench.verify(&proof(other, token.clone())).await;
            assert_eq!(result.is_ok(), is_google, "{kind:?} at {other:?}: {result:?}");
        }
    }
}

#[actix_web::test]
async fn only_a_published_key_signs_and_only_with_its_own_algorithm() {
    let bench = Bench::start().await;
    for kind in SIGNED {
        let claims = bench.fakes.id_claims(kind, json!({}));
        let mut forged = vec![
            // Another key under the known id; a key we know under the name of another algorithm.
            RsaKey::nth(1).token(&json!({"alg": "RS256", "kid": "K1"}), &claims),
            RsaKey::nth(0).token(&json!({"alg": "ES256", "kid": "K1"}), &claims),
            RsaKey::nth(0).token(&json!({"alg": "EdDSA", "kid": "K1"}), &claims),
            RsaKey::nth(0).token(&json!({"alg": "none", "kid": "K1"}), &claims),
            RsaKey::nth(0).token(&json!({"alg": "HS256", "kid": "K1"}), &claims),
            RsaKey::nth(0).token(&json!({"alg": "RS256", "kid": "EC1"}), &claims),
            EcKey::get().token(&json!({"alg": "RS256", "kid": "EC1"}), &claims),
            EcKey::get().token(&json!({"alg": "ES256", "kid": "K1"}), &claims),
            EcKey::get().token(&json!({"alg": "EdDSA", "kid": "ED1"}), &claims),
            // Good ones, but of algorithms these settings do not name.
            signed_es256(&claims),
            signed_eddsa(&claims),
        ];
        let good = bench.fakes.signed(claims);
        let (message, signature) = good.rsplit_once('.').unwrap();
        forged.push(format!("{message}."));
        forged.push(format!("{message}.{}", &signature[4..]));
        for token in forged {
            let result = bench.verify(&proof(kind, token.clone())).await;
            let is_refused = matches!(result, Err(IdentityError::Refused(..)));
            assert!(is_refused, "{kind:?} {token} {result:?}");
        }
        assert!(bench.verify(&proof(kind, good)).await.is_ok(), "{kind:?}");
    }
}

#[actix_web::test]
async fn es256_and_eddsa_are_taken_where_the_settings_name_them_and_only_there() {
    let bench = Bench::start().await;
    let kind = LinkKind::Okta;
    let claims = bench.fakes.id_claims(kind, json!({"sub": "o1"}));
    let (es256, eddsa) = (signed_es256(&claims), signed_eddsa(&claims));
    let rs256 = bench.fakes.signed(claims.clone());
    for (algorithm, good) in
        [(Algorithm::RS256, &rs256), (Algorithm::ES256, &es256), (Algorithm::EdDsa, &eddsa)]
    {
        let picky = bench.others(|config| config.identity.okta.algorithms = vec![algorithm]);
        for token in [&rs256, &es256, &eddsa] {
            let result = picky.verify(&proof(kind, token.as_str())).await;
            assert_eq!(result.is_ok(), token == good, "{algorithm:?} {result:?}");
        }
        // An RSA key under another algorithm's name.
        let header = json!({"alg": "ES256", "kid": "K1"});
        is_refused(&picky.verify(&proof(kind, RsaKey::nth(0).token(&header, &claims))).await);
        let swapped = format!("{}x", &good[..good.len() - 1]);
        is_refused(&picky.verify(&proof(kind, swapped)).await);
    }
}

#[actix_web::test]
async fn a_code_is_redeemed_with_our_secret_once_and_remembered_for_a_while() {
    let bench = Bench::start().await;
    let codes = [(LinkKind::Epic, "e1"), (LinkKind::Discord, "3"), (LinkKind::Twitch, "4")];
    let signed = SIGNED[2..].iter().map(|kind| (*kind, "g1"));
    for (kind, id) in codes.into_iter().chain(signed) {
        let code = proof(kind, bench.fakes.grant(kind, json!({})));
        assert_eq!(bench.verify(&code).await.unwrap().link, link(kind, id));
        let asked = bench.fakes.asked("/");
        assert_eq!(bench.verify(&code).await.unwrap().link.id, id, "{kind:?}: it waits in line");
        assert_eq!(bench.fakes.asked("/"), asked, "{kind:?}: nobody is asked again");
        bench.clock.advance_ms(120_000);
        is_refused(&bench.verify(&code).await);
        for odd in ["unknown-code", "", "a b", "caf\u{e9}", "a\r\nb", &"x".repeat(9_000)] {
            let result = bench.verify(&proof(kind, odd)).await;
            let is_refused = matches!(result, Err(IdentityError::Refused(..)));
            assert!(is_refused, "{kind:?} {odd} {result:?}");
        }
    }
}

#[actix_web::test]
async fn credentials_a_provider_does_not_take_are_our_own_fault() {
    let bench = Bench::start().await;
    let wrong = bench.others(|config| {
        let identity = &mut config.identity;
        identity.epic.client_secret = "wrong".into();
        identity.discord.client_secret = "wrong".into();
        identity.twitch.client_secret = "wrong".into();
        identity.google_oauth.client_secret = "wrong".into();
        identity.okta.client_secret = "wrong".into();
        identity.apple.team_id = "OTHER".into();
    });
    for kind in [
        LinkKind::Epic,
        LinkKind::Discord,
        LinkKind::Twitch,
        LinkKind::Google,
        LinkKind::Okta,
        LinkKind::Apple,
    ] {
        is_unavailable(&wrong.verify(&proof(kind, bench.fakes.grant(kind, json!({})))).await);
    }
}

#[actix_web::test]
async fn the_token_behind_a_code_is_checked_like_any_other() {
    let bench = Bench::start().await;
    for kind in &SIGNED[2..] {
        let evil = bench.fakes.id_token(*kind, json!({"aud": "evil"}));
        let code = bench.fakes.grant(*kind, json!({"id_token": evil}));
        is_refused(&bench.verify(&proof(*kind, code)).await);
        let none = bench.fakes.grant(*kind, json!({"id_token": ""}));
        is_unavailable(&bench.verify(&proof(*kind, none)).await);
    }
    for (kind, _, evil) in bearers().into_iter().take(3) {
        is_refused(&bench.verify(&proof(kind, bench.fakes.grant(kind, evil))).await);
    }
}

#[actix_web::test]
async fn an_access_token_proves_its_owner_only_if_it_was_made_for_us() {
    let bench = Bench::start().await;
    let bare = bench.others(|config| elsewhere(config, TokenKind::AccessToken));
    for (kind, id, evil) in bearers() {
        let token = bench.fakes.grant(kind, json!({}));
        assert_eq!(bare.verify(&proof(kind, token)).await.unwrap().link, link(kind, id));
        is_refused(&bare.verify(&proof(kind, bench.fakes.grant(kind, evil))).await);
        is_refused(&bare.verify(&proof(kind, "unknown")).await);
        // An id token is none.
        if kind != LinkKind::Discord {
            is_refused(&bare.verify(&proof(kind, bench.fakes.id_token(kind, json!({})))).await);
        }
    }
    for (kind, changes) in [
        (LinkKind::Epic, json!({"active": false})),
        (LinkKind::Epic, json!({"account_id": ""})),
        (LinkKind::Epic, json!({"client_id": ""})),
        (LinkKind::Discord, json!({"user": null})),
        (LinkKind::Discord, json!({"user": {"id": "x"}})),
        (LinkKind::Twitch, json!({"user_id": ""})),
        (LinkKind::Google, json!({"sub": ""})),
        (LinkKind::Google, json!({"aud": ""})),
    ] {
        let token = bench.fakes.grant(kind, changes.clone());
        let result = bare.verify(&proof(kind, token)).await;
        let is_refused = matches!(result, Err(IdentityError::Refused(..)));
        assert!(is_refused, "{kind:?} {changes} {result:?}");
    }
}

/// Our clients at those who take access tokens, for texts of this kind. The redirect address is not
/// the one that codes are made for.
fn elsewhere(config: &mut Config, token_kind: TokenKind) {
    let identity = &mut config.identity;
    for (redirect_uri, kind) in [
        (&mut identity.epic.redirect_uri, &mut identity.epic.token_kind),
        (&mut identity.discord.redirect_uri, &mut identity.discord.token_kind),
        (&mut identity.twitch.redirect_uri, &mut identity.twitch.token_kind),
        (&mut identity.google_oauth.redirect_uri, &mut identity.google_oauth.token_kind),
    ] {
        *redirect_uri = "https://other.example/".into();
        *kind = token_kind;
    }
}

/// Told by its shape (protocol-pragma §4.4): what is no code is tried as an access token.
#[actix_web::test]
async fn what_is_no_code_may_be_an_access_token() {
    let bench = Bench::start().await;
    let auto = bench.others(|config| elsewhere(config, TokenKind::Auto));
    let codes = bench.others(|config| elsewhere(config, TokenKind::Code));
    for (kind, id, evil) in bearers() {
        let token = bench.fakes.grant(kind, json!({}));
        assert_eq!(auto.verify(&proof(kind, token.clone())).await.unwrap().link, link(kind, id));
        is_refused(&codes.verify(&proof(kind, token)).await);
        is_refused(&auto.verify(&proof(kind, bench.fakes.grant(kind, evil))).await);
    }
}

/// Nothing says for whom they are.
#[actix_web::test]
async fn access_tokens_that_name_nobody_are_not_taken() {
    let bench = Bench::start().await;
    for kind in [LinkKind::GoogleWorkspace, LinkKind::Okta, LinkKind::Auth0, LinkKind::Apple] {
        let code = proof(kind, bench.fakes.grant(kind, json!({})));
        assert!(bench.verify(&code).await.is_ok());
        is_refused(&bench.verify(&proof(kind, bench.fakes.last_access_token())).await);
    }
}

#[actix_web::test]
async fn google_finds_the_same_account_from_either_door() {
    let bench = Bench::start().await;
    let here = bench.verify(&google(bench.fakes.google_token(json!({"sub": "g9"})))).await;
    let token = bench.fakes.id_token(LinkKind::Google, json!({"sub": "g9"}));
    let there = bench.verify(&proof(LinkKind::Google, token)).await;
    assert_eq!(here.unwrap().link, there.unwrap().link);
    let only_ids = bench.others(|config| config.identity.google_oauth.client_ids.clear());
    assert!(only_ids.is_configured(LinkKind::Google));
    let oauth = proof(LinkKind::Google, "code");
    assert!(only_ids.takes(&google("code")) && !only_ids.takes(&oauth));
    let off = Err(IdentityError::NotConfigured(LinkKind::Google));
    assert_eq!(only_ids.verify(&oauth).await, off);
    assert!(bench.providers.takes(&oauth));
}

#[actix_web::test]
async fn workspace_lets_in_its_domains_and_verified_addresses() {
    let bench = Bench::start().await;
    let kind = LinkKind::GoogleWorkspace;
    let verify = |changes: Value| {
        let token = proof(kind, bench.fakes.id_token(kind, changes));
        let providers = bench.providers.clone();
        async move { providers.verify(&token).await }
    };
    let good =
        json!({"email": "ada@studio.example", "email_verified": true, "hd": "Studio.Example"});
    assert_eq!(verify(good).await.unwrap().shown.name, "ada");
    let named = json!({"name": "Ada L.", "email": "ada@studio.example", "email_verified": true});
    assert_eq!(verify(named).await.unwrap().shown.name, "Ada L.");
    for hd in [json!("evil.example"), json!(""), json!(7), json!("studio.example.evil.example")] {
        is_refused(&verify(json!({ "hd": hd })).await);
    }
    let unverified = verify(json!({"email": "ada@studio.example", "email_verified": false})).await;
    assert!(matches!(unverified, Err(IdentityError::Unverified(..))), "{unverified:?}");
    let everybody = bench.others(|config| config.identity.googleworkspace.allowed_domains.clear());
    assert!(!everybody.is_configured(kind));
}

#[actix_web::test]
async fn okta_and_auth0_let_in_groups_if_the_settings_say_so() {
    let bench = Bench::start().await;
    let picky = bench.others(|config| {
        config.identity.okta.allowed_groups = vec!["players".into(), "staff".into()];
        config.identity.auth0.allowed_groups = vec!["players".into()];
        config.identity.auth0.groups_claim = "https://x.io/groups".into();
    });
    for (kind, claim) in [(LinkKind::Okta, "groups"), (LinkKind::Auth0, "https://x.io/groups")] {
        for (groups, lets_in) in [
            (json!(["others", "players"]), true),
            (json!("players"), true),
            (json!(["others"]), false),
            (json!("players,others"), false),
            (Value::Null, false),
        ] {
            let token = bench.fakes.id_token(kind, json!({ claim: groups.clone() }));
            let result = picky.verify(&proof(kind, token)).await;
            assert_eq!(result.is_ok(), lets_in, "{kind:?} {groups} {result:?}");
        }
    }
}

#[actix_web::test]
async fn discord_lets_in_members_with_the_role() {
    let bench = Bench::start().await;
    let kind = LinkKind::Discord;
    let guild = |config: &mut Config| {
        config.identity.discord.guild_id = GUILD.into();
        config.identity.discord.bot_token = fakes::oauth::BOT.into();
    };
    let members = bench.others(guild);
    let staff = bench.others(|config| {
        guild(config);
        config.identity.discord.authorized_role_id = ROLE.into();
    });
    let code = || proof(kind, bench.fakes.grant(kind, json!({})));
    is_refused(&members.verify(&code()).await);
    bench.fakes.discord_member("3", &["1"]);
    assert!(members.verify(&code()).await.is_ok());
    is_refused(&staff.verify(&code()).await);
    bench.fakes.discord_member("3", &["1", ROLE]);
    assert!(staff.verify(&code()).await.is_ok());
    let fired = bench.others(|config| {
        guild(config);
        config.identity.discord.bot_token = "wrong".into();
    });
    is_unavailable(&fired.verify(&code()).await);
    bench.fakes.mood("/discord/guilds", fakes::Mood::Status(500));
    is_unavailable(&members.verify(&code()).await);
}
