//! What goes through the HTTP workers: connections, answers, and how late their loops are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::Stopwatch;

/// How often a worker looks whether its loop is late.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Whose port a connection is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// Players', but for gRPC.
    Players,
    /// Operators'.
    Operators,
    /// Game servers'.
    Partners,
    /// Pragma's own ports.
    Pragma,
}

impl PortKind {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::Players, Self::Operators, Self::Partners, Self::Pragma];

    /// The word for operators.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Players => "players",
            Self::Operators => "operators",
            Self::Partners => "partners",
            Self::Pragma => "pragma",
        }
    }
}

/// The counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    connections: [AtomicUsize; PortKind::ALL.len()],
    answers: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    lag_us: AtomicU64,
}

/// Answers since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// All.
    pub all: u64,
    /// Those with a status of 400 to 499.
    pub client_errors: u64,
    /// Those with a status of 500 and more.
    pub server_errors: u64,
}

/// One open connection; counted until it is dropped.
#[derive(Debug)]
pub struct Connection(Traffic, PortKind);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.0.connections[self.1 as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

impl Traffic {
    /// A connection is open.
    pub fn connected(&self, port: PortKind) -> Connection {
        self.0.connections[port as usize].fetch_add(1, Ordering::Relaxed);
        Connection(self.clone(), port)
    }

    /// A request was answered with this status.
    pub fn answered(&self, status: u16) {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
        match status {
            400..500 => self.0.client_errors.fetch_add(1, Ordering::Relaxed),
            500.. => self.0.server_errors.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }

    /// Open connections by port, in the order of [`PortKind::ALL`].
    pub fn connections(&self) -> [usize; PortKind::ALL.len()] {
        self.0.connections.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Answers since the start.
    pub fn answers(&self) -> Answers {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Answers {
            all: get(&self.0.answers),
            client_errors: get(&self.0.client_errors),
            server_errors: get(&self.0.server_errors),
        }
    }

    /// How late a loop was at most since this was asked last, in microseconds.
    pub fn take_lag_us(&self) -> u64 {
        self.0.lag_us.swap(0, Ordering::Relaxed)
    }

    /// Watches the loop it runs on, for as long as that runs.
    pub async fn watch_loop(self) {
        let every_us = u64::try_from(LOOK_EVERY.as_micros()).unwrap_or(u64::MAX);
        loop {
            let slept = Stopwatch::start();
            tokio::time::sleep(LOOK_EVERY).await;
            let late_us = slept.elapsed_us().saturating_sub(every_us);
            self.0.lag_us.fetch_max(late_us, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_while_they_are_open_and_answers_by_what_they_say() {
        let traffic = Traffic::default();
        let (one, two) =
            (traffic.connected(PortKind::Players), traffic.connected(PortKind::Pragma));
        assert_eq!(traffic.connections(), [1, 0, 0, 1]);
        drop(one);
        assert_eq!(traffic.connections(), [0, 0, 0, 1]);
        drop(two);
        for status in [200, 304, 404, 429, 500, 503] {
            traffic.answered(status);
        }
        let answers = Answers { all: 6, client_errors: 2, server_errors: 2 };
        assert_eq!((traffic.connections(), traffic.answers()), ([0; 4], answers));
    }
}
