//! `/openapi.json` is true: every route is in it, and what the running server answers is as it says.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use anteroom::config::Gate;
use anteroom::nakama::rest::routes;
use serde_json::{Value, json};

use crate::harness::{Answer, Auth, TestServer, ask};

/// The description, and the validators made from it so far.
pub struct Described(Value, RefCell<BTreeMap<String, jsonschema::Validator>>);

impl Described {
    async fn read(server: &TestServer) -> Self {
        Self::read_at(server, "/openapi.json").await
    }

    pub async fn read_at(server: &TestServer, path: &str) -> Self {
        Self::read_from(&server.url(path)).await
    }

    pub async fn read_from(url: &str) -> Self {
        let answer = ask("GET", url, Auth::None, None).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        Self(answer.json, RefCell::default())
    }

    /// Method, path and operation of everything described.
    pub fn operations(&self) -> Vec<(String, String, Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.iter().map(|(method, it)| (method.to_uppercase(), path.clone(), it.clone()))
        });
        each.collect()
    }

    /// Panics unless `answer` is one that `operation` is said to give.
    #[track_caller]
    pub fn check(&self, operation: &Value, answer: &Answer) {
        let name = &operation["operationId"];
        let status = answer.status.to_string();
        let said = operation["responses"].get(&status);
        let said = said.unwrap_or(&operation["responses"]["default"]);
        let said = match said["$ref"].as_str() {
            Some(reference) => self.0.pointer(reference.trim_start_matches('#')).unwrap(),
            None => said,
        };
        let schema = &said["content"]["application/json"]["schema"];
        let mut validators = self.1.borrow_mut();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut schema = schema.clone();
            schema["components"] = self.0["components"].clone();
            jsonschema::validator_for(&schema).unwrap()
        });
        let wrong: Vec<_> = validator.iter_errors(&answer.json).map(|it| it.to_string()).collect();
        assert!(wrong.is_empty(), "{name} {status} {}: {wrong:?}", answer.text);
    }
}

#[actix_rt::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let server = TestServer::start(|_| {}).await;
    let described = Described::read(&server).await;
    let described: BTreeSet<_> =
        described.operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let served = routes::offered().map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(described, served.collect());
}

/// A body that is right but means nothing: what the use case says to it is described, too.
fn sample(operation: &Value) -> Option<Value> {
    operation.get("requestBody").map(|_| json!({}))
}

#[actix_rt::test]
async fn refusals_are_as_described() {
    let server = TestServer::start(|config| config.queue.gate = Gate::Off).await;
    let described = Described::read(&server).await;
    let body = json!({ "id": "device-of-alice" });
    let alice = server.with_key("/v2/account/authenticate/device?username=alice", body).await;
    let (mut refused, token) = (0, alice.str("/token"));
    for (method, path, operation) in described.operations() {
        let needs = |scheme| operation["security"][0].get(scheme).is_some();
        let auth = match (needs("session"), needs("serverKey")) {
            (true, _) => Auth::Bearer(token),
            (_, true) => Auth::Key(&server.server_key),
            _ => continue,
        };
        let url = server.url(&path);
        let stranger = ask(&method, &url, Auth::None, sample(&operation)).await;
        assert_eq!(stranger.status, 401, "{path}");
        described.check(&operation, &stranger);
        if (method.as_str(), &*path) == ("DELETE", "/v2/account") || path.ends_with("/logout") {
            continue;
        }
        let empty = ask(&method, &url, auth, sample(&operation)).await;
        described.check(&operation, &empty);
        let odd = format!("{url}?limit=x&ids=x&create=maybe&sync=maybe&reset=maybe");
        let odd = ask(&method, &odd, auth, Some(json!([]))).await;
        described.check(&operation, &odd);
        refused += usize::from(empty.status != 200) + usize::from(odd.status != 200);
    }
    assert!(refused > 30, "only {refused}");
}

#[actix_rt::test]
async fn successes_are_as_described() {
    let server = TestServer::start(|config| config.queue.gate = Gate::Off).await;
    let described = Described::read(&server).await;
    let operations = described.operations();
    let (device, custom) = (json!({ "id": "device-of-alice" }), json!({ "id": "custom-of-alice" }));
    let mail = json!({ "email": "alice@example.com", "password": "correct horse battery" });
    let (mut token, mut refresh) = (String::new(), String::new());
    let bob = crate::nakama_friends::Player::new(&server, "bob").await;
    for (method, path, query, body) in [
        ("GET", "/healthcheck", "", None),
        ("POST", "/v2/account/authenticate/device", "?username=alice&create=true", Some(device)),
        ("POST", "/v2/account/link/custom", "", Some(custom.clone())),
        ("POST", "/v2/account/authenticate/custom", "?create=false", Some(custom.clone())),
        ("POST", "/v2/account/link/email", "", Some(mail.clone())),
        ("POST", "/v2/account/authenticate/email", "", Some(mail)),
        ("PUT", "/v2/account", "", Some(json!({ "display_name": "Alice", "timezone": "UTC" }))),
        ("GET", "/v2/account", "", None),
        ("POST", "/v2/account/unlink/custom", "", Some(custom)),
        ("GET", "/v2/user", "?usernames=bob&usernames=alice", None),
        ("POST", "/v2/friend", "?usernames=bob", None),
        ("GET", "/v2/friend", "?limit=10", None),
        ("GET", "/v2/friend/friends", "?limit=10", None),
        ("POST", "/v2/friend/block", "?usernames=bob", None),
        ("DELETE", "/v2/friend", "?usernames=bob", None),
        ("GET", "/v2/notification", "?limit=10", None),
        ("DELETE", "/v2/notification", "", None),
        ("POST", "/v2/account/session/refresh", "", Some(json!({}))),
        ("POST", "/v2/session/logout", "", Some(json!({}))),
        ("POST", "/v2/account/authenticate/device", "", Some(json!({ "id": "device-of-alice" }))),
        ("DELETE", "/v2/account", "", None),
    ] {
        let found = operations.iter().find(|(m, p, _)| (&**m, &**p) == (method, path));
        let (_, _, operation) = found.unwrap();
        let is_refresh = path.ends_with("/refresh");
        let body = if is_refresh { Some(json!({ "token": refresh })) } else { body };
        let by_key = is_refresh || path.contains("/authenticate/");
        let auth = if by_key { Auth::Key(&server.server_key) } else { Auth::Bearer(&token) };
        if path == "/v2/friend/friends" {
            // Somebody to list, and something to be told.
            bob.ask(&server, "POST", "/v2/friend?usernames=alice").await;
        }
        let answer = ask(method, &server.url(&format!("{path}{query}")), auth, body).await;
        assert_eq!(answer.status, 200, "{method} {path} {}", answer.text);
        described.check(operation, &answer);
        if by_key {
            token = answer.str("/token").to_owned();
            refresh = answer.str("/refresh_token").to_owned();
        }
    }
}

#[actix_rt::test]
async fn a_place_in_line_is_as_described() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    let described = Described::read(&server).await;
    let device = "/v2/account/authenticate/device";
    server.with_key(device, json!({ "id": "device-of-ada" })).await;
    let bob = server.with_key(device, json!({ "id": "device-of-bob" })).await;
    assert_eq!(bob.status, 429, "{}", bob.text);
    let operation = &described.0["paths"][device]["post"];
    described.check(operation, &bob);
}
