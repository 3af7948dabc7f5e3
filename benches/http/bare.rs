//! The yardstick: the least an actix-web server does for a JSON POST.

use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Body {
    token: String,
}

/// Serves on a free port, announced like the real server's.
pub fn serve() {
    actix_rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new().route(
                "/",
                web::post().to(|body: web::Json<Body>| async { HttpResponse::Ok().json(body) }),
            )
        })
        .workers(2)
        .bind(("127.0.0.1", 0))
        .unwrap();
        println!(
            "bare is ready: players http://{}, operators http://{}",
            server.addrs()[0],
            server.addrs()[0]
        );
        server.run().await.unwrap();
    });
}
