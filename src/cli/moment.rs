//! Moments on the command line.

use crate::domain::time::UnixMicros;

/// A moment, or so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// This one.
    At(UnixMicros),
    /// So many seconds before now.
    AgoSecs(u64),
}

impl Moment {
    /// From `90s`, `15m`, `2h`, `7d`, `2027-01-15T08:00:00Z`, or seconds since 1970.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(prost_types::Timestamp { seconds, nanos }) = text.parse() {
            let seconds = u64::try_from(seconds).map_err(|_| "before 1970")?;
            let micros = u64::try_from(nanos / 1_000).unwrap_or(0);
            return Ok(Self::At(UnixMicros::from_secs(seconds).plus_us(micros)));
        }
        let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
        let unit = units.iter().find_map(|(unit, secs)| Some((text.strip_suffix(*unit)?, *secs)));
        let (digits, secs) = unit.unwrap_or((text, 1_u64));
        let wrong = "not like 90s, 15m, 2h, 7d, 2027-01-15T08:00:00Z or 1800000000";
        let number: u64 = digits.parse().map_err(|_| wrong)?;
        Ok(match unit {
            Some(_) => Self::AgoSecs(number.saturating_mul(secs)),
            None => Self::At(UnixMicros::from_secs(number)),
        })
    }

    /// The moment, seen from `now`.
    pub(super) const fn at(self, now: UnixMicros) -> UnixMicros {
        match self {
            Self::At(at) => at,
            Self::AgoSecs(secs) => UnixMicros(now.0.saturating_sub(UnixMicros::from_secs(secs).0)),
        }
    }
}

impl Moment {
    /// The moment, where so long is still to come instead.
    pub(super) const fn ahead_of(self, now: UnixMicros) -> UnixMicros {
        match self {
            Self::At(at) => at,
            Self::AgoSecs(secs) => now.plus_secs(secs),
        }
    }
}

/// A moment as people write it: `2027-01-15T08:00:00Z`, to the second.
pub(super) fn written(at: UnixMicros) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    prost_types::Timestamp { seconds, nanos: 0 }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_ago_or_dates_or_since_1970() {
        assert_eq!(Moment::parse("90s"), Ok(Moment::AgoSecs(90)));
        assert_eq!(Moment::parse("2h"), Ok(Moment::AgoSecs(7_200)));
        assert_eq!(Moment::parse("7d"), Ok(Moment::AgoSecs(604_800)));
        let at = UnixMicros::from_secs(1_800_000_000);
        assert_eq!(Moment::parse("1800000000"), Ok(Moment::At(at)));
        assert_eq!(Moment::parse("2027-01-15T08:00:00Z"), Ok(Moment::At(at)));
        let wanted = Moment::At(at.plus_ms(500));
        assert_eq!(Moment::parse("2027-01-15T09:00:00.5+01:00"), Ok(wanted));
        for bad in ["", "d", "-1h", "2w", "yesterday", "1901-01-01T00:00:00Z"] {
            assert!(Moment::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Moment::AgoSecs(60).at(at), UnixMicros::from_secs(1_799_999_940));
        assert_eq!(Moment::AgoSecs(60).ahead_of(at), UnixMicros::from_secs(1_800_000_060));
        assert_eq!(written(at), "2027-01-15T08:00:00Z");
    }
}
