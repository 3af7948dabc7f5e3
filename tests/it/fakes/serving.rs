//! A server that plays somebody outside: on a free port, on a thread of its own, until it is dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use actix_web::web::Data;
use actix_web::{App, FromRequest, Handler, HttpServer, Responder, web};
use tokio::sync::oneshot;

/// A running one.
pub struct Serving {
    /// Where it is.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Answers every path with `answer`, which may ask for `state`.
    pub async fn start<S, H, Args>(state: Arc<S>, answer: H) -> Self
    where
        S: Send + Sync + 'static,
        H: Handler<Args> + Send,
        Args: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        let (started, has_started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let state = Data::from(state);
                let app = move || {
                    App::new().app_data(state.clone()).default_service(web::to(answer.clone()))
                };
                let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(0);
                let server = server.bind(("127.0.0.1", 0)).unwrap();
                let address = server.addrs()[0];
                let running = server.run();
                let handle = running.handle();
                actix_web::rt::spawn(running);
                let _ = started.send(address);
                let _ = stopped.await;
                handle.stop(false).await;
            });
        });
        let address = has_started.await.expect("the server starts");
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// Goes away: its port answers nobody.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}
