//! Every refusal with its status, its word and its text, in one table.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::json;
use crate::actors::CallError;
use crate::domain::account::{OfficeRefusal, Refusal as Rule};
use crate::domain::realm::RealmRefusal;
use crate::domain::steering::{BadChange, NoUndo};
use crate::signin::steering::{ChangeError, SteerError};
use crate::signin::{DeedError, HookError, SignInError};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// No answer in time.
    #[error("no answer in time: look before you try again")]
    Unavailable,
    /// There is no such thing.
    #[error("there is no such thing")]
    NotThere,
    /// A rule says no.
    #[error(transparent)]
    Rule(Rule),
    /// A hook of the studio's says no.
    #[error("a hook refuses: {0}")]
    Hook(String),
    /// The settings file cannot be used.
    #[error("{0}")]
    BadSettings(String),
    /// The settings come from no file.
    #[error("the settings of this server come from no file")]
    NoFile,
    /// Too many streams are open.
    #[error("too many streams are open: close one, or ask for the history from time to time")]
    NoRoom,
    /// Nothing is at this path.
    #[error("nothing is here: see docs/operator-api.md")]
    NoSuchPath,
}

impl Refusal {
    fn row(&self) -> (u16, &'static str) {
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
            Self::NotThere => (404, "not_there"),
            Self::Rule(rule) => row_of(rule),
            Self::Hook(_) => (409, "hook"),
            Self::BadSettings(_) => (409, "bad_settings"),
            Self::NoFile => (409, "no_file"),
            Self::NoRoom => (503, "no_room"),
            Self::NotRecorded => (503, "not_recorded"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

/// What a rule about accounts or the realm comes to.
const fn row_of(rule: &Rule) -> (u16, &'static str) {
    match rule {
        Rule::NoAccount => (404, "no_account"),
        Rule::Realm(RealmRefusal::Unknown(_))
        | Rule::Office(OfficeRefusal::UnknownBan | OfficeRefusal::UnknownRequest) => {
            (404, "not_there")
        }
        Rule::UsernameTaken
        | Rule::LinkTaken(_)
        | Rule::NoDiscriminator
        | Rule::Realm(RealmRefusal::NameTaken(_)) => (409, "taken"),
        Rule::CannotUnlink(_) => (409, "last_link"),
        Rule::Office(OfficeRefusal::LastAdmin) => (409, "last_admin"),
        Rule::Realm(RealmRefusal::GroupInUse) => (409, "in_use"),
        Rule::Office(OfficeRefusal::TooMany(_) | OfficeRefusal::TooManyBans)
        | Rule::Realm(RealmRefusal::TooMany(_))
        | Rule::TooManyLinks(_) => (409, "too_many"),
        Rule::Overtaken => (409, "overtaken"),
        _ => (400, "bad_value"),
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

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(rule) => Self::Rule(rule),
            SignInError::Hook(HookError::Refused(word)) => Self::Hook(word),
            _ => Self::Unavailable,
        }
    }
}

impl From<DeedError> for Refusal {
    fn from(error: DeedError) -> Self {
        match error {
            DeedError::NotRecorded(_) => Self::NotRecorded,
            DeedError::Refused(error) => error.into(),
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
