//! What players change about their own account (protocol-nakama §5.2).

use super::change::Change;
use super::names;
use super::record::Account;
use super::refusal::Refusal;
use crate::domain::time::UnixMicros;

/// A field of an account that has a longest length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Shown name, to 255 bytes.
    DisplayName,
    /// Picture address, to 512.
    AvatarUrl,
    /// Language tag, 1 to 18.
    LangTag,
    /// Place, to 255.
    Location,
    /// Time zone, to 255.
    Timezone,
}

impl Field {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DisplayName => "display_name",
            Self::AvatarUrl => "avatar_url",
            Self::LangTag => "lang_tag",
            Self::Location => "location",
            Self::Timezone => "timezone",
        }
    }

    /// Longest value, in characters.
    pub const fn max(self) -> usize {
        match self {
            Self::AvatarUrl => 512,
            Self::LangTag => 18,
            Self::DisplayName | Self::Location | Self::Timezone => 255,
        }
    }

    /// Whether a value fits.
    pub fn takes(self, value: &str) -> bool {
        let length = value.chars().count();
        length <= self.max() && !(length == 0 && matches!(self, Self::LangTag))
    }
}

/// What shall change; `None`: stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountUpdate {
    /// User name.
    pub username: Option<String>,
    /// Shown name; empty clears it.
    pub display_name: Option<String>,
    /// Picture address; empty clears it.
    pub avatar_url: Option<String>,
    /// Language tag; never empty.
    pub lang_tag: Option<String>,
    /// Place; empty clears it.
    pub location: Option<String>,
    /// Time zone; empty clears it.
    pub timezone: Option<String>,
}

impl AccountUpdate {
    /// Checks the form, in the order of §5.2. Whether the user name is free is decided with the
    /// change.
    ///
    /// # Errors
    ///
    /// [`Refusal::UsernameLength`], [`Refusal::UsernameCharacters`], [`Refusal::NothingToUpdate`],
    /// [`Refusal::FieldLength`].
    pub fn check(&self) -> Result<(), Refusal> {
        if let Some(name) = &self.username {
            if name.is_empty() || name.len() > names::USERNAME_MAX {
                return Err(Refusal::UsernameLength);
            }
            names::username(name)?;
        }
        if *self == Self::default() {
            return Err(Refusal::NothingToUpdate);
        }
        for (field, value) in self.fields() {
            if value.as_ref().is_some_and(|value| !field.takes(value)) {
                return Err(Refusal::FieldLength(field));
            }
        }
        Ok(())
    }

    const fn fields(&self) -> [(Field, &Option<String>); 5] {
        [
            (Field::DisplayName, &self.display_name),
            (Field::AvatarUrl, &self.avatar_url),
            (Field::LangTag, &self.lang_tag),
            (Field::Location, &self.location),
            (Field::Timezone, &self.timezone),
        ]
    }
}

/// Decides an update whose form is checked. `None`: nothing changes.
///
/// # Errors
///
/// [`Refusal::UsernameTaken`].
pub fn update(
    account: Account,
    ask: &AccountUpdate,
    username_taken: bool,
    now: UnixMicros,
) -> Result<Option<Change>, Refusal> {
    let mut after = account.clone();
    if let Some(name) = ask.username.as_ref().filter(|name| **name != account.username) {
        if username_taken {
            return Err(Refusal::UsernameTaken);
        }
        after.username.clone_from(name);
    }
    let set = |value: &Option<String>, field: &mut String| {
        if let Some(value) = value {
            field.clone_from(value);
        }
    };
    set(&ask.display_name, &mut after.display_name);
    set(&ask.avatar_url, &mut after.avatar_url);
    set(&ask.lang_tag, &mut after.lang_tag);
    set(&ask.location, &mut after.location);
    set(&ask.timezone, &mut after.timezone);
    if after == account {
        return Ok(None);
    }
    after.updated_at = now.as_secs();
    Ok(Some(Change::of(Some(account), after)))
}
