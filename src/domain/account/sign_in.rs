//! Signing in: find the account of a link or make it, redeem the pass, all in one change.

use uuid::Uuid;

use crate::domain::time::UnixMicros;

use super::change::{Change, PassUse};
use super::dossier::ShownName;
use super::generated;
use super::link::Link;
use super::profile::Profile;
use super::provided;
use super::record::{Account, AccountId, PragmaName, ShardPlayer};
use super::refusal::Refusal;
use super::revoking::{self, Revoke, Revoked};

/// Finds or makes the account of a link, redeems the pass, and answers when that is durable.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// How the caller proved who they are. Checked and normalised already.
    pub link: Link,
    /// Make an account when the link is unknown.
    pub create: Option<NewAccount>,
    /// The pass to redeem in the same commit.
    pub pass: Option<PassUse>,
    /// Pragma: the shard to have a player id on, and the name to show if there is none yet.
    pub pragma: Option<PragmaSignIn>,
    /// Revoke every earlier session of the account (`nakama.session.single_session`).
    pub single_session: bool,
    /// The password that was checked, or is to be the new account's.
    pub password: Password,
    /// Where the same player's link was kept before the provider gave them a new id: an account
    /// that is found by this one only gets the new link in its place.
    pub formerly: Option<Link>,
    /// What the provider says beside.
    pub profile: Profile,
    /// Whose account it has to be, for those who decided something on the word that it is so.
    pub expected: Expected,
}

impl SignIn {
    /// A sign-in by a link that is its own proof, and nothing beside.
    pub fn by(link: Link, create: Option<NewAccount>) -> Self {
        Self {
            link,
            create,
            pass: None,
            pragma: None,
            single_session: false,
            password: Password::NotAsked,
            formerly: None,
            profile: Profile::default(),
            expected: Expected::Anybody,
        }
    }

    /// Whether there is nothing in it that could change an account: nearly all of them.
    fn is_plain(&self) -> bool {
        self.pass.is_none()
            && self.pragma.is_none()
            && !self.single_session
            && self.formerly.is_none()
            && self.profile == Profile::default()
    }
}

/// Whose account a link has to lead to; another one refuses the sign-in as overtaken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Anybody's, or a new one.
    #[default]
    Anybody,
    /// Nobody's: the account is made.
    Nobody,
    /// This one.
    Account(AccountId),
}

impl Expected {
    fn is(self, found: Option<AccountId>) -> bool {
        match self {
            Self::Anybody => true,
            Self::Nobody => found.is_none(),
            Self::Account(expected) => found == Some(expected),
        }
    }
}

/// What was proven by password before the registry was asked. It is compared with what is stored
/// then: the account may have come, gone or got another password since.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Password {
    /// The link is proof enough.
    #[default]
    NotAsked,
    /// Nobody had the address.
    OfNobody,
    /// It was the one with this hash (PHC).
    Checked(String),
}

/// A hash is not for logs.
impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "NotAsked",
            Self::OfNobody => "OfNobody",
            Self::Checked(_) => "Checked(…)",
        })
    }
}

/// What a new account starts with. The registry's dice fill in the rest.
#[derive(Clone, Default)]
pub struct NewAccount {
    /// Wanted user name; `None`: a generated one, tried again until free.
    pub username: Option<String>,
    /// Password hash (PHC) for an e-mail link.
    pub password: Option<String>,
    /// Shown name; `None`: what the provider says, or none.
    pub display_name: Option<String>,
}

/// A password hash is not for logs.
impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount")
            .field("username", &self.username)
            .field("has_password", &self.password.is_some())
            .field("display_name", &self.display_name)
            .finish()
    }
}

/// What a Pragma sign-in needs beside the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PragmaSignIn {
    /// The game shard, when the request named one.
    pub shard: Option<Uuid>,
    /// Name for an account that has none yet ([`super::display_name::initial`]).
    pub display_name: String,
    /// The name at the provider, where it is told.
    pub shown: Option<ShownName>,
}

/// What is stored and matters for a sign-in.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The account of the link.
    pub account: Option<Account>,
    /// The account of [`SignIn::formerly`]. Only asked when the link is nobody's.
    pub former: Option<Account>,
    /// Whether the profile's address is anybody's. Only asked for a new account.
    pub email_taken: bool,
    /// Who redeemed the pass before.
    pub pass_holder: Option<AccountId>,
    /// Whether another account has the wanted user name. Only asked for a new account.
    pub username_taken: bool,
    /// What is revoked of the account. Only asked with `single_session`.
    pub revoked: Revoked,
}

/// Rolled for this sign-in; taken only where it is needed.
#[derive(Clone, Copy, Debug)]
pub struct Fresh {
    /// Id of a new account: nobody else's, and so is its generated user name.
    pub account: AccountId,
    /// Player id on a shard.
    pub player: Uuid,
    /// A free discriminator for the display name; `None`: all are taken.
    pub discriminator: Option<u16>,
    /// The longest life of any token, in seconds.
    pub token_life_s: u64,
}

/// A sign-in as decided.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The account after the sign-in.
    pub account: Account,
    /// Whether it is new.
    pub created: bool,
    /// What to write; `None`: nothing changes.
    pub change: Option<Change>,
    /// The moment to issue tokens at: now, but never so early that they are born revoked.
    pub at: UnixMicros,
}

/// Decides a sign-in (protocol-nakama §2.2 from step 6; design §4, flow 2).
///
/// # Errors
///
/// [`Refusal::Banned`]; [`Refusal::NoAccount`] when the link is unknown and nothing is to be made;
/// [`Refusal::PassUsed`]; [`Refusal::UsernameTaken`]; [`Refusal::NoDiscriminator`].
pub fn sign_in(
    ask: &SignIn,
    seen: Seen,
    fresh: Fresh,
    now: UnixMicros,
) -> Result<Decided, Refusal> {
    let before = seen.account.or(seen.former);
    let is_as_proven = match (&ask.password, &before) {
        (Password::NotAsked, _) | (Password::OfNobody, None) => true,
        (Password::Checked(hash), Some(account)) => account.password.as_ref() == Some(hash),
        (Password::OfNobody, Some(_)) | (Password::Checked(_), None) => false,
    };
    let found = before.as_ref().map(|account| account.id);
    if !is_as_proven || !ask.expected.is(found) {
        return Err(Refusal::Overtaken);
    }
    if before.as_ref().is_some_and(|account| account.is_banned(now)) {
        return Err(Refusal::Banned);
    }
    if before.is_none() && ask.create.is_none() {
        return Err(Refusal::NoAccount);
    }
    if seen.pass_holder.is_some_and(|holder| before.as_ref().is_none_or(|it| it.id != holder)) {
        return Err(Refusal::PassUsed);
    }
    let before = match before {
        Some(account) if ask.is_plain() => {
            let at = issued_at(&account, now);
            return Ok(Decided { account, created: false, change: None, at });
        }
        before => before,
    };
    let mut after = match (&before, &ask.create) {
        (Some(account), _) => known(account, ask, now),
        (None, Some(wanted)) if wanted.username.is_some() && seen.username_taken => {
            return Err(Refusal::UsernameTaken);
        }
        (None, wanted) => {
            let mut account = make(&ask.link, wanted.clone().unwrap_or_default(), fresh, now);
            provided::new_account(&mut account, ask.link.kind, &ask.profile, seen.email_taken);
            account
        }
    };
    if let Some(pragma) = &ask.pragma {
        enter_pragma(&mut after, pragma, fresh, now)?;
    }

    let created = before.is_none();
    let mut revoked = None;
    if let (true, Some(account)) = (ask.single_session, &before) {
        let all =
            revoking::revoke(account.clone(), seen.revoked, &Revoke::All, now, fresh.token_life_s);
        after.revoked_before_us = all.after.revoked_before_us;
        revoked = all.revoked;
    }
    let at = issued_at(&after, now);
    let redeemed = ask.pass.clone().filter(|_| seen.pass_holder.is_none());
    let change = Change { redeemed, revoked, ..Change::of(before, after.clone()) };
    let change = (!change.is_empty()).then_some(change);
    Ok(Decided { account: after, created, change, at })
}

/// When tokens of a sign-in are issued: now, but never so early that they are born revoked.
fn issued_at(account: &Account, now: UnixMicros) -> UnixMicros {
    UnixMicros(now.0.max(account.revoked_before_us.saturating_add(1)))
}

/// An account that is there: it may have to move to a provider's new id, and a provider may fill
/// what it has not set (protocol-nakama §2.14).
fn known(account: &Account, ask: &SignIn, now: UnixMicros) -> Account {
    let mut after = account.clone();
    if let Some(former) = &ask.formerly
        && !after.has(&ask.link)
        && after.has(former)
    {
        after.links.retain(|link| link != former);
        after.links.push(ask.link.clone());
    }
    provided::known_account(&mut after, ask.link.kind, &ask.profile);
    if after != *account {
        after.updated_at = now.as_secs();
    }
    after
}

/// A new account (protocol-nakama §2.4, last lines).
fn make(link: &Link, wanted: NewAccount, fresh: Fresh, now: UnixMicros) -> Account {
    let name = wanted.username.unwrap_or_else(|| generated::username(fresh.account));
    let account = Account::new(fresh.account, name, link.clone(), now.as_secs());
    let display_name = wanted.display_name.unwrap_or_default();
    Account { password: wanted.password, display_name, ..account }
}

/// The first sign-in through Pragma's door gives a name; the first on a shard a player id
/// (protocol-pragma §6.1, §6.2). A later change of the provider's name changes nothing.
fn enter_pragma(
    account: &mut Account,
    ask: &PragmaSignIn,
    fresh: Fresh,
    now: UnixMicros,
) -> Result<(), Refusal> {
    if account.pragma_name.is_none() {
        let discriminator = fresh.discriminator.ok_or(Refusal::NoDiscriminator)?;
        account.pragma_name = Some(PragmaName { name: ask.display_name.clone(), discriminator });
    }
    if let Some(shard) = ask.shard
        && account.players.iter().all(|player| player.shard != shard)
    {
        account.players.push(ShardPlayer { shard, player: fresh.player });
    }
    let dossier = account.dossier_mut();
    dossier.last_login_at = now.as_secs();
    if let Some(shown) = &ask.shown {
        dossier.show(shown.clone());
    }
    Ok(())
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
