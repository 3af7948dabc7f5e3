//! The rules. Values in, decisions out: nothing here waits, reads a clock, rolls dice, or touches
//! a file or a socket. Whoever calls passes the time and the random numbers.

pub mod abuse;
pub mod account;
pub mod audit;
pub mod backup;
pub mod checkup;
pub mod digest;
pub mod friend;
pub mod history;
pub mod hook;
pub mod lane_rules;
pub mod lottery;
pub mod notification;
pub mod operator;
pub mod plan;
pub mod portable;
pub mod presence;
pub mod queue;
pub mod realm;
pub mod renewal;
pub mod session;
pub mod steering;
pub mod time;
pub mod token;
pub mod why;
