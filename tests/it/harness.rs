//! The real server, in this process, on free ports, with a real store in a folder of its own and a
//! clock that a test turns; and a small HTTP client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anteroom::clock::Clock;
use anteroom::config::Config;
use anteroom::config::pragma::PortOf;
use anteroom::domain::time::UnixMicros;
use anteroom::ids::Dice;
use anteroom::server::{Dials, Own, bind_with};
use serde_json::Value;
use tokio::sync::oneshot;

/// A running server. Stopped in good order when dropped.
pub struct TestServer {
    /// Where players connect.
    pub players: SocketAddr,
    /// Where players who speak gRPC connect.
    pub grpc: SocketAddr,
    /// Where operators connect.
    pub operators: SocketAddr,
    /// Where game servers connect.
    pub partners: SocketAddr,
    /// Pragma's own ports, where they are open.
    pub pragma_ports: Vec<(PortOf, SocketAddr)>,
    /// The server's clock.
    pub clock: Clock,
    /// The operator's hands.
    pub dials: Dials,
    /// What a Nakama client must send.
    pub server_key: String,
    /// What the first operator is made by, where there is none.
    pub setup_code: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: Folder,
}

enum Folder {
    Own(tempfile::TempDir),
    Given(PathBuf),
}

/// An address of this machine that nobody listens at.
pub fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Settings for tests: development doors, cheap hashing, no limits by address, nothing slow.
pub fn config() -> Config {
    let mut config = Config { dev: true, ..Config::default() };
    config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.server.workers = 2;
    config.server.drain_s = 2;
    config.pragma.unsafe_provider = true;
    config.pragma.backend_mode = anteroom::config::BackendMode::Development;
    config.passwords.memory_kib = 8_192;
    config.passwords.iterations = 1;
    config.limits.sign_in_per_second = 0;
    config.limits.enter_per_second = 0;
    config.limits.poll_per_second = 1_000;
    config.limits.wrong_passwords_per_minute = 1_000;
    config.backup.every_h = 0;
    config.queue.settle_s = 0;
    config.queue.burst = 100;
    config
}

impl TestServer {
    /// A fresh server; `set` changes the settings.
    pub async fn start(set: impl FnOnce(&mut Config)) -> Self {
        Self::start_own(Own::default(), set).await
    }

    /// A fresh server with parts that a studio compiled in.
    pub async fn start_own(own: Own, set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_with(Folder::Own(folder), Self::noon(), own, set).await
    }

    /// A server on a folder that is there already, at the moment `clock` shows.
    pub async fn start_on(folder: &Path, clock: Clock, set: impl FnOnce(&mut Config)) -> Self {
        Self::start_with(Folder::Given(folder.to_owned()), clock, Own::default(), set).await
    }

    /// Where test time starts.
    pub fn noon() -> Clock {
        Clock::manual(UnixMicros::from_secs(1_800_000_000))
    }

    async fn start_with(
        folder: Folder,
        clock: Clock,
        own: Own,
        set: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = config();
        config.server.data = folder.path().to_owned();
        set(&mut config);
        anteroom::config::check::check(&config).expect("the test's settings are within bounds");
        let (started, has_started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let their_clock = clock.clone();
        let thread = std::thread::spawn(move || {
            actix_rt::System::new().block_on(async move {
                let dice = Dice::machine().unwrap();
                let bound = bind_with(config, their_clock, dice, own).await.unwrap();
                let at = (bound.player_address(), bound.grpc_address(), bound.operators_address());
                let pragma = (bound.partners_address(), bound.pragma_ports().to_vec());
                let key = bound.server_key().to_owned();
                let _ = started.send((at, pragma, bound.dials(), (key, bound.new_setup_code())));
                bound.run(async { drop(stopped.await) }).await.unwrap();
            });
        });
        let ((players, grpc, operators), (partners, pragma_ports), dials, (server_key, setup_code)) =
            has_started.await.expect("the server starts; its thread printed why not");
        Self {
            players,
            grpc,
            operators,
            partners,
            pragma_ports,
            clock,
            dials,
            server_key,
            setup_code,
            stop: Some(stop),
            thread: Some(thread),
            folder,
        }
    }

    /// Address of a path on the players' port.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.players)
    }

    /// The server's folder.
    pub fn folder_path(&self) -> &Path {
        self.folder.path()
    }

    /// Lets time pass, and the line notice.
    pub async fn pass_ms(&self, ms: u64) {
        self.clock.advance_ms(ms);
        self.dials.turn().await;
    }

    /// A request with the server key, as Nakama clients authenticate.
    pub async fn with_key(&self, path: &str, body: Value) -> Answer {
        ask("POST", &self.url(path), Auth::Key(&self.server_key), Some(body)).await
    }

    /// A request with a session token.
    pub async fn with_token(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Answer {
        ask(method, &self.url(path), Auth::Bearer(token), body).await
    }

    /// A request without credentials.
    pub async fn plain(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        ask(method, &self.url(path), Auth::None, body).await
    }

    /// A request with these very bytes as body.
    pub async fn raw(&self, method: &str, path: &str, auth: Auth<'_>, body: Vec<u8>) -> Answer {
        send(request(method, &self.url(path), auth), Some(body)).await
    }

    /// Stops in good order and waits until the folder is free.
    pub fn stop(mut self) -> Option<tempfile::TempDir> {
        self.halt();
        match std::mem::replace(&mut self.folder, Folder::Given(PathBuf::new())) {
            Folder::Own(folder) => Some(folder),
            Folder::Given(_) => None,
        }
    }

    fn halt(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server stops in good order");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Own(folder) => folder.path(),
            Self::Given(folder) => folder,
        }
    }
}

/// How a request says who asks.
#[derive(Clone, Copy)]
pub enum Auth<'a> {
    None,
    Key(&'a str),
    Bearer(&'a str),
    /// A whole `Authorization` value.
    Header(&'a str),
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A string of the JSON body.
    #[track_caller]
    pub fn str(&self, pointer: &str) -> &str {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} in {} {}", self.status, self.text))
    }

    /// Status and JSON body at once.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "reads better with json! at the call")]
    pub fn is(&self, status: u16, body: Value) {
        assert_eq!((self.status, &self.json), (status, &body), "{}", self.text);
    }

    /// A Nakama error: HTTP status, gRPC code and text.
    #[track_caller]
    pub fn is_error(&self, status: u16, code: u64, message: &str) {
        let got = (self.status, self.json["code"].as_u64(), self.json["message"].as_str());
        assert_eq!(got, (status, Some(code), Some(message)), "{}", self.text);
    }
}

/// Asks and reads the answer.
pub async fn ask(method: &str, url: &str, auth: Auth<'_>, body: Option<Value>) -> Answer {
    send(request(method, url, auth), body.map(|body| body.to_string().into_bytes())).await
}

/// Asks with these headers, as a page or a script does.
pub async fn ask_with(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let request = headers
        .iter()
        .fold(request(method, url, Auth::None), |request, header| request.insert_header(*header));
    send(request, body.map(|body| body.to_string().into_bytes())).await
}

fn request(method: &str, url: &str, auth: Auth<'_>) -> awc::ClientRequest {
    let client = awc::Client::builder().timeout(std::time::Duration::from_mins(1)).finish();
    let request = client.request(method.parse().unwrap(), url);
    match auth {
        Auth::None => request,
        Auth::Key(key) => request.basic_auth(key, ""),
        Auth::Bearer(token) => request.bearer_auth(token),
        Auth::Header(value) => request.insert_header(("Authorization", value)),
    }
}

/// Asks a server that may go away in the middle: then `None`.
pub async fn try_ask(
    method: &str,
    url: &str,
    auth: Auth<'_>,
    body: Option<Value>,
) -> Option<Answer> {
    try_send(request(method, url, auth), body.map(|body| body.to_string().into_bytes())).await.ok()
}

async fn send(request: awc::ClientRequest, body: Option<Vec<u8>>) -> Answer {
    try_send(request, body).await.expect("the server answers")
}

async fn try_send(
    request: awc::ClientRequest,
    body: Option<Vec<u8>>,
) -> Result<Answer, Box<dyn std::error::Error>> {
    let request = request.insert_header(("Connection", "close")).no_decompress();
    let mut response = match body {
        Some(body) => request.send_body(body).await?,
        None => request.send().await?,
    };
    let body = response.body().limit(16 << 20).await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let headers = response.headers().iter();
    Ok(Answer {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect(),
        json: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    })
}
