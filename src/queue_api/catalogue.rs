//! Every refusal of the queue API, for people (`docs/reference/errors.md`).

use crate::observe::errors::{Advice, WireError};

const fn row(status: u16, name: &'static str, meaning: &'static str, advice: Advice) -> WireError {
    WireError { name, status, meaning, advice }
}

/// Every `why` with its status.
pub const ALL: &[WireError] = &[
    row(400, "bad_request", "the body or a parameter does not read", Advice::MendCall),
    row(401, "ticket", "no ticket of this server", Advice::EnterAnew),
    row(401, "proof", "the session token proves nobody (any more)", Advice::SignIn),
    row(401, "transfer", "no transfer code of this server, or too old", Advice::TellPerson),
    row(401, "party", "no invitation of this server, or too old", Advice::TellPerson),
    row(403, "banned", "the account may not play", Advice::TellPerson),
    row(
        403,
        "refused_by_game",
        "the studio's own service says no, in `message`",
        Advice::TellPerson,
    ),
    row(403, "not_invited", "too far from the front for a stream: poll", Advice::GoOn),
    row(404, "forgotten", "the ticket left, lapsed or was used", Advice::EnterAnew),
    row(404, "transferred", "another device has the place", Advice::TellPerson),
    row(404, "expired", "the ticket's token was not shown for too long", Advice::EnterAnew),
    row(404, "not_found", "nothing is at this path", Advice::MendCall),
    row(405, "method", "the path is known, with another method", Advice::MendCall),
    row(409, "party_gone", "the friends are in already: enter alone", Advice::GoOn),
    row(409, "party_full", "the party is full: enter alone", Advice::GoOn),
    row(409, "party_late", "the party has been in line for too long: enter alone", Advice::GoOn),
    row(409, "admitted", "it is the turn of this place: sign in on this device", Advice::GoOn),
    row(413, "too_large", "the body is longer than anything that makes sense", Advice::MendCall),
    row(428, "challenged", "solve the challenge, then enter with it", Advice::GoOn),
    row(428, "failed", "the challenge was answered wrongly: here is another", Advice::GoOn),
    row(428, "expired", "the challenge was answered too late: here is another", Advice::GoOn),
    row(428, "replayed", "the challenge was answered before: here is another", Advice::GoOn),
    row(429, "too_often", "too many requests; a place is kept", Advice::Later),
    row(503, "full", "the line has its greatest length", Advice::Later),
    row(503, "draining", "the game is about to close: nobody new is taken", Advice::Later),
    row(503, "maintenance", "the game is down: nobody new is taken", Advice::Later),
    row(503, "returning", "many come back at once; the place is kept", Advice::Later),
    row(503, "streams_full", "no stream is free: poll", Advice::GoOn),
    row(503, "unavailable", "the server is busy; a place is kept", Advice::Later),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::abuse::Verdict;
    use crate::domain::queue::Closed;
    use crate::observe::errors::refusals;

    /// What is listed is what the code writes.
    #[test]
    fn every_refusal_is_in_the_catalogue_and_nothing_else() {
        let mut written = refusals(include_str!("refusal.rs"));
        assert!(written.len() >= 18, "{written:?}");
        let gone = ["forgotten", "transferred", "expired"].map(|why| (404, why.to_owned()));
        let closed = [Closed::Full, Closed::Draining, Closed::Maintenance, Closed::Returning];
        let challenges =
            [Verdict::Challenged, Verdict::Failed, Verdict::Expired, Verdict::Replayed];
        written.extend(gone);
        written.extend(closed.map(|why| (503, why.name().to_owned())));
        written.extend(challenges.map(|why| (428, why.name().to_owned())));
        let mut listed: Vec<_> = ALL.iter().map(|it| (it.status, it.name.to_owned())).collect();
        written.sort();
        listed.sort();
        assert_eq!(listed, written, "src/queue_api/catalogue.rs lists every refusal once");
    }
}
