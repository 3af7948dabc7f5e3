//! What players bring: signed here, or known to the fake server.

#![expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]

use std::fmt::Write as _;

use anteroom::identity::GameCenterProof;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::keys::RsaKey;
use super::{
    BUNDLE, FACEBOOK_APP, FACEBOOK_SECRET, GOOGLE_CLIENT, NINTENDO_AUDIENCE, NINTENDO_ISSUER,
    PSN_CLIENT, Providers,
};

impl Providers {
    /// Apple's identity token; `claims` replace or join the good ones, `null` takes one away.
    pub fn apple_token(&self, claims: Value) -> String {
        self.signed(self.claims("https://appleid.apple.com", BUNDLE, claims))
    }

    /// Google's id token.
    pub fn google_token(&self, mut claims: Value) -> String {
        if claims.get("azp").is_none() {
            claims["azp"] = GOOGLE_CLIENT.into();
        }
        self.signed(self.claims("accounts.google.com", GOOGLE_CLIENT, claims))
    }

    /// A token of Facebook's Limited Login.
    pub fn limited_token(&self, claims: Value) -> String {
        self.signed(self.claims("https://www.facebook.com", FACEBOOK_APP, claims))
    }

    /// Nintendo's NSA id token.
    pub fn nintendo_token(&self, claims: Value) -> String {
        self.signed(self.claims(NINTENDO_ISSUER, NINTENDO_AUDIENCE, claims))
    }

    /// Good claims with changes.
    pub fn claims(&self, issuer: &str, audience: &str, changes: Value) -> Value {
        let now = self.now_s();
        let mut claims = json!({
            "iss": issuer, "aud": audience, "sub": "player-1", "iat": now, "exp": now + 3_600,
        });
        let Value::Object(changes) = changes else { panic!("claims are an object") };
        for (name, value) in changes {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(&name);
            } else {
                claims[name] = value;
            }
        }
        claims
    }

    /// A token with these very claims, signed with the key in force.
    pub fn signed(&self, claims: Value) -> String {
        let (id, key) = self.state.lock().keys.last().cloned().unwrap();
        key.token(&json!({"alg": "RS256", "typ": "JWT", "kid": id}), &claims)
    }

    /// Signed player info of Facebook Instant Games.
    pub fn instant_info(&self, changes: Value) -> String {
        let mut payload = json!({
            "algorithm": "HMAC-SHA256", "issued_at": self.now_s(), "player_id": "i1",
            "request_payload": "",
        });
        for (name, value) in changes.as_object().unwrap() {
            payload[name] = value.clone();
        }
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, FACEBOOK_SECRET.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, payload.as_bytes()));
        format!("{signature}.{payload}")
    }

    /// What Game Center hands a client, signed now. The certificate is one of `gc-test-1.cer`,
    /// `gc-stranger.cer`, `gc-expired.cer`, `gc-other.cer` below [`Providers::gamecenter_url`].
    pub fn gamecenter_proof(&self, player_id: &str) -> GameCenterProof {
        let timestamp = i64::try_from(self.clock.now().as_millis()).unwrap();
        let salt = [0x00, 0x11, 0x22, 0x33];
        let message =
            [player_id.as_bytes(), BUNDLE.as_bytes(), &timestamp.to_be_bytes(), &salt].concat();
        GameCenterProof {
            player_id: player_id.to_owned(),
            bundle_id: BUNDLE.to_owned(),
            timestamp,
            salt: STANDARD.encode(salt),
            signature: STANDARD.encode(RsaKey::nth(0).sign(&message)),
            public_key_url: self.gamecenter_url("gc-test-1.cer"),
        }
    }

    /// Where a certificate of Game Center is.
    pub fn gamecenter_url(&self, name: &str) -> String {
        format!("http://{}/public-key/{name}", self.address)
    }

    /// A Steam session ticket of this player.
    pub fn steam_ticket(&self, steam_id: &str) -> String {
        self.steam_ticket_with(json!({
            "result": "OK", "steamid": steam_id, "ownersteamid": steam_id,
            "vacbanned": false, "publisherbanned": false,
        }))
    }

    /// A ticket that Steam answers with these `params`.
    pub fn steam_ticket_with(&self, params: Value) -> String {
        let ticket = self.secret_for(params);
        ticket.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02X}");
            hex
        })
    }

    /// A Graph access token of our app: its owner's id, name and address.
    pub fn graph_token(&self, me: Value) -> String {
        self.graph_token_with(me, json!({}))
    }

    /// A Graph access token; `facts` are what `debug_token` says otherwise.
    pub fn graph_token_with(&self, me: Value, facts: Value) -> String {
        let mut data = json!({
            "app_id": FACEBOOK_APP, "is_valid": true, "user_id": me["id"], "type": "USER",
            "expires_at": self.now_s() + 3_600,
        });
        for (name, value) in facts.as_object().unwrap() {
            data[name] = value.clone();
        }
        self.secret_for(json!({"me": me, "data": data}))
    }

    /// A server auth code of Play Games. It can be redeemed once.
    pub fn google_code(&self, player: Value) -> String {
        self.secret_for(json!({"player": player}))
    }

    /// An XSTS token.
    pub fn xbox_token(&self, xuid: &str, gamertag: &str) -> String {
        self.xbox_token_with(xuid, json!([{"id": "Gamertag", "value": gamertag}]))
    }

    /// An XSTS token of a player with these settings.
    pub fn xbox_token_with(&self, xuid: &str, settings: Value) -> String {
        let secret = self.secret_for(json!({"profileUsers": [{
            "id": xuid, "hostId": xuid, "settings": settings, "isSponsoredUser": false,
        }]}));
        format!("XBL3.0 x=17;{secret}")
    }

    /// An authorization code of `PlayStation` Network. It can be redeemed once.
    pub fn psn_code(&self, account: &str, online_id: &str) -> String {
        self.psn_code_with(json!({
            "user_id": account, "online_id": online_id, "client_id": PSN_CLIENT,
        }))
    }

    /// A code behind whose token is this.
    pub fn psn_code_with(&self, info: Value) -> String {
        self.secret_for(info)
    }

    /// Seconds since the epoch, by the fakes' clock.
    pub fn now_s(&self) -> u64 {
        self.clock.now().as_secs()
    }

    /// A new text that the server answers with `answer`.
    pub(super) fn secret_for(&self, answer: Value) -> String {
        let mut known = self.state.lock();
        let secret = format!("secret-{}", known.tickets.len() + 1);
        known.tickets.insert(secret.clone(), answer);
        secret
    }
}
