//! Notifications that are stored: listed and deleted (protocol-nakama §6.9), and how one looks.

use uuid::Uuid;

use super::{Asked, cursors, friends, users};
use crate::domain::notification::Notification;
use crate::nakama::errors::{Context, Failure, failure, words};
use crate::nakama::wire::api;

/// A notification as every client sees it, in a list or on a socket (§6.8).
pub fn notification(notification: Notification) -> api::Notification {
    api::Notification {
        id: notification.id.to_string(),
        subject: notification.subject,
        content: notification.content,
        code: notification.topic.code(),
        sender_id: notification.sender.map(|sender| sender.0.to_string()).unwrap_or_default(),
        create_time: Some(users::time(notification.created_at)),
        persistent: notification.persistent,
    }
}

/// Lists what is behind the cursor, oldest first. A cursor is always given, to go on from later.
///
/// # Errors
///
/// Those of §6.9, or no answer in time.
pub async fn list_notifications(
    asked: &Asked<'_>,
    request: api::ListNotificationsRequest,
) -> Result<api::NotificationList, Failure> {
    let me = asked.account()?;
    let limit = friends::limit(request.limit, 1, 100)?;
    let after = behind(&request.cacheable_cursor)?;
    let found = asked.app.door.notifications(me, limit, after).await;
    let found = found.map_err(Failure::from_call)?;
    let last = found.last().map(|last| last.id).or(after).unwrap_or_default();
    let notifications = found.into_iter().map(notification).collect();
    let cacheable_cursor = cursors::notifications(last);
    Ok(api::NotificationList { notifications, cacheable_cursor })
}

/// The notification a cursor stands behind; `None`: from the start.
fn behind(cursor: &str) -> Result<Option<Uuid>, Failure> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let last = cursors::read_notifications(cursor)
        .ok_or_else(|| Failure::invalid(words::NOTIFICATION_CURSOR))?;
    Ok((!last.is_nil()).then_some(last))
}

/// Deletes notifications of the caller; ids that are nobody's mean nothing.
///
/// # Errors
///
/// 3/400 for what is no id (§6.9 has 13/500, which clients would repeat), or no answer in time.
pub async fn delete_notifications(
    asked: &Asked<'_>,
    request: api::DeleteNotificationsRequest,
) -> Result<(), Failure> {
    let me = asked.account()?;
    let ids = notification_ids(&request.ids)?;
    if ids.is_empty() {
        return Ok(());
    }
    let deleted = asked.app.door.delete_notifications(me, ids).await;
    deleted.map_err(|error| failure(Context::Notifications, error))
}

fn notification_ids(ids: &[String]) -> Result<Vec<Uuid>, Failure> {
    let wrong = |_| Failure::invalid(words::NOTIFICATION_ID);
    ids.iter().map(|id| Uuid::parse_str(id).map_err(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountId;
    use crate::domain::notification::Topic;

    #[test]
    fn cursors_go_on_where_they_were_given() {
        assert_eq!(behind(""), Ok(None));
        assert_eq!(behind(&cursors::notifications(Uuid::nil())), Ok(None));
        let last = Uuid::from_u128(7);
        assert_eq!(behind(&cursors::notifications(last)), Ok(Some(last)));
        let failure = behind("x").unwrap_err();
        assert_eq!((failure.code, &*failure.message), (3, "Malformed cursor was used."));
    }

    #[test]
    fn ids_are_uuids() {
        let id = Uuid::from_u128(7);
        assert_eq!(notification_ids(&[id.to_string()]), Ok(vec![id]));
        let failure = notification_ids(&["x".to_owned()]).unwrap_err();
        assert_eq!((failure.code, failure.status), (3, 400));
    }

    #[test]
    fn a_notification_has_every_field_clients_need() {
        let told = Notification {
            id: Uuid::from_u128(7),
            topic: Topic::FriendRequest,
            subject: "bob wants to add you as a friend".into(),
            content: r#"{"username":"bob"}"#.into(),
            sender: Some(AccountId(Uuid::from_u128(8))),
            created_at: 1_767_225_600,
            persistent: true,
        };
        assert_eq!(
            serde_json::to_value(notification(told.clone())).unwrap(),
            serde_json::json!({
                "id": "00000000-0000-0000-0000-000000000007",
                "subject": "bob wants to add you as a friend",
                "content": "{\"username\":\"bob\"}",
                "code": -2,
                "sender_id": "00000000-0000-0000-0000-000000000008",
                "create_time": "2026-01-01T00:00:00Z",
                "persistent": true,
            })
        );
        let banned = Notification { topic: Topic::Banned, sender: None, persistent: false, ..told };
        let banned = serde_json::to_value(notification(banned)).unwrap();
        assert_eq!((&banned["sender_id"], &banned["persistent"]), (&"".into(), &false.into()));
        assert_eq!(banned["code"], -8);
    }
}
