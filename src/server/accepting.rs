//! From an accepted connection to the service behind its port, with TLS or without.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};

use actix_server::ServerBuilder;
use actix_service::{ServiceFactory, ServiceFactoryExt as _, fn_service};
use tokio::net::TcpStream;

use crate::actors::session::Connection;
use crate::nakama;
use crate::tls::Acceptor;

/// A connection, and whose it is.
pub(super) type Accepted<T> = (T, Option<SocketAddr>);

/// What is behind a port, whatever carries its bytes.
pub(super) trait Behind: Clone + Send + 'static {
    /// One worker's service.
    fn service<T: Connection>(
        &self,
    ) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = (), InitError = ()>
    + use<T, Self>;
}

impl Behind for nakama::grpc::Port {
    fn service<T: Connection>(
        &self,
    ) -> impl ServiceFactory<Accepted<T>, Config = (), Response = (), Error = (), InitError = ()> + use<T>
    {
        self.service()
    }
}

/// Adds a port to the server.
pub(super) fn listen(
    server: ServerBuilder,
    name: &str,
    listener: TcpListener,
    behind: impl Behind,
    tls: Option<Acceptor>,
) -> io::Result<ServerBuilder> {
    let Some(acceptor) = tls else {
        return server.listen(name, listener, move || {
            let accepted = |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                ready(Ok::<_, ()>((stream, peer)))
            };
            fn_service(accepted).and_then(behind.service())
        });
    };
    server.listen(name, listener, move || {
        let acceptor = acceptor.clone();
        let accepted = move |stream: TcpStream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.map_err(drop) }
        };
        fn_service(accepted).and_then(behind.service())
    })
}
