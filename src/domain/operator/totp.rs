//! Codes of an authenticator: RFC 6238 with SHA-1, six digits and steps of 30 seconds, which is what
//! every authenticator does. The RFC's own examples are the test.

use aws_lc_rs::hmac;

use super::codes::base32;

/// Bytes of a secret: as long as the hash, as the RFC recommends.
pub const SECRET_BYTES: usize = 20;
/// How long a code is shown, in seconds.
pub const STEP_S: u64 = 30;
/// Steps a clock may be off, in either direction.
const OFF_MAX: u64 = 1;
const MODULUS: u32 = 1_000_000;

/// The code of a step, as a number of at most six digits.
fn code(secret: &[u8], step: u64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or_default() & 15);
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or([0; 4]);
    (u32::from_be_bytes(four) & 0x7fff_ffff) % MODULUS
}

/// The code of a step as an authenticator shows it.
pub fn shown(secret: &[u8], step: u64) -> String {
    format!("{:06}", code(secret, step))
}

/// The step whose code was typed, if it is one of now and after `last`, the last one that was used:
/// each is good once. `now_s` in seconds since the epoch. Blanks in what was typed do not count.
pub fn step_of(secret: &[u8], typed: &str, now_s: u64, last: u64) -> Option<u64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = digits.parse().ok()?;
    let now = now_s / STEP_S;
    let steps = now.saturating_sub(OFF_MAX)..=now.saturating_add(OFF_MAX);
    // All of them, whichever fits: how long it takes says nothing.
    steps.fold(None, |found, step| {
        let fits = step > last && code(secret, step) == typed;
        if fits { Some(step) } else { found }
    })
}

/// What an authenticator reads from a picture or a link: the secret, and whose it is where.
pub fn uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account, secret) = (escaped(issuer), escaped(account), base32(secret));
    format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}")
}

/// Percent-encoded but for what never needs it (RFC 3986, unreserved).
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B, SHA-1: the last six of its eight digits.
    #[test]
    fn the_codes_are_the_rfcs() {
        for (at_s, digits) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(SECRET, at_s / STEP_S), digits, "at {at_s}");
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_around_now_and_once() {
        let typed = |step| shown(SECRET, step);
        let (step, now_s) = (1_000, 30_010);
        for off in [999, 1_000, 1_001] {
            assert_eq!(step_of(SECRET, &typed(off), now_s, 0), Some(off));
        }
        for off in [998, 1_002] {
            assert_eq!(step_of(SECRET, &typed(off), now_s, 0), None);
        }
        assert_eq!(step_of(SECRET, &typed(step), now_s, step), None, "used");
        assert_eq!(step_of(SECRET, &typed(999), now_s, step), None, "before the one used");
        assert_eq!(step_of(SECRET, &typed(1_001), now_s, step), Some(1_001));
        let spaced = format!(" {} {}", &typed(step)[..3], &typed(step)[3..]);
        assert_eq!(step_of(SECRET, &spaced, now_s, 0), Some(step));
        for bad in ["", "12345", "1234567", "12345a", "+12345", "１２３４５６"] {
            assert_eq!(step_of(SECRET, bad, now_s, 0), None, "{bad}");
        }
        assert_eq!(step_of(SECRET, "755224", 0, 0), None, "step 0 counts as used");
    }

    #[test]
    fn a_link_says_whose_it_is() {
        let link = uri(SECRET, "Anteroom", "ada+1@example.org");
        assert_eq!(
            link,
            "otpauth://totp/Anteroom:ada%2B1%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Anteroom"
        );
    }
}
