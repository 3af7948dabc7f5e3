//! Ticket numbers as text, one a line: `entrants.txt` and `order.txt`.

use super::{ENTRANTS_MAX, LotteryError};

/// Checks that the numbers ascend, each once, and are not too many.
///
/// # Errors
///
/// [`LotteryError::NotAscending`], [`LotteryError::TooMany`]
pub fn check_entrants(entrants: &[u64]) -> Result<(), LotteryError> {
    if entrants.len() > ENTRANTS_MAX {
        return Err(LotteryError::TooMany);
    }
    let ascends = entrants.array_windows().all(|[one, next]| one < next);
    ascends.then_some(()).ok_or(LotteryError::NotAscending)
}

/// A line that is no number: decimal, no sign, no leading zero, closed by a line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadNumbers {
    /// This line, counted from 1.
    #[error("line {0} is not a number on a line of its own")]
    Line(usize),
    /// There are more lines than expected.
    #[error("more than {0} lines")]
    TooMany(usize),
}

/// Reads numbers from text that comes in pieces of any size.
#[derive(Clone, Debug)]
pub struct NumberLines {
    numbers: Vec<u64>,
    /// The digits of the line so far; `None` before the first.
    line: Option<u64>,
    numbers_max: usize,
}

impl NumberLines {
    /// Takes at most `numbers_max` lines.
    pub const fn new(numbers_max: usize) -> Self {
        Self { numbers: Vec::new(), line: None, numbers_max }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    ///
    /// [`BadNumbers`]; what was read is then good for nothing.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), BadNumbers> {
        for byte in piece {
            let bad = BadNumbers::Line(self.numbers.len() + 1);
            match (byte, self.line) {
                (b'\n', Some(number)) => {
                    if self.numbers.len() == self.numbers_max {
                        return Err(BadNumbers::TooMany(self.numbers_max));
                    }
                    self.numbers.push(number);
                    self.line = None;
                }
                (b'0'..=b'9', None) => self.line = Some(u64::from(byte - b'0')),
                // No number but zero begins with a zero, and zero has no more digits.
                (b'0'..=b'9', Some(so_far)) if so_far > 0 => {
                    let more = u64::from(byte - b'0');
                    let longer = so_far.checked_mul(10).and_then(|tens| tens.checked_add(more));
                    self.line = Some(longer.ok_or(bad)?);
                }
                _ => return Err(bad),
            }
        }
        Ok(())
    }

    /// The numbers, when the text has ended.
    ///
    /// # Errors
    ///
    /// [`BadNumbers`], when the last line was not closed.
    pub fn finish(self) -> Result<Vec<u64>, BadNumbers> {
        match self.line {
            None => Ok(self.numbers),
            Some(_) => Err(BadNumbers::Line(self.numbers.len() + 1)),
        }
    }
}
