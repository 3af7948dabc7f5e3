//! What operators do, each thing on record before it is done ([`crate::domain::audit`]): what cannot be
//! put there is not done, and what a rule refuses afterwards is told there, too.

use uuid::Uuid;

use super::{Door, SignInError, Unlink};
use crate::actors::account_registry::{Officed, Revoke};
use crate::actors::audit::NotTaken;
use crate::actors::{Audit, CallError};
use crate::domain::account::update::AccountUpdate;
use crate::domain::account::{Account, AccountId, Ban, BanForm, Link, OfficeAsk, Refusal};
use crate::domain::audit::{Text, What, Who};
use crate::domain::realm::{RealmAsk, RealmChanged};
use crate::domain::time::UnixMicros;
use crate::domain::token::SessionType;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeedError {
    /// It cannot be put on record.
    #[error("it was not done: {0}")]
    NotRecorded(#[from] NotTaken),
    /// A rule refuses, or no answer in time.
    #[error(transparent)]
    Refused(#[from] SignInError),
}

impl From<CallError> for DeedError {
    fn from(error: CallError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<Refusal> for DeedError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// How an account is to be called; `None`: stays.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// User name.
    pub username: Option<String>,
    /// Shown name in Nakama's protocol.
    pub display_name: Option<String>,
    /// Shown name in Pragma's; its discriminator follows.
    pub pragma_name: Option<String>,
}

/// What operators keep on an account as lists of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOf {
    /// Tags.
    Tags,
    /// Player groups.
    Groups,
}

/// Does what operators ask. Cheap to clone.
#[derive(Clone)]
pub struct Audited {
    door: Door,
    audit: Audit,
}

impl Audited {
    /// At this door, on record in this chain.
    pub const fn new(door: Door, audit: Audit) -> Self {
        Self { door, audit }
    }

    /// The chain.
    pub const fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Puts on record what an operator is about to do.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]: then it must not be done.
    pub fn record(&self, by: AccountId, what: What) -> Result<(), NotTaken> {
        self.audit.record(self.operator(by), what)
    }

    /// The same for what has no kind of its own.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]: then it must not be done.
    pub fn record_other(
        &self,
        by: AccountId,
        name: &str,
        details: Vec<(&str, String)>,
    ) -> Result<(), NotTaken> {
        self.record_deed(self.operator(by), name, details)
    }

    /// The same of whoever does it.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]: then it must not be done.
    pub fn record_deed(
        &self,
        who: Who,
        name: &str,
        details: Vec<(&str, String)>,
    ) -> Result<(), NotTaken> {
        let text = |(name, value): (&str, String)| (Text::from(name), Text::from(value));
        let details = details.into_iter().map(text).collect::<Vec<_>>().into();
        self.audit.record(who, What::Other { name: name.into(), details })
    }

    /// Puts on record that something which is there was not done after all.
    pub fn not_done(&self, who: Who, name: &str, why: &str) {
        let details = vec![("name", name.to_owned()), ("why", why.to_owned())];
        if self.record_deed(who, "not_done", details).is_err() {
            tracing::error!(name, why, "that this was not done could not be put on record");
        }
    }

    /// An operator, as the chain has them.
    pub fn operator(&self, by: AccountId) -> Who {
        Who::Operator(self.audit.pseudonyms().account(by))
    }

    fn about(&self, account: AccountId) -> (&'static str, String) {
        ("account", self.audit.pseudonyms().account(account).to_string())
    }

    /// Hands on what came of it; a refusal goes on record, as the deed did.
    fn came<T, E: Into<DeedError>>(
        &self,
        by: AccountId,
        name: &str,
        result: Result<T, E>,
    ) -> Result<T, DeedError> {
        result.map_err(|error| {
            let error = error.into();
            self.not_done(self.operator(by), name, &error.to_string());
            error
        })
    }

    /// The account, so that nothing is on record about one that is not there.
    async fn known(&self, account: AccountId) -> Result<Account, DeedError> {
        Ok(self.door.account(account).await?.ok_or(Refusal::NoAccount)?)
    }

    /// Bans; see [`Door::ban`].
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn ban(
        &self,
        account: AccountId,
        form: BanForm,
    ) -> Result<(Account, Ban), DeedError> {
        self.known(account).await?;
        let by = form.by;
        let lasts = form.duration_ms != crate::domain::account::ban::FOREVER_MS;
        let what = What::Ban {
            account: self.audit.pseudonyms().account(account),
            reason: form.reason.as_str().into(),
            until: lasts.then(|| self.door.clock.now().plus_ms(form.duration_ms)),
        };
        self.record(by, what)?;
        self.came(by, "ban", self.door.ban(account, form).await)
    }

    /// Takes a ban back. Who did so first stays.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn lift_ban(
        &self,
        by: AccountId,
        account: AccountId,
        ban: Uuid,
    ) -> Result<Account, DeedError> {
        self.known(account).await?;
        self.record(by, What::BanLifted { account: self.audit.pseudonyms().account(account) })?;
        let done = self.door.office(account, OfficeAsk::RevokeBan(ban, by)).await;
        Ok(self.came(by, "ban_lifted", done)?.account)
    }

    /// Takes a way to sign in away, never the last one.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn unlink(
        &self,
        by: AccountId,
        account: AccountId,
        link: Link,
    ) -> Result<(), DeedError> {
        self.known(account).await?;
        let kind = ("kind", link.kind.name().to_owned());
        self.record_other(by, "unlink", vec![self.about(account), kind])?;
        let done = self.door.unlink(account, Unlink::Id(link.kind, link.id), None).await;
        self.came(by, "unlink", done)
    }

    /// Closes a player's sockets. Returns how many.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn kick(&self, by: AccountId, account: AccountId) -> Result<usize, DeedError> {
        self.known(account).await?;
        self.record_other(by, "kick", vec![self.about(account)])?;
        Ok(self.door.kick(account))
    }

    /// Ends every session of a player: durable first, then sockets close and the slot is free.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn sign_out(&self, by: AccountId, account: AccountId) -> Result<(), DeedError> {
        self.known(account).await?;
        self.record_other(by, "sign_out", vec![self.about(account)])?;
        self.came(by, "sign_out", self.door.sign_out(account, Revoke::All).await)
    }

    /// Calls a player otherwise.
    ///
    /// # Errors
    ///
    /// [`DeedError`]; of several names those before the refused one are changed.
    pub async fn rename(
        &self,
        by: AccountId,
        account: AccountId,
        names: Names,
    ) -> Result<(), DeedError> {
        self.known(account).await?;
        let Names { username, display_name, pragma_name } = names;
        self.record_other(by, "rename", vec![self.about(account)])?;
        if username.is_some() || display_name.is_some() {
            let update = AccountUpdate { username, display_name, ..AccountUpdate::default() };
            let done = self.door.update_account(account, update, None).await;
            self.came(by, "rename", done)?;
        }
        if let Some(name) = pragma_name {
            let done = self.door.rename(account, &name, SessionType::Operator).await;
            self.came(by, "rename", done)?;
        }
        Ok(())
    }

    /// Gives an account exactly these tags, or puts it into exactly these groups.
    ///
    /// # Errors
    ///
    /// [`DeedError`]; what was to go may be gone.
    pub async fn set_list(
        &self,
        by: AccountId,
        account: AccountId,
        (list, ids): (ListOf, Vec<Uuid>),
    ) -> Result<(), DeedError> {
        let known = self.known(account).await?;
        let name = match list {
            ListOf::Tags => "tags",
            ListOf::Groups => "groups",
        };
        let texts = ids.iter().map(Uuid::to_string).collect::<Vec<_>>();
        self.record_other(by, name, vec![self.about(account), ("ids", texts.join(" "))])?;
        let has = match list {
            ListOf::Tags => &known.dossier().tags,
            ListOf::Groups => &known.dossier().groups,
        };
        let gone: Vec<Uuid> = has.iter().copied().filter(|id| !ids.contains(id)).collect();
        let (add, remove) = match list {
            ListOf::Tags => (OfficeAsk::AddTags(ids), OfficeAsk::RemoveTags(gone)),
            ListOf::Groups => (OfficeAsk::AddGroups(ids), OfficeAsk::RemoveGroups(gone)),
        };
        // What may be refused comes first, so that a refusal changes nothing.
        self.came(by, name, self.door.office(account, add).await)?;
        self.came(by, name, self.door.office(account, remove).await).map(drop)
    }

    /// Deletes an account with all that hangs on it; see [`Door::erase`].
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn delete(&self, by: AccountId, account: AccountId) -> Result<(), DeedError> {
        self.known(account).await?;
        self.record_other(by, "delete_account", vec![self.about(account)])?;
        self.came(by, "delete_account", self.door.erase(account).await)
    }

    /// Makes an account for an identifier on the operator's word. The second value says whether it was
    /// made just now.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn create(
        &self,
        by: AccountId,
        link: Link,
        (shown, shard): (&str, Option<Uuid>),
    ) -> Result<(Account, bool), DeedError> {
        let kind = ("kind", link.kind.name().to_owned());
        self.record_other(by, "create_account", vec![kind])?;
        let made = self.door.create_trusted(link.kind, link.id, shown, shard).await;
        let made = self.came(by, "create_account", made)?;
        Ok((made.account, made.created))
    }

    /// Everything that is known of a player is handed out: goes on record.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn export(&self, by: AccountId, account: AccountId) -> Result<Account, DeedError> {
        let known = self.known(account).await?;
        self.record_other(by, "export", vec![self.about(account)])?;
        Ok(known)
    }

    /// Does something else to an account; see [`Door::office`].
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn office(
        &self,
        by: AccountId,
        account: AccountId,
        (name, ask): (&str, OfficeAsk),
    ) -> Result<Officed, DeedError> {
        self.known(account).await?;
        self.record_other(by, name, vec![self.about(account)])?;
        self.came(by, name, self.door.office(account, ask).await)
    }

    /// Changes the realm. `name`: what it is called on record; `what`: which thing.
    ///
    /// # Errors
    ///
    /// [`DeedError`]
    pub async fn realm(
        &self,
        by: AccountId,
        (name, what): (&str, String),
        ask: RealmAsk,
    ) -> Result<RealmChanged, DeedError> {
        self.record_other(by, name, vec![("what", what)])?;
        let done = match ask {
            RealmAsk::RevokePartner(partner) => self.door.revoke_partner(partner).await,
            ask => self.door.change_realm(ask).await,
        };
        self.came(by, name, done)
    }

    /// What the clock says.
    pub fn now(&self) -> UnixMicros {
        self.door.clock.now()
    }
}
