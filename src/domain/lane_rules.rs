//! Which lane somebody gets who stands in line anew: that of the first rule that fits him.
//!
//! Rules are the operators' (`[[queue.lane_rules]]`); the grace lane is the queue's own to give.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::account::{Account, Link, LinkKind};
use super::queue::Lane;
use super::realm::Realm;

/// A lane that can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenLane {
    /// The studio's own people: before everybody.
    Staff,
    /// A larger share.
    Paying,
    /// As everybody.
    Standard,
    /// A small share.
    Low,
}

impl From<GivenLane> for Lane {
    fn from(given: GivenLane) -> Self {
        match given {
            GivenLane::Staff => Self::Staff,
            GivenLane::Paying => Self::Paying,
            GivenLane::Standard => Self::Standard,
            GivenLane::Low => Self::Low,
        }
    }
}

/// One rule. What it names has to be so, all of it; of a list one is enough. A rule that names nothing
/// fits everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneRule {
    /// Whoever it fits stands in this lane.
    pub lane: GivenLane,
    /// Tags of the account: their texts, in whatever case.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Player groups of the account: their names, in whatever case.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Ways to sign in that the account has: `steam`, `custom`, `studio-110` and so on.
    #[serde(default)]
    pub links: Vec<String>,
    /// Members of `extSessionInfo` in the session shown as proof, and what they are.
    #[serde(default)]
    pub claims: BTreeMap<String, Value>,
    /// Whether there is an account.
    #[serde(default)]
    pub known: Option<bool>,
}

/// What is known of somebody before he stands in line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entrant<'a> {
    /// His account.
    pub account: Option<&'a Account>,
    /// What his session says.
    pub claims: Option<&'a Map<String, Value>>,
}

/// The lane of the first rule that fits; `None`: none does.
pub fn lane(rules: &[LaneRule], realm: &Realm, entrant: Entrant<'_>) -> Option<Lane> {
    rules.iter().find(|rule| rule.fits(realm, entrant)).map(|rule| rule.lane.into())
}

impl LaneRule {
    fn fits(&self, realm: &Realm, Entrant { account, claims }: Entrant<'_>) -> bool {
        let dossier = account.map(Account::dossier);
        let one_of = |named: &[String], has: &dyn Fn(&str) -> bool| {
            named.is_empty() || named.iter().any(|name| has(name))
        };
        let tagged = |text: &str| {
            let tag = realm.tag_named(text);
            tag.zip(dossier).is_some_and(|(tag, dossier)| dossier.tags.contains(&tag.id))
        };
        let grouped = |name: &str| {
            let folded = name.trim().to_lowercase();
            let mut groups =
                realm.groups.iter().filter(|group| group.name.to_lowercase() == folded);
            groups.any(|group| dossier.is_some_and(|dossier| dossier.groups.contains(&group.id)))
        };
        let linked = |name: &str| {
            account.is_some_and(|account| account.links.iter().any(|link| is_called(link, name)))
        };
        let claimed = |(name, value): (&String, &Value)| {
            claims.is_some_and(|claims| claims.get(name) == Some(value))
        };
        one_of(&self.tags, &tagged)
            && one_of(&self.groups, &grouped)
            && one_of(&self.links, &linked)
            && self.claims.iter().all(claimed)
            && self.known.is_none_or(|known| known == account.is_some())
    }
}

/// Whether a link is of the kind of this name.
fn is_called(link: &Link, name: &str) -> bool {
    match link.kind {
        LinkKind::Studio(number) => name == format!("studio-{number}"),
        kind => kind.name() == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountId;
    use crate::domain::realm::{Group, Tag};
    use serde_json::json;
    use uuid::Uuid;

    const FOUNDER: Uuid = Uuid::from_u128(1);
    const DEVELOPERS: Uuid = Uuid::from_u128(2);

    fn realm() -> Realm {
        Realm {
            tags: vec![Tag { id: FOUNDER, text: "Founder".into() }],
            groups: vec![Group {
                id: DEVELOPERS,
                name: "Developers".into(),
                description: String::new(),
            }],
            ..Realm::default()
        }
    }

    fn account(tags: &[Uuid], groups: &[Uuid]) -> Account {
        let steam = Link { kind: LinkKind::Steam, id: "1".into() };
        let mut account = Account::new(AccountId(Uuid::from_u128(9)), "ada".into(), steam, 0);
        account.links.push(Link { kind: LinkKind::Studio(110), id: "2".into() });
        account.dossier_mut().tags = tags.to_vec();
        account.dossier_mut().groups = groups.to_vec();
        account
    }

    fn rules(text: Value) -> Vec<LaneRule> {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_first_rule_that_fits_counts_and_all_it_names_has_to_be_so() {
        let rules = rules(json!([
            {"lane": "staff", "groups": ["developers", "nobody"]},
            {"lane": "paying", "tags": ["FOUNDER"], "links": ["epic", "studio-110"]},
            {"lane": "low", "known": false},
        ]));
        let lane = |account: Option<&Account>| {
            lane(&rules, &realm(), Entrant { account, ..Entrant::default() })
        };
        assert_eq!(lane(Some(&account(&[FOUNDER], &[DEVELOPERS]))), Some(Lane::Staff));
        assert_eq!(lane(Some(&account(&[FOUNDER], &[]))), Some(Lane::Paying));
        assert_eq!(lane(Some(&account(&[], &[]))), None);
        assert_eq!(lane(None), Some(Lane::Low));
        let mut unlinked = account(&[FOUNDER], &[]);
        unlinked.links.pop();
        assert_eq!(lane(Some(&unlinked)), None, "tagged, and by no such way");
    }

    #[test]
    fn claims_have_to_be_what_the_rule_says() {
        let rules = rules(json!([{"lane": "paying", "claims": {"tier": "gold", "age": 18}}]));
        let lane = |claims: Value| {
            let claims = claims.as_object();
            lane(&rules, &realm(), Entrant { claims, ..Entrant::default() })
        };
        assert_eq!(lane(json!({"tier": "gold", "age": 18, "more": 1})), Some(Lane::Paying));
        assert_eq!(lane(json!({"tier": "gold"})), None);
        assert_eq!(lane(json!({"tier": "gold", "age": "18"})), None);
        assert_eq!(lane(Value::Null), None);
    }

    #[test]
    fn what_a_rule_cannot_say_is_refused() {
        for bad in [
            json!([{"lane": "grace"}]),
            json!([{"tags": ["founder"]}]),
            json!([{"lane": "low", "tag": "founder"}]),
        ] {
            assert!(serde_json::from_value::<Vec<LaneRule>>(bad.clone()).is_err(), "{bad}");
        }
    }
}
