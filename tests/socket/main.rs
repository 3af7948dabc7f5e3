//! Sockets against a real HTTP server on a free port, spoken to by a tiny dialect of our own. What
//! Nakama and Pragma say over them is told elsewhere; this is about the carrying.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail anywhere")]

mod closing;
mod harness;
mod online;
mod opening;
mod reading;
mod slow;
mod storm;
