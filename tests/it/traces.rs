//! Traces: a collector hears of a real sign-in, under the trace that the client said; without a
//! collector nobody notices.

use std::sync::{Arc, Mutex};

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use crate::fakes::serving::Serving;
use crate::harness::{Answer, TestServer, ask_with};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// What a collector was sent.
#[derive(Default)]
struct Collected(Mutex<Vec<ExportTraceServiceRequest>>);

async fn collect(heard: Data<Collected>, request: HttpRequest, body: Bytes) -> HttpResponse {
    assert_eq!(request.path(), "/v1/traces");
    let kind = request.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/x-protobuf");
    heard.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

impl Collected {
    fn spans(&self) -> Vec<Span> {
        let heard = self.0.lock().unwrap();
        let scopes = heard.iter().flat_map(|it| &it.resource_spans).flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }
}

/// Signs in, or up, by e-mail.
async fn sign_in(server: &TestServer, name: &str, traceparent: Option<&str>) -> Answer {
    let key = base64::engine::general_purpose::STANDARD.encode(format!("{}:", server.server_key));
    let basic = format!("Basic {key}");
    let mut headers = vec![("Authorization", basic.as_str())];
    headers.extend(traceparent.map(|it| ("traceparent", it)));
    let url = server.url("/v2/account/authenticate/email?create=true");
    let body = json!({"email": format!("{name}@example.com"), "password": "correct horse"});
    ask_with("POST", &url, &headers, Some(body)).await
}

fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    let found = span.attributes.iter().find(|it| it.key == key).and_then(|it| it.value.as_ref());
    match found.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => text,
        other => panic!("{key}: {other:?}"),
    }
}

#[actix_rt::test]
async fn a_collector_hears_of_a_sign_in_under_the_clients_trace() {
    let heard = Arc::new(Collected::default());
    let collector = Serving::start(Arc::clone(&heard), collect).await;
    let endpoint = format!("http://{}", collector.address);
    let server = TestServer::start(|config| {
        config.trace.endpoint = endpoint;
        config.trace.sample = 0.0;
        config.trace.service_name = "door-1".into();
    })
    .await;
    let traced = sign_in(&server, "ada", Some(&format!("00-{TRACE}-{SPAN}-01"))).await;
    assert_eq!(traced.status, 200, "{}", traced.text);
    assert_eq!(sign_in(&server, "bea", Some(&format!("00-{TRACE}-{SPAN}-00"))).await.status, 200);
    assert_eq!(sign_in(&server, "cleo", None).await.status, 200);
    // The last spans are sent when the server stops.
    server.stop();

    let spans = heard.spans();
    assert!(spans.iter().all(|span| anteroom::domain::digest::hex(&span.trace_id) == TRACE));
    let named = |name: &str| {
        let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: only one of them was to be traced");
        found[0]
    };
    let request = named("request");
    assert_eq!(anteroom::domain::digest::hex(&request.parent_span_id), SPAN);
    assert_eq!(text(request, "http.route"), "/v2/account/authenticate/email");
    assert_eq!(text(request, "anteroom.request_id"), traced.header("x-request-id").unwrap());
    let whole = named("sign in");
    assert_eq!(whole.parent_span_id, request.span_id);
    for step in ["take place", "hash password", "commit account"] {
        let step = named(step);
        assert_eq!(step.parent_span_id, whole.span_id);
        assert!(step.end_time_unix_nano >= step.start_time_unix_nano);
    }
    let sent = format!("{:?}", heard.0.lock().unwrap());
    assert!(sent.contains("door-1"), "{sent}");
    assert!(!sent.contains("example.com") && !sent.contains("horse"), "nothing of whom: {sent}");
}

#[actix_rt::test]
async fn a_collector_that_is_not_there_does_no_harm() {
    let mut nobody = Serving::start(Arc::new(Collected::default()), collect).await;
    nobody.stop();
    let endpoint = format!("http://{}", nobody.address);
    let server = TestServer::start(|config| {
        config.trace.endpoint = endpoint;
        config.trace.sample = 1.0;
    })
    .await;
    for n in 0..5 {
        assert_eq!(sign_in(&server, &format!("ada{n}"), None).await.status, 200);
    }
    let url = format!("http://{}/metrics", server.operators);
    for _ in 0..10_000 {
        let page = ask_with("GET", &url, &[], None).await.text;
        assert!(page.contains("trace_spans_total{result=\"sent\"} 0"), "{page}");
        if !page.contains("trace_spans_total{result=\"failed\"} 0") {
            server.stop();
            return;
        }
    }
    panic!("what a collector does not take is counted");
}
