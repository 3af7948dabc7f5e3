//! Which records somebody looks for.

use serde_json::Value;

use super::{Pseudonym, Seen};
use crate::domain::time::UnixMicros;

/// What a record must be like; what is empty or `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Not older.
    pub since: Option<UnixMicros>,
    /// Older.
    pub until: Option<UnixMicros>,
    /// One of these kinds, or of these names of other kinds.
    pub kinds: Vec<String>,
    /// By or about this account.
    pub account: Option<Pseudonym>,
    /// By this operator.
    pub by: Option<Pseudonym>,
}

impl Search {
    /// Whether a record is one of those.
    pub fn matches(&self, seen: &Seen) -> bool {
        let kind = |name: &String| seen.what["kind"] == **name || seen.what["name"] == **name;
        self.since.is_none_or(|since| seen.at >= since)
            && self.until.is_none_or(|until| seen.at < until)
            && (self.kinds.is_empty() || self.kinds.iter().any(kind))
            && self.by.as_ref().is_none_or(|by| is(&seen.who["operator"], by))
            && self
                .account
                .as_ref()
                .is_none_or(|account| is(&seen.who["operator"], account) || seen.is_about(account))
    }
}

impl Seen {
    /// Whether it says something about this account.
    pub fn is_about(&self, account: &Pseudonym) -> bool {
        let details = self.what["details"].as_array().into_iter().flatten();
        is(&self.what["account"], account)
            || is(&self.what["player"], account)
            || details.into_iter().any(|pair| pair[0] == "account" && is(&pair[1], account))
    }
}

fn is(value: &Value, pseudonym: &Pseudonym) -> bool {
    value.as_str().is_some_and(|text| text == pseudonym.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::AccountId;
    use crate::domain::audit::{Head, Pseudonyms};

    #[test]
    fn records_are_found_by_who_what_whom_and_when() {
        let names = Pseudonyms::new(&[1; 32]);
        let name = |id| names.account(AccountId(Uuid::from_u128(id)));
        let seen = |what: Value| Seen {
            head: Head::START,
            at: UnixMicros(1_000),
            who: json!({"operator": name(1).as_str()}),
            what,
            request: None,
        };
        let rate = seen(json!({"kind": "rate", "from": 1.0, "to": 2.0}));
        let kick = seen(json!({"kind": "other", "name": "kick",
            "details": [["account", name(2).as_str()]]}));
        let ban = seen(json!({"kind": "ban", "account": name(2).as_str()}));
        let all = Search::default();
        let found = |search: &Search| [&rate, &kick, &ban].map(|seen| search.matches(seen));
        assert_eq!(found(&all), [true; 3]);
        let kinds = Search { kinds: vec!["kick".into(), "rate".into()], ..all.clone() };
        assert_eq!(found(&kinds), [true, true, false]);
        let about = Search { account: Some(name(2)), ..all.clone() };
        assert_eq!(found(&about), [false, true, true]);
        let either = Search { account: Some(name(1)), ..all.clone() };
        assert_eq!(found(&either), [true; 3]);
        assert_eq!(found(&Search { by: Some(name(2)), ..all.clone() }), [false; 3]);
        let late = Search { since: Some(UnixMicros(1_001)), ..all.clone() };
        assert_eq!(found(&late), [false; 3]);
        assert_eq!(found(&Search { until: Some(UnixMicros(1_000)), ..all }), [false; 3]);
    }
}
