//! What a protocol has to say to be spoken over a socket: a dialect. Front ends implement it; the
//! session carries it and knows no wire.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::account::Ban;
use crate::domain::friend::ListNews;
use crate::domain::notification::Notification;
use crate::domain::presence::{Event, NoPresence, Presence, RichAsk};
use crate::domain::session::CloseReason;
use crate::domain::session::attributes::Changed;
use crate::domain::time::UnixMicros;

/// A data message from the client, whole.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// A text frame, valid UTF-8.
    Text(Bytes),
    /// A binary frame.
    Binary(Bytes),
}

/// A data message to the client. `Bytes` are shared, not copied, between receivers.
#[derive(Clone, Debug)]
pub enum Outbound {
    /// A text frame; the bytes are valid UTF-8.
    Text(Bytes),
    /// A binary frame.
    Binary(Bytes),
}

/// Something a dialect wants done, in order.
pub enum Effect {
    /// Send this message.
    Send(Outbound),
    /// Show this status, or `None` to appear offline; then continue with the effects `done` gives.
    SetStatus(Option<String>),
    /// Show this rich presence; whether there is one then is handed to the second.
    SetRich(RichAsk, ReplyToSet),
    /// Follow these players; the snapshot of who is online is handed to `reply`.
    Follow(Vec<crate::domain::account::AccountId>, ReplyWith),
    /// Follow them no more.
    Unfollow(Vec<crate::domain::account::AccountId>),
    /// Wait for a use case, then carry on with what it gives. Further frames of this socket are
    /// read only when it has finished: replies stay in request order.
    Call(Pin<Box<dyn Future<Output = Vec<Effect>>>>),
    /// The session's token was replaced: it now lives until this moment.
    ExtendUntil(UnixMicros),
    /// End the session.
    Close(CloseReason),
}

/// Makes the reply to a follow from what is online now.
pub type ReplyWith = Box<dyn FnOnce(&[Presence]) -> Vec<Effect>>;

/// Makes the reply to a rich presence.
pub type ReplyToSet = Box<dyn FnOnce(Result<(), NoPresence>) -> Vec<Effect>>;

/// One protocol over one socket.
pub trait Dialect: 'static {
    /// The socket is open and the player counted: what to say first.
    fn opened(&mut self, now: UnixMicros) -> Vec<Effect>;
    /// A message came in.
    fn message(&mut self, message: Inbound, now: UnixMicros) -> Vec<Effect>;
    /// Somebody followed has changed; `None`: this protocol does not say so. Must be cheap: the
    /// shared encoding is in `event`, made once for all receivers of a format.
    fn event(&mut self, event: &Shared) -> Option<Outbound>;
    /// What else there is to say about the same event.
    fn also(&mut self, _event: &Shared) -> Option<Outbound> {
        None
    }
    /// The player's list of friends has changed. What is said about it is to be made when it is
    /// its turn.
    fn list(&mut self, _news: &Arc<ListNews>) -> Vec<Effect> {
        Vec::new()
    }
    /// The player is told something; `None`: this protocol does not say so. Shared like an event.
    fn notification(&mut self, _told: &Shared<Notification>) -> Option<Outbound> {
        None
    }
    /// Attributes of the session have changed; `None`: this protocol does not say so.
    fn changed(&mut self, _changed: &Changed) -> Option<Outbound> {
        None
    }
    /// The player was banned, and the session goes on; `None`: this protocol does not say so.
    fn banned(&mut self, _ban: &Ban) -> Option<Outbound> {
        None
    }
    /// The session ends: last messages, then close code and reason text for the close frame.
    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str);
}

/// Something to say to many, and its encodings, each made once, on first use, and shared by all
/// receivers.
pub struct Shared<T = Event> {
    /// What is said.
    pub what: T,
    encoded: [std::sync::OnceLock<Bytes>; 3],
}

/// Which shared encoding: one slot each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Nakama, JSON text.
    NakamaJson = 0,
    /// Nakama, protobuf binary.
    NakamaProtobuf = 1,
    /// Pragma: the payload inside the envelope.
    PragmaPayload = 2,
}

impl<T> Shared<T> {
    /// What nobody has encoded yet.
    pub fn new(what: T) -> Self {
        Self { what, encoded: Default::default() }
    }

    /// It in `format`, encoded by `encode` if nobody has yet.
    pub fn bytes(&self, format: Format, encode: impl FnOnce(&T) -> Bytes) -> Bytes {
        self.encoded[format as usize].get_or_init(|| encode(&self.what)).clone()
    }
}

impl Outbound {
    /// What it carries.
    pub const fn payload(&self) -> &Bytes {
        match self {
            Self::Text(payload) | Self::Binary(payload) => payload,
        }
    }
}
