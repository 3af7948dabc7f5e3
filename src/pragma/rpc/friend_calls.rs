//! Friends, invitations and blocks (protocol-pragma §12.2). What is refused is a word in the answer
//! and no error.

use serde_json::Value;
use uuid::Uuid;

use super::calls::{Ask, Call, Step, Via, Wish};
use super::friend_wire::{self, result};
use super::payload::{self, Payload, whole};
use crate::domain::account::{AccountId, Refusal};
use crate::domain::friend::{Deed, FriendRefusal};
use crate::domain::token::BackendType;
use crate::domain::token::SessionType;
use crate::pragma::{App, Fault};
use crate::signin::SignInError;

const fn social(name: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Player, BackendType::Social, run)
}

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    social("FriendRpc.GetFriendListAndRegisterOnlineV1Request", list),
    social("FriendRpc.GetFriendListV1Request", list),
    social("FriendRpc.SendFriendInviteV1Request", invite_by_name),
    social("FriendRpc.SendFriendInviteBySocialIdV1Request", |ask| {
        to_one(ask, "inviteeSocialId", |_| Deed::Invite)
    }),
    social("FriendRpc.RespondToFriendInviteV1Request", |ask| {
        to_one(ask, "inviterSocialId", |payload| Deed::Respond {
            accepts: payload.value("acceptInvite").and_then(Value::as_bool).unwrap_or(false),
        })
    }),
    social("FriendRpc.RemoveFriendV1Request", |ask| {
        to_one(ask, "friendSocialId", |_| Deed::Unfriend)
    }),
    social("FriendRpc.BlockV1Request", |ask| to_one(ask, "blockedSocialId", |_| Deed::Block)),
    social("FriendRpc.UnblockV1Request", |ask| to_one(ask, "blockedSocialId", |_| Deed::Unblock)),
    social("FriendRpc.SetAcceptIncomingFriendInvitesV1Request", accept_invites),
];

/// The whole list. Over a socket the client also hears from now on how the list changes and what
/// friends show, whichever of the two names it asks by: the older is all that older clients know.
fn list(ask: Ask) -> Step {
    let (account, shard) = match (ask.account(), shard(&ask)) {
        (Ok(account), Ok(shard)) => (account, shard),
        (Err(fault), _) | (_, Err(fault)) => return Step::Now(Err(fault)),
    };
    let Ask { app, via, .. } = ask;
    if via == Via::Http {
        return Step::later(async move {
            let list = app.door.friend_list(account).await?;
            let shown = app.door.board.shown(friend_wire::friends(&list)).await;
            let shown = shown.map_err(SignInError::from)?;
            Ok(friend_wire::friend_list(&app.config.pragma, &list, shard, &shown))
        });
    }
    Step::Asking(Box::pin(async move {
        let list = app.door.friend_list(account).await?;
        Ok(Wish::Befriend {
            friends: friend_wire::friends(&list),
            version: list.owner.dossier().list_version,
            answer: Box::new(move |shown| {
                friend_wire::friend_list(&app.config.pragma, &list, shard, shown)
            }),
        })
    }))
}

/// The shard a request is about; the default one also when it says nil.
pub(super) fn shard(ask: &Ask) -> Result<Uuid, Fault> {
    let said = payload::shard(ask)?;
    Ok(if said.is_nil() { ask.app.config.pragma.game_shard } else { said })
}

/// Something done to the player with the social id in `member`. What blocks call it is published
/// nowhere: any one member that is a social id by its name will do.
fn to_one(ask: Ask, member: &str, deed: fn(Payload<'_>) -> Deed) -> Step {
    let read = || {
        let payload = Payload::of(&ask);
        let other = if let Some(other) = payload.maybe_id(member)? {
            AccountId(other)
        } else {
            let mut names = payload.members().map(|(name, _)| name);
            let name = names.find(|name| name.to_ascii_lowercase().ends_with("socialid"));
            payload.account(name.ok_or(Fault::BadParam)?)?
        };
        Ok::<_, Fault>((ask.account()?, other, deed(payload)))
    };
    match read() {
        Ok((me, other, deed)) => Step::later(async move { done(&ask.app, me, other, deed).await }),
        Err(fault) => Step::Now(Err(fault)),
    }
}

async fn done(app: &App, me: AccountId, other: AccountId, deed: Deed) -> Result<Value, Fault> {
    match app.door.befriend_one(me, other, deed).await {
        Ok(()) => Ok(result("Ok")),
        Err(SignInError::Refused(Refusal::Friend(refusal))) => Ok(result(word(refusal))),
        Err(SignInError::Refused(Refusal::TooManyFriends)) => {
            Ok(result(word(FriendRefusal::ListFull)))
        }
        Err(error) => Err(error.into()),
    }
}

const fn word(refusal: FriendRefusal) -> &'static str {
    match refusal {
        FriendRefusal::InviteeNotFound => "InviteeNotFound",
        FriendRefusal::InviteeAlreadyFriend => "InviteeAlreadyFriend",
        FriendRefusal::InviteeReceivedInvitesFull => "InviteeReceivedInvitesFull",
        FriendRefusal::ListFull => "FriendListFull",
        FriendRefusal::InviteNotFound => "InviteNotFound",
        FriendRefusal::InviterNotFound => "InviterNotFound",
        FriendRefusal::FriendNotFound => "FriendNotFound",
    }
}

fn invite_by_name(ask: Ask) -> Step {
    let read = || Ok::<_, Fault>((ask.account()?, invitee(Payload::of(&ask))?));
    let (me, (name, discriminator)) = match read() {
        Ok(read) => read,
        Err(fault) => return Step::Now(Err(fault)),
    };
    Step::later(async move {
        let found = ask.app.door.shown_as(&name, discriminator).await;
        match found.map_err(SignInError::from)? {
            Some(other) => done(&ask.app, me, other, Deed::Invite).await,
            None => Ok(result(word(FriendRefusal::InviteeNotFound))),
        }
    })
}

/// `inviteeDisplayName{}`: a name and its discriminator, text or number; 0, and so nobody, when it
/// is neither.
fn invitee(payload: Payload<'_>) -> Result<(String, Option<u16>), Fault> {
    let name = payload.object("inviteeDisplayName").ok_or(Fault::BadParam)?;
    let text = name.any_text("displayName").ok_or(Fault::BadParam)?;
    let discriminator = name.value("discriminator").filter(|it| it.as_str() != Some(""));
    let discriminator = discriminator
        .map(|said| whole(said).and_then(|number| number.try_into().ok()).unwrap_or(0));
    Ok((text.to_owned(), discriminator))
}

/// The member's name is published nowhere: any that begins with "accept" will do.
fn accept_invites(ask: Ask) -> Step {
    let wanted = Payload::of(&ask)
        .members()
        .find_map(|(name, value)| name.starts_with("accept").then(|| value.as_bool()).flatten());
    match (ask.account(), wanted) {
        (Ok(account), Some(accepts)) => Step::later(async move {
            ask.app.door.refuse_invites(account, !accepts).await?;
            Ok(result("Ok"))
        }),
        (Err(fault), _) => Step::Now(Err(fault)),
        (_, None) => Step::Now(Err(Fault::BadParam)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_discriminator_may_be_a_text_or_a_number_or_missing() {
        let of = |name: Value| {
            let payload = serde_json::Map::from_iter([("inviteeDisplayName".to_owned(), name)]);
            invitee(Payload::from(&payload))
        };
        let read = |discriminator: Value| {
            of(json!({"displayName": "Ada", "discriminator": discriminator})).unwrap().1
        };
        assert_eq!(read(json!("0042")), Some(42));
        assert_eq!(read(json!(42)), Some(42));
        assert_eq!((read(json!("")), read(Value::Null)), (None, None));
        for nobody in [json!("x"), json!("99999"), json!(70_000), json!(-1), json!(true)] {
            assert_eq!(read(nobody), Some(0));
        }
        assert_eq!(of(json!({"discriminator": "1"})), Err(Fault::BadParam));
        assert_eq!(of(json!("Ada#0001")), Err(Fault::BadParam));
    }
}
