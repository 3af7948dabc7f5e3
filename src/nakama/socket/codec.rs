//! What the server says over a socket, and the two formats of it: JSON in text frames, protobuf in
//! binary ones (protocol-nakama §7.3). Both say the same.

use bytes::Bytes;
use prost::Message as _;

use super::{protobuf, read, write};
use crate::actors::session::{Format, Inbound, Outbound};
use crate::domain::notification::Notification;
use crate::domain::presence::{Event, Presence};
use crate::domain::session::CloseReason;

/// An error's number (§7.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The server's fault.
    Internal = 0,
    /// A message the server does not take.
    Unrecognized = 1,
    /// An envelope without a message.
    Missing = 2,
    /// A value that cannot be right.
    BadInput = 3,
    /// No such match.
    MatchNotFound = 4,
    /// No such function.
    FunctionNotFound = 6,
}

/// A message the server sends.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// The acknowledgement of a request that has no other reply.
    Done,
    /// The reply to a ping.
    Pong,
    /// A request that failed.
    Error(ErrorCode, &'static str),
    /// The reply to a follow: who of them is online, one entry for each session.
    Status(&'a [Presence]),
    /// Who came or went, the same for all who hear of it.
    Event(&'a Event),
    /// News for the player.
    Notification(&'a Notification),
}

/// The format a client chose when it opened its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// `format=json`, or none.
    Json,
    /// `format=protobuf`.
    Protobuf,
}

impl Codec {
    /// The format of this name (§7.1).
    pub const fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"" | b"json" => Some(Self::Json),
            b"protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }

    /// The slot for what is encoded once for many.
    pub const fn format(self) -> Format {
        match self {
            Self::Json => Format::NakamaJson,
            Self::Protobuf => Format::NakamaProtobuf,
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// The reason to close: a frame of the other format, or one that is no envelope.
    pub fn read(self, frame: &Inbound) -> Result<read::Envelope, CloseReason> {
        let envelope = match (self, frame) {
            (Self::Json, Inbound::Text(frame)) => read::envelope(frame),
            (Self::Protobuf, Inbound::Binary(frame)) => protobuf::envelope(frame),
            (Self::Json, Inbound::Binary(_)) | (Self::Protobuf, Inbound::Text(_)) => {
                return Err(CloseReason::WrongFrame);
            }
        };
        envelope.ok_or(CloseReason::Malformed)
    }

    /// An envelope's bytes; `cid` is that of the request, empty when the server speaks first.
    pub fn bytes(self, cid: &str, said: Said<'_>) -> Bytes {
        let envelope = write::envelope(cid, said);
        match self {
            // It cannot fail: no map with odd keys, no fallible writer.
            Self::Json => serde_json::to_vec(&envelope).unwrap_or_default().into(),
            Self::Protobuf => envelope.encode_to_vec().into(),
        }
    }

    /// A frame with these bytes.
    pub const fn frame(self, bytes: Bytes) -> Outbound {
        match self {
            Self::Json => Outbound::Text(bytes),
            Self::Protobuf => Outbound::Binary(bytes),
        }
    }
}

#[cfg(test)]
mod tests;
