//! What an answer looks like (protocol-nakama §0.3, §0.4): 200 or the error's status, always a JSON
//! object, never cached.

use std::io::Write;

use actix_http::StatusCode;
use actix_http::header::{self, HeaderMap, HeaderValue};
use actix_web::HttpResponse;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use serde::Serialize;

use super::errors::{Failure, code};
use super::waiting::QueueNote;

/// A success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing to say: `{}`, never an empty body, which breaks several SDKs.
    Empty,
    /// This JSON object.
    Json(Vec<u8>),
}

impl Reply {
    /// A message in JSON.
    ///
    /// # Errors
    ///
    /// 13/500, which no message of ours gives.
    pub fn of(message: &impl Serialize) -> Result<Self, Failure> {
        // Room for two tokens, the most frequent answer, so that it need not grow.
        let mut body = Vec::with_capacity(1_024);
        serde_json::to_writer(&mut body, message)
            .map(|()| Self::Json(body))
            .map_err(|_| Failure::new(code::INTERNAL, "The answer could not be written."))
    }
}

/// The HTTP answer to a call.
pub fn render(answer: Result<Reply, Failure>) -> HttpResponse {
    match answer {
        Ok(Reply::Empty) => json(StatusCode::OK).body("{}"),
        Ok(Reply::Json(body)) => json(StatusCode::OK).body(body),
        Err(failure) => error(&failure),
    }
}

/// Shorter bodies are sent as they are: they fit one packet either way.
const WORTH_PACKING: usize = 1_024;

/// The HTTP answer to a call, compressed if it is long and the client takes that (§0.3).
pub fn render_packed(answer: Result<Reply, Failure>, asked: &HeaderMap) -> HttpResponse {
    let Ok(Reply::Json(body)) = answer else { return render(answer) };
    let encoding = if body.len() < WORTH_PACKING { None } else { encoding(asked) };
    match encoding.and_then(|encoding| Some((encoding, encoding.pack(&body)?))) {
        Some((encoding, packed)) => {
            let mut response = json(StatusCode::OK);
            response.insert_header((header::CONTENT_ENCODING, encoding.name())).body(packed)
        }
        None => render(Ok(Reply::Json(body))),
    }
}

/// How an answer may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gzip,
    /// Without zlib's head, as Nakama has it.
    Deflate,
}

impl Encoding {
    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    fn pack(self, body: &[u8]) -> Option<Vec<u8>> {
        let (out, level) = (Vec::with_capacity(body.len() / 4), Compression::fast());
        match self {
            Self::Gzip => {
                let mut packer = GzEncoder::new(out, level);
                packer.write_all(body).ok()?;
                packer.finish().ok()
            }
            Self::Deflate => {
                let mut packer = DeflateEncoder::new(out, level);
                packer.write_all(body).ok()?;
                packer.finish().ok()
            }
        }
    }
}

/// The first of ours in `Accept-Encoding` that is not given the weight zero.
fn encoding(asked: &HeaderMap) -> Option<Encoding> {
    let lines = asked.get_all(header::ACCEPT_ENCODING).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).find_map(|item| {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let found = match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => Encoding::Gzip,
            name if name.eq_ignore_ascii_case("deflate") => Encoding::Deflate,
            _ => return None,
        };
        weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0).then_some(found)
    })
}

fn json(status: StatusCode) -> actix_web::HttpResponseBuilder {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store, no-cache, must-revalidate");
    const ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::CACHE_CONTROL, NO_STORE))
        .insert_header((header::VARY, ENCODING));
    response
}

/// `{"code", "message"}`, with `queue` for those who wait; a 401 repeats its text in
/// `WWW-Authenticate`.
fn error(failure: &Failure) -> HttpResponse {
    #[derive(Serialize)]
    struct Body<'a> {
        code: u8,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        queue: Option<&'a QueueNote>,
    }
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status);
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, &*failure.message));
    }
    if let Some(seconds) = failure.retry_after_s {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    let body =
        Body { code: failure.code, message: &failure.message, queue: failure.queue.as_deref() };
    response.body(serde_json::to_vec(&body).unwrap_or_default())
}

/// RFC 3339 in UTC with whole seconds: Java's parser takes no fractions (§0.3). Years beyond 9999
/// are cut to the last second of 9999.
pub fn timestamp(seconds: u64) -> String {
    let seconds = seconds.min(253_402_300_799);
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, in eras of 400 years, so that the leap day comes last in a year.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::{Closed, Standing};
    use crate::nakama::waiting;
    use actix_web::body::to_bytes;

    fn header_of(response: &HttpResponse, name: &str) -> Option<String> {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    async fn body(response: HttpResponse) -> String {
        let bytes = to_bytes(response.into_body()).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[actix_rt::test]
    async fn a_success_without_content_is_an_empty_object() {
        let response = render(Ok(Reply::Empty));
        assert_eq!(response.status(), 200);
        assert_eq!(header_of(&response, "content-type").unwrap(), "application/json");
        assert_eq!(
            header_of(&response, "cache-control").unwrap(),
            "no-store, no-cache, must-revalidate"
        );
        assert_eq!(header_of(&response, "vary").unwrap(), "Accept-Encoding");
        assert_eq!(body(response).await, "{}");
    }

    #[actix_rt::test]
    async fn a_401_repeats_its_text_in_a_header() {
        let response = render(Err(Failure::unauthenticated("Auth token invalid")));
        assert_eq!(response.status(), 401);
        assert_eq!(header_of(&response, "www-authenticate").unwrap(), "Auth token invalid");
        assert_eq!(body(response).await, r#"{"code":16,"message":"Auth token invalid"}"#);
    }

    #[actix_rt::test]
    async fn other_errors_have_code_and_message_only() {
        let response = render(Err(Failure::wrong_method()));
        assert_eq!(response.status(), 501);
        assert_eq!(header_of(&response, "www-authenticate"), None);
        assert_eq!(body(response).await, r#"{"code":12,"message":"Method Not Allowed"}"#);
        assert_eq!(render(Err(Failure::headers_too_large())).status(), 431);
    }

    #[actix_rt::test]
    async fn who_waits_gets_429_retry_after_and_the_queue_object() {
        let failure =
            waiting::failure(&Standing::Refused { why: Closed::Full, retry_after_ms: 1_500 });
        let response = render(Err(failure));
        assert_eq!(response.status(), 429);
        assert_eq!(header_of(&response, "retry-after").unwrap(), "2");
        assert_eq!(
            body(response).await,
            r#"{"code":8,"message":"The line is full. Please try again in 2 seconds.","queue":{"poll_after_ms":1500,"phase":"full"}}"#
        );
    }

    #[actix_rt::test]
    async fn long_answers_are_packed_in_the_first_way_the_client_takes() {
        use std::io::Read;
        let long = format!(r#"{{"x":"{}"}}"#, "y".repeat(WORTH_PACKING)).into_bytes();
        let answer = async |accept: &'static str, body: &[u8]| {
            let mut asked = HeaderMap::new();
            asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            let response = render_packed(Ok(Reply::Json(body.to_vec())), &asked);
            assert_eq!(header_of(&response, "content-type").unwrap(), "application/json");
            let encoding = header_of(&response, "content-encoding");
            (encoding, to_bytes(response.into_body()).await.unwrap())
        };
        let mut text = Vec::new();
        for accept in ["gzip, deflate", "br, GZIP;q=0.5, deflate", "gzip;q=1.0"] {
            let (encoding, body) = answer(accept, &long).await;
            assert_eq!(encoding.as_deref(), Some("gzip"), "{accept}");
            text.clear();
            flate2::read::GzDecoder::new(&*body).read_to_end(&mut text).unwrap();
            assert_eq!(text, long);
        }
        for accept in ["deflate, gzip", "gzip;q=0, deflate"] {
            let (encoding, body) = answer(accept, &long).await;
            assert_eq!(encoding.as_deref(), Some("deflate"), "{accept}");
            text.clear();
            flate2::read::DeflateDecoder::new(&*body).read_to_end(&mut text).unwrap();
            assert_eq!(text, long);
        }
        for accept in ["", "identity", "br", "gzip;q=0", "gzip;q=x"] {
            let (encoding, body) = answer(accept, &long).await;
            assert_eq!((encoding, &*body), (None, &*long), "{accept}");
        }
        let (encoding, body) = answer("gzip", b"{}").await;
        assert_eq!((encoding, &*body), (None, &b"{}"[..]), "short ones are not worth it");
    }

    #[test]
    fn timestamps_are_whole_seconds_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }
}
