//! Steam: a session ticket, and the player's friends (protocol-nakama §2.15, §6.7).

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::SteamConfig;
use crate::domain::account::{Link, LinkKind};

const KIND: LinkKind = LinkKind::Steam;
/// Longest ticket taken, in hex digits.
const TICKET_MAX: usize = 4_096;
/// Friends taken; Steam allows some 2000.
const FRIENDS_MAX: usize = 5_000;

/// Steam, configured.
pub(super) struct Steam {
    common: Common,
    publisher_key: Zeroizing<String>,
    app_id: u32,
    ticket_identity: String,
    refuse_vac_banned: bool,
    refuse_publisher_banned: bool,
    ticket_url: Url,
    friends_url: Url,
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

impl Steam {
    pub fn new(config: &SteamConfig, common: &Common) -> Result<Option<Self>, SetupError> {
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
            ticket_url: url("ISteamUserAuth/AuthenticateUserTicket/v1")?,
            friends_url: url("ISteamUser/GetFriendList/v0001")?,
        }))
    }

    pub async fn verify(&self, ticket: &str) -> Result<Verified, IdentityError> {
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
        let answer = self.common.outbound.send(KIND, request).await?;
        if [401, 403].contains(&answer.status()) {
            return Err(IdentityError::Unavailable(KIND, "it does not take the publisher key"));
        }
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
        Ok(Verified::of(facts::numbered(KIND, &params.steamid)?))
    }

    /// Friends of a verified player. A private list is an empty one.
    pub async fn friends(&self, of: &Link) -> Result<Vec<Link>, IdentityError> {
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

impl std::fmt::Debug for Steam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Steam").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}
