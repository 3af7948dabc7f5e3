//! Pebble, the authority that the people behind ACME try clients with, and its DNS server: from Debian's
//! package, unpacked and not installed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::debian::program;
use crate::harness::free;
use crate::running::Running;
use crate::tls_client::Authority;

/// A running authority. It forgets everything when dropped.
pub struct Pebble {
    /// Address of its directory.
    pub directory: String,
    /// Whose certificate its own address has.
    pub own: Authority,
    /// The root of what it issues, PEM.
    pub root: String,
    _processes: [Running; 2],
    folder: tempfile::TempDir,
}

impl Pebble {
    /// Starts one that knocks at `players` for every name there is.
    pub async fn start(players: SocketAddr) -> Self {
        let [authority, names_of] =
            ["bin/pebble", "bin/pebble-challtestsrv"].map(|it| program("pebble", it));
        let folder = tempfile::tempdir().unwrap();
        let own = Authority::new();
        own.issue(2040).write(folder.path());
        let [listen, management, names] = [free(), free(), free()];
        let settings = json!({"pebble": {
            "listenAddress": listen, "managementListenAddress": management,
            "certificate": folder.path().join("certificate.pem"),
            "privateKey": folder.path().join("key.pem"),
            "httpPort": 1, "tlsPort": players.port(),
        }});
        let config = folder.path().join("pebble.json");
        std::fs::write(&config, settings.to_string()).unwrap();
        let dns = run(Command::new(names_of)
            .args(["-dns01", &names.to_string(), "-defaultIPv6", ""])
            .args(["-http01", "", "-https01", "", "-tlsalpn01", ""])
            .args(["-management", &free().to_string()]));
        let authority = run(Command::new(authority)
            .arg("-config")
            .arg(&config)
            .args(["-dnsserver", &names.to_string(), "-strict"])
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")]));
        let mut processes = [dns, authority];
        for process in &mut processes {
            process.listens(management).await;
        }
        let answer = own.ask(management, "GET /roots/0", "").await;
        let root = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        let directory = format!("https://{listen}/dir");
        Self { directory, own, root, _processes: processes, folder }
    }

    /// A file with the root of its own address.
    pub fn own_root(&self) -> PathBuf {
        let path = self.folder.path().join("own-root.pem");
        std::fs::write(&path, &self.own.pem).unwrap();
        path
    }
}

fn run(command: &mut Command) -> Running {
    Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
}
