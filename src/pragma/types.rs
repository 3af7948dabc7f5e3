//! `GET /v1/types` (protocol-pragma §1.3): message names and their numbers. A client reads it before
//! it signs in and again after every reconnect; a JSON client sends names, so a number may change
//! from one version to the next.

use std::sync::LazyLock;

use super::rpc::calls;
use crate::domain::token::SessionType;

/// What is said without being asked.
const NOTIFICATIONS: [&str; 8] = [
    "AccountRpc.BanV1Notification",
    "FriendRpc.FriendListUpdateV1Notification",
    "FriendRpc.FriendUpdateV1Notification",
    "FriendRpc.PresenceRemoveV1Notification",
    "FriendRpc.PresenceUpdateV1Notification",
    "PartnerSessionRpc.PartnerSessionTerminatedV1Notification",
    "PlayerSessionRpc.SessionChangedV1Notification",
    "PlayerSessionRpc.SessionTerminatedV1Notification",
];

/// A message, and whether only operators send it.
struct Name {
    name: String,
    for_operators: bool,
}

/// Every message name, in alphabetical order. The place is the number, counted from 1.
static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let calls = calls::all().flat_map(|call| {
        let for_operators = call.who == SessionType::Operator;
        let stem = call.name.strip_suffix("Request").unwrap_or(call.name);
        [call.name.to_owned(), format!("{stem}Response")].map(|name| Name { name, for_operators })
    });
    let told = NOTIFICATIONS.map(|name| Name { name: name.to_owned(), for_operators: false });
    let mut names: Vec<_> = calls.chain(told).collect();
    names.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    names
});

static FOR_PLAYERS: LazyLock<String> = LazyLock::new(|| written(false));
static FOR_OPERATORS: LazyLock<String> = LazyLock::new(|| written(true));

fn written(operators: bool) -> String {
    let listed = (1..).zip(&*NAMES).filter(|(_, name)| operators || !name.for_operators);
    let written: Vec<_> = listed.map(|(at, name)| format!("\"{}\":{at}", name.name)).collect();
    format!("{{{}}}", written.join(","))
}

/// The object *message name → number*. Players and game servers see each other's messages, and only
/// operators see theirs, so there are gaps.
pub(super) fn json(gateway: SessionType) -> &'static str {
    if gateway == SessionType::Operator { &FOR_OPERATORS } else { &FOR_PLAYERS }
}

/// The name of a number, for clients that send it instead.
pub(super) fn name(number: u64) -> Option<&'static str> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    NAMES.get(index).map(|name| name.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(gateway: SessionType) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(json(gateway)).unwrap()
    }

    #[test]
    fn numbers_ascend_with_the_names_and_lead_back_to_them() {
        assert!(NAMES.is_sorted_by(|a, b| a.name < b.name));
        let types = listed(SessionType::Operator);
        assert_eq!(types.len(), NAMES.len());
        for (known, number) in &types {
            assert_eq!(name(number.as_u64().unwrap()), Some(known.as_str()));
        }
        assert_eq!((name(0), name(NAMES.len() as u64 + 1)), (None, None));
    }

    #[test]
    fn players_see_what_is_served_to_them_and_nothing_of_operators() {
        let types = listed(SessionType::Player);
        assert_eq!(types, listed(SessionType::Partner));
        for call in calls::all() {
            let is_listed = types.contains_key(call.name);
            assert_eq!(is_listed, call.who != SessionType::Operator, "{}", call.name);
        }
        assert!(types.contains_key("PlayerSessionRpc.HeartbeatV1Response"));
        assert!(NOTIFICATIONS.iter().all(|name| types.contains_key(*name)));
    }
}
