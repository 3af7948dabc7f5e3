//! Every refusal of Nakama's protocol, for people (`docs/reference/errors.md`). Clients match on the
//! messages, so these are listed; the HTTP status of each number is in [`super::errors::http_status`].

use crate::observe::errors::{Advice, WireError};

const fn row(code: u16, message: &'static str, meaning: &'static str, advice: Advice) -> WireError {
    WireError { name: message, status: code, meaning, advice }
}

/// Every message of REST and gRPC with its gRPC number.
pub const ALL: &[WireError] = &[
    row(3, "http: request body too large", "above `limits.body_max_bytes`", Advice::MendCall),
    row(3, "Request header fields too large", "HTTP 431", Advice::MendCall),
    row(
        3,
        "Malformed request body: {what} at line {line} column {column}",
        "not the JSON that is asked for",
        Advice::MendCall,
    ),
    row(3, "Request body broke off", "the connection ended in the middle", Advice::MendCall),
    row(3, "Request body does not decompress", "not the gzip it says it is", Advice::MendCall),
    row(3, "Form is not UTF-8", "a form that does not read", Advice::MendCall),
    row(3, "Bad Request", "a query that does not read", Advice::MendCall),
    row(3, "Device ID is required.", "missing", Advice::MendCall),
    row(3, "A device ID must be supplied.", "missing, at an unlink", Advice::MendCall),
    row(
        3,
        "Device ID invalid, no spaces or control characters allowed.",
        "as it says",
        Advice::MendCall,
    ),
    row(3, "Device ID invalid, must be 10-128 bytes.", "as it says", Advice::MendCall),
    row(3, "Custom ID is required.", "missing", Advice::MendCall),
    row(
        3,
        "Custom ID invalid, no spaces or control characters allowed.",
        "as it says",
        Advice::MendCall,
    ),
    row(3, "Custom ID invalid, must be 6-128 bytes.", "as it says", Advice::MendCall),
    row(
        3,
        "Invalid custom ID, no spaces or control characters allowed.",
        "the same, at a link",
        Advice::MendCall,
    ),
    row(3, "Invalid custom ID, must be 6-128 bytes.", "the same, at a link", Advice::MendCall),
    row(3, "Email address and password is required.", "missing", Advice::MendCall),
    row(
        3,
        "Invalid email address, no spaces or control characters allowed.",
        "as it says",
        Advice::TellPerson,
    ),
    row(3, "Invalid email address, must be 10-255 bytes.", "as it says", Advice::TellPerson),
    row(3, "Invalid email address format.", "not an address", Advice::TellPerson),
    row(3, "Password must be at least 8 characters long.", "as it says", Advice::TellPerson),
    row(3, "Password is too long.", "above `passwords.length_max`", Advice::TellPerson),
    row(
        3,
        "Password is too common. Choose another one.",
        "one that everybody tries first",
        Advice::TellPerson,
    ),
    row(3, "Apple ID token is required.", "missing", Advice::MendCall),
    row(3, "Facebook access token is required.", "missing", Advice::MendCall),
    row(3, "Facebook token is required.", "missing, at an import of friends", Advice::MendCall),
    row(
        3,
        "Signed Player Info for a Facebook Instant Game is required.",
        "missing",
        Advice::MendCall,
    ),
    row(3, "GameCenter access credentials are required.", "missing", Advice::MendCall),
    row(3, "GameCenter bundle ID is required.", "missing", Advice::MendCall),
    row(3, "GameCenter player ID is required.", "missing", Advice::MendCall),
    row(3, "GameCenter public key URL is required.", "missing", Advice::MendCall),
    row(3, "GameCenter salt is required.", "missing", Advice::MendCall),
    row(3, "GameCenter signature is required.", "missing", Advice::MendCall),
    row(3, "GameCenter timestamp is required.", "missing", Advice::MendCall),
    row(3, "Google access token is required.", "missing", Advice::MendCall),
    row(3, "Steam access token is required.", "missing", Advice::MendCall),
    row(3, "Steam token is required.", "missing, at an import of friends", Advice::MendCall),
    row(3, "Identifier is required.", "missing, of another provider", Advice::MendCall),
    row(
        3,
        "Identifier invalid, no spaces or control characters allowed.",
        "of another provider",
        Advice::MendCall,
    ),
    row(3, "Identifier has a wrong length.", "of another provider", Advice::MendCall),
    row(
        3,
        "Username is required when email address is not supplied.",
        "a sign-in by password needs one of them",
        Advice::MendCall,
    ),
    row(
        3,
        "Username invalid, no spaces or control characters allowed.",
        "as it says",
        Advice::TellPerson,
    ),
    row(3, "Username invalid, must be 1-128 bytes.", "as it says", Advice::TellPerson),
    row(
        3,
        "Display name is invalid.",
        "what a hook gave, or what Pragma's rules do not take",
        Advice::TellPerson,
    ),
    row(3, "No fields to update.", "an update without a field", Advice::MendCall),
    row(3, "Invalid {field}, must be {least}-{most} characters.", "as it says", Advice::TellPerson),
    row(
        3,
        "No valid ID or username was provided.",
        "none of the names is anybody's",
        Advice::TellPerson,
    ),
    row(3, "Invalid limit - limit must be between 1 and {max}.", "as it says", Advice::MendCall),
    row(3, "Invalid state - state must be between 0 and 3.", "as it says", Advice::MendCall),
    row(3, "Cursor is invalid.", "not a cursor of this list: begin without one", Advice::MendCall),
    row(3, "Malformed cursor was used.", "the same, of notifications", Advice::MendCall),
    row(
        3,
        "Error while deleting notifications.",
        "a notification's id that is none",
        Advice::MendCall,
    ),
    row(3, "ID '{id}' is not a valid system ID.", "not an id", Advice::MendCall),
    row(3, "Invalid user ID '{id}'.", "not an id", Advice::MendCall),
    row(3, "Cannot add self as friend.", "as it says", Advice::MendCall),
    row(3, "Cannot delete self.", "as it says", Advice::MendCall),
    row(3, "Cannot block self.", "as it says", Advice::MendCall),
    row(3, "Username must not be empty.", "as it says", Advice::MendCall),
    row(3, "Invalid metadata, must be a JSON object.", "or it is too long", Advice::MendCall),
    row(3, "Refresh token is required.", "missing", Advice::MendCall),
    row(3, "Session token invalid.", "at a sign-out: not one of the caller's", Advice::MendCall),
    row(3, "Refresh token invalid.", "at a sign-out: not one of the caller's", Advice::MendCall),
    row(4, "The server took too long to answer.", "it may have been done", Advice::LookAgain),
    row(5, "Not Found", "nothing is at this path", Advice::MendCall),
    row(
        5,
        "User account not found.",
        "no such account, and none was to be made",
        Advice::TellPerson,
    ),
    row(5, "Account not found.", "the caller's account is gone", Advice::SignIn),
    row(6, "Username is already in use.", "another account's", Advice::TellPerson),
    row(6, "Device ID already in use.", "another account has this link", Advice::TellPerson),
    row(6, "Email is already in use.", "another account has this link", Advice::TellPerson),
    row(6, "{provider} ID is already in use.", "another account has this link", Advice::TellPerson),
    row(7, "User account banned.", "an operator banned it", Advice::TellPerson),
    row(
        7,
        "Cannot unlink last account identifier. Check profile exists and is not last link.",
        "as it says",
        Advice::TellPerson,
    ),
    row(
        8,
        "Too many requests. Try again in {seconds} s.",
        "a limit, not the line; `Retry-After`",
        Advice::Later,
    ),
    row(
        8,
        "Too many requests. Try again in 1 s.",
        "the server has more to do than it takes",
        Advice::Later,
    ),
    row(
        8,
        "This place in line has not been admitted yet.",
        "a ticket where a pass is asked for",
        Advice::Later,
    ),
    row(
        9,
        "Login queue pass invalid or expired.",
        "forged, over, or of another line",
        Advice::EnterAnew,
    ),
    row(9, "Login queue pass was already used.", "by another player", Advice::EnterAnew),
    row(
        9,
        "{provider} authentication is not configured.",
        "see `[identity]`",
        Advice::TellOperator,
    ),
    row(
        9,
        "Another {provider} ID cannot be linked.",
        "there is one, or only the one before may be",
        Advice::TellPerson,
    ),
    row(9, "{provider} ID cannot be linked yet.", "too soon after an unlink", Advice::TellPerson),
    row(9, "Display name cannot be changed now.", "by Pragma's rules", Advice::TellPerson),
    row(
        9,
        "Too many devices are linked to this account.",
        "`nakama.devices_max`",
        Advice::TellPerson,
    ),
    row(9, "Friend could not be changed.", "not by this call", Advice::LookAgain),
    row(9, "Too many friends.", "`nakama.friends_max`", Advice::TellPerson),
    row(9, "The account is an operator's and cannot go.", "as it says", Advice::TellPerson),
    row(10, "Login queue pass is being used.", "by a sign-in at the same time", Advice::Later),
    row(
        10,
        "The account changed meanwhile. Try again.",
        "by a call at the same time",
        Advice::LookAgain,
    ),
    row(12, "Method Not Allowed", "the path is known, with another method", Advice::MendCall),
    row(
        12,
        "Not implemented by this server",
        "a call of Nakama's that is not offered",
        Advice::MendCall,
    ),
    row(
        13,
        "Error finding or creating user account.",
        "no name is free, or a link went to somebody else",
        Advice::LookAgain,
    ),
    row(13, "The answer could not be written.", "the server's own fault", Advice::LookAgain),
    row(14, "The server could not answer in time. Try again.", "`Retry-After`", Advice::Later),
    row(
        14,
        "{provider} could not be asked. Try again.",
        "the provider is down or slow; `Retry-After`",
        Advice::Later,
    ),
    row(
        14,
        "The game could not be asked. Try again.",
        "the studio's hooks are silent; `Retry-After`",
        Advice::Later,
    ),
    row(16, "Server key required", "no `Authorization: Basic`", Advice::MendCall),
    row(16, "Server key invalid", "not this server's key", Advice::MendCall),
    row(16, "Auth token required", "no session token", Advice::SignIn),
    row(16, "Auth token invalid", "forged, over or revoked: refresh first", Advice::SignIn),
    row(
        16,
        "Refresh token invalid or expired.",
        "forged, over, revoked, or used twice",
        Advice::SignIn,
    ),
    row(16, "Invalid credentials.", "wrong password, or no such account", Advice::TellPerson),
    row(
        16,
        "Could not authenticate {provider} profile.",
        "the provider did not confirm",
        Advice::SignIn,
    ),
];

/// Every error message of the socket with its number. The socket stays open.
pub const SOCKET: &[WireError] = &[
    row(0, "Could not check users", "the server could not look them up", Advice::LookAgain),
    row(1, "Unrecognized message.", "not offered, or nobody knows it", Advice::MendCall),
    row(2, "Missing message.", "an envelope without one; the socket closes", Advice::MendCall),
    row(3, "Status must be 2048 characters or less", "as it says", Advice::MendCall),
    row(3, "Invalid user identifier", "not an id, or nobody's", Advice::MendCall),
    row(3, "Invalid username", "an empty name", Advice::MendCall),
    row(4, "Match not found", "matches are not offered", Advice::MendCall),
    row(6, "RPC function not found", "server code is not offered", Advice::MendCall),
];

/// What a handshake at `/ws` may be answered, with its HTTP status.
pub const HANDSHAKE: &[WireError] = &[
    row(400, "Bad Request", "no upgrade is asked for", Advice::MendCall),
    row(
        400,
        "Invalid format parameter",
        "`format` is neither `json` nor `protobuf`",
        Advice::MendCall,
    ),
    row(401, "Missing or invalid token", "refresh first", Advice::SignIn),
    row(
        429,
        "The world is full. Sign in again to stand in line.",
        "the player holds no slot",
        Advice::SignIn,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::observe::errors::{texts, without_values};

    /// Files in which refusals are worded.
    const SOURCES: [&str; 17] = [
        include_str!("errors.rs"),
        include_str!("errors/words.rs"),
        include_str!("auth.rs"),
        include_str!("body.rs"),
        include_str!("query.rs"),
        include_str!("reply.rs"),
        include_str!("rest/bind.rs"),
        include_str!("calls/account.rs"),
        include_str!("calls/friends.rs"),
        include_str!("calls/notifications.rs"),
        include_str!("calls/proofs.rs"),
        include_str!("calls/session.rs"),
        include_str!("calls/users.rs"),
        include_str!("calls/whom.rs"),
        include_str!("socket/dialect.rs"),
        include_str!("socket/mod.rs"),
        include_str!("socket/codec.rs"),
    ];
    /// Texts with a space that are no messages: names of providers, and how a socket is closed.
    const OTHERS: [&str; 9] = [
        "Facebook Instant Game",
        "Google Workspace",
        "received unexpected WebSocket message type",
        "error processing message",
        "received malformed payload",
        "session outgoing queue full",
        "i/o timeout",
        "server-side session disconnect",
        "server is shutting down",
    ];

    fn listed() -> BTreeSet<String> {
        let all = ALL.iter().chain(SOCKET).chain(HANDSHAKE);
        all.map(|it| without_values(it.name)).collect()
    }

    /// Whether a line words a refusal. All texts of the table and of the words do.
    fn is_message(source: &str, line: &str, text: &str) -> bool {
        let worded = ["Failure::", "wrong(", "denied(", "const ", "message"];
        let is_table = source == SOURCES[0] || source == SOURCES[1];
        let says = text.starts_with(char::is_uppercase) || text.starts_with("{}") || is_table;
        text.contains(' ') && says && (is_table || worded.iter().any(|word| line.contains(word)))
    }

    #[test]
    fn every_message_is_in_the_catalogue_and_nothing_else() {
        let listed = listed();
        let mut written = BTreeSet::new();
        for source in SOURCES {
            for (line, text) in texts(source) {
                let text = text.trim_end_matches("\\n").to_owned();
                let is_other = OTHERS.contains(&&*text) || line.contains("strip_prefix");
                if is_message(source, &line, &text) && !is_other {
                    let is_listed = listed.contains(&text);
                    assert!(is_listed, "src/nakama/catalogue.rs does not list {text:?} ({line})");
                }
                written.insert(text);
            }
        }
        let gone: Vec<_> = listed.difference(&written).collect();
        assert!(gone.is_empty(), "listed and written nowhere: {gone:?}");
    }
}
