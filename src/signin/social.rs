//! Friends and notifications: what players do to each other, and what they are told.

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::users::let_others_run;
use super::{Credential, Door, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::Told;
use crate::config::FollowPolicy;
use crate::domain::account::{Account, AccountId, LinkKind, Refusal, names};
use crate::domain::friend::{Deed, Edge, EdgeCursor, EdgeState, FriendAsk};
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

type OfToken = fn(Zeroizing<String>) -> Proof;

/// Prefixes of custom ids that mean a console, and what follows them.
const CONSOLES: [(&str, OfToken); 3] =
    [("xbox|", Proof::Xbox), ("psn|", Proof::PlayStation), ("nintendo|", Proof::Nintendo)];

impl Door {
    /// The caller's friends, invitations and blocks, by state and age, and where to go on if there
    /// are more (protocol-nakama §6.2).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn friends(
        &self,
        account: AccountId,
        ask: FriendsAsk,
    ) -> Result<(Vec<Friend>, Option<EdgeCursor>), CallError> {
        let after = ask.after.unwrap_or(EdgeCursor::START);
        let mut edges = self.accounts.edges(account)?;
        edges.retain(|(other, edge)| {
            edge.state.is_shown()
                && ask.state.is_none_or(|state| state == edge.state)
                && edge.cursor(*other) > after
        });
        edges.sort_unstable_by_key(|(other, edge)| edge.cursor(*other));
        let mut friends = Vec::with_capacity(ask.limit.min(edges.len()));
        for (at, (other, edge)) in edges.iter().take(ask.limit).enumerate() {
            // Deleted since: not shown, yet passed.
            if let Some(account) = self.account(*other).await? {
                friends.push(Friend { account, edge: edge.clone() });
            }
            let_others_run(at).await;
        }
        let last = edges.get(ask.limit.wrapping_sub(1)).filter(|_| edges.len() > ask.limit);
        Ok((friends, last.map(|(other, edge)| edge.cursor(*other))))
    }

    /// Friends of the caller's friends, by (referrer, friend), and whether there are more behind the
    /// last (§6.3). `after`: only those behind this pair.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn friends_of_friends(
        &self,
        account: AccountId,
        limit: usize,
        after: Option<(AccountId, AccountId)>,
    ) -> Result<(Vec<FriendOfFriend>, bool), CallError> {
        let mine = self.accounts.edges(account)?;
        let is_friend =
            |(other, edge): &(AccountId, Edge)| (edge.state == EdgeState::Friend).then_some(*other);
        let known: BTreeSet<AccountId> = mine.iter().filter_map(is_friend).collect();
        let mut found = Vec::new();
        let start = after.map_or(AccountId(Uuid::nil()), |(referrer, _)| referrer);
        for (at, referrer) in known.range(start..).enumerate() {
            for friend in self.accounts.edges(*referrer)?.iter().filter_map(is_friend) {
                let is_new = friend != account && !known.contains(&friend);
                if !is_new || after.is_some_and(|after| (*referrer, friend) <= after) {
                    continue;
                }
                if found.len() == limit {
                    return Ok((found, true));
                }
                if let Some(account) = self.account(friend).await? {
                    found.push(FriendOfFriend { referrer: *referrer, account });
                }
            }
            let_others_run(at).await;
        }
        Ok((found, false))
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
        me: Me,
        whom: Whom,
        metadata: String,
    ) -> Result<(), SignInError> {
        self.befriend(me, whom, Deed::Add(metadata)).await
    }

    /// Ends friendships, withdraws or declines invitations, unblocks (§6.5).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn delete_friends(&self, me: Me, whom: Whom) -> Result<(), SignInError> {
        self.befriend(me, whom, Deed::Remove).await
    }

    /// Blocks players (§6.6).
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NobodyNamed`] as [`Door::add_friends`].
    pub async fn block_friends(&self, me: Me, whom: Whom) -> Result<(), SignInError> {
        let blocker = me.account;
        self.befriend(me, whom, Deed::Block).await?;
        if self.config.nakama.blocks_hide_presence {
            for (other, edge) in self.accounts.edges(blocker)? {
                if edge.state == EdgeState::Blocked {
                    self.board.part(other, blocker);
                }
            }
        }
        Ok(())
    }

    /// Makes friends of those who are the caller's friends at the provider and play here (§6.7).
    /// `reset` ends every other friendship first.
    ///
    /// # Errors
    ///
    /// [`SignInError::Identity`].
    pub async fn import_friends(
        &self,
        me: Me,
        proof: Proof,
        reset: bool,
    ) -> Result<(), SignInError> {
        let links = Box::pin(self.providers.friends(&proof)).await?;
        let provider = proof.kind().name();
        let (ids, usernames) = (Vec::new(), Vec::new());
        let deed = Deed::Import { provider, reset };
        let ask = FriendAsk { username: me.username, deed, ids, usernames, links };
        let told = self.accounts.befriend(me.account, ask).await?;
        self.tell(told);
        Ok(())
    }

    pub(super) async fn befriend(&self, me: Me, whom: Whom, deed: Deed) -> Result<(), SignInError> {
        let Whom { ids, usernames } = whom;
        if ids.is_empty() && usernames.is_empty() {
            return Ok(());
        }
        let ask = FriendAsk { username: me.username, deed, ids, usernames, links: Vec::new() };
        let told = self.accounts.befriend(me.account, ask).await?;
        self.tell(told);
        Ok(())
    }

    /// Those who are here hear it now; it is stored for all.
    fn tell(&self, told: Told) {
        for (account, told) in told {
            self.sockets.tell(account, told);
        }
    }

    /// Whether `viewer` is shown that a player is online: not by those who blocked them
    /// (`nakama.blocks_hide_presence`).
    pub fn shows_online(&self, viewer: AccountId, account: AccountId) -> bool {
        let hides = || {
            let theirs = self.accounts.edge(account, viewer);
            theirs.is_ok_and(|edge| edge.is_some_and(|edge| edge.state == EdgeState::Blocked))
        };
        self.is_online(account) && !(self.config.nakama.blocks_hide_presence && hides())
    }

    /// Whom of these a player may follow: by `nakama.follow`, and unless they blocked the player
    /// (`nakama.blocks_hide_presence`).
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn may_follow(
        &self,
        account: AccountId,
        mut whom: Vec<AccountId>,
    ) -> Result<Vec<AccountId>, CallError> {
        let settings = &self.config.nakama;
        if settings.follow == FollowPolicy::Anyone && !settings.blocks_hide_presence {
            return Ok(whom);
        }
        let mut refused = HashSet::new();
        for other in &whom {
            // Records come in pairs: theirs says as well whether the two are friends.
            let theirs = self.accounts.edge(*other, account)?.map(|edge| edge.state);
            let hidden = settings.blocks_hide_presence && theirs == Some(EdgeState::Blocked);
            let stranger =
                settings.follow == FollowPolicy::Friends && theirs != Some(EdgeState::Friend);
            if hidden || stranger {
                refused.insert(*other);
            }
        }
        whom.retain(|other| !refused.contains(other));
        Ok(whom)
    }

    /// The import that comes with a sign-in or a link: nobody waits to hear that it failed.
    pub(super) async fn import_after_sign_in(&self, account: &Account, proof: Proof) {
        if !matches!(proof.kind(), LinkKind::Facebook | LinkKind::Steam) {
            return;
        }
        let me = Me { account: account.id, username: account.username.clone() };
        let kind = proof.kind().name();
        if let Err(error) = self.import_friends(me, proof, false).await {
            tracing::info!(provider = kind, %error, "friends were not imported with a sign-in");
        }
    }

    /// A custom id as the caller means it: with a prefix of a console and that console's provider
    /// configured, what follows is a token to be checked by it; otherwise the id itself.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::names::custom`].
    pub fn custom(&self, id: &str) -> Result<Credential, Refusal> {
        for (prefix, proof) in CONSOLES {
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
    #[expect(clippy::unused_async, reason = "a store elsewhere would have to ask")]
    pub async fn notifications(
        &self,
        account: AccountId,
        limit: usize,
        after: Option<Uuid>,
    ) -> Result<Vec<Notification>, CallError> {
        self.accounts.notifications(account, after, limit)
    }

    /// Deletes notifications of the caller; unknown ids mean nothing.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn delete_notifications(
        &self,
        account: AccountId,
        ids: Vec<Uuid>,
    ) -> Result<(), SignInError> {
        Ok(self.accounts.drop_notifications(account, ids).await?)
    }
}
