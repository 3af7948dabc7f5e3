//! Words for requests whose form is wrong before any rule is asked (protocol-nakama §2.13, §3.4,
//! §5, §6): all of them 3/400 unless said otherwise.

use super::Failure;

/// Game Center's fields, in the order they are missed (§2.13).
pub mod game_center {
    /// The bundle id.
    pub const BUNDLE_ID: &str = "GameCenter bundle ID is required.";
    /// The player id.
    pub const PLAYER_ID: &str = "GameCenter player ID is required.";
    /// The address of the key.
    pub const PUBLIC_KEY_URL: &str = "GameCenter public key URL is required.";
    /// The salt.
    pub const SALT: &str = "GameCenter salt is required.";
    /// The signature.
    pub const SIGNATURE: &str = "GameCenter signature is required.";
    /// The time.
    pub const TIMESTAMP: &str = "GameCenter timestamp is required.";
}

/// A refresh token that is not good; 16/401 (§3.4).
pub const REFRESH_INVALID: &str = "Refresh token invalid or expired.";
/// The studio's hooks could not be asked; 14/503.
pub const HOOK_SILENT: &str = "The game could not be asked. Try again.";
/// The caller's account is gone; 5/404 (§5.1).
pub const ACCOUNT_GONE: &str = "Account not found.";
/// A state of friends that is none (§6.2).
pub const STATE: &str = "Invalid state - state must be between 0 and 3.";
/// A cursor that is not one of ours (§6.2, §6.3).
pub const CURSOR: &str = "Cursor is invalid.";
/// The caller named themselves (§6.4).
pub const ADD_SELF: &str = "Cannot add self as friend.";
/// The caller named themselves (§6.5).
pub const DELETE_SELF: &str = "Cannot delete self.";
/// The caller named themselves (§6.6).
pub const BLOCK_SELF: &str = "Cannot block self.";
/// An empty user name (§6.4).
pub const EMPTY_USERNAME: &str = "Username must not be empty.";
/// Metadata that is no JSON object, or too long. §6.4 has 13/500, which clients would repeat.
pub const METADATA: &str = "Invalid metadata, must be a JSON object.";
/// A cursor of notifications that is not one of ours (§6.9).
pub const NOTIFICATION_CURSOR: &str = "Malformed cursor was used.";
/// A notification's id that is none. §6.9 has 13/500, which clients would repeat.
pub const NOTIFICATION_ID: &str = "Error while deleting notifications.";

/// A limit out of bounds (§6.2, §6.3, §6.9).
pub fn limit(max: usize) -> Failure {
    Failure::invalid(format!("Invalid limit - limit must be between 1 and {max}."))
}

/// An id to look up that is none (§5.5).
pub fn not_an_id(id: &str) -> Failure {
    Failure::invalid(format!("ID '{id}' is not a valid system ID."))
}

/// An id of a player to befriend or block that is none (§6.4).
pub fn not_a_player(id: &str) -> Failure {
    Failure::invalid(format!("Invalid user ID '{id}'."))
}
