//! `Presence`: who is online and who follows whom; [`Board`]: the way to it.
//!
//! One actor on a thread of its own keeps the [`Roster`] and puts each event, once, into the letter
//! box of every session that follows. It never waits for anybody. Its mailbox is bounded by its
//! callers: a session or a request asks one thing at a time and waits for the answer, and a session
//! opens and closes once.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use actix::{Actor, Addr, Arbiter, Context, Handler, Message};
use tokio::sync::oneshot;

use super::CallError;
use super::session::Shared;
use super::session::post::{Full, Letter, Post};
use crate::domain::account::AccountId;
use crate::domain::presence::{
    Event, Newcomer, NoPresence, Presence as Shown, RichAsk, Roster, SessionKey,
};
use crate::domain::session::CloseReason;

/// No session has this key.
const NOBODY: SessionKey = SessionKey(0);

/// The way to the board. Cheap to clone.
#[derive(Clone)]
pub struct Board {
    presence: Addr<Presence>,
    view: Arc<View>,
}

/// What everyone may read without asking the actor.
#[derive(Default)]
struct View {
    online: RwLock<HashSet<AccountId>>,
    shown: AtomicUsize,
    sessions: AtomicUsize,
    events: AtomicU64,
    delivered: AtomicU64,
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("shown", &self.count()).finish_non_exhaustive()
    }
}

impl Board {
    /// Starts the actor on an arbiter of its own. Must be called within an actix system.
    pub fn start() -> Self {
        let view = Arc::<View>::default();
        let shared = Arc::clone(&view);
        let presence = Presence::start_in_arbiter(&Arbiter::new().handle(), |_| Presence {
            roster: Roster::default(),
            view: shared,
        });
        Self { presence, view }
    }

    /// Whether any session of this player shows a status (protocol-nakama §14, 31). Cheap; as of a
    /// moment ago.
    pub fn online(&self, account: AccountId) -> bool {
        self.view.online.read().unwrap_or_else(PoisonError::into_inner).contains(&account)
    }

    /// Presences: sessions that show a status.
    pub fn count(&self) -> usize {
        self.view.shown.load(Ordering::Relaxed)
    }

    /// Sessions on the board, with or without a status.
    pub fn sessions(&self) -> usize {
        self.view.sessions.load(Ordering::Relaxed)
    }

    /// Events since the start.
    pub fn events(&self) -> u64 {
        self.view.events.load(Ordering::Relaxed)
    }

    /// Events put into the letter boxes of sessions since the start.
    pub fn delivered(&self) -> u64 {
        self.view.delivered.load(Ordering::Relaxed)
    }

    /// Whether the actor runs. It never stops by itself: if not, it has failed.
    pub fn is_alive(&self) -> bool {
        self.presence.connected()
    }

    /// A session opens.
    pub(super) fn open(&self, key: SessionKey, who: Newcomer, online: bool, post: Arc<Post>) {
        self.tell(Tell { key, what: What::Open { who, online, post } });
    }

    /// A session shows something else, or nothing. Answered by [`Letter::Done`].
    pub(super) fn set_status(&self, key: SessionKey, status: Option<Arc<str>>) {
        self.tell(Tell { key, what: What::SetStatus(status) });
    }

    /// A session shows a rich presence. Answered by [`Letter::Set`].
    pub(super) fn set_rich(&self, key: SessionKey, ask: RichAsk) {
        self.tell(Tell { key, what: What::SetRich(ask) });
    }

    /// Sets the rich presence of a player who is connected: for somebody who is not their client.
    ///
    /// # Errors
    ///
    /// No answer. Inside: [`NoPresence`], also when no client of theirs speaks of such presences.
    pub async fn set_rich_of(
        &self,
        account: AccountId,
        ask: RichAsk,
    ) -> Result<Result<(), NoPresence>, CallError> {
        let (to, answer) = oneshot::channel();
        self.tell(Tell { key: NOBODY, what: What::SetRichOf { account, ask, to } });
        answer.await.map_err(|_| CallError::NoAnswer)
    }

    /// What these players show, one for each connection, oldest first.
    ///
    /// # Errors
    ///
    /// No answer.
    pub async fn shown(&self, accounts: Vec<AccountId>) -> Result<Vec<Shown>, CallError> {
        let (to, answer) = oneshot::channel();
        self.tell(Tell { key: NOBODY, what: What::Look(accounts, to) });
        answer.await.map_err(|_| CallError::NoAnswer)
    }

    /// What a player shows, as [`Board::shown`] does, and how many sessions follow them.
    ///
    /// # Errors
    ///
    /// No answer.
    pub async fn watched(&self, account: AccountId) -> Result<(Vec<Shown>, usize), CallError> {
        let (to, answer) = oneshot::channel();
        self.tell(Tell { key: NOBODY, what: What::Watched(account, to) });
        answer.await.map_err(|_| CallError::NoAnswer)
    }

    /// A session follows players. Answered by [`Letter::Followed`].
    pub(super) fn follow(&self, key: SessionKey, accounts: Vec<AccountId>, follows_max: usize) {
        self.tell(Tell { key, what: What::Follow(accounts, follows_max) });
    }

    /// A session follows players no more. Answered by [`Letter::Done`].
    pub(super) fn unfollow(&self, key: SessionKey, accounts: Vec<AccountId>) {
        self.tell(Tell { key, what: What::Unfollow(accounts) });
    }

    /// No session of `who` follows `from` from now on.
    pub fn part(&self, who: AccountId, from: AccountId) {
        self.tell(Tell { key: NOBODY, what: What::Part { who, from } });
    }

    /// A session ends.
    pub(super) fn close(&self, key: SessionKey) {
        self.tell(Tell { key, what: What::Close });
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by the callers, who wait for their answers; a close must never be lost"
    )]
    fn tell(&self, tell: Tell) {
        self.presence.do_send(tell);
    }
}

/// The actor.
struct Presence {
    roster: Roster<Arc<Post>>,
    view: Arc<View>,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Tell {
    key: SessionKey,
    what: What,
}

enum What {
    Open { who: Newcomer, online: bool, post: Arc<Post> },
    SetStatus(Option<Arc<str>>),
    Follow(Vec<AccountId>, usize),
    Unfollow(Vec<AccountId>),
    Close,
    Part { who: AccountId, from: AccountId },
    SetRich(RichAsk),
    SetRichOf { account: AccountId, ask: RichAsk, to: oneshot::Sender<Result<(), NoPresence>> },
    Look(Vec<AccountId>, oneshot::Sender<Vec<Shown>>),
    Watched(AccountId, oneshot::Sender<(Vec<Shown>, usize)>),
}

impl Actor for Presence {
    type Context = Context<Self>;
}

impl Handler<Tell> for Presence {
    type Result = ();

    fn handle(&mut self, Tell { key, what }: Tell, _: &mut Context<Self>) {
        match what {
            What::Open { who, online, post } => {
                let event = self.roster.open(key, who, online, post);
                self.publish(event);
            }
            What::SetStatus(status) => {
                let event = self.roster.set_status(key, status);
                // Done before all have heard: what the session asks next is here when they have,
                // and they hear of a burst in few writes.
                if let Some(event) = &event {
                    self.look(event.account);
                }
                self.answer(key, Letter::Done);
                self.publish(event);
            }
            What::SetRich(ask) => {
                let (event, set) = self.set_rich(key, &ask);
                self.answer(key, Letter::Set(set));
                self.publish(event);
            }
            What::SetRichOf { account, ask, to } => {
                let session = self.roster.rich_session(account).unwrap_or(NOBODY);
                let (event, set) = self.set_rich(session, &ask);
                let _ = to.send(set);
                self.publish(event);
            }
            What::Look(accounts, to) => {
                let _ = to.send(self.roster.look(&accounts));
            }
            What::Watched(account, to) => {
                let followers = self.roster.followers(account);
                let _ = to.send((self.roster.look(&[account]), followers));
            }
            What::Follow(accounts, follows_max) => {
                let shown = self.roster.follow(key, &accounts, follows_max);
                self.answer(key, Letter::Followed(shown));
            }
            What::Unfollow(accounts) => {
                self.roster.unfollow(key, &accounts);
                self.answer(key, Letter::Done);
            }
            What::Part { who, from } => self.roster.part(who, from),
            What::Close => {
                let event = self.roster.close(key);
                self.publish(event);
            }
        }
        self.view.sessions.store(self.roster.len(), Ordering::Relaxed);
    }
}

impl Presence {
    /// Tells everyone who follows. The event is encoded once for each format, by whoever comes
    /// first, and shared.
    fn publish(&self, event: Option<Event>) {
        let Some(event) = event else {
            return;
        };
        let account = event.account;
        self.look(account);
        let shared = Arc::new(Shared::new(event));
        let mut delivered = 0;
        for (_, post) in self.roster.hearers(account) {
            match post.put(Letter::Event(Arc::clone(&shared))) {
                Ok(()) => delivered += 1,
                Err(Full) => post.close(CloseReason::SlowConsumer),
            }
        }
        self.view.events.fetch_add(1, Ordering::Relaxed);
        self.view.delivered.fetch_add(delivered, Ordering::Relaxed);
    }

    fn set_rich(
        &mut self,
        key: SessionKey,
        ask: &RichAsk,
    ) -> (Option<Event>, Result<(), NoPresence>) {
        match self.roster.set_rich(key, ask) {
            Ok(event) => {
                self.look(event.account);
                (Some(event), Ok(()))
            }
            Err(none) => (None, Err(none)),
        }
    }

    /// Brings what others read up to date, before anybody hears of it.
    fn look(&self, account: AccountId) {
        let is_online = self.roster.is_online(account);
        let mut online = self.view.online.write().unwrap_or_else(PoisonError::into_inner);
        if is_online {
            online.insert(account);
        } else {
            online.remove(&account);
        }
        drop(online);
        self.view.shown.store(self.roster.shown(), Ordering::Relaxed);
    }

    fn answer(&self, key: SessionKey, letter: Letter) {
        if let Some(post) = self.roster.post(key) {
            // A reply always finds room.
            let _ = post.put(letter);
        }
    }
}
