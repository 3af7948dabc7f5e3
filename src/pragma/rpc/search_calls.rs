//! Searching for accounts (protocol-pragma §6.5). A list in the filter means any of its entries, and
//! everything in it has to hold.

use serde_json::{Value, json};

use super::calls::{Ask, Call, Step};
use super::payload::{Payload, may};
use super::shapes;
use crate::actors::account_registry::Page;
use crate::domain::account::{AccountFilter, AccountId, LinkKind, names};
use crate::domain::token::{BackendType, SessionType};
use crate::pragma::Fault;
use crate::pragma::providers::Provider;
use crate::signin::Door;

/// Accounts on a page, if nothing is said.
const PAGE: u64 = 50;
/// Most accounts on a page.
const PAGE_MAX: u64 = 500;
/// Longest text searched for, in characters.
const TEXT_MAX: usize = 320;

/// What is served here.
pub(super) const CALLS: &[Call] = office_calls! {
    both {
        "AccountRpc" "GetPragmaAccountOverviews" "V1" "account.accounts.get" overviews;
    }
    operator {}
};

async fn overviews(ask: Ask) -> Result<Value, Fault> {
    let payload = Payload::of(&ask);
    let filter = filter(payload.object("filter").ok_or(Fault::MissingFilter)?, &ask.app.door)?;
    if filter.is_empty() {
        return Err(Fault::MissingFilter);
    }
    let is_personal = filter.email.is_some() || filter.is_verified.is_some();
    if is_personal && !may(&ask, "account.accounts_personal.get").await? {
        return Err(Fault::Forbidden);
    }
    let found = ask.app.door.search(filter, page(payload)?).await?;
    let shown = found.accounts.iter().map(shapes::overview);
    Ok(json!({
        "accounts": shown.collect::<Vec<_>>(),
        "count": found.count,
        "isComplete": found.is_complete,
    }))
}

/// `pageIndex`, `pageSize`
pub(super) fn page(payload: Payload<'_>) -> Result<Page, Fault> {
    let index = payload.number("pageIndex")?.unwrap_or(0);
    let size = payload.number("pageSize")?.filter(|size| *size > 0).unwrap_or(PAGE);
    if size > PAGE_MAX {
        return Err(Fault::BadParam);
    }
    let whole = |number| usize::try_from(number).map_err(|_| Fault::BadParam);
    Ok(Page { index: whole(index)?, size: whole(size)? })
}

fn filter(filter: Payload<'_>, door: &Door) -> Result<AccountFilter, Fault> {
    let text = |member: &str| {
        let text = filter.text(member, TEXT_MAX)?;
        Ok::<_, Fault>((!text.is_empty()).then(|| text.to_owned()))
    };
    let verified =
        [(0, "DISABLED", None), (1, "UNVERIFIED", Some(false)), (2, "VERIFIED", Some(true))];
    let kind_of = |id: &Value| Provider::named(id, door).map(|provider| provider.kind);
    let kinds = filter.list("idProviders")?.iter().map(kind_of).collect::<Result<_, _>>()?;
    Ok(AccountFilter {
        tags: filter.ids("accountTagIds")?,
        not_tags: filter.ids("excludedAccountTagIds")?,
        groups: filter.ids("playerGroupIds")?,
        not_groups: filter.ids("excludedPlayerGroupIds")?,
        roles: Vec::new(),
        kinds,
        provider_id: text("idProviderAccountId")?,
        id: filter.maybe_id("pragmaSocialId")?.map(AccountId),
        email: text("emailAddress")?,
        is_verified: filter.choice("searchEmailVerified", "", &verified)?.flatten(),
        shown: shown(filter, kind_of)?,
        name: None,
        pragma_name: text("pragmaFullDisplayName")?.map(|name| full_name(&name)),
        shard: filter.maybe_id("gameShardId")?,
        has_open_request: false,
    })
}

type Shown = Option<(Option<LinkKind>, String)>;

fn shown(
    filter: Payload<'_>,
    kind_of: impl Fn(&Value) -> Result<LinkKind, Fault>,
) -> Result<Shown, Fault> {
    let Some(search) = filter.object("idProviderDisplayNameSearch") else {
        return Ok(None);
    };
    let name = search.text("fullDisplayName", TEXT_MAX)?;
    let kind = search.value("idProvider").filter(|it| it.as_str() != Some("")).map(kind_of);
    let kind = kind.transpose()?;
    Ok((!name.is_empty()).then(|| (kind, name.to_owned())))
}

/// `name#1234`, or the name alone.
fn full_name(full: &str) -> (String, Option<u16>) {
    let numbered = full.rsplit_once('#').and_then(|(name, number)| {
        (number.len() == 4).then(|| number.parse().ok()).flatten().map(|number| (name, number))
    });
    match numbered {
        Some((name, number)) => (names::fold_display_name(name.trim()), Some(number)),
        None => (names::fold_display_name(full.trim()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_ends_with_four_digits() {
        for (full, name, number) in [
            ("Ada#4410", "ada", Some(4410)),
            ("Ada#0001", "ada", Some(1)),
            ("A#da#0001", "a#da", Some(1)),
            ("Ada", "ada", None),
            ("Ada#12", "ada#12", None),
            ("Ada#abcd", "ada#abcd", None),
        ] {
            assert_eq!(full_name(full), (name.to_owned(), number), "{full}");
        }
    }
}
