//! Being online: sockets, heartbeats, a status, a clean goodbye.

use std::time::Duration;

use futures_util::future::{Either, pending, select};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::stage::{In, Stage};
use super::tally::{Call, Micros};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Largest handshake answer taken, in bytes.
const HEAD_MAX: usize = 8_192;

/// What keeps a socket alive: a message every so often.
struct Beat {
    every: Duration,
    text: &'static str,
}

/// Pragma: a beat a client of the SDK sends (protocol-pragma §10.2).
const PRAGMA: Beat = Beat {
    every: Duration::from_secs(30),
    text: r#"{"requestId":7,"type":"PlayerSessionRpc.HeartbeatV1Request","payload":{}}"#,
};
/// Nakama: the ping of the JS client (protocol-nakama §7.5).
const NAKAMA: Beat = Beat { every: Duration::from_secs(10), text: r#"{"cid":"2","ping":{}}"# };
/// What a Nakama player shows.
const STATUS: &str = r#"{"cid":"1","status_update":{"status":"in the bench"}}"#;

/// A player on Nakama's socket for this long. Gives when they were online for certain.
pub(super) async fn nakama(
    stage: &Stage,
    token: &str,
    stays: Duration,
) -> Result<(Micros, Micros), String> {
    let path = format!("/ws?lang=en&status=true&format=json&token={token}");
    let mut wire = open(stage, &path, "").await?;
    let from = stage.now();
    let _online = In::new(&stage.scene.online);
    let has_status = |answer: &Value| answer["cid"] == "1";
    exchange(stage, Call::SocketStatus, &mut wire, STATUS, has_status).await?;
    let stayed = until(stage, stays, keep(&mut wire, &NAKAMA)).await;
    let to = stage.now();
    goodbye(wire).await;
    stayed.map(|()| (from, to))
}

/// A player on both of Pragma's sockets for this long.
pub(super) async fn pragma(
    stage: &Stage,
    social: &str,
    game: &str,
    stays: Duration,
) -> Result<(Micros, Micros), String> {
    let mut wires = pragma_pair(stage, social, game).await?;
    heartbeats(stage, &mut wires).await?;
    let from = stage.now();
    let _online = In::new(&stage.scene.online);
    let [social, game] = &mut wires;
    let both = async {
        match select(Box::pin(keep(social, &PRAGMA)), Box::pin(keep(game, &PRAGMA))).await {
            Either::Left((ended, _)) | Either::Right((ended, _)) => ended,
        }
    };
    let stayed = until(stage, stays, both).await;
    let to = stage.now();
    for wire in wires {
        goodbye(wire).await;
    }
    stayed.map(|()| (from, to))
}

/// A player's sockets at the social and at the game backend.
pub(super) type Pair = [Wire; 2];

/// Opens both of a player's sockets.
pub(super) async fn pragma_pair(stage: &Stage, social: &str, game: &str) -> Result<Pair, String> {
    let at = async |token: &str| {
        let headers = format!(
            "authorization: Bearer {token}\r\naccept: application/json\r\n\
             sec-websocket-protocol: pragma\r\n"
        );
        open(stage, "/v1/rpc?gateway=0", &headers).await
    };
    Ok([at(social).await?, at(game).await?])
}

/// A heartbeat on each of them, answered.
pub(super) async fn heartbeats(stage: &Stage, pair: &mut Pair) -> Result<(), String> {
    let is_beat = |answer: &Value| answer["response"]["requestId"] == 7;
    for wire in pair {
        exchange(stage, Call::SocketHeartbeat, wire, PRAGMA.text, is_beat).await?;
    }
    Ok(())
}

/// Opens a socket. Written out, for the handshake is what is measured.
pub(super) async fn open(stage: &Stage, path: &str, headers: &str) -> Result<Wire, String> {
    let started = stage.now();
    let opened = timeout(PATIENCE, shake_hands(&stage.authority, path, headers)).await;
    let wire = match opened {
        Ok(Ok(wire)) => wire,
        Ok(Err(error)) => return Err(format!("{}: {error}", Call::SocketOpen.name())),
        Err(_) => return Err(format!("{}: no answer", Call::SocketOpen.name())),
    };
    stage.tally.borrow_mut().called(Call::SocketOpen, stage.now() - started);
    Ok(wire)
}

/// An open socket.
pub(super) type Wire = WebSocketStream<TcpStream>;

async fn shake_hands(authority: &str, path: &str, headers: &str) -> Result<Wire, String> {
    let words = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(authority).await.map_err(words)?;
    stream.set_nodelay(true).map_err(words)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: YW50ZXJvb20tYmVuY2gtMQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(words)?;
    let mut head = Vec::new();
    let body = loop {
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if head.len() > HEAD_MAX || stream.read_buf(&mut head).await.map_err(words)? == 0 {
            return Err("the handshake was cut off".into());
        }
    };
    if !head.starts_with(b"HTTP/1.1 101 ") {
        let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        return Err(String::from_utf8_lossy(line).into_owned());
    }
    let rest = head.split_off(body);
    Ok(WebSocketStream::from_partially_read(stream, rest, Role::Client, None).await)
}

/// Says something and waits for the answer to it.
async fn exchange(
    stage: &Stage,
    call: Call,
    wire: &mut Wire,
    text: &str,
    is_answer: impl Fn(&Value) -> bool,
) -> Result<(), String> {
    let started = stage.now();
    let talk = async {
        wire.send(Message::text(text)).await.map_err(|error| error.to_string())?;
        loop {
            let heard = hear(wire).await?;
            if serde_json::from_str(&heard).is_ok_and(|answer: Value| is_answer(&answer)) {
                return Ok(());
            }
        }
    };
    let answered: Result<(), String> =
        timeout(PATIENCE, talk).await.unwrap_or_else(|_| Err("no answer".into()));
    answered.map_err(|error| format!("{}: {error}", call.name()))?;
    stage.tally.borrow_mut().called(call, stage.now() - started);
    Ok(())
}

/// The next text; an error when the socket has ended.
async fn hear(wire: &mut Wire) -> Result<String, String> {
    loop {
        match wire.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            Some(Ok(Message::Close(Some(frame)))) => {
                return Err(format!("closed by the server: {} {}", frame.code, frame.reason));
            }
            Some(Ok(Message::Close(None))) | None => return Err("closed by the server".into()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.to_string()),
        }
    }
}

/// Reads and beats for as long as the socket lives.
async fn keep(wire: &mut Wire, beat: &Beat) -> Result<(), String> {
    let (mut say, mut heard) = wire.split();
    let read = async {
        loop {
            match heard.next().await {
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map(|frame| format!(": {} {}", frame.code, frame.reason));
                    return format!("closed by the server{}", why.unwrap_or_default());
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.to_string(),
                None => return "closed by the server".into(),
            }
        }
    };
    let beating = async {
        let mut beats = interval(beat.every);
        // The first tick is now, and the first beat has been.
        beats.tick().await;
        loop {
            beats.tick().await;
            if say.send(Message::text(beat.text)).await.is_err() {
                // The reader says why.
                pending::<()>().await;
            }
        }
    };
    match select(Box::pin(read), Box::pin(beating)).await {
        Either::Left((words, _)) => Err(format!("a socket was {words}")),
        Either::Right(((), _)) => Ok(()),
    }
}

/// Waits until the time is up or the run is over; an error if the sockets end before.
async fn until(
    stage: &Stage,
    stays: Duration,
    kept: impl Future<Output = Result<(), String>>,
) -> Result<(), String> {
    match select(Box::pin(stage.pause(stays)), Box::pin(kept)).await {
        Either::Left(_) => Ok(()),
        Either::Right((ended, _)) => ended,
    }
}

/// Closes in good order.
pub(super) async fn goodbye(mut wire: Wire) {
    let farewell = async {
        if wire.close(None).await.is_ok() {
            while let Some(Ok(_)) = wire.next().await {}
        }
    };
    // A server that does not say goodbye is left all the same.
    let _ = timeout(GOODBYE, farewell).await;
}
