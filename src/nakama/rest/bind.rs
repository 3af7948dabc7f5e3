//! What of a call's message is in the body and what in the query (protocol-nakama §10.2), and the
//! call itself.
//!
//! Who asks is checked before the body is read: the calls check it, too, but a stranger shall not
//! make the server read and unpack what it will not take.

use actix_http::header;
use actix_web::HttpRequest;
use actix_web::web::Payload;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::routes::Call;
use crate::domain::account::LinkKind;
use crate::nakama::calls::{self, Asked};
use crate::nakama::errors::Failure;
use crate::nakama::reply::Reply;
use crate::nakama::wire::api;
use crate::nakama::{body, query};

/// A request whose call is found.
pub(super) struct Input<'a> {
    pub asked: &'a Asked<'a>,
    pub request: &'a HttpRequest,
    pub payload: Payload,
}

/// What a call answers, as a body.
trait Answer {
    fn reply(self) -> Result<Reply, Failure>;
}

impl Answer for () {
    fn reply(self) -> Result<Reply, Failure> {
        Ok(Reply::Empty)
    }
}

macro_rules! answers {
    ($($answer:ident),*) => {
        $(impl Answer for api::$answer {
            fn reply(self) -> Result<Reply, Failure> {
                Reply::of(&self)
            }
        })*
    };
}
answers!(Account, FriendList, FriendsOfFriendsList, NotificationList, Session, Users);

/// A message whose `account` is the body; its other fields are in the query.
trait WithAccount: DeserializeOwned {
    type Account: DeserializeOwned;
    fn put(&mut self, account: Option<Self::Account>);
}

macro_rules! with_account {
    ($($request:ident: $account:ident),* $(,)?) => {
        $(impl WithAccount for api::$request {
            type Account = api::$account;
            fn put(&mut self, account: Option<api::$account>) {
                self.account = account;
            }
        })*
    };
}
with_account!(
    AuthenticateAppleRequest: AccountApple,
    AuthenticateCustomRequest: AccountCustom,
    AuthenticateDeviceRequest: AccountDevice,
    AuthenticateEmailRequest: AccountEmail,
    AuthenticateFacebookRequest: AccountFacebook,
    AuthenticateFacebookInstantGameRequest: AccountFacebookInstantGame,
    AuthenticateGameCenterRequest: AccountGameCenter,
    AuthenticateGoogleRequest: AccountGoogle,
    AuthenticateSteamRequest: AccountSteam,
    LinkFacebookRequest: AccountFacebook,
    ImportFacebookFriendsRequest: AccountFacebook,
    ImportSteamFriendsRequest: AccountSteam,
);

impl Input<'_> {
    /// Decodes, calls, encodes.
    pub async fn call(self, call: Call) -> Result<Reply, Failure> {
        match call {
            Call::Health => calls::healthcheck(self.asked).await?.reply(),
            Call::Authenticate(kind) => self.authenticate(kind).await,
            Call::Refresh => self.refresh().await,
            Call::Logout => self.whole(calls::session_logout).await,
            Call::Link(kind) => self.link(kind).await,
            Call::Unlink(kind) => self.unlink(kind).await,
            Call::GetAccount => calls::get_account(self.asked).await?.reply(),
            Call::UpdateAccount => self.whole(calls::update_account).await,
            Call::DeleteAccount => calls::delete_account(self.asked).await?.reply(),
            Call::GetUsers => self.queried(calls::get_users).await,
            Call::ListFriends => self.queried(calls::list_friends).await,
            Call::ListFriendsOfFriends => self.queried(calls::list_friends_of_friends).await,
            Call::AddFriends => self.posted(calls::add_friends).await,
            Call::DeleteFriends => self.queried(calls::delete_friends).await,
            Call::BlockFriends => self.posted(calls::block_friends).await,
            Call::ImportFacebook => self.import_facebook().await,
            Call::ImportSteam => {
                self.asked.bearer()?;
                self.account(calls::import_steam_friends).await
            }
            Call::ListNotifications => self.queried(calls::list_notifications).await,
            Call::DeleteNotifications => self.queried(calls::delete_notifications).await,
        }
    }

    async fn authenticate(self, kind: LinkKind) -> Result<Reply, Failure> {
        self.asked.server_key()?;
        match kind {
            LinkKind::Device => self.account(calls::authenticate_device).await,
            LinkKind::Custom => self.account(calls::authenticate_custom).await,
            LinkKind::Email => self.account(calls::authenticate_email).await,
            LinkKind::Apple => self.account(calls::authenticate_apple).await,
            LinkKind::Facebook => self.account(calls::authenticate_facebook).await,
            LinkKind::FacebookInstantGame => {
                self.account(calls::authenticate_facebook_instant_game).await
            }
            LinkKind::GameCenter => self.account(calls::authenticate_game_center).await,
            LinkKind::Google => self.account(calls::authenticate_google).await,
            LinkKind::Steam => self.account(calls::authenticate_steam).await,
            _ => Err(Failure::unknown_path()),
        }
    }

    async fn link(self, kind: LinkKind) -> Result<Reply, Failure> {
        self.asked.bearer()?;
        match kind {
            LinkKind::Device => self.whole(calls::link_device).await,
            LinkKind::Custom => self.whole(calls::link_custom).await,
            LinkKind::Email => self.whole(calls::link_email).await,
            LinkKind::Apple => self.whole(calls::link_apple).await,
            LinkKind::Facebook => self.account(calls::link_facebook).await,
            LinkKind::FacebookInstantGame => self.whole(calls::link_facebook_instant_game).await,
            LinkKind::GameCenter => self.whole(calls::link_game_center).await,
            LinkKind::Google => self.whole(calls::link_google).await,
            LinkKind::Steam => self.link_steam().await,
            _ => Err(Failure::unknown_path()),
        }
    }

    async fn unlink(self, kind: LinkKind) -> Result<Reply, Failure> {
        self.asked.bearer()?;
        match kind {
            LinkKind::Device => self.whole(calls::unlink_device).await,
            LinkKind::Custom => self.whole(calls::unlink_custom).await,
            LinkKind::Email => self.whole(calls::unlink_email).await,
            LinkKind::Apple => self.whole(calls::unlink_apple).await,
            LinkKind::Facebook => self.whole(calls::unlink_facebook).await,
            LinkKind::FacebookInstantGame => self.whole(calls::unlink_facebook_instant_game).await,
            LinkKind::GameCenter => self.whole(calls::unlink_game_center).await,
            LinkKind::Google => self.whole(calls::unlink_google).await,
            LinkKind::Steam => self.whole(calls::unlink_steam).await,
            _ => Err(Failure::unknown_path()),
        }
    }

    async fn refresh(self) -> Result<Reply, Failure> {
        self.asked.refresh_key().map(drop)?;
        let asked = self.asked;
        let request = body::parse(&self.body().await?)?.unwrap_or_default();
        calls::session_refresh(asked, request).await?.reply()
    }

    async fn link_steam(self) -> Result<Reply, Failure> {
        let asked = self.asked;
        let request = steam_link(&self.body().await?)?;
        calls::link_steam(asked, request).await?.reply()
    }

    async fn import_facebook(self) -> Result<Reply, Failure> {
        let asked = self.asked;
        asked.bearer()?;
        let query = query::message(self.request.query_string(), &["account"])?;
        let request = facebook_import(&query, &self.body().await?)?;
        calls::import_facebook_friends(asked, request).await?.reply()
    }

    /// The body is the message.
    async fn whole<T: DeserializeOwned + Default, A: Answer>(
        self,
        call: impl AsyncFnOnce(&Asked<'_>, T) -> Result<A, Failure>,
    ) -> Result<Reply, Failure> {
        let asked = self.asked;
        asked.bearer()?;
        let request = body::parse(&self.body().await?)?.unwrap_or_default();
        call(asked, request).await?.reply()
    }

    /// The body is the message's `account`, the query the rest. Who asks is checked by the caller.
    async fn account<T: WithAccount, A: Answer>(
        self,
        call: impl AsyncFnOnce(&Asked<'_>, T) -> Result<A, Failure>,
    ) -> Result<Reply, Failure> {
        let asked = self.asked;
        let mut request: T = query::message(self.request.query_string(), &["account"])?;
        request.put(body::parse(&self.body().await?)?);
        call(asked, request).await?.reply()
    }

    /// The query is the message.
    async fn queried<T: DeserializeOwned, A: Answer>(
        self,
        call: impl AsyncFnOnce(&Asked<'_>, T) -> Result<A, Failure>,
    ) -> Result<Reply, Failure> {
        self.asked.bearer()?;
        let request = query::message(self.request.query_string(), &[])?;
        call(self.asked, request).await?.reply()
    }

    /// The query is the message, and a form's fields count as the query's.
    async fn posted<T: DeserializeOwned, A: Answer>(
        self,
        call: impl AsyncFnOnce(&Asked<'_>, T) -> Result<A, Failure>,
    ) -> Result<Reply, Failure> {
        let (asked, request) = (self.asked, self.request);
        asked.bearer()?;
        if !is_form(request) {
            return self.queried(call).await;
        }
        let body = self.body().await?;
        let form = std::str::from_utf8(&body).map_err(|_| Failure::invalid("Form is not UTF-8"))?;
        let fields = format!("{}&{form}", request.query_string());
        call(asked, query::message(&fields, &[])?).await?.reply()
    }

    async fn body(self) -> Result<Bytes, Failure> {
        let max = self.asked.app.config.limits.body_max_bytes;
        body::read(self.request.headers(), self.payload, max).await
    }
}

fn is_form(request: &HttpRequest) -> bool {
    const FORM: &[u8] = b"application/x-www-form-urlencoded";
    let content_type = request.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().get(..FORM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(FORM))
}

/// The account of a Steam link is in `account`, as Nakama has it, or flat, as C++ and Unreal send it
/// (§4.1).
fn steam_link(body: &[u8]) -> Result<api::LinkSteamRequest, Failure> {
    let mut request: api::LinkSteamRequest = body::parse(body)?.unwrap_or_default();
    if request.account.is_none() {
        request.account = body::parse(body)?;
    }
    Ok(request)
}

/// Unreal sends `reset` in the body (§13.2), where Nakama has it in the query.
fn facebook_import(
    query: &api::ImportFacebookFriendsRequest,
    body: &[u8],
) -> Result<api::ImportFacebookFriendsRequest, Failure> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Beside {
        reset: Option<bool>,
    }
    let beside: Beside = body::parse(body)?.unwrap_or_default();
    let account = body::parse(body)?;
    Ok(api::ImportFacebookFriendsRequest { account, reset: query.reset.or(beside.reset) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steam_link_is_nested_or_flat() {
        let read = |body: &str| {
            let request = steam_link(body.as_bytes()).unwrap();
            (request.account.map(|account| account.token), request.sync)
        };
        let token = || Some("14".to_owned());
        assert_eq!(read(r#"{"account":{"token":"14"},"sync":false}"#), (token(), Some(false)));
        assert_eq!(read(r#"{"account":{"token":"14"},"token":"15"}"#), (token(), None));
        assert_eq!(read(r#"{"token":"14","vars":{}}"#), (token(), None));
        assert_eq!(read(r#"{"account":null,"token":"14","sync":true}"#), (token(), Some(true)));
        assert_eq!(read(""), (None, None));
        assert!(steam_link(b"{").is_err());
    }

    #[test]
    fn reset_is_in_the_query_or_in_the_body() {
        let read = |query: Option<bool>, body: &str| {
            let query = api::ImportFacebookFriendsRequest { reset: query, ..Default::default() };
            let request = facebook_import(&query, body.as_bytes()).unwrap();
            (request.account.unwrap_or_default().token, request.reset)
        };
        let token = || "t".to_owned();
        assert_eq!(read(None, r#"{"token":"t"}"#), (token(), None));
        assert_eq!(read(None, r#"{"token":"t","reset":true}"#), (token(), Some(true)));
        assert_eq!(read(Some(false), r#"{"token":"t","reset":true}"#), (token(), Some(false)));
        assert_eq!(read(Some(true), ""), (String::new(), Some(true)));
    }
}
