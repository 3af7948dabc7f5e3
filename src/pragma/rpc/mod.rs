//! `/v1/rpc` (protocol-pragma §2, §10): the same requests over a socket and over HTTP.

#[macro_use]
mod pairs;

mod access_calls;
mod account_calls;
mod ban_calls;
pub mod calls;
mod data_calls;
pub mod envelope;
mod friend_calls;
mod friend_news;
mod friend_wire;
mod group_calls;
pub mod http;
mod lookups;
pub(in crate::pragma) mod office_shapes;
mod on_record;
mod partner_token_calls;
pub(in crate::pragma) mod payload;
mod people_calls;
pub mod permissions;
mod presence_calls;
mod role_calls;
mod search_calls;
mod session_calls;
pub mod shapes;
pub mod socket;
mod tag_calls;
mod trusted_calls;
