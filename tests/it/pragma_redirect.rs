//! Sign-in at a provider's page and back (protocol-pragma §4.6): the state is checked.

use serde_json::json;

use crate::fakes;
use crate::harness::TestServer;

struct Page {
    status: u16,
    location: String,
    cookie: String,
    policy: String,
    html: String,
}

async fn get(server: &TestServer, path: &str, cookie: &str) -> Page {
    let client = awc::Client::builder().disable_redirects().finish();
    let request = client
        .get(server.url(path))
        .insert_header(("Accept", "text/html"))
        .insert_header(("Cookie", cookie.to_owned()));
    let mut answer = request.send().await.unwrap();
    let header = |name: &str| {
        let found = answer.headers().get(name).and_then(|value| value.to_str().ok());
        found.unwrap_or_default().to_owned()
    };
    let (location, cookie) = (header("location"), header("set-cookie"));
    let policy = header("content-security-policy");
    let html = answer.body().await.unwrap();
    Page {
        status: answer.status().as_u16(),
        location,
        cookie: cookie.split(';').next().unwrap().to_owned(),
        policy,
        html: String::from_utf8(html.to_vec()).unwrap(),
    }
}

fn state_of(location: &str) -> String {
    let query = location.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix("state="));
    found.expect("a state").to_owned()
}

#[actix_rt::test]
async fn a_code_goes_to_the_game_that_waits_for_it_and_to_the_browser_that_asked() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let start = get(&server, "/v1/account/discord-signin?port=49152", "").await;
    assert_eq!(start.status, 302);
    assert!(start.cookie.starts_with("anteroom-sign-in="), "{}", start.cookie);
    let state = state_of(&start.location);
    let back = |state: &str| format!("/v1/account/discord-redirect?code=c%22%3E1&state={state}");
    let page = get(&server, &back(&state), &start.cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("action=\"http://127.0.0.1:49152/\""), "{}", page.html);
    assert!(page.html.contains("value=\"c&quot;&gt;1\""), "{}", page.html);
    assert!(page.policy.contains("form-action http://127.0.0.1:49152;"), "{}", page.policy);

    // Another browser, another provider, a changed state, and too late: none gets to see the code.
    let other = "anteroom-sign-in=0123456789abcdef0123456789abcdef";
    let elsewhere = back(&state).replace("discord", "twitch");
    for (path, cookie) in [
        (back(&state), other),
        (back(&state), ""),
        (elsewhere, &start.cookie),
        (back(&state.replace("49152", "80")), &start.cookie),
    ] {
        let page = get(&server, &path, cookie).await;
        assert_eq!(page.status, 400, "{path}");
        assert!(!page.html.contains("c&quot;"), "{path}");
    }
    server.pass_ms(601_000).await;
    assert_eq!(get(&server, &back(&state), &start.cookie).await.status, 400);
}

#[actix_rt::test]
async fn a_game_that_opened_the_page_itself_gets_its_own_state_back() {
    let fakes = fakes::Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| fakes.config(config)).await;
    let path = "/redirect/SignInDiscord?code=c1&state=0123456789abcdef:49152";
    let page = get(&server, path, "").await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("value=\"0123456789abcdef:49152\""), "{}", page.html);
    let copied = get(&server, "/redirect/LinkDiscord?code=c1&state=0123456789abcdef", "").await;
    assert!(copied.html.contains("<code>c1</code>"), "{}", copied.html);
    for bad in [
        "/redirect/SignInDiscord?code=c1",
        "/redirect/SignInDiscord?code=c1&state=short",
        "/redirect/SignInDiscord?error=access_denied&state=0123456789abcdef",
    ] {
        assert_eq!(get(&server, bad, "").await.status, 400, "{bad}");
    }
    let unknown = get(&server, "/redirect/SignInNobody?code=c1&state=0123456789abcdef", "").await;
    let error: serde_json::Value = serde_json::from_str(&unknown.html).unwrap();
    let named = &error["serviceError"]["error"];
    assert_eq!((unknown.status, named), (400, &json!("AccountService_InvalidIdProvider")));
}
