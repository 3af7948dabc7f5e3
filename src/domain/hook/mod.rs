//! Hooks: what a studio's own code decides about accounts before something is done to them, and
//! hears once it is (protocol-pragma §6.3, protocol-nakama §2.17). `docs/hooks.md` is the page for
//! those who answer them.

mod retry;
pub mod signature;
mod verdict;

pub use retry::retry_after_ms;
pub use verdict::{BadAnswer, Given, NAME_MAX, Verdict};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::account::{Account, AccountNews, Link, LinkKind};

/// What a hook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookEvent {
    /// An account is to be made.
    AccountCreate,
    /// Somebody is to be signed in.
    AccountLogin,
    /// A way to sign in is to be added.
    AccountLink,
    /// A way to sign in is to be taken away.
    AccountUnlink,
    /// An account is to have another name.
    AccountRename,
    /// An account is to go.
    AccountDelete,
    /// Somebody is to stand in line, with an account or a way to sign in.
    QueueEnter,
    /// An account was made.
    AccountCreated,
    /// An account is gone.
    AccountDeleted,
}

impl HookEvent {
    /// Every event.
    pub const ALL: [Self; 9] = [
        Self::AccountCreate,
        Self::AccountLogin,
        Self::AccountLink,
        Self::AccountUnlink,
        Self::AccountRename,
        Self::AccountDelete,
        Self::QueueEnter,
        Self::AccountCreated,
        Self::AccountDeleted,
    ];

    /// Its name in settings, calls and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountCreate => "account_create",
            Self::AccountLogin => "account_login",
            Self::AccountLink => "account_link",
            Self::AccountUnlink => "account_unlink",
            Self::AccountRename => "account_rename",
            Self::AccountDelete => "account_delete",
            Self::QueueEnter => "queue_enter",
            Self::AccountCreated => "account_created",
            Self::AccountDeleted => "account_deleted",
        }
    }
}

/// The wire somebody came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Nakama's client API.
    Nakama,
    /// Pragma's.
    Pragma,
}

impl Protocol {
    /// Its name in calls.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nakama => "nakama",
            Self::Pragma => "pragma",
        }
    }
}

/// Names an account is to have; `None`: as it is, or as the server gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedNames {
    /// User name.
    pub username: Option<String>,
    /// Shown name.
    pub display_name: Option<String>,
}

/// One call of a hook. What is told of it holds nothing that somebody signs in with, but for custom
/// ids, which hooks are there to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCall {
    /// Its id; a repeat has the same.
    pub id: Uuid,
    /// What it is about.
    pub event: HookEvent,
    /// The account as it is; `None`: there is none yet.
    pub account: Option<HookAccount>,
    /// The link that was proven, is to be added or to be taken away; with an empty id: whatever is
    /// linked of the kind, which is nothing.
    pub link: Option<Link>,
    /// Names that are asked for.
    pub wanted: WantedNames,
    /// The game shard that is asked for.
    pub shard: Option<Uuid>,
    /// Whether the account is, or was, new with this.
    pub created: bool,
    /// The wire; `None`: not known.
    pub protocol: Option<Protocol>,
    /// The client's address as text; `None`: not known.
    pub client_address: Option<String>,
}

/// An account, as hooks are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookAccount {
    /// Its id.
    pub id: Uuid,
    /// Its user name.
    pub username: String,
    /// Its shown name; may be empty.
    pub display_name: String,
    /// Its name at Pragma's clients, `Ada#0042`; `None`: it never came through that door.
    pub pragma_name: Option<String>,
}

impl From<&Account> for HookAccount {
    fn from(account: &Account) -> Self {
        let name = account.pragma_name.as_ref();
        Self {
            id: account.id.0,
            username: account.username.clone(),
            display_name: account.display_name.clone(),
            pragma_name: name.map(|name| format!("{}#{:04}", name.name, name.discriminator)),
        }
    }
}

impl HookCall {
    /// A call with nothing beside the event.
    pub fn new(id: Uuid, event: HookEvent) -> Self {
        Self {
            id,
            event,
            account: None,
            link: None,
            wanted: WantedNames::default(),
            shard: None,
            created: false,
            protocol: None,
            client_address: None,
        }
    }

    /// What is told of an account that came or went. Who made it, and from where, is not known any
    /// more; the wire is told by the name that only one of them gives.
    pub fn of_news(id: Uuid, news: &AccountNews) -> Self {
        match news {
            AccountNews::Created(account) => Self {
                account: Some(account.into()),
                link: account.links.first().cloned(),
                shard: account.players.first().map(|player| player.shard),
                created: true,
                protocol: Some(match account.pragma_name {
                    Some(_) => Protocol::Pragma,
                    None => Protocol::Nakama,
                }),
                ..Self::new(id, HookEvent::AccountCreated)
            },
            AccountNews::Deleted(account) => {
                Self { account: Some(account.into()), ..Self::new(id, HookEvent::AccountDeleted) }
            }
        }
    }

    /// The call as JSON; members that do not apply are `null`.
    pub fn json(&self) -> Value {
        let account = self.account.as_ref().map(|account| {
            json!({"id": account.id, "username": account.username,
                "displayName": account.display_name, "pragmaName": account.pragma_name})
        });
        json!({
            "event": self.event.name(),
            "eventId": self.id,
            "account": account,
            "link": self.link.as_ref().map(link),
            "wanted": {"username": self.wanted.username, "displayName": self.wanted.display_name},
            "created": self.created,
            "protocol": self.protocol.map(Protocol::name),
            "gameShardId": self.shard,
            "clientAddress": self.client_address,
        })
    }
}

/// Whoever knows a device id can sign in with it, and an address is nobody's business but the
/// player's: of those only the kind is told.
fn link(link: &Link) -> Value {
    let is_told = !matches!(link.kind, LinkKind::Device | LinkKind::Email);
    let id = Some(link.id.as_str()).filter(|id| is_told && !id.is_empty());
    match link.kind {
        LinkKind::Studio(number) => json!({"kind": format!("studio-{number}"), "id": id}),
        kind => json!({"kind": kind.name(), "id": id}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, PragmaName, ShardPlayer};

    fn account() -> Account {
        let link = Link { kind: LinkKind::Custom, id: "shop|7".into() };
        Account::sample(AccountId(Uuid::from_u128(1)), link)
    }

    #[test]
    fn an_event_is_called_alike_everywhere() {
        for event in HookEvent::ALL {
            assert_eq!(serde_json::to_value(event).unwrap(), event.name());
        }
    }

    #[test]
    fn a_call_names_everything_it_knows_and_null_for_the_rest() {
        let mut account = account();
        account.username = "ada".into();
        account.pragma_name = Some(PragmaName { name: "Ada".into(), discriminator: 42 });
        let call = HookCall {
            account: Some((&account).into()),
            link: account.links.first().cloned(),
            shard: Some(Uuid::from_u128(2)),
            protocol: Some(Protocol::Pragma),
            client_address: Some("192.0.2.7".into()),
            ..HookCall::new(Uuid::from_u128(9), HookEvent::AccountLogin)
        };
        let expected = json!({
            "event": "account_login",
            "eventId": "00000000-0000-0000-0000-000000000009",
            "account": {"id": "00000000-0000-0000-0000-000000000001", "username": "ada",
                "displayName": "", "pragmaName": "Ada#0042"},
            "link": {"kind": "custom", "id": "shop|7"},
            "wanted": {"username": null, "displayName": null},
            "created": false,
            "protocol": "pragma",
            "gameShardId": "00000000-0000-0000-0000-000000000002",
            "clientAddress": "192.0.2.7",
        });
        assert_eq!(call.json(), expected);
        let bare = HookCall::new(Uuid::nil(), HookEvent::AccountCreate).json();
        for member in ["account", "link", "protocol", "gameShardId", "clientAddress"] {
            assert_eq!(bare[member], Value::Null, "{member}");
        }
    }

    #[test]
    fn device_ids_and_addresses_are_not_told() {
        for (kind, name) in [(LinkKind::Email, "email"), (LinkKind::Device, "device")] {
            let kept = Link { kind, id: "ada@example.com".into() };
            let call =
                HookCall { link: Some(kept), ..HookCall::new(Uuid::nil(), HookEvent::AccountLink) };
            assert_eq!(call.json()["link"], json!({"kind": name, "id": null}));
        }
        let studio = Link { kind: LinkKind::Studio(110), id: "p7".into() };
        assert_eq!(link(&studio), json!({"kind": "studio-110", "id": "p7"}));
    }

    #[test]
    fn news_say_by_which_door_an_account_came() {
        let mut account = account();
        let id = Uuid::from_u128(3);
        let told = HookCall::of_news(id, &AccountNews::Created(account.clone()));
        assert_eq!((told.protocol, told.shard, told.created), (Some(Protocol::Nakama), None, true));
        account.pragma_name = Some(PragmaName { name: "Ada".into(), discriminator: 1 });
        account.players = vec![ShardPlayer { shard: id, player: id }];
        let told = HookCall::of_news(id, &AccountNews::Created(account.clone()));
        assert_eq!((told.protocol, told.shard), (Some(Protocol::Pragma), Some(id)));
        assert_eq!(told.link, account.links.first().cloned());
        let told = HookCall::of_news(id, &AccountNews::Deleted(account));
        assert_eq!((told.event, told.link), (HookEvent::AccountDeleted, None));
    }
}
