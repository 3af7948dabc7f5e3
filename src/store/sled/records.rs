//! What the values look like: a version, then postcard. What is empty or usual costs a bit or a
//! byte: a new account of a device with a UUID is 29 bytes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::account::{
    Account, AccountId, Dossier, Link, LinkKind, PragmaName, ProviderEmail, Revoked, ShardPlayer,
    generated,
};
use crate::domain::realm::Realm;
use crate::store::StoreError;

/// First byte of every value here. A newer one cannot come up, since the format of the folder is
/// checked on opening.
const VERSION: u8 = 2;
/// An account of this version has a dossier behind what version 2 had; the dossier lacks its last
/// field.
const WITH_OLDER_DOSSIER: u8 = 3;
/// An account of this version has one whose last field, what an operator signs in with, lacks its own
/// last.
const WITH_OLDER_CREDENTIALS: u8 = 4;
/// An account of this version has a whole dossier.
const WITH_DOSSIER: u8 = 5;
/// Accounts and revocations of this version lack their last field; everything else is as it was.
const OLDER: u8 = 1;

/// An account as it is stored; its id is in the key.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    /// Empty: generated from the id.
    username: Cow<'a, str>,
    links: Vec<(u8, StoredId<'a>)>,
    created_at: u64,
    /// Seconds after `created_at`.
    updated_after: u64,
    rest: Option<Box<Rest>>,
    /// Since version 2.
    more: Option<Box<More>>,
}

/// What most accounts do not have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Rest {
    password: Option<String>,
    display_name: String,
    avatar_url: String,
    /// Empty: `en`.
    lang_tag: String,
    location: String,
    timezone: String,
    pragma_name: Option<PragmaName>,
    players: Vec<ShardPlayer>,
    disabled_at: u64,
    revoked_before_us: u64,
}

/// What came with version 2, and most accounts do not have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct More {
    edge_count: u32,
    provider_email: Option<ProviderEmail>,
}

/// An identifier. Devices mostly name themselves by a UUID, in one of three spellings.
#[derive(Serialize, Deserialize)]
enum StoredId<'a> {
    Text(Cow<'a, str>),
    Lower([u8; 16]),
    Upper([u8; 16]),
    Bare([u8; 16]),
}

impl<'a> StoredId<'a> {
    fn new(id: &'a str) -> Self {
        let text = || Self::Text(Cow::Borrowed(id));
        let Ok(uuid) = Uuid::try_parse(id) else {
            return text();
        };
        let mut spelled = Uuid::encode_buffer();
        let bytes = uuid.into_bytes();
        if uuid.hyphenated().encode_lower(&mut spelled) == id {
            Self::Lower(bytes)
        } else if uuid.hyphenated().encode_upper(&mut spelled) == id {
            Self::Upper(bytes)
        } else if uuid.simple().encode_lower(&mut spelled) == id {
            Self::Bare(bytes)
        } else {
            text()
        }
    }

    fn into_text(self) -> String {
        let mut spelled = Uuid::encode_buffer();
        match self {
            Self::Text(text) => text.into_owned(),
            Self::Lower(id) => {
                Uuid::from_bytes(id).hyphenated().encode_lower(&mut spelled).to_owned()
            }
            Self::Upper(id) => {
                Uuid::from_bytes(id).hyphenated().encode_upper(&mut spelled).to_owned()
            }
            Self::Bare(id) => Uuid::from_bytes(id).simple().encode_lower(&mut spelled).to_owned(),
        }
    }
}

/// The value of an account's key.
pub fn encode_account(account: &Account) -> Result<Vec<u8>, StoreError> {
    let is_generated = account.username == generated::username(account.id);
    let username = if is_generated { "" } else { account.username.as_str() };
    let rest = Rest {
        password: account.password.clone(),
        display_name: account.display_name.clone(),
        avatar_url: account.avatar_url.clone(),
        lang_tag: if account.lang_tag == "en" { String::new() } else { account.lang_tag.clone() },
        location: account.location.clone(),
        timezone: account.timezone.clone(),
        pragma_name: account.pragma_name.clone(),
        players: account.players.clone(),
        disabled_at: account.disabled_at,
        revoked_before_us: account.revoked_before_us,
    };
    let more =
        More { edge_count: account.edge_count, provider_email: account.provider_email.clone() };
    let record = encode(&Stored {
        username: Cow::Borrowed(username),
        links: account
            .links
            .iter()
            .map(|link| (link.kind.number(), StoredId::new(&link.id)))
            .collect(),
        created_at: account.created_at,
        updated_after: account.updated_at.saturating_sub(account.created_at),
        rest: (rest != Rest::default()).then(|| Box::new(rest)),
        more: (more != More::default()).then(|| Box::new(more)),
    })?;
    match account.dossier.as_deref().filter(|dossier| **dossier != Dossier::EMPTY) {
        None => Ok(record),
        Some(dossier) => with_dossier(record, dossier),
    }
}

fn with_dossier(mut record: Vec<u8>, dossier: &Dossier) -> Result<Vec<u8>, StoreError> {
    if let Some(version) = record.first_mut() {
        *version = WITH_DOSSIER;
    }
    postcard::to_extend(dossier, record)
        .map_err(|error| StoreError::failed("encode a dossier", error))
}

/// The account in the value of its key.
pub fn decode_account(id: AccountId, value: &[u8]) -> Result<Account, StoreError> {
    let older = with_nothing_behind(value);
    let (stored, dossier) = take_apart(older.as_deref().unwrap_or(value))?;
    let link = |(kind, id): (u8, StoredId<'_>)| {
        let kind = LinkKind::from_number(kind).ok_or(StoreError::Corrupt("a link of no kind"))?;
        Ok(Link { kind, id: id.into_text() })
    };
    let is_generated = stored.username.is_empty();
    let rest = stored.rest.map(|rest| *rest).unwrap_or_default();
    let more = stored.more.map(|more| *more).unwrap_or_default();
    Ok(Account {
        id,
        username: if is_generated { generated::username(id) } else { stored.username.into_owned() },
        links: stored.links.into_iter().map(link).collect::<Result<_, StoreError>>()?,
        password: rest.password,
        display_name: rest.display_name,
        avatar_url: rest.avatar_url,
        lang_tag: if rest.lang_tag.is_empty() { "en".to_owned() } else { rest.lang_tag },
        location: rest.location,
        timezone: rest.timezone,
        pragma_name: rest.pragma_name,
        players: rest.players,
        created_at: stored.created_at,
        updated_at: stored.created_at.saturating_add(stored.updated_after),
        disabled_at: rest.disabled_at,
        revoked_before_us: rest.revoked_before_us,
        edge_count: more.edge_count,
        provider_email: more.provider_email,
        dossier,
    })
}

/// The two parts of an account's record.
fn take_apart(record: &[u8]) -> Result<(Stored<'_>, Option<Box<Dossier>>), StoreError> {
    let unreadable = |error| StoreError::failed("decode an account", error);
    let (is_older, value) = match record.split_first() {
        Some((&WITH_DOSSIER, value)) => (false, value),
        Some((&(WITH_OLDER_DOSSIER | WITH_OLDER_CREDENTIALS), value)) => (true, value),
        _ => return Ok((decode(record)?, None)),
    };
    let (stored, behind) = postcard::take_from_bytes(value).map_err(unreadable)?;
    // An option that is not there and a list that is empty are one zero byte, and one too many is not
    // looked at.
    let behind = if is_older { Cow::Owned([behind, &[0]].concat()) } else { Cow::Borrowed(behind) };
    Ok((stored, Some(postcard::from_bytes(&behind).map_err(unreadable)?)))
}

/// What is revoked of an account.
pub fn decode_revoked(value: &[u8]) -> Result<Revoked, StoreError> {
    let older = with_nothing_behind(value);
    decode(older.as_deref().unwrap_or(value))
}

/// The realm. An older one lacks its last list: an empty one is one zero byte, and one too many is not
/// looked at.
pub fn decode_realm(value: &[u8]) -> Result<Realm, StoreError> {
    decode(&[value, &[0]].concat())
}

/// A record of version 1 as version 2 would write it: its last field was not there, and an absent
/// option or an empty list is one zero byte. `None`: it is of this version.
fn with_nothing_behind(value: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = value.split_first()?;
    (*version == OLDER).then(|| [&[VERSION], rest, &[0]].concat())
}

/// Any value with its version before it.
pub fn encode(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, vec![VERSION])
        .map_err(|error| StoreError::failed("encode a record", error))
}

/// The value after its version.
pub fn decode<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, StoreError> {
    match record.split_first() {
        Some((&(VERSION | OLDER), value)) => postcard::from_bytes(value)
            .map_err(|error| StoreError::failed("decode a record", error)),
        Some(_) => Err(StoreError::Corrupt("a record of an unknown version")),
        None => Err(StoreError::Corrupt("an empty record")),
    }
}

/// The account id in an index entry.
pub fn id(value: &[u8]) -> Result<AccountId, StoreError> {
    let id = Uuid::from_slice(value).map_err(|_| StoreError::Corrupt("an index without an id"))?;
    Ok(AccountId(id))
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
