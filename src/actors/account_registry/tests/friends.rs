//! Relationships, deletion and rotation through the registry, over the real store.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::account::ProviderEmail;
use crate::domain::friend::{Deed, EdgeState, FriendAsk, FriendLimits, FriendRefusal};
use crate::domain::notification::Topic;

fn wish(me: &Account, deed: Deed, ids: &[AccountId]) -> FriendAsk {
    let (usernames, links) = (Vec::new(), Vec::new());
    FriendAsk { username: me.username.clone(), deed, ids: ids.to_vec(), usernames, links }
}

fn add() -> Deed {
    Deed::Add(String::new())
}

async fn players(accounts: &Accounts, count: usize) -> Vec<Account> {
    join_all((0..count).map(|number| sign_up(accounts, number))).await
}

async fn count_of(accounts: &Accounts, account: AccountId) -> u32 {
    accounts.find(Key::Id(account)).await.unwrap().map_or(0, |account| account.edge_count)
}

#[actix_web::test]
async fn an_invitation_is_stored_told_and_accepted() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let two = players(&accounts, 2).await;
    let (ada, bob) = (&two[0], &two[1]);
    let told = accounts.befriend(ada.id, wish(ada, add(), &[bob.id])).await.unwrap();
    let [(owner, notification)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*owner, notification.topic), (bob.id, Topic::FriendRequest));
    assert_eq!(
        accounts.notifications(bob.id, None, 9).unwrap(),
        std::slice::from_ref(notification)
    );
    let again = accounts.befriend(ada.id, wish(ada, add(), &[bob.id])).await.unwrap();
    assert_eq!(again, [], "asking twice is asking once");

    let told = accounts.befriend(bob.id, wish(bob, add(), &[ada.id])).await.unwrap();
    assert_eq!(told[0].1.topic, Topic::FriendAccept);
    for (me, other) in [(ada, bob), (bob, ada)] {
        let edges = accounts.edges(me.id).unwrap();
        assert_eq!((edges.len(), edges[0].0, edges[0].1.state), (1, other.id, EdgeState::Friend));
        assert_eq!(count_of(&accounts, me.id).await, 1);
    }
    accounts.close().await;
}

#[actix_web::test]
async fn both_sides_hear_how_their_lists_change_with_numbers_without_gaps() {
    use EdgeState::{Blocked, Friend, InviteReceived, InviteSent};
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = heard.clone();
    accounts.on_lists(move |news| hears.lock().unwrap().push(news));
    let three = players(&accounts, 3).await;
    let (ada, bob, eve) = (three[0].id, three[1].id, three[2].id);
    for (me, deed, other) in [
        (0, Deed::Invite, bob),
        (0, Deed::Invite, bob), // asking twice is asking once
        (1, add(), ada),
        (2, Deed::Block, ada), // Ada hears nothing
        (0, Deed::Remove, bob),
        (0, Deed::Import { provider: "steam", reset: false }, bob),
    ] {
        accounts.befriend(three[me].id, wish(&three[me], deed, &[other])).await.unwrap();
    }
    accounts.delete(bob).await.unwrap();
    let heard = std::mem::take(&mut *heard.lock().unwrap());
    let of = |owner: AccountId| {
        let own = heard.iter().filter(move |news| news.owner == owner);
        let turns = own.map(|news| (news.version, news.turns[0].before, news.turns[0].after));
        turns.collect::<Vec<_>>()
    };
    assert_eq!(
        of(ada),
        [
            (1, None, Some(InviteSent)),
            (2, Some(InviteSent), Some(Friend)),
            (3, Some(Friend), None),
            (4, None, Some(Friend)),
            (5, Some(Friend), None),
        ]
    );
    assert_eq!(
        of(bob)[..2],
        [(1, None, Some(InviteReceived)), (2, Some(InviteReceived), Some(Friend))]
    );
    assert_eq!(of(eve), [(1, None, Some(Blocked))]);
    let stored = accounts.find(Key::Id(ada)).await.unwrap().unwrap();
    assert_eq!(stored.dossier().list_version, 5);
    accounts.close().await;
}

#[actix_web::test]
async fn who_takes_no_invitations_gets_none_by_any_way() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let two = players(&accounts, 2).await;
    let (ada, bob) = (&two[0], &two[1]);
    accounts.refuse_invites(bob.id, true).await.unwrap();
    let refused = accounts.befriend(ada.id, wish(ada, Deed::Invite, &[bob.id])).await;
    let expected = Refusal::Friend(FriendRefusal::InviteeNotFound);
    assert_eq!(refused, Err(AccountsError::Refused(expected)));
    let told = accounts.befriend(ada.id, wish(ada, add(), &[bob.id])).await.unwrap();
    assert_eq!((told, accounts.edges(bob.id).unwrap()), (Vec::new(), Vec::new()));
    accounts.refuse_invites(bob.id, false).await.unwrap();
    accounts.befriend(ada.id, wish(ada, Deed::Invite, &[bob.id])).await.unwrap();
    assert_eq!(count_of(&accounts, bob.id).await, 1);
    accounts.close().await;
}

#[actix_web::test]
async fn invitations_that_wait_are_bounded_on_both_sides() {
    let data = tempfile::tempdir().unwrap();
    let friends =
        FriendLimits { invites_sent_max: 2, invites_received_max: 1, ..Default::default() };
    let limits = RegistryLimits { friends, ..RegistryLimits::default() };
    let clock = Clock::manual(START);
    let (accounts, _stopped) =
        Accounts::start(store(data.path()), &config(), clock, Dice::seeded(1), limits).unwrap();
    let all = players(&accounts, 5).await;
    let invite = async |by: usize, other: usize| {
        accounts.befriend(all[by].id, wish(&all[by], Deed::Invite, &[all[other].id])).await
    };
    let refused = |refusal: FriendRefusal| Err(AccountsError::Refused(Refusal::Friend(refusal)));
    assert!(invite(0, 1).await.is_ok() && invite(0, 2).await.is_ok());
    assert_eq!(invite(0, 3).await, refused(FriendRefusal::ListFull));
    assert_eq!(invite(4, 1).await, refused(FriendRefusal::InviteeReceivedInvitesFull));
    assert!(invite(1, 0).await.is_ok(), "accepting makes room");
    assert!(invite(0, 3).await.is_ok() && invite(4, 1).await.is_ok());
    accounts.close().await;
}

#[actix_web::test]
async fn lists_and_notifications_are_bounded_and_strangers_cannot_fill_them() {
    let data = tempfile::tempdir().unwrap();
    let friends = FriendLimits { friends_max: 4, notifications_max: 3, ..FriendLimits::default() };
    let limits = RegistryLimits { friends, ..RegistryLimits::default() };
    let clock = Clock::manual(START);
    let (accounts, _stopped) =
        Accounts::start(store(data.path()), &config(), clock, Dice::seeded(1), limits).unwrap();
    let all = players(&accounts, 8).await;
    let star = &all[0];
    for fan in &all[1..6] {
        accounts.befriend(fan.id, wish(fan, add(), &[star.id])).await.unwrap();
    }
    assert_eq!(count_of(&accounts, star.id).await, 2, "invitations stop at half");
    let others: Vec<_> = all[4..8].iter().map(|other| other.id).collect();
    let refused = accounts.befriend(star.id, wish(star, add(), &others)).await;
    assert_eq!(refused, Err(AccountsError::Refused(Refusal::TooManyFriends)));
    assert_eq!(count_of(&accounts, star.id).await, 2, "and nothing of it is done");
    accounts.befriend(star.id, wish(star, add(), &others[..2])).await.unwrap();
    assert_eq!(count_of(&accounts, star.id).await, 4);

    // Both who were let in take it back and ask again: the oldest notifications go.
    for fan in &all[1..3] {
        for deed in [Deed::Remove, add()] {
            accounts.befriend(fan.id, wish(fan, deed, &[star.id])).await.unwrap();
        }
    }
    let kept = accounts.notifications(star.id, None, 9).unwrap();
    assert_eq!(kept.len(), 3);
    assert!(kept.is_sorted_by_key(|kept| kept.id));
    accounts.close().await;
}

#[actix_web::test]
async fn a_deleted_account_is_gone_for_its_friends_and_its_device_starts_anew() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let three = players(&accounts, 3).await;
    let (ada, bob, eve) = (&three[0], &three[1], &three[2]);
    accounts.befriend(ada.id, wish(ada, add(), &[bob.id])).await.unwrap();
    accounts.befriend(bob.id, wish(bob, add(), &[ada.id])).await.unwrap();
    accounts.befriend(eve.id, wish(eve, Deed::Block, &[ada.id])).await.unwrap();
    accounts.delete(ada.id).await.unwrap();
    accounts.delete(ada.id).await.expect("gone already is fine");

    assert_eq!(accounts.find(Key::Id(ada.id)).await, Ok(None));
    for other in [bob, eve] {
        assert_eq!(accounts.edges(other.id).unwrap(), []);
        assert_eq!(count_of(&accounts, other.id).await, 0);
    }
    assert_eq!(accounts.notifications(ada.id, None, 9).unwrap(), []);
    assert!(accounts.revocations().is_revoked(ada.id, Uuid::nil(), true, START.0));
    let again = accounts.sign_in(ask(device(0))).await.unwrap();
    assert!(again.created);
    assert_ne!(again.account.id, ada.id, "nobody gets a dead player's id");
    accounts.close().await;
}

#[actix_web::test]
async fn a_password_checked_against_another_truth_has_to_be_checked_again() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let email = names::email("ada@example.org");
    let new = |hash: &str| NewAccount { password: Some(hash.into()), ..NewAccount::default() };
    let enter = |password: Password, hash: &str| {
        accounts.sign_in(SignIn { password, ..SignIn::by(email.clone(), Some(new(hash))) })
    };
    // Two sign up at once: the second must not be let into the first one's account unproven.
    let (one, two) =
        tokio::join!(enter(Password::OfNobody, "one"), enter(Password::OfNobody, "two"));
    let overtaken = AccountsError::Refused(Refusal::Overtaken);
    assert_eq!(one.is_ok(), two.as_ref().err() == Some(&overtaken));
    let hash = if one.is_ok() { "one" } else { "two" };
    assert!(enter(Password::Checked(hash.into()), "").await.is_ok());
    let wrong = enter(Password::Checked("an older one".into()), "").await;
    assert_eq!(wrong.unwrap_err(), overtaken);
    accounts.close().await;
}

#[actix_web::test]
async fn a_provider_moves_an_account_to_its_new_id_and_brings_its_profile() {
    let data = tempfile::tempdir().unwrap();
    let (accounts, _stopped) = start(store(data.path()));
    let google = |id: &str| Link { kind: LinkKind::Google, id: id.into() };
    let old = accounts.sign_in(ask(google("old"))).await.unwrap().account;
    let email = ProviderEmail { address: "ada@example.org".into(), verified: true };
    let profile = crate::domain::account::Profile {
        display_name: "Ada".into(),
        avatar_url: String::new(),
        email: Some(email),
    };
    let moved =
        SignIn { formerly: Some(google("old")), profile: profile.clone(), ..ask(google("new")) };
    let moved = accounts.sign_in(moved).await.unwrap();
    assert_eq!((moved.account.id, moved.created), (old.id, false));
    assert_eq!(moved.account.links, [google("new")], "a sign-in imports no address");
    assert_eq!(moved.account.display_name, "Ada");
    assert_eq!(accounts.find(Key::Link(google("old"))).await, Ok(None));

    let other = accounts.sign_in(SignIn { profile, ..ask(google("other")) }).await.unwrap();
    assert_eq!(other.account.link(LinkKind::Email), Some("ada@example.org"));
    accounts.close().await;
}

#[actix_web::test]
async fn a_refresh_token_used_twice_ends_its_family_for_good() {
    let data = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let limits = RegistryLimits::default();
    let open = || {
        let (clock, dice) = (clock.clone(), Dice::seeded(1));
        Accounts::start(store(data.path()), &config(), clock, dice, limits).unwrap().0
    };
    let accounts = open();
    let id = sign_up(&accounts, 1).await.id;
    let token = Uuid::from_u128(5);
    let present = |generation| Presented { token, generation, life_s: 600, retry_s: 60 };
    let first = accounts.rotate(id, present(0)).await.unwrap();
    let twice = tokio::join!(accounts.rotate(id, present(0)), accounts.rotate(id, present(0)));
    assert_eq!(twice, (Ok(first), Ok(first)), "retries get the same successor");
    accounts.close().await;

    let accounts = open();
    assert_eq!(accounts.rotate(id, present(1)).await.unwrap().generation, 2, "after a restart");
    clock.advance_ms(61_000);
    let reused = accounts.rotate(id, present(1)).await;
    assert_eq!(reused, Err(AccountsError::Refused(Refusal::RefreshReused)));
    assert!(accounts.revocations().is_revoked(id, token, true, u64::MAX));
    accounts.close().await;
}

/// One thing a player does.
#[derive(Clone, Debug)]
enum Move {
    Friends(usize, u8, usize),
    Delete(usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let friends = (0..5_usize, 0..4_u8, 0..5_usize).prop_map(|(a, d, b)| Move::Friends(a, d, b));
    let delete = (0..5_usize).prop_map(Move::Delete);
    prop::collection::vec(prop_oneof![20 => friends, 1 => delete], 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever five players do to each other: records come in pairs, counts are what is shown, and
    /// nothing points to a player who is gone.
    #[test]
    fn relationships_stay_whole(moves in moves()) {
        actix_rt::System::new().block_on(async {
            let data = tempfile::tempdir().unwrap();
            let (accounts, _stopped) = start(store(data.path()));
            let five = players(&accounts, 5).await;
            for step in moves {
                match step {
                    Move::Delete(at) => accounts.delete(five[at].id).await.unwrap(),
                    Move::Friends(by, deed, to) => {
                        let deed = match deed {
                            0 => add(),
                            1 => Deed::Remove,
                            2 => Deed::Block,
                            _ => Deed::Import { provider: "steam", reset: to % 2 == 0 },
                        };
                        let ask = wish(&five[by], deed, &[five[to].id]);
                        accounts.befriend(five[by].id, ask).await.unwrap();
                    }
                }
            }
            for me in &five {
                let edges = accounts.edges(me.id).unwrap();
                let alive = accounts.find(Key::Id(me.id)).await.unwrap().is_some();
                assert!(alive || edges.is_empty());
                let shown = edges.iter().filter(|(_, edge)| edge.state.is_shown()).count();
                assert_eq!(u32::try_from(shown).unwrap(), count_of(&accounts, me.id).await);
                for (other, edge) in edges {
                    let theirs = accounts.edge(other, me.id).unwrap().map(|edge| edge.state);
                    let pair = match edge.state {
                        EdgeState::Friend => [Some(EdgeState::Friend), None],
                        EdgeState::InviteSent => [Some(EdgeState::InviteReceived), None],
                        EdgeState::InviteReceived => [Some(EdgeState::InviteSent), None],
                        EdgeState::Blocked => [Some(EdgeState::Blocked), Some(EdgeState::BlockedBy)],
                        EdgeState::BlockedBy => [Some(EdgeState::Blocked), None],
                    };
                    assert!(theirs.is_some() && pair.contains(&theirs), "{edge:?} {theirs:?}");
                }
            }
            accounts.close().await;
        });
    }
}
