//! The operator API from a shell: where it is, who asks, and what it answered.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use zeroize::Zeroizing;

/// Longest token file read, in bytes.
const TOKEN_MAX: u64 = 65_536;

/// Where the operators' port is, and the operator's token.
#[derive(Clone, Debug, Default, Args)]
pub struct OperatorArgs {
    /// The operators' port [default: the one of the settings, on this machine]
    #[arg(long, value_name = "URL", env = "ANTEROOM_SERVER", global = true)]
    server: Option<String>,
    /// A file with the operator's token [default: the variable `ANTEROOM_TOKEN`]
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
}

/// Asks the operator API. Wipes the token when dropped.
pub(super) struct Operator {
    base: String,
    token: Zeroizing<String>,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    /// No token was given.
    #[error("an operator's token is needed: set ANTEROOM_TOKEN, or --token-file")]
    NoToken,
    /// The token's file.
    #[error("the token file {}: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing to ask with.
    #[error("cannot make a client: {0}")]
    Client(String),
    /// No answer.
    #[error("no answer from {url}: {problem}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// Why.
        problem: String,
    },
    /// The server said no.
    #[error("{message} ({status})")]
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        message: String,
    },
}

impl Operator {
    /// `fallback` is where the settings have the operators' port.
    pub fn new(
        args: &OperatorArgs,
        fallback: String,
        patience: Duration,
    ) -> Result<Self, OperatorError> {
        let failed = |error: &dyn std::fmt::Display| OperatorError::Client(error.to_string());
        let token = token(args)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let base = args.server.clone().unwrap_or(fallback);
        // A machine without root certificates can still ask a port of its own.
        let builder = || {
            let builder = reqwest::Client::builder().timeout(patience).no_proxy();
            builder.redirect(reqwest::redirect::Policy::none())
        };
        let client = match builder().build() {
            Ok(client) => client,
            Err(_) => builder().tls_certs_only([]).build().map_err(|error| failed(&error))?,
        };
        Ok(Self { base: base.trim_end_matches('/').to_owned(), token, client, runtime })
    }

    /// Asks for a path below `/v1/operator`. The answer's JSON; `null` when it has none.
    pub fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, OperatorError> {
        let url = format!("{}/v1/operator{path}", self.base);
        let no_answer = |error: reqwest::Error| OperatorError::NoAnswer {
            url: url.clone(),
            problem: words(&error),
        };
        let mut request = self.client.request(method, &url);
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.token.as_str()));
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let (status, text) = self.runtime.block_on(async {
            let answer = request.send().await.map_err(no_answer)?;
            let status = answer.status();
            Ok((status, answer.text().await.map_err(no_answer)?))
        })?;
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(json);
        }
        let message = json["message"].as_str().unwrap_or("the server refused");
        Err(OperatorError::Refused { status: status.as_u16(), message: message.to_owned() })
    }
}

impl Operator {
    /// Goes to an address as anybody would, whatever the answer.
    pub fn visit(&self, url: &str) -> Result<(), OperatorError> {
        let url = url.to_owned();
        let visit = self.runtime.block_on(async { self.client.get(&url).send().await });
        visit.map(drop).map_err(|error| OperatorError::NoAnswer { problem: words(&error), url })
    }
}

fn token(args: &OperatorArgs) -> Result<Zeroizing<String>, OperatorError> {
    use std::io::Read as _;
    let text = match &args.token_file {
        Some(path) => {
            let mut text = Zeroizing::new(String::new());
            let file = std::fs::File::open(path);
            file.and_then(|file| file.take(TOKEN_MAX).read_to_string(&mut text))
                .map_err(|source| OperatorError::TokenFile { path: path.clone(), source })?;
            text
        }
        None => Zeroizing::new(std::env::var("ANTEROOM_TOKEN").unwrap_or_default()),
    };
    let token = Zeroizing::new(text.trim().to_owned());
    if token.is_empty() { Err(OperatorError::NoToken) } else { Ok(token) }
}

/// The innermost reason, which is what helps.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
