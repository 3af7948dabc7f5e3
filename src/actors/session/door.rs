//! [`SessionDoor`]: every socket of the process, by player; how they are let in and sent away.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::sync::Notify;
use uuid::Uuid;

use super::post::{Letter, Post};
use super::resumable::Resumables;
use super::{Channel, Others, Resumable, SessionFigures, Shared, Welcome};
use crate::actors::{Board, CallError};
use crate::clock::{Clock, Stopwatch};
use crate::domain::account::{AccountId, Ban};
use crate::domain::friend::ListNews;
use crate::domain::notification::Notification;
use crate::domain::presence::SessionKey;
use crate::domain::queue::{Departure, Player};
use crate::domain::session::attributes::TooMany;
use crate::domain::session::{CloseReason, Returning};
use crate::domain::time::UnixMicros;

/// The slots players hold while they are connected (design §5): the line's ledger.
pub trait Slots: Send + Sync + 'static {
    /// A player connects: takes a slot, or keeps the one they hold. Each success is met by one
    /// [`Slots::disconnect`].
    fn connect(
        &self,
        player: Player,
    ) -> LocalBoxFuture<'static, Result<Result<(), NoSlotFor>, CallError>>;
    /// One connection of a player has ended. Must not wait.
    fn disconnect(&self, player: Player, departure: Departure);
}

/// The world is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSlotFor {
    /// How long to wait before asking again, in seconds.
    pub retry_after_s: u64,
}

/// Whether a token is revoked, given its owner, its id and when it was issued, in microseconds
/// since the epoch.
pub type Revoked = Arc<dyn Fn(AccountId, Uuid, u64) -> bool + Send + Sync>;

/// What a door needs of the rest of the server.
pub struct DoorParts {
    /// Who counts the slots.
    pub slots: Arc<dyn Slots>,
    /// Who is online.
    pub board: Board,
    /// The time, for tokens.
    pub clock: Clock,
    /// Asked once more after a socket is registered, so that a revocation is never missed.
    pub is_revoked: Revoked,
}

/// How a front end opens sessions and sends them away. Cheap to clone.
#[derive(Clone)]
pub struct SessionDoor(Arc<Inner>);

struct Inner {
    parts: DoorParts,
    sockets: Mutex<Sockets>,
    resumables: Mutex<Resumables>,
    keys: AtomicU64,
    /// Since when the server stops, and when whoever is sent away is to come back.
    leaving: OnceLock<(Stopwatch, Returning)>,
    gone: Notify,
    figures: Arc<SessionFigures>,
}

/// Every socket, by player; no entry is empty.
type Sockets = HashMap<AccountId, Vec<Entry>>;

struct Entry {
    key: SessionKey,
    channel: Channel,
    token: Uuid,
    post: Arc<Post>,
}

/// Why there is no place for a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The player has as many as may be.
    TooMany,
    /// The server is shutting down; when to come back.
    ShuttingDown {
        /// In seconds, 1 at least.
        back_in_s: u32,
    },
}

impl fmt::Debug for SessionDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionDoor").field("open", &self.count()).finish_non_exhaustive()
    }
}

impl SessionDoor {
    /// A door nobody has gone through yet.
    pub fn new(parts: DoorParts) -> Self {
        Self(Arc::new(Inner {
            parts,
            sockets: Mutex::default(),
            resumables: Mutex::default(),
            keys: AtomicU64::new(1),
            leaving: OnceLock::new(),
            gone: Notify::new(),
            figures: Arc::default(),
        }))
    }

    /// What is counted.
    pub fn figures(&self) -> Arc<SessionFigures> {
        Arc::clone(&self.0.figures)
    }

    /// Sockets that are open and not closing.
    pub fn count(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    /// The kinds of a player's sockets, one for each.
    pub fn channels(&self, account: AccountId) -> Vec<Channel> {
        sockets_of(&self.lock(), account).iter().map(|entry| entry.channel).collect()
    }

    /// Sockets by kind, in the order of [`Channel::ALL`]. Looks at each: not for every request.
    pub fn by_channel(&self) -> [usize; Channel::ALL.len()] {
        let mut counts = [0; Channel::ALL.len()];
        for entry in self.lock().values().flatten() {
            counts[entry.channel as usize] += 1;
        }
        counts
    }

    /// Whether the player has an open socket, of whatever kind and whether or not it shows a
    /// status.
    pub fn is_connected(&self, account: AccountId) -> bool {
        self.lock().contains_key(&account)
    }

    /// Closes every socket of a player: sign-out everywhere, ban. Returns how many.
    pub fn close_all(&self, account: AccountId, reason: CloseReason) -> usize {
        self.close_where(account, reason, |_| true)
    }

    /// Closes the player's sockets that were opened with these tokens: log-out. Returns how many.
    pub fn close_tokens(&self, account: AccountId, tokens: &[Uuid], reason: CloseReason) -> usize {
        self.close_where(account, reason, |entry| tokens.contains(&entry.token))
    }

    /// Tells a player something, on every socket; encoded once for each format. Returns how many
    /// heard it.
    pub fn tell(&self, account: AccountId, told: Notification) -> usize {
        let sockets = self.lock();
        let own = sockets_of(&sockets, account);
        if own.is_empty() {
            return 0;
        }
        let told = Arc::new(Shared::new(told));
        let put = |entry: &&Entry| entry.post.put(Letter::Told(Arc::clone(&told))).is_ok();
        own.iter().filter(put).count()
    }

    /// The session for a socket to come: the player's from before on this channel, if `resume`, and it
    /// still stands; else a new one of this id.
    pub fn resumable(
        &self,
        account: AccountId,
        channel: Channel,
        resume: bool,
        fresh: Uuid,
    ) -> Arc<Resumable> {
        let now = self.0.parts.clock.now();
        self.resumables().find((account, channel), resume, fresh, now)
    }

    /// Changes the attributes of a player's session and tells its socket (protocol-pragma §10.8).
    /// `None`: the player has no session there.
    pub fn change_attributes(
        &self,
        of: (AccountId, Channel),
        set: BTreeMap<i32, Uuid>,
        removed: Vec<i32>,
    ) -> Option<Result<(), TooMany>> {
        let resumable = self.resumables().get(of, self.0.parts.clock.now())?;
        // One lock over change and letters: versions reach the socket in their order.
        let sockets = self.lock();
        let changed = match resumable.change(set, removed) {
            Ok(changed) => Arc::new(changed),
            Err(error) => return Some(Err(error)),
        };
        for entry in sockets_of(&sockets, of.0).iter().filter(|entry| entry.channel == of.1) {
            // A session that does not read its letters is closed for that before long.
            let _ = entry.post.put(Letter::Changed(Arc::clone(&changed)));
        }
        Some(Ok(()))
    }

    /// Tells the clients that keep a list of friends how their player's has changed. To be called
    /// in the order of the changes.
    pub fn tell_list(&self, news: ListNews) {
        let sockets = self.lock();
        let news = Arc::new(news);
        let own = sockets_of(&sockets, news.owner).iter();
        for entry in own.filter(|entry| entry.channel == Channel::PragmaSocial) {
            // Later news would not fit to what this client knows.
            if entry.post.put(Letter::List(Arc::clone(&news))).is_err() {
                entry.post.close(CloseReason::SlowConsumer);
            }
        }
    }

    /// Tells a player that they were banned, on every socket that says so. Returns how many heard
    /// it.
    pub fn tell_ban(&self, account: AccountId, ban: Ban) -> usize {
        let sockets = self.lock();
        let ban = Arc::new(ban);
        let put = |entry: &&Entry| entry.post.put(Letter::Banned(Arc::clone(&ban))).is_ok();
        sockets_of(&sockets, account).iter().filter(put).count()
    }

    /// The session with this token was refreshed: its sockets live until `until` at least.
    pub fn extend(&self, account: AccountId, token: Uuid, until: UnixMicros) {
        let sockets = self.lock();
        for entry in sockets_of(&sockets, account).iter().filter(|entry| entry.token == token) {
            // A session that does not read its letters is closed for that before long.
            let _ = entry.post.put(Letter::ExtendUntil(until));
        }
    }

    /// Lets all sessions look at the clock now: after a test has turned it. Not needed with the
    /// machine's clock.
    pub fn time_has_passed(&self) {
        self.lock().values().flatten().for_each(|entry| entry.post.nudge());
    }

    /// Whether the server stops.
    pub fn is_leaving(&self) -> bool {
        self.0.leaving.get().is_some()
    }

    /// How long somebody is to stay away, in milliseconds, because the server stops; `None`: it does not.
    /// `who`: numbers in a row are spread evenly. Cheap: one load while it does not.
    pub fn back_in_ms(&self, who: u64) -> Option<u64> {
        let (watch, returning) = self.0.leaving.get()?;
        Some(returning.in_ms(watch.elapsed_us() / 1_000, who))
    }

    /// The same in whole seconds, 1 at least.
    fn back_in_s(&self, who: u64) -> Option<u32> {
        let seconds = self.back_in_ms(who)?.div_ceil(1_000).max(1);
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    /// Lets nobody in any more and closes all sockets ([`CloseReason::Shutdown`]), evenly over
    /// `spread`, each with the time after which to come back. Returns when the last is gone or `limit`
    /// is over (from now; what `spread` takes is part of it), with the number still open. Sockets are
    /// not among the connections the HTTP server waits for, so this comes before stopping it.
    pub async fn drain(&self, spread: Duration, limit: Duration, returning: Returning) -> usize {
        let watch = Stopwatch::start();
        let _ = self.0.leaving.set((watch, returning));
        let posts: Vec<_> =
            self.lock().values().flatten().map(|entry| Arc::clone(&entry.post)).collect();
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let step_us = micros(spread) / posts.len().max(1) as u64;
        for (place, post) in (0u64..).zip(&posts) {
            let at_us = place.saturating_mul(step_us);
            if at_us > watch.elapsed_us() {
                tokio::time::sleep_until(watch.at_us(at_us)).await;
            }
            post.close_until(self.back_in_s(place).unwrap_or(1));
        }
        let deadline = watch.at_us(micros(limit));
        loop {
            let gone = self.0.gone.notified();
            let left = self.0.figures.open();
            if left == 0 || tokio::time::timeout_at(deadline, gone).await.is_err() {
                return usize::try_from(left).unwrap_or(usize::MAX);
            }
        }
    }

    pub(super) fn parts(&self) -> &DoorParts {
        &self.0.parts
    }

    pub(super) fn counters(&self) -> &SessionFigures {
        &self.0.figures
    }

    /// Registers a socket, and closes the player's others if that is asked for.
    pub(super) fn enter(&self, welcome: &Welcome) -> Result<Seat, NoPlace> {
        let post = Arc::new(Post::default());
        let key = SessionKey(self.0.keys.fetch_add(1, Ordering::Relaxed));
        let mut sockets = self.lock();
        // Looked at under the lock: drain sets it before it takes the lock to see who is here.
        if let Some(back_in_s) = self.back_in_s(key.0) {
            return Err(NoPlace::ShuttingDown { back_in_s });
        }
        let own = sockets.entry(welcome.account).or_default();
        let same = own.iter().filter(|entry| entry.channel == welcome.channel);
        match welcome.others {
            Others::Keep(most) if same.count() >= most => {
                if own.is_empty() {
                    sockets.remove(&welcome.account);
                }
                return Err(NoPlace::TooMany);
            }
            // The others to be closed are told once this one is in, see `Seat::opened`.
            Others::Keep(_) | Others::Close(_) => {}
        }
        let entry =
            Entry { key, channel: welcome.channel, token: welcome.token, post: Arc::clone(&post) };
        own.push(entry);
        drop(sockets);
        Ok(Seat {
            door: self.clone(),
            account: welcome.account,
            channel: welcome.channel,
            resumable: welcome.resumable.clone().map(|resumable| (resumable, welcome.resume_s)),
            key,
            post,
            holds_slot: false,
            is_open: false,
            has_left: false,
        })
    }

    fn close_where(
        &self,
        account: AccountId,
        reason: CloseReason,
        wanted: impl Fn(&Entry) -> bool,
    ) -> usize {
        let sockets = self.lock();
        let closing = sockets_of(&sockets, account).iter().filter(|entry| wanted(entry));
        closing.inspect(|entry| entry.post.close(reason)).count()
    }

    fn resumables(&self) -> MutexGuard<'_, Resumables> {
        self.0.resumables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Sockets> {
        self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket's place: in the registry, on the board, in the ledger. Given up when dropped, whatever
/// happened to the session.
pub(super) struct Seat {
    door: SessionDoor,
    account: AccountId,
    channel: Channel,
    /// The session, and how long it may come back.
    resumable: Option<(Arc<Resumable>, u64)>,
    key: SessionKey,
    post: Arc<Post>,
    holds_slot: bool,
    is_open: bool,
    has_left: bool,
}

impl Seat {
    pub(super) const fn key(&self) -> SessionKey {
        self.key
    }

    pub(super) fn post(&self) -> Arc<Post> {
        Arc::clone(&self.post)
    }

    /// Takes the player's slot, or keeps it.
    pub(super) async fn take_slot(&mut self) -> Result<Result<(), NoSlotFor>, CallError> {
        let answer = self.door.0.parts.slots.connect(player(self.account)).await?;
        self.holds_slot = answer.is_ok();
        Ok(answer)
    }

    /// The socket is open: the player's others of its channel go, if asked for.
    pub(super) fn opened(&mut self, others: Others) {
        self.is_open = true;
        self.door.0.figures.count_opened();
        if let Some((resumable, _)) = &self.resumable {
            let now = self.door.0.parts.clock.now();
            self.door.resumables().hold((self.account, self.channel), resumable, now);
        }
        if let Others::Close(reason) = others {
            let (key, channel) = (self.key, self.channel);
            self.door.close_where(self.account, reason, |entry| {
                entry.channel == channel && entry.key < key
            });
        }
    }

    /// Gives the place up, for this reason. Only the first call counts.
    pub(super) fn leave(&mut self, reason: CloseReason, said_goodbye: bool) {
        if std::mem::replace(&mut self.has_left, true) {
            return;
        }
        let mut sockets = self.door.lock();
        if let Some(own) = sockets.get_mut(&self.account) {
            own.retain(|entry| entry.key != self.key);
            if own.is_empty() {
                sockets.remove(&self.account);
            }
        }
        drop(sockets);
        if self.is_open {
            self.door.0.parts.board.close(self.key);
            self.door.0.figures.count_closed(reason);
            if let Some((resumable, resume_s)) = &self.resumable {
                let now = self.door.0.parts.clock.now();
                let grace_s = if reason.may_resume() { *resume_s } else { 0 };
                let of = (self.account, self.channel);
                self.door.resumables().leave(of, resumable, now.plus_secs(grace_s));
            }
        }
        if self.holds_slot {
            let departure = reason.departure(said_goodbye);
            self.door.0.parts.slots.disconnect(player(self.account), departure);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // A session that ended in order has left already; this one was dropped.
        let draining = self.door.is_leaving();
        self.leave(if draining { CloseReason::Shutdown } else { CloseReason::Internal }, false);
        if self.is_open {
            self.door.0.figures.count_ended();
            self.door.0.gone.notify_waiters();
        }
    }
}

/// A player's sockets.
fn sockets_of(sockets: &Sockets, account: AccountId) -> &[Entry] {
    sockets.get(&account).map_or(&[], Vec::as_slice)
}

/// The ledger knows players by number.
const fn player(account: AccountId) -> Player {
    Player(account.0.as_u128())
}
