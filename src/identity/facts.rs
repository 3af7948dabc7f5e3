//! What a provider says, cut to what we keep: ids, names, pictures, addresses.

use super::{IdentityError, Shown, Verified};
use crate::domain::account::{Link, LinkKind, Profile, ProviderEmail, names};

/// Longest id, in bytes.
const ID_MAX: usize = 128;
/// Longest shown name, in bytes (protocol-nakama §2.14).
const NAME_MAX: usize = 255;
/// Longest discriminator, in bytes.
const DISCRIMINATOR_MAX: usize = 32;
/// Longest picture address, in bytes.
const URL_MAX: usize = 512;
/// Longest e-mail address, in bytes.
const EMAIL_MAX: usize = 255;

/// The link to a provider's id.
///
/// # Errors
///
/// [`IdentityError::Refused`]: it is empty, too long, or has control characters in it.
pub(super) fn link(kind: LinkKind, id: &str) -> Result<Link, IdentityError> {
    if id.is_empty() {
        return Err(IdentityError::Refused(kind, "the id is empty"));
    }
    if id.len() > ID_MAX || id.chars().any(char::is_control) {
        return Err(IdentityError::Refused(kind, "the id is too long or has odd characters"));
    }
    Ok(Link { kind, id: id.to_owned() })
}

/// The link to a provider's id that is a number, written as numbers are.
///
/// # Errors
///
/// [`IdentityError::Refused`]: it is zero or no such number.
pub(super) fn numbered(kind: LinkKind, id: &str) -> Result<Link, IdentityError> {
    let is_number = id.parse::<u64>().is_ok_and(|number| number != 0 && number.to_string() == id);
    if is_number {
        link(kind, id)
    } else {
        Err(IdentityError::Refused(kind, "the id is empty or no number"))
    }
}

/// A player of whom nothing but the id is known.
pub(super) fn nameless(kind: LinkKind, id: &str) -> Result<Verified, IdentityError> {
    Ok(Verified::of(link(kind, id)?))
}

/// Name and picture; what is too long or odd is dropped (protocol-nakama §2.11).
pub(super) fn profile(name: Option<&str>, picture: Option<&str>) -> Profile {
    let keep = |text: &&str| !text.chars().any(char::is_control);
    let name = name.map(str::trim).filter(|name| name.len() <= NAME_MAX).filter(keep);
    let picture = picture
        .filter(|url| url.len() <= URL_MAX && !url.contains(char::is_whitespace))
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .filter(keep);
    Profile {
        display_name: name.unwrap_or_default().to_owned(),
        avatar_url: picture.unwrap_or_default().to_owned(),
        email: None,
    }
}

/// The name a player goes by at a provider; what is too long or odd is dropped, and the
/// discriminator with it. Some providers write "0" for no discriminator (protocol-pragma §4.4).
pub(super) fn shown(name: Option<&str>, discriminator: Option<&str>) -> Shown {
    let name = profile(name, None).display_name;
    let discriminator =
        discriminator.map(str::trim).filter(|text| *text != "0" && !name.is_empty());
    let discriminator = discriminator
        .filter(|text| text.len() <= DISCRIMINATOR_MAX && !text.chars().any(char::is_control));
    Shown { name, discriminator: discriminator.unwrap_or_default().to_owned() }
}

/// What stands before the `@` of an address.
pub(super) fn local_part(address: Option<&str>) -> Option<&str> {
    address?.split_once('@').map(|(local, _)| local).filter(|local| !local.is_empty())
}

/// An address, lower case; `None`: it is none.
pub(super) fn email(address: Option<&str>, verified: bool) -> Option<ProviderEmail> {
    let address = names::email(address?).id;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    let (local, domain) = address.split_once('@')?;
    let plausible = !local.is_empty()
        && !domain.contains('@')
        && domain.split('.').count() >= 2
        && domain.split('.').all(|part| !part.is_empty())
        && address.len() <= EMAIL_MAX
        && !address.contains(odd);
    plausible.then_some(ProviderEmail { address, verified })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bounded() {
        let refused = |id: &str| link(LinkKind::Apple, id).is_err();
        assert!(refused("") && refused("a\nb") && refused("\u{85}") && refused(&"x".repeat(129)));
        assert!(!refused(&"x".repeat(128)));
    }

    #[test]
    fn odd_profiles_are_dropped() {
        let good = profile(Some(" Ada "), Some("https://x.io/p.png"));
        assert_eq!(
            (good.display_name.as_str(), good.avatar_url.as_str()),
            ("Ada", "https://x.io/p.png")
        );
        assert_eq!(profile(Some(&"x".repeat(255)), None).display_name.len(), 255);
        for (name, url) in [
            ("x".repeat(256), format!("https://{}", "x".repeat(505))),
            ("a\u{7}b".to_owned(), "javascript:alert(1)".to_owned()),
            (String::new(), "https://a b".to_owned()),
        ] {
            assert_eq!(profile(Some(&name), Some(&url)), Profile::default());
        }
    }

    #[test]
    fn shown_names_have_a_discriminator_only_if_they_are_names() {
        let told = |name, tag| {
            let shown = shown(Some(name), Some(tag));
            (shown.name, shown.discriminator)
        };
        let pair = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
        assert_eq!(told("ada", "1234"), pair("ada", "1234"));
        assert_eq!(told("ada", "0"), pair("ada", ""));
        assert_eq!(told("", "1234"), pair("", ""));
        assert_eq!(told("a\u{7}", "1234"), pair("", ""));
        assert_eq!(told("ada", &"1".repeat(33)), pair("ada", ""));
        assert_eq!(local_part(Some("ada@x.io")), Some("ada"));
        assert_eq!((local_part(Some("@x.io")), local_part(Some("ada"))), (None, None));
    }

    #[test]
    fn addresses_are_lower_case_and_plausible() {
        assert_eq!(email(Some("Ada@X.io"), true).unwrap().address, "ada@x.io");
        for odd in ["", "ada", "@x.io", "ada@", "ada@x", "a@b@c.d", "a b@x.io", "a@x..io", "a@.io"]
        {
            assert!(email(Some(odd), true).is_none(), "{odd}");
        }
        assert!(email(None, true).is_none());
        assert!(email(Some(&format!("{}@x.io", "a".repeat(251))), true).is_none());
    }
}
