//! What may come in a query (protocol-nakama §0.2): odd but readable ones are taken; a bare `?`, a
//! trailing `&`, empty values and unknown names mean nothing; a value given twice is an error.

mod binding;

use std::borrow::Cow;

pub use binding::message;

use super::errors::Failure;

/// Booleans as written by one or the other SDK.
pub fn boolean(value: &[u8]) -> Option<bool> {
    match value {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

/// The first value of a parameter.
pub fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, [u8]>> {
    pairs(query).find(|(found, _)| **found == *name.as_bytes()).map(|(_, value)| value)
}

/// Names and values, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// `+` is a space, `%41` an `A`; a percent sign without two digits stands for itself.
fn decode(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) if let Some(byte) = hex_pair(*high, *low) => {
                out.push(byte);
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

/// The path with its escapes resolved.
///
/// # Errors
///
/// 3/400 when an escape is broken or the result is not UTF-8 (§0.4).
pub fn path(raw: &str) -> Result<Cow<'_, str>, Failure> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let bad = || Failure::invalid("Bad Request");
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            out.push(*byte);
            continue;
        }
        let [high, low, after @ ..] = after else { return Err(bad()) };
        out.push(hex_pair(*high, *low).ok_or_else(bad)?);
        rest = after;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| bad())
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::nakama::wire::api::{AuthenticateDeviceRequest, ListFriendsRequest};

    #[test]
    fn paths_are_decoded_once_or_refused() {
        assert_eq!(path("/v2/account").unwrap(), "/v2/account");
        assert_eq!(path("/v2/%61ccount").unwrap(), "/v2/account");
        assert_eq!(path("/v2/%2561").unwrap(), "/v2/%61");
        for raw in ["/v2/%", "/v2/%4", "/v2/%zz", "/v2/%ff"] {
            assert_eq!(path(raw).unwrap_err().message, "Bad Request", "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_query_or_path_panics(text in ".{0,60}|[%&=+a-f0-9]{0,40}") {
            let _ = message::<AuthenticateDeviceRequest>(&text, &[]);
            let _ = message::<ListFriendsRequest>(&text, &[]);
            let _ = path(&text);
            let _ = first(&text, "token");
        }
    }
}
