//! What a segment looks like: eight bytes that say whose it is and in which version, then records. A
//! record is its kind, the length of its body, a CRC-32 over both and the body, and the body.

use serde::{Deserialize, Serialize};

use super::JournalError;
use crate::domain::queue::Number;
use crate::domain::time::UnixMicros;

/// Bytes before the first record.
pub(super) const PREFIX: [u8; 8] = [b'A', b'N', b'T', b'J', VERSION, 0, 0, 0];

/// The only version there is so far.
const VERSION: u8 = 1;

/// Bytes of a record before its body.
pub(super) const RECORD_HEAD: usize = 9;

/// Why a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Since {
    /// The server started.
    Start,
    /// The one before was long enough; it ends where this one begins.
    Continued,
    /// What happened between the one before and this one is not on record.
    Gap,
}

/// What a segment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Version of the program that wrote it: another one may do otherwise.
    pub program: String,
    /// Lifetime of the line.
    pub epoch: u32,
    /// Why it begins.
    pub since: Since,
    /// When it begins.
    pub began_at: UnixMicros,
    /// The next number the line was to give then.
    pub next: Number,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Head = 1,
    State = 2,
    Block = 3,
}

/// A record's first bytes.
pub(super) fn record_head(kind: Kind, body: &[u8]) -> [u8; RECORD_HEAD] {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = checksum(kind as u8, len, body).to_le_bytes();
    [kind as u8, len[0], len[1], len[2], len[3], crc[0], crc[1], crc[2], crc[3]]
}

/// Takes a record from the front; `None`: the rest is torn or damaged, or there is none.
pub(super) fn take_record<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[kind, l0, l1, l2, l3, c0, c1, c2, c3], body) = rest.split_first_chunk()?;
    let len = [l0, l1, l2, l3];
    let (body, later) = body.split_at_checked(usize::try_from(u32::from_le_bytes(len)).ok()?)?;
    if checksum(kind, len, body) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return None;
    }
    *rest = later;
    Some((kind, body))
}

fn checksum(kind: u8, len: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&len);
    hasher.update(body);
    hasher.finalize()
}

/// Takes the prefix and the head from the front of a segment.
pub(super) fn take_head(rest: &mut &[u8]) -> Result<Head, JournalError> {
    let (prefix, later) =
        rest.split_first_chunk::<8>().ok_or(JournalError::Damaged("it is empty"))?;
    if prefix[..4] != PREFIX[..4] {
        return Err(JournalError::Damaged("it is none"));
    }
    if prefix[4] != VERSION {
        return Err(JournalError::Newer(prefix[4]));
    }
    *rest = later;
    let head = take_record(rest).filter(|(kind, _)| *kind == Kind::Head as u8);
    head.and_then(|(_, body)| postcard::from_bytes(body).ok())
        .ok_or(JournalError::Damaged("its head"))
}
