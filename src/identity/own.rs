//! Identity providers that a studio compiles in (protocol-pragma §5). `docs/own-identity-provider.md`
//! shows one.

pub use futures_util::future::BoxFuture;

use super::Portal;

/// A service of the studio's own that says who a player is.
///
/// It is asked at most `identity.concurrency` times at once and given up after
/// `identity.timeout_ms`. The same token is not asked about twice at once, and its good answer is
/// remembered for `identity.remember_s`.
pub trait OwnProvider: Send + Sync {
    /// Its number in Pragma's table: 102 to 255, nobody else's. Stored with every account: never
    /// give it to another service.
    fn number(&self) -> u8;

    /// Its name: capitals, digits and `_`, beginning with a capital, at most 32; nobody else's.
    fn name(&self) -> &str;

    /// What stands between a name and its discriminator: `"#"`, or nothing.
    #[expect(clippy::unnecessary_literal_bound, reason = "others keep theirs in a field")]
    fn separator(&self) -> &str {
        ""
    }

    /// Who brought this token. It comes from a client as it is: anything, of any length. Nothing of
    /// it belongs into a log.
    ///
    /// # Errors
    ///
    /// [`OwnError`]; an outage must never be a refusal.
    fn verify<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<OwnAccount, OwnError>>;

    /// What a sign-in page needs to send a player to the service; `None`: pages do not offer it.
    fn portal(&self) -> Option<Portal> {
        None
    }
}

/// A player as a studio's own service knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAccount {
    /// Their id there, which never changes: 1 to 128 bytes, no control characters.
    pub account_id: String,
    /// The name they go by, at most 255 bytes. Empty: they have none.
    pub display_name: String,
    /// What tells that name from the same name of others, at most 32 bytes. Empty: nothing does.
    pub discriminator: String,
}

/// Why a studio's own service did not say who a player is. The reason is for logs, never for the
/// caller; nothing of it may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnError {
    /// The token is wrong, expired, or the player may not play.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The player is known there, but has yet to be verified.
    #[error("not verified: {0}")]
    Unverified(&'static str),
    /// It could not be asked: try again.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
}
