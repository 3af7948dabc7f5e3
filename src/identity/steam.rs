//! Steam: a session ticket, and the player's friends (protocol-nakama §2.15, §6.7); an `OpenID`
//! assertion, who owns the app, and names (protocol-pragma §4.4).

use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::outbound::Answer;
use super::steam_openid::OpenId;
use super::{Common, IdentityError, SetupError, Shown, Verified, facts};
use crate::config::identity::SteamConfig;
use crate::domain::account::{Link, LinkKind};

const KIND: LinkKind = LinkKind::Steam;
/// Longest ticket taken, in hex digits.
const TICKET_MAX: usize = 4_096;
/// Friends taken; Steam allows some 2000.
const FRIENDS_MAX: usize = 5_000;

/// Steam, configured for tickets, assertions or both.
#[derive(Debug)]
pub(super) struct Steam {
    api: Option<Api>,
    openid: Option<OpenId>,
}

/// The partner API.
struct Api {
    common: Common,
    publisher_key: Zeroizing<String>,
    app_id: u32,
    ticket_identity: String,
    refuse_vac_banned: bool,
    refuse_publisher_banned: bool,
    restrict_by_app_ownership: bool,
    ticket_url: Url,
    friends_url: Url,
    ownership_url: Url,
    bans_url: Url,
    names_url: Url,
}

#[derive(Deserialize)]
struct Ticket {
    response: TicketResponse,
}

#[derive(Deserialize)]
struct TicketResponse {
    params: Option<Params>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Params {
    #[serde(default)]
    result: String,
    #[serde(default)]
    steamid: String,
    #[serde(default)]
    vacbanned: bool,
    #[serde(default)]
    publisherbanned: bool,
}

#[derive(Deserialize)]
struct Friends {
    friendslist: FriendsList,
}

#[derive(Deserialize)]
struct FriendsList {
    #[serde(default)]
    friends: Vec<Friend>,
}

#[derive(Deserialize)]
struct Friend {
    steamid: String,
}

#[derive(Deserialize)]
struct Ownership {
    appownership: App,
}

#[derive(Deserialize)]
struct App {
    ownsapp: bool,
    #[serde(default)]
    timedtrial: bool,
}

#[derive(Deserialize)]
struct Bans {
    players: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "SteamId")]
    steam_id: String,
    #[serde(rename = "VACBanned")]
    vac_banned: bool,
}

#[derive(Deserialize)]
struct Summaries {
    response: Players,
}

#[derive(Deserialize)]
struct Players {
    #[serde(default)]
    players: Vec<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    steamid: String,
    personaname: Option<String>,
}

impl Steam {
    pub fn new(config: &SteamConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let (api, openid) = (Api::new(config, common)?, OpenId::new(config, common)?);
        for (key, is_set) in [
            ("steam.restrict_by_app_ownership", config.restrict_by_app_ownership),
            ("steam.refuse_vac_banned", config.refuse_vac_banned),
        ] {
            // Assertions would come in unchecked.
            if is_set && api.is_none() && openid.is_some() {
                let key = key.to_owned();
                return Err(SetupError::Needs { key, needs: "app_id and publisher_key" });
            }
        }
        let is_configured = api.is_some() || openid.is_some();
        Ok(is_configured.then_some(Self { api, openid }))
    }

    /// Whether session tickets are taken.
    pub const fn takes_tickets(&self) -> bool {
        self.api.is_some()
    }

    /// Whether assertions are taken.
    pub const fn takes_assertions(&self) -> bool {
        self.openid.is_some()
    }

    /// A session ticket.
    pub async fn verify(&self, ticket: &str) -> Result<Verified, IdentityError> {
        self.api.as_ref().ok_or(IdentityError::NotConfigured(KIND))?.verify(ticket).await
    }

    /// An `OpenID` assertion, as JSON text.
    pub async fn verify_openid(&self, assertion: &str) -> Result<Verified, IdentityError> {
        let openid = self.openid.as_ref().ok_or(IdentityError::NotConfigured(KIND))?;
        let link = facts::numbered(KIND, &openid.verify(assertion).await?)?;
        if let Some(api) = &self.api {
            api.not_banned(&link.id).await?;
            api.owns_app(&link.id).await?;
        }
        Ok(Verified::of(link))
    }

    /// Friends of a verified player. A private list is an empty one.
    pub async fn friends(&self, of: &Link) -> Result<Vec<Link>, IdentityError> {
        self.api.as_ref().ok_or(IdentityError::NotConfigured(KIND))?.friends(of).await
    }

    /// The name a player goes by. Nothing depends on it, so an outage is none.
    pub async fn shown(&self, id: &str) -> Shown {
        match &self.api {
            Some(api) => facts::shown(api.name(id).await.as_deref(), None),
            None => Shown::default(),
        }
    }
}

impl Api {
    fn new(config: &SteamConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let file = config.publisher_key_file.as_deref();
        let publisher_key = super::secret("steam.publisher_key", &config.publisher_key, file)?;
        if config.app_id == 0 || publisher_key.is_empty() {
            return Ok(None);
        }
        let base = config.api_url.trim_end_matches('/');
        let url = |path| common.outbound.url("steam.api_url", &format!("{base}/{path}/"));
        Ok(Some(Self {
            common: common.clone(),
            publisher_key,
            app_id: config.app_id,
            ticket_identity: config.ticket_identity.clone(),
            refuse_vac_banned: config.refuse_vac_banned,
            refuse_publisher_banned: config.refuse_publisher_banned,
            restrict_by_app_ownership: config.restrict_by_app_ownership,
            ticket_url: url("ISteamUserAuth/AuthenticateUserTicket/v1")?,
            friends_url: url("ISteamUser/GetFriendList/v0001")?,
            ownership_url: url("ISteamUser/CheckAppOwnership/v3")?,
            bans_url: url("ISteamUser/GetPlayerBans/v1")?,
            names_url: url("ISteamUser/GetPlayerSummaries/v2")?,
        }))
    }

    async fn verify(&self, ticket: &str) -> Result<Verified, IdentityError> {
        let refused = |why| IdentityError::Refused(KIND, why);
        let is_hex = ticket.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ticket.is_empty() || !is_hex || ticket.len() > TICKET_MAX {
            return Err(refused("the ticket is not hex, or too long"));
        }
        let app_id = self.app_id.to_string();
        let query = [
            ("format", "json"),
            ("key", &self.publisher_key),
            ("appid", &app_id),
            ("ticket", ticket),
        ];
        let mut request = self.common.outbound.get(self.ticket_url.clone()).query(&query);
        if !self.ticket_identity.is_empty() {
            request = request.query(&[("identity", &self.ticket_identity)]);
        }
        let answer = self.ask(request).await?;
        let response = answer.accepted()?.json::<Ticket>()?.response;
        let params = response.params.filter(|_| response.error.is_none());
        let params = params.ok_or_else(|| refused("it does not take the ticket"))?;
        if params.result != "OK" {
            return Err(refused("it does not take the ticket"));
        }
        if params.vacbanned && self.refuse_vac_banned {
            return Err(refused("the player has a VAC ban"));
        }
        if params.publisherbanned && self.refuse_publisher_banned {
            return Err(refused("the player has a ban of the publisher"));
        }
        let link = facts::numbered(KIND, &params.steamid)?;
        self.owns_app(&link.id).await?;
        Ok(Verified::of(link))
    }

    /// Asks; that Steam does not take our key is nobody else's fault.
    async fn ask(&self, request: RequestBuilder) -> Result<Answer, IdentityError> {
        let answer = self.common.outbound.send(KIND, request).await?;
        if [401, 403].contains(&answer.status()) {
            return Err(IdentityError::Unavailable(KIND, "it does not take the publisher key"));
        }
        Ok(answer)
    }

    /// Refuses who does not own the app, if the settings say so.
    async fn owns_app(&self, id: &str) -> Result<(), IdentityError> {
        if !self.restrict_by_app_ownership {
            return Ok(());
        }
        let (key, app_id) = (self.publisher_key.as_str(), self.app_id.to_string());
        let query = [("key", key), ("steamid", id), ("appid", &app_id)];
        let request = self.common.outbound.get(self.ownership_url.clone()).query(&query);
        let app = self.ask(request).await?.ok()?.json::<Ownership>()?.appownership;
        match app {
            App { ownsapp: false, .. } => Err(IdentityError::Refused(KIND, "does not own the app")),
            App { timedtrial: true, .. } => {
                Err(IdentityError::Refused(KIND, "only tries the app for a while"))
            }
            App { .. } => Ok(()),
        }
    }

    /// Refuses who has a VAC ban, if the settings say so. Bans of the publisher are told of tickets
    /// only.
    async fn not_banned(&self, id: &str) -> Result<(), IdentityError> {
        if !self.refuse_vac_banned {
            return Ok(());
        }
        let query = [("key", self.publisher_key.as_str()), ("steamids", id)];
        let request = self.common.outbound.get(self.bans_url.clone()).query(&query);
        let bans = self.ask(request).await?.ok()?.json::<Bans>()?.players;
        let odd = IdentityError::Unavailable(KIND, "its answer makes no sense");
        let ban = bans.into_iter().find(|ban| ban.steam_id == id).ok_or(odd)?;
        if ban.vac_banned {
            return Err(IdentityError::Refused(KIND, "the player has a VAC ban"));
        }
        Ok(())
    }

    async fn name(&self, id: &str) -> Option<String> {
        let query = [("key", self.publisher_key.as_str()), ("steamids", id)];
        let request = self.common.outbound.get(self.names_url.clone()).query(&query);
        let told: Summaries = self.ask(request).await.ok()?.ok().ok()?.json().ok()?;
        let players = told.response.players;
        players.into_iter().find(|player| player.steamid == id)?.personaname
    }

    async fn friends(&self, of: &Link) -> Result<Vec<Link>, IdentityError> {
        let query =
            [("key", self.publisher_key.as_str()), ("steamid", &of.id), ("relationship", "friend")];
        let request = self.common.outbound.get(self.friends_url.clone()).query(&query);
        let answer = self.common.outbound.send(KIND, request).await?;
        if answer.status() == 401 {
            return Ok(Vec::new());
        }
        let friends = answer.ok()?.json::<Friends>()?.friendslist.friends;
        let links = friends.iter().filter_map(|friend| facts::numbered(KIND, &friend.steamid).ok());
        Ok(links.take(FRIENDS_MAX).collect())
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}
