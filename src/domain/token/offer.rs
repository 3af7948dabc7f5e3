//! What the owner of a place offers to whoever shows the token: the place itself, on another device, or
//! to stand in line with him as a party. Short enough to be shown as a QR code, good for minutes, and
//! for nothing else: they are no tickets.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ticket::TicketKeys;
use crate::domain::queue::{Identity, Lane, Number, TicketRef};
use crate::domain::time::UnixMicros;

/// How long one is good, in seconds.
pub const LIFE_S: u64 = 300;

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The place of a ticket.
    Transfer,
    /// To come in together with a ticket.
    Party,
}

impl Offer {
    /// What a token of it begins with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Transfer => "t1.",
            Self::Party => "p1.",
        }
    }

    /// What is signed begins with this: no ticket's or other token's signed text does.
    const fn purpose(self) -> &'static [u8] {
        match self {
            Self::Transfer => b"anteroom transfer 1\0",
            Self::Party => b"anteroom party 1\0",
        }
    }
}

/// Epoch, number, lane, identity, when the ticket was taken, end of life in seconds.
const CLAIMS: usize = 4 + 8 + 1 + 8 + 8 + 8;
/// Bytes of the MAC that are kept: 128 bits.
const TAG: usize = 16;

/// Why the token of an offer is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such token of this server, or too old")]
pub struct BadOffer;

impl TicketKeys {
    /// The token of an offer of this ticket's owner; it ends [`LIFE_S`] seconds after `now`, rounded
    /// down.
    pub fn sign_offer(&self, offer: Offer, ticket: &TicketRef, now: UnixMicros) -> String {
        let until = now.plus_secs(LIFE_S).as_secs();
        let mut bytes = Vec::with_capacity(CLAIMS + TAG);
        bytes.extend(ticket.epoch.to_be_bytes());
        bytes.extend(ticket.number.0.to_be_bytes());
        bytes.push(ticket.lane as u8);
        bytes.extend(ticket.identity.0.to_be_bytes());
        bytes.extend(ticket.issued_at.0.to_be_bytes());
        bytes.extend(until.to_be_bytes());
        if let Some(tag) = self.macs().next().map(|key| tag(offer, key, &bytes)) {
            bytes.extend(tag.as_ref().iter().take(TAG));
        }
        format!("{}{}", offer.prefix(), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The ticket whose owner made this offer.
    ///
    /// # Errors
    ///
    /// [`BadOffer`], also for the token of another offer.
    pub fn verify_offer(
        &self,
        offer: Offer,
        token: &str,
        now: UnixMicros,
    ) -> Result<TicketRef, BadOffer> {
        let text = token.strip_prefix(offer.prefix()).ok_or(BadOffer)?;
        let mut bytes = [0; CLAIMS + TAG];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(len) if len == bytes.len() => {}
            _ => return Err(BadOffer),
        }
        let (claims, given) = bytes.split_at(CLAIMS);
        let is_ours = |key| {
            let own = tag(offer, key, claims);
            own.as_ref().get(..TAG).is_some_and(|own| {
                aws_lc_rs::constant_time::verify_slices_are_equal(own, given).is_ok()
            })
        };
        if !self.macs().any(is_ours) {
            return Err(BadOffer);
        }
        let (ticket, until) = read(claims).ok_or(BadOffer)?;
        if until <= now { Err(BadOffer) } else { Ok(ticket) }
    }
}

fn tag(offer: Offer, key: &hmac::Key, claims: &[u8]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    mac.update(offer.purpose());
    mac.update(claims);
    mac.sign()
}

fn read(claims: &[u8]) -> Option<(TicketRef, UnixMicros)> {
    let (epoch, rest) = claims.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (lane, rest) = rest.split_first()?;
    let (identity, rest) = rest.split_first_chunk::<8>()?;
    let (issued_at, until) = rest.split_first_chunk::<8>()?;
    let ticket = TicketRef {
        epoch: u32::from_be_bytes(*epoch),
        number: Number(u64::from_be_bytes(*number)),
        lane: *Lane::ALL.get(usize::from(*lane))?,
        identity: Identity(u64::from_be_bytes(*identity)),
        issued_at: UnixMicros(u64::from_be_bytes(*issued_at)),
    };
    let until = u64::from_be_bytes(until.try_into().ok()?);
    Some((ticket, UnixMicros::from_secs(until)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    fn ticket() -> TicketRef {
        TicketRef {
            epoch: 7,
            number: Number(20_417),
            lane: Lane::Paying,
            identity: Identity(u64::MAX),
            issued_at: NOW,
        }
    }

    #[test]
    fn an_offer_is_short_and_good_for_five_minutes() {
        let keys = TicketKeys::new([1; 32], None);
        let token = keys.sign_offer(Offer::Transfer, &ticket(), NOW);
        assert!(token.len() <= 80, "{}: fits a small QR code", token.len());
        assert_eq!(keys.verify_offer(Offer::Transfer, &token, NOW), Ok(ticket()));
        assert!(keys.verify_offer(Offer::Transfer, &token, NOW.plus_secs(LIFE_S - 1)).is_ok());
        assert_eq!(
            keys.verify_offer(Offer::Transfer, &token, NOW.plus_secs(LIFE_S)),
            Err(BadOffer)
        );
        let rotated = TicketKeys::new([2; 32], Some([1; 32]));
        assert_eq!(rotated.verify_offer(Offer::Transfer, &token, NOW), Ok(ticket()));
        let foreign = TicketKeys::new([3; 32], None);
        assert_eq!(foreign.verify_offer(Offer::Transfer, &token, NOW), Err(BadOffer));
    }

    #[test]
    fn it_is_no_ticket_and_a_ticket_is_none() {
        let keys = TicketKeys::new([1; 32], None);
        assert!(keys.verify(&keys.sign_offer(Offer::Transfer, &ticket(), NOW), NOW).is_err());
        let party = keys.sign_offer(Offer::Party, &ticket(), NOW);
        assert_eq!(keys.verify_offer(Offer::Party, &party, NOW), Ok(ticket()));
        let as_transfer = party.replacen("p1.", "t1.", 1);
        assert_eq!(keys.verify_offer(Offer::Transfer, &as_transfer, NOW), Err(BadOffer));
        let plain = keys.sign_ticket(&ticket(), NOW, 60);
        assert_eq!(keys.verify_offer(Offer::Transfer, &plain, NOW), Err(BadOffer));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at: prop::sample::Index, byte in 0x21_u8..0x7f) {
            let keys = TicketKeys::new([1; 32], None);
            let token = keys.sign_offer(Offer::Transfer, &ticket(), NOW);
            let mut changed = token.clone().into_bytes();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != byte);
            changed[at] = byte;
            prop_assert!(keys.verify_offer(Offer::Transfer, std::str::from_utf8(&changed).unwrap(), NOW).is_err());
        }
    }
}
