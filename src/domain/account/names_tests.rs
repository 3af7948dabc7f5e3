use super::*;

const MAX: usize = 512;

#[expect(clippy::unnecessary_wraps, reason = "it is compared with what the rules give")]
fn is(kind: LinkKind, id: &str) -> Result<Link, Refusal> {
    Ok(Link { kind, id: id.to_owned() })
}

#[test]
fn a_user_name_is_anything_printable_up_to_128_bytes() {
    assert_eq!(username(""), Ok(None));
    for name in ["a", "  ", "Ada L", "[]", "名前", "🎮", &"x".repeat(128)] {
        assert_eq!(username(name), Ok(Some(name.to_owned())), "{name}");
    }
    for name in ["a\0", "\n", "tab\t", "\u{7f}", "\u{1f}x"] {
        assert_eq!(username(name), Err(Refusal::UsernameCharacters), "{name:?}");
    }
    assert_eq!(username(&"x".repeat(129)), Err(Refusal::UsernameLength));
    assert_eq!(username(&"é".repeat(65)), Err(Refusal::UsernameLength), "bytes, not letters");
    let both = format!("{}\n", "x".repeat(200));
    assert_eq!(username(&both), Err(Refusal::UsernameCharacters), "characters come first");
}

#[test]
fn device_and_custom_ids_are_checked_in_the_order_of_the_protocol() {
    type Rule = fn(&str) -> Result<Link, Refusal>;
    let rules: [(Rule, LinkKind, usize); 2] =
        [(device, LinkKind::Device, 10), (custom, LinkKind::Custom, 6)];
    for (rule, kind, min) in rules {
        assert_eq!(rule(""), Err(Refusal::IdMissing(kind)));
        for blank in [" ", "\t", "\r", "\n", "\u{b}", "\u{c}", "\0", "\u{7f}", "a b"] {
            assert_eq!(rule(blank), Err(Refusal::IdCharacters(kind)), "{blank:?}");
            let long = format!("0123456789{blank}");
            assert_eq!(rule(&long), Err(Refusal::IdCharacters(kind)), "{blank:?}");
        }
        assert_eq!(rule(&"x".repeat(min - 1)), Err(Refusal::IdLength(kind)));
        assert_eq!(rule(&"x".repeat(129)), Err(Refusal::IdLength(kind)));
        for good in ["x".repeat(min), "x".repeat(128), "é".repeat(min / 2), "Ünï-ID\u{a0}_1".into()]
        {
            assert_eq!(rule(&good), is(kind, &good), "case and bytes are kept");
        }
    }
}

#[test]
fn an_unsafe_id_is_printable_and_short() {
    assert_eq!(unsafe_id(""), Err(Refusal::IdMissing(LinkKind::Unsafe)));
    assert_eq!(unsafe_id("a\u{1}"), Err(Refusal::IdCharacters(LinkKind::Unsafe)));
    assert_eq!(unsafe_id(&"x".repeat(129)), Err(Refusal::IdLength(LinkKind::Unsafe)));
    assert_eq!(unsafe_id("test 01"), is(LinkKind::Unsafe, "test 01"));
}

#[test]
fn an_email_sign_in_is_checked_in_the_order_of_the_protocol() {
    let email = LinkKind::Email;
    let cases: [(&str, &str, &str, Refusal); 12] = [
        ("a b", "", "", Refusal::IdCharacters(email)),
        ("ada", "", "", Refusal::EmailFormat),
        ("@host.example", "", "", Refusal::EmailFormat),
        ("ada@.example", "", "", Refusal::EmailFormat),
        ("ada@example.", "", "", Refusal::EmailFormat),
        ("ada.example@x", "", "", Refusal::EmailFormat),
        ("a@b.c", "", "", Refusal::IdLength(email)),
        ("ada@mail.example", "1234567", "", Refusal::PasswordShort),
        ("", "1234567", "", Refusal::PasswordShort),
        ("", "12345678", "", Refusal::UsernameMissing),
        ("", "12345678", "a\n", Refusal::UsernameCharacters),
        ("ada@mail.example", "12345678", "a\n", Refusal::UsernameCharacters),
    ];
    for (address, password, name, refusal) in cases {
        assert_eq!(email_sign_in(address, password, name, MAX), Err(refusal), "{address} {name:?}");
    }
    let long = format!("{}@mail.example", "x".repeat(243));
    assert_eq!(email_sign_in(&long, "12345678", "", MAX), Err(Refusal::IdLength(email)));
    let long = "x".repeat(MAX + 1);
    assert_eq!(email_sign_in("", &long, "", MAX), Err(Refusal::PasswordLong));
    assert!(email_sign_in("ada@mail.example", "ééee", "", MAX).is_err(), "6 bytes");
    assert!(email_sign_in("ada@mail.example", "éééé", "", MAX).is_ok(), "8 bytes");
}

#[test]
fn an_email_sign_in_says_what_to_look_up() {
    let link = is(LinkKind::Email, "ädä@mail.example").unwrap();
    assert_eq!(
        email_sign_in("ÄdÄ@Mail.Example", "12345678", "Ada", MAX),
        Ok(EmailSignIn::Address { link: link.clone(), username: Some("Ada".into()) })
    );
    assert_eq!(
        email_sign_in("ädä@mail.example", "12345678", "", MAX),
        Ok(EmailSignIn::Address { link, username: None })
    );
    assert_eq!(email_sign_in("", "12345678", "Ada", MAX), Ok(EmailSignIn::Username("Ada".into())));
    for wrong in ["a@@b.example", "@a@b.example", "a@b..example", "a@b.c@d.example"] {
        let refused = Err(Refusal::EmailFormat);
        assert_eq!(email_sign_in(wrong, "12345678", "", MAX), refused, "{wrong} cannot be right");
    }
    assert!(email_sign_in("\"a@b\"@c.example", "12345678", "", MAX).is_ok());
}

#[test]
fn linking_an_address_looks_at_the_password_before_the_format() {
    let email = LinkKind::Email;
    assert_eq!(email_link("", "12345678", MAX), Err(Refusal::IdMissing(email)));
    assert_eq!(email_link("ada@mail.example", "", MAX), Err(Refusal::IdMissing(email)));
    assert_eq!(email_link("a b", "1", MAX), Err(Refusal::IdCharacters(email)));
    assert_eq!(email_link("ada", "1234567", MAX), Err(Refusal::PasswordShort));
    assert_eq!(email_link("ada", "12345678", MAX), Err(Refusal::EmailFormat));
    assert_eq!(email_link("a@b.c", "12345678", MAX), Err(Refusal::IdLength(email)));
    assert_eq!(email_link("ADA@mail.example", "12345678", MAX), is(email, "ada@mail.example"));
}

#[test]
fn display_names_fold_to_what_people_call_the_same() {
    let same = [("Ada", "aDA"), ("Straße", "STRASSE"), ("e\u{301}", "É"), ("ΣΑΣ", "σας")];
    for (one, other) in same {
        assert_eq!(fold_display_name(one), fold_display_name(other));
    }
    assert_ne!(fold_display_name("Ada"), fold_display_name("Adam"));
}
