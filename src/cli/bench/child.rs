//! A server of our own: this very program, on a free port, with a folder of its own that goes away
//! with it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a server may take to answer for the first time, in steps of [`STEP`].
const STEPS: u32 = 600;
const STEP: Duration = Duration::from_millis(50);

/// A running server.
pub(super) struct Child {
    process: Process,
    folder: PathBuf,
    /// `HOST:PORT` for players.
    pub(super) authority: String,
}

impl Child {
    /// Starts a server with these settings (`SECTION__KEY`, value) and waits until it answers.
    pub(super) async fn start(settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let port = free_port()?;
        let name = format!("anteroom-bench-{}-{port}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let log = File::create(folder.join("log"))?;
        let authority = format!("127.0.0.1:{port}");
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["serve", "--dev", "--listen", &authority, "--data"])
            .arg(folder.join("data"))
            // Away from anybody's config.toml.
            .current_dir(&folder)
            .env("ANTEROOM__LIMITS__ENTER_PER_SECOND", "0")
            .env("ANTEROOM__LIMITS__SIGN_IN_PER_SECOND", "0")
            .env("ANTEROOM__LIMITS__POLL_PER_SECOND", "1000")
            .env("ANTEROOM__LIMITS__ENTER_IDENTITY_PER_MINUTE", "0")
            .env("ANTEROOM__QUEUE__ABUSE__PREFIX_PER_SECOND", "0")
            .env("ANTEROOM__QUEUE__ABUSE__SUSPECTS_TO_LOW", "false")
            .env("ANTEROOM__QUEUE__SECONDS_TO_LOGIN", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        for (key, value) in settings {
            command.env(format!("ANTEROOM__{key}"), value);
        }
        let process = command.spawn().context("cannot start an own server")?;
        let mut child = Self { process, folder, authority };
        child.wait_until_it_answers().await?;
        Ok(child)
    }

    async fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        for _ in 0..STEPS {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}; it said:\n{}", last_words(&self.folder));
            }
            if answers(&self.authority).await {
                return Ok(());
            }
            tokio::time::sleep(STEP).await;
        }
        bail!("the server does not answer; it said:\n{}", last_words(&self.folder))
    }

    /// The process, to look at.
    pub(super) fn process(&self) -> super::process::Process {
        super::process::Process(self.process.id())
    }

    /// What it wrote to its log last.
    pub(super) fn last_words(&self) -> String {
        last_words(&self.folder)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// A port that is free, with free neighbours for the server's other listeners. Below the ports that
/// connections are made from: a machine under load has few neighbours left among those.
fn free_port() -> anyhow::Result<u16> {
    const FIRST: u64 = 10_000;
    const COUNT: u64 = 20_000;
    let dice = crate::ids::Dice::machine()?;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1_000 {
        let port = u16::try_from(FIRST + dice.number() % COUNT)?;
        if (port - 1..=port + 2).all(is_free) {
            return Ok(port);
        }
    }
    bail!("no four neighbouring ports are free")
}

async fn answers(authority: &str) -> bool {
    let talk = async {
        let mut stream = TcpStream::connect(authority).await.ok()?;
        let request =
            format!("GET /healthcheck HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.ok()?;
        head.ends_with(b" 200").then_some(())
    };
    matches!(tokio::time::timeout(Duration::from_secs(2), talk).await, Ok(Some(())))
}

fn last_words(folder: &Path) -> String {
    let log = fs::read(folder.join("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
