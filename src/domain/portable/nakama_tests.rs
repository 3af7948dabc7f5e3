use std::collections::BTreeMap;

use super::*;

impl Row for BTreeMap<&str, &str> {
    fn get(&self, column: &str) -> &str {
        BTreeMap::get(self, column).copied().unwrap_or_default()
    }
}

const ID: &str = "4c2a0d6e-0000-4000-8000-000000000001";

fn ada() -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([
        ("id", ID),
        ("username", "ada"),
        ("display_name", "Ada"),
        ("lang_tag", "de"),
        ("email", "ada@mail.example"),
        ("password", "\\x243261243130246162"),
        ("steam_id", "76561198000000001"),
        ("create_time", "2018-01-03 14:20:01.123456+00"),
        ("update_time", "2020-01-03 14:20:01+05:30"),
        ("disable_time", "1970-01-01 00:00:00+00"),
    ])
}

#[test]
fn a_user_keeps_what_has_a_place() {
    let devices = ["a-device-of-ada".to_owned()];
    let line = user(&ada(), &devices, Uuid::nil()).unwrap().unwrap();
    let kinds: Vec<_> = line.links.iter().map(|link| link.kind.as_str()).collect();
    assert_eq!(kinds, ["email", "steam", "device"]);
    assert_eq!(line.password.as_deref(), Some("$2a$10$ab"));
    assert_eq!((line.created_at, line.updated_at), (1_514_989_201, 1_578_041_401));
    assert_eq!(line.dossier, None);
    assert_eq!(line.lang_tag, "de");
}

#[test]
fn who_was_disabled_is_banned_for_good() {
    let mut row = ada();
    row.insert("disable_time", "2021-06-01 00:00:00+00");
    let line = user(&row, &[], Uuid::from_u128(5)).unwrap().unwrap();
    let ban = &line.dossier.unwrap().bans[0];
    assert_eq!((ban.id, ban.start_ms), (Uuid::from_u128(5), 1_622_505_600_000));
    assert_eq!((ban.scope, ban.duration_ms), (BanScope::FullAccount, FOREVER_MS));
}

#[test]
fn nakamas_own_user_is_nobody_and_a_bad_value_is_named() {
    let mut row = ada();
    row.insert("id", "00000000-0000-0000-0000-000000000000");
    assert_eq!(user(&row, &[], Uuid::nil()), Ok(None));
    for (column, value) in [("id", "x"), ("create_time", "yesterday"), ("password", "\\xzz")] {
        let mut row = ada();
        row.insert(column, value);
        assert_eq!(user(&row, &[], Uuid::nil()), Err(Problem::Value { column }));
    }
}

#[test]
fn times_are_read_as_databases_write_them() {
    for text in [
        "2018-01-03 14:20:01+00",
        "2018-01-03 14:20:01.999999+00:00",
        "2018-01-03T14:20:01Z",
        "2018-01-03 14:20:01",
        "2018-01-03 19:50:01+0530",
        "2018-01-03 09:20:01-05",
    ] {
        assert_eq!(seconds(text), Some(1_514_989_201), "{text}");
    }
    assert_eq!(seconds("1969-01-01 00:00:00+00"), Some(0));
    assert_eq!(seconds("now"), None);
}

#[test]
fn relationships_have_two_sides_or_are_blocks() {
    let row = |state| EdgeRow {
        owner: Uuid::from_u128(1),
        other: Uuid::from_u128(2),
        state,
        position: 9,
        updated_at: 8,
        metadata: "{\"a\":1}".to_owned(),
    };
    let state = |own, back: Option<u8>| {
        records(&row(own), back.map(row).as_ref()).map(|both| (both.own.state, both.hidden))
    };
    for (own, back, name) in
        [(0, 0, "friend"), (1, 2, "invite_sent"), (2, 1, "invite_received"), (3, 3, "blocked")]
    {
        assert_eq!(state(own, Some(back)), Ok((name.to_owned(), None)));
    }
    let (own, hidden) = state(3, None).unwrap();
    let hidden = hidden.unwrap();
    assert_eq!((own.as_str(), hidden.state.as_str()), ("blocked", "blocked_by"));
    assert_eq!((hidden.id, hidden.metadata.as_str()), (Uuid::from_u128(1), ""));
    for (own, back) in [(0, None), (0, Some(1)), (1, Some(1)), (2, None), (3, Some(0))] {
        assert_eq!(state(own, back), Err(Problem::OneSided), "{own} {back:?}");
    }
}

#[test]
fn an_edge_that_is_over_is_none() {
    let mut row = BTreeMap::from([
        ("source_id", ID),
        ("destination_id", ID),
        ("state", "1"),
        ("position", "1600000000000000000"),
        ("update_time", "2018-01-03 14:20:01+00"),
        ("metadata", "{}"),
    ]);
    let read = edge(&row).unwrap().unwrap();
    assert_eq!((read.position, read.metadata.as_str()), (1_600_000_000_000_000, ""));
    row.insert("state", "5");
    assert_eq!(edge(&row), Ok(None));
    row.insert("state", "x");
    assert_eq!(edge(&row), Err(Problem::Value { column: "state" }));
}
