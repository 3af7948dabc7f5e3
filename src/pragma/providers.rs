//! Identity providers by number and name (protocol-pragma §4.2), and what each takes for proof
//! (§4.4).

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::errors::Fault;
use super::rpc::payload::whole;
use crate::config::pragma::ProviderOptions;
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
        // Of the table's kinds all are known; of the studio's those it has.
        Self::of(kind_of(id, door)?, door).ok_or(Fault::InvalidIdProvider)
    }

    /// The provider of a kind of link, configured or not; `None`: no such provider is known to
    /// Pragma's clients.
    pub fn of(kind: LinkKind, door: &Door) -> Option<Self> {
        let (number, name) = match kind {
            LinkKind::Studio(number) => {
                let mut studio = door.studio_providers().iter();
                let known = studio.find(|known| known.number == number)?;
                (u32::from(number), known.name.clone())
            }
            kind => {
                let known = PROVIDERS.iter().find(|(.., known)| *known == Some(kind));
                known.map(|(number, name, _)| (*number, (*name).to_owned()))?
            }
        };
        let options = door.provider_options(kind);
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

/// The kind of link of the provider a request names. A number that is the studio's to give need not
/// be given.
fn kind_of(id: &Value, door: &Door) -> Result<LinkKind, Fault> {
    let number = match id {
        Value::Number(_) => whole(id).and_then(|number| u32::try_from(number).ok()),
        Value::String(text) if text.is_empty() => return Err(Fault::BadRequest),
        Value::String(text) => match text.parse() {
            Ok(number) => Some(number),
            Err(_) => return kind_by_name(text, door),
        },
        _ => return Err(Fault::BadRequest),
    };
    let number = number.ok_or(Fault::InvalidIdProvider)?;
    if let Some((.., kind)) = PROVIDERS.iter().find(|(known, ..)| *known == number) {
        return kind.ok_or(Fault::IdProviderMissing);
    }
    let studio = u8::try_from(number).ok().filter(|number| *number >= STUDIO_FIRST);
    studio.map(LinkKind::Studio).ok_or(Fault::InvalidIdProvider)
}

fn kind_by_name(text: &str, door: &Door) -> Result<LinkKind, Fault> {
    if let Some((.., kind)) = PROVIDERS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text))
    {
        return kind.ok_or(Fault::IdProviderMissing);
    }
    let mut studio = door.studio_providers().iter();
    let known = studio.find(|known| known.name.eq_ignore_ascii_case(text));
    known.map(|known| LinkKind::Studio(known.number)).ok_or(Fault::InvalidIdProvider)
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
