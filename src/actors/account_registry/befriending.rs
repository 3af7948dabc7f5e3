//! Feeds the rules of friends: reads both sides' records, applies the deed to each player named,
//! and puts everything into one change.

use std::collections::HashSet;

use crate::domain::account::{Account, AccountId, Change, EdgeWrite, NotificationWrite, Refusal};
use crate::domain::friend::ask::ends_with_reset;
use crate::domain::friend::invites::{self, Room};
use crate::domain::friend::{
    self, Deed, Edge, EdgeState, FriendAsk, FriendLimits, ListNews, Step, Turn,
};
use crate::domain::notification::{self, Notification, Topic};
use crate::store::StoreError;

use super::Told;
use super::deciding::{Decision, Desk};

/// A decided wish.
pub struct Befriended {
    /// What to write; `None`: nothing changes.
    pub change: Option<Change>,
    /// Who is told what.
    pub told: Told,
}

impl Desk<'_> {
    /// Decides what a player does to others (protocol-nakama §6.4 to §6.7).
    pub fn decide_friends(&self, me: &Account, ask: &FriendAsk) -> Decision<Befriended> {
        let named = match self.named(me, ask)? {
            Ok(named) => named,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(nobody) = ask.deed.nobody().filter(|_| named.is_empty()) {
            return Ok(Err(nobody.into()));
        }
        let mut plan = Plan::new(me, ask, self.friends);
        if let Deed::Import { reset: true, .. } = ask.deed {
            for (other, edge) in self.store.reads().edges(me.id)? {
                if ends_with_reset(edge.state) && !named.contains(&other) {
                    self.end_quietly(&mut plan, other)?;
                }
            }
        }
        for other in named {
            if let Err(refusal) = self.apply(&mut plan, other)? {
                return Ok(Err(refusal));
            }
        }
        let (change, told) = plan.done();
        let change = (!change.is_empty()).then_some(change);
        Ok(Ok(Befriended { change, told }))
    }

    /// Everybody the wish names, each once, without the caller.
    fn named(&self, me: &Account, ask: &FriendAsk) -> Decision<Vec<AccountId>> {
        let reads = self.store.reads();
        let mut ids = ask.ids.clone();
        for name in &ask.usernames {
            ids.extend(reads.account_by_username(name)?.map(|account| account.id));
        }
        let asks = matches!(ask.deed, Deed::Add(_) | Deed::Block);
        if ids.is_empty() && !ask.usernames.is_empty() && asks {
            return Ok(Err(Refusal::NobodyNamed));
        }
        for link in &ask.links {
            ids.extend(reads.account_by_link(link)?.map(|account| account.id));
        }
        let mut seen = HashSet::new();
        ids.retain(|id| *id != me.id && seen.insert(*id));
        Ok(Ok(ids))
    }

    fn apply(&self, plan: &mut Plan<'_>, other: AccountId) -> Decision<()> {
        let reads = self.store.reads();
        let Some(them) = reads.account(other)? else {
            // Nobody: silently nothing, unless the deed has a word for it.
            return Ok(plan.ask.deed.nobody().map_or(Ok(()), |nobody| Err(nobody.into())));
        };
        let me = plan.change.after.id;
        let (mine, theirs) = (reads.edge(me, other)?, reads.edge(other, me)?);
        let pair = (mine.as_ref(), theirs.as_ref());
        let step = match self.step(plan, &them, pair)? {
            Ok(Some(step)) => step,
            Ok(None) => return Ok(Ok(())),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let grows = mine.as_ref().is_none_or(|mine| !mine.state.is_shown()) && step.mine.is_some();
        let imports = matches!(plan.ask.deed, Deed::Import { .. });
        if grows && !plan.limits.has_room(&plan.change.after) {
            // An import takes what fits.
            return Ok(if imports { Ok(()) } else { Err(Refusal::TooManyFriends) });
        }
        let invites = theirs.is_none() && step.tells.is_some();
        let is_refused = !imports && them.dossier().refuses_invites;
        if invites && (is_refused || !plan.limits.takes_invitations(&them)) {
            return Ok(Ok(()));
        }
        if let Some(topic) = step.tells {
            self.tell(plan, other, topic)?;
        }
        plan.take(step, pair, them);
        Ok(Ok(()))
    }

    /// What the deed makes of two records.
    fn step(
        &self,
        plan: &Plan<'_>,
        them: &Account,
        (mine, theirs): (Option<&Edge>, Option<&Edge>),
    ) -> Decision<Option<Step>> {
        let step = match &plan.ask.deed {
            Deed::Add(metadata) => friend::add(mine, theirs, metadata, self.now),
            Deed::Remove => friend::remove(mine, theirs),
            Deed::Block => friend::block(mine, theirs, self.now),
            Deed::Unblock => invites::unblock(mine, theirs),
            Deed::Import { provider, .. } => {
                friend::accept_from_provider(mine, theirs, provider, self.now)
            }
            Deed::Invite => {
                let asks = mine.is_none();
                let room = if asks { self.room(plan, them)? } else { Room::default() };
                return Ok(invites::invite(mine, theirs, room, self.now).map_err(Into::into));
            }
            Deed::Respond { accepts } => {
                let step = invites::respond(mine, theirs, *accepts, self.now);
                return Ok(step.map_err(Into::into));
            }
            Deed::Unfriend => return Ok(invites::unfriend(mine, theirs).map_err(Into::into)),
        };
        Ok(Ok(step))
    }

    /// Whether an invitation would find room on both sides.
    fn room(&self, plan: &Plan<'_>, them: &Account) -> Result<Room, StoreError> {
        let (me, limits) = (&plan.change.after, &plan.limits);
        let count = |owner: AccountId, state: EdgeState| {
            let edges = self.store.reads().edges(owner)?;
            Ok::<_, StoreError>(edges.iter().filter(|(_, edge)| edge.state == state).count())
        };
        Ok(Room {
            is_refused: them.dossier().refuses_invites,
            mine_full: !limits.has_room(me)
                || count(me.id, EdgeState::InviteSent)? >= limits.invites_sent_max,
            theirs_full: !limits.takes_invitations(them)
                || count(them.id, EdgeState::InviteReceived)? >= limits.invites_received_max,
        })
    }

    /// Ends a relationship without a word.
    fn end_quietly(&self, plan: &mut Plan<'_>, other: AccountId) -> Result<(), StoreError> {
        let reads = self.store.reads();
        let me = plan.change.after.id;
        let (mine, theirs) = (reads.edge(me, other)?, reads.edge(other, me)?);
        let (Some(them), Some(step)) =
            (reads.account(other)?, friend::remove(mine.as_ref(), theirs.as_ref()))
        else {
            return Ok(());
        };
        plan.take(step, (mine.as_ref(), theirs.as_ref()), them);
        Ok(())
    }

    /// Keeps a notification for a player; the oldest go so that it fits.
    fn tell(&self, plan: &mut Plan<'_>, owner: AccountId, topic: Topic) -> Result<(), StoreError> {
        let kept = self.store.reads().notifications(owner, None, usize::MAX)?;
        let last = kept.last().map(|last| last.id);
        let id = notification::id_after(last, self.now, self.dice.uuid());
        let (sender, username) = (plan.change.after.id, &plan.ask.username);
        let told = Notification::from_friend(id, topic, sender, username, self.now);
        let most = self.friends.notifications_max.max(1);
        let over = (kept.len() + 1).saturating_sub(most);
        let gone = kept.iter().take(over).map(|old| NotificationWrite::Drop(owner, old.id));
        let writes = &mut plan.change.notifications;
        writes.extend(gone);
        writes.push(NotificationWrite::Keep(owner, told.clone()));
        plan.told.push((owner, told));
        Ok(())
    }

    /// Everything that goes with a deleted account: its relationships on both sides, its
    /// notifications (protocol-nakama §5.3).
    pub fn decide_delete(&self, me: &Account) -> Result<Change, StoreError> {
        let reads = self.store.reads();
        let mut change = Change { deletes: true, ..Change::beside(me) };
        for (other, _) in reads.edges(me.id)? {
            let theirs = reads.edge(other, me.id)?;
            change.edges.push(EdgeWrite { owner: me.id, other, edge: None });
            change.edges.push(EdgeWrite { owner: other, other: me.id, edge: None });
            if let Some(turn) = Turn::of(me.id, theirs.as_ref(), None)
                && let Some(them) = reads.account(other)?
            {
                let mut after =
                    Account { edge_count: them.edge_count.saturating_sub(1), ..them.clone() };
                change.lists.push(turned(&mut after, vec![turn]));
                change.others.push((them, after));
            }
        }
        let kept = reads.notifications(me.id, None, usize::MAX)?;
        change.notifications =
            kept.iter().map(|kept| NotificationWrite::Drop(me.id, kept.id)).collect();
        Ok(change)
    }
}

/// A change in the making.
struct Plan<'a> {
    ask: &'a FriendAsk,
    limits: FriendLimits,
    change: Change,
    told: Told,
    /// What is different in the caller's own list.
    turns: Vec<Turn>,
}

/// Counts a change of an account's list.
fn turned(account: &mut Account, turns: Vec<Turn>) -> ListNews {
    let dossier = account.dossier_mut();
    dossier.list_version += 1;
    let version = dossier.list_version;
    ListNews { owner: account.id, turns, version }
}

impl<'a> Plan<'a> {
    fn new(me: &Account, ask: &'a FriendAsk, limits: FriendLimits) -> Self {
        Self { ask, limits, change: Change::beside(me), told: Vec::new(), turns: Vec::new() }
    }

    fn take(
        &mut self,
        step: Step,
        before: (Option<&friend::Edge>, Option<&friend::Edge>),
        them: Account,
    ) {
        let (me, other) = (self.change.after.id, them.id);
        let mut after = them.clone();
        step.count(before, &mut self.change.after, &mut after);
        self.turns.extend(Turn::of(other, before.0, step.mine.as_ref()));
        if let Some(turn) = Turn::of(me, before.1, step.theirs.as_ref()) {
            self.change.lists.push(turned(&mut after, vec![turn]));
        }
        if after != them {
            self.change.others.push((them, after));
        }
        self.change.edges.push(EdgeWrite { owner: me, other, edge: step.mine });
        self.change.edges.push(EdgeWrite { owner: other, other: me, edge: step.theirs });
    }

    /// The change, and who is told what. The caller's own list has changed once, whatever it was.
    fn done(mut self) -> (Change, Told) {
        if !self.turns.is_empty() {
            let news = turned(&mut self.change.after, self.turns);
            self.change.lists.push(news);
        }
        (self.change, self.told)
    }
}
