//! Every refusal with its HTTP status and its names on the wire, in one table
//! (protocol-pragma §4.7, §10.3, §11).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use serde::Serialize;
use uuid::Uuid;

use crate::actors::CallError;
use crate::actors::session::Denied;
use crate::domain::account::Refusal;
use crate::domain::queue::{PassRefused, Standing};
use crate::domain::token::{PlayerTokenError, TicketError};
use crate::identity::IdentityError;
use crate::signin::{HookError, SignInError};

/// Content type of every answer.
pub const JSON: &str = "application/json; charset=UTF-8";

/// Why a request is refused: one for each row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON, or a member is missing or of a wrong type.
    BadRequest,
    /// A provider nobody knows.
    InvalidIdProvider,
    /// A known provider that is not configured.
    IdProviderMissing,
    /// Not proven, or not with this pass.
    Unauthorized,
    /// Proven, and not allowed in.
    Forbidden,
    /// The studio's own code refuses.
    RefusedByHook,
    /// Known at the provider, and yet to be verified there.
    Unverified,
    /// The provider could not be asked or answered garbage.
    IdProviderSilent,
    /// A token's life is over.
    TokenExpired,
    /// A token with a wrong signature.
    TokenSignature,
    /// Not a token.
    TokenDecode,
    /// A token by an unknown key.
    JwtKeyNotFound,
    /// A token of another session type.
    WrongSessionType,
    /// A token for another game shard.
    WrongShard,
    /// No such game shard.
    ShardNotFound,
    /// No account of that identity.
    AccountNotFound,
    /// The web portal knows no account of that identity (§8).
    UnknownAccount,
    /// The web portal shall make an account that is there already (§8).
    AlreadyExists,
    /// The provider is not for sign-ins at this gateway.
    IdProviderAuthenticationDisabled,
    /// The provider may not be linked.
    IdProviderLinkingDisabled,
    /// The provider may not be unlinked by players.
    IdProviderUnlinkingDisabled,
    /// The provider's account is another account's.
    IdProviderAlreadyAssociated,
    /// The account has another link of that provider.
    AccountAlreadyBound,
    /// A link of a provider to itself is asked for.
    DuplicateIdProvider,
    /// Only the provider's account that was linked before may be linked.
    LinkOneAssociationOnly,
    /// It is too soon to link another account of the provider.
    LinkCooldown,
    /// It is the last way to sign in.
    CannotUnlinkOnlyIdProvider,
    /// There is nobody to send mail.
    NoMail,
    /// The display name may not be changed, or not yet.
    DisplayNameUpdateNotAllowed,
    /// All discriminators of a name are taken.
    RanOutOfDiscriminators,
    /// The server's own fault.
    Internal,
    /// The server cannot answer now; asking again is safe.
    Unavailable,
    /// The world has no room for this socket now.
    Full {
        /// When to come back, in seconds.
        retry_after_s: u64,
    },
    /// Too many requests.
    RateLimited {
        /// When to come back, in seconds.
        retry_after_s: u64,
    },
    /// The body is above the limit.
    TooLarge,
    /// The client takes no JSON.
    NotAcceptable,
    /// Nothing is served at that path on this port.
    NoSuchPath,
    /// The path is known, with another method.
    MethodNotAllowed,
    /// A message type this backend does not serve.
    InvalidRequestType,
    /// A message whose envelope or payload does not read.
    BadParam,
    /// A token of somebody else, or of another backend, for a session.
    TokenMismatch,
    /// The call needs a session, and there is none over HTTP.
    SessionNotFound,
    /// A tag cannot be called so, or there are too many.
    TagValidation,
    /// Another player group has this name.
    GroupNameCollision,
    /// A player group cannot be so, or there is none with this id.
    GroupValidation,
    /// A player group is still used.
    GroupCouldNotRemove,
    /// A search for everything.
    MissingFilter,
    /// There is no such game shard.
    GameShardInvalid,
    /// There is no such limited access event.
    EventNotFound,
    /// A request about data of this kind is not done yet.
    DataRequestInProgress,
    /// A request about data is of another kind or over.
    DataRequestUnexpected,
    /// There is no such request about data.
    DataRequestNotFound,
    /// An operator's wish that the state of things does not allow.
    Conflict,
    /// What an operator names is not there.
    NotThere,
}

/// A row: HTTP status, service status, error name.
type Row = (u16, &'static str, Name);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Name {
    /// A name of the platform.
    #[serde(rename = "error")]
    Platform(&'static str),
    /// A name outside the platform's table.
    #[serde(rename = "extError")]
    Extension(&'static str),
}

impl Fault {
    const fn row(self) -> Row {
        use Name::{Extension, Platform};
        const SERVICE: &str = "SERVICE_ERROR";
        const PARAM: &str = "BAD_PARAM";
        match self {
            Self::BadRequest => (400, SERVICE, Platform("AccountService_BadRequest")),
            Self::InvalidIdProvider => (400, SERVICE, Platform("AccountService_InvalidIdProvider")),
            Self::IdProviderMissing => (400, SERVICE, Platform("AccountService_IdProviderMissing")),
            Self::Unauthorized => (401, SERVICE, Platform("AccountService_Unauthorized")),
            Self::Forbidden => (403, SERVICE, Platform("AccountService_Unauthorized")),
            Self::RefusedByHook => (403, SERVICE, Extension("REFUSED_BY_HOOK")),
            Self::Unverified => (403, SERVICE, Platform("AccountService_Unverified")),
            Self::IdProviderSilent => {
                (502, SERVICE, Platform("AccountService_IdProviderUnexpectedResponse"))
            }
            Self::TokenExpired => (401, SERVICE, Platform("AccountService_TokenExpired")),
            Self::TokenSignature => {
                (401, SERVICE, Platform("AccountService_TokenSignatureVerificationFailed"))
            }
            Self::TokenDecode => (401, SERVICE, Platform("AccountService_TokenDecodeFailed")),
            Self::JwtKeyNotFound => (401, SERVICE, Platform("AccountService_JwtKeyNotFound")),
            Self::WrongSessionType => {
                (403, "BAD_SESSION", Platform("SessionService_WrongSessionType"))
            }
            Self::WrongShard => (403, SERVICE, Platform("GameManagementService_GameShardInvalid")),
            Self::ShardNotFound | Self::AccountNotFound => {
                (404, SERVICE, Platform("AccountService_NotFound"))
            }
            Self::UnknownAccount => (403, SERVICE, Platform("AccountService_NotFound")),
            Self::AlreadyExists => (409, SERVICE, Platform("AccountService_AlreadyExists")),
            Self::RanOutOfDiscriminators => {
                (500, SERVICE, Platform("AccountService_RanOutOfDiscriminators"))
            }
            Self::Internal => (500, "INTERNAL_ERROR", Platform("AccountService_Error")),
            Self::Unavailable => (503, SERVICE, Platform("Service_OperatingError")),
            Self::Full { .. } => (503, SERVICE, Platform("SessionService_SessionUnavailable")),
            Self::RateLimited { .. } => (429, SERVICE, Extension("RATE_LIMITED")),
            Self::TooLarge => (413, PARAM, Extension("REQUEST_TOO_LARGE")),
            Self::NotAcceptable => (406, PARAM, Extension("NOT_ACCEPTABLE")),
            Self::NoSuchPath => (404, PARAM, Extension("NOT_FOUND")),
            Self::MethodNotAllowed => (405, PARAM, Extension("METHOD_NOT_ALLOWED")),
            Self::InvalidRequestType => (400, PARAM, Extension("INVALID_REQUEST_TYPE")),
            Self::BadParam => (400, PARAM, Extension("INVALID_REQUEST")),
            Self::TokenMismatch => {
                (403, SERVICE, Platform("SessionService_TokenDoesNotMatchCurrentSession"))
            }
            Self::SessionNotFound => {
                (404, "BAD_SESSION", Platform("SessionService_SessionNotFound"))
            }
            _ => {
                let (status, name) = self.service_row();
                (status, SERVICE, name)
            }
        }
    }

    /// The rows of linking and of operators' and game servers' calls: all refusals by a service.
    const fn service_row(self) -> (u16, Name) {
        use Name::{Extension, Platform};
        match self {
            Self::IdProviderAuthenticationDisabled => {
                (403, Platform("AccountService_IdProviderAuthenticationDisabled"))
            }
            Self::IdProviderLinkingDisabled => {
                (403, Platform("AccountService_IdProviderLinkingDisabled"))
            }
            Self::IdProviderUnlinkingDisabled => (403, Extension("ID_PROVIDER_UNLINKING_DISABLED")),
            Self::IdProviderAlreadyAssociated => {
                (409, Platform("AccountService_IdProviderAlreadyAssociated"))
            }
            Self::AccountAlreadyBound => {
                (409, Platform("AccountService_AccountAlreadyBoundToProviderType"))
            }
            Self::DuplicateIdProvider => (400, Platform("AccountService_DuplicateIdProvider")),
            Self::LinkOneAssociationOnly => (409, Extension("LINK_ONE_ASSOCIATION_ONLY")),
            Self::LinkCooldown => (409, Extension("LINK_COOLDOWN")),
            Self::CannotUnlinkOnlyIdProvider => {
                (409, Platform("AccountService_CannotUnlinkOnlyIdProvider"))
            }
            Self::NoMail => (501, Platform("AccountService_EmailSenderRequestError")),
            Self::DisplayNameUpdateNotAllowed => {
                (403, Platform("AccountService_DisplayNameUpdateNotAllowed"))
            }
            Self::TagValidation => (400, Platform("AccountService_AccountTagValidation")),
            Self::GroupNameCollision => (409, Platform("AccountService_PlayerGroupNameCollision")),
            Self::GroupValidation => (400, Platform("AccountService_PlayerGroupValidation")),
            Self::GroupCouldNotRemove => {
                (409, Platform("AccountService_PlayerGroupCouldNotRemove"))
            }
            Self::MissingFilter => (400, Platform("AccountService_MissingFilter")),
            Self::GameShardInvalid => (404, Platform("GameManagementService_GameShardInvalid")),
            Self::EventNotFound => {
                (404, Platform("GameManagementService_LimitedAccessEventNotFound"))
            }
            Self::DataRequestInProgress => {
                (409, Platform("DataRightsService_RequestAlreadyInProgress"))
            }
            Self::DataRequestUnexpected => {
                (400, Platform("DataRightsService_UnexpectedRequestType"))
            }
            Self::DataRequestNotFound => (404, Platform("DataRightsService_RequestNotFound")),
            Self::Conflict => (409, Extension("CONFLICT")),
            _ => (404, Extension("NOT_FOUND")),
        }
    }

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The error's name on the wire.
    pub const fn name(self) -> &'static str {
        match self.row().2 {
            Name::Platform(name) | Name::Extension(name) => name,
        }
    }

    /// The `serviceError` object that answers request `request_id`; `details` are for developers
    /// and stay empty in production.
    pub(super) fn object(
        self,
        request_id: i64,
        trace: Uuid,
        details: &[String],
    ) -> serde_json::Value {
        let (_, status, name) = self.row();
        let (member, name) = match name {
            Name::Platform(name) => ("error", name),
            Name::Extension(name) => ("extError", name),
        };
        serde_json::json!({
            "requestId": request_id, "status": status, member: name,
            "traceId": trace, "debugDetails": details,
        })
    }

    /// Body of a plain endpoint that refuses.
    fn body(self, trace: Uuid) -> String {
        serde_json::json!({"serviceError": self.object(0, trace, &[])}).to_string()
    }

    const fn retry_after_s(self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_s } | Self::Full { retry_after_s } => {
                Some(retry_after_s)
            }
            Self::Unavailable => Some(1),
            _ => None,
        }
    }

    /// The answer of a plain endpoint.
    pub fn response(self, trace: Uuid) -> HttpResponse {
        let status =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static(JSON)));
        if let Some(seconds) = self.retry_after_s() {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.body(self.body(trace))
    }

    /// The answer to a handshake.
    pub fn denied(self, trace: Uuid) -> Denied {
        let headers = self.retry_after_s().map(|seconds| ("retry-after", seconds.to_string()));
        Denied {
            status: self.status(),
            content_type: JSON,
            body: self.body(trace),
            headers: headers.into_iter().collect(),
        }
    }
}

impl From<TicketError> for Fault {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::Decode => Self::TokenDecode,
            TicketError::KeyNotFound => Self::JwtKeyNotFound,
            TicketError::Signature => Self::TokenSignature,
            TicketError::Expired => Self::TokenExpired,
        }
    }
}

impl From<PlayerTokenError> for Fault {
    fn from(error: PlayerTokenError) -> Self {
        match error {
            PlayerTokenError::Decode => Self::TokenDecode,
            PlayerTokenError::KeyNotFound => Self::JwtKeyNotFound,
            PlayerTokenError::Signature => Self::TokenSignature,
            PlayerTokenError::Expired => Self::TokenExpired,
        }
    }
}

impl From<PassRefused> for Fault {
    fn from(refused: PassRefused) -> Self {
        match refused {
            PassRefused::Expired => Self::TokenExpired,
            PassRefused::StillWaiting | PassRefused::InUse | PassRefused::Unknown => {
                Self::Unauthorized
            }
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Banned => Self::Forbidden,
            Refusal::PassUsed | Refusal::WrongPassword => Self::Unauthorized,
            Refusal::NoAccount => Self::AccountNotFound,
            Refusal::NoDiscriminator => Self::RanOutOfDiscriminators,
            Refusal::UsernameTaken => Self::Internal,
            Refusal::Office(refusal) => refusal.into(),
            Refusal::Realm(refusal) => refusal.into(),
            Refusal::LinkTaken(_) => Self::IdProviderAlreadyAssociated,
            Refusal::AlreadyBound(_) => Self::AccountAlreadyBound,
            Refusal::OneAssociation(_) => Self::LinkOneAssociationOnly,
            Refusal::LinkCooldown(_) => Self::LinkCooldown,
            Refusal::CannotUnlink(_) => Self::CannotUnlinkOnlyIdProvider,
            Refusal::DisplayNameFixed => Self::DisplayNameUpdateNotAllowed,
            _ => Self::BadRequest,
        }
    }
}

impl From<CallError> for Fault {
    fn from(_: CallError) -> Self {
        Self::Unavailable
    }
}

impl From<SignInError> for Fault {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(refusal) => refusal.into(),
            SignInError::Pass(refused) => refused.into(),
            SignInError::Busy { retry_after_s } => {
                Self::RateLimited { retry_after_s: retry_after_s.into() }
            }
            SignInError::Wait(standing) => {
                let ms = match standing {
                    Standing::Waiting(waiting) => waiting.poll_after_ms,
                    Standing::Refused { retry_after_ms, .. } => retry_after_ms,
                    Standing::Passed { .. } | Standing::HoldsSlot => 1_000,
                };
                Self::RateLimited { retry_after_s: ms.div_ceil(1_000).max(1) }
            }
            SignInError::Identity(IdentityError::Refused(..)) => Self::Unauthorized,
            SignInError::Identity(IdentityError::Unverified(..)) => Self::Unverified,
            SignInError::Identity(IdentityError::NotConfigured(_)) => Self::IdProviderMissing,
            SignInError::Identity(IdentityError::Unavailable(..)) => Self::IdProviderSilent,
            SignInError::Hook(HookError::Refused(_)) => Self::RefusedByHook,
            SignInError::Hook(HookError::Unavailable(_))
            | SignInError::Call(CallError::Overloaded | CallError::NoAnswer) => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::Closed;

    #[test]
    fn the_table_has_the_statuses_and_names_of_the_protocol() {
        for (fault, status, name) in [
            (Fault::BadRequest, 400, "AccountService_BadRequest"),
            (Fault::InvalidIdProvider, 400, "AccountService_InvalidIdProvider"),
            (Fault::IdProviderMissing, 400, "AccountService_IdProviderMissing"),
            (Fault::Unauthorized, 401, "AccountService_Unauthorized"),
            (TicketError::Expired.into(), 401, "AccountService_TokenExpired"),
            (TicketError::Decode.into(), 401, "AccountService_TokenDecodeFailed"),
            (TicketError::KeyNotFound.into(), 401, "AccountService_JwtKeyNotFound"),
            (TicketError::Signature.into(), 401, "AccountService_TokenSignatureVerificationFailed"),
            (Refusal::Banned.into(), 403, "AccountService_Unauthorized"),
            (Fault::RefusedByHook, 403, "REFUSED_BY_HOOK"),
            (Fault::ShardNotFound, 404, "AccountService_NotFound"),
            (Refusal::NoDiscriminator.into(), 500, "AccountService_RanOutOfDiscriminators"),
            (CallError::NoAnswer.into_fault(), 503, "Service_OperatingError"),
        ] {
            assert_eq!((fault.status(), fault.name()), (status, name));
        }
    }

    trait IntoFault {
        fn into_fault(self) -> Fault;
    }

    impl IntoFault for CallError {
        fn into_fault(self) -> Fault {
            SignInError::Call(self).into()
        }
    }

    #[test]
    fn a_refusal_has_the_shape_of_a_service_error_and_exactly_one_name() {
        let body = Fault::Unauthorized.body(Uuid::from_u128(9));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expected = serde_json::json!({"serviceError": {
            "requestId": 0, "status": "SERVICE_ERROR", "error": "AccountService_Unauthorized",
            "traceId": "00000000-0000-0000-0000-000000000009", "debugDetails": [],
        }});
        assert_eq!(body, expected);
        let extension = Fault::InvalidRequestType.object(7, Uuid::nil(), &[]);
        assert_eq!(extension["extError"], "INVALID_REQUEST_TYPE");
        assert_eq!(extension["status"], "BAD_PARAM");
        assert!(extension.get("error").is_none());
    }

    #[test]
    fn whoever_may_come_back_is_told_when() {
        let busy = Fault::from(SignInError::Busy { retry_after_s: 3 }).response(Uuid::nil());
        assert_eq!(busy.status(), 429);
        assert_eq!(busy.headers().get(RETRY_AFTER).unwrap(), "3");
        let full = Fault::from(SignInError::Wait(Standing::Refused {
            why: Closed::Full,
            retry_after_ms: 1_001,
        }));
        assert_eq!(full, Fault::RateLimited { retry_after_s: 2 });
        let denied = Fault::Full { retry_after_s: 9 }.denied(Uuid::nil());
        assert_eq!((denied.status, denied.headers), (503, vec![("retry-after", "9".to_owned())]));
    }
}
