//! Friends and presences as clients read them (protocol-pragma §12).

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::shapes;
use crate::config::PragmaConfig;
use crate::domain::account::{Account, AccountId};
use crate::domain::friend::EdgeState;
use crate::domain::presence::{Basic, Presence};
use crate::signin::friendship::FriendList;

/// What a call about friends comes to, by its word.
pub(super) fn result(word: &str) -> Value {
    json!({ "response": word })
}

/// `displayName{}`: who never came through Pragma's door goes by the user name, without a
/// discriminator; [`crate::signin::Door::shown_as`] finds both.
fn name(account: &Account) -> Value {
    account.pragma_name.as_ref().map_or_else(
        || json!({"displayName": account.username, "discriminator": ""}),
        shapes::pragma_name,
    )
}

/// Somebody who is no friend yet, or no more.
pub(super) fn overview(account: &Account) -> Value {
    json!({"socialId": account.id.0, "displayName": name(account)})
}

/// A friend, by the id of a shard, with what they show. Nil: they have never been there.
pub(super) fn friend(
    config: &PragmaConfig,
    account: &Account,
    shard: Uuid,
    shown: Option<&Presence>,
) -> Value {
    let mut friend = overview(account);
    friend["playerId"] = json!(account.player_on(shard).unwrap_or_default());
    let player = || account.player_on(config.game_shard).unwrap_or_default();
    let presences = shown.iter().map(|shown| presence(config, shown, player));
    friend["presences"] = presences.collect();
    friend
}

/// A presence. One that a client of Nakama's shows is about the default shard, where `player` is
/// their id, and its status text is the member `status` of `ext`.
pub(super) fn presence(
    config: &PragmaConfig,
    shown: &Presence,
    player: impl FnOnce() -> Uuid,
) -> Value {
    let (player, shard, basic, ext) = match &shown.rich {
        Some(rich) => {
            let ext = serde_json::from_str(&rich.ext).unwrap_or_else(|_| json!({}));
            (rich.player, rich.shard, rich.basic, ext)
        }
        None if shown.status.is_empty() => (player(), config.game_shard, Basic::Online, json!({})),
        None => (player(), config.game_shard, Basic::Online, json!({"status": &*shown.status})),
    };
    json!({
        "playerId": player,
        "gameShardId": shard,
        "gameTitleId": config.game_title,
        "basicPresence": basic.name(),
        "version": shown.version.to_string(),
        "ext": ext,
    })
}

/// What stands for each player among what their connections show.
pub(super) fn leads(shown: &[Presence]) -> HashMap<AccountId, &Presence> {
    let players = shown.chunk_by(|a, b| a.account == b.account);
    players.filter_map(|own| Presence::lead(own.iter()).map(|lead| (lead.account, lead))).collect()
}

/// Whom the owner of a list follows.
pub(super) fn friends(list: &FriendList) -> Vec<AccountId> {
    let friends = list.entries.iter().filter(|entry| entry.edge.state == EdgeState::Friend);
    friends.map(|entry| entry.account.id).collect()
}

/// `friendList{}`
pub(super) fn friend_list(
    config: &PragmaConfig,
    list: &FriendList,
    shard: Uuid,
    shown: &[Presence],
) -> Value {
    let leads = leads(shown);
    let with = |state: EdgeState| {
        list.entries.iter().filter(move |it| it.edge.state == state).map(|it| &it.account)
    };
    let friends: Value = with(EdgeState::Friend)
        .map(|account| friend(config, account, shard, leads.get(&account.id).copied()))
        .collect();
    let overviews = |state| with(state).map(overview).collect::<Value>();
    let dossier = list.owner.dossier();
    json!({"friendList": {
        "friends": friends,
        "sentInvites": overviews(EdgeState::InviteSent),
        "receivedInvites": overviews(EdgeState::InviteReceived),
        "version": dossier.list_version.to_string(),
        "blocked": overviews(EdgeState::Blocked),
        "acceptNewFriendInvites": !dossier.refuses_invites,
    }})
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::account::{Link, LinkKind, ShardPlayer};
    use crate::domain::presence::Rich;

    fn shown(status: &str, rich: Option<Rich>) -> Presence {
        let account = AccountId(Uuid::from_u128(7));
        let (session, username) = (Uuid::nil(), "bob".into());
        let rich = rich.map(Arc::new);
        Presence { account, session, username, status: status.into(), version: 3, rich }
    }

    fn bob() -> Account {
        let link = Link { kind: LinkKind::Unsafe, id: "bob".into() };
        let mut bob = Account::new(AccountId(Uuid::from_u128(7)), "bob".into(), link, 1);
        let (shard, player) = (Uuid::from_u128(1), Uuid::from_u128(9));
        bob.players.push(ShardPlayer { shard, player });
        bob
    }

    #[test]
    fn a_status_of_nakamas_is_an_ext_about_the_default_shard() {
        let config = PragmaConfig::default();
        for (status, ext) in [("", json!({})), ("in the lobby", json!({"status": "in the lobby"}))]
        {
            let friend = friend(&config, &bob(), Uuid::from_u128(2), Some(&shown(status, None)));
            let expected = json!({
                "socialId": Uuid::from_u128(7), "playerId": Uuid::nil(),
                "displayName": {"displayName": "bob", "discriminator": ""},
                "presences": [{
                    "playerId": Uuid::from_u128(9), "gameShardId": Uuid::from_u128(1),
                    "gameTitleId": Uuid::from_u128(1), "basicPresence": "Online",
                    "version": "3", "ext": ext,
                }],
            });
            assert_eq!(friend, expected);
        }
    }

    #[test]
    fn of_several_connections_a_rich_one_stands_for_the_player_else_the_newest() {
        let rich = Rich {
            player: Uuid::from_u128(5),
            shard: Uuid::from_u128(1),
            basic: Basic::Away,
            ext: r#"{"map":"dust"}"#.into(),
        };
        let plain = [shown("a", None), shown("b", None)];
        let mixed = [shown("a", Some(rich)), shown("b", None)];
        let config = PragmaConfig::default();
        let of = |shown: &[Presence]| {
            let leads = leads(shown);
            let lead = leads[&AccountId(Uuid::from_u128(7))];
            presence(&config, lead, Uuid::nil)
        };
        assert_eq!(of(&plain)["ext"], json!({"status": "b"}));
        assert_eq!(of(&mixed)["ext"], json!({"map": "dust"}));
        assert_eq!(of(&mixed)["basicPresence"], "Away");
    }
}
