//! Nakama's tables `users`, `user_device` and `user_edge`, as PostgreSQL's `COPY … TO … CSV HEADER`
//! writes them: rows to lines of an export.
//!
//! The columns are those of Nakama's public migrations. Kept are ids, names, links, password hashes,
//! profile, times, who was disabled (as a ban), friends, invitations and blocks.

use uuid::Uuid;

use super::{AccountLine, FriendLine, LinkLine, Problem};
use crate::domain::account::ban::FOREVER_MS;
use crate::domain::account::dossier::BY_SYSTEM;
use crate::domain::account::{Ban, BanScope, Dossier};

/// Columns of `users` that become links, and the kinds they become.
pub const LINKS: [(&str, &str); 8] = [
    ("email", "email"),
    ("custom_id", "custom"),
    ("facebook_id", "facebook"),
    ("facebook_instant_game_id", "facebookinstantgame"),
    ("google_id", "google"),
    ("gamecenter_id", "gamecenter"),
    ("steam_id", "steam"),
    ("apple_id", "apple"),
];

/// Columns of `users` that have no place here, and what is in them when there is nothing.
pub const NOT_KEPT: [(&str, &str); 3] =
    [("metadata", "{}"), ("wallet", "{}"), ("verify_time", "1970-01-01 00:00:00+00")];

/// A row: the value of each column by its name; empty when there is no such column.
pub trait Row {
    /// The value of a column.
    fn get(&self, column: &str) -> &str;
}

/// The account of a row of `users` with its devices, without friends; `None` for Nakama's own user,
/// who has no id to speak of. `ban` is the id for a ban, if one is needed.
///
/// # Errors
///
/// [`Problem::Value`] for a value that cannot be read.
pub fn user(row: &impl Row, devices: &[String], ban: Uuid) -> Result<Option<AccountLine>, Problem> {
    let id = uuid(row, "id")?;
    if id.is_nil() {
        return Ok(None);
    }
    let text = |column: &str| row.get(column).to_owned();
    let link = |kind: &str, id: &str| LinkLine { kind: kind.to_owned(), id: id.to_owned() };
    let columns = LINKS.iter().filter(|(column, _)| !row.get(column).is_empty());
    let links = columns.map(|(column, kind)| link(kind, row.get(column)));
    let links = links.chain(devices.iter().map(|device| link("device", device))).collect();
    let (created_at, updated_at) = (moment(row, "create_time")?, moment(row, "update_time")?);
    let disabled_s = moment(row, "disable_time")?;
    Ok(Some(AccountLine {
        id,
        username: text("username"),
        links,
        password: password(row.get("password"))?,
        display_name: text("display_name"),
        avatar_url: text("avatar_url"),
        lang_tag: text("lang_tag"),
        location: text("location"),
        timezone: text("timezone"),
        created_at,
        updated_at,
        dossier: (disabled_s > 0).then(|| Box::new(banned(ban, disabled_s))),
        ..AccountLine::default()
    }))
}

fn banned(id: Uuid, since_s: u64) -> Dossier {
    let ban = Ban {
        id,
        scope: BanScope::FullAccount,
        start_ms: since_s.saturating_mul(1_000),
        duration_ms: FOREVER_MS,
        reason: "disabled".to_owned(),
        comment: "disabled in Nakama before the import".to_owned(),
        by: BY_SYSTEM,
        revoked_by: None,
    };
    Dossier { bans: vec![ban], ..Dossier::EMPTY }
}

/// A row of `user_edge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRow {
    /// Whose record.
    pub owner: Uuid,
    /// About whom.
    pub other: Uuid,
    /// 0 friend, 1 invitation sent, 2 invitation received, 3 blocked; others are over.
    pub state: u8,
    /// Its place in the owner's list, in microseconds since the epoch.
    pub position: u64,
    /// When it changed, in seconds since the epoch.
    pub updated_at: u64,
    /// A JSON object; empty for `{}`.
    pub metadata: String,
}

/// A relationship in a row of `user_edge`; `None`: one that is over.
///
/// # Errors
///
/// [`Problem::Value`] for a value that cannot be read.
pub fn edge(row: &impl Row) -> Result<Option<EdgeRow>, Problem> {
    let number = |column: &'static str| {
        row.get(column).parse::<u64>().map_err(|_| Problem::Value { column })
    };
    let state = number("state")?;
    let (owner, other) = (uuid(row, "source_id")?, uuid(row, "destination_id")?);
    let Some(state) = u8::try_from(state).ok().filter(|state| *state <= 3) else {
        return Ok(None);
    };
    let metadata = row.get("metadata");
    Ok(Some(EdgeRow {
        owner,
        other,
        state,
        position: number("position")? / 1_000, // Nakama counts nanoseconds
        updated_at: moment(row, "update_time")?,
        metadata: if metadata == "{}" { String::new() } else { metadata.to_owned() },
    }))
}

/// What a row makes of both sides, given the other side's row: the record of its owner, and the hidden
/// one of the other side where that holds nothing of its own.
///
/// # Errors
///
/// [`Problem::OneSided`] where the two do not go together.
pub fn records(row: &EdgeRow, back: Option<&EdgeRow>) -> Result<Records, Problem> {
    let record = |other: Uuid, state: &str, metadata: &str| FriendLine {
        id: other,
        state: state.to_owned(),
        position: row.position,
        updated_at: row.updated_at,
        metadata: metadata.to_owned(),
    };
    let own = |state: &str| record(row.other, state, &row.metadata);
    match (row.state, back.map(|back| back.state)) {
        (0, Some(0)) => Ok(Records { own: own("friend"), hidden: None }),
        (1, Some(2)) => Ok(Records { own: own("invite_sent"), hidden: None }),
        (2, Some(1)) => Ok(Records { own: own("invite_received"), hidden: None }),
        (3, Some(3)) => Ok(Records { own: own("blocked"), hidden: None }),
        (3, None) => {
            Ok(Records { own: own("blocked"), hidden: Some(record(row.owner, "blocked_by", "")) })
        }
        _ => Err(Problem::OneSided),
    }
}

/// Records of a relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The owner's.
    pub own: FriendLine,
    /// The other side's, when it has none of its own.
    pub hidden: Option<FriendLine>,
}

fn uuid(row: &impl Row, column: &'static str) -> Result<Uuid, Problem> {
    Uuid::try_parse(row.get(column)).map_err(|_| Problem::Value { column })
}

/// Seconds since the epoch of PostgreSQL's text, "2026-01-15 08:00:00.123+00"; 0 for an empty one.
fn moment(row: &impl Row, column: &'static str) -> Result<u64, Problem> {
    let text = row.get(column);
    if text.is_empty() {
        return Ok(0);
    }
    seconds(text).ok_or(Problem::Value { column })
}

fn seconds(text: &str) -> Option<u64> {
    let mut text = text.replacen(' ', "T", 1);
    let (_, clock) = text.split_once('T')?;
    match clock.find(['+', '-', 'Z']) {
        None => text.push('Z'),
        // "+00" and "+0530" are hours, "+05:30" is as it should be.
        Some(at) => match clock.len() - at {
            3 => text.push_str(":00"),
            5 => text.insert(text.len() - 2, ':'),
            _ => {}
        },
    }
    let at: prost_types::Timestamp = text.parse().ok()?;
    Some(u64::try_from(at.seconds).unwrap_or(0))
}

/// The hash in a `BYTEA` column: hex behind `\x`, or the text itself.
fn password(text: &str) -> Result<Option<String>, Problem> {
    let wrong = Problem::Value { column: "password" };
    match text.strip_prefix("\\x") {
        _ if text.is_empty() => Ok(None),
        None => Ok(Some(text.to_owned())),
        Some(hex) => {
            let bytes = crate::domain::digest::from_hex(hex).ok_or_else(|| wrong.clone())?;
            let hash = String::from_utf8(bytes).map_err(|_| wrong)?;
            Ok((!hash.is_empty()).then_some(hash))
        }
    }
}

#[cfg(test)]
#[path = "nakama_tests.rs"]
mod tests;
