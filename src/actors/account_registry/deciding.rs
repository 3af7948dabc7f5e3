//! Feeds the rules: reads what they need, rolls what they need, stages what they want.

use crate::domain::account::linking::Taken;
use crate::domain::account::sign_in::{self, Decided, Fresh, Seen, SignIn};
use crate::domain::account::{
    Account, AccountId, Change, Link, LinkKind, NotificationWrite, PassUse, Profile, Refusal,
    display_name, linking, names, provider_links, revoking, rotating, update,
};
use crate::domain::friend::FriendLimits;
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::store::{Store, StoreError};

use super::befriending::Befriended;
use super::{AccountEdit, Edit, Edited, LinkAsk, Presented};

/// Rolls for an id, or a discriminator, before it is looked for in another way.
const ROLLS: usize = 32;
/// How often a conflict is decided again. With this process as the only writer there is none.
const DECISIONS: usize = 4;
/// Discriminators of one name (protocol-pragma §6.2).
const DISCRIMINATORS: u16 = 9999;

/// A decision, or why none could be made.
pub type Decision<T> = Result<Result<T, Refusal>, StoreError>;

/// A decided change of an account: what to write and what to say. A refusal may be written too.
pub struct Outcome {
    pub change: Option<Change>,
    pub answer: Result<Edited, Refusal>,
}

impl Outcome {
    /// Refused, and nothing to write.
    pub const fn refused(refusal: Refusal) -> Self {
        Self { change: None, answer: Err(refusal) }
    }

    fn of(decided: Result<Option<Change>, Refusal>) -> Self {
        match decided {
            // What changes nothing has no flush to wait for.
            Ok(change) => {
                let change = change.filter(|change| !change.is_empty());
                Self { change, answer: Ok(Edited::default()) }
            }
            Err(refusal) => Self { change: None, answer: Err(refusal) },
        }
    }
}

/// What every decision is made with.
pub struct Desk<'a> {
    pub store: &'a mut dyn Store,
    pub dice: &'a Dice,
    pub now: UnixMicros,
    pub token_life_s: u64,
    pub friends: FriendLimits,
}

impl Desk<'_> {
    /// Decides a sign-in and stages its change.
    pub fn sign_in(&mut self, ask: &SignIn) -> Decision<Decided> {
        for _ in 0..DECISIONS {
            let decided = match self.decide_sign_in(ask)? {
                Ok(decided) => decided,
                Err(refusal) => return Ok(Err(refusal)),
            };
            match decided.change.as_ref().map_or(Ok(()), |change| self.store.stage(change)) {
                Ok(()) => return Ok(Ok(decided)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Decides a change of an account that is there and stages it.
    pub fn edit(&mut self, account: AccountId, edit: &Edit) -> Result<Outcome, StoreError> {
        for _ in 0..DECISIONS {
            let outcome = self.decide_edit(account, edit)?;
            match outcome.change.as_ref().map_or(Ok(()), |change| self.store.stage(change)) {
                Ok(()) => return Ok(outcome),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    fn decide_sign_in(&self, ask: &SignIn) -> Decision<Decided> {
        let account = self.store.reads().account_by_link(&ask.link)?;
        let pass_holder = match &ask.pass {
            Some(pass) => self.store.redeemed_by(pass.epoch, pass.number)?,
            None => None,
        };
        let wanted = ask.create.as_ref().and_then(|new| new.username.as_deref());
        let username_taken = match wanted {
            Some(wanted) if account.is_none() => {
                self.store.reads().account_by_username(wanted)?.is_some()
            }
            _ => false,
        };
        let revoked = match &account {
            Some(account) if ask.single_session => self.store.reads().revoked(account.id)?,
            _ => revoking::Revoked::default(),
        };
        let former = match &ask.formerly {
            Some(former) if account.is_none() => self.store.reads().account_by_link(former)?,
            _ => None,
        };
        let known = account.as_ref().or(former.as_ref());
        let email_taken = known.is_none() && self.holder_of_email(&ask.profile)?.is_some();
        let fresh = self.fresh(ask, known, wanted.is_some())?;
        let seen = Seen { account, former, email_taken, pass_holder, username_taken, revoked };
        Ok(sign_in::sign_in(ask, seen, fresh, self.now))
    }

    /// Nobody's account changes: only the pass is remembered, under the id of whoever had it.
    fn decide_redeem(&self, holder: AccountId, pass: &PassUse) -> Result<Outcome, StoreError> {
        Ok(match self.store.redeemed_by(pass.epoch, pass.number)? {
            Some(before) if before != holder => {
                Outcome { change: None, answer: Err(Refusal::PassUsed) }
            }
            Some(_) => Outcome::of(Ok(None)),
            None => {
                let nobody = Account { id: holder, ..Account::system() };
                let mut change = Change::beside(&nobody);
                change.redeemed = Some(pass.clone());
                Outcome::of(Ok(Some(change)))
            }
        })
    }

    fn decide_edit(&self, id: AccountId, edit: &Edit) -> Result<Outcome, StoreError> {
        match edit {
            Edit::Redeem(pass) => self.decide_redeem(id, pass),
            Edit::Realm(ask) => self.decide_realm(ask),
            Edit::Account(edit) => match self.store.reads().account(id)? {
                Some(account) => self.decide_edit_of(account, edit),
                None => Ok(gone(edit)),
            },
        }
    }

    fn decide_edit_of(&self, account: Account, edit: &AccountEdit) -> Result<Outcome, StoreError> {
        let (reads, id) = (self.store.reads(), account.id);
        Ok(match edit {
            AccountEdit::Link(ask) => {
                let taken = self.taken(&account, ask)?;
                Outcome::of(linking::link(account, ask.clone(), taken, self.now))
            }
            AccountEdit::Unlink(kind, link) => {
                Outcome::of(linking::unlink(account, *kind, link.as_deref(), self.now).map(Some))
            }
            AccountEdit::Rehash { old, new } => {
                Outcome::of(Ok(linking::rehash(account, old, new.clone())))
            }
            AccountEdit::Revoke(what) => {
                let kept = reads.revoked(id)?;
                let change = revoking::revoke(account, kept, what, self.now, self.token_life_s);
                Outcome::of(Ok(Some(change)))
            }
            AccountEdit::Rotate(presented) => self.decide_rotation(account, *presented)?,
            AccountEdit::Update(ask) => self.decide_update(account, ask)?,
            AccountEdit::Delete => self.decide_departure(account)?,
            AccountEdit::Office(ask) => self.decide_office(account, ask)?,
            AccountEdit::Friends(ask) => match self.decide_friends(&account, ask)? {
                Ok(Befriended { change, told }) => {
                    Outcome { change, answer: Ok(Edited { told, ..Edited::default() }) }
                }
                Err(refusal) => Outcome { change: None, answer: Err(refusal) },
            },
            AccountEdit::Bind(ask) => {
                let owner = reads.account_by_link(&ask.link)?.map(|owner| owner.id);
                Outcome::of(provider_links::bind(account, ask.clone(), owner, self.now))
            }
            AccountEdit::Unbind(kind, without_login) => {
                Outcome::of(provider_links::unbind(account, *kind, without_login, self.now))
            }
            AccountEdit::Rename(name, not_before_s) => {
                self.decide_rename(account, name, *not_before_s)?
            }
            AccountEdit::RefuseInvites(refuses) => {
                let mut change = Change::beside(&account);
                if account.dossier().refuses_invites != *refuses {
                    change.after.dossier_mut().refuses_invites = *refuses;
                }
                Outcome::of(Ok(Some(change)))
            }
            AccountEdit::DropNotifications(ids) => {
                let mut change = Change::beside(&account);
                change.notifications =
                    ids.iter().map(|gone| NotificationWrite::Drop(id, *gone)).collect();
                Outcome::of(Ok((!change.is_empty()).then_some(change)))
            }
        })
    }

    fn decide_update(
        &self,
        account: Account,
        ask: &update::AccountUpdate,
    ) -> Result<Outcome, StoreError> {
        let wanted = ask.username.as_ref().filter(|name| **name != account.username);
        let taken = match wanted {
            Some(name) => self.store.reads().account_by_username(name)?.is_some(),
            None => false,
        };
        Ok(Outcome::of(update::update(account, ask, taken, self.now)))
    }

    fn decide_rename(
        &self,
        account: Account,
        name: &str,
        not_before_s: Option<u64>,
    ) -> Result<Outcome, StoreError> {
        let discriminator = self.free_discriminator(name)?;
        let renamed = display_name::rename(account, name, discriminator, not_before_s, self.now);
        Ok(match renamed {
            Ok((change, name)) => {
                Outcome { change, answer: Ok(Edited { name: Some(name), ..Edited::default() }) }
            }
            Err(refusal) => Outcome { change: None, answer: Err(refusal) },
        })
    }

    fn decide_rotation(
        &self,
        account: Account,
        presented: Presented,
    ) -> Result<Outcome, StoreError> {
        let kept = self.store.reads().revoked(account.id)?;
        let rotated = rotating::rotate(account, kept, presented, self.now, self.token_life_s);
        let answer = rotated.answer;
        let answer = answer.map(|next| Edited { successor: Some(next), ..Edited::default() });
        Ok(Outcome { change: rotated.change, answer })
    }

    /// Whose a link is that somebody wants, and whose the address that comes with it.
    fn taken(&self, account: &Account, ask: &LinkAsk) -> Result<Taken, StoreError> {
        let reads = self.store.reads();
        let mut owner = reads.account_by_link(&ask.link)?;
        if let (None, Some(former)) = (&owner, &ask.formerly) {
            owner = reads.account_by_link(former)?;
        }
        let email = self.holder_of_email(&ask.profile)?;
        Ok(Taken {
            owner: owner.map(|owner| owner.id),
            email: email.is_some_and(|holder| holder != account.id),
        })
    }

    fn holder_of_email(&self, profile: &Profile) -> Result<Option<AccountId>, StoreError> {
        let Some(email) = &profile.email else {
            return Ok(None);
        };
        let link = Link { kind: LinkKind::Email, id: email.address.clone() };
        Ok(self.store.reads().account_by_link(&link)?.map(|holder| holder.id))
    }

    /// Rolls what this sign-in needs and nothing else.
    fn fresh(
        &self,
        ask: &SignIn,
        account: Option<&Account>,
        has_name: bool,
    ) -> Result<Fresh, StoreError> {
        let id = match account {
            Some(account) => account.id,
            None if ask.create.is_some() => self.free_id(&ask.link, has_name)?,
            None => AccountId(uuid::Uuid::nil()), // refused anyway
        };
        let mut fresh = Fresh {
            account: id,
            player: uuid::Uuid::nil(),
            discriminator: None,
            token_life_s: self.token_life_s,
        };
        if let Some(pragma) = &ask.pragma {
            fresh.player = self.dice.uuid();
            if account.is_none_or(|account| account.pragma_name.is_none()) {
                fresh.discriminator = self.free_discriminator(&pragma.display_name)?;
            }
        }
        Ok(fresh)
    }

    /// An id nobody has: the one the store likes best for this link, or any. With a wanted name
    /// the id's own name does not matter.
    fn free_id(&self, link: &Link, has_name: bool) -> Result<AccountId, StoreError> {
        let liked = self.store.reads().id_for(link).into_iter();
        for id in liked.chain((0..ROLLS).map(|_| AccountId(self.dice.uuid()))) {
            let free = if has_name {
                self.store.reads().is_unused(id)?
            } else {
                self.store.reads().is_free(id)?
            };
            if free {
                return Ok(id);
            }
        }
        Err(StoreError::Corrupt("no id is free"))
    }

    /// A free discriminator, each with the same chance. Rolls until one is free; a name with
    /// nearly all taken is counted through instead.
    pub(super) fn free_discriminator(&self, name: &str) -> Result<Option<u16>, StoreError> {
        let folded = names::fold_display_name(name);
        for _ in 0..ROLLS {
            let rolled = 1 + self.roll(usize::from(DISCRIMINATORS));
            let rolled = u16::try_from(rolled).unwrap_or(1);
            if !self.store.reads().has_pragma_name(&folded, rolled)? {
                return Ok(Some(rolled));
            }
        }
        let mut free = Vec::new();
        for discriminator in 1..=DISCRIMINATORS {
            if !self.store.reads().has_pragma_name(&folded, discriminator)? {
                free.push(discriminator);
            }
        }
        if free.is_empty() {
            return Ok(None);
        }
        Ok(free.get(self.roll(free.len())).copied())
    }

    /// 0 to `sides` - 1. The bias of 64 bits against a few thousand is nothing.
    fn roll(&self, sides: usize) -> usize {
        let sides = u64::try_from(sides).unwrap_or(1).max(1);
        usize::try_from(self.dice.number() % sides).unwrap_or_default()
    }
}

/// What a change of an account that is gone comes to (protocol-nakama §4.6 has one text for all
/// reasons; §5.2, §5.3 and §6 say nothing at all).
fn gone(edit: &AccountEdit) -> Outcome {
    let refusal = match edit {
        AccountEdit::Unlink(LinkKind::Device, None) => Refusal::IdMissing(LinkKind::Device),
        AccountEdit::Unlink(kind, _) => Refusal::CannotUnlink(*kind),
        AccountEdit::Update(_)
        | AccountEdit::Delete
        | AccountEdit::Friends(_)
        | AccountEdit::DropNotifications(_)
        | AccountEdit::RefuseInvites(_)
        | AccountEdit::Unbind(..) => {
            return Outcome::of(Ok(None));
        }
        AccountEdit::Link(_)
        | AccountEdit::Rehash { .. }
        | AccountEdit::Revoke(_)
        | AccountEdit::Rotate(_)
        | AccountEdit::Bind(_)
        | AccountEdit::Rename(..)
        | AccountEdit::Office(_) => Refusal::NoAccount,
    };
    Outcome { change: None, answer: Err(refusal) }
}
