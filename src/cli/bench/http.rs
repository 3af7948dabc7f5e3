//! HTTP calls, timed.

use std::time::Duration;

use awc::http::{Method, StatusCode, header};
use awc::{Client, Connector};
use serde_json::Value;

use super::stage::Stage;
use super::tally::Call;

/// Connections each thread keeps; more players than these share them.
const CONNECTIONS: usize = 512;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client for one thread.
pub(super) fn client() -> Client {
    Client::builder()
        .connector(Connector::new().limit(CONNECTIONS).timeout(PATIENCE))
        .timeout(PATIENCE)
        .disable_redirects()
        .finish()
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// `Retry-After`, in milliseconds.
    pub(super) retry_after_ms: Option<u64>,
    pub(super) body: Value,
}

/// A request to be made.
pub(super) struct Ask<'a> {
    pub(super) call: Call,
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) body: Value,
}

/// Asks, and notes how long it took. An error is in words.
pub(super) async fn ask(stage: &Stage, ask: Ask<'_>) -> Result<Answer, String> {
    let started = stage.now();
    let answer = exchange(stage, &ask).await;
    if answer.is_ok() {
        stage.tally.borrow_mut().called(ask.call, stage.now() - started);
    }
    answer.map_err(|error| format!("{}: {error}", ask.call.name()))
}

async fn exchange(stage: &Stage, ask: &Ask<'_>) -> Result<Answer, String> {
    let url = format!("http://{}{}", stage.authority, ask.path);
    let mut request = stage.client.request(ask.method.clone(), url);
    if let Some(value) = ask.authorization {
        request = request.insert_header((header::AUTHORIZATION, value));
    }
    let mut answer =
        request.send_json(&ask.body).await.map_err(|error| brief(&error.to_string()))?;
    let body = answer.body().limit(1 << 20).await.map_err(|error| brief(&error.to_string()))?;
    let retry_after_s = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    Ok(Answer {
        status: answer.status(),
        retry_after_ms: retry_after_s.map(|seconds| seconds.saturating_mul(1_000)),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    })
}

/// The same fault many times should be one line in the report.
fn brief(words: &str) -> String {
    words.split(" (os error").next().unwrap_or(words).to_owned()
}
