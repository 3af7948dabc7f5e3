//! A player of Pragma's and one of Nakama's: one graph of friends, one board, two wires.

use serde_json::{Value, json};

use crate::fakes;
use crate::harness::TestServer;
use crate::nakama_friends::Player as Nakama;
use crate::pragma_client::{SHARD, Tokens, authenticate, pass};
use crate::pragma_friends::Player as Pragma;
use crate::socket_protobuf::Socket;

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

async fn server() -> TestServer {
    TestServer::start(|_| {}).await
}

/// As the other is shown who never came through Pragma's door.
fn overview(nakama: &Nakama) -> Value {
    json!({"socialId": nakama.id,
        "displayName": {"displayName": nakama.name, "discriminator": ""}})
}

async fn status(socket: &mut Socket, status: Option<&str>) {
    socket.tell_json(json!({"cid": "s", "status_update": {"status": status}})).await;
    // The acknowledgement and one's own event, in either order.
    let both = [socket.json().await, socket.json().await];
    assert!(both.contains(&json!({"cid": "s"})), "{both:?}");
}

#[actix_rt::test]
async fn each_sees_the_other_come_change_and_go() {
    let server = server().await;
    let ned = Nakama::new(&server, "ned").await;
    let mut pam = Pragma::registered(&server, "pam").await;
    Pragma::ok(&pam.invites(&ned.id).await);
    let invited = pam.turned().await;
    assert_eq!(invited, json!({"sentInvitesAdded": [overview(&ned)], "version": "1"}));
    let told = ned.ask(&server, "GET", "/v2/notification?limit=10").await;
    let told = &told.json["notifications"][0];
    assert_eq!((&told["code"], &told["sender_id"]), (&json!(-2), &json!(pam.social_id)));
    ned.ask(&server, "POST", &format!("/v2/friend?ids={}", pam.social_id)).await;
    let mut friend = overview(&ned);
    friend["playerId"] = json!(NOBODY);
    friend["presences"] = json!([]);
    let expected = json!({"friendsAdded": [friend.clone()], "sentInvitesRemoved": [ned.id],
        "version": "2"});
    assert_eq!(pam.turned().await, expected);

    // Pam sees Ned: online, with a status, gone.
    let mut socket = Socket::open(&server, &format!("token={}&status=true", ned.token)).await;
    socket.json().await; // one's own event
    let presence = |version: u64, ext: Value| {
        json!({"playerId": NOBODY, "gameShardId": SHARD, "gameTitleId": SHARD,
            "basicPresence": "Online", "version": version.to_string(), "ext": ext})
    };
    let mut version = 0;
    for (set, ext) in [(None, json!({})), (Some("in the lobby"), json!({"status": "in the lobby"}))]
    {
        if set.is_some() {
            status(&mut socket, set).await;
        }
        let update = pam.told("FriendUpdate").await;
        version += 1;
        let expected = presence(version, ext.clone());
        assert_eq!(update, json!({"socialId": ned.id, "updatedPresence": expected}));
        friend["presences"] = json!([expected]);
        assert_eq!(pam.list().await["friends"], json!([friend]));
    }
    status(&mut socket, Some("in the lobby")).await; // for a client of Pragma's nothing new
    socket.tell_json(json!({"cid": "s", "status_update": {}})).await;
    let gone = pam.told("PresenceRemove").await;
    let expected = json!({"socialId": ned.id, "playerId": NOBODY, "gameShardId": SHARD,
        "gameTitleId": SHARD});
    assert_eq!(gone, expected);
}

/// One account from end to end: made by Nakama's device sign-in, Steam linked by Nakama, signed in by
/// Pragma's STEAM; a friend made on one wire is there on the other, and so is being online.
#[actix_rt::test]
async fn an_account_of_nakamas_plays_by_pragma_through_its_steam_link() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let (ned, una) = (Nakama::new(&server, "ned").await, Nakama::new(&server, "una").await);
    let steam = || fakes.steam_ticket("76561198000000042");
    let link = json!({"account": {"token": steam()}});
    let linked = server.with_token("POST", "/v2/account/link/steam", &una.token, Some(link)).await;
    assert_eq!(linked.status, 200, "{}", linked.text);
    ned.ask(&server, "POST", &format!("/v2/friend?ids={}", una.id)).await;
    una.ask(&server, "POST", &format!("/v2/friend?ids={}", ned.id)).await;

    let pass = json!({"gameShardId": SHARD, "loginQueuePassToken": pass(&server).await});
    let tokens = authenticate(server.players, "STEAM", &steam(), pass).await;
    let mut by_pragma = Pragma::with(&server, "una", Tokens::of(&tokens)).await;
    assert_eq!(by_pragma.social_id, una.id, "the same account");
    let list = by_pragma.list().await;
    assert_eq!(list["friends"][0]["socialId"], ned.id, "{list}");

    let mut socket = Socket::open(&server, &format!("token={}", ned.token)).await;
    let follow = json!({"cid": "1", "status_follow": {"user_ids": [una.id]}});
    socket.tell_json(follow).await;
    socket.json().await;
    Pragma::ok(&by_pragma.shows("Online", json!({"map": "dust"})).await);
    let join = socket.json().await["status_presence_event"]["joins"][0].clone();
    assert_eq!((&join["user_id"], &join["username"]), (&json!(una.id), &json!(una.name)));
    status(&mut socket, Some("watching")).await;
    by_pragma.told("PresenceUpdate").await;
    let seen = by_pragma.told("FriendUpdate").await;
    assert_eq!(seen["updatedPresence"]["ext"], json!({"status": "watching"}));
}

#[actix_rt::test]
async fn a_follower_sees_a_player_of_pragmas_by_a_status_text() {
    let server = server().await;
    let ned = Nakama::new(&server, "ned").await;
    let mut pam = Pragma::registered(&server, "pam").await;
    let mut socket = Socket::open(&server, &format!("token={}", ned.token)).await;
    let follow = json!({"cid": "1", "status_follow": {"user_ids": [pam.social_id]}});
    socket.tell_json(follow.clone()).await;
    let nothing = json!({"cid": "1", "status": {"presences": []}});
    assert_eq!(socket.json().await, nothing, "nothing until it is set");

    Pragma::ok(&pam.shows("Online", json!({})).await);
    let came = socket.json().await;
    let join = &came["status_presence_event"]["joins"][0];
    assert_eq!(join["user_id"], pam.social_id);
    assert_eq!(join["status"].as_str().unwrap_or_default(), "", "{came}");
    let user = ned.ask(&server, "GET", &format!("/v2/user?ids={}", pam.social_id)).await;
    assert_eq!(join["username"], user.json["users"][0]["username"], "the name they know");
    assert_eq!(user.json["users"][0]["online"], true);

    Pragma::ok(&pam.shows("Away", json!({"map": "dust"})).await);
    let changed = socket.json().await;
    let event = &changed["status_presence_event"];
    assert_eq!(event["joins"][0]["status"], r#"{"map":"dust"}"#);
    assert_eq!(event["leaves"][0]["session_id"], event["joins"][0]["session_id"]);
    socket.tell_json(follow).await;
    let snapshot = socket.json().await;
    assert_eq!(snapshot["status"]["presences"], event["joins"]);

    let social_id = pam.social_id.clone();
    pam.socket.leave().await;
    let gone = socket.json().await;
    let event = &gone["status_presence_event"];
    assert_eq!((&event["leaves"][0]["user_id"], event.get("joins")), (&json!(social_id), None));
}

#[actix_rt::test]
async fn a_name_without_a_discriminator_is_a_user_name_and_a_block_holds_on_both_wires() {
    let server = server().await;
    let ned = Nakama::new(&server, "ned").await;
    let mut pam = Pragma::registered(&server, "pam").await;
    ned.ask(&server, "POST", &format!("/v2/friend?ids={}", pam.social_id)).await;
    let received = pam.turned().await;
    assert_eq!(received, json!({"receivedInvitesAdded": [overview(&ned)], "version": "1"}));
    let name = overview(&ned)["displayName"].clone();
    Pragma::ok(&pam.word("SendFriendInviteV1", json!({"inviteeDisplayName": name})).await);
    assert_eq!(pam.turned().await["friendsAdded"][0]["socialId"], ned.id, "asked, so accepted");
    let told = ned.ask(&server, "GET", "/v2/notification?limit=10").await;
    assert_eq!(told.json["notifications"][0]["code"], -3);

    ned.ask(&server, "POST", &format!("/v2/friend/block?ids={}", pam.social_id)).await;
    assert_eq!(pam.turned().await, json!({"friendsRemoved": [ned.id], "version": "3"}));
    assert_eq!(pam.invites(&ned.id).await, "InviteeNotFound");
    let mut socket = Socket::open(&server, &format!("token={}&status=true", ned.token)).await;
    socket.json().await;
    pam.heard_nothing().await;
    ned.ask(&server, "DELETE", &format!("/v2/friend?ids={}", pam.social_id)).await;

    Pragma::ok(&pam.word("BlockV1", json!({"blockedSocialId": ned.id})).await);
    ned.ask(&server, "POST", &format!("/v2/friend?ids={}", pam.social_id)).await;
    let friends = ned.ask(&server, "GET", "/v2/friend").await;
    assert_eq!(friends.json.get("friends"), None, "{}", friends.text);
}
