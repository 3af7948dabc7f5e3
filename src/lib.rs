//! The room before the game: login queue, accounts and presence in one binary.
//!
//! Read in this order: [`domain`], the rules, starting with [`domain::queue`]; [`actors`], who owns
//! which state; [`signin`], the use cases; [`nakama`], [`pragma`] and [`queue_api`], how the outside
//! asks;
//! [`store`], where it ends up; [`server`], how the parts are put together.
//!
//! Imports point one way: `main → cli → server → {nakama, pragma, queue_api, try_it, console} → signin → actors → store
//! → domain`; `config → domain`; front ends import neither each other, nor the store, nor an
//! `Addr`; `domain` imports nothing of ours. [`clock`] and [`ids`] are the only doors to the
//! machine's clock and dice. `tests/tidy.rs` fails when a line breaks that.
#![deny(missing_docs)]

/// Version and commit: "0.1.0 (3f2a…)". The commit is "unknown" in a program that was built without a
/// repository, and "development" in one that was not built for use.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ANTEROOM_COMMIT"), ")");

pub mod actors;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod domain;
pub mod identity;
pub mod ids;
pub mod nakama;
pub mod observe;
pub mod operator_api;
pub mod pragma;
pub mod queue_api;
pub mod server;
pub mod signin;
pub mod sse;
pub mod store;
pub mod tls;
pub mod try_it;
