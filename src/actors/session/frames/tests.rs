//! Held against tungstenite's client, and fed what a hostile one sends.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;

/// What a client wrote, and what it will read.
#[derive(Default)]
struct Pipe {
    written: Vec<u8>,
    to_read: VecDeque<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.to_read.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.to_read.read(into)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn client() -> WebSocket<Pipe> {
    let config = WebSocketConfig::default().read_buffer_size(512).write_buffer_size(0);
    WebSocket::from_raw_socket(Pipe::default(), Role::Client, Some(config))
}

/// A masked client frame by hand.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        long => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    let mask = [7, 1, 200, 99];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Frame>, Fault> {
    let (mut input, mut frames) = (bytes, Vec::new());
    while let Some(frame) = decoder.feed(&mut input)? {
        frames.push(frame);
    }
    assert!(input.is_empty(), "everything is taken when nothing is whole");
    Ok(frames)
}

fn fault(message_max: usize, bytes: &[u8]) -> Fault {
    decode(&mut Decoder::new(message_max), bytes).unwrap_err()
}

#[test]
fn what_breaks_the_protocol_is_refused_as_soon_as_the_header_shows_it() {
    assert_eq!(fault(100, &[0x81, 0x01]), Fault::Protocol("unmasked frame"));
    assert_eq!(fault(100, &frame(0xc1, b"")), Fault::Protocol("reserved bits"));
    assert_eq!(fault(100, &frame(0x83, b"")), Fault::Protocol("opcode"));
    assert_eq!(fault(100, &frame(0x8b, b"")), Fault::Protocol("opcode"));
    assert_eq!(fault(100, &frame(0x09, b"")), Fault::Protocol("fragmented control frame"));
    assert_eq!(fault(1000, &frame(0x89, &[0; 126])), Fault::Protocol("control frame too long"));
    assert_eq!(fault(100, &frame(0x80, b"")), Fault::Protocol("nothing to continue"));
    let nested = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    assert_eq!(fault(100, &nested), Fault::Protocol("message inside a message"));
    assert_eq!(fault(100, &frame(0x88, &[3])), Fault::Protocol("close frame of one byte"));
    for code in [0u16, 999, 1005, 1006, 1015, 2999, 5000] {
        let close = frame(0x88, &code.to_be_bytes());
        assert_eq!(fault(100, &close), Fault::Protocol("close code"), "{code}");
    }
    assert_eq!(fault(100, &frame(0x88, &[3, 232, 0xff])), Fault::NotUtf8);
    assert_eq!(fault(100, &frame(0x81, &[0xc3, 0x28])), Fault::NotUtf8);
}

#[test]
fn a_header_that_declares_400_mib_or_more_is_refused_without_any_payload() {
    for declared in [400u64 << 20, 4097, u64::MAX, 1 << 63] {
        let mut head = vec![0x82, 0xff];
        head.extend(declared.to_be_bytes());
        head.extend([1, 2, 3, 4]);
        let mut decoder = Decoder::new(4096);
        assert_eq!(decode(&mut decoder, &head), Err(Fault::TooBig));
        assert_eq!(decoder.message.capacity(), 0);
    }
}

#[test]
fn a_declared_length_costs_nothing_until_the_bytes_come() {
    let mut decoder = Decoder::new(1 << 20);
    let mut head = vec![0x82, 0xff];
    head.extend((1u64 << 20).to_be_bytes());
    head.extend([1, 2, 3, 4]);
    head.extend([0; 10]);
    assert_eq!(decode(&mut decoder, &head), Ok(vec![]));
    assert!(decoder.message.capacity() < 100);
}

#[test]
fn the_limit_counts_the_whole_message_and_its_fragments() {
    let at_limit = [frame(0x02, &[1; 60]), frame(0x80, &[2; 40])].concat();
    let whole: Vec<u8> = [[1; 60].as_slice(), &[2; 40]].concat();
    let decoded = decode(&mut Decoder::new(100), &at_limit);
    assert_eq!(decoded, Ok(vec![Frame::Binary(whole.into())]));
    let above = [frame(0x02, &[1; 60]), frame(0x80, &[2; 41])].concat();
    assert_eq!(fault(100, &above), Fault::TooBig);
    let endless = [frame(0x01, b""), frame(0x00, b"").repeat(2000)].concat();
    assert_eq!(fault(100, &endless), Fault::TooBig);
}

#[test]
fn control_frames_come_through_between_fragments() {
    let bytes =
        [frame(0x01, b"on"), frame(0x89, b"hi"), frame(0x8a, b"x"), frame(0x80, b"e")].concat();
    let expected = vec![Frame::Ping("hi".into()), Frame::Pong, Frame::Text("one".into())];
    assert_eq!(decode(&mut Decoder::new(100), &bytes), Ok(expected));
}

#[test]
fn a_close_reason_is_cut_at_a_character_to_fit_a_control_frame() {
    let payload = close_payload(1000, &"ä".repeat(100));
    assert_eq!(payload.len(), 2 + 122);
    assert!(std::str::from_utf8(&payload[2..]).is_ok());
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        ".{0,200}".prop_map(Message::text),
        proptest::collection::vec(any::<u8>(), 0..700).prop_map(Message::binary),
        proptest::collection::vec(any::<u8>(), 0..=125)
            .prop_map(|payload| Message::Ping(payload.into())),
        Just(Message::Pong(Bytes::new())),
    ]
}

fn as_frame(message: &Message) -> Frame {
    match message {
        Message::Text(text) => Frame::Text(Bytes::copy_from_slice(text.as_bytes())),
        Message::Binary(bytes) => Frame::Binary(bytes.clone()),
        Message::Ping(payload) => Frame::Ping(payload.clone()),
        Message::Close(close) => Frame::Close(close.as_ref().map(|it| it.code.into())),
        _ => Frame::Pong,
    }
}

proptest! {
    #[test]
    fn whatever_a_client_sends_in_whatever_pieces_arrives(
        messages in proptest::collection::vec(message(), 0..8),
        cuts in proptest::collection::vec(1usize..50, 1..200),
    ) {
        let mut client = client();
        let close = Message::Close(Some(CloseFrame { code: 4001.into(), reason: "bye".into() }));
        let sent: Vec<_> = messages.into_iter().chain([close]).collect();
        for message in &sent {
            client.write(message.clone()).unwrap();
        }
        client.flush().unwrap();
        let (mut rest, mut decoder) = (client.get_ref().written.as_slice(), Decoder::new(1000));
        let mut got = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            got.extend(decode(&mut decoder, now).unwrap());
            rest = later;
        }
        prop_assert_eq!(got, sent.iter().map(as_frame).collect::<Vec<_>>());
    }

    #[test]
    fn a_client_reads_what_we_write(
        messages in proptest::collection::vec(message(), 1..8), long in 0usize..70_000,
    ) {
        let mut client = client();
        let mut sent = messages;
        sent.push(Message::binary(vec![5; long]));
        for message in &sent {
            let (kind, payload) = match as_frame(message) {
                Frame::Text(payload) => (Kind::Text, payload),
                Frame::Binary(payload) => (Kind::Binary, payload),
                Frame::Ping(payload) => (Kind::Ping, payload),
                _ => (Kind::Pong, Bytes::new()),
            };
            let to_read = &mut client.get_mut().to_read;
            to_read.extend(Head::new(kind, payload.len()).as_slice());
            to_read.extend(payload);
        }
        let close = close_payload(1001, "bye");
        let to_read = &mut client.get_mut().to_read;
        to_read.extend(Head::new(Kind::Close, close.len()).as_slice());
        to_read.extend(close);
        for message in &sent {
            prop_assert_eq!(&client.read().unwrap(), message);
        }
        let Ok(Message::Close(Some(close))) = client.read() else {
            panic!("no close frame");
        };
        prop_assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "bye"));
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_or_take_more_than_the_limit(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut decoder = Decoder::new(64);
        let mut input = bytes.as_slice();
        while let Ok(Some(frame)) = decoder.feed(&mut input) {
            if let Frame::Text(payload) | Frame::Binary(payload) = frame {
                prop_assert!(payload.len() <= 64);
            }
        }
        prop_assert!(decoder.message.len() <= 64);
    }
}

#[test]
fn tungstenite_agrees_that_our_client_frames_are_sound() {
    let mut server = WebSocket::from_raw_socket(Pipe::default(), Role::Server, None);
    server.get_mut().to_read.extend(frame(0x81, &[b'a'; 300]));
    assert_eq!(server.read().unwrap(), Message::text("a".repeat(300)));
    assert!(matches!(server.read(), Err(Error::Io(_))));
}
