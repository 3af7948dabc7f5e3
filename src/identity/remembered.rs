//! Good answers to tokens that cost a request, for a short while: a player who waits in line brings
//! the same token again and again, and a code can be redeemed only once.
//!
//! Callers who bring the same token at the same time share one request, which goes on when they hang
//! up: its answer is there when they come back. Only good answers are kept. A token is known by its
//! keyed hash.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use tokio::sync::watch;

use super::{IdentityError, Verified};
use crate::clock::Clock;
use crate::domain::account::LinkKind;
use crate::domain::time::UnixMicros;
use crate::ids::Dice;

type Digest = [u8; 32];
type Outcome = Result<Verified, IdentityError>;
type Flight = watch::Receiver<Option<Outcome>>;

/// The memory. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remembered {
    clock: Clock,
    key: Arc<hmac::Key>,
    life_s: u64,
    most: usize,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    known: HashMap<Digest, (UnixMicros, Verified)>,
    /// Oldest first.
    order: VecDeque<(UnixMicros, Digest)>,
    flights: HashMap<Digest, Flight>,
}

impl Remembered {
    /// Answers are kept for `life_s` seconds, at most `most` of them.
    pub fn new(clock: Clock, dice: &Dice, life_s: u64, most: usize) -> Self {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &dice.bytes::<32>()));
        Self { clock, key, life_s, most, memory: Arc::default() }
    }

    /// What is known of this token, or else what `ask` finds out.
    /// `door`: which of the kind's it was brought to (see [`super::Proof`]).
    pub async fn or_ask<F>(&self, kind: LinkKind, door: u8, token: &str, ask: F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let digest = self.digest(kind, door, token);
        let mut flight = match self.join(&digest) {
            Joined::Known(verified) => return Ok(verified),
            Joined::Flight(flight) => flight,
            Joined::TooMany => {
                return Err(IdentityError::Unavailable(kind, "too many tokens at once"));
            }
            Joined::Lead(sender, flight) => {
                let this = self.clone();
                tokio::spawn(async move {
                    let outcome = ask.await;
                    this.land(&digest, &outcome);
                    let _ = sender.send(Some(outcome));
                });
                flight
            }
        };
        let landed =
            flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        landed.unwrap_or(Err(IdentityError::Unavailable(kind, "the request was given up")))
    }

    fn digest(&self, kind: LinkKind, door: u8, token: &str) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[kind.number(), door]);
        context.update(token.as_bytes());
        let mut digest = Digest::default();
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }

    fn join(&self, digest: &Digest) -> Joined {
        let now = self.clock.now();
        let mut memory = self.lock();
        memory.forget_before(now);
        if let Some((_, verified)) = memory.known.get(digest) {
            return Joined::Known(verified.clone());
        }
        // A flight whose task is gone without an answer carries nobody.
        if let Some(flight) = memory.flights.get(digest).filter(|f| f.has_changed().is_ok()) {
            return Joined::Flight(flight.clone());
        }
        if memory.flights.len() >= self.most {
            memory.flights.retain(|_, flight| flight.has_changed().is_ok());
        }
        if memory.flights.len() >= self.most {
            return Joined::TooMany;
        }
        let (sender, flight) = watch::channel(None);
        memory.flights.insert(*digest, flight.clone());
        Joined::Lead(sender, flight)
    }

    fn land(&self, digest: &Digest, outcome: &Outcome) {
        let until = self.clock.now().plus_secs(self.life_s);
        let mut memory = self.lock();
        memory.flights.remove(digest);
        let Ok(verified) = outcome else { return };
        if self.life_s == 0 {
            return;
        }
        while memory.known.len() >= self.most {
            let Some((_, oldest)) = memory.order.pop_front() else { break };
            memory.known.remove(&oldest);
        }
        memory.known.insert(*digest, (until, verified.clone()));
        memory.order.push_back((until, *digest));
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Joined {
    Known(Verified),
    Flight(Flight),
    Lead(watch::Sender<Option<Outcome>>, Flight),
    TooMany,
}

impl Memory {
    fn forget_before(&mut self, now: UnixMicros) {
        while let Some((until, digest)) = self.order.front() {
            if *until > now {
                break;
            }
            self.known.remove(digest);
            self.order.pop_front();
        }
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered")
            .field("known", &self.lock().known.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "remembered_tests.rs"]
mod tests;
