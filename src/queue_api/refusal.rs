//! Every refusal with its status, its word and its text, in one table.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::json;
use crate::actors::CallError;
use crate::domain::account::Refusal as AccountRefusal;
use crate::domain::queue::{Closed, NoParty, NotTransferred, Standing};
use crate::signin::places::TransferError;
use crate::signin::{HookError, SignInError};

/// When to try again where nobody knows better, in milliseconds.
const SOON_MS: u64 = 2_000;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.row().2)]
pub enum Refusal {
    /// Not JSON, or a member is of a wrong type or size.
    BadRequest,
    /// The body is longer than anything that makes sense.
    TooLarge,
    /// No ticket, or none of ours.
    Ticket,
    /// The proof proves nobody.
    Proof,
    /// The account is banned.
    Banned,
    /// The studio's own service says no, in these words.
    Hook(String),
    /// The ticket has no place any more.
    Gone(Gone),
    /// Nobody new gets a place.
    Closed {
        /// Why.
        why: Closed,
        /// When to try again.
        retry_after_ms: u64,
    },
    /// Asked too often; a place is kept.
    TooOften {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// Too far from the front for a stream.
    NotInvited {
        /// When to poll.
        retry_after_ms: u64,
    },
    /// There is no room for another stream.
    StreamsFull {
        /// When to poll.
        retry_after_ms: u64,
    },
    /// No transfer token of ours, or its life is over.
    Transfer,
    /// No invitation to a party of ours, or its life is over.
    Party,
    /// The party takes nobody.
    NoParty(NoParty),
    /// The ticket was admitted: there is no place to hand on.
    Admitted,
    /// The server cannot answer now; asking again is safe.
    Unavailable,
    /// Nothing is at this path.
    NoSuchPath,
    /// The path is known, with another method.
    MethodNotAllowed,
}

/// Why a ticket has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It left, lapsed, or was used.
    Forgotten,
    /// Another device has it.
    Transferred,
    /// Its token's life is over.
    Expired,
}

impl Gone {
    const fn name(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::Transferred => "transferred",
            Self::Expired => "expired",
        }
    }
}

/// A refusal as it is written.
#[derive(Serialize)]
struct Body<'a> {
    state: &'static str,
    why: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

impl Refusal {
    /// Status, word, text for people.
    fn row(&self) -> (u16, &'static str, &str) {
        match *self {
            Self::BadRequest => (400, "bad_request", "The request could not be read."),
            Self::TooLarge => (413, "too_large", "The request is too long."),
            Self::Ticket => (401, "ticket", "This is no ticket of this server."),
            Self::Proof => (401, "proof", "The session is over. Sign in again, or enter without."),
            Self::Banned => (403, "banned", "This account may not play."),
            Self::Hook(ref words) => (403, "refused_by_game", words),
            Self::Gone(why) => (404, why.name(), "This ticket has no place any more. Enter anew."),
            Self::NoSuchPath => (404, "not_found", "Nothing is here."),
            Self::MethodNotAllowed => (405, "method", "Not with this method."),
            Self::TooOften { .. } => (429, "too_often", "Too many requests. A place is kept."),
            Self::Closed { why, .. } => (503, why.name(), closed(why)),
            Self::NotInvited { .. } => (403, "not_invited", "Not yet: poll until invited."),
            Self::StreamsFull { .. } => (503, "streams_full", "No stream is free: poll."),
            Self::Transfer => (401, "transfer", "This code is not good, or too old."),
            Self::Party => (401, "party", "This invitation is not good, or too old."),
            Self::NoParty(NoParty::Gone) => (409, "party_gone", "Your friends are in already."),
            Self::NoParty(NoParty::Full) => (409, "party_full", "The party is full."),
            Self::NoParty(NoParty::Late) => {
                (409, "party_late", "The party has been in line for too long to be joined.")
            }
            Self::Admitted => (409, "admitted", "It is your turn: come in on this device."),
            Self::Unavailable => (503, "unavailable", "The server is busy. A place is kept."),
        }
    }

    /// The word for why.
    pub fn why(&self) -> &'static str {
        self.row().1
    }

    /// When to try again, if that may help.
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match *self {
            Self::Closed { retry_after_ms, .. }
            | Self::TooOften { retry_after_ms }
            | Self::NotInvited { retry_after_ms }
            | Self::StreamsFull { retry_after_ms } => Some(retry_after_ms),
            Self::Unavailable => Some(SOON_MS),
            _ => None,
        }
    }

    /// The same as JSON.
    pub fn body(&self) -> impl Serialize {
        let (_, why, message) = self.row();
        let state = if matches!(self, Self::Gone(_)) { "gone" } else { "refused" };
        Body { state, why, message, retry_after_ms: self.retry_after_ms() }
    }
}

const fn closed(why: Closed) -> &'static str {
    match why {
        Closed::Full => "The line is full.",
        Closed::Draining => "The game is about to close.",
        Closed::Maintenance => "The game is down for maintenance.",
        Closed::Returning => "Many are coming back at once. Your place is kept.",
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = json(self.status_code(), &self.body());
        if let Some(ms) = self.retry_after_ms() {
            response.headers_mut().insert(RETRY_AFTER, ms.div_ceil(1_000).max(1).into());
        }
        response
    }
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Busy { retry_after_s } => {
                Self::TooOften { retry_after_ms: u64::from(retry_after_s) * 1_000 }
            }
            SignInError::Refused(AccountRefusal::Banned) => Self::Banned,
            SignInError::Refused(_) | SignInError::Pass(_) | SignInError::Identity(_) => {
                Self::Proof
            }
            SignInError::Wait(Standing::Refused { why, retry_after_ms }) => {
                Self::Closed { why, retry_after_ms }
            }
            SignInError::Hook(HookError::Refused(words)) => Self::Hook(words),
            SignInError::Wait(_) | SignInError::Call(_) | SignInError::Hook(_) => Self::Unavailable,
        }
    }
}

impl From<TransferError> for Refusal {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Refused(NotTransferred::Forgotten) => Self::Gone(Gone::Forgotten),
            TransferError::Refused(NotTransferred::Admitted) => Self::Admitted,
            TransferError::Owner(error) => error.into(),
        }
    }
}

impl From<CallError> for Refusal {
    fn from(_: CallError) -> Self {
        Self::Unavailable
    }
}
