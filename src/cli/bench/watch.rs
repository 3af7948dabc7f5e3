//! Looks at the server while the players play: its count of admissions, its CPU and memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use awc::Client;

use super::process::{Process, Usage};
use super::progress::Bars;
use super::score::Reading;
use super::stage::Scene;
use super::tally::{Micros, Tally};
use crate::clock::Clock;

/// How often the server is looked at.
const STEP: Duration = Duration::from_millis(100);
/// Readings that may fail in a row before nobody asks any more.
const FAULTS: u32 = 3;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) readings: Vec<Reading>,
    pub(super) first: Option<Usage>,
    pub(super) last: Option<Usage>,
    pub(super) most_rss: u64,
}

/// Who watches what.
pub(super) struct Watch {
    pub(super) client: Client,
    /// Address of the server's metrics.
    pub(super) metrics: String,
    pub(super) process: Option<Process>,
    pub(super) scene: Arc<Scene>,
    pub(super) clock: Clock,
    pub(super) bars: Bars,
}

impl Watch {
    /// Watches until all players have gone home, and sends them there at `ends`.
    pub(super) async fn run(&self, ends: Micros, players: &[JoinHandle<Tally>]) -> Seen {
        let mut seen = Seen { first: self.usage(), ..Seen::default() };
        let mut faults = 0;
        while !players.iter().all(JoinHandle::is_finished) {
            if faults < FAULTS {
                match self.read().await {
                    Some(reading) => {
                        seen.readings.push(reading);
                        faults = 0;
                    }
                    None => faults += 1,
                }
            }
            if let Some(usage) = self.usage() {
                seen.most_rss = seen.most_rss.max(usage.rss);
                seen.last = Some(usage);
            }
            self.bars.show(&self.scene);
            if self.clock.now().0 >= ends {
                self.scene.over.store(true, Ordering::Relaxed);
            }
            tokio::time::sleep(STEP).await;
        }
        self.bars.finish();
        seen
    }

    fn usage(&self) -> Option<Usage> {
        self.process.and_then(Process::usage)
    }

    async fn read(&self) -> Option<Reading> {
        let asked = self.clock.now().0;
        let mut answer = self.client.get(&self.metrics).send().await.ok()?;
        let body = answer.body().limit(4 << 20).await.ok()?;
        let text = std::str::from_utf8(&body).ok()?;
        let answered = self.clock.now().0;
        let admitted = sum(text, "login_queue_admitted_total")?;
        Some(Reading { asked, answered, admitted, used: sum(text, "login_queue_slots") })
    }
}

/// The sum of a metric over its labels.
fn sum(metrics: &str, name: &str) -> Option<u64> {
    let samples = metrics.lines().filter_map(|line| {
        let (labelled, value) = line.rsplit_once(' ')?;
        (labelled.split('{').next() == Some(name)).then_some(value)
    });
    let mut sum: Option<f64> = None;
    for value in samples {
        *sum.get_or_insert(0.0) += value.parse::<f64>().ok()?;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count, written as a float"
    )]
    sum.map(|sum| sum as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_labels() {
        let text = "# TYPE x counter\n\
            login_queue_admitted_total{lane=\"standard\"} 40.0\n\
            login_queue_admitted_total{lane=\"grace\"} 2\n\
            login_queue_waiting{lane=\"standard\"} 7\n# EOF\n";
        assert_eq!(sum(text, "login_queue_admitted_total"), Some(42));
        assert_eq!(sum(text, "login_queue_waiting"), Some(7));
        assert_eq!(sum(text, "login_queue"), None);
    }
}
