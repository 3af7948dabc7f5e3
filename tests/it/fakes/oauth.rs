//! Providers of Pragma's table (protocol-pragma §4.4): what players bring there. All know us by one
//! client id and secret, so that only issuer and endpoint tell their tokens apart.

#![expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]

use std::collections::HashMap;
use std::fmt::Write as _;

use anteroom::config::IdentityConfig;
use anteroom::config::identity::{HttpConfig, OidcConfig, StudioConfig};
use anteroom::domain::account::LinkKind;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::keys::{EcKey, EdKey};
use super::{BUNDLE, Providers};

/// How all of them know us.
pub const CLIENT: &str = "oauth-client";
pub const SECRET: &str = "oauth-hush";
pub const REDIRECT: &str = "https://game.example/back";
pub const TEAM: &str = "TEAM123456";
pub const KEY_ID: &str = "KEY1234567";
pub const GUILD: &str = "900";
pub const ROLE: &str = "901";
pub const BOT: &str = "bot-hush";
pub const API_KEY: &str = "acme-hush";
/// The studio's services: one that is asked over HTTP, one that speaks `OpenID` Connect.
pub const ACME: u8 = 102;
pub const CLUB: u8 = 103;
/// What Steam signs assertions with.
pub const ASSOCIATION: &[u8] = b"steam-association";
pub const SIGNED: &str =
    "signed,op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle";

/// The keys that every section has.
macro_rules! register {
    ($section:expr, $base:expr) => {
        $section.client_ids = vec![CLIENT.into(), "oauth-client-2".into()];
        $section.client_secret = SECRET.into();
        $section.redirect_uri = REDIRECT.into();
        $section.token_url = format!("{}/token", $base);
    };
}

impl Providers {
    /// Points those providers here.
    pub(super) fn config_oauth(&self, identity: &mut IdentityConfig) {
        let at = |path: &str| format!("http://{}{path}", self.address);
        let apple = &mut identity.apple;
        apple.team_id = TEAM.into();
        apple.key_id = KEY_ID.into();
        apple.private_key = EcKey::get().private_pem().into();
        apple.client_id = BUNDLE.into();
        apple.redirect_uri = REDIRECT.into();
        apple.token_url = at("/apple/token");
        register!(identity.epic, at("/epic"));
        identity.epic.jwks_url = at("/epic/keys");
        identity.epic.token_info_url = at("/epic/tokenInfo");
        identity.epic.accounts_url = at("/epic/accounts");
        register!(identity.discord, at("/discord/oauth2"));
        identity.discord.api_url = at("/discord");
        register!(identity.twitch, at("/twitch"));
        identity.twitch.jwks_url = at("/twitch/keys");
        identity.twitch.validate_url = at("/twitch/validate");
        identity.twitch.users_url = at("/twitch/users");
        register!(identity.google_oauth, at("/goauth"));
        identity.google_oauth.jwks_url = at("/goauth/keys");
        identity.google_oauth.token_info_url = at("/goauth/tokeninfo");
        register!(identity.googleworkspace, at("/goauth"));
        identity.googleworkspace.jwks_url = at("/goauth/keys");
        identity.googleworkspace.allowed_domains = vec!["studio.example".into()];
        register!(identity.okta, at("/okta"));
        identity.okta.issuer = at("/okta/oauth2/default");
        identity.okta.token_url = String::new();
        register!(identity.auth0, at("/auth0"));
        identity.auth0.issuer = at("/auth0/");
        identity.steam.openid_return_to = vec!["https://game.example".into()];
        identity.steam.openid_url = at("/steam/openid");
        identity.studio = vec![self.acme(), self.club()];
    }

    /// The studio's service that is asked over HTTP.
    pub fn acme(&self) -> StudioConfig {
        let http = HttpConfig {
            url: format!("http://{}/acme/login", self.address),
            headers: [("x-api-key".into(), API_KEY.into())].into(),
            account_id_pointer: "/player/id".into(),
            display_name_pointer: "/player/name".into(),
            discriminator_pointer: "/player/tag".into(),
            ..HttpConfig::default()
        };
        StudioConfig {
            number: ACME,
            name: "ACME".into(),
            separator: "#".into(),
            http: Some(http),
            oidc: None,
        }
    }

    /// The studio's `OpenID` Connect service.
    fn club(&self) -> StudioConfig {
        let mut oidc =
            OidcConfig { issuer: self.issuer(LinkKind::Studio(CLUB)), ..OidcConfig::default() };
        register!(oidc, format!("http://{}/club", self.address));
        oidc.token_url = String::new();
        oidc.authorize_url = "https://club.example/authorize".into();
        oidc.name_claim = "nickname".into();
        StudioConfig {
            number: CLUB,
            name: "CLUB".into(),
            oidc: Some(oidc),
            ..StudioConfig::default()
        }
    }

    /// Who signs the id tokens of a kind.
    pub fn issuer(&self, kind: LinkKind) -> String {
        let at = |path: &str| format!("http://{}{path}", self.address);
        match kind {
            LinkKind::Epic => "https://api.epicgames.dev/epic/oauth/v2".into(),
            LinkKind::Twitch => "https://id.twitch.tv/oauth2".into(),
            LinkKind::Google | LinkKind::GoogleWorkspace => "https://accounts.google.com".into(),
            LinkKind::Okta => at("/okta/oauth2/default"),
            LinkKind::Auth0 => at("/auth0/"),
            LinkKind::Studio(CLUB) => at("/club"),
            LinkKind::Apple => "https://appleid.apple.com".into(),
            other => panic!("{other:?} signs no id tokens here"),
        }
    }

    /// The good claims of an id token of a kind, with changes.
    pub fn id_claims(&self, kind: LinkKind, mut changes: Value) -> Value {
        let numbered = kind == LinkKind::Twitch && changes.get("sub").is_none();
        if numbered {
            changes["sub"] = "4".into();
        }
        if kind == LinkKind::GoogleWorkspace && changes.get("hd").is_none() {
            changes["hd"] = "studio.example".into();
        }
        let audience = if kind == LinkKind::Apple { BUNDLE } else { CLIENT };
        self.claims(&self.issuer(kind), audience, changes)
    }

    /// An id token of a kind.
    pub fn id_token(&self, kind: LinkKind, changes: Value) -> String {
        self.signed(self.id_claims(kind, changes))
    }

    /// A code or access token with good things behind it, and changes.
    pub fn grant(&self, kind: LinkKind, changes: Value) -> String {
        let mut behind = match kind {
            LinkKind::Epic => {
                json!({"active": true, "client_id": CLIENT, "account_id": "e1", "name": "Eve"})
            }
            LinkKind::Discord => json!({
                "application": {"id": CLIENT},
                "user": {"id": "3", "username": "dee", "discriminator": "0"},
            }),
            LinkKind::Twitch => json!({
                "client_id": CLIENT, "user_id": "4", "login": "tee", "display_name": "Tee",
            }),
            LinkKind::Google => json!({"aud": CLIENT, "sub": "g1"}),
            _ => json!({}),
        };
        let signs = !matches!(kind, LinkKind::Epic | LinkKind::Discord | LinkKind::Twitch);
        if signs {
            behind["id_token"] = self.id_token(kind, json!({"sub": "g1"})).into();
        }
        for (name, value) in changes.as_object().unwrap() {
            behind[name] = value.clone();
        }
        self.secret_for(behind)
    }

    /// The sign-in page of a provider, opened at this address by somebody of whom it knows this: where
    /// it sends them back to, with a code for who began alone. `who` are claims of the id token; where
    /// there is none, what is behind the access token.
    pub fn page(&self, kind: LinkKind, address: &str, who: Value) -> String {
        let address: reqwest::Url = address.parse().unwrap();
        let asked: HashMap<_, _> = address.query_pairs().into_owned().collect();
        for (name, value) in
            [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")]
        {
            assert_eq!(asked[name], value, "{address}");
        }
        let (state, nonce) = (&asked["state"], asked.get("nonce"));
        assert!(state.len() >= 43 && nonce.is_none_or(|nonce| nonce.len() >= 43 && nonce != state));
        let mut behind = json!({
            "redirect_uri": asked["redirect_uri"], "code_challenge": asked["code_challenge"],
        });
        if let Some(nonce) = nonce {
            assert!(asked["scope"].split(' ').any(|scope| scope == "openid"), "{address}");
            let mut claims = json!({ "nonce": nonce });
            for (name, value) in who.as_object().unwrap() {
                claims[name] = value.clone();
            }
            behind["id_token"] = self.id_token(kind, claims).into();
        } else {
            for (name, value) in who.as_object().unwrap() {
                behind[name] = value.clone();
            }
        }
        let code = self.grant(kind, behind);
        let mut back: reqwest::Url = asked["redirect_uri"].parse().unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
        back.into()
    }

    /// What the studio's service over HTTP knows: its whole answer.
    pub fn acme_token(&self, answer: Value) -> String {
        self.secret_for(answer)
    }

    /// The access token that the last code was redeemed for.
    pub fn last_access_token(&self) -> String {
        let known = self.state.lock();
        let newest =
            known.tickets.keys().filter_map(|key| key.strip_prefix("access-")?.parse().ok());
        format!("access-{}", newest.max().unwrap_or(0_usize))
    }

    /// A player of ours at Discord's server, with these roles.
    pub fn discord_member(&self, user_id: &str, roles: &[&str]) {
        let roles = json!({ "roles": roles });
        self.state.lock().tickets.insert(format!("member-{user_id}"), roles);
    }

    /// What Steam says of a player: who owns the app, bans, the name.
    pub fn steam_player(&self, id: &str, facts: Value) {
        self.state.lock().tickets.insert(format!("player-{id}"), facts);
    }

    /// Steam's assertion, with changes, as a client sends it. It is signed after the changes, but for
    /// a change of `sig`.
    pub fn steam_assertion(&self, id: &str, changes: Value) -> String {
        let claimed = format!("https://steamcommunity.com/openid/id/{id}");
        let known = self.state.lock().tickets.len();
        let mut all = json!({
            "ns": "http://specs.openid.net/auth/2.0", "mode": "id_res",
            "opEndpoint": format!("http://{}/steam/openid", self.address),
            "claimedId": claimed, "identity": claimed,
            "returnTo": "https://game.example/back?to=play",
            "responseNonce": self.nonce(0, &format!("n{known}")),
            "assocHandle": "1234567890", "signed": SIGNED,
        });
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        if all.get("sig").is_none() {
            all["sig"] = sign(
                |field| all[camel(field)].as_str().unwrap_or_default().to_owned(),
                all["signed"].as_str().unwrap_or_default(),
            )
            .into();
        }
        // So that the next one has another nonce.
        self.secret_for(json!({}));
        all.to_string()
    }

    /// A nonce made that many seconds from now.
    pub fn nonce(&self, from_now_s: i64, rest: &str) -> String {
        let at = i64::try_from(self.now_s()).unwrap() + from_now_s;
        let at = time_text(u64::try_from(at).unwrap());
        format!("{at}{rest}")
    }
}

/// Claims signed with ES256.
pub fn signed_es256(claims: &Value) -> String {
    EcKey::get().token(&json!({"alg": "ES256", "kid": "EC1"}), claims)
}

/// Claims signed with `EdDSA`.
pub fn signed_eddsa(claims: &Value) -> String {
    EdKey::get().token(&json!({"alg": "EdDSA", "kid": "ED1"}), claims)
}

/// Steam's signature over the fields it names.
pub fn sign(value: impl Fn(&str) -> String, signed: &str) -> String {
    let text = signed.split(',').fold(String::new(), |mut text, field| {
        let _ = writeln!(text, "{field}:{}", value(field));
        text
    });
    let key = hmac::Key::new(hmac::HMAC_SHA256, ASSOCIATION);
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// A moment as Steam writes it.
fn time_text(unix_s: u64) -> String {
    let date = rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(unix_s);
    let month = u8::from(date.month());
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    format!("{}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", date.year(), date.day())
}
