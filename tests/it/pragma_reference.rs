//! The whole reference flow (protocol-pragma §15) with the habits of the shipped client: one counter of
//! requests for both sockets, ids in upper case, whole numbers written `9.0`, a look at every answer of
//! the line, refresh when told, reconnect by its header, goodbye by a clean close.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Answer, Auth, TestServer, ask};
use crate::pragma_client::{SHARD, Socket, Tokens, claims, connect, get_in_queue};

/// The client as its SDK behaves.
struct Client {
    base: String,
    /// Shared by both sockets.
    asked: i64,
}

impl Client {
    fn new(server: &TestServer) -> Self {
        Self { base: format!("http://{}", server.players), asked: 6 }
    }

    /// Any status but 200 ends a log-in.
    async fn http(&self, method: &str, path: &str, auth: Auth<'_>, body: Option<Value>) -> Answer {
        let answer = ask(method, &format!("{}{path}", self.base), auth, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer
    }

    /// Stands in line until let in; gives the pass and every place on the way.
    async fn wait_in_line(&self, server: &TestServer) -> (String, Vec<u64>) {
        let mut answer =
            self.http("GET", "/v1/loginqueue/getinqueuev1", Auth::None, None).await.json;
        let mut places = Vec::new();
        while answer["isAllowedIn"] != true {
            places.push(answer["positionInQueue"].as_u64().unwrap());
            assert!(answer["eta"].as_str().unwrap().parse::<u64>().is_ok(), "{answer}");
            server.pass_ms(answer["pollNextDuration"].as_u64().unwrap()).await;
            let body = json!({"token": answer["token"]});
            let path = "/v1/loginqueue/checkticketv1";
            answer = self.http("POST", path, Auth::None, Some(body)).await.json;
        }
        (answer["token"].as_str().unwrap().to_owned(), places)
    }

    /// A request on a socket, answered by its payload.
    async fn ask(&mut self, socket: &mut Socket, kind: &str, payload: Value) -> Value {
        self.asked += 1;
        #[expect(clippy::cast_precision_loss, reason = "a small number, written as a client does")]
        let id = self.asked as f64;
        let request =
            json!({"requestId": id, "type": format!("{kind}Request"), "payload": payload});
        socket.send(Message::text(request.to_string())).await;
        let answer = socket.next().await["response"].take();
        assert_eq!(answer["requestId"], self.asked, "{answer}");
        assert_eq!(answer["type"], format!("{kind}Response"), "{answer}");
        answer["payload"].clone()
    }

    async fn beat(&mut self, socket: &mut Socket) {
        assert_eq!(self.ask(socket, "PlayerSessionRpc.HeartbeatV1", json!({})).await, json!({}));
    }
}

#[actix_rt::test]
async fn the_shipped_client_goes_in_stays_and_leaves() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
        config.pragma.player_refresh_variance_min = 0;
        config.pragma.idle_timeout_s = 3_600;
    })
    .await;
    let mut client = Client::new(&server);
    let info = client.http("GET", "/v1/info", Auth::None, None).await.json;
    let types = client.http("GET", "/v1/types", Auth::None, None).await.json;
    assert!(types["PlayerSessionRpc.HeartbeatV1Request"].is_u64());
    for _ in 0..4 {
        get_in_queue(&server).await; // a crowd before us
    }
    let (pass, places) = client.wait_in_line(&server).await;
    assert!(places.is_sorted_by(|a, b| a >= b) && !places.is_empty(), "{places:?}");

    let body = json!({
        "providerId": "UNSAFE", "loginQueuePassToken": pass,
        "providerToken": json!({"accountId": "ada", "displayName": "Ada"}).to_string(),
        "gameShardId": info["gameShardId"].as_str().unwrap().to_uppercase(),
    });
    let path = "/v1/account/authenticateorcreatev2";
    let tokens = Tokens::of(&client.http("POST", path, Auth::None, Some(body)).await);
    for token in [&tokens.social, &tokens.game] {
        let gateway = client.http("GET", "/v1/gateway", Auth::Bearer(token), None).await;
        assert_eq!(gateway.json, json!({"gateway": "0"}));
    }
    let mut social = Socket::open(&server, &tokens.social).await;
    let mut game = Socket::open(&server, &tokens.game).await;
    client.beat(&mut social).await;
    client.beat(&mut game).await;
    let list = "FriendRpc.GetFriendListAndRegisterOnlineV1";
    client.ask(&mut social, list, json!({})).await;

    let (new_social, new_game) = stay(&server, &mut client, &tokens, &mut social, &mut game).await;

    // The connection is lost; the slot and the session are there when the client is back.
    game.cut().await;
    let again = connect(&server, Some(&new_game), "pragma-reconnect: \r\n").await;
    let mut game = again.expect("the session is resumed");
    client.http("GET", "/v1/types", Auth::None, None).await;
    client.beat(&mut game).await;
    assert_eq!(server.dials.figures().await.unwrap().live, 1);

    game.leave().await;
    social.leave().await;
    assert_eq!(server.dials.figures().await.unwrap().live, 0, "a clean close frees the slot");
    // Stored tokens need no place in line.
    let mut social = Socket::open(&server, &new_social).await;
    let mut game = Socket::open(&server, &new_game).await;
    client.beat(&mut social).await;
    client.beat(&mut game).await;
    let ended = client.ask(&mut game, "PlayerSessionRpc.RequestLogoutV1", json!({})).await;
    assert_eq!(ended, json!({}));
    assert_eq!(game.terminated().await, "AS_REQUESTED");
    assert_eq!(game.closed().await, 1000);
    assert_eq!(claims(&new_game)["gameShardId"], SHARD);
}

/// A day in the game: heartbeats, new tokens when they are due, and sockets that outlive the first
/// ones. Answers with the new social and game token.
async fn stay(
    server: &TestServer,
    client: &mut Client,
    tokens: &Tokens,
    social: &mut Socket,
    game: &mut Socket,
) -> (String, String) {
    let refresh_ms: u64 =
        claims(&tokens.game)["refreshInMillis"].as_str().unwrap().parse().unwrap();
    assert_eq!(refresh_ms, 45 * 60_000);
    for _ in 0..refresh_ms / 15_000 / 20 {
        server.pass_ms(20 * 15_000).await;
        client.beat(game).await;
        client.beat(social).await;
    }
    let pair = json!({"pragmaTokens":
        {"pragmaGameToken": tokens.game, "pragmaSocialToken": tokens.social}});
    let renewed = client.ask(social, "AccountRpc.RefreshTokensV1", pair).await;
    let renewed = &renewed["pragmaTokens"];
    let session_refresh = "PlayerSessionRpc.SessionRefreshV1";
    for (socket, token) in [(&mut *social, "pragmaSocialToken"), (&mut *game, "pragmaGameToken")] {
        client.ask(socket, session_refresh, json!({"token": renewed[token]})).await;
    }
    // The first tokens are over; the sessions go on under the new ones.
    server.pass_ms(24 * 3_600_000 - refresh_ms + 600_000).await;
    client.beat(social).await;
    client.beat(game).await;
    assert_eq!(connect(server, Some(&tokens.game), "").await.map(drop), Err(401));
    (
        renewed["pragmaSocialToken"].as_str().unwrap().to_owned(),
        renewed["pragmaGameToken"].as_str().unwrap().to_owned(),
    )
}
