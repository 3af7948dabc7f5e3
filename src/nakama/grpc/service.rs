//! The generated service: decode, call, encode; no rule is known here.

use std::net::SocketAddr;

use hyper::header::HeaderValue;
use send_wrapper::SendWrapper;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::status;
use crate::nakama::App;
use crate::nakama::auth::Authorization;
use crate::nakama::calls::{self, Asked};
use crate::nakama::wire::api;
use crate::nakama::wire::api::nakama_server::Nakama;

/// Where a request came from, as the connection says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub Option<SocketAddr>);

/// The calls.
pub(super) struct Calls(App);

impl Calls {
    pub(super) const fn new(app: App) -> Self {
        Self(app)
    }

    /// Who asks. `grpcgateway-authorization` means nothing: it is a gateway's, and there is none.
    fn asked<'a>(&'a self, metadata: &'a MetadataMap, peer: Option<Peer>) -> Asked<'a> {
        let headers = metadata.as_ref();
        let values = headers.get_all("authorization").iter().map(HeaderValue::as_bytes);
        let pass = headers.get(calls::PASS_HEADER).map(|value| value.to_str().unwrap_or("?"));
        let forwarded = headers.get_all("x-forwarded-for").iter();
        let peer = peer.and_then(|Peer(peer)| peer);
        let from = self.0.door.client_address(peer, forwarded.filter_map(|it| it.to_str().ok()));
        Asked::new(&self.0, Authorization::of(values), pass, from)
    }
}

/// The type of a call's message: itself, or none.
macro_rules! message {
    () => {
        ()
    };
    ($message:ty) => {
        $message
    };
}

/// A call with its message, or without any.
macro_rules! call {
    ($call:ident, $asked:expr, $message:ident) => {
        calls::$call($asked).await
    };
    ($call:ident, $asked:expr, $message:ident, $type:ty) => {
        calls::$call($asked, $message).await
    };
}

macro_rules! served {
    ($($call:ident($($message:ty)?) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl Nakama for Calls {
            $(async fn $call(
                &self,
                request: Request<message!($($message)?)>,
            ) -> Result<Response<$answer>, Status> {
                let (metadata, extensions, _message) = request.into_parts();
                // A connection and its calls stay on one worker, so a call need not be `Send`.
                SendWrapper::new(async move {
                    let asked = self.asked(&metadata, extensions.get().copied());
                    let answer = call!($call, &asked, _message $(, $message)?);
                    answer.map(Response::new).map_err(|failure| status::of(&failure))
                })
                .await
            })*
        }
    };
}

served! {
    authenticate_apple(api::AuthenticateAppleRequest) -> api::Session;
    authenticate_custom(api::AuthenticateCustomRequest) -> api::Session;
    authenticate_device(api::AuthenticateDeviceRequest) -> api::Session;
    authenticate_email(api::AuthenticateEmailRequest) -> api::Session;
    authenticate_facebook(api::AuthenticateFacebookRequest) -> api::Session;
    authenticate_facebook_instant_game(api::AuthenticateFacebookInstantGameRequest) -> api::Session;
    authenticate_game_center(api::AuthenticateGameCenterRequest) -> api::Session;
    authenticate_google(api::AuthenticateGoogleRequest) -> api::Session;
    authenticate_steam(api::AuthenticateSteamRequest) -> api::Session;
    session_refresh(api::SessionRefreshRequest) -> api::Session;
    get_users(api::GetUsersRequest) -> api::Users;
    list_friends(api::ListFriendsRequest) -> api::FriendList;
    list_friends_of_friends(api::ListFriendsOfFriendsRequest) -> api::FriendsOfFriendsList;
    list_notifications(api::ListNotificationsRequest) -> api::NotificationList;
    session_logout(api::SessionLogoutRequest) -> ();
    link_apple(api::AccountApple) -> ();
    link_custom(api::AccountCustom) -> ();
    link_device(api::AccountDevice) -> ();
    link_email(api::AccountEmail) -> ();
    link_facebook(api::LinkFacebookRequest) -> ();
    link_facebook_instant_game(api::AccountFacebookInstantGame) -> ();
    link_game_center(api::AccountGameCenter) -> ();
    link_google(api::AccountGoogle) -> ();
    link_steam(api::LinkSteamRequest) -> ();
    unlink_apple(api::AccountApple) -> ();
    unlink_custom(api::AccountCustom) -> ();
    unlink_device(api::AccountDevice) -> ();
    unlink_email(api::AccountEmail) -> ();
    unlink_facebook(api::AccountFacebook) -> ();
    unlink_facebook_instant_game(api::AccountFacebookInstantGame) -> ();
    unlink_game_center(api::AccountGameCenter) -> ();
    unlink_google(api::AccountGoogle) -> ();
    unlink_steam(api::AccountSteam) -> ();
    update_account(api::UpdateAccountRequest) -> ();
    add_friends(api::AddFriendsRequest) -> ();
    delete_friends(api::DeleteFriendsRequest) -> ();
    block_friends(api::BlockFriendsRequest) -> ();
    import_facebook_friends(api::ImportFacebookFriendsRequest) -> ();
    import_steam_friends(api::ImportSteamFriendsRequest) -> ();
    delete_notifications(api::DeleteNotificationsRequest) -> ();
    get_account() -> api::Account;
    delete_account() -> ();
    healthcheck() -> ();
}
