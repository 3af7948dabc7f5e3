//! What operators watch: the history, and the newest row for whoever has a stream open. A row is
//! encoded once, however many look.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use tokio::sync::watch;

use crate::domain::history::{Column, History, Part, Step};
use crate::domain::time::UnixMicros;

/// Streams that may be open at once, of all kinds together.
pub const STREAMS_MAX: usize = 64;

/// The history of this run, and who watches. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    history: Mutex<History>,
    /// `None`: nothing was measured yet.
    newest: watch::Sender<Option<Bytes>>,
    leaving: watch::Sender<bool>,
    open: AtomicUsize,
}

/// A stream's place among the others, given up when dropped.
#[derive(Debug)]
pub struct Seat {
    live: Live,
    leaving: watch::Receiver<bool>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.live.0.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Seat {
    /// Answers when the server stops.
    pub async fn ended(&mut self) {
        // An error: whoever would say so is gone, which is the same.
        let _ = self.leaving.wait_for(|leaving| *leaving).await;
    }
}

/// Numbers with at most three digits behind the point; what is not known is `null`.
struct Rounded(f64);

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() {
            return serializer.serialize_none();
        }
        let rounded = (self.0 * 1e3).round() / 1e3;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and far below 2^53")]
        if rounded.fract() == 0.0 && rounded.abs() < 9e15 {
            serializer.serialize_i64(rounded as i64)
        } else {
            serializer.serialize_f64(rounded)
        }
    }
}

struct Row<'a>(&'a [Column], &'a [f64]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, number) in self.0.iter().zip(self.1) {
            map.serialize_entry(column.name, &Rounded(*number))?;
        }
        map.end()
    }
}

/// A part of the history as JSON: `{"column": [numbers]}`.
#[derive(Debug)]
pub struct Series(pub Vec<(&'static str, Vec<f64>)>);

impl Serialize for Series {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, numbers) in &self.0 {
            let numbers: Vec<_> = numbers.iter().map(|number| Rounded(*number)).collect();
            map.serialize_entry(name, &numbers)?;
        }
        map.end()
    }
}

impl Live {
    /// Nothing was measured yet.
    pub fn new(columns: Vec<Column>) -> Self {
        Self(Arc::new(Inner {
            history: Mutex::new(History::new(columns)),
            newest: watch::Sender::new(None),
            leaving: watch::Sender::new(false),
            open: AtomicUsize::new(0),
        }))
    }

    /// Takes a row, and tells it to whoever watches.
    pub fn push(&self, at: UnixMicros, row: Box<[f64]>) {
        #[derive(Serialize)]
        struct Told<'a> {
            at_ms: u64,
            values: Row<'a>,
        }
        let mut history = self.lock();
        let values = Row(history.columns(), &row);
        let told = serde_json::to_vec(&Told { at_ms: at.as_millis(), values });
        if history.push(at, row)
            && let Ok(told) = told
        {
            drop(history);
            self.0.newest.send_replace(Some(told.into()));
        }
    }

    /// The rows later than `since`.
    pub fn since(&self, since: UnixMicros, step: Step) -> Part {
        self.lock().since(since, step)
    }

    /// The largest number of a column since then; `None`: none is known.
    pub fn most(&self, column: &str, since: UnixMicros) -> Option<f64> {
        let part = self.since(since, Step::Fine);
        let (_, numbers) = part.series.into_iter().find(|(name, _)| *name == column)?;
        numbers.into_iter().filter(|number| !number.is_nan()).reduce(f64::max)
    }

    /// The newest row, and every one to come; one that comes too fast is left out.
    pub fn newest(&self) -> watch::Receiver<Option<Bytes>> {
        self.0.newest.subscribe()
    }

    /// A place for a stream. `None`: there is no room, or the server stops.
    pub fn seat(&self) -> Option<Seat> {
        let leaving = self.0.leaving.subscribe();
        if *leaving.borrow() {
            return None;
        }
        let taken = self.0.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open < STREAMS_MAX).then_some(open + 1)
        });
        taken.ok().map(|_| Seat { live: self.clone(), leaving })
    }

    /// Open streams.
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Acquire)
    }

    /// Tells all streams to end, and lets nobody in any more. Does not wait.
    pub fn leave(&self) {
        self.0.leaving.send_replace(true);
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::Fold;

    #[test]
    fn a_row_is_told_once_encoded_and_seats_are_bounded() {
        let columns = ["waiting", "eta"].map(|name| Column { name, fold: Fold::Last });
        let live = Live::new(columns.into());
        let newest = live.newest();
        live.push(UnixMicros(2_000_000), vec![7.0, f64::NAN].into());
        live.push(UnixMicros(1_000_000), vec![8.0, 0.123_456].into());
        let told = newest.borrow().clone().unwrap();
        let text = std::str::from_utf8(&told).unwrap();
        assert_eq!(text, r#"{"at_ms":2000,"values":{"waiting":7,"eta":null}}"#);
        live.push(UnixMicros(3_000_000), vec![5.0, f64::NAN].into());
        assert_eq!(live.most("waiting", UnixMicros(1_000_000)), Some(7.0));
        assert_eq!(live.most("waiting", UnixMicros(2_000_000)), Some(5.0));
        assert_eq!(live.most("eta", UnixMicros(0)), None);
        let series = Series(vec![("eta", vec![0.123_456, 2.0])]);
        assert_eq!(serde_json::to_string(&series).unwrap(), r#"{"eta":[0.123,2]}"#);
        let mut seats: Vec<_> = (0..STREAMS_MAX).map(|_| live.seat().unwrap()).collect();
        assert!(live.seat().is_none());
        seats.pop();
        assert!(live.seat().is_some());
        live.leave();
        assert!(live.seat().is_none());
    }
}
