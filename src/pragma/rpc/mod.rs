//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

mod account_calls;
pub mod calls;
pub mod envelope;
pub mod http;
mod session_calls;
pub mod shapes;
pub mod socket;
mod trusted_calls;
