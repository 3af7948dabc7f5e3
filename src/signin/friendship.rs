//! Friends for clients that keep a copy of the whole list (protocol-pragma §12): the same
//! relationships as in [`super::social`], one player at a time.

use super::social::{Friend, Me, Whom};
use super::users::let_others_run;
use super::{Door, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, AccountId, Refusal};
use crate::domain::friend::{Deed, FriendRefusal};

/// How often a list that changes while it is read is read again.
const READS: usize = 8;

/// A player's whole list.
#[derive(Clone, Debug)]
pub struct FriendList {
    /// Whose; its dossier says the list's number.
    pub owner: Account,
    /// Friends, invitations and blocks, by state and age.
    pub entries: Vec<Friend>,
}

impl Door {
    /// A player's whole list with its number. What changes afterwards has a higher one.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoAccount`]; no answer in time.
    pub async fn friend_list(&self, owner: AccountId) -> Result<FriendList, SignInError> {
        let mut account = self.account(owner).await?.ok_or(Refusal::NoAccount)?;
        let mut edges = self.accounts.edges(owner)?;
        for _ in 0..READS {
            let now = self.account(owner).await?.ok_or(Refusal::NoAccount)?;
            if now.dossier().list_version == account.dossier().list_version {
                break;
            }
            account = now;
            edges = self.accounts.edges(owner)?;
        }
        edges.retain(|(_, edge)| edge.state.is_shown());
        edges.sort_unstable_by_key(|(other, edge)| edge.cursor(*other));
        let mut entries = Vec::with_capacity(edges.len());
        for (at, (other, edge)) in edges.into_iter().enumerate() {
            // One that was deleted meanwhile is told as a change of the list.
            if let Some(account) = self.account(other).await? {
                entries.push(Friend { account, edge });
            }
            let_others_run(at).await;
        }
        Ok(FriendList { owner: account, entries })
    }

    /// Does something to one relationship; those who are to know are told.
    ///
    /// # Errors
    ///
    /// [`Refusal::Friend`], [`Refusal::TooManyFriends`], [`Refusal::NoAccount`]; no answer in time.
    pub async fn befriend_one(
        &self,
        me: AccountId,
        other: AccountId,
        deed: Deed,
    ) -> Result<(), SignInError> {
        let username = self.account(me).await?.ok_or(Refusal::NoAccount)?.username;
        let (me, whom) =
            (Me { account: me, username }, Whom { ids: vec![other], ..Whom::default() });
        if deed != Deed::Block {
            return self.befriend(me, whom, deed).await;
        }
        if other == me.account || self.account(other).await?.is_none() {
            return Err(Refusal::from(FriendRefusal::FriendNotFound).into());
        }
        self.block_friends(me, whom).await
    }

    /// Whether a player takes no invitations to be friends, from now on.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn refuse_invites(
        &self,
        account: AccountId,
        refuses: bool,
    ) -> Result<(), SignInError> {
        Ok(self.accounts.refuse_invites(account, refuses).await?)
    }

    /// Who has this name: with a discriminator by Pragma's rules (protocol-pragma §6.2), without
    /// one a user name, which is how players without a Pragma name are shown.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn shown_as(
        &self,
        name: &str,
        discriminator: Option<u16>,
    ) -> Result<Option<AccountId>, CallError> {
        let Some(discriminator) = discriminator else {
            return self.named(name).await;
        };
        let found = self.find(Key::pragma_name(name, discriminator)).await?;
        Ok(found.map(|account| account.id))
    }

    /// An account as it is stored, at once: to be shown, not to be decided by.
    pub fn seen(&self, account: AccountId) -> Option<Account> {
        self.accounts.seen(account)
    }
}
