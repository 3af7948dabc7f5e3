//! Calls of the studio's hooks over HTTP: signed, bounded, by the one way out. What is called when,
//! and what an answer means, is not known here.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::hex;
use super::outbound::{HttpClient, HttpLimits};
use crate::clock::Clock;
use crate::config::HooksConfig;
use crate::domain::hook::signature::{HookKey, SECRET_MIN, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Longest answer read, in bytes.
const ANSWER_MAX: usize = 16_384;

/// Why hooks cannot be called as the settings say. Names the key, never a value.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The HTTP client cannot be made.
    #[error("hooks: the HTTP client cannot be made")]
    Client,
    /// Not an address that may be called.
    #[error("hooks.url must be an https:// address (http:// only to this machine, or with --dev)")]
    Address,
    /// An https:// address cannot be called: nobody vouches for it.
    #[error("hooks.url cannot be trusted: there are no root certificates on this machine")]
    NoRoots,
    /// The file with the secret cannot be read.
    #[error("the file of hooks.secret_file cannot be read: {0}")]
    File(std::io::Error),
    /// A secret that can be guessed.
    #[error("hooks.secret must be at least {SECRET_MIN} bytes")]
    Secret,
}

/// Where hooks are called. Cheap to clone.
#[derive(Clone)]
pub struct Webhook {
    http: HttpClient,
    url: Url,
    key: Arc<HookKey>,
    clock: Clock,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// The status.
    pub status: u16,
    /// The body, at most 16 KiB.
    pub body: Vec<u8>,
}

impl Webhook {
    /// By the settings; `None`: they name no address. `dev`: http:// goes anywhere.
    ///
    /// # Errors
    ///
    /// [`WebhookError`]
    pub fn new(
        config: &HooksConfig,
        dev: bool,
        clock: Clock,
    ) -> Result<Option<Self>, WebhookError> {
        if config.url.is_empty() {
            return Ok(None);
        }
        // The studio names this address, and its service mostly is in the studio's own network.
        let limits = HttpLimits {
            timeout: Duration::from_millis(config.timeout_ms),
            response_max_bytes: ANSWER_MAX,
            allow_private: true,
        };
        let http = HttpClient::new(limits).ok_or(WebhookError::Client)?;
        let url = Url::parse(&config.url).map_err(|_| WebhookError::Address)?;
        match url.scheme() {
            "https" if http.has_roots => {}
            "https" => return Err(WebhookError::NoRoots),
            "http" if dev || is_loopback(&url) => {}
            _ => return Err(WebhookError::Address),
        }
        let secret = config.secret.or_file(config.secret_file.as_deref());
        let secret = secret.map_err(WebhookError::File)?;
        let key = HookKey::new(secret.as_bytes()).ok_or(WebhookError::Secret)?;
        Ok(Some(Self { http, url, key: Arc::new(key), clock }))
    }

    /// Posts a body, signed now.
    ///
    /// # Errors
    ///
    /// Words for logs: no whole answer in time, or one that is too large.
    pub async fn post(&self, body: String) -> Result<WebhookAnswer, &'static str> {
        let at = self.clock.now().as_secs();
        let signature = hex(&self.key.sign(at, body.as_bytes()));
        let request = self.http.post(self.url.clone());
        let request = request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(TIMESTAMP_HEADER, at)
            .header(SIGNATURE_HEADER, signature)
            .body(body);
        let fetched = self.http.fetch(request).await?;
        Ok(WebhookAnswer { status: fetched.status.as_u16(), body: fetched.body })
    }
}

/// An address may carry a key.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook(…)")
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UnixMicros;

    const SECRET: &str = "0123456789abcdef";

    fn webhook(url: &str, secret: &str, dev: bool) -> Result<Option<Webhook>, WebhookError> {
        let config = HooksConfig { url: url.into(), secret: secret.into(), ..Default::default() };
        Webhook::new(&config, dev, Clock::manual(UnixMicros(0)))
    }

    #[test]
    fn without_an_address_nobody_is_called() {
        assert!(webhook("", "", false).unwrap().is_none());
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in ["http://127.0.0.1:9/h", "http://[::1]/h", "http://localhost:9", "https://a.b/"]
        {
            assert!(webhook(url, SECRET, false).unwrap().is_some(), "{url}");
        }
        for url in ["http://hooks.example/", "http://10.0.0.1/", "http://127.0.0.1.evil.io/"] {
            let refused = webhook(url, SECRET, false);
            assert!(matches!(refused, Err(WebhookError::Address)), "{url}");
            assert!(webhook(url, SECRET, true).unwrap().is_some(), "{url}");
        }
        for url in ["ftp://127.0.0.1/", "hooks", "file:///etc/passwd"] {
            assert!(matches!(webhook(url, SECRET, true), Err(WebhookError::Address)), "{url}");
        }
    }

    #[test]
    fn a_secret_is_needed_and_never_shown() {
        for short in ["", "0123456789abcde"] {
            let refused = webhook("https://a.b/", short, true);
            assert!(matches!(refused, Err(WebhookError::Secret)));
        }
        let hush = "hush-hush-hush-hush";
        let config = HooksConfig { secret: hush.into(), ..HooksConfig::default() };
        let made = webhook("https://a.b/", hush, false).unwrap().unwrap();
        for shown in [format!("{config:?}"), format!("{made:?}"), toml::to_string(&config).unwrap()]
        {
            assert!(!shown.contains("hush-"), "{shown}");
        }
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        let config = HooksConfig {
            url: "https://a.b/".into(),
            secret_file: Some(file),
            ..Default::default()
        };
        let clock = Clock::manual(UnixMicros(0));
        assert!(Webhook::new(&config, false, clock.clone()).unwrap().is_some());
        let gone = HooksConfig { secret_file: Some(folder.path().join("none")), ..config };
        assert!(matches!(Webhook::new(&gone, false, clock), Err(WebhookError::File(_))));
    }
}
