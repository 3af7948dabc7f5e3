use proptest::prelude::*;

use super::*;
use crate::domain::account::sign_in::{Fresh, NewAccount, Seen, SignIn, sign_in};

const NOW: UnixMicros = UnixMicros::from_secs(1_000);
const LATER: UnixMicros = UnixMicros::from_secs(2_000);

fn id(number: u128) -> AccountId {
    AccountId(uuid::Uuid::from_u128(number))
}

fn a(kind: LinkKind, id: &str) -> Link {
    Link { kind, id: id.to_owned() }
}

fn account(number: u128, links: &[Link]) -> Account {
    let ask = SignIn::by(links[0].clone(), Some(NewAccount::default()));
    let fresh = Fresh {
        account: id(number),
        player: uuid::Uuid::nil(),
        discriminator: None,
        token_life_s: 60,
    };
    let mut made = sign_in(&ask, Seen::default(), fresh, NOW).unwrap().account;
    made.links = links.to_vec();
    made
}

fn held(owner: Option<AccountId>) -> Taken {
    Taken { owner, email: false }
}

fn ask(link: Link) -> LinkAsk {
    let password = (link.kind == LinkKind::Email).then(|| format!("hash of {}", link.id));
    LinkAsk::of(link, password, 3)
}

#[test]
fn a_link_of_another_account_stays_there() {
    let player = account(1, &[a(LinkKind::Device, "one")]);
    for kind in LinkKind::ALL {
        let refused = link(player.clone(), ask(a(kind, "x")), held(Some(id(2))), LATER);
        assert_eq!(refused, Err(Refusal::LinkTaken(kind)));
    }
}

#[test]
fn single_links_are_replaced_and_devices_added() {
    let mut player = account(1, &[a(LinkKind::Device, "one")]);
    for kind in LinkKind::ALL {
        for name in ["first", "second"] {
            let change = link(player, ask(a(kind, name)), held(None), LATER).unwrap().unwrap();
            assert_eq!(change.after.updated_at, LATER.as_secs());
            player = change.after;
        }
    }
    let mut links = player.links.clone();
    links.sort();
    let (device, second) = (LinkKind::Device, "second");
    let devices = ["first", "one", second].map(|name| a(device, name));
    let single = LinkKind::ALL.into_iter().filter(|kind| !kind.many());
    let expected: Vec<Link> =
        devices.into_iter().chain(single.map(|kind| a(kind, second))).collect();
    assert_eq!(links, expected);
    assert_eq!(player.password.as_deref(), Some("hash of second"), "the password is replaced too");
    let full = link(player, ask(a(device, "third")), held(None), LATER);
    assert_eq!(full, Err(Refusal::TooManyLinks(device)));
}

#[test]
fn linking_what_is_linked_changes_nothing_but_a_password() {
    let full: Vec<Link> = ["1", "2", "3"].map(|name| a(LinkKind::Device, name)).to_vec();
    let player = account(1, &full);
    let again = link(player.clone(), ask(full[2].clone()), held(Some(player.id)), LATER);
    assert_eq!(again, Ok(None), "even with as many as may be");

    let mut player = account(1, &[a(LinkKind::Email, "mail")]);
    player.password = Some("old".into());
    let change =
        link(player.clone(), ask(a(LinkKind::Email, "mail")), held(Some(player.id)), LATER);
    assert_eq!(change.unwrap().unwrap().after.password.as_deref(), Some("hash of mail"));
}

#[test]
fn the_last_way_to_sign_in_stays() {
    for kind in LinkKind::ALL {
        let player = account(1, &[a(kind, "only")]);
        let refused = unlink(player, kind, Some("only"), LATER);
        assert_eq!(refused, Err(Refusal::CannotUnlink(kind)), "{kind:?}");
    }
    let links = [a(LinkKind::Email, "mail"), a(LinkKind::Device, "dev")];
    let mut player = account(1, &links);
    let refused = unlink(player.clone(), LinkKind::Device, Some("dev"), LATER);
    assert!(refused.is_err(), "nobody can sign in by an address without a password");
    player.password = Some("hash".into());
    let left = unlink(player.clone(), LinkKind::Device, Some("dev"), LATER).unwrap().after;
    assert_eq!(left.links, [links[0].clone()]);
    let left = unlink(player, LinkKind::Email, None, LATER).unwrap().after;
    assert_eq!((left.links, left.password), (vec![links[1].clone()], None));
}

#[test]
fn only_what_is_the_accounts_own_is_unlinked() {
    let links = [a(LinkKind::Custom, "custom"), a(LinkKind::Device, "dev")];
    let player = account(1, &links);
    let gone = |kind, name: Option<&str>| unlink(player.clone(), kind, name, LATER);
    assert_eq!(gone(LinkKind::Device, None), Err(Refusal::IdMissing(LinkKind::Device)));
    let foreign = Err(Refusal::CannotUnlink(LinkKind::Device));
    assert_eq!(gone(LinkKind::Device, Some("other")), foreign);
    let foreign = Err(Refusal::CannotUnlink(LinkKind::Custom));
    assert_eq!(gone(LinkKind::Custom, Some("other")), foreign);
    let foreign = Err(Refusal::CannotUnlink(LinkKind::Unsafe));
    assert_eq!(gone(LinkKind::Unsafe, Some("other")), foreign);

    let untouched = gone(LinkKind::Unsafe, None).unwrap().after;
    assert_eq!(untouched.links, links, "not linked, none named: nothing to do");
    assert_eq!(untouched.updated_at, LATER.as_secs(), "but the time moves (§4.6)");
}

#[test]
fn a_rehash_only_replaces_the_hash_it_was_made_from() {
    let mut player = account(1, &[a(LinkKind::Email, "mail")]);
    player.password = Some("old".into());
    let change = rehash(player.clone(), "old", "new".into()).unwrap();
    assert_eq!(change.after.password.as_deref(), Some("new"));
    assert_eq!(change.after.updated_at, player.updated_at);
    assert_eq!(rehash(player.clone(), "older", "new".into()), None);
    assert_eq!(rehash(account(1, &player.links), "old", "new".into()), None);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Link(usize, LinkKind, u8),
    Unlink(usize, LinkKind, Option<u8>),
    SignIn(LinkKind, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(&LinkKind::ALL[..]);
    let one = (any::<prop::sample::Index>(), kind.clone(), 0..4_u8);
    prop_oneof![
        one.clone().prop_map(|(who, kind, name)| Step::Link(who.index(8), kind, name)),
        (any::<prop::sample::Index>(), kind.clone(), prop::option::of(0..4_u8))
            .prop_map(|(who, kind, name)| Step::Unlink(who.index(8), kind, name)),
        (kind, 0..4_u8).prop_map(|(kind, name)| Step::SignIn(kind, name)),
    ]
}

fn named(kind: LinkKind, name: u8) -> Link {
    a(kind, &format!("{}-{name}", kind.name()))
}

fn owner(players: &[Account], link: &Link) -> Option<AccountId> {
    players.iter().find(|player| player.has(link)).map(|player| player.id)
}

/// Does a step as the registry would; a refusal changes nothing.
fn take(players: &mut Vec<Account>, step: Step) {
    match step {
        Step::SignIn(kind, name) => {
            let link = named(kind, name);
            if owner(players, &link).is_none() {
                let mut made = account(players.len() as u128, &[link]);
                made.password = (kind == LinkKind::Email).then(|| "hash".to_owned());
                players.push(made);
            }
        }
        Step::Link(who, kind, name) => {
            let link = named(kind, name);
            let owner = owner(players, &link);
            if let Some(player) = players.get_mut(who)
                && let Ok(Some(change)) = super::link(player.clone(), ask(link), held(owner), LATER)
            {
                *player = change.after;
            }
        }
        Step::Unlink(who, kind, name) => {
            let name = name.map(|name| named(kind, name).id);
            if let Some(player) = players.get_mut(who)
                && let Ok(change) = unlink(player.clone(), kind, name.as_deref(), LATER)
            {
                *player = change.after;
            }
        }
    }
}

proptest! {
    /// A-1 every account can be signed in to. A-2 no link has two accounts. A-3 one link of a
    /// kind, and no more devices than may be. A-4 a password only with an address.
    #[test]
    fn links_stay_usable_and_unique(steps in prop::collection::vec(step(), 1..120)) {
        let mut players: Vec<Account> = Vec::new();
        for step in steps {
            take(&mut players, step);
            let mut all: Vec<&Link> = players.iter().flat_map(|player| &player.links).collect();
            let number = all.len();
            all.sort();
            all.dedup();
            prop_assert_eq!(all.len(), number, "A-2");
            for player in &players {
                prop_assert!(can_sign_in(player), "A-1");
                for kind in LinkKind::ALL {
                    let held = player.links.iter().filter(|link| link.kind == kind).count();
                    prop_assert!(held <= if kind.many() { 3 } else { 1 }, "A-3");
                }
                let address = player.link(LinkKind::Email).is_some();
                prop_assert!(address || player.password.is_none(), "A-4");
            }
        }
    }
}
