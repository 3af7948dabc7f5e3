//! The opening handshake of RFC 6455 §4.2, and HTTP answers written by hand.
//!
//! The bytes are ours because the case of the header names matters: a shipped client compares
//! `Sec-WebSocket-Accept` letter by letter (protocol-nakama §7.1).

use std::fmt::Write as _;

use actix_http::{Method, RequestHead, StatusCode, Version, header};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Denied;
use crate::observe::request::RequestId;

/// What RFC 6455 §1.3 has both sides put behind the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Checks that the request opens a WebSocket of version 13 and gives the value that proves we
/// understood.
pub(super) fn check(head: &RequestHead) -> Result<String, Denied> {
    if head.method != Method::GET {
        return Err(bad("the handshake must be a GET request"));
    }
    if head.version != Version::HTTP_11 {
        return Err(bad("the handshake must be HTTP/1.1"));
    }
    if !head.upgrade() || !lists(head, &header::UPGRADE, "websocket") {
        return Err(bad("the handshake must ask to upgrade to websocket"));
    }
    if only(head, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let headers = vec![("Sec-WebSocket-Version", "13".to_owned())];
        let denied = bad("only websocket version 13 is spoken here");
        return Err(Denied { status: 426, headers, ..denied });
    }
    let key = only(head, &header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    if !matches!(BASE64.decode(key), Ok(nonce) if nonce.len() == 16) {
        return Err(bad("Sec-WebSocket-Key must be 16 bytes in base64"));
    }
    Ok(accept_value(key))
}

/// `Sec-WebSocket-Accept` for a key.
fn accept_value(key: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(GUID);
    BASE64.encode(hash.finish())
}

/// The answer that opens the socket: no extension, no sub-protocol (protocol-nakama §7.1,
/// protocol-pragma §10.1).
pub(super) fn accepted(accept: &str, id: RequestId) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nX-Request-Id: {id}\r\n\r\n"
    )
}

/// The answer that turns a handshake away. The connection ends with it.
pub(super) fn denied(denied: &Denied, head: &RequestHead, id: RequestId) -> String {
    let reason = StatusCode::from_u16(denied.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Refused");
    let mut answer = format!("HTTP/1.1 {} {reason}\r\n", denied.status);
    let is_own = |name: &str| denied.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    for (name, value) in &denied.headers {
        // A line break would let a value write headers of its own.
        if !value.contains(['\r', '\n']) {
            let _ = write!(answer, "{name}: {value}\r\n");
        }
    }
    if head.headers().contains_key(header::ORIGIN) && !is_own("Access-Control-Allow-Origin") {
        answer.push_str("Access-Control-Allow-Origin: *\r\n");
    }
    let _ = write!(
        answer,
        "X-Request-Id: {id}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        denied.content_type,
        denied.body.len()
    );
    if head.method != Method::HEAD {
        answer.push_str(&denied.body);
    }
    answer
}

/// No socket opens at this path (protocol-nakama §0.4).
pub(super) fn not_found() -> Denied {
    Denied {
        status: 404,
        content_type: "application/json",
        body: r#"{"code":5,"message":"Not Found"}"#.to_owned(),
        headers: Vec::new(),
    }
}

/// A refusal in plain words, with how long to wait if that is known.
pub(super) fn refused(status: u16, words: &str, retry_after_s: Option<u64>) -> Denied {
    let retry = retry_after_s.map(|secs| ("Retry-After", secs.to_string()));
    Denied {
        status,
        content_type: "text/plain; charset=utf-8",
        body: format!("{words}\n"),
        headers: retry.into_iter().collect(),
    }
}

/// A close reason that says when to come back, too: programs read the number.
pub(super) fn come_back(words: &str, back_in_s: u32) -> String {
    let colon = if words.is_empty() { "" } else { "; " };
    format!("{words}{colon}come back in {back_in_s} s")
}

fn bad(words: &str) -> Denied {
    refused(400, words, None)
}

/// The value of a header that must be there exactly once.
fn only<'a>(head: &'a RequestHead, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = head.headers().get_all(name);
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value.trim())
}

fn lists(head: &RequestHead, name: &header::HeaderName, wanted: &str) -> bool {
    head.headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_value_is_that_of_the_example_in_the_rfc() {
        assert_eq!(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_answer_never_carries_a_header_with_a_line_break() {
        let mut refusal = refused(429, "later", Some(3));
        refusal.headers.push(("X-Name", "a\r\nX-Evil: 1".to_owned()));
        let text = denied(&refusal, &RequestHead::default(), RequestId::made(1));
        assert!(text.contains("Retry-After: 3\r\n") && !text.contains("X-Evil"), "{text}");
    }
}
