//! Accounts as everybody sees them (protocol-nakama §5.4), and looking them up (§5.5).

use std::collections::HashSet;

use prost_types::Timestamp;
use uuid::Uuid;

use super::Asked;
use crate::domain::account::{Account, AccountId, LinkKind};
use crate::nakama::errors::{Failure, words};
use crate::nakama::wire::api;
use crate::signin::users::UsersAsk;

/// Which of an account's ids at providers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// All of them: to their owner, or to everybody if so configured.
    All,
    /// Facebook's, which the caller knows already.
    Facebook,
    /// None.
    None,
}

/// An account as everybody sees it.
pub(super) fn user(account: Account, online: bool, ids: Ids) -> api::User {
    let id = |kind| {
        let shown = ids == Ids::All || ids == Ids::Facebook && kind == LinkKind::Facebook;
        account.link(kind).filter(|_| shown).unwrap_or_default().to_owned()
    };
    api::User {
        facebook_id: id(LinkKind::Facebook),
        google_id: id(LinkKind::Google),
        gamecenter_id: id(LinkKind::GameCenter),
        steam_id: id(LinkKind::Steam),
        facebook_instant_game_id: id(LinkKind::FacebookInstantGame),
        apple_id: id(LinkKind::Apple),
        id: account.id.0.to_string(),
        username: account.username,
        display_name: account.display_name,
        avatar_url: account.avatar_url,
        lang_tag: account.lang_tag,
        location: account.location,
        timezone: account.timezone,
        metadata: "{}".to_owned(),
        online,
        edge_count: i32::try_from(account.edge_count).unwrap_or(i32::MAX),
        create_time: Some(time(account.created_at)),
        update_time: Some(time(account.updated_at)),
    }
}

/// Seconds since the epoch on the wire.
pub(super) fn time(seconds: u64) -> Timestamp {
    Timestamp { seconds: i64::try_from(seconds).unwrap_or(i64::MAX), nanos: 0 }
}

impl Asked<'_> {
    /// What the caller is shown of somebody else's ids.
    pub(super) fn ids_of_others(&self) -> Ids {
        if self.app.config.nakama.hide_provider_ids { Ids::None } else { Ids::All }
    }
}

/// Looks people up; whoever is not there is left out, and each is given once.
///
/// # Errors
///
/// 3/400 `ID '<id>' is not a valid system ID.`, or no answer in time.
pub async fn get_users(
    asked: &Asked<'_>,
    request: api::GetUsersRequest,
) -> Result<api::Users, Failure> {
    let me = asked.account()?;
    let api::GetUsersRequest { ids, usernames, facebook_ids } = request;
    let ids = account_ids(&ids)?;
    if ids.is_empty() && usernames.is_empty() && facebook_ids.is_empty() {
        return Ok(api::Users::default());
    }
    let known: HashSet<String> = facebook_ids.iter().cloned().collect();
    let door = &asked.app.door;
    let found = door.users(UsersAsk { ids, usernames, facebook_ids }).await;
    let users = found.map_err(Failure::from_call)?.into_iter().map(|account| {
        let ids = shown(&account, me, &known, asked.ids_of_others());
        let online = door.shows_online(me, account.id);
        user(account, online, ids)
    });
    Ok(api::Users { users: users.collect() })
}

/// What a lookup shows of an account's ids: whoever asked by Facebook's id may tell by it who is
/// who.
fn shown(account: &Account, me: AccountId, known: &HashSet<String>, others: Ids) -> Ids {
    let by_facebook = || account.link(LinkKind::Facebook).is_some_and(|id| known.contains(id));
    match others {
        _ if account.id == me => Ids::All,
        Ids::None if by_facebook() => Ids::Facebook,
        others => others,
    }
}

fn account_ids(ids: &[String]) -> Result<Vec<AccountId>, Failure> {
    let read = |id: &String| {
        let wrong = |_| words::not_an_id(id);
        Uuid::parse_str(id).map(AccountId).map_err(wrong)
    };
    ids.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nakama::calls::samples::account;

    #[test]
    fn ids_come_in_any_usual_form() {
        let one = "4c2ae592-b2a7-445e-98ec-697694478b1c";
        for id in [
            one,
            "4C2AE592-B2A7-445E-98EC-697694478B1C",
            "4c2ae592b2a7445e98ec697694478b1c",
            "{4c2ae592-b2a7-445e-98ec-697694478b1c}",
            "urn:uuid:4c2ae592-b2a7-445e-98ec-697694478b1c",
        ] {
            let read = account_ids(&[id.to_owned()]).unwrap();
            assert_eq!(read, [AccountId(one.parse().unwrap())], "{id}");
        }
        for id in ["", "x", "4c2ae592-b2a7-445e-98ec-697694478b1"] {
            let failure = account_ids(&[one.to_owned(), id.to_owned()]).unwrap_err();
            let message = format!("ID '{id}' is not a valid system ID.");
            assert_eq!((failure.code, failure.status), (3, 400));
            assert_eq!(failure.message, message);
        }
    }

    #[test]
    fn every_provider_has_its_field_and_its_owner_alone_sees_them() {
        let links = [
            (LinkKind::Facebook, "f"),
            (LinkKind::Google, "g"),
            (LinkKind::GameCenter, "gc"),
            (LinkKind::Steam, "s"),
            (LinkKind::FacebookInstantGame, "fi"),
            (LinkKind::Apple, "a"),
            (LinkKind::Custom, "never shown"),
        ];
        let ids = |user: api::User| {
            [
                user.facebook_id,
                user.google_id,
                user.gamecenter_id,
                user.steam_id,
                user.facebook_instant_game_id,
                user.apple_id,
            ]
        };
        let seen = |shown| ids(user(account(&links), false, shown));
        assert_eq!(seen(Ids::All), ["f", "g", "gc", "s", "fi", "a"]);
        assert_eq!(seen(Ids::Facebook), ["f", "", "", "", "", ""]);
        assert_eq!(seen(Ids::None), [""; 6]);
    }

    #[test]
    fn a_lookup_by_facebook_id_says_who_is_who() {
        let found = account(&[(LinkKind::Facebook, "f")]);
        let (me, other) = (found.id, AccountId(Uuid::nil()));
        let asked = HashSet::from(["f".to_owned()]);
        assert_eq!(shown(&found, me, &HashSet::new(), Ids::None), Ids::All);
        assert_eq!(shown(&found, other, &asked, Ids::None), Ids::Facebook);
        assert_eq!(shown(&found, other, &HashSet::new(), Ids::None), Ids::None);
        assert_eq!(shown(&found, other, &asked, Ids::All), Ids::All);
    }
}
