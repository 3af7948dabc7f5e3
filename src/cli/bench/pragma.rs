//! A player who comes through Pragma's doors (protocol-pragma §3, §4.1).

use awc::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::http::{Answer, Ask, ask};
use super::player::{Let, Queued};
use super::stage::Stage;
use super::tally::Call;

/// Takes a place, or asks how the ticket stands.
pub(super) async fn queue(stage: &Stage, ticket: Option<&str>) -> Result<Let<String>, String> {
    let (call, path, body) = match ticket {
        None => (Call::PragmaEnter, "/v1/loginqueue/getinqueuev1", json!({})),
        Some(token) => {
            (Call::PragmaCheck, "/v1/loginqueue/checkticketv1", json!({ "token": token }))
        }
    };
    let request = Ask { call, method: Method::POST, path, authorization: None, body };
    let answer = ask(stage, request).await?;
    expect(call, &answer)?;
    let body = &answer.body;
    let token = body["token"].as_str().unwrap_or_default().to_owned();
    let claims = claims(&token).unwrap_or_default();
    let number = number(&claims["ticketNumber"]);
    if body["isAllowedIn"] == Value::Bool(true) {
        let second = number_of(&claims["exp"]).map(|exp| exp.saturating_sub(stage.pass_ttl));
        return Ok(Let::In { with: token, number, second });
    }
    Ok(Let::Wait(Queued {
        ticket: Some(token),
        number,
        eta_ms: number_of(&body["eta"]),
        poll_after_ms: number_of(&body["pollNextDuration"]).unwrap_or(1_000),
    }))
}

/// Signs in with the pass. Gives the social and the game token.
pub(super) async fn sign_in(
    stage: &Stage,
    name: &str,
    pass: &str,
) -> Result<(String, String), String> {
    let provider = json!({ "accountId": name, "displayName": "Bench" }).to_string();
    let body = json!({
        "providerId": "UNSAFE",
        "providerToken": provider,
        "gameShardId": stage.shard,
        "loginQueuePassToken": pass,
    });
    let path = "/v1/account/authenticateorcreatev2";
    let call = Call::PragmaSignIn;
    let request = Ask { call, method: Method::POST, path, authorization: None, body };
    let answer = ask(stage, request).await?;
    expect(call, &answer)?;
    let tokens = &answer.body["pragmaTokens"];
    let token = |which: &str| tokens[which].as_str().filter(|token| !token.is_empty());
    match (token("pragmaSocialToken"), token("pragmaGameToken")) {
        (Some(social), Some(game)) => Ok((social.to_owned(), game.to_owned())),
        _ => Err(format!("{}: a token is missing", call.name())),
    }
}

fn expect(call: Call, answer: &Answer) -> Result<(), String> {
    if answer.status == StatusCode::OK {
        return Ok(());
    }
    let error = answer.body["error"].as_str().unwrap_or_default();
    Err(format!("{}: {} {error}", call.name(), answer.status.as_u16()))
}

/// The claims of a token; nobody checks its signature here.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn number(value: &Value) -> Option<u64> {
    number_of(value).filter(|number| *number > 0)
}

/// A number, or the text of one: 64-bit numbers travel as text.
fn number_of(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
