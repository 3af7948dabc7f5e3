//! Nakama's realtime protocol (protocol-nakama §7.3 to §7.13), as far as this server speaks it, in
//! the format of the socket. What it does not take is answered with an error and the socket stays open: closing would
//! make SDKs that reconnect by themselves do so forever.

use std::sync::Arc;

use uuid::Uuid;

use super::codec::{Codec, ErrorCode, Said};
use super::read::{Envelope, Follow, Message, Unfollow};
use crate::actors::CallError;
use crate::actors::session::{Dialect, Effect, Inbound, Outbound, Shared};
use crate::domain::account::AccountId;
use crate::domain::notification::{Notification, Topic};
use crate::domain::presence::Presence;
use crate::domain::session::CloseReason;
use crate::domain::time::UnixMicros;
use crate::nakama::App;

/// Longest status, in bytes (§7.9).
const STATUS_MAX: usize = 2_048;

/// What the dialect has to ask outside.
pub trait Outside: Clone + 'static {
    /// The account of a user name.
    fn named(&self, name: &str) -> impl Future<Output = Result<Option<AccountId>, CallError>>;
    /// Whom of these `account` may follow.
    fn may_follow(
        &self,
        account: AccountId,
        whom: Vec<AccountId>,
    ) -> Result<Vec<AccountId>, CallError>;
    /// Now.
    fn now(&self) -> UnixMicros;
    /// A new id.
    fn id(&self) -> Uuid;
}

impl Outside for Arc<App> {
    async fn named(&self, name: &str) -> Result<Option<AccountId>, CallError> {
        self.door.named(name).await
    }

    fn may_follow(
        &self,
        account: AccountId,
        whom: Vec<AccountId>,
    ) -> Result<Vec<AccountId>, CallError> {
        self.door.may_follow(account, whom)
    }

    fn now(&self) -> UnixMicros {
        self.door.clock.now()
    }

    fn id(&self) -> Uuid {
        self.door.dice.uuid()
    }
}

/// One socket.
pub struct Realtime<O> {
    voice: Voice<O>,
    username: Arc<str>,
    /// Set when the socket is closed for an envelope without a message: that has words of its own.
    empty_envelope: bool,
}

/// Who is spoken to, in which format: what a reply needs that is made later, too.
#[derive(Clone)]
struct Voice<O> {
    outside: O,
    codec: Codec,
    account: AccountId,
}

impl<O: Outside> Voice<O> {
    fn say(&self, cid: &str, said: Said<'_>) -> Effect {
        Effect::Send(self.codec.frame(self.codec.bytes(cid, said)))
    }

    fn wrong(&self, cid: &str, code: ErrorCode, message: &'static str) -> Vec<Effect> {
        vec![self.say(cid, Said::Error(code, message))]
    }

    /// Follows those of them who may be followed.
    fn follow(self, cid: String, accounts: Vec<AccountId>) -> Vec<Effect> {
        let Ok(accounts) = self.outside.may_follow(self.account, accounts) else {
            return self.wrong(&cid, ErrorCode::Internal, UNCHECKED);
        };
        if accounts.is_empty() {
            return vec![self.say(&cid, Said::Status(&[]))];
        }
        let reply = move |online: &[Presence]| vec![self.say(&cid, Said::Status(online))];
        vec![Effect::Follow(accounts, Box::new(reply))]
    }
}

impl<O: Outside> Realtime<O> {
    /// The dialect of a socket of `account`, under the name its token gives.
    pub const fn new(outside: O, codec: Codec, account: AccountId, username: Arc<str>) -> Self {
        let voice = Voice { outside, codec, account };
        Self { voice, username, empty_envelope: false }
    }

    fn asked(&mut self, envelope: Envelope) -> Vec<Effect> {
        let Envelope { cid, message } = envelope;
        let voice = &self.voice;
        let wrong = |code, message| voice.wrong(&cid, code, message);
        match message {
            Some(Message::Ping) => vec![voice.say(&cid, Said::Pong)],
            Some(Message::Pong) => Vec::new(),
            Some(Message::Update(update)) => match update.status {
                Some(status) if status.len() > STATUS_MAX => {
                    wrong(ErrorCode::BadInput, "Status must be 2048 characters or less")
                }
                status => vec![Effect::SetStatus(status), voice.say(&cid, Said::Done)],
            },
            Some(Message::Follow(follow)) => self.follow(cid, follow),
            Some(Message::Unfollow(unfollow)) => self.unfollow(&cid, &unfollow),
            Some(Message::MatchJoin) => wrong(ErrorCode::MatchNotFound, "Match not found"),
            Some(Message::Rpc) => wrong(ErrorCode::FunctionNotFound, "RPC function not found"),
            Some(Message::Other) => wrong(ErrorCode::Unrecognized, "Unrecognized message."),
            None => {
                let mut effects = wrong(ErrorCode::Missing, "Missing message.");
                self.empty_envelope = true;
                effects.push(Effect::Close(CloseReason::Malformed));
                effects
            }
        }
    }

    /// Everything is checked before anybody is followed; oneself is always followed already.
    fn follow(&self, cid: String, follow: Follow) -> Vec<Effect> {
        let voice = self.voice.clone();
        let Some(mut accounts) = self.others(&follow.user_ids) else {
            return voice.wrong(&cid, ErrorCode::BadInput, BAD_ID);
        };
        if follow.usernames.iter().any(String::is_empty) {
            return voice.wrong(&cid, ErrorCode::BadInput, "Invalid username");
        }
        let mut names = follow.usernames;
        names.retain(|name| **name != *self.username);
        if names.is_empty() {
            return voice.follow(cid, accounts);
        }
        vec![Effect::Call(Box::pin(async move {
            for name in names {
                match voice.outside.named(&name).await {
                    Ok(Some(account)) if account != voice.account => accounts.push(account),
                    Ok(_) => {}
                    Err(_) => return voice.wrong(&cid, ErrorCode::Internal, UNCHECKED),
                }
            }
            voice.follow(cid, accounts)
        }))]
    }

    fn unfollow(&self, cid: &str, unfollow: &Unfollow) -> Vec<Effect> {
        let done = || self.voice.say(cid, Said::Done);
        match self.others(&unfollow.user_ids) {
            None => self.voice.wrong(cid, ErrorCode::BadInput, BAD_ID),
            Some(accounts) if accounts.is_empty() => vec![done()],
            Some(accounts) => vec![Effect::Unfollow(accounts), done()],
        }
    }

    /// The ids without one's own; `None` when one is no id.
    fn others(&self, ids: &[String]) -> Option<Vec<AccountId>> {
        let mut accounts = Vec::with_capacity(ids.len());
        for id in ids {
            let account = AccountId(Uuid::parse_str(id).ok()?);
            if account != self.voice.account {
                accounts.push(account);
            }
        }
        Some(accounts)
    }
}

const BAD_ID: &str = "Invalid user identifier";
const UNCHECKED: &str = "Could not check users";

impl<O: Outside> Dialect for Realtime<O> {
    /// Nothing: a client of Nakama's is greeted by its own join at most, which is an event (§7.2).
    fn opened(&mut self, _now: UnixMicros) -> Vec<Effect> {
        Vec::new()
    }

    fn message(&mut self, message: Inbound, _now: UnixMicros) -> Vec<Effect> {
        match self.voice.codec.read(&message) {
            Ok(envelope) => self.asked(envelope),
            Err(reason) => vec![Effect::Close(reason)],
        }
    }

    fn event(&mut self, event: &Shared) -> Option<Outbound> {
        let codec = self.voice.codec;
        let bytes = event.bytes(codec.format(), |event| codec.bytes("", Said::Event(event)));
        Some(codec.frame(bytes))
    }

    fn notification(&mut self, told: &Shared<Notification>) -> Option<Outbound> {
        let codec = self.voice.codec;
        let bytes = told.bytes(codec.format(), |told| codec.bytes("", Said::Notification(told)));
        Some(codec.frame(bytes))
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
        let Voice { outside, codec, .. } = &self.voice;
        let last = if reason == CloseReason::Usurped {
            let topic = Topic::SingleSocket;
            let told = Notification::from_server(outside.id(), topic, outside.now());
            vec![codec.frame(codec.bytes("", Said::Notification(&told)))]
        } else {
            Vec::new()
        };
        (last, code, text)
    }
}

#[cfg(test)]
mod tests;
