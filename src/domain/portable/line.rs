//! A line of an export.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Problem;
use crate::domain::account::{
    Account, AccountId, Dossier, Link, LinkKind, PragmaName, ProviderEmail, ShardPlayer, names,
    passwords,
};
use crate::domain::friend::{Edge, EdgeState};
use crate::domain::realm::Realm;

/// The only format there is so far.
pub const FORMAT: u32 = 1;

/// Any line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Head(Head),
    /// What operators keep beside accounts: tags, groups, roles.
    Realm(Box<Realm>),
    /// An account.
    Account(Box<AccountLine>),
}

/// What an export says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its format.
    pub format: u32,
    /// The program that wrote it.
    pub program: String,
    /// When it was begun, in milliseconds since the epoch.
    pub made_ms: u64,
    /// How many accounts follow.
    pub accounts: u64,
}

/// An account. Times are seconds since the epoch; what is empty or zero is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLine {
    /// Its id.
    pub id: Uuid,
    /// Its user name.
    pub username: String,
    /// Every way to sign in.
    pub links: Vec<LinkLine>,
    /// The hash of the password that goes with the e-mail link: argon2 (PHC string) or bcrypt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Shown name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Picture address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub avatar_url: String,
    /// Language tag; `en` when it is left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lang_tag: String,
    /// Place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// Time zone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub timezone: String,
    /// Pragma's shown name and discriminator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pragma_name: Option<PragmaName>,
    /// Pragma's player ids, one for each game shard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub players: Vec<ShardPlayer>,
    /// When it was made.
    pub created_at: u64,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub updated_at: u64,
    /// When it was banned for good in an older way than by a ban of `dossier`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disabled_at: u64,
    /// Tokens issued at or before this microsecond are revoked.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revoked_before_us: u64,
    /// An address a provider gave that is not the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_email: Option<ProviderEmail>,
    /// Bans, tags, groups, roles, names at providers, what was unlinked, requests about data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dossier: Option<Box<Dossier>>,
    /// Friends, invitations and blocks: its own side of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub friends: Vec<FriendLine>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One way to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkLine {
    /// Its kind: "device", "email" and so on, "studio:105" for one of the studio's own.
    pub kind: String,
    /// The identifier.
    pub id: String,
}

/// One side's record of a relationship.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FriendLine {
    /// The other account.
    pub id: Uuid,
    /// "friend", "`invite_sent`", "`invite_received`", "blocked" or "`blocked_by`".
    pub state: String,
    /// When it was made, in microseconds since the epoch.
    pub position: u64,
    /// When it last changed.
    pub updated_at: u64,
    /// A JSON object as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
}

impl LinkLine {
    fn of(link: &Link) -> Self {
        let kind = match link.kind {
            LinkKind::Studio(number) => format!("studio:{number}"),
            kind => kind.name().to_owned(),
        };
        Self { kind, id: link.id.clone() }
    }

    /// The link, by the rules of its kind.
    ///
    /// # Errors
    ///
    /// [`Problem::LinkKind`], [`Problem::Link`].
    pub fn read(&self) -> Result<Link, Problem> {
        let unknown = || Problem::LinkKind(self.kind.clone());
        let studio = || {
            let number = self.kind.strip_prefix("studio:")?.parse().ok()?;
            LinkKind::from_number(number).filter(|kind| matches!(kind, LinkKind::Studio(_)))
        };
        let known = LinkKind::ALL.into_iter().find(|kind| kind.name() == self.kind);
        let kind = known.or_else(studio).ok_or_else(unknown)?;
        let why = |why: String| Problem::Link { kind: kind.name(), why };
        match kind {
            LinkKind::Device => names::device(&self.id).map_err(|refusal| why(refusal.to_string())),
            LinkKind::Custom => names::custom(&self.id).map_err(|refusal| why(refusal.to_string())),
            LinkKind::Email => {
                names::email_address(&self.id).map_err(|refusal| why(refusal.to_string()))
            }
            kind if (1..=128).contains(&self.id.len()) => Ok(Link { kind, id: self.id.clone() }),
            _ => Err(why("its length".to_owned())),
        }
    }
}

impl FriendLine {
    fn of(other: AccountId, edge: &Edge) -> Self {
        let state = match edge.state {
            EdgeState::Friend => "friend",
            EdgeState::InviteSent => "invite_sent",
            EdgeState::InviteReceived => "invite_received",
            EdgeState::Blocked => "blocked",
            EdgeState::BlockedBy => "blocked_by",
        };
        Self {
            id: other.0,
            state: state.to_owned(),
            position: edge.position,
            updated_at: edge.updated_at,
            metadata: edge.metadata.clone(),
        }
    }

    /// The record; `None`: there is no such state.
    pub fn read(&self) -> Option<(AccountId, Edge)> {
        let state = match self.state.as_str() {
            "friend" => EdgeState::Friend,
            "invite_sent" => EdgeState::InviteSent,
            "invite_received" => EdgeState::InviteReceived,
            "blocked" => EdgeState::Blocked,
            "blocked_by" => EdgeState::BlockedBy,
            _ => return None,
        };
        let Self { id, position, updated_at, metadata, .. } = self;
        let (position, updated_at, metadata) = (*position, *updated_at, metadata.clone());
        Some((AccountId(*id), Edge { state, position, updated_at, metadata }))
    }
}

impl AccountLine {
    /// The line of an account and its relationships.
    pub fn of(account: &Account, edges: &[(AccountId, Edge)]) -> Self {
        let lang_tag = if account.lang_tag == "en" { "" } else { &account.lang_tag };
        Self {
            id: account.id.0,
            username: account.username.clone(),
            links: account.links.iter().map(LinkLine::of).collect(),
            password: account.password.clone(),
            display_name: account.display_name.clone(),
            avatar_url: account.avatar_url.clone(),
            lang_tag: lang_tag.to_owned(),
            location: account.location.clone(),
            timezone: account.timezone.clone(),
            pragma_name: account.pragma_name.clone(),
            players: account.players.clone(),
            created_at: account.created_at,
            updated_at: account.updated_at,
            disabled_at: account.disabled_at,
            revoked_before_us: account.revoked_before_us,
            provider_email: account.provider_email.clone(),
            dossier: account.dossier.clone(),
            friends: edges.iter().map(|(other, edge)| FriendLine::of(*other, edge)).collect(),
        }
    }

    /// The account, without its relationships, and what of it is left out.
    ///
    /// # Errors
    ///
    /// What keeps the whole account out.
    pub fn read(&self) -> Result<(Account, Vec<Problem>), Problem> {
        let mut problems = Vec::new();
        let mut links: Vec<Link> = Vec::with_capacity(self.links.len());
        for line in &self.links {
            match line.read() {
                Ok(link) if links.contains(&link) => {}
                Ok(link) => links.push(link),
                Err(problem) => problems.push(problem),
            }
        }
        let Some(first) = links.first().cloned() else {
            return Err(problems.pop().unwrap_or(Problem::NoLink));
        };
        let username = names::username(&self.username);
        let username = username.map_err(|refusal| Problem::Username(refusal.to_string()))?;
        let username = username.ok_or_else(|| Problem::Username("it is empty".to_owned()))?;
        let (id, made) = (AccountId(self.id), self.created_at);
        let mut account = Account::new(id, username, first, made);
        account.links = links;
        account.password.clone_from(&self.password);
        if self.password.as_deref().is_some_and(|hash| !passwords::is_hash(hash)) {
            problems.push(Problem::Password);
            account.password = None;
        }
        account.display_name.clone_from(&self.display_name);
        account.avatar_url.clone_from(&self.avatar_url);
        if !self.lang_tag.is_empty() {
            account.lang_tag.clone_from(&self.lang_tag);
        }
        account.location.clone_from(&self.location);
        account.timezone.clone_from(&self.timezone);
        account.pragma_name.clone_from(&self.pragma_name);
        account.players.clone_from(&self.players);
        account.updated_at = self.updated_at.max(made);
        account.disabled_at = self.disabled_at;
        account.revoked_before_us = self.revoked_before_us;
        account.provider_email.clone_from(&self.provider_email);
        account.dossier.clone_from(&self.dossier);
        Ok((account, problems))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Account {
        let id = AccountId(Uuid::from_u128(7));
        let device = Link { kind: LinkKind::Device, id: "a-device-of-ada".to_owned() };
        let mut account = Account::new(id, "ada".to_owned(), device, 1_000);
        account.links.push(Link { kind: LinkKind::Email, id: "ada@mail.example".to_owned() });
        account.links.push(Link { kind: LinkKind::Studio(105), id: "x".to_owned() });
        account.password = Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA".to_owned());
        account.display_name = "Ada".to_owned();
        account.lang_tag = "de".to_owned();
        account.updated_at = 2_000;
        account.dossier_mut().tags.push(Uuid::from_u128(3));
        account
    }

    #[test]
    fn an_account_comes_back_as_it_went() {
        let account = full();
        let edge = Edge {
            state: EdgeState::BlockedBy,
            position: 5,
            updated_at: 6,
            metadata: "{\"a\":1}".to_owned(),
        };
        let other = AccountId(Uuid::from_u128(9));
        let line = AccountLine::of(&account, &[(other, edge.clone())]);
        let text = serde_json::to_string(&Line::Account(Box::new(line))).unwrap();
        assert!(text.starts_with("{\"line\":\"account\",\"id\":\"00000000-"), "{text}");
        let Line::Account(line) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        let (read, problems) = line.read().unwrap();
        assert!(read == account && problems.is_empty(), "{problems:?}");
        assert_eq!(line.friends[0].read(), Some((other, edge)));
    }

    #[test]
    fn what_cannot_be_kept_is_named_and_the_rest_is_kept() {
        let mut line = AccountLine::of(&full(), &[]);
        line.links.push(LinkLine { kind: "device".to_owned(), id: "short".to_owned() });
        line.links.push(LinkLine { kind: "carrier pigeon".to_owned(), id: "x".to_owned() });
        line.password = Some("5f4dcc3b5aa765d61d8327deb882cf99".to_owned());
        let (account, problems) = line.read().unwrap();
        assert_eq!(account.links.len(), 3);
        assert_eq!((account.password, problems.len()), (None, 3), "{problems:?}");
        line.links.clear();
        assert_eq!(line.read().err(), Some(Problem::NoLink));
        line.links.push(LinkLine { kind: "custom".to_owned(), id: "long enough?".to_owned() });
        assert!(matches!(line.read(), Err(Problem::Link { kind: "custom", .. })));
        line.links[0].id = "long-enough".to_owned();
        line.username.clear();
        assert!(matches!(line.read(), Err(Problem::Username(_))));
    }
}
