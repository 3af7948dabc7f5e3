use super::*;
use crate::domain::queue::{Identity, Lane, Number, TicketRef};
use crate::domain::token::Signing;
use crate::domain::token::player::{Backend, Issue, Life, Session, SessionType, generate};

const NOW: UnixMicros = UnixMicros::from_secs(1_768_212_005);

fn ticket(number: u64) -> TicketRef {
    TicketRef {
        epoch: 3,
        number: Number(number),
        lane: Lane::Standard,
        identity: Identity::ANONYMOUS,
        issued_at: NOW,
    }
}

#[test]
fn every_row_of_the_pass_table_that_the_token_tells() {
    let (tickets, foreign) = (TicketKeys::new([1; 32], None), TicketKeys::new([2; 32], None));
    let pem = generate(Signing::EdDSA).unwrap();
    let players = PlayerKeys::new(Signing::EdDSA, &pem, &[]).unwrap();
    let until = NOW.plus_secs(60);
    let fault = |pass: &str| entrance(&tickets, &players, pass, NOW).err();

    // The very first ticket of a line is number 0 and as good as any.
    let first = tickets.sign_pass(&ticket(0), until, NOW);
    assert!(entrance(&tickets, &players, &first, NOW).is_ok());

    let good = tickets.sign_pass(&ticket(5), until, NOW);
    let Ok(Entrance::Pass { ticket: read, expires_at }) = entrance(&tickets, &players, &good, NOW)
    else {
        panic!("refused")
    };
    assert_eq!((read, expires_at), (ticket(5), until));

    assert_eq!(fault(""), Some(Fault::Unauthorized), "missing");
    assert_eq!(fault("garbage"), Some(Fault::TokenDecode));
    assert_eq!(fault(&foreign.sign_pass(&ticket(5), until, NOW)), Some(Fault::JwtKeyNotFound));
    let changed = format!("{}A", &good[..good.len() - 1]);
    let changed = if changed == good { format!("{}B", &good[..good.len() - 1]) } else { changed };
    assert_eq!(fault(&changed), Some(Fault::TokenSignature));
    assert_eq!(fault(&tickets.sign_pass(&ticket(5), NOW, NOW)), Some(Fault::TokenExpired));
    assert_eq!(
        fault(&tickets.sign_ticket(&ticket(5), NOW, 60)),
        Some(Fault::Unauthorized),
        "still waiting"
    );
    assert_eq!(
        fault(&tickets.sign_pass(&ticket(login_queue::NO_PLACE.0), until, NOW)),
        Some(Fault::Unauthorized),
        "handed out while there was no line"
    );
    let session = Session {
        session_type: SessionType::Player,
        social_id: Uuid::from_u128(1),
        backend: Backend::Social,
        display_name: "Ada".repeat(100),
        discriminator: 1,
        id_provider: "UNSAFE".into(),
        ext: "{}".into(),
    };
    let life = Life { expires_min: 1, refresh_min: 1, variance_min: 0 };
    let issue = Issue { jti: Uuid::from_u128(1), at: NOW, roll: 0, life };
    let session = players.sign(&session, &issue).unwrap();
    assert_eq!(fault(&session), Some(Fault::Unauthorized), "a session token");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    assert_eq!(fault(&unsigned), Some(Fault::JwtKeyNotFound), "alg none");
}

#[test]
fn a_request_without_provider_or_proof_is_bad() {
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"providerId":"UNSAFE"}"#,
        r#"{"providerId":"UNSAFE","providerToken":""}"#,
        r#"{"providerId":"UNSAFE","providerToken":null}"#,
        r#"{"providerId":"UNSAFE","providerToken":5}"#,
        r#"{"providerId":"UNSAFE","providerToken":"x","providerToken":"y"}"#,
        "{\"providerId\":\"UNSAFE\",\"providerToken\":\"\u{1}\"}",
    ] {
        assert_eq!(Ask::read(body.as_bytes()).err(), Some(Fault::BadRequest), "{body}");
    }
    let deep = format!(r#"{{"providerToken":"x","providerId":{}}}"#, "[".repeat(100_000));
    assert_eq!(Ask::read(deep.as_bytes()).err(), Some(Fault::BadRequest));
    assert_eq!(Ask::read(b"{\"providerToken\":\"\xff\"}").err(), Some(Fault::BadRequest));
}

#[test]
fn a_shard_may_be_missing_empty_or_upper_case_and_nothing_else() {
    let shard = |text: &str| {
        let body = format!(r#"{{"providerId":1,"providerToken":{{}},"gameShardId":{text}}}"#);
        Ask::read(body.as_bytes()).unwrap().shard()
    };
    assert_eq!(shard("null"), Ok(None));
    assert_eq!(shard(r#""""#), Ok(None));
    let id = Uuid::from_u128(0x00AB_CDEF);
    assert_eq!(shard(&format!("\"{}\"", id.to_string().to_uppercase())), Ok(Some(id)));
    assert_eq!(shard(r#""nonsense""#), Err(Fault::BadRequest));
}
