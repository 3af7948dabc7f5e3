//! Which program this is.

/// Version and commit: "0.1.0 (3f2a…)". The commit is "unknown" in a program that was built without a
/// repository, and "development" in one that was not built for use.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ANTEROOM_COMMIT"), ")");
