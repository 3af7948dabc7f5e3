//! The studio's own providers, by configuration or compiled in: their numbers and names, and one way
//! to ask (protocol-pragma §4.2, §5).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::http_service::HttpService;
use super::issuer::Issuer;
use super::oauth::{self, Brought, Door as _, Portal};
use super::own::{OwnAccount, OwnError, OwnProvider};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::IdentityConfig;
use crate::config::identity::StudioConfig;
use crate::domain::account::{LinkKind, STUDIO_FIRST};

/// Longest name.
const NAME_MAX: usize = 32;
/// Names of Pragma's table that are no kind of link, or another word for one.
const TAKEN: [&str; 4] = ["UNUSED", "PLAYSTATION", "CUSTOM", "STUDIO"];

/// What one of the studio's own providers is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudioName {
    /// Its number in Pragma's table.
    pub number: u8,
    /// Its name there.
    pub name: String,
    /// What stands between a player's name and its discriminator.
    pub separator: String,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Studio(BTreeMap<u8, Service>);

enum Service {
    Issuer(Box<Issuer>),
    Http(Box<HttpService>),
    Own(Arc<dyn OwnProvider>, Common),
}

/// The names of all, by number.
///
/// # Errors
///
/// A number or name that is none, or that somebody else has.
pub(super) fn names(
    config: &[StudioConfig],
    own: &[Arc<dyn OwnProvider>],
) -> Result<Vec<StudioName>, SetupError> {
    let configured = config.iter().map(|studio| StudioName {
        number: studio.number,
        name: studio.name.clone(),
        separator: studio.separator.clone(),
    });
    let compiled = own.iter().map(|own| StudioName {
        number: own.number(),
        name: own.name().to_owned(),
        separator: own.separator().to_owned(),
    });
    let mut names: Vec<StudioName> = Vec::new();
    for new in configured.chain(compiled) {
        let StudioName { number, name, .. } = &new;
        let (number, name) = (*number, name.clone());
        if !is_name(&name) {
            return Err(SetupError::Name { number });
        }
        if number < STUDIO_FIRST {
            return Err(SetupError::Number { name, number });
        }
        if let Some(other) = names.iter().find(|known| known.number == number) {
            return Err(SetupError::SameNumber { name, number, other: other.name.clone() });
        }
        if is_built_in(&name) || names.iter().any(|known| known.name == name) {
            return Err(SetupError::SameName { number, name });
        }
        names.push(new);
    }
    names.sort_by_key(|name| name.number);
    Ok(names)
}

fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= NAME_MAX
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(letter)
}

fn is_built_in(name: &str) -> bool {
    TAKEN.contains(&name)
        || LinkKind::ALL.into_iter().any(|kind| kind.name().eq_ignore_ascii_case(name))
}

impl Studio {
    /// The services; their names are checked ([`names`]).
    pub fn new(
        config: &IdentityConfig,
        own: Vec<Arc<dyn OwnProvider>>,
        common: &Common,
    ) -> Result<Self, SetupError> {
        let mut services = BTreeMap::new();
        for studio in &config.studio {
            services.insert(studio.number, Service::new(studio, config.timeout_ms, common)?);
        }
        for own in own {
            services.insert(own.number(), Service::Own(own, common.clone()));
        }
        Ok(Self(services))
    }

    /// Whether there is one with this number.
    pub fn has(&self, number: u8) -> bool {
        self.0.contains_key(&number)
    }

    /// Whether to check this costs a request.
    pub fn is_costly(&self, number: u8, text: &str) -> bool {
        match self.0.get(&number) {
            None => false,
            Some(Service::Issuer(issuer)) => {
                issuer.client().brought(text).is_some_and(|brought| brought != Brought::IdToken)
            }
            Some(Service::Http(_) | Service::Own(..)) => true,
        }
    }

    /// What a sign-in page needs.
    pub fn portal(&self, number: u8) -> Option<Portal> {
        match self.0.get(&number)? {
            Service::Issuer(issuer) => issuer.client().portal().cloned(),
            Service::Http(_) => None,
            Service::Own(own, _) => own.portal(),
        }
    }

    /// The `OpenID` Connect service with this number.
    pub fn issuer(&self, number: u8) -> Option<&Issuer> {
        match self.0.get(&number)? {
            Service::Issuer(issuer) => Some(issuer),
            Service::Http(_) | Service::Own(..) => None,
        }
    }

    /// Asks the one with this number.
    pub async fn verify(&self, number: u8, text: &str) -> Result<Verified, IdentityError> {
        let kind = LinkKind::Studio(number);
        match self.0.get(&number).ok_or(IdentityError::NotConfigured(kind))? {
            Service::Issuer(issuer) => oauth::verify(issuer.as_ref(), text).await,
            Service::Http(service) => service.verify(text).await,
            Service::Own(own, common) => {
                let told = common.outbound.timed(kind, own.verify(text)).await?;
                accepted(kind, told)
            }
        }
    }
}

impl Service {
    fn new(config: &StudioConfig, timeout_ms: u64, common: &Common) -> Result<Self, SetupError> {
        let kind = LinkKind::Studio(config.number);
        let section = |part: &str| format!("studio.{}.{part}", config.name);
        let needs = |key: String, needs| SetupError::Needs { key, needs };
        match (&config.oidc, &config.http) {
            (Some(oidc), None) => {
                let section = section("oidc");
                let issuer = Issuer::studio(kind, &section, oidc, common)?;
                let issuer = issuer.ok_or_else(|| needs(section, "issuer and client_ids"))?;
                Ok(Self::Issuer(Box::new(issuer)))
            }
            (None, Some(http)) => {
                let made = HttpService::new(kind, &section("http"), http, common, timeout_ms)?;
                Ok(Self::Http(Box::new(made)))
            }
            _ => Err(needs(format!("studio.{}", config.name), "either oidc or http")),
        }
    }
}

fn accepted(kind: LinkKind, told: Result<OwnAccount, OwnError>) -> Result<Verified, IdentityError> {
    let account = told.map_err(|error| match error {
        OwnError::Refused(why) => IdentityError::Refused(kind, why),
        OwnError::Unverified(why) => IdentityError::Unverified(kind, why),
        OwnError::Unavailable(why) => IdentityError::Unavailable(kind, why),
    })?;
    let name = Some(account.display_name.as_str());
    Ok(Verified {
        profile: facts::profile(name, None),
        shown: facts::shown(name, Some(&account.discriminator)),
        ..Verified::of(facts::link(kind, &account.account_id)?)
    })
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Issuer(_) => "Issuer",
            Self::Http(_) => "Http",
            Self::Own(..) => "Own",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(list: &[(u8, &str)]) -> Result<Vec<StudioName>, SetupError> {
        let config = list.iter().map(|(number, name)| StudioConfig {
            number: *number,
            name: (*name).to_owned(),
            ..StudioConfig::default()
        });
        names(&config.collect::<Vec<_>>(), &[])
    }

    #[test]
    fn numbers_and_names_are_their_own() {
        let good = named(&[(255, "ACME_2"), (102, "B")]).unwrap();
        assert_eq!(good.iter().map(|name| name.number).collect::<Vec<_>>(), [102, 255]);
        let says = |list: &[(u8, &str)]| named(list).unwrap_err().to_string();
        let same = says(&[(102, "A"), (102, "B")]);
        assert!(same.contains("102") && same.contains('A') && same.contains('B'), "{same}");
        let same = says(&[(102, "ACME"), (103, "ACME")]);
        assert!(same.contains("103") && same.contains("ACME"), "{same}");
        for number in [0, 7, 101] {
            assert!(says(&[(number, "ACME")]).contains("ACME"));
        }
        let built_in =
            ["STEAM", "UNSAFE", "PLAYSTATION", "PSN", "GOOGLEWORKSPACE", "UNUSED", "DEVICE"];
        for name in built_in {
            assert!(matches!(named(&[(102, name)]), Err(SetupError::SameName { .. })), "{name}");
        }
        for name in ["", "acme", "2ACME", "_A", "AC ME", "É", &"A".repeat(33)] {
            assert!(matches!(named(&[(102, name)]), Err(SetupError::Name { .. })), "{name}");
        }
    }
}
