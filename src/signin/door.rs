//! Stand-in with the agreed signatures, so that the front end compiles; replaced at the merge.
#![expect(clippy::unused_async, clippy::unused_self, missing_docs, reason = "stand-in")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use uuid::Uuid;

use super::{SignInAsk, SignInError, SignedIn};
use crate::actors::CallError;
use crate::actors::account_registry::Revoke;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::account::{Account, AccountId};
use crate::domain::queue::{Checked, Standing, TicketRef};
use crate::domain::token::TicketKeys;
use crate::ids::Dice;

#[derive(Clone, Debug)]
pub struct Door {
    pub clock: Clock,
    pub dice: Dice,
    pub config: Arc<Config>,
    pub tickets: Arc<TicketKeys>,
}

const NOBODY: SignInError = SignInError::Call(CallError::NoAnswer);

impl Door {
    pub async fn enter_line(&self, _from: Option<IpAddr>) -> Result<Standing, SignInError> {
        Err(NOBODY)
    }
    pub async fn check_ticket(&self, _ticket: TicketRef) -> Result<Checked, SignInError> {
        Err(NOBODY)
    }
    pub async fn authenticate(
        &self,
        _ask: SignInAsk,
        _from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        Err(NOBODY)
    }
    pub async fn resume(&self, _account: AccountId) -> Result<Account, SignInError> {
        Err(NOBODY)
    }
    pub async fn sign_out(&self, _account: AccountId, _what: Revoke) -> Result<(), SignInError> {
        Err(NOBODY)
    }
    pub fn is_revoked(&self, _account: AccountId, _token: Uuid, _refresh: bool, _us: u64) -> bool {
        false
    }
    pub fn client_address(
        &self,
        peer: Option<SocketAddr>,
        _forwarded: Option<&str>,
    ) -> Option<IpAddr> {
        peer.map(|peer| peer.ip())
    }
}
