//! The hashing pool: a few threads of low priority, a bounded queue before them.
//!
//! One hash takes about 16 ms of a core. On an HTTP worker that starves everybody else (measured:
//! 85,000 requests a second fall to 235); on threads of its own at nice 10 the rest keeps 94 %.
//! What does not fit into the queue is refused at once with a time to come back.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{mpsc, oneshot};

use super::Password;
use crate::config::PasswordConfig;
use crate::domain::account::passwords;
use crate::ids::Dice;
use crate::observe::trace;

/// Lowered so that hashing yields to answering; see the head of this file.
const NICENESS: i32 = 10;

/// Hashes and checks passwords on its own threads. Cheap to clone.
#[derive(Clone)]
pub struct HashPool(Arc<Pool>);

struct Pool {
    jobs: mpsc::Sender<Work>,
    dice: Dice,
    hasher: Hasher,
    threads: usize,
    figures: HashFigures,
    /// A hash of nothing anybody knows, checked for unknown accounts so that they take as long.
    decoy: String,
}

/// What the pool has done, for metrics.
#[derive(Debug, Default)]
pub struct HashFigures {
    /// Jobs waiting or being worked on.
    pub pending: AtomicUsize,
    /// Jobs finished.
    pub done: AtomicU64,
    /// Jobs refused because the queue was full.
    pub refused: AtomicU64,
    /// CPU-bound time of the last finished job, in microseconds.
    pub last_us: AtomicU64,
}

/// The pool is full, or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed; come back in {retry_after_s} s")]
pub struct PoolFull {
    /// When there should be room again, in seconds.
    pub retry_after_s: u32,
}

/// What a check of a password said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Right; the hash is up to date.
    Right,
    /// Right; the hash was made with other parameters than the ones in force.
    RightButOld,
    /// Wrong.
    Wrong,
}

enum Work {
    Hash(Password, oneshot::Sender<String>),
    Check(Password, String, oneshot::Sender<Verdict>),
}

#[derive(Clone)]
struct Hasher {
    params: Params,
}

impl Hasher {
    fn engine(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }

    fn hash(&self, password: &[u8], salt: &[u8], memory: &mut Memory) -> Option<String> {
        let salt = Salt::new(salt).ok()?;
        let output = derive(&self.engine(), password, &salt, memory)?;
        self.written(salt, output)
    }

    /// A hash of no password, which takes as long to check as any. Nothing is hashed for it.
    fn decoy(&self, dice: &Dice) -> Option<String> {
        let salt = Salt::new(&dice.bytes::<16>()).ok()?;
        self.written(salt, Output::new(&dice.bytes::<{ Params::DEFAULT_OUTPUT_LEN }>()).ok()?)
    }

    fn written(&self, salt: Salt, output: Output) -> Option<String> {
        Some(
            PasswordHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&self.params).ok()?,
                hash: Some(output),
                salt: Some(salt),
            }
            .to_string(),
        )
    }

    /// A hash of bcrypt, as an import brings it, is right and old: it is hashed anew at the first sign-in.
    /// A stored text that is no hash counts as wrong: it can't be anybody's password.
    fn check(&self, password: &[u8], stored: &str, memory: &mut Memory) -> Verdict {
        if let Some(cost) = passwords::bcrypt_cost(stored) {
            let is_right = cost <= passwords::BCRYPT_COST_MAX
                && bcrypt::verify(password, stored).unwrap_or(false);
            return if is_right { Verdict::RightButOld } else { Verdict::Wrong };
        }
        match made_with(password, stored, memory) {
            Some(params)
                if params.m_cost() == self.params.m_cost()
                    && params.t_cost() == self.params.t_cost()
                    && params.p_cost() == self.params.p_cost() =>
            {
                Verdict::Right
            }
            Some(_) => Verdict::RightButOld,
            None => Verdict::Wrong,
        }
    }
}

/// What one thread hashes in, kept from job to job: left to the allocator, a flood of sign-ins was
/// seen to hold fourteen times as much as two threads need.
type Memory = Vec<Block>;

/// The parameters a stored hash was made with, if the password is right. The comparison is
/// constant-time (`Output`).
fn made_with(password: &[u8], stored: &str, memory: &mut Memory) -> Option<Params> {
    let hash = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let engine = Argon2::new(algorithm, version, params.clone());
    let derived = derive(&engine, password, &hash.salt?, memory)?;
    (Some(derived) == hash.hash).then_some(params)
}

fn derive(
    engine: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    memory: &mut Memory,
) -> Option<Output> {
    let params = engine.params();
    memory.resize(memory.len().max(params.block_count()), Block::default());
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))?;
    engine.hash_password_into_with_memory(password, salt, output, memory.as_mut_slice()).ok()?;
    Output::new(output).ok()
}

/// The pool could not be started.
#[derive(Debug, thiserror::Error)]
pub enum HashPoolError {
    /// argon2 does not take these parameters.
    #[error("passwords: {0}")]
    Parameters(String),
    /// No thread could be started.
    #[error("passwords: cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl HashPool {
    /// Starts the pool's threads.
    ///
    /// # Errors
    ///
    /// Parameters that argon2 refuses, or no threads to be had.
    pub fn start(config: &PasswordConfig, dice: Dice) -> Result<Self, HashPoolError> {
        let params = Params::new(config.memory_kib, config.iterations, 1, None)
            .map_err(|error| HashPoolError::Parameters(error.to_string()))?;
        let hasher = Hasher { params };
        let decoy = hasher
            .decoy(&dice)
            .ok_or_else(|| HashPoolError::Parameters("no hash can be written".to_owned()))?;
        let threads = match config.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let (jobs, queue) = mpsc::channel(config.queue_max);
        let figures = HashFigures::default();
        let pool = Arc::new(Pool { jobs, dice, hasher, threads, figures, decoy });
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..threads {
            let (queue, pool) = (Arc::clone(&queue), Arc::downgrade(&pool));
            std::thread::Builder::new()
                .name(format!("hash-{n}"))
                .spawn(move || work(&queue, &pool))?;
        }
        Ok(Self(pool))
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    ///
    /// [`PoolFull`]; nothing was hashed.
    pub async fn hash(&self, password: Password) -> Result<String, PoolFull> {
        let (answer, hash) = oneshot::channel();
        self.submit(Work::Hash(password, answer))?;
        trace::step("hash password", hash).await.map_err(|_| self.full())
    }

    /// Checks a password against a stored hash; `None` stands for an account that does not exist
    /// or has no password: it takes as long and is wrong.
    ///
    /// # Errors
    ///
    /// [`PoolFull`]; nothing was checked.
    pub async fn check(
        &self,
        password: Password,
        stored: Option<&str>,
    ) -> Result<Verdict, PoolFull> {
        let against = stored.unwrap_or(&self.0.decoy).to_owned();
        let (answer, verdict) = oneshot::channel();
        self.submit(Work::Check(password, against, answer))?;
        let verdict = trace::step("check password", verdict).await.map_err(|_| self.full())?;
        Ok(if stored.is_some() { verdict } else { Verdict::Wrong })
    }

    /// What the pool has done.
    pub fn figures(&self) -> &HashFigures {
        &self.0.figures
    }

    /// Passwords that wait for a thread, and how many may.
    pub fn backlog(&self) -> (usize, usize) {
        let size = self.0.jobs.max_capacity();
        (size - self.0.jobs.capacity(), size)
    }

    fn submit(&self, work: Work) -> Result<(), PoolFull> {
        self.0.figures.pending.fetch_add(1, Ordering::Relaxed);
        self.0.jobs.try_send(work).map_err(|_| {
            self.0.figures.pending.fetch_sub(1, Ordering::Relaxed);
            self.0.figures.refused.fetch_add(1, Ordering::Relaxed);
            self.full()
        })
    }

    /// How long the queue takes to empty, rounded up.
    fn full(&self) -> PoolFull {
        let figures = &self.0.figures;
        let pending = figures.pending.load(Ordering::Relaxed) as u64;
        let each_us = figures.last_us.load(Ordering::Relaxed).max(20_000);
        let wait_us = pending * each_us / self.0.threads as u64;
        PoolFull { retry_after_s: u32::try_from(wait_us / 1_000_000 + 1).unwrap_or(u32::MAX) }
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Work>>, pool: &std::sync::Weak<Pool>) {
    // Not being allowed to step back costs others time, never correctness.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    let mut memory = Memory::new();
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let (Some(work), Some(pool)) = (job, pool.upgrade()) else { return };
        let started = stopwatch();
        let answer = run(&pool, work, &mut memory);
        let us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        pool.figures.last_us.store(us, Ordering::Relaxed);
        pool.figures.done.fetch_add(1, Ordering::Relaxed);
        pool.figures.pending.fetch_sub(1, Ordering::Relaxed);
        answer();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a hash took; decides nothing but a hint"
)]
fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// Does one job and gives back how to answer. Whoever asked may have gone: then the answer goes
/// nowhere.
fn run(pool: &Pool, work: Work, memory: &mut Memory) -> Box<dyn FnOnce()> {
    match work {
        Work::Hash(password, answer) => {
            let salt = pool.dice.bytes::<16>();
            let hash = pool.hasher.hash(password.0.as_bytes(), &salt, memory);
            Box::new(move || drop(hash.map(|hash| answer.send(hash))))
        }
        Work::Check(password, stored, answer) => {
            let verdict = pool.hasher.check(password.0.as_bytes(), &stored, memory);
            Box::new(move || drop(answer.send(verdict)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> PasswordConfig {
        PasswordConfig { memory_kib: 8_192, iterations: 1, threads: 1, ..PasswordConfig::default() }
    }

    fn password(text: &str) -> Password {
        Password(zeroize::Zeroizing::new(text.to_owned()))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn right_wrong_and_nobody() {
        let pool = HashPool::start(&config(), Dice::seeded(1)).unwrap();
        let hash = pool.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8192,t=1,p=1$"), "{hash}");
        let check = |text, stored| pool.check(password(text), stored);
        assert_eq!(check("correct horse", Some(&hash)).await, Ok(Verdict::Right));
        assert_eq!(check("battery staple", Some(&hash)).await, Ok(Verdict::Wrong));
        assert_eq!(check("correct horse", None).await, Ok(Verdict::Wrong));
        assert_eq!(check("x", Some("not a hash")).await, Ok(Verdict::Wrong));
        // Whoever is unknown waits for a whole hash: what is checked for them is one, of this cost.
        let (decoy, mut memory) = (&pool.0.decoy, Memory::new());
        assert_eq!((&decoy[..30], decoy.len()), (&hash[..30], hash.len()));
        assert!(made_with(b"x", decoy, &mut memory).is_none());
        assert!(memory.len() >= 8_192, "it was derived");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_hash_with_other_parameters_is_recognised() {
        let old = HashPool::start(&config(), Dice::seeded(1)).unwrap();
        let hash = old.hash(password("correct horse")).await.unwrap();
        let stronger = PasswordConfig { iterations: 2, ..config() };
        let new = HashPool::start(&stronger, Dice::seeded(2)).unwrap();
        let verdict = new.check(password("correct horse"), Some(&hash)).await;
        assert_eq!(verdict, Ok(Verdict::RightButOld));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_hash_of_bcrypt_is_right_and_old_and_one_too_dear_is_not_checked() {
        let pool = HashPool::start(&config(), Dice::seeded(1)).unwrap();
        let hash = bcrypt::hash("correct horse", 4).unwrap();
        let check = |text, stored| pool.check(password(text), stored);
        assert_eq!(check("correct horse", Some(&hash)).await, Ok(Verdict::RightButOld));
        assert_eq!(check("battery staple", Some(&hash)).await, Ok(Verdict::Wrong));
        let dear = hash.replacen("$04$", "$31$", 1);
        assert_eq!(check("correct horse", Some(&dear)).await, Ok(Verdict::Wrong));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_full_queue_refuses_at_once_and_says_when() {
        let small = PasswordConfig { queue_max: 1, ..config() };
        let pool = HashPool::start(&small, Dice::seeded(1)).unwrap();
        let asked = (0..50).map(|_| pool.hash(password("correct horse")));
        let answers = futures_util::future::join_all(asked).await;
        let refused = answers.iter().filter(|answer| answer.is_err()).count();
        assert!(refused >= 40, "{refused} of 50 refused");
        assert!(answers.iter().any(Result::is_ok));
        assert!(matches!(answers.last(), Some(Err(full)) if full.retry_after_s >= 1));
        assert_eq!(pool.figures().pending.load(Ordering::Relaxed), 0);
    }
}
