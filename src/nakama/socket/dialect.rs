//! Nakama's realtime protocol in JSON (protocol-nakama §7.3 to §7.13), as far as this server speaks
//! it. What it does not take is answered with an error and the socket stays open: closing would
//! make SDKs that reconnect by themselves do so forever.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::read::{self, Envelope, Follow, Message, Unfollow};
use super::write::{self, ErrorCode};
use crate::actors::CallError;
use crate::actors::session::{Dialect, Effect, Format, Inbound, Outbound, Shared};
use crate::domain::account::AccountId;
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;
use crate::nakama::App;
use crate::nakama::reply::timestamp;

/// Longest status, in bytes (§7.9).
const STATUS_MAX: usize = 2_048;

/// What the dialect has to ask outside.
pub trait Outside: Clone + 'static {
    /// The account of a user name.
    fn named(&self, name: &str) -> impl Future<Output = Result<Option<AccountId>, CallError>>;
    /// Now.
    fn now(&self) -> UnixMicros;
    /// A new id.
    fn id(&self) -> Uuid;
}

impl Outside for Arc<App> {
    async fn named(&self, name: &str) -> Result<Option<AccountId>, CallError> {
        self.door.named(name).await
    }

    fn now(&self) -> UnixMicros {
        self.door.clock.now()
    }

    fn id(&self) -> Uuid {
        self.door.dice.uuid()
    }
}

/// One socket that speaks JSON.
pub struct Json<O> {
    outside: O,
    account: AccountId,
    username: Arc<str>,
    /// Set when the socket is closed for an envelope without a message: that has words of its own.
    empty_envelope: bool,
}

impl<O: Outside> Json<O> {
    /// The dialect of a socket of `account`, under the name its token gives.
    pub const fn new(outside: O, account: AccountId, username: Arc<str>) -> Self {
        Self { outside, account, username, empty_envelope: false }
    }

    fn asked(&mut self, envelope: Envelope) -> Vec<Effect> {
        let Envelope { cid, message } = envelope;
        let wrong = |code, message| vec![send(write::error(&cid, code, message))];
        match message {
            Some(Message::Ping) => vec![send(write::pong(&cid))],
            Some(Message::Pong) => Vec::new(),
            Some(Message::Update(update)) => match update.status {
                Some(status) if status.len() > STATUS_MAX => {
                    wrong(ErrorCode::BadInput, "Status must be 2048 characters or less")
                }
                status => vec![Effect::SetStatus(status), send(write::done(&cid))],
            },
            Some(Message::Follow(follow)) => self.follow(cid, follow),
            Some(Message::Unfollow(unfollow)) => self.unfollow(&cid, &unfollow),
            Some(Message::MatchJoin) => wrong(ErrorCode::MatchNotFound, "Match not found"),
            Some(Message::Rpc) => wrong(ErrorCode::FunctionNotFound, "RPC function not found"),
            Some(Message::Other) => wrong(ErrorCode::Unrecognized, "Unrecognized message."),
            None => {
                self.empty_envelope = true;
                let mut effects = wrong(ErrorCode::Missing, "Missing message.");
                effects.push(Effect::Close(CloseReason::Malformed));
                effects
            }
        }
    }

    /// Everything is checked before anybody is followed; oneself is always followed already.
    fn follow(&self, cid: String, follow: Follow) -> Vec<Effect> {
        let Some(mut accounts) = self.others(&follow.user_ids) else {
            return vec![send(write::error(&cid, ErrorCode::BadInput, BAD_ID))];
        };
        if follow.usernames.iter().any(String::is_empty) {
            return vec![send(write::error(&cid, ErrorCode::BadInput, "Invalid username"))];
        }
        let mut names = follow.usernames;
        names.retain(|name| **name != *self.username);
        if names.is_empty() {
            return following(cid, accounts);
        }
        let (outside, me) = (self.outside.clone(), self.account);
        vec![Effect::Call(Box::pin(async move {
            for name in names {
                match outside.named(&name).await {
                    Ok(Some(account)) if account != me => accounts.push(account),
                    Ok(_) => {}
                    Err(_) => {
                        let message = "Could not check users";
                        return vec![send(write::error(&cid, ErrorCode::Internal, message))];
                    }
                }
            }
            following(cid, accounts)
        }))]
    }

    fn unfollow(&self, cid: &str, unfollow: &Unfollow) -> Vec<Effect> {
        match self.others(&unfollow.user_ids) {
            None => vec![send(write::error(cid, ErrorCode::BadInput, BAD_ID))],
            Some(accounts) if accounts.is_empty() => vec![send(write::done(cid))],
            Some(accounts) => vec![Effect::Unfollow(accounts), send(write::done(cid))],
        }
    }

    /// The ids without one's own; `None` when one is no id.
    fn others(&self, ids: &[String]) -> Option<Vec<AccountId>> {
        let mut accounts = Vec::with_capacity(ids.len());
        for id in ids {
            let account = AccountId(Uuid::parse_str(id).ok()?);
            if account != self.account {
                accounts.push(account);
            }
        }
        Some(accounts)
    }
}

const BAD_ID: &str = "Invalid user identifier";

fn following(cid: String, accounts: Vec<AccountId>) -> Vec<Effect> {
    if accounts.is_empty() {
        return vec![send(write::status(&cid, &[]))];
    }
    let reply = move |online: &[_]| vec![send(write::status(&cid, online))];
    vec![Effect::Follow(accounts, Box::new(reply))]
}

const fn send(text: Bytes) -> Effect {
    Effect::Send(Outbound::Text(text))
}

impl<O: Outside> Dialect for Json<O> {
    /// Nothing: a client of Nakama's is greeted by its own join at most, which is an event (§7.2).
    fn opened(&mut self, _now: UnixMicros) -> Vec<Effect> {
        Vec::new()
    }

    fn message(&mut self, message: Inbound, _now: UnixMicros) -> Vec<Effect> {
        match message {
            Inbound::Binary(_) => vec![Effect::Close(CloseReason::WrongFrame)],
            Inbound::Text(frame) => match read::envelope(&frame) {
                Some(envelope) => self.asked(envelope),
                None => vec![Effect::Close(CloseReason::Malformed)],
            },
        }
    }

    fn event(&mut self, event: &Shared) -> Option<Outbound> {
        Some(Outbound::Text(event.bytes(Format::NakamaJson, write::event)))
    }

    /// §7.13: nearly everything is 1000 with a text; a shutdown is 1001 so that clients come back.
    fn closing(&mut self, reason: CloseReason) -> (Vec<Outbound>, u16, &'static str) {
        let (code, text) = match reason {
            CloseReason::AsRequested | CloseReason::Dropped => (1000, ""),
            CloseReason::WrongFrame => (1000, "received unexpected WebSocket message type"),
            CloseReason::Malformed if self.empty_envelope => (1000, "error processing message"),
            CloseReason::Malformed => (1000, "received malformed payload"),
            CloseReason::TooBig => (1009, ""),
            CloseReason::SlowConsumer => (1000, "session outgoing queue full"),
            CloseReason::Idle => (1000, "i/o timeout"),
            CloseReason::Expired | CloseReason::Usurped | CloseReason::Kicked => {
                (1000, "server-side session disconnect")
            }
            CloseReason::Shutdown => (1001, "server is shutting down"),
            CloseReason::Internal => (1011, "internal error"),
        };
        let last = if reason == CloseReason::Usurped {
            let now = timestamp(self.outside.now().as_secs());
            vec![Outbound::Text(write::single_socket(self.outside.id(), now))]
        } else {
            Vec::new()
        };
        (last, code, text)
    }
}

#[cfg(test)]
mod tests;
