//! The table of requests: who may send what to which backend, and what it does there. Each service
//! has a file of its own with its part of the table.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::envelope::Request;
use super::payload::may;
use super::{
    access_calls, account_calls, ban_calls, data_calls, friend_calls, group_calls, on_record,
    partner_token_calls, people_calls, presence_calls, role_calls, search_calls, session_calls,
    tag_calls, trusted_calls,
};
use crate::domain::account::AccountId;
use crate::domain::presence::{NoPresence, Presence, RichAsk};
use crate::domain::time::UnixMicros;
use crate::domain::token::{BackendType, Claims, PlayerClaims, SessionType};
use crate::pragma::{App, Fault};

/// Every service's part of the table.
const SERVICES: &[&[Call]] = &[
    session_calls::CALLS,
    account_calls::CALLS,
    trusted_calls::CALLS,
    friend_calls::CALLS,
    presence_calls::CALLS,
    people_calls::CALLS,
    search_calls::CALLS,
    tag_calls::CALLS,
    group_calls::CALLS,
    role_calls::CALLS,
    ban_calls::CALLS,
    ban_calls::OWN,
    access_calls::CALLS,
    partner_token_calls::CALLS,
    data_calls::CALLS,
    data_calls::OWN,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Call>> =
    LazyLock::new(|| all().map(|call| (call.name, call)).collect());

/// Every request that is served.
pub fn all() -> impl Iterator<Item = &'static Call> {
    SERVICES.iter().copied().flatten()
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Over the session's socket.
    Socket,
    /// Over HTTP: there is a token and no session.
    Http,
}

/// A request and everything it is answered with.
pub struct Ask {
    /// What the front end stands on.
    pub app: Arc<App>,
    /// The checked token of whoever asks.
    pub claims: Arc<Claims>,
    /// How it came.
    pub via: Via,
    /// The request.
    pub request: Request,
}

impl Ask {
    /// The claims of a player or an operator.
    ///
    /// # Errors
    ///
    /// [`Fault::WrongSessionType`]: a partner asks.
    pub fn person(&self) -> Result<&PlayerClaims, Fault> {
        self.claims.person().ok_or(Fault::WrongSessionType)
    }

    /// The account of a player or an operator.
    ///
    /// # Errors
    ///
    /// As [`Self::person`].
    pub fn account(&self) -> Result<AccountId, Fault> {
        self.person().map(|claims| AccountId(claims.session.social_id))
    }
}

/// What becomes of the session after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on.
    Nothing,
    /// It goes on until another moment.
    ExtendUntil(UnixMicros),
    /// It ends as the client asked.
    Logout,
}

/// The payload of an answer, and what then.
pub type Answer = Result<(Value, Then), Fault>;

/// Makes an answer of what friends show.
pub type OfShown = Box<dyn FnOnce(&[Presence]) -> Value>;

/// What the session asks the board before the answer is known.
pub enum Wish {
    /// Nothing: this is the answer.
    Say(Value),
    /// To show a rich presence, and what to answer then.
    SetRich(RichAsk, fn(Result<(), NoPresence>) -> Value),
    /// To follow friends from now on, and to hear how their list changes beyond `version`.
    Befriend {
        /// Whom to follow.
        friends: Vec<AccountId>,
        /// The number of the list that is answered with.
        version: u64,
        /// Makes the answer from what they show.
        answer: OfShown,
    },
}

/// A wish to wait for.
pub type Wishing = Pin<Box<dyn Future<Output = Result<Wish, Fault>>>>;

/// An answer that is there, or one to wait for.
pub enum Step {
    /// Decided at once.
    Now(Answer),
    /// After a look into the registry.
    Later(Pin<Box<dyn Future<Output = Answer>>>),
    /// After the session has asked the board. Only for requests that come over a socket.
    Asking(Wishing),
}

impl Step {
    /// A payload to wait for; the session goes on.
    pub fn later(answer: impl Future<Output = Result<Value, Fault>> + 'static) -> Self {
        Self::Later(Box::pin(async move { answer.await.map(|payload| (payload, Then::Nothing)) }))
    }
}

/// One row of the table.
pub struct Call {
    /// The message's name.
    pub name: &'static str,
    /// Who may send it.
    pub who: SessionType,
    /// To which backend; `None`: either.
    pub backend: Option<BackendType>,
    /// The permission that an operator or a partner needs for it; `None`: none.
    pub permission: Option<&'static str>,
    /// What it does.
    pub run: fn(Ask) -> Step,
}

impl Call {
    /// A row for one backend.
    pub const fn new(
        name: &'static str,
        who: SessionType,
        backend: BackendType,
        run: fn(Ask) -> Step,
    ) -> Self {
        Self { name, who, backend: Some(backend), permission: None, run }
    }

    /// A row for both backends.
    pub const fn both(name: &'static str, who: SessionType, run: fn(Ask) -> Step) -> Self {
        Self { name, who, backend: None, permission: None, run }
    }

    /// The same, for those with a permission.
    #[must_use]
    pub const fn permitted(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }
}

/// Does what a request asks, for the owner of its claims: known, of this session type and backend,
/// permitted (protocol-pragma §9.1, §9.2, §10.3).
pub fn call(ask: Ask) -> Step {
    let Some(call) = BY_NAME.get(ask.request.kind.as_ref()) else {
        return Step::Now(Err(Fault::InvalidRequestType));
    };
    if call.who != ask.claims.session_type() {
        return Step::Now(Err(Fault::WrongSessionType));
    }
    if call.backend.is_some_and(|backend| backend != ask.claims.backend()) {
        return Step::Now(Err(Fault::InvalidRequestType));
    }
    let Some(permission) = call.permission else {
        return (call.run)(ask);
    };
    Step::Later(Box::pin(permitted(ask, call, permission)))
}

/// Roles are looked up each time: one that is taken away is gone at once.
async fn permitted(ask: Ask, call: &Call, permission: &str) -> Answer {
    if !may(&ask, permission).await? {
        return Err(Fault::Forbidden);
    }
    let deed = on_record::begin(&ask, call.name, permission)?;
    let answer = match (call.run)(ask) {
        Step::Now(answer) => answer,
        Step::Later(answer) => answer.await,
        // Neither operators nor game servers show presence.
        Step::Asking(_) => Err(Fault::Internal),
    };
    match deed {
        Some(deed) => deed.came(answer),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_one_row_and_a_name_that_makes_a_response() {
        let mut names: Vec<_> = all().map(|call| call.name).collect();
        assert!(names.iter().all(|name| name.ends_with("Request") && name.contains("Rpc.")));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
