//! CORS as Nakama does it (protocol-nakama §0.6): any origin, no credentials, on everything
//! including errors. One middleware around the whole player port.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_http::body::EitherBody;
use actix_http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_http::{Method, StatusCode};
use actix_service::{Service, Transform};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use futures_util::future::{Either, FutureExt, Map};

/// Methods a preflight may ask for. The first three need no mention in the answer.
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/// Headers a preflight may ask for, beside the simple ones: Nakama's, our pass header, and those of the
/// queue API.
const HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "user-agent",
    "x-login-queue-pass",
    "if-none-match",
    "last-event-id",
];

/// Headers that need no leave.
const SIMPLE: [&str; 4] = ["accept", "accept-language", "content-language", "origin"];

/// The middleware; wrap it around an `App`.
#[derive(Clone, Copy, Debug)]
pub struct Cors {
    /// Paths that say themselves which pages may read them: they are left as they are.
    pub but_for: fn(&str) -> bool,
}

impl<S, B> Transform<S, ServiceRequest> for Cors
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CorsService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(CorsService { inner, but_for: self.but_for }))
    }
}

/// [`Cors`] at work.
#[derive(Debug)]
pub struct CorsService<S> {
    inner: S,
    but_for: fn(&str) -> bool,
}

/// What comes out for a body `B`.
type Answered<B> = Result<ServiceResponse<EitherBody<B>>, Error>;
/// What the wrapped service says, with the header added or left alone.
type Marked<F, B> = Map<F, fn(Result<ServiceResponse<B>, Error>) -> Answered<B>>;

impl<S, B> Service<ServiceRequest> for CorsService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Either<Ready<Answered<B>>, Marked<S::Future, B>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if (self.but_for)(request.path()) {
            let left = |answer: Result<ServiceResponse<B>, Error>| -> Answered<B> {
                answer.map(ServiceResponse::map_into_left_body)
            };
            return Either::Right(self.inner.call(request).map(left as fn(_) -> _));
        }
        if request.method() == Method::OPTIONS {
            let response = options(request.headers());
            return Either::Left(ready(Ok(request.into_response(response).map_into_right_body())));
        }
        Either::Right(self.inner.call(request).map(mark as fn(_) -> _))
    }
}

/// Adds the header to whatever was answered, provided the request came from a page.
fn mark<B>(answer: Result<ServiceResponse<B>, Error>) -> Answered<B> {
    let mut response = answer?;
    if response.request().headers().contains_key(header::ORIGIN) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    Ok(response.map_into_left_body())
}

/// What a page may read besides the body: when to come back, what goes with the queue's frame, and what
/// the request is called in our log.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("Retry-After, ETag, X-Frame-Signature, X-Request-Id");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// The answer to `OPTIONS`: a preflight when there is an origin, else an empty 200.
pub fn options(headers: &HeaderMap) -> HttpResponse {
    if !headers.contains_key(header::ORIGIN) {
        return HttpResponse::Ok().finish();
    }
    match preflight(headers) {
        Ok(granted) => {
            let mut response = HttpResponse::Ok();
            response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY));
            // Ten minutes: halves a browser's traffic, as every call asks for `Authorization`.
            response.insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"));
            if let Some(method) = granted.method {
                response.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, method));
            }
            if !granted.headers.is_empty() {
                response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, granted.headers));
            }
            response.finish()
        }
        Err(status) => HttpResponse::new(status),
    }
}

/// What a preflight is granted.
struct Granted {
    method: Option<&'static str>,
    headers: String,
}

fn preflight(headers: &HeaderMap) -> Result<Granted, StatusCode> {
    let wanted =
        headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).ok_or(StatusCode::BAD_REQUEST)?;
    let at = METHODS
        .iter()
        .position(|method| method.as_bytes() == wanted.as_bytes())
        .ok_or(StatusCode::METHOD_NOT_ALLOWED)?;
    let method = METHODS.get(at).copied().filter(|_| at >= 3);
    let mut granted = String::new();
    for line in headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        let line = line.to_str().map_err(|_| StatusCode::FORBIDDEN)?;
        for name in line.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| StatusCode::FORBIDDEN)?;
            if SIMPLE.contains(&name.as_str()) {
                continue;
            }
            if !HEADERS.contains(&name.as_str()) {
                return Err(StatusCode::FORBIDDEN);
            }
            if !granted.is_empty() {
                granted.push(',');
            }
            granted.push_str(name.as_str());
        }
    }
    Ok(Granted { method, headers: granted })
}

#[cfg(test)]
mod tests;
