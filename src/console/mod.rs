//! The operators' console: the files of `console/`, embedded in the binary and served at `/` and
//! `/console/…` of the operators' port. It knows nothing of ours: the pages speak the operator API.
//!
//! What is sent was made of the modules there and of what comes from npm by `console/build.mjs`, and
//! lies in `console/dist`: nobody who builds or runs the program needs npm (`docs/console.md`).

use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{
    self, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, EntityTag, IfNoneMatch, VARY,
};
use actix_web::{HttpRequest, HttpResponse, guard, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What the pages may do: the console's own files and calls to the server they came from. `data:` is
/// for the arrows and ticks that the style sheet draws.
const CSP: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; \
                   form-action 'self'; object-src 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file of the console: its path below `console/`, its media type, its bytes.
struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal $kind:ident),* $(,)?) => {
        &[$(File {
            path: $path,
            kind: $kind,
            bytes: include_bytes!(concat!("../../console/", $path)),
        }),*]
    };
}

/// Everything that is served. The first one is the page itself.
const FILES: &[File] = files![
    "index.html" HTML,
    "icon.svg" PICTURE,
    "theme.js" SCRIPT,
    "dist/console.js" SCRIPT,
    "dist/console.css" STYLE,
];

/// A file as it is sent.
struct Packed {
    gzip: Vec<u8>,
    tag: EntityTag,
}

/// Packed once, when the first page is asked for: some ten milliseconds.
static PACKED: LazyLock<Vec<Packed>> = LazyLock::new(|| FILES.iter().map(pack).collect());

fn pack(file: &File) -> Packed {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let packed = gzip.write_all(file.bytes).and_then(|()| gzip.finish());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, file.bytes);
    let name = URL_SAFE_NO_PAD.encode(digest.as_ref());
    // Weak: packed and not, it is the same file.
    Packed { gzip: packed.unwrap_or_default(), tag: EntityTag::new_weak(name) }
}

/// Registers `/` and the console's files. Only GET and HEAD are taken; other methods go on to the
/// port's own answer for what it does not know.
pub fn routes(config: &mut web::ServiceConfig) {
    let reading = |path| web::resource(path).guard(guard::Any(guard::Get()).or(guard::Head()));
    let root = |request: HttpRequest| std::future::ready(serve(0, &request));
    config.service(reading("/").to(root)).service(reading("/console/{path:.*}").to(file));
}

async fn file(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let at = FILES.iter().position(|file| file.path == path.as_str());
    at.map_or_else(|| HttpResponse::NotFound().finish(), |at| serve(at, &request))
}

/// One file: not at all if the browser has it, packed if it takes that.
fn serve(at: usize, request: &HttpRequest) -> HttpResponse {
    let (file, packed) = (&FILES[at], &PACKED[at]);
    let mut answer = HttpResponse::Ok();
    let has = <IfNoneMatch as header::Header>::parse(request).is_ok_and(|known| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|tag| tag.weak_eq(&packed.tag)),
    });
    if has {
        answer.status(actix_web::http::StatusCode::NOT_MODIFIED);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-cache"),
        (VARY, "Accept-Encoding"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    ] {
        answer.insert_header((name, value));
    }
    answer.insert_header((ETAG, packed.tag.to_string())).insert_header((CONTENT_TYPE, file.kind));
    if has {
        return answer.finish();
    }
    if !packed.gzip.is_empty() && takes_gzip(request) {
        return answer.insert_header((CONTENT_ENCODING, "gzip")).body(packed.gzip.as_slice());
    }
    answer.body(file.bytes)
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && parts.next().is_none_or(|q| !matches!(q, "q=0" | "q=0.0"))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::path::Path;

    use super::*;
    use actix_web::App;
    use actix_web::http::header::HeaderMap;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};

    /// What the console may weigh, packed, all of it.
    const PACKED_MAX: usize = 60_000;

    async fn ask(path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
        let app = init_service(App::new().configure(routes)).await;
        let request = headers
            .iter()
            .fold(TestRequest::with_uri(path), |request, header| request.insert_header(*header));
        let response = call_service(&app, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        (status.as_u16(), headers, read_body(response).await.to_vec())
    }

    #[actix_web::test]
    async fn the_page_may_load_nothing_from_elsewhere_and_is_framed_by_nobody() {
        let (status, headers, body) = ask("/", &[]).await;
        let told = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        assert_eq!((status, told("content-type")), (200, HTML));
        let csp = told("content-security-policy");
        assert!(csp.starts_with("default-src 'self';") && !csp.contains("unsafe"), "{csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(told(name), value, "{name}");
        }
        assert!(body.starts_with(b"<!doctype html>"));
        for path in [
            "/console/",
            "/console/../Cargo.toml",
            "/console/index",
            "/console/dist/console.js.map",
        ] {
            assert_eq!(ask(path, &[]).await.0, 404, "{path}");
        }
    }

    #[actix_web::test]
    async fn a_file_is_sent_packed_and_not_again_while_it_is_the_same() {
        let (_, plain, bytes) = ask("/console/dist/console.js", &[]).await;
        assert!(plain.get("content-encoding").is_none());
        let taken = [("accept-encoding", "br;q=1, gzip;q=0.8")];
        let (_, headers, packed) = ask("/console/dist/console.js", &taken).await;
        assert_eq!(headers.get("content-encoding").unwrap(), "gzip");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
        assert!(text == bytes && packed.len() < bytes.len());
        assert!(
            ask("/", &[("accept-encoding", "gzip;q=0")]).await.1.get("content-encoding").is_none()
        );

        let tag = headers.get("etag").unwrap().to_str().unwrap();
        let again = ask("/console/dist/console.js", &[("if-none-match", tag)]).await;
        assert_eq!((again.0, again.2.len()), (304, 0));
        assert_eq!(ask("/console/dist/console.css", &[("if-none-match", tag)]).await.0, 200);
    }

    #[test]
    fn all_of_it_is_small() {
        assert!(PACKED.iter().all(|file| !file.gzip.is_empty()));
        let size: usize = PACKED.iter().map(|file| file.gzip.len()).sum();
        println!("{size} bytes packed");
        assert!(size <= PACKED_MAX, "{size} bytes");
    }

    #[test]
    fn what_the_page_names_is_served() {
        let page = std::str::from_utf8(FILES[0].bytes).unwrap();
        let named: Vec<&str> =
            page.split('"').filter_map(|path| path.strip_prefix("console/")).collect();
        assert_eq!(named.len(), FILES.len() - 1, "{named:?}");
        for path in named {
            assert!(FILES.iter().any(|file| file.path == path), "{path}");
        }
    }

    #[test]
    fn no_file_of_ours_writes_markup_or_what_the_policy_would_refuse() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("console");
        let entries = ["", "pages"].map(|part| std::fs::read_dir(folder.join(part)).unwrap());
        let mut seen = 0;
        for path in entries.into_iter().flatten().map(|entry| entry.unwrap().path()) {
            let ends = |end: &str| path.extension().is_some_and(|it| it == end);
            if path.ends_with("package.json") || !["js", "css", "html", "svg"].into_iter().any(ends)
            {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["innerHTML", "style=\"", "<style", "onclick=\"", "eval(", "document.write"]
            {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
            let elsewhere = text.replace("http://www.w3.org/", "").contains("://");
            assert!(!elsewhere, "{} names another host", path.display());
        }
        assert!(seen > 20, "{seen}");
    }
}
