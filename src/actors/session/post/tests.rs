//! Letters keep their order, and a session that lags is caught up rather than left behind.

use uuid::Uuid;

use super::*;
use crate::domain::presence::Event;

fn presence(account: u128, status: usize) -> Presence {
    Presence {
        account: AccountId(Uuid::from_u128(account)),
        session: Uuid::from_u128(account),
        username: "ada".into(),
        status: status.to_string().into(),
        version: 0,
        rich: None,
    }
}

fn update(account: u128, from: usize, to: usize) -> Letter {
    Letter::Event(Arc::new(Shared::new(Event {
        account: AccountId(Uuid::from_u128(account)),
        joins: vec![presence(account, to)],
        leaves: vec![presence(account, from)],
        was: Some(presence(account, from)),
        is: Some(presence(account, to)),
    })))
}

fn events(post: &Post) -> Vec<Event> {
    let letters = post.take().into_iter();
    letters
        .filter_map(|letter| match letter {
            Letter::Event(shared) => Some(shared.what.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn letters_about_few_players_never_fill_the_box() {
    let post = Post::default();
    for n in 0..10 * LETTERS_MAX {
        assert_eq!(post.put(update(u128::from(n as u64 % 3), n / 3, n / 3 + 1)), Ok(()));
    }
    let events = events(&post);
    assert!(events.len() <= LETTERS_MAX);
    for account in 0..3 {
        let own: Vec<_> =
            events.iter().filter(|it| it.account.0 == Uuid::from_u128(account)).collect();
        for (earlier, later) in own.iter().zip(own.iter().skip(1)) {
            assert_eq!(earlier.joins, later.leaves, "in order, and nothing missing between");
        }
        assert_eq!(own[0].leaves, [presence(account, 0)]);
        assert!(own.last().unwrap().joins[0].status.parse::<usize>().unwrap() > 3000);
    }
}

#[test]
fn a_box_full_of_different_players_is_full_but_takes_replies() {
    let post = Post::default();
    for n in 0..LETTERS_MAX {
        assert_eq!(post.put(update(n as u128, 0, 1)), Ok(()));
    }
    assert_eq!(post.put(update(u128::MAX, 0, 1)), Err(Full));
    assert_eq!(post.put(Letter::Followed(vec![])), Ok(()));
    assert!(matches!(post.take().pop_back(), Some(Letter::Followed(_))));
}

#[test]
fn the_first_reason_to_close_stands() {
    let post = Post::default();
    assert_eq!(post.asked_to_close(), None);
    post.close(CloseReason::AsRequested);
    post.close(CloseReason::Kicked);
    assert_eq!(post.asked_to_close(), Some(CloseReason::AsRequested));
    for reason in CloseReason::ALL {
        let post = Post::default();
        post.close(reason);
        assert_eq!(post.asked_to_close(), Some(reason));
    }
}
