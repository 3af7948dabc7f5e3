use super::*;
use crate::domain::token::PlayerClaims;

fn voice(backend: Backend) -> Voice {
    let claims = PlayerClaims {
        session: Session {
            session_type: SessionType::Player,
            social_id: Uuid::from_u128(0x50c),
            backend,
            display_name: "Ada".into(),
            discriminator: 4410,
            id_provider: "UNSAFE".into(),
            ext: "{}".into(),
        },
        jti: Uuid::from_u128(1),
        issued_at_us: 0,
        expires_at: UnixMicros(0),
    };
    Voice::of(
        Arc::new(Resumable::new(Uuid::from_u128(0x5e5))),
        &Claims::Person(claims),
        false,
        Dice::seeded(1),
    )
}

fn game() -> Voice {
    voice(Backend::Game { player: Uuid::from_u128(0x91a), shard: Uuid::from_u128(1) })
}

fn json_of(outbound: &Outbound) -> Value {
    let Outbound::Text(text) = outbound else { panic!("a frame of the wrong kind") };
    serde_json::from_slice(text).unwrap()
}

fn sent(effect: &Effect) -> Value {
    let Effect::Send(outbound) = effect else { panic!("not a message") };
    json_of(outbound)
}

#[test]
fn messages_of_every_kind_are_numbered_from_zero_without_gaps() {
    let voice = game();
    let heartbeat = "PlayerSessionRpc.HeartbeatV1Request";
    let first = voice.answer(7, heartbeat, Ok((json!({}), Then::Nothing)));
    let expected = json!({"sequenceNumber": 0, "response":
        {"requestId": 7, "type": "PlayerSessionRpc.HeartbeatV1Response", "payload": {}}});
    assert_eq!(sent(&first[0]), expected);
    let second = voice.answer(7, heartbeat, Err(Fault::InvalidRequestType));
    let second = sent(&second[0]);
    assert_eq!(second["sequenceNumber"], 1);
    assert_eq!(second["serviceError"]["status"], "BAD_PARAM");
    assert_eq!(second["serviceError"]["debugDetails"], json!([]));
    // A use case that takes its time answers through a copy: the numbers are shared.
    let third = voice.clone().refuse(9, Fault::BadParam);
    assert_eq!(sent(&third)["sequenceNumber"], 2);
    let (last, ..) = voice.farewell(CloseReason::Kicked);
    assert_eq!(json_of(&last[0])["sequenceNumber"], 3);
}

#[test]
fn a_logout_is_answered_before_the_session_ends() {
    let logout = "PlayerSessionRpc.RequestLogoutV1Request";
    let effects = game().answer(7, logout, Ok((json!({}), Then::Logout)));
    assert_eq!(sent(&effects[0])["response"]["type"], "PlayerSessionRpc.RequestLogoutV1Response");
    assert!(matches!(effects[1], Effect::Close(CloseReason::AsRequested)));
}

#[test]
fn whoever_is_usurped_is_told_by_whom_they_were_and_closed_cleanly() {
    let (said, code, _) = game().farewell(CloseReason::Usurped);
    let expected = json!({"sequenceNumber": 0, "notification": {
        "type": "PlayerSessionRpc.SessionTerminatedV1Notification",
        "payload": {
            "playerSession": {
                "pragmaId": "00000000-0000-0000-0000-00000000091a",
                "sessionId": "00000000-0000-0000-0000-0000000005e5",
                "displayName": {"displayName": "Ada", "discriminator": "4410"},
                "attributes": {}, "version": 1,
                "socialId": "00000000-0000-0000-0000-00000000050c",
            },
            "reason": "USURPED",
        },
    }});
    assert_eq!((json_of(&said[0]), code), (expected, 1000));
    let (said, ..) = voice(Backend::Social).farewell(CloseReason::Usurped);
    let session = &json_of(&said[0])["notification"]["payload"]["playerSession"];
    assert_eq!(session["pragmaId"], session["socialId"]);
}

#[test]
fn every_reason_has_the_close_code_that_makes_a_client_do_right() {
    for (reason, named, code) in [
        (CloseReason::AsRequested, Some("AS_REQUESTED"), 1000),
        (CloseReason::Kicked, Some("KICKED"), 1000),
        (CloseReason::Idle, Some("EXPIRED"), 1000),
        (CloseReason::Expired, Some("EXPIRED"), 1000),
        (CloseReason::Shutdown, Some("CLUSTER_SHUTDOWN"), 1001),
        (CloseReason::WrongFrame, None, 1003),
        (CloseReason::Malformed, None, 1007),
        (CloseReason::TooBig, None, 1009),
        (CloseReason::Internal, None, 1011),
    ] {
        let (said, given, _) = game().farewell(reason);
        let told =
            said.first().map(|said| json_of(said)["notification"]["payload"]["reason"].clone());
        assert_eq!((told, given), (named.map(Value::from), code), "{reason:?}");
    }
}
