//! The outermost part of every HTTP port: what each request is called, how long it took, and what
//! came of it.

use std::borrow::Cow;

use actix_http::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_http::{ConnectionType, Request};
use actix_service::{Service as _, ServiceFactory, apply_fn_factory};
use actix_web::HttpRequest;
use actix_web::dev::ServiceResponse;

use super::parts::Running;
use crate::observe::access::{Asked, Doorway, NO_ROUTE, REQUEST_ID, Said};
use crate::observe::health::Stage;
use crate::observe::{Health, PortKind, Traffic};
use crate::{nakama, pragma};

/// Looks at what comes through one port. Cheap to clone.
#[derive(Clone)]
pub(super) struct Observed {
    doorway: Doorway,
    traffic: Traffic,
    health: Health,
}

impl Observed {
    /// `is_private`: only the studio's own machines come by this port.
    pub fn new(running: &Running, port: PortKind, is_private: bool) -> Self {
        let doorway = running.access.by(port.name(), is_private);
        Self { doorway, traffic: running.traffic.clone(), health: running.health.clone() }
    }

    /// For requests that do not come by way of [`Self::around`].
    pub fn doorway(&self) -> Doorway {
        self.doorway.clone()
    }

    /// `app`, with every request looked at.
    pub fn around<S, B>(
        &self,
        app: S,
    ) -> impl ServiceFactory<
        Request,
        Config = S::Config,
        Response = ServiceResponse<B>,
        Error = S::Error,
        InitError = S::InitError,
    > + use<S, B>
    where
        S: ServiceFactory<Request, Response = ServiceResponse<B>>,
    {
        let this = self.clone();
        apply_fn_factory(app, move |request: Request, app: &S::Service| {
            let said = Said::in_headers(request.head().headers());
            let asked = this.doorway.begin(request.peer_addr(), said);
            let (traffic, health) = (this.traffic.clone(), this.health.clone());
            asked.answer(app.call(request), move |asked, answer| {
                answer.map(|answer| answered(asked, (&traffic, &health), answer))
            })
        })
    }
}

fn answered<B>(
    asked: Asked,
    (traffic, health): (&Traffic, &Health),
    mut answer: ServiceResponse<B>,
) -> ServiceResponse<B> {
    let status = answer.status().as_u16();
    traffic.answered(status);
    if health.stage() == Stage::Draining {
        // Connections that nobody needs would keep the server from stopping.
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    // No answer is anything else than it says.
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(id) = asked.header() {
        answer.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id);
    }
    asked.end(status, || {
        let request = answer.request();
        (request.method().clone(), route(request))
    });
    answer
}

/// The route of a request as it is registered. Front ends that look up paths themselves know theirs.
fn route(request: &HttpRequest) -> Cow<'static, str> {
    let path = request.path();
    let known = pragma::named(path).or_else(|| nakama::rest::routes::named(path));
    match known {
        Some(known) => known.into(),
        None => request.match_pattern().map_or(NO_ROUTE.into(), Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use actix_http::{Method, StatusCode};
    use actix_service::{Service as _, map_config};
    use actix_web::dev::AppConfig;
    use actix_web::{App, HttpResponse, web};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::ids::Dice;
    use crate::observe::overheard::{Overheard, listen};
    use crate::observe::{Access, Tracer};

    fn port(is_private: bool) -> Observed {
        let access = Access::new(&Dice::seeded(1), Tracer::default(), vec![]);
        let doorway = access.by("players", is_private);
        Observed { doorway, traffic: Traffic::default(), health: Health::default() }
    }

    /// Asks for a path with an id, and says the answer's status and id.
    async fn ask(observed: &Observed, path: &str, id: &'static str) -> (StatusCode, String) {
        let here = || async { HttpResponse::Ok().finish() };
        let app = App::new().route("/secret/{token}", web::get().to(here));
        let app = observed.around(map_config(app, |()| AppConfig::default()));
        let app = app.new_service(()).await.unwrap();
        let mut request = Request::new();
        *request.uri_mut() = path.parse().unwrap();
        request.head_mut().method = Method::GET;
        let headers = request.head_mut().headers_mut();
        headers.insert(HeaderName::from_static(REQUEST_ID), HeaderValue::from_static(id));
        let answer = app.call(request).await.unwrap();
        assert_eq!(answer.headers().get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        let given = answer.headers().get(REQUEST_ID).unwrap().to_str().unwrap().to_owned();
        (answer.status(), given)
    }

    #[actix_rt::test]
    async fn an_id_is_taken_where_only_our_own_machines_are_and_made_where_it_is_not() {
        for path in ["/secret/1", "/nowhere"] {
            let (_, id) = ask(&port(true), path, "deploy-2026-11").await;
            assert_eq!(id, "deploy-2026-11");
            for (is_private, given) in [(false, "deploy-2026-11"), (true, "a b"), (true, "short")] {
                let (_, id) = ask(&port(is_private), path, given).await;
                assert_eq!((id.len(), id.contains('-')), (16, false), "{id}");
            }
        }
    }

    #[actix_rt::test]
    async fn a_request_is_a_line_in_the_log_and_its_secrets_are_not() {
        let kept = Overheard::default();
        let to = kept.clone();
        let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
        let layer = layer.with_writer(move || to.clone());
        let guard = listen(tracing_subscriber::registry().with(layer));
        let observed = port(true);
        ask(&observed, "/secret/hush?key=hush", "deploy-2026-11").await;
        ask(&observed, "/hush/nowhere", "deploy-2026-11").await;
        drop(guard);
        let text = kept.take();
        assert!(!text.contains("hush"), "{text}");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told = |at: usize, key: &str| lines[at][key].clone();
        assert_eq!((told(0, "route"), told(0, "status")), ("/secret/{token}".into(), 200.into()));
        assert_eq!((told(0, "method"), told(0, "port")), ("GET".into(), "players".into()));
        assert_eq!((told(1, "route"), told(1, "status")), ("none".into(), 404.into()));
        assert!(told(0, "micros").is_u64() && lines.len() == 2, "{text}");
        assert_eq!(observed.traffic.answers().client_errors, 1);
    }
}
