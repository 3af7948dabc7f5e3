use proptest::prelude::*;

use super::*;
use crate::domain::account::dossier::ShownName;
use crate::domain::account::{Ban, BanScope};
use crate::domain::operator::Credentials;
use crate::domain::realm::Bound;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("en".to_owned()), ".{0,20}"]
}

fn link_id() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).to_string().to_uppercase()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).simple().to_string()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).simple().to_string().to_uppercase()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).braced().to_string()),
        any::<u128>().prop_map(|id| Uuid::from_u128(id).urn().to_string()),
        any::<u128>().prop_map(|id| {
            let text = Uuid::from_u128(id).to_string();
            format!("{}{}", &text[..18], text[18..].to_uppercase())
        }),
    ]
}

prop_compose! {
    fn dossier()(
        shown in prop::collection::vec((any::<u8>(), text(), text()), 0..3),
        times in (1..u64::MAX, any::<u64>()),
        ids in prop::collection::vec(any::<u128>().prop_map(Uuid::from_u128), 0..3),
        refuses_invites in any::<bool>(),
    ) -> Dossier {
        let shown = shown.into_iter();
        Dossier {
            shown: shown
                .map(|(kind, name, discriminator)| ShownName { kind, name, discriminator })
                .collect(),
            last_login_at: times.0,
            renamed_at: times.1,
            tags: ids.clone(),
            bans: ids.iter().map(|id| ban(*id)).collect(),
            groups: ids,
            refuses_invites,
            list_version: times.1,
            ..Dossier::EMPTY
        }
    }
}

fn ban(id: Uuid) -> Ban {
    let by = AccountId(id);
    let (reason, comment) = ("101".to_owned(), "seen".to_owned());
    let scope = BanScope::GameShard(id);
    Ban { id, scope, start_ms: 1, duration_ms: 2, reason, comment, by, revoked_by: Some(by) }
}

prop_compose! {
    fn account()(
        id in any::<u128>(),
        texts in prop::collection::vec(text(), 6),
        links in prop::collection::vec((prop::sample::select(&LinkKind::ALL[..]), link_id()), 0..4),
        password in prop::option::of(text()),
        name in prop::option::of((text(), 1..=9999_u16)),
        players in prop::collection::vec((any::<u128>(), any::<u128>()), 0..3),
        times in (0..u64::from(u32::MAX), 0..1_000_u64, any::<u64>(), any::<u64>()),
        more in (any::<u32>(), prop::option::of(text())),
        dossier in prop::option::of(dossier()),
    ) -> Account {
        let id = AccountId(Uuid::from_u128(id));
        let mut texts = texts.into_iter();
        let mut text = || texts.next().unwrap();
        let username = Some(text()).filter(|name| !name.is_empty());
        let lang_tag = Some(text()).filter(|tag| !tag.is_empty());
        Account {
            id,
            username: username.unwrap_or_else(|| generated::username(id)),
            links: links.into_iter().map(|(kind, id)| Link { kind, id }).collect(),
            password,
            display_name: text(),
            avatar_url: text(),
            lang_tag: lang_tag.unwrap_or_else(|| "en".to_owned()),
            location: text(),
            timezone: text(),
            pragma_name: name.map(|(name, discriminator)| PragmaName { name, discriminator }),
            players: players
                .into_iter()
                .map(|(shard, player)| ShardPlayer {
                    shard: Uuid::from_u128(shard),
                    player: Uuid::from_u128(player),
                })
                .collect(),
            created_at: times.0,
            updated_at: times.0 + times.1,
            disabled_at: times.2,
            revoked_before_us: times.3,
            edge_count: more.0,
            provider_email: more.1.map(|address| ProviderEmail { address, verified: false }),
            dossier: dossier.map(Box::new),
        }
    }
}

proptest! {
    #[test]
    fn what_is_stored_is_what_is_read(account in account()) {
        let record = encode_account(&account).unwrap();
        prop_assert_eq!(&decode_account(account.id, &record).unwrap(), &account);
    }

    /// What a program of the first format wrote is read, and what it could not say is empty.
    #[test]
    fn records_of_the_first_format_are_read(account in account()) {
        let account = Account { edge_count: 0, provider_email: None, dossier: None, ..account };
        let mut record = encode_account(&account).unwrap();
        prop_assert_eq!(record.pop(), Some(0));
        record[0] = OLDER;
        prop_assert_eq!(&decode_account(account.id, &record).unwrap(), &account);
    }

    /// A dossier of the format before lacks what operators sign in with.
    #[test]
    fn dossiers_of_the_format_before_are_read(account in account(), dossier in dossier()) {
        let account = Account { dossier: Some(Box::new(dossier)), ..account };
        let mut record = encode_account(&account).unwrap();
        prop_assert_eq!((record[0], record.pop()), (WITH_DOSSIER, Some(0)));
        record[0] = WITH_OLDER_DOSSIER;
        prop_assert_eq!(&decode_account(account.id, &record).unwrap(), &account);
    }

    /// What operators sign in with lacked its own last list in the format after that.
    #[test]
    fn credentials_of_the_format_before_are_read(account in account(), dossier in dossier()) {
        let has = Credentials { password: "hash".into(), ..Credentials::default() };
        let dossier = Dossier { operator: Some(Box::new(has)), ..dossier };
        let account = Account { dossier: Some(Box::new(dossier)), ..account };
        let mut record = encode_account(&account).unwrap();
        prop_assert_eq!((record[0], record.pop()), (WITH_DOSSIER, Some(0)));
        record[0] = WITH_OLDER_CREDENTIALS;
        prop_assert_eq!(&decode_account(account.id, &record).unwrap(), &account);
    }

    /// Damage is an error, never a panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode_account(AccountId(Uuid::nil()), &bytes);
        let _: Result<crate::domain::account::Revoked, _> = decode(&bytes);
    }
}

#[test]
fn a_new_account_of_a_device_is_small() {
    let id = AccountId(Uuid::from_u128(0x1234_5678_1234_4234_9234_1234_5678_9abc));
    let device = "0e6f3a9c-52d5-4a4e-9f59-1d8f0c1b2a3d".to_owned();
    let link = Link { kind: LinkKind::Device, id: device };
    let account = Account::new(id, generated::username(id), link, 1_790_000_000);
    assert_eq!(encode_account(&account).unwrap().len(), 29);
}

#[test]
fn a_realm_of_the_format_before_is_read() {
    let admins = vec![AccountId(Uuid::from_u128(7))];
    let mut realm = Realm { admins, ..Realm::default() };
    let mut record = encode(&realm).unwrap();
    assert_eq!(decode_realm(&record).unwrap(), realm, "of this format");
    assert_eq!(record.pop(), Some(0));
    assert_eq!(decode_realm(&record).unwrap(), realm, "of the one before");
    let bound = Bound { kind: 17, id: "ada".into(), account: realm.admins[0] };
    realm.bindings.push(bound);
    assert_eq!(decode_realm(&encode(&realm).unwrap()).unwrap(), realm);
}

#[test]
fn a_record_of_a_later_version_is_refused() {
    let mut record = encode(&7_u64).unwrap();
    record[0] = VERSION + 1;
    assert!(matches!(decode::<u64>(&record), Err(StoreError::Corrupt(_))));
}
