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
use crate::pragma::Fault;
use crate::signin::SignInError;
use crate::signin::friendship::FriendList;

const fn social(name: &'static str, run: fn(Ask) -> Step) -> Call {
    Call::new(name, SessionType::Player, BackendType::Social, run)
}

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    social("FriendRpc.GetFriendListAndRegisterOnlineV1Request", list),
    social("FriendRpc.GetFriendListV1Request", list),
    social("FriendRpc.SendFriendInviteV1Request", |ask| Step::later(invite_by_name(ask))),
    social("FriendRpc.SendFriendInviteBySocialIdV1Request", |ask| {
        Step::later(to_one(ask, "inviteeSocialId", |_| Deed::Invite))
    }),
    social("FriendRpc.RespondToFriendInviteV1Request", |ask| {
        Step::later(to_one(ask, "inviterSocialId", |payload| Deed::Respond {
            accepts: payload.value("acceptInvite").and_then(Value::as_bool).unwrap_or(false),
        }))
    }),
    social("FriendRpc.RemoveFriendV1Request", |ask| {
        Step::later(to_one(ask, "friendSocialId", |_| Deed::Unfriend))
    }),
    social("FriendRpc.BlockV1Request", |ask| {
        Step::later(to_one(ask, "blockedSocialId", |_| Deed::Block))
    }),
    social("FriendRpc.UnblockV1Request", |ask| {
        Step::later(to_one(ask, "blockedSocialId", |_| Deed::Unblock))
    }),
    social("FriendRpc.SetAcceptIncomingFriendInvitesV1Request", |ask| {
        Step::later(accept_invites(ask))
    }),
];

/// The whole list. Over a socket the client also hears from now on how the list changes and what
/// friends show, whichever of the two names it asks by: the older is all that older clients know.
fn list(ask: Ask) -> Step {
    if ask.via == Via::Http {
        return Step::later(async move {
            let (list, shard) = own_list(&ask).await?;
            let shown = ask.app.door.board.shown(friend_wire::friends(&list)).await?;
            Ok(friend_wire::friend_list(&ask.app.config.pragma, &list, shard, &shown))
        });
    }
    Step::Asking(Box::pin(async move {
        let (list, shard) = own_list(&ask).await?;
        Ok(Wish::Befriend {
            friends: friend_wire::friends(&list),
            version: list.owner.dossier().list_version,
            answer: Box::new(move |shown| {
                friend_wire::friend_list(&ask.app.config.pragma, &list, shard, shown)
            }),
        })
    }))
}

async fn own_list(ask: &Ask) -> Result<(FriendList, Uuid), Fault> {
    let shard = shard(ask)?;
    Ok((ask.app.door.friend_list(ask.account()?).await?, shard))
}

/// The shard a request is about; the default one also when it says nil.
pub(super) fn shard(ask: &Ask) -> Result<Uuid, Fault> {
    let said = payload::shard(ask)?;
    Ok(if said.is_nil() { ask.app.config.pragma.game_shard } else { said })
}

/// Something done to the player with the social id in `member`. What blocks call it is published
/// nowhere: any one member that is a social id by its name will do.
async fn to_one(ask: Ask, member: &str, deed: fn(Payload<'_>) -> Deed) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let other = if let Some(other) = payload.maybe_id(member)? {
        AccountId(other)
    } else {
        let mut names = payload.members().map(|(name, _)| name);
        let name = names.find(|name| name.to_ascii_lowercase().ends_with("socialid"));
        payload.account(name.ok_or(Fault::BadParam)?)?
    };
    done(&ask, other, deed(payload)).await
}

async fn done(ask: &Ask, other: AccountId, deed: Deed) -> Result<Value, Fault> {
    match ask.app.door.befriend_one(ask.account()?, other, deed).await {
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

async fn invite_by_name(ask: Ask) -> Result<Value, Fault> {
    let (name, discriminator) = invitee(Payload::of(&ask))?;
    match ask.app.door.shown_as(name, discriminator).await? {
        Some(other) => done(&ask, other, Deed::Invite).await,
        None => Ok(result(word(FriendRefusal::InviteeNotFound))),
    }
}

/// `inviteeDisplayName{}`: a name and its discriminator, text or number; 0, and so nobody, when it
/// is neither.
fn invitee(payload: Payload<'_>) -> Result<(&str, Option<u16>), Fault> {
    let name = payload.object("inviteeDisplayName").ok_or(Fault::BadParam)?;
    let text = name.any_text("displayName").ok_or(Fault::BadParam)?;
    let discriminator = name.value("discriminator").filter(|it| it.as_str() != Some(""));
    let discriminator = discriminator
        .map(|said| whole(said).and_then(|number| number.try_into().ok()).unwrap_or(0));
    Ok((text, discriminator))
}

/// The member's name is published nowhere: any that begins with "accept" will do.
async fn accept_invites(ask: Ask) -> Result<Value, Fault> {
    let mut said = Payload::of(&ask).members().filter(|(name, _)| name.starts_with("accept"));
    let accepts = said.find_map(|(_, value)| value.as_bool()).ok_or(Fault::BadParam)?;
    ask.app.door.refuse_invites(ask.account()?, !accepts).await?;
    Ok(result("Ok"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_discriminator_may_be_a_text_or_a_number_or_missing() {
        let of = |name: Value| {
            let payload = serde_json::Map::from_iter([("inviteeDisplayName".to_owned(), name)]);
            invitee(Payload::from(&payload)).map(|(_, discriminator)| discriminator)
        };
        let read = |discriminator: Value| {
            of(json!({"displayName": "Ada", "discriminator": discriminator})).unwrap()
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
