//! Heartbeats, log-out and refresh (protocol-pragma §10.2, §10.5, §10.9).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::calls::{Answer, Ask, Call, Step, Then, Via};
use super::payload::{Payload, whole};
use crate::actors::account_registry::Key;
use crate::actors::session::Channel;
use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;
use crate::domain::token::player::{Backend, SKEW_S};
use crate::domain::token::{BackendType, Claims, PlayerClaims, SessionType};
use crate::pragma::tokens::{Grant, Pair};
use crate::pragma::{App, Fault, bearer, session_info};

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    Call::both("PlayerSessionRpc.HeartbeatV1Request", SessionType::Player, |_| done(Then::Nothing)),
    Call::both("PlayerSessionRpc.RequestLogoutV1Request", SessionType::Player, |ask| {
        Step::Now(logout(ask.via))
    }),
    Call::both("PlayerSessionRpc.SessionRefreshV1Request", SessionType::Player, |ask| {
        Step::Now(session_refresh(&ask))
    }),
    Call::both("PartnerSessionRpc.HeartbeatPartnerV1Request", SessionType::Partner, |_| {
        done(Then::Nothing)
    }),
    Call::both(
        "PartnerSessionRpc.SetPlayerSessionAttributesPartnerV1Request",
        SessionType::Partner,
        |ask| Step::later(set_attributes(ask)),
    )
    .permitted("session.attributes.update"),
    Call::both("OperatorSessionRpc.HeartbeatV1Request", SessionType::Operator, |_| {
        done(Then::Nothing)
    }),
    Call::new(
        "AccountRpc.RefreshTokensV1Request",
        SessionType::Player,
        BackendType::Social,
        refresh_tokens,
    ),
    Call::new(
        "AccountRpc.RefreshTokensOperatorV1Request",
        SessionType::Operator,
        BackendType::Social,
        refresh_tokens,
    ),
];

fn done(then: Then) -> Step {
    Step::Now(Ok((json!({}), then)))
}

fn logout(via: Via) -> Answer {
    match via {
        Via::Socket => Ok((json!({}), Then::Logout)),
        Via::Http => Err(Fault::SessionNotFound),
    }
}

fn session_refresh(ask: &Ask) -> Answer {
    match ask.via {
        Via::Socket => extend(ask),
        Via::Http => Err(Fault::SessionNotFound),
    }
}

fn refresh_tokens(ask: Ask) -> Step {
    match ask.person().and_then(|claims| Refresh::read(&ask, claims)) {
        Ok(refresh) => Step::Later(Box::pin(async move { refresh.run(&ask.app).await })),
        Err(fault) => Step::Now(Err(fault)),
    }
}

/// A game server sets attributes of a player's session on its own backend, all of one transition at
/// once (§10.8). The engine's services do this among themselves, so the message is ours.
async fn set_attributes(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let account = if let Some(account) = payload.maybe_id("pragmaSocialId")? {
        AccountId(account)
    } else {
        let player = Key::Player(payload.id("pragmaPlayerId")?);
        ask.app.door.find(player).await?.ok_or(Fault::SessionNotFound)?.id
    };
    let channel = match ask.claims.backend() {
        BackendType::Social => Channel::PragmaSocial,
        BackendType::Game => Channel::PragmaGame,
    };
    let number = |value: &Value| i32::try_from(whole(value)?).ok();
    let removed = payload.list("attributesRemoved")?.iter().map(number);
    let removed = removed.collect::<Option<Vec<_>>>().ok_or(Fault::BadParam)?;
    let set = attributes_set(payload)?;
    let changed = ask.app.door.change_attributes((account, channel), set, removed);
    changed.ok_or(Fault::SessionNotFound)?.map_err(|_| Fault::BadParam)?;
    Ok(json!({}))
}

fn attributes_set(payload: Payload<'_>) -> Result<BTreeMap<i32, Uuid>, Fault> {
    let set = match payload.value("attributesSet") {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(set)) => set,
        Some(_) => return Err(Fault::BadParam),
    };
    let one = |(number, id): (&String, &Value)| {
        Some((number.parse().ok()?, Uuid::try_parse(id.as_str()?).ok()?))
    };
    set.iter().map(|entry| one(entry).ok_or(Fault::BadParam)).collect()
}

/// §10.5, 4: the session now lives as long as the new token.
fn extend(ask: &Ask) -> Answer {
    let claims = ask.person()?;
    let token = Payload::of(ask).any_text("token").ok_or(Fault::BadParam)?;
    let new = ask.app.keys.verify(token, ask.app.door.clock.now())?;
    let of = new.person().ok_or(Fault::TokenMismatch)?;
    if !same_session(claims, of) {
        return Err(Fault::TokenMismatch);
    }
    bearer::still_good(&ask.app, &new)?;
    Ok((json!({}), Then::ExtendUntil(of.expires_at.plus_secs(SKEW_S))))
}

/// Whether two tokens are for one session: the same player on the same backend.
fn same_session(a: &PlayerClaims, b: &PlayerClaims) -> bool {
    let who =
        |it: &PlayerClaims| (it.session.session_type, it.session.social_id, it.session.backend);
    who(a) == who(b)
}

/// §10.5, 3: a pair of tokens to be renewed, checked.
#[derive(Debug)]
struct Refresh {
    account: AccountId,
    shard: Option<Uuid>,
    id_provider: String,
    /// What a hook gave at the sign-in: it is not asked again.
    info: Map<String, Value>,
}

impl Refresh {
    fn read(ask: &Ask, claims: &PlayerClaims) -> Result<Self, Fault> {
        let app = &ask.app;
        let tokens = Payload::of(ask).object("pragmaTokens").ok_or(Fault::BadParam)?;
        let member = |name: &str| tokens.any_text(name).unwrap_or_default();
        let read = |token: &str| app.keys.verify_but_for_life(token).map_err(Fault::from);
        let social = read(member("pragmaSocialToken"))?;
        let game = match member("pragmaGameToken") {
            "" => None,
            token => Some(read(token)?),
        };
        let person = |claims: &Claims| claims.person().cloned().ok_or(Fault::Unauthorized);
        let (of_social, of_game) = (person(&social)?, game.as_ref().map(person).transpose()?);
        let refresh = Self::matched(claims, &of_social, of_game.as_ref(), app.door.clock.now())?;
        for token in std::iter::once(&social).chain(&game) {
            bearer::still_good(app, token)?;
        }
        Ok(refresh)
    }

    /// Whether the pair belongs together and to the session, and at least one of it is alive.
    fn matched(
        claims: &PlayerClaims,
        social: &PlayerClaims,
        game: Option<&PlayerClaims>,
        now: UnixMicros,
    ) -> Result<Self, Fault> {
        let alive = |token: &PlayerClaims| !token.is_over(now);
        let shard = match game.map(|game| game.session.backend) {
            None => None,
            Some(Backend::Game { shard, .. }) => Some(shard),
            Some(Backend::Social) => return Err(Fault::Unauthorized),
        };
        let of_one = game.is_none_or(|game| game.session.social_id == social.session.social_id);
        if !of_one || !same_session(claims, social) || !(alive(social) || game.is_some_and(alive)) {
            return Err(Fault::Unauthorized);
        }
        Ok(Self {
            account: AccountId(social.session.social_id),
            shard,
            id_provider: social.session.id_provider.clone(),
            info: session_info::carried(&social.session.ext),
        })
    }

    async fn run(self, app: &App) -> Answer {
        let account = app.door.resume(self.account).await?;
        let at = app.door.clock.now();
        let (shard, id_provider) = (self.shard, self.id_provider.as_str());
        let grant = Grant { account: &account, shard, id_provider, at, info: &self.info };
        let pair = Pair::issue(app, &grant)?;
        Ok((pair.json(), Then::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::player::Session;

    const NOW: UnixMicros = UnixMicros::from_secs(1_000_000);

    fn claims(social_id: u128, backend: Backend, expires_s: u64) -> PlayerClaims {
        PlayerClaims {
            session: Session {
                session_type: SessionType::Player,
                social_id: Uuid::from_u128(social_id),
                backend,
                display_name: "Ada".into(),
                discriminator: 1,
                id_provider: "UNSAFE".into(),
                ext: "{}".into(),
            },
            jti: Uuid::from_u128(9),
            issued_at_us: 0,
            expires_at: UnixMicros::from_secs(expires_s),
        }
    }

    fn game() -> Backend {
        Backend::Game { player: Uuid::from_u128(5), shard: Uuid::from_u128(1) }
    }

    #[test]
    fn a_pair_is_renewed_while_one_of_it_is_alive() {
        let session = claims(1, Backend::Social, 2_000_000);
        for (social, game_life, good) in [
            (2_000_000, Some(2_000_000), true),
            (1, Some(2_000_000), true),
            (2_000_000, Some(1), true),
            (2_000_000, None, true),
            (1, Some(1), false),
            (1, None, false),
        ] {
            let social = claims(1, Backend::Social, social);
            let game = game_life.map(|life| claims(1, game(), life));
            let refresh = Refresh::matched(&session, &social, game.as_ref(), NOW);
            assert_eq!(refresh.is_ok(), good, "{game_life:?}");
        }
    }

    #[test]
    fn a_pair_of_two_people_or_of_another_session_is_refused() {
        let session = claims(1, Backend::Social, 2_000_000);
        let social = |id| claims(id, Backend::Social, 2_000_000);
        let of = |id| claims(id, game(), 2_000_000);
        for (social, game) in [
            (social(1), of(2)),
            (social(2), of(1)),
            (social(2), of(2)),
            (social(1), social(1)),
            (of(1), of(1)),
        ] {
            let refused = Refresh::matched(&session, &social, Some(&game), NOW);
            assert_eq!(refused.unwrap_err(), Fault::Unauthorized);
        }
    }
}
