//! The real server on port 0, with a real store: a file for each story.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by failing"
)]

mod acme;
mod across;
mod audit;
mod backup;
mod cli;
mod crash;
mod ctl;
mod debian;
mod docs;
mod drain;
mod fakes;
mod grpc;
mod grpc_alike;
mod grpc_client;
mod harness;
mod hooks;
mod identity;
mod idle;
mod import;
mod init;
mod lottery;
mod nakama_friends;
mod nakama_line;
mod nakama_providers;
mod nakama_rest;
mod nakama_sessions;
mod nakama_wire;
mod observed;
mod openapi;
mod opening;
mod operate;
mod operator_accounts;
mod operator_api;
mod operator_audit;
mod operator_client;
mod operator_live;
mod operator_openapi;
mod operator_providers;
mod operator_servers;
mod operator_session;
mod operator_settings;
mod operator_staff;
mod operator_status;
mod operator_way_back;
mod own_provider;
mod packaged;
mod passwords;
mod pebble;
mod plan;
mod pragma_accounts;
mod pragma_bans;
mod pragma_client;
mod pragma_conformance;
mod pragma_flow;
mod pragma_friends;
mod pragma_gateways;
mod pragma_keys;
mod pragma_office;
mod pragma_redirect;
mod pragma_reference;
mod pragma_servers;
mod program;
mod prometheus;
mod queue_abuse;
mod queue_client;
mod queue_frame;
mod queue_lanes;
mod queue_line;
mod queue_openapi;
mod queue_party;
mod queue_stream;
mod queue_transfer;
mod races;
mod restart;
mod sdk_replays;
mod socket_protobuf;
mod tls;
mod tls_client;
mod traces;
mod why;
