//! Processes that tests start.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};
use std::time::Duration;

use tokio::net::TcpStream;

/// A process, killed (SIGKILL) when dropped.
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits until it listens there; it must not end before.
    pub async fn listens(&mut self, at: SocketAddr) {
        while TcpStream::connect(at).await.is_err() {
            assert_eq!(self.try_wait().unwrap(), None, "it runs");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal, by its name without `SIG`.
pub fn signal(pid: u32, name: &str) {
    let told = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(told.success());
}
