//! What was measured lately, in rows of numbers: one for each second of the last quarter of an hour, and
//! one for each ten seconds of the last six hours. Bounded, and the same whoever looks.

use std::collections::VecDeque;

use super::time::UnixMicros;

/// Rows of one second.
pub const FINE_ROWS: usize = 900;
/// Rows of ten seconds.
pub const COARSE_ROWS: usize = 2_160;
/// What a coarse row covers, in milliseconds.
const COARSE_MS: u64 = 10_000;

/// How ten numbers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The last one: a gauge.
    Last,
    /// Their mean: a rate.
    Mean,
    /// The largest.
    Max,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What it is called.
    pub name: &'static str,
    /// How ten numbers become one.
    pub fold: Fold,
}

/// How far apart rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A second.
    Fine,
    /// Ten seconds.
    Coarse,
}

impl Step {
    /// In milliseconds.
    pub const fn ms(self) -> u64 {
        match self {
            Self::Fine => 1_000,
            Self::Coarse => COARSE_MS,
        }
    }

    /// The finest that has rows since then.
    pub const fn since(now: UnixMicros, since: UnixMicros) -> Self {
        let fine_ms = Self::Fine.ms() * FINE_ROWS as u64;
        if now.since_ms(since) <= fine_ms { Self::Fine } else { Self::Coarse }
    }
}

/// A moment in milliseconds since the epoch, and a number for each column; `NaN`: not known.
type Row = (u64, Box<[f64]>);

/// The rows.
#[derive(Clone, Debug)]
pub struct History {
    columns: Vec<Column>,
    fine: VecDeque<Row>,
    coarse: VecDeque<Row>,
    /// Rows of the ten seconds that are not over.
    gathered: Vec<Row>,
}

/// A part of the history, by columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The moment of each row, in milliseconds since the epoch. Where one is missing nothing was
    /// measured.
    pub at_ms: Vec<u64>,
    /// Each column with its numbers; `NaN`: not known.
    pub series: Vec<(&'static str, Vec<f64>)>,
}

impl History {
    /// Nothing was measured yet.
    pub fn new(columns: Vec<Column>) -> Self {
        let (fine, coarse) = (VecDeque::new(), VecDeque::new());
        Self { columns, fine, coarse, gathered: Vec::new() }
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Adds a row. One with another number of columns, or not later than the last, is not taken.
    pub fn push(&mut self, at: UnixMicros, row: Box<[f64]>) -> bool {
        let at_ms = at.as_millis();
        let is_later = self.fine.back().is_none_or(|(last, _)| at_ms > *last);
        if row.len() != self.columns.len() || !is_later {
            return false;
        }
        if let Some(&(first, _)) = self.gathered.first()
            && first / COARSE_MS != at_ms / COARSE_MS
        {
            self.fold();
        }
        self.gathered.push((at_ms, row.clone()));
        bounded_push(&mut self.fine, (at_ms, row), FINE_ROWS);
        true
    }

    /// Makes a coarse row of what was gathered.
    fn fold(&mut self) {
        let Some(&(first, _)) = self.gathered.first() else { return };
        let columns = self.columns.iter().enumerate();
        let folded = columns.map(|(at, column)| {
            let numbers = self.gathered.iter().map(|(_, row)| row[at]);
            column.fold.of(numbers.filter(|number| !number.is_nan()))
        });
        let row = (first / COARSE_MS * COARSE_MS, folded.collect());
        bounded_push(&mut self.coarse, row, COARSE_ROWS);
        self.gathered.clear();
    }

    /// The rows later than `since`.
    pub fn since(&self, since: UnixMicros, step: Step) -> Part {
        let rows = match step {
            Step::Fine => &self.fine,
            Step::Coarse => &self.coarse,
        };
        let since_ms = since.as_millis();
        let from = rows.partition_point(|(at_ms, _)| *at_ms <= since_ms);
        let series = self.columns.iter().enumerate();
        Part {
            at_ms: rows.range(from..).map(|(at_ms, _)| *at_ms).collect(),
            series: series
                .map(|(at, column)| {
                    (column.name, rows.range(from..).map(|(_, row)| row[at]).collect())
                })
                .collect(),
        }
    }
}

impl Fold {
    fn of(self, numbers: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Last => numbers.last().unwrap_or(f64::NAN),
            Self::Max => numbers.fold(f64::NAN, f64::max),
            Self::Mean => {
                let (sum, count) = numbers.fold((0.0, 0.0), |(sum, n), it| (sum + it, n + 1.0));
                sum / count
            }
        }
    }
}

fn bounded_push(rows: &mut VecDeque<Row>, row: Row, most: usize) {
    if rows.len() >= most {
        rows.pop_front();
    }
    rows.push_back(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    fn history() -> History {
        let column = |name, fold| Column { name, fold };
        History::new(vec![
            column("waiting", Fold::Last),
            column("admitted", Fold::Mean),
            column("lag", Fold::Max),
        ])
    }

    fn at(second: u64) -> UnixMicros {
        START.plus_secs(second)
    }

    #[test]
    fn ten_seconds_become_one_row_each_column_in_its_way() {
        let mut history = history();
        for second in 0..21 {
            let n = f64::from(u32::try_from(second).unwrap());
            let lag = if second == 13 { f64::NAN } else { n };
            assert!(history.push(at(second), vec![n, n, lag].into()));
        }
        let coarse = history.since(UnixMicros(0), Step::Coarse);
        assert_eq!(coarse.at_ms, [START.as_millis(), at(10).as_millis()], "the third is not over");
        let numbers: Vec<_> = coarse.series.iter().map(|(_, numbers)| numbers.as_slice()).collect();
        assert_eq!(numbers, [&[9.0, 19.0], &[4.5, 14.5], &[9.0, 19.0]]);
        let fine = history.since(at(18), Step::Fine);
        assert_eq!((fine.at_ms.len(), &fine.series[0].1), (2, &vec![19.0, 20.0]));
    }

    #[test]
    fn what_was_never_known_stays_so_and_time_goes_on_only() {
        let mut history = history();
        for second in 0..11 {
            history.push(at(second), vec![1.0, f64::NAN, f64::NAN].into());
        }
        assert!(!history.push(at(10), vec![1.0; 3].into()), "not later");
        assert!(!history.push(at(12), vec![1.0; 2].into()), "no such row");
        let coarse = history.since(UnixMicros(0), Step::Coarse);
        assert!(coarse.series[1].1[0].is_nan() && coarse.series[2].1[0].is_nan());
    }

    #[test]
    fn it_is_bounded_and_a_gap_stays_a_gap() {
        let mut history = history();
        for second in (0..30_000).filter(|second| !(29_500..29_600).contains(second)) {
            history.push(at(second), vec![0.0; 3].into());
        }
        assert_eq!((history.fine.len(), history.coarse.len()), (FINE_ROWS, COARSE_ROWS));
        assert!(history.gathered.len() <= 10);
        let fine = history.since(at(29_400), Step::Fine).at_ms;
        let gap = fine.windows(2).filter(|two| two[1] - two[0] > 1_000).count();
        assert_eq!((gap, fine.len()), (1, 499));
        assert_eq!(Step::since(at(900), at(0)), Step::Fine);
        assert_eq!(Step::since(at(901), at(0)), Step::Coarse);
    }
}
