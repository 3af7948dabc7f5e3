//! A small gRPC client: unary calls over one connection, on hyper's HTTP/2.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A connection. Clones share it.
#[derive(Clone)]
pub struct Client(SendRequest<Full<Bytes>>, SocketAddr);

/// A call that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    pub code: u64,
    pub message: String,
    pub metadata: Box<HeaderMap>,
}

/// An answer as it came: headers, bytes, and the headers with the trailers.
pub struct Raw {
    pub headers: HeaderMap,
    pub body: Bytes,
    pub all: HeaderMap,
}

impl Client {
    /// Connects; the task ends with the connection.
    pub async fn connect(to: SocketAddr) -> (Self, JoinHandle<hyper::Result<()>>) {
        let stream = TcpStream::connect(to).await.unwrap();
        Self::over(stream, to).await
    }

    /// The same over a connection that is there.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        to: SocketAddr,
    ) -> (Self, JoinHandle<hyper::Result<()>>) {
        let (send, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        (Self(send, to), actix_rt::spawn(connection))
    }

    /// Calls `nakama.api.Nakama/<rpc>`.
    pub async fn call<A: Message + Default>(
        &self,
        rpc: &str,
        metadata: &[(&str, &str)],
        message: &impl Message,
    ) -> Result<A, Refused> {
        let path = format!("/nakama.api.Nakama/{rpc}");
        let raw = self.send(&path, metadata, framed(0, &message.encode_to_vec())).await.unwrap();
        raw.answer()
    }

    /// Sends these very bytes.
    pub async fn send(
        &self,
        path: &str,
        metadata: &[(&str, &str)],
        body: Vec<u8>,
    ) -> hyper::Result<Raw> {
        let mut request =
            Request::post(format!("http://{}{path}", self.1)).header("te", "trailers");
        if !metadata.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/grpc");
        }
        for (name, value) in metadata {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = self.0.clone().send_request(request).await?;
        let headers = response.headers().clone();
        let collected = response.into_body().collect().await?;
        let mut all = headers.clone();
        all.extend(collected.trailers().cloned().unwrap_or_default());
        Ok(Raw { headers, body: collected.to_bytes(), all })
    }
}

impl Raw {
    /// The message, or why there is none.
    pub fn answer<A: Message + Default>(mut self) -> Result<A, Refused> {
        let text = |name| self.all.get(name).map(|value| value.to_str().unwrap().to_owned());
        let code = text("grpc-status").expect("a status").parse().unwrap();
        if code != 0 {
            let message = unescaped(&text("grpc-message").unwrap_or_default());
            return Err(Refused { code, message, metadata: Box::new(self.all) });
        }
        let (compressed, length) = (self.body.get_u8(), self.body.get_u32());
        assert_eq!(u32::try_from(self.body.len()).unwrap(), length, "one message, whole");
        let mut plain = self.body.to_vec();
        if compressed == 1 {
            plain.clear();
            flate2::read::GzDecoder::new(&*self.body).read_to_end(&mut plain).unwrap();
        }
        Ok(A::decode(&*plain).unwrap())
    }
}

/// A message on the wire.
pub fn framed(compressed: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[compressed][..], &length[..], message].concat()
}

/// A message on the wire, compressed.
pub fn gzipped(message: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(message).unwrap();
    framed(1, &gzip.finish().unwrap())
}

/// `%41` is an `A`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if let (b'%', [high, low, after @ ..]) = (byte, after) {
            let digits = String::from_utf8(vec![*high, *low]).unwrap();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
