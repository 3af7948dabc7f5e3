//! What the providers of Pragma's table answer (protocol-pragma §4.4).

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::keys::EcKey;
use super::oauth::{API_KEY, BOT, CLIENT, GUILD, REDIRECT, SECRET, TEAM, sign};
use super::roles::{key_set, told};
use super::{BUNDLE, Known, STEAM_APP, STEAM_KEY};

type Pairs = HashMap<String, String>;

/// Everything the other roles do not answer.
pub fn answer(
    request: &HttpRequest,
    path: &str,
    body: &[u8],
    query: &Pairs,
    form: &Pairs,
    known: &mut Known,
) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let authorization = header("Authorization");
    let bearer = authorization.strip_prefix("Bearer ").and_then(|token| known.tickets.get(token));
    match path {
        "/epic/keys" | "/twitch/keys" | "/goauth/keys" | "/okta/keys" | "/auth0/keys"
        | "/club/keys" => key_set(known),
        "/okta/oauth2/default/.well-known/openid-configuration" => {
            published(request, "/okta/oauth2/default", "/okta")
        }
        "/auth0/.well-known/openid-configuration" => published(request, "/auth0/", "/auth0"),
        "/club/.well-known/openid-configuration" => published(request, "/club", "/club"),
        "/epic/token" | "/discord/oauth2/token" | "/twitch/token" | "/goauth/token"
        | "/okta/token" | "/auth0/token" | "/club/token" | "/apple/token" => {
            redeem(path, &authorization, form, known)
        }
        "/epic/tokenInfo" => told(form.get("token").and_then(|token| known.tickets.get(token))),
        "/epic/accounts" => told(bearer.map(|all| {
            json!([{"accountId": query.get("accountId"), "displayName": all["name"]}])
        }).as_ref()),
        "/discord/oauth2/@me" => told(bearer),
        "/twitch/validate" => {
            told(authorization.strip_prefix("OAuth ").and_then(|token| known.tickets.get(token)))
        }
        "/twitch/users" => told(bearer.filter(|_| header("Client-Id") == CLIENT).map(|all| {
            json!({"data": [{"id": query.get("id"), "display_name": all["display_name"]}]})
        }).as_ref()),
        "/goauth/tokeninfo" => match query.get("access_token").and_then(|t| known.tickets.get(t)) {
            Some(all) => HttpResponse::Ok().json(all),
            None => HttpResponse::BadRequest().json(json!({"error": "invalid_token"})),
        },
        "/steam/openid" => steam_openid(form),
        "/acme/login" | "/acme/header" => acme(&header, path, body, query, known),
        _ => match path.strip_prefix("/ISteamUser/") {
            Some(call) => steam_player(call, query, known),
            None => match path.strip_prefix(&format!("/discord/guilds/{GUILD}/members/")) {
                Some(_) if authorization != format!("Bot {BOT}") => {
                    HttpResponse::Unauthorized().finish()
                }
                Some(id) => match known.tickets.get(&format!("member-{id}")) {
                    Some(member) => HttpResponse::Ok().json(member),
                    None => HttpResponse::NotFound().json(json!({"code": 10007})),
                },
                None => HttpResponse::NotFound().finish(),
            },
        },
    }
}

fn published(request: &HttpRequest, issuer: &str, base: &str) -> HttpResponse {
    let info = request.connection_info();
    let at = |path: &str| format!("http://{}{path}", info.host());
    HttpResponse::Ok().json(json!({
        "issuer": at(issuer), "jwks_uri": at(&format!("{base}/keys")),
        "token_endpoint": at(&format!("{base}/token")),
        "authorization_endpoint": at(&format!("{base}/authorize")),
    }))
}

/// A code becomes tokens, once, for a client that proves that it is one.
fn redeem(path: &str, authorization: &str, form: &Pairs, known: &mut Known) -> HttpResponse {
    let says = |name: &str, value: &str| form.get(name).is_some_and(|said| said == value);
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let is_client = match path {
        "/epic/token" => authorization == basic,
        "/apple/token" => says("client_id", BUNDLE) && is_team(form, known),
        _ => says("client_id", CLIENT) && says("client_secret", SECRET),
    };
    if !is_client {
        let answer = json!({"error": "invalid_client"});
        // Apple says it with 400.
        let is_apple = path == "/apple/token";
        return if is_apple { HttpResponse::BadRequest() } else { HttpResponse::Unauthorized() }
            .json(answer);
    }
    let is_code =
        |code: &&String| says("grant_type", "authorization_code") && !code.starts_with("access-");
    let code = form.get("code").filter(is_code);
    let bound_to = code.and_then(|code| known.tickets.get(code)?["redirect_uri"].as_str());
    let is_there = says("redirect_uri", bound_to.unwrap_or(REDIRECT));
    let behind = code.filter(|_| is_there).and_then(|code| known.tickets.remove(code));
    let behind = behind.filter(|behind| is_whose(behind, form.get("code_verifier")));
    let Some(behind) = behind else {
        return HttpResponse::BadRequest().json(match path {
            "/twitch/token" => json!({"status": 400, "message": "Invalid authorization code"}),
            _ => json!({"error": "invalid_grant"}),
        });
    };
    let access_token = format!("access-{}", known.asked.len());
    let id_token = behind.get("id_token").cloned();
    known.tickets.insert(access_token.clone(), behind);
    let mut answer = json!({"access_token": access_token, "token_type": "Bearer"});
    if let Some(id_token) = id_token {
        answer["id_token"] = id_token;
    }
    HttpResponse::Ok().json(answer)
}

/// Whether who redeems a code knows the secret behind its challenge (RFC 7636), if it has one.
fn is_whose(behind: &Value, verifier: Option<&String>) -> bool {
    let Some(challenge) = behind["code_challenge"].as_str() else { return true };
    let shown = digest(&SHA256, verifier.map_or("", String::as_str).as_bytes());
    verifier.is_some_and(|it| it.len() >= 43) && URL_SAFE_NO_PAD.encode(shown) == challenge
}

/// Whether the client's secret is one that Apple's developer team signed for now.
fn is_team(form: &Pairs, known: &Known) -> bool {
    let claims = form.get("client_secret").and_then(|proof| EcKey::get().open(proof));
    claims.is_some_and(|claims| {
        let lasts = claims["exp"].as_u64().zip(claims["iat"].as_u64());
        claims["iss"] == TEAM
            && claims["sub"] == BUNDLE
            && claims["aud"] == "https://appleid.apple.com"
            && lasts.is_some_and(|(until, from)| until > from && until - from <= 15_777_000)
            && !known.keys.is_empty()
    })
}

/// Whether Steam signed this. It says so as often as it is asked, so that only we can find a replay.
fn steam_openid(form: &Pairs) -> HttpResponse {
    let field = |name: &str| form.get(&format!("openid.{name}")).cloned().unwrap_or_default();
    let is_ours =
        field("mode") == "check_authentication" && field("sig") == sign(field, &field("signed"));
    let body = format!("ns:http://specs.openid.net/auth/2.0\nis_valid:{is_ours}\n");
    HttpResponse::Ok().content_type("text/plain").body(body)
}

fn steam_player(call: &str, query: &Pairs, known: &Known) -> HttpResponse {
    if query.get("key").is_none_or(|key| key != STEAM_KEY) {
        return HttpResponse::Forbidden().finish();
    }
    let id = query.get("steamid").or(query.get("steamids")).cloned().unwrap_or_default();
    let facts = known.tickets.get(&format!("player-{id}")).cloned().unwrap_or_default();
    let is_our_app = query.get("appid") == Some(&STEAM_APP.to_string());
    HttpResponse::Ok().json(match call {
        "CheckAppOwnership/v3/" => json!({"appownership": {
            "ownsapp": is_our_app && facts["owns"] == true, "permanent": true,
            "timedtrial": facts["trial"] == true, "result": "OK",
        }}),
        "GetPlayerBans/v1/" => json!({"players": [{
            "SteamId": id, "VACBanned": facts["vac"] == true, "NumberOfVACBans": 0,
        }]}),
        "GetPlayerSummaries/v2/" => {
            json!({"response": {"players": [{"steamid": id, "personaname": facts["name"]}]}})
        }
        _ => Value::Null,
    })
}

/// The studio's service: the token in a body of JSON, or in the query or a header.
fn acme(
    header: &dyn Fn(&str) -> String,
    path: &str,
    body: &[u8],
    query: &Pairs,
    known: &Known,
) -> HttpResponse {
    if header("x-api-key") != API_KEY {
        return HttpResponse::InternalServerError().finish();
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let token = match path {
        "/acme/header" => header("x-player").strip_prefix("Ticket ").map(str::to_owned),
        _ => body["providerToken"].as_str().map(str::to_owned).or(query.get("token").cloned()),
    };
    match token.as_deref() {
        Some("banned") => HttpResponse::Forbidden().finish(),
        Some("gone") => HttpResponse::NotFound().finish(),
        Some("odd") | None => HttpResponse::BadRequest().finish(),
        Some(token) => told(known.tickets.get(token)),
    }
}
