//! What else the providers of Pragma's table tell: names (protocol-pragma §4.4), sign-in pages, and
//! settings of theirs that cannot be used.

use anteroom::config::identity::TokenKind;
use serde_json::json;

use super::oauth::proof;
use super::*;
use crate::fakes::Mood;
use crate::fakes::oauth::{CLIENT, CLUB, REDIRECT};

fn shown(name: &str, discriminator: &str) -> anteroom::identity::Shown {
    anteroom::identity::Shown { name: name.into(), discriminator: discriminator.into() }
}

#[actix_web::test]
async fn names_are_those_of_the_provider_and_google_and_apple_tell_none() {
    let bench = Bench::start().await;
    let fakes = &bench.fakes;
    let named = json!({"name": "Ada Lovelace", "email": "a@x.io", "email_verified": true});
    let dee = json!({"user": {"id": "3", "username": "dee", "discriminator": "1234"}});
    for (proof, expected) in [
        (proof(LinkKind::Epic, fakes.id_token(LinkKind::Epic, json!({"dn": "Eve"}))), ("Eve", "")),
        (proof(LinkKind::Epic, fakes.grant(LinkKind::Epic, json!({}))), ("Eve", "")),
        (proof(LinkKind::Discord, fakes.grant(LinkKind::Discord, json!({}))), ("dee", "")),
        (proof(LinkKind::Discord, fakes.grant(LinkKind::Discord, dee)), ("dee", "1234")),
        (proof(LinkKind::Twitch, fakes.grant(LinkKind::Twitch, json!({}))), ("Tee", "")),
        (proof(LinkKind::Google, fakes.id_token(LinkKind::Google, named.clone())), ("", "")),
        (google(fakes.google_token(named.clone())), ("", "")),
        (apple(fakes.apple_token(named.clone())), ("", "")),
        (
            proof(LinkKind::Okta, fakes.id_token(LinkKind::Okta, named.clone())),
            ("Ada Lovelace", ""),
        ),
        (
            proof(LinkKind::Auth0, fakes.id_token(LinkKind::Auth0, json!({"email": "al@x.io"}))),
            ("al", ""),
        ),
        (psn(fakes.psn_code("1", "Pea")), ("Pea", "")),
        (xbox(fakes.xbox_token("6", "Gee#77")), ("Gee#77", "")),
    ] {
        let verified = bench.verify(&proof).await.unwrap();
        let told = bench.providers.shown(&verified).await;
        assert_eq!(told, shown(expected.0, expected.1), "{proof:?}");
    }
    let modern = fakes.xbox_token_with(
        "6",
        json!([
            {"id": "Gamertag", "value": "Gee77"}, {"id": "ModernGamertag", "value": "Gee"},
            {"id": "ModernGamertagSuffix", "value": "77"},
        ]),
    );
    assert_eq!(bench.verify(&xbox(modern)).await.unwrap().shown, shown("Gee", "77"));
}

/// Twitch and Epic tell names elsewhere than whose a token is.
#[actix_web::test]
async fn a_name_that_cannot_be_had_keeps_nobody_out() {
    let bench = Bench::start().await;
    for (kind, path, expected) in
        [(LinkKind::Epic, "/epic/accounts", ""), (LinkKind::Twitch, "/twitch/users", "tee")]
    {
        for mood in [Mood::Status(500), Mood::Garbage, Mood::OtherJson] {
            bench.fakes.mood(path, mood);
            let code = proof(kind, bench.fakes.grant(kind, json!({})));
            assert_eq!(bench.verify(&code).await.unwrap().shown, shown(expected, ""), "{mood:?}");
        }
    }
}

#[actix_web::test]
async fn sign_in_pages_learn_where_to_send_players_and_no_secret() {
    let bench = Bench::start().await;
    for (kind, start) in [
        (LinkKind::Epic, "https://www.epicgames.com/id/authorize?"),
        (LinkKind::Discord, "https://discord.com/oauth2/authorize?"),
        (LinkKind::Twitch, "https://id.twitch.tv/oauth2/authorize?"),
        (LinkKind::Google, "https://accounts.google.com/o/oauth2/v2/auth?"),
        (LinkKind::GoogleWorkspace, "https://accounts.google.com/o/oauth2/v2/auth?"),
        (LinkKind::Okta, "http://127.0.0.1"),
        (LinkKind::Auth0, "http://127.0.0.1"),
        (LinkKind::Apple, "https://appleid.apple.com/auth/authorize?"),
        (LinkKind::Studio(CLUB), "https://club.example/authorize?"),
    ] {
        let portal = bench.providers.portal(kind).unwrap();
        assert!(portal.authorize_url.starts_with(start), "{}", portal.authorize_url);
        assert_eq!(portal.redirect_uri, REDIRECT);
        let client = if kind == LinkKind::Apple { fakes::BUNDLE } else { CLIENT };
        assert_eq!(portal.client_id, client);
        let page = portal.with_state("s&t");
        for part in
            ["response_type=code", "client_id=", "redirect_uri=https%3A%2F%2F", "state=s%26t"]
        {
            assert!(page.contains(part), "{page}");
        }
        assert!(!page.contains("hush"), "{page}");
    }
    let okta = bench.providers.portal(LinkKind::Okta).unwrap().authorize_url;
    assert!(okta.contains("/okta/oauth2/default/v1/authorize?"), "{okta}");
    let bare = bench.others(|config| {
        config.identity.epic.client_secret = "".into();
        config.identity.discord.redirect_uri = String::new();
        config.identity.twitch.token_kind = TokenKind::AccessToken;
        config.identity.apple.token_kind = TokenKind::IdToken;
    });
    for kind in [
        LinkKind::Epic,
        LinkKind::Discord,
        LinkKind::Twitch,
        LinkKind::Apple,
        LinkKind::Steam,
        LinkKind::Studio(9),
    ] {
        assert_eq!(bare.portal(kind), None, "{kind:?}");
    }
}

#[actix_web::test]
async fn settings_that_would_let_in_too_many_or_nobody_are_named() {
    let bench = Bench::start().await;
    let problem = |set: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        bench.fakes.config(&mut config);
        set(&mut config);
        let clock = bench.clock.clone();
        let made = Providers::new(&config.identity, clock, &Dice::seeded(7), Vec::new());
        made.expect_err("unusable").to_string()
    };
    let said = problem(&|config| config.identity.discord.authorized_role_id = "1".into());
    assert!(said.contains("discord.authorized_role_id") && said.contains("guild_id"), "{said}");
    let said = problem(&|config| config.identity.discord.guild_id = "1".into());
    assert!(said.contains("discord.guild_id") && said.contains("bot_token"), "{said}");
    let said = problem(&|config| {
        config.identity.epic.token_kind = TokenKind::Code;
        config.identity.epic.client_secret = "".into();
    });
    assert!(said.contains("epic.token_kind") && said.contains("client_secret"), "{said}");
    let said = problem(&|config| config.identity.apple.private_key = "hush".into());
    assert!(said.contains("apple.private_key") && !said.contains("hush"), "{said}");
    let said = problem(&|config| config.identity.apple.team_id = String::new());
    assert!(said.contains("team_id"), "{said}");
    let said = problem(&|config| config.identity.okta.issuer = "ftp://x".into());
    assert!(said.contains("okta.issuer"), "{said}");
    let said = problem(&|config| config.identity.twitch.client_secret_file = Some("/no".into()));
    assert!(said.contains("twitch.client_secret"), "{said}");
    let said = problem(&|config| {
        config.identity.steam.publisher_key = "".into();
        config.identity.steam.restrict_by_app_ownership = true;
    });
    assert!(said.contains("steam.restrict_by_app_ownership"), "{said}");
    let mut config = Config::default();
    config.identity.okta.token_kind = TokenKind::AccessToken;
    let refused = anteroom::config::check::check(&config).unwrap_err().to_string();
    assert!(refused.contains("identity.okta.token_kind"), "{refused}");
}

/// What an issuer says of itself is believed only if it is of this issuer, and asked about once.
#[actix_web::test]
async fn an_issuer_is_read_once_a_day_and_known_while_it_cannot_be() {
    let bench = Bench::start().await;
    let path = "/auth0/.well-known";
    let token = || proof(LinkKind::Auth0, bench.fakes.id_token(LinkKind::Auth0, json!({})));
    let all =
        futures_util::future::join_all((0..20).map(|_| async { bench.verify(&token()).await }));
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(bench.fakes.asked(path), 1);
    bench.clock.advance_ms(86_399_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(path), 1);
    bench.fakes.mood(path, Mood::Status(500));
    bench.clock.advance_ms(1_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(path), 2, "not asked again at once");
    bench.clock.advance_ms(30_000);
    bench.fakes.mood(path, Mood::Works);
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(path), 3);
    // The club's document under another name.
    let other = bench.others(|config| {
        let base = config.identity.auth0.issuer.replace("/auth0/", "");
        config.identity.auth0.issuer = format!("{base}/liar");
    });
    is_unavailable(&other.verify(&token()).await);
}
