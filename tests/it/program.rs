//! The real binary, started and killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::running::{Running, signal};

/// A running `anteroom serve --dev`. Killed (SIGKILL) when dropped.
pub struct Program {
    child: Running,
    /// Where players connect.
    pub players: SocketAddr,
}

impl Program {
    /// Starts the binary on a folder; `settings` are environment variables without the prefix,
    /// e.g. `("QUEUE__RATE", "5")`. Returns when it is ready.
    pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut child = spawn(folder, settings);
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).unwrap();
        let address = |word: &str| {
            let rest = line.split(&format!("{word} http://")).nth(1);
            let address = rest.and_then(|rest| rest.split([',', '\n']).next());
            address.and_then(|a| a.trim().parse().ok()).unwrap_or_else(|| {
                panic!("the first line is no announcement: {line:?}");
            })
        };
        Self { players: address("players"), child }
    }

    /// Address of a path on the players' port.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.players)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM: leave in good order. Returns the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap().code()
    }
}

/// Starts the binary and does not wait for it.
pub fn spawn(folder: &Path, settings: &[(&str, &str)]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    for (key, value) in settings {
        command.env(format!("ANTEROOM__{key}"), value);
    }
    Running::start(&mut command)
}
