//! When hooks are asked: after the proof, before anything is written or redeemed. A no leaves a pass
//! and a place as they were.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::HookError;
use crate::actors::account_registry::{
    self as registry, AccountsError, Expected, Key, Password, SignIn,
};
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, AccountId, Link, LinkKind, Refusal, display_name};
use crate::domain::hook::{HookCall, HookEvent, Protocol, WantedNames};
use crate::observe::trace;
use crate::signin::{Door, SignInError};

/// How often hooks are asked anew because the account changed meanwhile.
const TRIES: usize = 3;

/// Who asks, as hooks are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The wire they came by; `None`: neither of the two.
    pub protocol: Option<Protocol>,
    /// Their address, as far as it is believed.
    pub from: Option<IpAddr>,
}

impl Origin {
    /// A client of Nakama's.
    pub const fn nakama(from: Option<IpAddr>) -> Self {
        Self { protocol: Some(Protocol::Nakama), from }
    }

    /// A client of Pragma's.
    pub const fn pragma(from: Option<IpAddr>) -> Self {
        Self { protocol: Some(Protocol::Pragma), from }
    }

    /// Somebody in line by the queue API.
    pub const fn unknown(from: Option<IpAddr>) -> Self {
        Self { protocol: None, from }
    }
}

/// What is to be done to an account.
pub(in crate::signin) enum Deed {
    /// This is linked.
    Link(Link),
    /// This is unlinked.
    Unlink(Link),
    /// Whatever is linked of this kind is unlinked.
    UnlinkKind(LinkKind),
    /// It gets these names.
    Rename(WantedNames),
    /// It goes.
    Delete,
}

impl Deed {
    const fn event(&self) -> HookEvent {
        match self {
            Self::Link(_) => HookEvent::AccountLink,
            Self::Unlink(_) | Self::UnlinkKind(_) => HookEvent::AccountUnlink,
            Self::Rename(_) => HookEvent::AccountRename,
            Self::Delete => HookEvent::AccountDelete,
        }
    }

    /// The names that an update gives, if it gives any.
    pub fn of_update(update: &AccountUpdate) -> Option<Self> {
        let names = WantedNames {
            username: update.username.clone(),
            display_name: update.display_name.clone(),
        };
        (names != WantedNames::default()).then_some(Self::Rename(names))
    }

    fn tell(self, call: &mut HookCall, account: &Account) {
        match self {
            Self::Link(link) | Self::Unlink(link) => call.link = Some(link),
            Self::UnlinkKind(kind) => {
                let id = account.link(kind).unwrap_or_default().to_owned();
                call.link = Some(Link { kind, id });
            }
            Self::Rename(names) => call.wanted = names,
            Self::Delete => {}
        }
    }
}

/// A sign-in that hooks allowed.
pub(in crate::signin) struct Allowed {
    pub signed_in: registry::SignedIn,
    /// What `account_login` gave.
    pub session_info: Map<String, Value>,
}

impl Door {
    /// Asks whether something may be done to an account. One that is gone: nobody is asked, for the
    /// registry has a word for that, and no id is given twice.
    pub(in crate::signin) async fn ask_hook(
        &self,
        account: AccountId,
        deed: Deed,
        origin: Origin,
    ) -> Result<(), SignInError> {
        let event = deed.event();
        if !self.hooks.want(event) {
            return Ok(());
        }
        let Some(account) = self.account(account).await? else {
            return Ok(());
        };
        let mut call = self.hook_call(event, Some(&account), origin);
        deed.tell(&mut call, &account);
        Box::pin(self.hooks.ask(call)).await?;
        Ok(())
    }

    /// Asks whether an account that is there may be signed in to, and gives what comes with the yes.
    pub(in crate::signin) async fn ask_login(
        &self,
        account: &Account,
        link: Link,
        origin: Origin,
    ) -> Result<Map<String, Value>, SignInError> {
        if !self.hooks.want(HookEvent::AccountLogin) {
            return Ok(Map::new());
        }
        let call = self.hook_call(HookEvent::AccountLogin, Some(account), origin);
        let given = Box::pin(self.hooks.ask(HookCall { link: Some(link), ..call })).await?;
        Ok(given.session_info)
    }

    /// Signs in as the registry decides; durable when this answers.
    fn committed(
        &self,
        ask: SignIn,
    ) -> impl Future<Output = Result<registry::SignedIn, AccountsError>> {
        trace::step("commit account", self.accounts.sign_in(ask))
    }

    /// Signs in, or makes an account, as hooks allow. `is_login`: somebody is signed in by it, rather
    /// than an account made for them.
    pub(in crate::signin) async fn sign_in_as_allowed(
        &self,
        ask: SignIn,
        origin: Origin,
        is_login: bool,
    ) -> Result<Allowed, SignInError> {
        let is_login = is_login && self.hooks.want(HookEvent::AccountLogin);
        if is_login || self.hooks.want(HookEvent::AccountCreate) {
            // Boxed: most servers have no hooks.
            return Box::pin(self.ask_and_sign_in(ask, origin, is_login)).await;
        }
        Ok(Allowed { signed_in: self.committed(ask).await?, session_info: Map::new() })
    }

    async fn ask_and_sign_in(
        &self,
        ask: SignIn,
        origin: Origin,
        is_login: bool,
    ) -> Result<Allowed, SignInError> {
        let mut tries = 1..=TRIES;
        loop {
            let result = if is_login {
                self.ask_for_login(&ask, origin).await
            } else {
                self.ask_for_new(&ask, origin).await
            };
            let _ = tries.next();
            match result {
                // Somebody made, moved or deleted the account while the hook was asked. What a
                // password proved is to be proven again first.
                Err(SignInError::Refused(Refusal::Overtaken))
                    if ask.password == Password::NotAsked && !tries.is_empty() => {}
                result => return result,
            }
        }
    }

    /// With `account_login` on: who it is has to be known first.
    async fn ask_for_login(&self, ask: &SignIn, origin: Origin) -> Result<Allowed, SignInError> {
        let Some(account) = self.account_of(ask).await? else {
            return self.ask_and_make(ask, origin, true).await;
        };
        if account.is_banned(self.clock.now()) {
            return Err(Refusal::Banned.into());
        }
        let call = self.hook_call(HookEvent::AccountLogin, Some(&account), origin);
        let given = self.hooks.ask(of_sign_in(call, ask)).await?;
        let expected = Expected::Account(account.id);
        let ask = SignIn { create: None, expected, ..ask.clone() };
        let signed_in = self.committed(ask).await?;
        Ok(Allowed { signed_in, session_info: given.session_info })
    }

    /// With `account_create` alone: who is there already costs nothing more.
    async fn ask_for_new(&self, ask: &SignIn, origin: Origin) -> Result<Allowed, SignInError> {
        match self.committed(SignIn { create: None, ..ask.clone() }).await {
            Err(AccountsError::Refused(Refusal::NoAccount)) => {
                self.ask_and_make(ask, origin, false).await
            }
            signed_in => Ok(Allowed { signed_in: signed_in?, session_info: Map::new() }),
        }
    }

    /// Somebody who has no account yet.
    async fn ask_and_make(
        &self,
        ask: &SignIn,
        origin: Origin,
        is_login: bool,
    ) -> Result<Allowed, SignInError> {
        let mut ask = SignIn { expected: Expected::Nobody, ..ask.clone() };
        let Some(mut new) = ask.create.take() else {
            return Err(Refusal::NoAccount.into());
        };
        ask.create = Some(new.clone());
        let call = self.hook_call(HookEvent::AccountCreate, None, origin);
        let given = self.hooks.ask(of_sign_in(call, &ask)).await?;
        if let Some(name) = given.display_name {
            if let Some(pragma) = &mut ask.pragma {
                let chosen = display_name::chosen(&name, self.name_bounds());
                let odd = |_| HookError::Unavailable("its display name is out of bounds");
                pragma.display_name = chosen.map_err(odd)?;
            }
            new.display_name = Some(name);
            ask.create = Some(new);
        }
        let mut session_info = Map::new();
        if is_login {
            let call = self.hook_call(HookEvent::AccountLogin, None, origin);
            session_info = self.hooks.ask(of_sign_in(call, &ask)).await?.session_info;
        }
        Ok(Allowed { signed_in: self.committed(ask).await?, session_info })
    }

    async fn account_of(&self, ask: &SignIn) -> Result<Option<Account>, SignInError> {
        let account = self.find(Key::Link(ask.link.clone())).await?;
        match (&account, &ask.formerly) {
            (None, Some(former)) => Ok(self.find(Key::Link(former.clone())).await?),
            _ => Ok(account),
        }
    }

    pub(in crate::signin) fn hook_call(
        &self,
        event: HookEvent,
        account: Option<&Account>,
        origin: Origin,
    ) -> HookCall {
        HookCall {
            account: account.map(Into::into),
            created: account.is_none(),
            protocol: origin.protocol,
            client_address: origin.from.map(|address| address.to_string()),
            ..HookCall::new(self.dice.uuid(), event)
        }
    }
}

/// What a call tells of a sign-in.
fn of_sign_in(call: HookCall, ask: &SignIn) -> HookCall {
    let pragma = ask.pragma.as_ref();
    let wanted = if call.created {
        let shown = pragma.map_or(&ask.profile.display_name, |pragma| &pragma.display_name);
        let new = ask.create.as_ref();
        let given = new.and_then(|new| new.display_name.clone());
        WantedNames {
            username: new.and_then(|new| new.username.clone()),
            display_name: given.or_else(|| (!shown.is_empty()).then(|| shown.clone())),
        }
    } else {
        WantedNames::default()
    };
    let shard = pragma.and_then(|pragma| pragma.shard);
    HookCall { link: Some(ask.link.clone()), wanted, shard, ..call }
}
