//! `anteroom operators`: a way back in when nobody can sign in to the console any more. Whoever can read
//! the server's folder could do anything to it, so this needs no other right; it is on record.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{ServeArgs, UNUSABLE, fail, say};
use crate::actors::Audit;
use crate::actors::audit::NotTaken;
use crate::clock::Clock;
use crate::config::secrets::{Secrets, SecretsError, key_bytes};
use crate::config::{Config, load};
use crate::domain::account::office::{self, OfficeSeen};
use crate::domain::account::{Account, OfficeAsk, OfficeRefusal, Refusal};
use crate::domain::audit::{What, Who};
use crate::domain::operator::{Invitation, Invited, OperatorAsk, OperatorRefusal};
use crate::domain::realm::{ADMIN, ADMIN_NAME, Realm};
use crate::ids::Dice;
use crate::store::audit::AuditFileError;
use crate::store::sled::{Options, SledStore, sync_data};
use crate::store::{Reads, Store as _, StoreError};

/// Who the invitation is for, as the page *Operators* lists it.
const LABEL: &str = "from the command line";

/// What to do about operators.
#[derive(Clone, Debug, Subcommand)]
pub enum OperatorsCommand {
    /// Invite somebody, when nobody can sign in to do it; the server must not run
    Invite(InviteArgs),
}

/// To what, of which server.
#[derive(Clone, Debug, Args)]
pub struct InviteArgs {
    /// The role that comes with it, by its name
    #[arg(long, value_name = "NAME", default_value = ADMIN_NAME)]
    role: String,
    #[command(flatten)]
    server: ServeArgs,
}

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
enum InviteError {
    /// No data, or of no server that ever ran.
    #[error("{0}: there is no server's data here")]
    NoData(String),
    /// A server runs.
    #[error(
        "a server runs on this folder: invite on the console's page Operators, or stop it first"
    )]
    Running,
    /// Nobody to invite in the name of.
    #[error("nobody is an administrator: start the server, and it prints a setup code")]
    NoAdmin,
    /// No such role.
    #[error("there is no role {0}: there are {1}")]
    NoRole(String, String),
    /// Every administrator has as many out as may be.
    #[error("too many invitations are out: wait until one is over, 24 hours at most")]
    TooMany,
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A key of the secrets, or the dice.
    #[error("{0}")]
    Machine(String),
    /// The store.
    #[error("accounts: {0}")]
    Store(#[from] StoreError),
    /// The audit chain.
    #[error(transparent)]
    Audit(#[from] AuditFileError),
    /// It takes no record.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
}

pub(super) fn run(command: &OperatorsCommand) -> ExitCode {
    let OperatorsCommand::Invite(args) = command;
    let config = match load(&args.server.clone().into()) {
        Ok(config) => config,
        Err(error) => return fail(&error, UNUSABLE),
    };
    match invite(&config, &args.role) {
        Ok(code) => {
            say(&format!(
                "an invitation as {}, good once and for 24 hours; start the server and open\n  \
                 {}/#/sign-in/invited?code={code}\n\
                 It wants an e-mail address that no operator has yet. Remove who is locked out on the \
                 page Operators.",
                args.role,
                config.operators_url()
            ));
            ExitCode::SUCCESS
        }
        Err(InviteError::Store(StoreError::Locked)) => fail(&InviteError::Running, 1),
        Err(error) => fail(&error, 1),
    }
}

/// The code of a new invitation.
fn invite(config: &Config, role: &str) -> Result<String, InviteError> {
    let data = &config.server.data;
    let accounts = data.join("accounts");
    if !accounts.exists() {
        return Err(InviteError::NoData(data.display().to_string()));
    }
    if crate::store::sled::is_in_use(&accounts).unwrap_or(false) {
        return Err(InviteError::Running);
    }
    let dice = Dice::machine().map_err(|error| InviteError::Machine(error.to_string()))?;
    let options = Options { cache_mib: config.store.cache_mib, salt: [0; 32], sync: sync_data() };
    let mut store = Box::new(SledStore::open(&accounts, &options)?);
    let done = write(&mut store, data, role, &dice);
    let closed = store.close();
    let code = done?;
    closed?;
    Ok(code)
}

fn write(
    store: &mut SledStore,
    data: &Path,
    role: &str,
    dice: &Dice,
) -> Result<String, InviteError> {
    let realm = store.reads().realm()?;
    let role = role_named(role, &realm)?;
    let (clock, fresh) = (Clock::machine(), dice.uuid());
    let seen = OfficeSeen { realm: &realm, fresh };
    let mut found = Err(InviteError::NoAdmin);
    for admin in admins(store.reads(), &realm)? {
        let chance = (dice.uuid(), &dice.bytes());
        let now = clock.now();
        let made = Invitation::make(admin.id, LABEL.to_owned(), vec![role], chance, now);
        let Invited { invitation, code } = made;
        let what = What::OperatorInvited {
            invitation: invitation.id.to_string().into(),
            roles: role.to_string().into(),
        };
        let ask = OfficeAsk::Operator(OperatorAsk::Invite(invitation));
        match office::decide(admin, &ask, seen, now) {
            Ok(decided) => {
                found = Ok((decided.change, what, code));
                break;
            }
            Err(refusal) => found = Err(refused(refusal)),
        }
    }
    let (change, what, code) = found?;
    record(data, &clock, what)?;
    store.stage(&change)?;
    store.sync()?;
    Ok(code)
}

/// Administrators, in whose name somebody may be invited to anything.
fn admins(reads: &dyn Reads, realm: &Realm) -> Result<Vec<Account>, StoreError> {
    let found = realm.admins.iter().map(|id| reads.account(*id));
    let found: Result<Vec<_>, _> = found.collect();
    Ok(found?.into_iter().flatten().collect())
}

fn role_named(name: &str, realm: &Realm) -> Result<Uuid, InviteError> {
    if name.eq_ignore_ascii_case(ADMIN_NAME) {
        return Ok(ADMIN);
    }
    let role = realm.roles.iter().find(|role| role.name.eq_ignore_ascii_case(name));
    role.map(|role| role.id).ok_or_else(|| {
        let names = realm.roles.iter().map(|role| role.name.as_str());
        let names: Vec<_> = [ADMIN_NAME].into_iter().chain(names).collect();
        InviteError::NoRole(name.to_owned(), names.join(", "))
    })
}

fn refused(refusal: Refusal) -> InviteError {
    match refusal {
        Refusal::Office(OfficeRefusal::Operator(OperatorRefusal::TooMany)) => InviteError::TooMany,
        other => InviteError::Machine(other.to_string()),
    }
}

/// On the disk when this returns, before anything is done.
fn record(data: &Path, clock: &Clock, what: What) -> Result<(), InviteError> {
    let secrets = Secrets::read(data)?;
    let key = key_bytes(&secrets.identity_key);
    let key = key.ok_or_else(|| InviteError::Machine("secrets: identity_key is none".into()))?;
    let machine = |error: std::io::Error| InviteError::Machine(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(machine)?.block_on(async {
        let (audit, failed) = Audit::open(data, clock.clone(), &key, None)?;
        audit.record(Who::Settings, what)?;
        audit.close().await;
        match failed.await {
            Ok(why) => Err(InviteError::Machine(why)),
            // Dropped: nothing failed.
            Err(_) => Ok(()),
        }
    })
}
