//! The operator API: accounts, found, seen and changed.

use serde_json::{Value, json};

use crate::nakama_friends::Player;
use crate::operator_client::{Desk, refused};
use crate::pragma_client::{Socket, come_in};
use crate::pragma_office::social_id;
use crate::queue_client::{enter, ticket};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_rt::test]
async fn accounts_are_found_by_id_name_link_and_address_and_come_a_page_at_a_time() {
    let desk = Desk::open(|_| {}).await;
    let ada = Player::new(&desk.server, "ada").await;
    let bob = Player::new(&desk.server, "bobby").await;
    let mail = json!({"email": "Ada@Example.org", "password": "correct horse battery"});
    let path = "/v2/account/link/email";
    desk.server.with_token("POST", path, &ada.token, Some(mail)).await.is(200, json!({}));
    for (term, found) in [
        (ada.id.as_str(), vec![&ada.id]),
        ("ada", vec![&ada.id]),
        ("BOB", vec![&bob.id]),
        ("device:bobby-device-id", vec![&bob.id]),
        ("ada%40example.org", vec![&ada.id]),
        ("email:ada%40example.org", vec![&ada.id]),
        ("steam:1", vec![]),
        ("nobody-is-called-so", vec![]),
    ] {
        let page = desk.get(&format!("/accounts?search={term}")).await;
        assert_eq!(ids(&page), found.into_iter().cloned().collect::<Vec<_>>(), "{term}");
        assert_eq!(page["next"], Value::Null);
    }
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/accounts?limit=7{after}")).await;
        all.extend(ids(&page));
        assert!(page["items"].as_array().unwrap().len() <= 7);
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // The twenty of development, olga and these two.
    assert!(all.len() == 23 && all.is_sorted_by(|a, b| a < b), "{all:?}");
    for bad in ["limit=0", "limit=101", "limit=x", "after=7", "colour=red"] {
        refused(
            &desk.call("GET", &format!("/accounts?{bad}"), Value::Null).await,
            400,
            "bad_request",
        );
    }
    let eve = desk.helper("eve", json!(["account.accounts.get"])).await;
    let by_mail =
        desk.call_as(&eve, "GET", "/accounts?search=ada%40example.org", Value::Null).await;
    refused(&by_mail, 403, "forbidden");
    let seen = desk.call_as(&eve, "GET", &format!("/accounts/{}", ada.id), Value::Null).await;
    assert_eq!((&seen.json["email"], &seen.json["bans"]), (&Value::Null, &Value::Null));
    assert!(
        !seen.text.contains("ada-device-id") && !seen.text.to_lowercase().contains("example.org")
    );
    let seen = desk.get(&format!("/accounts/{}", ada.id)).await;
    assert_eq!(seen["email"]["address"], "ada@example.org");
    assert_eq!(seen["sign_ins"][0]["method"], "device");
    assert_eq!(seen["sign_ins"][0]["created"], true);
}

#[actix_rt::test]
async fn where_somebody_stands_in_line_is_told_with_the_reason() {
    let desk = Desk::open(|config| {
        config.queue.rate = 0.1;
        config.queue.burst = 1;
    })
    .await;
    let device = |name: &str| json!({"id": format!("{name}-device-id")});
    let path = "/v2/account/authenticate/device?username=ada";
    let ada = desk.server.with_key(path, device("ada")).await;
    let id = crate::races::user_id(ada.str("/token"));
    let seen = desk.get(&format!("/accounts/{id}")).await;
    assert_eq!(
        (&seen["line"]["state"], &seen["line"]["slot"]),
        (&json!("none"), &json!("reserved"))
    );
    // Her slot lapses, and others come before her.
    desk.server.pass_ms(600_000).await;
    enter(&desk.server, json!({})).await;
    for _ in 0..3 {
        ticket(&desk.server, json!({})).await;
    }
    let waits = desk.server.with_key(path, device("ada")).await;
    assert_eq!(waits.status, 429, "{}", waits.text);
    let line = desk.get(&format!("/accounts/{id}")).await["line"].clone();
    assert_eq!((&line["state"], &line["lane"]), (&json!("waiting"), &json!("standard")), "{line}");
    assert_eq!((&line["position"], &line["bound"]), (&json!(4), &json!("rate")), "{line}");
    assert!((line["expected_s"].as_f64().unwrap() - 40.0).abs() < 10.0, "{line}");
    assert!(line["why"].as_str().unwrap().starts_with("anteroom why --ticket "));
}

#[actix_rt::test]
async fn a_ban_names_and_lists_are_changed_and_each_is_on_record() {
    let desk = Desk::open(|_| {}).await;
    let ada = Player::new(&desk.server, "ada").await;
    let at = format!("/accounts/{}", ada.id);
    let form = json!({"scope": "account", "duration_ms": 60_000, "reason": "CHEATING"});
    let ban = desk.done("POST", &format!("{at}/bans"), form).await;
    assert_eq!((&ban["active"], &ban["scope"]), (&json!(true), &json!("account")));
    assert_eq!(ban["until_ms"], json!(1_800_000_060_000_u64));
    let path = "/v2/account/authenticate/device";
    let refuses = desk.server.with_key(path, json!({"id": "ada-device-id"})).await;
    assert_eq!(refuses.status, 403, "{}", refuses.text);
    let lifts = format!("{at}/bans/{}", ban["id"].as_str().unwrap());
    assert_eq!(desk.done("DELETE", &lifts, Value::Null).await["banned"], false);
    let names = json!({"username": "ada_l", "display_name": "Ada", "pragma_name": "Ada L"});
    let named = desk.done("PATCH", &at, names).await;
    assert_eq!((&named["username"], &named["display_name"]), (&json!("ada_l"), &json!("Ada")));
    assert!(named["pragma_name"].as_str().unwrap().starts_with("Ada L#"), "{named}");
    let tag = desk.done("POST", "/tags", json!({"name": "vip"})).await;
    let group = desk.done("POST", "/groups", json!({"name": "Testers"})).await;
    let tagged = desk.done("PUT", &format!("{at}/tags"), json!({"ids": [tag["id"]]})).await;
    assert_eq!(tagged["tags"], json!([{"id": tag["id"], "name": "vip"}]));
    let grouped = desk.done("PUT", &format!("{at}/groups"), json!({"ids": [group["id"]]})).await;
    assert_eq!(grouped["groups"][0]["name"], "Testers");
    let none = desk.done("PUT", &format!("{at}/tags"), json!({"ids": []})).await;
    assert_eq!(none["tags"], json!([]));
    let link = &none["links"][0];
    let unlink = format!("{at}/links/{}", link["key"].as_str().unwrap());
    refused(&desk.call("DELETE", &unlink, Value::Null).await, 409, "last_link");
    let custom = json!({"id": "custom-of-ada"});
    let path = "/v2/account/link/custom";
    let linked =
        desk.server.with_key("/v2/account/authenticate/device", json!({"id": "ada-device-id"}));
    let token = linked.await.str("/token").to_owned();
    desk.server.with_token("POST", path, &token, Some(custom)).await.is(200, json!({}));
    let left = desk.done("DELETE", &unlink, Value::Null).await;
    assert_eq!(left["links"].as_array().unwrap().len(), 1);
    let report = desk.get(&format!("{at}/export")).await;
    assert_eq!(report["account"]["links"][0]["id"], "custom-of-ada");
    assert_eq!(report["account"]["bans"].as_array().unwrap().len(), 1);
    desk.done("DELETE", &at, Value::Null).await;
    refused(&desk.call("GET", &at, Value::Null).await, 404, "no_account");
    refused(&desk.call("DELETE", &at, Value::Null).await, 404, "no_account");
    let done = desk.on_record();
    let expected = [
        "ban",
        "ban_lifted",
        "rename",
        "tag_created",
        "group_created",
        "tags",
        "groups",
        "tags",
        "unlink",
        "not_done",
        "unlink",
        "export",
        "delete_account",
    ];
    assert_eq!(done, expected);
}

#[actix_rt::test]
async fn sockets_are_closed_and_sessions_ended() {
    let desk = Desk::open(|_| {}).await;
    let tokens = come_in(&desk.server, "ada").await;
    let at = format!("/accounts/{}", social_id(&tokens));
    let mut socket = Socket::open(&desk.server, &tokens.game).await;
    socket.heartbeat(1).await;
    let seen = desk.get(&at).await;
    assert_eq!(
        (&seen["sockets"], &seen["line"]["slot"]),
        (&json!(["pragma_game"]), &json!("live"))
    );
    assert_eq!(desk.done("POST", &format!("{at}/kick"), Value::Null).await, json!({"sockets": 1}));
    socket.terminated().await;
    socket.closed().await;
    let mut again = Socket::open(&desk.server, &tokens.game).await;
    again.heartbeat(1).await;
    desk.done("POST", &format!("{at}/sign-out"), Value::Null).await;
    again.terminated().await;
    again.closed().await;
    let refuses = crate::pragma_client::connect(&desk.server, Some(&tokens.game), "").await;
    assert!(refuses.is_err(), "every session is over");
    assert_eq!(desk.on_record(), ["kick", "sign_out"]);
}

#[actix_rt::test]
async fn an_account_is_made_once_and_friends_come_by_pages() {
    let desk = Desk::open(|_| {}).await;
    let form = json!({"kind": "custom", "id": "custom-of-zoe", "display_name": "Zoe"});
    let made = desk.call("POST", "/accounts", form.clone()).await;
    assert_eq!((made.status, &made.json["created"]), (201, &json!(true)), "{}", made.text);
    let again = desk.call("POST", "/accounts", form).await;
    assert_eq!((again.status, &again.json["id"]), (200, &made.json["id"]));
    for bad in [
        json!({"kind": "email", "id": "a@b.example"}),
        json!({"kind": "nothing", "id": "12345678"}),
        json!({"kind": "custom", "id": "custom-of-zoe", "shard": "00000000-0000-0000-0000-0000000000ff"}),
    ] {
        refused(&desk.call("POST", "/accounts", bad).await, 400, "bad_request");
    }
    refused(
        &desk.call("POST", "/accounts", json!({"kind": "custom", "id": "x"})).await,
        400,
        "bad_value",
    );
    let ada = Player::new(&desk.server, "ada").await;
    for name in ["bob", "cem", "dan"] {
        Player::new(&desk.server, name).await;
        ada.ask(&desk.server, "POST", &format!("/v2/friend?usernames={name}"))
            .await
            .is(200, json!({}));
    }
    let at = format!("/accounts/{}/friends", ada.id);
    let first = desk.get(&format!("{at}?limit=2")).await;
    assert_eq!((&first["count"], &first["next"]), (&json!(3), &json!("2")));
    let second = desk.get(&format!("{at}?limit=2&after=2")).await;
    assert_eq!(
        (&second["next"], &second["items"][0]["state"]),
        (&Value::Null, &json!("invite_sent"))
    );
    assert_eq!(desk.get(&format!("/accounts/{}", ada.id)).await["friends"]["invites_sent"], 3);
}

#[actix_rt::test]
async fn nothing_of_it_without_its_permission() {
    let desk = Desk::open(|_| {}).await;
    let ada = Player::new(&desk.server, "ada").await;
    let eve = desk.helper("eve", json!(["account.accounts.get"])).await;
    let at = format!("/accounts/{}", ada.id);
    for (method, path, body) in [
        ("POST", format!("{at}/bans"), json!({"scope": "account"})),
        ("DELETE", format!("{at}/bans/{}", ada.id), Value::Null),
        ("DELETE", format!("{at}/links/x"), Value::Null),
        ("POST", format!("{at}/kick"), Value::Null),
        ("POST", format!("{at}/sign-out"), Value::Null),
        ("PATCH", at.clone(), json!({"username": "eve_was_here"})),
        ("PUT", format!("{at}/tags"), json!({"ids": []})),
        ("PUT", format!("{at}/groups"), json!({"ids": []})),
        ("GET", format!("{at}/export"), Value::Null),
        ("DELETE", at.clone(), Value::Null),
        ("POST", "/accounts".to_owned(), json!({"kind": "custom", "id": "custom-of-eve"})),
    ] {
        refused(&desk.call_as(&eve, method, &path, body).await, 403, "forbidden");
    }
    refused(
        &desk.call("POST", &format!("{at}/bans"), json!({"scope": "shard"})).await,
        400,
        "bad_request",
    );
    refused(&desk.call("PATCH", &at, json!({})).await, 400, "bad_request");
    let unknown = json!({"ids": [ada.id]});
    refused(&desk.call("PUT", &format!("{at}/tags"), unknown).await, 404, "not_there");
    refused(&desk.call("GET", "/accounts/not-an-id", Value::Null).await, 404, "not_there");
    let on_record = desk.on_record();
    assert_eq!(on_record, ["tags", "not_done"], "what was refused at the door was not even asked");
}
