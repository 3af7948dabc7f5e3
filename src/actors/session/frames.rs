//! Reading and writing RFC 6455 frames, server side. No I/O: bytes in, frames out.
//!
//! Headers are tungstenite's; what is around them is ours for three reasons, all measured: an idle
//! socket then keeps no read buffer, a client that once sent the largest message does not keep its
//! memory for good, and a payload shared by many receivers is written without copying it for each.
//! The tests hold it against tungstenite's own client.

use std::io::Cursor;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};

/// Longest header: two bytes, eight of length, four of mask.
const HEAD_MAX: usize = 14;
/// Largest payload of a control frame (RFC 6455 §5.5).
const CONTROL_MAX: u64 = 125;

/// Something whole that came from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A text message, checked to be UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping; to be answered with the same payload.
    Ping(Bytes),
    /// A pong, asked for or not.
    Pong,
    /// A close frame, with its code if it has one.
    Close(Option<u16>),
}

/// Frames one message may come in: an endless message of empty frames is work without end.
const FRAGMENTS_MAX: u16 = 1024;

/// Why a client's bytes can't be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Against RFC 6455.
    #[error("websocket protocol: {0}")]
    Protocol(&'static str),
    /// A message longer than allowed; known from the header that declares it.
    #[error("message too big")]
    TooBig,
    /// Text that is not UTF-8.
    #[error("text is not utf-8")]
    NotUtf8,
}

impl Fault {
    /// Close code of RFC 6455 §7.4.1.
    pub(super) const fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::TooBig => 1009,
            Self::NotUtf8 => 1007,
        }
    }
}

/// The frame whose payload is being read.
struct Open {
    opcode: OpCode,
    is_final: bool,
    mask: [u8; 4],
    left: usize,
    /// How far into the payload we are, for the mask.
    at: usize,
}

/// Puts frames together from whatever bytes arrive.
pub(super) struct Decoder {
    message_max: usize,
    head: [u8; HEAD_MAX],
    head_len: usize,
    open: Option<Open>,
    /// The data message so far; kind of its first frame.
    message: Vec<u8>,
    kind: Option<Data>,
    fragments: u16,
    control: Vec<u8>,
}

impl Decoder {
    /// Takes messages of at most `message_max` bytes.
    pub(super) const fn new(message_max: usize) -> Self {
        Self {
            message_max,
            head: [0; HEAD_MAX],
            head_len: 0,
            open: None,
            message: Vec::new(),
            kind: None,
            fragments: 0,
            control: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input` until a frame or message is whole or there are none
    /// left. After a fault nothing more can be read.
    pub(super) fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Fault> {
        loop {
            let open = match self.open.take() {
                Some(open) => open,
                None => match self.read_head(input)? {
                    Some(open) => open,
                    None => return Ok(None),
                },
            };
            let Some(done) = self.read_payload(open, input) else {
                return Ok(None);
            };
            if let Some(frame) = self.finish(&done)? {
                return Ok(Some(frame));
            }
        }
    }

    fn read_head(&mut self, input: &mut &[u8]) -> Result<Option<Open>, Fault> {
        while self.head_len < self.head_wanted() {
            let Some((&byte, rest)) = input.split_first() else {
                return Ok(None);
            };
            *input = rest;
            if let Some(place) = self.head.get_mut(self.head_len) {
                *place = byte;
            }
            self.head_len += 1;
        }
        let mut cursor = Cursor::new(&self.head[..self.head_len]);
        self.head_len = 0;
        let Ok(Some((header, length))) = FrameHeader::parse(&mut cursor) else {
            return Err(Fault::Protocol("opcode"));
        };
        self.check(&header, length).map(Some)
    }

    /// Length of the header as far as its first two bytes tell.
    const fn head_wanted(&self) -> usize {
        if self.head_len < 2 {
            return 2;
        }
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn check(&self, header: &FrameHeader, length: u64) -> Result<Open, Fault> {
        let Some(mask) = header.mask else {
            return Err(Fault::Protocol("unmasked frame"));
        };
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(Fault::Protocol("reserved bits"));
        }
        match header.opcode {
            OpCode::Control(_) if !header.is_final => {
                return Err(Fault::Protocol("fragmented control frame"));
            }
            OpCode::Control(_) if length > CONTROL_MAX => {
                return Err(Fault::Protocol("control frame too long"));
            }
            OpCode::Data(Data::Continue) if self.kind.is_none() => {
                return Err(Fault::Protocol("nothing to continue"));
            }
            OpCode::Data(Data::Text | Data::Binary) if self.kind.is_some() => {
                return Err(Fault::Protocol("message inside a message"));
            }
            _ => {}
        }
        let room = match header.opcode {
            OpCode::Control(_) => CONTROL_MAX,
            OpCode::Data(_) => (self.message_max - self.message.len()) as u64,
        };
        let left = usize::try_from(length).map_err(|_| Fault::TooBig)?;
        if length > room {
            return Err(Fault::TooBig);
        }
        Ok(Open { opcode: header.opcode, is_final: header.is_final, mask, left, at: 0 })
    }

    /// Gives the frame back once its payload is whole; memory grows with what came, not with what
    /// was declared.
    fn read_payload(&mut self, mut open: Open, input: &mut &[u8]) -> Option<Open> {
        let into = match open.opcode {
            OpCode::Control(_) => &mut self.control,
            OpCode::Data(_) => &mut self.message,
        };
        let (now, later) = input.split_at(open.left.min(input.len()));
        *input = later;
        into.reserve_exact(if open.at == 0 { now.len() } else { 0 });
        let [a, b, c, d] = open.mask;
        let mask = [[a, b, c, d], [b, c, d, a], [c, d, a, b], [d, a, b, c]][open.at % 4];
        into.extend(now.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        open.left -= now.len();
        open.at += now.len();
        if open.left == 0 {
            return Some(open);
        }
        self.open = Some(open);
        None
    }

    fn finish(&mut self, done: &Open) -> Result<Option<Frame>, Fault> {
        let kind = match done.opcode {
            OpCode::Control(control) => {
                let payload = std::mem::take(&mut self.control);
                return control_frame(control, payload).map(Some);
            }
            OpCode::Data(Data::Continue) => self.kind,
            OpCode::Data(kind) => Some(kind),
        };
        self.kind = kind;
        if !done.is_final {
            self.fragments += 1;
            return if self.fragments < FRAGMENTS_MAX { Ok(None) } else { Err(Fault::TooBig) };
        }
        (self.kind, self.fragments) = (None, 0);
        let message = std::mem::take(&mut self.message);
        match kind {
            Some(Data::Binary) => Ok(Some(Frame::Binary(message.into()))),
            _ if std::str::from_utf8(&message).is_err() => Err(Fault::NotUtf8),
            _ => Ok(Some(Frame::Text(message.into()))),
        }
    }
}

fn control_frame(control: Control, payload: Vec<u8>) -> Result<Frame, Fault> {
    match control {
        Control::Ping => Ok(Frame::Ping(payload.into())),
        Control::Pong => Ok(Frame::Pong),
        Control::Reserved(_) => Err(Fault::Protocol("opcode")),
        Control::Close => match payload.split_first_chunk::<2>() {
            None if payload.is_empty() => Ok(Frame::Close(None)),
            None => Err(Fault::Protocol("close frame of one byte")),
            Some((code, reason)) => {
                let code = u16::from_be_bytes(*code);
                if !CloseCode::from(code).is_allowed() {
                    Err(Fault::Protocol("close code"))
                } else if std::str::from_utf8(reason).is_err() {
                    Err(Fault::NotUtf8)
                } else {
                    Ok(Frame::Close(Some(code)))
                }
            }
        },
    }
}

/// What kind of frame to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A close frame.
    Close,
}

/// The header of an unfragmented server frame, in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    bytes: [u8; 10],
    len: u8,
}

impl Head {
    /// The header of a frame with `length` bytes of payload.
    pub(super) fn new(kind: Kind, length: usize) -> Self {
        let opcode = match kind {
            Kind::Text => OpCode::Data(Data::Text),
            Kind::Binary => OpCode::Data(Data::Binary),
            Kind::Ping => OpCode::Control(Control::Ping),
            Kind::Pong => OpCode::Control(Control::Pong),
            Kind::Close => OpCode::Control(Control::Close),
        };
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        let mut bytes = [0; 10];
        let mut cursor = Cursor::new(&mut bytes[..]);
        // Ten bytes hold every unmasked header, so writing can't fail.
        let written = header.format(length as u64, &mut cursor).map_or(0, |()| cursor.position());
        Self { bytes, len: u8::try_from(written).unwrap_or(0) }
    }

    /// No header: what follows is no frame.
    pub(super) const fn none() -> Self {
        Self { bytes: [0; 10], len: 0 }
    }

    /// Its bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Payload of a close frame; a reason longer than the 123 bytes there is room for is cut at a
/// character.
pub(super) fn close_payload(code: u16, reason: &str) -> Bytes {
    let room = reason.floor_char_boundary(123);
    let mut payload = Vec::with_capacity(2 + room);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.get(..room).unwrap_or_default().as_bytes());
    payload.into()
}

#[cfg(test)]
mod tests;
