//! Reading payloads by the conventions of protocol-pragma §2.3: ids in any case, 64-bit numbers as
//! text or number, enums by name or number, what is empty or zero is absent.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::calls::Ask;
use super::lookups::known;
use crate::domain::account::AccountId;
use crate::domain::token::Claims;
use crate::pragma::Fault;

/// Items one call may be about.
pub(super) const BATCH_MAX: usize = 1_000;

/// The payload of a request, or an object in it.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a>(&'a Map<String, Value>);

impl<'a> From<&'a Map<String, Value>> for Payload<'a> {
    fn from(members: &'a Map<String, Value>) -> Self {
        Self(members)
    }
}

impl<'a> Payload<'a> {
    /// The payload of a request.
    pub(super) const fn of(ask: &'a Ask) -> Self {
        Self(&ask.request.payload)
    }

    /// An object in it, or all of it when the client left the object out.
    pub(super) fn within(self, member: &str) -> Self {
        self.object(member).unwrap_or(self)
    }

    /// An object in it.
    pub(super) fn object(self, member: &str) -> Option<Self> {
        self.0.get(member)?.as_object().map(Self)
    }

    /// Every member as it came, for calls whose members are published nowhere.
    pub(super) fn members(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.iter()
    }

    /// A member as it came; `null` is absent.
    pub(super) fn value(self, member: &str) -> Option<&'a Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    /// A text of at most `max` characters; absent is empty.
    pub(super) fn text(self, member: &str, max: usize) -> Result<&'a str, Fault> {
        match self.value(member) {
            None => Ok(""),
            Some(Value::String(text)) if text.chars().count() <= max => Ok(text),
            Some(_) => Err(Fault::BadParam),
        }
    }

    /// A text of any length, where a rule judges it; `None`: there is none.
    pub(super) fn any_text(self, member: &str) -> Option<&'a str> {
        self.0.get(member)?.as_str()
    }

    /// A text that must be there.
    pub(super) fn some_text(self, member: &str, max: usize) -> Result<&'a str, Fault> {
        Some(self.text(member, max)?).filter(|text| !text.is_empty()).ok_or(Fault::BadParam)
    }

    /// An id that must be there.
    pub(super) fn id(self, member: &str) -> Result<Uuid, Fault> {
        self.maybe_id(member)?.ok_or(Fault::BadParam)
    }

    /// An account's id that must be there.
    pub(super) fn account(self, member: &str) -> Result<AccountId, Fault> {
        self.id(member).map(AccountId)
    }

    /// An id, or nothing.
    pub(super) fn maybe_id(self, member: &str) -> Result<Option<Uuid>, Fault> {
        match self.value(member) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => {
                Uuid::try_parse(text).map(Some).map_err(|_| Fault::BadParam)
            }
            Some(_) => Err(Fault::BadParam),
        }
    }

    /// Ids, each of which must read; absent is none.
    pub(super) fn ids(self, member: &str) -> Result<Vec<Uuid>, Fault> {
        let read = |value: &Value| {
            let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
            id.ok_or(Fault::BadParam)
        };
        self.list(member)?.iter().map(read).collect()
    }

    /// Texts as they came, for calls that answer for each; absent is none.
    pub(super) fn texts(self, member: &str) -> Result<Vec<&'a str>, Fault> {
        self.list(member)?.iter().map(|value| value.as_str().ok_or(Fault::BadParam)).collect()
    }

    /// A list of at most [`BATCH_MAX`]; absent is empty.
    pub(super) fn list(self, member: &str) -> Result<&'a [Value], Fault> {
        match self.value(member) {
            None => Ok(&[]),
            Some(Value::Array(values)) if values.len() <= BATCH_MAX => Ok(values),
            Some(_) => Err(Fault::BadParam),
        }
    }

    /// A whole number that is not negative, as text or number; `None`: absent.
    pub(super) fn number(self, member: &str) -> Result<Option<u64>, Fault> {
        match self.value(member) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(value) => natural(value).map(Some).ok_or(Fault::BadParam),
        }
    }

    /// An enum's value by name, with or without a prefix, or by number.
    pub(super) fn choice<T: Copy>(
        self,
        member: &str,
        prefix: &str,
        choices: &[(u64, &str, T)],
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.value(member) else {
            return Ok(None);
        };
        let found = choices.iter().find(|(number, name, _)| match value {
            Value::String(text) => text.strip_prefix(prefix).unwrap_or(text) == *name,
            number_or_else => natural(number_or_else) == Some(*number),
        });
        found.map(|(.., choice)| Some(*choice)).ok_or(Fault::BadParam)
    }
}

/// A whole number that is not negative, read as [`whole`] does.
pub(super) fn natural(value: &Value) -> Option<u64> {
    u64::try_from(whole(value)?).ok()
}

/// A whole number: a number, also `2.0`, or decimal text.
pub(in crate::pragma) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "checked: whole and exact")]
            let whole = (float.abs() <= 9.0e15 && float.fract() == 0.0).then_some(float as i64);
            whole
        }),
        _ => None,
    }
}

/// Who acts: an operator's account, or a game server's pair of tokens.
pub(super) fn actor(ask: &Ask) -> AccountId {
    AccountId(match &*ask.claims {
        Claims::Person(person) => person.session.social_id,
        Claims::Partner(partner) => partner.partner,
    })
}

/// Whether whoever asks has a further permission.
pub(super) async fn may(ask: &Ask, permission: &str) -> Result<bool, Fault> {
    match &*ask.claims {
        Claims::Partner(partner) => Ok(partner.permits(permission)),
        Claims::Person(_) => {
            let account = known(ask, ask.account()?).await?;
            Ok(ask.app.door.realm().permits(&account.dossier().roles, permission))
        }
    }
}

/// Nobody gives what they do not have: whoever asks has to have each of these.
pub(super) async fn may_give(ask: &Ask, permissions: &[String]) -> Result<(), Fault> {
    let account = known(ask, ask.account()?).await?;
    let realm = ask.app.door.realm();
    let has = |permission: &String| realm.permits(&account.dossier().roles, permission);
    if permissions.iter().all(has) { Ok(()) } else { Err(Fault::Forbidden) }
}

/// The game shard that is asked about: this server's own when the request says nothing.
pub(super) fn shard(ask: &Ask) -> Result<Uuid, Fault> {
    let said = Payload::of(ask).maybe_id("gameShardId")?;
    Ok(said.unwrap_or(ask.app.config.pragma.game_shard))
}

/// A game shard that players of this server are on.
pub(super) fn known_shard(ask: &Ask, shard: Uuid) -> Result<Uuid, Fault> {
    let is_known = ask.app.config.pragma.knows_shard(shard);
    if is_known { Ok(shard) } else { Err(Fault::GameShardInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(value: &Value) -> Map<String, Value> {
        json!({ "it": value }).as_object().unwrap().clone()
    }

    #[test]
    fn numbers_ids_and_enums_are_read_in_every_form() {
        for (value, number) in [
            (json!(7), Ok(Some(7))),
            (json!(7.0), Ok(Some(7))),
            (json!("9223372036854775807"), Ok(Some(i64::MAX as u64))),
            (json!(null), Ok(None)),
            (json!(""), Ok(None)),
            (json!(-1), Err(Fault::BadParam)),
            (json!("x"), Err(Fault::BadParam)),
            (json!(1.5), Err(Fault::BadParam)),
            (json!(1e300), Err(Fault::BadParam)),
        ] {
            assert_eq!(Payload(&with(&value)).number("it"), number, "{value}");
        }
        let id = "7A1D6C1E-5B0E-4B52-9F8E-2F5A7C1F0A11";
        let read = Payload(&with(&json!(id))).id("it").unwrap();
        assert_eq!(read.to_string(), id.to_lowercase());
        for bad in [json!("x"), json!(5), json!(""), json!(null)] {
            assert_eq!(Payload(&with(&bad)).id("it"), Err(Fault::BadParam));
        }
        for absent in [json!(""), json!(null)] {
            assert_eq!(Payload(&with(&absent)).maybe_id("it"), Ok(None));
        }
        for bad in [json!("7a1d"), json!(7), json!({})] {
            assert_eq!(Payload(&with(&bad)).maybe_id("it"), Err(Fault::BadParam));
        }
        let choices = [(1, "ONE", 'a'), (2, "TWO", 'b')];
        for (value, chosen) in [
            (json!("TWO"), Ok(Some('b'))),
            (json!("NUMBER_TWO"), Ok(Some('b'))),
            (json!(2), Ok(Some('b'))),
            (json!(null), Ok(None)),
            (json!(3), Err(Fault::BadParam)),
            (json!("THREE"), Err(Fault::BadParam)),
        ] {
            let read = Payload(&with(&value)).choice("it", "NUMBER_", &choices);
            assert_eq!(read, chosen);
        }
    }

    #[test]
    fn batches_are_bounded() {
        let many = vec![json!("x"); BATCH_MAX + 1];
        assert_eq!(Payload(&with(&json!(many))).texts("it"), Err(Fault::BadParam));
        assert_eq!(Payload(&with(&json!(many[..BATCH_MAX]))).texts("it").unwrap().len(), BATCH_MAX);
    }
}
