//! Pragma display names (protocol-pragma §6.2): the first one, and one a player chooses.

use super::change::Change;
use super::link::LinkKind;
use super::names;
use super::record::{Account, PragmaName};
use super::refusal::Refusal;
use crate::domain::time::UnixMicros;

/// Bounds of a display name, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameBounds {
    /// Shortest a player may choose.
    pub min: usize,
    /// Longest.
    pub max: usize,
}

/// The name an account gets from the provider it first came by. Google and Apple players stay
/// anonymous (§4.4): so does whoever has no name there. `roll`: a random number.
pub fn initial(kind: LinkKind, shown: &str, id: &str, roll: u64, bounds: NameBounds) -> String {
    let stays_anonymous = matches!(kind, LinkKind::Google | LinkKind::Apple);
    let name: String = clean(shown).chars().take(bounds.max.max(1)).collect();
    let name = name.trim_end();
    if !stays_anonymous && !name.is_empty() {
        return name.to_owned();
    }
    let digits = match last_digits(id) {
        Some(digits) if kind == LinkKind::Steam => digits.to_owned(),
        _ => format!("{:04}", roll % 10_000),
    };
    format!("Player{digits}")
}

/// A name a player asks for, as it is kept.
///
/// # Errors
///
/// [`Refusal::DisplayName`]: blank, too short or too long, or with control characters.
pub fn chosen(wanted: &str, bounds: NameBounds) -> Result<String, Refusal> {
    let name = wanted.trim();
    let length = name.chars().count();
    if name.chars().any(char::is_control) || !(bounds.min.max(1)..=bounds.max).contains(&length) {
        return Err(Refusal::DisplayName);
    }
    Ok(name.to_owned())
}

/// Gives an account a name it has not. Its own name again, but for case: it keeps its discriminator.
/// `discriminator`: a free one; `None`: all are taken. `not_before_s`: by its player, who has to wait
/// that long after the last time. No change: it is the name already.
///
/// # Errors
///
/// [`Refusal::DisplayNameFixed`], [`Refusal::NoDiscriminator`].
pub fn rename(
    account: Account,
    name: &str,
    discriminator: Option<u16>,
    not_before_s: Option<u64>,
    now: UnixMicros,
) -> Result<(Option<Change>, PragmaName), Refusal> {
    let own = account.pragma_name.clone();
    if let Some(own) = own.as_ref().filter(|own| own.name == name) {
        return Ok((None, own.clone()));
    }
    let last = account.dossier().renamed_at;
    if let Some(wait_s) = not_before_s
        && last != 0
        && now.as_secs() < last.saturating_add(wait_s)
    {
        return Err(Refusal::DisplayNameFixed);
    }
    let folded = names::fold_display_name(name);
    let kept = own.filter(|own| names::fold_display_name(&own.name) == folded);
    let discriminator = match kept {
        Some(own) => own.discriminator,
        None => discriminator.ok_or(Refusal::NoDiscriminator)?,
    };
    let renamed = PragmaName { name: name.to_owned(), discriminator };
    let mut after = account.clone();
    after.pragma_name = Some(renamed.clone());
    after.updated_at = now.as_secs();
    if not_before_s.is_some() {
        after.dossier_mut().renamed_at = now.as_secs();
    }
    Ok((Some(Change::of(Some(account), after)), renamed))
}

fn clean(shown: &str) -> String {
    shown.chars().filter(|letter| !letter.is_control()).collect::<String>().trim().to_owned()
}

fn last_digits(id: &str) -> Option<&str> {
    id.len().checked_sub(4).and_then(|from| id.get(from..)).filter(|end| end.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, Link};

    const BOUNDS: NameBounds = NameBounds { min: 3, max: 8 };

    #[test]
    fn a_first_name_is_the_providers_cut_to_fit() {
        for (kind, shown, id, name) in [
            (LinkKind::Discord, "Ada", "1", "Ada"),
            (LinkKind::Discord, "  Ada\u{7} Lovelace ", "1", "Ada Love"),
            (LinkKind::Unsafe, "A", "1", "A"),
            (LinkKind::Steam, "", "76561198000004711", "Player4711"),
            (LinkKind::Discord, "\n", "1", "Player0042"),
            (LinkKind::Google, "Ada", "1", "Player0042"),
            (LinkKind::Apple, "Ada", "1", "Player0042"),
            (LinkKind::GoogleWorkspace, "Ada", "1", "Ada"),
        ] {
            assert_eq!(initial(kind, shown, id, 420_042, BOUNDS), name, "{kind:?} {shown:?}");
        }
    }

    #[test]
    fn a_rename_waits_its_time_and_keeps_the_discriminator_when_only_case_changes() {
        let id = AccountId(uuid::Uuid::from_u128(1));
        let link = Link { kind: LinkKind::Unsafe, id: "ada".into() };
        let mut account = Account::sample(id, link);
        account.pragma_name = Some(PragmaName { name: "Ada".into(), discriminator: 7 });
        let at = UnixMicros::from_secs;
        let renamed = |account: &Account, name: &str, free, now_s| {
            rename(account.clone(), name, free, Some(100), at(now_s))
        };
        let (change, name) = renamed(&account, "ADA", None, 1_000).unwrap();
        assert_eq!(name, PragmaName { name: "ADA".into(), discriminator: 7 });
        let after = change.unwrap().after;
        assert_eq!(renamed(&after, "Eve", Some(3), 1_099), Err(Refusal::DisplayNameFixed));
        assert!(renamed(&after, "ADA", None, 1_001).unwrap().0.is_none(), "already hers");
        let (_, name) = renamed(&after, "Eve", Some(3), 1_100).unwrap();
        assert_eq!(name.discriminator, 3);
        assert_eq!(renamed(&after, "Eve", None, 1_100), Err(Refusal::NoDiscriminator));
        let by_operator = rename(after, "Eve", Some(3), None, at(1_001)).unwrap().0.unwrap();
        assert_eq!(by_operator.after.dossier().renamed_at, 1_000, "not the player's change");
    }

    #[test]
    fn a_chosen_name_is_within_bounds_and_visible() {
        assert_eq!(chosen(" Ada L ", BOUNDS), Ok("Ada L".to_owned()));
        assert_eq!(chosen("äöü", BOUNDS), Ok("äöü".to_owned()));
        for bad in ["", "   ", "ab", "123456789", "a\u{0}bc"] {
            assert_eq!(chosen(bad, BOUNDS), Err(Refusal::DisplayName), "{bad:?}");
        }
    }
}
