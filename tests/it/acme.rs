//! Certificates that the server fetches itself, from an authority that really looks.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anteroom::config::Config;

use crate::harness::{Auth, TestServer, ask, free};
use crate::pebble::Pebble;
use crate::tls_client::{NAME, connect_trusting};

fn by_authority(pebble: &Pebble, at: SocketAddr, folder: &Path) -> impl FnOnce(&mut Config) {
    let (directory, directory_root) = (pebble.directory.clone(), pebble.own_root());
    let folder = folder.join("tls");
    move |config| {
        config.server.listen = at;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        config.server.grpc = Some(any);
        config.server.operators = Some(any);
        config.server.partners = Some(any);
        config.tls.certificate = folder.join("certificate.pem");
        config.tls.key = folder.join("key.pem");
        config.tls.acme.domains = vec![NAME.to_owned()];
        config.tls.acme.agree_to_terms = true;
        "ops@play.example".clone_into(&mut config.tls.acme.contact);
        config.tls.acme.directory = directory;
        config.tls.acme.directory_root = directory_root;
    }
}

/// The certificate that a client sees who trusts what the authority issues; `None`: it does not trust it.
async fn shown(pebble: &Pebble, at: SocketAddr, speaks: &str) -> Option<Vec<u8>> {
    let versions = rustls::DEFAULT_VERSIONS;
    let stream = connect_trusting(&pebble.root, at, &[speaks], versions).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?.first()?.to_vec())
}

async fn figure(server: &TestServer, name: &str) -> u64 {
    let page = ask("GET", &format!("http://{}/metrics", server.operators), Auth::None, None).await;
    let line = page.text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    line.strip_suffix(".0").unwrap_or(line).parse().unwrap()
}

const ISSUED: &str = "tls_acme_orders_total{result=\"issued\"}";
const FAILED: &str = "tls_acme_orders_total{result=\"failed\"}";

#[actix_rt::test]
async fn the_server_fetches_its_certificate_keeps_it_and_renews_it() {
    let (at, folder) = (free(), tempfile::tempdir().unwrap());
    let pebble = Pebble::start(at).await;
    let clock = TestServer::noon();
    let start = |clock| {
        let set = by_authority(&pebble, at, folder.path());
        TestServer::start_on(folder.path(), clock, set)
    };
    let server = start(clock.clone()).await;
    assert_eq!(shown(&pebble, at, "http/1.1").await, None, "nobody has given one yet");
    server.dials.turn().await;
    let first = shown(&pebble, at, "http/1.1").await.expect("players trust it");
    assert_eq!(shown(&pebble, server.grpc, "h2").await.as_ref(), Some(&first), "at every port");
    assert_eq!(shown(&pebble, at, "acme-tls/1").await, None, "the order is over");
    assert_eq!((figure(&server, ISSUED).await, figure(&server, FAILED).await), (1, 0));
    for file in ["key.pem", "acme-account.json"] {
        let found = std::fs::metadata(folder.path().join("tls").join(file)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{file}");
    }
    server.pass_ms(86_400_000).await;
    assert_eq!(figure(&server, ISSUED).await, 1, "it is good for long");

    drop(server);
    let server = start(clock.clone()).await;
    assert_eq!(shown(&pebble, at, "http/1.1").await.as_ref(), Some(&first), "it was kept");
    server.dials.turn().await;
    assert_eq!(figure(&server, ISSUED).await, 0);
    let expires_s = figure(&server, "tls_certificate_expiry_timestamp_seconds").await;
    let left_ms = expires_s * 1_000 - clock.now().as_millis();
    server.pass_ms(left_ms - 86_400_000).await;
    assert_eq!(figure(&server, ISSUED).await, 1, "a day before its end there is another");
    let second = shown(&pebble, at, "http/1.1").await.unwrap();
    assert_ne!(second, first);

    // Half a pair, as a crash may leave it, is as good as none.
    drop(server);
    std::fs::write(folder.path().join("tls/certificate.pem"), "-----BEGIN").unwrap();
    let server = start(TestServer::noon()).await;
    server.dials.turn().await;
    assert!(shown(&pebble, at, "http/1.1").await.is_some_and(|third| third != second));
}

#[actix_rt::test]
async fn an_authority_that_says_no_is_left_alone_for_a_while_and_players_are_served() {
    let (at, folder) = (free(), tempfile::tempdir().unwrap());
    // It knocks where nobody is.
    let pebble = Pebble::start(free()).await;
    let set = by_authority(&pebble, at, folder.path());
    let server = TestServer::start_on(folder.path(), TestServer::noon(), set).await;
    server.dials.turn().await;
    assert_eq!((figure(&server, ISSUED).await, figure(&server, FAILED).await), (0, 1));
    server.pass_ms(599_000).await;
    assert_eq!(figure(&server, FAILED).await, 1);
    server.pass_ms(1_000).await;
    assert_eq!(figure(&server, FAILED).await, 2);
    server.pass_ms(600_000).await;
    assert_eq!(figure(&server, FAILED).await, 2, "twice as long");
    let alive = connect_trusting(&pebble.root, at, &[], rustls::DEFAULT_VERSIONS).await;
    let words = alive.expect_err("nobody trusts what it shows meanwhile").to_string();
    assert!(words.contains("UnknownIssuer"), "{words}");
}
