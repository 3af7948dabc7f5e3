//! From a credential to an account: what is claimed, whose place in line that is, and the proof.

use std::net::IpAddr;

use super::entrance::Entered;
use super::hashing::Verdict;
use super::hooks::Allowed;
use super::{Credential, Door, Origin, Password, SignInError, SignedIn, Wish};
use crate::actors::account_registry::{Expected, Key, NewAccount, Password as Checked, SignIn};
use crate::domain::account::{Account, Link, LinkKind, Refusal, passwords};
use crate::domain::queue::{Identity, Work};
use crate::identity::{Proof, Shown, Verified};
use crate::observe::trace;

/// Who somebody says they are, as far as it can be told before the line.
pub(super) enum Claim {
    /// The identifier itself, which is its own proof, or which a provider has confirmed.
    Link(Verified),
    /// Somebody by name, and a password to check.
    Named(Named, Password),
}

/// Whose password it is.
pub(super) enum Named {
    Email(String),
    Username(String),
}

/// How often a sign-in by password is proven again because the account changed meanwhile.
const TRIES: usize = 3;

/// Who somebody is.
struct Proven {
    verified: Verified,
    password: Checked,
    /// The hash for an account to be made.
    new_hash: Option<String>,
}

impl Proven {
    const fn by_link(verified: Verified) -> Self {
        Self { verified, password: Checked::NotAsked, new_hash: None }
    }

    fn by_password(link: Link, hash: String) -> Self {
        Self { verified: Verified::of(link), password: Checked::Checked(hash), new_hash: None }
    }
}

impl Credential {
    /// The provider's proof, if it is one.
    pub(super) fn proof(&self) -> Option<Proof> {
        match self {
            Self::Provider(proof) => Some(proof.clone()),
            _ => None,
        }
    }
}

impl Claim {
    /// What signing in costs if there is an account.
    pub(super) const fn work(&self) -> Work {
        match self {
            Self::Link(_) => Work::Known,
            Self::Named(..) => Work::Password,
        }
    }

    fn of(kind: LinkKind, id: String) -> Self {
        Self::Link(Verified::of(Link { kind, id }))
    }
}

impl Door {
    /// What a credential claims. Providers are asked here, before the line: a place belongs to a
    /// player, and a provider's token is another one each time.
    pub(super) async fn claim(&self, credential: Credential) -> Result<Claim, SignInError> {
        Ok(match credential {
            Credential::Device(id) => Claim::of(LinkKind::Device, id),
            Credential::Custom(id) => Claim::of(LinkKind::Custom, id),
            Credential::Unsafe { account_id, display_name } => {
                let link = Link { kind: LinkKind::Unsafe, id: account_id };
                let shown = Shown { name: display_name, ..Shown::default() };
                Claim::Link(Verified { shown, ..Verified::of(link) })
            }
            Credential::Email { email, password } => Claim::Named(Named::Email(email), password),
            Credential::Username { username, password } => {
                Claim::Named(Named::Username(username), password)
            }
            // Boxed: most sign-ins need no room for it.
            Credential::Provider(proof) => {
                let asked = Box::pin(self.providers.verify(&proof));
                Claim::Link(trace::step("ask provider", asked).await?)
            }
        })
    }

    /// Whose place it is: one identity has one place, whatever was typed in beside it.
    pub(super) fn identity_of(&self, claim: &Claim) -> Identity {
        let (kind, id) = match claim {
            Claim::Link(verified) => return self.identity_of_link(&verified.link),
            Claim::Named(Named::Email(email), _) => ("email", email),
            Claim::Named(Named::Username(username), _) => ("username", username),
        };
        self.line.identity(kind, id)
    }

    /// Whose place it is that somebody takes who signs in by this link.
    pub(super) fn identity_of_link(&self, link: &Link) -> Identity {
        match link.kind {
            LinkKind::Studio(number) => self.line.identity(&format!("studio-{number}"), &link.id),
            kind => self.line.identity(kind.name(), &link.id),
        }
    }

    pub(super) async fn prove_and_sign_in(
        &self,
        claim: Claim,
        wish: Wish,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        match claim {
            Claim::Link(verified) => {
                self.sign_in(Proven::by_link(verified), wish, entered, from).await
            }
            // Boxed: most sign-ins need no room for it.
            Claim::Named(name, password) => {
                Box::pin(self.prove_by_password(&name, &password, wish, entered, from)).await
            }
        }
    }

    async fn prove_by_password(
        &self,
        name: &Named,
        password: &Password,
        wish: Wish,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let mut tries = 1..=TRIES;
        loop {
            let proven = match name {
                Named::Email(email) => self.prove_email(email, password, wish.create, from).await?,
                Named::Username(username) => self.prove_username(username, password, from).await?,
            };
            let _ = tries.next();
            match self.sign_in(proven, wish.clone(), entered, from).await {
                // Somebody else made or changed the account while the password was hashed.
                Err(SignInError::Refused(Refusal::Overtaken)) if !tries.is_empty() => {}
                result => return result,
            }
        }
    }

    async fn sign_in(
        &self,
        proven: Proven,
        wish: Wish,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let origin = match wish.pragma {
            Some(_) => Origin::pragma(from),
            None => Origin::nakama(from),
        };
        let pragma = match &wish.pragma {
            Some(pragma) => {
                Some(Box::pin(self.name_for_pragma(&proven.verified, pragma.shard)).await?)
            }
            None => None,
        };
        let email = proven.verified.profile.email.as_ref().filter(|email| email.verified);
        let vouched_email = email.map(|email| email.address.clone());
        let new =
            NewAccount { username: wish.username, password: proven.new_hash, display_name: None };
        let ask = SignIn {
            link: proven.verified.link,
            create: wish.create.then_some(new),
            pass: entered.pass_use(),
            pragma,
            single_session: wish.single_session,
            password: proven.password,
            formerly: proven.verified.formerly,
            profile: proven.verified.profile,
            expected: Expected::Anybody,
        };
        let Allowed { signed_in, session_info } =
            self.sign_in_as_allowed(ask, origin, true).await?;
        Ok(SignedIn {
            account: signed_in.account,
            created: signed_in.created,
            at: signed_in.at,
            vouched_email,
            session_info,
        })
    }

    /// Checks the password of an address. For an address nobody has: hashes it, for the account to
    /// be made.
    async fn prove_email(
        &self,
        email: &str,
        password: &Password,
        create: bool,
        from: Option<IpAddr>,
    ) -> Result<Proven, SignInError> {
        let link = Link { kind: LinkKind::Email, id: email.to_owned() };
        match self.accounts.find(Key::Link(link.clone())).await? {
            Some(account) => {
                let hash = self.check_password(&account, password, email, from).await?;
                Ok(Proven::by_password(link, hash))
            }
            None if create => {
                if self.config.passwords.refuse_common {
                    passwords::uncommon(&password.0)?;
                }
                let new_hash = Some(self.hashing.hash(password.clone()).await?);
                let (verified, password) = (Verified::of(link), Checked::OfNobody);
                Ok(Proven { verified, password, new_hash })
            }
            None => Err(self.unknown(password, email, from).await),
        }
    }

    /// Protocol-nakama §2.7: without an address, the user name and the password sign in. The link
    /// to sign in by is the account's address, which such an account always has.
    async fn prove_username(
        &self,
        username: &str,
        password: &Password,
        from: Option<IpAddr>,
    ) -> Result<Proven, SignInError> {
        let account = self.accounts.find(Key::Username(username.to_owned())).await?;
        let Some(account) = account else {
            return Err(self.unknown(password, username, from).await);
        };
        let hash = self.check_password(&account, password, username, from).await?;
        let email = account.link(LinkKind::Email).ok_or(Refusal::WrongPassword)?;
        let link = Link { kind: LinkKind::Email, id: email.to_owned() };
        Ok(Proven::by_password(link, hash))
    }

    /// Takes as long as a wrong password and, unless configured otherwise, says the same.
    async fn unknown(&self, password: &Password, name: &str, from: Option<IpAddr>) -> SignInError {
        if let Err(error) = self.limits.password(name, from) {
            return error.into();
        }
        if let Err(error) = self.hashing.check(password.clone(), None).await {
            return error.into();
        }
        if self.config.passwords.uniform_answer {
            Refusal::WrongPassword.into()
        } else {
            Refusal::NoAccount.into()
        }
    }

    /// Checks a password and gives the hash that is stored from here on.
    async fn check_password(
        &self,
        account: &Account,
        password: &Password,
        name: &str,
        from: Option<IpAddr>,
    ) -> Result<String, SignInError> {
        self.limits.password(name, from)?;
        // The banned hear so before their password is looked at (§2.7).
        if account.is_banned(self.clock.now()) {
            return Err(Refusal::Banned.into());
        }
        let stored = account.password.as_deref();
        match self.hashing.check(password.clone(), stored).await? {
            Verdict::Wrong => Err(Refusal::WrongPassword.into()),
            Verdict::Right => Ok(account.password.clone().ok_or(Refusal::WrongPassword)?),
            Verdict::RightButOld => {
                let old = account.password.clone().ok_or(Refusal::WrongPassword)?;
                Ok(self.rehash(account, old.clone(), password).await.unwrap_or(old))
            }
        }
    }

    /// Hashes anew with the parameters in force and gives the new hash. When the pool is full it
    /// is left for next time.
    async fn rehash(&self, account: &Account, old: String, password: &Password) -> Option<String> {
        let new = self.hashing.hash(password.clone()).await.ok()?;
        match self.accounts.set_password(account.id, old, new.clone()).await {
            Ok(()) => Some(new),
            Err(error) => {
                tracing::warn!(account.id = %account.id.0, %error, "password was not rehashed");
                None
            }
        }
    }
}
