//! A PostgreSQL of the test's own, with Nakama's tables in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{debian, folder, is_root, one_at_a_time, words};

/// A running database `nakama`, reached by a socket in its folder. Stopped when dropped.
pub struct Postgres {
    programs: PathBuf,
    folder: tempfile::TempDir,
}

impl Postgres {
    /// Starts one and fills it. Its clock is in a zone of half hours, as some are.
    pub fn start() -> Self {
        let programs = one_at_a_time(install).map(|()| installed().expect("installed"));
        let programs = programs.unwrap_or_else(|problem| panic!("{problem}"));
        let postgres = Self { programs, folder: tempfile::tempdir().expect("a folder") };
        if is_root() {
            // PostgreSQL does not run as root.
            postgres.run(Command::new("chown").arg("postgres").arg(postgres.folder.path()));
        }
        let data = postgres.folder.path().join("data");
        let mut making = postgres.program("initdb");
        making.args(["-A", "trust", "-U", "nakama", "-E", "UTF8", "--locale", "C.UTF-8", "-D"]);
        postgres.run(making.arg(&data));
        let socket = postgres.folder.path().display();
        let options = format!("-k {socket} -c listen_addresses= -c timezone=Asia/Kolkata");
        let mut starting = postgres.program("pg_ctl");
        // Its log would keep the pipe open.
        starting.args(["-w", "-l"]).arg(postgres.folder.path().join("log")).arg("-D").arg(&data);
        postgres.run(starting.args(["-o", &options, "start"]));
        postgres.run(postgres.program("createdb").arg("nakama"));
        let tables = fs::read_to_string(folder().join("from-nakama.sql")).expect("the tables");
        let mut filling = postgres.program("psql");
        filling.args(["-q", "-v", "ON_ERROR_STOP=1", "nakama", "-c", &tables]);
        postgres.run(&mut filling);
        postgres
    }

    /// Runs a script of a page with this database at hand; what it makes is in `folder`.
    pub fn shell(&self, script: &str, folder: &Path) {
        let mut shell = Command::new("bash");
        self.run(self.at_hand(shell.args(["-euc", script]).current_dir(folder)));
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(program);
        }
        self.at_hand(command.current_dir(self.folder.path()));
        command
    }

    /// Tells a command where this database is.
    fn at_hand<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PGHOST", self.folder.path()).env("PGUSER", "nakama")
    }

    fn run(&self, command: &mut Command) {
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(output.status.success(), "{command:?}: {}\n{}", words(&output), log());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stopping = self.program("pg_ctl");
        stopping.args(["-m", "immediate", "stop", "-D"]).arg(self.folder.path().join("data"));
        let _ = stopping.output();
    }
}

/// Where Debian has the programs of the newest version.
fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions.map(|it| it.path().join("bin")).filter(|it| it.join("initdb").exists()).max()
}

fn install() -> Result<(), String> {
    if installed().is_some() {
        return Ok(());
    }
    debian("postgresql", "this test needs PostgreSQL (Debian: postgresql)").map(drop)
}
