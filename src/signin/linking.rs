//! Ways to sign in, added and taken away (protocol-nakama §4).

use std::net::IpAddr;

use super::hooks::Deed;
use super::proving::{Claim, Named};
use super::{Credential, Door, Origin, SignInError, Unlink};
use crate::actors::account_registry::LinkAsk;
use crate::domain::account::{AccountId, Link, LinkKind, Refusal};
use crate::identity::Verified;

impl Door {
    /// Adds a way to sign in. `import_friends`: afterwards the player's friends at the provider
    /// become friends here, where it has any; what fails there is not told (protocol-nakama §4.3).
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`] when it is another account's, [`SignInError::Identity`],
    /// [`SignInError::Hook`]; nothing was changed.
    pub async fn link(
        &self,
        account: AccountId,
        credential: Credential,
        import_friends: bool,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        let friends_of = import_friends.then(|| credential.proof()).flatten();
        let (verified, password) = match self.claim(credential).await? {
            Claim::Link(verified) => (verified, None),
            Claim::Named(Named::Email(email), password) => {
                let hash = self.hashing.hash(password).await?;
                (Verified::of(Link { kind: LinkKind::Email, id: email }), Some(hash))
            }
            // A user name is no link: it comes with the account.
            Claim::Named(Named::Username(_), _) => return Err(Refusal::UsernameTaken.into()),
        };
        let devices_max = self.config.nakama.devices_max as usize;
        let Verified { link, formerly, profile, .. } = verified;
        self.ask_hook(account, Deed::Link(link.clone()), Origin::nakama(from)).await?;
        let rules = self.link_rules(link.kind);
        let ask = LinkAsk { link, password, devices_max, formerly, profile, rules };
        self.accounts.link(account, ask).await?;
        if let Some(proof) = friends_of
            && let Some(account) = self.account(account).await?
        {
            Box::pin(self.import_after_sign_in(&account, proof)).await;
        }
        Ok(())
    }

    /// Whether the settings let this provider verify anybody.
    pub fn is_configured(&self, kind: LinkKind) -> bool {
        self.providers.is_configured(kind)
    }

    /// Takes a way to sign in away, never the last one.
    ///
    /// # Errors
    ///
    /// [`Refusal::CannotUnlink`], [`SignInError::Identity`], [`SignInError::Hook`]; nothing was
    /// changed.
    pub async fn unlink(
        &self,
        account: AccountId,
        what: Unlink,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        let (kind, id) = match what {
            Unlink::Kind(kind) => (kind, None),
            Unlink::Id(kind, id) => (kind, Some(id)),
            Unlink::Proof(proof) => {
                let link = Box::pin(self.providers.verify(&proof)).await?.link;
                (link.kind, Some(link.id))
            }
        };
        let deed = match &id {
            Some(id) => Deed::Unlink(Link { kind, id: id.clone() }),
            None => Deed::UnlinkKind(kind),
        };
        self.ask_hook(account, deed, Origin::nakama(from)).await?;
        Ok(self.accounts.unlink(account, kind, id).await?)
    }
}
