//! Every refusal of a sign-in's form, in its order and words.

use super::*;

fn rules<T>(configured: bool, with: impl FnOnce(&Rules<'_>) -> T) -> T {
    let custom = |id: &str| names::custom(id).map(|link| Credential::Custom(link.id));
    with(&Rules { custom: &custom, configured: &|_| configured, password_max: 64 })
}

fn read(form: impl Form) -> Result<Wanted, Failure> {
    rules(true, |rules| form.read(rules))
}

#[track_caller]
fn says(form: impl Form, message: &str) {
    let failure = read(form).unwrap_err();
    assert_eq!((failure.code, failure.status, &*failure.message), (3, 400, message));
}

fn device(id: &str, username: &str) -> api::AuthenticateDeviceRequest {
    let account = Some(api::AccountDevice { id: id.into(), ..Default::default() });
    api::AuthenticateDeviceRequest { account, create: None, username: username.into() }
}

fn mail(email: &str, password: &str, username: &str) -> api::AuthenticateEmailRequest {
    let (email, password) = (email.to_owned(), password.to_owned());
    let account = Some(api::AccountEmail { email, password, ..Default::default() });
    api::AuthenticateEmailRequest { account, create: None, username: username.into() }
}

#[test]
fn device_ids_are_checked_in_order() {
    let characters = "Device ID invalid, no spaces or control characters allowed.";
    let length = "Device ID invalid, must be 10-128 bytes.";
    let long = "x".repeat(129);
    says(api::AuthenticateDeviceRequest::default(), "Device ID is required.");
    for (id, message) in [
        ("", "Device ID is required."),
        ("a b", characters),
        ("0123456789\0", characters),
        ("0123456789\t", characters),
        ("0123456789\u{b}", characters),
        ("short", length),
        (&long, length),
    ] {
        says(device(id, ""), message);
    }
    assert!(read(device("0123456789", "")).is_ok());
}

#[test]
fn custom_ids_are_checked_in_order() {
    let custom = |id: &str| api::AuthenticateCustomRequest {
        account: Some(api::AccountCustom { id: id.into(), ..Default::default() }),
        ..Default::default()
    };
    says(api::AuthenticateCustomRequest::default(), "Custom ID is required.");
    for (id, message) in [
        ("", "Custom ID is required."),
        ("a b", "Custom ID invalid, no spaces or control characters allowed."),
        ("12345", "Custom ID invalid, must be 6-128 bytes."),
    ] {
        says(custom(id), message);
    }
    assert!(read(custom("123456")).is_ok());
}

#[test]
fn email_and_password_are_checked_in_order() {
    let needed = "Email address and password is required.";
    says(api::AuthenticateEmailRequest::default(), needed);
    let blank = "Invalid email address, no spaces or control characters allowed.";
    let short = "Password must be at least 8 characters long.";
    let long = "x".repeat(65);
    for (email, password, message) in [
        ("", "", short),
        ("a b", "x", blank),
        ("nobody", "x", "Invalid email address format."),
        ("a@b@example.com", "longenough", "Invalid email address format."),
        ("a@b.c", "x", "Invalid email address, must be 10-255 bytes."),
        ("a@example.com", "short", short),
        ("a@example.com", "", short),
        ("a@example.com", &long, "Password is too long."),
        ("", "longenough", "Username is required when email address is not supplied."),
    ] {
        says(mail(email, password, ""), message);
    }
    let characters = "Username invalid, no spaces or control characters allowed.";
    says(mail("a@example.com", "longenough", "\n"), characters);
    let wanted = read(mail("Alice@Example.COM", "longenough", "al")).unwrap();
    let Credential::Email { email, .. } = wanted.credential else { panic!() };
    assert_eq!((&*email, wanted.username.as_deref()), ("alice@example.com", Some("al")));
    let wanted = read(mail("", "longenough", "al")).unwrap();
    let Credential::Username { username, .. } = wanted.credential else { panic!() };
    assert_eq!(username, "al");
}

#[test]
fn the_user_name_is_checked_after_the_identifier_and_even_when_nothing_is_created() {
    says(device("", "\0"), "Device ID is required.");
    let known = |username: &str| api::AuthenticateDeviceRequest {
        create: Some(false),
        ..device("0123456789", username)
    };
    says(known("a\0b"), "Username invalid, no spaces or control characters allowed.");
    says(known(&"x".repeat(129)), "Username invalid, must be 1-128 bytes.");
    let wanted = read(device("0123456789", "a b")).unwrap();
    assert_eq!((wanted.username.as_deref(), wanted.create), (Some("a b"), true));
    assert_eq!(read(device("0123456789", "")).unwrap().username, None);
    assert!(!read(known("")).unwrap().create);
    let steam = api::AuthenticateSteamRequest {
        account: Some(api::AccountSteam { token: "14".into(), ..Default::default() }),
        username: "\n".into(),
        ..Default::default()
    };
    says(steam, "Username invalid, no spaces or control characters allowed.");
}

#[test]
fn providers_need_their_token() {
    says(api::AuthenticateAppleRequest::default(), "Apple ID token is required.");
    says(api::AuthenticateFacebookRequest::default(), "Facebook access token is required.");
    says(
        api::AuthenticateFacebookInstantGameRequest::default(),
        "Signed Player Info for a Facebook Instant Game is required.",
    );
    says(api::AuthenticateGoogleRequest::default(), "Google access token is required.");
    says(api::AuthenticateSteamRequest::default(), "Steam access token is required.");
    says(
        api::AuthenticateGameCenterRequest::default(),
        "GameCenter access credentials are required.",
    );
    let account = Some(api::AccountGameCenter::default());
    let empty = api::AuthenticateGameCenterRequest { account, ..Default::default() };
    says(empty, "GameCenter bundle ID is required.");
}

#[test]
fn apple_and_steam_say_first_that_they_are_not_set_up() {
    let apple = || api::AuthenticateAppleRequest::default();
    let steam = || api::AuthenticateSteamRequest::default();
    let not_set_up = rules(false, |rules| [apple().read(rules), steam().read(rules)]);
    let names = ["Apple", "Steam"];
    for (name, answer) in names.into_iter().zip(not_set_up) {
        let failure = answer.unwrap_err();
        assert_eq!((failure.code, failure.status), (9, 400));
        assert_eq!(failure.message, format!("{name} authentication is not configured."));
    }
    let google = rules(false, |rules| api::AuthenticateGoogleRequest::default().read(rules));
    assert_eq!(google.unwrap_err().message, "Google access token is required.");
}

#[test]
fn friends_are_imported_only_when_asked_for_and_variables_come_along() {
    let facebook = |sync| api::AuthenticateFacebookRequest {
        account: Some(api::AccountFacebook {
            token: "t".into(),
            vars: Vars::from([("k".into(), "v".into())]),
        }),
        sync,
        ..Default::default()
    };
    for (sync, import) in [(None, false), (Some(false), false), (Some(true), true)] {
        let wanted = read(facebook(sync)).unwrap();
        assert_eq!(wanted.import_friends, import);
        assert_eq!(wanted.vars.get("k").map(String::as_str), Some("v"));
    }
}
