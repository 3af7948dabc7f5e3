//! The entry challenge: a text of ours that comes back from where it went, once, soon, and with a piece
//! of work done where work is asked for.
//!
//! Nothing is kept of a challenge that was given but one bit, so whoever only asks costs no memory. A
//! challenge is numbered; its bit says whether it was answered. The window of bits is as long as far more
//! challenges than are given in a challenge's life; one that fell out of it counts as expired.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::digest::Digest;
use crate::domain::time::UnixMicros;

/// How long a challenge may be answered, in seconds. A slow phone with the hardest work needs a fraction.
pub const LIFE_S: u64 = 90;
/// The most work that can be asked for, in bits.
pub const BITS_MAX: u8 = 24;
/// Longest nonce looked at, in bytes.
pub const NONCE_BYTES: usize = 32;

/// What a challenge begins with.
const PREFIX: &str = "c1.";
/// What is signed begins with this: no other text of ours does.
const PURPOSE: &[u8] = b"anteroom challenge 1\0";
/// Number, end of life in microseconds, bits.
const CLAIMS: usize = 8 + 8 + 1;
/// Bytes of the MAC that are kept: 128 bits.
const TAG: usize = 16;
/// Challenges that are told apart: 46,000 a second, in half a megabyte.
const WINDOW: u64 = 1 << 22;

/// Whom a challenge is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// The network the client is in; a phone that changes its address within it may go on.
    pub prefix: u64,
    /// The secret of its device, if it says one.
    pub device_key: Option<&'a str>,
}

/// A challenge as it is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The text that has to come back.
    pub text: String,
    /// Leading zero bits that SHA-256 of text and nonce must have; 0: any nonce will do.
    pub bits: u8,
    /// Until when.
    pub expires_at: UnixMicros,
}

/// A challenge that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The text.
    pub challenge: &'a str,
    /// The nonce, as text. It follows the challenge's text when both are hashed.
    pub nonce: &'a str,
}

/// Why an answer is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// No challenge of ours, another address's or device's, or the work is not done.
    #[error("not a challenge for this client, or the nonce does not solve it")]
    Failed,
    /// Too old.
    #[error("the challenge has expired")]
    Expired,
    /// It was answered before.
    #[error("the challenge was answered before")]
    Replayed,
}

/// Gives challenges and checks answers.
pub struct Challenger {
    key: hmac::Key,
    /// The number of the next one.
    next: u64,
    /// A bit for each of the last [`WINDOW`] that were given: whether it was answered. None at all
    /// before the first one is given.
    answered: Vec<u64>,
}

impl Challenger {
    /// With a key of these bytes. Made anew with each start: who has a challenge from before gets
    /// another.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), next: 0, answered: Vec::new() }
    }

    /// A challenge for this client, with so much work, at most [`BITS_MAX`].
    pub fn give(&mut self, now: UnixMicros, bits: u8, bound: Bound<'_>) -> Challenge {
        let number = self.next;
        self.next += 1;
        self.answered.resize(words(), 0);
        let (word, bit) = place(number);
        self.answered[word] &= !bit;
        let (bits, expires_at) = (bits.min(BITS_MAX), now.plus_secs(LIFE_S));
        let mut bytes = Vec::with_capacity(CLAIMS + TAG);
        bytes.extend(number.to_be_bytes());
        bytes.extend(expires_at.0.to_be_bytes());
        bytes.push(bits);
        let tag = self.tag(&bytes, bound);
        bytes.extend(tag.as_ref().iter().take(TAG));
        Challenge { text: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)), bits, expires_at }
    }

    /// Takes an answer: it is good once.
    ///
    /// # Errors
    ///
    /// [`BadAnswer`]; the challenge may be answered again unless it was answered before.
    pub fn take(
        &mut self,
        now: UnixMicros,
        answer: Answer<'_>,
        bound: Bound<'_>,
    ) -> Result<(), BadAnswer> {
        let (number, expires_at, bits) = self.read(answer, bound).ok_or(BadAnswer::Failed)?;
        if expires_at <= now || number.saturating_add(WINDOW) < self.next {
            return Err(BadAnswer::Expired);
        }
        let (word, bit) = place(number);
        let word = self.answered.get_mut(word).ok_or(BadAnswer::Failed)?;
        if *word & bit != 0 {
            return Err(BadAnswer::Replayed);
        }
        if !solves(answer, bits) {
            return Err(BadAnswer::Failed);
        }
        *word |= bit;
        Ok(())
    }

    /// What a challenge of ours for this client says.
    fn read(&self, answer: Answer<'_>, bound: Bound<'_>) -> Option<(u64, UnixMicros, u8)> {
        let text = answer.challenge.strip_prefix(PREFIX)?;
        let mut bytes = [0; CLAIMS + TAG];
        if URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) != Ok(bytes.len()) {
            return None;
        }
        let (claims, given) = bytes.split_at(CLAIMS);
        let own = self.tag(claims, bound);
        let own = own.as_ref().get(..TAG)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(own, given).ok()?;
        let (number, rest) = claims.split_first_chunk::<8>()?;
        let (expires_at, rest) = rest.split_first_chunk::<8>()?;
        let expires_at = UnixMicros(u64::from_be_bytes(*expires_at));
        Some((u64::from_be_bytes(*number), expires_at, *rest.first()?))
    }

    fn tag(&self, claims: &[u8], bound: Bound<'_>) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.key);
        mac.update(PURPOSE);
        mac.update(claims);
        mac.update(&bound.prefix.to_be_bytes());
        // No device is not the device with an empty secret.
        if let Some(secret) = bound.device_key {
            mac.update(digest(&SHA256, secret.as_bytes()).as_ref());
        }
        mac.sign()
    }
}

/// Whether a nonce does the work.
pub fn solves(answer: Answer<'_>, bits: u8) -> bool {
    if answer.nonce.len() > NONCE_BYTES {
        return false;
    }
    let Digest(hash) = Digest::of(&[answer.challenge.as_bytes(), answer.nonce.as_bytes()]);
    let head = hash.first_chunk().map_or(u32::MAX, |bytes| u32::from_be_bytes(*bytes));
    head.leading_zeros() >= u32::from(bits)
}

const fn words() -> usize {
    (WINDOW / 64) as usize
}

const fn place(number: u64) -> (usize, u64) {
    let at = number % WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);
    const PHONE: Bound<'_> = Bound { prefix: 7, device_key: Some("the-secret-of-ada") };

    fn solved(challenge: &Challenge) -> String {
        let is_good =
            |nonce: &String| solves(Answer { challenge: &challenge.text, nonce }, challenge.bits);
        (0..u32::MAX).map(|n| n.to_string()).find(is_good).unwrap()
    }

    fn take(
        to: &mut Challenger,
        at: UnixMicros,
        given: &Challenge,
        nonce: &str,
        bound: Bound<'_>,
    ) -> Result<(), BadAnswer> {
        to.take(at, Answer { challenge: &given.text, nonce }, bound)
    }

    #[test]
    fn an_answer_is_good_once_and_soon() {
        let mut challenger = Challenger::new(&[1; 32]);
        let given = challenger.give(NOW, 8, PHONE);
        assert_eq!((given.bits, given.expires_at), (8, NOW.plus_secs(LIFE_S)));
        let nonce = solved(&given);
        let late = NOW.plus_secs(LIFE_S);
        assert_eq!(take(&mut challenger, late, &given, &nonce, PHONE), Err(BadAnswer::Expired));
        assert_eq!(take(&mut challenger, NOW, &given, "no", PHONE), Err(BadAnswer::Failed));
        assert_eq!(take(&mut challenger, NOW, &given, &nonce, PHONE), Ok(()), "tried again");
        assert_eq!(take(&mut challenger, NOW, &given, &nonce, PHONE), Err(BadAnswer::Replayed));
    }

    #[test]
    fn it_is_for_one_network_and_one_device() {
        let mut challenger = Challenger::new(&[1; 32]);
        let given = challenger.give(NOW, 0, PHONE);
        for stranger in [
            Bound { prefix: 8, ..PHONE },
            Bound { device_key: Some("the-secret-of-bob"), ..PHONE },
            Bound { device_key: Some(""), ..PHONE },
            Bound { device_key: None, ..PHONE },
        ] {
            let taken = take(&mut challenger, NOW, &given, "", stranger);
            assert_eq!(taken, Err(BadAnswer::Failed), "{stranger:?}");
        }
        assert_eq!(take(&mut challenger, NOW, &given, "", PHONE), Ok(()), "no work: any nonce");
    }

    #[test]
    fn a_challenge_of_another_start_is_none_of_ours() {
        let mut before = Challenger::new(&[1; 32]);
        let given = before.give(NOW, 0, PHONE);
        let mut after = Challenger::new(&[2; 32]);
        assert_eq!(take(&mut after, NOW, &given, "", PHONE), Err(BadAnswer::Failed));
        let mut same_key = Challenger::new(&[1; 32]);
        assert_eq!(take(&mut same_key, NOW, &given, "", PHONE), Err(BadAnswer::Failed));
    }

    #[test]
    fn the_memory_is_bounded_and_what_fell_out_of_it_has_expired() {
        let mut challenger = Challenger::new(&[1; 32]);
        assert_eq!(challenger.answered.capacity(), 0, "nothing until the first");
        let first = challenger.give(NOW, 0, PHONE);
        challenger.next = WINDOW;
        assert_eq!(take(&mut challenger, NOW, &first, "", PHONE), Ok(()), "the oldest in it");
        let second = challenger.give(NOW, 0, PHONE);
        assert_eq!(take(&mut challenger, NOW, &second, "", PHONE), Ok(()), "a bit used anew");
        assert_eq!(take(&mut challenger, NOW, &first, "", PHONE), Err(BadAnswer::Expired));
        assert_eq!(challenger.answered.len() * 8, 512 << 10);
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at: prop::sample::Index, byte in 0x21_u8..0x7f) {
            let mut challenger = Challenger::new(&[1; 32]);
            let given = challenger.give(NOW, 0, PHONE);
            let mut changed = given.text.clone().into_bytes();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != byte);
            changed[at] = byte;
            let text = String::from_utf8(changed).unwrap();
            let changed = Challenge { text, ..given };
            prop_assert!(take(&mut challenger, NOW, &changed, "", PHONE).is_err());
        }

        #[test]
        fn a_nonce_is_good_for_so_many_bits_and_no_more(nonce in "[0-9]{1,8}") {
            let answer = Answer { challenge: "c1.AAAA", nonce: &nonce };
            let most = (0..=32).rev().find(|&bits| solves(answer, bits)).unwrap();
            prop_assert!((0..=most).all(|bits| solves(answer, bits)));
            prop_assert!(!solves(answer, most + 1));
        }
    }
}
