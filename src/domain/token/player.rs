//! Pragma session tokens of people: a pair for each sign-in, one for the social backend and one for
//! the game backend (protocol-pragma §4.3). Game servers check them by the published keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::partner::{self, PartnerClaims};
use super::proven::Proven;
pub use super::signing::{KeyError, Signing, generate};
use super::signing::{PublicKey, SigningKey};
use super::ticket::unknown_header;
use crate::domain::time::UnixMicros;

/// How far the clocks of those who check a token may differ, in seconds (protocol-pragma §17, 28).
pub const SKEW_S: u64 = 30;

/// Longest token looked at, in bytes: names and session info are bounded far below.
const TOKEN_MAX: usize = 16_384;

/// Who holds a token, which decides the gateways it is good at (protocol-pragma §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionType {
    /// A player.
    Player,
    /// An operator.
    Operator,
    /// A game server or another trusted backend.
    Partner,
}

impl SessionType {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Player => "PLAYER",
            Self::Operator => "OPERATOR",
            Self::Partner => "PARTNER",
        }
    }
}

/// One half of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BackendType {
    /// Accounts, friends, presence.
    Social,
    /// One game shard.
    Game,
}

/// Which backend a token is for, and who the player is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Accounts, friends, presence.
    Social,
    /// One game shard.
    Game {
        /// The player's id on the shard.
        player: Uuid,
        /// The shard.
        shard: Uuid,
    },
}

/// What a token says of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Player or operator.
    pub session_type: SessionType,
    /// The account.
    pub social_id: Uuid,
    /// Where the token is good.
    pub backend: Backend,
    /// Shown name.
    pub display_name: String,
    /// 1 to 9999; shown with four digits. 0: the account has no name yet, shown empty.
    pub discriminator: u16,
    /// Name of the provider this sign-in came by.
    pub id_provider: String,
    /// `extSessionInfo`: a JSON object as text, for the studio's own use; at most 2 KiB.
    pub ext: String,
}

impl Session {
    /// The discriminator as it is shown.
    pub fn discriminator_text(&self) -> String {
        match self.discriminator {
            0 => String::new(),
            number => format!("{number:04}"),
        }
    }
}

/// When a token is made and how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Token id, fresh for each token.
    pub jti: Uuid,
    /// Now.
    pub at: UnixMicros,
    /// A random number: decides where in its window the refresh time falls. Another for each token.
    pub roll: u64,
    /// Lifetimes.
    pub life: Life,
}

/// Lifetimes of player tokens, in minutes (protocol-pragma §4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Until the token expires.
    pub expires_min: u64,
    /// Until the client is told to refresh.
    pub refresh_min: u64,
    /// Half-width of the window around that.
    pub variance_min: u64,
}

/// A checked token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayerClaims {
    /// Whose, and where it is good.
    pub session: Session,
    /// Token id.
    pub jti: Uuid,
    /// When it was issued, in microseconds since the epoch.
    pub issued_at_us: u64,
    /// When it ends, without the allowance for clocks that differ.
    pub expires_at: UnixMicros,
}

/// A checked token of anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claims {
    /// A player's or an operator's.
    Person(PlayerClaims),
    /// A game server's.
    Partner(PartnerClaims),
}

impl Claims {
    /// Who holds it.
    pub const fn session_type(&self) -> SessionType {
        match self {
            Self::Person(person) => person.session.session_type,
            Self::Partner(_) => SessionType::Partner,
        }
    }

    /// The backend it is for.
    pub const fn backend(&self) -> BackendType {
        if self.shard().is_some() { BackendType::Game } else { BackendType::Social }
    }

    /// The shard it is for; `None`: it is for the social backend.
    pub const fn shard(&self) -> Option<Uuid> {
        match self {
            Self::Person(person) => match person.session.backend {
                Backend::Social => None,
                Backend::Game { shard, .. } => Some(shard),
            },
            Self::Partner(partner) => partner.shard,
        }
    }

    /// Whether the token's life is over, with [`SKEW_S`] for clocks that differ.
    pub const fn is_over(&self, now: UnixMicros) -> bool {
        match self {
            Self::Person(person) => person.is_over(now),
            Self::Partner(partner) => is_over(partner.expires_at, now),
        }
    }

    /// The claims of a person; `None`: it is a game server's.
    pub const fn person(&self) -> Option<&PlayerClaims> {
        match self {
            Self::Person(person) => Some(person),
            Self::Partner(_) => None,
        }
    }
}

impl PlayerClaims {
    /// Whether the token's life is over, with [`SKEW_S`] for clocks that differ.
    pub const fn is_over(&self, now: UnixMicros) -> bool {
        is_over(self.expires_at, now)
    }
}

const fn is_over(expires_at: UnixMicros, now: UnixMicros) -> bool {
    expires_at.plus_secs(SKEW_S).0 <= now.0
}

/// Why a token is not a player's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayerTokenError {
    /// Not a token, or not the claims of a player.
    #[error("not a session token")]
    Decode,
    /// No key and algorithm of that name.
    #[error("no key of that name signs session tokens")]
    KeyNotFound,
    /// The signature does not match.
    #[error("the signature does not match")]
    Signature,
    /// Its life is over.
    #[error("the token has expired")]
    Expired,
}

/// The claims on the wire, in the order observed. Types matter: two numbers travel as strings.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    iss: &'a str,
    sub: Uuid,
    iat: u64,
    exp: u64,
    jti: Uuid,
    session_type: &'a str,
    refresh_in_millis: &'a str,
    expires_in_millis: &'a str,
    backend_type: &'a str,
    display_name: std::borrow::Cow<'a, str>,
    discriminator: &'a str,
    pragma_social_id: Uuid,
    id_provider: std::borrow::Cow<'a, str>,
    ext_session_info: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pragma_player_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    game_shard_id: Option<Uuid>,
    /// Ours: the moment of issue, so that a revocation can tell tokens of one second apart.
    itu: u64,
}

/// Keys of player tokens: one signs, it and those before it check.
pub struct PlayerKeys {
    current: SigningKey,
    previous: Vec<PublicKey>,
    proven: Proven,
}

impl std::fmt::Debug for PlayerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlayerKeys(…)")
    }
}

impl PlayerKeys {
    /// Keys from PEM text: `current` is a private key for `signing`; `previous`, private or public,
    /// of any kind, still check tokens until they are taken away (protocol-pragma §4.8).
    ///
    /// # Errors
    ///
    /// [`KeyError`], for the first key that cannot be used.
    pub fn new(signing: Signing, current: &str, previous: &[&str]) -> Result<Self, KeyError> {
        let previous = previous.iter().map(|pem| PublicKey::from_pem(pem));
        Ok(Self {
            current: SigningKey::from_pem(current, signing)?,
            previous: previous.collect::<Result<_, _>>()?,
            proven: Proven::new(),
        })
    }

    /// Signs a player token.
    ///
    /// # Errors
    ///
    /// [`KeyError::Library`]
    pub fn sign(&self, session: &Session, issue: &Issue) -> Result<String, KeyError> {
        let (backend_type, sub, player, shard) = match session.backend {
            Backend::Social => ("SOCIAL", session.social_id, None, None),
            Backend::Game { player, shard } => ("GAME", player, Some(player), Some(shard)),
        };
        let (iat, life_s) = (issue.at.as_secs(), issue.life.expires_min.saturating_mul(60));
        let claims = Wire {
            iss: "pragma",
            sub,
            iat,
            exp: iat.saturating_add(life_s),
            jti: issue.jti,
            session_type: session.session_type.name(),
            refresh_in_millis: &issue.life.refresh_ms(issue.roll).to_string(),
            expires_in_millis: &life_s.saturating_mul(1_000).to_string(),
            backend_type,
            display_name: session.display_name.as_str().into(),
            discriminator: &session.discriminator_text(),
            pragma_social_id: session.social_id,
            id_provider: session.id_provider.as_str().into(),
            ext_session_info: session.ext.as_str().into(),
            pragma_player_id: player,
            game_shard_id: shard,
            itu: issue.at.0,
        };
        self.seal(&claims)
    }

    /// The key that signs.
    pub(super) const fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Signs any claims.
    pub(super) fn seal(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Library)?;
        let mut token = self.current.public().header().to_owned();
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let token = self.current.finish(token)?;
        self.proven.note(&token);
        Ok(token)
    }

    /// Checks a session token: form, key, signature, life with [`SKEW_S`]. Whether it was revoked is
    /// not known here.
    ///
    /// # Errors
    ///
    /// The first of those that fails, as [`PlayerTokenError`].
    pub fn verify(&self, token: &str, now: UnixMicros) -> Result<Claims, PlayerTokenError> {
        let claims = self.verify_but_for_life(token)?;
        if claims.is_over(now) { Err(PlayerTokenError::Expired) } else { Ok(claims) }
    }

    /// As [`Self::verify`], for the one place where an expired token says something: a refresh
    /// with a pair of which the other is alive (protocol-pragma §10.5).
    ///
    /// # Errors
    ///
    /// Any but [`PlayerTokenError::Expired`].
    pub fn verify_but_for_life(&self, token: &str) -> Result<Claims, PlayerTokenError> {
        if token.len() > TOKEN_MAX {
            return Err(PlayerTokenError::Decode);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(PlayerTokenError::Decode)?;
        let Some((key, payload)) = self.key_of(signed) else {
            let is_token = unknown_header(signed);
            return Err(if is_token {
                PlayerTokenError::KeyNotFound
            } else {
                PlayerTokenError::Decode
            });
        };
        if !self.proven.has(token) {
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
            if !key.accepts(signed, &signature) {
                return Err(PlayerTokenError::Signature);
            }
            self.proven.note(token);
        }
        let claims = URL_SAFE_NO_PAD.decode(payload).map_err(|_| PlayerTokenError::Decode)?;
        read(&claims)
    }

    fn key_of<'t>(&self, signed: &'t str) -> Option<(&PublicKey, &'t str)> {
        std::iter::once(self.current.public())
            .chain(&self.previous)
            .find_map(|key| Some((key, signed.strip_prefix(key.header())?)))
    }

    /// The public keys, as `/.well-known/jwks.json` shows them: the one that signs first.
    pub fn jwks(&self) -> serde_json::Value {
        let keys = std::iter::once(self.current.public()).chain(&self.previous);
        serde_json::json!({"keys": keys.map(PublicKey::jwk).collect::<Vec<_>>()})
    }
}

impl Life {
    /// When to refresh: whole seconds in milliseconds, evenly within the window. Never 0, since a
    /// client would then refresh in a loop (protocol-pragma §4.3).
    fn refresh_ms(self, roll: u64) -> u64 {
        let (middle_s, half_s) = (self.refresh_min * 60, self.variance_min * 60);
        let from_s = middle_s.saturating_sub(half_s).max(1);
        let seconds = from_s + roll % (middle_s.saturating_add(half_s).saturating_sub(from_s) + 1);
        seconds.saturating_mul(1_000)
    }
}

/// What the claims are is told by their type; nothing else is believed before that.
fn read(claims: &[u8]) -> Result<Claims, PlayerTokenError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind<'a> {
        session_type: &'a str,
    }
    let decode = |_| PlayerTokenError::Decode;
    let kind: Kind<'_> = serde_json::from_slice(claims).map_err(decode)?;
    let person = |session_type| {
        let wire: Wire<'_> = serde_json::from_slice(claims).map_err(decode)?;
        wire.read(session_type).map(Claims::Person)
    };
    match kind.session_type {
        "PLAYER" => person(SessionType::Player),
        "OPERATOR" => person(SessionType::Operator),
        "PARTNER" => partner::read(claims).map(Claims::Partner),
        _ => Err(PlayerTokenError::Decode),
    }
}

impl Wire<'_> {
    fn read(self, session_type: SessionType) -> Result<PlayerClaims, PlayerTokenError> {
        let decode = PlayerTokenError::Decode;
        let backend = match (self.backend_type, self.pragma_player_id, self.game_shard_id) {
            ("SOCIAL", None, None) => Backend::Social,
            ("GAME", Some(player), Some(shard)) => Backend::Game { player, shard },
            _ => return Err(decode),
        };
        let discriminator = match self.discriminator {
            "" => 0,
            digits => digits.parse().map_err(|_| decode)?,
        };
        if self.iss != "pragma" {
            return Err(decode);
        }
        Ok(PlayerClaims {
            session: Session {
                session_type,
                social_id: self.pragma_social_id,
                backend,
                display_name: self.display_name.into_owned(),
                discriminator,
                id_provider: self.id_provider.into_owned(),
                ext: self.ext_session_info.into_owned(),
            },
            jti: self.jti,
            issued_at_us: self.itu,
            expires_at: UnixMicros::from_secs(self.exp),
        })
    }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
