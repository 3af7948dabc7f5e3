use super::*;
use uuid::Uuid;

const DAY_S: u64 = 86_400;

fn at(day: u64) -> UnixMicros {
    UnixMicros::from_secs(1_800_000_000 + day * DAY_S)
}

fn steam(id: &str) -> Link {
    Link { kind: LinkKind::Steam, id: id.into() }
}

fn account() -> Account {
    let link = Link { kind: LinkKind::Epic, id: "e1".into() };
    Account::sample(AccountId(Uuid::from_u128(1)), link)
}

fn ask(id: &str, rules: LinkRules) -> ProviderLink {
    ProviderLink { link: steam(id), shown: None, rules }
}

fn bound(account: Account, id: &str) -> Account {
    bind(account, ask(id, LinkRules::default()), None, at(0)).unwrap().unwrap().after
}

fn unbound(account: Account, day: u64) -> Account {
    unbind(account, LinkKind::Steam, &[], at(day)).unwrap().unwrap().after
}

#[test]
fn linking_the_same_again_is_a_success_and_another_of_the_kind_is_refused() {
    let linked = bound(account(), "s1");
    let none = LinkRules::default();
    assert_eq!(bind(linked.clone(), ask("s1", none), Some(linked.id), at(0)), Ok(None));
    let refused = bind(linked, ask("s2", none), None, at(0)).unwrap_err();
    assert_eq!(refused, Refusal::AlreadyBound(LinkKind::Steam));
}

#[test]
fn what_is_another_accounts_is_refused_before_anything_of_ones_own() {
    let other = Some(AccountId(Uuid::from_u128(2)));
    let linked = bound(account(), "s1");
    let refused = bind(linked, ask("s2", LinkRules::default()), other, at(0)).unwrap_err();
    assert_eq!(refused, Refusal::LinkTaken(LinkKind::Steam));
}

#[test]
fn the_cooldown_is_for_another_account_of_the_provider_and_ends() {
    let rules = LinkRules { cooldown_s: 10 * DAY_S, one_association: false };
    let free = unbound(bound(account(), "s1"), 1);
    let tried = |id: &str, day| bind(free.clone(), ask(id, rules), None, at(day)).map(drop);
    assert_eq!(tried("s1", 1), Ok(()), "the same one may come back at once");
    assert_eq!(tried("s2", 1), Err(Refusal::LinkCooldown(LinkKind::Steam)));
    assert_eq!(tried("s2", 10), Err(Refusal::LinkCooldown(LinkKind::Steam)));
    assert_eq!(tried("s2", 11), Ok(()));
}

#[test]
fn one_association_is_for_ever() {
    let rules = LinkRules { cooldown_s: 0, one_association: true };
    let free = unbound(bound(account(), "s1"), 1);
    let tried = |id: &str| bind(free.clone(), ask(id, rules), None, at(1_000)).map(drop);
    assert_eq!(tried("s1"), Ok(()));
    assert_eq!(tried("s2"), Err(Refusal::OneAssociation(LinkKind::Steam)));
}

#[test]
fn the_last_way_to_sign_in_stays() {
    let linked = bound(account(), "s1");
    let refused = Err(Refusal::CannotUnlink(LinkKind::Steam));
    let left = unbind(linked.clone(), LinkKind::Steam, &[LinkKind::Epic], at(0)).map(drop);
    assert_eq!(left, refused, "the other one opens no session");
    let mut alone = linked.clone();
    alone.links.retain(|link| link.kind == LinkKind::Steam);
    assert_eq!(unbind(alone, LinkKind::Steam, &[], at(0)).map(drop), refused);
    let mut with_address = linked;
    with_address.links.retain(|link| link.kind == LinkKind::Steam);
    with_address.links.push(Link { kind: LinkKind::Email, id: "a@example.org".into() });
    assert_eq!(unbind(with_address, LinkKind::Steam, &[], at(0)).map(drop), refused);
}

#[test]
fn unlinking_what_is_not_linked_is_a_success() {
    assert_eq!(unbind(account(), LinkKind::Steam, &[], at(0)), Ok(None));
}

#[test]
fn the_memory_is_bounded_and_loses_the_oldest() {
    let mut account = account();
    for day in 0..200 {
        remember(&mut account, steam(&format!("s{day}")), at(day));
    }
    let kept = &account.dossier().unlinked;
    assert_eq!(kept.len(), crate::domain::account::dossier::ENTRIES_MAX);
    assert_eq!(kept.last().unwrap().id, "s199");
    remember(&mut account, Link { kind: LinkKind::Device, id: "secret".into() }, at(0));
    assert!(account.dossier().unlinked.iter().all(|gone| gone.id != "secret"));
}
