//! Nakama's client API over gRPC (protocol-nakama §10), on the server's own port.

use std::time::Duration;

use anteroom::config::Gate;
use anteroom::domain::hook::HookEvent;
use anteroom::nakama::wire::api;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::grpc_client::{Client, Refused, framed, gzipped};
use crate::harness::{Auth, TestServer, ask, try_ask};
use crate::hooks::receiver::{Receiver, Reply};
use prost::Message as _;

/// The key of development as clients send it.
const KEY: (&str, &str) = ("authorization", "Basic ZGVmYXVsdGtleTo=");

async fn server() -> TestServer {
    TestServer::start(|config| config.queue.gate = Gate::Off).await
}

async fn client(server: &TestServer) -> Client {
    Client::connect(server.grpc).await.0
}

pub fn device(id: &str) -> api::AuthenticateDeviceRequest {
    let account = api::AccountDevice { id: id.into(), ..Default::default() };
    api::AuthenticateDeviceRequest { account: Some(account), ..Default::default() }
}

async fn signed_in(client: &Client, id: &str) -> api::Session {
    let answer = client.call("AuthenticateDevice", &[KEY], &device(id)).await;
    answer.unwrap_or_else(|refused: Refused| panic!("{refused:?}"))
}

fn bearer(session: &api::Session) -> String {
    format!("Bearer {}", session.token)
}

#[track_caller]
fn refused<A>(answer: Result<A, Refused>, code: u64, message: &str) {
    let Err(refused) = answer else { panic!("not refused: {message}") };
    assert_eq!((refused.code, &*refused.message), (code, message));
}

#[actix_rt::test]
async fn a_player_signs_in_is_known_refreshes_and_leaves() {
    let server = server().await;
    let client = client(&server).await;
    client.call::<()>("Healthcheck", &[], &()).await.unwrap();
    let named =
        api::AuthenticateDeviceRequest { username: "alice".into(), ..device("device-of-alice") };
    let session: api::Session = client.call("AuthenticateDevice", &[KEY], &named).await.unwrap();
    assert!(session.created);
    assert!(!signed_in(&client, "device-of-alice").await.created);

    let auth = bearer(&session);
    let auth = [("authorization", auth.as_str())];
    let account: api::Account = client.call("GetAccount", &auth, &()).await.unwrap();
    assert_eq!(account.user.unwrap().username, "alice");
    assert_eq!(account.devices[0].id, "device-of-alice");

    let token = session.refresh_token.clone();
    let again = api::SessionRefreshRequest { token, ..Default::default() };
    let again: api::Session = client.call("SessionRefresh", &[KEY], &again).await.unwrap();
    assert!(!again.token.is_empty() && !again.created);

    let logout = api::SessionLogoutRequest::default();
    client.call::<()>("SessionLogout", &auth, &logout).await.unwrap();
    let gone = client.call::<api::Account>("GetAccount", &auth, &()).await;
    refused(gone, 16, "Auth token invalid");
}

#[actix_rt::test]
async fn what_is_linked_over_grpc_is_seen_over_rest() {
    let server = server().await;
    let client = client(&server).await;
    let session = signed_in(&client, "device-of-alice").await;
    let auth = bearer(&session);
    let auth = [("authorization", auth.as_str())];
    let custom = api::AccountCustom { id: "custom-of-alice".into(), ..Default::default() };
    client.call::<()>("LinkCustom", &auth, &custom).await.unwrap();
    let seen = server.with_token("GET", "/v2/account", &session.token, None).await;
    assert_eq!(seen.str("/custom_id"), "custom-of-alice");
    let update =
        api::UpdateAccountRequest { display_name: Some("Alice".into()), ..Default::default() };
    client.call::<()>("UpdateAccount", &auth, &update).await.unwrap();
    let seen = server.with_token("GET", "/v2/account", &session.token, None).await;
    assert_eq!(seen.str("/user/display_name"), "Alice");
    client.call::<()>("UnlinkCustom", &auth, &custom).await.unwrap();
    let last = api::AccountDevice { id: "device-of-alice".into(), ..Default::default() };
    let last = client.call::<()>("UnlinkDevice", &auth, &last).await;
    let words = "Cannot unlink last account identifier. Check profile exists and is not last link.";
    refused(last, 7, words);
    client.call::<()>("DeleteAccount", &auth, &()).await.unwrap();
}

#[actix_rt::test]
async fn who_asks_is_read_from_one_authorization_and_no_gateways() {
    let server = server().await;
    let client = client(&server).await;
    let ask = async |metadata: &[(&str, &str)]| {
        client.call::<api::Session>("AuthenticateDevice", metadata, &device("0123456789")).await
    };
    refused(ask(&[]).await, 16, "Server key required");
    refused(ask(&[("authorization", "Basic b3RoZXI6")]).await, 16, "Server key invalid");
    refused(ask(&[KEY, KEY]).await, 16, "Server key required");
    let gateway = ("grpcgateway-authorization", KEY.1);
    refused(ask(&[gateway]).await, 16, "Server key required");
    assert!(ask(&[KEY, gateway]).await.is_ok());
    let account = client.call::<api::Account>("GetAccount", &[], &()).await;
    refused(account, 16, "Auth token required");
}

#[actix_rt::test]
async fn gzip_is_read_and_written() {
    let server = server().await;
    let client = client(&server).await;
    let path = "/nakama.api.Nakama/AuthenticateDevice";
    let metadata = [KEY, ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")];
    let body = gzipped(&device("0123456789").encode_to_vec());
    let raw = client.send(path, &metadata, body).await.unwrap();
    assert_eq!((&raw.headers["grpc-encoding"], raw.body[0]), (&"gzip".parse().unwrap(), 1));
    assert!(raw.answer::<api::Session>().unwrap().created);
}

#[actix_rt::test]
async fn a_message_that_is_too_large_is_8_packed_or_not() {
    let server = server().await;
    let client = client(&server).await;
    let path = "/nakama.api.Nakama/AuthenticateDevice";
    let large = device(&"x".repeat(300_000)).encode_to_vec();
    let packed = [KEY, ("grpc-encoding", "gzip")];
    for (metadata, body) in [(&[KEY][..], framed(0, &large)), (&packed, gzipped(&large))] {
        let raw = client.send(path, metadata, body).await.unwrap();
        let Err(refused) = raw.answer::<api::Session>() else { panic!("taken") };
        assert_eq!(refused.code, 8, "{}", refused.message);
    }
    signed_in(&client, "still-served").await;
}

#[actix_rt::test]
async fn what_is_not_served_is_12_and_what_is_no_grpc_is_told() {
    let server = server().await;
    let client = client(&server).await;
    for path in ["/nakama.api.Nakama/JoinGroup", "/other.Service/Method", "/"] {
        let raw = client.send(path, &[KEY], framed(0, &[])).await.unwrap();
        let Err(refused) = raw.answer::<()>() else { panic!("{path} is served") };
        assert_eq!(refused.code, 12, "{path}");
    }
    let path = "/nakama.api.Nakama/Healthcheck";
    let web = [("content-type", "application/grpc-web")];
    let raw = client.send(path, &web, framed(0, &[])).await.unwrap();
    assert!(raw.all.get("grpc-status").is_none() && raw.body.is_empty());

    let mut http1 = TcpStream::connect(server.grpc).await.unwrap();
    http1.write_all(b"GET /healthcheck HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    http1.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

#[actix_rt::test]
async fn somebody_in_line_reads_where_and_how_long() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    let client = client(&server).await;
    signed_in(&client, "device-of-ada").await;
    let ask = device("device-of-bob");
    let Err(bob) = client.call::<api::Session>("AuthenticateDevice", &[KEY], &ask).await else {
        panic!("bob is let in");
    };
    assert_eq!(bob.code, 8, "{}", bob.message);
    assert!(bob.message.starts_with("You are number 1 in line"), "{}", bob.message);
    assert!(bob.metadata["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    let queue = bob.metadata["login-queue"].to_str().unwrap();
    let queue: serde_json::Value = serde_json::from_str(queue).unwrap();
    assert_eq!((&queue["position"], &queue["lane"]), (&1.into(), &"standard".into()));
    server.pass_ms(1_000).await;
    signed_in(&client, "device-of-bob").await;

    server.pass_ms(1_000).await;
    let pass = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let with_pass = [KEY, ("x-login-queue-pass", pass.str("/token"))];
    let cem = device("device-of-cem");
    let cem = client.call::<api::Session>("AuthenticateDevice", &with_pass, &cem).await;
    assert!(cem.is_ok_and(|session| session.created));
}

#[actix_rt::test]
async fn two_hundred_calls_at_once_share_a_connection() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let client = client(&server).await;
    let ids: Vec<_> = (0..200).map(|n| format!("device-number-{n}")).collect();
    let sessions = join_all(ids.iter().map(|id| signed_in(&client, id))).await;
    let accounts = join_all(sessions.iter().map(async |session| {
        let auth = bearer(session);
        let auth = [("authorization", auth.as_str())];
        client.call::<api::Account>("GetAccount", &auth, &()).await.map(|it| it.devices)
    }));
    for (id, devices) in ids.iter().zip(accounts.await) {
        assert_eq!(devices.unwrap()[0].id, *id);
    }
}

/// Waits until the line's figures are as wanted; a test that waits too long has failed.
async fn until(server: &TestServer, wanted: fn(&anteroom::domain::queue::Figures) -> bool) {
    for _ in 0..3_000 {
        if wanted(&server.dials.figures().await.unwrap()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {:?}", server.dials.figures().await);
}

#[actix_rt::test]
async fn a_client_that_hangs_up_gives_its_slot_back() {
    let server = TestServer::start(|config| {
        config.queue.cap = 1;
        // Seconds of hashing, during which the client goes.
        config.passwords.memory_kib = 131_072;
        config.passwords.iterations = 20;
    })
    .await;
    let account = api::AccountEmail {
        email: "ada@example.com".into(),
        password: "a long enough password".into(),
        ..Default::default()
    };
    let ask = api::AuthenticateEmailRequest { account: Some(account), ..Default::default() };
    let (going, _) = Client::connect(server.grpc).await;
    let call = actix_rt::spawn(async move {
        going.call::<api::Session>("AuthenticateEmail", &[KEY], &ask).await.is_ok()
    });
    until(&server, |figures| figures.passes_out == 1).await;
    let staying = client(&server).await;
    let bob = device("device-of-bob");
    let full = staying.call::<api::Session>("AuthenticateDevice", &[KEY], &bob).await;
    assert_eq!(full.err().map(|refused| refused.code), Some(8), "the only slot is taken");
    call.abort();
    until(&server, |figures| figures.given_back_total == 1).await;
    server.pass_ms(60_000).await;
    signed_in(&staying, "device-of-bob").await;
}

#[actix_rt::test]
async fn a_server_that_stops_says_goodbye_to_idle_connections() {
    let server = server().await;
    let (client, connection) = Client::connect(server.grpc).await;
    signed_in(&client, "device-of-ada").await;
    let stopped = tokio::task::spawn_blocking(move || drop(server.stop()));
    connection.await.unwrap().expect("ended by GOAWAY, not cut");
    stopped.await.unwrap();
    assert!(client.send("/", &[], Vec::new()).await.is_err());
}

#[actix_rt::test]
async fn a_server_that_stops_answers_what_it_was_asked_before() {
    let studio = Receiver::start().await;
    studio.reply(HookEvent::AccountCreate, Reply::Held);
    let server = TestServer::start(|config| {
        config.queue.gate = Gate::Off;
        studio.config(config, &[HookEvent::AccountCreate]);
    })
    .await;
    let (client, connection) = Client::connect(server.grpc).await;
    let by_rest = server.url("/v2/account/authenticate/device");
    let ready = format!("http://{}/readyz", server.operators);

    let stopping = async {
        // Both calls are under way when the stop begins, and go on when it has.
        studio.next().await;
        studio.next().await;
        let stopped = tokio::task::spawn_blocking(move || drop(server.stop()));
        while try_ask("GET", &ready, Auth::None, None).await.is_some_and(|it| it.status == 200) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        studio.let_go();
        stopped.await.unwrap();
    };
    let body = serde_json::json!({"id": "device-of-bob"});
    let (ada, bob, ()) = futures_util::join!(
        signed_in(&client, "device-of-ada"),
        ask("POST", &by_rest, Auth::Key("defaultkey"), Some(body)),
        stopping,
    );
    assert!(ada.created && !ada.token.is_empty());
    assert_eq!(bob.status, 200, "{}", bob.text);
    connection.await.unwrap().expect("ended by GOAWAY, not cut");
}
