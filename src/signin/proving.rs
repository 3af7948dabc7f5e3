//! From a credential to an account: what is claimed, whose place in line that is, and the proof.

use std::net::IpAddr;

use super::entrance::Entered;
use super::hashing::Verdict;
use super::{Credential, Door, Password, SignInError, SignedIn, Wish};
use crate::actors::account_registry::{Key, NewAccount, SignIn};
use crate::domain::account::{Account, Link, LinkKind, Refusal};
use crate::domain::queue::Identity;
use crate::identity::{Proof, Verified};

/// Who somebody says they are, as far as it can be told before the line.
pub(super) enum Claim {
    /// The identifier itself, which is its own proof, or which a provider has confirmed.
    Link(Verified),
    /// An address, and a password to check.
    Email { email: String, password: Password },
    /// A user name, and a password to check.
    Username { username: String, password: Password },
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
            Credential::Unsafe { account_id, .. } => Claim::of(LinkKind::Unsafe, account_id),
            Credential::Email { email, password } => Claim::Email { email, password },
            Credential::Username { username, password } => Claim::Username { username, password },
            Credential::Provider(proof) => Claim::Link(self.providers.verify(&proof).await?),
        })
    }

    /// Whose place it is: one identity has one place, whatever was typed in beside it.
    pub(super) fn identity_of(&self, claim: &Claim) -> Identity {
        let (kind, id) = match claim {
            Claim::Link(verified) => (verified.link.kind.name(), &verified.link.id),
            Claim::Email { email, .. } => ("email", email),
            Claim::Username { username, .. } => ("username", username),
        };
        self.line.identity(kind, id)
    }

    pub(super) async fn prove_and_sign_in(
        &self,
        claim: Claim,
        wish: Wish,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let (verified, password) = match claim {
            Claim::Link(verified) => (verified, None),
            Claim::Email { email, password } => {
                let link = Link { kind: LinkKind::Email, id: email };
                let hash = self.prove_email(&link, password, wish.create, from).await?;
                (Verified::of(link), hash)
            }
            Claim::Username { username, password } => {
                (Verified::of(self.prove_username(username, password, from).await?), None)
            }
        };
        let create = wish.create.then_some(NewAccount { username: wish.username, password });
        let ask = SignIn {
            link: verified.link,
            create,
            pass: entered.pass_use(),
            pragma: wish.pragma,
            single_session: wish.single_session,
        };
        let signed_in = self.accounts.sign_in(ask).await?;
        Ok(SignedIn { account: signed_in.account, created: signed_in.created, at: signed_in.at })
    }

    /// Checks the password of an address. For an address nobody has: the hash of the password, for
    /// the account to be made.
    async fn prove_email(
        &self,
        link: &Link,
        password: Password,
        create: bool,
        from: Option<IpAddr>,
    ) -> Result<Option<String>, SignInError> {
        match self.accounts.find(Key::Link(link.clone())).await? {
            Some(account) => {
                self.check_password(&account, password, &link.id, from).await?;
                Ok(None)
            }
            None if create => Ok(Some(self.hashing.hash(password).await?)),
            None => Err(self.unknown(password, &link.id, from).await),
        }
    }

    /// Protocol-nakama §2.7: without an address, the user name and the password sign in. The link
    /// to sign in by is the account's address, which such an account always has.
    async fn prove_username(
        &self,
        username: String,
        password: Password,
        from: Option<IpAddr>,
    ) -> Result<Link, SignInError> {
        let account = self.accounts.find(Key::Username(username.clone())).await?;
        let Some(account) = account else {
            return Err(self.unknown(password, &username, from).await);
        };
        self.check_password(&account, password, &username, from).await?;
        let email = account.link(LinkKind::Email).ok_or(Refusal::WrongPassword)?;
        Ok(Link { kind: LinkKind::Email, id: email.to_owned() })
    }

    /// Takes as long as a wrong password and, unless configured otherwise, says the same.
    async fn unknown(&self, password: Password, name: &str, from: Option<IpAddr>) -> SignInError {
        if let Err(error) = self.limits.password(name, from) {
            return error.into();
        }
        if let Err(error) = self.hashing.check(password, None).await {
            return error.into();
        }
        if self.config.passwords.uniform_answer {
            Refusal::WrongPassword.into()
        } else {
            Refusal::NoAccount.into()
        }
    }

    async fn check_password(
        &self,
        account: &Account,
        password: Password,
        name: &str,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        self.limits.password(name, from)?;
        let stored = account.password.as_deref();
        match self.hashing.check(password.clone(), stored).await? {
            Verdict::Right => Ok(()),
            Verdict::Wrong => Err(Refusal::WrongPassword.into()),
            Verdict::RightButOld => {
                self.rehash(account, password).await;
                Ok(())
            }
        }
    }

    /// Hashes anew with the parameters in force. When the pool is full it is left for next time.
    async fn rehash(&self, account: &Account, password: Password) {
        let (Some(old), Ok(new)) = (account.password.clone(), self.hashing.hash(password).await)
        else {
            return;
        };
        if let Err(error) = self.accounts.set_password(account.id, old, new).await {
            tracing::warn!(account.id = %account.id.0, %error, "password was not rehashed");
        }
    }
}
