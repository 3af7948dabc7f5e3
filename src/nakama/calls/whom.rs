//! Whom a call about friends is about (protocol-nakama §6.4 to §6.6).

use uuid::Uuid;

use crate::domain::account::AccountId;
use crate::nakama::errors::{Failure, words};
use crate::signin::social::{Me, Whom};

/// Checks ids and user names in the order of §6.4. `own` is what is said to somebody who names
/// themselves, by id or by the user name of their token. `None`: nobody is named.
pub(super) fn checked(
    me: &Me,
    ids: Vec<String>,
    usernames: Vec<String>,
    own: &'static str,
) -> Result<Option<Whom>, Failure> {
    if ids.is_empty() && usernames.is_empty() {
        return Ok(None);
    }
    let ids = ids.into_iter().map(|id| account(me, &id, own)).collect::<Result<Vec<_>, _>>()?;
    for username in &usernames {
        if username.is_empty() {
            return Err(Failure::invalid(words::EMPTY_USERNAME));
        }
        if *username == me.username {
            return Err(Failure::invalid(own));
        }
    }
    Ok(Some(Whom { ids, usernames }))
}

fn account(me: &Me, id: &str, own: &'static str) -> Result<AccountId, Failure> {
    let found = Uuid::parse_str(id).ok().filter(|id| !id.is_nil()).map(AccountId);
    match found {
        Some(account) if account == me.account => Err(Failure::invalid(own)),
        Some(account) => Ok(account),
        None => Err(words::not_a_player(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "4c2ae592-b2a7-445e-98ec-697694478b1c";
    const OTHER: &str = "0f5a2c3e-6b1d-4f0a-9a43-1d2f6a3c7b55";
    const NIL: &str = "00000000-0000-0000-0000-000000000000";

    fn read(ids: &[&str], usernames: &[&str]) -> Result<Option<Whom>, String> {
        let me = Me { account: AccountId(ME.parse().unwrap()), username: "alice".into() };
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        checked(&me, owned(ids), owned(usernames), "Cannot block self.").map_err(|failure| {
            assert_eq!((failure.code, failure.status), (3, 400));
            failure.message.into_owned()
        })
    }

    #[test]
    fn nobody_named_is_nobody() {
        assert!(read(&[], &[]).unwrap().is_none());
    }

    #[test]
    fn ids_and_names_are_checked_in_order() {
        let own = "Cannot block self.";
        let invalid = "Invalid user ID 'x'.";
        let empty = "Username must not be empty.";
        let braced = format!("{{{}}}", ME.to_uppercase());
        for (ids, usernames, message) in [
            (&[ME][..], &[][..], own),
            (&[&braced], &[], own),
            (&["x", ME], &[""], invalid),
            (&[ME, "x"], &[""], own),
            (&[NIL], &[], &*format!("Invalid user ID '{NIL}'.")),
            (&[""], &[], "Invalid user ID ''."),
            (&[OTHER], &["", "alice"], empty),
            (&[OTHER], &["alice", ""], own),
        ] {
            assert_eq!(read(ids, usernames).unwrap_err(), message, "{ids:?} {usernames:?}");
        }
        let whom = read(&[OTHER, &OTHER.replace('-', "")], &["bob", "Alice"]).unwrap().unwrap();
        assert_eq!(whom.ids, [AccountId(OTHER.parse().unwrap()); 2]);
        assert_eq!(whom.usernames, ["bob", "Alice"]);
    }
}
