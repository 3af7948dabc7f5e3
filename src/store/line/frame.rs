//! How the line's files begin, and how a damaged or newer file is told from a good one.
//!
//! Every file starts with eight bytes: four that say whose it is, one for the kind of file, one
//! for the version of its format, two zero bytes. Checksums are CRC-32 over all bytes before them.

use super::LineFileError;

/// Bytes before the body of every file.
pub(super) const HEAD: usize = 8;

const MAGIC: [u8; 4] = *b"ANTL";

/// The only version there is so far.
const VERSION: u8 = 1;

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Epoch, reserved numbers, clean or not.
    Numbers = 1,
    /// The coarse state of the line.
    Snapshot = 2,
    /// Places whose owners hold no ticket.
    Log = 3,
}

impl Kind {
    /// The file's name in the folder.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Numbers => "line.numbers",
            Self::Snapshot => "line.snapshot",
            Self::Log => "line.log",
        }
    }
}

/// The first bytes of a file of this kind.
pub(super) const fn head(kind: Kind) -> [u8; HEAD] {
    let [a, b, c, d] = MAGIC;
    [a, b, c, d, kind as u8, VERSION, 0, 0]
}

/// Puts `body` behind the head and a checksum behind both.
pub(super) fn seal(kind: Kind, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + body.len() + 4);
    bytes.extend_from_slice(&head(kind));
    bytes.extend_from_slice(body);
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

/// The body of a sealed file; `None` when it is damaged.
///
/// # Errors
///
/// [`LineFileError::Newer`] when a later version of the program wrote it.
pub(super) fn open(kind: Kind, bytes: &[u8]) -> Result<Option<&[u8]>, LineFileError> {
    if !check_head(kind, bytes)? {
        return Ok(None);
    }
    let Some((sealed, crc)) = bytes.split_last_chunk::<4>() else { return Ok(None) };
    let good = crc32fast::hash(sealed) == u32::from_le_bytes(*crc);
    Ok(if good { sealed.get(HEAD..) } else { None })
}

/// Whether the file starts as one of its kind does.
///
/// # Errors
///
/// [`LineFileError::Newer`] when a later version of the program wrote it.
pub(super) fn check_head(kind: Kind, bytes: &[u8]) -> Result<bool, LineFileError> {
    let Some(found) = bytes.first_chunk::<HEAD>() else { return Ok(false) };
    if found[..4] != MAGIC || found[4] != kind as u8 {
        return Ok(false);
    }
    let version = found[5];
    if version > VERSION {
        return Err(LineFileError::Newer { file: kind.file(), version, known: VERSION });
    }
    Ok(version == VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let good = seal(Kind::Numbers, b"body");
        assert_eq!(open(Kind::Numbers, &good).unwrap(), Some(&b"body"[..]));
        for at in (0..good.len()).filter(|at| *at != 5) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(open(Kind::Numbers, &bad).unwrap(), None, "byte {at}");
        }
        for len in 0..good.len() {
            assert_eq!(open(Kind::Numbers, &good[..len]).unwrap(), None, "cut to {len}");
        }
    }

    #[test]
    fn a_newer_file_is_refused_with_words() {
        let mut newer = seal(Kind::Snapshot, b"");
        newer[5] = VERSION + 1;
        let error = open(Kind::Snapshot, &newer).unwrap_err().to_string();
        assert!(error.contains("line.snapshot") && error.contains("version 2"), "{error}");
    }
}
