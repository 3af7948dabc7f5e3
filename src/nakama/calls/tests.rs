//! What holds for every call.

use super::*;
use crate::nakama::wire::api;

fn send<T: Send>(_: T) {}

/// gRPC runs its calls on threads of its own choice.
#[expect(dead_code, reason = "it is enough that it compiles")]
fn calls_may_be_sent(asked: &Asked<'_>) {
    send(authenticate_device(asked, api::AuthenticateDeviceRequest::default()));
    send(authenticate_email(asked, api::AuthenticateEmailRequest::default()));
    send(authenticate_steam(asked, api::AuthenticateSteamRequest::default()));
    send(session_refresh(asked, api::SessionRefreshRequest::default()));
    send(session_logout(asked, api::SessionLogoutRequest::default()));
    send(link_email(asked, api::AccountEmail::default()));
    send(link_steam(asked, api::LinkSteamRequest::default()));
    send(unlink_device(asked, api::AccountDevice::default()));
    send(unlink_steam(asked, api::AccountSteam::default()));
    send(get_account(asked));
    send(update_account(asked, api::UpdateAccountRequest::default()));
    send(delete_account(asked));
    send(get_users(asked, api::GetUsersRequest::default()));
    send(list_friends(asked, api::ListFriendsRequest::default()));
    send(list_friends_of_friends(asked, api::ListFriendsOfFriendsRequest::default()));
    send(add_friends(asked, api::AddFriendsRequest::default()));
    send(delete_friends(asked, api::DeleteFriendsRequest::default()));
    send(block_friends(asked, api::BlockFriendsRequest::default()));
    send(import_facebook_friends(asked, api::ImportFacebookFriendsRequest::default()));
    send(import_steam_friends(asked, api::ImportSteamFriendsRequest::default()));
    send(list_notifications(asked, api::ListNotificationsRequest::default()));
    send(delete_notifications(asked, api::DeleteNotificationsRequest::default()));
    send(healthcheck(asked));
}

#[tokio::test(start_paused = true)]
async fn no_call_takes_longer_than_any_may() {
    let failure = in_time(std::future::pending::<Result<(), _>>()).await.unwrap_err();
    assert_eq!((failure.code, failure.status), (4, 504));
    assert_eq!(in_time(async { Ok(7) }).await, Ok(7));
}
