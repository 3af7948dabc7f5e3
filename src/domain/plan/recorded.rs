//! A recorded day beside the plan of it: how far off the plan is.

use serde::{Deserialize, Serialize};

use super::draw::percentile;
use super::tally::Sample;

/// Minutes in which less than this share of the busiest minute was recorded are not compared: an
/// error relative to next to nothing says nothing.
const WORTH: f64 = 0.05;
/// Nor are those with fewer than this.
const WORTH_MIN: u32 = 10;

/// One minute of a recorded day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minute {
    /// Which, from 0.
    pub minute: u32,
    /// People who asked to come in during it.
    pub arrivals: u32,
    /// Players online at its end, if that was recorded.
    #[serde(default)]
    pub online: Option<u32>,
    /// Tickets that waited at its end, if that was recorded.
    #[serde(default)]
    pub waiting: Option<u32>,
}

/// How far off one series is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Off {
    /// Which series.
    pub series: &'static str,
    /// Minutes compared.
    pub minutes: usize,
    /// Median of the relative error.
    pub median: f64,
    /// 90 of 100 minutes are no worse.
    pub p90: f64,
}

/// Compares what was recorded with what was played, minute by minute, where enough was recorded.
pub fn compare(recorded: &[Minute], samples: &[Sample]) -> Vec<Off> {
    let series = [
        off("online", recorded, samples, |minute| minute.online, |sample| sample.online),
        off("waiting", recorded, samples, |minute| minute.waiting, |sample| sample.waiting),
    ];
    series.into_iter().flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of one day")]
fn off(
    series: &'static str,
    recorded: &[Minute],
    samples: &[Sample],
    was: impl Fn(&Minute) -> Option<u32>,
    is: impl Fn(&Sample) -> u64,
) -> Option<Off> {
    let most = recorded.iter().filter_map(&was).max()?;
    let worth = (f64::from(most) * WORTH).max(WORTH_MIN.into());
    let mut errors: Vec<f64> = recorded
        .iter()
        .filter_map(|minute| {
            let was = f64::from(was(minute)?);
            let end_s = (minute.minute + 1) * 60;
            let at = samples.binary_search_by_key(&end_s, |sample| sample.at_s).ok()?;
            (was >= worth).then(|| (is(&samples[at]) as f64 / was - 1.0).abs())
        })
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let (median, p90) = (percentile(&errors, 0.5)?, percentile(&errors, 0.9)?);
    Some(Off { series, minutes: errors.len(), median, p90 })
}
