//! The thread that flushes, so that the registry goes on deciding meanwhile.

use std::sync::mpsc;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::store::{Commit, Store, StoreError};

/// What the thread is asked for, one after the other.
pub enum Job {
    /// Run a commit; answers with how long it took, in microseconds.
    Commit(Box<dyn Commit>, oneshot::Sender<Result<u64, StoreError>>),
    /// Close the store, which waits for its files to be free.
    Close(Box<dyn Store>, oneshot::Sender<Result<(), StoreError>>),
}

/// Starts the thread. It ends when the sender is dropped. A panic in the store drops the job's
/// answer, which tells the registry.
pub fn start(clock: Clock) -> Result<mpsc::Sender<Job>, StoreError> {
    let (sender, jobs) = mpsc::channel();
    let run = move || {
        for job in jobs {
            match job {
                Job::Commit(commit, done) => {
                    let started = clock.now();
                    let result = commit.run();
                    let took = clock.now().since_us(started);
                    let _ = done.send(result.map(|()| took));
                }
                Job::Close(store, done) => {
                    let _ = done.send(store.close());
                }
            }
        }
    };
    std::thread::Builder::new()
        .name("commits".into())
        .spawn(run)
        .map_err(|error| StoreError::failed("start the thread that commits", error))?;
    Ok(sender)
}
