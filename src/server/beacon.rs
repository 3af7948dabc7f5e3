//! Fetches the beacon's value for a lottery whose entrants are fixed, until it is there.

use std::time::Duration;

use crate::actors::Line;
use crate::actors::login_queue::Notice;
use crate::identity::Beacon;

/// Time between two attempts: at first, and at most.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(15);

/// Waits for lotteries that need a value. Ends when the line has stopped.
pub(super) async fn run(line: Line, beacon: Beacon) {
    let mut opening = line.opening();
    let mut pause = RETRY_MIN;
    loop {
        let notice = opening.borrow_and_update().clone();
        let done = attempt(&line, &beacon, &notice).await;
        let retry = async {
            if done {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(pause).await;
        };
        tokio::select! {
            () = retry => pause = (pause * 2).min(RETRY_MAX),
            changed = opening.changed() => {
                if changed.is_err() {
                    return;
                }
                pause = RETRY_MIN;
            }
        }
    }
}

/// Whether nothing is to be done until the opening has changed.
async fn attempt(line: &Line, beacon: &Beacon, notice: &Notice) -> bool {
    let Some(id) = notice.awaits_beacon() else { return true };
    match beacon.fetch(&notice.beacon_url).await {
        Ok(seed) => {
            tracing::info!(lottery = %id, "the beacon's value is there");
            // A line that takes no message now is told again.
            line.public_seed(id.clone(), seed).is_ok()
        }
        Err(why) => {
            tracing::warn!(lottery = %id, why, "no value of the beacon yet: the doors stay closed");
            false
        }
    }
}
