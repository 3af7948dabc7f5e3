//! What operators do: look at health and metrics, turn the dials, stop.

use std::net::SocketAddr;

use anteroom::config::tls::Ports;
use serde_json::json;

use crate::harness::{Auth, TestServer, ask};
use crate::tls_client::Authority;

#[actix_rt::test]
async fn health_on_both_ports() {
    let server = TestServer::start(|_| {}).await;
    server.plain("GET", "/healthcheck", None).await.is(200, json!({}));
    for address in [server.players, server.operators] {
        let ready = ask("GET", &format!("http://{address}/readyz"), Auth::None, None).await;
        ready.is(200, json!({"ready": true, "state": "ready"}));
    }
}

/// `anteroom healthcheck`, which containers have for a shell: its exit code.
fn healthcheck(operators: SocketAddr, more: &[(&str, &str)]) -> Option<i32> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anteroom"));
    let folder = tempfile::tempdir().unwrap();
    command.arg("healthcheck").current_dir(folder.path());
    command.env("ANTEROOM__SERVER__OPERATORS", operators.to_string());
    command.envs(more.iter().map(|(key, value)| (format!("ANTEROOM__{key}"), value)));
    command.status().unwrap().code()
}

#[actix_rt::test]
async fn a_container_is_healthy_while_players_are_served() {
    let server = TestServer::start(|_| {}).await;
    let operators = server.operators;
    assert_eq!(healthcheck(operators, &[]), Some(0));
    drop(server);
    assert_eq!(healthcheck(operators, &[]), Some(1));

    let (authority, files) = (Authority::new(), tempfile::tempdir().unwrap());
    authority.issue(2040).write(files.path());
    let (certificate, key) = (files.path().join("certificate.pem"), files.path().join("key.pem"));
    let server = TestServer::start(|config| {
        config.tls.listeners = vec![Ports::Operators];
        (config.tls.certificate, config.tls.key) = (certificate.clone(), key.clone());
    })
    .await;
    let paths = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let tls = [
        ("TLS__CERTIFICATE", paths[0]),
        ("TLS__KEY", paths[1]),
        ("TLS__LISTENERS", r#"["operators"]"#),
    ];
    assert_eq!(healthcheck(server.operators, &tls), Some(0), "whoever issued it");
}

#[actix_rt::test]
async fn metrics_are_on_the_operators_port_only() {
    let server = TestServer::start(|_| {}).await;
    server.with_key("/v2/account/authenticate/device", json!({"id": "counted-device"})).await;
    let page = ask("GET", &format!("http://{}/metrics", server.operators), Auth::None, None).await;
    for line in [
        "login_queue_target_rate 50.0",
        "login_queue_slots{state=\"reserved\"} 1.0",
        "login_queue_admitted_total{lane=\"standard\"} 1.0",
        "sign_ins_total{kind=\"device\",result=\"created\"} 1.0",
        "accounts 21.0",
    ] {
        assert!(page.text.lines().any(|got| got == line), "no `{line}` in\n{}", page.text);
    }
    for metric in anteroom::observe::catalogue::ALL {
        let help = format!("# HELP {} ", metric.name);
        assert!(
            page.text.contains(&help),
            "{} is in the catalogue but not on the page",
            metric.name
        );
    }
    assert_eq!(server.plain("GET", "/metrics", None).await.status, 404);
}

#[actix_rt::test]
async fn the_dials_act_on_the_line_that_stands() {
    let server = TestServer::start(|config| config.queue.rate = 0.0).await;
    let waiting = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    assert_eq!(waiting.json["isAllowedIn"], false);
    let check = |server: &TestServer| {
        let body = json!({"token": waiting.str("/token")});
        let url = server.url("/v1/loginqueue/checkticketv1");
        async move { ask("POST", &url, Auth::None, Some(body)).await }
    };
    let mut queue = crate::harness::config().queue;
    queue.paused = true;
    server.dials.apply(&queue).await;
    server.pass_ms(10_000).await;
    assert_eq!(check(&server).await.json["isAllowedIn"], false, "paused: the place is kept");
    queue.paused = false;
    server.dials.apply(&queue).await;
    server.pass_ms(1_000).await;
    assert_eq!(check(&server).await.json["isAllowedIn"], true);
}

#[actix_rt::test]
async fn a_stopped_server_has_let_go_of_its_folder() {
    let server = TestServer::start(|_| {}).await;
    let made =
        server.with_key("/v2/account/authenticate/device", json!({"id": "before-the-stop"})).await;
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    let again =
        server.with_key("/v2/account/authenticate/device", json!({"id": "before-the-stop"})).await;
    assert_eq!(
        crate::races::user_id(again.str("/token")),
        crate::races::user_id(made.str("/token"))
    );
}
