//! Attributes of a session, with their version (protocol-pragma §10.8): what a game's services know
//! of a player while they are connected, and again after a reconnect.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Attributes a session may have.
pub const ATTRIBUTES_MAX: usize = 64;

/// The attributes of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// 1 at first; grows with each change.
    pub version: u64,
    /// By number.
    pub values: BTreeMap<i32, Uuid>,
}

/// One change, as the client is told: everything of one transition at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The version after it; the first change makes it 2.
    pub version: u64,
    /// What is set.
    pub set: BTreeMap<i32, Uuid>,
    /// What is gone, also if it never was set.
    pub removed: Vec<i32>,
}

/// A session cannot have so many attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session has {ATTRIBUTES_MAX} attributes at most")]
pub struct TooMany;

impl Default for Attributes {
    fn default() -> Self {
        Self { version: 1, values: BTreeMap::new() }
    }
}

impl Attributes {
    /// Sets some and removes others.
    ///
    /// # Errors
    ///
    /// [`TooMany`]; nothing is changed.
    pub fn change(
        &mut self,
        set: BTreeMap<i32, Uuid>,
        removed: Vec<i32>,
    ) -> Result<Changed, TooMany> {
        let mut values = self.values.clone();
        values.retain(|number, _| !removed.contains(number));
        values.extend(&set);
        if values.len() > ATTRIBUTES_MAX {
            return Err(TooMany);
        }
        self.values = values;
        self.version = self.version.saturating_add(1);
        Ok(Changed { version: self.version, set, removed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_one_version_from_two_on() {
        let mut attributes = Attributes::default();
        let (party, game) = (Uuid::from_u128(2), Uuid::from_u128(4));
        let changed = attributes.change([(2, party)].into(), vec![3]).unwrap();
        assert_eq!((changed.version, changed.removed), (2, vec![3]), "never set, and told");
        let changed = attributes.change([(4, game), (1, game)].into(), vec![2]).unwrap();
        assert_eq!(changed.version, 3);
        assert_eq!(attributes.values, [(1, game), (4, game)].into());
    }

    #[test]
    fn too_many_change_nothing() {
        let mut attributes = Attributes::default();
        let many = (0..=64).map(|number| (number, Uuid::nil())).collect();
        assert_eq!(attributes.change(many, Vec::new()), Err(TooMany));
        assert_eq!(attributes, Attributes::default());
    }
}
