//! sled 0.34 behind the store trait. No sled type leaves this folder.
