//! An identity provider that a studio compiles in: the one of `docs/own-identity-provider.md`.

mod example;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anteroom::config::Config;
use anteroom::domain::account::{Link, LinkKind};
use anteroom::identity::{
    BoxFuture, IdentityError, OwnAccount, OwnError, OwnProvider, Portal, Proof, Providers,
    SetupError,
};
use anteroom::ids::Dice;
use aws_lc_rs::hmac;
use example::Shop;
use zeroize::Zeroizing;

use crate::harness::TestServer;

const SECRET: &[u8] = b"shop-hush";

fn providers(own: Vec<Arc<dyn OwnProvider>>) -> Result<Providers, SetupError> {
    providers_with(own, |_| {})
}

fn providers_with(
    own: Vec<Arc<dyn OwnProvider>>,
    set: impl FnOnce(&mut Config),
) -> Result<Providers, SetupError> {
    let mut config = Config::default();
    set(&mut config);
    Providers::new(&config.identity, TestServer::noon(), &Dice::seeded(7), own)
}

fn proof(number: u8, token: impl Into<String>) -> Proof {
    Proof::Studio(number, Zeroizing::new(token.into()))
}

fn token(said: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), said.as_bytes());
    tag.as_ref().iter().fold(format!("{said}:"), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn the_document_shows_this_very_code() {
    let document = include_str!("../../docs/own-identity-provider.md");
    let example = include_str!("own_provider/example.rs");
    assert!(document.contains(&format!("```rust\n{example}```\n")), "copy the example into it");
}

#[actix_web::test]
async fn the_shop_says_who_its_players_are() {
    let providers = providers(vec![Arc::new(Shop::new(SECRET))]).unwrap();
    let kind = LinkKind::Studio(110);
    assert!(providers.is_configured(kind) && providers.takes(&proof(110, "x")));
    let good = proof(110, token("p7:Ada"));
    let verified = providers.verify(&good).await.unwrap();
    assert_eq!(verified.link, Link { kind, id: "p7".into() });
    assert_eq!(providers.shown(&verified).await.name, "Ada");
    let other = token("p8:Ada").replacen("p8", "p7", 1);
    for forged in [String::new(), "p7:Ada".into(), "p7:Ada:00".into(), other] {
        let result = providers.verify(&proof(110, forged)).await;
        assert!(matches!(result, Err(IdentityError::Refused(..))), "{result:?}");
    }
    let odd = providers.verify(&proof(110, token(":Ada"))).await;
    assert!(matches!(odd, Err(IdentityError::Refused(..))), "an id is never empty: {odd:?}");
    let figures = providers.figures().each().find(|(name, _)| *name == "shop").unwrap().1;
    assert_eq!(figures.ok.load(Ordering::Relaxed), 1);
    assert_eq!(figures.refused.load(Ordering::Relaxed), 5);
}

/// Answers as it is told.
struct Told {
    number: u8,
    name: &'static str,
    answer: Option<Result<OwnAccount, OwnError>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(
        number: u8,
        name: &'static str,
        answer: Option<Result<OwnAccount, OwnError>>,
    ) -> Arc<Self> {
        Arc::new(Self { number, name, answer, asked: AtomicUsize::new(0) })
    }
}

impl OwnProvider for Told {
    fn number(&self) -> u8 {
        self.number
    }

    fn name(&self) -> &str {
        self.name
    }

    fn separator(&self) -> &'static str {
        "#"
    }

    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<OwnAccount, OwnError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert_ne!(token, "panic", "as the test wants it");
        match self.answer.clone() {
            Some(answer) => Box::pin(async move { answer }),
            None => Box::pin(std::future::pending()),
        }
    }

    fn portal(&self) -> Option<Portal> {
        Some(Portal {
            client_id: "us".into(),
            authorize_url: "https://own.example/in?client_id=us".into(),
            redirect_uri: "https://game.example/back".into(),
        })
    }
}

#[actix_web::test]
async fn what_it_says_is_passed_on_and_what_it_does_not_say_ends() {
    let account = OwnAccount {
        account_id: "a".into(),
        display_name: "Ada".into(),
        discriminator: "7".into(),
    };
    let good = Told::new(120, "GOOD", Some(Ok(account)));
    let own: Vec<Arc<dyn OwnProvider>> = vec![
        good.clone(),
        Told::new(121, "NO", Some(Err(OwnError::Refused("no")))),
        Told::new(122, "NOT_YET", Some(Err(OwnError::Unverified("address")))),
        Told::new(123, "DOWN", Some(Err(OwnError::Unavailable("down")))),
        Told::new(124, "SILENT", None),
    ];
    let providers = providers_with(own, |config| config.identity.timeout_ms = 50).unwrap();
    let shown = providers.verify(&proof(120, "t")).await.unwrap().shown;
    assert_eq!((shown.name.as_str(), shown.discriminator.as_str()), ("Ada", "7"));
    assert!(providers.verify(&proof(120, "t")).await.is_ok());
    assert_eq!(good.asked.load(Ordering::Relaxed), 1, "the answer is remembered");
    let kind = LinkKind::Studio;
    let silent = IdentityError::Unavailable(kind(124), "no answer in time");
    for (number, error) in [
        (121, IdentityError::Refused(kind(121), "no")),
        (122, IdentityError::Unverified(kind(122), "address")),
        (123, IdentityError::Unavailable(kind(123), "down")),
        (124, silent),
    ] {
        assert_eq!(providers.verify(&proof(number, "t")).await, Err(error));
    }
    let panicked = providers.verify(&proof(120, "panic")).await;
    assert!(matches!(panicked, Err(IdentityError::Unavailable(..))), "{panicked:?}");
    assert!(providers.verify(&proof(120, "u")).await.is_ok(), "the others go on");
    assert_eq!(providers.portal(kind(120)).unwrap().client_id, "us");
    let names: Vec<_> = providers.studio().iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["GOOD", "NO", "NOT_YET", "DOWN", "SILENT"]);
    assert!(providers.studio().iter().all(|own| own.separator == "#"));
}

#[test]
fn two_with_one_number_or_name_keep_the_server_from_starting() {
    for (number, name, says) in [
        (110, "OTHER", ["110", "SHOP", "OTHER"]),
        (111, "SHOP", ["111", "SHOP", ""]),
        (111, "EPIC", ["111", "EPIC", ""]),
        (7, "OTHER", ["7", "OTHER", ""]),
        (111, "shop", ["111", "capitals", ""]),
    ] {
        let own: Vec<Arc<dyn OwnProvider>> =
            vec![Arc::new(Shop::new(SECRET)), Told::new(number, name, None)];
        let said = providers(own).unwrap_err().to_string();
        assert!(says.iter().all(|word| said.contains(word)), "{number} {name}: {said}");
    }
    // One of the settings and one that is compiled in.
    let said = providers_with(vec![Arc::new(Shop::new(SECRET))], |config| {
        config.identity.studio = vec![anteroom::config::identity::StudioConfig {
            number: 110,
            name: "ACME".into(),
            ..Default::default()
        }];
    });
    let said = said.unwrap_err().to_string();
    assert!(said.contains("110") && said.contains("ACME") && said.contains("SHOP"), "{said}");
}
