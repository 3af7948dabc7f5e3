//! What each request does, over whichever way it came.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Value, json};

use super::envelope::Request;
use super::{HEARTBEAT, LOGOUT, REFRESH_TOKENS, SESSION_REFRESH};
use crate::domain::account::AccountId;
use crate::domain::time::UnixMicros;
use crate::domain::token::PlayerClaims;
use crate::domain::token::player::{Backend, SKEW_S};
use crate::pragma::tokens::Pair;
use crate::pragma::{App, Fault, bearer};

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Over the session's socket.
    Socket,
    /// Over HTTP: there is a token and no session.
    Http,
}

/// What becomes of the session after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    Nothing,
    /// It goes on until another moment.
    ExtendUntil(UnixMicros),
    /// It ends as the client asked.
    Logout,
}

/// The payload of an answer, and what then.
pub type Answer = Result<(Value, Then), Fault>;

/// An answer that is there, or one to wait for.
pub enum Step {
    /// Decided at once.
    Now(Answer),
    /// After a look into the registry.
    Later(Pin<Box<dyn Future<Output = Answer>>>),
}

/// Does what a request asks, for the owner of `claims`.
pub fn call(app: &App, claims: &PlayerClaims, via: Via, request: &Request) -> Step {
    let social = claims.session.backend == Backend::Social;
    Step::Now(match (request.kind.as_ref(), via) {
        (HEARTBEAT, _) => Ok((json!({}), Then::Nothing)),
        (LOGOUT, Via::Socket) => Ok((json!({}), Then::Logout)),
        (SESSION_REFRESH, Via::Socket) => session_refresh(app, claims, request),
        (LOGOUT | SESSION_REFRESH, Via::Http) => Err(Fault::SessionNotFound),
        (REFRESH_TOKENS, _) if social => match Refresh::read(app, claims, request) {
            Ok(refresh) => return Step::Later(Box::pin(refresh.run(app.clone()))),
            Err(fault) => Err(fault),
        },
        _ => Err(Fault::InvalidRequestType),
    })
}

/// §10.5, 4: the session now lives as long as the new token.
fn session_refresh(app: &App, claims: &PlayerClaims, request: &Request) -> Answer {
    let token = request.text("token").ok_or(Fault::BadParam)?;
    let new = app.keys.verify(token, app.door.clock.now())?;
    if !same_session(claims, &new) {
        return Err(Fault::TokenMismatch);
    }
    bearer::still_good(app, &new)?;
    Ok((json!({}), Then::ExtendUntil(new.expires_at.plus_secs(SKEW_S))))
}

/// Whether two tokens are for one session: the same player on the same backend.
fn same_session(a: &PlayerClaims, b: &PlayerClaims) -> bool {
    (a.session.social_id, a.session.backend) == (b.session.social_id, b.session.backend)
}

/// §10.5, 3: a pair of tokens to be renewed, checked.
#[derive(Debug)]
struct Refresh {
    account: AccountId,
    shard: Option<uuid::Uuid>,
    id_provider: String,
}

impl Refresh {
    fn read(app: &App, claims: &PlayerClaims, request: &Request) -> Result<Self, Fault> {
        let tokens = request.payload.get("pragmaTokens").ok_or(Fault::BadParam)?;
        let member = |name: &str| tokens.get(name).and_then(Value::as_str).unwrap_or_default();
        let read = |token: &str| app.keys.verify_but_for_life(token).map_err(Fault::from);
        let social = read(member("pragmaSocialToken"))?;
        let game = match member("pragmaGameToken") {
            "" => None,
            token => Some(read(token)?),
        };
        let refresh = Self::matched(claims, &social, game.as_ref(), app.door.clock.now())?;
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
        })
    }

    async fn run(self, app: App) -> Answer {
        let account = app.door.resume(self.account).await?;
        let at = app.door.clock.now();
        let pair = Pair::issue(&app, &account, self.shard, &self.id_provider, at)?;
        Ok((pair.json(), Then::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::player::Session;
    use uuid::Uuid;

    const NOW: UnixMicros = UnixMicros::from_secs(1_000_000);

    fn claims(social_id: u128, backend: Backend, expires_s: u64) -> PlayerClaims {
        PlayerClaims {
            session: Session {
                social_id: Uuid::from_u128(social_id),
                backend,
                display_name: "Ada".into(),
                discriminator: 1,
                id_provider: "UNSAFE".into(),
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
