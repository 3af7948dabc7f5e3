//! A client that does not read costs little, is dropped, and nobody else notices.

use anteroom::domain::session::CloseReason;

use super::harness::{Settings, TestServer};

#[actix_web::test]
async fn a_client_that_stops_reading_is_dropped_and_its_neighbour_misses_nothing() {
    let server = TestServer::start(Settings::default());
    let mut player = server.join("1&online").await;
    let mut neighbour = server.join("2").await;
    let mut stalled = server.open_narrow("3").await;
    assert_eq!(stalled.next().await, "hello");
    assert_eq!(stalled.ask("follow 1").await, "following player1=");
    assert_eq!(neighbour.ask("follow 1").await, "following player1=");

    let figures = server.door.figures();
    let filler = "x".repeat(2_000);
    let mut before = String::new();
    for n in 0..50_000 {
        let status = format!("{n}{filler}");
        player.say(&format!("status {status}")).await;
        let expected = format!("event +player1={status} -player1={before}");
        assert_eq!(neighbour.next().await, expected);
        // Its own event and the acknowledgement.
        player.next().await;
        player.next().await;
        before = status;
        if figures.closed(CloseReason::SlowConsumer) > 0 {
            break;
        }
    }
    assert_eq!(figures.closed(CloseReason::SlowConsumer), 1, "the stalled client was not dropped");
    assert_eq!(neighbour.ask("echo fine").await, "fine");
    assert_eq!(server.door.count(), 2);
}
