//! The page at `/`: join the line, sign in, be online. Embedded in the binary.
//!
//! Plain files in `page/`, no build step, nothing fetched from elsewhere. The page is a client like
//! any other: it speaks Pragma's and Nakama's calls and nothing of its own.

use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, guard, web};

/// What the page may do: its own files, and sockets to the server it came from.
const CSP: &str = "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; \
                   form-action 'self'; object-src 'none'; frame-ancestors 'none'";

/// A file of the page: the name it is served under, its media type, its bytes.
struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page itself.
const INDEX: File = File { path: "/", kind: HTML, bytes: include_bytes!("page/index.html") };

/// What the page asks for.
const ASSETS: [File; 7] = [
    File { path: "/try-it/page.js", kind: SCRIPT, bytes: include_bytes!("page/page.js") },
    File { path: "/try-it/view.js", kind: SCRIPT, bytes: include_bytes!("page/view.js") },
    File { path: "/try-it/standing.js", kind: SCRIPT, bytes: include_bytes!("page/standing.js") },
    File { path: "/try-it/lobby.js", kind: SCRIPT, bytes: include_bytes!("page/lobby.js") },
    File { path: "/try-it/wire.js", kind: SCRIPT, bytes: include_bytes!("page/wire.js") },
    File {
        path: "/try-it/page.css",
        kind: "text/css; charset=utf-8",
        bytes: include_bytes!("page/page.css"),
    },
    File {
        path: "/try-it/icon.svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("page/icon.svg"),
    },
];

/// Registers `/` and the page's files. Only GET and HEAD are taken; other methods go on to the
/// port's own answer for what it does not know.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(reading("/").to(root));
    for file in &ASSETS {
        config.service(reading(file.path).to(move || std::future::ready(serve(file))));
    }
}

fn reading(path: &'static str) -> actix_web::Resource {
    web::resource(path).guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// People get the page. Everybody else, load balancers first of all, gets what Nakama answers: 200
/// and nothing (protocol-nakama §12).
async fn root(request: HttpRequest) -> HttpResponse {
    if wants_html(request.headers()) {
        return serve(&INDEX);
    }
    HttpResponse::Ok().insert_header((VARY, "Accept")).finish()
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|kind| {
            kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/html")
        })
    })
}

fn serve(file: &'static File) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, file.kind))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((VARY, "Accept"))
        .insert_header((CONTENT_SECURITY_POLICY, CSP))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .body(file.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use actix_web::{App, http::StatusCode};

    async fn ask(method: Method, path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
        let app = init_service(App::new().configure(routes)).await;
        let request = TestRequest::with_uri(path).method(method).insert_header((ACCEPT, accept));
        let response = call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, String::from_utf8(read_body(response).await.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn a_browser_gets_the_page_and_it_may_load_nothing_from_elsewhere() {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let (status, headers, body) = ask(Method::GET, "/", accept).await;
        assert_eq!(status, 200);
        assert_eq!(headers.get(CONTENT_TYPE).unwrap(), HTML);
        assert_eq!(headers.get(CACHE_CONTROL).unwrap(), "no-cache");
        assert_eq!(headers.get(X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
        let csp = headers.get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(csp.starts_with("default-src 'self';") && !csp.contains("unsafe"), "{csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
        assert!(body.starts_with("<!doctype html>"));
    }

    #[actix_web::test]
    async fn a_load_balancer_gets_an_empty_200() {
        for accept in ["", "*/*", "application/json", "text/htmlish"] {
            let (status, _, body) = ask(Method::GET, "/", accept).await;
            assert_eq!((status.as_u16(), body.as_str()), (200, ""), "{accept:?}");
        }
        assert_eq!(ask(Method::HEAD, "/", "*/*").await.0, 200);
    }

    #[actix_web::test]
    async fn other_methods_are_left_to_the_port() {
        assert_eq!(ask(Method::POST, "/", "text/html").await.0, 404);
    }

    #[actix_web::test]
    async fn everything_the_page_names_is_served_and_small() {
        let mut named = 0;
        let mut size = INDEX.bytes.len();
        for file in &ASSETS {
            size += file.bytes.len();
            let (status, headers, _) = ask(Method::GET, file.path, "*/*").await;
            assert_eq!(
                (status.as_u16(), headers.get(CONTENT_TYPE).unwrap().to_str().unwrap()),
                (200, file.kind)
            );
        }
        for file in ASSETS.iter().chain([&INDEX]) {
            let text = std::str::from_utf8(file.bytes).unwrap();
            for path in text
                .split('"')
                .filter(|part| part.starts_with("/try-it/") || part.starts_with("./"))
            {
                let name = path.trim_start_matches("/try-it/").trim_start_matches("./");
                assert!(
                    ASSETS.iter().any(|asset| asset.path == format!("/try-it/{name}")),
                    "{path}"
                );
                named += 1;
            }
            let elsewhere = text.replace("http://www.w3.org/2000/svg", "").contains("://");
            assert!(!elsewhere, "{} names another host", file.path);
        }
        assert!(named >= ASSETS.len());
        assert!(size < 64 << 10, "{size} bytes");
    }

    #[test]
    fn the_page_writes_no_markup_and_no_style_the_policy_would_refuse() {
        let index = std::str::from_utf8(INDEX.bytes).unwrap();
        for word in [" style=", " onclick", "<style", "javascript:"] {
            assert!(!index.contains(word), "{word}");
        }
        for file in &ASSETS {
            let text = std::str::from_utf8(file.bytes).unwrap();
            assert!(!text.contains("innerHTML"), "{}: names come from other players", file.path);
        }
    }
}
