//! The real server on port 0, with a real store: a file for each story.

mod crash;
mod harness;
mod nakama_line;
mod nakama_wire;
mod operate;
mod passwords;
mod pragma_client;
mod pragma_flow;
mod program;
mod races;
mod restart;
