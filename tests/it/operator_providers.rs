//! Operators who sign in at an identity provider: bound, unbound, invited, asked for the code; and
//! everything that must not let anybody in.

use anteroom::config::Config;
use anteroom::domain::account::LinkKind;
use serde_json::{Value, json};

use crate::fakes::Mood;
use crate::fakes::Providers;
use crate::fakes::oauth::CLUB;
use crate::harness::{Answer, TestServer};
use crate::openapi::Described;
use crate::operator_session::{Browser, PASSWORD, enrol, enrol_as, refused, with_ada};
use crate::pragma_client::Tokens;
use crate::pragma_office::social_id;

pub const OKTA: LinkKind = LinkKind::Okta;
const BACK: &str = "/";
const AGAIN: &str = "/#/sign-in?again";

/// Providers, and a server whose operators may sign in by some of them; ada is one, by password.
pub async fn office(set: impl FnOnce(&mut Config)) -> (Providers, TestServer, Browser) {
    let fakes = Providers::start(&TestServer::noon()).await;
    let (server, ada) = with_ada(|config| {
        fakes.config(config);
        let offered = ["okta", "google", "discord", "club"];
        config.operators.providers = offered.map(str::to_owned).to_vec();
        set(config);
    })
    .await;
    // Both tell the time by their own clock, which begins at the same moment.
    (fakes, server, ada)
}

/// Goes to a provider: the address of its page.
async fn goes(page: &mut Browser, provider: &str, ask: Value) -> String {
    let begun = page.ask("POST", &format!("/session/providers/{provider}"), ask).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    begun.str("/url").to_owned()
}

/// There and back: where the console is, and who the session says is there.
pub async fn trip(
    fakes: &Providers,
    page: &mut Browser,
    kind: LinkKind,
    (ask, who): (Value, Value),
) -> Answer {
    let name = match kind {
        LinkKind::Studio(_) => "club",
        kind => kind.name(),
    };
    let address = goes(page, name, ask).await;
    let back = fakes.page(kind, &address, who);
    assert_eq!(page.comes_back(&back).await, (303, BACK.to_owned()));
    page.get("/session").await
}

pub fn for_(purpose: &str) -> Value {
    json!({ "for": purpose })
}

#[track_caller]
fn told(answer: &Answer, status: u16, why: &str) {
    let got = (answer.status, answer.json["attempt"]["why"].as_str());
    assert_eq!(got, (status, Some(why)), "{}", answer.text);
    assert!(!answer.str("/attempt/message").is_empty());
}

#[actix_rt::test]
async fn an_operator_signs_in_by_a_provider_that_she_has_bound() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let api = Described::read_from(&format!("{}/v1/operator/openapi.json", ada.base)).await;
    let session = api.operations().into_iter().find(|(.., it)| it["operationId"] == "session");
    let check = |answer: &Answer| api.check(&session.as_ref().unwrap().2, answer);
    let who = json!({"sub": "ada-there", "email": "ada@studio.example", "email_verified": true});
    let bound = trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    assert_eq!((bound.status, bound.str("/bindings/0/provider")), (200, "okta"), "{}", bound.text);
    assert_eq!(bound.str("/bindings/0/name"), "ada@studio.example");
    check(&bound);

    let mut page = Browser::at(&server);
    let nobody = page.get("/session").await;
    let titles: Vec<_> =
        nobody.json["providers"].as_array().unwrap().iter().map(|it| it["title"].clone()).collect();
    assert_eq!(titles, ["Okta", "Google", "Discord", "CLUB"]);
    check(&nobody);
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who.clone())).await;
    assert_eq!((seen.status, seen.str("/name")), (200, "ada@example.org"), "{}", seen.text);
    assert!(seen.json.get("attempt").is_none() && seen.json["csrf"].is_string());
    assert_eq!(page.ask("POST", "/queue/changes", json!({"rate": 7.0})).await.status, 201);
    assert!(fakes.last("/okta/token").is_some());

    // Players' doors know nothing of it: for them she is somebody new.
    let player = server.door_of_players(&fakes).await;
    assert_ne!(player, seen.str("/id"));

    // The others do as well, each in its own way.
    for (kind, who) in [
        (LinkKind::Google, json!({"sub": "g-ada"})),
        (LinkKind::Discord, json!({"user": {"id": "77", "username": "ada"}})),
        (LinkKind::Studio(CLUB), json!({"sub": "c-ada"})),
    ] {
        let bound = trip(&fakes, &mut ada, kind, (for_("bind"), who.clone())).await;
        assert!(bound.json.get("attempt").is_none(), "{kind:?} {}", bound.text);
        let mut page = Browser::at(&server);
        let seen = trip(&fakes, &mut page, kind, (for_("sign_in"), who)).await;
        assert_eq!((seen.status, seen.str("/name")), (200, "ada@example.org"), "{}", seen.text);
    }
    assert_eq!(
        ada.get("/operators").await.json["operators"][0]["providers"].as_array().unwrap().len(),
        4
    );

    // It outlives the process.
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |config| {
        fakes.config(config);
        config.operators.providers = vec!["okta".into()];
    })
    .await;
    let mut page = Browser::at(&server);
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who)).await;
    assert_eq!((seen.status, seen.str("/name")), (200, "ada@example.org"), "{}", seen.text);
    drop(server);
    let chain = std::fs::read_dir(folder.path().join("audit")).unwrap();
    let chain: String =
        chain.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(
        chain.matches(r#""kind":"operator_provider","provider":"okta","on":true"#).count(),
        1
    );
    assert_eq!(chain.matches(r#""kind":"operator_signed_in","by":"okta""#).count(), 2, "{chain}");
    assert!(!chain.contains("ada-there") && !chain.contains("studio.example"));
}

impl TestServer {
    /// The account of a player with ada's id at the provider.
    async fn door_of_players(&self, fakes: &Providers) -> String {
        let token = fakes.id_token(OKTA, json!({"sub": "ada-there"}));
        let body = json!({"providerId": "OKTA", "providerToken": token});
        let made = self.plain("POST", "/v1/accounts/createaccountv1", Some(body)).await;
        social_id(&Tokens::of(&made))
    }
}

/// Kim takes an invitation up at the provider: his browser, and what it is told of its session then.
async fn kim_joins(fakes: &Providers, server: &TestServer, ada: &mut Browser) -> (Browser, Answer) {
    let admin = json!("00000000-0000-0000-0000-000000000001");
    let wish = json!({"label": "kim", "roles": [admin]});
    let code = ada.ask("POST", "/operators", wish).await.str("/code").to_owned();
    let mut kim = Browser::at(server);
    let accept = json!({"for": "accept", "code": code, "email": "kim@example.org"});
    let joined = trip(fakes, &mut kim, OKTA, (accept, json!({"sub": "kim"}))).await;
    (kim, joined)
}

#[actix_rt::test]
async fn whom_a_provider_knows_and_nobody_bound_is_refused_alike() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let (mut kim, joined) = kim_joins(&fakes, &server, &mut ada).await;
    assert_eq!((joined.status, joined.str("/name")), (200, "kim@example.org"), "{}", joined.text);
    let gone = format!("/operators/{}", joined.str("/id"));
    assert_eq!(ada.ask("DELETE", &gone, Value::Null).await.status, 204);
    refused(&kim.get("/session").await, 401, "token");

    let mut texts = Vec::new();
    for who in [
        json!({"sub": "nobody"}),
        json!({"sub": "kim"}),
        // An address that is the same proves nothing, verified or not.
        json!({"sub": "eve", "email": "ada@example.org", "email_verified": true}),
        json!({"sub": "ADA-THERE"}),
    ] {
        let mut page = Browser::at(&server);
        let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who)).await;
        told(&seen, 401, "no_operator");
        texts.push(seen.text);
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    // One provider does not speak for another's people.
    let who = json!({"sub": "ada-there"});
    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    let mut page = Browser::at(&server);
    let seen = trip(&fakes, &mut page, LinkKind::Studio(CLUB), (for_("sign_in"), who)).await;
    told(&seen, 401, "no_operator");
    // Nor is a provider asked that operators may not sign in by.
    let other = page.ask("POST", "/session/providers/auth0", for_("sign_in")).await;
    refused(&other, 404, "not_there");
}

/// The code in an address that a provider sends somebody back to.
fn code_of(back: &str) -> String {
    let code = back.split_once("code=").unwrap().1;
    code.split('&').next().unwrap().to_owned()
}

#[actix_rt::test]
async fn who_comes_back_is_who_went_once_and_with_the_answer_to_that_sign_in() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let who = json!({"sub": "ada-there"});
    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    let began = async |page: &mut Browser| goes(page, "okta", for_("sign_in")).await;
    let refused_here = async |page: &mut Browser, back: &str| {
        assert_eq!(page.comes_back(back).await, (303, AGAIN.to_owned()), "{back}");
        assert_eq!(page.get("/session").await.status, 401, "{back}");
    };

    let mut page = Browser::at(&server);
    let back = fakes.page(OKTA, &began(&mut page).await, who.clone());
    // In another browser, with or without a sign-in of its own; with another state; by another path.
    let (mut bare, mut other) = (Browser::at(&server), Browser::at(&server));
    began(&mut other).await;
    refused_here(&mut bare, &back).await;
    refused_here(&mut other, &back).await;
    let (head, state) = back.rsplit_once("state=").unwrap();
    refused_here(&mut page, &format!("{head}state={}", state.to_lowercase())).await;
    refused_here(&mut page, head).await;
    refused_here(&mut page, &back.replace("/okta/", "/club/")).await;
    // None of that spoils it; and it is good once.
    assert_eq!(page.comes_back(&back).await, (303, BACK.to_owned()));
    assert_eq!(page.get("/session").await.status, 200);
    let mut replayed = page.clone();
    assert_eq!(replayed.comes_back(&back).await, (303, AGAIN.to_owned()));

    // A code that was made for somebody else's sign-in (PKCE), and an id token (nonce).
    let (mut page, mut eve) = (Browser::at(&server), Browser::at(&server));
    let mine = fakes.page(OKTA, &began(&mut page).await, json!({"sub": "eve"}));
    let stolen = fakes.page(OKTA, &began(&mut eve).await, who.clone());
    let injected = mine.replace(&code_of(&mine), &code_of(&stolen));
    assert_eq!(page.comes_back(&injected).await, (303, BACK.to_owned()));
    told(&page.get("/session").await, 401, "not_proven");
    for changes in [
        json!({"sub": "ada-there", "nonce": "of another sign-in"}),
        json!({"sub": "ada-there", "nonce": null}),
        json!({"sub": "ada-there", "aud": "another-client"}),
        json!({"sub": "ada-there", "iss": "https://evil.example"}),
        json!({"sub": "ada-there", "exp": 1}),
    ] {
        let mut page = Browser::at(&server);
        let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), changes)).await;
        told(&seen, 401, "not_proven");
    }
}

#[actix_rt::test]
async fn a_provider_that_says_no_or_nothing_lets_nobody_in_nor_does_who_is_late_or_elsewhere() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let who = json!({"sub": "ada-there"});
    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    let mut page = Browser::at(&server);
    let back = fakes.page(OKTA, &goes(&mut page, "okta", for_("sign_in")).await, who.clone());
    let no = back.replace(&format!("code={}", code_of(&back)), "error=access_denied");
    assert_eq!(page.comes_back(&no).await, (303, BACK.to_owned()));
    told(&page.get("/session").await, 401, "not_proven");
    fakes.mood("/okta/token", Mood::Status(500));
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who.clone())).await;
    told(&seen, 401, "provider_away");
    fakes.mood("/okta/token", Mood::Works);

    // Too late.
    let back = fakes.page(OKTA, &goes(&mut page, "okta", for_("sign_in")).await, who);
    server.pass_ms(600_000).await;
    assert_eq!(page.comes_back(&back).await, (303, AGAIN.to_owned()));
    assert_eq!(page.get("/session").await.status, 401);
    // And no other page begins one.
    let foreign = [("origin", "https://evil.example")];
    let told = page.ask_as("POST", "/session/providers/okta", &foreign, for_("sign_in")).await;
    refused(&told, 403, "csrf");
    refused(
        &page.ask_as("POST", "/session/providers/okta", &[], for_("sign_in")).await,
        403,
        "csrf",
    );
}

#[actix_rt::test]
async fn the_code_is_asked_for_after_a_provider_unless_that_is_trusted() {
    let (fakes, server, mut ada) = office(|config| config.dev = false).await;
    refused(&ada.ask("POST", "/session/providers/okta", for_("bind")).await, 403, "totp_needed");
    let (phone, recovery) = enrol(&server, &mut ada).await;
    let who = json!({"sub": "ada-there"});
    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    server.pass_ms(30_000).await;

    let mut page = Browser::at(&server);
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who.clone())).await;
    told(&seen, 401, "totp");
    refused(&page.get("/queue").await, 401, "token");
    let show = |code: &str| json!({ "totp": code });
    refused(&page.ask("POST", "/session/code", show("")).await, 401, "totp");
    refused(&page.ask("POST", "/session/code", show("123456")).await, 401, "wrong_totp");
    let shown = phone.shows(&server, 0);
    let mut other = Browser::at(&server);
    refused(&other.ask("POST", "/session/code", show(&shown)).await, 403, "start_again");
    let opened = page.ask("POST", "/session/code", show(&shown)).await;
    assert_eq!((opened.status, opened.str("/name")), (201, "ada@example.org"), "{}", opened.text);
    assert_eq!(page.ask("POST", "/tokens", token("scripts")).await.status, 201, "it is fresh");
    refused(&page.ask("POST", "/session/code", show(&recovery[0])).await, 403, "start_again");

    // Who was taken away meanwhile does not get in by a code.
    let mut late = Browser::at(&server);
    trip(&fakes, &mut late, OKTA, (for_("sign_in"), who.clone())).await;
    assert_eq!(ada.ask("DELETE", "/session/providers/okta", Value::Null).await.status, 204);
    refused(&late.ask("POST", "/session/code", show(&recovery[0])).await, 401, "no_operator");

    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    let clock = server.clock.clone();
    let folder = server.stop().unwrap();
    let server = TestServer::start_on(folder.path(), clock, |config| {
        fakes.config(config);
        config.dev = false;
        config.operators.providers = vec!["okta".into()];
        config.operators.trust_provider_mfa = true;
    })
    .await;
    let mut page = Browser::at(&server);
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who)).await;
    assert_eq!((seen.status, &seen.json["needs_totp"]), (200, &json!(false)), "{}", seen.text);
    drop(server);
}

fn token(label: &str) -> Value {
    json!({"label": label, "permissions": ["queue.dials.get"], "days": 1})
}

#[actix_rt::test]
async fn an_invitation_is_taken_up_by_a_provider_and_one_account_there_is_one_operators() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let admin = json!("00000000-0000-0000-0000-000000000001");
    let mut invite = async |label: &str| {
        let wish = json!({"label": label, "roles": [admin]});
        ada.ask("POST", "/operators", wish).await.str("/code").to_owned()
    };
    let (first, second) = (invite("kim").await, invite("lea").await);
    let accept = |code: &str, email: &str| json!({"for": "accept", "code": code, "email": email});
    let mut kim = Browser::at(&server);
    let wrong = kim.ask("POST", "/session/providers/okta", accept("AAAAA-AAAAA", "")).await;
    refused(&wrong, 403, "wrong_code");
    // Nobody types an address: the provider's says what they are called.
    let who = json!({"sub": "kim", "email": "Kim@studio.example"});
    let joined = trip(&fakes, &mut kim, OKTA, (accept(&first, ""), who.clone())).await;
    assert_eq!(
        (joined.status, joined.str("/name")),
        (200, "kim@studio.example"),
        "{}",
        joined.text
    );
    assert_eq!(
        (&joined.json["password"], &joined.json["permissions"]),
        (&json!(false), &json!(["*"]))
    );
    refused(&kim.sign_in("kim@studio.example", "", "").await, 401, "wrong");
    let again = kim.ask("POST", "/session/providers/okta", accept(&first, "")).await;
    refused(&again, 403, "wrong_code");

    let mut lea = Browser::at(&server);
    let same = trip(&fakes, &mut lea, OKTA, (accept(&second, "lea@example.org"), who)).await;
    told(&same, 401, "taken");
    let nameless = json!({"sub": "lea"});
    let same = trip(&fakes, &mut lea, OKTA, (accept(&second, ""), nameless.clone())).await;
    told(&same, 401, "bad_address");
    let theirs = accept(&second, "ada@example.org");
    let same = trip(&fakes, &mut lea, OKTA, (theirs, nameless.clone())).await;
    told(&same, 401, "address_taken");
    let joins = (accept(&second, "lea@example.org"), nameless);
    let joined = trip(&fakes, &mut lea, OKTA, joins).await;
    assert_eq!((joined.status, joined.str("/name")), (200, "lea@example.org"), "as good as before");

    // She cannot take kim's, either.
    let taken = trip(&fakes, &mut lea, OKTA, (for_("bind"), json!({"sub": "kim"}))).await;
    told(&taken, 200, "taken");
    assert_eq!(taken.json["bindings"].as_array().unwrap().len(), 1);
}

#[actix_rt::test]
async fn the_first_operator_may_come_from_a_provider() {
    let fakes = Providers::start(&TestServer::noon()).await;
    let server = TestServer::start(|config| {
        fakes.config(config);
        config.operators.providers = vec!["okta".into()];
    })
    .await;
    let mut page = Browser::at(&server);
    let ask = |code: &str| json!({"for": "setup", "code": code, "email": "ada@example.org"});
    let wrong = page.ask("POST", "/session/providers/okta", ask("AAAAA-AAAAA")).await;
    refused(&wrong, 403, "wrong_code");
    let code = server.setup_code.clone().unwrap();
    let made = trip(&fakes, &mut page, OKTA, (ask(&code), json!({"sub": "ada"}))).await;
    assert_eq!((made.status, &made.json["permissions"]), (200, &json!(["*"])), "{}", made.text);
    let late = page.ask("POST", "/session/providers/okta", ask(&code)).await;
    refused(&late, 409, "setup_over");
    let mut page = Browser::at(&server);
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), json!({"sub": "ada"}))).await;
    assert_eq!((seen.status, seen.str("/name")), (200, "ada@example.org"));
}

#[actix_rt::test]
async fn who_has_no_password_proves_anew_at_the_provider_or_by_a_code() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let (mut kim, joined) = kim_joins(&fakes, &server, &mut ada).await;
    assert_eq!(joined.status, 200, "{}", joined.text);
    assert_eq!(kim.ask("POST", "/tokens", token("a")).await.status, 201, "new, so fresh");
    server.pass_ms(600_000).await;
    refused(&kim.ask("POST", "/tokens", token("b")).await, 403, "step_up");
    refused(&kim.ask("POST", "/session/step-up", json!({})).await, 409, "no_step_up");
    refused(
        &kim.ask("POST", "/session/providers/google", for_("step_up")).await,
        409,
        "no_step_up",
    );

    let now_s = server.clock.now().as_secs();
    let address = goes(&mut kim, "okta", for_("step_up")).await;
    assert!(address.contains("prompt=login") && address.contains("max_age=0"), "{address}");
    for (who, why) in [
        (json!({"sub": "kim"}), "not_proven"),
        (json!({"sub": "kim", "auth_time": now_s - 60}), "not_proven"),
        (json!({"sub": "ada", "auth_time": now_s}), "other_account"),
    ] {
        let seen = trip(&fakes, &mut kim, OKTA, (for_("step_up"), who)).await;
        told(&seen, 200, why);
        refused(&kim.ask("POST", "/tokens", token("b")).await, 403, "step_up");
    }
    let anew = json!({"sub": "kim", "auth_time": now_s});
    let seen = trip(&fakes, &mut kim, OKTA, (for_("step_up"), anew.clone())).await;
    assert!(seen.json.get("attempt").is_none(), "{}", seen.text);
    assert_eq!(kim.ask("POST", "/tokens", token("b")).await.status, 201);

    // Who has been signed in there for long did not show anything now.
    let mut page = Browser::at(&server);
    for (who, status) in [
        (json!({"sub": "kim"}), 403),
        (json!({"sub": "kim", "auth_time": now_s - 601}), 403),
        (anew, 201),
    ] {
        trip(&fakes, &mut page, OKTA, (for_("sign_in"), who)).await;
        assert_eq!(page.ask("POST", "/tokens", token("c")).await.status, status);
    }
    // The first authenticator may be set up all the same; then its code is enough.
    trip(&fakes, &mut page, OKTA, (for_("sign_in"), json!({"sub": "kim"}))).await;
    let (phone, _) = enrol_as(&server, &mut page, "kim%40example.org").await;
    server.pass_ms(600_000).await;
    refused(&page.ask("POST", "/tokens", token("d")).await, 403, "step_up");
    refused(&page.ask("POST", "/session/step-up", json!({})).await, 401, "totp");
    let shown = json!({"totp": phone.shows(&server, 0)});
    assert_eq!(page.ask("POST", "/session/step-up", shown).await.status, 200);
    assert_eq!(page.ask("POST", "/tokens", token("d")).await.status, 201);
}

#[actix_rt::test]
async fn a_provider_is_taken_away_by_a_fresh_proof_and_never_the_last_way_in() {
    let (fakes, server, mut ada) = office(|_| {}).await;
    let who = json!({"sub": "ada-there"});
    trip(&fakes, &mut ada, OKTA, (for_("bind"), who.clone())).await;
    let mut page = Browser::at(&server);
    trip(&fakes, &mut page, OKTA, (for_("sign_in"), who.clone())).await;
    server.pass_ms(600_000).await;
    refused(&ada.ask("POST", "/session/providers/club", for_("bind")).await, 403, "step_up");
    refused(&ada.ask("DELETE", "/session/providers/okta", Value::Null).await, 403, "step_up");
    assert_eq!(
        ada.ask("POST", "/session/step-up", json!({"password": PASSWORD})).await.status,
        200
    );
    refused(&ada.ask("DELETE", "/session/providers/club", Value::Null).await, 404, "not_there");
    assert_eq!(ada.ask("DELETE", "/session/providers/okta", Value::Null).await.status, 204);
    refused(&page.get("/session").await, 401, "token");
    let seen = trip(&fakes, &mut page, OKTA, (for_("sign_in"), who)).await;
    told(&seen, 401, "no_operator");

    // A session that was ended while its owner was away binds nothing.
    let address = goes(&mut ada, "okta", for_("bind")).await;
    let back = fakes.page(OKTA, &address, json!({"sub": "ada-there"}));
    assert_eq!(ada.clone().ask("DELETE", "/session", Value::Null).await.status, 204);
    assert_eq!(ada.comes_back(&back).await, (303, BACK.to_owned()));
    told(&ada.get("/session").await, 401, "start_again");
    ada.sign_in("ada@example.org", PASSWORD, "").await;
    assert_eq!(ada.get("/session").await.json["bindings"], json!([]));

    let admin = json!("00000000-0000-0000-0000-000000000001");
    let wish = json!({"label": "kim", "roles": [admin]});
    let code = ada.ask("POST", "/operators", wish).await.str("/code").to_owned();
    let mut kim = Browser::at(&server);
    let accept = json!({"for": "accept", "code": code, "email": "kim@example.org"});
    trip(&fakes, &mut kim, OKTA, (accept, json!({"sub": "kim"}))).await;
    refused(&kim.ask("DELETE", "/session/providers/okta", Value::Null).await, 409, "last_link");
}
