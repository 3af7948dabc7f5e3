//! A player with an unmodified Nakama client (protocol-nakama §2.5, §2.7): signing in again is the
//! poll, and the place is kept for the credential.

use awc::http::{Method, StatusCode};
use serde_json::json;

use super::http::{Ask, ask};
use super::player::{Let, Queued};
use super::stage::Stage;
use super::tally::Call;

/// Signs in. Gives the session token.
pub(super) async fn sign_in(
    stage: &Stage,
    name: &str,
    by_email: bool,
) -> Result<Let<String>, String> {
    let (call, path, body) = if by_email {
        let body = json!({ "email": format!("{name}@bench.test"), "password": "bench password" });
        (Call::NakamaEmail, "/v2/account/authenticate/email?create=true", body)
    } else {
        let body = json!({ "id": name });
        (Call::NakamaDevice, "/v2/account/authenticate/device?create=true", body)
    };
    let authorization = Some(stage.server_key.as_str());
    let answer = ask(stage, Ask { call, method: Method::POST, path, authorization, body }).await?;
    let queue = &answer.body["queue"];
    match answer.status {
        StatusCode::OK => match answer.body["token"].as_str() {
            Some(token) => Ok(Let::In { with: token.to_owned(), number: None, second: None }),
            None => Err(format!("{}: a token is missing", call.name())),
        },
        StatusCode::TOO_MANY_REQUESTS if queue.is_object() => Ok(Let::Wait(Queued {
            ticket: None,
            number: None,
            eta_ms: queue["eta_ms"].as_u64(),
            poll_after_ms: queue["poll_after_ms"]
                .as_u64()
                .or(answer.retry_after_ms)
                .unwrap_or(1_000),
        })),
        status => {
            let words = answer.body["message"].as_str().unwrap_or_default();
            Err(format!("{}: {} {words}", call.name(), status.as_u16()))
        }
    }
}
