//! Polls and entries, the hot path: what one HTTP worker asks in one turn of its loop goes to the
//! line as one message, and comes back as one.
//!
//! What a call across threads costs is not the work but waking the other thread up, twice. So the
//! first poll of a turn opens a round and spawns a task, which runs behind everything that is ready
//! on this worker; polls until then join the round. With one poll a turn this is one message a
//! poll, as without it.
//!
//! Measured over HTTP with a million waiting (`cargo bench --bench line`, two busy cores), CPU of
//! the server for each request in microseconds: at 64 connections a bare POST 5.6 to 6.2, a message
//! for each poll 10.0, rounds 7.6; at 256 connections 6.0 to 6.6, 12.9 and 8.2; with a single
//! connection, where a round has one poll, 6.6 to 7.0, 18.0 and 21.4.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::ask::{Ask, Question, Said};
use super::{CallError, Line};

thread_local! {
    /// The round that takes questions on this thread, for each line (tests have several).
    static OPEN: RefCell<Vec<(u64, Arc<Round>)>> = const { RefCell::new(Vec::new()) };
}

/// Asks with this turn's round. The caller is counted already.
pub(super) async fn ask(line: &Line, question: Question) -> Result<Said, CallError> {
    if actix::Arbiter::try_current().is_none() {
        // No loop of actix on this thread, so no tasks can be spawned on it.
        return ask_alone(line, question).await;
    }
    let (round, index) = join(line, question);
    poll_fn(|cx| round.poll(index, cx)).await
}

/// Tells something with this turn's round and does not wait for it.
pub(super) fn tell(line: &Line, question: Question) -> Result<(), CallError> {
    if actix::Arbiter::try_current().is_some() {
        join(line, question);
        return Ok(());
    }
    let (reply, _) = tokio::sync::oneshot::channel();
    line.tell(Ask::Round { questions: vec![question], reply })
}

/// The same without a round.
pub(super) async fn ask_alone(line: &Line, question: Question) -> Result<Said, CallError> {
    let questions = vec![question];
    let answers = line.ask(|reply| Ask::Round { questions, reply }).await?;
    answers.into_iter().next().ok_or(CallError::NoAnswer)
}

/// Takes a place in this thread's round, opening one if need be.
fn join(line: &Line, question: Question) -> (Arc<Round>, usize) {
    OPEN.with_borrow_mut(|open| {
        if let Some((_, round)) = open.iter().find(|(id, _)| *id == line.0.id) {
            return (Arc::clone(round), round.add(question));
        }
        let round = Arc::new(Round::default());
        let index = round.add(question);
        open.push((line.0.id, Arc::clone(&round)));
        actix::spawn(send(line.clone(), Arc::clone(&round)));
        (round, index)
    })
}

/// Closes the round, asks, and hands the answers out.
async fn send(line: Line, round: Arc<Round>) {
    let round = Finish(round);
    OPEN.with_borrow_mut(|open| open.retain(|(_, other)| !Arc::ptr_eq(other, &round.0)));
    let questions = std::mem::take(&mut round.0.lock().questions);
    let answer = pin!(line.ask(|reply| Ask::Round { questions, reply })).await;
    round.0.finish(answer);
}

/// Ends the round even if its task is dropped, so that nobody waits for ever.
struct Finish(Arc<Round>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish(Err(CallError::NoAnswer));
    }
}

#[derive(Debug, Default)]
struct Round(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    questions: Vec<Question>,
    wakers: Vec<Option<Waker>>,
    answers: Option<Result<Vec<Option<Said>>, CallError>>,
}

impl Round {
    fn add(&self, question: Question) -> usize {
        let mut desk = self.lock();
        desk.questions.push(question);
        desk.wakers.push(None);
        desk.questions.len() - 1
    }

    fn poll(&self, index: usize, cx: &Context<'_>) -> Poll<Result<Said, CallError>> {
        let mut desk = self.lock();
        match &mut desk.answers {
            Some(Ok(answers)) => {
                let said = answers.get_mut(index).and_then(Option::take);
                Poll::Ready(said.ok_or(CallError::NoAnswer))
            }
            Some(Err(error)) => Poll::Ready(Err(*error)),
            None => {
                if let Some(waker) = desk.wakers.get_mut(index) {
                    *waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// The first answer counts.
    fn finish(&self, answers: Result<Vec<Said>, CallError>) {
        let wakers = {
            let mut desk = self.lock();
            let said = answers.map(|answers| answers.into_iter().map(Some).collect());
            desk.answers.get_or_insert(said);
            std::mem::take(&mut desk.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
