//! A service of the studio's own that is handed the token over HTTP and answers with JSON
//! (protocol-pragma §5).

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::{HttpConfig, Method, TokenPlace};
use crate::domain::account::LinkKind;

/// Longest token taken, in bytes.
const TOKEN_MAX: usize = 16_384;

/// Such a service, configured.
pub(super) struct HttpService {
    kind: LinkKind,
    common: Common,
    url: Url,
    method: Method,
    timeout: Duration,
    headers: HeaderMap,
    token_in: TokenPlace,
    token_name: String,
    token_prefix: String,
    account_id: String,
    display_name: String,
    discriminator: String,
}

impl HttpService {
    /// `section` names it in errors.
    pub fn new(
        kind: LinkKind,
        section: &str,
        config: &HttpConfig,
        common: &Common,
        timeout_ms: u64,
    ) -> Result<Self, SetupError> {
        if config.token_in == TokenPlace::Header {
            header_name(&format!("{section}.token_name"), &config.token_name)?;
        }
        Ok(Self {
            kind,
            common: common.clone(),
            url: common.outbound.url(&format!("{section}.url"), &config.url)?,
            method: config.method,
            timeout: Duration::from_millis(config.timeout_ms.min(timeout_ms)),
            headers: headers(section, config)?,
            token_in: config.token_in,
            token_name: config.token_name.clone(),
            token_prefix: config.token_prefix.clone(),
            account_id: config.account_id_pointer.clone(),
            display_name: config.display_name_pointer.clone(),
            discriminator: config.discriminator_pointer.clone(),
        })
    }

    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        if token.is_empty() || token.len() > TOKEN_MAX {
            return Err(IdentityError::Refused(self.kind, "the token is empty or too long"));
        }
        let request = self.request(token)?.headers(self.headers.clone()).timeout(self.timeout);
        let answer = self.common.outbound.send(self.kind, request).await?;
        if [401, 403, 404].contains(&answer.status()) {
            return Err(IdentityError::Refused(self.kind, "it does not know it"));
        }
        let told: Value = answer.ok()?.json()?;
        let at = |pointer: &str| match told.pointer(pointer).filter(|_| !pointer.is_empty()) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) if !number.is_f64() => Some(number.to_string()),
            _ => None,
        };
        let odd = IdentityError::Unavailable(self.kind, "its answer makes no sense");
        let link = facts::link(self.kind, &at(&self.account_id).ok_or(odd)?)?;
        let (name, discriminator) = (at(&self.display_name), at(&self.discriminator));
        Ok(Verified {
            profile: facts::profile(name.as_deref(), None),
            shown: facts::shown(name.as_deref(), discriminator.as_deref()),
            ..Verified::of(link)
        })
    }

    fn request(&self, token: &str) -> Result<RequestBuilder, IdentityError> {
        let outbound = &self.common.outbound;
        let token = Zeroizing::new(format!("{}{token}", self.token_prefix));
        let request = match self.method {
            Method::Post => outbound.post(self.url.clone()),
            Method::Get => outbound.get(self.url.clone()),
        };
        Ok(match self.token_in {
            TokenPlace::Query => request.query(&[(self.token_name.as_str(), token.as_str())]),
            TokenPlace::Body => {
                let body = json!({ self.token_name.as_str(): token.as_str() }).to_string();
                request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body)
            }
            TokenPlace::Header => {
                let odd = |_| IdentityError::Refused(self.kind, "not a token");
                let mut value = HeaderValue::from_str(&token).map_err(odd)?;
                value.set_sensitive(true);
                request.header(self.token_name.as_str(), value)
            }
        })
    }
}

fn headers(section: &str, config: &HttpConfig) -> Result<HeaderMap, SetupError> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let key = format!("{section}.headers.{name}");
        let name = header_name(&key, name)?;
        let mut value = HeaderValue::from_str(value).map_err(|_| SetupError::Header(key))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok::<(), SetupError>(())
    };
    for (name, secret) in &config.headers {
        add(name, &super::secret(section, secret, None)?)?;
    }
    for (name, file) in &config.header_files {
        let key = format!("{section}.header_files.{name}");
        add(name, &super::secret(&key, &"".into(), Some(file))?)?;
    }
    Ok(headers)
}

fn header_name(key: &str, name: &str) -> Result<HeaderName, SetupError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| SetupError::Header(key.to_owned()))
}

impl std::fmt::Debug for HttpService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpService").field("kind", &self.kind).finish_non_exhaustive()
    }
}
