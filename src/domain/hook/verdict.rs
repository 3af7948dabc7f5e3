//! What a hook answers, within its bounds. What does not read is no answer, and no answer is no.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::lane_rules::GivenLane;

/// Longest message to a player, in characters; a longer one is cut.
const MESSAGE_MAX: usize = 200;
/// What a player is told when the hook gives no words.
const NO_WORDS: &str = "Refused by the game.";
/// Longest display name a hook may give, in characters.
pub const NAME_MAX: usize = 128;

/// What a hook decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It may be.
    Allow(Given),
    /// It may not be; what the player is told.
    Refuse(String),
}

/// What a hook gives along with its yes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// The shown name of a new account, from `account_create`; `None`: as it would be without.
    pub display_name: Option<String>,
    /// The lane, from `queue_enter`; `None`: as it would be without.
    pub lane: Option<GivenLane>,
    /// Members of `extSessionInfo`, from `account_login`.
    pub session_info: Map<String, Value>,
}

/// An answer that is none: it counts as an outage. The words are for logs and hold nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// Not a JSON object with `allow`, or a member of the wrong type.
    #[error("its answer makes no sense")]
    Form,
    /// A display name nobody can have.
    #[error("its display name is blank, too long or has control characters")]
    Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    allow: bool,
    message: Option<String>,
    display_name: Option<String>,
    lane: Option<GivenLane>,
    session_info: Option<Map<String, Value>>,
}

impl Verdict {
    /// A yes with nothing beside it.
    pub fn allow() -> Self {
        Self::Allow(Given::default())
    }

    /// Reads an answer: `{"allow": true}` with `displayName`, `lane` and `sessionInfo`, or
    /// `{"allow": false}` with `message`. Members nobody knows are skipped; `null` is absent.
    ///
    /// # Errors
    ///
    /// [`BadAnswer`]
    pub fn read(body: &[u8]) -> Result<Self, BadAnswer> {
        let wire: Wire = serde_json::from_slice(body).map_err(|_| BadAnswer::Form)?;
        if !wire.allow {
            return Ok(Self::Refuse(wire.message.unwrap_or_default()));
        }
        let session_info = wire.session_info.unwrap_or_default();
        Ok(Self::Allow(Given { display_name: wire.display_name, lane: wire.lane, session_info }))
    }

    /// The same within its bounds, whoever made it: a message is cut and its control characters are
    /// spaces.
    ///
    /// # Errors
    ///
    /// [`BadAnswer::Name`]
    pub fn checked(self) -> Result<Self, BadAnswer> {
        match self {
            Self::Refuse(message) => Ok(Self::Refuse(words(&message))),
            Self::Allow(mut given) => {
                if let Some(name) = &mut given.display_name {
                    let length = name.trim().chars().count();
                    if !(1..=NAME_MAX).contains(&length) || name.chars().any(char::is_control) {
                        return Err(BadAnswer::Name);
                    }
                    *name = name.trim().to_owned();
                }
                Ok(Self::Allow(given))
            }
        }
    }
}

fn words(message: &str) -> String {
    let visible = |letter: char| if letter.is_control() { ' ' } else { letter };
    let message: String = message.trim().chars().take(MESSAGE_MAX).map(visible).collect();
    if message.trim().is_empty() { NO_WORDS.to_owned() } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Result<Verdict, BadAnswer> {
        Verdict::read(text.as_bytes()).and_then(Verdict::checked)
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        assert_eq!(read(r#"{"allow":true}"#), Ok(Verdict::Allow(Given::default())));
        for none in [
            "",
            "null",
            "true",
            "[]",
            "{}",
            r#"{"allow":null}"#,
            r#"{"allow":"true"}"#,
            r#"{"allow":1}"#,
            r#"{"allow":true"#,
            r#"{"allow":true}{}"#,
            r#"{"allow":true,"allow":true}"#,
            r#"{"allow":true,"sessionInfo":"{}"}"#,
            r#"{"allow":true,"sessionInfo":[]}"#,
            r#"{"allow":true,"displayName":7}"#,
            r#"{"allow":false,"message":7}"#,
        ] {
            assert_eq!(read(none), Err(BadAnswer::Form), "{none}");
        }
    }

    #[test]
    fn what_comes_with_a_yes_is_taken_and_what_nobody_knows_is_skipped() {
        let told = read(
            r#"{"allow":true,"displayName":" Ada ","sessionInfo":{"clan":"red"},"message":null,"x":1}"#,
        );
        let session_info = json!({"clan": "red"}).as_object().cloned().unwrap();
        let given = Given { display_name: Some("Ada".into()), lane: None, session_info };
        assert_eq!(told, Ok(Verdict::Allow(given)));
        let nulls = read(r#"{"allow":true,"displayName":null,"sessionInfo":null}"#);
        assert_eq!(nulls, Ok(Verdict::Allow(Given::default())));
    }

    #[test]
    fn a_name_nobody_can_have_is_no_answer() {
        for name in ["", "  ", "a\u{7}b", "\n", &"x".repeat(NAME_MAX + 1)] {
            let text = json!({"allow": true, "displayName": name}).to_string();
            assert_eq!(read(&text), Err(BadAnswer::Name), "{name:?}");
        }
        let longest = json!({"allow": true, "displayName": "ä".repeat(NAME_MAX)}).to_string();
        assert!(read(&longest).is_ok());
    }

    #[test]
    fn a_refusal_says_something_short_and_visible() {
        for (message, told) in [
            (json!("Closed beta."), "Closed beta.".to_owned()),
            (json!("a\r\nb\u{1b}[31m"), "a  b [31m".to_owned()),
            (json!(""), NO_WORDS.to_owned()),
            (json!("\u{0} \n"), NO_WORDS.to_owned()),
            (json!(null), NO_WORDS.to_owned()),
            (json!("x".repeat(500)), "x".repeat(MESSAGE_MAX)),
        ] {
            let text = json!({"allow": false, "message": message}).to_string();
            assert_eq!(read(&text), Ok(Verdict::Refuse(told)), "{message}");
        }
    }

    proptest! {
        #[test]
        fn rubbish_is_never_a_yes(body: Vec<u8>) {
            prop_assert!(!matches!(Verdict::read(&body), Ok(Verdict::Allow(_))));
        }

        #[test]
        fn every_message_is_bounded_and_visible(message: String) {
            let Ok(Verdict::Refuse(told)) = Verdict::Refuse(message).checked() else {
                return Err(TestCaseError::fail("a no stays a no"));
            };
            prop_assert!(!told.is_empty() && told.chars().count() <= MESSAGE_MAX);
            prop_assert!(!told.chars().any(char::is_control));
        }
    }
}
