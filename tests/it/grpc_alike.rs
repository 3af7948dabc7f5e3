//! Both doors lead to the same calls: what one refuses, the other refuses with the same number and
//! the same words.

use anteroom::config::Gate;
use anteroom::nakama::wire::api;
use prost::Message;
use serde_json::{Value, json};

use crate::grpc_client::{Client, framed};
use crate::harness::{Auth, TestServer, ask};

/// Who asks.
#[derive(Clone, Copy)]
enum Who {
    Nobody,
    WrongKey,
    Key,
    Stranger,
    Player,
}

/// One call in both spellings.
struct Call {
    who: Who,
    rpc: &'static str,
    message: Vec<u8>,
    method: &'static str,
    path: &'static str,
    body: Value,
}

fn call(
    who: Who,
    rpc: &'static str,
    message: &impl Message,
    rest: (&'static str, &'static str),
    body: Value,
) -> Call {
    let message = message.encode_to_vec();
    Call { who, rpc, message, method: rest.0, path: rest.1, body }
}

fn device(id: &str) -> api::AccountDevice {
    api::AccountDevice { id: id.into(), ..Default::default() }
}

fn sign_in(id: &str, username: &str, create: Option<bool>) -> api::AuthenticateDeviceRequest {
    let account = Some(device(id));
    api::AuthenticateDeviceRequest { account, create, username: username.into() }
}

fn email(email: &str, password: &str) -> api::AccountEmail {
    api::AccountEmail { email: email.into(), password: password.into(), ..Default::default() }
}

fn at_the_door() -> Vec<Call> {
    const DEVICE: (&str, &str) = ("POST", "/v2/account/authenticate/device");
    const KNOWN: (&str, &str) = ("POST", "/v2/account/authenticate/device?create=false");
    const NAMED: (&str, &str) = ("POST", "/v2/account/authenticate/device?username=a%09b");
    const CUSTOM: (&str, &str) = ("POST", "/v2/account/authenticate/custom");
    const EMAIL: (&str, &str) = ("POST", "/v2/account/authenticate/email");
    const APPLE: (&str, &str) = ("POST", "/v2/account/authenticate/apple");
    const GAMECENTER: (&str, &str) = ("POST", "/v2/account/authenticate/gamecenter");
    const REFRESH: (&str, &str) = ("POST", "/v2/account/session/refresh");
    let none = api::AuthenticateDeviceRequest::default();
    let rpc = "AuthenticateDevice";
    let id = json!({ "id": "0123456789" });
    let custom = api::AccountCustom { id: "x".into(), ..Default::default() };
    let custom = api::AuthenticateCustomRequest { account: Some(custom), ..Default::default() };
    let short = email("ada@example.com", "short");
    let short = api::AuthenticateEmailRequest { account: Some(short), ..Default::default() };
    let token = api::AccountApple { token: "x".into(), ..Default::default() };
    let apple = api::AuthenticateAppleRequest { account: Some(token), ..Default::default() };
    let no_center = api::AuthenticateGameCenterRequest::default();
    let no_email = api::AuthenticateEmailRequest::default();
    let bad = api::SessionRefreshRequest { token: "x".into(), ..Default::default() };
    let empty = api::SessionRefreshRequest::default();
    vec![
        call(Who::Nobody, rpc, &sign_in("0123456789", "", None), DEVICE, id.clone()),
        call(Who::WrongKey, rpc, &sign_in("0123456789", "", None), DEVICE, id.clone()),
        call(Who::Player, rpc, &sign_in("0123456789", "", None), DEVICE, id.clone()),
        call(Who::Key, rpc, &none, DEVICE, json!({})),
        call(Who::Key, rpc, &sign_in("short", "", None), DEVICE, json!({ "id": "short" })),
        call(Who::Key, rpc, &sign_in("0123456789", "a\tb", None), NAMED, id.clone()),
        call(Who::Key, rpc, &sign_in("0123456789", "", Some(false)), KNOWN, id),
        call(Who::Key, "AuthenticateCustom", &custom, CUSTOM, json!({ "id": "x" })),
        call(Who::Key, "AuthenticateEmail", &no_email, EMAIL, json!(null)),
        call(
            Who::Key,
            "AuthenticateEmail",
            &short,
            EMAIL,
            json!({ "email": "ada@example.com", "password": "short" }),
        ),
        call(Who::Key, "AuthenticateApple", &apple, APPLE, json!({ "token": "x" })),
        call(Who::Key, "AuthenticateGameCenter", &no_center, GAMECENTER, json!(null)),
        call(Who::Nobody, "SessionRefresh", &bad, REFRESH, json!({ "token": "x" })),
        call(Who::Key, "SessionRefresh", &bad, REFRESH, json!({ "token": "x" })),
        call(Who::Stranger, "SessionRefresh", &bad, REFRESH, json!({ "token": "x" })),
        call(Who::Key, "SessionRefresh", &empty, REFRESH, json!({})),
    ]
}

fn inside() -> Vec<Call> {
    const LOGOUT: (&str, &str) = ("POST", "/v2/session/logout");
    const ACCOUNT: &str = "/v2/account";
    let logout = api::SessionLogoutRequest { token: "x".into(), ..Default::default() };
    let nothing = api::UpdateAccountRequest::default();
    let long = "x".repeat(1_000);
    let long_tag = api::UpdateAccountRequest { lang_tag: Some(long.clone()), ..nothing.clone() };
    let own = device("device-of-alice");
    let own_body = json!({ "id": "device-of-alice" });
    let steam = api::LinkSteamRequest::default();
    let facebook = api::LinkFacebookRequest::default();
    let friends = api::ListFriendsRequest { limit: Some(0), ..Default::default() };
    let cursor = api::ListFriendsRequest { cursor: "!".into(), ..Default::default() };
    let users = api::GetUsersRequest { ids: vec!["x".into()], ..Default::default() };
    let add = api::AddFriendsRequest { ids: vec!["x".into()], ..Default::default() };
    let tell = api::ListNotificationsRequest { limit: Some(0), ..Default::default() };
    let drop = api::DeleteNotificationsRequest::default();
    let unlink = ("POST", "/v2/account/unlink/device");
    let link = ("POST", "/v2/account/link/device");
    vec![
        call(Who::Nobody, "GetAccount", &(), ("GET", ACCOUNT), json!(null)),
        call(Who::Stranger, "GetAccount", &(), ("GET", ACCOUNT), json!(null)),
        call(Who::Key, "DeleteAccount", &(), ("DELETE", ACCOUNT), json!(null)),
        call(Who::Player, "SessionLogout", &logout, LOGOUT, json!({ "token": "x" })),
        call(Who::Player, "UpdateAccount", &nothing, ("PUT", ACCOUNT), json!({})),
        call(
            Who::Player,
            "UpdateAccount",
            &long_tag,
            ("PUT", ACCOUNT),
            json!({ "lang_tag": long }),
        ),
        call(Who::Player, "LinkDevice", &device(""), link, json!({})),
        call(Who::Player, "UnlinkDevice", &own, unlink, own_body),
        call(Who::Player, "UnlinkDevice", &device(""), unlink, json!({})),
        call(Who::Player, "LinkSteam", &steam, ("POST", "/v2/account/link/steam"), json!({})),
        call(
            Who::Player,
            "LinkFacebook",
            &facebook,
            ("POST", "/v2/account/link/facebook"),
            json!(null),
        ),
        call(Who::Player, "ListFriends", &friends, ("GET", "/v2/friend?limit=0"), json!(null)),
        call(Who::Player, "ListFriends", &cursor, ("GET", "/v2/friend?cursor=!"), json!(null)),
        call(Who::Player, "GetUsers", &users, ("GET", "/v2/user?ids=x"), json!(null)),
        call(Who::Player, "AddFriends", &add, ("POST", "/v2/friend?ids=x"), json!(null)),
        call(
            Who::Player,
            "ListNotifications",
            &tell,
            ("GET", "/v2/notification?limit=0"),
            json!(null),
        ),
        call(
            Who::Nobody,
            "DeleteNotifications",
            &drop,
            ("DELETE", "/v2/notification"),
            json!(null),
        ),
    ]
}

#[actix_rt::test]
async fn both_doors_refuse_in_the_same_words() {
    let server = TestServer::start(|config| config.queue.gate = Gate::Off).await;
    let body = json!({ "id": "device-of-alice" });
    let alice = server.with_key("/v2/account/authenticate/device?username=alice", body).await;
    let bearer = format!("Bearer {}", alice.str("/token"));
    let (client, _) = Client::connect(server.grpc).await;
    for call in at_the_door().into_iter().chain(inside()) {
        let value = match call.who {
            Who::Nobody => None,
            Who::WrongKey => Some("Basic b3RoZXI6"),
            Who::Key => Some("Basic ZGVmYXVsdGtleTo="),
            Who::Stranger => Some("Bearer x"),
            Who::Player => Some(&*bearer),
        };
        let metadata: Vec<_> = value.map(|value| ("authorization", value)).into_iter().collect();
        let path = format!("/nakama.api.Nakama/{}", call.rpc);
        let over_grpc = client.send(&path, &metadata, framed(0, &call.message)).await.unwrap();
        let Err(refused) = over_grpc.answer::<()>() else { panic!("{} is not refused", call.rpc) };

        let auth = value.map_or(Auth::None, Auth::Header);
        let over_rest = ask(call.method, &server.url(call.path), auth, Some(call.body)).await;
        let (code, message) = (over_rest.json["code"].as_u64(), &over_rest.json["message"]);
        let said = (Some(refused.code), Some(&*refused.message));
        assert_eq!(said, (code, message.as_str()), "{} {}", call.rpc, call.path);
    }
}
