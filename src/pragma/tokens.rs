//! The pair of session tokens a sign-in or a refresh ends with.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{App, Fault, session_info};
use crate::domain::account::{Account, entry};
use crate::domain::time::UnixMicros;
use crate::domain::token::player::{Backend, Issue, Life, Session, SessionType};
use crate::signin::SignedIn;

/// A game token and a social token. A token that was not granted is empty
/// (protocol-pragma §4.1): the client takes that for "you exist, but may not enter this shard".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// For the game backend, or empty.
    pub game: String,
    /// For the social backend.
    pub social: String,
}

/// What a pair is issued for.
pub(super) struct Grant<'a> {
    /// Whose.
    pub account: &'a Account,
    /// The game shard asked for.
    pub shard: Option<Uuid>,
    /// The name of the provider they came by.
    pub id_provider: &'a str,
    /// The moment to issue at.
    pub at: UnixMicros,
    /// What a hook wants in `extSessionInfo`.
    pub info: &'a Map<String, Value>,
}

impl<'a> Grant<'a> {
    /// For a sign-in.
    pub fn of(signed_in: &'a SignedIn, shard: Option<Uuid>, id_provider: &'a str) -> Self {
        let SignedIn { account, at, session_info: info, .. } = signed_in;
        Self { account, shard, id_provider, at: *at, info }
    }
}

impl Pair {
    /// Signs tokens for an account. Without a shard, without a player on it, and for somebody who may
    /// not enter it now, there is no game token.
    pub(super) fn issue(app: &App, grant: &Grant<'_>) -> Result<Self, Fault> {
        Self::issue_for(app, app.gateway.session, grant)
    }

    /// The same, for a player whoever asks: a game server may for its players.
    pub(super) fn for_player(app: &App, grant: &Grant<'_>) -> Result<Self, Fault> {
        Self::issue_for(app, SessionType::Player, grant)
    }

    fn issue_for(app: &App, session_type: SessionType, grant: &Grant<'_>) -> Result<Self, Fault> {
        let Grant { account, shard, id_provider, at, info } = *grant;
        let (display_name, discriminator) = match &account.pragma_name {
            Some(name) => (name.name.clone(), name.discriminator),
            None => (account.display_name.clone(), 0),
        };
        let realm = app.door.realm();
        let ext = session_info::of(account, &realm, &app.config.pragma.session_info, info);
        let session = |backend| Session {
            session_type,
            social_id: account.id.0,
            backend,
            display_name: display_name.clone(),
            discriminator,
            id_provider: id_provider.to_owned(),
            ext: ext.clone(),
        };
        let is_free = |shard: &Uuid| {
            // Bans and limited access are for those who play.
            session_type == SessionType::Operator
                || entry::may_enter(account, &realm, *shard, app.door.clock.now())
        };
        let shard = shard.filter(is_free);
        let game = match shard.and_then(|shard| Some((account.player_on(shard)?, shard))) {
            Some((player, shard)) => {
                Self::sign(app, &session(Backend::Game { player, shard }), at)?
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
