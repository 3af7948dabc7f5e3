//! One input in bytes: its kind and how it is told, microseconds since the one before, and what it is
//! about, numbers as the distance from the one before. A poll takes 3 to 8 bytes.
//!
//! What the line knows already is not written: a poll is a number, because the line knows whose it is,
//! and that is as true when it is played again. Everything that is rare is written as it is.

use crate::domain::queue::line::State;
use crate::domain::queue::packed::{put_number, take_number};
use crate::domain::queue::{Identity, Input, Lane, Number, Queue, TicketRef, UnixMicros};

/// Low bits of the first byte: what it is.
const KIND_BITS: u32 = 5;
const KIND_MASK: u8 = (1 << KIND_BITS) - 1;

const OTHER: u8 = 0;
const CHECK: u8 = 1;
const WATCH: u8 = 2;
const BEGIN_REDEEM: u8 = 3;
/// Somebody the line does not know.
const ENTER: u8 = 4;
/// Somebody who has a number.
const ENTER_AGAIN: u8 = 5;
/// Nobody in particular.
const ENTER_ANONYMOUS: u8 = 6;
const LEAVE: u8 = 7;
const TICK: u8 = 8;
/// The machine's clock has stepped back: the time, from the start.
const CLOCK: u8 = 9;
const PROOF: u8 = 10;
const END: u8 = 11;

/// High bits of the first byte: the ticket is as the line would sign it.
const AS_KNOWN: u8 = 1 << KIND_BITS;

/// Longest input believed.
const INPUT_MAX: u64 = 1 << 30;

/// Bytes that are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an entry of the journal")]
pub struct BadEntry;

/// Why a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The next one goes on.
    Continued,
    /// The server stopped in good order.
    Stopped,
}

/// What is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    Input(Input),
    Proof(u64),
    End(Ending),
}

/// Where the deltas stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) at: UnixMicros,
    number: u64,
}

/// Writes entries behind one another.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    cursor: Cursor,
}

impl Writer {
    /// Begins anew, with nothing to refer to.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.cursor = Cursor::default();
        let room = self.bytes.len();
        std::mem::replace(&mut self.bytes, Vec::with_capacity(room))
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes an input the queue has not had yet.
    pub(super) fn input(&mut self, queue: &Queue, now: UnixMicros, input: &Input) {
        match input {
            Input::Check(ticket) => self.ticket(queue, now, CHECK, ticket),
            Input::Watch(ticket) => self.ticket(queue, now, WATCH, ticket),
            Input::BeginRedeem(ticket) => self.ticket(queue, now, BEGIN_REDEEM, ticket),
            Input::Enter(Identity::ANONYMOUS, lane) => {
                self.head(now, ENTER_ANONYMOUS | in_high_bits(*lane));
            }
            Input::Enter(identity, lane) => {
                if let Some(number) = queue.line.find(*identity) {
                    self.head(now, ENTER_AGAIN | in_high_bits(*lane));
                    self.number(number);
                } else {
                    self.head(now, ENTER | in_high_bits(*lane));
                    self.bytes.extend_from_slice(&identity.0.to_le_bytes());
                }
            }
            Input::Leave(number) => {
                self.head(now, LEAVE);
                self.number(*number);
            }
            Input::Tick => self.head(now, TICK),
            other => {
                self.head(now, OTHER);
                self.plain(other);
            }
        }
    }

    /// Writes a proof, which belongs before the next input.
    pub(super) fn proof(&mut self, proof: u64) {
        self.bytes.push(PROOF);
        self.bytes.extend_from_slice(&proof.to_le_bytes());
    }

    pub(super) fn end(&mut self, ending: Ending) {
        self.bytes.extend_from_slice(&[END, ending as u8]);
    }

    fn head(&mut self, now: UnixMicros, first: u8) {
        if now < self.cursor.at {
            self.bytes.push(CLOCK);
            put_number(&mut self.bytes, now.0);
            self.cursor.at = now;
        }
        self.bytes.push(first);
        put_number(&mut self.bytes, now.since_us(self.cursor.at));
        self.cursor.at = now;
    }

    fn number(&mut self, Number(number): Number) {
        let distance = number.wrapping_sub(self.cursor.number);
        // Small ones to either side become small: the sign goes into the lowest bit.
        put_number(
            &mut self.bytes,
            (distance << 1) ^ (distance.cast_signed() >> 63).cast_unsigned(),
        );
        self.cursor.number = number;
    }

    fn ticket(&mut self, queue: &Queue, now: UnixMicros, kind: u8, ticket: &TicketRef) {
        // Of a number nobody has any more the line may know something, and a replay nothing.
        let stands = queue.line.state(ticket.number) != State::Gone;
        if stands && queue.ticket(ticket.number) == *ticket {
            self.head(now, kind | AS_KNOWN);
            self.number(ticket.number);
        } else {
            self.head(now, kind);
            self.plain(ticket);
        }
    }

    fn plain(&mut self, value: &impl serde::Serialize) {
        // Writing to memory does not fail; an empty value is refused when it is read.
        let bytes = postcard::to_stdvec(value).unwrap_or_default();
        put_number(&mut self.bytes, bytes.len() as u64);
        self.bytes.extend_from_slice(&bytes);
    }
}

/// Reads entries from the front of `rest`. The queue is as it was when the entry was written.
pub(super) fn read(
    queue: &Queue,
    cursor: &mut Cursor,
    rest: &mut &[u8],
) -> Result<Entry, BadEntry> {
    let mut first = byte(rest)?;
    if first == CLOCK {
        cursor.at = UnixMicros(length(rest)?);
        first = byte(rest)?;
    }
    match first {
        PROOF => return Ok(Entry::Proof(eight(rest)?)),
        END => {
            return match byte(rest)? {
                0 => Ok(Entry::End(Ending::Continued)),
                1 => Ok(Entry::End(Ending::Stopped)),
                _ => Err(BadEntry),
            };
        }
        _ => {}
    }
    cursor.at = cursor.at.plus_us(length(rest)?);
    let lane = || Lane::ALL.get(usize::from(first >> KIND_BITS)).copied().ok_or(BadEntry);
    let mut ticket = || {
        if first & AS_KNOWN != 0 {
            return Ok(queue.ticket(number(cursor, rest)?));
        }
        plain(rest)
    };
    Ok(Entry::Input(match first & KIND_MASK {
        CHECK => Input::Check(ticket()?),
        WATCH => Input::Watch(ticket()?),
        BEGIN_REDEEM => Input::BeginRedeem(ticket()?),
        ENTER_ANONYMOUS => Input::Enter(Identity::ANONYMOUS, lane()?),
        ENTER => Input::Enter(Identity(eight(rest)?), lane()?),
        ENTER_AGAIN => Input::Enter(queue.ticket(number(cursor, rest)?).identity, lane()?),
        LEAVE => Input::Leave(number(cursor, rest)?),
        TICK => Input::Tick,
        OTHER => plain(rest)?,
        _ => return Err(BadEntry),
    }))
}

const fn in_high_bits(lane: Lane) -> u8 {
    (lane as u8) << KIND_BITS
}

const _: () = assert!(Lane::COUNT <= 1 << (8 - KIND_BITS));

fn number(cursor: &mut Cursor, rest: &mut &[u8]) -> Result<Number, BadEntry> {
    let folded = length(rest)?;
    let distance = (folded >> 1) ^ (folded & 1).wrapping_neg();
    cursor.number = cursor.number.wrapping_add(distance);
    Ok(Number(cursor.number))
}

fn plain<T: serde::de::DeserializeOwned>(rest: &mut &[u8]) -> Result<T, BadEntry> {
    let len = usize::try_from(length(rest)?.min(INPUT_MAX)).map_err(|_| BadEntry)?;
    let (value, later) = rest.split_at_checked(len).ok_or(BadEntry)?;
    *rest = later;
    postcard::from_bytes(value).map_err(|_| BadEntry)
}

fn length(rest: &mut &[u8]) -> Result<u64, BadEntry> {
    take_number(rest).ok_or(BadEntry)
}

fn byte(rest: &mut &[u8]) -> Result<u8, BadEntry> {
    let (&byte, later) = rest.split_first().ok_or(BadEntry)?;
    *rest = later;
    Ok(byte)
}

fn eight(rest: &mut &[u8]) -> Result<u64, BadEntry> {
    let (bytes, later) = rest.split_first_chunk().ok_or(BadEntry)?;
    *rest = later;
    Ok(u64::from_le_bytes(*bytes))
}
