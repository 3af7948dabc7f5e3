//! Who hears, once it is durable, what the registry has done: parts that are opened after it.

use std::sync::{Arc, OnceLock};

use crate::domain::account::AccountNews;
use crate::domain::friend::ListNews;

use super::Accounts;

type Listener<T> = Box<dyn Fn(T) + Send + Sync>;

/// Those who hear; nobody, until there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Listeners(Arc<Both>);

#[derive(Default)]
struct Both {
    lists: OnceLock<Listener<ListNews>>,
    accounts: OnceLock<Listener<AccountNews>>,
}

impl Listeners {
    /// Tells how a list of friends has changed.
    pub fn tell_list(&self, news: ListNews) {
        if let Some(listener) = self.0.lists.get() {
            listener(news);
        }
    }

    /// Tells that an account came or went.
    pub fn tell_account(&self, news: AccountNews) {
        if let Some(listener) = self.0.accounts.get() {
            listener(news);
        }
    }

    /// Whether anybody wants to hear of accounts that come and go.
    pub fn hear_of_accounts(&self) -> bool {
        self.0.accounts.get().is_some()
    }
}

impl Accounts {
    /// From now on `listener` hears how lists of friends change, in the order of the changes and
    /// when they are durable. It runs on the registry's thread and must not wait. To be called
    /// once: only the first one counts.
    pub fn on_lists(&self, listener: impl Fn(ListNews) + Send + Sync + 'static) {
        let _ = self.listeners.0.lists.set(Box::new(listener));
    }

    /// From now on `listener` hears of accounts that are made and deleted, whoever hung up meanwhile;
    /// the rest is as for [`Self::on_lists`].
    pub fn on_accounts(&self, listener: impl Fn(AccountNews) + Send + Sync + 'static) {
        let _ = self.listeners.0.accounts.set(Box::new(listener));
    }
}
