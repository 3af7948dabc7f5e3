//! Hooks of a studio's own, over HTTP: asked before, told after, on both wires (protocol-pragma §6.3,
//! protocol-nakama §2.17).

mod around;
mod example;
pub mod receiver;

use anteroom::domain::hook::HookEvent::{
    self, AccountCreate, AccountCreated, AccountDelete, AccountDeleted, AccountLink, AccountLogin,
    AccountRename, AccountUnlink,
};
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::pragma_client::{
    Tokens, claims, come_in, operator, pass, refused, rpc, rpc_refused, sign_in,
};
use receiver::{Receiver, Reply};

const CUSTOM: &str = "/v2/account/authenticate/custom?create=true&username=ada";

async fn start(events: &[HookEvent]) -> (Receiver, TestServer) {
    let receiver = Receiver::start().await;
    let server = TestServer::start(|config| {
        receiver.config(config, events);
        config.pragma.display_name_changes = true;
        config.pragma.providers.entry("unsafe".into()).or_default().operator_login = true;
    })
    .await;
    (receiver, server)
}

async fn custom(server: &TestServer, id: &str) -> Answer {
    server.with_key(CUSTOM, json!({"id": id})).await
}

/// Signs in with a pass a client brought.
async fn custom_with(server: &TestServer, id: &str, pass: &str) -> Answer {
    let vars = json!({"login_queue_pass_token": pass});
    server.with_key(CUSTOM, json!({"id": id, "vars": vars})).await
}

#[actix_web::test]
async fn a_custom_id_is_checked_before_it_makes_an_account() {
    let (receiver, server) = start(&[AccountCreate]).await;
    receiver.refuse(AccountCreate, "Sign up in our\r\nshop first.");
    let told = "Sign up in our  shop first.";
    custom(&server, "forged-id").await.is_error(403, 7, told);
    custom(&server, "forged-id").await.is_error(403, 7, told);
    let call = &receiver.calls(AccountCreate)[0];
    let expected = json!({
        "event": "account_create", "eventId": call["eventId"], "account": null,
        "link": {"kind": "custom", "id": "forged-id"},
        "wanted": {"username": "ada", "displayName": null}, "created": true,
        "protocol": "nakama", "gameShardId": null, "clientAddress": "127.0.0.1",
    });
    assert_eq!(*call, expected);
    assert_ne!(receiver.calls(AccountCreate)[1]["eventId"], call["eventId"]);

    receiver.reply(AccountCreate, Reply::Says(json!({"allow": true, "displayName": " Ada L. "})));
    let made = custom(&server, "shop|7").await;
    assert_eq!((made.status, &made.json["created"]), (200, &json!(true)));
    let token = made.str("/token");
    let account = server.with_token("GET", "/v2/account", token, None).await;
    assert_eq!(account.str("/user/display_name"), "Ada L.");
    // Who is there already is nobody's to refuse, and nobody is asked.
    receiver.refuse(AccountCreate, "no");
    let asked = receiver.calls(AccountCreate).len();
    assert_eq!(custom(&server, "shop|7").await.status, 200);
    assert_eq!(receiver.calls(AccountCreate).len(), asked);
    assert!(receiver.forged().is_empty());
}

#[actix_web::test]
async fn who_may_not_sign_in_finds_the_pass_as_it_was() {
    let (receiver, server) = start(&[AccountLogin]).await;
    receiver.refuse(AccountLogin, "Closed beta.");
    let (first, second) = (pass(&server).await, pass(&server).await);
    refused(&sign_in(&server, "pam", &first).await, 403, "REFUSED_BY_HOOK");
    custom_with(&server, "shop|7", &second).await.is_error(403, 7, "Closed beta.");
    for reply in [Reply::Status(500), Reply::Raw("<html>"), Reply::Redirect, Reply::Huge] {
        receiver.reply(AccountLogin, reply);
        let down = sign_in(&server, "pam", &first).await;
        refused(&down, 503, "Service_OperatingError");
        assert!(down.header("retry-after").is_some());
        let down = custom_with(&server, "shop|7", &second).await;
        down.is_error(503, 14, "The game could not be asked. Try again.");
        assert_eq!(down.header("retry-after"), Some("5"));
    }
    receiver.reply(AccountLogin, Reply::Says(json!({"allow": true})));
    let pam = Tokens::of(&sign_in(&server, "pam", &first).await);
    let ned = custom_with(&server, "shop|7", &second).await;
    assert_eq!((ned.status, &ned.json["created"]), (200, &json!(true)), "nothing was made before");
    assert!(!pam.game.is_empty());
    let spent = sign_in(&server, "eve", &first).await;
    refused(&spent, 401, "AccountService_Unauthorized");

    // Known now, and told of.
    receiver.refuse(AccountLogin, "Banned.");
    custom(&server, "shop|7").await.is_error(403, 7, "Banned.");
    let calls = receiver.calls(AccountLogin);
    let (new, known) = (&calls[0], calls.last().unwrap());
    assert_eq!((&new["account"], &new["created"]), (&json!(null), &json!(true)));
    assert_eq!(
        (&new["protocol"], &new["wanted"]["displayName"]),
        (&json!("pragma"), &json!("pam"))
    );
    assert_eq!((&known["created"], &known["account"]["username"]), (&json!(false), &json!("ada")));
    assert_eq!(known["wanted"], json!({"username": null, "displayName": null}));
}

#[actix_web::test]
async fn a_service_that_is_slow_or_gone_lets_nobody_in_and_costs_nobody_their_place() {
    let mut receiver = Receiver::start().await;
    let server = TestServer::start(|config| {
        receiver.config(config, &[AccountLogin]);
        config.hooks.timeout_ms = 50;
        config.queue.cap = 1;
    })
    .await;
    receiver.reply(AccountLogin, Reply::Silent);
    let silent = custom(&server, "shop|7").await;
    silent.is_error(503, 14, "The game could not be asked. Try again.");
    receiver.reply(AccountLogin, Reply::Says(json!({"allow": true})));
    // The only slot is free again, or nobody else could have it.
    let pass = pass(&server).await;
    receiver.stop();
    refused(&sign_in(&server, "pam", &pass).await, 503, "Service_OperatingError");
    refused(&sign_in(&server, "pam", &pass).await, 503, "Service_OperatingError");
}

#[actix_web::test]
async fn a_new_account_is_asked_about_twice_and_both_must_agree() {
    let (receiver, server) = start(&[AccountCreate, AccountLogin, AccountCreated]).await;
    receiver.refuse(AccountLogin, "Not today.");
    custom(&server, "shop|7").await.is_error(403, 7, "Not today.");
    assert_eq!((receiver.calls(AccountCreate).len(), receiver.calls(AccountLogin).len()), (1, 1));
    receiver.reply(AccountLogin, Reply::Says(json!({"allow": true})));
    receiver.reply(AccountCreate, Reply::Says(json!({"allow": true, "displayName": "Ada"})));
    let pam = come_in(&server, "pam").await;
    assert_eq!(claims(&pam.social)["displayName"], "Ada");
    let order: Vec<_> = [
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
    ]
    .iter()
    .map(|call| call["event"].as_str().unwrap().to_owned())
    .collect();
    let both = ["account_create", "account_login"];
    assert_eq!(order, [&both[..], &both[..], &["account_created"]].concat());
    assert_eq!(receiver.calls(AccountLogin)[1]["wanted"]["displayName"], "Ada");
    // Bounds of names are the settings'; what is outside of them is no answer.
    receiver.reply(AccountCreate, Reply::Says(json!({"allow": true, "displayName": "A"})));
    let pass = pass(&server).await;
    refused(&sign_in(&server, "eve", &pass).await, 503, "Service_OperatingError");
}

#[actix_web::test]
async fn what_a_hook_says_of_a_session_is_in_its_tokens_and_stays_there() {
    let receiver = Receiver::start().await;
    let server = TestServer::start(|config| {
        receiver.config(config, &[AccountLogin]);
        config.pragma.session_info = vec![anteroom::config::pragma::SessionInfo::CreatedAt];
    })
    .await;
    let info = json!({"clan": "red", "accountCreatedAt": "forged"});
    receiver.reply(AccountLogin, Reply::Says(json!({"allow": true, "sessionInfo": info})));
    let pam = come_in(&server, "pam").await;
    let ext = |token: &str| -> Value {
        serde_json::from_str(claims(token)["extSessionInfo"].as_str().unwrap()).unwrap()
    };
    let expected = json!({"clan": "red", "accountCreatedAt": 1_800_000_000});
    assert_eq!((ext(&pam.game), ext(&pam.social)), (expected.clone(), expected.clone()));

    receiver.refuse(AccountLogin, "no");
    let pair = json!({"pragmaTokens":
        {"pragmaGameToken": pam.game, "pragmaSocialToken": pam.social}});
    let kind = "AccountRpc.RefreshTokensV1Request";
    let renewed = rpc(server.players, &pam.social, kind, pair).await;
    for token in ["pragmaGameToken", "pragmaSocialToken"] {
        assert_eq!(ext(renewed["pragmaTokens"][token].as_str().unwrap()), expected);
    }
    assert_eq!(receiver.calls(AccountLogin).len(), 1, "a refresh asks nobody");
}

/// Signs in, is refused everything, and is then allowed everything.
#[actix_web::test]
async fn changes_of_an_account_are_asked_about_on_nakamas_wire() {
    let events = [AccountLink, AccountUnlink, AccountRename, AccountDelete, AccountDeleted];
    let (receiver, server) = start(&events).await;
    let ada = custom(&server, "shop|7").await;
    let token = ada.str("/token").to_owned();
    let device = json!({"id": "device-0123456789"});
    let changes = [
        ("POST", "/v2/account/link/device", device.clone(), AccountLink),
        ("PUT", "/v2/account", json!({"username": "lovelace"}), AccountRename),
        ("POST", "/v2/account/unlink/custom", json!({"id": "shop|7"}), AccountUnlink),
        ("DELETE", "/v2/account", json!(null), AccountDelete),
    ];
    let ask = async |change: &(&str, &str, Value, HookEvent)| {
        let body = (!change.2.is_null()).then(|| change.2.clone());
        server.with_token(change.0, change.1, &token, body).await
    };
    for change in &changes {
        receiver.refuse(change.3, "Not you.");
        ask(change).await.is_error(403, 7, "Not you.");
        receiver.reply(change.3, Reply::Status(404));
        ask(change).await.is_error(503, 14, "The game could not be asked. Try again.");
    }
    let account = server.with_token("GET", "/v2/account", &token, None).await;
    assert_eq!((account.str("/user/username"), account.str("/custom_id")), ("ada", "shop|7"));
    assert!(account.json.get("devices").is_none_or(|devices| *devices == json!([])));
    for change in &changes {
        receiver.reply(change.3, Reply::Says(json!({"allow": true})));
        assert_eq!(ask(change).await.status, 200, "{change:?}");
    }
    assert_eq!(receiver.calls(AccountLink)[0]["link"], json!({"kind": "device", "id": null}));
    let wanted = json!({"username": "lovelace", "displayName": null});
    assert_eq!(receiver.calls(AccountRename)[0]["wanted"], wanted);
    let unlinked = &receiver.calls(AccountUnlink)[0];
    assert_eq!(unlinked["link"], json!({"kind": "custom", "id": "shop|7"}));
    assert_eq!(unlinked["account"]["username"], "ada");
    while receiver.calls(AccountDeleted).is_empty() {
        receiver.next().await;
    }
    let gone = &receiver.calls(AccountDeleted)[0];
    assert_eq!(gone["account"]["id"], unlinked["account"]["id"]);
    // A picture is no name.
    let eve = server.with_key("/v2/account/authenticate/device", device).await;
    receiver.refuse(AccountRename, "no");
    let picture = Some(json!({"avatar_url": "https://p.io/e"}));
    let changed = server.with_token("PUT", "/v2/account", eve.str("/token"), picture).await;
    assert_eq!(changed.status, 200);
}

#[actix_web::test]
async fn changes_of_an_account_are_asked_about_on_pragmas_wire() {
    let events = [AccountLink, AccountUnlink, AccountRename, AccountDelete, AccountCreate];
    let (receiver, server) = start(&events).await;
    let olga = operator(&server, "olga").await;
    let pam = come_in(&server, "pam").await;
    let social_id = claims(&pam.social)["pragmaSocialId"].clone();
    let by_pam = (server.players, &pam.social);
    let by_olga = (server.operators, &olga.social);
    let changes = [
        (by_pam, "UpdateDisplayNameV1", json!({"requestedDisplayName": "Pamela"}), AccountRename),
        (
            by_olga,
            "CreateAccountLinkOperatorV1",
            json!({"pragmaSocialId": social_id, "idProvider": "STEAM",
                "providerAccountId": "76561198000000001"}),
            AccountLink,
        ),
        (
            by_olga,
            "UnlinkIdentityProviderAccountOperatorV1",
            json!({"pragmaSocialId": social_id, "idProvider": "STEAM"}),
            AccountUnlink,
        ),
        (
            by_olga,
            "CreateAccountOperatorV1",
            json!({"providerId": "STEAM", "providerAccountId": "76561198000000002"}),
            AccountCreate,
        ),
        (by_olga, "DeleteAccountOperatorV1", json!({"pragmaSocialId": social_id}), AccountDelete),
    ];
    for ((at, token), name, payload, event) in changes {
        let kind = format!("AccountRpc.{name}Request");
        receiver.refuse(event, "Not you.");
        assert_eq!(rpc_refused(at, token, &kind, payload.clone()).await, "REFUSED_BY_HOOK");
        receiver.reply(event, Reply::Raw("{}"));
        assert_eq!(rpc_refused(at, token, &kind, payload.clone()).await, "Service_OperatingError");
        receiver.reply(event, Reply::Says(json!({"allow": true})));
        rpc(at, token, &kind, payload).await;
    }
    let steam = json!({"kind": "steam", "id": "76561198000000001"});
    assert_eq!(receiver.calls(AccountLink)[0]["link"], steam);
    assert_eq!(receiver.calls(AccountUnlink)[0]["link"], steam);
    let renamed = &receiver.calls(AccountRename)[0];
    assert_eq!(renamed["wanted"]["displayName"], "Pamela");
    assert!(renamed["account"]["pragmaName"].as_str().unwrap().starts_with("pam#"));
    assert_eq!(renamed["protocol"], "pragma");
    let made = receiver.calls(AccountCreate);
    assert_eq!(made.last().unwrap()["link"]["id"], "76561198000000002");
}
