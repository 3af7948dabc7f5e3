//! Presences set by a player's client or by a game server (protocol-pragma §12.1).

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::calls::{Ask, Call, Step, Via, Wish};
use super::friend_calls::shard;
use super::friend_wire::result;
use super::lookups::of_player;
use super::payload::Payload;
use crate::domain::account::{Account, AccountId};
use crate::domain::presence::rich::EXT_MAX;
use crate::domain::presence::{Basic, NoPresence, RichAsk};
use crate::domain::token::BackendType;
use crate::domain::token::SessionType;
use crate::pragma::Fault;

/// What is served here.
pub(super) const CALLS: &[Call] = &[
    Call::new(
        "FriendRpc.SetPresenceV1Request",
        SessionType::Player,
        BackendType::Social,
        set_presence,
    ),
    Call::new(
        "FriendRpc.SetPresencePartnerV1Request",
        SessionType::Partner,
        BackendType::Social,
        |ask| Step::later(set_presence_partner(ask)),
    )
    .permitted("friend.presence.update"),
];

const GAME_IDENTITY_NOT_FOUND: &str = "GameIdentityNotFound";

/// What is asked for, without whose player it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    shard: Uuid,
    basic: Option<Basic>,
    ext: Option<Arc<str>>,
}

impl Wanted {
    fn read(ask: &Ask) -> Result<Self, Fault> {
        let payload = Payload::of(ask);
        let ext = payload.value("requestExt").or_else(|| payload.value("ext"));
        let basic = basic(payload.value("basicPresence"))?;
        Ok(Self { shard: shard(ask)?, basic, ext: text(ext)? })
    }

    /// For somebody's player on the shard; `None`: they have none there.
    fn of(self, account: &Account) -> Option<RichAsk> {
        let player = account.player_on(self.shard)?;
        Some(RichAsk { player, shard: self.shard, basic: self.basic, ext: self.ext })
    }
}

/// A basic presence by its word or number; empty or 0: it stays as it is.
fn basic(said: Option<&Value>) -> Result<Option<Basic>, Fault> {
    let by_number = |number: &Value| match number.as_f64() {
        Some(0.0) => Ok(None),
        Some(1.0) => Ok(Some(Basic::Online)),
        Some(2.0) => Ok(Some(Basic::Away)),
        _ => Err(Fault::BadParam),
    };
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) => match word.to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "online" => Ok(Some(Basic::Online)),
            "away" => Ok(Some(Basic::Away)),
            _ => Err(Fault::BadParam),
        },
        Some(number) => by_number(number),
    }
}

/// A rich presence as text; nothing: it stays as it is.
fn text(said: Option<&Value>) -> Result<Option<Arc<str>>, Fault> {
    match said {
        None | Some(Value::Null) => Ok(None),
        Some(object @ Value::Object(_)) => {
            let text = object.to_string();
            if text.len() > EXT_MAX { Err(Fault::BadParam) } else { Ok(Some(text.into())) }
        }
        Some(_) => Err(Fault::BadParam),
    }
}

fn became(set: Result<(), NoPresence>) -> Value {
    result(if set.is_ok() { "Ok" } else { "PresenceNotFound" })
}

/// Over HTTP it is the presence of the player's open socket, if there is one: a presence goes with
/// its socket.
fn set_presence(ask: Ask) -> Step {
    if ask.via == Via::Http {
        return Step::later(async move {
            let (account, wanted) = own(&ask).await?;
            set(&ask, account, wanted).await
        });
    }
    Step::Asking(Box::pin(async move {
        let (account, wanted) = own(&ask).await?;
        Ok(match account.and_then(|account| wanted.of(&account)) {
            Some(rich) => Wish::SetRich(rich, became),
            None => Wish::Say(result(GAME_IDENTITY_NOT_FOUND)),
        })
    }))
}

async fn own(ask: &Ask) -> Result<(Option<Account>, Wanted), Fault> {
    let wanted = Wanted::read(ask)?;
    Ok((ask.app.door.account(ask.account()?).await?, wanted))
}

/// A game server sets it for a player whose client is connected, named by player id or social id.
async fn set_presence_partner(ask: Ask) -> Result<Value, Fault> {
    let (payload, wanted) = (Payload::of(&ask), Wanted::read(&ask)?);
    let social = match payload.maybe_id("pragmaSocialId")? {
        Some(social) => Some(social),
        None => payload.maybe_id("socialId")?,
    };
    let account = match (payload.maybe_id("playerId")?, social) {
        (Some(player), _) => of_player(&ask, player, wanted.shard).await?,
        (None, Some(social)) => ask.app.door.account(AccountId(social)).await?,
        (None, None) => return Err(Fault::BadParam),
    };
    set(&ask, account, wanted).await
}

async fn set(ask: &Ask, account: Option<Account>, wanted: Wanted) -> Result<Value, Fault> {
    let rich = account.and_then(|account| Some((account.id, wanted.of(&account)?)));
    let Some((account, rich)) = rich else {
        return Ok(result(GAME_IDENTITY_NOT_FOUND));
    };
    Ok(became(ask.app.door.board.set_rich_of(account, rich).await?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_basic_presence_is_a_word_or_a_number() {
        for (said, read) in [
            (json!("Online"), Some(Basic::Online)),
            (json!("AWAY"), Some(Basic::Away)),
            (json!(1), Some(Basic::Online)),
            (json!(2.0), Some(Basic::Away)),
            (json!(""), None),
            (json!(0), None),
            (Value::Null, None),
        ] {
            assert_eq!(basic(Some(&said)), Ok(read), "{said}");
        }
        for bad in [json!("Busy"), json!(3), json!({}), json!(true)] {
            assert_eq!(basic(Some(&bad)), Err(Fault::BadParam), "{bad}");
        }
    }

    #[test]
    fn a_rich_presence_is_an_object_that_fits() {
        let read = |value: &Value| text(Some(value)).map(|text| text.map(|text| text.to_string()));
        assert_eq!(read(&json!({"a": [1]})), Ok(Some(r#"{"a":[1]}"#.to_owned())));
        assert_eq!((text(None), read(&Value::Null)), (Ok(None), Ok(None)));
        let of_length = |length: usize| json!({"a": "x".repeat(length - r#"{"a":""}"#.len())});
        assert!(read(&of_length(EXT_MAX)).is_ok());
        assert_eq!(read(&of_length(EXT_MAX + 1)), Err(Fault::BadParam));
        for bad in [json!("{}"), json!([]), json!(1)] {
            assert_eq!(read(&bad), Err(Fault::BadParam), "{bad}");
        }
    }
}
