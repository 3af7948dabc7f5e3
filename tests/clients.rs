//! Real clients against the real program: Nakama's JavaScript SDK as published, Google's gRPC client
//! for Python on stubs made from `proto/`, our pages in a real browser, Nakama's tables in a real
//! PostgreSQL. Each test starts its own server and runs one program of `tests/clients/` with Node;
//! what that prints is shown when it fails. Screenshots are in `tests/clients/artifacts/`.
//!
//! What the tests need they install: the npm packages of the lock file, the Python packages of
//! `requirements.txt` in an environment of their own, and Debian's Chromium and PostgreSQL when
//! run as root on Debian. What can't be installed fails the test and says so; nothing is skipped.
#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

#[path = "clients/postgres.rs"]
mod postgres;

/// Nobody waits in these: the line is another test's subject.
const OPEN_GATE: &[(&str, &str)] = &[("ANTEROOM__QUEUE__RATE", "1000")];

#[test]
fn nakama_js_signs_in() {
    run("authenticate.mjs", OPEN_GATE);
}

#[test]
fn nakama_js_refreshes_and_ends_sessions() {
    run("session.mjs", OPEN_GATE);
}

#[test]
fn nakama_js_links_and_unlinks() {
    run("link.mjs", OPEN_GATE);
}

#[test]
fn nakama_js_is_online_with_a_status() {
    run("socket.mjs", OPEN_GATE);
}

#[test]
fn nakama_js_makes_friends_in_node_and_in_a_browser() {
    browser();
    run("friends.mjs", OPEN_GATE);
}

/// The page a newcomer follows, word for word: two players see each other online and are friends.
#[test]
fn two_players_see_each_other_as_the_page_says() {
    packages();
    let server = Server::start(&[]);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/two-players.mjs");
    let script = folder().join("two-players.of-the-docs.mjs");
    fs::copy(&page, &script).expect("a copy beside the packages");
    let told = Command::new("node")
        .arg(&script)
        .current_dir(folder())
        .env("ANTEROOM_URL", &server.url)
        .output()
        .expect("node starts");
    let _ = fs::remove_file(&script);
    let said = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{}\nthe server said:\n{}", words(&told), server.log());
    for (who, what) in [
        ("ada sees bob-", "\"looking for a match\""),
        ("bob sees ada-", "\"in the lobby\""),
        ("bob is told: ada-", "wants to add you as a friend"),
        ("ada is told: bob-", "accepted your friend request"),
        ("ada lists bob-", "state 0, online true"),
        ("ada sees bob-", "leave"),
    ] {
        let heard = said.lines().any(|line| line.starts_with(who) && line.ends_with(what));
        assert!(heard, "nobody said {who}… {what}:\n{said}");
    }
    let text = fs::read_to_string(page.with_extension("md")).expect("the page");
    let script = fs::read_to_string(&page).expect("the script");
    assert!(text.contains(script.trim()), "the page shows another script");
}

#[test]
fn nakama_js_stands_in_line() {
    let busy = [
        ("ANTEROOM__QUEUE__RATE", "0.5"),
        ("ANTEROOM__QUEUE__BURST", "1"),
        ("ANTEROOM__QUEUE__POLL_MIN_MS", "500"),
    ];
    run("line.mjs", &busy);
}

#[test]
fn python_plays_over_grpc() {
    let (python, stubs) = python();
    let server = Server::start(OPEN_GATE);
    let mut story = Command::new(python);
    story.arg(folder().join("grpc.py")).arg(stubs).env("ANTEROOM_GRPC", &server.grpc);
    tell("grpc.py", &mut story, &server);
}

#[test]
fn the_page_leads_two_tabs_from_the_line_to_online() {
    let busy = [
        ("ANTEROOM__QUEUE__RATE", "0.7"),
        ("ANTEROOM__QUEUE__BURST", "1"),
        ("ANTEROOM__QUEUE__POLL_MIN_MS", "500"),
    ];
    browser();
    run("page.mjs", &busy);
}

#[test]
fn the_page_shows_every_state_on_every_screen() {
    browser();
    run("page-states.mjs", OPEN_GATE);
}

#[test]
fn operators_sign_in_to_the_console() {
    browser();
    run("console-seat.mjs", OPEN_GATE);
}

/// The story starts a server of its own, which knows the provider that it plays.
#[test]
fn operators_sign_in_to_the_console_at_a_provider() {
    let program = [("ANTEROOM_PROGRAM", env!("CARGO_BIN_EXE_anteroom"))];
    browser();
    run("console-providers.mjs", &program);
}

#[test]
fn operators_work_with_the_console() {
    let slow = [
        ("ANTEROOM__QUEUE__RATE", "5"),
        ("ANTEROOM__QUEUE__BURST", "1"),
        ("ANTEROOM_PROGRAM", env!("CARGO_BIN_EXE_anteroom")),
        ("STORY_PATIENCE_MS", "400000"),
    ];
    browser();
    run("console-office.mjs", &slow);
}

const MOVING: [(&str, &str); 3] = [
    ("ANTEROOM__QUEUE__RATE", "0.7"),
    ("ANTEROOM__QUEUE__BURST", "1"),
    ("ANTEROOM__QUEUE__POLL_MIN_MS", "500"),
];

#[test]
fn the_queue_client_of_the_docs_is_told_its_turn() {
    browser();
    run("queue.mjs", &MOVING);
}

#[test]
fn the_queue_client_of_the_docs_polls_where_there_is_no_room_for_streams() {
    browser();
    let none = [("ANTEROOM__QUEUE__STREAMS_MAX", "0"), ("QUEUE_STREAMS", "0")];
    run("queue.mjs", &[&MOVING[..], &none[..]].concat());
}

#[test]
fn the_queue_client_of_the_docs_answers_a_challenge() {
    let attacked = [
        ("ANTEROOM__QUEUE__RATE", "0"),
        ("ANTEROOM__QUEUE__ABUSE__CHALLENGE", "attack"),
        ("ANTEROOM__QUEUE__ABUSE__ATTACK_PER_SECOND", "5"),
    ];
    browser();
    run("challenge.mjs", &attacked);
}

/// What the page for those who come from Nakama says, done with Nakama's tables in a real PostgreSQL.
#[test]
fn players_come_from_nakamas_own_database() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coming-from-nakama.md");
    let page = fs::read_to_string(page).expect("the page");
    let mut scripts = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next());
    let mut script = || scripts.next().flatten().expect("a script");
    let here = tempfile::tempdir().expect("a folder");
    let tables = here.path().join("FOLDER");
    fs::create_dir(&tables).expect("a folder");
    postgres::Postgres::start().shell(script(), &tables);
    let importing = format!("anteroom() {{ \"$ANTEROOM\" \"$@\"; }}\n{}", script());
    let done = Command::new("bash")
        .args(["-euc", &importing])
        .current_dir(here.path())
        .env("ANTEROOM", env!("CARGO_BIN_EXE_anteroom"))
        .output()
        .expect("bash starts");
    assert!(done.status.success(), "{}", words(&done));
    run_against(&Server::start_in(here, OPEN_GATE), "from-nakama.mjs", OPEN_GATE);
}

/// Runs one program of `tests/clients/` against a server of its own.
fn run(program: &str, settings: &[(&str, &str)]) {
    run_against(&Server::start(settings), program, settings);
}

fn run_against(server: &Server, program: &str, settings: &[(&str, &str)]) {
    packages();
    let mut story = Command::new("node");
    story.arg(folder().join(program)).env("ANTEROOM_URL", &server.url).env("CHROMIUM", chromium());
    story.env("ANTEROOM_OPERATORS", &server.operators).env("SETUP_CODE", &server.setup_code);
    // A program may be told what the server was.
    story.envs(settings.iter().copied().filter(|(name, _)| !name.starts_with("ANTEROOM__")));
    tell(program, &mut story, server);
}

/// Runs a client's program to its end; it must say `ok`.
fn tell(program: &str, story: &mut Command, server: &Server) {
    let told = story.current_dir(folder()).output().expect("the client starts");
    let stories = String::from_utf8_lossy(&told.stdout);
    let held = told.status.success() && stories.contains("\nok ") | stories.starts_with("ok ");
    assert!(held, "{program}\n{}\nthe server said:\n{}", words(&told), server.log());
    println!("{stories}");
}

/// The program as built, on free ports, with an empty folder. Killed when dropped.
struct Server {
    process: Child,
    url: String,
    /// Host and port.
    grpc: String,
    /// Where operators connect, and the code the first of them is made by.
    operators: String,
    setup_code: String,
    folder: tempfile::TempDir,
}

impl Server {
    fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), settings)
    }

    fn start_in(folder: tempfile::TempDir, settings: &[(&str, &str)]) -> Self {
        let log = File::create(folder.path().join("log")).expect("a log");
        let mut process = Command::new(env!("CARGO_BIN_EXE_anteroom"))
            .args(["serve", "--dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            // Away from the repository's config.toml: defaults, and what the test sets.
            .current_dir(folder.path())
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the server starts");
        let stdout = process.stdout.take().expect("its output");
        let (url, grpc) = (String::new(), String::new());
        let (operators, setup_code) = (String::new(), String::new());
        let mut server = Self { process, url, grpc, operators, setup_code, folder };
        let mut first = String::new();
        let mut stdout = BufReader::new(stdout);
        let read = stdout.read_line(&mut first);
        let address = first
            .strip_prefix("anteroom is ready: players ")
            .and_then(|rest| rest.split(',').next())
            .map(str::to_owned);
        server.url =
            address.unwrap_or_else(|| panic!("{read:?}, it said {first:?} and:\n{}", server.log()));
        let grpc = first.split("gRPC http://").nth(1).and_then(|rest| rest.split(',').next());
        let grpc = grpc.unwrap_or_else(|| panic!("no gRPC in {first:?}"));
        grpc.clone_into(&mut server.grpc);
        let operators = first.split("operators ").nth(1).unwrap_or_default().trim();
        operators.clone_into(&mut server.operators);
        let setup = stdout.lines().map_while(Result::ok);
        let code = setup
            .filter(|line| line.contains("setup code"))
            .find_map(|line| line.rsplit_once(": ").map(|(_, code)| code.to_owned()));
        server.setup_code = code.unwrap_or_else(|| panic!("no setup code in what it said"));
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

fn chromium() -> OsString {
    std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into())
}

/// Node, npm and the packages of the lock file, installed anew when the lock file is newer.
fn packages() {
    static READY: OnceLock<Result<(), String>> = OnceLock::new();
    if let Err(problem) = READY.get_or_init(|| one_at_a_time(install_packages)) {
        panic!("{problem}");
    }
}

/// A Python with the packages of `requirements.txt`, and the folder of the stubs.
fn python() -> (PathBuf, PathBuf) {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grpc-client");
    let (python, stubs) = (home.join("venv/bin/python"), home.join("stubs"));
    if let Err(problem) = one_at_a_time(|| install_python(&home, &python, &stubs)) {
        panic!("{problem}");
    }
    (python, stubs)
}

fn install_python(home: &Path, python: &Path, stubs: &Path) -> Result<(), String> {
    let wanted = fs::read(folder().join("requirements.txt")).map_err(|error| error.to_string())?;
    let installed = home.join("installed.txt");
    let path = |path: &Path| path.to_string_lossy().into_owned();
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        let venv = path(&home.join("venv"));
        said("python3", &["-m", "venv", "--clear", &venv])
            .or_else(|why| debian("python3-venv", &why))
            .and_then(|_| said("python3", &["-m", "venv", "--clear", &venv]))
            .and_then(|_| {
                said(&path(python), &["-m", "pip", "install", "-q", "-r", "requirements.txt"])
            })
            .map_err(|why| {
                let needs = "this test needs Python 3 with venv (Debian: python3-venv) and pip";
                format!("{needs}: {why}")
            })?;
        fs::write(&installed, &wanted).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(stubs).map_err(|error| error.to_string())?;
    let proto = path(&folder().join("../../proto"));
    let (from, to) = (format!("-I{proto}"), path(stubs));
    let out = [format!("--python_out={to}"), format!("--grpc_python_out={to}")];
    let made = ["-m", "grpc_tools.protoc", &from, &out[0], &out[1], "nakama/api.proto"];
    said(&path(python), &made).map(drop)
}

/// A Chromium to drive.
fn browser() {
    static READY: OnceLock<Result<(), String>> = OnceLock::new();
    if let Err(problem) = READY.get_or_init(|| one_at_a_time(install_browser)) {
        panic!("{problem}");
    }
}

/// Under a lock: some runners give each test a process of its own.
fn one_at_a_time(prepare: impl Fn() -> Result<(), String>) -> Result<(), String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients.lock");
    let problem = |error| format!("{}: {error}", path.display());
    let lock = File::create(&path).map_err(problem)?;
    lock.lock().map_err(problem)?;
    prepare()
}

fn install_packages() -> Result<(), String> {
    let version = said("node", &["--version"]).map_err(|why| {
        format!("these tests need Node.js 20 or later with npm (Debian: nodejs npm): {why}")
    })?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
    if major.is_none_or(|major: u32| major < 20) {
        return Err(format!("these tests need Node.js 20 or later, not {version}"));
    }
    let changed = |path: &str| fs::metadata(folder().join(path)).and_then(|it| it.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    said("npm", &["ci"]).map(|_| ()).map_err(|why| {
        format!("`npm ci` in tests/clients could not install what these tests need: {why}")
    })
}

fn install_browser() -> Result<(), String> {
    if Path::new(&chromium()).exists() {
        return Ok(());
    }
    let missing = format!(
        "no Chromium at {}: install Debian's package `chromium`, or set CHROMIUM to the browser",
        chromium().display()
    );
    if std::env::var_os("CHROMIUM").is_some() {
        return Err(missing);
    }
    debian("chromium", &missing)?;
    if Path::new(&chromium()).exists() { Ok(()) } else { Err(missing) }
}

/// Installs a package when run as root on Debian; else what is missing, `why`.
fn debian(package: &str, why: &str) -> Result<String, String> {
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(why.to_owned());
    }
    said("apt-get", &["update"])
        .and_then(|_| said("apt-get", &["install", "-y", package]))
        .map_err(|failed| format!("{why}; installing it failed: {failed}"))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// What a program printed; when it failed, why.
fn said(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), words(&output)))
}

fn words(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}
