//! Storms: one player whom a thousand follow, and ten thousand sockets that come and go.

use futures_util::future::join_all;

use super::harness::{Client, LIMITS, Settings, TestServer, account, patient};
use anteroom::actors::session::{Others, SocketLimits};

/// Reads events until the player shows `last`; what they showed before goes from one to the next
/// without a gap.
async fn follow_to(client: &mut Client, last: &str) -> usize {
    let (mut shown, mut events) = (String::new(), 0);
    while shown != last {
        let words = client.next().await;
        let event = words.strip_prefix("event +player1=").unwrap_or_else(|| panic!("{words}"));
        let (join, leave) = event.split_once(" -player1=").unwrap();
        assert_eq!(leave, shown, "an event was lost");
        join.clone_into(&mut shown);
        events += 1;
    }
    events
}

async fn join(server: &TestServer, query: String) -> Client {
    server.join(&query).await
}

#[actix_web::test]
async fn a_thousand_followers_hear_a_hundred_updates_and_end_at_the_last() {
    const FOLLOWERS: usize = 1_000;
    const UPDATES: usize = 100;
    let server = TestServer::start(Settings::default());
    let mut player = server.join("1&online").await;
    let mut followers = join_all((0..FOLLOWERS).map(|n| join(&server, format!("{}", n + 2)))).await;
    for follower in &mut followers {
        assert_eq!(follower.ask("follow 1").await, "following player1=");
    }
    let updates = async {
        for n in 1..=UPDATES {
            player.say(&format!("status {n}")).await;
            // Its own event and the acknowledgement.
            player.next().await;
            player.next().await;
        }
    };
    let last = UPDATES.to_string();
    let hearing = join_all(followers.iter_mut().map(|follower| follow_to(follower, &last)));
    let ((), heard) = patient(futures_util::future::join(updates, hearing)).await;
    assert!(heard.iter().all(|events| *events <= UPDATES));
    assert_eq!(server.door.count(), FOLLOWERS + 1, "nobody was dropped");
}

#[actix_web::test]
async fn ten_thousand_sockets_come_and_go_and_leave_nothing_behind() {
    let limits = SocketLimits { follows_max: 10, ..LIMITS };
    let server = TestServer::start(Settings { limits, ..Settings::default() });
    let mut watcher = server.join("1").await;
    for wave in 0..20_u128 {
        let queries = (0..500).map(|n| format!("{}&online", 2 + n + wave));
        let mut clients = join_all(queries.map(|query| join(&server, query))).await;
        assert_eq!(server.board.sessions(), 501, "wave {wave}");
        for client in clients.iter_mut().step_by(7) {
            client.say("follow 1").await;
        }
        drop(clients); // without a goodbye
        server.until(|server| server.door.count() == 1).await;
    }
    server.until(|server| server.board.sessions() == 1).await;
    assert_eq!(server.board.count(), 0, "nobody shows a status");
    assert!((2..600).all(|n| !server.board.online(account(n))));
    // Every slot but the watcher's is given back.
    server.until(|server| server.slots.log.lock().unwrap().len() == 1 + 2 * 20 * 500).await;
    assert_eq!(watcher.ask("echo still here").await, "still here");
}

#[actix_web::test]
async fn what_a_player_is_told_reaches_every_socket_of_theirs_once() {
    use anteroom::domain::notification::{Notification, Topic};
    let settings = Settings { others: Others::Keep(10), ..Settings::default() };
    let server = TestServer::start(settings);
    let mut own = join_all((0..3).map(|_| server.join("1"))).await;
    let mut other = server.join("2").await;
    let told = Notification::from_server(uuid::Uuid::nil(), Topic::Banned, server.clock.now());
    assert_eq!(server.door.tell(account(1), told.clone()), 3);
    assert_eq!(server.door.tell(account(9), told), 0);
    for client in &mut own {
        assert_eq!(client.next().await, "told banned");
    }
    assert_eq!(other.ask("echo nothing else").await, "nothing else");
}
