//! What happened in a launch, counted by name.

use std::collections::BTreeMap;

/// Counts by name. A name that was never counted is nought.
#[derive(Clone, Debug, Default)]
pub struct Summary(BTreeMap<&'static str, u64>);

impl Summary {
    pub fn count(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    pub fn add(&mut self, what: &'static str, more: u64) {
        *self.0.entry(what).or_default() += more;
    }

    pub fn of(&self, what: &'static str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn merge(&mut self, other: &Self) {
        for (&what, &more) in &other.0 {
            self.add(what, more);
        }
    }
}
