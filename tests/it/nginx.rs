//! The settings for nginx that a page shows, in a real nginx: players come by it over HTTPS, by
//! WebSocket and by gRPC, and are seen under their own address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use anteroom::nakama::wire::api;
use serde_json::json;

use crate::debian::program;
use crate::docs::blocks::blocks;
use crate::grpc::device;
use crate::grpc_client::Client;
use crate::harness::{TestServer, free};
use crate::operator_session::with_ada;
use crate::running::Running;
use crate::tls::{KEY, answers, sign_in, socket};
use crate::tls_client::{Authority, NAME};

const PAGE: &str = "docs/sdks/README.md";
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Nginx {
    _process: Running,
    at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// With the page's settings, but for addresses and files.
    async fn start(server: &TestServer, authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority.issue(2040).write(folder.path());
        let at = free();
        let shown = blocks(PAGE).into_iter().find(|block| block.language == "nginx");
        let mut page = shown.unwrap().text;
        let files = folder.path().display().to_string();
        for (shown, here) in [
            ("listen 443 ", format!("listen {at} ")),
            ("/etc/anteroom", files.clone()),
            ("127.0.0.1:7350", server.players.to_string()),
            ("127.0.0.1:7349", server.grpc.to_string()),
        ] {
            assert!(page.contains(shown), "{shown} is not in {page}");
            page = page.replace(shown, &here);
        }
        let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|it| format!("{it}_temp_path {files}/{it};"));
        let settings = format!(
            "daemon off; master_process off; pid {files}/pid; error_log stderr;\n\
             events {{}}\nhttp {{ access_log off; {}\n{page}}}\n",
            own.concat()
        );
        std::fs::write(folder.path().join("nginx.conf"), settings).unwrap();
        let mut command = Command::new(program("nginx", "sbin/nginx"));
        command.args(["-p", &files, "-c", "nginx.conf", "-e", "stderr"]);
        let mut process = Running::start(&mut command);
        process.listens(at).await;
        Self { _process: process, at, _folder: folder }
    }
}

#[actix_rt::test]
async fn players_come_by_nginx_as_the_page_sets_it_up() {
    let (server, mut ada) = with_ada(|config| {
        config.server.trusted_proxies = vec![LOOPBACK];
        config.pragma.public_tls = true;
    })
    .await;
    let authority = Authority::new();
    let nginx = Nginx::start(&server, &authority).await;

    let token = sign_in(&authority, nginx.at, "device-of-bob").await;
    let mut socket = socket(&authority, nginx.at, &token).await;
    answers(&mut socket, "one").await;
    let stream = authority.connect(nginx.at, &["h2"]).await.unwrap();
    let client = Client::over(stream, nginx.at).await.0;
    let session: api::Session =
        client.call("AuthenticateDevice", &[KEY], &device("device-of-bob")).await.unwrap();
    assert!(!session.created, "it is the same account");
    let bob = device("device-of-bob");
    let refused = client.call::<api::Session>("AuthenticateDevice", &[], &bob).await;
    assert_eq!(refused.err().unwrap().code, 16, "nginx hands on what gRPC says");

    // Somebody at another address, who says that it is a third one.
    let begun = ada.ask("POST", "/round-trips", json!(null)).await;
    let id = begun.str("/id").to_owned();
    let outside = reqwest::Client::builder()
        .local_address(IpAddr::from([127, 0, 0, 2]))
        .add_root_certificate(reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap())
        .resolve(NAME, nginx.at)
        .no_proxy()
        .build()
        .unwrap();
    let url = format!("https://{NAME}:{}/v1/round-trip/{id}", nginx.at.port());
    let came = outside.get(url).header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
    assert!(came.status().is_success(), "{came:?}");
    let seen = ada.ask("GET", &format!("/round-trips/{id}"), json!(null)).await;
    assert_eq!(seen.json, json!({"peer": "127.0.0.1", "client": "127.0.0.2"}));
}
