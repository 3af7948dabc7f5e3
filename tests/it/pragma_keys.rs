//! Rotated keys (protocol-pragma §4.8, §18.18): old tokens are good until their key is forgotten.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::TestServer;
use crate::pragma_client::{Tokens, claims, come_in, refused, rpc, rpc_answer};

const REFRESH: &str = "AccountRpc.RefreshTokensV1Request";

fn keys(data: &Path, arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_anteroom"))
        .arg("keys")
        .args(arguments)
        .arg("--data")
        .arg(data)
        .current_dir(data)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn key_of(token: &str) -> String {
    token.split('.').next().unwrap().to_owned()
}

async fn refresh(server: &TestServer, tokens: &Tokens) -> Tokens {
    let pair = json!({"pragmaTokens":
        {"pragmaGameToken": tokens.game, "pragmaSocialToken": tokens.social}});
    let renewed = rpc(server.players, &tokens.social, REFRESH, pair).await;
    let text = |name: &str| renewed["pragmaTokens"][name].as_str().unwrap().to_owned();
    Tokens { game: text("pragmaGameToken"), social: text("pragmaSocialToken") }
}

#[actix_rt::test]
async fn an_old_token_is_renewed_until_its_key_is_forgotten() {
    let clock = TestServer::noon();
    let server = TestServer::start(|_| {}).await;
    let old = come_in(&server, "ada").await;
    let folder = server.stop().unwrap();
    keys(folder.path(), &["rotate", "sessions"]);
    let server = TestServer::start_on(folder.path(), clock.clone(), |_| {}).await;
    let jwks = server.plain("GET", "/.well-known/jwks.json", None).await.json;
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
    let new = refresh(&server, &old).await;
    assert_ne!(key_of(&old.social), key_of(&new.social));
    assert_eq!(claims(&old.game)["sub"], claims(&new.game)["sub"]);
    drop(server);
    keys(folder.path(), &["forget", "sessions"]);
    let server = TestServer::start_on(folder.path(), clock, |_| {}).await;
    let refused_now = rpc_answer(server.players, &old.social, REFRESH, json!({})).await;
    refused(&refused_now, 401, "AccountService_JwtKeyNotFound");
    refresh(&server, &new).await;
}
