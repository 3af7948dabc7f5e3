//! A small Pragma client, written from the protocol note and from nothing of ours: JSON over HTTP,
//! text frames over a socket whose handshake is spelled out.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::harness::{Answer, Auth, TestServer, ask};

/// The game shard of a default installation.
pub const SHARD: &str = "00000000-0000-0000-0000-000000000001";

/// How long a test waits for something that must come. It never has to in a good run.
const PATIENCE: Duration = Duration::from_secs(20);

/// Claims of a token, unverified, as clients read them.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// The pair of tokens a sign-in gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub game: String,
    pub social: String,
}

impl Tokens {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self {
            game: answer.str("/pragmaTokens/pragmaGameToken").to_owned(),
            social: answer.str("/pragmaTokens/pragmaSocialToken").to_owned(),
        }
    }
}

/// Asks for a place in line.
pub async fn get_in_queue(server: &TestServer) -> Answer {
    server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await
}

/// Shows a ticket.
pub async fn check_ticket(server: &TestServer, token: &str) -> Answer {
    let body = json!({"token": token});
    server.plain("POST", "/v1/loginqueue/checkticketv1", Some(body)).await
}

/// A pass from a line that lets in at once.
pub async fn pass(server: &TestServer) -> String {
    let answer = get_in_queue(server).await;
    assert_eq!(answer.json["isAllowedIn"], true, "{}", answer.text);
    answer.str("/token").to_owned()
}

/// Signs in by the test provider.
pub async fn sign_in(server: &TestServer, name: &str, pass: &str) -> Answer {
    let proof = json!({"accountId": name, "displayName": name}).to_string();
    let body = json!({"providerId": "UNSAFE", "providerToken": proof, "gameShardId": SHARD,
        "loginQueuePassToken": pass});
    server.plain("POST", "/v1/account/authenticateorcreatev2", Some(body)).await
}

/// The whole way in.
pub async fn come_in(server: &TestServer, name: &str) -> Tokens {
    Tokens::of(&sign_in(server, name, &pass(server).await).await)
}

/// A call over HTTP that must be answered: its payload.
pub async fn rpc(at: SocketAddr, token: &str, kind: &str, payload: Value) -> Value {
    let answer = rpc_answer(at, token, kind, payload).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json["response"]["payload"].clone();
    assert!(body.is_object(), "{kind}: {}", answer.text);
    body
}

/// A call over HTTP that must be refused: the name of the error.
pub async fn rpc_refused(at: SocketAddr, token: &str, kind: &str, payload: Value) -> String {
    let answer = rpc_answer(at, token, kind, payload).await;
    let name = error_of(&answer);
    name.unwrap_or_else(|| panic!("{kind} was not refused: {}", answer.text)).to_owned()
}

/// The name of the error in a refusal; `None`: it is none.
pub fn error_of(answer: &Answer) -> Option<&str> {
    let error = &answer.json["serviceError"];
    error.get("error").or_else(|| error.get("extError")).and_then(Value::as_str)
}

/// A call over HTTP, whatever comes of it.
pub async fn rpc_answer(at: SocketAddr, token: &str, kind: &str, payload: Value) -> Answer {
    let body = json!({"requestId": 9, "type": kind, "payload": payload});
    ask("POST", &format!("http://{at}/v1/rpc"), Auth::Bearer(token), Some(body)).await
}

/// Signs in at a port by any provider.
pub async fn authenticate(at: SocketAddr, provider: &str, token: &str, more: Value) -> Answer {
    let mut body = json!({"providerId": provider, "providerToken": token});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let url = format!("http://{at}/v1/account/authenticateorcreatev2");
    ask("POST", &url, Auth::None, Some(body)).await
}

/// An UNSAFE proof.
pub fn unsafe_proof(name: &str) -> String {
    json!({"accountId": name, "displayName": name}).to_string()
}

/// An operator's tokens, by the test provider.
pub async fn operator(server: &TestServer, name: &str) -> Tokens {
    let shard = json!({"gameShardId": SHARD});
    Tokens::of(&authenticate(server.operators, "UNSAFE", &unsafe_proof(name), shard).await)
}

/// Refused with this status and this name of an error, in the shape every client can read.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, error_of(answer)), (status, Some(error)), "{}", answer.text);
    let body = &answer.json["serviceError"];
    assert!(body["requestId"].is_u64() && body["traceId"].is_string(), "{}", answer.text);
}

/// An open socket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The number the next message must have.
    sequence: u64,
}

/// Asks for a socket as the shipped client does. An error is the status of the refusal.
pub async fn connect(server: &TestServer, token: Option<&str>, extra: &str) -> Result<Socket, u16> {
    connect_at(server.players, token, extra).await
}

/// The same at another port.
pub async fn connect_at(host: SocketAddr, token: Option<&str>, extra: &str) -> Result<Socket, u16> {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "GET /v1/rpc?gateway=0 HTTP/1.1\r\nHost: {host}\r\nPragma: no-cache\r\n\
         Cache-Control: no-cache\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Origin: http://{}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: pragma\r\n\
         Accept: application/json\r\n{}{extra}\r\n",
        host.ip(),
        bearer.unwrap_or_default(),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await;
        head.push(byte.expect("an answer in time").expect("a whole head"));
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status != 101 {
        return Err(status);
    }
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
    let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    Ok(Socket { stream, sequence: 0 })
}

impl Socket {
    /// A socket that must open.
    pub async fn open(server: &TestServer, token: &str) -> Self {
        match connect(server, Some(token), "").await {
            Ok(socket) => socket,
            Err(status) => panic!("the socket was refused with {status}"),
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Message) {
        self.stream.send(frame).await.unwrap();
    }

    /// The next message, whatever its kind; its number is checked.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(text.as_str()).unwrap();
                assert_eq!(message["sequenceNumber"], self.sequence, "{message}");
                self.sequence += 1;
                message
            }
            other => panic!("a message was due, not {other:?}"),
        }
    }

    /// The close frame that must come next: its code.
    pub async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Message::Close(frame) => frame.expect("a close frame with a code").code.into(),
            other => panic!("a close frame was due, not {other:?}"),
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await;
        frame.expect("a frame in time").expect("an open socket").expect("a whole frame")
    }

    /// Asks, and reads the answer to it.
    pub async fn ask(&mut self, id: i64, kind: &str, payload: Value) -> Value {
        let request = json!({"requestId": id, "type": kind, "payload": payload});
        self.send(Message::text(request.to_string())).await;
        let answer = self.next().await;
        let body = answer.get("response").or_else(|| answer.get("serviceError"));
        let body = body.unwrap_or_else(|| panic!("an answer was due: {answer}")).clone();
        assert_eq!(body["requestId"], id, "{answer}");
        body
    }

    /// A heartbeat that must be answered.
    pub async fn heartbeat(&mut self, id: i64) {
        let answer = self.ask(id, "PlayerSessionRpc.HeartbeatV1Request", json!({})).await;
        let expected = json!({"requestId": id, "type": "PlayerSessionRpc.HeartbeatV1Response",
            "payload": {}});
        assert_eq!(answer, expected);
    }

    /// Why the session ended, by the notification that must come next.
    pub async fn terminated(&mut self) -> String {
        let message = self.next().await;
        let notification = &message["notification"];
        assert_eq!(
            notification["type"], "PlayerSessionRpc.SessionTerminatedV1Notification",
            "{message}"
        );
        notification["payload"]["reason"].as_str().unwrap().to_owned()
    }

    /// Loses the connection, and waits until the server has noticed.
    pub async fn cut(mut self) {
        let stream = self.stream.get_mut();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    }

    /// Leaves as the shipped client does, and waits for the echo.
    pub async fn leave(mut self) {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        let goodbye = CloseFrame { code: 1000.into(), reason: "".into() };
        self.stream.close(Some(goodbye)).await.unwrap();
        while let Ok(Some(Ok(frame))) = tokio::time::timeout(PATIENCE, self.stream.next()).await {
            if let Message::Close(Some(echo)) = frame {
                assert_eq!(u16::from(echo.code), 1000);
            }
        }
    }
}
