//! The pair of session tokens a sign-in or a refresh ends with.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{App, Fault};
use crate::domain::account::Account;
use crate::domain::time::UnixMicros;
use crate::domain::token::SessionType;
use crate::domain::token::player::{Backend, Issue, Life, Session};

/// A game token and a social token. A token that was not granted is empty
/// (protocol-pragma §4.1): the client takes that for "you exist, but may not enter this shard".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// For the game backend, or empty.
    pub game: String,
    /// For the social backend.
    pub social: String,
}

impl Pair {
    /// Signs tokens for an account. `shard`: the game shard asked for; without one, or without a
    /// player on it, there is no game token.
    pub(super) fn issue(
        app: &App,
        account: &Account,
        shard: Option<Uuid>,
        id_provider: &str,
        at: UnixMicros,
    ) -> Result<Self, Fault> {
        let (display_name, discriminator) = match &account.pragma_name {
            Some(name) => (name.name.clone(), name.discriminator),
            None => (account.display_name.clone(), 0),
        };
        let session = |backend| Session {
            session_type: app.gateway.session,
            social_id: account.id.0,
            backend,
            display_name: display_name.clone(),
            discriminator,
            id_provider: id_provider.to_owned(),
            ext: "{}".to_owned(),
        };
        let player = account.players.iter().find(|player| Some(player.shard) == shard);
        let game = match player {
            Some(player) => {
                let backend = Backend::Game { player: player.player, shard: player.shard };
                Self::sign(app, &session(backend), at)?
            }
            None => String::new(),
        };
        Ok(Self { game, social: Self::sign(app, &session(Backend::Social), at)? })
    }

    fn sign(app: &App, session: &Session, at: UnixMicros) -> Result<String, Fault> {
        let config = &app.config.pragma;
        let expires_min = match session.session_type {
            SessionType::Operator => config.operator_token_min,
            _ => config.player_token_min,
        };
        let life = Life {
            expires_min,
            refresh_min: config.player_refresh_min,
            variance_min: config.player_refresh_variance_min,
        };
        let issue = Issue { jti: app.door.dice.uuid(), at, roll: app.door.dice.number(), life };
        app.keys.sign(session, &issue).map_err(|error| {
            tracing::error!(%error, "a session token could not be signed");
            Fault::Internal
        })
    }

    /// `{"pragmaTokens":{…}}`
    pub(super) fn json(&self) -> Value {
        json!({"pragmaTokens":
            {"pragmaGameToken": self.game, "pragmaSocialToken": self.social}})
    }
}
