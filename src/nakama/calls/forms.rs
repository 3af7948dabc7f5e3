//! What a sign-in has to hold, and in which order that is checked (protocol-nakama §2.2 to §2.15):
//! the identifier, then the user name, which is checked even when it will not be used.

use zeroize::Zeroizing;

use super::proofs::{self, said};
use crate::domain::account::names::EmailSignIn;
use crate::domain::account::{LinkKind, Refusal, names};
use crate::domain::token::nakama::Vars;
use crate::identity::Proof;
use crate::nakama::errors::{Context, Failure};
use crate::nakama::wire::api;
use crate::signin::{Credential, Password};

const HERE: Context = Context::Authenticate;

/// A sign-in whose form has been checked.
#[derive(Debug)]
pub(super) struct Wanted {
    pub credential: Credential,
    pub create: bool,
    pub username: Option<String>,
    pub vars: Vars,
    pub import_friends: bool,
}

/// What the settings say about forms.
pub(super) struct Rules<'a> {
    /// What a custom id means: itself, or a console's token.
    pub custom: &'a dyn Fn(&str) -> Result<Credential, Refusal>,
    /// Whether a provider is set up.
    pub configured: &'a dyn Fn(LinkKind) -> bool,
    /// Longest password, in bytes.
    pub password_max: usize,
}

/// A request to sign in.
pub(super) trait Form {
    /// Checks the form.
    ///
    /// # Errors
    ///
    /// 3/400 in the words of §2.3 to §2.15; 9/400 when Apple or Steam is not set up.
    fn read(self, rules: &Rules<'_>) -> Result<Wanted, Failure>;
}

/// What is beside the credential.
struct Beside {
    create: Option<bool>,
    username: String,
    vars: Vars,
    import: Option<bool>,
}

impl Beside {
    fn with(self, credential: Result<Credential, Refusal>) -> Result<Wanted, Failure> {
        let credential = said(HERE, credential)?;
        let username = said(HERE, names::username(&self.username))?;
        Ok(Wanted {
            credential,
            create: self.create.unwrap_or(true),
            username,
            vars: self.vars,
            import_friends: self.import.unwrap_or(false),
        })
    }

    fn proven(self, proof: Result<Proof, Refusal>) -> Result<Wanted, Failure> {
        self.with(proof.map(Credential::Provider))
    }
}

impl Form for api::AuthenticateDeviceRequest {
    fn read(self, _rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let api::AccountDevice { id, vars } = account.unwrap_or_default();
        Beside { create, username, vars, import: None }.with(proofs::device(&id))
    }
}

impl Form for api::AuthenticateCustomRequest {
    fn read(self, rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let api::AccountCustom { id, vars } = account.unwrap_or_default();
        Beside { create, username, vars, import: None }.with((rules.custom)(&id))
    }
}

/// §2.7: with an address, or by user name and password without one.
impl Form for api::AuthenticateEmailRequest {
    fn read(self, rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let missing = Refusal::IdMissing(LinkKind::Email);
        let api::AccountEmail { email, password, vars } = said(HERE, account.ok_or(missing))?;
        let password = Password(Zeroizing::new(password));
        let checked = names::email_sign_in(&email, &password.0, &username, rules.password_max);
        let (credential, username) = match said(HERE, checked)? {
            EmailSignIn::Address { link, username } => {
                (Credential::Email { email: link.id, password }, username)
            }
            EmailSignIn::Username(username) => (Credential::Username { username, password }, None),
        };
        let create = create.unwrap_or(true);
        Ok(Wanted { credential, create, username, vars, import_friends: false })
    }
}

impl Form for api::AuthenticateAppleRequest {
    fn read(self, rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let mut account = account.unwrap_or_default();
        let vars = std::mem::take(&mut account.vars);
        proofs::set_up((rules.configured)(LinkKind::Apple), LinkKind::Apple)?;
        Beside { create, username, vars, import: None }.proven(proofs::apple(account))
    }
}

impl Form for api::AuthenticateFacebookRequest {
    fn read(self, _rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username, sync } = self;
        let mut account = account.unwrap_or_default();
        let vars = std::mem::take(&mut account.vars);
        Beside { create, username, vars, import: sync }.proven(proofs::facebook(account))
    }
}

impl Form for api::AuthenticateFacebookInstantGameRequest {
    fn read(self, _rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let mut account = account.unwrap_or_default();
        let vars = std::mem::take(&mut account.vars);
        Beside { create, username, vars, import: None }.proven(proofs::instant(account))
    }
}

impl Form for api::AuthenticateGameCenterRequest {
    fn read(self, _rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let missing = Refusal::IdMissing(LinkKind::GameCenter);
        let mut account = said(HERE, account.ok_or(missing))?;
        let vars = std::mem::take(&mut account.vars);
        let proof = proofs::signed_by_game_center(account)?;
        Beside { create, username, vars, import: None }.proven(Ok(proof))
    }
}

impl Form for api::AuthenticateGoogleRequest {
    fn read(self, _rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username } = self;
        let mut account = account.unwrap_or_default();
        let vars = std::mem::take(&mut account.vars);
        Beside { create, username, vars, import: None }.proven(proofs::google(account))
    }
}

impl Form for api::AuthenticateSteamRequest {
    fn read(self, rules: &Rules<'_>) -> Result<Wanted, Failure> {
        let Self { account, create, username, sync } = self;
        let mut account = account.unwrap_or_default();
        let vars = std::mem::take(&mut account.vars);
        proofs::set_up((rules.configured)(LinkKind::Steam), LinkKind::Steam)?;
        Beside { create, username, vars, import: sync }.proven(proofs::steam(account))
    }
}

#[cfg(test)]
mod tests;
