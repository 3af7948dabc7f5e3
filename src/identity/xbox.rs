//! Xbox Live: an XSTS token for `http://xboxlive.com`, tried at the profile service
//! (protocol-pragma §4.4). It proves the player, not the title.

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;

use super::{Common, IdentityError, SetupError, Verified, facts};
use crate::config::identity::XboxConfig;
use crate::domain::account::LinkKind;

const KIND: LinkKind = LinkKind::Xbox;
/// What is asked of a profile.
const SETTINGS: &str = "Gamertag,ModernGamertag,ModernGamertagSuffix";
/// Longest token taken, in bytes.
const TOKEN_MAX: usize = 8_192;

/// Xbox Live, configured.
#[derive(Debug)]
pub(super) struct Xbox {
    common: Common,
    settings_url: Url,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profiles {
    profile_users: Vec<ProfileUser>,
}

#[derive(Deserialize)]
struct ProfileUser {
    id: String,
    #[serde(default)]
    settings: Vec<Setting>,
}

#[derive(Deserialize)]
struct Setting {
    id: String,
    value: Option<String>,
}

impl ProfileUser {
    /// A setting; `None`: not told, or empty.
    fn setting(&self, name: &str) -> Option<&str> {
        let setting = self.settings.iter().find(|setting| setting.id == name);
        setting.and_then(|setting| setting.value.as_deref()).filter(|value| !value.is_empty())
    }
}

impl Xbox {
    pub fn new(config: &XboxConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        if !config.enabled {
            return Ok(None);
        }
        let base = config.profile_url.trim_end_matches('/');
        let url = format!("{base}/users/me/profile/settings?settings={SETTINGS}");
        let settings_url = common.outbound.url("xbox.profile_url", &url)?;
        Ok(Some(Self { common: common.clone(), settings_url }))
    }

    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        let refused = |why| IdentityError::Refused(KIND, why);
        let has_form = token
            .strip_prefix("XBL3.0 x=")
            .and_then(|rest| rest.split_once(';'))
            .is_some_and(|(hash, token)| !hash.is_empty() && !token.is_empty());
        let header = HeaderValue::from_str(token).ok().filter(|_| has_form);
        let mut header = header.ok_or_else(|| refused("not an XSTS token"))?;
        if token.len() > TOKEN_MAX {
            return Err(refused("the token is too long"));
        }
        header.set_sensitive(true);
        let request = self
            .common
            .outbound
            .get(self.settings_url.clone())
            .header(AUTHORIZATION, header)
            .header("x-xbl-contract-version", "2");
        let answer = self.common.outbound.send(KIND, request).await?.accepted()?;
        let users = answer.json::<Profiles>()?.profile_users;
        let [user] = users.as_slice() else {
            return Err(IdentityError::Unavailable(KIND, "its answer makes no sense"));
        };
        let gamertag = user.setting("Gamertag");
        // The old form writes a suffix into the name.
        let shown = match user.setting("ModernGamertag") {
            Some(modern) => facts::shown(Some(modern), user.setting("ModernGamertagSuffix")),
            None => facts::shown(gamertag, None),
        };
        Ok(Verified {
            profile: facts::profile(gamertag, None),
            shown,
            ..Verified::of(facts::numbered(KIND, &user.id)?)
        })
    }
}
