use super::*;
use crate::domain::queue::{Eta, Phase, Waiting};
use serde_json::{Value, json};

const NOW: UnixMicros = UnixMicros::from_secs(1_768_212_005);

fn ticket(number: u64) -> TicketRef {
    TicketRef { epoch: 3, number: Number(number), ..no_place(NOW) }
}

fn waiting(ticket: TicketRef) -> Standing {
    Standing::Waiting(Waiting {
        ticket,
        position: 37,
        eta: Some(Eta { low_ms: 9_000, mid_ms: 11_000, high_ms: 14_000 }),
        poll_after_ms: 1_000,
        lease_until: NOW.plus_secs(600),
        phase: Phase::Queued,
        reason: None,
        watches: false,
    })
}

fn answer(standing: &Standing, shown: Option<(&Claims, &str)>) -> Value {
    let (config, tickets) = (Config::default(), TicketKeys::new([1; 32], None));
    let view = View { config: &config, tickets: &tickets, now: NOW };
    serde_json::from_slice(&view.answer(standing, shown)).unwrap()
}

fn claims(token: &str) -> Claims {
    TicketKeys::new([1; 32], None).verify(token, NOW).unwrap()
}

#[test]
fn a_waiting_ticket_has_the_members_of_the_protocol() {
    let answer = answer(&waiting(ticket(5)), None);
    let token = answer["token"].as_str().unwrap();
    assert_eq!(claims(token).ticket, ticket(5));
    let expected = json!({
        "token": token, "positionInQueue": 37, "eta": "11000", "pollNextDuration": 1000,
        "isAllowedIn": false, "isAllowed": false, "phase": "queued",
    });
    assert_eq!(answer, expected);
}

#[test]
fn an_admitted_ticket_becomes_a_pass_under_both_names() {
    let passed =
        Standing::Passed { ticket: ticket(5), pass_until: NOW.plus_secs(120), on_the_spot: true };
    let answer = answer(&passed, None);
    let token = answer["token"].as_str().unwrap();
    assert!(claims(token).allowed);
    let expected = json!({
        "token": token, "positionInQueue": 0, "eta": "0", "pollNextDuration": 1000,
        "isAllowedIn": true, "loginQueuePassToken": token, "isAllowed": true,
    });
    assert_eq!(answer, expected);
}

#[test]
fn the_ticket_that_came_in_goes_out_again_unless_it_changed() {
    let token = TicketKeys::new([1; 32], None).sign_ticket(&ticket(5), NOW, 60);
    let shown = claims(&token);
    let same = answer(&waiting(ticket(5)), Some((&shown, &token)));
    assert_eq!(same["token"], token.as_str());
    let moved = TicketRef { lane: Lane::Grace, ..ticket(5) };
    let changed = answer(&waiting(moved), Some((&shown, &token)));
    assert_eq!(claims(changed["token"].as_str().unwrap()).ticket, moved);
}

#[test]
fn a_pass_that_stands_in_line_again_goes_out_as_a_ticket() {
    let keys = TicketKeys::new([1; 32], None);
    let pass = keys.sign_pass(&ticket(5), NOW.plus_secs(60), NOW);
    let answer = answer(&waiting(ticket(5)), Some((&claims(&pass), &pass)));
    assert!(!claims(answer["token"].as_str().unwrap()).allowed);
}

#[test]
fn a_full_line_is_an_answer_with_a_time_and_a_ticket_without_a_place() {
    let answer = answer(&Standing::Refused { why: Closed::Full, retry_after_ms: 30_000 }, None);
    assert_eq!(answer["isAllowedIn"], false);
    assert_eq!(answer["positionInQueue"], Config::default().queue.line_max + 1);
    assert_eq!(answer["pollNextDuration"], 30_000);
    assert_eq!(answer["phase"], "full");
    assert!(answer["eta"].as_str().unwrap().parse::<u64>().unwrap() >= 30_000);
    let claims = claims(answer["token"].as_str().unwrap());
    assert_eq!((claims.ticket.number, claims.allowed), (NO_PLACE, false));
}

#[test]
fn a_held_line_names_the_longest_poll_interval_and_numbers_fit_their_type() {
    let Standing::Waiting(held) = waiting(ticket(5)) else { panic!() };
    let held = Waiting { eta: None, position: u64::MAX, poll_after_ms: u64::MAX, ..held };
    let held = Waiting { phase: Phase::Held, reason: Some(Reason::Restarted), ..held };
    let answer = answer(&Standing::Waiting(held), None);
    assert_eq!((&answer["phase"], &answer["reason"]), (&json!("held"), &json!("restarted")));
    assert_eq!(answer["eta"], Config::default().queue.poll_max_ms.to_string());
    assert_eq!(answer["positionInQueue"], i32::MAX);
    assert_eq!(answer["pollNextDuration"], i32::MAX);
}

/// The protocol has a number for the place and one for the time and no words: nought would mean
/// "come in", so before a draw it is how many take part.
#[test]
fn before_the_doors_open_the_eta_is_the_time_until_they_do() {
    let Standing::Waiting(gathers) = waiting(ticket(5)) else { panic!() };
    let phase = Phase::Lottery { opens_in_ms: 90_000 };
    let answer = answer(&Standing::Waiting(Waiting { eta: None, phase, ..gathers }), None);
    assert_eq!((&answer["eta"], &answer["phase"]), (&json!("90000"), &json!("lottery")));
    assert_eq!((&answer["isAllowedIn"], &answer["positionInQueue"]), (&json!(false), &json!(37)));
}
