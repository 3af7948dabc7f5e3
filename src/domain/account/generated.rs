//! Generated user names: ten letters that are written in the account's id.
//!
//! Nakama gives an account without a wanted name ten random letters (protocol-nakama §2.3). Ours
//! are the first 57 random bits of the id in base 52: the name need not be stored, and from the
//! name follow the few ids that can bear it, so it needs no index entry either.

use uuid::Uuid;

use super::record::AccountId;

const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LENGTH: usize = 10;
/// 2^57 < 52^10: every value of so many bits has a name of its own.
const BITS: u32 = 57;

/// The generated user name of an id.
///
/// # Examples
///
/// ```
/// use anteroom::domain::account::{AccountId, generated};
/// let id = AccountId(uuid::Uuid::from_u128(0x1f2e_3d4c_5b6a_4788_9900_aabb_ccdd_eeff));
/// let name = generated::username(id);
/// assert_eq!(name.len(), 10);
/// let (first, last) = generated::bearers(&name).unwrap();
/// assert!(first <= id && id <= last);
/// ```
pub fn username(id: AccountId) -> String {
    let mut rest = name_bits(id);
    let mut name = [b'a'; LENGTH];
    for letter in name.iter_mut().rev() {
        let digit = usize::try_from(rest % 52).unwrap_or_default();
        *letter = LETTERS.get(digit).copied().unwrap_or(b'a');
        rest /= 52;
    }
    name.iter().map(|letter| char::from(*letter)).collect()
}

/// The lowest and the highest id whose generated name is `name`; `None` when no id has it.
pub fn bearers(name: &str) -> Option<(AccountId, AccountId)> {
    if name.len() != LENGTH {
        return None;
    }
    let bits = name.bytes().try_fold(0_u64, |value, byte| {
        let digit = LETTERS.iter().position(|letter| *letter == byte)?;
        value.checked_mul(52)?.checked_add(u64::try_from(digit).ok()?)
    })?;
    if bits >> BITS != 0 {
        return None;
    }
    // 48 bits, the version, then the 9 remaining bits: the id's own order, so the bearers of a
    // name are neighbours.
    let (high, low) = (bits >> 9, bits & 0x1ff);
    let first = (high << 16) | 0x4000 | (low << 3);
    let first = u128::from(first) << 64;
    let last = first | u128::from(7_u64) << 64 | u128::from(u64::MAX);
    Some((AccountId(Uuid::from_u128(first)), AccountId(Uuid::from_u128(last))))
}

/// The first 48 bits of a version 4 UUID and the nine that follow its version.
fn name_bits(id: AccountId) -> u64 {
    let (top, _) = id.0.as_u64_pair();
    ((top >> 16) << 9) | ((top >> 3) & 0x1ff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A name leads back to exactly the ids that bear it.
        #[test]
        fn a_name_and_its_bearers_agree(bytes in any::<[u8; 16]>(), other in any::<[u8; 16]>()) {
            let id = AccountId(uuid::Builder::from_random_bytes(bytes).into_uuid());
            let other = AccountId(uuid::Builder::from_random_bytes(other).into_uuid());
            let name = username(id);
            prop_assert_eq!(name.len(), 10);
            let (first, last) = bearers(&name).unwrap();
            prop_assert!(first <= id && id <= last);
            prop_assert_eq!(username(first), name.clone());
            prop_assert_eq!(username(last), name.clone());
            prop_assert_eq!(username(other) == name, first <= other && other <= last);
        }
    }

    #[test]
    fn names_that_nobody_generates_have_no_bearers() {
        for name in ["", "short", "elevenchars", "with space", "Ünderland", "ZZZZZZZZZZ"] {
            assert_eq!(bearers(name), None, "{name}");
        }
        assert!(bearers("aaaaaaaaaa").is_some());
    }
}
