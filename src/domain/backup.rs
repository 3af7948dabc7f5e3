//! Backups by the clock: when the next one is due, what they are called, and which go.

use super::time::UnixMicros;

/// What the name of a backup begins with.
const BEFORE: &str = "anteroom-";
/// What it ends with.
const BEHIND: &str = ".tar.gz";
/// A server that has no backup makes its first so long after its start, in seconds.
pub const FIRST_AFTER_S: u64 = 3_600;

/// How often backups are made, and how many are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Hours from one to the next; 0: none are made by the clock.
    pub every_h: u64,
    /// How many are kept.
    pub keep: usize,
}

impl Schedule {
    /// When the next one is due; `None`: never. `last` is when the newest was begun, `started` when
    /// the server was.
    pub fn due(&self, last: Option<UnixMicros>, started: UnixMicros) -> Option<UnixMicros> {
        if self.every_h == 0 {
            return None;
        }
        Some(match last {
            Some(last) => last.plus_secs(self.every_h.saturating_mul(3_600)),
            None => started.plus_secs(FIRST_AFTER_S),
        })
    }

    /// Which of these files are to go: the oldest backups beyond those that are kept. Files that are
    /// no backups by their names are left alone.
    pub fn surplus<'a>(&self, names: &'a [String]) -> Vec<&'a str> {
        let mut backups: Vec<_> =
            names.iter().filter_map(|name| Some((made_at(name)?, name.as_str()))).collect();
        backups.sort_unstable();
        let surplus = backups.len().saturating_sub(self.keep.max(1));
        backups.into_iter().take(surplus).map(|(_, name)| name).collect()
    }
}

/// The name of a backup that is begun at this moment: "anteroom-20270115T080000Z.tar.gz".
pub fn name(at: UnixMicros) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or_default();
    let moment = prost_types::Timestamp { seconds, nanos: 0 }.to_string();
    let digits: String = moment.chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    format!("{BEFORE}{digits}{BEHIND}")
}

/// When a backup of this name was begun; `None`: it is none of ours.
pub fn made_at(name: &str) -> Option<UnixMicros> {
    let digits = name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?;
    let part = |from: usize, to: usize| digits.get(from..to);
    let moment = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?
    );
    let at: prost_types::Timestamp = moment.parse().ok()?;
    let at = UnixMicros::from_secs(u64::try_from(at.seconds).ok()?);
    (self::name(at) == name).then_some(at)
}

/// When the newest of these was begun.
pub fn newest<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<UnixMicros> {
    names.into_iter().filter_map(made_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    #[test]
    fn a_name_tells_the_moment() {
        assert_eq!(name(NOON), "anteroom-20270115T080000Z.tar.gz");
        for other in [
            "anteroom-20270115T080000Z.tar.gz.new",
            "anteroom-20271315T080000Z.tar.gz",
            "before-the-launch.tar.gz",
            "anteroom-.tar.gz",
            "anteroom-20270115T0800000Z.tar.gz",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn names_are_in_the_order_of_time(a in 0_u64..4_000_000_000, b in 0_u64..4_000_000_000) {
            let (first, second) = (UnixMicros::from_secs(a), UnixMicros::from_secs(b));
            prop_assert_eq!(made_at(&name(first)), Some(first));
            prop_assert_eq!(a.cmp(&b), name(first).cmp(&name(second)));
        }

        #[test]
        fn no_name_panics(text in ".{0,40}") {
            let _ = made_at(&text);
            let _ = made_at(&format!("anteroom-{text}.tar.gz"));
        }
    }

    #[test]
    fn the_next_is_due_after_the_last_or_an_hour_after_the_first_start() {
        let daily = Schedule { every_h: 24, keep: 7 };
        let started = NOON.plus_secs(10);
        assert_eq!(daily.due(Some(NOON), started), Some(NOON.plus_secs(86_400)));
        assert_eq!(daily.due(None, started), Some(started.plus_secs(3_600)));
        assert_eq!(Schedule { every_h: 0, keep: 7 }.due(Some(NOON), started), None);
    }

    #[test]
    fn the_oldest_go_and_files_of_others_stay() {
        let at = |hours: u64| name(NOON.plus_secs(hours * 3_600));
        let names = vec![at(5), "notes.txt".to_owned(), at(1), at(3), at(2)];
        let two = Schedule { every_h: 1, keep: 2 };
        assert_eq!(two.surplus(&names), [at(1).as_str(), at(2).as_str()]);
        assert!(Schedule { every_h: 1, keep: 9 }.surplus(&names).is_empty());
        let none = Schedule { every_h: 1, keep: 0 };
        assert_eq!(none.surplus(&names).len(), 3, "the newest stays whatever is set");
        assert_eq!(newest(names.iter().map(String::as_str)), Some(NOON.plus_secs(5 * 3_600)));
    }
}
