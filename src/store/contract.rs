//! What every engine has to do. Each promise has a number that a failure names.

use uuid::Uuid;

use crate::domain::account::dossier::DataRequestKind;
use crate::domain::account::office::{self, BanForm, OfficeAsk, OfficeSeen};
use crate::domain::account::sign_in::{Fresh, NewAccount, Seen, SignIn, sign_in};
use crate::domain::account::{
    Account, AccountId, Change, EdgeWrite, Link, LinkKind, NotificationWrite, PassUse, PragmaName,
    Revoked, RevokedToken, generated, names,
};
use crate::domain::friend::{Edge, EdgeState};
use crate::domain::notification::{Notification, Topic};
use crate::domain::time::UnixMicros;

use super::{Store, StoreError};

const NOW: UnixMicros = UnixMicros::from_secs(1_000);

/// Opens the same data each time it is called; the store opened before is closed.
pub type Open<'a> = &'a dyn Fn() -> Box<dyn Store>;

/// Runs the contract. Each part gets data of its own: `fresh` calls it with an `open`.
pub fn check(fresh: impl Fn(&dyn Fn(Open<'_>))) {
    fresh(&staged_is_visible_and_synced_survives);
    fresh(&indexes_follow_the_account);
    fresh(&conflicts_stage_nothing);
    fresh(&generated_names_are_unique);
    fresh(&passes_are_kept_and_forgotten);
    fresh(&revocations_are_kept_and_forgotten);
    fresh(&commits_overlap_with_staging);
    fresh(&relationships_and_notifications_are_kept);
    fresh(&a_deleted_account_leaves_only_its_tombstone);
    fresh(&a_reader_sees_what_is_stored);
    fresh(&accounts_are_gone_through_in_order);
    fresh(&staff_is_found_without_looking_at_players);
}

pub fn device(name: &str) -> Link {
    Link { kind: LinkKind::Device, id: format!("device-{name}") }
}

/// A change that makes an account for a device, under the id the store likes or another.
pub fn create(store: &dyn Store, link: &Link, id: Option<AccountId>) -> Change {
    let ask = SignIn::by(link.clone(), Some(NewAccount::default()));
    let id = id.or_else(|| store.reads().id_for(link));
    let fresh = Fresh {
        account: id.unwrap_or(AccountId(Uuid::from_u128(1))),
        player: Uuid::nil(),
        discriminator: None,
        token_life_s: 60,
    };
    sign_in(&ask, Seen::default(), fresh, NOW).unwrap().change.unwrap()
}

/// A version 4 id that differs with `number`.
pub fn any_id(number: u64) -> AccountId {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bytes = (u128::from(mixed) << 64 | u128::from(number)).to_be_bytes();
    AccountId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

fn edit(before: &Account, edit: impl FnOnce(&mut Account)) -> Change {
    let mut after = before.clone();
    edit(&mut after);
    Change::of(Some(before.clone()), after)
}

fn staged_is_visible_and_synced_survives(open: Open<'_>) {
    let mut store = open();
    let link = device("1");
    assert_eq!(store.reads().account_by_link(&link).unwrap(), None, "S-1: starts empty");
    assert_eq!(store.count(), 0, "S-1");
    store.sync().unwrap();

    let change = create(store.as_ref(), &link, None);
    let made = Some(change.after.clone());
    store.stage(&change).unwrap();
    assert_eq!(store.reads().account_by_link(&link).unwrap(), made, "S-2: staged is visible");
    store.sync().unwrap();
    assert_eq!(store.reads().account_by_link(&link).unwrap(), made, "S-2: and stays so");
    assert_eq!(store.count(), 1, "S-3: counted");
    let lost = create(store.as_ref(), &device("2"), Some(any_id(2)));
    store.stage(&lost).unwrap();
    store.close().unwrap();

    let store = open();
    assert_eq!(
        store.reads().account_by_link(&link).unwrap(),
        made,
        "S-4: synced survives a reopen"
    );
    assert_eq!(store.reads().account(change.after.id).unwrap(), made, "S-4");
    assert_eq!(store.reads().account_by_username(&change.after.username).unwrap(), made, "S-4");
    assert_eq!(store.reads().account(lost.after.id).unwrap(), None, "S-5: not synced, not there");
    assert_eq!(store.count(), 1, "S-5");
    store.close().unwrap();
}

fn indexes_follow_the_account(open: Open<'_>) {
    let mut store = open();
    for (number, id) in [(1, None), (2, Some(any_id(2)))] {
        let link = device(&number.to_string());
        let change = create(store.as_ref(), &link, id);
        store.stage(&change).unwrap();
        let generated = change.after.username.clone();

        let chosen = format!("Chosen {number}");
        let name = PragmaName { name: "Ada".into(), discriminator: number };
        let renamed = edit(&change.after, |account| {
            account.username.clone_from(&chosen);
            account.links = vec![device("x"), Link { kind: LinkKind::Email, id: "mail".into() }];
            account.password = Some("hash".into());
            account.pragma_name = Some(name);
        });
        store.stage(&renamed).unwrap();
        let (after, none) = (Some(renamed.after.clone()), None);
        assert_eq!(store.reads().account_by_link(&link).unwrap(), none, "S-6: an old link is gone");
        assert_eq!(
            store.reads().account_by_username(&generated).unwrap(),
            none,
            "S-6: an old name too"
        );
        for link in &renamed.after.links {
            assert_eq!(
                store.reads().account_by_link(link).unwrap(),
                after,
                "S-7: new links are found"
            );
        }
        assert_eq!(store.reads().account_by_username(&chosen).unwrap(), after, "S-7");
        assert!(
            store.reads().has_pragma_name(&names::fold_display_name("ADA"), number).unwrap(),
            "S-7"
        );
        assert!(!store.reads().has_pragma_name("ad", number).unwrap(), "S-7");

        store.sync().unwrap();
        let back = edit(&renamed.after, |account| {
            account.username.clone_from(&generated);
            account.links = vec![link.clone()];
            account.pragma_name = None;
        });
        store.stage(&back).unwrap();
        store.sync().unwrap();
        store.close().unwrap();
        store = open();
        let (after, none) = (Some(back.after), None);
        assert_eq!(store.reads().account_by_link(&link).unwrap(), after, "S-8: and back again");
        assert_eq!(store.reads().account_by_username(&generated).unwrap(), after, "S-8");
        assert_eq!(store.reads().account_by_link(&device("x")).unwrap(), none, "S-8");
        assert_eq!(store.reads().account_by_username(&chosen).unwrap(), none, "S-8");
        assert!(!store.reads().has_pragma_name("ada", number).unwrap(), "S-8");
    }
    assert_eq!(store.count(), 2);
    store.close().unwrap();
}

fn conflicts_stage_nothing(open: Open<'_>) {
    let mut store = open();
    let first = create(store.as_ref(), &device("1"), None).after;
    let first = Account {
        username: "Taken".into(),
        pragma_name: Some(PragmaName { name: "Ada".into(), discriminator: 1 }),
        ..first
    };
    store.stage(&Change::of(None, first.clone())).unwrap();
    let other = create(store.as_ref(), &device("2"), Some(any_id(2))).after;
    store.stage(&Change::of(None, other.clone())).unwrap();
    store.sync().unwrap();

    let conflicts = [
        Change::of(None, first.clone()),
        create(store.as_ref(), &device("1"), Some(any_id(3))),
        edit(&other, |account| account.links.push(device("1"))),
        edit(&first, |account| account.links.push(device("2"))),
        edit(&other, |account| account.username = "Taken".into()),
        edit(&first, |account| account.username.clone_from(&other.username)),
        edit(&other, |account| account.pragma_name.clone_from(&first.pragma_name)),
    ];
    for (number, change) in conflicts.iter().enumerate() {
        let refused = store.stage(change);
        assert!(matches!(refused, Err(StoreError::Conflict)), "S-9: conflict {number}");
    }
    assert!(store.seal().is_none(), "S-9: nothing is staged");
    assert_eq!(store.reads().account_by_link(&device("1")).unwrap(), Some(first), "S-9");
    assert_eq!(store.reads().account_by_link(&device("2")).unwrap(), Some(other), "S-9");
    assert_eq!(store.count(), 2, "S-9");
    store.close().unwrap();
}

fn generated_names_are_unique(open: Open<'_>) {
    let mut store = open();
    let twins = [any_id(5), AccountId(Uuid::from_u128(any_id(5).0.as_u128() ^ 1))];
    assert_eq!(generated::username(twins[0]), generated::username(twins[1]));
    assert!(store.reads().is_free(twins[0]).unwrap(), "S-10: free before");
    let change = create(store.as_ref(), &device("1"), Some(twins[0]));
    store.stage(&change).unwrap();
    for _ in 0..2 {
        assert!(!store.reads().is_free(twins[0]).unwrap(), "S-10: an id is given once");
        assert!(!store.reads().is_free(twins[1]).unwrap(), "S-10: and so is its name");
        store.sync().unwrap();
    }
    assert!(store.reads().is_free(any_id(6)).unwrap(), "S-10");
    let squatter = create(store.as_ref(), &device("2"), Some(any_id(7))).after;
    let squatter = Account { username: generated::username(any_id(6)), ..squatter };
    store.stage(&Change::of(None, squatter)).unwrap();
    assert!(!store.reads().is_free(any_id(6)).unwrap(), "S-10: nor a name somebody chose");
    store.close().unwrap();
}

fn passes_are_kept_and_forgotten(open: Open<'_>) {
    let mut store = open();
    let pass = |number, seconds| PassUse {
        epoch: 3,
        number,
        remember_until: UnixMicros(NOW.plus_secs(seconds).0 - 1),
    };
    let mut account = None;
    for (number, seconds) in [(1, 10), (2, 100), (3, 10), (4, 100)] {
        let made = create(store.as_ref(), &device("1"), None);
        let change = Change {
            redeemed: Some(pass(number, seconds)),
            ..Change::of(account.clone(), made.after.clone())
        };
        account = Some(made.after);
        store.stage(&change).unwrap();
        assert!(store.redeemed_by(3, number).unwrap().is_some(), "S-11: visible at once");
        if number != 1 {
            store.sync().unwrap(); // two in the first commit
        }
    }
    store.close().unwrap();

    let mut store = open();
    let holder = account.map(|account| account.id);
    assert_eq!(store.redeemed_by(3, 1).unwrap(), holder, "S-12: survives a reopen");
    assert_eq!(store.redeemed_by(4, 1).unwrap(), None, "S-12: of its own epoch");
    assert_eq!(store.redemptions().unwrap().len(), 4, "S-12");
    assert_eq!(store.forget(NOW.plus_secs(10), 9).unwrap(), 0, "S-13: not too early");
    store.forget(NOW.plus_secs(11), 9).unwrap();
    assert_eq!(store.redeemed_by(3, 2).unwrap(), holder, "S-13");
    assert_eq!(store.redeemed_by(3, 4).unwrap(), holder, "S-13");
    assert_eq!(store.redeemed_by(3, 3).unwrap(), None, "S-14: forgotten in time");
    store.sync().unwrap();
    store.close().unwrap();

    let mut store = open();
    assert_eq!(store.redeemed_by(3, 3).unwrap(), None, "S-14: and after a reopen");
    while store.forget(NOW.plus_secs(101), 1).unwrap() > 0 {}
    assert_eq!(store.redemptions().unwrap(), [], "S-14");
    store.close().unwrap();
}

fn revocations_are_kept_and_forgotten(open: Open<'_>) {
    let mut store = open();
    let token = RevokedToken { id: Uuid::from_u128(9), refresh: true, expires_at: 1_030 };
    let revoked =
        Revoked { before_us: 0, before_until: 0, tokens: vec![token], ..Revoked::default() };
    for number in 1..=2 {
        let id = any_id(number);
        let mut change = create(store.as_ref(), &device(&number.to_string()), Some(id));
        change.revoked = (number == 1).then(|| revoked.clone());
        store.stage(&change).unwrap();
    }
    assert_eq!(store.reads().revoked(any_id(1)).unwrap(), revoked, "S-15: visible at once");
    assert_eq!(store.reads().revoked(any_id(2)).unwrap(), Revoked::default(), "S-15");
    store.sync().unwrap();
    store.close().unwrap();

    let mut store = open();
    let all = store.revocations().unwrap();
    assert_eq!(all, [(any_id(1), revoked)], "S-16: survives a reopen");
    assert_eq!(store.forget(UnixMicros::from_secs(1_030), 9).unwrap(), 0, "S-17: not too early");
    assert_eq!(store.forget(UnixMicros::from_secs(1_031), 9).unwrap(), 1, "S-17: but in time");
    assert_eq!(store.revocations().unwrap(), [], "S-17");
    store.sync().unwrap();
    store.close().unwrap();
    let store = open();
    assert_eq!(store.revocations().unwrap(), [], "S-17: and after a reopen");
    store.close().unwrap();
}

fn commits_overlap_with_staging(open: Open<'_>) {
    let mut store = open();
    let first = create(store.as_ref(), &device("1"), None);
    store.stage(&first).unwrap();
    let commit = store.seal().unwrap();
    let second = edit(&first.after, |account| account.links.push(device("2")));
    store.stage(&second).unwrap();
    let found = store.reads().account_by_link(&device("1")).unwrap();
    assert_eq!(found.as_ref(), Some(&second.after), "S-18: the newer layer is on top");
    commit.run().unwrap();
    store.settled();
    let found = store.reads().account_by_link(&device("2")).unwrap();
    assert_eq!(found.as_ref(), Some(&second.after), "S-18: and stays when the older is done");
    store.close().unwrap();

    let store = open();
    let found = store.reads().account_by_link(&device("1")).unwrap();
    assert_eq!(found, Some(first.after), "S-19: only what was sealed is stored");
    assert_eq!(store.reads().account_by_link(&device("2")).unwrap(), None, "S-19");
    store.close().unwrap();
}

/// A change beside an account that is there.
fn beside(account: &Account, change: impl FnOnce(&mut Change)) -> Change {
    let mut made = Change::beside(account);
    change(&mut made);
    made
}

fn edge(state: EdgeState) -> Edge {
    Edge { state, position: 7, updated_at: 7, metadata: String::new() }
}

fn notification(number: u128) -> Notification {
    let sender = AccountId(Uuid::from_u128(9));
    Notification::from_friend(Uuid::from_u128(number), Topic::FriendRequest, sender, "ada", NOW)
}

fn relationships_and_notifications_are_kept(open: Open<'_>) {
    let mut store = open();
    let change = create(store.as_ref(), &device("1"), None);
    store.stage(&change).unwrap();
    let (me, other) = (change.after, any_id(2));
    let write = |state| EdgeWrite { owner: me.id, other, edge: Some(edge(state)) };
    let keep = |number| NotificationWrite::Keep(me.id, notification(number));
    let change = beside(&me, |change| {
        change.edges = vec![write(EdgeState::InviteSent)];
        change.notifications = vec![keep(3), keep(1), keep(2)];
    });
    store.stage(&change).unwrap();
    let friends = vec![(other, edge(EdgeState::InviteSent))];
    for when in ["staged", "stored", "opened again"] {
        let reads = store.reads();
        assert_eq!(reads.edges(me.id).unwrap(), friends, "S-20: {when}");
        assert_eq!(reads.edge(other, me.id).unwrap(), None, "S-20: one side only, {when}");
        let all = reads.notifications(me.id, None, 9).unwrap();
        assert_eq!(all, [1, 2, 3].map(notification), "S-21: in the order of their ids, {when}");
        let some = reads.notifications(me.id, Some(Uuid::from_u128(1)), 1).unwrap();
        assert_eq!(some, [notification(2)], "S-21: behind one, {when}");
        assert_eq!(reads.notifications(other, None, 9).unwrap(), [], "S-21: nobody else's");
        store.sync().unwrap();
        if when == "stored" {
            store.close().unwrap();
            store = open();
        }
    }
    let gone = beside(&me, |change| {
        change.edges = vec![EdgeWrite { owner: me.id, other, edge: None }];
        change.notifications = vec![NotificationWrite::Drop(me.id, Uuid::from_u128(2))];
    });
    store.stage(&gone).unwrap();
    store.sync().unwrap();
    assert_eq!(store.reads().edges(me.id).unwrap(), [], "S-22: what goes is gone");
    let left = store.reads().notifications(me.id, None, 9).unwrap();
    assert_eq!(left, [1, 3].map(notification), "S-22");
}

fn a_deleted_account_leaves_only_its_tombstone(open: Open<'_>) {
    let mut store = open();
    let link = device("1");
    let made = create(store.as_ref(), &link, None);
    store.stage(&made).unwrap();
    let named = edit(&made.after, |account| {
        account.username = "ada".into();
        account.links.push(device("2"));
    });
    store.stage(&named).unwrap();
    store.sync().unwrap();
    let change = beside(&named.after, |change| change.deletes = true);
    store.stage(&change).unwrap();
    let id = named.after.id;
    for when in ["staged", "stored"] {
        let reads = store.reads();
        assert_eq!(reads.account(id).unwrap(), None, "S-23: {when}");
        for link in [&link, &device("2")] {
            assert_eq!(reads.account_by_link(link).unwrap(), None, "S-23: {when}");
        }
        assert_eq!(reads.account_by_username("ada").unwrap(), None, "S-23: {when}");
        assert!(!reads.is_unused(id).unwrap() && !reads.is_free(id).unwrap(), "S-24: {when}");
        assert_eq!(store.count(), 0, "S-23: {when}");
        store.sync().unwrap();
    }
    let again = create(store.as_ref(), &link, Some(id));
    assert!(matches!(store.stage(&again), Err(StoreError::Conflict)), "S-24: no id comes back");
    let other = create(store.as_ref(), &link, Some(any_id(5)));
    store.stage(&other).unwrap();
    let found = store.reads().account_by_link(&link).unwrap();
    assert_eq!(found, Some(other.after), "S-24: the link is free for another");
}

fn a_reader_sees_what_is_stored(open: Open<'_>) {
    let mut store = open();
    let reader = store.reader();
    let link = device("1");
    let made = create(store.as_ref(), &link, None);
    store.stage(&made).unwrap();
    assert_eq!(reader.account_by_link(&link).unwrap(), None, "S-25: staged is not stored");
    store.sync().unwrap();
    assert_eq!(reader.account_by_link(&link).unwrap(), Some(made.after.clone()), "S-25");
    let seen = std::thread::spawn(move || (reader.account(made.after.id).unwrap(), reader));
    let (seen, reader) = seen.join().unwrap();
    assert!(seen.is_some(), "S-25: from any thread");
    store.close().unwrap();
    let closed = reader.account_by_link(&link);
    assert!(matches!(closed, Err(StoreError::Abandoned)), "S-26: not after closing");
    assert_eq!(open().count(), 1, "S-26: a reader does not keep the store open");
}

fn accounts_are_gone_through_in_order(open: Open<'_>) {
    let mut store = open();
    assert_eq!(store.reads().scan_accounts(None, 9).unwrap(), [], "S-27: none yet");
    let mut ids: Vec<_> = (1..=6).map(any_id).collect();
    let add = |store: &mut Box<dyn Store>, id: AccountId| {
        let change = create(store.as_ref(), &device(&id.0.to_string()), Some(id));
        store.stage(&change).unwrap();
        change.after
    };
    let goes = add(&mut store, ids[0]);
    ids[1..4].iter().for_each(|id| drop(add(&mut store, *id)));
    store.sync().unwrap();
    ids[4..].iter().for_each(|id| drop(add(&mut store, *id))); // staged only
    store.stage(&beside(&goes, |change| change.deletes = true)).unwrap();
    ids.remove(0);
    ids.sort_unstable();
    for when in ["staged", "stored"] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let some = store.reads().scan_accounts(after, 2).unwrap();
            assert!(some.len() <= 2, "S-27: {when}");
            let Some(last) = some.last() else { break };
            after = Some(last.id);
            seen.extend(some.iter().map(|account| account.id));
        }
        assert_eq!(seen, ids, "S-27: each once, {when}");
        store.sync().unwrap();
    }
    let (ban, request) = (Uuid::from_u128(71), Uuid::from_u128(72));
    let known = store.reads().account(ids[0]).unwrap().unwrap();
    let marked = edit(&known, |account| {
        let form = BanForm::sample();
        let realm = crate::domain::realm::Realm::default();
        for (ask, fresh) in [
            (OfficeAsk::Ban(form), ban),
            (OfficeAsk::SubmitRequest(DataRequestKind::PersonalData), request),
        ] {
            let seen = OfficeSeen { realm: &realm, fresh };
            *account = office::decide(account.clone(), &ask, seen, NOW).unwrap().change.after;
        }
    });
    store.stage(&marked).unwrap();
    for when in ["staged", "stored"] {
        for matter in [ban, request] {
            let found = store.reads().account_by_matter(matter).unwrap();
            assert_eq!(found, Some(marked.after.clone()), "S-28: {when}");
        }
        store.sync().unwrap();
    }
    let gone = edit(&marked.after, |account| account.dossier_mut().bans.clear());
    store.stage(&gone).unwrap();
    assert_eq!(store.reads().account_by_matter(ban).unwrap(), None, "S-28: and gone");
    store.close().unwrap();
}

fn staff_is_found_without_looking_at_players(open: Open<'_>) {
    let mut store = open();
    let add = |store: &mut Box<dyn Store>, number: u64| {
        let change = create(store.as_ref(), &device(&number.to_string()), Some(any_id(number)));
        store.stage(&change).unwrap();
        change.after
    };
    let [ada, bob, _player] = [1, 2, 3].map(|number| add(&mut store, number));
    assert_eq!(store.reads().staff().unwrap(), [], "S-29: players are none");
    let mut hired = [ada, bob].map(|account| {
        let hired = edit(&account, |account| account.dossier_mut().roles = vec![Uuid::max()]);
        store.stage(&hired).unwrap();
        hired.after
    });
    hired.sort_unstable_by_key(|account| account.id);
    for when in ["staged", "stored"] {
        assert_eq!(store.reads().staff().unwrap(), hired, "S-29: {when}");
        store.sync().unwrap();
    }
    store.stage(&edit(&hired[0], |account| account.dossier_mut().roles.clear())).unwrap();
    store.stage(&beside(&hired[1], |change| change.deletes = true)).unwrap();
    assert_eq!(store.reads().staff().unwrap(), [], "S-29: neither those who were");
    store.close().unwrap();
}
