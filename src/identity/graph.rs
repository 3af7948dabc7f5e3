//! Facebook's Graph API: whose access token it is, of which app, and who their friends are
//! (protocol-nakama §2.11, §6.7).

use aws_lc_rs::hmac;
use reqwest::Url;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::outbound::Answer;
use super::{Common, IdentityError, SetupError, Verified, facts, hex};
use crate::config::identity::FacebookConfig;
use crate::domain::account::{Link, LinkKind, Profile};

const KIND: LinkKind = LinkKind::Facebook;
/// Longest access token taken, in bytes.
const TOKEN_MAX: usize = 4_096;
/// Pages of friends read, and friends taken.
const PAGES_MAX: usize = 50;
const FRIENDS_MAX: usize = 5_000;

/// The Graph API, with an app's credentials.
pub(super) struct Graph {
    common: Common,
    app_id: String,
    app_secret: Zeroizing<String>,
    me: Url,
    friends: Url,
    debug_token: Url,
}

#[derive(Deserialize)]
struct Debugged {
    data: TokenFacts,
}

#[derive(Deserialize)]
struct TokenFacts {
    #[serde(default)]
    app_id: String,
    #[serde(default)]
    is_valid: bool,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    expires_at: u64,
}

#[derive(Deserialize)]
struct Me {
    #[serde(default)]
    id: String,
    name: Option<String>,
    email: Option<String>,
    picture: Option<Picture>,
}

#[derive(Deserialize)]
struct Picture {
    data: Option<PictureData>,
}

#[derive(Deserialize)]
struct PictureData {
    url: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Friend>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Friend {
    id: String,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

impl Graph {
    pub fn new(config: &FacebookConfig, common: &Common) -> Result<Option<Self>, SetupError> {
        let file = config.app_secret_file.as_deref();
        let app_secret = super::secret("facebook.app_secret", &config.app_secret, file)?;
        if config.app_id.is_empty() || app_secret.is_empty() {
            return Ok(None);
        }
        let base = config.graph_url.trim_end_matches('/');
        let url = |path| common.outbound.url("facebook.graph_url", &format!("{base}/{path}"));
        Ok(Some(Self {
            common: common.clone(),
            app_id: config.app_id.clone(),
            app_secret,
            me: url("me")?,
            friends: url("me/friends")?,
            debug_token: url("debug_token")?,
        }))
    }

    /// Whose token it is: first whether it is our app's, then who they are.
    pub async fn verify(&self, token: &str) -> Result<Verified, IdentityError> {
        if token.is_empty() || token.len() > TOKEN_MAX {
            return Err(IdentityError::Refused(KIND, "the token is empty or too long"));
        }
        let user = self.user_of_our_app(token).await?;
        let proof = self.proof(token);
        let query = [
            ("access_token", token),
            ("appsecret_proof", &proof),
            ("fields", "id,name,email,picture"),
        ];
        let request = self.common.outbound.get(self.me.clone()).query(&query);
        let me: Me = answered(self.common.outbound.send(KIND, request).await?)?.json()?;
        let link = facts::link(KIND, &me.id)?;
        if link.id != user {
            return Err(IdentityError::Refused(KIND, "the token is of somebody else"));
        }
        let picture = me.picture.and_then(|picture| picture.data).and_then(|data| data.url);
        let profile = facts::profile(me.name.as_deref(), picture.as_deref());
        let email = facts::email(me.email.as_deref(), false);
        Ok(Verified { profile: Profile { email, ..profile }, ..Verified::of(link) })
    }

    async fn user_of_our_app(&self, token: &str) -> Result<String, IdentityError> {
        let ours = Zeroizing::new(format!("{}|{}", self.app_id, *self.app_secret));
        let query = [("input_token", token), ("access_token", &ours)];
        let request = self.common.outbound.get(self.debug_token.clone()).query(&query);
        // An unknown token is answered with 200; everything else is about our own credentials.
        let facts = self.common.outbound.send(KIND, request).await?.ok()?.json::<Debugged>()?.data;
        let now = self.common.clock.now().as_secs();
        let is_expired = facts.expires_at != 0 && facts.expires_at <= now;
        if !facts.is_valid || is_expired {
            return Err(IdentityError::Refused(KIND, "the token is not valid"));
        }
        if facts.app_id != self.app_id {
            return Err(IdentityError::Refused(KIND, "the token is of another app"));
        }
        Ok(facts.user_id)
    }

    /// The friends who play, too. Pages are asked for at our address, whatever the answer says.
    pub async fn friends(&self, token: &str) -> Result<Vec<Link>, IdentityError> {
        let (mut links, proof) = (Vec::new(), self.proof(token));
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let query = [("access_token", token), ("appsecret_proof", &proof), ("limit", "500")];
            let mut request = self.common.outbound.get(self.friends.clone()).query(&query);
            if let Some(after) = &after {
                request = request.query(&[("after", after)]);
            }
            let page: Page = answered(self.common.outbound.send(KIND, request).await?)?.json()?;
            let room = FRIENDS_MAX - links.len();
            let found = page.data.iter().filter_map(|friend| facts::link(KIND, &friend.id).ok());
            links.extend(found.take(room));
            let goes_on =
                |paging: &Paging| paging.next.as_ref().is_some_and(|next| !next.is_empty());
            let paging = page.paging.filter(goes_on);
            let next = paging.and_then(|paging| paging.cursors).and_then(|cursors| cursors.after);
            if links.len() >= FRIENDS_MAX || next.is_none() || next == after {
                break;
            }
            after = next;
        }
        Ok(links)
    }

    /// Proof that the request comes from whoever has the app's secret.
    fn proof(&self, token: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.app_secret.as_bytes());
        hex(hmac::sign(&key, token.as_bytes()).as_ref())
    }
}

#[derive(Deserialize)]
struct Failed {
    error: Failure,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: u64,
}

/// An answer that is no error, or an error that tells what is wrong with the token. Those about load
/// come with the same status.
fn answered(answer: Answer) -> Result<Answer, IdentityError> {
    if answer.status() != 200 && is_passing(&answer.body) {
        return Err(IdentityError::Unavailable(KIND, "it says that we ask too much"));
    }
    answer.accepted()
}

/// Whether an error is about load or limits, and so will pass.
fn is_passing(body: &[u8]) -> bool {
    const PASSING: [u64; 7] = [1, 2, 4, 17, 32, 341, 613];
    serde_json::from_slice::<Failed>(body).is_ok_and(|failed| PASSING.contains(&failed.error.code))
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_load_are_told_from_errors_of_the_token() {
        assert!(is_passing(br#"{"error":{"message":"limit","code":4}}"#));
        for lasting in ["{\"error\":{\"code\":190}}", "{\"error\":{}}", "{}", "", "<html>"] {
            assert!(!is_passing(lasting.as_bytes()), "{lasting}");
        }
    }
}
