//! The vectors of protocol-nakama §16.2, everything a token must not get away with, and Swift.

use proptest::prelude::*;

use super::*;

const ACCESS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0aWQiOiIwZjVhMmMzZS02YjFkLTRmMGEtOWE0My0xZDJmNmEzYzdiNTUiLCJ1aWQiOiI0YzJhZTU5Mi1iMmE3LTQ0NWUtOThlYy02OTc2OTQ0NzhiMWMiLCJ1c24iOiJhbGljZSIsInZycyI6eyJrIjoidiJ9LCJleHAiOjE3NjcyMjU2NjAsImlhdCI6MTc2NzIyNTYwMH0.L6fSvxb7r7rY08WwP1VJct9assTc03tYTKvSVyiioUM";
const REFRESH: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0aWQiOiIwZjVhMmMzZS02YjFkLTRmMGEtOWE0My0xZDJmNmEzYzdiNTUiLCJ1aWQiOiI0YzJhZTU5Mi1iMmE3LTQ0NWUtOThlYy02OTc2OTQ0NzhiMWMiLCJ1c24iOiJhbGljZSIsInZycyI6eyJrIjoidiJ9LCJleHAiOjE3NjcyMjkyMDAsImlhdCI6MTc2NzIyNTYwMH0.64o7pCf8MS2IuJdbPIzPdtlatZiE10IW3DoCaiDKekk";
const NOW: UnixMicros = UnixMicros(1_767_225_601_000_000);

fn keys() -> NakamaKeys {
    NakamaKeys::new(b"defaultencryptionkey", b"defaultrefreshencryptionkey").unwrap()
}

fn claims(username: &str, vars: Vars) -> Claims {
    Claims {
        token: "0f5a2c3e-6b1d-4f0a-9a43-1d2f6a3c7b55".parse().unwrap(),
        account: "4c2ae592-b2a7-445e-98ec-697694478b1c".parse().unwrap(),
        username: username.into(),
        vars,
        expires_at: 1_767_225_660,
        signed_in_at: 1_767_225_600,
        issued_at_us: 1_767_225_600_123_456,
        generation: 0,
    }
}

/// A token over any header and payload, signed with the right access key.
fn forge(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"defaultencryptionkey");
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

#[test]
fn the_published_vectors_verify() {
    let access = keys().verify(Kind::Access, ACCESS, NOW).unwrap();
    let vars = Vars::from([("k".into(), "v".into())]);
    let expected = Claims { issued_at_us: 1_767_225_600_000_000, ..claims("alice", vars) };
    assert_eq!(access, expected);
    let refresh = keys().verify(Kind::Refresh, REFRESH, NOW).unwrap();
    assert_eq!(refresh, Claims { expires_at: 1_767_229_200, ..expected });
}

#[test]
fn a_token_of_one_kind_is_not_the_other() {
    assert_eq!(keys().verify(Kind::Refresh, ACCESS, NOW), Err(TokenRefused::Signature));
    assert_eq!(keys().verify(Kind::Access, REFRESH, NOW), Err(TokenRefused::Signature));
}

#[test]
fn expiry_has_no_leeway() {
    let last = UnixMicros(1_767_225_659_999_999);
    assert!(keys().verify(Kind::Access, ACCESS, last).is_ok());
    let over = UnixMicros(1_767_225_660_000_000);
    assert_eq!(keys().verify(Kind::Access, ACCESS, over), Err(TokenRefused::Expired));
}

#[test]
fn keys_must_be_there_and_differ() {
    assert_eq!(NakamaKeys::new(b"", b"b").unwrap_err(), KeysRefused::Empty);
    assert_eq!(NakamaKeys::new(b"a", b"").unwrap_err(), KeysRefused::Empty);
    assert_eq!(NakamaKeys::new(b"a", b"a").unwrap_err(), KeysRefused::Equal);
    assert_eq!(format!("{:?}", keys()), "NakamaKeys(…)");
}

#[test]
fn only_hs256_passes_and_a_header_in_another_order_does() {
    let body = r#"{"uid":"4c2ae592-b2a7-445e-98ec-697694478b1c","exp":1767225660}"#;
    let verify = |header: &str| keys().verify(Kind::Access, &forge(header, body), NOW);
    assert!(verify(r#"{"typ":"JWT","alg":"HS256"}"#).is_ok());
    for alg in ["none", "None", "HS512", "HS384", "RS256", "hs256", ""] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        assert_eq!(verify(&header), Err(TokenRefused::Algorithm), "{alg}");
    }
    assert_eq!(verify(r#"{"typ":"JWT"}"#), Err(TokenRefused::Malformed));
    assert_eq!(verify("[]"), Err(TokenRefused::Malformed));
}

#[test]
fn claims_of_the_wrong_type_are_refused() {
    let uid = r#""uid":"4c2ae592-b2a7-445e-98ec-697694478b1c""#;
    for payload in [
        format!("{{{uid}}}"),
        format!(r#"{{{uid},"exp":1767225660.5}}"#),
        format!(r#"{{{uid},"exp":1.76722566e9}}"#),
        format!(r#"{{{uid},"exp":"1767225660"}}"#),
        format!(r#"{{{uid},"exp":-1}}"#),
        format!(r#"{{{uid},"exp":null}}"#),
        r#"{"uid":"alice","exp":1767225660}"#.into(),
        r#"{"exp":1767225660}"#.into(),
        format!(r#"{{{uid},"exp":1767225660,"exp":1767225661}}"#),
        "null".into(),
        String::new(),
    ] {
        let token = forge(r#"{"alg":"HS256","typ":"JWT"}"#, &payload);
        assert_eq!(
            keys().verify(Kind::Access, &token, NOW),
            Err(TokenRefused::Claims),
            "{payload}"
        );
    }
}

#[test]
fn anything_but_three_unpadded_segments_is_refused() {
    let (signed, tag) = ACCESS.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        ".".into(),
        "..".into(),
        signed.into(),
        format!("{signed}."),
        format!("{ACCESS}="),
        format!("{ACCESS}."),
        format!("{ACCESS}.x"),
        format!("{signed}=.{tag}"),
        format!(" {ACCESS}"),
        format!("{ACCESS} "),
        format!("{signed}.{}", "A".repeat(4_000)),
        format!("x.{ACCESS}"),
    ] {
        assert!(keys().verify(Kind::Access, &token, NOW).is_err(), "{token}");
    }
}

#[test]
fn payload_is_laid_out_as_clients_expect() {
    let payload = String::from_utf8(payload(&claims("a\"~\u{7f}é😀", Vars::new()))).unwrap();
    assert_eq!(
        payload.replace(' ', ""),
        concat!(
            r#"{"tid":"0f5a2c3e-6b1d-4f0a-9a43-1d2f6a3c7b55","#,
            r#""uid":"4c2ae592-b2a7-445e-98ec-697694478b1c","#,
            r#""usn":"a\"\u007e\u007f\u00e9\ud83d\ude00","#,
            r#""exp":1767225660,"iat":1767225600,"itu":1767225600123456}"#
        )
    );
}

proptest! {
    /// protocol-nakama §13.3: no `-`, no `_`, a segment length that is a multiple of four; and
    /// what goes in comes out.
    #[test]
    fn swift_reads_every_payload(
        username in "\\PC{0,40}|.{0,40}|[>?~\u{7f}]{0,20}",
        vars in prop::collection::btree_map(".{0,8}", "(?s).{0,16}", 0..4),
        issued_at_us in any::<u64>(),
    ) {
        let claims = Claims { issued_at_us, ..claims(&username, vars) };
        let token = keys().sign(Kind::Access, &claims);
        let segment = token.split('.').nth(1).unwrap();
        prop_assert!(!segment.contains(['-', '_', '=']), "{segment}");
        prop_assert_eq!(segment.len() % 4, 0);
        prop_assert_eq!(token.split('.').count(), 3);
        prop_assert_eq!(keys().verify(Kind::Access, &token, NOW), Ok(claims));
    }

    /// One changed character anywhere and the token is no longer good.
    #[test]
    fn a_changed_token_is_refused(at in 0..ACCESS.len(), to in "[A-Za-z0-9_.=-]") {
        let mut token = ACCESS.to_owned();
        token.replace_range(at..=at, &to);
        prop_assume!(token != ACCESS);
        prop_assert!(keys().verify(Kind::Access, &token, NOW).is_err());
    }

    /// No text makes it panic.
    #[test]
    fn any_text_is_survived(text in ".{0,200}") {
        prop_assert!(keys().verify(Kind::Access, &text, NOW).is_err());
    }
}
