//! What browsers ask and are told (protocol-nakama §0.6).

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};

use super::*;

const ORIGIN: (&str, &str) = ("Origin", "https://game.example");

/// Status and the CORS headers of the answer to a request with these headers.
async fn asked(method: Method, headers: &[(&'static str, &'static str)]) -> (u16, Vec<String>) {
    let app = App::new()
        .wrap(Cors { but_for: |_| false })
        .route("/fine", web::get().to(async || HttpResponse::Ok().body("x")))
        .default_service(web::to(async || HttpResponse::NotFound().body("{}")));
    let service = init_service(app).await;
    let path = if method == Method::DELETE { "/nowhere" } else { "/fine" };
    let mut request = TestRequest::with_uri(path).method(method);
    for header in headers {
        request = request.insert_header(*header);
    }
    let response = call_service(&service, request.to_request()).await;
    let mut cors: Vec<String> = response
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    cors.sort();
    (response.status().as_u16(), cors)
}

const ALLOWED: &str = "access-control-allow-origin: *";
const EXPOSED: &str =
    "access-control-expose-headers: Retry-After, ETag, X-Frame-Signature, X-Request-Id";
const MAX_AGE: &str = "access-control-max-age: 600";

#[actix_rt::test]
async fn a_page_may_read_successes_and_errors() {
    let both = vec![ALLOWED.into(), EXPOSED.into()];
    assert_eq!(asked(Method::GET, &[ORIGIN]).await, (200, both.clone()));
    assert_eq!(asked(Method::DELETE, &[ORIGIN]).await, (404, both));
    assert_eq!(asked(Method::GET, &[]).await, (200, vec![]));
}

#[actix_rt::test]
async fn a_preflight_is_granted_what_nakama_grants() {
    let preflight = |method, headers| async move {
        let wanted = [
            ORIGIN,
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", headers),
        ];
        asked(Method::OPTIONS, &wanted).await
    };
    let headers =
        "access-control-allow-headers: authorization,content-type,x-login-queue-pass".to_owned();
    assert_eq!(
        preflight("POST", "Accept, authorization,Content-Type,,x-login-queue-pass").await,
        (200, vec![headers, ALLOWED.into(), MAX_AGE.into()])
    );
    let delete = "access-control-allow-methods: DELETE".to_owned();
    let granted = (200, vec![delete, ALLOWED.into(), MAX_AGE.into()]);
    assert_eq!(preflight("DELETE", "").await, granted);
    assert_eq!(preflight("GET", "").await, (200, vec![ALLOWED.into(), MAX_AGE.into()]));

    assert_eq!(preflight("PATCH", "").await, (405, vec![]));
    assert_eq!(preflight("post", "").await, (405, vec![]));
    assert_eq!(preflight("POST", "X-Evil").await, (403, vec![]));
    assert_eq!(preflight("POST", "authorization, b@d").await, (403, vec![]));
}

#[actix_rt::test]
async fn options_without_method_is_400_and_without_origin_200() {
    assert_eq!(asked(Method::OPTIONS, &[ORIGIN]).await, (400, vec![]));
    assert_eq!(asked(Method::OPTIONS, &[]).await, (200, vec![]));
}
