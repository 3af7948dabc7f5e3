//! [`Accounts`]: the way to the registry. A bound that holds, and a deadline.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use actix::{Actor, Addr, Arbiter};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::actors::CallError;
use crate::clock::Clock;
use crate::config::StoreConfig;
use crate::domain::account::provider_links::ProviderLink;
use crate::domain::account::sign_in::SignIn;
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, AccountId, LinkKind, PassUse, PragmaName, Revoke};
use crate::domain::friend::{FriendAsk, FriendLimits};
use crate::ids::Dice;
use crate::store::sled::{Options, SledStore, sync_data};
use crate::store::{Copies, Reads, Store, StoreError};

use super::group::Group;
use super::in_flight::InFlight;
use super::listeners::Listeners;
use super::registry::{AccountRegistry, Ask, Call, Close};
use super::searching::Turns;
use super::{
    AccountEdit, AccountsError, Edit, Edited, Key, LinkAsk, Presented, RealmView, RegistryFigures,
    Revocations, SignedIn, Successor, Told, committer,
};

/// A caller waits no longer than this for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Bounds of the registry that come from other sections of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryLimits {
    /// Callers that may wait at once (`limits.callers_max`).
    pub callers_max: usize,
    /// The longest life of any token of an account, in seconds: what is revoked is forgotten
    /// after it. Too long costs memory, too short lets revoked tokens live again.
    pub token_life_s: u64,
    /// Bounds of relationships (`nakama.friends_max`, `nakama.notifications_max`,
    /// `pragma.invites_sent_max`, `pragma.invites_received_max`).
    pub friends: FriendLimits,
}

impl Default for RegistryLimits {
    /// 8192 callers; a year, the longest life that can be set for a player's token.
    fn default() -> Self {
        let friends = FriendLimits::default();
        Self { callers_max: 8_192, token_life_s: 31_536_000, friends }
    }
}

/// The way to the registry. Cheap to clone; every call may be repeated after any error.
#[derive(Clone)]
pub struct Accounts {
    registry: Addr<AccountRegistry>,
    figures: Arc<RegistryFigures>,
    revocations: Revocations,
    realm: RealmView,
    pub(super) listeners: Listeners,
    callers_max: usize,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) copies: Option<Arc<dyn Copies>>,
    pub(super) in_flight: InFlight,
    pub(super) turns: Turns,
    pub(super) clock: Clock,
    pub(super) token_life_s: u64,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("figures", &self.figures).finish_non_exhaustive()
    }
}

/// Resolves when the registry has ended: `Ok` after [`Accounts::close`], an error when it died.
/// Then the process has to end too: nobody writes any more.
#[derive(Debug)]
pub struct Stopped(oneshot::Receiver<Result<(), StoreError>>);

impl Future for Stopped {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.0).poll(cx);
        polled.map(|word| word.unwrap_or(Err(StoreError::Abandoned)))
    }
}

/// A caller's place among those who wait; free again when dropped, answered or not.
#[derive(Debug)]
pub struct Place(Arc<RegistryFigures>);

impl Place {
    fn take(figures: &Arc<RegistryFigures>, callers_max: usize) -> Result<Self, CallError> {
        let place = Self(figures.clone());
        if figures.waiting.fetch_add(1, Ordering::Relaxed) < callers_max {
            return Ok(place);
        }
        figures.turned_away.fetch_add(1, Ordering::Relaxed);
        Err(CallError::Overloaded)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Accounts {
    /// Opens the accounts in the folder `data` and starts the registry on its own thread. Blocks
    /// while the store opens. To be called within an actix system.
    ///
    /// # Errors
    ///
    /// Those of [`SledStore::open`].
    pub fn open(
        config: &StoreConfig,
        data: &Path,
        clock: Clock,
        dice: Dice,
        limits: RegistryLimits,
    ) -> Result<(Self, Stopped), StoreError> {
        let options =
            Options { cache_mib: config.cache_mib, salt: dice.bytes(), sync: sync_data() };
        let store = Box::new(SledStore::open(data, &options)?);
        Self::start(store, config, clock, dice, limits)
    }

    /// Starts the registry over any store.
    ///
    /// # Errors
    ///
    /// When what is revoked cannot be read, or the thread that commits cannot be started.
    pub fn start(
        store: Box<dyn Store>,
        config: &StoreConfig,
        clock: Clock,
        dice: Dice,
        limits: RegistryLimits,
    ) -> Result<(Self, Stopped), StoreError> {
        let figures = Arc::new(RegistryFigures::default());
        figures.accounts.store(store.count(), Ordering::Relaxed);
        let revocations = Revocations::default();
        revocations.set(store.revocations()?);
        let realm = RealmView::default();
        realm.set(store.reads().realm()?);
        let listeners = Listeners::default();
        let (reads, in_flight) = (store.reader(), InFlight::default());
        let copies = store.copies();
        let their_clock = clock.clone();
        let (stopped, word) = oneshot::channel();
        let registry = AccountRegistry {
            store: Some(store),
            dice,
            figures: figures.clone(),
            revocations: revocations.clone(),
            realm: realm.clone(),
            listeners: listeners.clone(),
            committer: committer::start(clock.clone())?,
            clock,
            stopped: Some(stopped),
            wait: Duration::from_micros(config.commit_wait_us),
            group_max: config.commit_max.max(1),
            token_life_s: limits.token_life_s,
            friends: limits.friends,
            in_flight: in_flight.clone(),
            open: Group::default(),
            flying: None,
            backlog: std::collections::VecDeque::new(),
            called: false,
            company: false,
            closing: Vec::new(),
        };
        // The mailbox holds more than all places, so that ours is the bound that is met.
        let mailbox = limits.callers_max.saturating_add(16);
        let (up, is_up) = std::sync::mpsc::channel();
        let registry = AccountRegistry::start_in_arbiter(&Arbiter::new().handle(), move |ctx| {
            ctx.set_mailbox_capacity(mailbox);
            let _ = up.send(());
            registry
        });
        // Until then the mailbox holds actix's 16.
        is_up.recv().map_err(|error| StoreError::failed("start the account registry", error))?;
        let accounts = Self {
            registry,
            figures,
            revocations,
            realm,
            listeners,
            callers_max: limits.callers_max,
            reads,
            copies,
            in_flight,
            turns: Turns::default(),
            clock: their_clock,
            token_life_s: limits.token_life_s,
        };
        Ok((accounts, Stopped(word)))
    }

    /// Signs in: finds the account of a link or makes it, redeems the pass, and answers when all
    /// of it is durable. Of many at once with one new link, one makes the account and the others
    /// find it. Nothing to change: nothing is written and no flush waited for.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::sign_in::sign_in`]; [`CallError`].
    pub async fn sign_in(&self, ask: SignIn) -> Result<SignedIn, AccountsError> {
        if let Some(signed_in) = self.sign_in_as_is(&ask) {
            return Ok(signed_in);
        }
        self.ask(|to| Ask::SignIn(ask, to)).await?
    }

    /// The account with this key, if there is one; never one that a crash could take back.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn find(&self, key: Key) -> Result<Option<Account>, CallError> {
        if let Some(account) = self.glimpse(&key) {
            return Ok(Some(account));
        }
        self.ask(|to| Ask::Find(key, to)).await
    }

    /// Links an identifier to an account. Already linked: nothing changes.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NoAccount`] when the account is gone; those of
    /// [`crate::domain::account::linking::link`]; [`CallError`].
    pub async fn link(&self, account: AccountId, ask: LinkAsk) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Link(ask)).await.map(drop)
    }

    /// Takes a link from an account: the named one, or the one of its kind.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::linking::unlink`], also when the account is gone;
    /// [`CallError`].
    pub async fn unlink(
        &self,
        account: AccountId,
        kind: LinkKind,
        id: Option<String>,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Unlink(kind, id)).await.map(drop)
    }

    /// Replaces a password hash by a better one of the same password. Nothing happens when
    /// `old_phc` is no longer the stored one.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NoAccount`]; [`CallError`].
    pub async fn set_password(
        &self,
        account: AccountId,
        old_phc: String,
        new_phc: String,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Rehash { old: old_phc, new: new_phc }).await.map(drop)
    }

    /// Revokes tokens of an account. Once this answers, [`Accounts::revocations`] knows, and so
    /// does the next process.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NoAccount`]; [`CallError`].
    pub async fn revoke(&self, account: AccountId, what: Revoke) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Revoke(what)).await.map(drop)
    }

    /// Replaces a refresh token (`nakama.refresh_token`).
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::RefreshReused`], when its family has been ended;
    /// [`crate::domain::account::Refusal::NoAccount`]; [`CallError`].
    pub async fn rotate(
        &self,
        account: AccountId,
        presented: Presented,
    ) -> Result<Successor, AccountsError> {
        let edited = self.edit(account, AccountEdit::Rotate(presented)).await?;
        edited.successor.ok_or(AccountsError::Call(CallError::NoAnswer))
    }

    /// Changes what players change about themselves; its form is checked already. An account that
    /// is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::UsernameTaken`]; [`CallError`].
    pub async fn update(
        &self,
        account: AccountId,
        update: AccountUpdate,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Update(update)).await.map(drop)
    }

    /// Deletes an account with everything that hangs on it and revokes its tokens. One that is
    /// gone: nothing.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::OfficeRefusal::LastAdmin`]; [`CallError`].
    pub async fn delete(&self, account: AccountId) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Delete).await.map(drop)
    }

    /// Does something to relationships and says who is to be told what; it is stored already.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::NobodyNamed`],
    /// [`crate::domain::account::Refusal::TooManyFriends`],
    /// [`crate::domain::account::Refusal::Friend`]; [`CallError`].
    pub async fn befriend(
        &self,
        account: AccountId,
        ask: FriendAsk,
    ) -> Result<Told, AccountsError> {
        Ok(self.edit(account, AccountEdit::Friends(ask)).await?.told)
    }

    /// Redeems a pass for somebody who has no account here, by an id of their own choosing: exactly
    /// once, and again for the same id.
    ///
    /// # Errors
    ///
    /// [`crate::domain::account::Refusal::PassUsed`]; [`CallError`].
    pub async fn redeem(&self, holder: AccountId, pass: PassUse) -> Result<(), AccountsError> {
        self.edit(holder, Edit::Redeem(pass)).await.map(drop)
    }

    /// Links a provider's account as Pragma rules it.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::provider_links::bind`];
    /// [`crate::domain::account::Refusal::NoAccount`]; [`CallError`].
    pub async fn link_provider(
        &self,
        account: AccountId,
        ask: ProviderLink,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Bind(ask)).await.map(drop)
    }

    /// Unlinks a provider's account as Pragma rules it; an account that is gone: nothing.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::provider_links::unbind`]; [`CallError`].
    pub async fn unlink_provider(
        &self,
        account: AccountId,
        kind: LinkKind,
        without_login: Vec<LinkKind>,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::Unbind(kind, without_login)).await.map(drop)
    }

    /// Gives an account another Pragma name, with a free discriminator. `not_before_s`: by its
    /// player, who has to wait that long after the last time.
    ///
    /// # Errors
    ///
    /// Those of [`crate::domain::account::display_name::rename`];
    /// [`crate::domain::account::Refusal::NoAccount`]; [`CallError`].
    pub async fn rename(
        &self,
        account: AccountId,
        name: String,
        not_before_s: Option<u64>,
    ) -> Result<PragmaName, AccountsError> {
        let edited = self.edit(account, AccountEdit::Rename(name, not_before_s)).await?;
        edited.name.ok_or(AccountsError::Call(CallError::NoAnswer))
    }

    /// Whether a player takes no invitations to be friends. An account that is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn refuse_invites(
        &self,
        account: AccountId,
        refuses: bool,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::RefuseInvites(refuses)).await.map(drop)
    }

    /// Deletes notifications of a player; unknown ids mean nothing.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn drop_notifications(
        &self,
        account: AccountId,
        ids: Vec<Uuid>,
    ) -> Result<(), AccountsError> {
        self.edit(account, AccountEdit::DropNotifications(ids)).await.map(drop)
    }

    /// What is revoked: to be asked for every token, without a message.
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// What operators keep beside accounts: to be asked for every sign-in, without a message.
    pub const fn realm(&self) -> &RealmView {
        &self.realm
    }

    /// Every redeemed pass that still has to be remembered, and by whom.
    ///
    /// # Errors
    ///
    /// [`CallError`].
    pub async fn redeemed(&self) -> Result<Vec<(PassUse, AccountId)>, CallError> {
        self.ask(Ask::Redeemed).await
    }

    /// How many accounts are stored.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] when the registry has ended.
    #[expect(clippy::unused_async, reason = "a store elsewhere would have to ask")]
    pub async fn count(&self) -> Result<u64, CallError> {
        if self.registry.connected() {
            Ok(self.figures.accounts.load(Ordering::Relaxed))
        } else {
            Err(CallError::NoAnswer)
        }
    }

    /// Whether the registry runs.
    pub(super) fn is_alive(&self) -> bool {
        self.registry.connected()
    }

    /// What the registry counts.
    pub const fn figures(&self) -> &Arc<RegistryFigures> {
        &self.figures
    }

    /// Takes no more calls, flushes what is staged, lets go of the store and returns when its
    /// folder could be opened again. May be called again.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.registry.send(Close(done)).await.is_ok() {
            let _ = closed.await; // dropped: it has ended anyway
        }
    }

    pub(super) async fn edit(
        &self,
        account: AccountId,
        edit: impl Into<Edit>,
    ) -> Result<Edited, AccountsError> {
        self.ask(|to| Ask::Edit(account, edit.into(), to)).await?
    }

    /// Sends a question, if there is a place, and waits for the answer, but not for ever.
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, CallError> {
        let place = Place::take(&self.figures, self.callers_max)?;
        let (to, answer) = oneshot::channel();
        let call = Call { place, ask: ask(to) };
        self.registry.try_send(call).map_err(|error| match error {
            actix::dev::SendError::Full(_) => CallError::Overloaded,
            actix::dev::SendError::Closed(_) => CallError::NoAnswer,
        })?;
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Err(CallError::NoAnswer),
        }
    }
}
