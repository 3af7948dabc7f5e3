//! Every refusal of Pragma's protocol, for people (`docs/reference/errors.md`).

use crate::observe::errors::{Advice, WireError};

const fn row(status: u16, name: &'static str, meaning: &'static str, advice: Advice) -> WireError {
    WireError { name, status, meaning, advice }
}

/// Every error's name with its status.
pub const ALL: &[WireError] = &[
    row(
        400,
        "AccountService_BadRequest",
        "not JSON, or a member is missing or of a wrong type; a name or identifier that is none",
        Advice::MendCall,
    ),
    row(400, "AccountService_InvalidIdProvider", "a provider that nobody knows", Advice::MendCall),
    row(
        400,
        "AccountService_IdProviderMissing",
        "the provider is not configured here",
        Advice::TellOperator,
    ),
    row(
        400,
        "AccountService_DuplicateIdProvider",
        "a link of a provider to itself",
        Advice::MendCall,
    ),
    row(
        400,
        "AccountService_AccountTagValidation",
        "a tag cannot be called so, or there are too many",
        Advice::MendCall,
    ),
    row(
        400,
        "AccountService_PlayerGroupValidation",
        "a group cannot be so, or there is none with this id",
        Advice::MendCall,
    ),
    row(400, "AccountService_MissingFilter", "a search for everything", Advice::MendCall),
    row(
        400,
        "DataRightsService_UnexpectedRequestType",
        "the request about data is of another kind, or over",
        Advice::LookAgain,
    ),
    row(400, "INVALID_REQUEST", "the envelope or the payload does not read", Advice::MendCall),
    row(400, "INVALID_REQUEST_TYPE", "a message that is not served here", Advice::MendCall),
    row(
        401,
        "AccountService_Unauthorized",
        "not proven who it is; a pass that is not good, or another player's",
        Advice::SignIn,
    ),
    row(
        401,
        "AccountService_TokenExpired",
        "the token, ticket or pass is over: enter the line anew for the latter two",
        Advice::SignIn,
    ),
    row(
        401,
        "AccountService_TokenSignatureVerificationFailed",
        "a token with a wrong signature",
        Advice::SignIn,
    ),
    row(401, "AccountService_TokenDecodeFailed", "not a token", Advice::SignIn),
    row(
        401,
        "AccountService_JwtKeyNotFound",
        "a token by a key that is not (any longer) known",
        Advice::SignIn,
    ),
    row(
        403,
        "AccountService_Unauthorized",
        "banned, not let in, or without the permission",
        Advice::TellPerson,
    ),
    row(
        403,
        "AccountService_Unverified",
        "the account is yet to be verified at the provider",
        Advice::TellPerson,
    ),
    row(
        403,
        "AccountService_NotFound",
        "the web portal knows no account of that identity",
        Advice::TellPerson,
    ),
    row(
        403,
        "AccountService_IdProviderAuthenticationDisabled",
        "the provider is not for sign-ins at this gateway",
        Advice::TellPerson,
    ),
    row(
        403,
        "AccountService_IdProviderLinkingDisabled",
        "the provider may not be linked",
        Advice::TellPerson,
    ),
    row(
        403,
        "AccountService_DisplayNameUpdateNotAllowed",
        "the display name may not be changed, or not yet",
        Advice::TellPerson,
    ),
    row(
        403,
        "ID_PROVIDER_UNLINKING_DISABLED",
        "players may not unlink the provider",
        Advice::TellPerson,
    ),
    row(403, "REFUSED_BY_HOOK", "the studio's own service says no", Advice::TellPerson),
    row(
        403,
        "GameManagementService_GameShardInvalid",
        "a token for another game shard",
        Advice::SignIn,
    ),
    row(
        403,
        "SessionService_WrongSessionType",
        "a token of another type than this gateway's",
        Advice::MendCall,
    ),
    row(
        403,
        "SessionService_TokenDoesNotMatchCurrentSession",
        "the token is of somebody else, or of another backend",
        Advice::SignIn,
    ),
    row(404, "AccountService_NotFound", "no such account, or no such shard", Advice::TellPerson),
    row(404, "SessionService_SessionNotFound", "the call needs a socket", Advice::MendCall),
    row(404, "GameManagementService_GameShardInvalid", "there is no such shard", Advice::MendCall),
    row(
        404,
        "GameManagementService_LimitedAccessEventNotFound",
        "there is no such event",
        Advice::LookAgain,
    ),
    row(
        404,
        "DataRightsService_RequestNotFound",
        "there is no such request about data",
        Advice::LookAgain,
    ),
    row(
        404,
        "NOT_FOUND",
        "nothing is at this path on this port; what is named is not there",
        Advice::MendCall,
    ),
    row(405, "METHOD_NOT_ALLOWED", "the path is known, with another method", Advice::MendCall),
    row(406, "NOT_ACCEPTABLE", "the client takes no JSON", Advice::MendCall),
    row(409, "AccountService_AlreadyExists", "the account is there already: sign in", Advice::GoOn),
    row(
        409,
        "AccountService_IdProviderAlreadyAssociated",
        "the provider's account is another player's",
        Advice::TellPerson,
    ),
    row(
        409,
        "AccountService_AccountAlreadyBoundToProviderType",
        "another account of the provider is linked",
        Advice::TellPerson,
    ),
    row(
        409,
        "AccountService_CannotUnlinkOnlyIdProvider",
        "it is the last way to sign in",
        Advice::TellPerson,
    ),
    row(
        409,
        "AccountService_PlayerGroupNameCollision",
        "another group has this name",
        Advice::LookAgain,
    ),
    row(
        409,
        "AccountService_PlayerGroupCouldNotRemove",
        "the group is still used",
        Advice::LookAgain,
    ),
    row(
        409,
        "LINK_ONE_ASSOCIATION_ONLY",
        "only the account that was linked before may be linked",
        Advice::TellPerson,
    ),
    row(409, "LINK_COOLDOWN", "too soon for another account of the provider", Advice::TellPerson),
    row(
        409,
        "DataRightsService_RequestAlreadyInProgress",
        "a request of this kind is not done yet",
        Advice::LookAgain,
    ),
    row(409, "CONFLICT", "the state of things does not allow it", Advice::LookAgain),
    row(413, "REQUEST_TOO_LARGE", "the body is above the limit", Advice::MendCall),
    row(
        429,
        "RATE_LIMITED",
        "too many requests, or the line is not done: `Retry-After`",
        Advice::Later,
    ),
    row(
        500,
        "AccountService_RanOutOfDiscriminators",
        "all 9999 numbers of this display name are taken",
        Advice::TellPerson,
    ),
    row(500, "AccountService_Error", "the server's own fault", Advice::LookAgain),
    row(
        501,
        "AccountService_EmailSenderRequestError",
        "there is nobody to send mail",
        Advice::MendCall,
    ),
    row(
        502,
        "AccountService_IdProviderUnexpectedResponse",
        "the provider could not be asked, or answered garbage",
        Advice::Later,
    ),
    row(
        503,
        "SessionService_SessionUnavailable",
        "the world has no room for this socket now: `Retry-After`",
        Advice::Later,
    ),
    row(
        503,
        "Service_OperatingError",
        "the server, or a hook, cannot answer now: `Retry-After`",
        Advice::Later,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::errors::texts;

    /// What is listed is what the code writes.
    #[test]
    fn every_refusal_is_in_the_catalogue_and_nothing_else() {
        let source = include_str!("errors.rs");
        let mut written: Vec<(u16, String)> = Vec::new();
        for (line, text) in texts(source) {
            let named = ["Platform(\"", "Extension(\""]
                .iter()
                .any(|it| line.contains(&format!("{it}{text}\"")));
            let status = line.split('(').find_map(|part| part.split(',').next()?.parse().ok());
            if let (true, Some(status)) = (named, status) {
                written.push((status, text));
            }
        }
        assert!(written.len() >= 50, "{}", written.len());
        let mut listed: Vec<_> = ALL.iter().map(|it| (it.status, it.name.to_owned())).collect();
        written.sort();
        written.dedup();
        listed.sort();
        assert_eq!(listed, written, "src/pragma/catalogue.rs lists every refusal once");
    }
}
