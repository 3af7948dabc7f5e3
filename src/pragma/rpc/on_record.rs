//! What operators and game servers change by these requests is on record before it is done, as what the
//! operator API changes is ([`crate::signin::Audited`]): what cannot be put there is not done, and what
//! is refused afterwards is told there, too.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::calls::{Answer, Ask};
use crate::domain::account::AccountId;
use crate::domain::audit::Who;
use crate::domain::token::Claims;
use crate::pragma::Fault;
use crate::signin::Audited;

/// What game servers say of players all day long: on record it would bury the rest.
const EVERYDAY: [&str; 2] = ["session.attributes.update", "friend.presence.update"];
/// Members of a request that say whose account it is about.
const ACCOUNTS: [&str; 4] = ["pragmaSocialId", "pragmaSocialIds", "socialId", "socialIds"];
/// Accounts of one request with a record each; of the rest there is the number.
const ACCOUNTS_MAX: usize = 64;

/// Something that is on record and not yet done.
pub(super) struct Deed {
    audited: Audited,
    who: Who,
    name: &'static str,
}

/// Puts a request on record, if it changes something. `permission` is the one that it takes.
///
/// # Errors
///
/// [`Fault::Unavailable`]: then it must not be done.
pub(super) fn begin(
    ask: &Ask,
    name: &'static str,
    permission: &str,
) -> Result<Option<Deed>, Fault> {
    let is_partner = matches!(&*ask.claims, Claims::Partner(_));
    let only_looks = permission.rsplit('.').next() == Some("get");
    if only_looks || (is_partner && EVERYDAY.contains(&permission)) {
        return Ok(None);
    }
    let who = match &*ask.claims {
        Claims::Partner(partner) => Who::Partner(partner.partner.to_string().into()),
        Claims::Person(person) => {
            let account = AccountId(person.session.social_id);
            ask.app.audited.operator(account)
        }
    };
    let audited = ask.app.audited.clone();
    let deed = Deed { audited, who, name: name.strip_suffix("Request").unwrap_or(name) };
    let ids = ids(&ask.request.payload);
    let accounts: Vec<Uuid> =
        ids.iter().filter(|it| ACCOUNTS.contains(&it.0)).map(|it| it.1).collect();
    let things = ids.iter().filter(|it| !ACCOUNTS.contains(&it.0));
    let things: Vec<_> = things.map(|(key, id)| (*key, id.to_string())).collect();
    if accounts.is_empty() {
        deed.record(things)?;
        return Ok(Some(deed));
    }
    for account in accounts.iter().take(ACCOUNTS_MAX) {
        let pseudonym = ask.app.audited.audit().pseudonyms().account(AccountId(*account));
        let about = vec![("account", pseudonym.to_string())];
        deed.record([about, things.clone()].concat())?;
    }
    if let more @ 1.. = accounts.len().saturating_sub(ACCOUNTS_MAX) {
        deed.record(vec![("more_accounts", more.to_string())])?;
    }
    Ok(Some(deed))
}

impl Deed {
    /// Hands on what came of it.
    pub fn came(self, answer: Answer) -> Answer {
        answer.inspect_err(|fault| self.audited.not_done(self.who.clone(), self.name, fault.name()))
    }

    fn record(&self, details: Vec<(&str, String)>) -> Result<(), Fault> {
        let done = self.audited.record_deed(self.who.clone(), self.name, details);
        done.map_err(|_| Fault::Unavailable)
    }
}

/// The ids of a request, each with the member it is in: at the top, or in its `request`.
fn ids(payload: &Map<String, Value>) -> Vec<(&str, Uuid)> {
    let inner = payload.get("request").and_then(Value::as_object);
    let members = payload.iter().chain(inner.into_iter().flatten());
    let named = members.filter(|(name, _)| name.ends_with("Id") || name.ends_with("Ids"));
    let each = named.flat_map(|(name, value)| {
        let texts = match value {
            Value::Array(many) => many.as_slice(),
            one => std::slice::from_ref(one),
        };
        texts.iter().filter_map(|id| Some((name.as_str(), Uuid::try_parse(id.as_str()?).ok()?)))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_found_wherever_requests_have_them_and_nothing_else_is() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let payload = json!({
            "pragmaSocialIds": [one.to_string(), "nobody", 7, two.simple().to_string()],
            "roleId": two, "reason": one, "banId": "", "request": {"playerGroupId": one, "name": two},
        });
        let mut found = ids(payload.as_object().unwrap());
        found.sort_unstable();
        let wanted = [
            ("playerGroupId", one),
            ("pragmaSocialIds", one),
            ("pragmaSocialIds", two),
            ("roleId", two),
        ];
        assert_eq!(found, wanted);
    }
}
