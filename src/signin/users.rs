//! Accounts as their players and others see them: look up, change, delete.

use std::collections::HashSet;
use std::net::IpAddr;

use super::hooks::Deed;
use super::{Door, Origin, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::Key;
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, AccountId, LinkKind};
use crate::domain::queue::Player;
use crate::domain::session::CloseReason;

/// Whom to look up; each found account is given once.
#[derive(Clone, Debug, Default)]
pub struct UsersAsk {
    /// By id.
    pub ids: Vec<AccountId>,
    /// By user name, exactly.
    pub usernames: Vec<String>,
    /// By Facebook's user id.
    pub facebook_ids: Vec<String>,
}

impl Door {
    /// The accounts that are there (protocol-nakama §5.5).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn users(&self, ask: UsersAsk) -> Result<Vec<Account>, CallError> {
        let ids = ask.ids.into_iter().map(Key::Id);
        let names = ask.usernames.into_iter().map(Key::Username);
        let facebook = |id| Key::link(LinkKind::Facebook, id);
        let keys = ids.chain(names).chain(ask.facebook_ids.into_iter().map(facebook));
        let (mut users, mut seen) = (Vec::new(), HashSet::new());
        for (asked, key) in keys.enumerate() {
            let found = match key {
                Key::Id(id) if id == Account::SYSTEM => Some(Account::system()),
                key => self.accounts.find(key).await?,
            };
            if let Some(account) = found
                && seen.insert(account.id)
            {
                users.push(account);
            }
            let_others_run(asked).await;
        }
        Ok(users)
    }

    /// Changes what players may change about themselves (§5.2). An account that is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`] with what [`AccountUpdate::check`] says, or
    /// [`crate::domain::account::Refusal::UsernameTaken`]; [`SignInError::Hook`].
    pub async fn update_account(
        &self,
        account: AccountId,
        update: AccountUpdate,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        update.check()?;
        if let Some(deed) = Deed::of_update(&update) {
            self.ask_hook(account, deed, Origin::nakama(from)).await?;
        }
        Ok(self.accounts.update(account, update).await?)
    }

    /// Deletes an account with everything that hangs on it, revokes its tokens, closes its sockets
    /// and frees its slot (§5.3). One that is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`SignInError::Hook`]; no answer in time.
    pub async fn delete_account(
        &self,
        account: AccountId,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        self.ask_hook(account, Deed::Delete, Origin::nakama(from)).await?;
        self.accounts.delete(account).await?;
        self.sockets.close_all(account, CloseReason::Kicked);
        self.line.sign_out(Player(account.0.as_u128())).await?;
        Ok(())
    }
}

/// After a number of look-ups other requests of this thread get their turn.
pub(super) async fn let_others_run(done: usize) {
    if done % 64 == 63 {
        tokio::task::yield_now().await;
    }
}
