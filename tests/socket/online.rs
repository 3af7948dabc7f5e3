//! Presence over sockets: who hears what, and when.

use super::harness::{Settings, TestServer, account};

#[actix_web::test]
async fn the_first_thing_an_online_client_hears_is_its_own_join() {
    let server = TestServer::start(Settings::default());
    let mut first = server.join("1").await;
    let mut second = server.open("1&online").await;
    let heard = [second.next().await, second.next().await];
    assert!(heard.contains(&"event +player1= -".to_owned()), "{heard:?}");
    assert_eq!(first.next().await, "event +player1= -", "and so do the player's other sockets");
    assert!(server.board.online(account(1)));
    assert_eq!((server.board.count(), server.board.sessions()), (1, 2));
}

#[actix_web::test]
async fn an_update_is_a_join_and_a_leave_in_one_event_and_the_end_is_a_leave() {
    let server = TestServer::start(Settings::default());
    let mut watcher = server.join("2").await;
    let mut player = server.join("1&online").await;
    assert_eq!(watcher.ask("follow 1").await, "following player1=");
    player.say("status a").await;
    assert_eq!(watcher.next().await, "event +player1=a -player1=");
    player.say("status b").await;
    assert_eq!(watcher.next().await, "event +player1=b -player1=a");
    player.say("offline").await;
    assert_eq!(watcher.next().await, "event + -player1=b");
    player.say("status c").await;
    assert_eq!(watcher.next().await, "event +player1=c -");
    player.socket.close(None).await.unwrap();
    assert_eq!(watcher.next().await, "event + -player1=c");
    assert!(!server.board.online(account(1)));
    assert_eq!(watcher.ask("unfollow 1").await, "unfollowed");
    server.join("1&online").await;
    assert_eq!(watcher.ask("echo quiet").await, "quiet");
}

#[actix_web::test]
async fn a_snapshot_is_never_older_than_the_events_before_it_nor_newer_than_those_behind() {
    let server = TestServer::start(Settings::default());
    let mut watcher = server.join("2").await;
    let mut player = server.join("1&online").await;
    watcher.ask("follow 1").await;
    let mut shown = String::new();
    for n in 0..200 {
        player.say(&format!("status {n}")).await;
        watcher.say("follow 1").await;
    }
    // Applying what comes in the order it comes, the watcher ends at the last status, and each
    // leave takes away just what it showed.
    let mut snapshots = 0;
    while snapshots < 200 || shown != "player1=199" {
        let words = watcher.next().await;
        if let Some(snapshot) = words.strip_prefix("following ") {
            assert_eq!(snapshot, shown_or(&shown, "player1="), "a snapshot says what was heard");
            snapshot.clone_into(&mut shown);
            snapshots += 1;
        } else {
            let event = words.strip_prefix("event +").unwrap();
            let (join, leave) = event.split_once(" -").unwrap();
            assert_eq!(leave, shown_or(&shown, "player1="));
            join.clone_into(&mut shown);
        }
    }
}

fn shown_or<'a>(shown: &'a str, start: &'a str) -> &'a str {
    if shown.is_empty() { start } else { shown }
}

#[actix_web::test]
async fn a_follow_beyond_the_bound_is_left_out() {
    let mut settings = Settings::default();
    settings.limits.follows_max = 1;
    let server = TestServer::start(settings);
    let _first = server.join("1&online").await;
    let _second = server.join("2&online").await;
    let mut watcher = server.join("3").await;
    assert_eq!(watcher.ask("follow 1 2").await, "following player1=");
}
