//! [`Door`]: the way from both front ends to the line, the accounts and the sockets.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use uuid::Uuid;

use super::entrance::Entered;
use super::hashing::{HashFigures, HashPool, Verdict};
use super::limits::Limits;
use super::outcomes::Outcomes;
use super::{Credential, Entrance, Password, SignInAsk, SignInError, SignedIn};
use crate::actors::account_registry::{AccountsError, Key, NewAccount, Revoke, SignIn};
use crate::actors::{Accounts, Board, CallError, Line, SessionDoor};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::account::{Account, AccountId, Link, LinkKind, Refusal};
use crate::domain::queue::{Checked, Identity, Lane, Player, Standing, TicketRef};
use crate::domain::session::CloseReason;
use crate::domain::token::ticket::{TicketError, TicketKeys};
use crate::ids::Dice;

/// What a use case needs, and what front ends may reach. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    /// The time.
    pub clock: Clock,
    /// The dice.
    pub dice: Dice,
    /// The settings.
    pub config: Arc<Config>,
    /// Keys of tickets and passes.
    pub tickets: Arc<TicketKeys>,
    /// Who is online.
    pub board: Board,
    /// What came of sign-ins, for metrics.
    pub outcomes: Arc<Outcomes>,
    pub(super) accounts: Accounts,
    pub(super) line: Line,
    pub(super) sockets: SessionDoor,
    pub(super) hashing: HashPool,
    pub(super) limits: Arc<Limits>,
}

/// The parts a [`Door`] is made of.
pub struct Parts {
    /// The time.
    pub clock: Clock,
    /// The dice.
    pub dice: Dice,
    /// The settings.
    pub config: Arc<Config>,
    /// Keys of tickets and passes.
    pub tickets: Arc<TicketKeys>,
    /// The registry.
    pub accounts: Accounts,
    /// The line.
    pub line: Line,
    /// Who is online.
    pub board: Board,
    /// The sockets.
    pub sockets: SessionDoor,
    /// The hashing pool.
    pub hashing: HashPool,
}

/// A pass that a client brought is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassTokenRefused {
    /// Its signature, form or lifetime.
    #[error(transparent)]
    Token(#[from] TicketError),
    /// A ticket that still waits.
    #[error("the ticket has not been admitted")]
    StillWaiting,
}

impl Door {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let limits = Arc::new(Limits::new(&parts.config.limits, parts.clock.clone()));
        Self {
            clock: parts.clock,
            dice: parts.dice,
            config: parts.config,
            tickets: parts.tickets,
            board: parts.board,
            outcomes: Arc::default(),
            accounts: parts.accounts,
            line: parts.line,
            sockets: parts.sockets,
            hashing: parts.hashing,
            limits,
        }
    }

    /// Takes a place in line for somebody who has not said who they are.
    ///
    /// # Errors
    ///
    /// [`SignInError::Busy`] when this address asks too often, or no answer.
    pub async fn enter_line(&self, from: Option<IpAddr>) -> Result<Standing, SignInError> {
        self.limits.enter(from)?;
        Ok(self.line.enter(Identity::ANONYMOUS, Lane::Standard).await?)
    }

    /// Where a ticket stands. Renews its lease.
    ///
    /// # Errors
    ///
    /// [`SignInError::Busy`] when the ticket is polled too often (its place is safe), or no answer.
    pub async fn check_ticket(&self, ticket: TicketRef) -> Result<Checked, SignInError> {
        self.limits.poll(ticket.number)?;
        Ok(self.line.check(ticket).await?)
    }

    /// Signs somebody in: past the line, proven, durable, with a slot that waits for the socket.
    ///
    /// # Errors
    ///
    /// See [`SignInError`]. Nothing was changed, and a pass that the caller brought is still good,
    /// unless no answer came in time: then asking again gives the same answer.
    pub async fn authenticate(
        &self,
        ask: SignInAsk,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let kind = ask.credential.kind();
        let result = self.enter_and_sign_in(ask, from).await;
        self.outcomes.count(kind, &result);
        result
    }

    async fn enter_and_sign_in(
        &self,
        ask: SignInAsk,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        self.limits.sign_in(from)?;
        let identity = self.identity_of(&ask.credential);
        let entered = self.pass_the_line(&ask.entrance, identity).await?;
        let signed_in = match self.prove_and_sign_in(ask, &entered, from).await {
            Ok(signed_in) => signed_in,
            Err(error) => {
                entered.failed().await;
                return Err(error);
            }
        };
        entered.redeemed(Player(signed_in.account.id.0.as_u128()), identity)?;
        Ok(signed_in)
    }

    async fn prove_and_sign_in(
        &self,
        ask: SignInAsk,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        let (link, password) = match ask.credential {
            Credential::Device(id) => (Link { kind: LinkKind::Device, id }, None),
            Credential::Custom(id) => (Link { kind: LinkKind::Custom, id }, None),
            Credential::Unsafe { account_id, .. } => {
                (Link { kind: LinkKind::Unsafe, id: account_id }, None)
            }
            Credential::Email { email, password } => {
                let link = Link { kind: LinkKind::Email, id: email };
                let hash = self.prove_email(&link, password, ask.create, from).await?;
                (link, hash)
            }
            Credential::Username { username, password } => {
                (self.prove_username(username, password, from).await?, None)
            }
        };
        let create =
            ask.create.then_some(NewAccount { username: ask.username, password: password.clone() });
        let signed_in = self
            .accounts
            .sign_in(SignIn {
                link,
                create,
                pass: entered.pass_use(),
                pragma: ask.pragma,
                single_session: ask.single_session,
            })
            .await?;
        Ok(SignedIn { account: signed_in.account, created: signed_in.created, at: signed_in.at })
    }

    /// Checks the password of an address. For an address nobody has: the hash of the password, for
    /// the account to be made.
    async fn prove_email(
        &self,
        link: &Link,
        password: Password,
        create: bool,
        from: Option<IpAddr>,
    ) -> Result<Option<String>, SignInError> {
        match self.accounts.find(Key::Link(link.clone())).await? {
            Some(account) => {
                self.check_password(&account, password, &link.id, from).await?;
                Ok(None)
            }
            None if create => Ok(Some(self.hashing.hash(password).await?)),
            None => Err(self.unknown(password, &link.id, from).await),
        }
    }

    /// Protocol-nakama §2.7: without an address, the user name and the password sign in. The link
    /// to sign in by is the account's address, which such an account always has.
    async fn prove_username(
        &self,
        username: String,
        password: Password,
        from: Option<IpAddr>,
    ) -> Result<Link, SignInError> {
        let account = self.accounts.find(Key::Username(username.clone())).await?;
        let Some(account) = account else {
            return Err(self.unknown(password, &username, from).await);
        };
        self.check_password(&account, password, &username, from).await?;
        let email = account.link(LinkKind::Email).ok_or(Refusal::WrongPassword)?;
        Ok(Link { kind: LinkKind::Email, id: email.to_owned() })
    }

    /// Takes as long as a wrong password and, unless configured otherwise, says the same.
    async fn unknown(&self, password: Password, name: &str, from: Option<IpAddr>) -> SignInError {
        if let Err(error) = self.limits.password(name, from) {
            return error.into();
        }
        if let Err(error) = self.hashing.check(password, None).await {
            return error.into();
        }
        if self.config.passwords.uniform_answer {
            Refusal::WrongPassword.into()
        } else {
            Refusal::NoAccount.into()
        }
    }

    async fn check_password(
        &self,
        account: &Account,
        password: Password,
        name: &str,
        from: Option<IpAddr>,
    ) -> Result<(), SignInError> {
        self.limits.password(name, from)?;
        let stored = account.password.as_deref();
        match self.hashing.check(password.clone(), stored).await? {
            Verdict::Right => Ok(()),
            Verdict::Wrong => Err(Refusal::WrongPassword.into()),
            Verdict::RightButOld => {
                self.rehash(account, password).await;
                Ok(())
            }
        }
    }

    /// Hashes anew with the parameters in force. When the pool is full it is left for next time.
    async fn rehash(&self, account: &Account, password: Password) {
        let (Some(old), Ok(new)) = (account.password.clone(), self.hashing.hash(password).await)
        else {
            return;
        };
        if let Err(error) = self.accounts.set_password(account.id, old, new).await {
            tracing::warn!(account.id = %account.id.0, %error, "password was not rehashed");
        }
    }

    /// Adds a way to sign in.
    ///
    /// # Errors
    ///
    /// [`SignInError::Refused`] when it is another account's; nothing was changed.
    pub async fn link(
        &self,
        account: AccountId,
        credential: Credential,
    ) -> Result<(), SignInError> {
        let (link, password) = match credential {
            Credential::Device(id) => (Link { kind: LinkKind::Device, id }, None),
            Credential::Custom(id) => (Link { kind: LinkKind::Custom, id }, None),
            Credential::Unsafe { account_id, .. } => {
                (Link { kind: LinkKind::Unsafe, id: account_id }, None)
            }
            Credential::Email { email, password } => {
                let hash = self.hashing.hash(password).await?;
                (Link { kind: LinkKind::Email, id: email }, Some(hash))
            }
            // A user name is no link: it comes with the account.
            Credential::Username { .. } => return Err(Refusal::UsernameTaken.into()),
        };
        let devices_max = self.config.nakama.devices_max as usize;
        Ok(self.accounts.link(account, link, password, devices_max).await?)
    }

    /// Takes a way to sign in away, never the last one. `id: None` means whatever is linked.
    ///
    /// # Errors
    ///
    /// [`Refusal::CannotUnlink`]; nothing was changed.
    pub async fn unlink(
        &self,
        account: AccountId,
        kind: LinkKind,
        id: Option<String>,
    ) -> Result<(), SignInError> {
        Ok(self.accounts.unlink(account, kind, id).await?)
    }

    /// The account behind a session that wants new tokens. Nobody queues for that.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoAccount`] or [`Refusal::Banned`].
    pub async fn resume(&self, account: AccountId) -> Result<Account, SignInError> {
        let account = self.accounts.find(Key::Id(account)).await?.ok_or(Refusal::NoAccount)?;
        if account.is_banned() {
            return Err(Refusal::Banned.into());
        }
        Ok(account)
    }

    /// Ends sessions: durable first, then the sockets concerned close. [`Revoke::All`] frees the
    /// slot at once.
    ///
    /// # Errors
    ///
    /// No answer in time; asking again is safe.
    pub async fn sign_out(&self, account: AccountId, what: Revoke) -> Result<(), SignInError> {
        let tokens = match &what {
            Revoke::All => None,
            // A refresh token opened no socket, though it shares its id with the one that did.
            Revoke::Tokens(tokens) => {
                let opened = tokens.iter().filter(|token| !token.refresh);
                Some(opened.map(|token| token.id).collect::<Vec<_>>())
            }
        };
        self.accounts.revoke(account, what).await?;
        if let Some(tokens) = tokens {
            self.sockets.close_tokens(account, &tokens, CloseReason::Kicked);
        } else {
            self.sockets.close_all(account, CloseReason::Kicked);
            self.line.sign_out(Player(account.0.as_u128())).await?;
        }
        Ok(())
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn account(&self, account: AccountId) -> Result<Option<Account>, CallError> {
        self.accounts.find(Key::Id(account)).await
    }

    /// Whether a token was revoked. Cheap: no call, no lock worth mentioning.
    pub fn is_revoked(
        &self,
        account: AccountId,
        token: Uuid,
        refresh: bool,
        issued_at_us: u64,
    ) -> bool {
        self.accounts.revocations().is_revoked(account, token, refresh, issued_at_us)
    }

    /// Whether an account shows a status on any socket.
    pub fn is_online(&self, account: AccountId) -> bool {
        self.board.online(account)
    }

    /// The account with this user name, exactly.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub async fn named(&self, username: &str) -> Result<Option<AccountId>, CallError> {
        let account = self.accounts.find(Key::Username(username.to_owned())).await?;
        Ok(account.map(|account| account.id))
    }

    /// What the hashing pool has done.
    pub fn hash_figures(&self) -> &HashFigures {
        self.hashing.figures()
    }

    /// Reads a pass token that a client brought.
    ///
    /// # Errors
    ///
    /// [`PassTokenRefused`]: what is wrong with it. The ledger is asked later.
    pub fn read_pass(&self, token: &str) -> Result<Entrance, PassTokenRefused> {
        let claims = self.tickets.verify(token, self.clock.now())?;
        if !claims.allowed {
            return Err(PassTokenRefused::StillWaiting);
        }
        Ok(Entrance::Pass { ticket: claims.ticket, expires_at: claims.expires_at })
    }

    /// The address to hold limits against: the peer's, or what a trusted proxy says of its peer.
    /// The right-most address that is no trusted proxy counts; anything further left can be forged.
    pub fn client_address(
        &self,
        peer: Option<SocketAddr>,
        forwarded: Option<&str>,
    ) -> Option<IpAddr> {
        let trusted = &self.config.server.trusted_proxies;
        let peer = peer?.ip().to_canonical();
        if !trusted.contains(&peer) {
            return Some(peer);
        }
        let hops = forwarded.unwrap_or_default().rsplit(',').map(str::trim);
        let parsed = hops.map_while(|hop| hop.parse::<IpAddr>().ok());
        let client = parsed.map(|hop| hop.to_canonical()).find(|hop| !trusted.contains(hop));
        Some(client.unwrap_or(peer))
    }

    /// Whose place it is: one identity has one place, whatever was typed in beside it.
    fn identity_of(&self, credential: &Credential) -> Identity {
        let id = match credential {
            Credential::Device(id) | Credential::Custom(id) => id,
            Credential::Email { email, .. } => email,
            Credential::Username { username, .. } => username,
            Credential::Unsafe { account_id, .. } => account_id,
        };
        self.line.identity(credential.kind(), id)
    }
}

impl Credential {
    /// The word for metrics. It is also part of the fingerprint in line: another word, another place.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Custom(_) => "custom",
            Self::Email { .. } => "email",
            Self::Username { .. } => "username",
            Self::Unsafe { .. } => "unsafe",
        }
    }
}

impl From<AccountsError> for SignInError {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Refused(refusal) => Self::Refused(refusal),
            AccountsError::Call(call) => Self::Call(call),
        }
    }
}

impl From<super::limits::TooOften> for SignInError {
    fn from(error: super::limits::TooOften) -> Self {
        Self::Busy { retry_after_s: error.retry_after_s }
    }
}

impl From<super::hashing::PoolFull> for SignInError {
    fn from(error: super::hashing::PoolFull) -> Self {
        Self::Busy { retry_after_s: error.retry_after_s }
    }
}
