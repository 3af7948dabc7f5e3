//! The actor: decide, stage, wait for the shared flush; stop when the truth is unknown.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use actix::ActorFutureExt;
use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, WrapFuture};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::domain::account::sign_in::SignIn;
use crate::domain::account::{Account, AccountId, Change, PassUse};
use crate::domain::friend::FriendLimits;
use crate::ids::Dice;
use crate::store::{Store, StoreError};

use super::committer::Job;
use super::deciding::{Desk, Outcome};
use super::group::{Answer, Group};
use super::handle::Place;
use super::in_flight::InFlight;
use super::listeners::Listeners;
use super::{AccountsError, Edit, Edited, Key, RealmView, RegistryFigures, Revocations, SignedIn};

/// Stored redemptions and revocations forgotten with one commit.
const FORGET_MAX: usize = 8;
/// How often what lapsed is taken out of memory and, if nothing else is written, off the disk.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// A question to the registry, with the caller's place, and where the answer goes.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Call {
    /// Comes first: it is free before its caller hears that there is no answer.
    pub place: Place,
    pub ask: Ask,
}

pub enum Ask {
    SignIn(SignIn, oneshot::Sender<Result<SignedIn, AccountsError>>),
    Find(Key, oneshot::Sender<Option<Account>>),
    Edit(AccountId, Edit, oneshot::Sender<Result<Edited, AccountsError>>),
    Redeemed(oneshot::Sender<Vec<(PassUse, AccountId)>>),
}

/// Stop taking calls, flush, let go of the files.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close(pub oneshot::Sender<()>);

/// Comes after everything that was in the mailbox before it.
#[derive(Message)]
#[rtype(result = "()")]
struct CommitNow;

#[derive(Message)]
#[rtype(result = "()")]
struct Sweep;

pub struct AccountRegistry {
    /// `None`: closed.
    pub store: Option<Box<dyn Store>>,
    pub clock: Clock,
    pub dice: Dice,
    pub figures: Arc<RegistryFigures>,
    pub revocations: Revocations,
    pub realm: RealmView,
    pub listeners: Listeners,
    pub committer: mpsc::Sender<Job>,
    pub stopped: Option<oneshot::Sender<Result<(), StoreError>>>,
    pub wait: Duration,
    pub group_max: usize,
    pub token_life_s: u64,
    pub friends: FriendLimits,
    pub in_flight: InFlight,
    /// What the next flush takes.
    pub open: Group,
    /// What is being flushed.
    pub flying: Option<Group>,
    /// Calls that wait for room in a group.
    pub backlog: VecDeque<Call>,
    /// A [`CommitNow`] is on its way.
    pub called: bool,
    /// The last flush was shared: the next one is worth waiting for company.
    pub company: bool,
    pub closing: Vec<oneshot::Sender<()>>,
}

impl Actor for AccountRegistry {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(SWEEP_EVERY, |_, ctx| ctx.notify(Sweep));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        actix::Arbiter::current().stop();
    }
}

impl Handler<Call> for AccountRegistry {
    type Result = ();

    fn handle(&mut self, call: Call, ctx: &mut Context<Self>) {
        if !self.closing.is_empty() {
            return; // dropped: no answer
        }
        if self.open.writes >= self.group_max {
            self.backlog.push_back(call);
            return;
        }
        self.answer(call, ctx);
        self.call_commit(ctx);
    }
}

impl Handler<CommitNow> for AccountRegistry {
    type Result = ();

    fn handle(&mut self, _: CommitNow, ctx: &mut Context<Self>) {
        self.called = false;
        self.commit(ctx);
    }
}

impl Handler<Sweep> for AccountRegistry {
    type Result = ();

    fn handle(&mut self, _: Sweep, ctx: &mut Context<Self>) {
        self.revocations.sweep(self.clock.now());
        if self.flying.is_none() {
            self.commit(ctx);
        }
    }
}

impl Handler<Close> for AccountRegistry {
    type Result = ();

    fn handle(&mut self, close: Close, ctx: &mut Context<Self>) {
        self.closing.push(close.0);
        if self.flying.is_none() {
            self.commit(ctx);
        }
    }
}

impl AccountRegistry {
    fn answer(&mut self, call: Call, ctx: &mut Context<Self>) {
        let Call { place, ask } = call;
        let done = match ask {
            Ask::SignIn(ask, to) => self.sign_in(&ask, to, place),
            Ask::Find(key, to) => self.find(&key, to, place),
            Ask::Edit(account, edit, to) => self.edit(account, &edit, to, place),
            Ask::Redeemed(to) => self.redeemed(to),
        };
        if let Err(error) = done {
            self.give_up(error, ctx);
        }
    }

    fn sign_in(
        &mut self,
        ask: &SignIn,
        to: oneshot::Sender<Result<SignedIn, AccountsError>>,
        place: Place,
    ) -> Result<(), StoreError> {
        match self.desk()?.sign_in(ask)? {
            Ok(decided) => {
                let id = decided.account.id;
                let answer =
                    SignedIn { account: decided.account, created: decided.created, at: decided.at };
                if let Some(change) = &decided.change {
                    self.stage(change);
                }
                self.when_durable(Answer::SignIn(to, Ok(answer)), Some(id), place);
            }
            Err(refusal) => {
                self.when_durable(Answer::SignIn(to, Err(refusal.into())), None, place);
            }
        }
        Ok(())
    }

    fn edit(
        &mut self,
        account: AccountId,
        edit: &Edit,
        to: oneshot::Sender<Result<Edited, AccountsError>>,
        place: Place,
    ) -> Result<(), StoreError> {
        let Outcome { change, answer } = self.desk()?.edit(account, edit)?;
        if let Some(change) = &change {
            self.stage(change);
        }
        // A refusal rests on what is known of anybody.
        let about = (answer.is_ok() || change.is_some()).then_some(account);
        self.when_durable(Answer::Edit(to, answer.map_err(Into::into)), about, place);
        Ok(())
    }

    /// Takes a change that is staged into the group that is flushed next.
    fn stage(&mut self, change: &Change) {
        self.open.add(change);
        if self.listeners.hear_of_accounts() {
            self.open.news.extend(change.news());
        }
    }

    fn find(
        &mut self,
        key: &Key,
        to: oneshot::Sender<Option<Account>>,
        place: Place,
    ) -> Result<(), StoreError> {
        let store = self.store.as_ref().ok_or(StoreError::Abandoned)?;
        let found = key.look(store.reads())?;
        let id = found.as_ref().map(|account| account.id);
        self.when_durable(Answer::Find(to, found), id, place);
        Ok(())
    }

    /// Redemptions of a group that is not durable yet may be among them: the line then keeps a
    /// pass as used that a crash would give back, which costs nobody anything.
    fn redeemed(&self, to: oneshot::Sender<Vec<(PassUse, AccountId)>>) -> Result<(), StoreError> {
        let store = self.store.as_ref().ok_or(StoreError::Abandoned)?;
        let now = self.clock.now();
        let kept = store.redemptions()?.into_iter();
        let kept = kept.filter(|kept| kept.pass.remember_until >= now);
        let _ = to.send(kept.map(|kept| (kept.pass, kept.account)).collect());
        Ok(())
    }

    /// Gives an answer once everything it rests on is on disk: what is known of one account, or,
    /// when it names none (a refusal, nothing found), all that is staged.
    fn when_durable(&mut self, answer: Answer, account: Option<AccountId>, place: Place) {
        let rests_on = |group: &Group| match account {
            Some(account) => group.touches(account),
            None => group.writes > 0,
        };
        if rests_on(&self.open) {
            self.open.answers.push((place, answer));
        } else if let Some(flying) = self.flying.as_mut().filter(|flying| rests_on(flying)) {
            flying.answers.push((place, answer));
        } else {
            drop(place);
            answer.give();
        }
    }

    fn desk(&mut self) -> Result<Desk<'_>, StoreError> {
        let store = self.store.as_mut().ok_or(StoreError::Abandoned)?;
        Ok(Desk {
            store: store.as_mut(),
            dice: &self.dice,
            now: self.clock.now(),
            token_life_s: self.token_life_s,
            friends: self.friends,
        })
    }

    /// Sees to it that what is staged gets flushed: soon, when nothing is being flushed; after
    /// that, when something is.
    fn call_commit(&mut self, ctx: &mut Context<Self>) {
        if self.open.writes == 0 || self.flying.is_some() {
            return;
        }
        if self.open.writes >= self.group_max {
            self.commit(ctx);
        } else if !self.called {
            self.called = true;
            if self.company && !self.wait.is_zero() {
                ctx.notify_later(CommitNow, self.wait);
            } else {
                ctx.notify(CommitNow); // after what is in the mailbox now
            }
        }
    }

    /// Sends what is staged to be flushed.
    fn commit(&mut self, ctx: &mut Context<Self>) {
        if self.flying.is_some() {
            return; // its landing calls again
        }
        let now = self.clock.now();
        let Some(store) = self.store.as_mut() else {
            return;
        };
        let sealed = store.forget(now, FORGET_MAX).map(|_| store.seal());
        match sealed {
            Ok(Some(commit)) => {
                self.in_flight.set(self.open.accounts.clone());
                self.flying = Some(std::mem::take(&mut self.open));
                let (done, landed) = oneshot::channel();
                // A thread that died drops the job and with it the answer.
                let _ = self.committer.send(Job::Commit(commit, done));
                let landed = landed.into_actor(self).map(|result, registry, ctx| {
                    registry.landed(result.unwrap_or(Err(StoreError::Abandoned)), ctx);
                });
                ctx.spawn(landed);
                self.take_backlog(ctx);
            }
            Ok(None) => self.close_if_asked(ctx),
            Err(error) => self.give_up(error, ctx),
        }
    }

    fn landed(&mut self, result: Result<u64, StoreError>, ctx: &mut Context<Self>) {
        let took_us = match result {
            Ok(took_us) => took_us,
            Err(error) => return self.give_up(error, ctx),
        };
        let group = self.flying.take().unwrap_or_default();
        if let Some(store) = self.store.as_mut() {
            store.settled();
            self.in_flight.set(HashSet::new());
            self.figures.accounts.store(store.count(), Ordering::Relaxed);
        }
        self.count(&group, took_us);
        self.company = group.writes > 1;
        if !group.revoked.is_empty() {
            self.revocations.set(group.revoked);
        }
        if let Some(realm) = group.realm {
            self.realm.set(*realm);
        }
        // Here, and not by those who asked: in the order of the changes.
        for news in group.lists {
            self.listeners.tell_list(news);
        }
        for news in group.news {
            self.listeners.tell_account(news);
        }
        for (place, answer) in group.answers {
            drop(place);
            answer.give();
        }
        if !self.closing.is_empty() || self.open.writes >= self.group_max {
            self.commit(ctx);
        } else if self.open.writes > 0 && !self.called {
            self.called = true;
            ctx.notify(CommitNow);
        }
    }

    fn take_backlog(&mut self, ctx: &mut Context<Self>) {
        while self.open.writes < self.group_max
            && let Some(call) = self.backlog.pop_front()
        {
            self.answer(call, ctx);
        }
    }

    fn count(&self, group: &Group, took_us: u64) {
        let figures = &self.figures;
        figures.commits.fetch_add(1, Ordering::Relaxed);
        figures.writes.fetch_add(u64::try_from(group.writes).unwrap_or(0), Ordering::Relaxed);
        figures.commit_us_sum.fetch_add(took_us, Ordering::Relaxed);
        figures.commit_us_max.fetch_max(took_us, Ordering::Relaxed);
        figures.committed_ms.store(self.clock.now().as_millis(), Ordering::Relaxed);
    }

    /// Everything is flushed: let go of the store, then say so.
    fn close_if_asked(&mut self, ctx: &mut Context<Self>) {
        if self.closing.is_empty() {
            return;
        }
        let Some(store) = self.store.take() else {
            return; // under way
        };
        let (done, closed) = oneshot::channel();
        let _ = self.committer.send(Job::Close(store, done));
        let closed = closed.into_actor(self).map(|result, registry, ctx| {
            let result = result.unwrap_or(Err(StoreError::Abandoned));
            if let Some(stopped) = registry.stopped.take() {
                let _ = stopped.send(result);
            }
            for asked in registry.closing.drain(..) {
                let _ = asked.send(());
            }
            ctx.stop();
        });
        ctx.spawn(closed);
    }

    /// After a failed write nobody knows what is on disk; only a reopen can tell. Every answer
    /// that waits is dropped, and whoever runs the process is told to end it.
    fn give_up(&mut self, error: StoreError, ctx: &mut Context<Self>) {
        tracing::error!(error = &error as &dyn std::error::Error, "the account store failed");
        self.open = Group::default();
        self.flying = None;
        self.backlog.clear();
        self.store = None;
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.send(Err(error));
        }
        ctx.stop();
    }
}
