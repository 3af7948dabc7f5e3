//! Presences set by a player's client or by a game server (protocol-pragma §12.1).

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::calls::{Ask, Call, Step, Via, Wish};
use super::envelope::Request;
use super::friend_calls::{id, shard};
use super::friend_wire::result;
use crate::actors::account_registry::Key;
use crate::domain::account::{Account, AccountId};
use crate::domain::presence::rich::EXT_MAX;
use crate::domain::presence::{Basic, NoPresence, RichAsk};
use crate::domain::token::BackendType;
use crate::domain::token::SessionType;
use crate::pragma::{App, Fault};
use crate::signin::SignInError;

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
        set_presence_partner,
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
    fn read(app: &App, request: &Request) -> Result<Self, Fault> {
        let shard = shard(app, request)?;
        let payload = &request.payload;
        let ext = payload.get("requestExt").or_else(|| payload.get("ext"));
        Ok(Self { shard, basic: basic(payload.get("basicPresence"))?, ext: text(ext)? })
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
    let (account, wanted) = match (ask.account(), Wanted::read(&ask.app, &ask.request)) {
        (Ok(account), Ok(wanted)) => (account, wanted),
        (Err(fault), _) | (_, Err(fault)) => return Step::Now(Err(fault)),
    };
    let Ask { app, via, .. } = ask;
    if via == Via::Http {
        return Step::later(async move {
            let found = app.door.account(account).await.map_err(SignInError::from)?;
            set(&app, found, wanted).await
        });
    }
    Step::Asking(Box::pin(async move {
        let found = app.door.account(account).await.map_err(SignInError::from)?;
        Ok(match found.and_then(|account| wanted.of(&account)) {
            Some(rich) => Wish::SetRich(rich, became),
            None => Wish::Say(result(GAME_IDENTITY_NOT_FOUND)),
        })
    }))
}

/// A game server sets it for a player whose client is connected, named by player id or social id.
fn set_presence_partner(ask: Ask) -> Step {
    let read = || {
        let request = &ask.request;
        let social = match id(request, "pragmaSocialId")? {
            Some(social) => Some(social),
            None => id(request, "socialId")?,
        };
        let player = id(request, "playerId")?;
        if player.is_none() && social.is_none() {
            return Err(Fault::BadParam);
        }
        Ok((player, social, Wanted::read(&ask.app, request)?))
    };
    let (player, social, wanted) = match read() {
        Ok(read) => read,
        Err(fault) => return Step::Now(Err(fault)),
    };
    let app = ask.app;
    Step::later(async move {
        let found = match (player, social) {
            (Some(player), _) => {
                let found = app.door.find(Key::Player(player)).await;
                // A player id is good on its own shard only.
                let on_shard = |it: &Account| it.player_on(wanted.shard) == Some(player);
                found.map(|found| found.filter(on_shard))
            }
            (None, Some(social)) => app.door.account(AccountId(social)).await,
            (None, None) => Ok(None),
        };
        set(&app, found.map_err(SignInError::from)?, wanted).await
    })
}

async fn set(app: &App, account: Option<Account>, wanted: Wanted) -> Result<Value, Fault> {
    let Some(account) = account else {
        return Ok(result(GAME_IDENTITY_NOT_FOUND));
    };
    let Some(rich) = wanted.of(&account) else {
        return Ok(result(GAME_IDENTITY_NOT_FOUND));
    };
    let set = app.door.board.set_rich_of(account.id, rich).await;
    Ok(became(set.map_err(SignInError::from)?))
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
