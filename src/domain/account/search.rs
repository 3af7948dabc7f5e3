//! Which accounts an operator looks for (protocol-pragma §6.5, `GetPragmaAccountOverviews`).

use uuid::Uuid;

use super::link::{Link, LinkKind};
use super::names::fold_display_name;
use super::record::{Account, AccountId};

/// What accounts must be like; what is empty or `None` is not looked at. A list means any of its
/// entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Tags, by id.
    pub tags: Vec<Uuid>,
    /// Tags that rule an account out.
    pub not_tags: Vec<Uuid>,
    /// Player groups, by id.
    pub groups: Vec<Uuid>,
    /// Groups that rule an account out.
    pub not_groups: Vec<Uuid>,
    /// Operator roles, by id.
    pub roles: Vec<Uuid>,
    /// Kinds of links.
    pub kinds: Vec<LinkKind>,
    /// An id at a provider, exactly: of one of `kinds`, if there are any.
    pub provider_id: Option<String>,
    /// The account's id.
    pub id: Option<AccountId>,
    /// An e-mail address, in any case.
    pub email: Option<String>,
    /// Whether the address is verified.
    pub is_verified: Option<bool>,
    /// A name at a provider, with what tells it apart as the provider writes it or without, in any
    /// case: at the provider of this kind, if one is given.
    pub shown: Option<(Option<LinkKind>, String)>,
    /// A Pragma name, folded, and its discriminator if one is given.
    pub pragma_name: Option<(String, Option<u16>)>,
    /// A part of any of the account's names, in any case: user name, display name, Pragma name, names
    /// at providers.
    pub name: Option<String>,
    /// A game shard on which there is a player.
    pub shard: Option<Uuid>,
    /// Requests about data that are not over.
    pub has_open_request: bool,
}

/// What a filter can be answered by, without looking at every account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exact {
    /// By id.
    Id(AccountId),
    /// By links: one of them.
    Links(Vec<Link>),
    /// By Pragma name.
    PragmaName(String, u16),
    /// Among those with roles.
    Staff,
}

impl AccountFilter {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The key that finds every account of this filter, if it has one. What is found has to match
    /// nevertheless. An address is none: several accounts may have it from their providers.
    pub fn exact(&self) -> Option<Exact> {
        if let Some(id) = self.id {
            return Some(Exact::Id(id));
        }
        if let Some(id) = &self.provider_id {
            let studio = (super::link::STUDIO_FIRST..=u8::MAX).map(LinkKind::Studio);
            let kinds: Vec<_> = match self.kinds.as_slice() {
                [] => LinkKind::ALL.into_iter().chain(studio).collect(),
                kinds => kinds.to_vec(),
            };
            let link = |kind| Link { kind, id: id.clone() };
            return Some(Exact::Links(kinds.into_iter().map(link).collect()));
        }
        match &self.pragma_name {
            Some((folded, Some(number))) => Some(Exact::PragmaName(folded.clone(), *number)),
            _ if !self.roles.is_empty() => Some(Exact::Staff),
            _ => None,
        }
    }

    /// Whether an account is one of those.
    pub fn matches(&self, account: &Account) -> bool {
        let dossier = account.dossier();
        let any = |wanted: &[Uuid], has: &[Uuid]| has.iter().any(|id| wanted.contains(id));
        let one_of = |wanted: &[Uuid], has: &[Uuid]| wanted.is_empty() || any(wanted, has);
        one_of(&self.tags, &dossier.tags)
            && one_of(&self.groups, &dossier.groups)
            && one_of(&self.roles, &dossier.roles)
            && !any(&self.not_tags, &dossier.tags)
            && !any(&self.not_groups, &dossier.groups)
            && self.id.is_none_or(|id| id == account.id)
            && self.shard.is_none_or(|shard| account.player_on(shard).is_some())
            && self.matches_links(account)
            && self.matches_email(account)
            && self.matches_names(account)
            && self.name.as_ref().is_none_or(|part| has_name(account, part))
            && (!self.has_open_request
                || dossier.data_requests.iter().any(|request| !request.status.is_over()))
    }

    fn matches_links(&self, account: &Account) -> bool {
        if self.kinds.is_empty() && self.provider_id.is_none() {
            return true;
        }
        account.links.iter().any(|link| {
            (self.kinds.is_empty() || self.kinds.contains(&link.kind))
                && self.provider_id.as_ref().is_none_or(|id| *id == link.id)
        })
    }

    fn matches_email(&self, account: &Account) -> bool {
        let (address, is_verified) = email(account);
        let same = |wanted: &String| {
            let other = account.provider_email.as_ref().map(|email| email.address.as_str());
            let wanted = wanted.to_lowercase();
            wanted == address.to_lowercase() || other.is_some_and(|it| it.to_lowercase() == wanted)
        };
        self.email.as_ref().is_none_or(same)
            && self.is_verified.is_none_or(|wanted| !address.is_empty() && wanted == is_verified)
    }

    fn matches_names(&self, account: &Account) -> bool {
        let pragma = self.pragma_name.as_ref().is_none_or(|(folded, number)| {
            account.pragma_name.as_ref().is_some_and(|name| {
                number.is_none_or(|number| number == name.discriminator)
                    && fold_display_name(&name.name) == *folded
            })
        });
        pragma
            && self.shown.as_ref().is_none_or(|(kind, wanted)| {
                let mut shown = account.dossier().shown.iter();
                shown.any(|shown| {
                    let wanted = wanted.to_lowercase();
                    let name = shown.name.to_lowercase();
                    let full = format!("{name}#{}", shown.discriminator.to_lowercase());
                    kind.is_none_or(|kind| kind.number() == shown.kind)
                        && (wanted == name || wanted == full)
                })
            })
    }
}

fn has_name(account: &Account, part: &str) -> bool {
    let part = part.to_lowercase();
    let shown = account.dossier().shown.iter().map(|shown| &shown.name);
    let pragma = account.pragma_name.iter().map(|pragma| &pragma.name);
    let own = [&account.username, &account.display_name];
    own.into_iter().chain(pragma).chain(shown).any(|name| name.to_lowercase().contains(&part))
}

/// What somebody typed to find an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// An account's id.
    Id(Uuid),
    /// A link: `steam:76561198000000000`, `device:…`; of the studio's own `studio-102:…`.
    Link(Link),
    /// An e-mail address.
    Email(String),
    /// A Pragma name with its discriminator, folded.
    PragmaName(String, u16),
    /// A part of a name.
    Name(String),
}

impl Term {
    /// Longest one, in characters.
    pub const CHARS_MAX: usize = 320;

    /// Reads what was typed; `None`: nothing, or too much.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > Self::CHARS_MAX {
            return None;
        }
        if let Ok(id) = Uuid::try_parse(text) {
            return Some(Self::Id(id));
        }
        if let Some((kind, id)) = text.split_once(':')
            && let Some(kind) = kind_named(kind)
            && !id.is_empty()
        {
            let id = if kind == LinkKind::Email { id.to_lowercase() } else { id.to_owned() };
            return Some(Self::Link(Link { kind, id }));
        }
        if let Some((name, number)) = text.rsplit_once('#')
            && number.len() == 4
            && let Ok(number) = number.parse()
        {
            return Some(Self::PragmaName(fold_display_name(name.trim()), number));
        }
        if text.contains('@') {
            return Some(Self::Email(text.to_lowercase()));
        }
        Some(Self::Name(text.to_owned()))
    }

    /// Whether it finds accounts by what is personal.
    pub fn is_personal(&self) -> bool {
        match self {
            Self::Email(_) => true,
            Self::Link(link) => link.kind == LinkKind::Email,
            _ => false,
        }
    }

    /// The filter that finds it.
    pub fn filter(self) -> AccountFilter {
        let none = AccountFilter::default();
        match self {
            Self::Id(id) => AccountFilter { id: Some(AccountId(id)), ..none },
            Self::Link(Link { kind, id }) => {
                AccountFilter { kinds: vec![kind], provider_id: Some(id), ..none }
            }
            Self::Email(email) => AccountFilter { email: Some(email), ..none },
            Self::PragmaName(folded, number) => {
                AccountFilter { pragma_name: Some((folded, Some(number))), ..none }
            }
            Self::Name(part) => AccountFilter { name: Some(part), ..none },
        }
    }
}

/// A kind of link by its word; the studio's own by `studio-` and their number.
pub fn kind_named(name: &str) -> Option<LinkKind> {
    let name = name.to_ascii_lowercase();
    if let Some(number) = name.strip_prefix("studio-") {
        let number = number.parse().ok().filter(|number| *number >= super::link::STUDIO_FIRST);
        return number.map(LinkKind::Studio);
    }
    LinkKind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// An account's e-mail address, or nothing, and whether a provider vouches for it. An address that
/// signs in with a password was typed by the player, and nobody checked it.
pub fn email(account: &Account) -> (&str, bool) {
    match (account.link(LinkKind::Email), &account.provider_email) {
        (Some(address), _) => (address, account.password.is_none()),
        (None, Some(email)) => (&email.address, email.verified),
        (None, None) => ("", false),
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
