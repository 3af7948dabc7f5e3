//! Searching for accounts: by index where a filter has an exact key, else through all of them, on a
//! thread of its own and one search at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::actors::CallError;
use crate::domain::account::search::Exact;
use crate::domain::account::{Account, AccountFilter, AccountId};
use crate::store::{Reads, StoreError};

use super::looking::unreadable;
use super::{Accounts, Key};

/// Accounts that one search looks at; what is behind them is not found.
const LOOKED_AT_MAX: usize = 2_000_000;
/// Accounts that are looked at for one page of [`Accounts::browse`].
const BROWSED_MAX: usize = 200_000;
/// Accounts taken from the store at once.
const PIECE: usize = 512;
/// Searches that may wait for their turn.
const WAITING_MAX: usize = 16;
/// A search waits no longer for its turn than this.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Which part of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many pages to skip.
    pub index: usize,
    /// Accounts on a page.
    pub size: usize,
}

/// What was found: of accounts as they are stored, which may be a moment ahead of what is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The page, by the accounts' ids.
    pub accounts: Vec<Account>,
    /// How many match in all.
    pub count: usize,
    /// Whether every account was looked at.
    pub is_complete: bool,
}

/// Accounts behind one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browsed {
    /// By their ids.
    pub accounts: Vec<Account>,
    /// Behind whom to go on; `None`: there are no more.
    pub next: Option<AccountId>,
}

/// Whose turn it is. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        Self { running: of(1), waiting: of(WAITING_MAX) }
    }
}

impl Accounts {
    /// The accounts that match a filter.
    ///
    /// # Errors
    ///
    /// [`CallError::Overloaded`] when too many searches wait, or this one for too long;
    /// [`CallError::NoAnswer`] when the store cannot be read.
    pub async fn search(&self, filter: AccountFilter, page: Page) -> Result<Found, CallError> {
        if let Some(known) = self.by_key(&filter).await? {
            let count = known.len();
            let skipped = known.into_iter().skip(page.index.saturating_mul(page.size));
            let accounts = skipped.take(page.size).collect();
            return Ok(Found { accounts, count, is_complete: true });
        }
        self.in_turn(move |reads| look_through(reads, &filter, page)).await
    }

    /// The accounts behind `after` that match a filter, at most `limit`. Looks at some hundred thousand:
    /// the answer may have fewer and say where to go on.
    ///
    /// # Errors
    ///
    /// As for [`Accounts::search`].
    pub async fn browse(
        &self,
        filter: AccountFilter,
        after: Option<AccountId>,
        limit: usize,
    ) -> Result<Browsed, CallError> {
        if let Some(known) = self.by_key(&filter).await? {
            let behind = known.into_iter().filter(|account| Some(account.id) > after);
            let mut accounts: Vec<_> = behind.take(limit.saturating_add(1)).collect();
            let is_more = accounts.len() > limit;
            accounts.truncate(limit);
            let last = accounts.last().map(|account| account.id);
            return Ok(Browsed { accounts, next: last.filter(|_| is_more) });
        }
        self.in_turn(move |reads| look_on(reads, &filter, after, limit)).await
    }

    /// What a filter with an exact key finds, by the accounts' ids; `None`: it has none.
    async fn by_key(&self, filter: &AccountFilter) -> Result<Option<Vec<Account>>, CallError> {
        let Some(exact) = filter.exact() else { return Ok(None) };
        let mut known = match exact {
            Exact::Id(id) => self.each(vec![Key::Id(id)]).await?,
            Exact::Links(links) => self.each(links.into_iter().map(Key::Link).collect()).await?,
            Exact::PragmaName(folded, number) => {
                self.each(vec![Key::PragmaName(folded, number)]).await?
            }
            Exact::Staff => self.reads.staff().map_err(|error| unreadable(&error))?,
        };
        known.retain(|account| filter.matches(account));
        known.sort_unstable_by_key(|account| account.id);
        known.dedup_by_key(|account| account.id);
        Ok(Some(known))
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Reads) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CallError> {
        let _waiting = self.turns.waiting.try_acquire().map_err(|_| CallError::Overloaded)?;
        let turn = Arc::clone(&self.turns.running).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_WITHIN, turn).await else {
            return Err(CallError::Overloaded);
        };
        let reads = Arc::clone(&self.reads);
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn; // over when the search is, even if nobody waits for it any more
            look(&*reads)
        });
        match looked.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(unreadable(&error)),
            Err(_) => Err(CallError::NoAnswer),
        }
    }

    async fn each(&self, keys: Vec<Key>) -> Result<Vec<Account>, CallError> {
        let mut found = Vec::new();
        for key in keys {
            found.extend(self.find(key).await?);
        }
        Ok(found)
    }
}

fn look_on(
    reads: &dyn Reads,
    filter: &AccountFilter,
    mut after: Option<AccountId>,
    limit: usize,
) -> Result<Browsed, StoreError> {
    let (mut accounts, mut looked_at) = (Vec::new(), 0);
    while looked_at < BROWSED_MAX {
        let piece = reads.scan_accounts(after, PIECE)?;
        let Some(last) = piece.last() else {
            return Ok(Browsed { accounts, next: None });
        };
        after = Some(last.id);
        looked_at += piece.len();
        for account in piece {
            if filter.matches(&account) {
                // One more than fits says that there are more.
                if accounts.len() == limit {
                    let next = accounts.last().map(|account: &Account| account.id);
                    return Ok(Browsed { accounts, next });
                }
                accounts.push(account);
            }
        }
    }
    Ok(Browsed { accounts, next: after })
}

fn look_through(
    reads: &dyn Reads,
    filter: &AccountFilter,
    page: Page,
) -> Result<Found, StoreError> {
    let first = page.index.saturating_mul(page.size);
    let (mut accounts, mut count, mut looked_at) = (Vec::new(), 0, 0);
    let mut after: Option<AccountId> = None;
    while looked_at < LOOKED_AT_MAX {
        let piece = reads.scan_accounts(after, PIECE)?;
        let Some(last) = piece.last() else {
            return Ok(Found { accounts, count, is_complete: true });
        };
        after = Some(last.id);
        looked_at += piece.len();
        for account in piece {
            if filter.matches(&account) {
                if count >= first && accounts.len() < page.size {
                    accounts.push(account);
                }
                count += 1;
            }
        }
    }
    Ok(Found { accounts, count, is_complete: false })
}
