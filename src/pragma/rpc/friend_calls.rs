//! Friends, invitations and blocks (protocol-pragma §12.2). What is refused is a word in the answer
//! and no error.

use serde_json::Value;
use uuid::Uuid;

use super::calls::{Ask, Call, Step, Via, Wish};
use super::envelope::Request;
use super::friend_wire::{self, result};
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
        to_one(ask, "inviterSocialId", |request| Deed::Respond {
            accepts: request.payload.get("acceptInvite").and_then(Value::as_bool).unwrap_or(false),
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
    let (account, shard) = match (ask.account(), shard(&ask.app, &ask.request)) {
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

/// The shard a request is about; the default one when it says nothing.
pub(super) fn shard(app: &App, request: &Request) -> Result<Uuid, Fault> {
    let said = id(request, "gameShardId")?;
    Ok(said.filter(|shard| !shard.is_nil()).unwrap_or(app.config.pragma.game_shard))
}

/// An id in the payload, in upper or lower case. `None`: it is not there or empty.
///
/// # Errors
///
/// [`Fault::BadParam`]: it is no id.
pub(super) fn id(request: &Request, member: &str) -> Result<Option<Uuid>, Fault> {
    match request.payload.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Uuid::parse_str(text).map(Some).map_err(|_| Fault::BadParam),
        Some(_) => Err(Fault::BadParam),
    }
}

/// Something done to the player with the social id in `member`. What blocks call it is published
/// nowhere: any one member that is a social id by its name will do.
fn to_one(ask: Ask, member: &str, deed: fn(&Request) -> Deed) -> Step {
    let by_name = |request: &Request| {
        let mut names =
            request.payload.keys().filter(|name| name.to_ascii_lowercase().ends_with("socialid"));
        names.next().cloned()
    };
    let read = || {
        let request = &ask.request;
        let other = match id(request, member)? {
            Some(other) => Some(other),
            None => by_name(request).map(|name| id(request, &name)).transpose()?.flatten(),
        };
        Ok::<_, Fault>((ask.account()?, AccountId(other.ok_or(Fault::BadParam)?), deed(request)))
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
    let read = || {
        let name = ask.request.payload.get("inviteeDisplayName").ok_or(Fault::BadParam)?;
        Ok::<_, Fault>((ask.account()?, named(name)?))
    };
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

/// `displayName{}`: a name and its discriminator, text or number; 0, and so nobody, when it is
/// neither.
fn named(name: &Value) -> Result<(String, Option<u16>), Fault> {
    let text = name.get("displayName").and_then(Value::as_str).ok_or(Fault::BadParam)?;
    let discriminator = match name.get("discriminator") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(text.parse().unwrap_or(0)),
        Some(number) => {
            Some(number.as_u64().and_then(|number| u16::try_from(number).ok()).unwrap_or(0))
        }
    };
    Ok((text.to_owned(), discriminator))
}

/// The member's name is published nowhere: any that begins with "accept" will do.
fn accept_invites(ask: Ask) -> Step {
    let wanted =
        ask.request.payload.iter().find_map(|(name, value)| {
            name.starts_with("accept").then(|| value.as_bool()).flatten()
        });
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
        let read = |discriminator: Value| {
            named(&json!({"displayName": "Ada", "discriminator": discriminator})).unwrap().1
        };
        assert_eq!(read(json!("0042")), Some(42));
        assert_eq!(read(json!(42)), Some(42));
        assert_eq!((read(json!("")), read(Value::Null)), (None, None));
        for nobody in [json!("x"), json!("99999"), json!(70_000), json!(-1), json!(true)] {
            assert_eq!(read(nobody), Some(0));
        }
        assert_eq!(named(&json!({"discriminator": "1"})), Err(Fault::BadParam));
        assert_eq!(named(&json!("Ada#0001")), Err(Fault::BadParam));
    }

    #[test]
    fn ids_are_read_in_any_case_and_anything_else_is_refused() {
        let id_of = |value: Value| {
            let payload = serde_json::Map::from_iter([("inviterSocialId".to_owned(), value)]);
            id(&Request { id: 1, kind: "x".into(), payload }, "inviterSocialId")
        };
        let text = "7A1D6C1E-5B0E-4B52-9F8E-2F5A7C1F0A11";
        assert_eq!(id_of(json!(text)), Ok(Some(Uuid::parse_str(text).unwrap())));
        assert_eq!((id_of(json!("")), id_of(Value::Null)), (Ok(None), Ok(None)));
        for bad in [json!("7a1d"), json!(7), json!({})] {
            assert_eq!(id_of(bad), Err(Fault::BadParam));
        }
    }
}
