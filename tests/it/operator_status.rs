//! The operator API: the server's state and one player's presence.

use serde_json::{Value, json};

use crate::nakama_friends::Player;
use crate::operator_client::{Desk, refused};
use crate::pragma_client::{Socket, come_in};
use crate::pragma_office::social_id;
use crate::queue_client::events_at;

#[actix_rt::test]
async fn the_state_says_what_runs_and_how_much_of_it() {
    let desk = Desk::open(|_| {}).await;
    let tokens = come_in(&desk.server, "ada").await;
    let mut socket = Socket::open(&desk.server, &tokens.game).await;
    socket.heartbeat(1).await;
    let status = desk.get("/status").await;
    assert_eq!(
        (&status["version"], &status["state"]),
        (&json!(env!("CARGO_PKG_VERSION")), &json!("ready"))
    );
    let listener = |name: &str| {
        let mut all = status["listeners"].as_array().unwrap().iter();
        all.find(|it| it["name"] == name).unwrap()["address"].as_str().unwrap().to_owned()
    };
    assert_eq!(listener("operators"), desk.server.operators.to_string());
    assert_eq!(listener("players"), desk.server.players.to_string());
    let count = |list: &str, kind: &str| {
        let mut all = status[list].as_array().unwrap().iter();
        all.find(|it| it["kind"] == kind).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!((count("sockets", "pragma_game"), count("sockets", "nakama")), (1, 0));
    assert_eq!(count("connections", "players"), 0, "a socket is none any more");
    assert_eq!(count("connections", "operators"), 1, "this one");
    assert!(status["accounts"].as_u64().unwrap() >= 22 && status["memory_bytes"].is_u64());
    assert!(status["store"]["accounts_bytes"].as_u64().unwrap() > 0);
    assert!(status["store"]["flushed_ms"].is_u64() && status["line"]["epoch"].is_u64());
    let eve = desk.helper("eve", json!(["queue.dials.get"])).await;
    refused(&desk.call_as(&eve, "GET", "/status", Value::Null).await, 403, "forbidden");
}

#[actix_rt::test]
async fn a_player_is_watched_live() {
    let desk = Desk::open(|_| {}).await;
    let ada = Player::new(&desk.server, "ada").await;
    let at = format!("/presence/{}", ada.id);
    let seen = desk.get(&at).await;
    assert_eq!(
        (&seen["online"], &seen["sockets"], &seen["followers"]),
        (&json!(false), &json!([]), &json!(0))
    );
    let path = format!("/v1/operator{at}/stream");
    let mut stream = events_at(desk.server.operators, &path, &desk.olga.social).await.ok().unwrap();
    assert_eq!(stream.told("presence").await, seen);
    let tokens = come_in(&desk.server, "bob").await;
    let bob = format!("/v1/operator/presence/{}/stream", social_id(&tokens));
    let mut stream = events_at(desk.server.operators, &bob, &desk.olga.social).await.ok().unwrap();
    assert_eq!(stream.told("presence").await["sockets"], json!([]));
    let mut socket = Socket::open(&desk.server, &tokens.game).await;
    socket.heartbeat(1).await;
    assert_eq!(stream.told("presence").await["sockets"], json!(["pragma_game"]));
    let nobody = "/presence/00000000-0000-0000-0000-00000000000f";
    refused(&desk.call("GET", nobody, Value::Null).await, 404, "no_account");
    let eve = desk.helper("eve", json!(["queue.dials.get"])).await;
    refused(&desk.call_as(&eve, "GET", &at, Value::Null).await, 403, "forbidden");
}
