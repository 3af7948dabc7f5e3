//! Opens the parts in their order and ties them to each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use zeroize::Zeroizing;

use super::Own;
use super::opening::{access, audit_chain, hooks, operators, queue_api, reloader};
use crate::actors::account_registry::{self, NewAccount, PragmaSignIn, RegistryLimits, SignIn};
use crate::actors::audit::{self, Audit};
use crate::actors::backups::{BackupSettings, Backups};
use crate::actors::login_queue::{self, LineError, LineSeeds, Redeemed};
use crate::actors::session::{DoorParts, NoSlotFor, Slots};
use crate::actors::{Accounts, Board, CallError, Line, SessionDoor};
use crate::clock::Clock;
use crate::config::secrets::{DEV_SERVER_KEY, SecretsError, key_bytes};
use crate::config::{Config, Secrets};
use crate::domain::account::{Link, LinkKind};
use crate::domain::friend::FriendLimits;
use crate::domain::queue::{Departure, Number, Player};
use crate::domain::token::nakama::NakamaKeys;
use crate::domain::token::oauth_state::StateKey;
use crate::domain::token::player::PlayerKeys;
use crate::domain::token::signing;
use crate::domain::token::ticket::TicketKeys;
use crate::identity::webhook::WebhookError;
use crate::identity::{Beacon, Providers, SetupError};
use crate::ids::Dice;
use crate::observe::trace::TraceError;
use crate::observe::{Access, Health, Live, Traffic};
use crate::queue_api;
use crate::signin::hashing::{HashPool, HashPoolError};
use crate::signin::operators::Operators;
use crate::signin::{Door, Parts};
use crate::store::StoreError;
use crate::store::audit::AuditFileError;
use crate::store::backup;
use crate::tls::{Certificates, PairError};

use crate::signin::reloading::Reloader;
use crate::signin::steering::{SteerError, Steering};

/// Accounts that exist from the start with `--dev` (protocol-pragma §4.4).
const DEV_ACCOUNTS: u32 = 20;

/// Why a server does not start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The secrets file.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A key of the secrets file.
    #[error("secrets: {0}")]
    Key(String),
    /// The account store.
    #[error("accounts: {0}")]
    Accounts(#[from] StoreError),
    /// The audit chain.
    #[error(transparent)]
    Audit(#[from] AuditFileError),
    /// A restore that was not finished.
    #[error(
        "{} is there: a restore was not finished. Empty the data folder and restore again",
        .0.display()
    )]
    Restoring(PathBuf),
    /// The thread that makes backups.
    #[error("cannot start the thread that makes backups: {0}")]
    Backups(io::Error),
    /// The line's files.
    #[error("login queue: {0}")]
    Line(#[from] LineError),
    /// An identity provider's settings.
    #[error("settings: {0}")]
    Identity(#[from] SetupError),
    /// The settings of hooks.
    #[error("settings: {0}")]
    Webhook(#[from] WebhookError),
    /// Hooks of the settings beside hooks that are compiled in.
    #[error("settings: hooks.url must be empty: hooks are compiled in")]
    TwoHooks,
    /// The hashing pool.
    #[error(transparent)]
    Hashing(#[from] HashPoolError),
    /// The settings of traces.
    #[error("settings: {0}")]
    Trace(#[from] TraceError),
    /// The settings of the line.
    #[error("starting: {0}")]
    Steering(#[from] SteerError),
    /// A part did not answer while starting.
    #[error("starting: {0}")]
    Call(#[from] CallError),
    /// The certificate of the ports.
    #[error("tls: {0}")]
    Tls(#[from] PairError),
    /// The HTTP server.
    #[error("HTTP server: {0}")]
    Http(#[from] io::Error),
}

impl StartError {
    /// Whether settings or data cannot be used, so that trying again would not help.
    pub const fn is_unusable(&self) -> bool {
        matches!(
            self,
            Self::Secrets(_)
                | Self::Key(_)
                | Self::Accounts(_)
                | Self::Audit(_)
                | Self::Line(_)
                | Self::Restoring(_)
                | Self::Tls(_)
                | Self::Identity(_)
                | Self::Webhook(_)
                | Self::TwoHooks
                | Self::Trace(_)
        )
    }
}

/// The opened parts.
pub(super) struct Running {
    pub config: Arc<Config>,
    pub accounts: Accounts,
    pub accounts_stopped: account_registry::Stopped,
    pub line: Line,
    pub line_stopped: login_queue::Stopped,
    pub audit: Audit,
    pub steering: Steering,
    pub reloader: Reloader,
    pub operators: Operators,
    pub backups: Backups,
    pub audit_failed: audit::Failed,
    pub sockets: SessionDoor,
    pub door: Door,
    pub providers: Providers,
    pub health: Health,
    pub traffic: Traffic,
    pub access: Access,
    pub live: Live,
    pub nakama_keys: NakamaKeys,
    pub player_keys: Arc<PlayerKeys>,
    pub queue_api: Box<queue_api::App>,
    pub states: Arc<StateKey>,
    pub certificates: Option<Certificates>,
    pub server_key: Zeroizing<String>,
    pub first_run: bool,
}

impl Running {
    pub async fn open(
        config: Config,
        clock: Clock,
        dice: Dice,
        own: Own,
    ) -> Result<Self, StartError> {
        let certificates = Certificates::open(&config.tls, clock.clone())?;
        let data = make_folder(&config)?;
        let (secrets, first_run) = open_secrets(&config, &data, &dice)?;
        let server_key = server_key(&config, &secrets)?;
        let keys = Keys::read(&config, &secrets)?;
        let (accounts, accounts_stopped) = open_accounts(&config, &data, &clock, &dice)?;
        let identity_key = identity_key(&secrets)?;
        let (audit, audit_failed) = audit_chain(&config, &data, &clock, &identity_key)?;
        let (line, line_stopped) =
            open_line(&config, clock.clone(), &dice, (&identity_key, first_run), &accounts, &audit)
                .await?;
        let steering = steer(&config, &line, &audit).await?;
        let backups = start_backups(&config, &data, &accounts, &clock)?;
        seed_test_accounts(&config, &accounts).await;
        let config = Arc::new(config);
        let board = Board::start();
        let sockets = socket_door(&line, &board, &clock, &accounts);
        let providers = Providers::new(&config.identity, clock.clone(), &dice, own.providers)?;
        let hooks = hooks(&config, own.hooks, &clock, &dice, &accounts)?;
        let door = Door::new(Parts {
            clock,
            hashing: HashPool::start(&config.passwords, dice.clone())?,
            dice,
            providers: providers.clone(),
            hooks,
            config: Arc::clone(&config),
            tickets: Arc::new(keys.tickets),
            accounts: accounts.clone(),
            line: line.clone(),
            board,
            sockets: sockets.clone(),
        });
        let operators = operators(&door, &audit, &identity_key)?;
        let access = access(&door)?;
        let reloader = reloader(&door, &steering, &audit, certificates.as_ref());
        let queue_api = queue_api(&door, &line, &keys.nakama, &keys.player);
        Ok(Self {
            reloader,
            states: Arc::new(StateKey::new(&door.dice.bytes())),
            config,
            accounts,
            accounts_stopped,
            line,
            line_stopped,
            audit,
            steering,
            operators,
            backups,
            audit_failed,
            sockets,
            door,
            providers,
            health: Health::default(),
            traffic: Traffic::default(),
            access,
            live: Live::new(super::sampler::columns()),
            nakama_keys: keys.nakama,
            player_keys: keys.player,
            queue_api,
            certificates,
            server_key,
            first_run,
        })
    }
}

fn open_accounts(
    config: &Config,
    data: &Path,
    clock: &Clock,
    dice: &Dice,
) -> Result<(Accounts, account_registry::Stopped), StoreError> {
    let folder = data.join("accounts");
    let limits = registry_limits(config);
    Accounts::open(&config.store, &folder, clock.clone(), dice.clone(), limits)
}

fn registry_limits(config: &Config) -> RegistryLimits {
    RegistryLimits {
        callers_max: config.limits.callers_max,
        token_life_s: token_life_s(config),
        friends: FriendLimits {
            friends_max: config.nakama.friends_max,
            notifications_max: config.nakama.notifications_max,
            invites_sent_max: config.pragma.invites_sent_max,
            invites_received_max: config.pragma.invites_received_max,
        },
    }
}

fn start_backups(
    config: &Config,
    data: &Path,
    accounts: &Accounts,
    clock: &Clock,
) -> Result<Backups, StartError> {
    let settings = BackupSettings {
        data: data.to_owned(),
        folder: config.backup.folder(data),
        schedule: config.backup.schedule(),
        program: crate::VERSION.to_owned(),
    };
    Backups::start(settings, accounts.copies(), clock.clone()).map_err(StartError::Backups)
}

fn make_folder(config: &Config) -> Result<PathBuf, StartError> {
    let path = config.server.data.clone();
    let restoring = path.join(backup::RESTORING);
    if restoring.exists() {
        return Err(StartError::Restoring(restoring));
    }
    match fs::create_dir_all(&path) {
        Ok(()) => Ok(path),
        Err(source) => Err(StartError::Folder { path, source }),
    }
}

/// The secrets, and whether they were made now.
fn open_secrets(
    config: &Config,
    data: &Path,
    dice: &Dice,
) -> Result<(Secrets, bool), SecretsError> {
    let signing = config.pragma.signing;
    Secrets::open(data, dice, |_| {
        let pem = signing::generate(signing).map(|pem| pem.to_string());
        pem.map_err(|error| SecretsError::KeyGeneration(error.to_string()))
    })
}

/// With `--dev` the key every sample uses; otherwise the secret one, which must not be that.
fn server_key(config: &Config, secrets: &Secrets) -> Result<Zeroizing<String>, StartError> {
    if config.dev {
        return Ok(Zeroizing::new(DEV_SERVER_KEY.to_owned()));
    }
    if secrets.server_key == DEV_SERVER_KEY {
        return Err(SecretsError::WellKnownKey.into());
    }
    Ok(Zeroizing::new(secrets.server_key.clone()))
}

struct Keys {
    tickets: TicketKeys,
    nakama: NakamaKeys,
    player: Arc<PlayerKeys>,
}

impl Keys {
    fn read(config: &Config, secrets: &Secrets) -> Result<Self, StartError> {
        let bytes = |name: &str, text: &str| {
            key_bytes(text)
                .ok_or_else(|| StartError::Key(format!("{name} is not 32 bytes in base64url")))
        };
        let previous = secrets.previous_ticket_key.as_deref();
        let previous = previous.map(|key| bytes("previous_ticket_key", key)).transpose()?;
        let tickets = TicketKeys::new(bytes("ticket_key", &secrets.ticket_key)?, previous);
        let before = |name: &str, key: &Option<String>| {
            key.as_deref().map(|key| bytes(name, key)).transpose()
        };
        let access = before("previous_nakama_access_key", &secrets.previous_nakama_access_key)?;
        let refresh = before("previous_nakama_refresh_key", &secrets.previous_nakama_refresh_key)?;
        let nakama = NakamaKeys::rotated(
            (
                &bytes("nakama_access_key", &secrets.nakama_access_key)?,
                access.as_ref().map(<[u8; 32]>::as_slice),
            ),
            (
                &bytes("nakama_refresh_key", &secrets.nakama_refresh_key)?,
                refresh.as_ref().map(<[u8; 32]>::as_slice),
            ),
        )
        .map_err(|error| StartError::Key(error.to_string()))?;
        let previous: Vec<_> = secrets.previous_player_keys.iter().map(String::as_str).collect();
        let player = PlayerKeys::new(config.pragma.signing, &secrets.player_signing_key, &previous)
            .map_err(|error| StartError::Key(format!("player_signing_key: {error}")))?;
        Ok(Self { tickets, nakama, player: Arc::new(player) })
    }
}

/// The longest life of any token: how long a revocation has to be remembered.
fn token_life_s(config: &Config) -> u64 {
    let nakama = config.nakama.refresh_expiry_s.max(config.nakama.token_expiry_s);
    let pragma = config.pragma.player_token_min.max(config.pragma.operator_token_min);
    nakama.max(pragma * 60)
}

async fn open_line(
    config: &Config,
    clock: Clock,
    dice: &Dice,
    (identity_key, first_run): (&[u8; 32], bool),
    accounts: &Accounts,
    audit: &Audit,
) -> Result<(Line, login_queue::Stopped), StartError> {
    let (identity_key, _) = identity_key.split_first_chunk().unwrap_or((&[0; 16], &[]));
    let seeds = LineSeeds {
        epoch: u32::from_le_bytes(dice.bytes()),
        identity_key: *identity_key,
        kept: !first_run,
        dice: dice.clone(),
    };
    let redeemed: Vec<_> = accounts
        .redeemed()
        .await?
        .into_iter()
        .map(|(pass, account)| Redeemed {
            epoch: pass.epoch,
            number: Number(pass.number),
            player: Player(account.0.as_u128()),
        })
        .collect();
    Ok(Line::open(config, &config.server.data, clock, &seeds, &redeemed, audit)?)
}

/// Turns the line to what the settings say, and fetches the beacon's value when a lottery needs it.
async fn steer(config: &Config, line: &Line, audit: &Audit) -> Result<Steering, StartError> {
    // The settings file is the word on rate, cap, pause and opening; the snapshot only remembers.
    let steering = Steering::new(line.clone(), audit.clone());
    steering.apply(&config.queue).await?;
    let beacon = Beacon::new(&config.identity)?;
    if !config.queue.opening.beacon_url.is_empty() {
        beacon.check(&config.queue.opening.beacon_url)?;
    }
    actix_rt::spawn(super::beacon::run(line.clone(), beacon));
    Ok(steering)
}

fn identity_key(secrets: &Secrets) -> Result<[u8; 32], StartError> {
    let wrong = || StartError::Key("identity_key is not 32 bytes in base64url".to_owned());
    key_bytes(&secrets.identity_key).ok_or_else(wrong)
}

/// `test01` to `test20`, who only exist in development.
async fn seed_test_accounts(config: &Config, accounts: &Accounts) {
    if !config.dev {
        return;
    }
    let seeds = (1..=DEV_ACCOUNTS).map(|n| {
        let name = format!("test{n:02}");
        let new = NewAccount { username: Some(name.clone()), ..NewAccount::default() };
        let link = Link { kind: LinkKind::Unsafe, id: name.clone() };
        accounts.sign_in(SignIn {
            pragma: Some(PragmaSignIn { shard: None, display_name: name, shown: None }),
            ..SignIn::by(link, Some(new))
        })
    });
    for result in futures_util::future::join_all(seeds).await {
        if let Err(error) = result {
            tracing::warn!(%error, "a test account was not made");
        }
    }
}

fn socket_door(line: &Line, board: &Board, clock: &Clock, accounts: &Accounts) -> SessionDoor {
    let revocations = accounts.revocations().clone();
    let door = SessionDoor::new(DoorParts {
        slots: Arc::new(LineSlots(line.clone())),
        board: board.clone(),
        clock: clock.clone(),
        is_revoked: Arc::new(move |account, token, issued_at_us| {
            revocations.is_revoked(account, token, false, issued_at_us)
        }),
    });
    // Players hear on their sockets what became of their lists.
    let sockets = door.clone();
    accounts.on_lists(move |news| sockets.tell_list(news));
    door
}

/// The line's ledger, as sockets see it.
struct LineSlots(Line);

impl Slots for LineSlots {
    fn connect(
        &self,
        player: Player,
    ) -> LocalBoxFuture<'static, Result<Result<(), NoSlotFor>, CallError>> {
        let line = self.0.clone();
        async move {
            let connected = line.connect(player).await?;
            Ok(connected.map_err(|full| NoSlotFor {
                retry_after_s: full.retry_after_ms.div_ceil(1_000).max(1),
            }))
        }
        .boxed_local()
    }

    fn disconnect(&self, player: Player, departure: Departure) {
        self.0.disconnect(player, departure);
    }
}
