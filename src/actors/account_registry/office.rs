//! Feeds the rules of operators: what they do to accounts and to the realm.

use crate::actors::CallError;
use crate::domain::account::office::{self, OfficeSeen};
use crate::domain::account::{Account, AccountId, Change, OfficeAsk, Refusal, Revoke, revoking};
use crate::domain::realm::{self, RealmAsk, RealmChanged};
use crate::store::StoreError;

use super::deciding::{Desk, Outcome};
use super::{AccountEdit, Accounts, AccountsError, Edit, Edited, Officed};

impl Accounts {
    /// Does what an operator or a game server wants of an account. Durable when answered, and so is
    /// what goes with it: tokens that a ban revokes, the realm's list of administrators.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoAccount`]; those of [`office::decide`]; [`CallError`].
    pub async fn office(
        &self,
        account: AccountId,
        ask: OfficeAsk,
    ) -> Result<Officed, AccountsError> {
        let edited = self.edit(account, AccountEdit::Office(ask)).await?;
        edited.officed.map(|done| *done).ok_or(AccountsError::Call(CallError::NoAnswer))
    }

    /// Changes the realm. Once this answers, [`Accounts::realm`] shows it, and so does the next
    /// process.
    ///
    /// # Errors
    ///
    /// [`Refusal::Realm`]; [`CallError`].
    pub async fn change_realm(&self, ask: RealmAsk) -> Result<RealmChanged, AccountsError> {
        let edited = self.edit(Account::SYSTEM, Edit::Realm(ask)).await?;
        edited.realm.map(|changed| *changed).ok_or(AccountsError::Call(CallError::NoAnswer))
    }
}

impl Desk<'_> {
    /// Decides a change of the realm. It is written beside the server's own account, which is
    /// nobody's record.
    pub fn decide_realm(&self, ask: &RealmAsk) -> Result<Outcome, StoreError> {
        let now = self.store.reads().realm()?;
        let changed = match realm::change(&now, ask, self.dice.uuid(), self.now.as_millis()) {
            Ok(changed) => changed,
            Err(refusal) => return Ok(Outcome::refused(refusal.into())),
        };
        let change = (changed.realm != now).then(|| Change {
            realm: Some(Box::new(changed.realm.clone())),
            ..Change::beside(&Account::system())
        });
        let realm = Some(Box::new(changed));
        Ok(Outcome { change, answer: Ok(Edited { realm, ..Edited::default() }) })
    }

    /// Decides what is done to an account.
    pub fn decide_office(&self, account: Account, ask: &OfficeAsk) -> Result<Outcome, StoreError> {
        let reads = self.store.reads();
        let realm = reads.realm()?;
        let id = account.id;
        let seen = OfficeSeen { realm: &realm, fresh: self.dice.uuid() };
        let office::Decided { mut change, about } =
            match office::decide(account, ask, seen, self.now) {
                Ok(decided) => decided,
                Err(refusal) => return Ok(Outcome::refused(refusal)),
            };
        if matches!(ask, OfficeAsk::Ban(form) if form.ends_sessions) {
            let kept = reads.revoked(id)?;
            let after = change.after.clone();
            let all = revoking::revoke(after, kept, &Revoke::All, self.now, self.token_life_s);
            (change.after, change.revoked) = (all.after, all.revoked);
        }
        let officed = Some(Box::new(Officed { account: change.after.clone(), about }));
        let change = (!change.is_empty()).then_some(change);
        Ok(Outcome { change, answer: Ok(Edited { officed, ..Edited::default() }) })
    }

    /// Decides that an account goes, with everything that hangs on it. The last administrator
    /// stays.
    pub fn decide_departure(&self, account: Account) -> Result<Outcome, StoreError> {
        let reads = self.store.reads();
        let realm = match office::departed(account.id, &reads.realm()?) {
            Ok(realm) => realm,
            Err(refusal) => return Ok(Outcome::refused(Refusal::from(refusal))),
        };
        let mut change = self.decide_delete(&account)?;
        let kept = reads.revoked(account.id)?;
        let all = revoking::revoke(account, kept, &Revoke::All, self.now, self.token_life_s);
        (change.revoked, change.realm) = (all.revoked, realm.map(Box::new));
        Ok(Outcome { change: Some(change), answer: Ok(Edited::default()) })
    }
}
