//! Operators who sign in at an identity provider of the settings: there, back, and what it was for. Who
//! is an operator follows from a binding on their dossier ([`operator::Binding`]), never from an
//! address. A provider is the first factor: who has an authenticator shows its code after it.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::{Opened, OperatorError, Operators, hash_of, is_operator, lock};
use crate::actors::account_registry::Key;
use crate::config::OperatorProvider;
use crate::domain::account::{Account, LinkKind, names};
use crate::domain::audit::What;
use crate::domain::operator::{
    Attempt, Attempts, Binding, FRESH_S, Factor, Joining, OpenedBy, OperatorAsk, OperatorRefusal,
    Proven, Purpose, Seat, Told, Way, bindings_of,
};
use crate::identity::{IdentityError, Returned, Trip};

/// Somebody wants to go to a provider.
pub struct Begin<'a> {
    /// Which, by its name in addresses.
    pub provider: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// Where the provider sends them back to.
    pub redirect_uri: String,
}

/// Somebody goes.
pub struct Begun {
    /// Where to.
    pub url: String,
    /// What their browser keeps meanwhile. Kept nowhere here but as a hash.
    pub browser: Zeroizing<String>,
}

/// Somebody comes back.
#[derive(Clone, Copy)]
pub struct Back<'a> {
    /// From which provider.
    pub provider: &'a str,
    /// What their browser kept.
    pub browser: &'a str,
    /// What they bring with the code.
    pub state: &'a str,
    /// The code; `None`: the provider said no.
    pub code: Option<&'a str>,
}

/// What an attempt came to.
enum Came {
    /// In.
    In(Box<Opened>),
    /// To the authenticator's code.
    Code(Proven),
    /// To what was wanted of a session that is open.
    Done,
}

impl Operators {
    /// The providers that operators may sign in by.
    pub fn offered(&self) -> &[OperatorProvider] {
        &self.0.offered
    }

    /// What a provider is called in addresses, whether it is offered or not any more.
    pub fn provider_name(&self, number: u8) -> String {
        let offered = self.0.offered.iter().find(|it| it.kind.number() == number);
        offered.map_or_else(
            || match LinkKind::from_number(number) {
                Some(LinkKind::Studio(number)) => format!("studio-{number}"),
                kind => kind.map_or("", LinkKind::name).to_owned(),
            },
            |it| it.name.clone(),
        )
    }

    /// Who is signed in by this session, for what is done at a provider.
    pub fn seat(&self, account: &Account, token: &str) -> Seat {
        Seat { account: account.id, session: hash_of(token) }
    }

    /// Begins a sign-in at a provider.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]
    pub async fn begin(
        &self,
        ask: Begin<'_>,
        from: Option<IpAddr>,
    ) -> Result<Begun, OperatorError> {
        let kind = self.named(ask.provider)?.kind;
        let limits = &self.0.door.limits;
        limits.sign_in(from)?;
        match &ask.purpose {
            Purpose::SetUp(joining) => {
                limits.password("operator setup", from)?;
                self.may_set_up(&joining.code)?;
            }
            Purpose::Accept(joining) => {
                limits.password("operator invitation", from)?;
                self.invited(&joining.code).await?;
            }
            Purpose::StepUp(_) if !self.0.door.providers.asks_anew(kind) => {
                return Err(OperatorError::NoStepUp);
            }
            Purpose::SignIn | Purpose::Bind(_) | Purpose::StepUp(_) => {}
        }
        let (state, nonce, verifier) = (self.random(), self.random(), self.random());
        let Begin { purpose, redirect_uri, .. } = ask;
        let began = self.now();
        let attempt = Attempt { kind, purpose, redirect_uri, state, nonce, verifier, began };
        let address = self.0.door.providers.address(kind, &trip_of(&attempt));
        let url = address.ok_or(OperatorError::ProviderAway)?;
        let browser = self.random();
        self.attempts().begin(hash_of(&browser), attempt);
        Ok(Begun { url, browser })
    }

    /// Somebody came back from a provider. Answers with their session; `None`: there is something to
    /// tell them ([`Self::told`]), or what they wanted is done.
    ///
    /// # Errors
    ///
    /// [`OperatorError::StartAgain`]: nothing of theirs was begun, so nothing can be told there.
    pub async fn returned(&self, back: Back<'_>) -> Result<Option<Opened>, OperatorError> {
        let provider = self.named(back.provider)?.clone();
        let browser = hash_of(back.browser);
        let attempt = self.attempts().take(&browser, provider.kind, back.state, self.now())?;
        let came = self.finish(&provider, &attempt, back.code).await;
        let mut attempts = self.attempts();
        match came {
            Ok(Came::In(opened)) => {
                attempts.forget(&browser);
                return Ok(Some(*opened));
            }
            Ok(Came::Done) => attempts.forget(&browser),
            Ok(Came::Code(proven)) => attempts.prove(&browser, proven),
            Err(error) => attempts.end(&browser, error),
        }
        Ok(None)
    }

    /// What there is to tell a browser of the sign-in that it began.
    pub fn told(&self, browser: &str) -> Option<Told<OperatorError>> {
        self.attempts().told(&hash_of(browser), self.now())
    }

    /// The authenticator's code after a provider.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; after a wrong code another may be tried.
    pub async fn code(
        &self,
        browser: &str,
        typed: &str,
        from: Option<IpAddr>,
    ) -> Result<Opened, OperatorError> {
        self.0.door.limits.sign_in(from)?;
        let browser = hash_of(browser);
        let proven = self.attempts().proven(&browser, self.now());
        let proven = proven.ok_or(OperatorError::StartAgain)?;
        let account = self.0.door.find(Key::Id(proven.account)).await?;
        let is_theirs = |it: &Account| bindings_of(it).iter().any(|one| one.is(&proven.link));
        let account = account.filter(|it| is_operator(it, self.now()) && is_theirs(it));
        let account = account.ok_or(OperatorError::NoOperator)?;
        let has = account.dossier().operator.as_deref().ok_or(OperatorError::NoOperator)?;
        let factor = self.factor(account.id, has, typed)?;
        let by = match factor {
            // It was taken away meanwhile.
            Factor::None => OpenedBy::Provider { is_fresh: false, is_vouched: false },
            _ => OpenedBy::Proof,
        };
        let first = self.provider_name(proven.link.kind.number());
        let account = self.used_up(account.id, &first, factor).await?;
        self.attempts().forget(&browser);
        Ok(self.open(account, by))
    }

    /// Takes a provider away from an operator. Other sessions of theirs end.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]: they do not sign in by it, or by nothing else.
    pub async fn unbind(
        &self,
        account: &Account,
        name: &str,
        session: Option<&str>,
    ) -> Result<(), OperatorError> {
        let is_it = |one: &&Binding| self.provider_name(one.kind).eq_ignore_ascii_case(name);
        let bound = bindings_of(account).iter().find(is_it).ok_or(OperatorError::Unknown)?;
        let (provider, on) = (self.provider_name(bound.kind).as_str().into(), false);
        self.record(account.id, What::OperatorProvider { provider, on })?;
        self.ask(account.id, OperatorAsk::Unbind(bound.kind)).await?;
        self.sessions().close_others(account.id, session.map(hash_of).as_ref());
        Ok(())
    }

    /// What somebody came back for.
    async fn finish(
        &self,
        provider: &OperatorProvider,
        attempt: &Attempt,
        code: Option<&str>,
    ) -> Result<Came, OperatorError> {
        let code = code.ok_or(OperatorError::NotProven)?;
        let back = self.0.door.providers.returned(provider.kind, code, &trip_of(attempt)).await;
        let back = match back {
            Err(error) => {
                if !matches!(error, IdentityError::Unavailable(..)) {
                    self.refused(None, "provider")?;
                }
                return Err(error.into());
            }
            Ok(back) => back,
        };
        match &attempt.purpose {
            Purpose::SignIn => self.enter(provider, back).await,
            Purpose::SetUp(joining) => {
                self.may_set_up(&joining.code)?;
                let (account, way) = self.newcomer_by(joining, &back).await?;
                Ok(Came::In(Box::new(self.first(&account, way).await?)))
            }
            Purpose::Accept(joining) => {
                let (inviter, invitation) = self.invited(&joining.code).await?;
                let (account, way) = self.newcomer_by(joining, &back).await?;
                let opened = self.join(&account, way, (&inviter, &invitation)).await?;
                Ok(Came::In(Box::new(opened)))
            }
            Purpose::Bind(seat) => self.bind(provider, *seat, &back).await,
            Purpose::StepUp(seat) => self.step_up_by(provider, *seat, attempt, &back).await,
        }
    }

    /// Lets in whom the provider knows, if they are an operator.
    async fn enter(
        &self,
        provider: &OperatorProvider,
        back: Returned,
    ) -> Result<Came, OperatorError> {
        let (now, link) = (self.now(), back.verified.link);
        let bound = self.0.door.realm().bound_to(link.kind.number(), &link.id);
        let found = match bound {
            Some(id) => self.0.door.find(Key::Id(id)).await?,
            None => None,
        };
        let is_theirs = |it: &&Account| bindings_of(it).iter().any(|one| one.is(&link));
        let account = found.as_ref().filter(|it| is_operator(it, now)).filter(is_theirs);
        let Some(account) = account else {
            self.refused(bound, "provider's account of no operator")?;
            return Err(OperatorError::NoOperator);
        };
        let has_totp = account.dossier().operator.as_deref().is_some_and(|it| it.totp.is_some());
        let is_vouched = self.0.door.config.operators.trust_provider_mfa;
        if has_totp && !is_vouched {
            return Ok(Came::Code(Proven { account: account.id, link }));
        }
        let factor = if is_vouched { Factor::Vouched } else { Factor::None };
        let account = self.used_up(account.id, &provider.name, factor).await?;
        let is_fresh = back.signed_in.is_some_and(|at| now < at.plus_secs(FRESH_S));
        let by = OpenedBy::Provider { is_fresh, is_vouched };
        Ok(Came::In(Box::new(self.open(account, by))))
    }

    /// An account for a new operator who came from a provider: called by the address they typed, or by
    /// the one there. It only says what they are called.
    async fn newcomer_by(
        &self,
        joining: &Joining,
        back: &Returned,
    ) -> Result<(Account, Way), OperatorError> {
        let binding = self.binding(back);
        if self.0.door.realm().bound_to(binding.kind, &binding.id).is_some() {
            return Err(taken());
        }
        let told = back.verified.profile.email.as_ref().map_or("", |email| &email.address);
        let email = if joining.email.is_empty() { told } else { &joining.email };
        let link = names::email_address(email)?;
        self.is_free(&link).await?;
        Ok((self.account_for(link).await?, Way::Provider(binding)))
    }

    /// Lets an operator who is signed in sign in by this, too, from now on.
    async fn bind(
        &self,
        provider: &OperatorProvider,
        seat: Seat,
        back: &Returned,
    ) -> Result<Came, OperatorError> {
        self.seated(seat)?;
        let binding = self.binding(back);
        let bound = self.0.door.realm().bound_to(binding.kind, &binding.id);
        if bound.is_some_and(|other| other != seat.account) {
            return Err(taken());
        }
        let (name, on) = (provider.name.as_str().into(), true);
        self.record(seat.account, What::OperatorProvider { provider: name, on })?;
        self.ask(seat.account, OperatorAsk::Bind(binding)).await?;
        self.sessions().close_others(seat.account, Some(&seat.session));
        Ok(Came::Done)
    }

    /// Somebody who is signed in showed anew at the provider who they are.
    async fn step_up_by(
        &self,
        provider: &OperatorProvider,
        seat: Seat,
        attempt: &Attempt,
        back: &Returned,
    ) -> Result<Came, OperatorError> {
        self.seated(seat)?;
        let account = self.0.door.find(Key::Id(seat.account)).await?;
        let account = account.ok_or(OperatorError::StartAgain)?;
        if !bindings_of(&account).iter().any(|one| one.is(&back.verified.link)) {
            self.refused(Some(seat.account), "another account at the provider")?;
            return Err(OperatorError::OtherAccount);
        }
        let leeway_s = self.0.door.config.identity.leeway_s;
        let is_anew = back.signed_in.is_some_and(|at| at.plus_secs(leeway_s) >= attempt.began);
        if !is_anew {
            self.refused(Some(seat.account), "the provider did not ask anew")?;
            return Err(OperatorError::NotProven);
        }
        self.used_up_again(seat, &provider.name).await?;
        Ok(Came::Done)
    }

    async fn used_up_again(&self, seat: Seat, provider: &str) -> Result<(), OperatorError> {
        self.used_up(seat.account, provider, Factor::Vouched).await?;
        self.sessions().freshen(&seat.session, self.now());
        Ok(())
    }

    /// That the session somebody had when they went goes on.
    fn seated(&self, seat: Seat) -> Result<(), OperatorError> {
        let session = self.sessions().look(&seat.session, self.now());
        let is_it = session.is_some_and(|session| session.account == seat.account);
        if is_it { Ok(()) } else { Err(OperatorError::StartAgain) }
    }

    fn binding(&self, back: &Returned) -> Binding {
        let verified = &back.verified;
        let email = verified.profile.email.as_ref().map(|email| email.address.as_str());
        let name = email.unwrap_or(&verified.shown.name).to_owned();
        let (kind, id) = (verified.link.kind.number(), verified.link.id.clone());
        Binding { kind, id, name, added_ms: self.now().as_millis() }
    }

    fn named(&self, name: &str) -> Result<&OperatorProvider, OperatorError> {
        let found = self.0.offered.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        found.ok_or(OperatorError::Unknown)
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts<OperatorError>> {
        lock(&self.0.attempts)
    }
}

/// Another operator signs in by it.
fn taken() -> OperatorError {
    use crate::domain::account::{OfficeRefusal, Refusal};
    Refusal::from(OfficeRefusal::Operator(OperatorRefusal::Taken)).into()
}

fn trip_of(attempt: &Attempt) -> Trip<'_> {
    Trip {
        redirect_uri: &attempt.redirect_uri,
        state: &attempt.state,
        nonce: &attempt.nonce,
        verifier: &attempt.verifier,
        anew: matches!(attempt.purpose, Purpose::StepUp(_)),
    }
}
