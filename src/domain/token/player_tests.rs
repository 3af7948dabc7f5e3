use super::*;
use crate::domain::queue::{Identity, Lane, Number, TicketRef};
use crate::domain::token::TicketKeys;
use proptest::prelude::*;
use std::sync::LazyLock;

const NOW: UnixMicros = UnixMicros(1_768_212_006_123_456);
const LIFE: Life = Life { expires_min: 1_440, refresh_min: 45, variance_min: 5 };

static PEM: LazyLock<String> = LazyLock::new(|| generate(Signing::EdDSA).unwrap().to_string());
static KEYS: LazyLock<PlayerKeys> = LazyLock::new(|| keys_of(&PEM));

fn keys_of(pem: &str) -> PlayerKeys {
    PlayerKeys::new(Signing::EdDSA, pem, &[]).unwrap()
}

fn session(backend: Backend) -> Session {
    Session {
        session_type: SessionType::Player,
        social_id: Uuid::from_u128(0x0050_c1a1),
        backend,
        display_name: "Ada \"the\" Löwe".into(),
        discriminator: 410,
        id_provider: "UNSAFE".into(),
        ext: "{}".into(),
    }
}

fn game() -> Session {
    session(Backend::Game { player: Uuid::from_u128(0x91a), shard: Uuid::from_u128(1) })
}

fn issue(roll: u64) -> Issue {
    Issue { jti: Uuid::from_u128(77), at: NOW, roll, life: LIFE }
}

fn part(token: &str, part: usize) -> serde_json::Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn a_game_token_has_every_claim_with_its_type() {
    let token = KEYS.sign(&game(), &issue(0)).unwrap();
    let expected = serde_json::json!({
        "iss": "pragma", "sub": "00000000-0000-0000-0000-00000000091a",
        "iat": 1_768_212_006, "exp": 1_768_298_406,
        "jti": "00000000-0000-0000-0000-00000000004d",
        "sessionType": "PLAYER", "refreshInMillis": "2400000", "expiresInMillis": "86400000",
        "backendType": "GAME", "displayName": "Ada \"the\" Löwe", "discriminator": "0410",
        "pragmaSocialId": "00000000-0000-0000-0000-00000050c1a1", "idProvider": "UNSAFE",
        "extSessionInfo": "{}", "pragmaPlayerId": "00000000-0000-0000-0000-00000000091a",
        "gameShardId": "00000000-0000-0000-0000-000000000001", "itu": NOW.0,
    });
    assert_eq!(part(&token, 1), expected);
}

#[test]
fn a_social_token_names_neither_player_nor_shard() {
    let claims = part(&KEYS.sign(&session(Backend::Social), &issue(0)).unwrap(), 1);
    assert_eq!(claims["backendType"], "SOCIAL");
    assert_eq!(claims["sub"], claims["pragmaSocialId"]);
    assert!(claims.get("pragmaPlayerId").is_none() && claims.get("gameShardId").is_none());
}

#[test]
fn every_algorithm_signs_what_it_checks() {
    for signing in [Signing::EdDSA, Signing::ES256, Signing::RS256] {
        let pem = generate(signing).unwrap();
        let keys = PlayerKeys::new(signing, &pem, &[]).unwrap();
        let token = keys.sign(&game(), &issue(5)).unwrap();
        assert_eq!(part(&token, 0)["alg"], signing.name());
        // Whoever signed it knows it is good; another process has to check, once.
        let another = PlayerKeys::new(signing, &pem, &[]).unwrap();
        let claims = another.verify(&token, NOW).unwrap();
        assert_eq!(keys.verify(&token, NOW).unwrap(), claims);
        assert_eq!(another.verify(&token, NOW).unwrap(), claims);
        let claims = claims.person().unwrap().clone();
        assert_eq!(claims.session, game());
        assert_eq!(claims.issued_at_us, NOW.0);
        assert_eq!(keys.jwks()["keys"][0]["kid"], part(&token, 0)["kid"]);
    }
}

#[test]
fn sessions_survive_a_rotation_until_their_key_is_taken_away() {
    let new = generate(Signing::ES256).unwrap();
    let token = KEYS.sign(&game(), &issue(0)).unwrap();
    let rotated = PlayerKeys::new(Signing::ES256, &new, &[&PEM]).unwrap();
    assert!(rotated.verify(&token, NOW).is_ok());
    assert_eq!(rotated.jwks()["keys"].as_array().unwrap().len(), 2);
    let after = PlayerKeys::new(Signing::ES256, &new, &[]).unwrap();
    assert_eq!(after.verify(&token, NOW), Err(PlayerTokenError::KeyNotFound));
}

#[test]
fn a_token_lives_its_life_and_the_allowance_for_clocks() {
    let token = KEYS.sign(&game(), &issue(0)).unwrap();
    let end = UnixMicros::from_secs(NOW.as_secs() + 86_400 + SKEW_S);
    assert!(KEYS.verify(&token, UnixMicros(end.0 - 1)).is_ok());
    assert_eq!(KEYS.verify(&token, end), Err(PlayerTokenError::Expired));
}

#[test]
fn forgeries_are_refused() {
    let token = KEYS.sign(&game(), &issue(0)).unwrap();
    let mut parts = token.split('.');
    let (header, payload) = (parts.next().unwrap(), parts.next().unwrap());
    let kid = part(&token, 0)["kid"].clone();
    for alg in ["none", "HS256", "RS256", "ES256"] {
        let forged = serde_json::json!({"kid": kid, "alg": alg, "typ": "JWT"}).to_string();
        let forged = URL_SAFE_NO_PAD.encode(forged);
        for signature in ["", "AAAA"] {
            let forged = KEYS.verify(&format!("{forged}.{payload}.{signature}"), NOW);
            assert_eq!(forged, Err(PlayerTokenError::KeyNotFound), "{alg}");
        }
    }
    let foreign = keys_of(&generate(Signing::EdDSA).unwrap()).sign(&game(), &issue(0)).unwrap();
    assert_eq!(KEYS.verify(&foreign, NOW), Err(PlayerTokenError::KeyNotFound));
    let (_, signature) = foreign.rsplit_once('.').unwrap();
    let forged = format!("{header}.{payload}.{signature}");
    assert_eq!(KEYS.verify(&forged, NOW), Err(PlayerTokenError::Signature));
    assert_eq!(KEYS.verify(&forged, NOW), Err(PlayerTokenError::Signature), "still not");
    assert_eq!(KEYS.verify(&format!("{header}.{payload}."), NOW), Err(PlayerTokenError::Signature));
    for garbage in ["", ".", "a.b.c", "é.ü.ñ", &"x.".repeat(10_000)] {
        assert_eq!(KEYS.verify(garbage, NOW), Err(PlayerTokenError::Decode));
    }
}

#[test]
fn a_ticket_is_no_session() {
    let ticket = TicketRef {
        epoch: 1,
        number: Number(1),
        lane: Lane::Standard,
        identity: Identity::ANONYMOUS,
        issued_at: NOW,
    };
    let ticket = TicketKeys::new([1; 32], None).sign_ticket(&ticket, NOW, 60);
    assert_eq!(KEYS.verify(&ticket, NOW), Err(PlayerTokenError::KeyNotFound));
}

proptest! {
    #[test]
    fn refresh_falls_in_its_window_on_a_whole_second(roll: u64, refresh_min in 1_u64..600, variance_min in 0_u64..60) {
        let life = Life { expires_min: 1_440, refresh_min, variance_min };
        let ms = life.refresh_ms(roll);
        prop_assert!(ms >= 1_000 && ms.is_multiple_of(1_000));
        prop_assert!(ms <= (refresh_min + variance_min) * 60_000);
        prop_assert!(ms >= refresh_min.saturating_sub(variance_min) * 60_000);
    }

    #[test]
    fn any_changed_byte_is_refused(at: prop::sample::Index, byte in 0x21_u8..0x7f) {
        let mut token = KEYS.sign(&game(), &issue(0)).unwrap().into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != byte);
        token[at] = byte;
        prop_assert!(KEYS.verify(std::str::from_utf8(&token).unwrap(), NOW).is_err());
    }
}
