//! What goes into `extSessionInfo` (protocol-pragma §4.3): the engine leaves it to a plugin, we to the
//! settings and to the hook that is asked at sign-in.

use serde_json::{Map, Value, json};

use crate::config::pragma::SessionInfo;
use crate::domain::account::Account;
use crate::domain::realm::Realm;

/// Longest text, in bytes (§17, 31). What comes first in the settings comes first here, a hook's
/// members last; one that does not fit is left out whole.
const MAX_BYTES: usize = 2_048;
/// The names of the members that settings may want; a hook's of the same name does not count.
const OURS: [&str; 3] = ["accountTags", "playerGroups", "accountCreatedAt"];

/// The JSON text for an account. `hooked`: what a hook wants in it.
pub(super) fn of(
    account: &Account,
    realm: &Realm,
    wanted: &[SessionInfo],
    hooked: &Map<String, Value>,
) -> String {
    let mut info = Info { members: Map::new(), bytes: 2 };
    for wish in wanted {
        let (name, value) = member(account, realm, *wish);
        info.take(name, value);
    }
    for (name, value) in hooked.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
        info.take(name, value.clone());
    }
    Value::Object(info.members).to_string()
}

/// What a hook gave, out of the text in a token: for the token that comes after it.
pub(super) fn carried(ext: &str) -> Map<String, Value> {
    let mut members: Map<String, Value> = serde_json::from_str(ext).unwrap_or_default();
    members.retain(|name, _| !OURS.contains(&name.as_str()));
    members
}

/// Members, and how long their text is.
struct Info {
    members: Map<String, Value>,
    bytes: usize,
}

impl Info {
    /// Takes a member if it fits and is not there yet.
    fn take(&mut self, name: &str, value: Value) {
        let comma = usize::from(!self.members.is_empty());
        let bytes = json!(name).to_string().len() + 1 + value.to_string().len() + comma;
        if self.bytes + bytes <= MAX_BYTES && !self.members.contains_key(name) {
            self.members.insert(name.to_owned(), value);
            self.bytes += bytes;
        }
    }
}

fn member(account: &Account, realm: &Realm, wish: SessionInfo) -> (&'static str, Value) {
    let dossier = account.dossier();
    match wish {
        SessionInfo::AccountTags => {
            let tags = realm.tags.iter().filter(|tag| dossier.tags.contains(&tag.id));
            ("accountTags", tags.map(|tag| tag.text.as_str()).collect())
        }
        SessionInfo::PlayerGroups => {
            let groups = realm.groups.iter().filter(|group| dossier.groups.contains(&group.id));
            ("playerGroups", groups.map(|group| group.name.as_str()).collect())
        }
        SessionInfo::CreatedAt => ("accountCreatedAt", json!(account.created_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, Link, LinkKind};
    use crate::domain::realm::Tag;
    use uuid::Uuid;

    fn tagged(count: u128) -> (Account, Realm) {
        let id = AccountId(Uuid::from_u128(1));
        let link = Link { kind: LinkKind::Unsafe, id: "ada".into() };
        let mut account = Account::sample(id, link);
        let tag = |n| Tag { id: Uuid::from_u128(n), text: format!("tag number {n}") };
        let tags: Vec<_> = (1..=count).map(tag).collect();
        account.dossier_mut().tags = tags.iter().map(|tag| tag.id).collect();
        (account, Realm { tags, ..Realm::default() })
    }

    #[test]
    fn nothing_is_told_unless_wanted() {
        let (account, realm) = tagged(2);
        assert_eq!(of(&account, &realm, &[], &Map::new()), "{}");
        let told = of(&account, &realm, &[SessionInfo::AccountTags], &Map::new());
        assert_eq!(told, r#"{"accountTags":["tag number 1","tag number 2"]}"#);
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let (account, realm) = tagged(500);
        let wanted = [SessionInfo::CreatedAt, SessionInfo::AccountTags];
        assert_eq!(of(&account, &realm, &wanted, &Map::new()), r#"{"accountCreatedAt":1000}"#);
    }

    fn hooked(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_hooks_members_stand_behind_those_of_the_settings() {
        let (account, realm) = tagged(1);
        let wanted = [SessionInfo::AccountTags];
        let theirs = hooked(&json!({"clan": "red", "accountTags": "forged", "level": 7}));
        let told = of(&account, &realm, &wanted, &theirs);
        let expected = json!({"accountTags": ["tag number 1"], "clan": "red", "level": 7});
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), expected);
        let told = of(&account, &realm, &[], &hooked(&json!({"accountTags": "forged"})));
        assert_eq!(told, "{}", "a member of ours is never a hook's");
    }

    #[test]
    fn together_they_are_two_kibibytes_to_the_byte() {
        let (account, realm) = tagged(1);
        let wanted = [SessionInfo::AccountTags];
        let empty = of(&account, &realm, &wanted, &hooked(&json!({"x": ""}))).len();
        for (more, fits) in [(MAX_BYTES - empty, true), (MAX_BYTES - empty + 1, false)] {
            let theirs = hooked(&json!({"x": "y".repeat(more), "z": 1}));
            let told = of(&account, &realm, &wanted, &theirs);
            assert!(told.len() <= MAX_BYTES && told.contains("accountTags"));
            assert_eq!(told.contains("yyy"), fits);
            assert_eq!(told.contains("\"z\""), !fits, "what comes behind may still fit");
        }
    }

    #[test]
    fn a_later_token_says_what_the_hook_said() {
        let (account, realm) = tagged(1);
        let theirs = hooked(&json!({"clan": "red"}));
        let ext = of(&account, &realm, &[SessionInfo::CreatedAt], &theirs);
        assert_eq!(carried(&ext), theirs, "without what the settings add anew");
        assert_eq!((carried("{}"), carried("no json")), (Map::new(), Map::new()));
    }
}
