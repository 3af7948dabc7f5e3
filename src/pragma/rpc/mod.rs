//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

pub mod calls;
pub mod envelope;
pub mod http;
mod session_calls;
pub mod socket;
