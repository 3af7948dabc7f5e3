//! Linking and unlinking: an account never ends up without a way to sign in, and a link never
//! with two accounts (protocol-nakama §4).

use crate::domain::time::UnixMicros;

use super::change::Change;
use super::link::{Link, LinkKind};
use super::profile::Profile;
use super::provided;
use super::provider_links::{self, LinkRules};
use super::record::{Account, AccountId};
use super::refusal::Refusal;

/// A request to link.
#[derive(Clone, Debug)]
pub struct LinkAsk {
    /// What to link. Checked and normalised already.
    pub link: Link,
    /// Password hash (PHC) that comes with an e-mail address.
    pub password: Option<String>,
    /// Devices an account may hold. At least 1.
    pub devices_max: usize,
    /// Where the same player's link was kept before the provider gave them a new id.
    pub formerly: Option<Link>,
    /// What the provider says beside.
    pub profile: Profile,
    /// What the provider's settings say of linking it.
    pub rules: LinkRules,
}

impl LinkAsk {
    /// A link that proves itself, with nothing beside it but a password hash.
    pub fn of(link: Link, password: Option<String>, devices_max: usize) -> Self {
        Self {
            link,
            password,
            devices_max,
            formerly: None,
            profile: Profile::default(),
            rules: LinkRules::default(),
        }
    }
}

/// What is stored and matters for a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Whose the link is now; if nobody's, whose the former one is.
    pub owner: Option<AccountId>,
    /// Whether the profile's address is another account's.
    pub email: bool,
}

/// Links an identifier to an account. A single link of the same kind
/// is replaced, and an e-mail address brings its password along (protocol-nakama §4.2, §4.3).
/// `None`: it is the account's already and nothing changes.
///
/// # Errors
///
/// [`Refusal::LinkTaken`], [`Refusal::TooManyLinks`]; those of [`LinkRules::check`].
pub fn link(
    account: Account,
    ask: LinkAsk,
    taken: Taken,
    now: UnixMicros,
) -> Result<Option<Change>, Refusal> {
    let kind = ask.link.kind;
    if taken.owner.is_some_and(|owner| owner != account.id) {
        return Err(Refusal::LinkTaken(kind));
    }
    let mut after = account.clone();
    if !after.has(&ask.link) {
        let held = after.links.iter().filter(|link| link.kind == kind).count();
        if kind.many() && held >= ask.devices_max {
            return Err(Refusal::TooManyLinks(kind));
        }
        ask.rules.check(&account, &ask.link, now)?;
        if !kind.many() {
            let replaced: Vec<_> = after.links.extract_if(.., |link| link.kind == kind).collect();
            for link in replaced {
                provider_links::remember(&mut after, link, now);
            }
        }
        after.links.push(ask.link);
    }
    if kind == LinkKind::Email {
        after.password = ask.password;
    }
    provided::linked(&mut after, kind, &ask.profile, taken.email);
    if after == account {
        return Ok(None);
    }
    after.updated_at = now.as_secs();
    Ok(Some(Change::of(Some(account), after)))
}

/// Takes a link from an account. Without `id` the one link of the kind goes, if there is one; a
/// device always has to be named (protocol-nakama §4.5, §4.6). The e-mail's password goes with it.
///
/// # Errors
///
/// [`Refusal::IdMissing`] for a device without id; [`Refusal::CannotUnlink`] when `id` is not the
/// account's, or no other way to sign in would be left. An e-mail address counts as one only with
/// a password: without it nobody can sign in by it.
pub fn unlink(
    account: Account,
    kind: LinkKind,
    id: Option<&str>,
    now: UnixMicros,
) -> Result<Change, Refusal> {
    if kind.many() && id.is_none() {
        return Err(Refusal::IdMissing(kind));
    }
    let goes = |link: &Link| link.kind == kind && id.is_none_or(|id| link.id == id);
    if id.is_some() && !account.links.iter().any(goes) {
        return Err(Refusal::CannotUnlink(kind));
    }
    let mut after = account.clone();
    for link in account.links.iter().filter(|link| goes(link)) {
        provider_links::remember(&mut after, link.clone(), now);
    }
    after.links.retain(|link| !goes(link));
    if kind == LinkKind::Email {
        after.password = None;
    }
    if !can_sign_in(&after) {
        return Err(Refusal::CannotUnlink(kind));
    }
    after.updated_at = now.as_secs();
    Ok(Change::of(Some(account), after))
}

/// Replaces a password hash by one of the same password, if it is still the stored one. `None`:
/// it is not, and nothing changes. No change of the player's data, so its time stays.
pub fn rehash(account: Account, old: &str, new: String) -> Option<Change> {
    if account.password.as_deref() != Some(old) || old == new {
        return None;
    }
    let mut after = account.clone();
    after.password = Some(new);
    Some(Change::of(Some(account), after))
}

/// Whether any link is left that somebody can sign in by.
fn can_sign_in(account: &Account) -> bool {
    account.links.iter().any(|link| link.kind != LinkKind::Email || account.password.is_some())
}

#[cfg(test)]
#[path = "linking_tests.rs"]
mod tests;
