//! Linking and unlinking as Pragma rules it (protocol-pragma §7): one account of each provider, never
//! replaced silently, with a memory of what was unlinked. The cooldown and the one association hold
//! for whichever protocol a link comes by.

use super::change::Change;
use super::dossier::{ShownName, Unlinked};
use super::link::{Link, LinkKind};
use super::record::{Account, AccountId};
use super::refusal::Refusal;
use crate::domain::time::UnixMicros;

/// What a provider's settings say of linking it (§4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkRules {
    /// How long after an unlink another account of the provider has to wait, in seconds.
    pub cooldown_s: u64,
    /// Whether only the very account that was linked before may be linked again.
    pub one_association: bool,
}

impl LinkRules {
    /// Whether an account's history allows a link.
    ///
    /// # Errors
    ///
    /// [`Refusal::OneAssociation`], then [`Refusal::LinkCooldown`].
    pub fn check(self, account: &Account, link: &Link, now: UnixMicros) -> Result<(), Refusal> {
        let of_kind = |gone: &&Unlinked| gone.kind == link.kind.number() && gone.id != link.id;
        let others = || account.dossier().unlinked.iter().filter(of_kind);
        let is_bound = account.link(link.kind).is_some_and(|bound| bound != link.id);
        if self.one_association && (is_bound || others().next().is_some()) {
            return Err(Refusal::OneAssociation(link.kind));
        }
        let last = others().map(|gone| gone.at).max();
        if last.is_some_and(|at| now.as_secs() < at.saturating_add(self.cooldown_s)) {
            return Err(Refusal::LinkCooldown(link.kind));
        }
        Ok(())
    }
}

/// A request to link a provider's account; it is proven.
#[derive(Clone, Debug)]
pub struct ProviderLink {
    /// The link.
    pub link: Link,
    /// The name there, where it is told.
    pub shown: Option<ShownName>,
    /// What the provider's settings say.
    pub rules: LinkRules,
}

/// Links a provider's account. `owner`: whose the link is now. `None`: it is the account's already.
///
/// # Errors
///
/// In the order of §7.2: [`Refusal::LinkTaken`], [`Refusal::AlreadyBound`],
/// [`Refusal::OneAssociation`], [`Refusal::LinkCooldown`].
pub fn bind(
    account: Account,
    ask: ProviderLink,
    owner: Option<AccountId>,
    now: UnixMicros,
) -> Result<Option<Change>, Refusal> {
    let kind = ask.link.kind;
    if account.has(&ask.link) {
        return Ok(None);
    }
    if owner.is_some_and(|owner| owner != account.id) {
        return Err(Refusal::LinkTaken(kind));
    }
    if account.link(kind).is_some() {
        return Err(Refusal::AlreadyBound(kind));
    }
    ask.rules.check(&account, &ask.link, now)?;
    let mut after = account.clone();
    after.links.push(ask.link);
    if let Some(shown) = ask.shown {
        after.dossier_mut().show(shown);
    }
    after.updated_at = now.as_secs();
    Ok(Some(Change::of(Some(account), after)))
}

/// Takes a provider's account away and remembers that. `without_login`: kinds that nobody may sign in
/// by, which do not count as a way back in. `None`: nothing of the kind is linked, which is fine (§7.1,
/// 6).
///
/// # Errors
///
/// [`Refusal::CannotUnlink`]: no way to sign in would be left.
pub fn unbind(
    account: Account,
    kind: LinkKind,
    without_login: &[LinkKind],
    now: UnixMicros,
) -> Result<Option<Change>, Refusal> {
    if account.link(kind).is_none() {
        return Ok(None);
    }
    let mut after = account.clone();
    let gone: Vec<_> = after.links.extract_if(.., |link| link.kind == kind).collect();
    let opens = |link: &Link| {
        !without_login.contains(&link.kind)
            && (link.kind != LinkKind::Email || after.password.is_some())
    };
    if !after.links.iter().any(opens) {
        return Err(Refusal::CannotUnlink(kind));
    }
    for link in gone {
        remember(&mut after, link, now);
    }
    after.dossier_mut().shown.retain(|shown| shown.kind != kind.number());
    after.updated_at = now.as_secs();
    Ok(Some(Change::of(Some(account), after)))
}

/// Remembers that a link was taken away, if its kind is a provider's.
pub fn remember(account: &mut Account, link: Link, now: UnixMicros) {
    if matches!(link.kind, LinkKind::Device | LinkKind::Custom | LinkKind::Email) {
        return;
    }
    let unlinked = Unlinked { kind: link.kind.number(), id: link.id, at: now.as_secs() };
    account.dossier_mut().remember_unlinked(unlinked);
}

#[cfg(test)]
#[path = "provider_links_tests.rs"]
mod tests;
