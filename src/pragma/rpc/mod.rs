//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

#[macro_use]
mod pairs;

mod access_calls;
mod ban_calls;
pub mod calls;
mod data_calls;
pub mod envelope;
mod group_calls;
pub mod http;
mod partner_token_calls;
mod payload;
mod people_calls;
pub mod permissions;
mod role_calls;
mod search_calls;
mod session_calls;
pub(in crate::pragma) mod shapes;
pub mod socket;
mod tag_calls;

#[cfg(test)]
mod office_tests;
