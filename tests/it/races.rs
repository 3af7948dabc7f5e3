//! Many at once, one winner.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::TestServer;

/// Reads the user id out of a session token, as SDKs do.
pub fn user_id(token: &str) -> String {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).expect("three segments");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    claims["uid"].as_str().expect("uid").to_owned()
}

#[actix_rt::test]
async fn a_hundred_first_sign_ins_of_one_device_make_one_account() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let ask =
        || server.with_key("/v2/account/authenticate/device", json!({"id": "one-and-only-device"}));
    let answers = join_all((0..100).map(|_| ask())).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers[0]);
    let users: HashSet<_> = answers.iter().map(|answer| user_id(answer.str("/token"))).collect();
    assert_eq!(users.len(), 1);
    let created = answers.iter().filter(|answer| answer.json["created"] == true).count();
    assert_eq!(created, 1);
}

#[actix_rt::test]
async fn a_hundred_accounts_that_link_one_custom_id_have_one_winner() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let mut tokens = Vec::new();
    for n in 0..100 {
        let body = json!({"id": format!("racing-device-{n}")});
        let answer = server.with_key("/v2/account/authenticate/device", body).await;
        tokens.push(answer.str("/token").to_owned());
    }
    let link = |token| {
        let body = Some(json!({"id": "wanted-by-all"}));
        server.with_token("POST", "/v2/account/link/custom", token, body)
    };
    let answers = join_all(tokens.iter().map(|token| link(token))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1);
    for answer in lost {
        answer.is_error(409, 6, "Custom ID is already in use.");
    }
}

#[actix_rt::test]
async fn one_pass_signs_one_account_in_however_many_try() {
    let server = TestServer::start(|_| {}).await;
    let entered = server.plain("GET", "/v1/loginqueue/getinqueuev1", None).await;
    let pass = entered.str("/token").to_owned();
    let sign_in = |n: usize| {
        let body = json!({
            "providerId": "UNSAFE",
            "providerToken": json!({"accountId": format!("racer-{n}"), "displayName": "Racer"}).to_string(),
            "gameShardId": "00000000-0000-0000-0000-000000000001",
            "loginQueuePassToken": pass,
        });
        server.plain("POST", "/v1/account/authenticateorcreatev2", Some(body))
    };
    let answers = join_all((0..20).map(sign_in)).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 401));
}

/// Signs `count` devices in.
async fn players(server: &TestServer, count: usize) -> Vec<String> {
    let sign_in = |n: usize| {
        let body = json!({"id": format!("racing-device-{n}")});
        server.with_key("/v2/account/authenticate/device", body)
    };
    let answers = join_all((0..count).map(sign_in)).await;
    answers.iter().map(|answer| answer.str("/token").to_owned()).collect()
}

#[actix_rt::test]
async fn two_unlinks_of_the_last_two_links_leave_one() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let tokens = players(&server, 50).await;
    for (n, token) in tokens.iter().enumerate() {
        let custom = json!({"id": format!("racing-custom-{n}")});
        let linked =
            server.with_token("POST", "/v2/account/link/custom", token, Some(custom.clone())).await;
        assert_eq!(linked.status, 200, "{}", linked.text);
        let device = json!({"id": format!("racing-device-{n}")});
        let unlink = |kind: &'static str, body| {
            let path = format!("/v2/account/unlink/{kind}");
            let server = &server;
            async move { server.with_token("POST", &path, token, Some(body)).await }
        };
        let both =
            futures_util::future::join(unlink("custom", custom), unlink("device", device)).await;
        let won = [&both.0, &both.1].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{} {}", both.0.text, both.1.text);
        let account = server.with_token("GET", "/v2/account", token, None).await;
        let left = usize::from(account.json["custom_id"].is_string())
            + account.json["devices"].as_array().map_or(0, Vec::len);
        assert_eq!(left, 1, "{}", account.text);
    }
}

#[actix_rt::test]
async fn a_hundred_renames_to_one_name_have_one_winner() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let tokens = players(&server, 100).await;
    let rename = |token| {
        let body = Some(json!({"username": "wanted by all"}));
        server.with_token("PUT", "/v2/account", token, body)
    };
    let answers = join_all(tokens.iter().map(|token| rename(token))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(won.len(), 1, "{}", answers[0].text);
    for answer in lost {
        answer.is_error(409, 6, "Username is already in use.");
    }
    let found = server.with_token("GET", "/v2/user?usernames=wanted%20by%20all", &tokens[0], None);
    assert_eq!(found.await.json["users"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn a_hundred_sign_ups_with_one_address_make_one_account_with_one_password() {
    let server = TestServer::start(|config| config.queue.burst = 1_000).await;
    let sign_up = |n: usize| {
        let body = json!({"email": "ada@example.org", "password": format!("racing-password-{n}")});
        server.with_key("/v2/account/authenticate/email", body)
    };
    let answers = join_all((0..20).map(sign_up)).await;
    let won: Vec<usize> = (0..20).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|it| it.status).collect::<Vec<_>>());
    for n in 0..20 {
        assert_eq!(sign_up(n).await.status == 200, won.contains(&n), "password {n}");
    }
}
