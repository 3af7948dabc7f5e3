//! What of a provider's profile goes into an account, and when (protocol-nakama §2.10, §2.11, §2.14,
//! §4.3). A provider never replaces what the player set, and an address it does not vouch for never
//! becomes a way to sign in.

use super::link::{Link, LinkKind};
use super::profile::Profile;
use super::record::Account;
use super::update::Field;

/// A new account takes name, picture and address.
pub fn new_account(account: &mut Account, kind: LinkKind, profile: &Profile, email_taken: bool) {
    if matches!(kind, LinkKind::Facebook | LinkKind::Google) {
        fill(account, profile);
    }
    take_email(account, profile, email_taken);
}

/// A sign-in fills what is empty for Google only.
pub fn known_account(account: &mut Account, kind: LinkKind, profile: &Profile) {
    if kind == LinkKind::Google {
        fill(account, profile);
    }
}

/// A link fills what is empty and brings its address.
pub fn linked(account: &mut Account, kind: LinkKind, profile: &Profile, email_taken: bool) {
    new_account(account, kind, profile, email_taken);
}

/// Over-long values are dropped.
fn fill(account: &mut Account, profile: &Profile) {
    if account.display_name.is_empty() && Field::DisplayName.takes(&profile.display_name) {
        account.display_name.clone_from(&profile.display_name);
    }
    if account.avatar_url.is_empty() && Field::AvatarUrl.takes(&profile.avatar_url) {
        account.avatar_url.clone_from(&profile.avatar_url);
    }
}

/// The address becomes the account's own, without a password, when the provider vouches for it,
/// nobody else has it and the account has none. Otherwise it is only remembered.
fn take_email(account: &mut Account, profile: &Profile, taken: bool) {
    let Some(email) = &profile.email else {
        return;
    };
    if email.verified && !taken && account.link(LinkKind::Email).is_none() {
        account.links.push(Link { kind: LinkKind::Email, id: email.address.clone() });
    } else if account.link(LinkKind::Email) != Some(email.address.as_str()) {
        account.provider_email = Some(email.clone());
    }
}

#[cfg(test)]
#[path = "provided_tests.rs"]
mod tests;
