//! How fast something comes: a count that fades, so that no moments need to be kept.

use crate::domain::time::UnixMicros;

/// How long what came counts, in seconds: by then it has faded to a third.
pub(super) const WINDOW_S: f64 = 5.0;

/// Events a second over the last seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    count: f64,
    at: UnixMicros,
}

impl Rate {
    /// One more came.
    pub(super) fn note(&mut self, now: UnixMicros) {
        self.count = faded(self.count, now.since_us(self.at), WINDOW_S) + 1.0;
        self.at = self.at.max(now);
    }

    /// How many come a second at `now`, if none did since the last.
    pub(super) fn per_second(&self, now: UnixMicros) -> f64 {
        faded(self.count, now.since_us(self.at), WINDOW_S) / WINDOW_S
    }

    /// When it will be down to `floor` a second if nothing more comes; the moment of the last event if
    /// it is there already.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds of a fading count: small, and not below nought"
    )]
    pub(super) fn falls_to(&self, floor: f64) -> UnixMicros {
        let seconds = WINDOW_S * (self.count / WINDOW_S / floor.max(f64::MIN_POSITIVE)).ln();
        self.at.plus_us((seconds.max(0.0) * 1e6) as u64)
    }
}

/// What is left of `value` after so many microseconds, a third of it after `window_s`.
#[expect(clippy::cast_precision_loss, reason = "a span")]
pub(super) fn faded(value: f64, us: u64, window_s: f64) -> f64 {
    value * (-(us as f64) / 1e6 / window_s).exp()
}
