//! The HTTP server's upgrade service: from a request that wants a socket to a running session.

use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::{Request, RequestHead, h1};
use actix_service::{Service, ServiceFactory};
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::actor::Session;
use super::door::{NoPlace, NoSlotFor, Seat};
use super::transport::{Connection, Transport};
use super::{Denied, SessionDoor, SocketRoute, StreamRoute, Teller, Welcome, Wire, handshake};
use crate::observe::access::{Asked, Doorway, NO_ROUTE, Said};
use crate::observe::request::RequestId;

/// How long a handshake may take to be decided.
const DECIDE: Duration = Duration::from_secs(10);
/// How long the answer may take to go out.
const ANSWER: Duration = Duration::from_secs(5);
/// How long, and how much, is read behind a refusal so that the client sees it.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 65_536;

/// The upgrade service of an HTTP server: give it to `HttpService::build().upgrade(..)`. Requests
/// with `Upgrade: websocket` come here whatever their path; where no route is, the answer is 404.
pub fn upgrade(door: SessionDoor, routes: Vec<Arc<dyn SocketRoute>>) -> Upgrade {
    let doorway = Doorway::default();
    Upgrade { door, routes: Rc::new(routes), streams: Rc::default(), doorway }
}

/// See [`upgrade`].
#[derive(Clone)]
pub struct Upgrade {
    door: SessionDoor,
    routes: Rc<Vec<Arc<dyn SocketRoute>>>,
    streams: Rc<Vec<Arc<dyn StreamRoute>>>,
    doorway: Doorway,
}

/// What a handshake comes to.
enum Opened {
    Session(Box<Welcome>, Seat),
    Stream(Teller),
}

type Raw<T> = (Request, Framed<T, h1::Codec>);

impl<T: Connection> ServiceFactory<Raw<T>> for Upgrade {
    type Response = ();
    type Error = actix_http::Error;
    type Config = ();
    type Service = Self;
    type InitError = ();
    type Future = Ready<Result<Self, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        ready(Ok(self.clone()))
    }
}

impl<T: Connection> Service<Raw<T>> for Upgrade {
    type Response = ();
    type Error = actix_http::Error;
    type Future = LocalBoxFuture<'static, Result<(), actix_http::Error>>;

    actix_service::always_ready!();

    fn call(&self, (request, framed): Raw<T>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let said = Said::in_headers(request.head().headers());
            let asked = this.doorway.begin(request.peer_addr(), said);
            let (id, method) = (asked.id, request.method().clone());
            let serving = this.serve(&request, framed, id);
            let end = |asked: Asked, (status, route)| asked.end(status, || (method, route));
            asked.answer(serving, end).await;
            Ok(())
        })
    }
}

impl Upgrade {
    /// The same, by this door.
    #[must_use]
    pub fn by(self, doorway: Doorway) -> Self {
        Self { doorway, ..self }
    }

    /// The same with these streams.
    #[must_use]
    pub fn with_streams(self, streams: Vec<Arc<dyn StreamRoute>>) -> Self {
        Self { streams: Rc::new(streams), ..self }
    }

    /// Answers the handshake. The session, if there is one, is a task of its own: what HTTP kept
    /// for the connection is freed when this returns. Says what was answered, and at which route.
    async fn serve<T: Connection>(
        &self,
        request: &Request,
        framed: Framed<T, h1::Codec>,
        id: RequestId,
    ) -> (u16, &'static str) {
        let head = request.head();
        let route = self.route(head.uri.path());
        let decided = tokio::time::timeout(DECIDE, self.decide(head, request.peer_addr())).await;
        let decided = decided.unwrap_or_else(|_| Err(handshake::refused(503, "too busy", Some(1))));
        let mut parts = framed.into_parts();
        // Answers to requests before this one may still be on their way.
        let mut answer = std::mem::take(&mut parts.write_buf).to_vec();
        let mut stream = parts.io;
        match decided {
            Ok((accept, opened)) => {
                answer.extend_from_slice(handshake::accepted(&accept, id).as_bytes());
                // Frames are small and written in batches already: none should wait for another.
                stream.send_at_once();
                let early = parts.read_buf.to_vec();
                match opened {
                    Opened::Session(welcome, seat) => {
                        let most = welcome.limits.message_max_bytes;
                        let transport = Transport::new(Box::new(stream), early, most);
                        Session::start(transport, answer.into(), *welcome, seat, self.door.clone());
                    }
                    Opened::Stream(teller) => {
                        actix_rt::spawn(teller(Wire::new(stream, early, answer.into())));
                    }
                }
                (101, route)
            }
            Err(denied) => {
                self.door.counters().count_denied();
                answer.extend_from_slice(handshake::denied(&denied, head, id).as_bytes());
                if is_sent(&mut stream, &answer).await {
                    let _ = tokio::time::timeout(LINGER, linger(&mut stream)).await;
                }
                (denied.status, route)
            }
        }
    }

    /// The path of the route that is asked for, as it is registered.
    fn route(&self, asked: &str) -> &'static str {
        let streams = self.streams.iter().map(|route| route.path());
        let mut paths = streams.chain(self.routes.iter().map(|route| route.path()));
        paths.find(|path| path.eq_ignore_ascii_case(asked)).unwrap_or(NO_ROUTE)
    }

    async fn decide(
        &self,
        head: &RequestHead,
        peer: Option<SocketAddr>,
    ) -> Result<(String, Opened), Denied> {
        // Pragma's paths are matched whatever their case (protocol-pragma §16).
        let asked = head.uri.path();
        if let Some(route) = self.streams.iter().find(|route| route.path() == asked) {
            let teller = route.admit(head, peer).await?;
            return Ok((handshake::check(head)?, Opened::Stream(teller)));
        }
        let route = self.routes.iter().find(|route| route.path().eq_ignore_ascii_case(asked));
        let route = route.ok_or_else(handshake::not_found)?;
        let welcome = Box::new(route.admit(head, peer).await?);
        let accept = handshake::check(head)?;
        let mut seat = self.door.enter(&welcome).map_err(|no_place| match no_place {
            NoPlace::TooMany => handshake::refused(429, "too many open connections", None),
            NoPlace::ShuttingDown { back_in_s } => {
                handshake::refused(503, "shutting down", Some(back_in_s.into()))
            }
        })?;
        if welcome.holds_slot {
            let full = |secs| Err((welcome.when_full)(secs));
            match seat.take_slot().await {
                Ok(Ok(())) => {}
                Ok(Err(NoSlotFor { retry_after_s })) => return full(retry_after_s),
                Err(_) => return full(1),
            }
        }
        Ok((accept, Opened::Session(welcome, seat)))
    }
}

async fn is_sent(stream: &mut impl Connection, answer: &[u8]) -> bool {
    let sent = async {
        stream.write_all(answer).await?;
        stream.flush().await
    };
    matches!(tokio::time::timeout(ANSWER, sent).await, Ok(Ok(())))
}

/// Closing with bytes unread resets the connection before the client has read the answer.
async fn linger(stream: &mut impl Connection) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut waste = [0; 1024];
    for _ in 0..LINGER_BYTES / waste.len() {
        if stream.read(&mut waste).await? == 0 {
            break;
        }
    }
    Ok(())
}
