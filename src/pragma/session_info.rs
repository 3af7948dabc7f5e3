//! What goes into `extSessionInfo` (protocol-pragma §4.3): the engine leaves it to a plugin, we to the
//! settings.

use serde_json::{Map, Value, json};

use crate::config::pragma::SessionInfo;
use crate::domain::account::Account;
use crate::domain::realm::Realm;

/// Longest text, in bytes (§17, 31); a longer one is cut to what comes first in the settings.
const MAX_BYTES: usize = 2_048;

/// The JSON text for an account.
pub(super) fn of(account: &Account, realm: &Realm, wanted: &[SessionInfo]) -> String {
    let mut info = Map::new();
    for wish in wanted {
        let (name, value) = member(account, realm, *wish);
        info.insert(name.to_owned(), value);
        if Value::Object(info.clone()).to_string().len() > MAX_BYTES {
            info.remove(name);
        }
    }
    Value::Object(info).to_string()
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
        assert_eq!(of(&account, &realm, &[]), "{}");
        let told = of(&account, &realm, &[SessionInfo::AccountTags]);
        assert_eq!(told, r#"{"accountTags":["tag number 1","tag number 2"]}"#);
    }

    #[test]
    fn what_does_not_fit_is_left_out_whole() {
        let (account, realm) = tagged(500);
        let wanted = [SessionInfo::CreatedAt, SessionInfo::AccountTags];
        assert_eq!(of(&account, &realm, &wanted), r#"{"accountCreatedAt":1000}"#);
    }
}
