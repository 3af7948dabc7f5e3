use proptest::prelude::*;

use super::*;
use crate::domain::account::AccountId;

const NOW_MS: u64 = 1_000_000;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn group(number: u128, name: &str) -> Group {
    Group { id: id(number), name: name.into(), description: String::new() }
}

fn event(number: u128, groups: &[u128], start_ms: u64, end_ms: u64) -> Event {
    Event {
        id: id(number),
        shard: id(50),
        name: "weekend".into(),
        description: String::new(),
        groups: groups.iter().map(|group| id(*group)).collect(),
        start_ms,
        end_ms,
        time_zone: "Europe/Berlin".into(),
    }
}

fn partner(label: &str) -> PartnerToken {
    PartnerToken {
        id: Uuid::nil(),
        shard: id(50),
        label: label.into(),
        permissions: vec!["b.c.get".into(), "a.b.get".into(), "a.b.get".into()],
        by: AccountId(id(70)),
        created_ms: 0,
        revoked_ms: 9,
    }
}

fn realm() -> Realm {
    Realm {
        tags: vec![Tag { id: id(1), text: "VIP".into() }],
        groups: vec![group(11, "Staff"), group(12, "Testers"), group(13, "Press")],
        roles: vec![Role { id: id(21), name: "Support".into(), permissions: vec![] }],
        access: vec![Access { shard: id(50), is_limited: true, groups: vec![id(11)] }],
        events: vec![event(31, &[12], 0, NOW_MS + 1), event(32, &[13], 0, NOW_MS)],
        ..Realm::default()
    }
}

fn ask(ask: &RealmAsk) -> Result<RealmChanged, RealmRefusal> {
    change(&realm(), ask, id(99), NOW_MS)
}

#[test]
fn every_refusal_is_told_apart() {
    use RealmAsk::*;
    use RealmRefusal::*;
    let long = "x".repeat(NAME_MAX + 1);
    let wordy = "x".repeat(DESCRIPTION_MAX + 1);
    for (wish, refusal) in [
        (CreateTag(" ".into()), Length(Kind::Tag)),
        (CreateTag(long.clone()), Length(Kind::Tag)),
        (CreateTag("a\nb".into()), Length(Kind::Tag)),
        (RenameTag(id(2), "new".into()), Unknown(Kind::Tag)),
        (DeleteTag(id(2)), Unknown(Kind::Tag)),
        (CreateGroup("staff ".into(), String::new()), NameTaken(Kind::Group)),
        (CreateGroup("new".into(), wordy), Length(Kind::Group)),
        (UpdateGroup(id(12), "STAFF".into(), String::new()), NameTaken(Kind::Group)),
        (UpdateGroup(id(10), "new".into(), String::new()), Unknown(Kind::Group)),
        (DeleteGroup(id(10)), Unknown(Kind::Group)),
        (DeleteGroup(id(11)), GroupInUse),
        (DeleteGroup(id(12)), GroupInUse),
        (CreateRole("support".into(), vec![]), NameTaken(Kind::Role)),
        (CreateRole("admin".into(), vec![]), NameTaken(Kind::Role)),
        (UpdateRole(id(21), "Admin".into(), vec![]), NameTaken(Kind::Role)),
        (CreateRole("new".into(), vec![String::new()]), Length(Kind::Role)),
        (UpdateRole(ADMIN, "new".into(), vec![]), BuiltIn),
        (DeleteRole(ADMIN), BuiltIn),
        (UpdateRole(id(22), "new".into(), vec![]), Unknown(Kind::Role)),
        (DeleteRole(id(22)), Unknown(Kind::Role)),
        (SetFullAccess(id(50), vec![id(14)]), Unknown(Kind::Group)),
        (CreateEvent(event(0, &[14], 1, 2)), Unknown(Kind::Group)),
        (CreateEvent(event(0, &[12], 2, 2)), Interval),
        (UpdateEvent(event(31, &[12], 2, 1)), Interval),
        (UpdateEvent(event(30, &[12], 1, 2)), Unknown(Kind::Event)),
        (DeleteEvent(id(30)), Unknown(Kind::Event)),
        (RevokePartner(id(40)), Unknown(Kind::Partner)),
        (RelabelPartner(id(40), "new".into()), Unknown(Kind::Partner)),
    ] {
        assert_eq!(ask(&wish), Err(refusal), "{wish:?}");
    }
}

#[test]
fn a_tag_that_says_the_same_is_the_tag_asked_for() {
    let same = ask(&RealmAsk::CreateTag(" vip".into())).unwrap();
    assert_eq!((same.id, &same.realm), (id(1), &realm()));
    let new = ask(&RealmAsk::CreateTag("Cheater".into())).unwrap();
    assert_eq!((new.id, new.realm.tag(id(99)).unwrap().text.as_str()), (id(99), "Cheater"));
    let renamed = ask(&RealmAsk::RenameTag(id(1), "vip".into())).unwrap();
    assert_eq!(renamed.realm.tag(id(1)).unwrap().text, "vip", "its own name is free to it");
}

#[test]
fn a_group_goes_once_nothing_depends_on_it() {
    let gone = ask(&RealmAsk::DeleteGroup(id(13))).unwrap().realm;
    assert!(!gone.has_group(id(13)));
    let past = gone.events.iter().find(|event| event.id == id(32)).unwrap();
    assert!(past.groups.is_empty(), "an event that is over forgets it");
}

#[test]
fn who_may_enter_follows_mode_groups_and_events() {
    let open = ask(&RealmAsk::SetLimited(id(50), false)).unwrap().realm;
    assert!(open.may_enter(id(50), &[], NOW_MS));
    assert_eq!(open.access[0].groups, [id(11)], "the list is kept for the next time");
    let mut realm = realm();
    for step in [
        RealmAsk::SetLimited(id(51), true),
        RealmAsk::SetFullAccess(id(51), vec![id(13), id(12), id(13)]),
    ] {
        realm = change(&realm, &step, id(99), NOW_MS).unwrap().realm;
    }
    assert!(!realm.may_enter(id(51), &[id(11)], NOW_MS));
    assert!(realm.may_enter(id(51), &[id(13)], NOW_MS));
    assert_eq!(realm.access[1].groups, [id(12), id(13)], "each once");
}

#[test]
fn partner_tokens_are_good_until_revoked_and_their_records_go_first() {
    let mut realm = Realm::default();
    for number in 0..ENTRIES_MAX as u128 {
        let added = RealmAsk::AddPartner(partner(&format!("fleet {number}")));
        let added = change(&realm, &added, id(number + 1), NOW_MS).unwrap();
        assert_eq!(added.id, id(number + 1));
        realm = added.realm;
    }
    let first = &realm.partners[0];
    assert_eq!((first.created_ms, first.revoked_ms), (NOW_MS, 0));
    assert_eq!(first.permissions, ["a.b.get", "b.c.get"]);
    assert!(realm.partner_is_good(id(1)));
    let more = RealmAsk::AddPartner(partner("one more"));
    let full = change(&realm, &more, id(5_000), NOW_MS);
    assert_eq!(full, Err(RealmRefusal::TooMany(Kind::Partner)));
    realm = change(&realm, &RealmAsk::RevokePartner(id(7)), id(0), NOW_MS).unwrap().realm;
    assert!(!realm.partner_is_good(id(7)));
    let again = change(&realm, &RealmAsk::RevokePartner(id(7)), id(0), NOW_MS + 5).unwrap().realm;
    assert_eq!(again, realm, "when it was first revoked stays");
    realm = change(&realm, &more, id(5_000), NOW_MS).unwrap().realm;
    assert!(realm.partner_is_good(id(5_000)) && !realm.partner_is_good(id(7)));
    assert_eq!(realm.partners.len(), ENTRIES_MAX);
}

#[test]
fn a_full_list_of_events_loses_one_that_is_over() {
    let mut full = realm();
    full.events = (0..ENTRIES_MAX as u128).map(|at| event(at, &[12], 0, NOW_MS + 1)).collect();
    let more = RealmAsk::CreateEvent(event(0, &[12], 5, 6));
    let refused = change(&full, &more, id(9_999), NOW_MS);
    assert_eq!(refused, Err(RealmRefusal::TooMany(Kind::Event)));
    let later = change(&full, &more, id(9_999), NOW_MS + 1).unwrap().realm;
    assert_eq!((later.events.len(), later.events[0].id), (ENTRIES_MAX, id(1)));
}

fn any_ask() -> impl Strategy<Value = RealmAsk> {
    let number = || (0_u128..30).prop_map(id);
    let name = || "[a-c]{0,2}";
    prop_oneof![
        name().prop_map(RealmAsk::CreateTag),
        (number(), name()).prop_map(|(id, name)| RealmAsk::RenameTag(id, name)),
        number().prop_map(RealmAsk::DeleteTag),
        name().prop_map(|name| RealmAsk::CreateGroup(name, String::new())),
        (number(), name()).prop_map(|(id, name)| RealmAsk::UpdateGroup(id, name, String::new())),
        number().prop_map(RealmAsk::DeleteGroup),
        name().prop_map(|name| RealmAsk::CreateRole(name, vec!["x".into()])),
        number().prop_map(RealmAsk::DeleteRole),
        (number(), any::<bool>()).prop_map(|(shard, on)| RealmAsk::SetLimited(shard, on)),
        (number(), number()).prop_map(|(shard, group)| RealmAsk::SetFullAccess(shard, vec![group])),
        number().prop_map(|group| {
            RealmAsk::CreateEvent(Event { groups: vec![group], ..event(0, &[], 1, NOW_MS * 2) })
        }),
        name().prop_map(|label| RealmAsk::AddPartner(partner(&label))),
        number().prop_map(RealmAsk::RevokePartner),
    ]
}

proptest! {
    /// Whatever is asked: names are told apart, and nobody is let in by a group that is not there.
    #[test]
    fn names_stay_apart_and_groups_stay_known(asks in prop::collection::vec(any_ask(), 1..60)) {
        let mut realm = Realm::default();
        for (fresh, wish) in asks.iter().enumerate() {
            if let Ok(changed) = change(&realm, wish, id(fresh as u128), NOW_MS) {
                realm = changed.realm;
            }
            let mut names: Vec<_> = realm.groups.iter().map(|it| it.name.to_lowercase()).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), count);
            let used = realm.access.iter().flat_map(|it| &it.groups);
            let used = used.chain(realm.events.iter().flat_map(|it| &it.groups));
            for group in used {
                prop_assert!(realm.has_group(*group));
            }
        }
    }
}
