//! OAuth: our registration with a provider, what a client brought, and the exchange of a code. One
//! engine for every provider that is asked this way (protocol-pragma §4.4).

use std::future::Future;

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ceremony::{Ceremony, Page};
use super::outbound::Answer;
use super::{Common, IdentityError, SetupError, Verified, jwt};
use crate::config::identity::{Registration, TokenKind};
use crate::domain::account::LinkKind;

/// Longest code or access token taken, in bytes.
const TEXT_MAX: usize = 8_192;

/// What a sign-in page needs to send a player to a provider. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portal {
    /// Our client id there.
    pub client_id: String,
    /// The provider's sign-in page, with client id, redirect address, scopes and
    /// `response_type=code` in its query. The caller adds `state`: see [`Self::with_state`].
    pub authorize_url: String,
    /// Where the provider sends the player back to.
    pub redirect_uri: String,
}

impl Portal {
    /// The sign-in page for one attempt. `state` comes back with the player, unchanged.
    pub fn with_state(&self, state: &str) -> String {
        match Url::parse(&self.authorize_url) {
            Ok(mut url) => {
                url.query_pairs_mut().append_pair("state", state);
                url.into()
            }
            Err(_) => self.authorize_url.clone(),
        }
    }
}

/// How we say at the token endpoint that we are the client.
pub(super) enum Credentials {
    /// Not at all: codes are not taken.
    None,
    /// Id and secret in the form.
    Form(Zeroizing<String>),
    /// Id and secret as HTTP Basic.
    Basic(Zeroizing<String>),
}

/// What of a provider's proves anybody beside codes.
#[derive(Clone, Copy)]
pub(super) struct Takes {
    /// Its id tokens.
    pub id_tokens: bool,
    /// Its access tokens: only where it says for whom they are.
    pub access_tokens: bool,
}

/// Our registration with a provider.
pub(super) struct Client {
    kind: LinkKind,
    common: Common,
    ids: Vec<String>,
    credentials: Credentials,
    redirect_uri: String,
    token_kind: TokenKind,
    token_url: Option<Url>,
    takes: Takes,
    page: Option<Page>,
    portal: Option<Portal>,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brought {
    IdToken,
    AccessToken,
    Code,
    /// A code, or an access token if the provider knows no such code.
    CodeOrAccessToken,
}

/// What a code was exchanged for.
pub(super) struct Redeemed {
    pub access_token: Zeroizing<String>,
    pub id_token: Zeroizing<String>,
}

/// A code, as it is redeemed.
#[derive(Clone, Copy)]
pub(super) struct Redeeming<'a> {
    /// The code.
    pub code: &'a str,
    /// The address it was made for; empty: none.
    pub redirect_uri: &'a str,
    /// What it was bound to (PKCE).
    pub verifier: Option<&'a str>,
}

/// Why a code was not exchanged.
enum NotRedeemed {
    /// The provider knows no such code.
    NoGrant,
    Other(IdentityError),
}

/// One provider's part: what its tokens say.
pub(super) trait Door: Sync {
    fn client(&self) -> &Client;
    /// Whose id token it is.
    fn id_token(&self, token: &str)
    -> impl Future<Output = Result<Verified, IdentityError>> + Send;
    /// Whose access token it is, if it was made for us.
    fn access_token(
        &self,
        token: &str,
    ) -> impl Future<Output = Result<Verified, IdentityError>> + Send;
    /// Whose code it was.
    fn redeemed(
        &self,
        tokens: Redeemed,
    ) -> impl Future<Output = Result<Verified, IdentityError>> + Send;
    /// How its page takes part when operators sign in by it; `None`: they do not.
    fn ceremony(&self) -> Option<Ceremony> {
        None
    }
    /// Where codes are redeemed, when the settings do not say.
    fn token_url(&self) -> impl Future<Output = Result<Url, IdentityError>> + Send {
        let kind = self.client().kind;
        async move { Err(IdentityError::NotConfigured(kind)) }
    }
}

/// Asks a provider who brought this.
pub(super) async fn verify<D: Door>(door: &D, text: &str) -> Result<Verified, IdentityError> {
    let client = door.client();
    let brought = client.brought(text).ok_or(IdentityError::NotConfigured(client.kind))?;
    if brought == Brought::IdToken {
        return door.id_token(text).await;
    }
    goes_into_a_request(client.kind, text)?;
    if brought == Brought::AccessToken {
        return door.access_token(text).await;
    }
    let redirect_uri = client.redirect_uri.as_str();
    match redeem(door, Redeeming { code: text, redirect_uri, verifier: None }).await {
        Ok(tokens) => door.redeemed(tokens).await,
        Err(NotRedeemed::NoGrant) if brought == Brought::CodeOrAccessToken => {
            door.access_token(text).await
        }
        Err(NotRedeemed::NoGrant) => {
            Err(IdentityError::Refused(client.kind, "it does not know the code"))
        }
        Err(NotRedeemed::Other(error)) => Err(error),
    }
}

/// What a code of ours stands for, without asking whose it is.
pub(super) async fn redeemed_code<D: Door>(
    door: &D,
    ask: Redeeming<'_>,
) -> Result<Redeemed, IdentityError> {
    let kind = door.client().kind;
    goes_into_a_request(kind, ask.code)?;
    redeem(door, ask).await.map_err(|error| match error {
        NotRedeemed::NoGrant => IdentityError::Refused(kind, "it does not know the code"),
        NotRedeemed::Other(error) => error,
    })
}

/// Codes and access tokens go into requests as they are.
fn goes_into_a_request(kind: LinkKind, text: &str) -> Result<(), IdentityError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && (1..=TEXT_MAX).contains(&text.len()) {
        Ok(())
    } else {
        Err(IdentityError::Refused(kind, "neither a code nor a token"))
    }
}

async fn redeem<D: Door>(door: &D, ask: Redeeming<'_>) -> Result<Redeemed, NotRedeemed> {
    let client = door.client();
    let url = match &client.token_url {
        Some(url) => url.clone(),
        None => door.token_url().await?,
    };
    client.redeem(url, ask).await
}

impl Client {
    /// Our registration; `None`: there is none. `section` names it in errors; `credentials` is made
    /// of the secret, if there is one.
    pub fn new(
        kind: LinkKind,
        section: &str,
        settings: &Registration<'_>,
        common: &Common,
        takes: Takes,
        credentials: fn(Zeroizing<String>) -> Credentials,
    ) -> Result<Option<Self>, SetupError> {
        let ids = super::named(settings.client_ids);
        let key = |name: &str| format!("{section}.{name}");
        let secret = super::secret(
            &key("client_secret"),
            settings.client_secret,
            settings.client_secret_file,
        )?;
        let Some(first) = ids.first() else { return Ok(None) };
        let takes_codes = !secret.is_empty();
        if settings.token_kind == TokenKind::Code && !takes_codes {
            return Err(SetupError::Needs { key: key("token_kind"), needs: "client_secret" });
        }
        let token_url = match settings.token_url {
            "" => None,
            url => Some(common.outbound.url(&key("token_url"), url)?),
        };
        // A page brings a code back.
        let redeems = takes_codes && takes_codes_of(settings.token_kind);
        let page = match settings.authorize_url {
            "" => None,
            _ if !redeems => None,
            url => Some(Page {
                url: common.outbound.url(&key("authorize_url"), url)?,
                client_id: first.clone(),
                scopes: settings.scopes.to_owned(),
            }),
        };
        let goes_back_to = Some(settings.redirect_uri).filter(|address| !address.is_empty());
        let portal = page.clone().zip(goes_back_to).map(|(page, redirect_uri)| {
            portal(page.url, &page.client_id, redirect_uri, &page.scopes)
        });
        Ok(Some(Self {
            kind,
            common: common.clone(),
            credentials: if takes_codes { credentials(secret) } else { Credentials::None },
            redirect_uri: settings.redirect_uri.to_owned(),
            token_kind: settings.token_kind,
            token_url,
            takes,
            page,
            portal,
            ids,
        }))
    }

    /// What every provider is built from.
    pub const fn common(&self) -> &Common {
        &self.common
    }

    /// Our ids: whom a token may be for.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether a token for this client is for us.
    pub fn is_us(&self, client_id: &str) -> bool {
        !client_id.is_empty() && self.ids.iter().any(|ours| ours == client_id)
    }

    /// The provider's sign-in page; `None`: no code comes back from it that we could redeem.
    pub const fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// What a sign-in page needs; `None`: it cannot offer this provider.
    pub const fn portal(&self) -> Option<&Portal> {
        self.portal.as_ref()
    }

    /// What this text is; `None`: nothing that is taken.
    pub fn brought(&self, text: &str) -> Option<Brought> {
        let takes_codes = !matches!(self.credentials, Credentials::None);
        let Takes { id_tokens, access_tokens } = self.takes;
        let (brought, is_taken) = match self.token_kind {
            TokenKind::IdToken => (Brought::IdToken, id_tokens),
            TokenKind::Code => (Brought::Code, takes_codes),
            TokenKind::Auto if id_tokens && jwt::is_token(text) => (Brought::IdToken, true),
            TokenKind::Auto if takes_codes && access_tokens => (Brought::CodeOrAccessToken, true),
            TokenKind::Auto if takes_codes => (Brought::Code, true),
            TokenKind::Auto | TokenKind::AccessToken => (Brought::AccessToken, access_tokens),
        };
        is_taken.then_some(brought)
    }

    async fn redeem(&self, url: Url, ask: Redeeming<'_>) -> Result<Redeemed, NotRedeemed> {
        let mut form = vec![("grant_type", "authorization_code"), ("code", ask.code)];
        if !ask.redirect_uri.is_empty() {
            form.push(("redirect_uri", ask.redirect_uri));
        }
        form.extend(ask.verifier.map(|verifier| ("code_verifier", verifier)));
        let outbound = &self.common.outbound;
        let id = self.ids.first().map_or("", String::as_str);
        let request = outbound.post(url);
        let request = match &self.credentials {
            Credentials::None => return Err(IdentityError::NotConfigured(self.kind).into()),
            Credentials::Basic(secret) => request.basic_auth(id, Some(secret.as_str())),
            Credentials::Form(secret) => {
                form.extend([("client_id", id), ("client_secret", secret)]);
                request
            }
        };
        redeemed(&outbound.send(self.kind, request.form(&form)).await?)
    }
}

/// Exchanges a code with a form that says everything.
pub(super) async fn redeem_with(
    common: &Common,
    kind: LinkKind,
    url: Url,
    form: &[(&str, &str)],
) -> Result<Redeemed, IdentityError> {
    let answer = common.outbound.send(kind, common.outbound.post(url).form(form)).await?;
    redeemed(&answer).map_err(|error| match error {
        NotRedeemed::NoGrant => IdentityError::Refused(kind, "it does not know the code"),
        NotRedeemed::Other(error) => error,
    })
}

impl From<IdentityError> for NotRedeemed {
    fn from(error: IdentityError) -> Self {
        Self::Other(error)
    }
}

/// Reads what a token endpoint answers (RFC 6749 §5.1, §5.2). What is our own fault is an outage.
fn redeemed(answer: &Answer) -> Result<Redeemed, NotRedeemed> {
    #[derive(Deserialize)]
    struct Good {
        #[serde(default)]
        access_token: String,
        #[serde(default)]
        id_token: String,
    }
    #[derive(Default, Deserialize)]
    struct Bad {
        #[serde(default)]
        error: String,
    }
    let kind = answer.kind();
    let ours = IdentityError::Unavailable(kind, "it does not take our credentials");
    match answer.status() {
        200 => {
            let good: Good = answer.json()?;
            let access_token = Zeroizing::new(good.access_token);
            if access_token.is_empty() {
                return Err(IdentityError::Unavailable(kind, "its answer makes no sense").into());
            }
            Ok(Redeemed { access_token, id_token: Zeroizing::new(good.id_token) })
        }
        400 => match answer.json::<Bad>().unwrap_or_default().error.as_str() {
            // Twitch names no error; its own words are "Bad Request".
            "invalid_grant" | "" | "Bad Request" => Err(NotRedeemed::NoGrant),
            "invalid_client" | "unauthorized_client" | "redirect_uri_mismatch" => Err(ours.into()),
            _ => Err(IdentityError::Refused(kind, "it does not take the code").into()),
        },
        401 | 403 => Err(ours.into()),
        _ => Err(answer.odd().into()),
    }
}

fn portal(mut page: Url, client_id: &str, redirect_uri: &str, scopes: &str) -> Portal {
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", redirect_uri);
    if !scopes.is_empty() {
        page.query_pairs_mut().append_pair("scope", scopes);
    }
    Portal {
        client_id: client_id.to_owned(),
        authorize_url: page.into(),
        redirect_uri: redirect_uri.to_owned(),
    }
}

/// Whether codes are among what clients bring.
pub(super) const fn takes_codes_of(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Auto | TokenKind::Code)
}

/// A page for one client, for providers with credentials of their own kind.
pub(super) fn page(
    common: &Common,
    key: &str,
    authorize_url: &str,
    client_id: &str,
    redirect_uri: &str,
) -> Result<Portal, SetupError> {
    Ok(portal(common.outbound.url(key, authorize_url)?, client_id, redirect_uri, ""))
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("kind", &self.kind).finish_non_exhaustive()
    }
}
