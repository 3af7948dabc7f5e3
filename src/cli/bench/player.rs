//! One player, from arrival to leaving.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::cast::{Door, Part};
use super::nakama;
use super::pragma;
use super::score::micros;
use super::socket;
use super::stage::{In, Stage};
use super::tally::{Admission, Guess, Micros, Wait};

/// How often a player tries again after a fault before they go home.
const TRIES: u32 = 5;
/// How long they wait before that, in milliseconds.
const AGAIN_MS: u64 = 1_000;

/// What a player is told who asks to come in.
pub(super) enum Let<T> {
    /// Come in, with this.
    In { with: T, number: Option<u64>, second: Option<u64> },
    /// Wait.
    Wait(Queued),
}

/// What somebody in line is told.
pub(super) struct Queued {
    pub(super) ticket: Option<String>,
    pub(super) number: Option<u64>,
    pub(super) eta_ms: Option<u64>,
    pub(super) poll_after_ms: u64,
}

/// Plays a part.
pub(super) async fn play(stage: Rc<Stage>, part: Part) {
    if stage.pause(part.comes).await {
        return;
    }
    stage.scene.arrived.fetch_add(1, Ordering::Relaxed);
    if let Some(token) = stand_in_line(&stage, &part).await
        && let Err(words) = be_online(&stage, &part, &token).await
    {
        stage.went_wrong(words);
        stage.tally.borrow_mut().failed += 1;
    }
    stage.scene.done.fetch_add(1, Ordering::Relaxed);
}

/// Asks to come in until they may, or do not want to any more. Gives a pass or a session token.
async fn stand_in_line(stage: &Stage, part: &Part) -> Option<String> {
    let _waiting = In::new(&stage.scene.waiting);
    let gives_up = part
        .patience
        .map_or(Micros::MAX, |patience| stage.now().saturating_add(micros(patience.as_secs_f64())));
    let mut ticket = None;
    let mut told: Vec<(Micros, Micros)> = Vec::new();
    let mut faults = 0;
    loop {
        let asked = stage.now();
        let pause_ms = match knock(stage, part, ticket.as_deref()).await {
            Ok(Let::In { with, number, second }) => {
                admitted(stage, &told, number, second);
                return Some(with);
            }
            Ok(Let::Wait(queued)) => {
                let now = stage.now();
                if let Some(number) = queued.number {
                    stage.tally.borrow_mut().waits.push(Wait { asked, number });
                }
                let login_ms = stage.login_ms;
                told.extend(queued.eta_ms.map(|ms| (now, ms.saturating_sub(login_ms) * 1_000)));
                ticket = queued.ticket.or(ticket);
                queued.poll_after_ms
            }
            Err(words) => {
                stage.went_wrong(words);
                faults += 1;
                if faults == TRIES {
                    stage.tally.borrow_mut().failed += 1;
                    return None;
                }
                AGAIN_MS
            }
        };
        let now = stage.now();
        let pause = (pause_ms * 1_000).min(gives_up.saturating_sub(now));
        if stage.pause(Duration::from_micros(pause)).await {
            stage.tally.borrow_mut().left_over += 1;
            return None;
        }
        if stage.now() >= gives_up {
            stage.tally.borrow_mut().gave_up += 1;
            return None;
        }
    }
}

async fn knock(stage: &Stage, part: &Part, ticket: Option<&str>) -> Result<Let<String>, String> {
    match part.door {
        Door::Pragma => pragma::queue(stage, ticket).await,
        Door::Device => nakama::sign_in(stage, &part.name, false).await,
        Door::Email => nakama::sign_in(stage, &part.name, true).await,
    }
}

/// Notes an admission, and how good the estimates were that came before it.
fn admitted(stage: &Stage, told: &[(Micros, Micros)], number: Option<u64>, second: Option<u64>) {
    stage.scene.admitted.fetch_add(1, Ordering::Relaxed);
    let heard = stage.now();
    let mut tally = stage.tally.borrow_mut();
    tally.admissions.push(Admission { heard, number, second });
    let guesses = told.iter().map(|&(told, said)| Guess { told, said, took: heard - told });
    tally.guesses.extend(guesses);
}

async fn be_online(stage: &Stage, part: &Part, token: &str) -> Result<(), String> {
    let online = match part.door {
        Door::Pragma => {
            let (social, game) = pragma::sign_in(stage, &part.name, token).await?;
            socket::pragma(stage, &social, &game, part.stays).await?
        }
        Door::Device | Door::Email => socket::nakama(stage, token, part.stays).await?,
    };
    stage.tally.borrow_mut().online.push(online);
    Ok(())
}
