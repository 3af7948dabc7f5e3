//! Notifications (protocol-nakama §6.9).

use super::Asked;
use crate::nakama::errors::Failure;
use crate::nakama::wire::api;

/// Lists stored notifications.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn list_notifications(
    asked: &Asked<'_>,
    _request: api::ListNotificationsRequest,
) -> Result<api::NotificationList, Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}

/// Deletes notifications.
///
/// # Errors
///
/// Those of §6.
#[expect(clippy::unused_async, reason = "the form of every call")]
pub async fn delete_notifications(
    asked: &Asked<'_>,
    _request: api::DeleteNotificationsRequest,
) -> Result<(), Failure> {
    asked.bearer()?;
    Err(Failure::not_built())
}
