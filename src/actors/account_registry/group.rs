//! A group: what is staged together, and who waits for its flush.

use std::collections::HashSet;

use tokio::sync::oneshot;

use crate::domain::account::{Account, AccountId, AccountNews, Change, Revoked};
use crate::domain::friend::ListNews;
use crate::domain::realm::Realm;

use super::handle::Place;
use super::{AccountsError, Edited, SignedIn};

/// An answer that is decided, and who gets it. Dropped, its caller learns that there is none.
pub enum Answer {
    SignIn(oneshot::Sender<Result<SignedIn, AccountsError>>, Result<SignedIn, AccountsError>),
    Find(oneshot::Sender<Option<Account>>, Option<Account>),
    Edit(oneshot::Sender<Result<Edited, AccountsError>>, Result<Edited, AccountsError>),
}

impl Answer {
    /// Gives the answer; the caller may have hung up.
    pub fn give(self) {
        match self {
            Self::SignIn(to, answer) => drop(to.send(answer)),
            Self::Find(to, answer) => drop(to.send(answer)),
            Self::Edit(to, answer) => drop(to.send(answer)),
        }
    }
}

/// Changes that share a flush, and the answers that wait for it.
#[derive(Default)]
pub struct Group {
    /// The place comes first: it is free before its caller hears anything.
    pub answers: Vec<(Place, Answer)>,
    pub writes: usize,
    pub accounts: HashSet<AccountId>,
    pub revoked: Vec<(AccountId, Revoked)>,
    pub realm: Option<Box<Realm>>,
    pub lists: Vec<ListNews>,
    /// Accounts that come or go, if anybody wants to hear of it.
    pub news: Vec<AccountNews>,
}

impl Group {
    pub fn add(&mut self, change: &Change) {
        self.writes += 1;
        self.accounts.extend(change.accounts());
        if let Some(revoked) = &change.revoked {
            self.revoked.push((change.after.id, revoked.clone()));
        }
        self.lists.extend_from_slice(&change.lists);
        if let Some(realm) = &change.realm {
            self.realm = Some(realm.clone());
        }
    }

    pub fn touches(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }
}
