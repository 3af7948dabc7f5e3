//! Who is an operator: invitations, roles, leaving; and tokens for scripts.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Opened, OperatorError, Operators, hash_of};
use crate::actors::account_registry::{Key, Page};
use crate::domain::account::{Account, AccountFilter, AccountId};
use crate::domain::audit::{Text, What};
use crate::domain::operator::{
    AutomationToken, Invitation, Invited, OpenedBy, OperatorAsk, TOKEN_LIFE_MAX_MS, Way, codes,
};
use crate::domain::realm::{ADMIN, NAME_MAX, PERMISSIONS_MAX, Realm};
use crate::domain::time::UnixMicros;
use crate::signin::Password;

/// What a token for scripts begins with, so that it is known where it is found.
const TOKEN_PREFIX: &str = "aop_";
/// Operators that are listed.
const LISTED_MAX: usize = 200;

/// An operator, as listed.
pub struct Staff {
    /// The account.
    pub account: Account,
    /// When they were last seen, in a session that is open or at their last sign-in.
    pub seen: Option<UnixMicros>,
}

/// A token for scripts to be made.
pub struct Wanted {
    /// What it is for.
    pub label: String,
    /// What it shall permit.
    pub permissions: Vec<String>,
    /// How long it shall live, in milliseconds.
    pub life_ms: u64,
}

/// A token for scripts that was made.
pub struct NewToken {
    /// Its id.
    pub id: Uuid,
    /// The token itself, shown this once.
    pub token: Zeroizing<String>,
    /// When it ends, in milliseconds since the epoch.
    pub expires_ms: u64,
}

/// Somebody takes an invitation up.
pub struct Accepting<'a> {
    /// The invitation's code.
    pub code: &'a str,
    /// The address they will sign in by.
    pub email: &'a str,
    /// The password they choose.
    pub password: Password,
}

/// A token for scripts that is none, is over, or whose owner is no operator any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected;

impl Operators {
    /// Everybody with a role, at most 200.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn staff(&self) -> Result<Vec<Staff>, OperatorError> {
        let realm = self.0.door.realm();
        let roles = realm.roles.iter().map(|role| role.id).chain([ADMIN]).collect();
        let filter = AccountFilter { roles, ..AccountFilter::default() };
        let page = Page { index: 0, size: LISTED_MAX };
        let found = self.0.door.search(filter, page).await?.accounts;
        let sessions = self.sessions();
        let told = |account: Account| {
            let signed_in = account.dossier().operator.as_ref().map_or(0, |has| has.signed_in_ms);
            let last = (signed_in > 0).then(|| UnixMicros(signed_in.saturating_mul(1_000)));
            Staff { seen: sessions.last_seen(account.id).or(last), account }
        };
        Ok(found.into_iter().map(told).collect())
    }

    /// Invites somebody to these roles. Answers with the invitation and its code, shown this once.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn invite(
        &self,
        by: &Account,
        label: &str,
        roles: Vec<Uuid>,
    ) -> Result<(Invitation, String), OperatorError> {
        let label = checked(label)?;
        self.may_give(by, &roles)?;
        if roles.is_empty() {
            return Err(OperatorError::Form);
        }
        let dice = &self.0.door.dice;
        let chance = (dice.uuid(), &dice.bytes());
        let made = Invitation::make(by.id, label, roles, chance, self.now());
        let Invited { invitation, code } = made;
        let (name, roles) = (invitation.id.to_string().into(), ids(&invitation.roles));
        self.record(by.id, What::OperatorInvited { invitation: name, roles })?;
        self.ask(by.id, OperatorAsk::Invite(invitation.clone())).await?;
        Ok((invitation, code))
    }

    /// Takes an invitation back, whoever made it.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn withdraw(&self, by: AccountId, id: Uuid) -> Result<(), OperatorError> {
        let has = |staff: &Staff| {
            let has = staff.account.dossier().operator.as_deref();
            has.is_some_and(|has| has.invitations.iter().any(|one| one.id == id))
        };
        let owner = self.staff().await?.into_iter().find(has).ok_or(OperatorError::Unknown)?;
        let (invitation, roles) = (id.to_string().into(), Text::default());
        self.record(by, What::OperatorInvited { invitation, roles })?;
        self.ask(owner.account.id, OperatorAsk::Withdraw(id)).await.map(drop)
    }

    /// Takes an invitation up and signs the new operator in.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]: the invitation is as good as before, unless the server fails in between.
    pub async fn accept(
        &self,
        ask: Accepting<'_>,
        from: Option<IpAddr>,
    ) -> Result<Opened, OperatorError> {
        self.0.door.limits.sign_in(from)?;
        self.0.door.limits.password("operator invitation", from)?;
        let (inviter, invitation) = self.invited(ask.code).await?;
        let (account, password) = self.newcomer(ask.email, ask.password).await?;
        self.join(&account, Way::Password(password), (&inviter, &invitation)).await
    }

    /// The invitation of a code, if it is good, and whose it is.
    pub(super) async fn invited(&self, code: &str) -> Result<(Account, Invitation), OperatorError> {
        let inviter = match Invitation::inviter(code) {
            Some(id) => self.0.door.find(Key::Id(id)).await?,
            None => None,
        };
        let found = inviter.as_ref().and_then(|inviter| {
            let made = &inviter.dossier().operator.as_deref()?.invitations;
            made.iter().find(|one| one.opens(code, self.now())).cloned()
        });
        let (Some(inviter), Some(invitation)) = (inviter, found) else {
            self.refused(None, "invitation")?;
            return Err(OperatorError::NotInvited);
        };
        // What the inviter lost since, nobody gets from them.
        self.may_give(&inviter, &invitation.roles).map_err(|_| OperatorError::NotInvited)?;
        Ok((inviter, invitation))
    }

    /// Makes an account an operator by an invitation, which is taken up.
    pub(super) async fn join(
        &self,
        account: &Account,
        way: Way,
        (inviter, invitation): (&Account, &Invitation),
    ) -> Result<Opened, OperatorError> {
        let (name, roles) = (self.pseudonym(account.id), ids(&invitation.roles));
        let how = format!("invitation {}", invitation.id).as_str().into();
        self.record(account.id, What::OperatorMade { account: name, how, roles })?;
        let taken = self.ask(inviter.id, OperatorAsk::TakeUp(invitation.hash)).await;
        taken.map_err(|error| match error {
            OperatorError::Refused(_) => OperatorError::NotInvited,
            other => other,
        })?;
        let becoming = OperatorAsk::Become(way, invitation.roles.clone());
        let account = self.ask(account.id, becoming).await?;
        Ok(self.open(account, OpenedBy::Proof))
    }

    /// Gives an operator these roles and no others. Without any they are none, and their sessions end.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; the last administrator stays one.
    pub async fn set_roles(
        &self,
        by: &Account,
        of: AccountId,
        roles: Vec<Uuid>,
    ) -> Result<Account, OperatorError> {
        let account = self.0.door.find(Key::Id(of)).await?.ok_or(OperatorError::Unknown)?;
        let had = &account.dossier().roles;
        if had.is_empty() {
            return Err(OperatorError::Unknown);
        }
        let changed = |a: &[Uuid], b: &[Uuid]| -> Vec<Uuid> {
            a.iter().filter(|role| !b.contains(role)).copied().collect()
        };
        self.may_give(by, &[changed(had, &roles), changed(&roles, had)].concat())?;
        let (from, to) = (ids(had), ids(&roles));
        let name = self.pseudonym(of);
        self.record(by.id, What::OperatorRoles { account: name, from, to })?;
        let is_gone = roles.is_empty();
        let ask = if is_gone { OperatorAsk::Dismiss } else { OperatorAsk::SetRoles(roles) };
        let account = self.ask(of, ask).await?;
        if is_gone {
            self.sessions().close_others(of, None);
        }
        Ok(account)
    }

    /// Makes a token for scripts. It may do what its maker may, and of that what it lists.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn make_token(
        &self,
        by: &Account,
        wanted: Wanted,
    ) -> Result<NewToken, OperatorError> {
        let Wanted { label, mut permissions, life_ms } = wanted;
        let label = checked(&label)?;
        permissions.sort_unstable();
        permissions.dedup();
        let bounds = (1..=PERMISSIONS_MAX).contains(&permissions.len());
        if !bounds || !(60_000..=TOKEN_LIFE_MAX_MS).contains(&life_ms) {
            return Err(OperatorError::Form);
        }
        let realm = self.0.door.realm();
        let may = |wanted: &String| realm.permits(&by.dossier().roles, wanted);
        if !permissions.iter().all(may) {
            return Err(OperatorError::NotYours);
        }
        let dice = &self.0.door.dice;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(dice.bytes::<32>()));
        let token = format!("{TOKEN_PREFIX}{}_{}", by.id.0.simple(), *secret);
        let (id, created_ms) = (dice.uuid(), self.now().as_millis());
        let expires_ms = created_ms.saturating_add(life_ms);
        let listed = permissions.join(" ").as_str().into();
        let what = What::AutomationToken { token: id.to_string().into(), permissions: listed };
        self.record(by.id, what)?;
        let hash = hash_of(&token);
        let made = AutomationToken { id, hash, label, permissions, created_ms, expires_ms };
        self.ask(by.id, OperatorAsk::AddToken(made)).await?;
        Ok(NewToken { id, token: Zeroizing::new(token), expires_ms })
    }

    /// Revokes a token, whoever made it.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn revoke_token(&self, by: AccountId, id: Uuid) -> Result<(), OperatorError> {
        let has = |staff: &Staff| {
            let has = staff.account.dossier().operator.as_deref();
            has.is_some_and(|has| has.tokens.iter().any(|one| one.id == id))
        };
        let owner = self.staff().await?.into_iter().find(has).ok_or(OperatorError::Unknown)?;
        let (token, permissions) = (id.to_string().into(), Text::default());
        self.record(by, What::AutomationToken { token, permissions })?;
        self.ask(owner.account.id, OperatorAsk::RevokeToken(id)).await.map(drop)
    }

    /// Whose token this is, and what it permits.
    ///
    /// # Errors
    ///
    /// [`Rejected`] in the first place: it is none, or over. No answer in time.
    pub async fn by_token(
        &self,
        token: &str,
    ) -> Result<Result<(Account, Vec<String>), Rejected>, OperatorError> {
        let id = token.strip_prefix(TOKEN_PREFIX).and_then(|rest| rest.split_once('_'));
        let Some(id) = id.and_then(|(id, _)| Uuid::try_parse(id).ok()) else {
            return Ok(Err(Rejected));
        };
        let Some(account) = self.0.door.find(Key::Id(AccountId(id))).await? else {
            return Ok(Err(Rejected));
        };
        let (hash, now) = (hash_of(token), self.now());
        let made = account.dossier().operator.as_deref().map_or(&[][..], |has| &has.tokens);
        let found = made
            .iter()
            .find(|one| one.expires_ms > now.as_millis() && codes::is_same(&one.hash, &hash));
        Ok(match found.map(|one| (one.id, one.permissions.clone())) {
            Some((id, permissions)) => {
                self.0.used.note(id, now);
                Ok((account, permissions))
            }
            None => Err(Rejected),
        })
    }

    /// Whether a text is meant to be a token for scripts.
    pub fn is_token(text: &str) -> bool {
        text.starts_with(TOKEN_PREFIX)
    }

    /// When a token was last used, in seconds since the epoch; a restart forgets.
    pub fn token_used(&self, id: Uuid) -> Option<u64> {
        self.0.used.last(id)
    }

    /// Nobody gives, or takes away, what they may not do themselves.
    fn may_give(&self, by: &Account, roles: &[Uuid]) -> Result<(), OperatorError> {
        let (realm, own) = (self.0.door.realm(), &by.dossier().roles);
        let is_own = |role: &Uuid| covers(&realm, own, *role);
        if roles.iter().all(is_own) { Ok(()) } else { Err(OperatorError::NotYours) }
    }
}

/// Whether who has these roles may do everything that a role permits. One that is gone permits
/// nothing.
fn covers(realm: &Realm, own: &[Uuid], role: Uuid) -> bool {
    if role == ADMIN {
        return own.contains(&ADMIN);
    }
    let permits = realm.roles.iter().find(|known| known.id == role).map(|role| &role.permissions);
    permits.is_none_or(|all| all.iter().all(|one| realm.permits(own, one)))
}

/// A label without blanks around it, if it is one.
fn checked(label: &str) -> Result<String, OperatorError> {
    let label = label.trim();
    let fits = (1..=NAME_MAX).contains(&label.chars().count());
    if fits && !label.contains(char::is_control) {
        Ok(label.to_owned())
    } else {
        Err(OperatorError::Form)
    }
}

fn ids(roles: &[Uuid]) -> Text {
    let names: Vec<String> = roles.iter().map(Uuid::to_string).collect();
    names.join(" ").as_str().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::realm::Role;

    #[test]
    fn a_role_is_given_by_those_who_may_do_all_of_it() {
        let role = |n: u128, permissions: &[&str]| Role {
            id: Uuid::from_u128(n),
            name: n.to_string(),
            permissions: permissions.iter().map(|one| (*one).to_owned()).collect(),
        };
        let realm = Realm {
            roles: vec![role(2, &["a.b.get"]), role(3, &["a.b.get", "a.b.update"])],
            ..Realm::default()
        };
        let [look, change, gone] = [2, 3, 9].map(Uuid::from_u128);
        for (own, given, may) in [
            (&[ADMIN][..], ADMIN, true),
            (&[ADMIN][..], change, true),
            (&[change][..], look, true),
            (&[change][..], change, true),
            (&[look][..], change, false),
            (&[change][..], ADMIN, false),
            (&[][..], look, false),
            (&[look][..], gone, true),
        ] {
            assert_eq!(covers(&realm, own, given), may, "{own:?} {given}");
        }
    }

    #[test]
    fn a_label_says_something() {
        assert_eq!(checked(" grafana ").unwrap(), "grafana");
        for bad in ["", "  ", "a\nb", &"x".repeat(129)] {
            assert!(checked(bad).is_err(), "{bad:?}");
        }
    }
}
