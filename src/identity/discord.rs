//! Discord: an access token or an authorization code; a member of a server, with a role, if the
//! settings say so (protocol-pragma §4.4, §4.5).

use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ceremony::Ceremony;
use super::oauth::{Client, Credentials, Door, Redeemed, Takes};
use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::DiscordConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Discord;

/// Discord, configured.
#[derive(Debug)]
pub(super) struct Discord {
    client: Client,
    me_url: Url,
    guild: Option<Guild>,
}

/// The server players must be members of.
struct Guild {
    members_url: Url,
    role_id: String,
    bot_token: Zeroizing<String>,
}

/// What Discord says of an access token: for which application, and of whom.
#[derive(Deserialize)]
struct Authorization {
    application: Application,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Application {
    id: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
    username: Option<String>,
    discriminator: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    #[serde(default)]
    roles: Vec<String>,
}

impl Discord {
    pub fn new(config: &DiscordConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let takes = Takes { id_tokens: false, access_tokens: true };
        let settings = config.registration();
        let client = Client::new(KIND, "discord", &settings, common, takes, Credentials::Form)?;
        let Some(client) = client else { return Ok(None) };
        let base = config.api_url.trim_end_matches('/');
        let me_url = common.outbound.url("discord.api_url", &format!("{base}/oauth2/@me"))?;
        Ok(Some(Self { client, me_url, guild: Guild::new(config, base, common)? }))
    }
}

impl Guild {
    fn new(
        config: &DiscordConfig,
        base: &str,
        common: &Common,
    ) -> Result<Option<Self>, SetupError> {
        let file = config.bot_token_file.as_deref();
        let bot_token = super::secret("discord.bot_token", &config.bot_token, file)?;
        let needs = |key: &str, needs| SetupError::Needs { key: key.to_owned(), needs };
        if config.guild_id.is_empty() {
            // A role of no server would let everybody in.
            return if config.authorized_role_id.is_empty() {
                Ok(None)
            } else {
                Err(needs("discord.authorized_role_id", "guild_id"))
            };
        }
        if bot_token.is_empty() {
            return Err(needs("discord.guild_id", "bot_token"));
        }
        let url = format!("{base}/guilds/{}/members", config.guild_id);
        let members_url = common.outbound.url("discord.api_url", &url)?;
        let role_id = config.authorized_role_id.clone();
        Ok(Some(Self { members_url, role_id, bot_token }))
    }

    async fn admit(&self, common: &Common, user_id: &str) -> Result<(), IdentityError> {
        let odd = IdentityError::Unavailable(KIND, "its address cannot be made");
        let mut url = self.members_url.clone();
        url.path_segments_mut().map_err(|()| odd)?.push(user_id);
        let authorization = Zeroizing::new(format!("Bot {}", self.bot_token.as_str()));
        let request = common.outbound.get(url);
        let request = request.header(reqwest::header::AUTHORIZATION, authorization.as_str());
        let answer = common.outbound.send(KIND, request).await?;
        match answer.status() {
            404 => return Err(IdentityError::Refused(KIND, "not a member of the server")),
            401 | 403 => {
                return Err(IdentityError::Unavailable(KIND, "it does not take the bot's token"));
            }
            _ => {}
        }
        let member: Member = answer.ok()?.json()?;
        if self.role_id.is_empty() || member.roles.contains(&self.role_id) {
            Ok(())
        } else {
            Err(IdentityError::Refused(KIND, "the member does not have the role"))
        }
    }
}

impl Door for Discord {
    fn client(&self) -> &Client {
        &self.client
    }

    fn ceremony(&self) -> Option<Ceremony> {
        Some(Ceremony::Pkce)
    }

    async fn id_token(&self, _token: &str) -> Result<Verified, IdentityError> {
        Err(IdentityError::NotConfigured(KIND))
    }

    async fn access_token(&self, token: &str) -> Result<Verified, IdentityError> {
        let common = self.client.common();
        let request = common.outbound.get(self.me_url.clone()).bearer_auth(token);
        let answer = common.outbound.send(KIND, request).await?.accepted()?;
        let told: Authorization = answer.json()?;
        if !self.client.is_us(&told.application.id) {
            return Err(IdentityError::Refused(KIND, "the token is of another app"));
        }
        let nobody = IdentityError::Refused(KIND, "the token does not have the identify scope");
        let user = told.user.ok_or(nobody)?;
        let link = facts::numbered(KIND, &user.id)?;
        if let Some(guild) = &self.guild {
            guild.admit(common, &link.id).await?;
        }
        let shown = facts::shown(user.username.as_deref(), user.discriminator.as_deref());
        Ok(Verified { shown, ..Verified::of(link) })
    }

    async fn redeemed(&self, tokens: Redeemed) -> Result<Verified, IdentityError> {
        self.access_token(&tokens.access_token).await
    }
}

impl std::fmt::Debug for Guild {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guild").field("role_id", &self.role_id).finish_non_exhaustive()
    }
}
