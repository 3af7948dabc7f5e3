//! Identity providers by number and name (protocol-pragma §4.2), and what the UNSAFE one takes for
//! proof (§4.4).

use serde::Deserialize;
use serde_json::Value;

use super::errors::Fault;
use crate::signin::Credential;

/// Longest account id or display name taken from a provider, in bytes.
const NAME_MAX: usize = 128;

/// Providers with a number. Those missing here (0, 13 to 99, above 101) are nobody's.
const PROVIDERS: [(u32, &str); 14] = [
    (1, "UNSAFE"),
    (2, "EPIC"),
    (3, "DISCORD"),
    (4, "STEAM"),
    (5, "EMAIL"),
    (6, "GOOGLE"),
    (7, "PLAYSTATION"),
    (8, "TWITCH"),
    (9, "XBOX"),
    (10, "OKTA"),
    (11, "AUTH0"),
    (12, "GOOGLEWORKSPACE"),
    (100, "CUSTOM"),
    (101, "APPLE"),
];

/// A provider that is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Anybody is who they say.
    Unsafe,
}

impl Provider {
    /// The provider a request names: by number, numeric text or name in any case.
    pub fn resolve(id: &Value, unsafe_provider: bool) -> Result<Self, Fault> {
        let number = match id {
            Value::Number(number) => number_of(number)?,
            Value::String(text) if text.is_empty() => return Err(Fault::BadRequest),
            Value::String(text) => match text.parse() {
                Ok(number) => number,
                Err(_) => PROVIDERS
                    .iter()
                    .find(|(_, name)| name.eq_ignore_ascii_case(text))
                    .map(|(number, _)| *number)
                    .ok_or(Fault::InvalidIdProvider)?,
            },
            _ => return Err(Fault::BadRequest),
        };
        match PROVIDERS.iter().find(|(known, _)| *known == number) {
            None => Err(Fault::InvalidIdProvider),
            Some((1, _)) if unsafe_provider => Ok(Self::Unsafe),
            Some(_) => Err(Fault::IdProviderMissing),
        }
    }

    /// The name in tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "UNSAFE",
        }
    }

    /// Reads the proof: JSON text, or the same object as it is.
    pub fn read(self, token: &Value) -> Result<Credential, Fault> {
        match self {
            Self::Unsafe => read_unsafe(token).ok_or(Fault::Unauthorized),
        }
    }
}

/// A whole number, also when it is written `4.0`.
fn number_of(number: &serde_json::Number) -> Result<u32, Fault> {
    if let Some(number) = number.as_u64() {
        return u32::try_from(number).map_err(|_| Fault::InvalidIdProvider);
    }
    let float = number.as_f64().ok_or(Fault::BadRequest)?;
    PROVIDERS
        .iter()
        .map(|(known, _)| *known)
        .find(|known| f64::from(*known).to_bits() == float.to_bits())
        .ok_or(Fault::InvalidIdProvider)
}

fn read_unsafe(token: &Value) -> Option<Credential> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Proof {
        account_id: String,
        display_name: Option<String>,
    }
    let proof = match token {
        Value::String(text) => serde_json::from_str::<Proof>(text),
        object => Proof::deserialize(object),
    }
    .ok()?;
    let good =
        |name: &str| (1..=NAME_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    let display_name = proof.display_name.filter(|name| !name.is_empty());
    let display_name = display_name.unwrap_or_else(|| proof.account_id.clone());
    (good(&proof.account_id) && good(&display_name))
        .then_some(Credential::Unsafe { account_id: proof.account_id, display_name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_provider_goes_by_number_numeric_text_or_name_in_any_case() {
        for id in [json!(1), json!(1.0), json!("1"), json!("UNSAFE"), json!("unSafe")] {
            assert_eq!(Provider::resolve(&id, true), Ok(Provider::Unsafe), "{id}");
            assert_eq!(Provider::resolve(&id, false), Err(Fault::IdProviderMissing), "{id}");
        }
        for id in [json!(4), json!("4"), json!("STEAM"), json!("steam"), json!(100), json!("5")] {
            assert_eq!(Provider::resolve(&id, true), Err(Fault::IdProviderMissing), "{id}");
        }
    }

    #[test]
    fn nobodys_numbers_and_names_are_invalid() {
        for id in [json!(0), json!(13), json!(99), json!(102), json!("NOPE"), json!(-1), json!(1.5)]
        {
            assert_eq!(Provider::resolve(&id, true), Err(Fault::InvalidIdProvider), "{id}");
        }
        for id in [json!(null), json!(""), json!(true), json!([1]), json!({})] {
            assert_eq!(Provider::resolve(&id, true), Err(Fault::BadRequest), "{id}");
        }
    }

    #[test]
    fn unsafe_takes_text_or_object_and_falls_back_to_the_account_id() {
        let read = |token: Value| Provider::Unsafe.read(&token);
        for token in [
            json!(r#"{"accountId":"ada","displayName":"Ada"}"#),
            json!({"accountId": "ada", "displayName": "Ada", "more": [1]}),
        ] {
            let Ok(Credential::Unsafe { account_id, display_name }) = read(token) else {
                panic!("refused")
            };
            assert_eq!((account_id.as_str(), display_name.as_str()), ("ada", "Ada"));
        }
        let Ok(Credential::Unsafe { display_name, .. }) = read(json!(r#"{"accountId":"ada"}"#))
        else {
            panic!("refused")
        };
        assert_eq!(display_name, "ada");
    }

    #[test]
    fn unsafe_refuses_what_is_no_identity() {
        let long = "x".repeat(NAME_MAX + 1);
        for token in [
            json!("ada"),
            json!(""),
            json!(7),
            json!({}),
            json!({"accountId": ""}),
            json!({"accountId": 5}),
            json!({"accountId": "a\u{0}b"}),
            json!({"accountId": long}),
            json!({"accountId": "ada", "displayName": "a\nb"}),
        ] {
            assert_eq!(Provider::Unsafe.read(&token).err(), Some(Fault::Unauthorized), "{token}");
        }
        let most = json!({"accountId": "x".repeat(NAME_MAX)});
        assert!(Provider::Unsafe.read(&most).is_ok());
    }
}
