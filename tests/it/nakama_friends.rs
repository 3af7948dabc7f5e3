//! Friends and what they are told, over REST (protocol-nakama §6).

use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::races::user_id;

/// Somebody signed in.
pub struct Player {
    pub id: String,
    pub name: String,
    pub token: String,
}

impl Player {
    pub async fn new(server: &TestServer, name: &str) -> Self {
        let path = format!("/v2/account/authenticate/device?username={name}");
        let answer = server.with_key(&path, json!({"id": format!("{name}-device-id")})).await;
        let token = answer.str("/token").to_owned();
        Self { id: user_id(&token), name: name.to_owned(), token }
    }

    pub async fn ask(&self, server: &TestServer, method: &str, path: &str) -> Answer {
        server.with_token(method, path, &self.token, None).await
    }

    async fn done(&self, server: &TestServer, method: &str, path: &str) {
        self.ask(server, method, path).await.is(200, json!({}));
    }

    /// Names and states, as listed.
    async fn friends(&self, server: &TestServer) -> Vec<(String, u64)> {
        let answer = self.ask(server, "GET", "/v2/friend").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let friends = answer.json["friends"].as_array().cloned().unwrap_or_default();
        let entry = |friend: &Value| {
            let name = friend["user"]["username"].as_str().unwrap().to_owned();
            (name, friend["state"].as_u64().expect("the state is there, 0 too"))
        };
        friends.iter().map(entry).collect()
    }

    /// Codes and subjects of what they were told, oldest first.
    async fn told(&self, server: &TestServer) -> Vec<(i64, String)> {
        let answer = self.ask(server, "GET", "/v2/notification?limit=100").await;
        let told = answer.json["notifications"].as_array().cloned().unwrap_or_default();
        let entry = |told: &Value| {
            (told["code"].as_i64().unwrap(), told["subject"].as_str().unwrap().to_owned())
        };
        told.iter().map(entry).collect()
    }

    async fn edge_count(&self, server: &TestServer) -> u64 {
        let account = self.ask(server, "GET", "/v2/account").await;
        account.json["user"]["edge_count"].as_u64().unwrap_or(0)
    }
}

async fn server() -> TestServer {
    TestServer::start(|_| {}).await
}

fn named(names: &[(&str, u64)]) -> Vec<(String, u64)> {
    names.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect()
}

#[actix_rt::test]
async fn an_invitation_accepted_makes_friends_of_both() {
    let server = server().await;
    let (ada, bob) = (Player::new(&server, "ada").await, Player::new(&server, "bob").await);
    ada.done(&server, "POST", &format!("/v2/friend?ids={}&", bob.id)).await;
    assert_eq!(ada.friends(&server).await, named(&[("bob", 1)]));
    assert_eq!(bob.friends(&server).await, named(&[("ada", 2)]));
    assert_eq!(bob.told(&server).await, [(-2, "ada wants to add you as a friend".to_owned())]);

    bob.done(&server, "POST", "/v2/friend?usernames=ada").await;
    assert_eq!(ada.friends(&server).await, named(&[("bob", 0)]));
    assert_eq!(bob.friends(&server).await, named(&[("ada", 0)]));
    assert_eq!(ada.told(&server).await, [(-3, "bob accepted your friend request".to_owned())]);
    assert_eq!((ada.edge_count(&server).await, bob.edge_count(&server).await), (1, 1));

    ada.done(&server, "DELETE", &format!("/v2/friend?ids={}", bob.id)).await;
    assert_eq!(bob.friends(&server).await, []);
    assert_eq!(bob.told(&server).await[1], (-9, "ada removed you as a friend".to_owned()));
    assert_eq!((ada.edge_count(&server).await, bob.edge_count(&server).await), (0, 0));
}

#[actix_rt::test]
async fn a_block_hides_nothing_but_itself_and_is_lifted_by_delete() {
    let server = server().await;
    let (ada, eve) = (Player::new(&server, "ada").await, Player::new(&server, "eve").await);
    eve.done(&server, "POST", "/v2/friend?usernames=ada").await;
    ada.done(&server, "POST", &format!("/v2/friend/block?ids={}", eve.id)).await;
    assert_eq!(ada.friends(&server).await, named(&[("eve", 3)]));
    assert_eq!(eve.friends(&server).await, [], "the blocked just see the friend vanish");
    assert_eq!(eve.told(&server).await, []);
    eve.done(&server, "POST", "/v2/friend?usernames=ada").await;
    assert_eq!(eve.friends(&server).await, [], "asking again silently does nothing");
    assert_eq!((ada.edge_count(&server).await, eve.edge_count(&server).await), (1, 0));
    ada.done(&server, "DELETE", "/v2/friend?usernames=eve").await;
    eve.done(&server, "POST", "/v2/friend?usernames=ada").await;
    assert_eq!(eve.friends(&server).await, named(&[("ada", 1)]));
}

#[actix_rt::test]
async fn lists_are_paged_by_state_then_age_and_every_cursor_survives_a_query() {
    let server = server().await;
    let ada = Player::new(&server, "ada").await;
    let mut others = Vec::new();
    for n in 0..7 {
        others.push(Player::new(&server, &format!("friend{n}")).await);
        server.clock.advance_ms(1);
        let path = format!("/v2/friend?ids={}", others[n].id);
        ada.done(&server, "POST", &path).await;
    }
    for other in &others[4..] {
        other.done(&server, "POST", "/v2/friend?usernames=ada").await;
    }
    let expected: Vec<String> =
        [4, 5, 6, 0, 1, 2, 3].iter().map(|n| format!("friend{n}")).collect();
    for limit in [1, 2, 3, 6, 7, 1000] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v2/friend?limit={limit}&cursor={cursor}");
            let page = ada.ask(&server, "GET", &path).await;
            let friends = page.json["friends"].as_array().cloned().unwrap_or_default();
            let names =
                friends.iter().map(|it| it["user"]["username"].as_str().unwrap().to_owned());
            seen.extend(names);
            match page.json["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
            assert!(!cursor.contains(['+', '/', '=', '&', '#']), "{cursor}");
        }
        assert_eq!(seen, expected, "limit {limit}");
    }
    let sent = ada.ask(&server, "GET", "/v2/friend?state=1").await;
    assert_eq!(sent.json["friends"].as_array().unwrap().len(), 4);
    let first = ada.ask(&server, "GET", "/v2/friend?limit=1").await;
    let path = format!("/v2/friend?state=1&cursor={}", first.str("/cursor"));
    ada.ask(&server, "GET", &path).await.is_error(400, 3, "Cursor is invalid.");
}

#[actix_rt::test]
async fn friends_of_friends_are_one_scan_over_all_pages() {
    let server = server().await;
    let ada = Player::new(&server, "ada").await;
    let hubs = [Player::new(&server, "hub0").await, Player::new(&server, "hub1").await];
    let mut fans = Vec::new();
    for n in 0..4 {
        fans.push(Player::new(&server, &format!("fan{n}")).await);
    }
    for hub in &hubs {
        for other in fans.iter().chain([&ada]) {
            hub.done(&server, "POST", &format!("/v2/friend?ids={}", other.id)).await;
            other.done(&server, "POST", &format!("/v2/friend?ids={}", hub.id)).await;
        }
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v2/friend/friends?limit=3&cursor={cursor}");
        let page = ada.ask(&server, "GET", &path).await;
        for found in page.json["friends_of_friends"].as_array().unwrap() {
            let of = (found["referrer"].as_str().unwrap(), found["user"]["id"].as_str().unwrap());
            seen.push((of.0.to_owned(), of.1.to_owned()));
        }
        match page.json["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let mut expected: Vec<_> = hubs
        .iter()
        .flat_map(|hub| fans.iter().map(|fan| (hub.id.clone(), fan.id.clone())))
        .collect();
    expected.sort();
    seen.sort();
    assert_eq!(seen, expected, "each through each friend, none left out, none twice");
}

#[actix_rt::test]
async fn notifications_are_read_on_from_a_cursor_kept_across_sessions() {
    let server = server().await;
    let ada = Player::new(&server, "ada").await;
    let empty = ada.ask(&server, "GET", "/v2/notification?limit=100").await;
    assert_eq!(empty.json["notifications"].as_array().map_or(0, Vec::len), 0);
    let mut cursor = empty.str("/cacheable_cursor").to_owned();
    for n in 0..3 {
        let fan = Player::new(&server, &format!("fan{n}")).await;
        fan.done(&server, "POST", "/v2/friend?usernames=ada").await;
        let path = format!("/v2/notification?limit=100&cacheable_cursor={cursor}");
        let news = ada.ask(&server, "GET", &path).await;
        let told = news.json["notifications"].as_array().unwrap();
        assert_eq!(told.len(), 1, "only what is new: {}", news.text);
        assert_eq!(told[0]["sender_id"], fan.id.as_str());
        assert_eq!(told[0]["persistent"], true);
        let content: Value = serde_json::from_str(told[0]["content"].as_str().unwrap()).unwrap();
        assert_eq!(content, json!({"username": fan.name}));
        cursor = news.str("/cacheable_cursor").to_owned();
    }
    let all = ada.ask(&server, "GET", "/v2/notification?limit=100").await;
    let id = all.json["notifications"][1]["id"].as_str().unwrap();
    ada.done(&server, "DELETE", &format!("/v2/notification?ids={id}")).await;
    assert_eq!(ada.told(&server).await.len(), 2);
    let default = ada.ask(&server, "GET", "/v2/notification").await;
    assert_eq!(default.json["notifications"].as_array().unwrap().len(), 1, "the default is one");
}

#[actix_rt::test]
async fn a_deleted_account_is_gone_for_everybody() {
    let server = server().await;
    let (ada, bob) = (Player::new(&server, "ada").await, Player::new(&server, "bob").await);
    ada.done(&server, "POST", "/v2/friend?usernames=bob").await;
    bob.done(&server, "POST", "/v2/friend?usernames=ada").await;
    ada.done(&server, "DELETE", "/v2/account").await;
    assert_eq!((bob.friends(&server).await, bob.edge_count(&server).await), (Vec::new(), 0));
    let users = bob.ask(&server, "GET", &format!("/v2/user?ids={}", ada.id)).await;
    users.is(200, json!({}));
    let system = bob.ask(&server, "GET", "/v2/user?ids=00000000-0000-0000-0000-000000000000").await;
    let system = &system.json["users"][0];
    assert_eq!(system["id"], "00000000-0000-0000-0000-000000000000");
    assert_eq!((&system["username"], &system["online"]), (&Value::Null, &Value::Null));
    let gone = ada.ask(&server, "GET", "/v2/account").await;
    gone.is_error(401, 16, "Auth token invalid");
    let again = Player::new(&server, "ada").await;
    assert_ne!(again.id, ada.id, "the same device and name, another account");
}
