//! Nakama's messages: the same types for REST, gRPC and the socket (protocol-nakama §7.4, §10.3).
//!
//! [`api`] and [`realtime`] are generated from `proto/` by `tests/tidy/generated.rs`; [`json`] is
//! what their serde attributes name. None of them implements `Debug`: most hold tokens, passwords
//! or ids.

#[rustfmt::skip]
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated; proto/ says what the fields mean"
)]
pub mod api;
pub mod json;
#[rustfmt::skip]
#[expect(missing_docs, reason = "generated; proto/ says what the fields mean")]
pub mod realtime;

use serde::{Serialize, Serializer};

/// In JSON the message lies beside `cid`.
impl Serialize for realtime::Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'a> {
            #[serde(skip_serializing_if = "str::is_empty")]
            cid: &'a str,
            #[serde(flatten)]
            message: Option<&'a realtime::envelope::Message>,
        }
        Flat { cid: &self.cid, message: self.message.as_ref() }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
