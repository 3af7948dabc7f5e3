//! Every refusal with its status, its word and its text, in one table.

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::json;
use crate::actors::CallError;
use crate::actors::backups::NotMade;
use crate::domain::account::{LinkKind, OfficeRefusal, Refusal as Rule};
use crate::domain::operator::OperatorRefusal;
use crate::domain::realm::RealmRefusal;
use crate::domain::steering::{BadChange, NoUndo};
use crate::signin::operators::OperatorError;
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
    /// Another page asks, or the page does not show its proof.
    #[error("this was not asked by the console's own page: load it again")]
    ForeignPage,
    /// What cannot be undone wants a proof first.
    #[error("prove again who you are: POST /v1/operator/session/step-up")]
    StepUp,
    /// Without an authenticator there is only looking.
    #[error("set up an authenticator first: until then you can only look")]
    TotpNeeded,
    /// A script asks for what only people do.
    #[error("this is for people: a token for scripts cannot do it")]
    NoScript,
    /// An authenticator, or a provider, is for who signs in here.
    #[error("you do not sign in here: an authenticator would be of no use")]
    NoPassword,
    /// Signing in, or something about operators.
    #[error(transparent)]
    Operator(OperatorError),
    /// As many backups are asked for as may be.
    #[error("a backup is being made, and others wait for theirs")]
    BackupBusy,
    /// No backup was made.
    #[error("the backup was not made: see the server's log")]
    BackupFailed,
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
    const fn row(&self) -> (u16, &'static str) {
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
            Self::ForeignPage => (403, "csrf"),
            Self::StepUp => (403, "step_up"),
            Self::TotpNeeded => (403, "totp_needed"),
            Self::NoScript => (403, "no_script"),
            Self::NoPassword => (409, "no_password"),
            Self::Operator(error) => of_operators(error),
            Self::BackupBusy => (409, "backup_busy"),
            Self::BackupFailed => (500, "backup_failed"),
            Self::NotRecorded => (503, "not_recorded"),
            Self::Unavailable => (503, "unavailable"),
        }
    }
}

/// What a rule about accounts or the realm comes to.
const fn row_of(rule: &Rule) -> (u16, &'static str) {
    match rule {
        Rule::PasswordShort => (400, "password_short"),
        Rule::PasswordLong => (400, "password_long"),
        Rule::PasswordCommon => (400, "password_common"),
        Rule::EmailFormat
        | Rule::IdMissing(LinkKind::Email)
        | Rule::IdCharacters(LinkKind::Email)
        | Rule::IdLength(LinkKind::Email) => (400, "bad_address"),
        Rule::NoAccount => (404, "no_account"),
        Rule::Realm(RealmRefusal::Unknown(_))
        | Rule::Office(
            OfficeRefusal::UnknownBan
            | OfficeRefusal::UnknownRequest
            | OfficeRefusal::Operator(OperatorRefusal::Unknown),
        ) => (404, "not_there"),
        Rule::UsernameTaken
        | Rule::LinkTaken(_)
        | Rule::NoDiscriminator
        | Rule::Realm(RealmRefusal::NameTaken(_))
        | Rule::Office(OfficeRefusal::Operator(OperatorRefusal::Taken)) => (409, "taken"),
        Rule::CannotUnlink(_) | Rule::Office(OfficeRefusal::Operator(OperatorRefusal::LastWay)) => {
            (409, "last_link")
        }
        Rule::Office(OfficeRefusal::LastAdmin) => (409, "last_admin"),
        Rule::Realm(RealmRefusal::GroupInUse) => (409, "in_use"),
        Rule::Office(
            OfficeRefusal::TooMany(_)
            | OfficeRefusal::TooManyBans
            | OfficeRefusal::Operator(OperatorRefusal::TooMany),
        )
        | Rule::Realm(RealmRefusal::TooMany(_))
        | Rule::TooManyLinks(_) => (409, "too_many"),
        Rule::Overtaken => (409, "overtaken"),
        _ => (400, "bad_value"),
    }
}

const fn of_operators(error: &OperatorError) -> (u16, &'static str) {
    match error {
        OperatorError::Wrong => (401, "wrong"),
        OperatorError::CodeNeeded => (401, "totp"),
        OperatorError::WrongCode => (401, "wrong_totp"),
        OperatorError::NotInvited => (403, "wrong_code"),
        OperatorError::NotYours => (403, "not_yours"),
        OperatorError::SetupOver => (409, "setup_over"),
        OperatorError::AddressTaken => (409, "address_taken"),
        OperatorError::NoOperator => (401, "no_operator"),
        OperatorError::NotProven => (401, "not_proven"),
        OperatorError::OtherAccount => (401, "other_account"),
        OperatorError::StartAgain => (403, "start_again"),
        OperatorError::NoStepUp => (409, "no_step_up"),
        OperatorError::ProviderAway => (503, "provider_away"),
        OperatorError::Form => (400, "bad_request"),
        OperatorError::Unknown => (404, "not_there"),
        OperatorError::Busy { .. } => (429, "busy"),
        OperatorError::Audit(_) => (503, "not_recorded"),
        OperatorError::Call(_) | OperatorError::Seal => (503, "unavailable"),
        OperatorError::Refused(rule) => row_of(rule),
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
        let mut answer =
            json(self.status_code(), &Body { why: self.row().1, message: self.to_string() });
        if let Self::Operator(OperatorError::Busy { retry_after_s }) = self {
            answer.headers_mut().insert(RETRY_AFTER, (*retry_after_s).into());
        }
        answer
    }
}

/// The word and the text of what came of a sign-in at a provider.
pub(super) fn words_of(error: OperatorError) -> (&'static str, String) {
    let refusal = Refusal::from(error);
    (refusal.row().1, refusal.to_string())
}

impl From<OperatorError> for Refusal {
    fn from(error: OperatorError) -> Self {
        Self::Operator(error)
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
