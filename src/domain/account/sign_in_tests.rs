use super::*;
use crate::domain::account::LinkKind;

const NOW: UnixMicros = UnixMicros(1_000_000_007);

fn id(number: u128) -> AccountId {
    AccountId(Uuid::from_u128(number))
}

fn ask() -> SignIn {
    SignIn::by(
        Link { kind: LinkKind::Device, id: "device-0001".into() },
        Some(NewAccount::default()),
    )
}

fn fresh() -> Fresh {
    Fresh { account: id(7), player: Uuid::from_u128(70), discriminator: Some(42), token_life_s: 60 }
}

fn seen(account: Option<Account>) -> Seen {
    Seen { account, ..Seen::default() }
}

fn made() -> Account {
    sign_in(&ask(), seen(None), fresh(), NOW).unwrap().account
}

fn pass() -> PassUse {
    PassUse { epoch: 1, number: 9, remember_until: NOW.plus_secs(120) }
}

#[test]
fn a_new_account_starts_as_the_protocol_says() {
    let decided = sign_in(&ask(), seen(None), fresh(), NOW).unwrap();
    assert!(decided.created);
    assert_eq!(decided.at, NOW);
    let account = decided.account;
    assert_eq!(account.username, generated::username(id(7)));
    assert_eq!((account.created_at, account.updated_at), (1_000, 1_000));
    assert_eq!((account.lang_tag.as_str(), account.disabled_at), ("en", 0));
    assert_eq!(account.links, [ask().link]);
    assert_eq!(decided.change, Some(Change::of(None, account)));
}

#[test]
fn a_known_link_signs_in_and_writes_nothing() {
    let decided = sign_in(&ask(), seen(Some(made())), fresh(), NOW.plus_secs(9)).unwrap();
    assert!(!decided.created);
    assert_eq!((decided.change, decided.account), (None, made()));
}

#[test]
fn what_is_refused_and_in_which_order() {
    let mut banned = made();
    banned.disabled_at = 1;
    let held = |account, holder| Seen { pass_holder: Some(id(holder)), ..seen(account) };
    let no_create = SignIn { create: None, ..ask() };
    let named = NewAccount { username: Some("Ada".into()), ..NewAccount::default() };
    let named = SignIn { create: Some(named), ..ask() };
    let taken = Seen { username_taken: true, ..seen(None) };
    let pragma = PragmaSignIn { shard: None, display_name: "Ada".into(), shown: None };
    let pragma = SignIn { pragma: Some(pragma), ..ask() };
    let full = Fresh { discriminator: None, ..fresh() };
    let refused = |ask: &SignIn, seen, fresh| sign_in(ask, seen, fresh, NOW).err();

    assert_eq!(refused(&ask(), held(Some(banned), 8), fresh()), Some(Refusal::Banned));
    assert_eq!(refused(&no_create, held(None, 8), fresh()), Some(Refusal::NoAccount));
    assert_eq!(refused(&ask(), held(None, 8), fresh()), Some(Refusal::PassUsed));
    assert_eq!(refused(&ask(), held(Some(made()), 8), fresh()), Some(Refusal::PassUsed));
    assert_eq!(refused(&named, taken.clone(), fresh()), Some(Refusal::UsernameTaken));
    assert_eq!(refused(&ask(), taken, fresh()), None, "no name was asked for");
    assert_eq!(refused(&pragma, seen(None), full), Some(Refusal::NoDiscriminator));
}

#[test]
fn a_wanted_name_is_ignored_for_an_account_that_is_there() {
    let named = NewAccount {
        username: Some("Ada".into()),
        password: Some("hash".into()),
        ..NewAccount::default()
    };
    let named = SignIn { create: Some(named), ..ask() };
    let decided = sign_in(&named, seen(Some(made())), fresh(), NOW).unwrap();
    assert_eq!(decided.account, made());
}

#[test]
fn a_pass_is_redeemed_once_and_again_by_the_same_account() {
    let with_pass = SignIn { pass: Some(pass()), ..ask() };
    let first = sign_in(&with_pass, seen(None), fresh(), NOW).unwrap();
    assert_eq!(first.change.unwrap().redeemed, Some(pass()));
    let known = sign_in(&with_pass, seen(Some(made())), fresh(), NOW).unwrap();
    let change = known.change.unwrap();
    assert_eq!(change.redeemed, Some(pass()));
    assert!(!change.changes_account());
    let repeat = Seen { pass_holder: Some(id(7)), ..seen(Some(made())) };
    let repeat = sign_in(&with_pass, repeat, fresh(), NOW).unwrap();
    assert_eq!((repeat.change, repeat.account), (None, known.account));
}

#[test]
fn a_single_session_revokes_what_was_and_not_what_comes() {
    let single = SignIn { single_session: true, ..ask() };
    let new = sign_in(&single, seen(None), fresh(), NOW).unwrap();
    assert_eq!(new.change.unwrap().revoked, None, "a new account has no session yet");
    let decided = sign_in(&single, seen(Some(made())), fresh(), NOW).unwrap();
    let revoked = decided.change.unwrap().revoked.unwrap();
    assert!(revoked.covers(Uuid::nil(), false, NOW.0));
    assert!(!revoked.covers(Uuid::nil(), false, decided.at.0));
    assert_eq!(decided.account.revoked_before_us, NOW.0);

    let earlier = UnixMicros(NOW.0 - 500); // the clock stepped back
    let again = Seen { revoked, ..seen(Some(decided.account)) };
    let again = sign_in(&single, again, fresh(), earlier).unwrap();
    let revoked = again.change.unwrap().revoked.unwrap();
    assert!(revoked.covers(Uuid::nil(), true, NOW.0));
    assert!(!revoked.covers(Uuid::nil(), true, again.at.0));
}

#[test]
fn pragma_gives_a_name_once_and_a_player_for_each_shard() {
    let shard = |number| Some(Uuid::from_u128(number));
    let enter = |account, shard, name: &str, player, discriminator| {
        let pragma = PragmaSignIn { shard, display_name: name.into(), shown: None };
        let ask = SignIn { pragma: Some(pragma), ..ask() };
        let fresh = Fresh { player: Uuid::from_u128(player), discriminator, ..fresh() };
        sign_in(&ask, seen(account), fresh, NOW).unwrap()
    };
    let first = enter(None, shard(1), "Ada", 11, Some(42)).account;
    assert_eq!(first.pragma_name, Some(PragmaName { name: "Ada".into(), discriminator: 42 }));
    let same = enter(Some(first.clone()), shard(1), "Renamed", 12, None);
    assert_eq!((same.change, &same.account), (None, &first));
    let second = enter(Some(first.clone()), shard(2), "Ada", 22, None).account;
    let players: Vec<_> = second.players.iter().map(|player| player.player.as_u128()).collect();
    assert_eq!(players, [11, 22]);
    assert_eq!(enter(Some(second.clone()), None, "Ada", 33, None).account, second);
}

#[test]
fn neither_links_nor_hashes_are_shown() {
    let mut account = made();
    account.password = Some("$argon2id$secret".into());
    let ask = SignIn {
        create: Some(NewAccount { password: account.password.clone(), ..NewAccount::default() }),
        ..ask()
    };
    let shown = format!("{account:?} {ask:?} {:?}", seen(Some(account.clone())));
    assert!(!shown.contains("argon2") && !shown.contains("device-0001"), "{shown}");
}

#[test]
fn an_account_other_than_expected_is_overtaken() {
    let former = Seen { former: Some(made()), ..seen(None) };
    for (expected, seen, is_good) in [
        (Expected::Nobody, seen(None), true),
        (Expected::Nobody, seen(Some(made())), false),
        (Expected::Nobody, former.clone(), false),
        (Expected::Account(made().id), seen(Some(made())), true),
        (Expected::Account(made().id), former, true),
        (Expected::Account(id(8)), seen(Some(made())), false),
        (Expected::Account(id(8)), seen(None), false),
    ] {
        let ask = SignIn { expected, pass: Some(pass()), ..ask() };
        let refused = sign_in(&ask, seen, fresh(), NOW).err();
        assert_eq!(refused, (!is_good).then_some(Refusal::Overtaken), "{expected:?}");
    }
}

#[test]
fn a_given_name_stands_before_the_providers() {
    let profile = Profile { display_name: "At Google".into(), ..Profile::default() };
    let link = Link { kind: LinkKind::Google, id: "g".into() };
    let of = |display_name: Option<&str>| {
        let new = NewAccount { display_name: display_name.map(Into::into), ..Default::default() };
        let ask = SignIn { profile: profile.clone(), ..SignIn::by(link.clone(), Some(new)) };
        sign_in(&ask, seen(None), fresh(), NOW).unwrap().account.display_name
    };
    assert_eq!((of(None).as_str(), of(Some("Ada")).as_str()), ("At Google", "Ada"));
}
