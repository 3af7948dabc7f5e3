//! Friends and notifications: what players do to each other, and what they are told.

use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Credential, Door, SignInError};
use crate::actors::CallError;
use crate::domain::account::{Account, AccountId, Refusal, names};
use crate::domain::friend::{Edge, EdgeCursor, EdgeState};
use crate::domain::notification::Notification;
use crate::identity::Proof;

/// Who acts, as others are told.
#[derive(Clone, Debug)]
pub struct Me {
    /// The account.
    pub account: AccountId,
    /// The user name in the caller's token (protocol-nakama §3.9).
    pub username: String,
}

/// Whom a call is about.
#[derive(Clone, Debug, Default)]
pub struct Whom {
    /// By id.
    pub ids: Vec<AccountId>,
    /// By user name, exactly.
    pub usernames: Vec<String>,
}

/// What part of the friends is wanted.
#[derive(Clone, Debug)]
pub struct FriendsAsk {
    /// Most records.
    pub limit: usize,
    /// Only those in this state.
    pub state: Option<EdgeState>,
    /// Only those behind this one.
    pub after: Option<EdgeCursor>,
}

/// A friend as listed.
#[derive(Clone, Debug)]
pub struct Friend {
    /// Who.
    pub account: Account,
    /// The caller's record.
    pub edge: Edge,
}

/// A friend's friend, and through whom.
#[derive(Clone, Debug)]
pub struct FriendOfFriend {
    /// The caller's friend.
    pub referrer: AccountId,
    /// That friend's friend.
    pub account: Account,
}

impl Door {
    /// The caller's friends, invitations and blocks, by state and age, and where to go on if there
    /// are more (protocol-nakama §6.2).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn friends(
        &self,
        _account: AccountId,
        _ask: FriendsAsk,
    ) -> Result<(Vec<Friend>, Option<EdgeCursor>), CallError> {
        Err(CallError::NoAnswer)
    }

    /// Friends of the caller's friends, by (referrer, friend), and whether there are more behind the
    /// last (§6.3). `after`: only those behind this pair.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn friends_of_friends(
        &self,
        _account: AccountId,
        _limit: usize,
        _after: Option<(AccountId, AccountId)>,
    ) -> Result<(Vec<FriendOfFriend>, bool), CallError> {
        Err(CallError::NoAnswer)
    }

    /// Asks players to be friends, or accepts (§6.4). Those who do not exist or block the caller
    /// change nothing. `metadata` is a JSON object as text, or empty.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NobodyNamed`] when only names are given and none is
    /// anybody's.
    pub async fn add_friends(
        &self,
        _me: Me,
        _whom: Whom,
        _metadata: String,
    ) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }

    /// Ends friendships, withdraws or declines invitations, unblocks (§6.5).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn delete_friends(&self, _me: Me, _whom: Whom) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }

    /// Blocks players (§6.6).
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NobodyNamed`] as [`Door::add_friends`].
    pub async fn block_friends(&self, _me: Me, _whom: Whom) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }

    /// Makes friends of those who are the caller's friends at the provider and play here (§6.7).
    /// `reset` ends every other friendship first.
    ///
    /// # Errors
    ///
    /// [`SignInError::Identity`].
    pub async fn import_friends(
        &self,
        _me: Me,
        _proof: Proof,
        _reset: bool,
    ) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }

    /// The import that comes with a sign-in or a link: nobody waits to hear that it failed.
    #[expect(clippy::unused_async, reason = "the contract")]
    pub(super) async fn import_after_sign_in(&self, _account: &Account, _proof: Proof) {}

    /// A custom id as the caller means it: with a prefix of a console and that console's provider
    /// configured, what follows is a token to be checked by it; otherwise the id itself.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::names::custom`].
    pub fn custom(&self, id: &str) -> Result<Credential, Refusal> {
        let consoles: [(&str, fn(Zeroizing<String>) -> Proof); 3] =
            [("xbox|", Proof::Xbox), ("psn|", Proof::PlayStation), ("nintendo|", Proof::Nintendo)];
        for (prefix, proof) in consoles {
            if let Some(token) = id.strip_prefix(prefix) {
                let proof = proof(Zeroizing::new(token.to_owned()));
                if self.providers.is_configured(proof.kind()) {
                    return Ok(Credential::Provider(proof));
                }
            }
        }
        Ok(Credential::Custom(names::custom(id)?.id))
    }

    /// The caller's stored notifications behind `after`, oldest first (§6.9).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn notifications(
        &self,
        _account: AccountId,
        _limit: usize,
        _after: Option<Uuid>,
    ) -> Result<Vec<Notification>, CallError> {
        Err(CallError::NoAnswer)
    }

    /// Deletes notifications of the caller; unknown ids mean nothing.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn delete_notifications(
        &self,
        _account: AccountId,
        _ids: Vec<Uuid>,
    ) -> Result<(), SignInError> {
        Err(CallError::NoAnswer.into())
    }
}
