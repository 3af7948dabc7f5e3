use super::*;
use crate::domain::account::dossier::{DataRequest, ShownName};
use crate::domain::account::{PragmaName, ProviderEmail, ShardPlayer};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn ada() -> Account {
    let link = Link { kind: LinkKind::Steam, id: "7656".into() };
    let mut ada = Account::sample(AccountId(id(1)), link);
    ada.links.push(Link { kind: LinkKind::Email, id: "ada@example.org".into() });
    ada.pragma_name = Some(PragmaName { name: "Ada".into(), discriminator: 4410 });
    ada.players.push(ShardPlayer { shard: id(50), player: id(51) });
    let shown = ShownName {
        kind: LinkKind::Steam.number(),
        name: "AdaOnSteam".into(),
        discriminator: "12".into(),
    };
    let dossier = ada.dossier_mut();
    dossier.shown.push(shown);
    dossier.tags.push(id(2));
    dossier.groups.push(id(3));
    dossier.roles.push(id(4));
    ada
}

#[test]
fn each_filter_finds_and_rules_out() {
    type Set = fn(&mut AccountFilter);
    let cases: &[(bool, Set)] = &[
        (true, |_| {}),
        (true, |f| f.tags = vec![id(9), id(2)]),
        (false, |f| f.tags = vec![id(9)]),
        (false, |f| f.not_tags = vec![id(2), id(9)]),
        (true, |f| f.not_tags = vec![id(9)]),
        (true, |f| f.groups = vec![id(3)]),
        (false, |f| f.groups = vec![id(2)]),
        (false, |f| f.not_groups = vec![id(3)]),
        (true, |f| f.roles = vec![id(4)]),
        (false, |f| f.roles = vec![id(5)]),
        (true, |f| f.kinds = vec![LinkKind::Unsafe, LinkKind::Steam]),
        (false, |f| f.kinds = vec![LinkKind::Unsafe]),
        (true, |f| f.provider_id = Some("7656".into())),
        (false, |f| f.provider_id = Some("765".into())),
        (false, |f| {
            f.provider_id = Some("7656".into());
            f.kinds = vec![LinkKind::Unsafe];
        }),
        (true, |f| f.id = Some(AccountId(id(1)))),
        (false, |f| f.id = Some(AccountId(id(2)))),
        (true, |f| f.email = Some("ADA@example.org".into())),
        (false, |f| f.email = Some("eve@example.org".into())),
        (true, |f| f.is_verified = Some(true)),
        (false, |f| f.is_verified = Some(false)),
        (true, |f| f.shown = Some((None, "adaonsteam".into()))),
        (true, |f| f.shown = Some((Some(LinkKind::Steam), "AdaOnSteam#12".into()))),
        (false, |f| f.shown = Some((Some(LinkKind::Epic), "AdaOnSteam".into()))),
        (false, |f| f.shown = Some((None, "Ada".into()))),
        (true, |f| f.pragma_name = Some(("ada".into(), Some(4410)))),
        (true, |f| f.pragma_name = Some(("ada".into(), None))),
        (false, |f| f.pragma_name = Some(("ada".into(), Some(1)))),
        (false, |f| f.pragma_name = Some(("eve".into(), None))),
        (true, |f| f.shard = Some(id(50))),
        (false, |f| f.shard = Some(id(1))),
        (false, |f| f.has_open_request = true),
        (false, |f| {
            f.tags = vec![id(2)];
            f.groups = vec![id(9)];
        }),
    ];
    for (number, (finds, set)) in cases.iter().enumerate() {
        let mut filter = AccountFilter::default();
        set(&mut filter);
        assert_eq!(filter.matches(&ada()), *finds, "{number}: {filter:?}");
        assert_eq!(filter.is_empty(), number == 0, "{filter:?}");
    }
}

#[test]
fn an_open_request_is_found_until_it_is_over() {
    use crate::domain::account::dossier::{DataRequestKind, DataRequestStatus};
    let filter = AccountFilter { has_open_request: true, ..AccountFilter::default() };
    for (status, open) in [
        (DataRequestStatus::InProgress, true),
        (DataRequestStatus::Ready, true),
        (DataRequestStatus::Fulfilled, false),
    ] {
        let mut ada = ada();
        ada.dossier_mut().data_requests.push(DataRequest {
            id: id(9),
            kind: DataRequestKind::PersonalData,
            status,
            submitted_ms: 0,
            target_ms: 0,
            ended_ms: 0,
            report: None,
        });
        assert_eq!(filter.matches(&ada), open);
    }
}

#[test]
fn an_address_is_verified_when_a_provider_says_so_and_nobody_typed_it() {
    let mut ada = ada();
    assert_eq!(email(&ada), ("ada@example.org", true));
    ada.password = Some("hash".into());
    assert_eq!(email(&ada), ("ada@example.org", false));
    ada.links.retain(|link| link.kind != LinkKind::Email);
    assert_eq!(email(&ada), ("", false));
    ada.provider_email = Some(ProviderEmail { address: "a@b.example".into(), verified: false });
    assert_eq!(email(&ada), ("a@b.example", false));
    let nobody = Account { provider_email: None, ..ada };
    for wanted in [true, false] {
        let filter = AccountFilter { is_verified: Some(wanted), ..AccountFilter::default() };
        assert!(!filter.matches(&nobody), "no address is neither");
    }
}

#[test]
fn the_most_exact_key_is_used() {
    let mut filter = AccountFilter { tags: vec![id(2)], ..AccountFilter::default() };
    assert_eq!(filter.exact(), None);
    filter.pragma_name = Some(("ada".into(), None));
    assert_eq!(filter.exact(), None, "a name without its number is many accounts'");
    filter.roles = vec![id(4)];
    assert_eq!(filter.exact(), Some(Exact::Staff), "few have roles");
    filter.pragma_name = Some(("ada".into(), Some(1)));
    assert_eq!(filter.exact(), Some(Exact::PragmaName("ada".into(), 1)));
    filter.provider_id = Some("7656".into());
    let Some(Exact::Links(links)) = filter.exact() else { panic!("no links") };
    assert!(links.contains(&Link { kind: LinkKind::Studio(255), id: "7656".into() }));
    filter.kinds = vec![LinkKind::Steam];
    let steam = Link { kind: LinkKind::Steam, id: "7656".into() };
    assert_eq!(filter.exact(), Some(Exact::Links(vec![steam])));
    filter.id = Some(AccountId(id(1)));
    assert_eq!(filter.exact(), Some(Exact::Id(AccountId(id(1)))));
}
