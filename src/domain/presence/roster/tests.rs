//! The roster against a plain model, and what every hearer ends up seeing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::presence::Basic;

const FOLLOWS_MAX: usize = 3;

fn account(n: u8) -> AccountId {
    AccountId(Uuid::from_u128(u128::from(n)))
}

fn who(account_n: u8, key: u64) -> Newcomer {
    Newcomer {
        account: account(account_n),
        session: Uuid::from_u128(u128::from(key) << 64),
        username: format!("player{account_n}").into(),
        takes_rich: false,
    }
}

fn presence(account_n: u8, key: u64, status: &str) -> Presence {
    versioned(account_n, key, status, 1)
}

fn versioned(account_n: u8, key: u64, status: &str, version: u64) -> Presence {
    let Newcomer { account, session, username, .. } = who(account_n, key);
    Presence { account, session, username, status: status.into(), version, rich: None }
}

fn heard(roster: &Roster<()>, account_n: u8) -> Vec<u64> {
    let mut keys: Vec<_> = roster.hearers(account(account_n)).map(|(key, ())| key.0).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_session_hears_its_own_player_and_an_update_is_a_leave_and_a_join_in_one_event() {
    let mut roster = Roster::default();
    let event = roster.open(SessionKey(1), who(1, 1), true, ()).unwrap();
    assert_eq!((event.joins, event.leaves), (vec![presence(1, 1, "")], vec![]));
    assert_eq!(heard(&roster, 1), [1]);

    let event = roster.set_status(SessionKey(1), Some("in the lobby".into())).unwrap();
    let lobby = versioned(1, 1, "in the lobby", 2);
    assert_eq!(event.joins, std::slice::from_ref(&lobby));
    assert_eq!(event.leaves, [presence(1, 1, "")]);

    let event = roster.set_status(SessionKey(1), None).unwrap();
    assert_eq!((event.joins, event.leaves), (vec![], vec![lobby]));
    assert!(roster.set_status(SessionKey(1), None).is_none(), "nothing shown, nothing to say");
    assert!(!roster.is_online(account(1)));
}

#[test]
fn a_follow_tells_every_session_of_a_player_and_again_when_asked_again() {
    let mut roster = Roster::default();
    for key in [1, 2] {
        roster.open(SessionKey(key), who(1, key), true, ());
    }
    roster.open(SessionKey(3), who(1, 3), false, ());
    roster.open(SessionKey(4), who(2, 4), false, ());
    let asked = [account(1), account(1), account(2), account(9)];
    for _ in 0..2 {
        let shown = roster.follow(SessionKey(4), &asked, 10);
        assert_eq!(shown, [presence(1, 1, ""), versioned(1, 2, "", 2)]);
    }
    assert_eq!(heard(&roster, 1), [1, 2, 3, 4]);
    roster.unfollow(SessionKey(4), &[account(2), account(1), account(7)]);
    assert_eq!(heard(&roster, 1), [1, 2, 3]);
    assert_eq!(heard(&roster, 2), [4], "nobody stops hearing about themselves");
}

#[test]
fn beyond_the_bound_nobody_more_is_followed_or_told() {
    let mut roster = Roster::default();
    roster.open(SessionKey(1), who(1, 1), false, ());
    for n in [2, 3] {
        roster.open(SessionKey(u64::from(n)), who(n, u64::from(n)), true, ());
    }
    let shown = roster.follow(SessionKey(1), &[account(2), account(3)], 1);
    assert_eq!(shown, [presence(2, 2, "")]);
    assert_eq!(heard(&roster, 3), [3]);
}

fn rich(basic: Option<Basic>, ext: Option<&str>) -> RichAsk {
    let (player, shard) = (Uuid::from_u128(9), Uuid::from_u128(1));
    RichAsk { player, shard, basic, ext: ext.map(Into::into) }
}

#[test]
fn a_rich_presence_is_a_new_version_each_time_and_a_text_for_others() {
    let mut roster = Roster::default();
    assert_eq!(roster.open(SessionKey(1), who(1, 1), false, ()), None);
    let only_ext = rich(None, Some(r#"{"map":"dust"}"#));
    assert_eq!(roster.set_rich(SessionKey(1), &only_ext), Err(NoPresence));
    assert!(!roster.is_online(account(1)), "nothing is shown until it is set");

    for (ask, basic, ext, status) in [
        (rich(Some(Basic::Online), None), Basic::Online, "{}", ""),
        (only_ext.clone(), Basic::Online, r#"{"map":"dust"}"#, r#"{"map":"dust"}"#),
        (rich(Some(Basic::Away), None), Basic::Away, r#"{"map":"dust"}"#, r#"{"map":"dust"}"#),
        (rich(Some(Basic::Away), Some("{}")), Basic::Away, "{}", ""),
        (rich(Some(Basic::Away), Some("{}")), Basic::Away, "{}", ""),
    ] {
        let event = roster.set_rich(SessionKey(1), &ask).unwrap();
        let is = event.is.unwrap();
        assert_eq!(event.joins, std::slice::from_ref(&is));
        assert_eq!(event.was.as_ref().map_or(0, |was| was.version) + 1, is.version);
        assert_eq!(event.leaves, event.was.into_iter().collect::<Vec<_>>());
        let shown = is.rich.unwrap();
        assert_eq!((shown.basic, &*shown.ext, &*is.status), (basic, ext, status));
    }
    let event = roster.close(SessionKey(1)).unwrap();
    assert_eq!((event.leaves.len(), event.is), (1, None));
    assert_eq!(roster.shown(), 0);
    assert_eq!(roster.set_rich(SessionKey(1), &only_ext), Err(NoPresence));
}

#[test]
fn a_player_has_one_rich_presence_and_it_stands_for_them() {
    let mut roster = Roster::default();
    for key in [1, 2] {
        roster.open(SessionKey(key), Newcomer { takes_rich: true, ..who(1, key) }, false, ());
    }
    roster.open(SessionKey(3), who(1, 3), true, ());
    assert_eq!(roster.rich_session(account(1)), Some(SessionKey(2)));
    let online = rich(Some(Basic::Online), None);
    let first = roster.set_rich(SessionKey(1), &online).unwrap();
    assert_eq!(first.was.unwrap().version + 1, first.is.as_ref().unwrap().version);
    let second = roster.set_rich(SessionKey(2), &online).unwrap();
    assert_eq!(second.leaves, first.joins, "the one takes the other's place in one event");
    assert_eq!(roster.shown(), 2);

    // What the other connection shows changes nothing while there is a rich one.
    let lobby = roster.set_status(SessionKey(3), Some("lobby".into())).unwrap();
    assert_eq!(lobby.was, lobby.is);
    assert_eq!(roster.close(SessionKey(1)), None, "it shows nothing any more");
    let left = roster.close(SessionKey(2)).unwrap();
    let (was, is) = (left.was.unwrap(), left.is.unwrap());
    assert_eq!((&*is.status, is.rich), ("lobby", None));
    assert!(is.version > was.version, "newer than what it stands behind");
}

#[derive(Clone, Debug)]
enum Op {
    Open(u64, u8, bool),
    Status(u64, Option<u8>),
    Follow(u64, Vec<u8>),
    Unfollow(u64, Vec<u8>),
    Close(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = 0u64..12;
    prop_oneof![
        (key.clone(), 0u8..5, any::<bool>()).prop_map(|(k, a, online)| Op::Open(k, a, online)),
        (key.clone(), proptest::option::of(any::<u8>())).prop_map(|(k, s)| Op::Status(k, s)),
        (key.clone(), proptest::collection::vec(0u8..7, 0..5)).prop_map(|(k, a)| Op::Follow(k, a)),
        (key.clone(), proptest::collection::vec(0u8..7, 0..3))
            .prop_map(|(k, a)| Op::Unfollow(k, a)),
        key.prop_map(Op::Close),
    ]
}

/// What a session has been told: presences by session id, as a client keeps them.
type Seen = BTreeMap<Uuid, Arc<str>>;

#[derive(Default)]
struct Model {
    sessions: BTreeMap<u64, (u8, Option<String>, BTreeSet<u8>)>,
    seen: BTreeMap<u64, Seen>,
}

impl Model {
    fn hearers(&self, about: u8) -> Vec<u64> {
        let hears = |(_, (own, _, follows)): &(&u64, &(u8, Option<String>, BTreeSet<u8>))| {
            *own == about || follows.contains(&about)
        };
        self.sessions.iter().filter(hears).map(|(key, _)| *key).collect()
    }

    /// Applies an event as a client does: leaves, then joins. A leave takes away just what was
    /// shown.
    fn hear(&mut self, roster: &Roster<()>, event: Option<Event>) -> Result<(), TestCaseError> {
        let Some(event) = event else { return Ok(()) };
        prop_assert!(!event.is_empty());
        for (key, ()) in roster.hearers(event.account) {
            let seen = self.seen.entry(key.0).or_default();
            for leave in &event.leaves {
                prop_assert_eq!(seen.remove(&leave.session), Some(leave.status.clone()));
            }
            for join in &event.joins {
                prop_assert_eq!(seen.insert(join.session, join.status.clone()), None);
            }
        }
        Ok(())
    }

    fn apply(&mut self, roster: &mut Roster<()>, op: Op) -> Result<(), TestCaseError> {
        let event = match op {
            Op::Open(key, own, online) => {
                let event = roster.open(SessionKey(key), who(own, key), online, ());
                if self.sessions.contains_key(&key) {
                    prop_assert!(event.is_none());
                    return Ok(());
                }
                let status = online.then(String::new);
                self.sessions.insert(key, (own, status, BTreeSet::new()));
                // A client connects without having seen its player's other sockets; it is told
                // of changes from here on. The model starts it with what is shown.
                let shown =
                    self.shown(own).filter(|presence| presence.session != who(own, key).session);
                let seen = shown.map(|presence| (presence.session, presence.status)).collect();
                self.seen.insert(key, seen);
                event
            }
            Op::Status(key, status) => {
                let status = status.map(|n| n.to_string());
                let event = roster.set_status(SessionKey(key), status.as_deref().map(Into::into));
                if let Some(session) = self.sessions.get_mut(&key) {
                    session.1 = status;
                }
                event
            }
            Op::Follow(key, accounts) => return self.follow(roster, key, &accounts),
            Op::Unfollow(key, accounts) => {
                let ids: Vec<_> = accounts.iter().map(|n| account(*n)).collect();
                roster.unfollow(SessionKey(key), &ids);
                for n in accounts {
                    let shown: Vec<_> = self.shown(n).map(|presence| presence.session).collect();
                    let Some((_, _, follows)) = self.sessions.get_mut(&key) else { continue };
                    if follows.remove(&n) {
                        let seen = self.seen.get_mut(&key).unwrap();
                        seen.retain(|session, _| !shown.contains(session));
                    }
                }
                None
            }
            Op::Close(key) => {
                let event = roster.close(SessionKey(key));
                self.sessions.remove(&key);
                self.seen.remove(&key);
                event
            }
        };
        self.hear(roster, event)
    }

    fn follow(
        &mut self,
        roster: &mut Roster<()>,
        key: u64,
        accounts: &[u8],
    ) -> Result<(), TestCaseError> {
        let ids: Vec<_> = accounts.iter().map(|n| account(*n)).collect();
        let shown = roster.follow(SessionKey(key), &ids, FOLLOWS_MAX);
        let Some((own, _, follows)) = self.sessions.get_mut(&key) else {
            prop_assert!(shown.is_empty());
            return Ok(());
        };
        for n in accounts {
            if n != own && follows.len() < FOLLOWS_MAX {
                follows.insert(*n);
            }
        }
        let told: BTreeSet<u8> = accounts.iter().copied().filter(|n| follows.contains(n)).collect();
        let expected: BTreeSet<_> = told
            .iter()
            .flat_map(|n| self.shown(*n))
            .map(|presence| (presence.session, presence.status))
            .collect();
        let got: Vec<_> = shown.into_iter().map(|it| (it.session, it.status)).collect();
        prop_assert_eq!(got.len(), expected.len());
        let seen = self.seen.get_mut(&key).unwrap();
        seen.extend(got.iter().cloned());
        prop_assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), expected);
        Ok(())
    }

    fn shown(&self, n: u8) -> impl Iterator<Item = Presence> {
        self.sessions.iter().filter(move |(_, session)| session.0 == n).filter_map(
            move |(key, session)| session.1.as_ref().map(|status| presence(n, *key, status)),
        )
    }

    fn check(&self, roster: &Roster<()>) -> Result<(), TestCaseError> {
        prop_assert_eq!(roster.len(), self.sessions.len());
        let shown = self.sessions.values().filter(|session| session.1.is_some()).count();
        prop_assert_eq!(roster.shown(), shown);
        for n in 0..7 {
            prop_assert_eq!(heard(roster, n), self.hearers(n));
            prop_assert_eq!(roster.is_online(account(n)), self.shown(n).next().is_some());
        }
        for (key, (own, _, follows)) in &self.sessions {
            let expected: Seen = follows
                .iter()
                .chain([own])
                .flat_map(|n| self.shown(*n))
                .map(|presence| (presence.session, presence.status))
                .collect();
            prop_assert_eq!(&self.seen[key], &expected, "session {}", key);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn every_hearer_sees_what_is_shown_and_nobody_else_hears(
        ops in proptest::collection::vec(op(), 1..120),
    ) {
        let (mut roster, mut model) = (Roster::default(), Model::default());
        for op in ops {
            model.apply(&mut roster, op)?;
            model.check(&roster)?;
        }
        let keys: Vec<_> = model.sessions.keys().copied().collect();
        for key in keys {
            model.apply(&mut roster, Op::Close(key))?;
        }
        prop_assert!(roster.is_empty() && roster.players.is_empty(), "nothing is left behind");
    }

    #[test]
    fn events_put_together_lead_to_where_they_led_one_by_one(
        steps in proptest::collection::vec((0u64..3, proptest::option::of(any::<u8>())), 1..20),
        split in any::<proptest::sample::Index>(),
    ) {
        let mut roster = Roster::default();
        for key in 0..3 {
            roster.open(SessionKey(key), who(1, key), key == 0, ());
        }
        let events: Vec<_> = steps
            .into_iter()
            .filter_map(|(key, status)| {
                roster.set_status(SessionKey(key), status.map(|n| n.to_string().into()))
            })
            .collect();
        let apply = |seen: &mut BTreeSet<_>, event: &Event| {
            for leave in &event.leaves {
                assert!(seen.remove(&(leave.session, leave.status.clone())), "unknown leave");
            }
            seen.extend(event.joins.iter().map(|join| (join.session, join.status.clone())));
        };
        let start = BTreeSet::from([(who(1, 0).session, Arc::<str>::from(""))]);
        let (mut one_by_one, mut together) = (start.clone(), start);
        for event in &events {
            apply(&mut one_by_one, event);
        }
        let (early, late) = events.split_at(split.index(events.len() + 1));
        for event in early {
            apply(&mut together, event);
        }
        if let Some((first, rest)) = late.split_first() {
            let mut merged = first.clone();
            for event in rest {
                merged.absorb(event);
            }
            prop_assert!(merged.leaves.len() <= 3 && merged.joins.len() <= 3, "it does not grow");
            apply(&mut together, &merged);
        }
        prop_assert_eq!(one_by_one, together);
    }
}
