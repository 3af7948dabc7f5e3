//! Measures what is on this machine.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

use crate::clock::{Clock, Stopwatch};
use crate::config::secrets::{DEV_SERVER_KEY, Secrets, SecretsError};
use crate::config::tls::Ports;
use crate::config::{Config, PasswordConfig};
use crate::domain::backup as rules;
use crate::domain::checkup::{self, Finding, Folder};
use crate::ids::Dice;
use crate::signin::Password;
use crate::signin::hashing::HashPool;
use crate::store::sled::{Options, is_in_use, peek, sync_data};
use crate::tls;

/// The server's own backlog of connections.
const BACKLOG: u64 = 4_096;
/// Flushes that are timed.
const FLUSHES: usize = 20;
/// Hashes that are timed.
const HASHES: u64 = 3;

/// Limits, disk, speed.
pub(super) fn machine(config: &Config) -> Vec<Finding> {
    let data = &config.server.data;
    let folder = folder(data);
    let limit = getrlimit(Resource::Nofile).current;
    let allowed = fs::read_to_string("/proc/sys/net/core/somaxconn");
    let allowed = allowed.ok().and_then(|text| text.trim().parse().ok());
    let mut findings = vec![
        checkup::files(limit, config.queue.cap),
        checkup::backlog(allowed, BACKLOG),
        checkup::folder(&folder, &data.display().to_string()),
    ];
    if let Some(place) = nearest(data) {
        if let Ok(free) = rustix::fs::statvfs(&place) {
            let bytes = |blocks: u64| blocks.saturating_mul(free.f_frsize);
            findings.push(checkup::disk(bytes(free.f_bavail), bytes(free.f_blocks)));
        }
        // Where nothing can be written, that is told above.
        findings.extend(flush(&place).ok().map(checkup::flush));
    }
    findings.extend(hashing(&config.passwords, config.queue.rate));
    findings
}

/// The folder, or the nearest above it that is there.
fn nearest(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find(|path| path.is_dir()).map(Path::to_owned)
}

fn folder(data: &Path) -> Folder {
    match fs::metadata(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Folder::Missing {
            can_be_made: nearest(data).is_some_and(|above| try_file(&above).is_ok()),
        },
        Err(error) => Folder::Unusable(error.to_string()),
        Ok(found) if !found.is_dir() => Folder::Unusable("it is no folder".to_owned()),
        Ok(found) => match try_file(data) {
            Ok(_) => Folder::Writable { mode: found.permissions().mode() & 0o777 },
            Err(error) => Folder::Unusable(format!("it cannot be written: {error}")),
        },
    }
}

/// A file that nobody sees for long.
fn try_file(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".anteroom-doctor-{}", std::process::id()));
    let file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// The median time of a small write that is on the disk, in microseconds.
fn flush(folder: &Path) -> io::Result<u64> {
    let mut file = try_file(folder)?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let watch = Stopwatch::start();
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        times.push(watch.elapsed_us());
    }
    times.sort_unstable();
    Ok(times.get(FLUSHES / 2).copied().unwrap_or_default())
}

/// Hashes a few times with the parameters in force.
fn hashing(config: &PasswordConfig, rate: f64) -> Option<Finding> {
    let one = PasswordConfig { threads: 1, ..config.clone() };
    let pool = HashPool::start(&one, Dice::machine().ok()?).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let each_us = runtime.block_on(async {
        let watch = Stopwatch::start();
        for _ in 0..HASHES {
            let password = Password(zeroize::Zeroizing::new("a password to be timed".to_owned()));
            pool.hash(password).await.ok()?;
        }
        Some(watch.elapsed_us() / HASHES)
    })?;
    let threads = match config.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    Some(checkup::hashing(each_us, threads as u64, rate))
}

/// Keys, ports, proxies.
pub(super) fn access(config: &Config) -> Vec<Finding> {
    let server = &config.server;
    let read = Secrets::read(&server.data);
    let missing = |source: &io::Error| source.kind() == io::ErrorKind::NotFound;
    let secrets = match &read {
        Ok(_) => checkup::Secrets::Good,
        Err(SecretsError::File { source, .. }) if missing(source) => checkup::Secrets::Missing,
        Err(error) => checkup::Secrets::Unusable(error.to_string()),
    };
    let mut findings = vec![checkup::secrets(&secrets)];
    if let Ok(secrets) = read.as_ref().map(|secrets| &secrets.server_key) {
        findings.push(checkup::server_key(secrets, DEV_SERVER_KEY));
    }
    findings.push(checkup::operators_port("operators", server.operators_address().ip()));
    findings.push(checkup::operators_port("game servers", server.partners_address().ip()));
    let listens: IpAddr = server.listen.ip();
    let is_behind_one = !config.dev
        && (listens.is_loopback() || config.pragma.public_tls)
        && !config.tls.serves(Ports::Players);
    findings.push(checkup::proxies(&server.trusted_proxies, is_behind_one));
    findings
}

/// The certificate, where there is one.
pub(super) fn certificate(config: &Config, clock: &Clock) -> Option<Finding> {
    config.tls.is_on().then(|| {
        let read = tls::look_at(&config.tls).map_err(|error| error.to_string());
        if let (Err(why), true) = (&read, config.tls.acme.is_on()) {
            let advice = "the server asks the authority for one when it runs";
            return Finding::warning("certificate", why.clone(), advice);
        }
        let key = fs::metadata(&config.tls.key);
        let is_open = key.is_ok_and(|key| key.permissions().mode() & 0o004 != 0);
        checkup::certificate(read, &config.pragma.public_host, is_open, clock.now())
    })
}

/// Data, ports, backups.
pub(super) fn upkeep(config: &Config, clock: &Clock) -> Vec<Finding> {
    let data = &config.server.data;
    let accounts = data.join("accounts");
    let has_accounts = accounts.join("accounts").exists();
    let is_running = is_in_use(&accounts).unwrap_or(false);
    let opened = (!is_running).then(|| {
        if !has_accounts {
            return Ok(0);
        }
        let options =
            Options { cache_mib: config.store.cache_mib, salt: [0; 32], sync: sync_data() };
        peek(&accounts, &options).map_err(|error| error.to_string())
    });
    let taken: Vec<_> = addresses(config).into_iter().filter_map(taken).collect();
    let folder = config.backup.folder(data);
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<_> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let newest = rules::newest(names.iter().map(String::as_str));
    let age_s = newest.map(|at| clock.now().since_us(at) / 1_000_000);
    vec![
        checkup::data(opened),
        checkup::ports(&taken, is_running),
        checkup::backup(age_s, config.backup.every_h, has_accounts),
    ]
}

fn addresses(config: &Config) -> Vec<SocketAddr> {
    let server = &config.server;
    let mut addresses = vec![
        server.listen,
        server.grpc_address(),
        server.operators_address(),
        server.partners_address(),
    ];
    if config.pragma.ports.enabled {
        addresses.extend(config.pragma.ports.each().map(|(_, address)| address));
    }
    addresses
}

/// Why a port cannot be had.
fn taken(address: SocketAddr) -> Option<(String, String)> {
    TcpListener::bind(address).err().map(|error| (address.to_string(), error.to_string()))
}
