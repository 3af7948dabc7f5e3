//! The roster: sessions, what they show, whom they follow (protocol-nakama §7.2, §7.7 to §7.10).
//!
//! A session always hears about its own player. Follows belong to a session and go with it. Every
//! change makes at most one event; its hearers are the player's own sessions and the followers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use uuid::Uuid;

use super::{Event, NoPresence, Presence, Rich, RichAsk};
use crate::domain::account::AccountId;

/// A session of this process: given once, never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub u64);

/// Whose session it is, as presences show it.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// The player.
    pub account: AccountId,
    /// Id of the connection.
    pub session: Uuid,
    /// User name.
    pub username: Arc<str>,
    /// Whether others may set what it shows: its client speaks of rich presences.
    pub takes_rich: bool,
}

struct Member<P> {
    who: Newcomer,
    status: Option<Arc<str>>,
    rich: Option<Arc<Rich>>,
    version: u64,
    /// Whom it follows, and at which place of their `followers` it stands.
    follows: HashMap<AccountId, usize>,
    post: P,
}

/// What is known of a player: sessions here, and sessions that follow.
#[derive(Default)]
struct Player {
    own: Vec<SessionKey>,
    followers: Vec<SessionKey>,
    /// How often what stands for the player has changed, for as long as anybody watches.
    changes: u64,
}

/// Everyone here, with the way to reach each session, `P`. Memory: about 370 bytes a session, 30
/// a follow.
pub struct Roster<P> {
    members: HashMap<SessionKey, Member<P>>,
    players: HashMap<AccountId, Player>,
    shown: usize,
}

impl<P> Default for Roster<P> {
    fn default() -> Self {
        Self { members: HashMap::new(), players: HashMap::new(), shown: 0 }
    }
}

impl<P> Roster<P> {
    /// A session opens; `online`: with an empty status from the start. A key that is here already
    /// is left as it is.
    pub fn open(&mut self, key: SessionKey, who: Newcomer, online: bool, post: P) -> Option<Event> {
        let Entry::Vacant(place) = self.members.entry(key) else {
            return None;
        };
        self.players.entry(who.account).or_default().own.push(key);
        let follows = HashMap::new();
        place.insert(Member { who, status: None, rich: None, version: 0, follows, post });
        if online { self.set_status(key, Some("".into())) } else { None }
    }

    /// A session shows something else, or nothing. Showing the same again is an event too; showing
    /// nothing when nothing was shown is none.
    pub fn set_status(&mut self, key: SessionKey, status: Option<Arc<str>>) -> Option<Event> {
        let account = self.members.get(&key)?.who.account;
        let was = self.lead(account);
        let member = self.members.get_mut(&key)?;
        let before = member.presence();
        member.status = status;
        member.rich = None;
        let is = self.stamp(account, was.as_ref(), false);
        let after = self.members.get(&key).and_then(Member::presence);
        self.shown = self.shown + usize::from(after.is_some()) - usize::from(before.is_some());
        let (joins, leaves) = (after.into_iter().collect(), before.into_iter().collect());
        event(Event { account, joins, leaves, was, is })
    }

    /// A session shows a rich presence, which is an event even when nothing differs. A player has
    /// one at most: what another session of theirs showed of that kind goes.
    ///
    /// # Errors
    ///
    /// As [`Rich::set`]; the session is not here.
    pub fn set_rich(&mut self, key: SessionKey, ask: &RichAsk) -> Result<Event, NoPresence> {
        let account = self.members.get(&key).ok_or(NoPresence)?.who.account;
        let was = self.lead(account);
        let rich = Rich::set(ask, was.as_ref().and_then(|was| was.rich.as_deref()))?;
        let mut leaves = Vec::new();
        for own in self.players.get(&account).map_or(&[][..], |player| &player.own) {
            let Some(member) = self.members.get_mut(own) else { continue };
            if *own == key || member.rich.is_some() {
                leaves.extend(member.presence());
                (member.status, member.rich) = (None, None);
            }
        }
        let member = self.members.get_mut(&key).ok_or(NoPresence)?;
        member.status = Some(rich.status());
        member.rich = Some(Arc::new(rich));
        self.shown = (self.shown + 1).saturating_sub(leaves.len());
        let is = self.stamp(account, was.as_ref(), true);
        Ok(Event { account, joins: is.iter().cloned().collect(), leaves, was, is })
    }

    /// The session of a player whose presence others may set: the newest.
    pub fn rich_session(&self, account: AccountId) -> Option<SessionKey> {
        let mut own = self.players.get(&account)?.own.iter().rev();
        let takes = |key: &&SessionKey| self.members.get(key).is_some_and(|it| it.who.takes_rich);
        own.find(takes).copied()
    }

    /// What these players show, one for each session.
    pub fn look(&self, accounts: &[AccountId]) -> Vec<Presence> {
        let mut shown = Vec::new();
        for account in accounts {
            self.show(*account, &mut shown);
        }
        shown
    }

    /// Follows these players from now on and tells what they show. The session's own player is
    /// left out. Beyond `follows_max` players in all nobody more is followed or told.
    pub fn follow(
        &mut self,
        key: SessionKey,
        accounts: &[AccountId],
        follows_max: usize,
    ) -> Vec<Presence> {
        let mut shown = Vec::new();
        let Some(member) = self.members.get_mut(&key) else {
            return shown;
        };
        let mut told = std::collections::HashSet::with_capacity(accounts.len());
        for &account in accounts {
            if account == member.who.account || !told.insert(account) {
                continue;
            }
            if !member.follows.contains_key(&account) {
                if member.follows.len() >= follows_max {
                    continue;
                }
                let followers = &mut self.players.entry(account).or_default().followers;
                member.follows.insert(account, followers.len());
                followers.push(key);
            }
        }
        for account in accounts.iter().filter(|account| told.remove(account)) {
            if self.members.get(&key).is_some_and(|member| member.follows.contains_key(account)) {
                self.show(*account, &mut shown);
            }
        }
        shown
    }

    /// Follows these players no more. Those not followed, and the session's own, change nothing.
    pub fn unfollow(&mut self, key: SessionKey, accounts: &[AccountId]) {
        for &account in accounts {
            let place = self.members.get_mut(&key).and_then(|it| it.follows.remove(&account));
            if let Some(place) = place {
                self.forget_follower(account, place);
            }
        }
    }

    /// No session of `who` follows `from` any more: they were blocked.
    pub fn part(&mut self, who: AccountId, from: AccountId) {
        let own = self.players.get(&who).map(|player| player.own.clone());
        for key in own.unwrap_or_default() {
            self.unfollow(key, &[from]);
        }
    }

    /// A session ends: its follows go, and what it showed is shown no more. The event is for those
    /// who remain.
    pub fn close(&mut self, key: SessionKey) -> Option<Event> {
        let account = self.members.get(&key)?.who.account;
        let was = self.lead(account);
        let member = self.members.remove(&key)?;
        for (&account, &place) in &member.follows {
            self.forget_follower(account, place);
        }
        if let Some(player) = self.players.get_mut(&account) {
            player.own.retain(|own| *own != key);
        }
        let is = self.stamp(account, was.as_ref(), false);
        self.forget_player(account);
        let before = member.presence();
        self.shown -= usize::from(before.is_some());
        event(Event { account, joins: Vec::new(), leaves: before.into_iter().collect(), was, is })
    }

    /// Who hears about this player: each session once.
    pub fn hearers(&self, account: AccountId) -> impl Iterator<Item = (SessionKey, &P)> {
        let player = self.players.get(&account);
        let keys = player.into_iter().flat_map(|it| it.own.iter().chain(&it.followers));
        keys.filter_map(|key| self.members.get(key).map(|member| (*key, &member.post)))
    }

    /// How many sessions follow this player, without their own.
    pub fn followers(&self, account: AccountId) -> usize {
        self.players.get(&account).map_or(0, |player| player.followers.len())
    }

    /// The way to reach a session.
    pub fn post(&self, key: SessionKey) -> Option<&P> {
        self.members.get(&key).map(|member| &member.post)
    }

    /// Whether any session of this player shows a status (protocol-nakama §14, 31).
    pub fn is_online(&self, account: AccountId) -> bool {
        self.players.get(&account).is_some_and(|player| {
            let mut own = player.own.iter().filter_map(|key| self.members.get(key));
            own.any(|member| member.status.is_some())
        })
    }

    /// Sessions that show a status.
    pub const fn shown(&self) -> usize {
        self.shown
    }

    /// Sessions in all.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is here.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn show(&self, account: AccountId, into: &mut Vec<Presence>) {
        let own = self.players.get(&account).map_or(&[][..], |player| &player.own);
        let members = own.iter().filter_map(|key| self.members.get(key));
        into.extend(members.filter_map(Member::presence));
    }

    /// The session that stands for a player, see [`Presence::lead`].
    fn lead_key(&self, account: AccountId) -> Option<SessionKey> {
        let mut plain = None;
        for key in self.players.get(&account)?.own.iter().rev() {
            match self.members.get(key) {
                Some(member) if member.rich.is_some() => return Some(*key),
                Some(member) if member.status.is_some() => plain = plain.or(Some(*key)),
                _ => {}
            }
        }
        plain
    }

    fn lead(&self, account: AccountId) -> Option<Presence> {
        self.members.get(&self.lead_key(account)?)?.presence()
    }

    /// Gives what stands for the player a new version if it is not what it was, or `anyway`.
    fn stamp(
        &mut self,
        account: AccountId,
        was: Option<&Presence>,
        anyway: bool,
    ) -> Option<Presence> {
        let key = self.lead_key(account)?;
        let (player, member) = (self.players.get_mut(&account)?, self.members.get_mut(&key)?);
        let same = was.is_some_and(|was| {
            was.session == member.who.session
                && Some(&was.status) == member.status.as_ref()
                && was.rich == member.rich
        });
        if anyway || !same {
            player.changes += 1;
            member.version = player.changes;
        }
        member.presence()
    }

    /// Takes the follower at `place` out; the last one moves there and is told.
    fn forget_follower(&mut self, account: AccountId, place: usize) {
        let Some(player) = self.players.get_mut(&account) else {
            return;
        };
        if place >= player.followers.len() {
            return;
        }
        player.followers.swap_remove(place);
        if let Some(moved) = player.followers.get(place)
            && let Some(member) = self.members.get_mut(moved)
        {
            member.follows.insert(account, place);
        }
        self.forget_player(account);
    }

    fn forget_player(&mut self, account: AccountId) {
        if let Entry::Occupied(player) = self.players.entry(account)
            && player.get().own.is_empty()
            && player.get().followers.is_empty()
        {
            player.remove();
        }
    }
}

impl<P> Member<P> {
    fn presence(&self) -> Option<Presence> {
        self.status.as_ref().map(|status| Presence {
            account: self.who.account,
            session: self.who.session,
            username: Arc::clone(&self.who.username),
            status: Arc::clone(status),
            version: self.version,
            rich: self.rich.clone(),
        })
    }
}

fn event(event: Event) -> Option<Event> {
    (!event.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests;
