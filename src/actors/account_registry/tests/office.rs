//! Operators' changes: durable before they are answered, and seen by everybody from then on.

use super::*;
use crate::domain::account::{BanForm, OfficeAsk, OfficeRefusal};
use crate::domain::realm::{ADMIN, Kind, RealmAsk, RealmRefusal};

fn tag(text: &str) -> RealmAsk {
    RealmAsk::CreateTag(text.into())
}

fn refused<T>(answer: Result<T, AccountsError>) -> Refusal {
    match answer {
        Err(AccountsError::Refused(refusal)) => refusal,
        Err(error) => panic!("not refused: {error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[actix_web::test]
async fn a_changed_realm_is_seen_once_durable_and_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let (gate, gated) = gate::new(store(data.path()));
    let (accounts, _stopped) = start(gated);
    let mut making = accounts.change_realm(tag("VIP")).boxed_local();
    assert!((&mut making).now_or_never().is_none());
    gate.wait_for_commit();
    // Decided upon what is staged: the same tag is not made twice, and its id waits for the flush.
    let mut again = accounts.change_realm(tag("vip")).boxed_local();
    assert!((&mut again).now_or_never().is_none());
    assert!(accounts.realm().get().tags.is_empty(), "nobody sees what may be lost");
    gate.open();
    let (made, again) = (making.await.unwrap(), again.await.unwrap());
    assert_eq!(made.id, again.id);
    assert_eq!(accounts.realm().get().tags, made.realm.tags);
    let other = accounts.change_realm(RealmAsk::DeleteTag(Uuid::nil())).await;
    assert_eq!(refused(other), RealmRefusal::Unknown(Kind::Tag).into());
    accounts.close().await;

    let (accounts, _stopped) = start(store(data.path()));
    assert_eq!(*accounts.realm().get(), made.realm);
    accounts.close().await;
}

#[actix_web::test]
async fn many_changes_at_once_lose_none() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let made = join_all((0..50).map(|at| accounts.change_realm(tag(&format!("tag {at}"))))).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(accounts.realm().get().tags.len(), 50);
    let player = sign_up(&accounts, "ada").await;
    let ids = made.into_iter().map(|made| made.unwrap().id);
    join_all(ids.map(|id| accounts.office(player.id, OfficeAsk::AddTags(vec![id])))).await;
    let tagged = accounts.find(Key::Id(player.id)).await.unwrap().unwrap();
    assert_eq!(tagged.dossier().tags.len(), 50);
    accounts.close().await;
}

#[actix_web::test]
async fn of_many_first_operators_one_is_and_the_last_stays() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let people = join_all((0..10).map(|number| sign_up(&accounts, number))).await;
    let asks = people.iter().map(|it| accounts.office(it.id, OfficeAsk::FirstAdmin));
    let done: Vec<_> = join_all(asks).await.into_iter().map(Result::unwrap).collect();
    let first = done.iter().filter(|it| it.account.dossier().roles.contains(&ADMIN));
    let first: Vec<_> = first.map(|it| it.account.id).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(accounts.realm().get().admins, first);
    let last = Refusal::from(OfficeRefusal::LastAdmin);
    let resign = OfficeAsk::RemoveRoles(vec![ADMIN]);
    assert_eq!(refused(accounts.office(first[0], resign.clone()).await), last);
    assert_eq!(refused(accounts.delete(first[0]).await), last);
    let second = people.iter().map(|it| it.id).find(|id| *id != first[0]).unwrap();
    accounts.office(second, OfficeAsk::AddRoles(vec![ADMIN])).await.unwrap();
    // Both want to go at once: one does.
    let (one, two) = tokio::join!(accounts.delete(first[0]), accounts.office(second, resign));
    assert!(one.is_ok() != two.is_ok());
    assert_eq!(accounts.realm().get().admins.len(), 1);
    accounts.close().await;
}

#[actix_web::test]
async fn a_ban_that_ends_sessions_revokes_in_the_same_write() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let player = sign_up(&accounts, "ada").await;
    let revoked = |accounts: &Accounts| {
        accounts.revocations().is_revoked(player.id, Uuid::nil(), false, START.0)
    };
    let ban = accounts.office(player.id, OfficeAsk::Ban(BanForm::sample())).await.unwrap();
    assert!(ban.account.is_banned(START) && !revoked(&accounts));
    let harder = BanForm { ends_sessions: true, ..BanForm::sample() };
    let harder = accounts.office(player.id, OfficeAsk::Ban(harder)).await.unwrap();
    assert!(revoked(&accounts));
    let nobody = AccountId(Uuid::from_u128(7));
    let unknown = accounts.office(nobody, OfficeAsk::Ban(BanForm::sample())).await;
    assert_eq!(refused(unknown), Refusal::NoAccount);
    accounts.close().await;

    let (accounts, _stopped) = start(store(data.path()));
    assert!(revoked(&accounts));
    let found = accounts.find(Key::Matter(harder.about)).await.unwrap();
    assert_eq!(found, Some(harder.account));
    accounts.close().await;
}

#[actix_web::test]
async fn a_search_by_address_finds_everybody_who_has_it() {
    use crate::domain::account::{AccountFilter, Profile, ProviderEmail, names};
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let owner = sign_up(&accounts, "one").await.id;
    let email = names::email("ada@example.org");
    accounts.link(owner, LinkAsk::of(email, Some("hash".into()), 9)).await.unwrap();
    let vouched = ProviderEmail { address: "ada@example.org".into(), verified: true };
    let profile = Profile { email: Some(vouched), ..Profile::default() };
    let by_google = Link { kind: LinkKind::Google, id: "g1".into() };
    let other = SignIn { profile, ..ask(by_google) };
    let other = accounts.sign_in(other).await.unwrap().account.id;
    let filter = AccountFilter { email: Some("ada@example.org".into()), ..Default::default() };
    let found = accounts.search(filter, Page { index: 0, size: 9 }).await.unwrap();
    let mut both = [owner, other];
    both.sort_unstable();
    let ids: Vec<_> = found.accounts.iter().map(|account| account.id).collect();
    assert_eq!((ids.as_slice(), found.count, found.is_complete), (&both[..], 2, true));
    accounts.close().await;
}

#[actix_web::test]
async fn a_search_finds_by_index_or_by_looking_at_everybody() {
    use crate::domain::account::AccountFilter;
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let people = join_all((0..1_100).map(|number| sign_up(&accounts, number))).await;
    let tag = accounts.change_realm(tag("odd")).await.unwrap().id;
    let odd = people.iter().skip(1).step_by(2);
    join_all(odd.map(|it| accounts.office(it.id, OfficeAsk::AddTags(vec![tag])))).await;
    let search = |filter: AccountFilter, index| accounts.search(filter, Page { index, size: 100 });
    let tagged = AccountFilter { tags: vec![tag], ..AccountFilter::default() };
    let mut seen = std::collections::HashSet::new();
    for page in 0..6 {
        let found = search(tagged.clone(), page).await.unwrap();
        assert_eq!((found.count, found.is_complete), (550, true));
        seen.extend(found.accounts.iter().map(|account| account.id));
    }
    assert_eq!(seen.len(), 550);
    let one = AccountFilter { provider_id: Some("device-000003".into()), ..tagged.clone() };
    assert_eq!(search(one, 0).await.unwrap().accounts[0].id, people[3].id);
    let even = AccountFilter { id: Some(people[2].id), ..tagged };
    assert_eq!(search(even, 0).await.unwrap().count, 0, "all of a filter has to hold");
    accounts.close().await;
}
