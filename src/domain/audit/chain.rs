//! How records hang together.
//!
//! A record's *body* is a JSON object in one line: `seq`, `at`, `who`, `what`, `prev`, and before that `request` if one asked for it. Its digest is
//! SHA-256 of a prefix, the digest before (`prev`, 32 bytes; zeros at the start) and the body's
//! bytes. The line in the file is the body with `,"hash":"…"` put before its closing brace: whoever
//! checks takes those 75 bytes out again and hashes what was there, byte for byte, so no rule about
//! how JSON is to be written is needed.

use serde::{Deserialize, Serialize};

use super::{Entry, LINE_MAX, Text, What, Who};
use crate::domain::digest::Digest;
use crate::domain::time::UnixMicros;

/// What is hashed first.
const PREFIX: &[u8] = b"anteroom audit v1\n";
/// What stands before the digest in a line.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// What stands behind it.
const AFTER_HASH: &[u8] = b"\"}";
/// Hex digits of a digest.
const HASH: usize = 64;

/// The last record of a chain. Whoever keeps one can tell later whether the chain is still the one
/// it belonged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many records there were: the number of the last one, counted from 1.
    pub seq: u64,
    /// Its digest.
    pub hash: Digest,
}

impl Head {
    /// Before the first record.
    pub const START: Self = Self { seq: 0, hash: Digest::ZERO };
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

/// Text that is not `number:digest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head is a record's number, a colon, and 64 lower-case hex digits")]
pub struct NotAHead;

impl std::str::FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (seq, hash) = text.split_once(':').ok_or(NotAHead)?;
        let (seq, hash) = (seq.parse().map_err(|_| NotAHead)?, hash.parse().map_err(|_| NotAHead)?);
        Ok(Self { seq, hash })
    }
}

fn digest(prev: Digest, body: &[u8]) -> Digest {
    Digest::of(&[PREFIX, &prev.0, body])
}

#[derive(Serialize)]
struct Body<'a> {
    seq: u64,
    at: UnixMicros,
    who: &'a Who,
    what: &'a What,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a Text>,
    prev: Digest,
}

/// The end of a chain, to which records are added.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    head: Head,
}

impl Chain {
    /// A chain that goes on after `head`.
    pub const fn after(head: Head) -> Self {
        Self { head }
    }

    /// Its last record.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Adds a record: its line, with a line feed.
    ///
    /// # Errors
    ///
    /// When the record can't be written as JSON, which no kind of record here can cause. The chain
    /// is then as it was.
    pub fn add(&mut self, entry: &Entry) -> Result<Vec<u8>, serde_json::Error> {
        let (seq, prev) = (self.head.seq.saturating_add(1), self.head.hash);
        let Entry { at, who, what, request } = entry;
        let body = Body { seq, at: *at, who, what, request: request.as_ref(), prev };
        let mut line = serde_json::to_vec(&body)?;
        let hash = digest(prev, &line);
        line.pop();
        line.extend_from_slice(BEFORE_HASH);
        line.extend_from_slice(hash.to_string().as_bytes());
        line.extend_from_slice(AFTER_HASH);
        line.push(b'\n');
        self.head = Head { seq, hash };
        Ok(line)
    }
}

/// Where a chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {seq}: {why}")]
pub struct Broken {
    /// The record at which it shows.
    pub seq: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Not a record's line.
    #[error("the line is no record")]
    Unreadable,
    /// Its digest is not that of its text.
    #[error("the record was changed: its digest is not that of its text")]
    Altered,
    /// It carries another digest or number than the record before it gives.
    #[error("the record does not follow the one before: records were changed, removed or moved")]
    DoesNotFollow,
    /// A posted head is not met.
    #[error("the chain does not have this record of a head that was posted")]
    NotAsPosted,
}

/// A record that was read and is whole in itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its number and digest.
    pub head: Head,
    /// When.
    pub at: UnixMicros,
    /// Who, as written.
    pub who: serde_json::Value,
    /// What, as written: kinds of a later version are read too.
    pub what: serde_json::Value,
    /// The id of the request that asked for it, if one did.
    pub request: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    seq: u64,
    at: UnixMicros,
    who: serde_json::Value,
    what: serde_json::Value,
    request: Option<String>,
    prev: Digest,
}

/// Follows a chain line by line. After a break it goes on with the next record that is whole in
/// itself, so that one break does not hide the next.
#[derive(Clone, Copy, Debug)]
pub struct Verifier {
    /// What the next record has to follow; `None`: anything.
    head: Option<Head>,
    /// The number expected next, for naming a line that says none.
    next: u64,
}

impl Verifier {
    /// The next record follows this one.
    pub const fn after(head: Head) -> Self {
        Self { head: Some(head), next: head.seq.saturating_add(1) }
    }

    /// The next record is taken on trust: what came before it is not here.
    pub const fn anywhere() -> Self {
        Self { head: None, next: 1 }
    }

    /// The number that the next record should have.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Takes the next line, without its line feed.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn take(&mut self, line: &[u8]) -> Result<Seen, Broken> {
        let expected = self.next;
        match read(line) {
            Ok((seen, prev)) => {
                let before = self.head.replace(seen.head);
                self.next = seen.head.seq.saturating_add(1);
                let follows = before.is_none_or(|before| {
                    before.hash == prev && before.seq.checked_add(1) == Some(seen.head.seq)
                });
                if follows {
                    Ok(seen)
                } else {
                    Err(Broken { seq: seen.head.seq, why: Why::DoesNotFollow })
                }
            }
            Err(why) => {
                self.head = None;
                self.next = expected.saturating_add(1);
                Err(Broken { seq: expected, why })
            }
        }
    }
}

/// Reads a line, and the digest it says is before it.
fn read(line: &[u8]) -> Result<(Seen, Digest), Why> {
    if line.len() > LINE_MAX {
        return Err(Why::Unreadable);
    }
    let rest = line.strip_suffix(AFTER_HASH).ok_or(Why::Unreadable)?;
    let (rest, hash) = rest.split_last_chunk::<HASH>().ok_or(Why::Unreadable)?;
    let body = rest.strip_suffix(BEFORE_HASH).ok_or(Why::Unreadable)?;
    let hash: Option<Digest> = str::from_utf8(hash).ok().and_then(|hash| hash.parse().ok());
    let hash = hash.ok_or(Why::Unreadable)?;
    let body = [body, b"}"].concat();
    let found: Found = serde_json::from_slice(&body).map_err(|_| Why::Unreadable)?;
    if digest(found.prev, &body) != hash {
        return Err(Why::Altered);
    }
    let Found { seq, at, who, what, request, prev } = found;
    Ok((Seen { head: Head { seq, hash }, at, who, what, request }, prev))
}

/// Checks a whole chain from its first record, and that it has the records of the heads that were
/// posted. Returns its last record.
///
/// # Errors
///
/// The first [`Broken`].
pub fn verify<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    posted: &[Head],
) -> Result<Head, Broken> {
    let mut verifier = Verifier::after(Head::START);
    let mut head = Head::START;
    let mut met = 0;
    for line in lines {
        head = verifier.take(line)?.head;
        if let Some(other) = posted.iter().find(|one| one.seq == head.seq && one.hash != head.hash)
        {
            return Err(Broken { seq: other.seq, why: Why::NotAsPosted });
        }
        met = head.seq;
    }
    match posted.iter().find(|one| one.seq > met) {
        Some(missing) => Err(Broken { seq: missing.seq, why: Why::NotAsPosted }),
        None => Ok(head),
    }
}
