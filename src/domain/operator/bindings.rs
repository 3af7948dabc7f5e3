//! Operators who sign in at an identity provider: which of its accounts is theirs. Somebody who is
//! signed in as that operator said so, or an invitation was taken up with it; an address that is the
//! same there proves nothing. It is not the player's link: whoever can link the provider at a player's
//! door does not become an operator by it.

use serde::{Deserialize, Serialize};

use super::{Credentials, OperatorRefusal};
use crate::domain::account::{Account, AccountId, Link};
use crate::domain::realm::Realm;

/// Providers that one operator may sign in by.
pub const BINDINGS_MAX: usize = 8;

/// An account at a provider by which an operator signs in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The provider, as [`crate::domain::account::LinkKind::number`].
    pub kind: u8,
    /// The id there, which never changes.
    pub id: String,
    /// What its owner goes by there, so that it is known again; empty: the provider did not say.
    pub name: String,
    /// Since when, in milliseconds since the epoch.
    pub added_ms: u64,
}

/// Ids at providers are not for logs.
impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Binding({})", self.kind)
    }
}

impl Binding {
    /// Whether it is this one of the provider's accounts.
    pub fn is(&self, link: &Link) -> bool {
        self.kind == link.kind.number() && self.id == link.id
    }
}

/// How somebody who becomes an operator signs in from then on.
#[derive(Clone, PartialEq, Eq)]
pub enum Way {
    /// By a password of this hash.
    Password(String),
    /// At a provider.
    Provider(Binding),
}

impl Way {
    /// All there is of a new operator.
    pub(super) fn credentials(&self) -> Credentials {
        match self {
            Self::Password(hash) => {
                Credentials { password: hash.clone(), ..Credentials::default() }
            }
            Self::Provider(binding) => {
                Credentials { bindings: vec![binding.clone()], ..Credentials::default() }
            }
        }
    }

    /// That no other operator signs in by it.
    pub(super) fn is_free(&self, of: AccountId, realm: &Realm) -> Result<(), OperatorRefusal> {
        match self {
            Self::Password(_) => Ok(()),
            Self::Provider(binding) => is_free(binding, of, realm),
        }
    }
}

/// That no other operator signs in by it.
pub(super) fn is_free(
    binding: &Binding,
    of: AccountId,
    realm: &Realm,
) -> Result<(), OperatorRefusal> {
    match realm.bound_to(binding.kind, &binding.id) {
        Some(other) if other != of => Err(OperatorRefusal::Taken),
        _ => Ok(()),
    }
}

/// Adds it, in place of the one of the same provider.
pub(super) fn bind(has: &mut Credentials, binding: &Binding) -> Result<(), OperatorRefusal> {
    has.bindings.retain(|kept| kept.kind != binding.kind);
    if has.bindings.len() >= BINDINGS_MAX {
        return Err(OperatorRefusal::TooMany);
    }
    has.bindings.push(binding.clone());
    Ok(())
}

/// Takes the one of a provider away, unless nobody could sign in then.
pub(super) fn unbind(has: &mut Credentials, kind: u8) -> Result<(), OperatorRefusal> {
    let (gone, left): (Vec<_>, Vec<_>) = has.bindings.drain(..).partition(|it| it.kind == kind);
    has.bindings = left;
    match gone.as_slice() {
        [] => Err(OperatorRefusal::Unknown),
        _ if has.bindings.is_empty() && has.password.is_empty() => Err(OperatorRefusal::LastWay),
        _ => Ok(()),
    }
}

/// Those of an account.
pub fn bindings_of(account: &Account) -> &[Binding] {
    account.dossier().operator.as_deref().map_or(&[], |has| &has.bindings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(kind: u8, id: &str) -> Binding {
        Binding { kind, id: id.into(), name: String::new(), added_ms: 1 }
    }

    #[test]
    fn one_of_each_provider_a_few_in_all_and_never_none() {
        let mut has = Way::Provider(binding(17, "ada")).credentials();
        assert_eq!(unbind(&mut has.clone(), 17), Err(OperatorRefusal::LastWay));
        assert_eq!(unbind(&mut has.clone(), 9), Err(OperatorRefusal::Unknown));
        assert_eq!(bind(&mut has, &binding(17, "ada2")), Ok(()));
        assert_eq!(has.bindings, [binding(17, "ada2")]);
        for kind in 1..8 {
            assert_eq!(bind(&mut has, &binding(kind, "ada")), Ok(()), "{kind}");
        }
        assert_eq!(bind(&mut has.clone(), &binding(99, "ada")), Err(OperatorRefusal::TooMany));
        assert_eq!(bind(&mut has, &binding(5, "other")), Ok(()), "in place of one");
        assert_eq!(unbind(&mut has, 17), Ok(()));
        assert!(has.bindings.iter().all(|it| it.kind != 17) && has.bindings.len() == 7);
        let mut has = Way::Password("hash".into()).credentials();
        assert_eq!(bind(&mut has, &binding(17, "ada")), Ok(()));
        assert_eq!(unbind(&mut has, 17), Ok(()), "the password is left");
    }
}
