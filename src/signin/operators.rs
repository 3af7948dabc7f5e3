//! Operators who sign in here, to the console: the first one, password and code, sessions, a second
//! proof before what cannot be undone. Who may be one, and tokens for scripts, are beside it
//! (`operators/staff.rs`).

mod error;
mod failures;
mod provided;
mod staff;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub use error::OperatorError;
pub use provided::{Back, Begin, Begun};
pub use staff::{Accepting, NewToken, Rejected, Staff, Wanted};

use super::hashing::Verdict;
use super::office::PartnerUse;
use super::{Door, Password};
use crate::actors::Audit;
use crate::actors::account_registry::{Key, NewAccount, SignIn};
use crate::config::OperatorProvider;
use crate::domain::account::{Account, AccountId, Link, OfficeAsk, names};
use crate::domain::audit::{Text, What, Who};
use crate::domain::digest::Digest;
use crate::domain::operator::{
    self, Attempts, Credentials, Factor, OpenedBy, OperatorAsk, SealKey, Session, Sessions,
    SetupCode, Way, codes, totp,
};
use crate::domain::time::UnixMicros;
use failures::Failures;

/// Recovery codes that are made together.
const RECOVERY_CODES: usize = 10;
/// Who gives out the codes, as authenticators show it.
const ISSUER: &str = "Anteroom";

/// What somebody shows who signs in.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The password.
    pub password: Password,
    /// A code of the authenticator or a recovery code; empty: none.
    pub code: String,
}

/// A session that was opened.
pub struct Opened {
    /// What the browser keeps. Kept nowhere here but as a hash.
    pub token: Zeroizing<String>,
    /// The session.
    pub session: Session,
    /// Whose, as the account is now.
    pub account: Account,
}

/// An authenticator to be set up.
pub struct Enrolment {
    /// Its secret in base32, for those who type it.
    pub secret: Zeroizing<String>,
    /// The same as a link.
    pub uri: Zeroizing<String>,
}

/// Lets operators in. Cheap to clone.
#[derive(Clone)]
pub struct Operators(Arc<Inner>);

struct Inner {
    door: Door,
    audit: Audit,
    seal: SealKey,
    sessions: Mutex<Sessions>,
    setup: Mutex<Option<SetupCode>>,
    failures: Mutex<Failures>,
    attempts: Mutex<Attempts<OperatorError>>,
    offered: Vec<OperatorProvider>,
    used: PartnerUse,
}

impl Operators {
    /// Over this door; what goes on record goes to `audit`. `None` never happens ([`SealKey::new`]).
    pub fn new(door: Door, audit: Audit, identity_key: &[u8]) -> Option<Self> {
        let settings = &door.config.operators;
        let sessions = Sessions::new(settings.session_h * 3_600, settings.idle_min * 60);
        // Checked when the settings were read; those that are compiled in have no such page.
        let offered = settings.offered(&door.config.identity).unwrap_or_default();
        Some(Self(Arc::new(Inner {
            seal: SealKey::new(identity_key)?,
            sessions: Mutex::new(sessions),
            setup: Mutex::default(),
            failures: Mutex::default(),
            attempts: Mutex::default(),
            offered,
            used: PartnerUse::default(),
            door,
            audit,
        })))
    }

    /// A code for the first operator, in place of an earlier one; `None`: there is an operator.
    pub fn new_setup_code(&self) -> Option<String> {
        if !self.needs_setup() {
            return None;
        }
        let (code, text) = SetupCode::new(&self.0.door.dice.bytes(), self.now());
        *lock(&self.0.setup) = Some(code);
        Some(text)
    }

    /// Whether nobody is an operator with every permission.
    pub fn needs_setup(&self) -> bool {
        self.0.door.realm().has_no_admin()
    }

    /// Whether operators without an authenticator may only look.
    pub fn requires_totp(&self) -> bool {
        self.0.door.config.operators.require_totp && !self.0.door.config.dev
    }

    /// Makes the first operator, by the code that was printed at the start, and signs them in.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn set_up(
        &self,
        code: &str,
        email: &str,
        password: Password,
        from: Option<IpAddr>,
    ) -> Result<Opened, OperatorError> {
        self.0.door.limits.sign_in(from)?;
        self.0.door.limits.password("operator setup", from)?;
        self.may_set_up(code)?;
        let (account, hash) = self.newcomer(email, password).await?;
        self.first(&account, Way::Password(hash)).await
    }

    /// That a setup code is the one that was printed, and good.
    fn may_set_up(&self, code: &str) -> Result<(), OperatorError> {
        if !self.needs_setup() {
            return Err(OperatorError::SetupOver);
        }
        let opens = lock(&self.0.setup).as_ref().is_some_and(|it| it.opens(code, self.now()));
        if !opens {
            self.refused(None, "setup code")?;
            return Err(OperatorError::NotInvited);
        }
        Ok(())
    }

    /// Makes an account the first operator.
    async fn first(&self, account: &Account, way: Way) -> Result<Opened, OperatorError> {
        let name = self.pseudonym(account.id);
        let (how, roles) = ("setup".into(), "Admin".into());
        self.record(account.id, What::OperatorMade { account: name, how, roles })?;
        let account = self.ask(account.id, OperatorAsk::First(way)).await?;
        *lock(&self.0.setup) = None;
        Ok(self.open(account, OpenedBy::Proof))
    }

    /// Signs an operator in. Whoever is none hears the same as with a wrong password, as late.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn sign_in(
        &self,
        email: &str,
        shown: Shown,
        from: Option<IpAddr>,
    ) -> Result<Opened, OperatorError> {
        let link = names::email(email);
        self.0.door.limits.sign_in(from)?;
        self.0.door.limits.password(&link.id, from)?;
        let account = self.0.door.find(Key::Link(link)).await?;
        let account = self.proven(account, shown).await?;
        Ok(self.open(account, OpenedBy::Proof))
    }

    /// Proves again who is there: the session is fresh from now on. Who has no password shows a code
    /// alone; who has no authenticator either goes to a provider again ([`Self::begin`]).
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn step_up(
        &self,
        token: &str,
        account: Account,
        shown: Shown,
        from: Option<IpAddr>,
    ) -> Result<Session, OperatorError> {
        self.0.door.limits.password(&account.id.0.to_string(), from)?;
        if has_password(&account) {
            self.proven(Some(account), shown).await?;
        } else {
            self.proven_by_code(&account, &shown.code).await?;
        }
        let hash = hash_of(token);
        let mut sessions = self.sessions();
        sessions.freshen(&hash, self.now());
        sessions.look(&hash, self.now()).ok_or(OperatorError::Wrong)
    }

    /// The session of a token, if it goes on.
    pub fn session(&self, token: &str) -> Option<Session> {
        let session = self.sessions().look(&hash_of(token), self.now())?;
        let revoked =
            self.0.door.is_revoked(session.account, uuid::Uuid::nil(), false, session.opened.0);
        (!revoked).then_some(session)
    }

    /// Ends a session.
    pub fn sign_out(&self, token: &str) {
        self.sessions().close(&hash_of(token));
    }

    /// Begins to set up an authenticator. The one before, if there is one, goes on until the new one
    /// has shown a code.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn enrol(&self, account: &Account) -> Result<Enrolment, OperatorError> {
        let secret = Zeroizing::new(self.0.door.dice.bytes::<{ totp::SECRET_BYTES }>());
        let sealed = self.0.seal.seal(account.id, self.0.door.dice.bytes(), &*secret);
        self.ask(account.id, OperatorAsk::Enrol(sealed.ok_or(OperatorError::Seal)?)).await?;
        let uri = totp::uri(&*secret, ISSUER, email_of(account));
        let secret = Zeroizing::new(codes::base32(&*secret));
        Ok(Enrolment { secret, uri: Zeroizing::new(uri) })
    }

    /// The authenticator shows that it works: from now on its codes are asked for. Answers with new
    /// recovery codes, shown this once. Other sessions of the account end.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn confirm(
        &self,
        account: &Account,
        typed: &str,
        session: Option<&str>,
    ) -> Result<Vec<String>, OperatorError> {
        self.limit_codes(account.id)?;
        let has = account.dossier().operator.as_deref();
        let sealed = has.and_then(|has| has.enrolling.as_deref()).unwrap_or_default();
        let secret = self.0.seal.open(account.id, sealed).ok_or(OperatorError::WrongCode)?;
        let step = totp::step_of(&secret, typed, self.now().as_secs(), 0);
        let step = step.ok_or(OperatorError::WrongCode)?;
        let new = || codes::shown(&self.0.door.dice.bytes::<10>());
        let shown: Vec<String> = (0..RECOVERY_CODES).map(|_| new()).collect();
        let hashes = shown.iter().map(|code| codes::hash(code)).collect();
        self.record(account.id, What::Authenticator { on: true })?;
        self.ask(account.id, OperatorAsk::Confirm(step, hashes)).await?;
        self.sessions().close_others(account.id, session.map(hash_of).as_ref());
        Ok(shown)
    }

    /// Takes an authenticator away.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn drop_totp(&self, account: AccountId) -> Result<(), OperatorError> {
        self.record(account, What::Authenticator { on: false })?;
        self.ask(account, OperatorAsk::DropTotp).await.map(drop)
    }

    /// The account, if what is shown proves that an operator is there; the proof is used up and on
    /// record when this answers.
    async fn proven(
        &self,
        account: Option<Account>,
        shown: Shown,
    ) -> Result<Account, OperatorError> {
        let now = self.now();
        let has = account.as_ref().and_then(|account| account.dossier().operator.as_deref());
        let stored = has.map(|has| has.password.as_str()).filter(|hash| !hash.is_empty());
        let verdict = self.0.door.hashing.check(shown.password.clone(), stored).await?;
        let may = |account: &&Account| is_operator(account, now);
        let (Some(account), Some(has)) = (account.as_ref().filter(may), has) else {
            self.refused(account.as_ref().map(|account| account.id), "no operator")?;
            return Err(OperatorError::Wrong);
        };
        if verdict == Verdict::Wrong {
            self.refused(Some(account.id), "password")?;
            return Err(OperatorError::Wrong);
        }
        let factor = self.factor(account.id, has, &shown.code)?;
        let done = self.used_up(account.id, "password", factor).await?;
        if verdict == Verdict::RightButOld {
            self.rehash(account.id, has.password.clone(), shown.password).await;
        }
        Ok(done)
    }

    /// The proof is used up, and on record.
    async fn used_up(
        &self,
        account: AccountId,
        first: &str,
        factor: Factor,
    ) -> Result<Account, OperatorError> {
        let by: Text = match factor {
            Factor::None | Factor::Vouched => first.into(),
            Factor::Step(_) => format!("{first} and code").as_str().into(),
            Factor::Recovery(_) => format!("{first} and recovery code").as_str().into(),
        };
        let done = match self.ask(account, OperatorAsk::Prove(factor)).await {
            Err(OperatorError::WrongCode) => {
                self.refused(Some(account), "code was used")?;
                return Err(OperatorError::WrongCode);
            }
            done => done?,
        };
        self.record(account, What::OperatorSignedIn { by })?;
        Ok(done)
    }

    /// The same for who has no password: the session they have stands for it.
    async fn proven_by_code(&self, account: &Account, typed: &str) -> Result<(), OperatorError> {
        let has = account.dossier().operator.as_deref().filter(|has| has.totp.is_some());
        let factor = self.factor(account.id, has.ok_or(OperatorError::NoStepUp)?, typed)?;
        self.used_up(account.id, "session", factor).await.map(drop)
    }

    /// What was typed beside the password, or after a provider.
    fn factor(
        &self,
        account: AccountId,
        has: &Credentials,
        typed: &str,
    ) -> Result<Factor, OperatorError> {
        let Some(set) = &has.totp else { return Ok(Factor::None) };
        if typed.trim().is_empty() {
            return Err(OperatorError::CodeNeeded);
        }
        self.limit_codes(account)?;
        // With other secrets than those it was sealed with only a recovery code is left.
        let secret = self.0.seal.open(account, &set.sealed).unwrap_or_default();
        let (now_s, last) = (self.now().as_secs(), set.last_step);
        let step = totp::step_of(&secret, typed, now_s, last).filter(|_| !secret.is_empty());
        if let Some(step) = step {
            return Ok(Factor::Step(step));
        }
        let hash = codes::hash(typed);
        if has.recovery.iter().any(|kept| codes::is_same(kept, &hash)) {
            return Ok(Factor::Recovery(hash));
        }
        self.refused(Some(account), "code")?;
        Err(OperatorError::WrongCode)
    }

    /// Codes are short, so an account has few tries, from wherever; only who knows the password gets
    /// here, so nobody else can use them up.
    fn limit_codes(&self, account: AccountId) -> Result<(), OperatorError> {
        Ok(self.0.door.limits.password(&format!("code of {}", account.0), None)?)
    }

    /// An account for a new operator, and the hash of their password.
    async fn newcomer(
        &self,
        email: &str,
        password: Password,
    ) -> Result<(Account, String), OperatorError> {
        let max = self.0.door.config.passwords.length_max;
        operator::password(&password.0, max)?;
        let link = names::email_link(email, &password.0, max)?;
        self.is_free(&link).await?;
        let hash = self.0.door.hashing.hash(password).await?;
        Ok((self.account_for(link).await?, hash))
    }

    /// That nobody has an address.
    async fn is_free(&self, link: &Link) -> Result<(), OperatorError> {
        let free = self.0.door.find(Key::Link(link.clone())).await?;
        if free.is_some_and(|account| !is_nobodys(&account, link)) {
            return Err(OperatorError::AddressTaken);
        }
        Ok(())
    }

    /// An account for a new operator, called by this address.
    async fn account_for(&self, link: Link) -> Result<Account, OperatorError> {
        let ask = SignIn::by(link.clone(), Some(NewAccount::default()));
        let account = self.0.door.accounts.sign_in(ask).await?.account;
        // Somebody may have come meanwhile.
        if is_nobodys(&account, &link) { Ok(account) } else { Err(OperatorError::AddressTaken) }
    }

    async fn rehash(&self, account: AccountId, old: String, password: Password) {
        if let Ok(new) = self.0.door.hashing.hash(password).await
            && let Err(error) = self.ask(account, OperatorAsk::ChangePassword(old, new)).await
        {
            tracing::warn!(account.id = %account.0, %error, "password was not rehashed");
        }
    }

    fn open(&self, account: Account, by: OpenedBy) -> Opened {
        let token = self.random();
        let session = self.sessions().open(hash_of(&token), account.id, by, self.now());
        Opened { token, session, account }
    }

    /// A text nobody guesses.
    fn random(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.door.dice.bytes::<32>()))
    }

    async fn ask(&self, account: AccountId, ask: OperatorAsk) -> Result<Account, OperatorError> {
        let done = self.0.door.accounts.office(account, OfficeAsk::Operator(ask)).await?;
        Ok(done.account)
    }

    fn record(&self, by: AccountId, what: What) -> Result<(), OperatorError> {
        Ok(self.0.audit.record(Who::Operator(self.pseudonym(by)), what)?)
    }

    /// Puts a refusal on record, unless there are too many: then it is counted.
    fn refused(&self, account: Option<AccountId>, why: &str) -> Result<(), OperatorError> {
        let Some(more) = lock(&self.0.failures).count(self.now()) else { return Ok(()) };
        let account = account.map(|account| self.pseudonym(account));
        let what = What::OperatorRefused { account, why: why.into(), more };
        Ok(self.0.audit.record(Who::Server, what)?)
    }

    fn pseudonym(&self, account: AccountId) -> crate::domain::audit::Pseudonym {
        self.0.audit.pseudonyms().account(account)
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.0.sessions)
    }

    fn now(&self) -> UnixMicros {
        self.0.door.clock.now()
    }
}

/// Whether an operator may come in at all.
fn is_operator(account: &Account, now: UnixMicros) -> bool {
    !account.is_banned(now) && !account.dossier().roles.is_empty()
}

/// Whether somebody signs in here by a password.
pub fn has_password(account: &Account) -> bool {
    account.dossier().operator.as_deref().is_some_and(|has| !has.password.is_empty())
}

/// The address an operator signs in by; empty: none.
pub fn email_of(account: &Account) -> &str {
    account.link(crate::domain::account::LinkKind::Email).unwrap_or_default()
}

/// Whether nobody can sign in to an account, by any door: left over when a server ended between two
/// writes.
fn is_nobodys(account: &Account, link: &Link) -> bool {
    let dossier = account.dossier();
    account.links.as_slice() == std::slice::from_ref(link)
        && account.password.is_none()
        && dossier.operator.is_none()
        && dossier.roles.is_empty()
}

fn hash_of(token: &str) -> [u8; 32] {
    Digest::of(&[b"anteroom operator token\n", token.as_bytes()]).0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
