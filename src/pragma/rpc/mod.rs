//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

mod account_calls;
pub mod calls;
pub mod envelope;
mod friend_calls;
mod friend_news;
mod friend_wire;
pub mod http;
mod presence_calls;
mod session_calls;
pub mod shapes;
pub mod socket;
mod trusted_calls;
