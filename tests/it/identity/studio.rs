//! The studio's own providers, by configuration (protocol-pragma §5).

use anteroom::config::identity::{Algorithm, HttpConfig, Method, StudioConfig, TokenPlace};
use serde_json::json;

use super::oauth::proof;
use super::*;
use crate::fakes::Mood;
use crate::fakes::oauth::{ACME, API_KEY, CLUB, signed_eddsa};

fn acme(token: impl Into<String>) -> Proof {
    proof(LinkKind::Studio(ACME), token)
}

#[actix_web::test]
async fn a_service_over_http_says_who_it_is() {
    let bench = Bench::start().await;
    let player = |answer| acme(bench.fakes.acme_token(answer));
    let full = json!({"player": {"id": "a1", "name": "Ada", "tag": "7"}});
    let verified = bench.verify(&player(full)).await.unwrap();
    assert_eq!(verified.link, link(LinkKind::Studio(ACME), "a1"));
    assert_eq!((verified.shown.name.as_str(), verified.shown.discriminator.as_str()), ("Ada", "7"));
    let bare = bench.verify(&player(json!({"player": {"id": 12345}}))).await.unwrap();
    assert_eq!((bare.link.id.as_str(), bare.shown.name.as_str()), ("12345", ""));
    for token in ["unknown", "banned", "gone", "", &"x".repeat(20_000)] {
        is_refused(&bench.verify(&acme(token)).await);
    }
    for answer in [json!({}), json!({"player": {"id": 1.5}}), json!({"player": {"id": null}})] {
        is_unavailable(&bench.verify(&player(answer)).await);
    }
    for id in ["", "a\u{1}", &"x".repeat(129)] {
        is_refused(&bench.verify(&player(json!({"player": {"id": id}}))).await);
    }
    is_unavailable(&bench.verify(&acme("odd")).await);
    let figures = bench.providers.figures().of(LinkKind::Studio(ACME)).unwrap();
    assert!(figures.ok.load(std::sync::atomic::Ordering::Relaxed) == 2);
}

#[actix_web::test]
async fn the_token_goes_where_the_settings_say_with_their_headers() {
    let bench = Bench::start().await;
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), format!("{API_KEY}\n")).unwrap();
    let with = |set: &dyn Fn(&mut HttpConfig)| {
        bench.others(|config| set(config.identity.studio[0].http.as_mut().unwrap()))
    };
    let token = || acme(bench.fakes.acme_token(json!({"player": {"id": "a1"}})));
    let query = with(&|http| {
        (http.method, http.token_in) = (Method::Get, TokenPlace::Query);
        http.token_name = "token".into();
    });
    assert!(query.verify(&token()).await.is_ok());
    let header = with(&|http| {
        (http.method, http.token_in) = (Method::Get, TokenPlace::Header);
        (http.token_name, http.token_prefix) = ("X-Player".into(), "Ticket ".into());
        http.url = http.url.replace("login", "header");
        http.headers.clear();
        http.header_files.insert("X-Api-Key".into(), key.path().to_owned());
    });
    assert!(header.verify(&token()).await.is_ok());
    is_refused(&header.verify(&acme("a\r\nx-api-key: 1")).await);
    let keyless = with(&|http| http.headers.clear());
    is_unavailable(&keyless.verify(&token()).await);
}

#[actix_web::test]
async fn a_service_that_speaks_openid_connect_needs_no_code() {
    let bench = Bench::start().await;
    let kind = LinkKind::Studio(CLUB);
    let token =
        bench.fakes.id_token(kind, json!({"sub": "c1", "nickname": "Cee", "name": "C. C."}));
    let verified = bench.verify(&proof(kind, token)).await.unwrap();
    assert_eq!((verified.link, verified.shown.name.as_str()), (link(kind, "c1"), "Cee"));
    let eddsa = bench.others(|config| {
        config.identity.studio[1].oidc.as_mut().unwrap().algorithms = vec![Algorithm::EdDsa];
    });
    let claims = bench.fakes.id_claims(kind, json!({}));
    assert!(eddsa.verify(&proof(kind, signed_eddsa(&claims))).await.is_ok());
    is_refused(&eddsa.verify(&proof(kind, bench.fakes.signed(claims))).await);
}

#[actix_web::test]
async fn each_has_a_name_a_number_and_places_of_its_own() {
    let bench = Bench::start().await;
    let names: Vec<_> = bench.providers.studio().iter().collect();
    let told: Vec<_> =
        names.iter().map(|own| (own.number, own.name.as_str(), own.separator.as_str())).collect();
    assert_eq!(told, [(ACME, "ACME", "#"), (CLUB, "CLUB", "")]);
    for (number, is_there) in [(ACME, true), (CLUB, true), (104, false), (4, false)] {
        assert_eq!(bench.providers.is_configured(LinkKind::Studio(number)), is_there, "{number}");
    }
    let nobody = Err(IdentityError::NotConfigured(LinkKind::Studio(104)));
    assert_eq!(bench.verify(&proof(LinkKind::Studio(104), "x")).await, nobody);
    let one = bench.others(|config| {
        config.identity.concurrency = 1;
        config.identity.timeout_ms = 60_000;
    });
    bench.fakes.mood("/acme/", Mood::Silent);
    let (first, second) = (acme("a"), acme("b"));
    let both =
        futures_util::future::select(Box::pin(one.verify(&first)), Box::pin(one.verify(&second)));
    let futures_util::future::Either::Right((refused, _)) = both.await else {
        panic!("the first is not answered");
    };
    is_unavailable(&refused);
    let club = bench.fakes.id_token(LinkKind::Studio(CLUB), json!({}));
    assert!(one.verify(&proof(LinkKind::Studio(CLUB), club)).await.is_ok());
}

#[actix_web::test]
async fn a_service_has_a_time_limit_of_its_own() {
    let bench = Bench::start().await;
    let impatient = bench.others(|config| {
        config.identity.timeout_ms = 60_000;
        config.identity.studio[0].http.as_mut().unwrap().timeout_ms = 50;
    });
    bench.fakes.mood("/acme/", Mood::Silent);
    is_unavailable(&impatient.verify(&acme("a")).await);
}

#[actix_web::test]
async fn what_cannot_be_used_is_named_before_anybody_plays() {
    let bench = Bench::start().await;
    let made = |set: &dyn Fn(&mut Vec<StudioConfig>)| {
        let mut config = Config::default();
        bench.fakes.config(&mut config);
        set(&mut config.identity.studio);
        let clock = bench.clock.clone();
        let made = Providers::new(&config.identity, clock, &Dice::seeded(7), Vec::new());
        made.expect_err("unusable").to_string()
    };
    let said = made(&|studio| studio[1].number = ACME);
    assert!(said.contains("102") && said.contains("ACME") && said.contains("CLUB"), "{said}");
    let said = made(&|studio| studio[1].name = "ACME".into());
    assert!(said.contains("103") && said.contains("ACME"), "{said}");
    let said = made(&|studio| studio[1].name = "STEAM".into());
    assert!(said.contains("103") && said.contains("STEAM"), "{said}");
    let said = made(&|studio| studio[0].number = 101);
    assert!(said.contains("ACME") && said.contains("101"), "{said}");
    let said = made(&|studio| studio[0].http.as_mut().unwrap().url = "nonsense".into());
    assert!(said.contains("studio.ACME.http.url"), "{said}");
    let said = made(&|studio| {
        studio[0].http.as_mut().unwrap().headers.insert("a b".into(), "hush".into());
    });
    assert!(said.contains("a b") && !said.contains("hush"), "{said}");
    let said = made(&|studio| studio[1].oidc.as_mut().unwrap().client_ids.clear());
    assert!(said.contains("studio.CLUB.oidc") && said.contains("client_ids"), "{said}");
    let said = made(&|studio| studio[1].oidc = None);
    assert!(said.contains("studio.CLUB"), "{said}");
}

#[test]
fn it_is_a_matter_of_a_few_lines_in_the_settings() {
    let text = r##"
        [[identity.studio]]
        number = 102
        name = "ACME"
        separator = "#"
        [identity.studio.http]
        url = "https://login.acme.example/verify"
        headers = { x-api-key = "hush" }

        [[identity.studio]]
        number = 103
        name = "CLUB"
        oidc = { issuer = "https://club.example", client_ids = ["game"], algorithms = ["ES256", "EdDSA"] }
    "##;
    let config: Config = toml::from_str(text).unwrap();
    anteroom::config::check::check(&config).unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    for (wrong, names) in [
        ("separator = \"#\"", "separator = \"#####\""),
        ("url =", "method = \"GET\"\nurl ="),
        ("url =", "timeout_ms = 10\nurl ="),
        ("url =", "account_id_pointer = \"id\"\nurl ="),
        ("issuer =", "token_kind = \"access_token\", issuer ="),
        ("oidc =", "http = { url = \"https://x.io\" }\noidc ="),
    ] {
        let config: Config = toml::from_str(&text.replace(wrong, names)).unwrap();
        let said = anteroom::config::check::check(&config).unwrap_err().to_string();
        assert!(said.starts_with("identity.studio"), "{names}: {said}");
    }
}
