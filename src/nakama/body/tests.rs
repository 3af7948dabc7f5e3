//! Bodies as they come from SDKs and from those who mean no good.

use std::io::Write;

use actix_http::header::HeaderValue;
use actix_web::FromRequest;
use actix_web::test::TestRequest;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::domain::token::nakama::Vars;
use crate::nakama::wire::api::{
    AccountDevice, AccountEmail, SessionLogoutRequest, SessionRefreshRequest,
};

fn id(body: &str) -> Result<Option<String>, Failure> {
    parse::<AccountDevice>(body.as_bytes()).map(|message| message.map(|message| message.id))
}

#[test]
fn odd_but_good_bodies_are_read() {
    for (body, expected) in [
        ("", None),
        (" \r\n\t", None),
        ("null", None),
        ("{}", Some("")),
        (r#"{"id":null,"vars":null}"#, Some("")),
        (r#"{"id":"x"} trailing"#, Some("x")),
        (r#"{"id":"x"}{"id":"y"}"#, Some("x")),
        (r#"  {"id":"x","unknown":{"a":[1,{"b":null}]},"unknown":2}"#, Some("x")),
        (r#"{"id":"\u00e9\ud83d\ude00"}"#, Some("é😀")),
    ] {
        assert_eq!(id(body).unwrap().as_deref(), expected, "{body}");
    }
}

#[test]
fn bad_bodies_are_refused_without_being_repeated() {
    let deep = format!(r#"{{"vars":{}}}"#, "[".repeat(100_000));
    for body in [
        "x",
        "[]",
        r#"["0123456789"]"#,
        r#""text""#,
        "{",
        r#"{"id""#,
        r#"{"id":1}"#,
        r#"{"id":["secret"]}"#,
        r#"{"id":"x","id":"y"}"#,
        r#"{"id":"\ud800"}"#,
        r#"{"vars":[]}"#,
        r#"{"vars":{"a":1}}"#,
        r#"{"vars":{"a":"secret","a":"y"}}"#,
        "nul",
        "\u{feff}{}",
        &deep,
    ] {
        let failure = id(body).unwrap_err();
        assert_eq!((failure.code, failure.status), (3, 400), "{body}");
        assert!(failure.message.len() < 120 && !failure.message.contains("secret"), "{body}");
    }
    assert!(parse::<AccountDevice>(b"{\"id\":\"\xff\"}").is_err());
}

#[test]
fn deep_nesting_in_what_is_ignored_costs_no_stack() {
    let body = format!(r#"{{"x":{}{},"id":"y"}}"#, "[".repeat(120_000), "]".repeat(120_000));
    assert_eq!(id(&body).unwrap().as_deref(), Some("y"));
}

#[test]
fn variables_are_texts_and_null_is_none() {
    let body = br#"{"vars":{"a":"1","b":null}}"#;
    let vars = parse::<AccountDevice>(body).unwrap().unwrap().vars;
    assert_eq!(vars, Vars::from([("a".into(), "1".into())]));
}

#[test]
fn a_field_has_two_spellings_and_one_value() {
    let read = |body: &str| {
        parse::<SessionLogoutRequest>(body.as_bytes()).map(|with| with.unwrap().refresh_token)
    };
    assert_eq!(read(r#"{"refresh_token":"x"}"#).unwrap(), "x");
    assert_eq!(read(r#"{"refreshToken":"x"}"#).unwrap(), "x");
    assert!(read(r#"{"refreshToken":"x","refresh_token":"y"}"#).is_err());
}

async fn received(encoding: &'static str, body: Vec<u8>, max: usize) -> Result<Bytes, String> {
    let (request, mut payload) = TestRequest::default().set_payload(body).to_http_parts();
    let payload = Payload::from_request(&request, &mut payload).await.unwrap();
    let mut headers = HeaderMap::new();
    if !encoding.is_empty() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    read(&headers, payload, max).await.map_err(|failure| {
        assert_eq!((failure.code, failure.status), (3, 400));
        failure.message.into_owned()
    })
}

#[actix_rt::test]
async fn bodies_are_bounded_before_and_after_decompression() {
    let large = Err("http: request body too large".to_owned());
    assert_eq!(received("", vec![b'x'; 100], 100).await.unwrap().len(), 100);
    assert_eq!(received("", vec![b'x'; 101], 100).await, large);

    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b'x'; 1_000_000]).unwrap();
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 10_000);
    assert_eq!(received("gzip", bomb.clone(), 10_000).await, large);
    assert_eq!(received("GZIP", bomb.clone(), 1_000_000).await.unwrap().len(), 1_000_000);
    let broken = Err("Request body does not decompress".to_owned());
    assert_eq!(received("gzip", bomb[..50].to_vec(), 1_000_000).await, broken);
    assert_eq!(received("gzip", b"{}".to_vec(), 100).await, broken);

    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(b"{\"id\":\"x\"}").unwrap();
    let packed = deflate.finish().unwrap();
    assert_eq!(received("deflate", packed, 100).await.unwrap(), "{\"id\":\"x\"}");
    assert_eq!(received("identity", b"{}".to_vec(), 100).await.unwrap(), "{}");
}

proptest! {
    #[test]
    fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse::<AccountEmail>(&body);
        let _ = parse::<SessionRefreshRequest>(&body);
    }
}
