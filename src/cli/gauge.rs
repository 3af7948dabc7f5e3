//! How far a long work is, on standard error. Nothing is drawn when nobody looks at it.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar.
pub(super) struct Gauge(ProgressBar);

impl Gauge {
    /// Of so many bytes to be read.
    pub fn bytes(name: &'static str, of: u64) -> Self {
        Self::new(name, of, "{prefix:>8} {bar:40} {bytes:>10} of {total_bytes}, {eta} left")
    }

    /// Of so many things.
    pub fn count(name: &'static str, of: u64) -> Self {
        Self::new(name, of, "{prefix:>8} {bar:40} {pos:>10} of {len}, {eta} left")
    }

    fn new(name: &'static str, of: u64, template: &str) -> Self {
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(of).with_style(style).with_prefix(name))
    }

    /// It is so far.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// It is done, or given up.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
