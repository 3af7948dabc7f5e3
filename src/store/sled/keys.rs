//! What the keys look like. Changing any of this is a new format (see [`super::opening`]).

use crate::domain::account::{Account, AccountId, Link};
use crate::store::StoreError;

/// `a` + id → the account.
const ACCOUNT: u8 = b'a';
/// `l` + kind + identifier → id, for links whose account is not at their home.
const LINK: u8 = b'l';
/// `n` + user name → id, for names that are not generated.
const USERNAME: u8 = b'n';
/// `d` + folded display name + 0 + discriminator → id.
const PRAGMA_NAME: u8 = b'd';
/// `p` + group number → redeemed passes of one commit.
pub const PASSES: u8 = b'p';
/// `r` + id → what is revoked of the account.
pub const REVOKED: u8 = b'r';

/// `t` + id → when an account of this id was deleted, in seconds.
const TOMBSTONE: u8 = b't';
/// `f` + owner + other → what the owner has recorded about the other.
const EDGE: u8 = b'f';
/// `o` + owner + id → a notification; ids are in the order they were made.
const NOTIFICATION: u8 = b'o';

/// `y` + player id → id.
const PLAYER: u8 = b'y';

/// `x` + id of a ban or of a request about data → id.
const MATTER: u8 = b'x';

/// `s` + id → id, of accounts with roles of operators.
const STAFF: u8 = b's';

/// The realm.
pub const REALM: &[u8] = b"m/realm";
/// The format of everything here: four bytes, big end first.
pub const FORMAT: &[u8] = b"m/format";
/// The key of the hash that finds homes: 32 bytes.
pub const SALT: &[u8] = b"m/salt";
/// How many accounts there are: eight bytes, big end first.
pub const COUNT: &[u8] = b"m/count";

/// The key of an account's record.
pub fn account(id: AccountId) -> [u8; 17] {
    with_id(ACCOUNT, id)
}

/// The key of what is revoked of an account.
pub fn revoked(id: AccountId) -> [u8; 17] {
    with_id(REVOKED, id)
}

/// The key of a deleted account's tombstone.
pub fn tombstone(id: AccountId) -> [u8; 17] {
    with_id(TOMBSTONE, id)
}

/// What the keys of all of an account's relationships begin with.
pub fn edges(owner: AccountId) -> [u8; 17] {
    with_id(EDGE, owner)
}

/// The key of one side's record of a relationship.
pub fn edge(owner: AccountId, other: AccountId) -> Vec<u8> {
    [&edges(owner)[..], other.0.as_bytes()].concat()
}

/// What the keys of all of an account's notifications begin with.
pub fn notifications(owner: AccountId) -> [u8; 17] {
    with_id(NOTIFICATION, owner)
}

/// The key of a notification.
pub fn notification(owner: AccountId, id: uuid::Uuid) -> Vec<u8> {
    [&notifications(owner)[..], id.as_bytes()].concat()
}

/// The second id in a key made by [`edge`] or [`notification`].
pub fn second_id(key: &[u8]) -> Result<uuid::Uuid, StoreError> {
    let id = key.get(17..).and_then(|id| uuid::Uuid::from_slice(id).ok());
    id.ok_or(StoreError::Corrupt("a key without a second id"))
}

/// What the keys of all accounts begin with.
pub const ACCOUNTS: &[u8] = &[ACCOUNT];

/// The id in a key made by [`account`] or [`revoked`].
pub fn account_id(key: &[u8]) -> Result<AccountId, StoreError> {
    let id = key.get(1..).and_then(|id| uuid::Uuid::from_slice(id).ok());
    id.map(AccountId).ok_or(StoreError::Corrupt("a key without an account id"))
}

/// The index entry of a link.
pub fn link(link: &Link) -> Vec<u8> {
    [&[LINK, link.kind.number()], link.id.as_bytes()].concat()
}

/// The index entry of a user name.
pub fn username(name: &str) -> Vec<u8> {
    [&[USERNAME], name.as_bytes()].concat()
}

/// The index entry of a Pragma name. The zero keeps a name apart from its own beginnings.
pub fn pragma_name(folded: &str, discriminator: u16) -> Vec<u8> {
    [&[PRAGMA_NAME], folded.as_bytes(), &[0], &discriminator.to_be_bytes()].concat()
}

/// The index entry of a player id.
pub fn player(player: uuid::Uuid) -> [u8; 17] {
    with_id(PLAYER, AccountId(player))
}

/// The index entries of what an account has: its players, its bans and requests about data, its roles.
pub fn of_parts(account: &Account) -> Vec<[u8; 17]> {
    let mut index: Vec<_> = account.players.iter().map(|it| player(it.player)).collect();
    if let Some(dossier) = &account.dossier {
        index.extend(dossier.bans.iter().map(|ban| matter(ban.id)));
        index.extend(dossier.data_requests.iter().map(|request| matter(request.id)));
        if !dossier.roles.is_empty() {
            index.push(staff(account.id));
        }
    }
    index
}

/// The index entry of an account with roles.
pub fn staff(id: AccountId) -> [u8; 17] {
    with_id(STAFF, id)
}

/// What the keys made by [`staff`] begin with.
pub const ALL_STAFF: &[u8] = &[STAFF];

/// The index entry of a ban or of a request about data.
pub fn matter(matter: uuid::Uuid) -> [u8; 17] {
    with_id(MATTER, AccountId(matter))
}

/// The key of a group of redeemed passes.
pub fn passes(group: u64) -> [u8; 9] {
    let mut key = [PASSES; 9];
    if let Some(number) = key.last_chunk_mut() {
        *number = group.to_be_bytes();
    }
    key
}

/// The number in a key made by [`passes`].
pub fn passes_group(key: &[u8]) -> Result<u64, StoreError> {
    let number = key.get(1..).and_then(|number| number.try_into().ok());
    number.map(u64::from_be_bytes).ok_or(StoreError::Corrupt("a key without a group number"))
}

fn with_id(prefix: u8, id: AccountId) -> [u8; 17] {
    let mut key = [prefix; 17];
    if let Some(place) = key.last_chunk_mut() {
        *place = *id.0.as_bytes();
    }
    key
}
