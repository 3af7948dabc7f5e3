//! How the one who runs the process learns that the line has stopped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

/// Why the line has stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was closed, or nobody held a handle to it any more.
    Closed,
    /// It failed, with what was asked last perhaps done and perhaps not: the process must stop and
    /// start again from what is on disk.
    Failed(String),
}

/// Resolves when the line has stopped. Whoever opened the line must wait for it and end the process
/// on [`Ended::Failed`].
#[derive(Debug)]
pub struct Stopped(oneshot::Receiver<Ended>);

impl Future for Stopped {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let gone = || Ended::Failed("the thread of the login queue is gone".into());
        Pin::new(&mut self.0).poll(cx).map(|ended| ended.unwrap_or_else(|_| gone()))
    }
}

/// The other end, kept by the actor: says at the latest when dropped.
#[derive(Debug)]
pub(super) struct Farewell(Option<oneshot::Sender<Ended>>);

/// A pair of the two ends.
pub(super) fn pair() -> (Farewell, Stopped) {
    let (sender, receiver) = oneshot::channel();
    (Farewell(Some(sender)), Stopped(receiver))
}

impl Farewell {
    /// Says why, once.
    pub(super) fn say(&mut self, ended: Ended) {
        if let Some(sender) = self.0.take() {
            // Nobody may be listening.
            let _ = sender.send(ended);
        }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.say(if std::thread::panicking() {
            Ended::Failed("the login queue panicked: this is a bug, please report it".into())
        } else {
            Ended::Closed
        });
    }
}
