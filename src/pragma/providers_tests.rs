use super::*;
use serde_json::json;

#[test]
fn unsafe_takes_text_or_object_and_falls_back_to_the_account_id() {
    for token in [
        json!(r#"{"accountId":"ada","displayName":"Ada"}"#),
        json!({"accountId": "ada", "displayName": "Ada", "more": [1]}),
    ] {
        let Some(Credential::Unsafe { account_id, display_name }) = read_unsafe(&token) else {
            panic!("refused")
        };
        assert_eq!((account_id.as_str(), display_name.as_str()), ("ada", "Ada"));
    }
    let Some(Credential::Unsafe { display_name, .. }) =
        read_unsafe(&json!(r#"{"accountId":"ada"}"#))
    else {
        panic!("refused")
    };
    assert_eq!(display_name, "ada");
}

#[test]
fn unsafe_refuses_what_is_no_identity() {
    let long = "x".repeat(NAME_MAX + 1);
    for token in [
        json!("ada"),
        json!(""),
        json!(7),
        json!({}),
        json!({"accountId": ""}),
        json!({"accountId": 5}),
        json!({"accountId": "a\u{0}b"}),
        json!({"accountId": long}),
        json!({"accountId": "ada", "displayName": "a\nb"}),
    ] {
        assert!(read_unsafe(&token).is_none(), "{token}");
    }
    assert!(read_unsafe(&json!({"accountId": "x".repeat(NAME_MAX)})).is_some());
}

#[test]
fn steam_s_two_forms_are_told_apart_by_their_shape() {
    let of = |text: &str| proof(LinkKind::Steam, Zeroizing::new(text.to_owned()));
    assert!(matches!(of("14000000AB"), Some(Proof::Steam(_))));
    assert!(matches!(of(r#" {"claimedId":"x"}"#), Some(Proof::SteamOpenId(_))));
}

#[test]
fn every_provider_that_is_offered_has_a_proof_of_its_kind() {
    for (_, name, kind) in PROVIDERS {
        let Some(kind) = kind.filter(|kind| *kind != LinkKind::Unsafe) else { continue };
        let proof = proof(kind, Zeroizing::new("x".to_owned()));
        assert_eq!(proof.map(|proof| proof.kind()), Some(kind), "{name}");
    }
}
