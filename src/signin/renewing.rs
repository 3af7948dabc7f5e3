//! New tokens for a session that has them already. Nobody queues for that.

use uuid::Uuid;

use super::outcomes::Refresh;
use super::{Door, SignInError};
use crate::actors::account_registry::Presented;
use crate::config::RefreshPolicy;
use crate::domain::account::{Account, AccountId, Refusal};
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;

/// A refresh token that is good in itself.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    /// Whose.
    pub account: AccountId,
    /// Its id, which the new tokens keep.
    pub token: Uuid,
    /// Which descendant of the sign-in's token it is.
    pub generation: u32,
    /// When it was issued, in microseconds since the epoch.
    pub issued_at_us: u64,
}

/// What the new tokens are issued with.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// The account as it is now.
    pub account: Account,
    /// The new refresh token's generation.
    pub generation: u32,
    /// The moment to issue at: a repeat gets the same, and with it the same tokens.
    pub at: UnixMicros,
}

impl Door {
    /// Renews a session (protocol-nakama §3.4) as `nakama.refresh_token` says. Sockets of the
    /// session live on with it.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoAccount`], [`Refusal::Banned`]; [`Refusal::RefreshReused`] when the token was
    /// replaced and used again, which ends the session, or everything was signed out meanwhile.
    pub async fn renew(&self, ask: Renewal) -> Result<Renewed, SignInError> {
        let renewed = self.decide_renewal(ask).await;
        if renewed.is_ok() {
            self.line.sensors().refreshed();
        }
        self.outcomes.count_refresh(match &renewed {
            Ok(_) => Refresh::Renewed,
            Err(SignInError::Refused(Refusal::RefreshReused)) => Refresh::Reused,
            Err(SignInError::Refused(_)) => Refresh::Refused,
            Err(_) => Refresh::Unavailable,
        });
        renewed
    }

    async fn decide_renewal(&self, ask: Renewal) -> Result<Renewed, SignInError> {
        let account = self.resume(ask.account).await?;
        let revoked_before = UnixMicros(account.revoked_before_us);
        if revoked_before.0 != 0 && revoked_before.0 >= ask.issued_at_us {
            return Err(Refusal::RefreshReused.into());
        }
        let renewed = match self.config.nakama.refresh_token {
            // After a clock that stepped back the new pair must not be born revoked.
            RefreshPolicy::Keep => Renewed {
                account,
                generation: ask.generation,
                at: self.clock.now().max(revoked_before.plus_us(1)),
            },
            RefreshPolicy::Rotate => self.rotate(account, ask).await?,
        };
        let settings = &self.config.nakama;
        if settings.socket_outlives_token_s > 0 {
            let life_s = settings.token_expiry_s.saturating_add(settings.socket_outlives_token_s);
            self.sockets.extend(ask.account, ask.token, renewed.at.plus_secs(life_s));
        }
        Ok(renewed)
    }

    async fn rotate(&self, account: Account, ask: Renewal) -> Result<Renewed, SignInError> {
        let settings = &self.config.nakama;
        let presented = Presented {
            token: ask.token,
            generation: ask.generation,
            life_s: settings.refresh_expiry_s,
            retry_s: settings.refresh_retry_s,
        };
        match self.accounts.rotate(account.id, presented).await {
            Ok(next) => Ok(Renewed { account, generation: next.generation, at: next.issued_at }),
            Err(error) => {
                let error = SignInError::from(error);
                if error == SignInError::Refused(Refusal::RefreshReused) {
                    tracing::warn!(account.id = %account.id.0, "a refresh token was used twice");
                    self.sockets.close_tokens(account.id, &[ask.token], CloseReason::Kicked);
                }
                Err(error)
            }
        }
    }
}
