//! Ticket and pass tokens: a place in line, and the proof that its owner was let in.
//!
//! Both are one JWS (protocol-pragma §3.4), MAC'd instead of signed: only this server checks them,
//! and it checks one with every poll. They differ in `isAllowedIn`. To the claims of the protocol
//! we add our own, under short names: `q` epoch of the line, `l` lane, `f` identity fingerprint,
//! `t` when the ticket was taken, in microseconds.
//!
//! What is read is what was written: the header of each key is compared as text, and the claims
//! are read in the order they are written, without a JSON parser. Whoever changes the form has to
//! read the old one for [`TICKET_LIFE_S`] longer.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::queue::{Identity, Lane, Number, TicketRef};
use crate::domain::time::UnixMicros;

/// Life of a ticket token, in seconds: a week. Far longer than any line, because a ticket ends
/// when the line forgets it, not by its token.
pub const TICKET_LIFE_S: u64 = 7 * 86_400;

/// Longest token looked at, in bytes. Ours have about 400; the largest claims give 560.
const TOKEN_MAX: usize = 768;
/// Bytes of the hash that names a key.
const KID_BYTES: usize = 12;

/// Why a token is not a ticket or pass of ours. All are "not let in"; the front end has a name
/// for each (protocol-pragma §3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Not a token at all, or none that reads like a ticket.
    #[error("not a ticket token")]
    Decode,
    /// A token, but by no algorithm and key that tickets are signed with.
    #[error("no key of that name signs tickets")]
    KeyNotFound,
    /// It names our key and carries another's signature, or it was changed.
    #[error("the signature does not match")]
    Signature,
    /// Its life is over.
    #[error("the token has expired")]
    Expired,
}

/// What a checked token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The ticket.
    pub ticket: TicketRef,
    /// Whether it is a pass. A ticket that was admitted since does not know: ask the line.
    pub allowed: bool,
    /// When the token ends, in whole seconds.
    pub expires_at: UnixMicros,
    /// Token id: the same for every token of this ticket that says the same, see [`token_id`].
    pub jti: Uuid,
}

/// Keys of tickets and passes: one signs, it and its predecessor are believed.
pub struct TicketKeys {
    current: Key,
    previous: Option<Key>,
}

impl std::fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TicketKeys(…)")
    }
}

/// A MAC key and the header of the tokens it makes: base64url text with the dot.
struct Key {
    header: String,
    mac: hmac::Key,
}

impl Key {
    fn new(secret: [u8; 32]) -> Self {
        // The name is a hash of the key: safe to show, since the key has 256 random bits.
        let mut named = digest::Context::new(&digest::SHA256);
        named.update(b"anteroom ticket key ");
        named.update(&secret);
        let hash = named.finish();
        let kid = URL_SAFE_NO_PAD.encode(hash.as_ref().get(..KID_BYTES).unwrap_or_default());
        let json = format!(r#"{{"kid":"{kid}","alg":"HS256","typ":"JWT"}}"#);
        let header = URL_SAFE_NO_PAD.encode(json) + ".";
        Self { header, mac: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }
}

impl TicketKeys {
    /// Keys that sign with `current` and still believe `previous`, the key before a rotation.
    pub fn new(current: [u8; 32], previous: Option<[u8; 32]>) -> Self {
        Self { current: Key::new(current), previous: previous.map(Key::new) }
    }

    /// The token of a ticket that waits; it ends `life_s` seconds after `now`
    /// (see [`TICKET_LIFE_S`]).
    pub fn sign_ticket(&self, ticket: &TicketRef, now: UnixMicros, life_s: u64) -> String {
        self.sign(ticket, false, now.as_secs(), now.as_secs().saturating_add(life_s))
    }

    /// The token of a pass. It ends with the pass, rounded up to whole seconds: the line decides
    /// about the rest. Asking again for the same pass gives the same token id.
    pub fn sign_pass(&self, ticket: &TicketRef, pass_until: UnixMicros, now: UnixMicros) -> String {
        self.sign(ticket, true, now.as_secs(), pass_until.plus_us(999_999).as_secs())
    }

    fn sign(&self, ticket: &TicketRef, allowed: bool, iat: u64, exp: u64) -> String {
        let TicketRef { epoch, number: Number(number), lane, identity, issued_at } = ticket;
        let (lane, jti) = (*lane as u8, token_id(ticket, allowed));
        let mut claims = String::with_capacity(288);
        let written = write!(
            claims,
            r#"{{"iss":"pragma","sub":"{number}","iat":{iat},"exp":{exp},"jti":"{jti}","ticketNumber":"{number}","isAllowedIn":"{allowed}","q":{epoch},"l":{lane},"f":"{}","t":{}}}"#,
            identity.0, issued_at.0,
        );
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        let mut token = String::with_capacity(512);
        token.push_str(&self.current.header);
        URL_SAFE_NO_PAD.encode_string(&claims, &mut token);
        let mac = hmac::sign(&self.current.mac, token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac.as_ref(), &mut token);
        token
    }

    /// Checks a ticket or pass token: form, key, MAC (in constant time), life. Reads nothing of a
    /// token whose MAC does not match. Allocates nothing.
    ///
    /// # Errors
    ///
    /// The first of those that fails, as [`TicketError`].
    pub fn verify(&self, token: &str, now: UnixMicros) -> Result<Claims, TicketError> {
        if token.len() > TOKEN_MAX {
            return Err(TicketError::Decode);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TicketError::Decode)?;
        let (key, payload) = self.key_of(signed).ok_or_else(|| unknown(signed))?;
        let mut mac = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut mac);
        if length != Ok(mac.len()) || hmac::verify(&key.mac, signed.as_bytes(), &mac).is_err() {
            return Err(TicketError::Signature);
        }
        let mut claims = [0; TOKEN_MAX];
        let len =
            URL_SAFE_NO_PAD.decode_slice(payload, &mut claims).map_err(|_| TicketError::Decode)?;
        let claims = read(claims.get(..len).unwrap_or_default()).ok_or(TicketError::Decode)?;
        if claims.expires_at <= now { Err(TicketError::Expired) } else { Ok(claims) }
    }

    /// The MAC keys: the one that signs, and the one before it.
    pub(super) fn macs(&self) -> impl Iterator<Item = &hmac::Key> {
        std::iter::once(&self.current).chain(&self.previous).map(|key| &key.mac)
    }

    fn key_of<'t>(&self, signed: &'t str) -> Option<(&Key, &'t str)> {
        let own = |key: &'_ Key| signed.strip_prefix(key.header.as_str());
        if let Some(payload) = own(&self.current) {
            return Some((&self.current, payload));
        }
        let previous = self.previous.as_ref()?;
        Some((previous, own(previous)?))
    }
}

/// Id of a ticket's token or of its pass: made from epoch and number, so that whoever asks twice
/// gets the same. A version 8 UUID; two different tickets never share one.
pub fn token_id(ticket: &TicketRef, allowed: bool) -> Uuid {
    let (epoch, number) = (ticket.epoch.to_be_bytes(), ticket.number.0.to_be_bytes());
    let mut bytes = [0; 16];
    // Bytes 6 and 8 hold the version and variant of the UUID: the number goes around them.
    bytes[..4].copy_from_slice(&epoch);
    bytes[4] = u8::from(allowed);
    bytes[7] = number[0];
    bytes[9..].copy_from_slice(&number[1..]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Why a token with a header that is none of ours is refused. Not a hot path.
fn unknown(signed: &str) -> TicketError {
    if unknown_header(signed) { TicketError::KeyNotFound } else { TicketError::Decode }
}

/// Whether something that names no key of ours is a token at all: its header is a JSON object.
pub(super) fn unknown_header(signed: &str) -> bool {
    let header = signed.split_once('.').and_then(|(text, _)| URL_SAFE_NO_PAD.decode(text).ok());
    header.is_some_and(|json| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&json).is_ok()
    })
}

/// Reads claims as [`TicketKeys::sign`] writes them.
fn read(claims: &[u8]) -> Option<Claims> {
    let mut rest = Reader(claims);
    rest.text(br#"{"iss":"pragma","sub":""#)?;
    let subject = rest.number()?;
    rest.text(br#"","iat":"#)?;
    rest.number()?;
    rest.text(br#","exp":"#)?;
    let exp = rest.number()?;
    rest.text(br#","jti":""#)?;
    let jti = Uuid::try_parse_ascii(rest.take(36)?).ok()?;
    rest.text(br#"","ticketNumber":""#)?;
    let number = rest.number()?;
    rest.text(br#"","isAllowedIn":""#)?;
    let allowed = rest.text(b"true").is_some();
    if !allowed {
        rest.text(b"false")?;
    }
    rest.text(br#"","q":"#)?;
    let epoch = u32::try_from(rest.number()?).ok()?;
    rest.text(br#","l":"#)?;
    let lane = *Lane::ALL.get(usize::try_from(rest.number()?).ok()?)?;
    rest.text(br#","f":""#)?;
    let identity = Identity(rest.number()?);
    rest.text(br#"","t":"#)?;
    let issued_at = UnixMicros(rest.number()?);
    rest.text(b"}")?;
    let ticket = TicketRef { epoch, number: Number(number), lane, identity, issued_at };
    let whole = rest.0.is_empty() && subject == number && jti == token_id(&ticket, allowed);
    whole.then_some(Claims { ticket, allowed, expires_at: UnixMicros::from_secs(exp), jti })
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Exactly this.
    fn text(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A decimal number that fits.
    fn number(&mut self) -> Option<u64> {
        let mut value = None;
        while let Some((digit, rest)) = self.0.split_first()
            && digit.is_ascii_digit()
        {
            let digit = u64::from(digit - b'0');
            value = Some(value.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit)?);
            self.0 = rest;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_768_212_005);

    fn ticket(number: u64) -> TicketRef {
        TicketRef {
            epoch: 7,
            number: Number(number),
            lane: Lane::Grace,
            identity: Identity(u64::MAX),
            issued_at: NOW,
        }
    }

    fn keys() -> TicketKeys {
        TicketKeys::new([1; 32], Some([2; 32]))
    }

    fn json(token: &str, part: usize) -> serde_json::Value {
        let part = token.split('.').nth(part).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_ticket_carries_the_claims_of_the_protocol() {
        let token = keys().sign_ticket(&ticket(20_417), NOW, 86_400);
        let claims = json(&token, 1);
        assert_eq!(claims["iss"], "pragma");
        assert_eq!(claims["sub"], "20417");
        assert_eq!(claims["ticketNumber"], "20417");
        assert_eq!(claims["isAllowedIn"], "false");
        assert_eq!(claims["iat"], 1_768_212_005);
        assert_eq!(claims["exp"], 1_768_298_405);
        assert!(Uuid::try_parse(claims["jti"].as_str().unwrap()).is_ok());
        assert_eq!(json(&token, 0)["alg"], "HS256");
    }

    #[test]
    fn a_pass_says_so_and_keeps_its_identity_when_asked_for_again() {
        let keys = keys();
        let until = NOW.plus_ms(1_500);
        let first = keys.verify(&keys.sign_pass(&ticket(5), until, NOW), NOW).unwrap();
        let again = keys.verify(&keys.sign_pass(&ticket(5), until, NOW.plus_ms(900)), NOW).unwrap();
        assert!(first.allowed);
        assert_eq!(first, again);
        assert_eq!(first.expires_at, NOW.plus_secs(2), "never before the pass itself");
        let waiting = keys.verify(&keys.sign_ticket(&ticket(5), NOW, 60), NOW).unwrap();
        assert_ne!(waiting.jti, first.jti, "a ticket is not its pass");
    }

    #[test]
    fn the_key_before_a_rotation_is_believed_and_a_foreign_one_is_not() {
        let (old, foreign) = (TicketKeys::new([2; 32], None), TicketKeys::new([3; 32], None));
        let token = |keys: &TicketKeys| keys.sign_ticket(&ticket(1), NOW, 60);
        assert!(keys().verify(&token(&old), NOW).is_ok());
        assert_eq!(keys().verify(&token(&foreign), NOW), Err(TicketError::KeyNotFound));
        // A forger who knows the name of our key, not the key.
        let (_, rest) =
            token(&foreign).split_once('.').map(|(h, r)| (h.to_owned(), r.to_owned())).unwrap();
        let forged = format!("{}{rest}", keys().current.header);
        assert_eq!(keys().verify(&forged, NOW), Err(TicketError::Signature));
    }

    #[test]
    fn a_token_lives_until_the_second_it_names() {
        let token = keys().sign_ticket(&ticket(1), NOW, 60);
        assert!(keys().verify(&token, NOW.plus_us(59_999_999)).is_ok());
        assert_eq!(keys().verify(&token, NOW.plus_secs(60)), Err(TicketError::Expired));
        assert!(keys().verify(&token, UnixMicros(0)).is_ok(), "a clock that stepped back");
    }

    #[test]
    fn other_algorithms_and_other_kinds_of_token_are_refused() {
        let keys = keys();
        let good = keys.sign_pass(&ticket(1), NOW.plus_secs(60), NOW);
        let payload = good.split('.').nth(1).unwrap();
        let kid = json(&good, 0)["kid"].clone();
        for alg in ["none", "None", "HS384", "RS256", "EdDSA"] {
            let header = serde_json::json!({"kid": kid, "alg": alg, "typ": "JWT"}).to_string();
            let header = URL_SAFE_NO_PAD.encode(header);
            for signature in ["", good.rsplit('.').next().unwrap()] {
                let token = format!("{header}.{payload}.{signature}");
                assert_eq!(keys.verify(&token, NOW), Err(TicketError::KeyNotFound), "{alg}");
            }
        }
        // Right key, right MAC, not a ticket: whatever else somebody signs with this key.
        let session = URL_SAFE_NO_PAD.encode(r#"{"iss":"pragma","sub":"x","exp":9999999999}"#);
        let signed = format!("{}{session}", keys.current.header);
        let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&keys.current.mac, signed.as_bytes()));
        assert_eq!(keys.verify(&format!("{signed}.{mac}"), NOW), Err(TicketError::Decode));
    }

    #[test]
    fn garbage_is_refused_without_a_look() {
        let long = "a.".repeat(600);
        for garbage in ["", ".", "..", "...", "a.b.c", "{}", "é.ü.ñ", long.as_str()] {
            assert_eq!(keys().verify(garbage, NOW), Err(TicketError::Decode), "{garbage:?}");
        }
    }

    #[test]
    fn keys_do_not_show_themselves() {
        assert_eq!(format!("{:?}", keys()), "TicketKeys(…)");
    }

    fn any_ticket() -> impl Strategy<Value = TicketRef> {
        (any::<u32>(), any::<u64>(), 0..4_usize, any::<u64>(), any::<u64>()).prop_map(
            |(epoch, number, lane, identity, issued_at)| TicketRef {
                epoch,
                number: Number(number),
                lane: Lane::ALL[lane],
                identity: Identity(identity),
                issued_at: UnixMicros(issued_at),
            },
        )
    }

    proptest! {
        #[test]
        fn every_ticket_survives_the_way_out_and_back(ticket in any_ticket(), allowed: bool) {
            let keys = keys();
            let token = if allowed {
                keys.sign_pass(&ticket, UnixMicros(u64::MAX), NOW)
            } else {
                keys.sign_ticket(&ticket, NOW, TICKET_LIFE_S)
            };
            let claims = keys.verify(&token, NOW).unwrap();
            prop_assert_eq!(claims.ticket, ticket);
            prop_assert_eq!(claims.allowed, allowed);
        }

        #[test]
        fn two_tickets_never_share_a_token_id(a in any_ticket(), b in any_ticket()) {
            let same = (a.epoch, a.number) == (b.epoch, b.number);
            prop_assert_eq!(token_id(&a, true) == token_id(&b, true), same);
            prop_assert_ne!(token_id(&a, true), token_id(&a, false));
        }

        #[test]
        fn any_changed_byte_is_refused(ticket in any_ticket(), at: prop::sample::Index, byte in 0x21_u8..0x7f) {
            let keys = keys();
            let mut token = keys.sign_ticket(&ticket, NOW, 60).into_bytes();
            let at = at.index(token.len());
            prop_assume!(token[at] != byte);
            token[at] = byte;
            prop_assert!(keys.verify(std::str::from_utf8(&token).unwrap(), NOW).is_err());
        }

        #[test]
        fn a_shortened_token_is_refused(ticket in any_ticket(), at: prop::sample::Index) {
            let keys = keys();
            let token = keys.sign_ticket(&ticket, NOW, 60);
            let cut = at.index(token.len());
            prop_assert!(keys.verify(&token[..cut], NOW).is_err());
        }
    }
}
