//! A page's commands in one shell, with the tools that a reader has under other names.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::blocks::{Block, root};
use super::pages::Page;

/// The first port tried: below those that the system gives out.
const PORTS_FROM: u16 = 20_000;
/// What a page may use from its first port on: gRPC, players, operators, game servers, one more.
const PORTS: u16 = 5;

/// How long a page may take before it is said to hang (exit status 124), in seconds.
const LIMIT_S: &str = "300";

static NEXT: AtomicU16 = AtomicU16::new(0);

/// Functions of the shell. `anteroom` starts a server in the background when the words say so, and
/// stops the one before; everything else is the program.
const FUNCTIONS: &str = r#"
set -euo pipefail
stop_server() {
  if [ -f server.pid ]; then
    kill "$(cat server.pid)" 2>/dev/null || true
    while kill -0 "$(cat server.pid)" 2>/dev/null; do sleep 0.05; done
    rm server.pid
  fi
}
trap 'code=$?; stop_server; kill $(jobs -p) 2>/dev/null || true; exit $code' EXIT
anteroom() {
  case "${1:-serve}" in
    serve | --dev | --data | --config)
      stop_server
      "$ANTEROOM" "$@" --listen "127.0.0.1:$PLAYERS" >server.log 2>&1 &
      echo $! >server.pid
      until grep -q "anteroom is ready" server.log; do
        kill -0 "$(cat server.pid)" || { cat server.log >&2; return 1; }
        sleep 0.05
      done ;;
    *) "$ANTEROOM" "$@" ;;
  esac
}
verify-lottery() { "$VERIFY_LOTTERY" "$@"; }
cargo() {
  [ "$1 $2 $3" = "run --release --" ] || { echo "not known here: cargo $*" >&2; return 1; }
  shift 3
  anteroom "$@"
}
curl() { command curl --fail-with-body "$@"; }
member() { node -pe "JSON.parse(require('fs').readFileSync(0))$1"; }
operator() {
  curl -s "http://127.0.0.1:$OPERATORS/v1/account/authenticateorcreatev2" -d '{"providerId": "UNSAFE",
    "providerToken": "{\"accountId\":\"olga\",\"displayName\":\"olga\"}",
    "gameShardId": "00000000-0000-0000-0000-000000000001"}' | member .pragmaTokens.pragmaSocialToken
}
"#;

/// Runs a page's blocks.
///
/// # Errors
///
/// Which block failed, and what was said.
pub fn run(document: &str, page: Option<&Page>, blocks: &[Block]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    symlink(root().join("docs"), folder.path().join("docs")).unwrap();
    let players = free_ports() + 1;
    let script = script(page, blocks, players);
    let file = folder.path().join("page.sh");
    fs::write(&file, &script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    let output = Command::new("timeout")
        .args(["--kill-after=5", LIMIT_S, "bash"])
        .arg(&file)
        .current_dir(folder.path())
        .env("ANTEROOM", env!("CARGO_BIN_EXE_anteroom"))
        .env("VERIFY_LOTTERY", env!("CARGO_BIN_EXE_verify-lottery"))
        .env("PLAYERS", players.to_string())
        .env("OPERATORS", (players + 1).to_string())
        .env("ANTEROOM_SERVER", format!("http://127.0.0.1:{}", players + 1))
        .env("PORT", (players + 3).to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (said(&output.stdout), said(&output.stderr));
    let at = fs::read_to_string(folder.path().join("at")).unwrap_or_else(|_| document.to_owned());
    let log = server_log(folder.path());
    Err(format!("{} ({}):\n{out}{errors}{log}", at.trim(), output.status))
}

/// The last words of the server, if there was one.
fn server_log(folder: &Path) -> String {
    let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
    let last: Vec<&str> = log.lines().rev().take(5).collect();
    last.into_iter().rev().fold(String::new(), |text, line| format!("{text}server: {line}\n"))
}

fn script(page: Option<&Page>, blocks: &[Block], players: u16) -> String {
    let mut script = FUNCTIONS.to_owned();
    let before = page.map_or("", |page| page.before);
    let _ = writeln!(script, "{before}");
    let mut unused: Vec<&str> = Vec::new();
    let swaps = page.map_or(&[][..], |page| page.swaps);
    let all: String = blocks.iter().map(|block| block.text.as_str()).collect();
    unused.extend(swaps.iter().map(|(from, _)| *from).filter(|from| !all.contains(from)));
    assert!(unused.is_empty(), "{}: not on the page (any more): {unused:?}", blocks[0].at);
    for block in blocks {
        let mut text = block.text.clone();
        for (from, to) in swaps {
            text = text.replace(from, to);
        }
        for (from, to) in
            [(7349, players - 1), (7350, players), (7351, players + 1), (7352, players + 2)]
        {
            text = text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}"));
        }
        text = text.replace("127.0.0.1:8080", &format!("127.0.0.1:{}", players + 3));
        let _ = writeln!(script, "echo '{}' >at\n{text}", block.at);
    }
    script
}

/// The first of some neighbouring ports that nobody has.
fn free_ports() -> u16 {
    let process = u16::try_from(std::process::id() % 100).unwrap() * 100;
    loop {
        let first = PORTS_FROM + process + NEXT.fetch_add(PORTS, Ordering::Relaxed);
        assert!(first < PORTS_FROM + 12_000, "no ports are free");
        if (first..first + PORTS).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}
