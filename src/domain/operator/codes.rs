//! Codes that people type: for the first operator, for invitations, for the day the authenticator is
//! lost. Random bytes in base32 (RFC 4648), in groups; only their hash is kept.

use subtle::ConstantTimeEq as _;

use crate::domain::digest::Digest;
use crate::domain::time::UnixMicros;

/// Letters and digits that are not taken for each other.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Letters between two dashes.
const GROUP: usize = 5;
/// Longest text looked at.
const TYPED_MAX: usize = 128;

/// Bytes in base32, without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for piece in bytes.chunks(5) {
        let mut word = [0_u8; 8];
        let (_, low) = word.split_at_mut(3);
        low.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
        let bits = u64::from_be_bytes(word);
        for letter in 0..(piece.len() * 8).div_ceil(5) {
            let at = (bits >> (35 - 5 * letter)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(at).unwrap_or_default()]));
        }
    }
    text
}

/// A code as it is shown: base32 in groups of five; what is left over is with the last of them.
pub fn shown(bytes: &[u8]) -> String {
    let letters = base32(bytes);
    let mut text = String::with_capacity(letters.len() * 6 / 5);
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % GROUP == 0 && letters.len() - at >= GROUP {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// The hash of a code as it was typed: case, blanks and dashes do not count, and digits that are no
/// base32 are the letters they look like.
pub fn hash(typed: &str) -> [u8; 32] {
    let letter = |c: char| match c.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        other => other,
    };
    let plain = typed.chars().take(TYPED_MAX).filter(|c| !c.is_whitespace() && *c != '-');
    let plain: String = plain.map(letter).collect();
    Digest::of(&[b"anteroom code\n", plain.as_bytes()]).0
}

/// Whether two hashes are one, in the same time whatever they are.
pub fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// The code by which the first operator is made: good once, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupCode {
    hash: [u8; 32],
    until: UnixMicros,
}

impl SetupCode {
    /// How long it is good, in seconds.
    pub const LIFE_S: u64 = 900;

    /// A code of these random bytes, and how it is shown.
    pub fn new(bytes: &[u8; 16], now: UnixMicros) -> (Self, String) {
        let text = shown(bytes);
        (Self { hash: hash(&text), until: now.plus_secs(Self::LIFE_S) }, text)
    }

    /// Whether what was typed is it, and in time.
    pub fn opens(&self, typed: &str, now: UnixMicros) -> bool {
        is_same(&hash(typed), &self.hash) && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, section 10.
    #[test]
    fn base32_is_the_standards() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text, "{bytes}");
        }
    }

    #[test]
    fn a_code_is_what_was_shown_however_it_is_typed_and_in_time() {
        let now = UnixMicros::from_secs(1_000);
        let (code, text) = SetupCode::new(&[0x5a; 16], now);
        assert_eq!((text.len(), text.matches('-').count()), (26 + 4, 4), "{text}");
        let loud = format!(" {} ", text.to_lowercase().replace('-', " "));
        assert!(code.opens(&text, now) && code.opens(&loud, now.plus_secs(899)));
        assert!(!code.opens(&text, now.plus_secs(SetupCode::LIFE_S)), "over");
        assert!(!code.opens("", now) && !code.opens(&text[1..], now));
        assert_eq!(hash("o0-i1-b8"), hash("OOIIBB"));
    }
}
