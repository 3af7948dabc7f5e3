//! Signed tokens: Apple, Google, Facebook's Limited Login, Nintendo, and the signed player info of
//! Instant Games. Each good, and wrong in every single way.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::fakes::keys::RsaKey;
use crate::fakes::{BUNDLE, FACEBOOK_APP, GOOGLE_CLIENT, NINTENDO_AUDIENCE};

type Issue = fn(&fakes::Providers, Value) -> Proof;

/// Whose tokens they are, how one is made, and whom it is for.
const KINDS: [(LinkKind, Issue, &str); 4] = [
    (LinkKind::Apple, |fakes, claims| apple(fakes.apple_token(claims)), BUNDLE),
    (LinkKind::Google, |fakes, claims| google(fakes.google_token(claims)), GOOGLE_CLIENT),
    (LinkKind::Facebook, |fakes, claims| facebook(fakes.limited_token(claims)), FACEBOOK_APP),
    (LinkKind::Nintendo, |fakes, claims| nintendo(fakes.nintendo_token(claims)), NINTENDO_AUDIENCE),
];

fn again(kind: LinkKind, token: String) -> Proof {
    match kind {
        LinkKind::Apple => apple(token),
        LinkKind::Google => google(token),
        LinkKind::Facebook => facebook(token),
        _ => nintendo(token),
    }
}

fn text(proof: &Proof) -> String {
    match proof {
        Proof::Apple(text)
        | Proof::Google(text)
        | Proof::Facebook(text)
        | Proof::Nintendo(text) => text.to_string(),
        _ => unreachable!("only signed tokens here"),
    }
}

#[actix_web::test]
async fn a_good_token_proves_its_subject() {
    let bench = Bench::start().await;
    for (kind, issue, audience) in KINDS {
        let proof = issue(&bench.fakes, json!({"sub": "p-7"}));
        assert_eq!(bench.verify(&proof).await.unwrap().link, link(kind, "p-7"));
        let many = issue(&bench.fakes, json!({"aud": ["another", audience]}));
        assert_eq!(bench.id(&many).await, "player-1", "{kind:?}");
        let figures = bench.providers.figures().of(kind).unwrap();
        assert_eq!(figures.ok.load(std::sync::atomic::Ordering::Relaxed), 2, "{kind:?}");
    }
}

#[actix_web::test]
async fn every_wrong_claim_is_refused() {
    let bench = Bench::start().await;
    let now = bench.fakes.now_s();
    for (kind, issue, _) in KINDS {
        for wrong in [
            json!({"exp": now - 31}),
            json!({"exp": null}),
            json!({"exp": "later"}),
            json!({"nbf": now + 31}),
            json!({"iat": now + 31}),
            json!({"iss": "https://evil.example"}),
            json!({"iss": null}),
            json!({"aud": "com.evil.app"}),
            json!({"aud": ["com.evil.app"]}),
            json!({"aud": null}),
            json!({"aud": ""}),
            json!({"sub": ""}),
            json!({"sub": null}),
            json!({"sub": "x".repeat(129)}),
            json!({"sub": "a\u{0}b"}),
        ] {
            let result = bench.verify(&issue(&bench.fakes, wrong.clone())).await;
            assert!(
                matches!(result, Err(IdentityError::Refused(..))),
                "{kind:?} {wrong} {result:?}"
            );
        }
        // A clock that is a little off is not a reason.
        let skewed = json!({"exp": now - 29, "iat": now + 30, "nbf": now + 30});
        assert!(bench.verify(&issue(&bench.fakes, skewed)).await.is_ok(), "{kind:?}");
    }
}

#[actix_web::test]
async fn a_token_expires_while_the_clock_runs() {
    let bench = Bench::start().await;
    let proof = apple(bench.fakes.apple_token(json!({})));
    bench.clock.advance_ms(3_629_000);
    assert!(bench.verify(&proof).await.is_ok());
    bench.clock.advance_ms(1_000);
    is_refused(&bench.verify(&proof).await);
}

#[actix_web::test]
async fn a_token_of_one_provider_is_nothing_at_another() {
    let bench = Bench::start().await;
    for (kind, issue, _) in KINDS {
        for (other, ..) in KINDS.iter().filter(|(other, ..)| *other != kind) {
            let token = text(&issue(&bench.fakes, json!({"aud": BUNDLE})));
            is_refused(&bench.verify(&again(*other, token)).await);
        }
    }
}

#[actix_web::test]
async fn only_the_published_key_signs() {
    let bench = Bench::start().await;
    let pem = RsaKey::nth(0).public_pem();
    for (kind, issue, _) in KINDS {
        let good = text(&issue(&bench.fakes, json!({})));
        let parts: Vec<&str> = good.split('.').collect();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut forged = Vec::new();
        // Another key under the known key id.
        let header = json!({"alg": "RS256", "kid": "K1"});
        forged.push(RsaKey::nth(1).token(&header, &claims));
        // No signature at all, and none by another name.
        for alg in ["none", "None", "NONE", ""] {
            forged.push(format!("{}.{}.", part(&json!({"alg": alg, "kid": "K1"})), parts[1]));
            forged.push(format!(
                "{}.{}.{}",
                part(&json!({"alg": alg, "kid": "K1"})),
                parts[1],
                parts[2]
            ));
        }
        // HMAC with the public key as the secret.
        let message = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "K1"})), parts[1]);
        for secret in [pem.as_bytes(), RsaKey::nth(0).pair.public_key_raw()] {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            forged.push(format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)));
        }
        // The right key with another algorithm's name, no key id, an extension that must be known.
        for header in [
            json!({"alg": "RS512", "kid": "K1"}),
            json!({"alg": "RS256"}),
            json!({"alg": "RS256", "kid": 7}),
            json!({"alg": "RS256", "kid": "K1", "crit": ["exp"]}),
            json!({"kid": "K1"}),
        ] {
            forged.push(RsaKey::nth(0).token(&header, &claims));
        }
        // Other claims under the same signature; a signature cut short; padding; odd text.
        let mut changed = claims.clone();
        changed["sub"] = "victim".into();
        forged.push(format!("{}.{}.{}", parts[0], part(&changed), parts[2]));
        forged.push(format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 4]));
        forged.push(format!("{}.{}.{}==", parts[0], parts[1], parts[2]));
        forged.extend([
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!("{good}{}", "x".repeat(20_000)),
        ]);
        for token in forged {
            let result = bench.verify(&again(kind, token.clone())).await;
            assert!(
                matches!(result, Err(IdentityError::Refused(..))),
                "{kind:?} {token} {result:?}"
            );
        }
        assert!(bench.verify(&again(kind, good)).await.is_ok());
    }
}

#[actix_web::test]
async fn profiles_come_along_as_far_as_they_make_sense() {
    let bench = Bench::start().await;
    for verified in [json!(true), json!("true")] {
        let claims = json!({"email": "Ada@X.io", "email_verified": verified});
        let proof = apple(bench.fakes.apple_token(claims));
        let email = bench.verify(&proof).await.unwrap().profile.email.unwrap();
        assert_eq!((email.address.as_str(), email.verified), ("ada@x.io", true));
    }
    for verified in [json!(false), json!("false"), json!(1), Value::Null] {
        let claims = json!({"email": "ada@x.io", "email_verified": verified});
        let proof = apple(bench.fakes.apple_token(claims));
        assert!(!bench.verify(&proof).await.unwrap().profile.email.unwrap().verified);
    }
    let all = json!({
        "email": "g@x.io", "email_verified": true, "name": "Gee", "picture": "https://p.io/g",
        "iss": "https://accounts.google.com", "iat": bench.fakes.now_s().to_string(),
    });
    let profile = bench.verify(&google(bench.fakes.google_token(all))).await.unwrap().profile;
    assert_eq!(
        (profile.display_name.as_str(), profile.avatar_url.as_str()),
        ("Gee", "https://p.io/g")
    );
    let email = profile.email.unwrap();
    assert_eq!((email.address.as_str(), email.verified), ("g@x.io", true));
    let long = json!({"name": "n".repeat(256), "picture": format!("https://{}", "p".repeat(512)), "email": "no"});
    let profile = bench.verify(&google(bench.fakes.google_token(long))).await.unwrap().profile;
    assert_eq!(profile, anteroom::domain::account::Profile::default());
    // Facebook never says whether an address is the player's.
    let claims = json!({"email": "f@x.io", "email_verified": true, "name": "Eff", "aud": "4712"});
    let profile = bench.verify(&facebook(bench.fakes.limited_token(claims))).await.unwrap().profile;
    assert_eq!(profile.display_name, "Eff");
    assert!(!profile.email.unwrap().verified);
    let friends = bench.providers.friends(&facebook(bench.fakes.limited_token(json!({})))).await;
    assert!(matches!(friends, Err(IdentityError::Refused(..))), "Limited Login tells no friends");
}

#[actix_web::test]
async fn instant_games_are_checked_as_the_protocol_says() {
    let vector = "jvbH9oqz3AGdAdz7aintz-Wc3TVRWcRGWealKk8uQXg.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTc2NzIyNTYwMCwicGxheWVyX2lkIjoiMTIzNDU2Nzg5MCIsInJlcXVlc3RfcGF5bG9hZCI6IiJ9";
    let bench = Bench::start().await;
    is_refused(&bench.verify(&instant(vector)).await);
    let ageless = bench.others(|config| config.identity.facebook_instant_game.max_age_s = 0);
    let verified = ageless.verify(&instant(vector)).await.unwrap();
    assert_eq!(verified.link, link(LinkKind::FacebookInstantGame, "1234567890"));
    let padded = vector.replacen('.', "=.", 1);
    is_refused(&ageless.verify(&instant(padded)).await);
    assert_eq!(bench.fakes.asked("/"), 0, "nobody is asked");
}

#[actix_web::test]
async fn instant_games_wrong_in_every_way_are_refused() {
    let bench = Bench::start().await;
    let now = bench.fakes.now_s();
    assert_eq!(bench.id(&instant(bench.fakes.instant_info(json!({})))).await, "i1");
    let recent = json!({"issued_at": now - 86_400, "algorithm": "HS256"});
    assert_eq!(bench.id(&instant(bench.fakes.instant_info(recent))).await, "i1");
    for wrong in [
        json!({"issued_at": now - 86_401}),
        json!({"issued_at": now + 31}),
        json!({"algorithm": "none"}),
        json!({"algorithm": "HMAC-SHA512"}),
        json!({"algorithm": ""}),
        json!({"player_id": ""}),
        json!({"player_id": null}),
        json!({"player_id": "x".repeat(129)}),
    ] {
        is_refused(&bench.verify(&instant(bench.fakes.instant_info(wrong))).await);
    }
    let good = bench.fakes.instant_info(json!({}));
    let (signature, payload) = good.split_once('.').unwrap();
    let other = bench.others(|config| {
        config.identity.facebook_instant_game.app_secret = "another".into();
    });
    is_refused(&other.verify(&instant(good.clone())).await);
    for text in
        [String::new(), ".".into(), payload.into(), format!(".{payload}"), format!("{signature}.")]
    {
        is_refused(&bench.verify(&instant(text)).await);
    }
}
