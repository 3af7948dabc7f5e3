//! A server in a process of its own, and what /proc says of it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server, killed when dropped.
pub struct Server {
    child: Child,
    pub at: SocketAddr,
    /// The gRPC port; the bare server has none, and then this is `at`.
    pub grpc: SocketAddr,
    pub started_in: Duration,
    /// The first line it said, and where it says the others.
    said: (String, BufReader<ChildStdout>),
}

impl Server {
    pub fn bare() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("bare-server");
        Self::spawn(command)
    }

    pub fn anteroom(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
        command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        command.env("ANTEROOM__LIMITS__SIGN_IN_PER_SECOND", "0");
        command.env("ANTEROOM__LIMITS__ENTER_PER_SECOND", "0");
        command.env("ANTEROOM__LIMITS__POLL_PER_SECOND", "1000");
        command.env("ANTEROOM__LIMITS__ENTER_IDENTITY_PER_MINUTE", "0");
        command.env("ANTEROOM__QUEUE__ABUSE__PREFIX_PER_SECOND", "0");
        command.env("ANTEROOM__QUEUE__ABUSE__SUSPECTS_TO_LOW", "false");
        command.env("ANTEROOM__SERVER__WORKERS", "2").current_dir(folder);
        for (key, value) in settings {
            command.env(format!("ANTEROOM__{key}"), value);
        }
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let watch = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let at = line.split("players http://").nth(1).and_then(|rest| rest.split(',').next());
        let at = at.unwrap_or_else(|| panic!("no announcement: {line:?}")).parse().unwrap();
        let grpc = line.split("gRPC http://").nth(1).and_then(|rest| rest.split(',').next());
        let grpc = grpc.map_or(at, |grpc| grpc.trim().parse().unwrap());
        let said = (line, out);
        let mut this = Self { child, at, grpc, started_in: Duration::ZERO, said };
        this.wait_ready();
        this.started_in = watch.elapsed();
        this
    }

    fn wait_ready(&self) {
        use std::io::{Read as _, Write as _};
        loop {
            let mut answer = String::new();
            let asked = std::net::TcpStream::connect(self.at).and_then(|mut stream| {
                stream
                    .write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
                stream.read_to_string(&mut answer)
            });
            // The bare server has no such path: any answer will do.
            if asked.is_ok() && !answer.contains("503") && !answer.is_empty() {
                return;
            }
        }
    }

    /// Where operators connect, and what the first of them is made by.
    pub fn first_operator(&mut self) -> (String, String) {
        let at = self.said.0.split("operators ").nth(1).unwrap().trim().to_owned();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.said.1.read_line(&mut line).unwrap() > 0, "there is an operator");
            if let Some((_, code)) = line.split_once("code=") {
                return (at, code.trim().to_owned());
            }
        }
    }

    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// SIGTERM, and wait.
    pub fn stop(mut self) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGKILL, and wait.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes a folder takes on the disk.
pub fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        sum += if metadata.is_dir() { disk_bytes(&entry.path()) } else { metadata.blocks() * 512 };
    }
    sum
}
