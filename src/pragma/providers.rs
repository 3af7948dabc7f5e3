//! Identity providers by number and name (protocol-pragma §4.2), and what each takes for proof
//! (§4.4).

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::errors::Fault;
use crate::config::pragma::ProviderOptions;
use crate::config::{Config, PragmaConfig};
use crate::domain::account::LinkKind;
use crate::domain::account::link::STUDIO_FIRST;
use crate::domain::token::SessionType;
use crate::identity::Proof;
use crate::signin::{Credential, Door};

/// Longest account id or display name taken from UNSAFE, in bytes.
const NAME_MAX: usize = 128;
/// Longest proof taken, in bytes.
const PROOF_MAX: usize = 16_384;

/// Providers with a number and a name, and the kind of link that each proves, where it is offered.
/// Those missing here (0, 13 to 99) are nobody's; from [`STUDIO_FIRST`] on they are the studio's own.
const PROVIDERS: [(u32, &str, Option<LinkKind>); 14] = [
    (1, "UNSAFE", Some(LinkKind::Unsafe)),
    (2, "EPIC", Some(LinkKind::Epic)),
    (3, "DISCORD", Some(LinkKind::Discord)),
    (4, "STEAM", Some(LinkKind::Steam)),
    (5, "EMAIL", None),
    (6, "GOOGLE", Some(LinkKind::Google)),
    (7, "PLAYSTATION", Some(LinkKind::PlayStation)),
    (8, "TWITCH", Some(LinkKind::Twitch)),
    (9, "XBOX", Some(LinkKind::Xbox)),
    (10, "OKTA", Some(LinkKind::Okta)),
    (11, "AUTH0", Some(LinkKind::Auth0)),
    (12, "GOOGLEWORKSPACE", Some(LinkKind::GoogleWorkspace)),
    (100, "CUSTOM", None),
    (101, "APPLE", Some(LinkKind::Apple)),
];

/// A provider that is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its number on the wire.
    pub number: u32,
    /// Its name on the wire.
    pub name: String,
    /// The kind of link it proves.
    pub kind: LinkKind,
    /// What it may be used for.
    pub options: ProviderOptions,
}

impl Provider {
    /// The provider a request names: by number, numeric text or name in any case.
    ///
    /// # Errors
    ///
    /// [`Fault::BadRequest`], [`Fault::InvalidIdProvider`] for what is nobody's,
    /// [`Fault::IdProviderMissing`] for what is not configured.
    pub fn resolve(id: &Value, door: &Door) -> Result<Self, Fault> {
        let provider = Self::named(id, door)?;
        let is_configured = match provider.kind {
            LinkKind::Unsafe => door.config.pragma.unsafe_provider,
            kind => door.is_configured(kind),
        };
        if is_configured { Ok(provider) } else { Err(Fault::IdProviderMissing) }
    }

    /// The provider a request names, whether or not it is configured: for what is linked already.
    ///
    /// # Errors
    ///
    /// As [`Self::resolve`]; [`Fault::IdProviderMissing`] only for those that are never offered.
    pub fn named(id: &Value, door: &Door) -> Result<Self, Fault> {
        let kind = Named::read(id, door)?.kind.ok_or(Fault::IdProviderMissing)?;
        Self::of(kind, door).ok_or(Fault::IdProviderMissing)
    }

    /// The provider of a kind of link, configured or not; `None`: no such provider is known to
    /// Pragma's clients.
    pub fn of(kind: LinkKind, door: &Door) -> Option<Self> {
        let (number, name) = match kind {
            LinkKind::Studio(number) => (u32::from(number), studio_name(door, number)?),
            kind => {
                let known = PROVIDERS.iter().find(|(.., known)| *known == Some(kind));
                known.map(|(number, name, _)| (*number, (*name).to_owned()))?
            }
        };
        let options = options(&door.config.pragma, &name);
        Some(Self { number, name, kind, options })
    }

    /// Whether sessions of this type may be opened by it.
    ///
    /// # Errors
    ///
    /// [`Fault::IdProviderAuthenticationDisabled`]
    pub const fn check_login(&self, session: SessionType) -> Result<(), Fault> {
        let is_enabled = match session {
            SessionType::Player => self.options.player_login,
            SessionType::Operator => self.options.operator_login,
            SessionType::Partner => false,
        };
        if is_enabled { Ok(()) } else { Err(Fault::IdProviderAuthenticationDisabled) }
    }

    /// Reads the proof: text, or a JSON object as it is where the provider takes JSON text.
    ///
    /// # Errors
    ///
    /// [`Fault::Unauthorized`] for what can be no proof of this provider.
    pub fn read(&self, token: &Value) -> Result<Credential, Fault> {
        if self.kind == LinkKind::Unsafe {
            return read_unsafe(token).ok_or(Fault::Unauthorized);
        }
        let text = match token {
            Value::String(text) => text.clone(),
            object => object.to_string(),
        };
        if text.len() > PROOF_MAX {
            return Err(Fault::Unauthorized);
        }
        proof(self.kind, Zeroizing::new(text)).map(Credential::Provider).ok_or(Fault::Unauthorized)
    }
}

/// The settings of a provider, by its name.
pub fn options(config: &PragmaConfig, name: &str) -> ProviderOptions {
    config.providers.get(&name.to_ascii_lowercase()).copied().unwrap_or_default()
}

/// Whether settings name a provider that can exist.
pub fn is_known(config: &Config, name: &str) -> bool {
    let known =
        PROVIDERS.iter().any(|(_, known, kind)| kind.is_some() && known.eq_ignore_ascii_case(name));
    known || studio_names(config).any(|(_, known)| known.eq_ignore_ascii_case(name))
}

fn studio_names(_config: &Config) -> impl Iterator<Item = (u8, String)> {
    std::iter::empty()
}

fn studio_name(door: &Door, number: u8) -> Option<String> {
    studio_names(&door.config).find(|(known, _)| *known == number).map(|(_, name)| name)
}

/// What a request names.
struct Named {
    kind: Option<LinkKind>,
}

impl Named {
    fn read(id: &Value, door: &Door) -> Result<Self, Fault> {
        let number = match id {
            Value::Number(number) => number_of(number)?,
            Value::String(text) if text.is_empty() => return Err(Fault::BadRequest),
            Value::String(text) => match text.parse() {
                Ok(number) => number,
                Err(_) => return Self::by_name(text, door),
            },
            _ => return Err(Fault::BadRequest),
        };
        let known = PROVIDERS.iter().find(|(known, ..)| *known == number);
        if let Some((.., kind)) = known {
            return Ok(Self { kind: *kind });
        }
        let studio = u8::try_from(number).ok().filter(|number| *number >= STUDIO_FIRST);
        studio
            .map(|number| Self { kind: Some(LinkKind::Studio(number)) })
            .filter(|_| studio.is_some_and(|number| studio_name(door, number).is_some()))
            .ok_or(Fault::InvalidIdProvider)
    }

    fn by_name(text: &str, door: &Door) -> Result<Self, Fault> {
        let known = PROVIDERS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text));
        let known = known.map(|(.., kind)| *kind);
        let studio = || {
            let mut names = studio_names(&door.config);
            let found = names.find(|(_, name)| name.eq_ignore_ascii_case(text));
            found.map(|(number, _)| Some(LinkKind::Studio(number)))
        };
        let kind = known.or_else(studio).ok_or(Fault::InvalidIdProvider)?;
        Ok(Self { kind })
    }
}

/// A whole number, also when it is written `4.0`.
fn number_of(number: &serde_json::Number) -> Result<u32, Fault> {
    if let Some(number) = number.as_u64() {
        return u32::try_from(number).map_err(|_| Fault::InvalidIdProvider);
    }
    let float = number.as_f64().ok_or(Fault::BadRequest)?;
    (0..=u32::from(u8::MAX))
        .find(|known| f64::from(*known).to_bits() == float.to_bits())
        .ok_or(Fault::InvalidIdProvider)
}

/// Steam has two forms, told apart by their shape: a ticket in hex, or an assertion in JSON.
fn proof(kind: LinkKind, text: Zeroizing<String>) -> Option<Proof> {
    Some(match kind {
        LinkKind::Steam if text.trim_start().starts_with('{') => Proof::SteamOpenId(text),
        LinkKind::Steam => Proof::Steam(text),
        LinkKind::Epic => Proof::Epic(text),
        LinkKind::Discord => Proof::Discord(text),
        LinkKind::Google => Proof::GoogleOauth(text),
        LinkKind::PlayStation => Proof::PlayStation(text),
        LinkKind::Twitch => Proof::Twitch(text),
        LinkKind::Xbox => Proof::Xbox(text),
        LinkKind::Okta => Proof::Okta(text),
        LinkKind::Auth0 => Proof::Auth0(text),
        LinkKind::GoogleWorkspace => Proof::GoogleWorkspace(text),
        LinkKind::Apple => Proof::AppleOauth(text),
        LinkKind::Studio(number) => Proof::Studio(number, text),
        _ => return None,
    })
}

fn read_unsafe(token: &Value) -> Option<Credential> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        account_id: String,
        display_name: Option<String>,
    }
    let given = match token {
        Value::String(text) => serde_json::from_str::<Given>(text),
        object => Given::deserialize(object),
    }
    .ok()?;
    let good =
        |name: &str| (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    let display_name = given.display_name.filter(|name| !name.is_empty());
    let display_name = display_name.unwrap_or_else(|| given.account_id.clone());
    (good(&given.account_id) && good(&display_name))
        .then_some(Credential::Unsafe { account_id: given.account_id, display_name })
}

#[cfg(test)]
#[path = "providers_tests.rs"]
mod tests;
