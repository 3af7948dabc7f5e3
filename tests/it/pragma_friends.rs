//! Friends and presences over Pragma's social socket (protocol-pragma §12, §18.19).

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Answer, TestServer};
use crate::pragma_client::{SHARD, Socket, Tokens, claims, come_in};

/// A player at their social socket, who keeps what they are told.
pub struct Player {
    pub socket: Socket,
    pub tokens: Tokens,
    pub name: String,
    pub social_id: String,
    pub id_on_shard: String,
    asked: i64,
    told: VecDeque<Value>,
}

impl Player {
    /// Signs in and opens the socket; asks for nothing.
    pub async fn new(server: &TestServer, name: &str) -> Self {
        Self::with(server, name, come_in(server, name).await).await
    }

    /// The same for somebody who is signed in.
    pub async fn with(server: &TestServer, name: &str, tokens: Tokens) -> Self {
        let socket = Socket::open(server, &tokens.social).await;
        let (game, social) = (claims(&tokens.game), claims(&tokens.social));
        let text = |claim: &Value| claim.as_str().unwrap().to_owned();
        Self {
            socket,
            name: name.to_owned(),
            social_id: text(&social["pragmaSocialId"]),
            id_on_shard: text(&game["pragmaPlayerId"]),
            tokens,
            asked: 6,
            told: VecDeque::new(),
        }
    }

    /// The same, with the list of friends asked for, as the shipped client does.
    pub async fn registered(server: &TestServer, name: &str) -> Self {
        let mut player = Self::new(server, name).await;
        player.list().await;
        player
    }

    /// Sends a request and does not wait.
    pub async fn send(&mut self, call: &str, payload: Value) -> i64 {
        self.asked += 1;
        let kind = format!("FriendRpc.{call}Request");
        let request = json!({"requestId": self.asked, "type": kind, "payload": payload});
        self.socket.send(Message::text(request.to_string())).await;
        self.asked
    }

    /// What a request is answered with, whatever else is told before.
    pub async fn answer(&mut self, id: i64) -> Value {
        loop {
            let mut message = self.socket.next().await;
            for body in ["response", "serviceError"] {
                if message[body]["requestId"] == id {
                    return message[body].take();
                }
            }
            self.told.push_back(message["notification"].take());
        }
    }

    pub async fn ask(&mut self, call: &str, payload: Value) -> Value {
        let id = self.send(call, payload).await;
        self.answer(id).await
    }

    /// The word a request is answered with.
    pub async fn word(&mut self, call: &str, payload: Value) -> String {
        let answer = self.ask(call, payload).await;
        assert_eq!(answer["type"], format!("FriendRpc.{call}Response"), "{answer}");
        answer["payload"]["response"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    #[track_caller]
    pub fn ok(word: &str) {
        assert_eq!(word, "Ok");
    }

    pub async fn list(&mut self) -> Value {
        let answer = self.ask("GetFriendListAndRegisterOnlineV1", json!({})).await;
        assert_eq!(
            answer["type"], "FriendRpc.GetFriendListAndRegisterOnlineV1Response",
            "{answer}"
        );
        answer["payload"]["friendList"].clone()
    }

    /// The next thing told, which has to be of this kind: its payload.
    pub async fn told(&mut self, kind: &str) -> Value {
        let mut told = match self.told.pop_front() {
            Some(told) => told,
            None => self.socket.next().await["notification"].take(),
        };
        assert_eq!(told["type"], format!("FriendRpc.{kind}V1Notification"), "{told}");
        told["payload"].take()
    }

    /// The next thing told, which has to be how the list has changed: what is not empty of it.
    pub async fn turned(&mut self) -> Value {
        let mut updates = self.told("FriendListUpdate").await["updates"].take();
        let members = updates.as_object_mut().unwrap();
        assert_eq!(members.len(), 7, "every member is there");
        members.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
        updates
    }

    /// Nothing was told but what has been asked for.
    pub async fn heard_nothing(&mut self) {
        self.asked += 1;
        self.socket.heartbeat(self.asked).await;
        assert_eq!(self.told, [Value::Null; 0]);
    }

    pub async fn shows(&mut self, basic: &str, ext: Value) -> String {
        let payload = json!({"basicPresence": basic, "gameShardId": SHARD, "requestExt": ext});
        self.word("SetPresenceV1", payload).await
    }

    pub fn overview(&self) -> Value {
        let discriminator = &claims(&self.tokens.social)["discriminator"];
        json!({"socialId": self.social_id,
            "displayName": {"displayName": self.name, "discriminator": discriminator}})
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]
    pub fn presence(&self, version: u64, basic: &str, ext: Value) -> Value {
        json!({"playerId": self.id_on_shard, "gameShardId": SHARD, "gameTitleId": SHARD,
            "basicPresence": basic, "version": version.to_string(), "ext": ext})
    }

    pub fn friend(&self, presences: Value) -> Value {
        let mut friend = self.overview();
        friend["playerId"] = json!(self.id_on_shard);
        friend["presences"] = presences;
        friend
    }

    pub async fn invites(&mut self, other: &str) -> String {
        self.word("SendFriendInviteBySocialIdV1", json!({"inviteeSocialId": other})).await
    }

    pub async fn responds(&mut self, other: &str, accepts: bool) -> String {
        let payload = json!({"inviterSocialId": other, "acceptInvite": accepts});
        self.word("RespondToFriendInviteV1", payload).await
    }

    pub async fn removes(&mut self, other: &str) -> String {
        self.word("RemoveFriendV1", json!({"friendSocialId": other})).await
    }
}

/// Makes two friends, both of whom have asked for their lists; reads what they are told of it.
async fn befriend(one: &mut Player, other: &mut Player) {
    let (mine, theirs) = (one.social_id.clone(), other.social_id.clone());
    Player::ok(&one.invites(&theirs).await);
    Player::ok(&other.responds(&mine, true).await);
    for player in [one, other] {
        player.turned().await;
        player.turned().await;
    }
}

async fn server() -> TestServer {
    TestServer::start(|_| {}).await
}

#[actix_rt::test]
async fn a_presence_is_answered_then_told_to_oneself_and_to_friends_until_its_socket_goes() {
    let server = server().await;
    let mut ada = Player::registered(&server, "ada").await;
    let mut bob = Player::registered(&server, "bob").await;
    befriend(&mut ada, &mut bob).await;
    assert_eq!(ada.list().await["friends"], json!([bob.friend(json!([]))]), "nothing until set");

    // Two at once: each is answered before it is told, and they are told in order.
    let set = |basic: &str, map: &str| {
        json!({"basicPresence": basic, "gameShardId": SHARD.to_uppercase(),
            "requestExt": {"map": map}, "unknown": 1})
    };
    let first = bob.send("SetPresenceV1", set("Online", "dust")).await;
    let second = bob.send("SetPresenceV1", set("Away", "dust")).await;
    for (id, version, basic) in [(first, 1, "Online"), (second, 2, "Away")] {
        assert_eq!(bob.answer(id).await["payload"], json!({"response": "Ok"}));
        let new = bob.told("PresenceUpdate").await;
        let expected = bob.presence(version, basic, json!({"map": "dust"}));
        assert_eq!(new, json!({"newPresence": expected}));
        let update = ada.told("FriendUpdate").await;
        assert_eq!(update, json!({"socialId": bob.social_id, "updatedPresence": expected}));
    }
    let shown = bob.presence(2, "Away", json!({"map": "dust"}));
    assert_eq!(ada.list().await["friends"], json!([bob.friend(json!([shown]))]));

    let (social, player) = (bob.social_id.clone(), bob.id_on_shard.clone());
    bob.socket.leave().await;
    let gone = ada.told("PresenceRemove").await;
    let expected = json!({"socialId": social, "playerId": player, "gameShardId": SHARD,
        "gameTitleId": SHARD});
    assert_eq!(gone, expected);
    assert_eq!(ada.list().await["friends"][0]["presences"], json!([]));
}

#[actix_rt::test]
async fn a_presence_may_keep_either_part_and_needs_a_basic_one_and_a_player() {
    let server = server().await;
    let mut ada = Player::new(&server, "ada").await;
    assert_eq!(ada.shows("", json!({"map": "dust"})).await, "PresenceNotFound");
    Player::ok(&ada.shows("Online", json!({})).await);
    assert_eq!(
        ada.told("PresenceUpdate").await["newPresence"],
        ada.presence(1, "Online", json!({}))
    );
    // The older name of the member, and only that.
    let ext = json!({"map": "dust"});
    Player::ok(&ada.word("SetPresenceV1", json!({"gameShardId": SHARD, "ext": ext})).await);
    let expected = ada.presence(2, "Online", ext.clone());
    assert_eq!(ada.told("PresenceUpdate").await["newPresence"], expected);
    Player::ok(&ada.word("SetPresenceV1", json!({"basicPresence": "Away"})).await);
    assert_eq!(ada.told("PresenceUpdate").await["newPresence"], ada.presence(3, "Away", ext));

    let elsewhere = json!({"basicPresence": "Online", "requestExt": {},
        "gameShardId": "00000000-0000-0000-0000-0000000000FF"});
    assert_eq!(ada.word("SetPresenceV1", elsewhere).await, "GameIdentityNotFound");
    for bad in [
        json!({"basicPresence": "Busy"}),
        json!({"basicPresence": "Online", "gameShardId": "x"}),
        json!({"basicPresence": "Online", "requestExt": "text"}),
        json!({"basicPresence": "Online", "requestExt": {"long": "x".repeat(2_048)}}),
    ] {
        let answer = ada.ask("SetPresenceV1", bad).await;
        assert_eq!(answer["status"], "BAD_PARAM", "{answer}");
    }
    ada.heard_nothing().await;
}

#[actix_rt::test]
async fn a_presence_ends_with_log_out_and_passes_to_the_socket_that_takes_over() {
    let server = server().await;
    let mut ada = Player::registered(&server, "ada").await;
    let mut bob = Player::registered(&server, "bob").await;
    befriend(&mut ada, &mut bob).await;
    Player::ok(&bob.shows("Online", json!({})).await);
    let version = |told: &Value| told["updatedPresence"]["version"].clone();
    assert_eq!(version(&ada.told("FriendUpdate").await), "1");

    let mut again = Player::registered(&server, "bob").await;
    ada.told("PresenceRemove").await;
    Player::ok(&again.shows("Online", json!({})).await);
    assert_eq!(version(&ada.told("FriendUpdate").await), "2", "friends remember the last number");
    let kind = "PlayerSessionRpc.RequestLogoutV1Request";
    let request = json!({"requestId": 900, "type": kind, "payload": {}});
    again.socket.send(Message::text(request.to_string())).await;
    ada.told("PresenceRemove").await;
    ada.heard_nothing().await;
}

#[actix_rt::test]
async fn an_invitation_by_name_makes_friends_and_both_lists_follow() {
    let server = server().await;
    let mut ada = Player::new(&server, "ada").await;
    let empty = json!({"friends": [], "sentInvites": [], "receivedInvites": [], "version": "0",
        "blocked": [], "acceptNewFriendInvites": true});
    assert_eq!(ada.list().await, empty);
    let mut bob = Player::registered(&server, "bob").await;
    Player::ok(&bob.shows("Online", json!({})).await);
    bob.told("PresenceUpdate").await;

    let name = bob.overview()["displayName"].clone();
    let number: u64 = name["discriminator"].as_str().unwrap().parse().unwrap();
    let shouted = json!({"displayName": "BOB", "discriminator": number});
    let invited = ada.word("SendFriendInviteV1", json!({"inviteeDisplayName": shouted})).await;
    Player::ok(&invited);
    let sent = ada.turned().await;
    assert_eq!(sent, json!({"sentInvitesAdded": [bob.overview()], "version": "1"}));
    let received = bob.turned().await;
    assert_eq!(received, json!({"receivedInvitesAdded": [ada.overview()], "version": "1"}));
    assert_eq!(ada.list().await["sentInvites"], json!([bob.overview()]));
    assert_eq!(bob.list().await["receivedInvites"], json!([ada.overview()]));

    Player::ok(&bob.responds(&ada.social_id.to_uppercase(), true).await);
    let online = bob.presence(1, "Online", json!({}));
    let expected = json!({"friendsAdded": [bob.friend(json!([online]))],
        "sentInvitesRemoved": [bob.social_id], "version": "2"});
    assert_eq!(ada.turned().await, expected);
    let expected = json!({"friendsAdded": [ada.friend(json!([]))],
        "receivedInvitesRemoved": [ada.social_id], "version": "2"});
    assert_eq!(bob.turned().await, expected);

    // Followed at once, without asking again.
    Player::ok(&bob.shows("Away", json!({})).await);
    let update = ada.told("FriendUpdate").await;
    assert_eq!(update["updatedPresence"], bob.presence(2, "Away", json!({})));

    Player::ok(&ada.removes(&bob.social_id).await);
    let expected = json!({"friendsRemoved": [bob.social_id], "version": "3"});
    assert_eq!(ada.turned().await, expected);
    bob.told("PresenceUpdate").await;
    assert_eq!(bob.turned().await["friendsRemoved"], json!([ada.social_id]));
    Player::ok(&bob.shows("Online", json!({})).await);
    bob.told("PresenceUpdate").await;
    ada.heard_nothing().await;
    let list = ada.list().await;
    assert_eq!((&list["friends"], &list["version"]), (&json!([]), &json!("3")));
}

#[actix_rt::test]
async fn what_cannot_be_done_has_a_word() {
    let server = server().await;
    let mut ada = Player::new(&server, "ada").await;
    let mut bob = Player::new(&server, "bob").await;
    let (a, b) = (ada.social_id.clone(), bob.social_id.clone());
    let nobody = "00000000-0000-0000-0000-00000000ABCD";
    for other in [nobody, a.as_str()] {
        assert_eq!(ada.invites(other).await, "InviteeNotFound", "{other}");
        assert_eq!(ada.responds(other, true).await, "InviterNotFound", "{other}");
        assert_eq!(ada.removes(other).await, "FriendNotFound", "{other}");
        assert_eq!(ada.word("BlockV1", json!({"socialId": other})).await, "FriendNotFound");
        assert_eq!(ada.word("UnblockV1", json!({"socialId": other})).await, "Ok");
    }
    for name in [json!({"displayName": "bob", "discriminator": "0"}), json!({"displayName": "?"})] {
        let word = ada.word("SendFriendInviteV1", json!({"inviteeDisplayName": name})).await;
        assert_eq!(word, "InviteeNotFound");
    }
    assert_eq!(ada.responds(&b, true).await, "InviteNotFound");
    Player::ok(&ada.invites(&b).await);
    assert_eq!(ada.responds(&b, true).await, "InviteNotFound", "one's own is not to be answered");
    assert_eq!(ada.removes(&b).await, "FriendNotFound");
    Player::ok(&ada.invites(&b).await);
    Player::ok(&bob.responds(&a, false).await);
    assert_eq!(bob.responds(&a, true).await, "InviteNotFound");
    Player::ok(&ada.invites(&b).await);
    Player::ok(&bob.invites(&a).await); // asking back is accepting
    assert_eq!(ada.invites(&b).await, "InviteeAlreadyFriend");
    assert_eq!(bob.removes(&a).await, "Ok");
    for call in ["SendFriendInviteBySocialIdV1", "RemoveFriendV1", "BlockV1", "SendFriendInviteV1"]
    {
        for payload in [json!({}), json!({"inviteeSocialId": "x"})] {
            let answer = ada.ask(call, payload).await;
            assert_eq!(answer["status"], "BAD_PARAM", "{call} {answer}");
        }
    }
    let answer = ada.ask("SetPresencePartnerV1", json!({"socialId": b})).await;
    assert_eq!(answer["error"], "SessionService_WrongSessionType");
    ada.heard_nothing().await;
}

#[actix_rt::test]
async fn whoever_is_blocked_sees_a_friend_go_and_finds_nobody_to_invite() {
    let server = server().await;
    let mut ada = Player::registered(&server, "ada").await;
    let mut eve = Player::registered(&server, "eve").await;
    befriend(&mut ada, &mut eve).await;
    let (a, e) = (ada.social_id.clone(), eve.social_id.clone());
    Player::ok(&ada.word("BlockV1", json!({"blockedSocialId": e})).await);
    assert_eq!(ada.turned().await["friendsRemoved"], json!([e]));
    assert_eq!(eve.turned().await["friendsRemoved"], json!([a]));
    assert_eq!(ada.list().await["blocked"], json!([eve.overview()]));
    let list = eve.list().await;
    assert_eq!((&list["blocked"], &list["friends"]), (&json!([]), &json!([])));

    Player::ok(&ada.shows("Online", json!({})).await);
    assert_eq!(eve.invites(&a).await, "InviteeNotFound");
    assert_eq!(ada.invites(&e).await, "InviteeNotFound", "neither way");
    eve.heard_nothing().await;
    Player::ok(&ada.word("BlockV1", json!({"blockedSocialId": e})).await);
    Player::ok(&ada.word("UnblockV1", json!({"blockedSocialId": e})).await);
    Player::ok(&eve.invites(&a).await);
}

#[actix_rt::test]
async fn who_takes_no_invitations_is_not_found_and_that_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_on(folder.path(), TestServer::noon(), |_| {}).await;
    let mut ada = Player::new(&server, "ada").await;
    let call = "SetAcceptIncomingFriendInvitesV1";
    Player::ok(&ada.word(call, json!({"acceptNewFriendInvites": false})).await);
    assert_eq!(ada.list().await["acceptNewFriendInvites"], false);
    let mut bob = Player::new(&server, "bob").await;
    let word = bob.invites(&ada.social_id).await;
    assert_eq!(word, "InviteeNotFound");
    Player::ok(&ada.invites(&bob.social_id).await);
    drop((ada, bob));
    server.stop();

    let server = TestServer::start_on(folder.path(), TestServer::noon(), |_| {}).await;
    let mut ada = Player::new(&server, "ada").await;
    let list = ada.list().await;
    assert_eq!((&list["acceptNewFriendInvites"], &list["version"]), (&json!(false), &json!("1")));
    Player::ok(&ada.word(call, json!({"acceptNewFriendInvites": true})).await);
    let mut eve = Player::new(&server, "eve").await;
    Player::ok(&eve.invites(&ada.social_id).await);
    assert_eq!(ada.turned().await["version"], "2");
    drop((ada, eve));
    server.stop();
}

#[actix_rt::test]
async fn invitations_and_lists_are_bounded() {
    let server = TestServer::start(|config| {
        config.pragma.invites_sent_max = 2;
        config.pragma.invites_received_max = 1;
        config.nakama.friends_max = 10;
    })
    .await;
    let mut ada = Player::new(&server, "ada").await;
    let mut others = Vec::new();
    for name in ["bob", "eve", "kim"] {
        others.push(Player::new(&server, name).await);
    }
    let ids: Vec<_> = others.iter().map(|other| other.social_id.clone()).collect();
    Player::ok(&ada.invites(&ids[0]).await);
    assert_eq!(others[1].invites(&ids[0]).await, "InviteeReceivedInvitesFull");
    Player::ok(&ada.invites(&ids[1]).await);
    assert_eq!(ada.invites(&ids[2]).await, "FriendListFull");
    Player::ok(&others[0].responds(&ada.social_id, true).await);
    Player::ok(&ada.invites(&ids[2]).await);
}

#[actix_rt::test]
async fn a_socket_that_has_not_asked_for_the_list_hears_of_itself_alone() {
    let server = server().await;
    let mut ada = Player::new(&server, "ada").await;
    let mut bob = Player::registered(&server, "bob").await;
    Player::ok(&ada.invites(&bob.social_id.clone()).await);
    Player::ok(&bob.responds(&ada.social_id, true).await);
    Player::ok(&bob.shows("Online", json!({})).await);
    for _ in 0..2 {
        bob.turned().await;
    }
    bob.told("PresenceUpdate").await;
    ada.heard_nothing().await;
    // Older clients ask by another name; it is as good.
    let list = ada.ask("GetFriendListV1", json!({"gameShardId": SHARD})).await;
    let list = &list["payload"]["friendList"];
    assert_eq!(list["version"], "2");
    assert_eq!(list["friends"][0]["presences"], json!([bob.presence(1, "Online", json!({}))]));
    Player::ok(&bob.removes(&ada.social_id).await);
    let expected = json!({"friendsRemoved": [bob.social_id], "version": "3"});
    assert_eq!(ada.turned().await, expected);
    let elsewhere = json!({"gameShardId": "00000000-0000-0000-0000-0000000000ff"});
    Player::ok(&ada.invites(&bob.social_id.clone()).await);
    Player::ok(&bob.responds(&ada.social_id, true).await);
    let list = ada.ask("GetFriendListV1", elsewhere).await;
    let friend = &list["payload"]["friendList"]["friends"][0];
    assert_eq!(friend["playerId"], "00000000-0000-0000-0000-000000000000");
}

#[actix_rt::test]
async fn over_http_the_list_is_read_and_the_presence_of_an_open_socket_set() {
    let server = server().await;
    let mut ada = Player::registered(&server, "ada").await;
    let mut bob = Player::registered(&server, "bob").await;
    befriend(&mut ada, &mut bob).await;
    let word = |answer: &Answer| answer.json["response"]["payload"]["response"].clone();
    let call = async |token: &str, call: &str, payload: Value| {
        let kind = format!("FriendRpc.{call}Request");
        let body = json!({"requestId": 3, "type": kind, "payload": payload});
        server.with_token("POST", "/v1/rpc", token, Some(body)).await
    };
    let online = json!({"basicPresence": "Online", "gameShardId": SHARD, "requestExt": {}});
    let set = call(&bob.tokens.social, "SetPresenceV1", online.clone()).await;
    assert_eq!(word(&set), "Ok", "{}", set.text);
    let presence = bob.presence(1, "Online", json!({}));
    assert_eq!(bob.told("PresenceUpdate").await["newPresence"], presence);
    assert_eq!(ada.told("FriendUpdate").await["updatedPresence"], presence);
    let list = call(&ada.tokens.social, "GetFriendListV1", json!({})).await;
    let list = &list.json["response"]["payload"]["friendList"];
    assert_eq!(list["friends"], json!([bob.friend(json!([presence]))]));
    let removed =
        call(&ada.tokens.social, "RemoveFriendV1", json!({"friendSocialId": bob.social_id})).await;
    assert_eq!(word(&removed), "Ok");
    assert_eq!(bob.turned().await["friendsRemoved"], json!([ada.social_id]));

    let eve = come_in(&server, "eve").await;
    let set = call(&eve.social, "SetPresenceV1", online).await;
    assert_eq!(word(&set), "PresenceNotFound", "a presence goes with a socket: {}", set.text);
    let wrong = call(&eve.game, "GetFriendListV1", json!({})).await;
    assert_eq!(wrong.json["serviceError"]["status"], "BAD_PARAM", "{}", wrong.text);
}
