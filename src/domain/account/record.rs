//! What is kept of an account.

use uuid::Uuid;

use super::dossier::Dossier;
use super::link::{Link, LinkKind};
use super::profile::ProviderEmail;
use crate::domain::time::UnixMicros;

/// An account's id: Nakama's user id and Pragma's social id.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct AccountId(pub Uuid);

/// One player. Times are whole seconds since the epoch; zero means never.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Unique, case-sensitive, 1 to 128 bytes (protocol-nakama §2.3).
    pub username: String,
    /// Every way to sign in; at least one.
    pub links: Vec<Link>,
    /// Password hash (PHC string) that goes with the e-mail link.
    pub password: Option<String>,
    /// Shown name; empty when unset.
    pub display_name: String,
    /// Picture address; empty when unset.
    pub avatar_url: String,
    /// Language tag; `en` for new accounts.
    pub lang_tag: String,
    /// Place; empty when unset.
    pub location: String,
    /// Time zone; empty when unset.
    pub timezone: String,
    /// Pragma's shown name and discriminator, once the player came through that door.
    pub pragma_name: Option<PragmaName>,
    /// Pragma's player ids: one per game shard (protocol-pragma §6.1).
    pub players: Vec<ShardPlayer>,
    /// When it was made.
    pub created_at: u64,
    /// When its data last changed; a sign-in does not count.
    pub updated_at: u64,
    /// When an operator banned it; zero: not banned.
    pub disabled_at: u64,
    /// Tokens issued at or before this microsecond are revoked; zero: none.
    pub revoked_before_us: u64,
    /// Friends, invitations and blocks of its own (protocol-nakama §6.1).
    pub edge_count: u32,
    /// An address a provider gave that did not become the account's own: it was not verified, or
    /// another is in use. Nobody signs in by it.
    pub provider_email: Option<ProviderEmail>,
    /// What most accounts do not have; see [`Account::dossier`].
    pub dossier: Option<Box<Dossier>>,
}

/// Pragma's name#discriminator (protocol-pragma §6.2).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PragmaName {
    /// As the provider gave it at the first sign-in.
    pub name: String,
    /// 1 to 9999, shown with four digits.
    pub discriminator: u16,
}

/// The id a player goes by on one game shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShardPlayer {
    /// The shard.
    pub shard: Uuid,
    /// The player id there.
    pub player: Uuid,
}

impl Account {
    /// A new account with one link: nothing is set yet (protocol-nakama §2.4, last lines).
    pub fn new(id: AccountId, username: String, link: Link, now_s: u64) -> Self {
        Self {
            id,
            username,
            links: vec![link],
            password: None,
            display_name: String::new(),
            avatar_url: String::new(),
            lang_tag: "en".to_owned(),
            location: String::new(),
            timezone: String::new(),
            pragma_name: None,
            players: Vec::new(),
            created_at: now_s,
            updated_at: now_s,
            disabled_at: 0,
            revoked_before_us: 0,
            edge_count: 0,
            provider_email: None,
            dossier: None,
        }
    }

    /// What operators and providers say of it.
    pub fn dossier(&self) -> &Dossier {
        static EMPTY: Dossier = Dossier::EMPTY;
        self.dossier.as_deref().unwrap_or(&EMPTY)
    }

    /// The same, to be changed.
    pub fn dossier_mut(&mut self) -> &mut Dossier {
        self.dossier.get_or_insert_default()
    }

    /// The id of the server itself, which has no account (protocol-nakama §5.5).
    pub const SYSTEM: AccountId = AccountId(Uuid::nil());

    /// The server as it is shown to those who look it up: without a name, without a way to sign in.
    pub fn system() -> Self {
        let nobody = Link { kind: LinkKind::Device, id: String::new() };
        Self { links: Vec::new(), ..Self::new(Self::SYSTEM, String::new(), nobody, 0) }
    }

    /// An account for tests of rules.
    #[cfg(test)]
    pub fn sample(id: AccountId, link: Link) -> Self {
        Self::new(id, "sample".to_owned(), link, 1_000)
    }

    /// The link of a kind an account holds only one of.
    pub fn link(&self, kind: LinkKind) -> Option<&str> {
        self.links.iter().find(|link| link.kind == kind).map(|link| link.id.as_str())
    }

    /// Whether the account has this link.
    pub fn has(&self, link: &Link) -> bool {
        self.links.contains(link)
    }

    /// Whether an operator banned the account, by whatever protocol it comes.
    pub fn is_banned(&self, now: UnixMicros) -> bool {
        self.disabled_at != 0 || self.dossier.as_ref().is_some_and(|it| it.is_banned(now))
    }

    /// The player id on a shard.
    pub fn player_on(&self, shard: Uuid) -> Option<Uuid> {
        self.players.iter().find(|player| player.shard == shard).map(|player| player.player)
    }
}

/// Neither links nor the password hash are for logs.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id.0)
            .field("username", &self.username)
            .field("links", &self.links)
            .field("has_password", &self.password.is_some())
            .finish_non_exhaustive()
    }
}
