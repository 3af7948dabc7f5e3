use proptest::prelude::*;

use super::*;
use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::dossier::BY_SYSTEM;
use crate::domain::account::{Link, LinkKind};
use crate::domain::operator::{Way, bindings_of};
use crate::domain::realm::{Group, Role, Tag};

const NOW: UnixMicros = UnixMicros::from_secs(1_000_000);

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn account(number: u128) -> Account {
    let link = Link { kind: LinkKind::Unsafe, id: format!("player {number}") };
    Account::sample(AccountId(id(number)), link)
}

fn realm() -> Realm {
    Realm {
        tags: (1..=100).map(|at| Tag { id: id(at), text: format!("tag {at}") }).collect(),
        groups: vec![Group { id: id(200), name: "staff".into(), description: String::new() }],
        roles: vec![Role { id: id(300), name: "support".into(), permissions: vec![] }],
        ..Realm::default()
    }
}

fn form(scope: BanScope, duration_ms: u64) -> OfficeAsk {
    OfficeAsk::Ban(BanForm {
        scope,
        duration_ms,
        reason: "CHEATING".into(),
        comment: "seen by three".into(),
        by: AccountId(id(70)),
        ends_sessions: false,
    })
}

fn after(
    account: Account,
    ask: &OfficeAsk,
    realm: &Realm,
    fresh: u128,
    now: UnixMicros,
) -> Result<Decided, Refusal> {
    let seen = OfficeSeen { realm, fresh: id(fresh) };
    decide(account, ask, seen, now)
}

fn done(account: Account, ask: &OfficeAsk) -> Account {
    after(account, ask, &realm(), 9_000, NOW).unwrap().change.after
}

fn refused(account: Account, ask: &OfficeAsk, realm: &Realm) -> Refusal {
    after(account, ask, realm, 9_000, NOW).unwrap_err()
}

#[test]
fn a_ban_counts_from_now_and_until_revoked() {
    let banned = done(account(1), &form(BanScope::FullAccount, 60_000));
    let ban = &banned.dossier().bans[0];
    assert_eq!((ban.id, ban.start_ms, ban.by.0), (id(9_000), 1_000_000_000, id(70)));
    assert!(banned.is_banned(NOW) && !banned.is_banned(NOW.plus_secs(60)));
    let revoked = done(banned, &OfficeAsk::RevokeBan(id(9_000), BY_SYSTEM));
    assert!(!revoked.is_banned(NOW));
    let again = done(revoked.clone(), &OfficeAsk::RevokeBan(id(9_000), AccountId(id(5))));
    assert_eq!(again, revoked, "who revoked it first stays");
    let unknown = refused(account(1), &OfficeAsk::RevokeBan(id(9), BY_SYSTEM), &realm());
    assert_eq!(unknown, OfficeRefusal::UnknownBan.into());
}

#[test]
fn a_full_history_loses_the_oldest_ban_that_is_over_and_never_one_in_force() {
    let mut banned = account(1);
    for at in 0..ENTRIES_MAX as u128 {
        let life = if at == 3 || at == 5 { 1 } else { FOREVER_MS };
        let ask = form(BanScope::AllGameShards, life);
        banned = after(banned, &ask, &realm(), 1_000 + at, NOW).unwrap().change.after;
    }
    let later = NOW.plus_secs(1);
    for (fresh, gone) in [(2_000, 1_003), (2_001, 1_005)] {
        let ask = form(BanScope::AllGameShards, FOREVER_MS);
        banned = after(banned, &ask, &realm(), fresh, later).unwrap().change.after;
        assert!(!banned.dossier().bans.iter().any(|ban| ban.id == id(gone)));
        assert_eq!(banned.dossier().bans.len(), ENTRIES_MAX);
    }
    let refused = after(banned, &form(BanScope::AllGameShards, 1), &realm(), 2_002, later);
    assert_eq!(refused, Err(OfficeRefusal::TooManyBans.into()));
}

#[test]
fn tags_groups_and_roles_are_sets_of_what_the_realm_has() {
    let tagged = done(account(1), &OfficeAsk::AddTags(vec![id(2), id(1), id(2)]));
    assert_eq!(tagged.dossier().tags, [id(2), id(1)]);
    let again = after(tagged.clone(), &OfficeAsk::AddTags(vec![id(1)]), &realm(), 9, NOW).unwrap();
    assert!(again.change.is_empty(), "what is so already is not written");
    let fewer = done(tagged, &OfficeAsk::RemoveTags(vec![id(2), id(77)]));
    assert_eq!(fewer.dossier().tags, [id(1)]);
    let untouched = after(account(1), &OfficeAsk::RemoveTags(vec![id(2)]), &realm(), 9, NOW);
    assert!(untouched.unwrap().change.is_empty());
    assert_eq!(done(account(1), &OfficeAsk::AddGroups(vec![id(200)])).dossier().groups, [id(200)]);
    for (ask, kind) in [
        (OfficeAsk::AddTags(vec![id(1), id(200)]), Kind::Tag),
        (OfficeAsk::AddGroups(vec![id(1)]), Kind::Group),
        (OfficeAsk::AddRoles(vec![id(1_000)]), Kind::Role),
    ] {
        assert_eq!(refused(account(1), &ask, &realm()), RealmRefusal::Unknown(kind).into());
    }
}

#[test]
fn a_full_set_forgets_what_the_realm_has_not_any_more() {
    let most: Vec<_> = (1..=ENTRIES_MAX as u128).map(id).collect();
    let full = done(account(1), &OfficeAsk::AddTags(most));
    let more = OfficeAsk::AddTags(vec![id(99)]);
    let too_many = refused(full.clone(), &more, &realm());
    assert_eq!(too_many, OfficeRefusal::TooMany(Kind::Tag).into());
    let mut smaller = realm();
    smaller.tags.retain(|tag| tag.id != id(3));
    let tagged = after(full, &more, &smaller, 9, NOW).unwrap().change.after;
    assert!(tagged.dossier().tags.contains(&id(99)) && !tagged.dossier().tags.contains(&id(3)));
}

#[test]
fn there_is_always_an_administrator_left() {
    let mut realm = realm();
    let mut grant = |who: u128, ask: OfficeAsk| {
        let decided = after(account(who), &ask, &realm, 9, NOW).unwrap();
        if let Some(changed) = &decided.change.realm {
            realm = (**changed).clone();
        }
        decided.change.after
    };
    let first = grant(1, OfficeAsk::FirstAdmin);
    assert_eq!(first.dossier().roles, [ADMIN]);
    let late = grant(2, OfficeAsk::FirstAdmin);
    assert!(late.dossier().roles.is_empty(), "only the first becomes one of itself");
    let remove = OfficeAsk::RemoveRoles(vec![ADMIN]);
    let full_ban = form(BanScope::FullAccount, FOREVER_MS);
    let game_ban = form(BanScope::AllGameShards, FOREVER_MS);
    let last = Refusal::from(OfficeRefusal::LastAdmin);
    assert_eq!(refused(first.clone(), &remove, &realm), last);
    assert_eq!(refused(first.clone(), &full_ban, &realm), last);
    assert!(after(first.clone(), &game_ban, &realm, 9, NOW).is_ok());
    assert_eq!(departed(first.id, &realm), Err(OfficeRefusal::LastAdmin));
    assert_eq!(departed(AccountId(id(8)), &realm), Ok(None));

    let second = after(account(2), &OfficeAsk::AddRoles(vec![ADMIN]), &realm, 9, NOW).unwrap();
    let two = *second.change.realm.unwrap();
    assert_eq!(two.admins, [AccountId(id(1)), AccountId(id(2))]);
    let resigned = after(first, &remove, &two, 9, NOW).unwrap();
    assert_eq!(resigned.change.realm.unwrap().admins, [AccountId(id(2))]);
}

#[test]
fn a_request_goes_forward_one_of_its_kind_at_a_time() {
    use DataRequestKind::{AccountDeletion, PersonalData};
    use DataRequestStatus::{Canceled, Failed, Fulfilled, InProgress, Ready};
    let asked = done(account(1), &OfficeAsk::SubmitRequest(PersonalData));
    let twice = refused(asked.clone(), &OfficeAsk::SubmitRequest(PersonalData), &realm());
    assert_eq!(twice, OfficeRefusal::RequestInProgress.into());
    let both = after(asked, &OfficeAsk::SubmitRequest(AccountDeletion), &realm(), 9_001, NOW);
    let both = both.unwrap().change.after;
    assert_eq!(both.dossier().data_requests.len(), 2);
    let step = |account: &Account, request, status| {
        after(account.clone(), &OfficeAsk::AdvanceRequest(id(request), status), &realm(), 0, NOW)
            .map(|decided| decided.change.after)
    };
    assert_eq!(step(&both, 8, Ready), Err(OfficeRefusal::UnknownRequest.into()));
    for over in [Fulfilled, Failed, Canceled] {
        let done = step(&step(&both, 9_000, Ready).unwrap(), 9_000, over).unwrap();
        let request = &done.dossier().data_requests[0];
        assert_eq!((request.status, request.ended_ms), (over, NOW.as_millis()));
        for back in [Ready, InProgress] {
            assert_eq!(step(&done, 9_000, back), Err(OfficeRefusal::RequestStep.into()));
        }
        let fresh = after(done, &OfficeAsk::SubmitRequest(PersonalData), &realm(), 9_002, NOW);
        assert!(fresh.is_ok(), "a new one may come after it");
    }
}

#[test]
fn a_report_is_fetched_once_with_its_newest_token_and_in_time() {
    let asked = done(account(1), &OfficeAsk::SubmitRequest(DataRequestKind::PersonalData));
    let offer = |hash| OfficeAsk::OfferReport(id(9_000), [hash; 32], NOW.as_millis() + 1_000);
    let take = |hash| OfficeAsk::TakeReport(id(9_000), [hash; 32]);
    let none = Refusal::from(OfficeRefusal::UnknownRequest);
    assert_eq!(refused(asked.clone(), &take(1), &realm()), none, "nothing is offered yet");
    let offered = done(done(asked, &offer(1)), &offer(2));
    assert_eq!(offered.dossier().data_requests[0].status, DataRequestStatus::Ready);
    assert_eq!(refused(offered.clone(), &take(1), &realm()), none, "an earlier token is void");
    let late = after(offered.clone(), &take(2), &realm(), 0, NOW.plus_secs(1));
    assert_eq!(late.unwrap_err(), none);
    let taken = done(offered, &take(2));
    let request = &taken.dossier().data_requests[0];
    assert_eq!((request.status, request.report), (DataRequestStatus::Fulfilled, None));
    assert_eq!(refused(taken.clone(), &take(2), &realm()), none, "once");
    let over = refused(taken, &offer(3), &realm());
    assert_eq!(over, OfficeRefusal::RequestStep.into());
    let deletion = done(account(1), &OfficeAsk::SubmitRequest(DataRequestKind::AccountDeletion));
    assert_eq!(refused(deletion, &offer(1), &realm()), OfficeRefusal::RequestStep.into());
}

fn operator(ask: OperatorAsk) -> OfficeAsk {
    OfficeAsk::Operator(ask)
}

fn binding(kind: u8, id: u8) -> Binding {
    Binding { kind, id: id.to_string(), name: String::new(), added_ms: 1 }
}

#[test]
fn an_operator_is_found_by_a_provider_until_it_is_taken_away_or_they_go() {
    let mut realm = realm();
    let mut ada = account(1);
    let mut ask = |what: OperatorAsk, realm: &mut Realm| {
        let decided = after(ada.clone(), &operator(what), realm, 9, NOW).unwrap();
        *realm = decided.change.realm.map_or_else(|| realm.clone(), |changed| *changed);
        ada = decided.change.after;
    };
    ask(OperatorAsk::First(Way::Password("hash".into())), &mut realm);
    ask(OperatorAsk::Bind(binding(17, 1)), &mut realm);
    let found = |realm: &Realm, kind, id| realm.bound_to(kind, id);
    assert_eq!(found(&realm, 17, "1"), Some(AccountId(id(1))));
    assert_eq!((found(&realm, 17, "2"), found(&realm, 18, "1")), (None, None));
    ask(OperatorAsk::Bind(binding(17, 2)), &mut realm);
    assert_eq!((found(&realm, 17, "1"), realm.bindings.len()), (None, 1), "another in its place");
    let mut two = realm.clone();
    two.admins.push(AccountId(id(2)));
    let left = departed(AccountId(id(1)), &two).unwrap().unwrap();
    assert!(left.bindings.is_empty() && left.admins == [AccountId(id(2))]);
    ask(OperatorAsk::Unbind(17), &mut realm);
    assert!(realm.bindings.is_empty());
}

fn any_ask() -> impl Strategy<Value = OfficeAsk> {
    let some = || prop::collection::vec((1_u128..120).prop_map(id), 0..30);
    let roles = || Just(vec![ADMIN]);
    prop_oneof![
        (0_u64..3).prop_map(|life| form(BanScope::AllGameShards, life * 400)),
        some().prop_map(OfficeAsk::AddTags),
        some().prop_map(OfficeAsk::RemoveTags),
        roles().prop_map(OfficeAsk::AddRoles),
        roles().prop_map(OfficeAsk::RemoveRoles),
        (15_u8..18, 0_u8..3).prop_map(|(kind, id)| operator(OperatorAsk::Bind(binding(kind, id)))),
        (15_u8..18).prop_map(|kind| operator(OperatorAsk::Unbind(kind))),
        (15_u8..18, 0_u8..3).prop_map(|(kind, id)| {
            operator(OperatorAsk::Become(Way::Provider(binding(kind, id)), vec![]))
        }),
        Just(operator(OperatorAsk::Dismiss)),
        Just(OfficeAsk::SubmitRequest(DataRequestKind::PersonalData)),
        (0_u128..200)
            .prop_map(|at| { OfficeAsk::AdvanceRequest(id(at), DataRequestStatus::Canceled) }),
    ]
}

proptest! {
    /// Whatever is asked, lists stay within their bounds and the realm knows its administrators.
    #[test]
    fn lists_stay_bounded(asks in prop::collection::vec((any_ask(), 0_usize..3), 1..300)) {
        let mut realm = realm();
        let mut people = [account(501), account(502), account(503)];
        let mut had_admin = false;
        for (at, (ask, who)) in asks.into_iter().enumerate() {
            let now = NOW.plus_ms(at as u64);
            if let Ok(decided) = after(people[who].clone(), &ask, &realm, at as u128, now) {
                people[who] = decided.change.after;
                realm = decided.change.realm.map_or(realm, |changed| *changed);
            }
            let dossier = people[who].dossier();
            for length in [dossier.tags.len(), dossier.bans.len(), dossier.data_requests.len()] {
                prop_assert!(length <= ENTRIES_MAX);
            }
            let admins = people.iter().filter(|it| it.dossier().roles.contains(&ADMIN));
            let mut admins: Vec<_> = admins.map(|it| it.id).collect();
            let mut known = realm.admins.clone();
            admins.sort();
            known.sort();
            had_admin |= !admins.is_empty();
            prop_assert_eq!(had_admin, !admins.is_empty());
            prop_assert_eq!(admins, known);
            let theirs = |it: &Account| bindings_of(it).iter().map(|it| (it.kind, it.id.clone())).collect::<Vec<_>>();
            let mut bound: Vec<_> = people.iter().flat_map(theirs).collect();
            let mut known: Vec<_> = realm.bindings.iter().map(|it| (it.kind, it.id.clone())).collect();
            bound.sort();
            known.sort();
            prop_assert_eq!(&bound, &known);
            bound.dedup();
            prop_assert_eq!(bound.len(), known.len(), "no two operators have the same");
        }
    }
}
