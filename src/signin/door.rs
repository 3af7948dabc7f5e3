//! Local stand-in for the use cases until the lead's version lands: accounts in memory, no line.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::{Credential, Entrance, SignInAsk, SignInError, SignedIn};
use crate::actors::CallError;
use crate::actors::account_registry::Revoke;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::account::{Account, AccountId, Link, LinkKind, Refusal};
use crate::ids::Dice;

/// A pass token that is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pass token refused")]
pub enum PassTokenRefused {
    /// Its signature, form or lifetime.
    Token(()),
    /// A ticket that still waits.
    StillWaiting,
}

/// The way to the use cases.
#[derive(Clone, Debug)]
pub struct Door {
    /// The clock.
    pub clock: Clock,
    /// The dice.
    pub dice: Dice,
    /// Settings.
    pub config: Arc<Config>,
    accounts: Arc<Mutex<HashMap<AccountId, Account>>>,
}

#[expect(clippy::unused_async, reason = "stand-in")]
#[expect(clippy::unwrap_used, reason = "stand-in")]
#[expect(missing_docs, reason = "stand-in")]
impl Door {
    pub fn new(clock: Clock, dice: Dice, config: Arc<Config>) -> Self {
        Self { clock, dice, config, accounts: Arc::default() }
    }

    pub async fn authenticate(
        &self,
        ask: SignInAsk,
        _from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let at = self.clock.now();
        let link = link_of(ask.credential);
        let mut accounts = self.accounts.lock().unwrap();
        if let Some(account) = accounts.values().find(|account| account.links.contains(&link)) {
            return Ok(SignedIn { account: account.clone(), created: false, at });
        }
        if !ask.create {
            return Err(Refusal::NoAccount.into());
        }
        let id = AccountId(self.dice.uuid());
        let account = Account {
            id,
            username: ask.username.unwrap_or_else(|| "generated".into()),
            links: vec![link],
            password: None,
            display_name: String::new(),
            avatar_url: String::new(),
            lang_tag: "en".into(),
            location: String::new(),
            timezone: String::new(),
            pragma_name: None,
            players: Vec::new(),
            created_at: at.as_secs(),
            updated_at: at.as_secs(),
            disabled_at: 0,
            revoked_before_us: 0,
        };
        accounts.insert(id, account.clone());
        Ok(SignedIn { account, created: true, at })
    }

    pub async fn link(&self, account: AccountId, credential: Credential) -> Result<(), SignInError> {
        let link = link_of(credential);
        let mut accounts = self.accounts.lock().unwrap();
        accounts.get_mut(&account).ok_or(Refusal::NoAccount)?.links.push(link);
        Ok(())
    }

    pub async fn unlink(
        &self,
        _account: AccountId,
        kind: LinkKind,
        _id: Option<String>,
    ) -> Result<(), SignInError> {
        Err(Refusal::CannotUnlink(kind).into())
    }

    pub async fn resume(&self, account: AccountId) -> Result<Account, SignInError> {
        let accounts = self.accounts.lock().unwrap();
        Ok(accounts.get(&account).cloned().ok_or(Refusal::NoAccount)?)
    }

    pub async fn sign_out(&self, _account: AccountId, _what: Revoke) -> Result<(), SignInError> {
        Ok(())
    }

    pub async fn account(&self, account: AccountId) -> Result<Option<Account>, CallError> {
        Ok(self.accounts.lock().unwrap().get(&account).cloned())
    }

    pub async fn named(&self, username: &str) -> Result<Option<AccountId>, CallError> {
        let accounts = self.accounts.lock().unwrap();
        Ok(accounts.values().find(|account| account.username == username).map(|found| found.id))
    }

    pub fn is_revoked(&self, _: AccountId, _: Uuid, _: bool, _: u64) -> bool {
        false
    }

    pub fn is_online(&self, _account: AccountId) -> bool {
        false
    }

    pub fn read_pass(&self, _token: &str) -> Result<Entrance, PassTokenRefused> {
        Err(PassTokenRefused::Token(()))
    }

    pub fn client_address(
        &self,
        peer: Option<SocketAddr>,
        _forwarded: Option<&str>,
    ) -> Option<IpAddr> {
        peer.map(|peer| peer.ip())
    }
}

fn link_of(credential: Credential) -> Link {
    let (kind, id) = match credential {
        Credential::Device(id) => (LinkKind::Device, id),
        Credential::Custom(id) => (LinkKind::Custom, id),
        Credential::Email { email, .. } => (LinkKind::Email, email),
        Credential::Username { username, .. } => (LinkKind::Email, username),
        Credential::Unsafe { account_id, .. } => (LinkKind::Unsafe, account_id),
    };
    Link { kind, id }
}
