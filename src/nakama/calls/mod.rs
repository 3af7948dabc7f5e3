//! The calls of Nakama's client API, whichever door they come through (protocol-nakama §10.2): one
//! function for each, from a request message to an answer message or a [`Failure`].
//!
//! Each checks who asks, then what is asked, in the order of the protocol note; then it asks a use
//! case of [`crate::signin`] and says what came of it. A door decodes, calls and encodes; it knows
//! no rule.

mod account;
mod authenticate;
mod consoles;
mod cursors;
mod entrance;
mod forms;
mod friends;
mod import;
mod link;
mod notifications;
mod proofs;
#[cfg(test)]
mod samples;
mod session;
mod unlink;
mod users;
mod whom;

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

pub use account::{delete_account, get_account, update_account};
pub use authenticate::{
    authenticate_apple, authenticate_custom, authenticate_device, authenticate_email,
    authenticate_facebook, authenticate_facebook_instant_game, authenticate_game_center,
    authenticate_google, authenticate_steam,
};
pub use entrance::{PASS_HEADER, PASS_VAR};
pub use friends::{
    add_friends, block_friends, delete_friends, list_friends, list_friends_of_friends,
};
pub use import::{import_facebook_friends, import_steam_friends};
pub use link::{
    link_apple, link_custom, link_device, link_email, link_facebook, link_facebook_instant_game,
    link_game_center, link_google, link_steam,
};
pub use notifications::{delete_notifications, list_notifications, notification};
pub use session::{session_logout, session_refresh};
pub use unlink::{
    unlink_apple, unlink_custom, unlink_device, unlink_email, unlink_facebook,
    unlink_facebook_instant_game, unlink_game_center, unlink_google, unlink_steam,
};
pub use users::get_users;

use super::App;
use super::auth::{self, Authorization};
use super::errors::Failure;
use crate::domain::account::AccountId;
use crate::domain::token::nakama::Claims;

/// Longest time a call may take (protocol-nakama §0.5).
const DEADLINE: Duration = Duration::from_millis(59_500);

/// What a call may know of who asks; made by the door it came through.
pub struct Asked<'a> {
    /// What the front end reaches.
    pub app: &'a App,
    /// The `Authorization` header or metadata.
    pub authorization: Authorization<'a>,
    /// The pass in the header or metadata [`PASS_HEADER`].
    pub pass: Option<&'a str>,
    /// Where the request came from, as far as it is believed (§0.7).
    pub from: Option<IpAddr>,
    bearer: OnceLock<Result<Claims, Failure>>,
}

impl<'a> Asked<'a> {
    /// A request through either door.
    pub const fn new(
        app: &'a App,
        authorization: Authorization<'a>,
        pass: Option<&'a str>,
        from: Option<IpAddr>,
    ) -> Self {
        Self { app, authorization, pass, from, bearer: OnceLock::new() }
    }

    /// Checks the server key of the game (§1.2).
    ///
    /// # Errors
    ///
    /// 16/401 `Server key required`, `Server key invalid`.
    pub fn server_key(&self) -> Result<(), Failure> {
        self.app.server_key.check(self.authorization)
    }

    /// The session of the caller; looked at once however often it is asked for (§1.3).
    ///
    /// # Errors
    ///
    /// 16/401 `Auth token required`, `Auth token invalid`.
    pub fn bearer(&self) -> Result<&Claims, Failure> {
        let checked = self.bearer.get_or_init(|| auth::bearer(self.app, self.authorization));
        checked.as_ref().map_err(Clone::clone)
    }

    /// The account of the caller.
    fn account(&self) -> Result<AccountId, Failure> {
        self.bearer().map(|claims| AccountId(claims.account))
    }
}

/// Gives a call its longest time, after which it is dropped: what it had not yet asked for is not
/// done.
///
/// # Errors
///
/// 4/504 when the time is over, else what the call says.
pub fn in_time<T, F: Future<Output = Result<T, Failure>>>(call: F) -> InTime<F> {
    InTime { call: Box::pin(call), deadline: None }
}

/// A call with its longest time. Most calls answer without ever waiting: those set no timer. Calls
/// are large, and boxed they are moved once.
pub struct InTime<F> {
    call: Pin<Box<F>>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<T, F: Future<Output = Result<T, Failure>>> Future for InTime<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Poll::Ready(answer) = self.call.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(DEADLINE)));
        deadline.as_mut().poll(cx).map(|()| Err(Failure::too_late()))
    }
}

/// Whether anything answers at all (§12).
///
/// # Errors
///
/// None.
pub async fn healthcheck(_asked: &Asked<'_>) -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
mod tests;
