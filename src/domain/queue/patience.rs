//! How long people stand in line before they give up, by how long they have stood there already.
//!
//! Who has just come seldom goes at once; who has stayed for an hour is patient. So the hazard is
//! measured by age. In a launch the older ages come last, when most estimates have been given: until
//! they are seen, what the younger ones say of the trend is carried on, half as steep with each doubling
//! of the age. (A lognormal patience has about that bend; a memoryless one has no trend.)

use serde::{Deserialize, Serialize};

use super::eta::Hazard;

/// Classes of age.
const AGES: usize = 16;
/// Where they end but for the last, in seconds: two for each doubling.
const ENDS_S: [f64; AGES - 1] = [
    30.0, 42.0, 60.0, 85.0, 120.0, 170.0, 240.0, 340.0, 480.0, 680.0, 960.0, 1_360.0, 1_920.0,
    2_720.0, 3_840.0,
];
/// A class is drawn to what those before it say with the weight of so many who gave up.
const DRAWN: f64 = 16.0;
/// What is left of a trend from one class to the next: half with each doubling.
const DAMPED: f64 = 0.65;
/// Steepest trend from one class to the next, as the logarithm of a factor.
const STEEPEST: f64 = 0.5;
/// Highest hazard, a second: beyond it nobody would be in line.
const HAZARD_MAX: f64 = 0.1;

/// What has been measured, by age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ByAge([Hazard; AGES]);

impl ByAge {
    /// Lets `dt_s` seconds pass: what is past counts for less.
    pub(super) fn fold(&mut self, dt_s: f64) {
        self.0.iter_mut().for_each(|hazard| hazard.fold(dt_s, 0.0));
    }

    /// Adds what was measured apart.
    pub(super) fn add(&mut self, other: &Self) {
        for (hazard, other) in self.0.iter_mut().zip(other.0) {
            hazard.events += other.events;
            hazard.exposure += other.exposure;
        }
    }

    /// Somebody gave up after this long.
    pub(super) fn gave_up(&mut self, waited_s: f64) {
        self.0[class(waited_s)].events += 1.0;
    }

    /// Somebody was there from this age to that, in seconds.
    pub(super) fn was_there(&mut self, from_s: f64, until_s: f64) {
        self.spread(from_s, until_s, |hazard, seconds| hazard.exposure += seconds);
    }

    /// Somebody gave up between these ages, in seconds: each is as likely as the other.
    pub(super) fn gave_up_within(&mut self, from_s: f64, until_s: f64) {
        let whole_s = until_s - from_s;
        self.spread(from_s, until_s, |hazard, seconds| {
            hazard.events += seconds / whole_s;
            hazard.exposure += seconds / 2.0;
        });
    }

    /// What of the time between two ages falls into each class.
    fn spread(&mut self, mut from_s: f64, until_s: f64, mut put: impl FnMut(&mut Hazard, f64)) {
        for class in class(from_s)..AGES {
            let end_s = ENDS_S.get(class).map_or(until_s, |end| end.min(until_s));
            put(&mut self.0[class], (end_s - from_s).max(0.0));
            from_s = end_s;
            if from_s >= until_s {
                break;
            }
        }
    }

    /// The hazards by age when all together it is `level`.
    pub(super) fn patience(&self, level: f64) -> Patience {
        let (events, exposure) = self.0.iter().fold((0.0, 0.0), |(events, exposure), hazard| {
            (events + hazard.events, exposure + hazard.exposure)
        });
        let mean = Hazard { events, exposure }.rate();
        if mean <= 0.0 {
            return Patience::new([level; AGES]);
        }
        let mut before: Option<f64> = None;
        let mut trend = 0.0_f64;
        Patience::new(self.0.map(|Hazard { events, exposure }| {
            let carried = before.unwrap_or(1.0) * (trend * DAMPED).exp();
            let ratio = (events + DRAWN * carried) / (exposure * mean + DRAWN);
            trend = before.map_or(0.0, |before| (ratio / before).ln().clamp(-STEEPEST, STEEPEST));
            before = Some(ratio);
            level * ratio
        }))
    }
}

/// The class of an age.
fn class(age_s: f64) -> usize {
    ENDS_S.partition_point(|&end| end <= age_s)
}

/// What becomes of those who wait. `C`: the hazard added up over ages. `E`: the integral of `exp C`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Patience([Class; AGES]);

/// A class of age, with `C` and `E` where it begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Class {
    from_s: f64,
    hazard: f64,
    c: f64,
    e: f64,
}

/// An age, with `C` and `E` there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age {
    seconds: f64,
    c: f64,
    e: f64,
}

impl Patience {
    fn new(hazards: [f64; AGES]) -> Self {
        let mut classes = [Class::default(); AGES];
        let mut begins = Age { seconds: 0.0, c: 0.0, e: 0.0 };
        for (at, (class, hazard)) in classes.iter_mut().zip(hazards).enumerate() {
            let hazard = if hazard.is_finite() { hazard.clamp(0.0, HAZARD_MAX) } else { 0.0 };
            *class = Class { from_s: begins.seconds, hazard, c: begins.c, e: begins.e };
            if let Some(&end_s) = ENDS_S.get(at) {
                begins = class.at(end_s);
            }
        }
        Self(classes)
    }

    /// Those who have waited this long, in seconds.
    pub(super) fn at(&self, age_s: f64) -> Age {
        self.0[class(age_s)].at(age_s)
    }

    /// How many of those who have waited as long as `from` can be let in, at one a second, until they
    /// have waited as long as `to`: counted as of `from`, those who give up meanwhile among them.
    pub(super) fn gone(&self, from: Age, to: Age) -> f64 {
        match self.beyond(from) {
            Some(hazard) => grown(hazard, to.seconds - from.seconds),
            None => (to.e - from.e) * (-from.c).exp(),
        }
    }

    /// How old they are when `n`, counted as of `from`, have been let in at one a second from `since`
    /// on, in seconds.
    pub(super) fn until(&self, from: Age, since: Age, n: f64) -> f64 {
        if let Some(hazard) = self.beyond(since) {
            return since.seconds + taken(hazard, n * (from.c - since.c).exp());
        }
        let e = since.e + n * from.c.exp();
        let class = &self.0[self.0.partition_point(|class| class.e <= e).saturating_sub(1)];
        class.from_s + taken(class.hazard, (e - class.e) * (-class.c).exp())
    }

    /// The hazard of the oldest, if these are: it does not change any more, and `E` may be too large
    /// for a number.
    fn beyond(&self, age: Age) -> Option<f64> {
        let last = &self.0[AGES - 1];
        (age.seconds >= last.from_s).then_some(last.hazard)
    }
}

impl Age {
    /// How long they have waited, in seconds.
    pub(super) const fn seconds(self) -> f64 {
        self.seconds
    }
}

impl Class {
    fn at(&self, age_s: f64) -> Age {
        let since_s = age_s - self.from_s;
        let c = self.c + self.hazard * since_s;
        Age { seconds: age_s, c, e: self.e + self.c.exp() * grown(self.hazard, since_s) }
    }
}

/// The integral of `exp(hazard t)` over so many seconds.
fn grown(hazard: f64, seconds: f64) -> f64 {
    let x = hazard * seconds;
    if x < 1e-6 { seconds } else { x.exp_m1() / hazard }
}

/// The other way round.
fn taken(hazard: f64, grown: f64) -> f64 {
    let x = hazard * grown;
    if x < 1e-6 { grown } else { x.ln_1p() / hazard }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, wanted: f64) -> bool {
        (value / wanted - 1.0).abs() < 1e-9
    }

    /// A thousand people whose hazard at an age is `hazard`, seen up to `until_s`.
    fn seen(until_s: f64, hazard: impl Fn(f64) -> f64) -> ByAge {
        let mut by_age = ByAge::default();
        for class in 0..class(until_s) {
            let from = if class == 0 { 0.0 } else { ENDS_S[class - 1] };
            let to = ENDS_S[class];
            by_age.0[class].exposure = 1_000.0 * (to - from);
            by_age.0[class].events = by_age.0[class].exposure * hazard(from.midpoint(to));
        }
        by_age
    }

    fn hazard_at(patience: &Patience, age_s: f64) -> f64 {
        patience.0[class(age_s)].hazard
    }

    #[test]
    fn people_without_memory_stay_so_however_little_of_them_was_seen() {
        let patience = seen(240.0, |_| 0.001).patience(0.001);
        for age in [10.0, 100.0, 1_000.0, 10_000.0] {
            assert!((hazard_at(&patience, age) / 0.001 - 1.0).abs() < 0.01, "{age}");
        }
    }

    #[test]
    fn a_trend_goes_on_beyond_what_was_seen_and_flattens() {
        let grows = |age: f64| 1e-5 * age;
        let by_age = seen(240.0, grows);
        let mean = by_age.0.iter().fold((0.0, 0.0), |(events, exposure), hazard| {
            (events + hazard.events, exposure + hazard.exposure)
        });
        let patience = by_age.patience(mean.0 / mean.1);
        let (last, next, late) = (
            hazard_at(&patience, 200.0),
            hazard_at(&patience, 400.0),
            hazard_at(&patience, 5_000.0),
        );
        assert!(next > last * 1.2 && next < grows(400.0), "{last} {next}");
        assert!(late > next && late < next * 1.5, "{next} {late}");
    }

    #[test]
    fn when_nothing_was_seen_all_ages_are_alike() {
        let patience = ByAge::default().patience(0.002);
        assert!(close(hazard_at(&patience, 0.0), 0.002));
        assert!(close(hazard_at(&patience, 1e6), 0.002));
    }

    /// `n' = -1 - h n`, played in small steps.
    #[test]
    fn the_time_until_all_are_gone_is_what_happens() {
        let patience = seen(4_000.0, |age| 1e-6 * age).patience(0.001);
        let from = patience.at(300.0);
        let (mut left, mut age): (f64, f64) = (500.0, 300.0);
        while left > 0.0 {
            left -= 0.01 * (1.0 + hazard_at(&patience, age) * left);
            age += 0.01;
        }
        let until = patience.until(from, from, 500.0);
        assert!((until - age).abs() < 0.1, "{until} {age}");
        // And back: as many as that are gone by then.
        assert!((patience.gone(from, patience.at(until)) - 500.0).abs() < 1e-6);
        // In two parts it is the same.
        let half = patience.at(400.0);
        let rest = 500.0 - patience.gone(from, half);
        assert!(close(patience.until(from, half, rest), until));
    }

    #[test]
    fn endless_waits_and_mad_measurements_stay_finite() {
        for level in [0.0, 1e9, f64::INFINITY, f64::NAN] {
            let patience = seen(4_000.0, |_| 1e-3).patience(level);
            let until = patience.until(patience.at(1e7), patience.at(1e7), 1e9);
            assert!(until > 1e7 && until.is_finite(), "{level}: {until}");
        }
    }
}
