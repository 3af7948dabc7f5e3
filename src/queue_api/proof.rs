//! Who asks, as far as they say: an account by a session token of ours, a device by its secret, or nobody.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Map;

use super::{App, Refusal};
use crate::domain::abuse::challenge::Answer;
use crate::domain::account::AccountId;
use crate::domain::token::nakama::Kind;
use crate::domain::token::{Claims, SessionType};
use crate::signin::places::{Asker, Owner, Shows};

/// Bounds of a device's secret, in bytes: short ones could be guessed.
const DEVICE_KEY_BYTES: std::ops::RangeInclusive<usize> = 16..=256;

/// The members of a request that say who asks, and answer a challenge. Never logged: the first two are
/// secrets.
#[derive(Deserialize)]
pub(super) struct Says<'a> {
    #[serde(borrow, default)]
    device_key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    proof: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    challenge: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    nonce: Option<Cow<'a, str>>,
}

impl Says<'_> {
    /// What the guard may ask for: the device's secret, and the answer to a challenge. A nonce may be
    /// missing where no work was asked for.
    pub fn shows(&self) -> Shows<'_> {
        let nonce = self.nonce.as_deref().unwrap_or_default();
        let answer = self.challenge.as_deref().map(|challenge| Answer { challenge, nonce });
        Shows { device_key: self.device_key.as_deref(), answer }
    }

    /// Whose place it is to be. A proof counts more than a device: it is the account that signs in.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadRequest`] for a secret that is too short, [`Refusal::Proof`] for a token that is
    /// not good.
    pub fn asker(&self, app: &App) -> Result<Asker, Refusal> {
        let owner = match (self.proof.as_deref(), self.device_key.as_deref()) {
            (Some(token), _) => return account(app, token).ok_or(Refusal::Proof),
            (None, Some(secret)) if DEVICE_KEY_BYTES.contains(&secret.len()) => {
                Owner::Place(app.door.device_identity(secret))
            }
            (None, Some(_)) => return Err(Refusal::BadRequest),
            (None, None) => Owner::Nobody,
        };
        Ok(Asker { owner, claims: Map::new() })
    }
}

/// The account of a good session token: Nakama's of either kind, or a Pragma player's.
fn account(app: &App, token: &str) -> Option<Asker> {
    let now = app.door.clock.now();
    for kind in [Kind::Access, Kind::Refresh] {
        if let Ok(claims) = app.nakama_keys.verify(kind, token, now) {
            let (account, refresh) = (AccountId(claims.account), kind == Kind::Refresh);
            let id = (claims.token, claims.issued_at_us);
            let good = !app.door.is_revoked(account, id.0, refresh, id.1);
            return good.then(|| Asker { owner: Owner::Account(account), claims: Map::new() });
        }
    }
    let Ok(Claims::Person(person)) = app.player_keys.verify(token, now) else { return None };
    let account = AccountId(person.session.social_id);
    let good = person.session.session_type == SessionType::Player
        && !app.door.is_revoked(account, person.jti, false, person.issued_at_us);
    let claims = || serde_json::from_str(&person.session.ext).unwrap_or_default();
    good.then(|| Asker { owner: Owner::Account(account), claims: claims() })
}
