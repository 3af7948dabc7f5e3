//! `[queue.opening]`: a moment the doors open, and the lottery before it.

use serde::{Deserialize, Serialize};

use crate::domain::lottery::BEACON_MAX;
use crate::domain::queue::{LotteryPlan, OpeningPlan};
use crate::domain::time::UnixMicros;

/// Where the round's number goes in `beacon_url`.
const ROUND: &str = "{round}";

/// Settings of an opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, documented::DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct OpeningConfig {
    /// When the doors open, e.g. "2027-01-15T18:00:00Z" (RFC 3339). Until then players gather in line
    /// and nobody comes in. Empty: there is no opening, and one that is scheduled is called off. A time
    /// that is over does nothing. Changes live until the doors' time.
    pub at: String,
    /// Whether the order of those who gathered is drawn (docs/lottery.md); otherwise they come in as
    /// they came.
    pub lottery: bool,
    /// The public value that goes into the draw, in words anybody can find it by, with its round:
    /// "drand quicknet round 12345678, randomness". At most 200 bytes. Choose a round after `at`.
    /// Empty: none, and players have to trust you (docs/lottery.md says how far).
    pub beacon: String,
    /// Where that value is to be had: JSON with `randomness` in hex. "{round}" is replaced.
    pub beacon_url: String,
    /// The round. 0 without a beacon.
    pub beacon_round: u64,
}

impl Default for OpeningConfig {
    fn default() -> Self {
        Self {
            at: String::new(),
            lottery: true,
            beacon: String::new(),
            beacon_url: String::new(),
            beacon_round: 0,
        }
    }
}

impl OpeningConfig {
    /// The opening that is wanted; `None`: none, or its time cannot be read.
    pub fn plan(&self) -> Option<OpeningPlan> {
        let url = self.beacon_url.replace(ROUND, &self.beacon_round.to_string());
        let lottery = LotteryPlan { beacon: self.beacon.clone(), url };
        let opens_at = parse(&self.at)?;
        Some(OpeningPlan { opens_at, lottery: self.lottery.then_some(lottery) })
    }

    /// What is wrong with a setting, by its key.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let beacon = !self.beacon.is_empty();
        let names_round = self.beacon.contains(&self.beacon_round.to_string());
        let checks = [
            (
                self.at.is_empty() || parse(&self.at).is_some(),
                "queue.opening.at",
                "must be a time like \"2027-01-15T18:00:00Z\", or empty",
            ),
            (
                !beacon || self.lottery,
                "queue.opening.beacon",
                "needs lottery = true: without a draw it is not used",
            ),
            (
                self.beacon.len() <= BEACON_MAX && !self.beacon.contains(char::is_control),
                "queue.opening.beacon",
                "must have at most 200 bytes and no control characters",
            ),
            (
                beacon != self.beacon_url.is_empty(),
                "queue.opening.beacon_url",
                "must be set with beacon, and only with it",
            ),
            (
                !beacon || self.beacon_url.contains(ROUND),
                "queue.opening.beacon_url",
                "must contain {round}",
            ),
            (
                !beacon || self.beacon_round > 0 && names_round,
                "queue.opening.beacon_round",
                "must be the round that beacon names",
            ),
        ];
        checks.into_iter().find(|(holds, ..)| !holds).map(|(_, key, problem)| (key, problem))
    }
}

fn parse(text: &str) -> Option<UnixMicros> {
    let time: prost_types::Timestamp = text.parse().ok()?;
    u64::try_from(time.seconds).ok().map(UnixMicros::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drand() -> OpeningConfig {
        OpeningConfig {
            at: "2027-01-15T08:00:00Z".into(),
            beacon: "drand quicknet round 42, randomness".into(),
            beacon_url: "https://api.drand.sh/v2/beacons/quicknet/rounds/{round}".into(),
            beacon_round: 42,
            ..OpeningConfig::default()
        }
    }

    #[test]
    fn a_plan_has_the_round_in_its_address() {
        let plan = drand().plan().unwrap();
        assert_eq!(plan.opens_at, UnixMicros::from_secs(1_800_000_000));
        assert!(plan.lottery.unwrap().url.ends_with("/rounds/42"));
        assert_eq!(OpeningConfig::default().plan(), None);
        let with_zone = OpeningConfig { at: "2027-01-15T10:00:00+02:00".into(), ..drand() };
        assert_eq!(with_zone.plan().unwrap().opens_at, plan.opens_at);
        let by_arrival = OpeningConfig { lottery: false, ..drand() };
        assert_eq!(by_arrival.plan().unwrap().lottery, None);
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        assert_eq!(drand().problem(), None);
        assert_eq!(OpeningConfig::default().problem(), None);
        let key = |opening: OpeningConfig| opening.problem().unwrap().0;
        assert_eq!(key(OpeningConfig { at: "soon".into(), ..drand() }), "queue.opening.at");
        assert_eq!(key(OpeningConfig { lottery: false, ..drand() }), "queue.opening.beacon");
        let without = |url: &str| OpeningConfig { beacon_url: url.into(), ..drand() };
        assert_eq!(key(without("")), "queue.opening.beacon_url");
        assert_eq!(key(without("https://x.example")), "queue.opening.beacon_url");
        let other_round = OpeningConfig { beacon_round: 43, ..drand() };
        assert_eq!(key(other_round), "queue.opening.beacon_round");
    }
}
