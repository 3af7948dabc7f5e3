//! The dials from a shell.

use serde_json::Value;

use crate::cli::printed;
use crate::harness::TestServer;
use crate::pragma_client::operator;
use crate::pragma_office::office;

/// Runs `anteroom ctl` as an operator; exit code, output, errors.
fn ctl(server: &TestServer, token: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
    let at = format!("http://{}", server.operators);
    command.arg("ctl").args(arguments).args(["--server", &at]).current_dir(folder.path());
    command.env("ANTEROOM_TOKEN", token).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    let (out, errors) = printed(&output);
    (output.status.code(), out, errors)
}

fn show(server: &TestServer, token: &str) -> Value {
    let (code, said, errors) = ctl(server, token, &["queue", "show", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    serde_json::from_str(&said).unwrap()
}

#[actix_rt::test]
async fn dials_are_shown_turned_after_a_yes_and_taken_back() {
    let server = office(|config| config.queue.rate = 5.0).await;
    let olga = operator(&server, "olga").await.social;
    let (code, said, errors) = ctl(&server, &olga, &["queue", "show"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("rate 5, cap") && said.contains("nobody waits"), "{said}");

    let (code, said, errors) = ctl(&server, &olga, &["queue", "set", "--rate", "8"]);
    assert_eq!((code, said.as_str()), (Some(2), ""), "nobody said yes");
    assert!(errors.contains("would set: rate 8") && errors.contains("--yes"), "{errors}");
    let seen = show(&server, &olga);
    assert_eq!((&seen["dials"]["rate"], &seen["staged"]), (&5.0.into(), &Value::Array(Vec::new())));

    let set = ["queue", "set", "--rate", "8", "--cap", "700", "--yes"];
    let (code, said, errors) = ctl(&server, &olga, &set);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("set: rate 8, cap 700") && said.contains("queue undo"), "{said}");
    let pause = ["queue", "pause", "--message", "back soon", "--until", "15m", "--yes"];
    assert_eq!(ctl(&server, &olga, &pause).0, Some(0));
    let seen = show(&server, &olga);
    let said = &seen["dials"]["announce"];
    assert_eq!((&said["mode"], &said["message"]), (&"paused".into(), &"back soon".into()));
    assert!(said["until_ms"].as_u64().is_some(), "{said}");

    let (code, said, errors) = ctl(&server, &olga, &["queue", "undo", "-y"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("taken back; now: rate 8, cap 700, open"), "{said}");
    assert_eq!(ctl(&server, &olga, &["queue", "undo", "-y"]).0, Some(0));
    assert_eq!(show(&server, &olga)["dials"]["rate"], 5.0);
    let (code, _, errors) = ctl(&server, &olga, &["queue", "undo", "-y"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("nothing was changed lately"), "{errors}");

    for (mode, word) in
        [("hold", "held"), ("drain", "draining"), ("maintenance", "maintenance"), ("open", "open")]
    {
        let (code, _, errors) = ctl(&server, &olga, &["queue", mode, "--yes"]);
        assert_eq!(code, Some(0), "{mode}: {errors}");
        assert_eq!(show(&server, &olga)["dials"]["announce"]["mode"], word);
    }
}

#[actix_rt::test]
async fn what_is_refused_is_told_in_the_servers_words() {
    let server = office(|_| {}).await;
    let olga = operator(&server, "olga").await.social;
    let oscar = operator(&server, "oscar").await.social;
    let show = ["queue", "show"];
    for (token, words) in [("", "ANTEROOM_TOKEN"), ("x", "sign in as an operator")] {
        let (code, _, errors) = ctl(&server, token, &show);
        assert_eq!(code, Some(1));
        assert!(errors.contains(words), "{errors}");
    }
    let (_, _, errors) = ctl(&server, &oscar, &show);
    assert!(errors.contains("queue.dials.get is needed (403)"), "{errors}");
    let (code, _, errors) = ctl(&server, &olga, &["queue", "set", "--yes"]);
    assert_eq!(code, Some(2), "{errors}");
    let too_fast = ["queue", "set", "--rate", "1000000000", "--yes"];
    let (code, _, errors) = ctl(&server, &olga, &too_fast);
    assert_eq!(code, Some(1));
    assert!(errors.contains("(400)"), "{errors}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{olga}\n")).unwrap();
    let by_file = ["backup", "--token-file", file.to_str().unwrap()];
    let (code, said, errors) = ctl(&server, "", &by_file);
    assert_eq!(code, Some(0), "{errors}");
    assert!(said.contains("on the server") && said.contains("accounts"), "{said}");
}
