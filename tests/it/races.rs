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
