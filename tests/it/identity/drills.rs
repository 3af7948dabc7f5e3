//! What can go wrong on the way to a provider, for each that is asked: an outage is "unavailable",
//! never a yes, never a no, and over when it is over.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::oauth::proof;
use super::*;
use crate::fakes::Mood;
use crate::fakes::oauth::{ACME, API_KEY, BOT, CLUB, SECRET};

type Issue = fn(&fakes::Providers) -> Proof;

/// Each way to ask, and a path it needs.
const WAYS: [(&str, Issue); 37] = [
    ("/apple/keys", |fakes| apple(fakes.apple_token(json!({})))),
    ("/limited/jwks/", |fakes| facebook(fakes.limited_token(json!({})))),
    ("/nintendo/jwks", |fakes| nintendo(fakes.nintendo_token(json!({})))),
    ("/oauth2/v1/certs", |fakes| google(fakes.google_token(json!({})))),
    ("/google/token", google_code),
    ("/games/v1/players/me", google_code),
    ("/v22.0/debug_token", graph_token),
    ("/v22.0/me", graph_token),
    ("/ISteamUserAuth/", |fakes| steam(fakes.steam_ticket("5"))),
    ("/xbox/", |fakes| xbox(fakes.xbox_token("6", "X"))),
    ("/psn/token", psn_code),
    ("/psn/token/", psn_code),
    ("/public-key/", gamecenter),
    ("/issuer.crt", gamecenter),
    // Once more, with everything gone.
    ("/", |fakes| apple(fakes.apple_token(json!({})))),
    ("/", gamecenter),
    // Pragma's table, and the studio's own.
    ("/epic/keys", |fakes| signed(fakes, LinkKind::Epic)),
    ("/epic/token", |fakes| granted(fakes, LinkKind::Epic)),
    ("/epic/tokenInfo", |fakes| granted(fakes, LinkKind::Epic)),
    ("/discord/oauth2/token", |fakes| granted(fakes, LinkKind::Discord)),
    ("/discord/oauth2/@me", |fakes| granted(fakes, LinkKind::Discord)),
    ("/twitch/keys", |fakes| signed(fakes, LinkKind::Twitch)),
    ("/twitch/token", |fakes| granted(fakes, LinkKind::Twitch)),
    ("/twitch/validate", |fakes| granted(fakes, LinkKind::Twitch)),
    ("/goauth/keys", |fakes| signed(fakes, LinkKind::Google)),
    ("/goauth/token", |fakes| granted(fakes, LinkKind::Google)),
    ("/goauth/token", |fakes| granted(fakes, LinkKind::GoogleWorkspace)),
    ("/okta/oauth2/default/.well-known", |fakes| signed(fakes, LinkKind::Okta)),
    ("/okta/keys", |fakes| signed(fakes, LinkKind::Okta)),
    ("/okta/token", |fakes| granted(fakes, LinkKind::Okta)),
    ("/auth0/", |fakes| signed(fakes, LinkKind::Auth0)),
    ("/auth0/token", |fakes| granted(fakes, LinkKind::Auth0)),
    ("/apple/token", |fakes| granted(fakes, LinkKind::Apple)),
    ("/steam/openid", |fakes| {
        Proof::SteamOpenId(secret(fakes.steam_assertion("76561198000000001", json!({}))))
    }),
    ("/acme/", |fakes| {
        proof(LinkKind::Studio(ACME), fakes.acme_token(json!({"player": {"id": "a"}})))
    }),
    ("/club/.well-known", |fakes| granted(fakes, LinkKind::Studio(CLUB))),
    ("/club/token", |fakes| granted(fakes, LinkKind::Studio(CLUB))),
];

fn signed(fakes: &fakes::Providers, kind: LinkKind) -> Proof {
    proof(kind, fakes.id_token(kind, json!({})))
}

fn granted(fakes: &fakes::Providers, kind: LinkKind) -> Proof {
    proof(kind, fakes.grant(kind, json!({})))
}

fn google_code(fakes: &fakes::Providers) -> Proof {
    google(fakes.google_code(json!({"playerId": "g"})))
}

fn graph_token(fakes: &fakes::Providers) -> Proof {
    facebook(fakes.graph_token(json!({"id": "f"})))
}

fn psn_code(fakes: &fakes::Providers) -> Proof {
    psn(fakes.psn_code("1", "P"))
}

fn gamecenter(fakes: &fakes::Providers) -> Proof {
    Proof::GameCenter(fakes.gamecenter_proof("G:1"))
}

#[actix_web::test]
async fn an_outage_is_neither_a_yes_nor_a_no_and_ends() {
    let bench = Bench::start().await;
    for mood in [
        Mood::Status(500),
        Mood::Status(503),
        Mood::Status(429),
        Mood::Status(204),
        Mood::Garbage,
        Mood::OtherJson,
        Mood::Huge { told: true },
        Mood::Huge { told: false },
        Mood::Redirect,
    ] {
        for (path, issue) in WAYS {
            // Afresh, so that nothing is known from before.
            let providers = bench.others(|_| {});
            bench.fakes.mood(path, mood);
            let result = providers.verify(&issue(&bench.fakes)).await;
            assert!(
                matches!(result, Err(IdentityError::Unavailable(..))),
                "{path} {mood:?} {result:?}"
            );
            bench.fakes.mood(path, Mood::Works);
            let result = providers.verify(&issue(&bench.fakes)).await;
            assert!(result.is_ok(), "{path} {mood:?} {result:?}");
        }
    }
    assert_eq!(bench.fakes.asked("/there"), 0, "nobody follows a redirect");
}

#[actix_web::test]
async fn keys_that_are_none_or_not_given_are_an_outage() {
    let bench = Bench::start().await;
    for mood in [Mood::NoKeys, Mood::Status(401), Mood::Status(403), Mood::Status(404)] {
        for (path, issue) in &WAYS[..4] {
            let providers = bench.others(|_| {});
            bench.fakes.mood(path, mood);
            is_unavailable(&providers.verify(&issue(&bench.fakes)).await);
            bench.fakes.mood(path, Mood::Works);
            assert!(providers.verify(&issue(&bench.fakes)).await.is_ok(), "{path}");
        }
    }
}

#[actix_web::test]
async fn what_the_provider_does_not_know_is_refused() {
    let bench = Bench::start().await;
    for (path, issue) in
        [("/games/", google_code as Issue), ("/v22.0/me", graph_token), ("/xbox/", WAYS[9].1)]
    {
        for status in [400, 401, 403] {
            bench.fakes.mood(path, Mood::Status(status));
            is_refused(&bench.verify(&issue(&bench.fakes)).await);
        }
    }
}

#[actix_web::test]
async fn silence_ends_after_the_time_limit() {
    let bench = Bench::start().await;
    let impatient = bench.others(|config| config.identity.timeout_ms = 100);
    bench.fakes.mood("/", Mood::Silent);
    let mut kinds = Vec::new();
    let asking = WAYS.iter().map(|(_, issue)| {
        let proof = issue(&bench.fakes);
        kinds.push(proof.kind());
        let impatient = impatient.clone();
        async move { impatient.verify(&proof).await }
    });
    let asking: Vec<_> = asking.collect();
    for result in futures_util::future::join_all(asking).await {
        is_unavailable(&result);
    }
    for kind in kinds {
        let figures = impatient.figures().of(kind).unwrap();
        assert!(figures.call_ms_max.load(Ordering::Relaxed) >= 100, "{kind:?}");
        assert!(figures.unavailable.load(Ordering::Relaxed) >= 1, "{kind:?}");
        assert_eq!(figures.ok.load(Ordering::Relaxed), 0);
    }
}

#[actix_web::test]
async fn nobody_there_is_an_outage() {
    let bench = Bench::start().await;
    let proofs: Vec<_> = WAYS.iter().map(|(_, issue)| issue(&bench.fakes)).collect();
    let Bench { fakes, providers, .. } = bench;
    drop(fakes);
    for proof in proofs {
        is_unavailable(&providers.verify(&proof).await);
    }
}

#[actix_web::test]
async fn private_addresses_are_not_asked() {
    let bench = Bench::start().await;
    let port = bench.fakes.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let strict = bench.others(|config| {
            let identity = &mut config.identity;
            **identity = anteroom::config::IdentityConfig::default();
            identity.apple.bundle_ids = vec![fakes::BUNDLE.into()];
            identity.apple.jwks_url = format!("https://{host}:{port}/apple/keys");
        });
        is_unavailable(&strict.verify(&apple(bench.fakes.apple_token(json!({})))).await);
    }
    assert_eq!(bench.fakes.asked("/"), 0);
}

#[actix_web::test]
async fn too_many_at_once_are_told_so_at_once() {
    let bench = Bench::start().await;
    let one = bench.others(|config| {
        config.identity.concurrency = 1;
        config.identity.timeout_ms = 60_000;
    });
    bench.fakes.mood("/ISteamUserAuth/", Mood::Silent);
    let first = steam(bench.fakes.steam_ticket("5"));
    let second = steam(bench.fakes.steam_ticket("6"));
    let both =
        futures_util::future::select(Box::pin(one.verify(&first)), Box::pin(one.verify(&second)));
    let futures_util::future::Either::Right((refused, _)) = both.await else {
        panic!("the first is not answered");
    };
    is_unavailable(&refused);
    // Others have places of their own.
    assert!(one.verify(&apple(bench.fakes.apple_token(json!({})))).await.is_ok());
}

#[actix_web::test]
async fn nothing_secret_is_in_errors_or_debug() {
    let bench = Bench::start().await;
    let impatient = bench.others(|config| config.identity.timeout_ms = 100);
    bench.fakes.mood("/", Mood::Silent);
    let mut said = format!("{impatient:?}");
    for (_, issue) in WAYS {
        let proof = issue(&bench.fakes);
        let error = impatient.verify(&proof).await.unwrap_err();
        let _ = write!(said, "{proof:?} {error:?} {error}");
    }
    let mut config = Config::default();
    bench.fakes.config(&mut config);
    let _ = write!(said, "{config:?}");
    for secret in [
        "secret-",
        "7365637265742D",
        "google-secret",
        fakes::STEAM_KEY,
        fakes::FACEBOOK_SECRET,
        fakes::PSN_SECRET,
        SECRET,
        API_KEY,
        BOT,
        "PRIVATE KEY",
        "eyJ",
    ] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[actix_web::test]
async fn figures_stand_on_the_metrics_page() {
    let clock = TestServer::noon();
    let fakes = fakes::Providers::start(&clock).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let url = format!("http://{}/metrics", server.operators);
    let page = crate::harness::ask("GET", &url, crate::harness::Auth::None, None).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("# TYPE identity_checks counter"), "{}", page.text);
}
