//! The first minutes: `anteroom init`, and what `doctor` says of a machine that is well and of one that
//! is broken in every way.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::cli::printed;
use crate::harness::free;
use crate::pragma_client::operator;
use crate::pragma_office::office;

/// Runs the binary in a folder, with a limit of open files; exit code, output, errors.
fn anteroom(folder: &Path, files: u32, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_anteroom")).args(arguments).current_dir(folder);
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let (out, errors) = printed(&output);
    (output.status.code(), out, errors)
}

#[test]
fn init_writes_what_differs_and_secrets_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let init =
        |arguments: &[&str]| anteroom(folder.path(), 4_096, &[&["init"], arguments].concat());
    let (code, _, errors) = init(&[]);
    assert_eq!(code, Some(2), "nobody to ask: {errors}");
    assert!(errors.contains("--yes"), "{errors}");

    let (code, said, errors) = init(&[
        "--yes",
        "--data",
        "players",
        "--listen",
        "127.0.0.1:9000",
        "--public",
        "https://play.example.com",
        "--proxy",
        "127.0.0.1",
    ]);
    assert_eq!(code, Some(0), "{errors}");
    let secrets = folder.path().join("players/secrets.toml");
    assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(&secrets).unwrap();
    let key = key.lines().find_map(|line| line.strip_prefix("server_key = ")).unwrap();
    assert!(said.contains(key.trim_matches('"')), "the key is shown: {said}");
    let config = fs::read_to_string(folder.path().join("config.toml")).unwrap();
    for line in ["data = \"players\"", "trusted_proxies = [\"127.0.0.1\"]", "public_port = 443"] {
        assert!(config.contains(line), "no `{line}` in\n{config}");
    }
    assert!(!config.contains("rate"), "only what differs: {config}");

    let (code, _, errors) = init(&["--yes"]);
    assert_eq!(code, Some(78));
    assert!(errors.contains("config.toml is there"), "{errors}");
    let (code, _, errors) = init(&["--yes", "--config", "other.toml", "--data", "players"]);
    assert_eq!(code, Some(78));
    assert!(errors.contains("secrets.toml is there"), "{errors}");
    assert!(!folder.path().join("other.toml").exists());
}

/// Findings by what was looked at: the level, what was found and what to do.
fn doctor(folder: &Path, files: u32) -> (Option<i32>, Vec<(String, String, String)>) {
    doctor_with(folder, files, &[])
}

fn doctor_with(
    folder: &Path,
    files: u32,
    more: &[&str],
) -> (Option<i32>, Vec<(String, String, String)>) {
    let arguments = [&["doctor", "--json"], more].concat();
    let (code, said, errors) = anteroom(folder, files, &arguments);
    let told: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said} {errors}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = told["findings"].as_array().unwrap().iter().map(|finding| {
        let words = format!("{} {}", text(finding, "found"), text(finding, "advice"));
        (text(finding, "check"), text(finding, "level"), words)
    });
    (code, findings.collect())
}

#[track_caller]
fn says(findings: &[(String, String, String)], check: &str, level: &str, words: &str) {
    let found = findings.iter().find(|(name, ..)| name == check);
    let (_, is, told) = found.unwrap_or_else(|| panic!("no {check} in {findings:?}"));
    assert!(is == level && told.contains(words), "{check}: {is}: {told}");
}

#[test]
fn doctor_finds_nothing_wrong_with_a_machine_that_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let port = free().port();
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\ngrpc = \"127.0.0.1:0\"\n\
         operators = \"127.0.0.1:0\"\npartners = \"127.0.0.1:0\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n[queue]\ncap = 1000\nrate = 5.0\n\
         [passwords]\nmemory_kib = 8192\niterations = 1\n"
    );
    fs::write(folder.path().join("config.toml"), settings).unwrap();
    let (code, findings) = doctor(folder.path(), 4_096);
    for (check, words) in [
        ("settings", ""),
        ("open files", "4096"),
        ("data folder", "will be made"),
        ("secrets", "the first start makes them"),
        ("operators' port", "on this machine only"),
        ("game servers' port", "on this machine only"),
        ("proxies", "1 trusted"),
        ("stored data", "0 accounts"),
        ("ports", "free"),
        ("backup", "nothing to back up"),
        ("clock", "not checked"),
    ] {
        says(&findings, check, "ok", words);
    }
    for check in ["disk flush", "disk space", "passwords"] {
        assert!(findings.iter().any(|(name, ..)| name == check), "no {check}");
    }
    let failed: Vec<_> = findings.iter().filter(|(_, level, _)| level == "failed").collect();
    assert_eq!((code, failed.len()), (Some(0), 0), "{failed:?}");
}

/// Data of a later version, as far as the first look goes.
fn newer_data(folder: &Path) {
    let (code, _, errors) =
        anteroom(folder, 4_096, &["import", "accounts.jsonl", "--data", "data"]);
    assert_eq!(code, Some(0), "{errors}");
    let config = sled::Config::new().path(folder.join("data/accounts/accounts"));
    let db = config.open().unwrap();
    db.insert(b"m/format", &99_u32.to_be_bytes()).unwrap();
    db.flush().unwrap();
}

#[test]
fn doctor_says_each_break_of_a_broken_machine_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let head = r#"{"line":"head","format":1,"program":"x","made_ms":0,"accounts":0}"#;
    fs::write(path.join("accounts.jsonl"), format!("{head}\n")).unwrap();
    newer_data(path);
    let data = path.join("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(data.join("secrets.toml"), "server_key = \"defaultkey\"\n").unwrap();
    fs::set_permissions(data.join("secrets.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, dead) = (taken.local_addr().unwrap(), free().port());
    let settings = format!(
        "[server]\nlisten = \"{port}\"\ngrpc = \"127.0.0.1:0\"\noperators = \"0.0.0.0:0\"\n\
         partners = \"10.0.0.5:0\"\n[pragma]\npublic_tls = true\n[queue]\nrate = 100000.0\n\
         [identity]\nallow_private = true\ntimeout_ms = 500\n\
         [identity.google_oauth]\nclient_ids = [\"ours\"]\nclient_secret = \"x\"\n\
         token_url = \"http://127.0.0.1:{dead}/token\"\njwks_url = \"http://127.0.0.1:{dead}/keys\"\n\
         token_info_url = \"http://127.0.0.1:{dead}/info\"\n"
    );
    fs::write(path.join("config.toml"), &settings).unwrap();
    let (code, findings) = doctor(path, 1_000);
    assert_eq!(code, Some(1));
    for (check, level, words) in [
        ("open files", "failed", "LimitNOFILE="),
        ("data folder", "failed", "written by others"),
        ("secrets", "failed", "chmod 600"),
        ("operators' port", "failed", "in the clear"),
        ("game servers' port", "warning", "in the private network"),
        ("proxies", "warning", "server.trusted_proxies"),
        ("passwords", "warning", "queue.cost_password"),
        ("stored data", "failed", "format 99, written by a newer version"),
        ("ports", "failed", "in use"),
        ("backup", "failed", "anteroom backup"),
        ("provider google", "failed", "no connection"),
    ] {
        says(&findings, check, level, words);
    }
    let (code, said, _) = anteroom(path, 1_000, &["doctor"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("FAILED   secrets:") && said.contains("warning  proxies:"), "{said}");

    fs::write(path.join("config.toml"), "[queue]\nrate = -1.0\n").unwrap();
    let (code, findings) = doctor(path, 4_096);
    assert_eq!((code, findings.len()), (Some(1), 1));
    says(&findings, "settings", "failed", "queue.rate must be 0 to 100000");
    fs::write(path.join("config.toml"), "[server]\ndata = \"accounts.jsonl\"\n").unwrap();
    says(&doctor(path, 4_096).1, "data folder", "failed", "it is no folder");
}

/// Passes each request on to `to` and says for whom, as a proxy does; its port.
fn proxy(to: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            head.truncate(head.len() - 2);
            head.extend(b"X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n");
            let mut server = TcpStream::connect(to).unwrap();
            server.write_all(&head).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            client.write_all(&answer).unwrap();
        }
    });
    port
}

#[actix_rt::test]
async fn doctor_goes_in_by_the_public_address_and_says_whom_the_server_saw() {
    let local = "127.0.0.1".parse().unwrap();
    let server = office(|config| config.server.trusted_proxies = vec![local]).await;
    let olga = operator(&server, "olga").await.social;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), &olga).unwrap();
    let check = "round trip by the public address";
    let doctor = |port: u16| {
        let settings = format!(
            "[server]\noperators = \"{}\"\n[pragma]\npublic_host = \"127.0.0.1\"\n\
             public_port = {port}\n",
            server.operators
        );
        fs::write(folder.path().join("config.toml"), settings).unwrap();
        doctor_with(folder.path(), 4_096, &["--token-file", "token"]).1
    };
    let through = proxy(server.players);
    says(&doctor(through), check, "ok", "203.0.113.9, by the proxy 127.0.0.1");
    says(&doctor(server.players.port()), check, "ok", "127.0.0.1, without a proxy");
    says(&doctor(server.operators.port()), check, "failed", "it is not this server");
    says(&doctor(free().port()), check, "failed", "refused");
    let unknown = server.plain("GET", "/v1/round-trip/00000000-0000-4000-8000-000000000000", None);
    assert_eq!(unknown.await.status, 404);
}
