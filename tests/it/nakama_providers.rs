//! Sign-in, link and unlink by every identity provider, over REST, with providers that really sign
//! (protocol-nakama §2.10 to §2.15, §4, §6.7). What each provider accepts and refuses in detail is
//! told in `identity`; this is what of it players see.

use anteroom::config::Config;
use serde_json::{Value, json};

use crate::fakes::{self, Mood};
use crate::harness::{Answer, TestServer};
use crate::nakama_friends::Player;

/// A provider of Nakama's table: its path, its name in messages, its field in the account, and what
/// two players bring.
struct Provider {
    path: &'static str,
    name: &'static str,
    field: &'static str,
    first: Value,
    second: Value,
    /// Where it is asked, for outages; empty: nobody is asked.
    asks: &'static str,
}

async fn start(set: impl FnOnce(&mut Config)) -> (fakes::Providers, TestServer) {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| {
        config.queue.burst = 1_000;
        fakes.config(config);
        set(config);
    })
    .await;
    (fakes, server)
}

fn gamecenter(fakes: &fakes::Providers, player: &str) -> Value {
    let proof = fakes.gamecenter_proof(player);
    json!({
        "player_id": proof.player_id, "bundle_id": proof.bundle_id,
        // .NET sends it as a string.
        "timestamp_seconds": proof.timestamp.to_string(), "salt": proof.salt,
        "signature": proof.signature, "public_key_url": proof.public_key_url,
    })
}

fn providers(fakes: &fakes::Providers) -> Vec<Provider> {
    let token = |token: String| json!({ "token": token });
    let provider = |path, name, field, asks, first, second| Provider {
        path,
        name,
        field,
        first,
        second,
        asks,
    };
    vec![
        provider(
            "apple",
            "Apple",
            "apple_id",
            "/apple/",
            token(fakes.apple_token(json!({"sub": "apple-1"}))),
            token(fakes.apple_token(json!({"sub": "apple-2"}))),
        ),
        provider(
            "facebook",
            "Facebook",
            "facebook_id",
            "/v22.0",
            token(fakes.graph_token(json!({"id": "fb-1", "name": "Ada F"}))),
            token(fakes.graph_token(json!({"id": "fb-2", "name": "Bob F"}))),
        ),
        provider(
            "facebookinstantgame",
            "Facebook Instant Game",
            "facebook_instant_game_id",
            "",
            json!({"signed_player_info": fakes.instant_info(json!({"player_id": "in-1"}))}),
            json!({"signedPlayerInfo": fakes.instant_info(json!({"player_id": "in-2"}))}),
        ),
        provider(
            "gamecenter",
            "GameCenter",
            "gamecenter_id",
            "/public-key",
            gamecenter(fakes, "G:1"),
            gamecenter(fakes, "G:2"),
        ),
        provider(
            "google",
            "Google",
            "google_id",
            "/oauth2",
            token(fakes.google_token(json!({"sub": "google-1", "name": "Ada G"}))),
            token(fakes.google_code(json!({"playerId": "google-2", "displayName": "Bob G"}))),
        ),
        provider(
            "steam",
            "Steam",
            "steam_id",
            "/ISteamUserAuth",
            token(fakes.steam_ticket("76561198000000001")),
            token(fakes.steam_ticket("76561198000000002")),
        ),
    ]
}

async fn sign_in(server: &TestServer, provider: &str, body: &Value) -> Answer {
    server.with_key(&format!("/v2/account/authenticate/{provider}"), body.clone()).await
}

async fn call(server: &TestServer, player: &Player, what: &str, body: &Value) -> Answer {
    let path = format!("/v2/account/{what}");
    server.with_token("POST", &path, &player.token, Some(body.clone())).await
}

async fn user(server: &TestServer, token: &str) -> Value {
    server.with_token("GET", "/v2/account", token, None).await.json["user"].clone()
}

#[actix_rt::test]
async fn each_provider_makes_an_account_once_and_finds_it_again() {
    let (fakes, server) = start(|_| {}).await;
    for provider in providers(&fakes) {
        let first = sign_in(&server, provider.path, &provider.first).await;
        assert_eq!((first.status, &first.json["created"]), (200, &json!(true)), "{}", first.text);
        let again = sign_in(&server, provider.path, &provider.first).await;
        assert_eq!((again.status, &again.json["created"]), (200, &Value::Null), "{}", again.text);
        let second = sign_in(&server, provider.path, &provider.second).await;
        assert_eq!(second.json["created"], true, "{}", second.text);
        let (one, same) =
            (user(&server, first.str("/token")).await, user(&server, again.str("/token")).await);
        assert_eq!(one["id"], same["id"], "{}", provider.path);
        assert!(one[provider.field].is_string(), "{} {one}", provider.path);
        let other = user(&server, second.str("/token")).await;
        assert_ne!((&other["id"], &other[provider.field]), (&one["id"], &one[provider.field]));
    }
}

#[actix_rt::test]
async fn a_provider_that_says_no_is_401_and_one_that_says_nothing_is_503() {
    let (fakes, server) = start(|_| {}).await;
    let device = Player::new(&server, "ada").await;
    for provider in providers(&fakes) {
        let refused = format!("Could not authenticate {} profile.", provider.name);
        let mut wrong = provider.first.clone();
        for (_, value) in wrong.as_object_mut().unwrap().iter_mut().filter(|(name, _)| {
            ["token", "signed_player_info", "signature"].contains(&name.as_str())
        }) {
            *value = json!("AAAA.BBBB.CCCC");
        }
        if provider.path == "steam" {
            wrong = json!({"token": "00ff"});
        }
        sign_in(&server, provider.path, &wrong).await.is_error(401, 16, &refused);
        let body = if provider.path == "steam" { json!({"account": wrong}) } else { wrong.clone() };
        call(&server, &device, &format!("link/{}", provider.path), &body)
            .await
            .is_error(401, 16, &refused);
        if !provider.asks.is_empty() && provider.path != "google" {
            // Somebody not asked about before, and keys or certificates not fetched before.
            let (fresh, server) = start(|config| config.identity.timeout_ms = 200).await;
            let again = providers(&fresh).into_iter().find(|it| it.path == provider.path).unwrap();
            for mood in [Mood::Status(500), Mood::Garbage, Mood::Silent] {
                fresh.mood(again.asks, mood);
                let answer = sign_in(&server, again.path, &again.first).await;
                assert_eq!((answer.status, &answer.json["code"]), (503, &json!(14)), "{mood:?}");
                assert!(answer.header("retry-after").is_some());
            }
        }
    }
}

#[actix_rt::test]
async fn providers_without_settings_are_not_configured() {
    let server = TestServer::start(|_| {}).await;
    for (path, name, body) in [
        ("apple", "Apple", json!({"token": "a"})),
        ("facebook", "Facebook", json!({"token": "a"})),
        ("facebookinstantgame", "Facebook Instant Game", json!({"signed_player_info": "a.b"})),
        ("google", "Google", json!({"token": "a"})),
        ("steam", "Steam", json!({"token": "a"})),
    ] {
        let message = format!("{name} authentication is not configured.");
        sign_in(&server, path, &body).await.is_error(400, 9, &message);
    }
    // Apple and Steam say so before they look at the token (§2.10, §2.15).
    for (path, name) in [("apple", "Apple"), ("steam", "Steam")] {
        let message = format!("{name} authentication is not configured.");
        sign_in(&server, path, &json!({})).await.is_error(400, 9, &message);
    }
    let required = "Google access token is required.";
    sign_in(&server, "google", &json!({})).await.is_error(400, 3, required);
}

#[actix_rt::test]
async fn each_provider_links_replaces_and_unlinks() {
    let (fakes, server) = start(|_| {}).await;
    for provider in providers(&fakes) {
        let (link, unlink) =
            (format!("link/{}", provider.path), format!("unlink/{}", provider.path));
        let wrap = |body: &Value| match provider.path {
            "steam" => json!({"account": body, "sync": false}),
            _ => body.clone(),
        };
        let ada = Player::new(&server, &format!("ada-{}", provider.path)).await;
        let bob = Player::new(&server, &format!("bob-{}", provider.path)).await;
        call(&server, &ada, &link, &wrap(&provider.first)).await.is(200, json!({}));
        call(&server, &ada, &link, &wrap(&provider.first)).await.is(200, json!({}));
        let taken = format!("{} ID is already in use.", provider.name);
        call(&server, &bob, &link, &wrap(&provider.first)).await.is_error(409, 6, &taken);
        let before = user(&server, &ada.token).await[provider.field].clone();
        call(&server, &ada, &link, &wrap(&provider.second)).await.is(200, json!({}));
        assert_ne!(user(&server, &ada.token).await[provider.field], before, "replaced");
        call(&server, &bob, &link, &wrap(&provider.first)).await.is(200, json!({}));

        let cannot =
            "Cannot unlink last account identifier. Check profile exists and is not last link.";
        call(&server, &ada, &unlink, &provider.first).await.is_error(403, 7, cannot);
        call(&server, &ada, &unlink, &provider.second).await.is(200, json!({}));
        assert_eq!(user(&server, &ada.token).await[provider.field], Value::Null);
        call(&server, &bob, &unlink, &json!({})).await.is(200, json!({}));
    }
}

#[actix_rt::test]
async fn steam_is_linked_by_both_shapes_and_brings_friends_unless_told_not_to() {
    let (fakes, server) = start(|_| {}).await;
    let ids = ["76561198000000011", "76561198000000012", "76561198000000013"];
    let mut players = Vec::new();
    for (id, name) in ids.iter().zip(["ada", "bob", "cem"]) {
        let token = fakes.steam_ticket(id);
        fakes.friends(id, Some(&ids.iter().copied().filter(|it| it != id).collect::<Vec<_>>()));
        players.push((Player::new(&server, name).await, token));
    }
    let [(ada, a), (bob, b), (cem, c)] = &players[..] else { panic!() };
    let none = json!({"account": {"token": a}, "sync": false});
    call(&server, ada, "link/steam", &none).await.is(200, json!({}));
    call(&server, bob, "link/steam", &json!({"account": {"token": b}})).await.is(200, json!({}));
    let friends = ada.ask(&server, "GET", "/v2/friend?state=0").await;
    assert_eq!(friends.json["friends"][0]["user"]["username"], "bob", "{}", friends.text);
    assert_eq!(friends.json["friends"][0]["metadata"], r#"{"provider":"steam"}"#);
    // C++ and Unreal send the token flat.
    call(&server, cem, "link/steam", &json!({"token": c})).await.is(200, json!({}));
    let told = ada.ask(&server, "GET", "/v2/notification?limit=9").await;
    let subjects: Vec<_> = told.json["notifications"].as_array().unwrap().iter().collect();
    assert_eq!(subjects.len(), 2, "{}", told.text);
    assert_eq!(subjects[0]["code"], -6);
    call(&server, cem, "link/steam", &json!({})).await.is_error(
        400,
        3,
        "Steam access token is required.",
    );
}

#[actix_rt::test]
async fn importing_spares_blocks_and_resets_only_when_asked() {
    let (fakes, server) = start(|_| {}).await;
    let body = |id: &str| json!({"token": fakes.graph_token(json!({"id": id, "name": id}))});
    let mut players = Vec::new();
    for name in ["ada", "bob", "eve", "zoe"] {
        let player = Player::new(&server, name).await;
        let fb = body(&format!("fb-{name}"));
        let linked = server
            .with_token("POST", "/v2/account/link/facebook?sync=false", &player.token, Some(fb))
            .await;
        assert_eq!(linked.status, 200, "{}", linked.text);
        players.push(player);
    }
    let [ada, bob, eve, zoe] = &players[..] else { panic!() };
    ada.ask(&server, "POST", &format!("/v2/friend?ids={}", zoe.id)).await;
    eve.ask(&server, "POST", &format!("/v2/friend/block?ids={}", ada.id)).await;
    let token = fakes.graph_token(json!({"id": "fb-ada", "name": "ada"}));
    fakes.friends(&token, Some(&["fb-bob", "fb-eve", "fb-nobody"]));
    let import = |query: &str| {
        let path = format!("/v2/friend/facebook{query}");
        let body = Some(json!({"token": token}));
        let server = &server;
        async move { server.with_token("POST", &path, &ada.token, body).await }
    };
    import("").await.is(200, json!({}));
    let states = |answer: &Answer| -> Vec<(String, u64)> {
        let friends = answer.json["friends"].as_array().cloned().unwrap_or_default();
        let entry = |it: &Value| {
            (it["user"]["username"].as_str().unwrap().to_owned(), it["state"].as_u64().unwrap())
        };
        friends.iter().map(entry).collect()
    };
    let listed = ada.ask(&server, "GET", "/v2/friend").await;
    assert_eq!(states(&listed), [("bob".to_owned(), 0), ("zoe".to_owned(), 1)]);
    import("?reset=true").await.is(200, json!({}));
    let listed = ada.ask(&server, "GET", "/v2/friend").await;
    assert_eq!(states(&listed), [("bob".to_owned(), 0)]);
    assert_eq!(states(&zoe.ask(&server, "GET", "/v2/friend").await), []);
    let told = bob.ask(&server, "GET", "/v2/notification?limit=9").await;
    assert_eq!(told.json["notifications"].as_array().unwrap().len(), 1, "once, not again");
    let found = zoe.ask(&server, "GET", "/v2/user?facebook_ids=fb-ada&facebook_ids=fb-none").await;
    let users = found.json["users"].as_array().unwrap();
    assert_eq!((users.len(), &users[0]["username"]), (1, &json!("ada")));
}

#[actix_rt::test]
async fn an_address_becomes_ones_own_only_when_the_provider_vouches_for_it() {
    let (fakes, server) = start(|_| {}).await;
    let apple = |sub: &str, verified: &str| {
        let claims = json!({"sub": sub, "email": "Ada@Example.org", "email_verified": verified});
        json!({"token": fakes.apple_token(claims)})
    };
    let claimed = sign_in(&server, "apple", &apple("a1", "false")).await;
    let account = server.with_token("GET", "/v2/account", claimed.str("/token"), None).await;
    assert_eq!(account.json["email"], Value::Null, "{}", account.text);
    let proven = sign_in(&server, "apple", &apple("a2", "true")).await;
    let account = server.with_token("GET", "/v2/account", proven.str("/token"), None).await;
    assert_eq!(account.json["email"], "ada@example.org");
    // It has no password, so nobody signs in by it, and it is no way to sign in.
    let guess = json!({"email": "ada@example.org", "password": "correct horse"});
    sign_in(&server, "email", &guess).await.is_error(401, 16, "Invalid credentials.");
    let unlink = server
        .with_token("POST", "/v2/account/unlink/apple", proven.str("/token"), Some(json!({})))
        .await;
    assert_eq!(unlink.status, 403, "{}", unlink.text);
    // The address is taken; a third account is made without it.
    let third = sign_in(&server, "apple", &apple("a3", "true")).await;
    assert_eq!((third.status, &third.json["created"]), (200, &json!(true)));
}

#[actix_rt::test]
async fn a_player_who_waits_in_line_is_one_player_whatever_token_they_bring() {
    let (fakes, server) = start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 1;
    })
    .await;
    Player::new(&server, "first").await;
    let code = json!({"token": fakes.google_code(json!({"playerId": "g1", "displayName": "A"}))});
    let waiting = sign_in(&server, "google", &code).await;
    assert_eq!((waiting.status, &waiting.json["queue"]["position"]), (429, &json!(1)));
    let behind =
        sign_in(&server, "steam", &json!({"token": fakes.steam_ticket("76561198000000021")})).await;
    assert_eq!(behind.json["queue"]["position"], 2);
    // The code can be exchanged only once; asking again with it keeps the place.
    let again = sign_in(&server, "google", &code).await;
    assert_eq!(
        (again.status, &again.json["queue"]["position"]),
        (429, &json!(1)),
        "{}",
        again.text
    );
    let another = json!({"token": fakes.steam_ticket("76561198000000021")});
    let same = sign_in(&server, "steam", &another).await;
    assert_eq!(same.json["queue"]["position"], 2, "another ticket, the same player");
    server.pass_ms(1_000).await;
    assert_eq!(sign_in(&server, "google", &code).await.status, 200);
}

#[actix_rt::test]
async fn console_ids_are_checked_when_configured_and_plain_when_not() {
    let (fakes, server) = start(|_| {}).await;
    let custom = |id: String| json!({ "id": id });
    for (prefix, token) in [
        ("xbox|", fakes.xbox_token("2535400000000001", "Ada")),
        ("psn|", fakes.psn_code("4711000000000001", "ada_psn")),
        ("nintendo|", fakes.nintendo_token(json!({"sub": "0123456789abcdef"}))),
    ] {
        let made = sign_in(&server, "custom", &custom(format!("{prefix}{token}"))).await;
        assert_eq!(made.status, 200, "{prefix} {}", made.text);
        let account = server.with_token("GET", "/v2/account", made.str("/token"), None).await;
        let shown = account.json["custom_id"].as_str().unwrap();
        assert!(shown.starts_with(prefix) && !shown.contains(&token), "{shown}");
        let forged = sign_in(&server, "custom", &custom(format!("{prefix}somebody"))).await;
        assert_eq!((forged.status, &forged.json["code"]), (401, &json!(16)), "{}", forged.text);
    }
    let plain = TestServer::start(|_| {}).await;
    let made = sign_in(&plain, "custom", &custom("xbox|anybody".to_owned())).await;
    let account = plain.with_token("GET", "/v2/account", made.str("/token"), None).await;
    assert_eq!(account.json["custom_id"], "xbox|anybody");
}
