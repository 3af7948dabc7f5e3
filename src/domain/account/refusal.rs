//! Why a request about an account was refused: one variant for each thing the caller can do.

use super::link::LinkKind;
use super::office::OfficeRefusal;
use super::update::Field;
use crate::domain::friend::FriendRefusal;
use crate::domain::realm::RealmRefusal;

/// A decision against the caller. Nothing was changed. The wire text and code of each are in the
/// front ends' error tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// An identifier is missing.
    #[error("{} is required", .0.name())]
    IdMissing(LinkKind),
    /// An identifier holds white space or control characters.
    #[error("{} must not hold spaces or control characters", .0.name())]
    IdCharacters(LinkKind),
    /// An identifier is too short or too long, in bytes.
    #[error("{} has a wrong length", .0.name())]
    IdLength(LinkKind),
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    EmailFormat,
    /// The password is shorter than eight bytes.
    #[error("the password is too short")]
    PasswordShort,
    /// The password is longer than the server hashes.
    #[error("the password is too long")]
    PasswordLong,
    /// Sign-in by password needs an address or a user name.
    #[error("a user name is required when no address is given")]
    UsernameMissing,
    /// Control characters in a user name.
    #[error("the user name must not hold control characters")]
    UsernameCharacters,
    /// A user name is 1 to 128 bytes.
    #[error("the user name has a wrong length")]
    UsernameLength,
    /// Another account has this user name.
    #[error("the user name is in use")]
    UsernameTaken,
    /// No account, and the caller asked not to create one.
    #[error("no such account")]
    NoAccount,
    /// Wrong password, or the account has none.
    #[error("wrong credentials")]
    WrongPassword,
    /// An operator banned the account.
    #[error("the account is banned")]
    Banned,
    /// Another account holds this link.
    #[error("{} is in use by another account", .0.name())]
    LinkTaken(LinkKind),
    /// The account has another link of this kind, which is not replaced (protocol-pragma §7.2).
    #[error("another {} is linked already", .0.name())]
    AlreadyBound(LinkKind),
    /// Only the account that was linked before may be linked again.
    #[error("only the {} that was linked before may be linked again", .0.name())]
    OneAssociation(LinkKind),
    /// It is too soon after an unlink for another account of the provider.
    #[error("too soon after another {} was unlinked", .0.name())]
    LinkCooldown(LinkKind),
    /// The account holds as many links of this kind as it may.
    #[error("too many links of kind {}", .0.name())]
    TooManyLinks(LinkKind),
    /// It is the last way to sign in, or it is not the account's.
    #[error("cannot unlink the last way to sign in, or it is not yours")]
    CannotUnlink(LinkKind),
    /// The pass was redeemed by somebody else.
    #[error("the pass was used by another account")]
    PassUsed,
    /// All 9999 discriminators of a name are taken (protocol-pragma §6.2).
    #[error("no discriminator is free for this name")]
    NoDiscriminator,
    /// An update without a field.
    #[error("nothing to update")]
    NothingToUpdate,
    /// A field is too long, or empty where it must not be.
    #[error("{} has a wrong length", .0.name())]
    FieldLength(Field),
    /// None of the user names is anybody's.
    #[error("nobody has such a user name")]
    NobodyNamed,
    /// The account holds as many friends, invitations and blocks as it may.
    #[error("too many friends")]
    TooManyFriends,
    /// One player is not what the caller thinks (protocol-pragma §12).
    #[error(transparent)]
    Friend(#[from] FriendRefusal),
    /// A refresh token was used again after its successor was (protocol-nakama §3.4).
    #[error("the refresh token was used before")]
    RefreshReused,
    /// The account came, went or changed while its password was checked: check again.
    #[error("the account changed meanwhile")]
    Overtaken,
    /// A Pragma display name that is blank, too short or too long, or not all visible.
    #[error("the display name has a wrong length or characters that cannot be seen")]
    DisplayName,
    /// It is too soon after the last change of the display name, or players may not change it.
    #[error("the display name cannot be changed now")]
    DisplayNameFixed,
    /// A password that everybody tries first.
    #[error("the password is too common")]
    PasswordCommon,
    /// What an operator wants is not done to an account.
    #[error(transparent)]
    Office(#[from] OfficeRefusal),
    /// What an operator wants is not done to the realm, or it has no such thing.
    #[error(transparent)]
    Realm(#[from] RealmRefusal),
}
