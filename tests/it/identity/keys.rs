//! How long keys are kept, and what happens when they change or cannot be had.

use serde_json::json;

use super::*;
use crate::fakes::Mood;

const KEYS: &str = "/apple/keys";

#[actix_web::test]
async fn keys_are_fetched_once_for_all_who_wait() {
    let bench = Bench::start().await;
    let proof = apple(bench.fakes.apple_token(json!({})));
    let all = futures_util::future::join_all((0..20).map(|_| bench.verify(&proof))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(bench.fakes.asked(KEYS), 1);
    // Fresh for an hour.
    bench.clock.advance_ms(3_599_000);
    assert!(bench.verify(&proof).await.is_ok());
    assert_eq!(bench.fakes.asked(KEYS), 1);
    bench.clock.advance_ms(1_000);
    assert!(bench.verify(&apple(bench.fakes.apple_token(json!({})))).await.is_ok());
    assert_eq!(bench.fakes.asked(KEYS), 2);
}

#[actix_web::test]
async fn the_provider_says_how_long_within_bounds() {
    for (says, s) in [
        ("public, max-age=1200, no-transform", 1_200),
        ("max-age=1", 300),
        ("max-age=999999999", 86_400),
    ] {
        let bench = Bench::start().await;
        bench.fakes.cache_control(says);
        let token = || apple(bench.fakes.apple_token(json!({})));
        assert!(bench.verify(&token()).await.is_ok());
        bench.clock.advance_ms(s * 1_000 - 1);
        assert!(bench.verify(&token()).await.is_ok());
        assert_eq!(bench.fakes.asked(KEYS), 1, "{says}");
        bench.clock.advance_ms(1);
        assert!(bench.verify(&token()).await.is_ok());
        assert_eq!(bench.fakes.asked(KEYS), 2, "{says}");
    }
}

#[actix_web::test]
async fn a_rotation_is_noticed_and_unknown_key_ids_ask_once_a_minute() {
    let bench = Bench::start().await;
    let old = apple(bench.fakes.apple_token(json!({})));
    assert!(bench.verify(&old).await.is_ok());
    bench.fakes.rotate("K2", 1);
    assert!(bench.verify(&apple(bench.fakes.apple_token(json!({})))).await.is_ok());
    assert_eq!(bench.fakes.asked(KEYS), 2);
    is_refused(&bench.verify(&old).await);
    for n in 0..5 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{n}")});
        let token = fakes::keys::RsaKey::nth(2).token(&header, &json!({}));
        is_refused(&bench.verify(&apple(token)).await);
    }
    assert_eq!(bench.fakes.asked(KEYS), 2, "not within the minute");
    bench.clock.advance_ms(60_000);
    let all = futures_util::future::join_all((0..5).map(|_| bench.verify(&old))).await;
    all.iter().for_each(is_refused);
    assert_eq!(bench.fakes.asked(KEYS), 3, "one for all");
}

#[actix_web::test]
async fn stale_keys_serve_for_a_day_when_no_others_can_be_had() {
    let bench = Bench::start().await;
    let token = || apple(bench.fakes.apple_token(json!({})));
    assert!(bench.verify(&token()).await.is_ok());
    bench.fakes.mood(KEYS, Mood::Status(500));
    bench.clock.advance_ms(3_600_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(KEYS), 2, "not asked again at once");
    bench.clock.advance_ms(30_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(KEYS), 3);
    bench.clock.advance_ms(82_770_000);
    assert!(bench.verify(&token()).await.is_ok());
    bench.clock.advance_ms(1_000);
    is_unavailable(&bench.verify(&token()).await);
    bench.fakes.mood(KEYS, Mood::Works);
    assert!(bench.verify(&token()).await.is_ok());
}

#[actix_web::test]
async fn a_new_key_that_cannot_be_fetched_is_an_outage_and_no_refusal() {
    let bench = Bench::start().await;
    assert!(bench.verify(&apple(bench.fakes.apple_token(json!({})))).await.is_ok());
    bench.fakes.rotate("K2", 1);
    bench.fakes.mood(KEYS, Mood::Status(503));
    let new = apple(bench.fakes.apple_token(json!({})));
    is_unavailable(&bench.verify(&new).await);
    is_unavailable(&bench.verify(&new).await);
    assert_eq!(bench.fakes.asked(KEYS), 2);
    bench.fakes.mood(KEYS, Mood::Works);
    bench.clock.advance_ms(30_000);
    assert!(bench.verify(&new).await.is_ok());
}

#[actix_web::test]
async fn googles_certificates_are_good_while_they_say_so() {
    let bench = Bench::start().await;
    let certs = "/oauth2/v1/certs";
    let now = i64::try_from(bench.fakes.now_s()).unwrap();
    let token = || google(bench.fakes.google_token(json!({})));
    for valid in [(now - 100, now - 1), (now + 1, now + 100_000)] {
        bench.fakes.google_valid(valid.0, valid.1);
        is_unavailable(&bench.verify(&token()).await);
    }
    // Refreshed an hour before they lapse.
    bench.fakes.google_valid(now - 100, now + 3_600 + 600);
    assert!(bench.verify(&token()).await.is_ok());
    let asked = bench.fakes.asked(certs);
    bench.clock.advance_ms(599_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(certs), asked);
    bench.clock.advance_ms(1_000);
    assert!(bench.verify(&token()).await.is_ok());
    assert_eq!(bench.fakes.asked(certs), asked + 1);
    // A lapsed certificate signs nothing, though no other can be had.
    bench.fakes.mood(certs, Mood::Status(500));
    bench.clock.advance_ms(3_601_000);
    is_unavailable(&bench.verify(&token()).await);
}
