//! Feeds the rules: reads what they need, rolls what they need, stages what they want.

use crate::domain::account::sign_in::{self, Decided, Fresh, Seen, SignIn};
use crate::domain::account::{
    Account, AccountId, Change, Link, LinkKind, Refusal, linking, names, revoking,
};
use crate::domain::time::UnixMicros;
use crate::ids::Dice;
use crate::store::{Store, StoreError};

use super::Edit;

/// Rolls for an id, or a discriminator, before it is looked for in another way.
const ROLLS: usize = 32;
/// How often a conflict is decided again. With this process as the only writer there is none.
const DECISIONS: usize = 4;
/// Discriminators of one name (protocol-pragma §6.2).
const DISCRIMINATORS: u16 = 9999;

/// A decision, or why none could be made.
pub type Decision<T> = Result<Result<T, Refusal>, StoreError>;

/// What every decision is made with.
pub struct Desk<'a> {
    pub store: &'a mut dyn Store,
    pub dice: &'a Dice,
    pub now: UnixMicros,
    pub token_life_s: u64,
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

    /// Decides a change of an account that is there and stages it. `None`: nothing changes.
    pub fn edit(&mut self, account: AccountId, edit: &Edit) -> Decision<Option<Change>> {
        for _ in 0..DECISIONS {
            let change = match self.decide_edit(account, edit)? {
                Ok(Some(change)) => change,
                Ok(None) => return Ok(Ok(None)),
                Err(refusal) => return Ok(Err(refusal)),
            };
            match self.store.stage(&change) {
                Ok(()) => return Ok(Ok(Some(change))),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    fn decide_sign_in(&self, ask: &SignIn) -> Decision<Decided> {
        let account = self.store.account_by_link(&ask.link)?;
        let pass_holder = match &ask.pass {
            Some(pass) => self.store.redeemed_by(pass.epoch, pass.number)?,
            None => None,
        };
        let wanted = ask.create.as_ref().and_then(|new| new.username.as_deref());
        let username_taken = match wanted {
            Some(wanted) if account.is_none() => self.store.account_by_username(wanted)?.is_some(),
            _ => false,
        };
        let revoked = match &account {
            Some(account) if ask.single_session => self.store.revoked(account.id)?,
            _ => revoking::Revoked::default(),
        };
        let fresh = self.fresh(ask, account.as_ref(), wanted.is_some())?;
        let seen = Seen { account, pass_holder, username_taken, revoked };
        Ok(sign_in::sign_in(ask, seen, fresh, self.now))
    }

    fn decide_edit(&self, id: AccountId, edit: &Edit) -> Decision<Option<Change>> {
        let Some(account) = self.store.account(id)? else {
            return Ok(Err(gone(edit)));
        };
        Ok(match edit {
            Edit::Link(ask) => {
                let owner = self.store.account_by_link(&ask.link)?.map(|owner| owner.id);
                linking::link(account, ask.clone(), owner, self.now)
            }
            Edit::Unlink(kind, link) => {
                linking::unlink(account, *kind, link.as_deref(), self.now).map(Some)
            }
            Edit::Rehash { old, new } => Ok(linking::rehash(account, old, new.clone())),
            Edit::Revoke(what) => {
                let kept = self.store.revoked(id)?;
                Ok(Some(revoking::revoke(account, kept, what, self.now, self.token_life_s)))
            }
        })
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
        let liked = self.store.id_for(link).into_iter();
        for id in liked.chain((0..ROLLS).map(|_| AccountId(self.dice.uuid()))) {
            let free = if has_name {
                self.store.account(id)?.is_none()
            } else {
                self.store.is_free(id)?
            };
            if free {
                return Ok(id);
            }
        }
        Err(StoreError::Corrupt("no id is free"))
    }

    /// A free discriminator, each with the same chance. Rolls until one is free; a name with
    /// nearly all taken is counted through instead.
    fn free_discriminator(&self, name: &str) -> Result<Option<u16>, StoreError> {
        let folded = names::fold_display_name(name);
        for _ in 0..ROLLS {
            let rolled = 1 + self.roll(usize::from(DISCRIMINATORS));
            let rolled = u16::try_from(rolled).unwrap_or(1);
            if !self.store.has_pragma_name(&folded, rolled)? {
                return Ok(Some(rolled));
            }
        }
        let mut free = Vec::new();
        for discriminator in 1..=DISCRIMINATORS {
            if !self.store.has_pragma_name(&folded, discriminator)? {
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

/// What a caller hears whose account is gone (protocol-nakama §4.6 has one text for all reasons).
const fn gone(edit: &Edit) -> Refusal {
    match edit {
        Edit::Unlink(LinkKind::Device, None) => Refusal::IdMissing(LinkKind::Device),
        Edit::Unlink(kind, _) => Refusal::CannotUnlink(*kind),
        _ => Refusal::NoAccount,
    }
}
