//! The server behind the fakes: who answers what on which path.

use std::collections::HashMap;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde_json::{Value, json};

use super::keys::{EcKey, EdKey};
use super::{
    FACEBOOK_APP, FACEBOOK_SECRET, Known, Mood, PSN_CLIENT, PSN_SECRET, STEAM_APP, STEAM_KEY,
    State, certificates, oauth_roles,
};

/// Answers a path as its mood is.
pub async fn answer(request: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let path = request.path().to_owned();
    let mood = {
        let mut known = state.lock();
        known.asked.push(format!("{path}?{}", request.query_string()));
        let moods = known.moods.iter().filter(|(start, _)| path.starts_with(start.as_str()));
        moods.max_by_key(|(start, _)| start.len()).map_or(Mood::Works, |(_, mood)| *mood)
    };
    match mood {
        Mood::Works => works(&request, &body, &mut state.lock()),
        Mood::Status(status) => HttpResponse::build(status.try_into().unwrap()).finish(),
        Mood::Garbage => HttpResponse::Ok().body("<html>"),
        Mood::OtherJson => HttpResponse::Ok().json(json!([1, {"keys": "none"}])),
        Mood::NoKeys => HttpResponse::Ok().json(json!({"keys": []})),
        Mood::Huge { told: true } => HttpResponse::Ok().body(vec![b' '; 1 << 20]),
        Mood::Huge { told: false } => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1 << 14]));
            HttpResponse::Ok().streaming(stream::iter((0..64).map(move |_| chunk())))
        }
        Mood::Redirect => {
            let there = format!("/there{path}?{}", request.query_string());
            HttpResponse::Found().insert_header(("Location", there)).finish()
        }
        Mood::Silent => std::future::pending().await,
    }
}

/// Where a redirect leads, everything works: whoever follows one is told what they want to hear.
fn works(request: &HttpRequest, body: &[u8], known: &mut Known) -> HttpResponse {
    let path = request.path().strip_prefix("/there").unwrap_or(request.path());
    let query = web::Query::<HashMap<String, String>>::from_query(request.query_string()).unwrap();
    let form = web::Query::<HashMap<String, String>>::from_query(
        std::str::from_utf8(body).unwrap_or_default(),
    );
    let form = form.map(web::Query::into_inner).unwrap_or_default();
    let header = request.headers().get("Authorization").and_then(|value| value.to_str().ok());
    let header = header.unwrap_or_default();
    match path {
        "/apple/keys" | "/limited/jwks/" | "/nintendo/jwks" => key_set(known),
        "/oauth2/v1/certs" => google_certificates(known),
        "/google/token" => redeem(known, &form),
        "/games/v1/players/me" => {
            told(known.tickets.get(header.trim_start_matches("Bearer ")).map(|all| &all["player"]))
        }
        "/v22.0/debug_token" => debug_token(known, &query),
        "/v22.0/me" => graph(known, &query, |all| all["me"].clone()),
        "/v22.0/me/friends" => facebook_friends(known, &query),
        "/ISteamUserAuth/AuthenticateUserTicket/v1/" => steam_ticket(known, &query),
        "/ISteamUser/GetFriendList/v0001/" => steam_friends(known, &query),
        "/xbox/users/me/profile/settings" => {
            told(header.strip_prefix("XBL3.0 x=17;").and_then(|token| known.tickets.get(token)))
        }
        "/psn/token" if is_psn(header) => redeem(known, &form),
        "/issuer.crt" => certificate(known, |apple| &apple.issuer),
        "/public-key/gc-test-1.cer" => certificate(known, |apple| &apple.leaf),
        "/public-key/gc-stranger.cer" => certificate(known, |apple| &apple.stranger),
        "/public-key/gc-expired.cer" => certificate(known, |apple| &apple.expired),
        "/public-key/gc-other.cer" => certificate(known, |apple| &apple.other),
        _ => match path.strip_prefix("/psn/token/") {
            Some(token) if is_psn(header) => told(known.tickets.get(token)),
            _ => oauth_roles::answer(request, path, body, &query, &form, known),
        },
    }
}

pub fn told(answer: Option<&Value>) -> HttpResponse {
    answer.map_or_else(
        || HttpResponse::Unauthorized().finish(),
        |answer| HttpResponse::Ok().json(answer),
    )
}

fn is_psn(header: &str) -> bool {
    use base64::Engine as _;
    let pair =
        base64::engine::general_purpose::STANDARD.encode(format!("{PSN_CLIENT}:{PSN_SECRET}"));
    header == format!("Basic {pair}")
}

pub fn key_set(known: &Known) -> HttpResponse {
    let mut keys = vec![json!({"kty": "EC", "kid": "E1", "crv": "P-256", "x": "", "y": ""})];
    keys.extend(known.keys.iter().map(|(id, key)| key.jwk(id)));
    keys.extend([EcKey::get().jwk("EC1"), EdKey::get().jwk("ED1")]);
    let mut answer = HttpResponse::Ok();
    if let Some(value) = &known.cache_control {
        answer.insert_header(("Cache-Control", value.as_str()));
    }
    answer.json(json!({"keys": keys}))
}

fn google_certificates(known: &Known) -> HttpResponse {
    let pems = known
        .keys
        .iter()
        .map(|(id, key)| (id.clone(), Value::from(certificates::google(key, known.google_valid))));
    let mut all: serde_json::Map<_, _> = pems.collect();
    all.insert("broken".into(), "-----BEGIN CERTIFICATE-----".into());
    HttpResponse::Ok().json(all)
}

/// A code becomes an access token, once.
fn redeem(known: &mut Known, form: &HashMap<String, String>) -> HttpResponse {
    let is_complete = form.get("grant_type").is_some_and(|kind| kind == "authorization_code")
        && form.get("redirect_uri").is_some_and(|uri| uri.starts_with("https://game.example/"));
    let behind =
        form.get("code").filter(|_| is_complete).and_then(|code| known.tickets.remove(code));
    let Some(behind) = behind else {
        return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    };
    let access_token = format!("access-{}", known.asked.len());
    known.tickets.insert(access_token.clone(), behind);
    HttpResponse::Ok()
        .json(json!({"access_token": access_token, "token_type": "Bearer", "expires_in": 3600}))
}

fn debug_token(known: &Known, query: &HashMap<String, String>) -> HttpResponse {
    if query.get("access_token") != Some(&format!("{FACEBOOK_APP}|{FACEBOOK_SECRET}")) {
        return HttpResponse::BadRequest().finish();
    }
    let found = query.get("input_token").and_then(|token| known.tickets.get(token));
    let unknown = json!({"is_valid": false, "error": {"code": 190, "message": "Invalid"}});
    HttpResponse::Ok().json(json!({"data": found.map_or(&unknown, |all| &all["data"])}))
}

/// The Graph API, for those who prove that they have the app's secret.
fn graph(
    known: &Known,
    query: &HashMap<String, String>,
    answer: impl Fn(&Value) -> Value,
) -> HttpResponse {
    use std::fmt::Write as _;

    use aws_lc_rs::hmac;
    let token = query.get("access_token").map_or("", String::as_str);
    let key = hmac::Key::new(hmac::HMAC_SHA256, FACEBOOK_SECRET.as_bytes());
    let proof = hmac::sign(&key, token.as_bytes());
    let proof = proof.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    match known.tickets.get(token).filter(|_| query.get("appsecret_proof") == Some(&proof)) {
        Some(all) => HttpResponse::Ok().json(answer(all)),
        None => HttpResponse::BadRequest().json(json!({"error": {"code": 190}})),
    }
}

/// One friend a page, and a `next` that leads nowhere good.
fn facebook_friends(known: &Known, query: &HashMap<String, String>) -> HttpResponse {
    let token = query.get("access_token").cloned().unwrap_or_default();
    let friends = known.friends.get(&token).cloned().flatten().unwrap_or_default();
    let at: usize = query.get("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let data: Vec<_> = friends.iter().skip(at).take(1).map(|id| json!({"id": id})).collect();
    let mut page = json!({"data": data, "paging": {"cursors": {"before": "b", "after": (at + 1).to_string()}}});
    if at + 1 < friends.len() {
        page["paging"]["next"] = "http://169.254.169.254/next".into();
    }
    graph(known, query, |_| page.clone())
}

fn steam_ticket(known: &Known, query: &HashMap<String, String>) -> HttpResponse {
    if query.get("key").is_none_or(|key| key != STEAM_KEY) {
        return HttpResponse::Forbidden().finish();
    }
    let hex = query.get("ticket").map_or("", String::as_str);
    let bytes = hex
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let ticket = String::from_utf8(bytes.collect()).unwrap_or_default();
    let is_our_app = query.get("appid") == Some(&STEAM_APP.to_string());
    HttpResponse::Ok().json(match known.tickets.get(&ticket).filter(|_| is_our_app) {
        Some(params) => json!({"response": {"params": params}}),
        None => json!({"response": {"error": {"errorcode": 101, "errordesc": "Invalid ticket"}}}),
    })
}

fn steam_friends(known: &Known, query: &HashMap<String, String>) -> HttpResponse {
    let of = query.get("steamid").map_or("", String::as_str);
    let is_allowed = query.get("key").is_some_and(|key| key == STEAM_KEY);
    match known.friends.get(of).filter(|_| is_allowed).cloned().flatten() {
        None => HttpResponse::Unauthorized().finish(),
        Some(ids) => {
            let friend = |id| json!({"steamid": id, "relationship": "friend", "friend_since": 1});
            let friends: Vec<_> = ids.into_iter().map(friend).collect();
            HttpResponse::Ok().json(json!({"friendslist": {"friends": friends}}))
        }
    }
}

fn certificate(known: &Known, which: impl Fn(&certificates::Apple) -> &Vec<u8>) -> HttpResponse {
    let apple = known.apple.as_ref().unwrap();
    HttpResponse::Ok().content_type("application/pkix-cert").body(which(apple).clone())
}
