//! What a socket tells of friends without being asked (protocol-pragma §12): how the player's list
//! changes, and what friends show.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::envelope;
use super::friend_wire::{friend, leads, overview, presence};
use super::socket::Voice;
use crate::actors::session::{Effect, Format, Outbound, Shared};
use crate::domain::account::{Account, AccountId};
use crate::domain::friend::{EdgeState, ListNews};
use crate::domain::presence::{Event, Presence};
use crate::pragma::App;

/// One player's social socket, as far as it hears of friends.
#[derive(Clone)]
pub(super) struct Register {
    app: Arc<App>,
    me: AccountId,
    /// The number of the list the client knows; `None`: it has not asked for it and hears nothing
    /// but of itself.
    known: Rc<Cell<Option<u64>>>,
}

impl Register {
    pub fn new(app: Arc<App>, me: AccountId) -> Self {
        Self { app, me, known: Rc::default() }
    }

    /// The client is about to know the list with this number.
    pub fn knows(&self, version: u64) {
        self.known.set(Some(version));
    }

    /// The first message about an event, if there is one.
    pub fn event(&self, shared: &Shared, voice: &Voice) -> Option<Outbound> {
        let event = &shared.what;
        if event.account != self.me {
            return self.line(0, shared, voice);
        }
        // Of oneself only what clients of Pragma's set, and not that it is gone: so is the client.
        let is = event.is.as_ref().filter(|is| is.rich.is_some() && changed(event))?;
        let shown = presence(&self.app.config.pragma, is, Uuid::nil);
        let kind = "FriendRpc.PresenceUpdateV1Notification";
        Some(voice.say(envelope::notification(kind, &json!({ "newPresence": shown }))))
    }

    /// The second.
    pub fn also(&self, shared: &Shared, voice: &Voice) -> Option<Outbound> {
        (shared.what.account != self.me).then(|| self.line(1, shared, voice)).flatten()
    }

    /// The notifications about a friend are the same for all who hear: one on each line.
    fn line(&self, at: usize, shared: &Shared, voice: &Voice) -> Option<Outbound> {
        let lines = shared.bytes(Format::PragmaPayload, |event| self.lines(event));
        let line = lines.split(|byte| *byte == b'\n').nth(at).filter(|line| !line.is_empty())?;
        voice.say_notification(line)
    }

    fn lines(&self, event: &Event) -> Bytes {
        if !changed(event) {
            return Bytes::new();
        }
        let social = event.account.0;
        let of = |shown: &Presence| self.presence(shown);
        let (was, is) = (event.was.as_ref().map(of), event.is.as_ref().map(of));
        let mut said = Vec::new();
        let place = |shown: &Value| (shown["gameShardId"].clone(), shown["playerId"].clone());
        if let Some(was) = was.filter(|was| is.as_ref().map(place) != Some(place(was))) {
            let (shard, player) = place(&was);
            said.push(json!({
                "type": "FriendRpc.PresenceRemoveV1Notification",
                "payload": {"socialId": social, "playerId": player, "gameShardId": shard,
                    "gameTitleId": was["gameTitleId"]},
            }));
        }
        if let Some(is) = is {
            said.push(json!({
                "type": "FriendRpc.FriendUpdateV1Notification",
                "payload": {"socialId": social, "updatedPresence": is},
            }));
        }
        let said: Vec<_> = said.iter().map(Value::to_string).collect();
        said.join("\n").into()
    }

    fn presence(&self, shown: &Presence) -> Value {
        let config = &self.app.config.pragma;
        presence(config, shown, || {
            let account = self.app.door.seen(shown.account);
            account.and_then(|account| account.player_on(config.game_shard)).unwrap_or_default()
        })
    }

    /// The list has changed: new friends are followed, former ones no more, then the client is
    /// told. Looked at when it is its turn: an answer with the whole list may be on its way.
    pub fn list(&self, news: &Arc<ListNews>, voice: &Voice) -> Vec<Effect> {
        let (register, news, voice) = (self.clone(), Arc::clone(news), voice.clone());
        vec![Effect::Call(Box::pin(register.told(news, voice)))]
    }

    async fn told(self, news: Arc<ListNews>, voice: Voice) -> Vec<Effect> {
        if self.known.get().is_none_or(|known| news.version <= known) {
            return Vec::new();
        }
        let Some(updates) = Updates::of(&self.app, &news).await else {
            // The client misses a number, asks for the whole list and is registered anew.
            return Vec::new();
        };
        self.known.set(Some(news.version));
        let mut effects = Vec::new();
        if !updates.friends_removed.is_empty() {
            effects.push(Effect::Unfollow(updates.friends_removed.clone()));
        }
        let added: Vec<_> = updates.friends_added.iter().map(|friend| friend.id).collect();
        let app = self.app;
        let say = move |shown: &[Presence]| {
            let kind = "FriendRpc.FriendListUpdateV1Notification";
            let payload = updates.json(&app, shown);
            vec![Effect::Send(voice.say(envelope::notification(kind, &payload)))]
        };
        effects.push(if added.is_empty() {
            Effect::Call(Box::pin(async move { say(&[]) }))
        } else {
            Effect::Follow(added, Box::new(say))
        });
        effects
    }
}

/// Whether another presence stands for the player than before.
fn changed(event: &Event) -> bool {
    let version = |shown: &Option<Presence>| shown.as_ref().map(|shown| shown.version);
    version(&event.was) != version(&event.is)
}

/// `updates{}`: what was added with names, what was removed by id.
#[derive(Default)]
struct Updates {
    friends_added: Vec<Account>,
    friends_removed: Vec<AccountId>,
    received_added: Vec<Account>,
    received_removed: Vec<AccountId>,
    sent_added: Vec<Account>,
    sent_removed: Vec<AccountId>,
    version: u64,
}

impl Updates {
    /// `None`: names cannot be had now.
    async fn of(app: &App, news: &ListNews) -> Option<Self> {
        let mut updates = Self { version: news.version, ..Self::default() };
        for turn in &news.turns {
            match turn.before {
                Some(EdgeState::Friend) => updates.friends_removed.push(turn.other),
                Some(EdgeState::InviteReceived) => updates.received_removed.push(turn.other),
                Some(EdgeState::InviteSent) => updates.sent_removed.push(turn.other),
                Some(EdgeState::Blocked | EdgeState::BlockedBy) | None => {}
            }
            let added = match turn.after {
                Some(EdgeState::Friend) => &mut updates.friends_added,
                Some(EdgeState::InviteReceived) => &mut updates.received_added,
                Some(EdgeState::InviteSent) => &mut updates.sent_added,
                Some(EdgeState::Blocked | EdgeState::BlockedBy) | None => continue,
            };
            added.extend(app.door.account(turn.other).await.ok()?);
        }
        Some(updates)
    }

    fn json(&self, app: &App, shown: &[Presence]) -> Value {
        let (config, leads) = (&app.config.pragma, leads(shown));
        let ids = |ids: &[AccountId]| ids.iter().map(|id| json!(id.0)).collect::<Value>();
        let overviews = |accounts: &[Account]| accounts.iter().map(overview).collect::<Value>();
        let added = self.friends_added.iter().map(|account| {
            friend(config, account, config.game_shard, leads.get(&account.id).copied())
        });
        json!({"updates": {
            "friendsAdded": added.collect::<Value>(),
            "friendsRemoved": ids(&self.friends_removed),
            "receivedInvitesAdded": overviews(&self.received_added),
            "receivedInvitesRemoved": ids(&self.received_removed),
            "sentInvitesAdded": overviews(&self.sent_added),
            "sentInvitesRemoved": ids(&self.sent_removed),
            "version": self.version.to_string(),
        }})
    }
}
