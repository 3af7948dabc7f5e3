//! The real server on port 0, with a real store: a file for each story.

mod crash;
mod harness;
mod nakama_accounts;
mod nakama_line;
mod operate;
mod passwords;
mod pragma_queue;
mod program;
mod races;
mod restart;
