//! Who is an operator: invitations, roles that are given and taken, tokens for scripts; and what of it
//! is on record.

use serde_json::{Value, json};

use crate::harness::{Auth, TestServer, ask};
use crate::operator_session::{Browser, PASSWORD, refused, with_ada};
use crate::pragma_client::operator;
use crate::pragma_office::{ask as rpc, social_id};

/// A role made by Pragma's calls, whose operators there is one of: olga.
async fn role(server: &TestServer, name: &str, permissions: &[&str]) -> Value {
    let olga = operator(server, "olga").await;
    let role = json!({"name": name, "permissions": permissions});
    rpc(server, &olga, "RoleRpc.CreateRoleOperatorV1", role).await["role"]["roleId"].clone()
}

async fn join(server: &TestServer, code: &str, email: &str) -> (Browser, crate::harness::Answer) {
    let mut page = Browser::at(server);
    let body = json!({"code": code, "email": email, "password": PASSWORD});
    let answer = page.ask("POST", "/operators/accept", body).await;
    (page, answer)
}

/// A server with two administrators, ada at the console and olga by Pragma.
async fn office() -> (TestServer, Browser) {
    let (server, mut ada) = with_ada(|config| {
        config.pragma.providers.entry("unsafe".to_owned()).or_default().operator_login = true;
        config.pragma.bootstrap_admins = vec!["UNSAFE:olga".to_owned()];
    })
    .await;
    operator(&server, "olga").await;
    assert_eq!(ada.get("/operators").await.json["operators"].as_array().unwrap().len(), 2);
    (server, ada)
}

#[actix_rt::test]
async fn somebody_is_invited_may_do_what_the_role_says_and_no_more_once_it_is_taken() {
    let (server, mut ada) = office().await;
    let watch = role(&server, "Watch", &["queue.dials.get", "account.roles.get"]).await;
    let wish = json!({"label": "bob of the night shift", "roles": [watch]});
    let invited = ada.ask("POST", "/operators", wish).await;
    assert_eq!(invited.status, 201, "{}", invited.text);
    let listed = ada.get("/operators").await;
    assert_eq!(listed.str("/invitations/0/label"), "bob of the night shift");
    let code = invited.str("/code").to_owned();
    let wrong = format!("{}AAAAAA", &code[..code.len() - 6]);
    refused(&join(&server, &wrong, "bob@example.org").await.1, 403, "wrong_code");
    refused(&join(&server, &code, "ada@example.org").await.1, 409, "address_taken");
    let (mut bob, joined) = join(&server, &code, "bob@example.org").await;
    assert_eq!(joined.status, 201, "{}", joined.text);
    assert_eq!(joined.json["permissions"], json!(["account.roles.get", "queue.dials.get"]));
    refused(&join(&server, &code, "eve@example.org").await.1, 403, "wrong_code");

    assert_eq!(bob.get("/queue").await.status, 200);
    refused(&bob.ask("POST", "/queue/changes", json!({"rate": 7.0})).await, 403, "forbidden");
    refused(&bob.get("/tokens").await, 403, "forbidden");
    let wish = json!({"label": "me again", "roles": [watch]});
    refused(&bob.ask("POST", "/operators", wish).await, 403, "forbidden");

    let other = role(&server, "Nothing", &["account.tags.get"]).await;
    let path = format!("/operators/{}", joined.str("/id"));
    let set = ada.ask("PATCH", &path, json!({"roles": [other]})).await;
    assert_eq!((set.status, set.str("/roles/0/name")), (200, "Nothing"), "{}", set.text);
    refused(&bob.get("/queue").await, 403, "forbidden");
    assert_eq!(ada.ask("DELETE", &path, Value::Null).await.status, 204);
    refused(&bob.get("/session").await, 401, "token");
    refused(&bob.sign_in("bob@example.org", PASSWORD, "").await, 401, "wrong");
    refused(&ada.ask("DELETE", &path, Value::Null).await, 404, "not_there");
}

#[actix_rt::test]
async fn nobody_gives_or_takes_what_they_may_not_do_and_an_administrator_is_left() {
    let (server, mut ada) = office().await;
    let giver = ["account.roles.get", "account.account_roles.update", "operators.tokens.update"];
    let lead = role(&server, "Lead", &giver).await;
    let wish = json!({"label": "lea", "roles": [lead]});
    let code = ada.ask("POST", "/operators", wish).await.str("/code").to_owned();
    let (mut lea, _) = join(&server, &code, "lea@example.org").await;
    let admin = json!("00000000-0000-0000-0000-000000000001");
    let wish = json!({"label": "a friend", "roles": [admin]});
    refused(&lea.ask("POST", "/operators", wish).await, 403, "not_yours");
    let id = ada.get("/session").await.str("/id").to_owned();
    let path = format!("/operators/{id}");
    refused(&lea.ask("PATCH", &path, json!({"roles": [lead]})).await, 403, "not_yours");
    refused(&lea.ask("DELETE", &path, Value::Null).await, 403, "not_yours");
    let make = json!({"label": "x", "permissions": ["queue.dials.update"], "days": 1});
    refused(&lea.ask("POST", "/tokens", make).await, 403, "not_yours");
    let wish = json!({"label": "a colleague", "roles": [lead]});
    let invited = lea.ask("POST", "/operators", wish).await;
    let withdraw = format!("/operators/invitations/{}", invited.str("/id"));
    assert_eq!(ada.ask("DELETE", &withdraw, Value::Null).await.status, 204);
    refused(&join(&server, invited.str("/code"), "kim@example.org").await.1, 403, "wrong_code");

    let olga = social_id(&operator(&server, "olga").await);
    let theirs = format!("/operators/{olga}");
    assert_eq!(ada.ask("DELETE", &theirs, Value::Null).await.status, 204);
    refused(&ada.ask("DELETE", &path, Value::Null).await, 409, "last_admin");
    refused(&ada.ask("PATCH", &path, json!({"roles": [lead]})).await, 409, "last_admin");
    server.pass_ms(24 * 3_600_000).await;
}

#[actix_rt::test]
async fn a_token_for_scripts_does_what_it_lists_while_its_maker_may() {
    let (server, mut ada) = office().await;
    let make = |permissions: Value, days: u64| json!({"label": "watcher", "permissions": permissions, "days": days});
    for bad in [
        make(json!([]), 1),
        make(json!(["queue.dials.get"]), 0),
        make(json!(["queue.dials.get"]), 367),
        make(json!(["no.such.thing"]), 1),
    ] {
        refused(&ada.ask("POST", "/tokens", bad).await, 400, "bad_request");
    }
    let made = ada.ask("POST", "/tokens", make(json!(["queue.dials.get"]), 1)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.str("/token").to_owned();
    let script = async |method: &str, path: &str, body: Option<Value>| {
        let url = format!("http://{}/v1/operator{path}", server.operators);
        ask(method, &url, Auth::Bearer(&token), body).await
    };
    assert_eq!(script("GET", "/queue", None).await.status, 200);
    let told = script("POST", "/queue/changes", Some(json!({"rate": 7.0}))).await;
    refused(&told, 403, "forbidden");
    refused(&script("POST", "/tokens", Some(make(json!([]), 1))).await, 403, "no_script");
    let listed = ada.get("/tokens").await;
    assert_eq!(listed.str("/tokens/0/label"), "watcher");
    assert!(listed.json["tokens"][0]["used_ms"].is_u64() && !listed.text.contains(&token));
    let last = if token.ends_with('A') { "E" } else { "A" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    let url = format!("http://{}/v1/operator/queue", server.operators);
    refused(&ask("GET", &url, Auth::Bearer(&changed), None).await, 401, "token");

    server.pass_ms(24 * 3_600_000).await;
    refused(&script("GET", "/queue", None).await, 401, "token");
    assert_eq!(ada.sign_in("ada@example.org", PASSWORD, "").await.status, 201);
    let made = ada.ask("POST", "/tokens", make(json!(["queue.dials.get"]), 1)).await;
    let url_of = |id: &str| format!("/tokens/{id}");
    let again = ask("GET", &url, Auth::Bearer(made.str("/token")), None).await;
    assert_eq!(again.status, 200);
    let gone = ada.ask("DELETE", &url_of(made.str("/id")), Value::Null).await;
    assert_eq!(gone.status, 204);
    refused(&ask("GET", &url, Auth::Bearer(made.str("/token")), None).await, 401, "token");
    refused(&ada.ask("DELETE", &url_of(made.str("/id")), Value::Null).await, 404, "not_there");
}

#[actix_rt::test]
async fn what_operators_do_is_on_record_without_their_names() {
    let (server, mut ada) = office().await;
    Browser::at(&server).sign_in("ada@example.org", "not the password", "").await;
    let watch = role(&server, "Watch", &["queue.dials.get"]).await;
    let wish = json!({"label": "bob", "roles": [watch]});
    let code = ada.ask("POST", "/operators", wish).await.str("/code").to_owned();
    let (_, joined) = join(&server, &code, "bob@example.org").await;
    let path = format!("/operators/{}", joined.str("/id"));
    ada.ask("DELETE", &path, Value::Null).await;
    let make = json!({"label": "x", "permissions": ["queue.dials.get"], "days": 1});
    let token = ada.ask("POST", "/tokens", make).await.str("/token").to_owned();
    Browser::at(&server).sign_in("ada@example.org", PASSWORD, "").await;

    let folder = server.stop().unwrap();
    let chain = std::fs::read_dir(folder.path().join("audit")).unwrap();
    let chain: String =
        chain.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for (kind, count) in [
        ("operator_made", 2),
        ("operator_refused", 1),
        ("operator_invited", 1),
        ("operator_roles", 1),
        ("automation_token", 1),
        ("operator_signed_in", 1),
    ] {
        let found = chain.matches(&format!("\"kind\":\"{kind}\"")).count();
        assert_eq!(found, count, "{kind}: {chain}");
    }
    for secret in ["example.org", joined.str("/id"), PASSWORD, &token, &code] {
        assert!(!chain.contains(secret), "{secret}: {chain}");
    }
}
