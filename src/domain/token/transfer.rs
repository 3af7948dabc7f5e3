//! Transfer tokens: whoever shows one may have the place of a ticket on another device. Short enough to
//! be shown as a QR code, good for minutes, and for nothing else: they are no tickets.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ticket::TicketKeys;
use crate::domain::queue::{Identity, Lane, Number, TicketRef};
use crate::domain::time::UnixMicros;

/// How long one is good, in seconds.
pub const LIFE_S: u64 = 300;

/// What it begins with.
const PREFIX: &str = "t1.";
/// What is signed begins with this: no ticket's or other token's signed text does.
const PURPOSE: &[u8] = b"anteroom transfer 1\0";
/// Epoch, number, lane, identity, when the ticket was taken, end of life in seconds.
const CLAIMS: usize = 4 + 8 + 1 + 8 + 8 + 8;
/// Bytes of the MAC that are kept: 128 bits.
const TAG: usize = 16;

/// Why a transfer token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no transfer token of this server, or too old")]
pub struct BadTransfer;

impl TicketKeys {
    /// The transfer token of a ticket; it ends [`LIFE_S`] seconds after `now`, rounded down.
    pub fn sign_transfer(&self, ticket: &TicketRef, now: UnixMicros) -> String {
        let until = now.plus_secs(LIFE_S).as_secs();
        let mut bytes = Vec::with_capacity(CLAIMS + TAG);
        bytes.extend(ticket.epoch.to_be_bytes());
        bytes.extend(ticket.number.0.to_be_bytes());
        bytes.push(ticket.lane as u8);
        bytes.extend(ticket.identity.0.to_be_bytes());
        bytes.extend(ticket.issued_at.0.to_be_bytes());
        bytes.extend(until.to_be_bytes());
        if let Some(tag) = self.macs().next().map(|key| tag(key, &bytes)) {
            bytes.extend(tag.as_ref().iter().take(TAG));
        }
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The ticket whose place a transfer token gives away.
    ///
    /// # Errors
    ///
    /// [`BadTransfer`]
    pub fn verify_transfer(&self, token: &str, now: UnixMicros) -> Result<TicketRef, BadTransfer> {
        let text = token.strip_prefix(PREFIX).ok_or(BadTransfer)?;
        let mut bytes = [0; CLAIMS + TAG];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(len) if len == bytes.len() => {}
            _ => return Err(BadTransfer),
        }
        let (claims, given) = bytes.split_at(CLAIMS);
        let is_ours = |key| {
            let own = tag(key, claims);
            own.as_ref().get(..TAG).is_some_and(|own| {
                aws_lc_rs::constant_time::verify_slices_are_equal(own, given).is_ok()
            })
        };
        if !self.macs().any(is_ours) {
            return Err(BadTransfer);
        }
        let (ticket, until) = read(claims).ok_or(BadTransfer)?;
        if until <= now { Err(BadTransfer) } else { Ok(ticket) }
    }
}

fn tag(key: &hmac::Key, claims: &[u8]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    mac.update(PURPOSE);
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
    fn a_transfer_token_is_short_and_good_for_five_minutes() {
        let keys = TicketKeys::new([1; 32], None);
        let token = keys.sign_transfer(&ticket(), NOW);
        assert!(token.len() <= 80, "{}: fits a small QR code", token.len());
        assert_eq!(keys.verify_transfer(&token, NOW), Ok(ticket()));
        assert!(keys.verify_transfer(&token, NOW.plus_secs(LIFE_S - 1)).is_ok());
        assert_eq!(keys.verify_transfer(&token, NOW.plus_secs(LIFE_S)), Err(BadTransfer));
        let rotated = TicketKeys::new([2; 32], Some([1; 32]));
        assert_eq!(rotated.verify_transfer(&token, NOW), Ok(ticket()));
        let foreign = TicketKeys::new([3; 32], None);
        assert_eq!(foreign.verify_transfer(&token, NOW), Err(BadTransfer));
    }

    #[test]
    fn it_is_no_ticket_and_a_ticket_is_none() {
        let keys = TicketKeys::new([1; 32], None);
        assert!(keys.verify(&keys.sign_transfer(&ticket(), NOW), NOW).is_err());
        let plain = keys.sign_ticket(&ticket(), NOW, 60);
        assert_eq!(keys.verify_transfer(&plain, NOW), Err(BadTransfer));
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at: prop::sample::Index, byte in 0x21_u8..0x7f) {
            let keys = TicketKeys::new([1; 32], None);
            let token = keys.sign_transfer(&ticket(), NOW);
            let mut changed = token.clone().into_bytes();
            let at = at.index(changed.len());
            prop_assume!(changed[at] != byte);
            changed[at] = byte;
            prop_assert!(keys.verify_transfer(std::str::from_utf8(&changed).unwrap(), NOW).is_err());
        }
    }
}
