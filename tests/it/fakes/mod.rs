//! Identity providers that run in the test (protocol-nakama §16.4): one HTTP server plays all of
//! them, really signs with keys and certificates made on the spot, and can fail on demand.
//!
//! ```ignore
//! let clock = TestServer::noon();
//! let fakes = fakes::Providers::start(&clock).await;
//! let server = TestServer::start(|config| fakes.config(config)).await;
//! let token = fakes.apple_token(json!({"sub": "a1", "email": "a@x.io"}));
//! ```
//!
//! What a provider is handed is text: tokens signed here (`apple_token`, `google_token`,
//! `limited_token`, `nintendo_token`, `instant_info`, `gamecenter_proof`), or tickets, codes and access
//! tokens this server was told of (`steam_ticket`, `graph_token`, `google_code`, `xbox_token`,
//! `psn_code`). Those of Pragma's table are in [`oauth`]. Tokens are good for an hour from what the clock shows when they are made.

pub mod beacon;
pub mod certificates;
pub mod keys;
pub mod oauth;
mod oauth_roles;
mod roles;
pub mod serving;
mod tokens;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use anteroom::clock::Clock;
use anteroom::config::Config;
use serde_json::{Value, json};

use certificates::Apple;
use keys::RsaKey;
use serving::Serving;

/// Ids and secrets the fakes know the game by.
pub const BUNDLE: &str = "com.example.game";
pub const GOOGLE_CLIENT: &str = "client-1.apps.example";
pub const FACEBOOK_APP: &str = "4711";
pub const FACEBOOK_SECRET: &str = "fb-test-secret";
pub const STEAM_APP: u32 = 480;
pub const STEAM_KEY: &str = "steam-publisher-key";
pub const PSN_CLIENT: &str = "psn-client";
pub const PSN_SECRET: &str = "psn-secret";
pub const NINTENDO_ISSUER: &str = "https://nintendo.example";
pub const NINTENDO_AUDIENCE: &str = "nintendo-app";

/// How the server answers a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Works,
    /// With this status and no body.
    Status(u16),
    /// 200, and no JSON or certificate.
    Garbage,
    /// 200, and JSON of a shape nobody expects.
    OtherJson,
    /// An empty key set.
    NoKeys,
    /// A mebibyte, its length told or not.
    Huge { told: bool },
    /// A redirect to where it works.
    Redirect,
    /// Never.
    Silent,
}

/// The fake providers. Stopped when dropped.
pub struct Providers {
    /// Where they are.
    pub address: SocketAddr,
    clock: Clock,
    state: Arc<State>,
    roots: tempfile::NamedTempFile,
    _serving: Serving,
}

/// What the server knows.
#[derive(Default)]
struct State {
    inner: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By the start of a path.
    moods: Vec<(String, Mood)>,
    /// Every path asked for, with its query.
    asked: Vec<String>,
    /// Published keys; the last one signs.
    keys: Vec<(String, &'static RsaKey)>,
    /// Google's certificates are good from, until (Unix seconds).
    google_valid: (i64, i64),
    /// Cache-Control of key sets.
    cache_control: Option<String>,
    /// Answers by ticket, code or access token.
    tickets: HashMap<String, Value>,
    /// Friends by player; `None`: private.
    friends: HashMap<String, Option<Vec<String>>>,
    apple: Option<Apple>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.inner.lock().unwrap()
    }
}

impl Providers {
    /// Starts them; they tell the time by `clock`.
    pub async fn start(clock: &Clock) -> Self {
        let now = i64::try_from(clock.now().as_secs()).unwrap();
        let state = Arc::new(State::default());
        {
            let mut known = state.lock();
            known.keys.push(("K1".to_owned(), RsaKey::nth(0)));
            known.google_valid = (now - 86_400, now + 30 * 86_400);
        }
        let serving = Serving::start(Arc::clone(&state), roles::answer).await;
        let address = serving.address;
        let apple = Apple::new(&address.to_string(), now);
        let roots = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(roots.path(), apple.root_pem()).unwrap();
        state.lock().apple = Some(apple);
        Self { address, clock: clock.clone(), state, roots, _serving: serving }
    }

    /// Points every provider of the settings here.
    pub fn config(&self, config: &mut Config) {
        let base = format!("http://{}", self.address);
        let url = |path: &str| format!("{base}{path}");
        let identity = &mut config.identity;
        identity.allow_private = true;
        identity.apple.bundle_ids = vec!["com.example.other".into(), BUNDLE.into()];
        identity.apple.jwks_url = url("/apple/keys");
        identity.facebook.app_id = FACEBOOK_APP.into();
        identity.facebook.app_secret = FACEBOOK_SECRET.into();
        identity.facebook.limited_login_app_ids = vec!["4712".into()];
        identity.facebook.graph_url = url("/v22.0");
        identity.facebook.jwks_url = url("/limited/jwks/");
        identity.facebook_instant_game.app_secret = FACEBOOK_SECRET.into();
        identity.gamecenter.bundle_ids = vec![BUNDLE.into()];
        identity.gamecenter.public_key_urls = vec![url("/public-key/")];
        identity.gamecenter.roots_file = Some(self.roots.path().to_owned());
        identity.gamecenter.issuer_hosts = vec![self.address.to_string()];
        identity.google.client_ids = vec![GOOGLE_CLIENT.into()];
        identity.google.certs_url = url("/oauth2/v1/certs");
        identity.google.games_url = url("/games/v1");
        let credentials = json!({"web": {
            "client_id": GOOGLE_CLIENT, "client_secret": "google-secret",
            "token_uri": url("/google/token"), "redirect_uris": ["https://game.example/back"],
        }});
        identity.google.credentials_json = credentials.to_string().as_str().into();
        identity.steam.app_id = STEAM_APP;
        identity.steam.publisher_key = STEAM_KEY.into();
        identity.steam.api_url.clone_from(&base);
        identity.xbox.enabled = true;
        identity.xbox.profile_url = url("/xbox");
        identity.playstation.client_id = PSN_CLIENT.into();
        identity.playstation.client_secret = PSN_SECRET.into();
        identity.playstation.redirect_uri = "https://game.example/psn".into();
        identity.playstation.oauth_url = url("/psn");
        identity.nintendo.jwks_url = url("/nintendo/jwks");
        identity.nintendo.issuer = NINTENDO_ISSUER.into();
        identity.nintendo.audiences = vec![NINTENDO_AUDIENCE.into()];
        self.config_oauth(identity);
    }

    /// From now on paths that begin with `path` are answered like this; where several do, the longest
    /// counts.
    pub fn mood(&self, path: &str, mood: Mood) {
        let mut known = self.state.lock();
        known.moods.retain(|(known, _)| known != path);
        if mood != Mood::Works {
            known.moods.push((path.to_owned(), mood));
        }
    }

    /// How often paths that begin with `path` were asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.state.lock().asked.iter().filter(|asked| asked.starts_with(path)).count()
    }

    /// The last question at a path that begins with `path`, with its query.
    pub fn last(&self, path: &str) -> Option<String> {
        let known = self.state.lock();
        known.asked.iter().rev().find(|asked| asked.starts_with(path)).cloned()
    }

    /// Publishes another key in place of the old one, and signs with it.
    pub fn rotate(&self, id: &str, nth: usize) {
        self.state.lock().keys = vec![(id.to_owned(), RsaKey::nth(nth))];
    }

    /// What key sets say of how long they may be kept.
    pub fn cache_control(&self, value: &str) {
        self.state.lock().cache_control = Some(value.to_owned());
    }

    /// When Google's certificates are good: from, until (Unix seconds).
    pub fn google_valid(&self, from: i64, until: i64) {
        self.state.lock().google_valid = (from, until);
    }

    /// The certificate that issued Game Center's, in PEM.
    pub fn issuer_pem(&self) -> String {
        self.state.lock().apple.as_ref().unwrap().issuer_pem()
    }

    /// The friends of a Steam player or of a Facebook access token; `None`: they are private.
    pub fn friends(&self, of: &str, friends: Option<&[&str]>) {
        let friends = friends.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        self.state.lock().friends.insert(of.to_owned(), friends);
    }
}
