//! What is kept of an operator who signs in here, and what may become of it. It hangs on the
//! account's dossier, so the account's one writer decides: a code is good once whoever asks twice.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bindings::{self, Binding, Way};
use super::{Invitation, codes};
use crate::domain::account::office::OfficeSeen;
use crate::domain::account::{Account, OfficeRefusal, Refusal};
use crate::domain::realm::ADMIN;
use crate::domain::time::UnixMicros;

/// Invitations, and automation tokens, that one operator may have out.
pub const LISTED_MAX: usize = 32;
/// Longest life of an automation token, in milliseconds: a year and a day.
pub const TOKEN_LIFE_MAX_MS: u64 = 366 * 24 * 3_600 * 1_000;

/// Everything of one operator. Hashes of codes are SHA-256, of random codes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Password hash (PHC string); empty: none, nobody signs in by it.
    pub password: String,
    /// The authenticator.
    pub totp: Option<Totp>,
    /// The sealed secret of an authenticator that has not shown a code yet.
    pub enrolling: Option<Vec<u8>>,
    /// Hashes of recovery codes that were not used.
    pub recovery: Vec<[u8; 32]>,
    /// Last sign-in, in milliseconds since the epoch; zero: never.
    pub signed_in_ms: u64,
    /// Invitations made and not yet taken up.
    pub invitations: Vec<Invitation>,
    /// Tokens for scripts.
    pub tokens: Vec<AutomationToken>,
    /// Providers that they sign in by.
    #[serde(default)]
    pub bindings: Vec<Binding>,
}

/// An authenticator that has shown that it works.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totp {
    /// Its secret ([`super::SealKey`]).
    pub sealed: Vec<u8>,
    /// The last step whose code was used.
    pub last_step: u64,
}

/// A token for scripts. It may do what it lists, as long as its owner may.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomationToken {
    /// Its id.
    pub id: Uuid,
    /// Its hash.
    pub hash: [u8; 32],
    /// What it is for.
    pub label: String,
    /// What it permits.
    pub permissions: Vec<String>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it ends.
    pub expires_ms: u64,
}

/// Neither hashes nor secrets are for logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("has_password", &!self.password.is_empty())
            .field("has_totp", &self.totp.is_some())
            .field("bindings", &self.bindings)
            .finish_non_exhaustive()
    }
}

/// What a sign-in, or a second proof, stood on beside the password or the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Nothing: there is no authenticator.
    None,
    /// The code of this step.
    Step(u64),
    /// The recovery code of this hash.
    Recovery([u8; 32]),
    /// The provider asked for a second factor itself, and is trusted in it.
    Vouched,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq)]
pub enum OperatorAsk {
    /// The first operator of this server: the built-in role, who signs in this way.
    First(Way),
    /// An operator with these roles, who signs in this way.
    Become(Way, Vec<Uuid>),
    /// Signs in by this, too, in place of another account at the same provider.
    Bind(Binding),
    /// Signs in no more by the provider of this number.
    Unbind(u8),
    /// Another password hash in the place of this one.
    ChangePassword(String, String),
    /// A sign-in or a second proof.
    Prove(Factor),
    /// An authenticator's sealed secret.
    Enrol(Vec<u8>),
    /// It showed the code of this step; these are the hashes of new recovery codes.
    Confirm(u64, Vec<[u8; 32]>),
    /// No authenticator any more.
    DropTotp,
    /// An invitation.
    Invite(Invitation),
    /// The invitation of this id is void.
    Withdraw(Uuid),
    /// The invitation of this hash is taken up.
    TakeUp([u8; 32]),
    /// A token for scripts.
    AddToken(AutomationToken),
    /// The token of this id is good no more.
    RevokeToken(Uuid),
    /// These roles and no others.
    SetRoles(Vec<Uuid>),
    /// No operator any more: roles, password, authenticator, invitations and tokens go.
    Dismiss,
}

impl std::fmt::Debug for OperatorAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorAsk(…)")
    }
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorRefusal {
    /// There is an operator with every permission already.
    #[error("there is an operator already")]
    NotFirst,
    /// The code was used, or is none.
    #[error("the code was used before, or is not right")]
    Code,
    /// There is no such invitation or token, it is over, or nothing is being enrolled.
    #[error("there is no such thing, or it is over")]
    Unknown,
    /// As many invitations or tokens as may be.
    #[error("too many are out: take one back first")]
    TooMany,
    /// The password is another one meanwhile.
    #[error("the password was changed meanwhile")]
    Overtaken,
    /// Another operator signs in by it.
    #[error("another operator signs in by this account there")]
    Taken,
    /// Nothing would be left to sign in by.
    #[error("it is the last way to sign in: add another first")]
    LastWay,
}

/// Applies an ask to an account. That an administrator is left, and that the realm's list of them is
/// in step, is for the caller ([`crate::domain::account::office::decide`]).
///
/// # Errors
///
/// [`OfficeRefusal::Operator`]: nothing changes.
pub fn decide(
    account: &mut Account,
    ask: &OperatorAsk,
    seen: OfficeSeen<'_>,
    now: UnixMicros,
) -> Result<(), Refusal> {
    let now_ms = now.as_millis();
    match ask {
        OperatorAsk::First(_) if !seen.realm.has_no_admin() => {
            return Err(refused(OperatorRefusal::NotFirst));
        }
        OperatorAsk::First(way) => become_one(account, way, &[ADMIN], seen)?,
        OperatorAsk::Become(way, roles) => become_one(account, way, roles, seen)?,
        OperatorAsk::SetRoles(roles) => {
            let kept = &mut account.dossier_mut().roles;
            kept.clone_from(roles);
            kept.sort_unstable();
            kept.dedup();
        }
        OperatorAsk::Dismiss => {
            let dossier = account.dossier_mut();
            dossier.roles.clear();
            dossier.operator = None;
        }
        ask => {
            if let OperatorAsk::Bind(binding) = ask {
                bindings::is_free(binding, account.id, seen.realm).map_err(refused)?;
            }
            let dossier = account.dossier_mut();
            let mut has = dossier.operator.as_deref().cloned().unwrap_or_default();
            listed(&mut has, ask, now_ms)
                .or_else(|| factors(&mut has, ask, now_ms))
                .map_or(Ok(()), |done| done.map_err(refused))?;
            dossier.operator = Some(Box::new(has));
        }
    }
    Ok(())
}

fn refused(why: OperatorRefusal) -> Refusal {
    OfficeRefusal::Operator(why).into()
}

fn become_one(
    account: &mut Account,
    way: &Way,
    roles: &[Uuid],
    seen: OfficeSeen<'_>,
) -> Result<(), Refusal> {
    way.is_free(account.id, seen.realm).map_err(refused)?;
    let dossier = account.dossier_mut();
    for role in roles {
        if !dossier.roles.contains(role) {
            dossier.roles.push(*role);
        }
    }
    dossier.operator = Some(Box::new(way.credentials()));
    Ok(())
}

type Done = Option<Result<(), OperatorRefusal>>;

/// Password, codes and providers.
fn factors(has: &mut Credentials, ask: &OperatorAsk, now_ms: u64) -> Done {
    Some(match ask {
        OperatorAsk::ChangePassword(old, new) => {
            let is_same = has.password == *old;
            if is_same {
                has.password.clone_from(new);
            }
            is_same.then_some(()).ok_or(OperatorRefusal::Overtaken)
        }
        OperatorAsk::Prove(factor) => {
            let proven = prove(has, factor);
            if proven.is_ok() {
                has.signed_in_ms = now_ms;
            }
            proven
        }
        OperatorAsk::Enrol(sealed) => {
            has.enrolling = Some(sealed.clone());
            Ok(())
        }
        OperatorAsk::Confirm(step, recovery) => match has.enrolling.take() {
            Some(sealed) => {
                has.totp = Some(Totp { sealed, last_step: *step });
                has.recovery.clone_from(recovery);
                Ok(())
            }
            None => Err(OperatorRefusal::Unknown),
        },
        OperatorAsk::DropTotp => {
            (has.totp, has.enrolling) = (None, None);
            has.recovery.clear();
            Ok(())
        }
        OperatorAsk::Bind(binding) => bindings::bind(has, binding),
        OperatorAsk::Unbind(kind) => bindings::unbind(has, *kind),
        _ => return None,
    })
}

fn prove(has: &mut Credentials, factor: &Factor) -> Result<(), OperatorRefusal> {
    match (factor, &mut has.totp) {
        (Factor::None, None) | (Factor::Vouched, _) => Ok(()),
        (Factor::Step(step), Some(totp)) if *step > totp.last_step => {
            totp.last_step = *step;
            Ok(())
        }
        (Factor::Recovery(hash), Some(_)) => {
            let at = has.recovery.iter().position(|kept| codes::is_same(kept, hash));
            has.recovery.remove(at.ok_or(OperatorRefusal::Code)?);
            Ok(())
        }
        _ => Err(OperatorRefusal::Code),
    }
}

/// Invitations and tokens. What is over makes room.
fn listed(has: &mut Credentials, ask: &OperatorAsk, now_ms: u64) -> Done {
    has.invitations.retain(|one| one.expires_ms > now_ms);
    has.tokens.retain(|one| one.expires_ms > now_ms);
    let gone = |found: bool| if found { Ok(()) } else { Err(OperatorRefusal::Unknown) };
    Some(match ask {
        OperatorAsk::Invite(_) if has.invitations.len() >= LISTED_MAX => {
            Err(OperatorRefusal::TooMany)
        }
        OperatorAsk::AddToken(_) if has.tokens.len() >= LISTED_MAX => Err(OperatorRefusal::TooMany),
        OperatorAsk::Invite(invitation) => {
            has.invitations.push(invitation.clone());
            Ok(())
        }
        OperatorAsk::AddToken(token) => {
            has.tokens.push(token.clone());
            Ok(())
        }
        OperatorAsk::Withdraw(id) => {
            gone(has.invitations.extract_if(.., |one| one.id == *id).count() > 0)
        }
        OperatorAsk::TakeUp(hash) => {
            let is_it = |one: &mut Invitation| codes::is_same(&one.hash, hash);
            gone(has.invitations.extract_if(.., is_it).count() > 0)
        }
        OperatorAsk::RevokeToken(id) => {
            gone(has.tokens.extract_if(.., |one| one.id == *id).count() > 0)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, Link, LinkKind};
    use crate::domain::realm::{Bound, Realm};

    const NOW: UnixMicros = UnixMicros::from_secs(1_000);

    fn somebody() -> Account {
        let link = Link { kind: LinkKind::Email, id: "ada@example.org".into() };
        Account::sample(AccountId(Uuid::from_u128(7)), link)
    }

    fn ask(account: &mut Account, ask: &OperatorAsk, realm: &Realm) -> Result<(), Refusal> {
        decide(account, ask, OfficeSeen { realm, fresh: Uuid::nil() }, NOW)
    }

    fn refusal(why: OperatorRefusal) -> Result<(), Refusal> {
        Err(refused(why))
    }

    #[test]
    fn only_the_first_becomes_one_without_an_invitation() {
        let mut ada = somebody();
        let mut realm = Realm::default();
        assert_eq!(
            ask(&mut ada, &OperatorAsk::First(Way::Password("hash".into())), &realm),
            Ok(())
        );
        assert_eq!(ada.dossier().roles, [ADMIN]);
        realm.admins = vec![ada.id];
        let second =
            ask(&mut somebody(), &OperatorAsk::First(Way::Password("hash".into())), &realm);
        assert_eq!(second, refusal(OperatorRefusal::NotFirst));
        assert_eq!(ask(&mut ada, &OperatorAsk::Dismiss, &realm), Ok(()));
        assert!(ada.dossier().roles.is_empty() && ada.dossier().operator.is_none());
    }

    #[test]
    fn each_code_is_good_once() {
        let (mut ada, realm) = (somebody(), Realm::default());
        let mut done = |what: OperatorAsk| ask(&mut ada, &what, &realm);
        let prove = |factor| OperatorAsk::Prove(factor);
        assert_eq!(done(prove(Factor::None)), Ok(()));
        assert_eq!(done(prove(Factor::Step(5))), refusal(OperatorRefusal::Code), "none is set");
        assert_eq!(done(OperatorAsk::Confirm(5, vec![])), refusal(OperatorRefusal::Unknown));
        assert_eq!(done(OperatorAsk::Enrol(vec![1])), Ok(()));
        assert_eq!(done(OperatorAsk::Confirm(5, vec![[1; 32], [2; 32]])), Ok(()));
        assert_eq!(done(prove(Factor::None)), refusal(OperatorRefusal::Code));
        assert_eq!(done(prove(Factor::Step(5))), refusal(OperatorRefusal::Code), "used to confirm");
        assert_eq!(done(prove(Factor::Step(6))), Ok(()));
        assert_eq!(done(prove(Factor::Step(6))), refusal(OperatorRefusal::Code));
        assert_eq!(done(prove(Factor::Recovery([2; 32]))), Ok(()));
        assert_eq!(done(prove(Factor::Recovery([2; 32]))), refusal(OperatorRefusal::Code));
        assert_eq!(done(OperatorAsk::DropTotp), Ok(()));
        assert_eq!(done(prove(Factor::None)), Ok(()));
        assert_eq!(ada.dossier().operator.as_ref().unwrap().signed_in_ms, NOW.as_millis());
    }

    #[test]
    fn an_account_at_a_provider_is_one_operators() {
        let binding = |id: &str| Binding {
            kind: LinkKind::Okta.number(),
            id: id.into(),
            name: "Ada".into(),
            added_ms: 1,
        };
        let (mut ada, mut realm) = (somebody(), Realm::default());
        let first = OperatorAsk::First(Way::Provider(binding("ada")));
        assert_eq!(ask(&mut ada, &first, &realm), Ok(()));
        let bound =
            |id: &str, account| Bound { kind: LinkKind::Okta.number(), id: id.into(), account };
        realm.bindings = vec![bound("ada", ada.id), bound("bob", AccountId(Uuid::from_u128(8)))];
        let taken = refusal(OperatorRefusal::Taken);
        assert_eq!(ask(&mut ada, &OperatorAsk::Bind(binding("bob")), &realm), taken);
        let joins = OperatorAsk::Become(Way::Provider(binding("bob")), vec![]);
        assert_eq!(ask(&mut somebody(), &joins, &realm), taken);
        assert_eq!(ask(&mut ada, &OperatorAsk::Bind(binding("ada")), &realm), Ok(()), "her own");
        assert_eq!(ask(&mut ada, &OperatorAsk::Prove(Factor::Vouched), &realm), Ok(()));
        let gone = ask(&mut ada, &OperatorAsk::Unbind(LinkKind::Okta.number()), &realm);
        assert_eq!(gone, refusal(OperatorRefusal::LastWay));
        assert_eq!(super::super::bindings_of(&ada).len(), 1, "nothing changed");
    }

    #[test]
    fn invitations_and_tokens_are_few_end_and_are_taken_once() {
        let (mut ada, realm) = (somebody(), Realm::default());
        let invitation = |n: u8, expires_ms| Invitation {
            id: Uuid::from_u128(n.into()),
            hash: [n; 32],
            label: "bob".into(),
            roles: vec![],
            expires_ms,
        };
        let later = NOW.as_millis() + 1;
        let mut done = |what: OperatorAsk| ask(&mut ada, &what, &realm);
        assert_eq!(done(OperatorAsk::Invite(invitation(1, NOW.as_millis()))), Ok(()));
        assert_eq!(done(OperatorAsk::TakeUp([1; 32])), refusal(OperatorRefusal::Unknown), "over");
        for n in 0..32 {
            assert_eq!(done(OperatorAsk::Invite(invitation(n, later))), Ok(()), "{n}");
        }
        let more = done(OperatorAsk::Invite(invitation(99, later)));
        assert_eq!(more, refusal(OperatorRefusal::TooMany));
        assert_eq!(done(OperatorAsk::TakeUp([3; 32])), Ok(()));
        assert_eq!(done(OperatorAsk::TakeUp([3; 32])), refusal(OperatorRefusal::Unknown));
        let withdraw = OperatorAsk::Withdraw(Uuid::from_u128(4));
        assert_eq!(done(withdraw.clone()), Ok(()));
        assert_eq!(done(withdraw), refusal(OperatorRefusal::Unknown));
        assert_eq!(done(OperatorAsk::RevokeToken(Uuid::nil())), refusal(OperatorRefusal::Unknown));
    }
}
