//! What may come in as a body (protocol-nakama §0.2): bounded, perhaps compressed, JSON without
//! regard to `Content-Type`, snake or camel case, nulls as absent, an end after the first value.

use std::io::Read;

use actix_http::header::{self, HeaderMap};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use futures_util::StreamExt;
use serde::Deserialize;

use super::errors::Failure;
pub use super::wire::json::Object;

/// Reads the body, up to `max` bytes, and up to as many again after decompression.
///
/// # Errors
///
/// 3/400 when it is larger, breaks off or does not decompress.
pub async fn read(headers: &HeaderMap, mut payload: Payload, max: usize) -> Result<Bytes, Failure> {
    if declared(headers).is_some_and(|length| length > max) {
        return Err(Failure::body_too_large());
    }
    let mut body = Bytes::new();
    let mut more = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Failure::invalid("Request body broke off"))?;
        if body.len() + more.len() + chunk.len() > max {
            return Err(Failure::body_too_large());
        }
        if body.is_empty() {
            body = chunk;
        } else {
            more.extend_from_slice(&chunk);
        }
    }
    if !more.is_empty() {
        let mut whole = BytesMut::with_capacity(body.len() + more.len());
        whole.extend_from_slice(&body);
        whole.extend_from_slice(&more);
        body = whole.freeze();
    }
    match headers.get(header::CONTENT_ENCODING) {
        None => Ok(body),
        Some(encoding) => decoded(encoding.as_bytes(), body, max),
    }
}

fn declared(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Unpacks gzip and raw deflate; other encodings are taken as they are, as the original does.
fn decoded(encoding: &[u8], body: Bytes, max: usize) -> Result<Bytes, Failure> {
    if encoding.eq_ignore_ascii_case(b"gzip") {
        unpack(MultiGzDecoder::new(&*body), max)
    } else if encoding.eq_ignore_ascii_case(b"deflate") {
        unpack(DeflateDecoder::new(&*body), max)
    } else {
        Ok(body)
    }
}

fn unpack(packed: impl Read, max: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    packed
        .take(bound)
        .read_to_end(&mut body)
        .map_err(|_| Failure::invalid("Request body does not decompress"))?;
    if body.len() > max { Err(Failure::body_too_large()) } else { Ok(body.into()) }
}

/// The message in a body; `None` when the body is empty or `null`. What follows the first JSON
/// value is not looked at.
///
/// A field given twice (in either spelling) is an error, as in the original's JSON mapping.
///
/// # Errors
///
/// 3/400 when the first value is not JSON or not such a message.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Option<T>, Failure> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    match Option::<Object<T>>::deserialize(&mut json) {
        Ok(message) => Ok(message.map(|Object(message)| message)),
        Err(error) => Err(malformed(&error)),
    }
}

/// Where and what kind of mistake; never the text itself, which may be long or secret.
fn malformed(error: &serde_json::Error) -> Failure {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Data => "a field is repeated or has the wrong type",
        Category::Eof => "unexpected end of JSON",
        Category::Syntax | Category::Io => "invalid JSON",
    };
    let (line, column) = (error.line(), error.column());
    Failure::invalid(format!("Malformed request body: {what} at line {line} column {column}"))
}

#[cfg(test)]
mod tests;
