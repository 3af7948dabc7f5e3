//! Accounts of consoles, which Nakama's protocol knows as custom ids with a prefix.

use crate::domain::account::{Account, LinkKind};
use crate::signin::{Credential, Unlink};

/// Kinds of links and their prefixes.
const CONSOLES: [(LinkKind, &str); 3] =
    [(LinkKind::Xbox, "xbox|"), (LinkKind::PlayStation, "psn|"), (LinkKind::Nintendo, "nintendo|")];

/// The custom id an account shows: its own, else that of a console. Empty: it has none.
pub(super) fn custom_id(account: &Account) -> String {
    let console = || {
        let linked = |(kind, prefix)| account.link(kind).map(|id| format!("{prefix}{id}"));
        CONSOLES.into_iter().find_map(linked)
    };
    let custom = account.link(LinkKind::Custom).map(str::to_owned);
    custom.or_else(console).unwrap_or_default()
}

/// Whether taking a custom id away needs a look at the account first: it may be a console's.
pub(super) fn may_be_console(id: &str) -> bool {
    id.is_empty() || CONSOLES.iter().any(|(_, prefix)| id.starts_with(prefix))
}

/// What goes from an account when its custom id shall go: without an id what
/// [`custom_id`] shows, otherwise what the id names. `read` says what a custom id means at sign-in:
/// a console's token, perhaps.
pub(super) fn to_unlink(account: &Account, id: String, read: Option<Credential>) -> Unlink {
    if id.is_empty() {
        let kinds = std::iter::once(LinkKind::Custom).chain(CONSOLES.map(|(kind, _)| kind));
        let linked = kinds.into_iter().find(|kind| account.link(*kind).is_some());
        return Unlink::Kind(linked.unwrap_or(LinkKind::Custom));
    }
    for (kind, prefix) in CONSOLES {
        if let Some(held) = account.link(kind)
            && id.strip_prefix(prefix) == Some(held)
        {
            return Unlink::Id(kind, held.to_owned());
        }
    }
    match read {
        Some(Credential::Provider(proof)) => Unlink::Proof(proof),
        _ => Unlink::Id(LinkKind::Custom, id),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::identity::Proof;
    use crate::nakama::calls::samples::account;

    #[test]
    fn a_console_shows_as_a_custom_id_unless_there_is_one() {
        use LinkKind::{Custom, Device, Nintendo, Xbox};
        for (links, shown) in [
            (&[(Device, "0123456789")][..], ""),
            (&[(Nintendo, "n"), (Xbox, "x")], "xbox|x"),
            (&[(Nintendo, "n")], "nintendo|n"),
            (&[(Xbox, "x"), (Custom, "custom1")], "custom1"),
        ] {
            assert_eq!(custom_id(&account(links)), shown);
        }
    }

    #[test]
    fn what_is_shown_can_be_taken_away() {
        let console = account(&[(LinkKind::PlayStation, "7")]);
        let unlink = |id: &str| to_unlink(&console, id.to_owned(), None);
        assert!(matches!(unlink(""), Unlink::Kind(LinkKind::PlayStation)));
        assert!(matches!(unlink("psn|7"), Unlink::Id(LinkKind::PlayStation, id) if id == "7"));
        assert!(matches!(unlink("psn|8"), Unlink::Id(LinkKind::Custom, id) if id == "psn|8"));
        let token = Credential::Provider(Proof::PlayStation(Zeroizing::new("t".into())));
        let what = to_unlink(&console, "psn|t".to_owned(), Some(token));
        assert!(matches!(what, Unlink::Proof(Proof::PlayStation(_))));
        let both = account(&[(LinkKind::Xbox, "x"), (LinkKind::Custom, "custom1")]);
        let what = to_unlink(&both, String::new(), None);
        assert!(matches!(what, Unlink::Kind(LinkKind::Custom)));
        assert!(may_be_console("") && may_be_console("xbox|x") && !may_be_console("custom1"));
    }
}
