//! What is allowed in a user name, a device id, a custom id, an e-mail address and a password.
//! Each rule with its source; lengths are in UTF-8 bytes.
//!
//! The order of the checks is part of the protocol: an id that breaks two rules gets the refusal
//! of the first. Front ends give the words; where linking words a check differently from signing
//! in, the refusal is the same.

use unicode_normalization::UnicodeNormalization;

use super::addresses;
use super::link::{Link, LinkKind};
use super::refusal::Refusal;

/// Longest user name, in bytes (protocol-nakama §2.3).
pub const USERNAME_MAX: usize = 128;
/// Shortest password, in bytes (protocol-nakama §2.7).
pub const PASSWORD_MIN: usize = 8;

/// What an e-mail sign-in looks the account up by (protocol-nakama §2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailSignIn {
    /// An address was given: the link, and the user name wanted for a new account.
    Address {
        /// The address as a link.
        link: Link,
        /// Wanted user name; `None`: generate one.
        username: Option<String>,
    },
    /// No address: the user name is the login name. Never creates an account.
    Username(String),
}

/// A wanted user name; empty means that one shall be generated.
///
/// Spaces and anything above ASCII are allowed; nothing is normalised and case counts
/// (protocol-nakama §2.3).
///
/// # Errors
///
/// [`Refusal::UsernameCharacters`], then [`Refusal::UsernameLength`].
///
/// # Examples
///
/// ```
/// use anteroom::domain::account::names;
/// assert_eq!(names::username(""), Ok(None));
/// assert_eq!(names::username("Ada L"), Ok(Some("Ada L".to_owned())));
/// assert!(names::username("a\u{7}").is_err());
/// ```
pub fn username(raw: &str) -> Result<Option<String>, Refusal> {
    if raw.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Refusal::UsernameCharacters);
    }
    if raw.len() > USERNAME_MAX {
        return Err(Refusal::UsernameLength);
    }
    Ok((!raw.is_empty()).then(|| raw.to_owned()))
}

/// A device id: 10 to 128 bytes, no white space, no control characters (protocol-nakama §2.5).
/// Case counts; linking checks the same in the same order (§4.3).
///
/// # Errors
///
/// [`Refusal::IdMissing`], [`Refusal::IdCharacters`], [`Refusal::IdLength`], in this order.
pub fn device(raw: &str) -> Result<Link, Refusal> {
    plain_id(LinkKind::Device, raw, 10..=128)
}

/// A custom id: 6 to 128 bytes, no white space, no control characters (protocol-nakama §2.6).
/// Case counts; linking checks the same in the same order (§4.3).
///
/// # Errors
///
/// [`Refusal::IdMissing`], [`Refusal::IdCharacters`], [`Refusal::IdLength`], in this order.
pub fn custom(raw: &str) -> Result<Link, Refusal> {
    plain_id(LinkKind::Custom, raw, 6..=128)
}

/// An account id of Pragma's UNSAFE provider: 1 to 128 bytes, no control characters. The engine
/// states no rule (protocol-pragma §4.4); ours keeps keys printable and small.
///
/// # Errors
///
/// [`Refusal::IdMissing`], [`Refusal::IdCharacters`], [`Refusal::IdLength`], in this order.
pub fn unsafe_id(raw: &str) -> Result<Link, Refusal> {
    let kind = LinkKind::Unsafe;
    if raw.is_empty() {
        return Err(Refusal::IdMissing(kind));
    }
    if raw.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(Refusal::IdCharacters(kind));
    }
    if raw.len() > 128 {
        return Err(Refusal::IdLength(kind));
    }
    Ok(Link { kind, id: raw.to_owned() })
}

/// The checks of an e-mail sign-in, in the order of protocol-nakama §2.7: the address when there
/// is one, then the password, then the user name. An absent body object is the caller's to refuse
/// ([`Refusal::IdMissing`]). `password_max` is the longest password taken, in bytes.
///
/// # Errors
///
/// [`Refusal::IdCharacters`], [`Refusal::EmailFormat`], [`Refusal::IdLength`] for the address;
/// [`Refusal::PasswordShort`], [`Refusal::PasswordLong`]; [`Refusal::UsernameMissing`] when
/// neither address nor user name is given; those of [`username`].
pub fn email_sign_in(
    address: &str,
    password: &str,
    wanted: &str,
    password_max: usize,
) -> Result<EmailSignIn, Refusal> {
    if !address.is_empty() {
        email_characters(address)?;
        email_format(address)?;
        email_length(address)?;
    }
    password_length(password, password_max)?;
    if address.is_empty() && wanted.is_empty() {
        return Err(Refusal::UsernameMissing);
    }
    let username = username(wanted)?;
    match username {
        Some(name) if address.is_empty() => Ok(EmailSignIn::Username(name)),
        username => Ok(EmailSignIn::Address { link: email(address), username }),
    }
}

/// The checks of linking an e-mail address, in the order of protocol-nakama §4.3, which looks at
/// the password before the address's format.
///
/// # Errors
///
/// [`Refusal::IdMissing`] when either is empty, [`Refusal::IdCharacters`],
/// [`Refusal::PasswordShort`], [`Refusal::PasswordLong`], [`Refusal::EmailFormat`],
/// [`Refusal::IdLength`], in this order.
pub fn email_link(address: &str, password: &str, password_max: usize) -> Result<Link, Refusal> {
    if address.is_empty() || password.is_empty() {
        return Err(Refusal::IdMissing(LinkKind::Email));
    }
    email_characters(address)?;
    password_length(password, password_max)?;
    email_format(address)?;
    email_length(address)?;
    Ok(email(address))
}

/// An address that comes from elsewhere, without its password: the checks of [`email_link`] on it.
///
/// # Errors
///
/// [`Refusal::IdMissing`], [`Refusal::IdCharacters`], [`Refusal::EmailFormat`],
/// [`Refusal::IdLength`], in this order.
pub fn email_address(address: &str) -> Result<Link, Refusal> {
    if address.is_empty() {
        return Err(Refusal::IdMissing(LinkKind::Email));
    }
    email_characters(address)?;
    email_format(address)?;
    email_length(address)?;
    Ok(email(address))
}

/// An address as it is stored and compared: lower case, all of Unicode (protocol-nakama §2.7).
/// For unlinking, which checks no format (§4.5).
pub fn email(address: &str) -> Link {
    Link { kind: LinkKind::Email, id: address.to_lowercase() }
}

/// A Pragma display name as it is compared: normalised (NFC), case folded
/// (protocol-pragma §6.2). Two names that fold to the same share one set of discriminators.
///
/// Folding is upper case, then lower case letter by letter: so `ß`, `ss` and `SS` are one, and a
/// final sigma is like any other.
pub fn fold_display_name(name: &str) -> String {
    let upper = name.nfc().collect::<String>().to_uppercase();
    upper.chars().flat_map(char::to_lowercase).nfc().collect()
}

fn plain_id(
    kind: LinkKind,
    raw: &str,
    bytes: std::ops::RangeInclusive<usize>,
) -> Result<Link, Refusal> {
    if raw.is_empty() {
        return Err(Refusal::IdMissing(kind));
    }
    if has_blank(raw) {
        return Err(Refusal::IdCharacters(kind));
    }
    if !bytes.contains(&raw.len()) {
        return Err(Refusal::IdLength(kind));
    }
    Ok(Link { kind, id: raw.to_owned() })
}

/// Blank as the protocol means it: ASCII white space and control characters, nothing above.
fn has_blank(text: &str) -> bool {
    text.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
}

fn email_characters(address: &str) -> Result<(), Refusal> {
    if has_blank(address) {
        return Err(Refusal::IdCharacters(LinkKind::Email));
    }
    Ok(())
}

fn email_format(address: &str) -> Result<(), Refusal> {
    if addresses::can_be_right(address) { Ok(()) } else { Err(Refusal::EmailFormat) }
}

fn email_length(address: &str) -> Result<(), Refusal> {
    if (10..=255).contains(&address.len()) {
        Ok(())
    } else {
        Err(Refusal::IdLength(LinkKind::Email))
    }
}

fn password_length(password: &str, max: usize) -> Result<(), Refusal> {
    if password.len() < PASSWORD_MIN {
        return Err(Refusal::PasswordShort);
    }
    if password.len() > max {
        return Err(Refusal::PasswordLong);
    }
    Ok(())
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
