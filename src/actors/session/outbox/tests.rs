//! Whatever the connection takes at a time, the stream is whole frames in order.

use futures_util::task::noop_waker;
use proptest::prelude::*;
use tokio::io::{AsyncRead as _, DuplexStream, ReadBuf};

use super::*;

const LIMITS: SocketLimits = SocketLimits {
    message_max_bytes: 1,
    outbox_messages: 4,
    outbox_bytes: 1_000,
    ping_period_ms: None,
    idle_ms: 1,
    messages_per_second: 1,
    follows_max: 1,
};

fn text(length: usize, n: usize) -> Bytes {
    let letter = b'a' + u8::try_from(n % 26).unwrap();
    vec![letter; length].into()
}

fn framed(payload: &[u8]) -> Vec<u8> {
    [Head::new(Kind::Text, payload.len()).as_slice(), payload].concat()
}

/// Reads up to `most` bytes of what has arrived.
fn read(client: &mut DuplexStream, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let mut into = ReadBuf::new(&mut buffer);
    let _ = Pin::new(client).poll_read(&mut Context::from_waker(&noop_waker()), &mut into);
    into.filled().to_vec()
}

fn write(outbox: &mut Outbox, io: &mut Io) -> (bool, usize) {
    let mut written = 0;
    let waker = noop_waker();
    let done = outbox.poll_write(io, &mut written, &mut Context::from_waker(&waker));
    (done.is_ready(), written)
}

#[test]
fn room_is_bounded_in_messages_and_in_bytes_but_one_message_always_fits() {
    let mut outbox = Outbox::new(&LIMITS);
    assert!(outbox.has_room(5_000));
    outbox.push(Outbound::Text(text(5_000, 0)));
    assert!(!outbox.has_room(0) && outbox.is_half_full());

    let mut outbox = Outbox::new(&LIMITS);
    for n in 0..4 {
        assert!(outbox.has_room(100));
        outbox.push(Outbound::Text(text(100, n)));
    }
    assert!(!outbox.has_room(100), "four messages are the most");

    let mut outbox = Outbox::new(&LIMITS);
    outbox.push(Outbound::Text(text(498, 0)));
    assert!(outbox.has_room(400) && !outbox.has_room(600));
}

proptest! {
    #[test]
    fn frames_arrive_whole_and_in_order_in_whatever_pieces(
        lengths in proptest::collection::vec(0usize..400, 1..90),
        pipe in 1usize..300,
        cleared_after in proptest::option::of(0usize..40),
    ) {
        let (server, mut client) = tokio::io::duplex(pipe);
        let mut io: Io = Box::new(server);
        let mut outbox = Outbox::new(&LIMITS);
        for (n, length) in lengths.iter().enumerate() {
            outbox.push(Outbound::Text(text(*length, n)));
        }
        let all: Vec<_> =
            lengths.iter().enumerate().map(|(n, length)| framed(&text(*length, n))).collect();
        let (mut got, mut counted) = (Vec::new(), 0);
        for round in 0.. {
            let (done, written) = write(&mut outbox, &mut io);
            counted += written;
            let came = read(&mut client, pipe);
            got.extend(&came);
            if done && came.is_empty() {
                break;
            }
            if cleared_after == Some(round) {
                outbox.clear_unsent();
                outbox.push_frame(Kind::Text, Bytes::from_static(b"last"));
            }
        }
        prop_assert_eq!(counted, got.len());
        prop_assert_eq!(outbox.bytes, 0);
        let whole: Vec<u8> = all.concat();
        if let Some(rest) = whole.get(got.len()..).filter(|_| !got.ends_with(b"last")) {
            prop_assert!(rest.is_empty());
        }
        if got.ends_with(b"last") {
            // Some first frames whole, then the one put in after clearing.
            got.truncate(got.len() - framed(b"last").len());
            let ends = all.iter().scan(0, |end, frame| { *end += frame.len(); Some(*end) });
            let ends: Vec<_> = [0].into_iter().chain(ends).collect();
            prop_assert!(ends.contains(&got.len()), "cut in the middle of a frame");
        }
        prop_assert_eq!(got.as_slice(), &whole[..got.len()]);
    }
}

/// Whatever is thrown away behind it, the handshake is answered first.
#[test]
fn the_answer_to_the_handshake_is_never_thrown_away() {
    let (server, mut client) = tokio::io::duplex(1_000);
    let mut io: Io = Box::new(server);
    let mut outbox = Outbox::new(&LIMITS);
    outbox.push_answer(Bytes::from_static(b"welcome"));
    outbox.push(Outbound::Text(text(5, 0)));
    outbox.clear_unsent();
    outbox.push_frame(Kind::Text, Bytes::from_static(b"last"));
    assert!(write(&mut outbox, &mut io).0);
    assert_eq!(read(&mut client, 1_000), [&b"welcome"[..], &framed(b"last")].concat());
}
