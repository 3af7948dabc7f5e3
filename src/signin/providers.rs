//! Providers as Pragma links and unlinks them (protocol-pragma §7), and display names (§6.2).

use serde_json::{Map, Value};

use super::hooks::Deed;
use super::proving::Claim;
use super::{Credential, Door, Origin, SignInError, SignedIn};
use crate::actors::account_registry::{Key, NewAccount, PragmaSignIn, SignIn};
use crate::config::ProviderOptions;
use crate::domain::account::display_name;
use crate::domain::account::provider_links::{LinkRules, ProviderLink};
use crate::domain::account::{Account, AccountId, Link, LinkKind, PragmaName, Refusal};
use crate::domain::hook::WantedNames;
use crate::domain::token::SessionType;
use crate::identity::{Portal, Shown, StudioName};

const DAY_S: u64 = 86_400;

/// Longest id taken on somebody's word, in bytes.
const ID_MAX: usize = 128;

/// A link nobody has proven, in the form a proven one would have.
fn trusted_link(kind: LinkKind, id: String) -> Result<Link, Refusal> {
    if id.is_empty() || id.len() > ID_MAX {
        return Err(Refusal::IdLength(kind));
    }
    if id.chars().any(char::is_control) {
        return Err(Refusal::IdCharacters(kind));
    }
    Ok(Link { kind, id })
}

/// A name at a provider on somebody's word; empty: they know none.
fn told(name: &str) -> Shown {
    Shown { name: name.to_owned(), ..Shown::default() }
}

impl Door {
    /// Links a provider's account. Linked already: nothing changes.
    ///
    /// # Errors
    ///
    /// [`SignInError::Identity`] when it is not proven; those of
    /// [`crate::domain::account::provider_links::bind`]; nothing was changed.
    pub async fn link_provider(
        &self,
        account: AccountId,
        credential: Credential,
    ) -> Result<(), SignInError> {
        let Claim::Link(verified) = self.claim(credential).await? else {
            return Err(Refusal::NoAccount.into()); // no provider proves by password
        };
        let named = self.name_for_pragma(&verified, None).await?;
        self.bind(account, verified.link, named).await
    }

    /// Takes a provider's account away, never the last way to sign in. Not linked: nothing changes.
    ///
    /// # Errors
    ///
    /// [`Refusal::CannotUnlink`]; no answer in time.
    pub async fn unlink_provider(
        &self,
        account: AccountId,
        kind: LinkKind,
    ) -> Result<(), SignInError> {
        self.ask_hook(account, Deed::UnlinkKind(kind), Origin::pragma(None)).await?;
        let is_closed = |kind: &LinkKind| !self.provider_options(*kind).player_login;
        let studio = self.providers.studio().iter().map(|own| LinkKind::Studio(own.number));
        let without_login = LinkKind::ALL.into_iter().chain(studio).filter(is_closed).collect();
        Ok(self.accounts.unlink_provider(account, kind, without_login).await?)
    }

    /// The account that a proof is of, and what a hook wants in its `extSessionInfo`: for tokens that
    /// are given without a sign-in.
    ///
    /// # Errors
    ///
    /// [`SignInError::Identity`]; [`Refusal::NoAccount`], [`Refusal::Banned`];
    /// [`SignInError::Hook`]; no answer in time.
    pub async fn proven_by(
        &self,
        credential: Credential,
    ) -> Result<(Account, Map<String, Value>), SignInError> {
        let Claim::Link(verified) = self.claim(credential).await? else {
            return Err(Refusal::NoAccount.into());
        };
        let link = verified.link;
        let account = self.find(Key::Link(link.clone())).await?.ok_or(Refusal::NoAccount)?;
        if account.is_banned(self.clock.now()) {
            return Err(Refusal::Banned.into());
        }
        let session_info = self.ask_login(&account, link, Origin::pragma(None)).await?;
        Ok((account, session_info))
    }

    /// Makes an account for an id at a provider on the word of whoever asks (protocol-pragma §6.5).
    /// `created` is false if it is there already; it then only gets its player on the shard.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdCharacters`], [`Refusal::IdLength`]; [`Refusal::NoDiscriminator`]; no answer in
    /// time.
    pub async fn create_trusted(
        &self,
        kind: LinkKind,
        id: String,
        shown: &str,
        shard: Option<uuid::Uuid>,
    ) -> Result<SignedIn, SignInError> {
        let link = trusted_link(kind, id)?;
        let pragma = Some(self.named_for_pragma(&link, &told(shown), shard));
        let ask = SignIn { pragma, ..SignIn::by(link, Some(NewAccount::default())) };
        let allowed = self.sign_in_as_allowed(ask, Origin::pragma(None), false).await?;
        let made = allowed.signed_in;
        Ok(SignedIn {
            account: made.account,
            created: made.created,
            at: made.at,
            vouched_email: None,
            session_info: allowed.session_info,
        })
    }

    /// Links an id at a provider on the word of whoever asks.
    ///
    /// # Errors
    ///
    /// As [`Self::link_provider`].
    pub async fn link_trusted(
        &self,
        account: AccountId,
        kind: LinkKind,
        id: String,
        shown: &str,
    ) -> Result<(), SignInError> {
        let link = trusted_link(kind, id)?;
        let named = self.named_for_pragma(&link, &told(shown), None);
        self.bind(account, link, named).await
    }

    /// Links what is proven, or trusted.
    async fn bind(
        &self,
        account: AccountId,
        link: Link,
        named: PragmaSignIn,
    ) -> Result<(), SignInError> {
        self.ask_hook(account, Deed::Link(link.clone()), Origin::pragma(None)).await?;
        let rules = self.link_rules(link.kind);
        let ask = ProviderLink { link, shown: named.shown, rules };
        Ok(self.accounts.link_provider(account, ask).await?)
    }

    /// Gives an account another Pragma name. By its player: only where settings allow it, and not
    /// too soon after the last time.
    ///
    /// # Errors
    ///
    /// [`Refusal::DisplayName`], [`Refusal::DisplayNameFixed`], [`Refusal::NoDiscriminator`],
    /// [`Refusal::NoAccount`].
    pub async fn rename(
        &self,
        account: AccountId,
        wanted: &str,
        by: SessionType,
    ) -> Result<PragmaName, SignInError> {
        let config = &self.config.pragma;
        if by == SessionType::Player && !config.display_name_changes {
            return Err(Refusal::DisplayNameFixed.into());
        }
        let name = display_name::chosen(wanted, self.name_bounds())?;
        let names = WantedNames { display_name: Some(name.clone()), username: None };
        self.ask_hook(account, Deed::Rename(names), Origin::pragma(None)).await?;
        let not_before_s = (by == SessionType::Player)
            .then(|| u64::from(config.display_name_cooldown_days).saturating_mul(DAY_S));
        Ok(self.accounts.rename(account, name, not_before_s).await?)
    }

    /// The studio's own providers.
    pub fn studio_providers(&self) -> &[StudioName] {
        self.providers.studio()
    }

    /// Where a provider's sign-in page is; `None`: it has none, or takes no codes.
    pub fn portal(&self, kind: LinkKind) -> Option<Portal> {
        self.providers.portal(kind)
    }

    /// What a provider may be used for (`[pragma.providers.<name>]`).
    pub fn provider_options(&self, kind: LinkKind) -> ProviderOptions {
        let name = match kind {
            LinkKind::PlayStation => "playstation".to_owned(),
            LinkKind::Studio(number) => {
                let mut own = self.providers.studio().iter();
                let own = own.find(|own| own.number == number);
                own.map_or_else(String::new, |own| own.name.to_ascii_lowercase())
            }
            kind => kind.name().to_owned(),
        };
        self.config.pragma.providers.get(&name).copied().unwrap_or_default()
    }

    /// What the settings say of linking a provider, whichever protocol asks.
    pub(super) fn link_rules(&self, kind: LinkKind) -> LinkRules {
        let options = self.provider_options(kind);
        LinkRules {
            cooldown_s: u64::from(options.linking_cooldown_days).saturating_mul(DAY_S),
            one_association: options.one_association,
        }
    }
}
