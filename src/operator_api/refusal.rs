//! Every refusal with its status, its word and its text, in one table.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::json;
use crate::actors::CallError;
use crate::actors::backups::NotMade;
use crate::domain::steering::{BadChange, NoUndo};
use crate::signin::steering::{ChangeError, SteerError};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not the JSON that is asked for.
    #[error("the body is not what is asked for: see docs/operator-api.md")]
    BadRequest,
    /// A change that makes no sense.
    #[error(transparent)]
    Change(#[from] BadChange),
    /// No operator's token, or not good any more.
    #[error("sign in as an operator: the token is missing, not one of an operator's, or over")]
    Token,
    /// The permission is missing.
    #[error("the permission {0} is needed")]
    Forbidden(&'static str),
    /// Nothing of this id is staged.
    #[error("no such change is staged, or it was staged too long ago")]
    NotStaged,
    /// It cannot be taken back.
    #[error(transparent)]
    Undo(#[from] NoUndo),
    /// The audit chain takes no record, so nothing is changed.
    #[error("the change cannot be put on record, so it was not made: see the server's log")]
    NotRecorded,
    /// As many backups are asked for as may be.
    #[error("a backup is being made, and others wait for theirs")]
    BackupBusy,
    /// No backup was made.
    #[error("the backup was not made: see the server's log")]
    BackupFailed,
    /// No answer in time.
    #[error("the line did not answer in time: look before you try again")]
    Unavailable,
    /// Nothing is at this path.
    #[error("nothing is here: see docs/operator-api.md")]
    NoSuchPath,
}

impl Refusal {
    const fn row(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "bad_request"),
            Self::Change(_) => (400, "bad_change"),
            Self::Token => (401, "token"),
            Self::Forbidden(_) => (403, "forbidden"),
            Self::NotStaged => (404, "not_staged"),
            Self::NoSuchPath => (404, "not_found"),
            Self::Undo(NoUndo::Unknown) => (404, "not_made"),
            Self::Undo(NoUndo::Undone) => (409, "undone"),
            Self::Undo(NoUndo::Overtaken) => (409, "overtaken"),
            Self::BackupBusy => (409, "backup_busy"),
            Self::BackupFailed => (500, "backup_failed"),
            Self::NotRecorded => (503, "not_recorded"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

#[derive(Serialize)]
struct Body {
    why: &'static str,
    message: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        json(self.status_code(), &Body { why: self.row().1, message: self.to_string() })
    }
}

impl From<CallError> for Refusal {
    fn from(_: CallError) -> Self {
        Self::Unavailable
    }
}

impl From<NotMade> for Refusal {
    fn from(error: NotMade) -> Self {
        match error {
            NotMade::Busy => Self::BackupBusy,
            NotMade::Failed(_) => Self::BackupFailed,
            NotMade::Closed => Self::Unavailable,
        }
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotStaged => Self::NotStaged,
            ChangeError::Undo(why) => Self::Undo(why),
            ChangeError::Steer(SteerError::Audit(_)) => Self::NotRecorded,
            ChangeError::Steer(SteerError::Call(_)) => Self::Unavailable,
        }
    }
}
