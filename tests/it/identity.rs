//! Identity providers against servers that play them (protocol-nakama §2.10–§2.16, §16.4).

mod drills;
mod gamecenter;
mod keys;
mod oauth;
mod oauth_names;
mod remote;
mod steam_openid;
mod studio;
mod tokens;

use anteroom::clock::Clock;
use anteroom::config::Config;
use anteroom::domain::account::{Link, LinkKind};
use anteroom::identity::{IdentityError, Proof, Providers, Verified};
use anteroom::ids::Dice;
use serde_json::json;
use zeroize::Zeroizing;

use crate::fakes;
use crate::harness::TestServer;

/// Fakes, and the real thing that asks them.
struct Bench {
    fakes: fakes::Providers,
    providers: Providers,
    clock: Clock,
}

impl Bench {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let clock = TestServer::noon();
        let fakes = fakes::Providers::start(&clock).await;
        let mut config = Config::default();
        fakes.config(&mut config);
        set(&mut config);
        anteroom::config::check::check(&config).unwrap();
        let providers = providers(&config, &clock);
        Self { fakes, providers, clock }
    }

    /// Others who ask the same fakes.
    fn others(&self, set: impl FnOnce(&mut Config)) -> Providers {
        let mut config = Config::default();
        self.fakes.config(&mut config);
        set(&mut config);
        providers(&config, &self.clock)
    }

    async fn verify(&self, proof: &Proof) -> Result<Verified, IdentityError> {
        self.providers.verify(proof).await
    }

    /// The id a proof proves.
    #[track_caller]
    fn id(&self, proof: &Proof) -> impl Future<Output = String> {
        let (providers, proof) = (self.providers.clone(), proof.clone());
        async move { providers.verify(&proof).await.unwrap().link.id }
    }
}

fn providers(config: &Config, clock: &Clock) -> Providers {
    Providers::new(&config.identity, clock.clone(), &Dice::seeded(7), Vec::new()).unwrap()
}

fn secret(text: impl Into<String>) -> Zeroizing<String> {
    Zeroizing::new(text.into())
}

fn apple(token: impl Into<String>) -> Proof {
    Proof::Apple(secret(token))
}

fn facebook(token: impl Into<String>) -> Proof {
    Proof::Facebook(secret(token))
}

fn google(token: impl Into<String>) -> Proof {
    Proof::Google(secret(token))
}

fn instant(info: impl Into<String>) -> Proof {
    Proof::FacebookInstantGame(secret(info))
}

fn nintendo(token: impl Into<String>) -> Proof {
    Proof::Nintendo(secret(token))
}

fn psn(code: impl Into<String>) -> Proof {
    Proof::PlayStation(secret(code))
}

fn steam(ticket: impl Into<String>) -> Proof {
    Proof::Steam(secret(ticket))
}

fn xbox(token: impl Into<String>) -> Proof {
    Proof::Xbox(secret(token))
}

fn link(kind: LinkKind, id: &str) -> Link {
    Link { kind, id: id.to_owned() }
}

#[track_caller]
fn is_refused(result: &Result<Verified, IdentityError>) {
    assert!(matches!(result, Err(IdentityError::Refused(..))), "{result:?}");
}

#[track_caller]
fn is_unavailable(result: &Result<Verified, IdentityError>) {
    assert!(matches!(result, Err(IdentityError::Unavailable(..))), "{result:?}");
}

#[actix_web::test]
async fn nobody_is_verified_without_settings() {
    let clock = TestServer::noon();
    let providers = providers(&Config::default(), &clock);
    let fakes = fakes::Providers::start(&clock).await;
    let proofs = [
        apple("a.b.c"),
        facebook("a.b.c"),
        facebook("EAAB"),
        google("a.b.c"),
        google("4/abc"),
        instant("a.b"),
        nintendo("a.b.c"),
        psn("code"),
        steam("00"),
        xbox("XBL3.0 x=1;t"),
        Proof::GameCenter(fakes.gamecenter_proof("G:1")),
        Proof::AppleOauth(secret("code")),
        Proof::GoogleOauth(secret("code")),
        Proof::GoogleWorkspace(secret("code")),
        Proof::SteamOpenId(secret("{}")),
        Proof::Epic(secret("code")),
        Proof::Discord(secret("code")),
        Proof::Twitch(secret("code")),
        Proof::Okta(secret("code")),
        Proof::Auth0(secret("code")),
        Proof::Studio(102, secret("code")),
    ];
    for proof in proofs {
        let kind = proof.kind();
        assert!(!providers.is_configured(kind) && !providers.takes(&proof), "{kind:?}");
        let off = Err(IdentityError::NotConfigured(kind));
        assert_eq!(providers.verify(&proof).await, off);
    }
}

/// They are asked from runtimes that move futures between threads, too.
#[actix_web::test]
async fn questions_may_move_between_threads() {
    fn moves<T: Send>(future: T) -> T {
        future
    }
    let bench = Bench::start().await;
    let proof = steam(bench.fakes.steam_ticket("5"));
    let (providers, there) = (bench.providers.clone(), proof.clone());
    let elsewhere = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(moves(providers.verify(&there)))
    });
    let here = moves(bench.providers.verify(&proof)).await;
    assert_eq!(here, elsewhere.join().unwrap());
    assert!(moves(bench.providers.friends(&proof)).await.is_ok());
}

/// As in a container with nothing but the binary in it.
#[test]
fn without_root_certificates_it_serves_those_who_need_no_provider() {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    let folder = tempfile::tempdir().unwrap();
    let start = |apple: &str| {
        Command::new(env!("CARGO_BIN_EXE_anteroom"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path())
            .current_dir(folder.path())
            .env("SSL_CERT_FILE", "/dev/null")
            .env("SSL_CERT_DIR", folder.path())
            .env("ANTEROOM__IDENTITY__APPLE__BUNDLE_IDS", apple)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut serving = start("[]");
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(line.contains("players http://"), "{line:?}");
    let mut refused = start("[\"com.example.game\"]");
    let mut said = String::new();
    refused.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!refused.wait().unwrap().success());
    assert!(said.contains("identity.apple.jwks_url cannot be trusted"), "{said}");
}

#[actix_web::test]
async fn half_a_configuration_is_none() {
    let bench = Bench::start().await;
    let half = bench.others(|config| {
        let identity = &mut config.identity;
        identity.apple.bundle_ids = vec![String::new()];
        identity.facebook.app_secret = "".into();
        identity.facebook_instant_game.app_secret = "".into();
        identity.gamecenter.bundle_ids.clear();
        identity.google.credentials_json = "".into();
        identity.steam.publisher_key = "".into();
        identity.steam.openid_return_to.clear();
        identity.epic.client_ids = vec![String::new()];
        identity.okta.issuer = String::new();
        identity.auth0.client_ids.clear();
        identity.google_oauth.client_secret = "".into();
        identity.playstation.client_secret = "".into();
        identity.nintendo.audiences.clear();
    });
    for kind in [
        LinkKind::Apple,
        LinkKind::FacebookInstantGame,
        LinkKind::GameCenter,
        LinkKind::Steam,
        LinkKind::PlayStation,
        LinkKind::Nintendo,
        LinkKind::Epic,
        LinkKind::Okta,
        LinkKind::Auth0,
    ] {
        assert!(!half.is_configured(kind), "{kind:?}");
    }
    // Google and Facebook still take tokens, but neither codes nor access tokens.
    assert!(half.is_configured(LinkKind::Google) && half.is_configured(LinkKind::Facebook));
    let code = half.verify(&google("4/abc")).await;
    assert_eq!(code, Err(IdentityError::NotConfigured(LinkKind::Google)));
    let token = fakes::Providers::id_token(&bench.fakes, LinkKind::Google, json!({}));
    assert!(half.verify(&Proof::GoogleOauth(secret(token))).await.is_ok());
    let access_token = half.verify(&facebook("EAAB")).await;
    assert_eq!(access_token, Err(IdentityError::NotConfigured(LinkKind::Facebook)));
}

#[actix_web::test]
async fn settings_that_cannot_be_used_are_named() {
    let clock = TestServer::noon();
    let problem = |set: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        set(&mut config);
        let made = Providers::new(&config.identity, clock.clone(), &Dice::seeded(7), Vec::new());
        made.expect_err("unusable").to_string()
    };
    let apple = |url: &'static str| {
        move |config: &mut Config| {
            config.identity.apple.bundle_ids = vec!["x".into()];
            config.identity.apple.jwks_url = url.into();
        }
    };
    for url in ["http://appleid.apple.com/", "ftp://x/", "nonsense"] {
        assert!(problem(&apple(url)).contains("identity.apple.jwks_url"));
    }
    let google = problem(&|config| config.identity.google.credentials_json = "hush".into());
    assert!(google.contains("credentials_json") && !google.contains("hush"), "{google}");
    let steam = problem(&|config| {
        config.identity.steam.publisher_key_file = Some("/nowhere/key".into());
    });
    assert!(steam.contains("identity.steam.publisher_key"), "{steam}");
    let roots = problem(&|config| {
        config.identity.gamecenter.bundle_ids = vec!["x".into()];
        config.identity.gamecenter.roots_file = Some("Cargo.toml".into());
    });
    assert!(roots.contains("roots_file"), "{roots}");
}
