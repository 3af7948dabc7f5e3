//! Nakama's errors: every refusal in every context with its code and exact words, in one place; for
//! requests whose form is wrong see [`words`].
//!
//! The words are matched on by clients: they change only with the protocol note (§§1 to 6).

pub mod words;

use std::borrow::Cow;

use crate::actors::CallError;
use crate::domain::account::update::Field;
use crate::domain::account::{LinkKind, Refusal};
use crate::domain::queue::PassRefused;
use crate::identity::IdentityError;
use crate::signin::{HookError, SignInError};

use super::waiting::{self, QueueNote};

/// gRPC status numbers, as they stand in `code` (protocol-nakama §0.4).
pub mod code {
    /// The request cannot be right.
    pub const INVALID_ARGUMENT: u8 = 3;
    /// It took too long.
    pub const DEADLINE_EXCEEDED: u8 = 4;
    /// No such thing.
    pub const NOT_FOUND: u8 = 5;
    /// Somebody else has it.
    pub const ALREADY_EXISTS: u8 = 6;
    /// Known, and not allowed.
    pub const PERMISSION_DENIED: u8 = 7;
    /// Too much, or too many: come back.
    pub const RESOURCE_EXHAUSTED: u8 = 8;
    /// Not in this state. HTTP 400, not 412.
    pub const FAILED_PRECONDITION: u8 = 9;
    /// Lost against a request at the same time.
    pub const ABORTED: u8 = 10;
    /// Not offered. HTTP 501.
    pub const UNIMPLEMENTED: u8 = 12;
    /// The server's fault.
    pub const INTERNAL: u8 = 13;
    /// Not now. HTTP 503, the only one SDKs repeat by themselves besides 500, 502 and 504.
    pub const UNAVAILABLE: u8 = 14;
    /// Not proven who is asking.
    pub const UNAUTHENTICATED: u8 = 16;
}

/// The HTTP status of a gRPC status number (§0.4).
pub const fn http_status(code: u8) -> u16 {
    match code {
        0 => 200,
        1 => 499,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    }
}

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// gRPC status number.
    pub code: u8,
    /// HTTP status; the one of `code` but for oversized headers.
    pub status: u16,
    /// What the caller reads.
    pub message: Cow<'static, str>,
    /// When to come back, in seconds.
    pub retry_after_s: Option<u64>,
    /// Where the caller stands in line.
    pub queue: Option<Box<QueueNote>>,
}

impl Failure {
    /// A failure with the HTTP status that goes with `code`.
    pub fn new(code: u8, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { code, status: http_status(code), message, retry_after_s: None, queue: None }
    }

    /// 3/400.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(code::INVALID_ARGUMENT, message)
    }

    /// 16/401.
    pub fn unauthenticated(message: &'static str) -> Self {
        Self::new(code::UNAUTHENTICATED, message)
    }

    /// The same, telling when to come back.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The body is larger than taken (§0.5).
    pub fn body_too_large() -> Self {
        Self::invalid("http: request body too large")
    }

    /// The headers are larger than taken (§0.5).
    pub fn headers_too_large() -> Self {
        let failure = Self::invalid("Request header fields too large");
        Self { status: 431, ..failure }
    }

    /// No such path (§0.4).
    pub fn unknown_path() -> Self {
        Self::new(code::NOT_FOUND, "Not Found")
    }

    /// The path is known, the method is not (§0.4): 501, not 405.
    pub fn wrong_method() -> Self {
        Self::new(code::UNIMPLEMENTED, "Method Not Allowed")
    }

    /// A call of Nakama's that is not offered here.
    pub fn not_built() -> Self {
        Self::new(code::UNIMPLEMENTED, "Not implemented by this server")
    }

    /// The call took longer than any may (§0.5).
    pub fn too_late() -> Self {
        Self::new(code::DEADLINE_EXCEEDED, "The server took too long to answer.")
    }

    /// The pass a client brought is forged, expired or of another line.
    pub fn bad_pass() -> Self {
        Self::new(code::FAILED_PRECONDITION, "Login queue pass invalid or expired.")
    }

    /// The row of an unfinished call: overloaded is 8/429, no answer is 14/503. Both may be asked
    /// again.
    pub fn from_call(error: CallError) -> Self {
        match error {
            CallError::Overloaded => {
                Self::new(code::RESOURCE_EXHAUSTED, "Too many requests. Try again in 1 s.")
            }
            CallError::NoAnswer => {
                Self::new(code::UNAVAILABLE, "The server could not answer in time. Try again.")
            }
        }
        .retry_after(1)
    }
}

/// Which call was refused: the same refusal has other words in another call (§2.5 to §2.7, §3.4,
/// §4.3, §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// `authenticate/*`.
    Authenticate,
    /// `link/*`.
    Link(LinkKind),
    /// `unlink/*`.
    Unlink(LinkKind),
    /// `session/refresh`.
    Refresh,
    /// `session/logout`.
    Logout,
    /// The caller's own account: change, delete.
    Account,
    /// `friend`, `friend/block`.
    Friends,
    /// `friend/facebook`, `friend/steam`.
    Import(LinkKind),
    /// `notification`.
    Notifications,
}

/// The answer to a use case that failed in `context`.
pub fn failure(context: Context, error: SignInError) -> Failure {
    match error {
        SignInError::Refused(refusal) => refused(context, &refusal),
        SignInError::Wait(standing) => waiting::failure(&standing),
        SignInError::Pass(refused) => pass_refused(refused),
        SignInError::Busy { retry_after_s } => {
            let message = format!("Too many requests. Try again in {retry_after_s} s.");
            Failure::new(code::RESOURCE_EXHAUSTED, message).retry_after(retry_after_s.into())
        }
        SignInError::Call(error) => Failure::from_call(error),
        SignInError::Identity(error) => identity(&error),
        SignInError::Hook(error) => hook(error),
    }
}

/// The answer when a hook refused, in its own words, or was silent (§2.17).
fn hook(error: HookError) -> Failure {
    match error {
        HookError::Refused(message) => Failure::new(code::PERMISSION_DENIED, message),
        HookError::Unavailable(_) => {
            Failure::new(code::UNAVAILABLE, words::HOOK_SILENT).retry_after(5)
        }
    }
}

/// The answer when an identity provider did not confirm (§2.10 to §2.15).
pub fn identity(error: &IdentityError) -> Failure {
    match error {
        IdentityError::NotConfigured(kind) => {
            let message = format!("{} authentication is not configured.", provider(*kind));
            Failure::new(code::FAILED_PRECONDITION, message)
        }
        IdentityError::Refused(kind, _) | IdentityError::Unverified(kind, _) => {
            let message = format!("Could not authenticate {} profile.", provider(*kind));
            Failure::new(code::UNAUTHENTICATED, message)
        }
        IdentityError::Unavailable(kind, _) => {
            let message = format!("{} could not be asked. Try again.", provider(*kind));
            Failure::new(code::UNAVAILABLE, message).retry_after(5)
        }
    }
}

/// A provider as Nakama's messages write it.
const fn provider(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Device => "Device",
        LinkKind::Custom => "Custom",
        LinkKind::Email => "Email",
        LinkKind::Unsafe => "Unsafe",
        LinkKind::Apple => "Apple",
        LinkKind::Facebook => "Facebook",
        LinkKind::FacebookInstantGame => "Facebook Instant Game",
        LinkKind::GameCenter => "GameCenter",
        LinkKind::Google => "Google",
        LinkKind::Steam => "Steam",
        LinkKind::Xbox => "Xbox",
        LinkKind::PlayStation => "PlayStation",
        LinkKind::Nintendo => "Nintendo",
        LinkKind::Epic => "Epic",
        LinkKind::Discord => "Discord",
        LinkKind::Twitch => "Twitch",
        LinkKind::Okta => "Okta",
        LinkKind::Auth0 => "Auth0",
        LinkKind::GoogleWorkspace => "Google Workspace",
        LinkKind::Studio(_) => "Studio",
    }
}

/// The answer to a rule's refusal in `context`.
pub fn refused(context: Context, refusal: &Refusal) -> Failure {
    let (code, message) = row(context, refusal);
    Failure::new(code, message)
}

/// The answer to a pass that is not good (any more).
pub fn pass_refused(refused: PassRefused) -> Failure {
    match refused {
        PassRefused::StillWaiting => {
            Failure::new(code::RESOURCE_EXHAUSTED, "This place in line has not been admitted yet.")
                .retry_after(5)
        }
        PassRefused::InUse => {
            Failure::new(code::ABORTED, "Login queue pass is being used.").retry_after(1)
        }
        PassRefused::Expired | PassRefused::Unknown => Failure::bad_pass(),
    }
}

/// The table.
fn row(context: Context, refusal: &Refusal) -> (u8, Cow<'static, str>) {
    use code::{ALREADY_EXISTS, FAILED_PRECONDITION, INTERNAL, INVALID_ARGUMENT};
    let (code, message) = match refusal {
        Refusal::IdMissing(kind) => (INVALID_ARGUMENT, id_missing(context, *kind)),
        Refusal::IdCharacters(kind) => (INVALID_ARGUMENT, id_characters(context, *kind)),
        Refusal::IdLength(kind) => (INVALID_ARGUMENT, id_length(context, *kind)),
        Refusal::EmailFormat => (INVALID_ARGUMENT, "Invalid email address format."),
        Refusal::PasswordShort => {
            (INVALID_ARGUMENT, "Password must be at least 8 characters long.")
        }
        Refusal::PasswordLong => (INVALID_ARGUMENT, "Password is too long."),
        Refusal::PasswordCommon => {
            (INVALID_ARGUMENT, "Password is too common. Choose another one.")
        }
        Refusal::UsernameMissing => {
            (INVALID_ARGUMENT, "Username is required when email address is not supplied.")
        }
        Refusal::UsernameCharacters => {
            (INVALID_ARGUMENT, "Username invalid, no spaces or control characters allowed.")
        }
        Refusal::UsernameLength => (INVALID_ARGUMENT, "Username invalid, must be 1-128 bytes."),
        Refusal::UsernameTaken => (ALREADY_EXISTS, "Username is already in use."),
        Refusal::NoAccount => match context {
            Context::Link(kind) => return link_taken(context, kind),
            _ => no_account(context),
        },
        Refusal::WrongPassword => (code::UNAUTHENTICATED, "Invalid credentials."),
        Refusal::Banned => (code::PERMISSION_DENIED, "User account banned."),
        Refusal::LinkTaken(kind) => return link_taken(context, *kind),
        Refusal::AlreadyBound(kind) | Refusal::OneAssociation(kind) => {
            let message = format!("Another {} ID cannot be linked.", provider(*kind));
            return (FAILED_PRECONDITION, message.into());
        }
        Refusal::LinkCooldown(kind) => {
            let message = format!("{} ID cannot be linked yet.", provider(*kind));
            return (FAILED_PRECONDITION, message.into());
        }
        Refusal::DisplayName => (INVALID_ARGUMENT, "Display name is invalid."),
        Refusal::DisplayNameFixed => (FAILED_PRECONDITION, "Display name cannot be changed now."),
        Refusal::TooManyLinks(_) => {
            (FAILED_PRECONDITION, "Too many devices are linked to this account.")
        }
        // Asked for by clients of Pragma's alone.
        Refusal::Friend(_) => (FAILED_PRECONDITION, "Friend could not be changed."),
        Refusal::TooManyFriends => (FAILED_PRECONDITION, "Too many friends."),
        Refusal::CannotUnlink(_) => CANNOT_UNLINK,
        Refusal::PassUsed => (FAILED_PRECONDITION, "Login queue pass was already used."),
        Refusal::NoDiscriminator => (INTERNAL, "Error finding or creating user account."),
        Refusal::Overtaken => (code::ABORTED, "The account changed meanwhile. Try again."),
        Refusal::NothingToUpdate => (INVALID_ARGUMENT, "No fields to update."),
        Refusal::FieldLength(field) => {
            let least = u8::from(*field == Field::LangTag);
            let message =
                format!("Invalid {}, must be {least}-{} characters.", field.name(), field.max());
            return (INVALID_ARGUMENT, message.into());
        }
        Refusal::NobodyNamed => (INVALID_ARGUMENT, "No valid ID or username was provided."),
        Refusal::RefreshReused => (code::UNAUTHENTICATED, words::REFRESH_INVALID),
        Refusal::Office(_) | Refusal::Realm(_) => {
            (FAILED_PRECONDITION, "The account is an operator's and cannot go.")
        }
    };
    (code, message.into())
}

const CANNOT_UNLINK: (u8, &str) = (
    code::PERMISSION_DENIED,
    "Cannot unlink last account identifier. Check profile exists and is not last link.",
);

/// §2.4, §3.4; §4.6 words a lost account as if the link were at fault. For linking see
/// [`link_taken`].
const fn no_account(context: Context) -> (u8, &'static str) {
    match context {
        Context::Unlink(_) => CANNOT_UNLINK,
        _ => (code::NOT_FOUND, "User account not found."),
    }
}

/// §4.3; lost creation races at sign-in are decided again by the registry and never show.
fn link_taken(context: Context, kind: LinkKind) -> (u8, Cow<'static, str>) {
    if context == Context::Authenticate {
        return (code::INTERNAL, "Error finding or creating user account.".into());
    }
    let message = match kind {
        LinkKind::Device => "Device ID already in use.".into(),
        LinkKind::Email => "Email is already in use.".into(),
        kind => format!("{} ID is already in use.", provider(kind)).into(),
    };
    (code::ALREADY_EXISTS, message)
}

const fn id_missing(context: Context, kind: LinkKind) -> &'static str {
    match (context, kind) {
        (Context::Unlink(_), LinkKind::Device) => "A device ID must be supplied.",
        (Context::Import(_), LinkKind::Facebook) => "Facebook token is required.",
        (Context::Import(_), LinkKind::Steam) => "Steam token is required.",
        (_, LinkKind::Device) => "Device ID is required.",
        (_, LinkKind::Custom) => "Custom ID is required.",
        (_, LinkKind::Email) => "Email address and password is required.",
        (_, LinkKind::Apple) => "Apple ID token is required.",
        (_, LinkKind::Facebook) => "Facebook access token is required.",
        (_, LinkKind::FacebookInstantGame) => {
            "Signed Player Info for a Facebook Instant Game is required."
        }
        (_, LinkKind::GameCenter) => "GameCenter access credentials are required.",
        (_, LinkKind::Google) => "Google access token is required.",
        (_, LinkKind::Steam) => "Steam access token is required.",
        _ => "Identifier is required.",
    }
}

const fn id_characters(context: Context, kind: LinkKind) -> &'static str {
    match (context, kind) {
        (_, LinkKind::Device) => "Device ID invalid, no spaces or control characters allowed.",
        (Context::Link(_), LinkKind::Custom) => {
            "Invalid custom ID, no spaces or control characters allowed."
        }
        (_, LinkKind::Custom) => "Custom ID invalid, no spaces or control characters allowed.",
        (_, LinkKind::Email) => "Invalid email address, no spaces or control characters allowed.",
        _ => "Identifier invalid, no spaces or control characters allowed.",
    }
}

const fn id_length(context: Context, kind: LinkKind) -> &'static str {
    match (context, kind) {
        (_, LinkKind::Device) => "Device ID invalid, must be 10-128 bytes.",
        (Context::Link(_), LinkKind::Custom) => "Invalid custom ID, must be 6-128 bytes.",
        (_, LinkKind::Custom) => "Custom ID invalid, must be 6-128 bytes.",
        (_, LinkKind::Email) => "Invalid email address, must be 10-255 bytes.",
        _ => "Identifier has a wrong length.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grpc_number_has_its_http_status() {
        let expected =
            [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
        for (code, status) in (0..).zip(expected) {
            assert_eq!(http_status(code), status, "{code}");
        }
    }

    #[test]
    fn refusals_have_the_words_clients_match_on() {
        use LinkKind::{Custom, Device, Email};
        let sign_in = Context::Authenticate;
        let table = [
            (sign_in, Refusal::IdMissing(Device), 3, "Device ID is required."),
            (sign_in, Refusal::IdLength(Device), 3, "Device ID invalid, must be 10-128 bytes."),
            (
                sign_in,
                Refusal::IdCharacters(Custom),
                3,
                "Custom ID invalid, no spaces or control characters allowed.",
            ),
            (sign_in, Refusal::IdLength(Custom), 3, "Custom ID invalid, must be 6-128 bytes."),
            (
                Context::Link(Custom),
                Refusal::IdCharacters(Custom),
                3,
                "Invalid custom ID, no spaces or control characters allowed.",
            ),
            (
                Context::Link(Custom),
                Refusal::IdLength(Custom),
                3,
                "Invalid custom ID, must be 6-128 bytes.",
            ),
            (sign_in, Refusal::NoAccount, 5, "User account not found."),
            (Context::Refresh, Refusal::NoAccount, 5, "User account not found."),
            (Context::Link(Device), Refusal::NoAccount, 6, "Device ID already in use."),
            (Context::Link(Email), Refusal::LinkTaken(Email), 6, "Email is already in use."),
            (Context::Link(Custom), Refusal::LinkTaken(Custom), 6, "Custom ID is already in use."),
            (
                Context::Unlink(Device),
                Refusal::IdMissing(Device),
                3,
                "A device ID must be supplied.",
            ),
            (
                Context::Unlink(Email),
                Refusal::CannotUnlink(Email),
                7,
                "Cannot unlink last account identifier. Check profile exists and is not last link.",
            ),
            (
                Context::Import(LinkKind::Steam),
                Refusal::IdMissing(LinkKind::Steam),
                3,
                "Steam token is required.",
            ),
            (sign_in, Refusal::UsernameTaken, 6, "Username is already in use."),
            (sign_in, Refusal::Banned, 7, "User account banned."),
            (sign_in, Refusal::WrongPassword, 16, "Invalid credentials."),
        ];
        for (context, refusal, code, message) in table {
            let failure = refused(context, &refusal);
            assert_eq!((failure.code, &*failure.message), (code, message), "{context:?}");
            assert_eq!(failure.status, http_status(code));
        }
    }

    #[test]
    fn what_may_be_asked_again_says_when() {
        let busy = SignInError::Busy { retry_after_s: 7 };
        let failure = super::failure(Context::Authenticate, busy);
        assert_eq!((failure.status, failure.retry_after_s), (429, Some(7)));
        let silent = Failure::from_call(CallError::NoAnswer);
        assert_eq!((silent.code, silent.status, silent.retry_after_s), (14, 503, Some(1)));
    }
}
