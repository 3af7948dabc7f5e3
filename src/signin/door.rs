//! [`Door`]: the way from both front ends to the line, the accounts and the sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use uuid::Uuid;

use super::entrance::Entered;
use super::guard::{Entrant, SharedGuard};
use super::hashing::{HashFigures, HashPool};
use super::limits::Limits;
use super::office::PartnerUse;
use super::outcomes::Outcomes;
use super::proving::Claim;
use super::recent::{RecentSignIn, RecentSignIns};
use super::reloading::ListInForce;
use super::{Credential, Entrance, Hooks, SignInAsk, SignInError, SignedIn, Wish};
use crate::actors::account_registry::{AccountsError, Key, Revoke};
use crate::actors::session::{Channel, Resumable};
use crate::actors::{Accounts, Board, CallError, Line, SessionDoor};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::abuse::Manner;
use crate::domain::account::{Account, AccountId, Refusal};
use crate::domain::lane_rules::LaneRule;
use crate::domain::queue::{Checked, Identity, Lane, Player, Standing, TicketRef, Work};
use crate::domain::realm::Realm;
use crate::domain::session::CloseReason;
use crate::domain::session::attributes::TooMany;
use crate::domain::token::ticket::{TicketError, TicketKeys};
use crate::identity::Providers;
use crate::ids::Dice;
use crate::observe::trace;

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
    /// When partner tokens were last used.
    pub partners: PartnerUse,
    /// Who signed in last.
    pub recent: Arc<RecentSignIns>,
    /// Web sites that may use the portal.
    pub portal_origins: ListInForce<String>,
    /// Who watches for abuse before the line.
    pub guard: Arc<SharedGuard>,
    pub(super) accounts: Accounts,
    pub(super) line: Line,
    pub(super) sockets: SessionDoor,
    pub(super) hashing: HashPool,
    pub(super) limits: Arc<Limits>,
    pub(super) lane_rules: ListInForce<LaneRule>,
    pub(super) providers: Providers,
    pub(super) hooks: Hooks,
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
    /// Identity providers.
    pub providers: Providers,
    /// Who is asked and told about accounts.
    pub hooks: Hooks,
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
        let lane_rules = ListInForce::new(&parts.config.queue.lane_rules);
        let portal_origins = ListInForce::new(&parts.config.pragma.portal_origins);
        let guard = SharedGuard::new(&parts.config.queue, parts.clock.clone(), &parts.dice);
        Self {
            guard: Arc::new(guard),
            clock: parts.clock,
            dice: parts.dice,
            config: parts.config,
            tickets: parts.tickets,
            board: parts.board,
            outcomes: Arc::default(),
            partners: PartnerUse::default(),
            recent: Arc::default(),
            accounts: parts.accounts,
            line: parts.line,
            sockets: parts.sockets,
            hashing: parts.hashing,
            providers: parts.providers,
            hooks: parts.hooks,
            limits,
            lane_rules,
            portal_origins,
        }
    }

    /// Takes of these settings what changes while the server runs, but for the line's own.
    pub(super) fn retune(&self, config: &Config) {
        self.limits.set(&config.limits);
        self.lane_rules.set(&config.queue.lane_rules);
        self.guard.set(&config.queue);
        self.portal_origins.set(&config.pragma.portal_origins);
    }

    /// Takes a place in line for somebody who has not said who they are.
    ///
    /// # Errors
    ///
    /// [`SignInError::Busy`] when this address asks too often, or no answer.
    pub async fn enter_line(&self, from: Option<IpAddr>) -> Result<Standing, SignInError> {
        self.limit_entry(from)?;
        let entrant = Entrant { from, manner: Manner::Mute };
        self.take_place(Identity::ANONYMOUS, Lane::Standard, entrant).await
    }

    /// Where a ticket stands. Renews its lease.
    ///
    /// # Errors
    ///
    /// [`SignInError::Busy`] when the ticket is polled too often (its place is safe), or no answer.
    pub async fn check_ticket(&self, ticket: TicketRef) -> Result<Checked, SignInError> {
        self.limits.poll(ticket.number)?;
        Ok(match self.line.check(ticket).await? {
            Checked::Standing(standing) => Checked::Standing(self.put_off(standing)),
            Checked::Forgotten => Checked::Forgotten,
        })
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
        let result = trace::step("sign in", self.enter_and_sign_in(ask, from)).await;
        self.outcomes.count(kind, &result);
        if let Ok(SignedIn { account, created, at, .. }) = &result {
            let what = RecentSignIn { at: *at, method: kind, created: *created };
            self.recent.note(account.id, what);
        }
        result
    }

    async fn enter_and_sign_in(
        &self,
        ask: SignInAsk,
        from: Option<IpAddr>,
    ) -> Result<SignedIn, SignInError> {
        self.limits.sign_in(from)?;
        let SignInAsk { credential, entrance, wish } = ask;
        let single_session = wish.single_session;
        let friends_of = wish.import_friends.then(|| credential.proof()).flatten();
        // Whom a provider knows has proven more than a challenge asks for.
        let is_known = matches!(credential, Credential::Provider(_));
        let manner = if is_known { Manner::Proven } else { Manner::Mute };
        let entrant = Entrant { from, manner };
        // A pass comes before the provider, which nobody without a good one is to trouble
        // (protocol-pragma §18, 6); an implicit ticket is somebody's, so the provider comes first.
        let passed = match entrance {
            Entrance::Pass { ticket, expires_at } => {
                Some(self.begin_pass(ticket, expires_at).await?)
            }
            _ => None,
        };
        let claim = match self.claim(credential).await {
            Ok(claim) => claim,
            Err(error) => {
                // Before the answer: whoever tries again at once finds the pass as it was.
                if let Some(entered) = passed {
                    entered.failed().await;
                }
                return Err(error);
            }
        };
        let identity = self.identity_of(&claim);
        let entered = match passed {
            Some(entered) => entered,
            None => self.pass_the_line(&entrance, &claim, identity, entrant).await?,
        };
        let (signed_in, work) = match self.measured(claim, wish, &entered, from).await {
            Ok(done) => done,
            Err(error) => {
                entered.failed().await;
                return Err(error);
            }
        };
        if let Some(place) = entered.place() {
            self.guard.signed_in(place, from);
        }
        entered.redeemed(Player(signed_in.account.id.0.as_u128()), identity, work)?;
        if single_session {
            // Their tokens are revoked, and that closes sockets.
            self.sockets.close_all(signed_in.account.id, CloseReason::Kicked);
        }
        if let Some(proof) = friends_of {
            Box::pin(self.import_after_sign_in(&signed_in.account, proof)).await;
        }
        Ok(signed_in)
    }

    /// Signs in and lets the line hear how that went: our own part of it, without the providers'.
    async fn measured(
        &self,
        claim: Claim,
        wish: Wish,
        entered: &Entered,
        from: Option<IpAddr>,
    ) -> Result<(SignedIn, Work), SignInError> {
        let work = claim.work();
        if work == Work::Password {
            let (depth, size) = self.hashing.backlog();
            self.line.sensors().pool(depth, size);
        }
        let began = self.clock.now();
        let result = self.prove_and_sign_in(claim, wish, entered, from).await;
        let work_of = |done: &SignedIn| if done.created { Work::NewAccount } else { work };
        let took_ms = self.clock.now().since_ms(began);
        entered.measure(result.as_ref().map(work_of), took_ms);
        result.map(|done| {
            let work = work_of(&done);
            (done, work)
        })
    }

    /// The account behind a session that wants new tokens. Nobody queues for that.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoAccount`] or [`Refusal::Banned`].
    pub async fn resume(&self, account: AccountId) -> Result<Account, SignInError> {
        let account = self.accounts.find(Key::Id(account)).await?.ok_or(Refusal::NoAccount)?;
        if account.is_banned(self.clock.now()) {
            return Err(Refusal::Banned.into());
        }
        Ok(account)
    }

    /// Counts a call of the web portal against its address (protocol-pragma §8).
    ///
    /// # Errors
    ///
    /// [`SignInError::Busy`]
    pub fn limit_portal(&self, from: Option<IpAddr>) -> Result<(), SignInError> {
        Ok(self.limits.portal(from)?)
    }

    /// Frees the slot of somebody who signed in and may not play. A player who is playing already
    /// keeps it.
    ///
    /// # Errors
    ///
    /// No answer in time: the slot lapses by itself.
    pub async fn release_slot(&self, account: AccountId) -> Result<(), CallError> {
        if self.sockets.is_connected(account) {
            return Ok(());
        }
        self.line.sign_out(Player(account.0.as_u128())).await
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

    /// The session a socket to come shall have: the one from before, if it is to be resumed and
    /// stands, or a new one.
    pub fn resumable(&self, account: AccountId, channel: Channel, resume: bool) -> Arc<Resumable> {
        self.sockets.resumable(account, channel, resume, self.dice.uuid())
    }

    /// Changes attributes of a player's session and tells its socket. `None`: there is no session.
    pub fn change_attributes(
        &self,
        of: (AccountId, Channel),
        set: BTreeMap<i32, Uuid>,
        removed: Vec<i32>,
    ) -> Option<Result<(), TooMany>> {
        self.sockets.change_attributes(of, set, removed)
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

    /// What operators keep beside accounts, as it is now. Cheap: no call.
    pub fn realm(&self) -> Arc<Realm> {
        self.accounts.realm().get()
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

    /// Passwords that wait to be hashed, and how many may.
    pub fn hash_backlog(&self) -> (usize, usize) {
        self.hashing.backlog()
    }

    /// What the hashing pool has done.
    pub fn hash_figures(&self) -> &HashFigures {
        self.hashing.figures()
    }

    /// Who is asked and told about accounts.
    pub const fn hooks(&self) -> &Hooks {
        &self.hooks
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
    /// `forwarded`: every line of `X-Forwarded-For`.
    pub fn client_address<'a>(
        &self,
        peer: Option<SocketAddr>,
        forwarded: impl Iterator<Item = &'a str>,
    ) -> Option<IpAddr> {
        let trusted = &self.config.server.trusted_proxies;
        let peer = peer?.ip().to_canonical();
        if !trusted.contains(&peer) {
            return Some(peer);
        }
        let lines: Vec<&str> = forwarded.collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
        let parsed = hops.map_while(|hop| hop.parse::<IpAddr>().ok());
        let client = parsed.map(|hop| hop.to_canonical()).find(|hop| !trusted.contains(hop));
        Some(client.unwrap_or(peer))
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
            Self::Provider(proof) => proof.kind().name(),
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
