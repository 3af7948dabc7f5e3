//! Refusals on gRPC: the same number and the same words as over REST (protocol-nakama §10.1). Those
//! who are to come back also read when, and those in line where they stand.

use hyper::Response;
use hyper::header::HeaderValue;
use tonic::body::Body;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};

use crate::nakama::errors::Failure;

/// When to come back, in seconds, as REST's header.
const RETRY_AFTER: &str = "retry-after";
/// Where the caller stands, as `queue` in REST's body: JSON, all of it printable ASCII.
const QUEUE: &str = "login-queue";

/// The status of a refusal.
pub(super) fn of(failure: &Failure) -> Status {
    let mut metadata = MetadataMap::new();
    if let Some(seconds) = failure.retry_after_s {
        metadata.insert(RETRY_AFTER, seconds.into());
    }
    let note = failure.queue.as_deref().and_then(|note| serde_json::to_string(note).ok());
    if let Some(note) = note.and_then(|note| AsciiMetadataValue::try_from(note).ok()) {
        metadata.insert(QUEUE, note);
    }
    Status::with_metadata(Code::from_i32(failure.code.into()), failure.message.clone(), metadata)
}

/// A message that is too large is 11 to the transport below and 8 to the rest of the world (§0.5).
/// No call of ours answers 11.
pub(super) fn from_transport(mut response: Response<Body>) -> Response<Body> {
    const STATUS: &str = "grpc-status";
    if response.headers().get(STATUS).is_some_and(|code| code == "11") {
        response.headers_mut().insert(STATUS, HeaderValue::from_static("8"));
    }
    response
}

/// What somebody hears who speaks HTTP/2 and not gRPC.
pub(super) fn not_grpc() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = hyper::StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::{Closed, Standing};
    use crate::nakama::errors::code;
    use crate::nakama::waiting;

    #[test]
    fn every_number_and_word_goes_over_as_it_is() {
        for code in 1..=16 {
            let status = of(&Failure::new(code, "naïve \"words\" %"));
            assert_eq!(status.code() as i32, i32::from(code));
            assert_eq!(status.message(), "naïve \"words\" %");
            assert!(status.metadata().is_empty());
        }
    }

    #[test]
    fn who_waits_reads_where_and_how_long() {
        let failure =
            waiting::failure(&Standing::Refused { why: Closed::Full, retry_after_ms: 1_500 });
        let status = of(&failure);
        assert_eq!(status.code() as i32, i32::from(code::RESOURCE_EXHAUSTED));
        assert_eq!(status.metadata().get(RETRY_AFTER).unwrap(), "2");
        let note = status.metadata().get(QUEUE).unwrap().to_str().unwrap();
        assert_eq!(note, r#"{"poll_after_ms":1500,"phase":"full"}"#);
    }

    #[test]
    fn only_the_transports_own_number_is_changed() {
        let seen = |status: Status| {
            let response = from_transport(status.into_http());
            response.headers()["grpc-status"].to_str().unwrap().to_owned()
        };
        assert_eq!(seen(Status::out_of_range("too long")), "8");
        assert_eq!(seen(Status::not_found("gone")), "5");
    }
}
