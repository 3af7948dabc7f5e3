//! What may come in as a body (protocol-nakama §0.2): bounded, perhaps compressed, JSON without
//! regard to `Content-Type`, snake or camel case, nulls as absent, an end after the first value.

use std::collections::btree_map::Entry;
use std::fmt;
use std::io::Read;

use actix_http::header::{self, HeaderMap};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use futures_util::StreamExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::errors::Failure;
use crate::domain::token::nakama::Vars;

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

/// A message that is written as a JSON object only; serde would take an array too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(std::marker::PhantomData)).map(Object)
    }
}

/// `null` is absent.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// `null` is absent, for the whole and for a value; a name given twice is an error.
fn vars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vars, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vars;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of strings")
        }
        fn visit_none<E>(self) -> Result<Vars, E> {
            Ok(Vars::new())
        }
        fn visit_unit<E>(self) -> Result<Vars, E> {
            Ok(Vars::new())
        }
        fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Vars, D::Error> {
            inner.deserialize_map(self)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vars, A::Error> {
            let mut vars = Vars::new();
            while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                match vars.entry(name) {
                    Entry::Occupied(_) => return Err(A::Error::custom("repeated name")),
                    Entry::Vacant(entry) => {
                        if let Some(value) = value {
                            entry.insert(value);
                        }
                    }
                }
            }
            Ok(vars)
        }
    }
    deserializer.deserialize_option(Pairs)
}

/// `{"id", "vars"}`: device and custom (§2.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Identified {
    /// The identifier.
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// Session variables.
    #[serde(deserialize_with = "vars")]
    pub vars: Vars,
}

/// `{"email", "password", "vars"}` (§2.1).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Mailed {
    /// The address as typed.
    #[serde(deserialize_with = "text")]
    pub email: String,
    /// The password as typed.
    #[serde(deserialize_with = "text")]
    pub password: String,
    /// Session variables.
    #[serde(deserialize_with = "vars")]
    pub vars: Vars,
}

/// `{"token", "vars"}` of a refresh (§3.4).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Refreshing {
    /// The refresh token.
    #[serde(deserialize_with = "text")]
    pub token: String,
    /// New session variables.
    #[serde(deserialize_with = "vars")]
    pub vars: Vars,
}

/// `{"token", "refresh_token"}` of a logout (§3.5).
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct LeavingWith {
    /// The access token.
    #[serde(deserialize_with = "text")]
    pub token: String,
    /// The refresh token.
    #[serde(deserialize_with = "text", alias = "refreshToken")]
    pub refresh_token: String,
}

#[cfg(test)]
mod tests;
