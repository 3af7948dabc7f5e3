//! What operators and game servers do: bans, tags, groups, roles, the realm, partner tokens, data
//! rights (protocol-pragma §6.5 to §6.8, §9).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::hooks::Deed;
use super::{Door, Origin, SignInError};
use crate::actors::CallError;
use crate::actors::account_registry::{Browsed, Found, Key, Officed, Page, RegistryFigures};
use crate::actors::session::Channel;
use crate::config::BackendMode;
use crate::domain::account::data_rights::REPORT_LIFE_MS;
use crate::domain::account::{
    Account, AccountFilter, AccountId, Ban, BanForm, BanScope, OfficeAsk, OfficeRefusal,
};
use crate::domain::friend::EdgeState;
use crate::domain::queue::{Player, Seen};
use crate::domain::realm::{self, ENTRIES_MAX, OperatorIdentity, RealmAsk, RealmChanged};
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;

/// How exactly the last use of a partner token is known, in seconds.
const USE_STEP_S: u64 = 60;

/// When partner tokens were last used, in seconds since the epoch. In memory: a restart forgets.
/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct PartnerUse(Arc<RwLock<HashMap<Uuid, AtomicU64>>>);

impl PartnerUse {
    /// A good token of this pair was shown.
    pub fn note(&self, partner: Uuid, now: UnixMicros) {
        let now_s = now.as_secs();
        if let Some(last) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&partner) {
            if now_s.saturating_sub(last.load(Ordering::Relaxed)) >= USE_STEP_S {
                last.store(now_s, Ordering::Relaxed);
            }
            return;
        }
        let mut used = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Only good tokens come here, and there are no more of those.
        if used.len() < ENTRIES_MAX {
            used.insert(partner, AtomicU64::new(now_s));
        }
    }

    /// When a token of this pair was last used, since the server started.
    pub fn last(&self, partner: Uuid) -> Option<u64> {
        let used = self.0.read().unwrap_or_else(PoisonError::into_inner);
        used.get(&partner).map(|last| last.load(Ordering::Relaxed))
    }

    fn forget(&self, partner: Uuid) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&partner);
    }
}

/// A report that may be fetched once.
#[derive(Debug)]
pub struct ReportOffer {
    /// What it is fetched with. Kept nowhere but as a hash.
    pub token: ReportToken,
    /// The account, with the request.
    pub account: Account,
    /// The request.
    pub request: Uuid,
}

/// A report's token. Wiped when dropped, never shown by `Debug`.
pub struct ReportToken(pub Zeroizing<String>);

impl std::fmt::Debug for ReportToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReportToken(…)")
    }
}

impl ReportToken {
    /// The request's id and 32 random bytes.
    fn new(request: Uuid, secret: &[u8; 32]) -> Self {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret));
        Self(Zeroizing::new(format!("{}.{}", request.simple(), *secret)))
    }

    /// The request a token is for; `None`: it is no token.
    fn request(token: &str) -> Option<Uuid> {
        let (request, secret) = token.split_once('.')?;
        (secret.len() == 43).then(|| Uuid::try_parse(request).ok()).flatten()
    }

    fn hash(token: &str) -> [u8; 32] {
        let digest = digest::digest(&digest::SHA256, token.as_bytes());
        digest.as_ref().try_into().unwrap_or_default()
    }
}

impl Door {
    /// An account by any of its keys.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn find(&self, key: Key) -> Result<Option<Account>, CallError> {
        self.accounts.find(key).await
    }

    /// The accounts that match a filter.
    ///
    /// # Errors
    ///
    /// [`CallError::Overloaded`] when too many search; no answer in time.
    pub async fn search(&self, filter: AccountFilter, page: Page) -> Result<Found, CallError> {
        self.accounts.search(filter, page).await
    }

    /// Does something to an account; for bans there is [`Door::ban`].
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`]; no answer in time.
    pub async fn office(&self, account: AccountId, ask: OfficeAsk) -> Result<Officed, SignInError> {
        Ok(self.accounts.office(account, ask).await?)
    }

    /// Changes the realm.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`]; no answer in time.
    pub async fn change_realm(&self, ask: RealmAsk) -> Result<RealmChanged, SignInError> {
        Ok(self.accounts.change_realm(ask).await?)
    }

    /// Bans a player, durable first. The player's sockets hear of it. With
    /// `pragma.bans_end_sessions` every token of theirs is revoked in the same write, their sockets
    /// close and their slot is free, if the ban concerns any shard of this server; else it counts
    /// from the next sign-in or refresh on (§6.6). `ends_sessions` of the form is not looked at.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`]; no answer in time.
    pub async fn ban(
        &self,
        account: AccountId,
        form: BanForm,
    ) -> Result<(Account, Ban), SignInError> {
        let settings = &self.config.pragma;
        let concerns_us = match form.scope {
            BanScope::GameShard(shard) => settings.knows_shard(shard),
            BanScope::AllGameShards | BanScope::FullAccount => true,
        };
        let ends_sessions = settings.bans_end_sessions && concerns_us;
        let ask = OfficeAsk::Ban(BanForm { ends_sessions, ..form });
        let Officed { account: banned, about } = self.office(account, ask).await?;
        let ban = banned.dossier().bans.iter().find(|ban| ban.id == about).cloned();
        let ban =
            ban.ok_or(OfficeRefusal::UnknownBan).map_err(crate::domain::account::Refusal::from)?;
        self.sockets.tell_ban(account, ban.clone());
        if ends_sessions {
            self.sockets.close_all(account, CloseReason::Kicked);
            self.line.sign_out(Player(account.0.as_u128())).await?;
        }
        Ok((banned, ban))
    }

    /// Deletes an account at somebody's request: everything that hangs on it goes, its tokens are
    /// revoked, its sockets close and its slot is free. One that is gone: nothing.
    ///
    /// # Errors
    ///
    /// [`OfficeRefusal::LastAdmin`]; [`SignInError::Hook`]; no answer in time.
    pub async fn erase(&self, account: AccountId) -> Result<(), SignInError> {
        self.ask_hook(account, Deed::Delete, Origin::pragma(None)).await?;
        self.accounts.delete(account).await?;
        self.sockets.close_all(account, CloseReason::AsRequested);
        self.line.sign_out(Player(account.0.as_u128())).await?;
        Ok(())
    }

    /// Gives an operator who signs in the built-in role if it is theirs to have
    /// ([`realm::bootstrap`]). Returns the account as it is then; `None`: nothing was given.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn bootstrap_operator(
        &self,
        account: &Account,
        identity: OperatorIdentity<'_>,
    ) -> Result<Option<Account>, SignInError> {
        let settings = &self.config.pragma;
        let is_development = settings.backend_mode == BackendMode::Development;
        let (list, realm) = (&settings.bootstrap_admins, self.realm());
        let is_admin = realm.admins.contains(&account.id);
        if is_admin || !realm::bootstrap(realm.has_no_admin(), identity, list, is_development) {
            return Ok(None);
        }
        // Of two first operators at once the registry makes one the first.
        let ask = match list.as_slice() {
            [] => OfficeAsk::FirstAdmin,
            _ => OfficeAsk::AddRoles(vec![realm::ADMIN]),
        };
        let done = self.office(account.id, ask).await?.account;
        if done.dossier().roles.contains(&realm::ADMIN) {
            tracing::warn!(account.id = %account.id.0, "an operator has every permission now");
            return Ok(Some(done));
        }
        Ok(None)
    }

    /// Closes every socket of a player. Returns how many.
    pub fn kick(&self, account: AccountId) -> usize {
        self.sockets.close_all(account, CloseReason::Kicked)
    }

    /// The kinds of a player's sockets, one for each.
    pub fn channels(&self, account: AccountId) -> Vec<Channel> {
        self.sockets.channels(account)
    }

    /// Sockets by kind, in the order of [`Channel::ALL`].
    pub fn by_channel(&self) -> [usize; Channel::ALL.len()] {
        self.sockets.by_channel()
    }

    /// What the registry counts.
    pub fn store_figures(&self) -> &RegistryFigures {
        self.accounts.figures()
    }

    /// What is to be seen of an account in line and in the ledger, without any effect on it.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn see_in_line(&self, account: &Account) -> Result<Seen, CallError> {
        let player = Player(account.id.0.as_u128());
        self.line.see(player, self.identities_of(account)).await
    }

    /// The accounts behind one that match a filter.
    ///
    /// # Errors
    ///
    /// As for [`Door::search`].
    pub async fn browse(
        &self,
        filter: AccountFilter,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Browsed, CallError> {
        self.accounts.browse(filter, after, limit).await
    }

    /// Revokes a pair of partner tokens: refused from now on, and its sockets close.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`] for an unknown one; no answer in time.
    pub async fn revoke_partner(&self, partner: Uuid) -> Result<RealmChanged, SignInError> {
        let changed = self.change_realm(RealmAsk::RevokePartner(partner)).await?;
        self.partners.forget(partner);
        self.sockets.close_all(AccountId(partner), CloseReason::Kicked);
        Ok(changed)
    }

    /// Lets the report of a request be fetched once within a week; an earlier token is void.
    ///
    /// # Errors
    ///
    /// [`OfficeRefusal::UnknownRequest`], [`OfficeRefusal::RequestStep`]; no answer in time.
    pub async fn offer_report(&self, request: Uuid) -> Result<ReportOffer, SignInError> {
        let account = self.holder(request).await?;
        let token = ReportToken::new(request, &self.dice.bytes());
        let until_ms = self.clock.now().as_millis().saturating_add(REPORT_LIFE_MS);
        let ask = OfficeAsk::OfferReport(request, ReportToken::hash(&token.0), until_ms);
        let account = self.office(account, ask).await?.account;
        Ok(ReportOffer { token, account, request })
    }

    /// The account whose report a token is for. The token is used up, durably, before this answers.
    ///
    /// # Errors
    ///
    /// [`OfficeRefusal::UnknownRequest`] for a token that is none, was used or is too old;
    /// [`SignInError::Busy`] when this address asks too often; no answer in time.
    pub async fn take_report(
        &self,
        token: &str,
        from: Option<IpAddr>,
    ) -> Result<Account, SignInError> {
        self.limits.sign_in(from)?;
        let request = ReportToken::request(token).ok_or_else(unknown_request)?;
        let account = self.holder(request).await?;
        let ask = OfficeAsk::TakeReport(request, ReportToken::hash(token));
        Ok(self.office(account, ask).await?.account)
    }

    /// Whose request about data this is.
    ///
    /// # Errors
    ///
    /// [`OfficeRefusal::UnknownRequest`]; no answer in time.
    pub async fn holder(&self, request: Uuid) -> Result<AccountId, SignInError> {
        let found = self.accounts.find(Key::Matter(request)).await?;
        found.map(|account| account.id).ok_or_else(unknown_request)
    }

    /// Everybody an account has a relationship with, and which: for a report.
    ///
    /// # Errors
    ///
    /// No answer in time.
    #[expect(clippy::unused_async, reason = "a store elsewhere would have to ask")]
    pub async fn acquaintances(
        &self,
        account: AccountId,
    ) -> Result<Vec<(AccountId, EdgeState)>, CallError> {
        let edges = self.accounts.edges(account)?;
        Ok(edges.into_iter().map(|(other, edge)| (other, edge.state)).collect())
    }
}

fn unknown_request() -> SignInError {
    SignInError::Refused(OfficeRefusal::UnknownRequest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reports_token_names_its_request_and_is_not_shown() {
        let request = Uuid::from_u128(0x1234);
        let token = ReportToken::new(request, &[7; 32]);
        assert_eq!(ReportToken::request(&token.0), Some(request));
        assert_ne!(
            ReportToken::hash(&token.0),
            ReportToken::hash(&ReportToken::new(request, &[8; 32]).0)
        );
        assert_eq!(format!("{token:?}"), "ReportToken(…)");
        for bad in ["", ".", "x.y", &token.0[..70]] {
            assert_eq!(ReportToken::request(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_last_use_of_a_token_is_known_to_the_minute() {
        let (used, partner) = (PartnerUse::default(), Uuid::from_u128(1));
        assert_eq!(used.last(partner), None);
        for (at_s, known) in [(1_000, 1_000), (1_059, 1_000), (1_060, 1_060), (900, 1_060)] {
            used.note(partner, UnixMicros::from_secs(at_s));
            assert_eq!(used.last(partner), Some(known), "{at_s}");
        }
        used.forget(partner);
        assert_eq!(used.last(partner), None);
    }
}
