//! A server with a test dialect, and clients: tungstenite's, and raw bytes.

use std::collections::HashSet;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_http::{HttpService, Request, RequestHead, Response};
use anteroom::actors::session::{
    Channel, Denied, Dialect, DoorParts, Effect, Format, Inbound, NoSlotFor, Others, Outbound,
    Shared, Slots, SocketLimits, SocketRoute, Welcome, upgrade,
};
use anteroom::actors::{Board, CallError, SessionDoor};
use anteroom::clock::Clock;
use anteroom::domain::account::AccountId;
use anteroom::domain::notification::Notification;
use anteroom::domain::presence::Presence;
use anteroom::domain::queue::{Departure, Player};
use anteroom::domain::session::CloseReason;
use anteroom::domain::time::UnixMicros;
use futures_util::future::LocalBoxFuture;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use uuid::Uuid;

/// Nothing here takes that long; a test that hangs says so instead.
const PATIENCE: Duration = Duration::from_secs(30);

pub const LIMITS: SocketLimits = SocketLimits {
    message_max_bytes: 4096,
    outbox_messages: 64,
    outbox_bytes: 49_152,
    ping_period_ms: None,
    idle_ms: 600_000,
    messages_per_second: 0,
    follows_max: 100,
};

pub const START: UnixMicros = UnixMicros::from_secs(1_767_225_600);

pub fn account(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n))
}

/// The token that opens the `n`th player's socket.
pub fn token(n: u128) -> Uuid {
    Uuid::from_u128(n + 1000)
}

/// What the tests decide about a server's sockets.
#[derive(Clone)]
pub struct Settings {
    pub limits: SocketLimits,
    pub others: Others,
    pub expires_at: Option<UnixMicros>,
    pub holds_slot: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let others = Others::Keep(100);
        Self { limits: LIMITS, others, expires_at: None, holds_slot: true }
    }
}

/// `/t?<player number>[&online][&denied]`
struct TestRoute {
    settings: Settings,
}

impl SocketRoute for TestRoute {
    fn path(&self) -> &'static str {
        "/t"
    }

    fn admit(
        &self,
        head: &RequestHead,
        _peer: Option<SocketAddr>,
    ) -> Pin<Box<dyn Future<Output = Result<Welcome, Denied>>>> {
        let query = head.uri.query().unwrap_or_default().to_owned();
        let settings = self.settings.clone();
        Box::pin(async move {
            let mut words = query.split('&');
            let player: u128 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            let words: HashSet<_> = words.collect();
            if words.contains("denied") {
                let headers = vec![("X-Why", "no".to_owned())];
                let body = "Missing or invalid token\n".to_owned();
                return Err(Denied { status: 401, content_type: "text/plain", body, headers });
            }
            let others = if words.contains("usurp") {
                Others::Close(CloseReason::Usurped)
            } else {
                settings.others
            };
            Ok(Welcome {
                account: account(player),
                session: Uuid::from_u128(rand::random()),
                username: format!("player{player}").into(),
                online: words.contains("online"),
                token: token(player),
                issued_at_us: START.0,
                expires_at: settings.expires_at,
                holds_slot: settings.holds_slot,
                when_full: |secs| Denied {
                    status: 429,
                    content_type: "text/plain",
                    body: format!("full, come back in {secs} s"),
                    headers: vec![("Retry-After", secs.to_string())],
                },
                others,
                channel: if words.contains("game") { Channel::PragmaGame } else { Channel::Nakama },
                resumable: None,
                resume_s: 0,
                limits: settings.limits,
                dialect: Box::new(TestDialect),
            })
        })
    }
}

/// Words in, words out: see the match below.
struct TestDialect;

fn text(words: impl Into<String>) -> Effect {
    Effect::Send(Outbound::Text(words.into().into()))
}

fn statuses(presences: &[Presence]) -> String {
    presences
        .iter()
        .map(|it| format!("{}={}", it.username, it.status))
        .collect::<Vec<_>>()
        .join(",")
}

impl Dialect for TestDialect {
    fn opened(&mut self, _now: UnixMicros) -> Vec<Effect> {
        vec![text("hello")]
    }

    fn message(&mut self, message: Inbound, now: UnixMicros) -> Vec<Effect> {
        let Inbound::Text(words) = message else {
            return vec![Effect::Close(CloseReason::WrongFrame)];
        };
        let words = std::str::from_utf8(&words).unwrap().to_owned();
        let (verb, rest) = words.split_once(' ').unwrap_or((&words, ""));
        match verb {
            "echo" => vec![text(rest)],
            "status" => vec![Effect::SetStatus(Some(rest.to_owned())), text("shown")],
            "offline" => vec![Effect::SetStatus(None), text("hidden")],
            "follow" | "unfollow" => {
                let ids = rest.split(' ').map(|n| account(n.parse().unwrap())).collect();
                if verb == "unfollow" {
                    return vec![Effect::Unfollow(ids), text("unfollowed")];
                }
                let reply =
                    |shown: &[Presence]| vec![text(format!("following {}", statuses(shown)))];
                vec![Effect::Follow(ids, Box::new(reply))]
            }
            "call" => {
                let rest = rest.to_owned();
                let call = async move {
                    for _ in 0..10 {
                        tokio::task::yield_now().await;
                    }
                    vec![text(rest)]
                };
                vec![Effect::Call(Box::pin(call)), text("called")]
            }
            "extend" => vec![Effect::ExtendUntil(now.plus_secs(rest.parse().unwrap())), text("ok")],
            "bye" => vec![Effect::Close(CloseReason::AsRequested)],
            "panic" => panic!("as asked"),
            "hang" => vec![Effect::Call(Box::pin(std::future::pending()))],
            _ => vec![Effect::Close(CloseReason::Malformed)],
        }
    }

    fn event(&mut self, event: &Shared) -> Option<Outbound> {
        let encode = |event: &anteroom::domain::presence::Event| {
            format!("event +{} -{}", statuses(&event.joins), statuses(&event.leaves)).into()
        };
        Some(Outbound::Text(event.bytes(Format::NakamaJson, encode)))
    }

    fn notification(&mut self, told: &Shared<Notification>) -> Option<Outbound> {
        let encode = |told: &Notification| format!("told {}", told.subject).into();
        Some(Outbound::Text(told.bytes(Format::NakamaJson, encode)))
    }

    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        let last = Outbound::Text(format!("closing: {}", reason.name()).into());
        (vec![last], if reason == CloseReason::Shutdown { 1001 } else { 4000 }, reason.name())
    }
}

/// Slots that are given as long as the world is not full.
#[derive(Default)]
pub struct TestSlots {
    pub full: AtomicBool,
    pub log: Mutex<Vec<(u128, Option<Departure>)>>,
}

impl Slots for TestSlots {
    fn connect(
        &self,
        player: Player,
    ) -> LocalBoxFuture<'static, Result<Result<(), NoSlotFor>, CallError>> {
        let answer = if self.full.load(Ordering::SeqCst) {
            Err(NoSlotFor { retry_after_s: 7 })
        } else {
            self.log.lock().unwrap().push((player.0, None));
            Ok(())
        };
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn disconnect(&self, player: Player, departure: Departure) {
        self.log.lock().unwrap().push((player.0, Some(departure)));
    }
}

pub struct TestServer {
    pub address: SocketAddr,
    pub door: SessionDoor,
    pub board: Board,
    pub clock: Clock,
    pub slots: Arc<TestSlots>,
    pub revoked: Arc<Mutex<HashSet<Uuid>>>,
}

impl TestServer {
    /// Starts on a free port, with two workers.
    pub fn start(settings: Settings) -> Self {
        let (slots, board) = (Arc::new(TestSlots::default()), Board::start());
        let clock = Clock::manual(START);
        let revoked = Arc::new(Mutex::new(HashSet::new()));
        let asked = Arc::clone(&revoked);
        let door = SessionDoor::new(DoorParts {
            slots: slots.clone(),
            board: board.clone(),
            clock: clock.clone(),
            is_revoked: Arc::new(move |_, token, _| asked.lock().unwrap().contains(&token)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let routes: Vec<Arc<dyn SocketRoute>> = vec![Arc::new(TestRoute { settings })];
        let at_door = door.clone();
        let server = actix_server::Server::build()
            .workers(2)
            .disable_signals()
            .listen("test", listener, move || {
                HttpService::build()
                    .upgrade(upgrade(at_door.clone(), routes.clone()))
                    .h1(|_: Request| async { Ok::<_, actix_http::Error>(Response::ok()) })
                    .tcp()
            })
            .unwrap()
            .run();
        actix_web::rt::spawn(server);
        Self { address, door, board, clock, slots, revoked }
    }

    /// Sends bytes and reads what comes until the server closes.
    pub async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        patient(stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Opens a socket and reads its greeting.
    pub async fn join(&self, query: &str) -> Client {
        let mut client = self.open(query).await;
        let first = client.next().await;
        if query.contains("online") {
            // Own join and greeting: in either order.
            let second = client.next().await;
            assert!([&first, &second].contains(&&"hello".to_owned()), "{first} {second}");
        } else {
            assert_eq!(first, "hello");
        }
        client
    }

    /// Opens a socket; what the server says first is unread.
    pub async fn open(&self, query: &str) -> Client {
        self.open_on(TcpStream::connect(self.address).await.unwrap(), query).await
    }

    /// The same on a connection that takes little at once.
    pub async fn open_narrow(&self, query: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        self.open_on(socket.connect(self.address).await.unwrap(), query).await
    }

    async fn open_on(&self, mut stream: TcpStream, query: &str) -> Client {
        stream.write_all(handshake(query).as_bytes()).await.unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        Client { socket }
    }

    /// Waits until `reached`: looked at again whenever a fresh connection has been answered.
    pub async fn until(&self, mut reached: impl FnMut(&Self) -> bool) {
        let waiting = async {
            while !reached(self) {
                let request = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
                assert!(self.ask(request).await.starts_with("HTTP/1.1 200"));
            }
        };
        patient(waiting).await;
    }
}

pub async fn patient<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("nothing came in time")
}

pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub fn handshake(query: &str) -> String {
    format!(
        "GET /t?{query} HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// Reads an answer's head byte by byte, so that nothing behind it is lost.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(patient(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn say(&mut self, words: &str) {
        self.socket.send(Message::text(words)).await.unwrap();
    }

    /// The next frame of any kind.
    pub async fn frame(&mut self) -> Message {
        patient(self.socket.next()).await.expect("connection closed").unwrap()
    }

    /// The next text message.
    pub async fn next(&mut self) -> String {
        match self.frame().await {
            Message::Text(words) => words.to_string(),
            other => panic!("not a text message: {other:?}"),
        }
    }

    /// Says something and hears the answer.
    pub async fn ask(&mut self, words: &str) -> String {
        self.say(words).await;
        self.next().await
    }

    /// Reads to the end: what was said last, and the close frame's code and reason.
    pub async fn end(mut self) -> (Vec<String>, Option<(u16, String)>) {
        let mut last = Vec::new();
        loop {
            match patient(self.socket.next()).await {
                Some(Ok(Message::Text(words))) => last.push(words.to_string()),
                Some(Ok(Message::Close(close))) => {
                    let close = close.map(|it| (it.code.into(), it.reason.to_string()));
                    // The server closes the connection when it has seen our close frame.
                    while let Some(Ok(_)) = patient(self.socket.next()).await {}
                    return (last, close);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (last, None),
            }
        }
    }
}

/// Resident memory of this process, in bytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
