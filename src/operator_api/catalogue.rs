//! Every refusal of the operator API, for people (`docs/reference/errors.md`).

use crate::observe::errors::{Advice, WireError};

const fn row(status: u16, name: &'static str, meaning: &'static str, advice: Advice) -> WireError {
    WireError { name, status, meaning, advice }
}

/// Every `why` with its status.
pub const ALL: &[WireError] = &[
    row(400, "bad_request", "the body or a parameter is not what is asked for", Advice::MendCall),
    row(400, "bad_change", "out of bounds, or it changes nothing", Advice::MendCall),
    row(
        400,
        "bad_value",
        "a rule about names, identifiers or times says no: `message` says which",
        Advice::MendCall,
    ),
    row(400, "bad_address", "not an e-mail address", Advice::MendCall),
    row(400, "password_short", "the password is too short", Advice::MendCall),
    row(400, "password_long", "the password is too long", Advice::MendCall),
    row(400, "password_common", "a password that everybody tries first", Advice::MendCall),
    row(401, "token", "no operator's token, or over", Advice::SignIn),
    row(
        401,
        "wrong",
        "unknown address, wrong password or no operator: nobody is told which",
        Advice::SignIn,
    ),
    row(401, "totp", "the password is good, a code of the authenticator is needed", Advice::GoOn),
    row(401, "wrong_totp", "the code is not right, or was used", Advice::SignIn),
    row(
        401,
        "no_operator",
        "whom the provider knows is no operator here, not any more, or banned: nobody is told which",
        Advice::SignIn,
    ),
    row(
        401,
        "not_proven",
        "the provider did not say who somebody is, or said it of another sign-in",
        Advice::SignIn,
    ),
    row(401, "other_account", "somebody else is signed in at the provider", Advice::SignIn),
    row(403, "forbidden", "a permission is missing: `message` names it", Advice::TellPerson),
    row(
        403,
        "csrf",
        "by the cookie, and not by the console's own page: load it again",
        Advice::MendCall,
    ),
    row(403, "step_up", "prove again who is there: `POST /session/step-up`", Advice::SignIn),
    row(403, "totp_needed", "set up an authenticator first", Advice::GoOn),
    row(403, "no_script", "for people: a token for scripts cannot do it", Advice::MendCall),
    row(
        403,
        "wrong_code",
        "a setup code or invitation that is none, was used, or is over",
        Advice::TellPerson,
    ),
    row(
        403,
        "start_again",
        "the sign-in at a provider was not begun in this browser, came back before, or is over",
        Advice::SignIn,
    ),
    row(403, "not_yours", "more than the asker may do", Advice::TellPerson),
    row(404, "not_staged", "no such change is staged (any more)", Advice::LookAgain),
    row(404, "not_made", "no such change was made, or too long ago", Advice::LookAgain),
    row(404, "not_there", "there is no such thing", Advice::LookAgain),
    row(404, "no_account", "there is no such account", Advice::LookAgain),
    row(404, "not_found", "nothing is at this path", Advice::MendCall),
    row(409, "undone", "taken back already", Advice::LookAgain),
    row(409, "overtaken", "somebody changed the same since", Advice::LookAgain),
    row(409, "taken", "somebody else has the name, the identifier or the link", Advice::LookAgain),
    row(409, "address_taken", "the address is another operator's", Advice::LookAgain),
    row(409, "last_link", "it is the last way to sign in", Advice::LookAgain),
    row(409, "last_admin", "somebody has to be left who may do everything", Advice::LookAgain),
    row(409, "in_use", "something still needs it", Advice::LookAgain),
    row(409, "too_many", "no more fit", Advice::LookAgain),
    row(409, "setup_over", "there is an operator already: sign in", Advice::GoOn),
    row(
        409,
        "no_password",
        "who signs in to Pragma's operator port alone has no authenticator here",
        Advice::MendCall,
    ),
    row(
        409,
        "no_step_up",
        "the provider does not say when somebody signed in there: an authenticator is needed",
        Advice::GoOn,
    ),
    row(409, "hook", "the studio's own service says no, in `message`", Advice::TellPerson),
    row(
        409,
        "bad_settings",
        "the settings file cannot be used; nothing was changed",
        Advice::TellOperator,
    ),
    row(409, "no_file", "the settings of this server come from no file", Advice::TellOperator),
    row(409, "backup_busy", "a backup is being made, and others wait", Advice::LookAgain),
    row(429, "busy", "too often: `Retry-After` says when", Advice::Later),
    row(
        500,
        "backup_failed",
        "no backup was made: the server's log says why",
        Advice::TellOperator,
    ),
    row(
        503,
        "not_recorded",
        "the audit chain takes nothing, so nothing was done",
        Advice::TellOperator,
    ),
    row(503, "provider_away", "the provider does not answer", Advice::SignIn),
    row(503, "no_room", "too many streams are open", Advice::LookAgain),
    row(503, "unavailable", "no answer in time", Advice::LookAgain),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::errors::refusals;

    /// What is listed is what the code writes.
    #[test]
    fn every_refusal_is_in_the_catalogue_and_nothing_else() {
        let mut written = refusals(include_str!("refusal.rs"));
        assert!(written.len() >= 40, "{written:?}");
        let mut listed: Vec<_> = ALL.iter().map(|it| (it.status, it.name.to_owned())).collect();
        written.sort();
        written.dedup();
        listed.sort();
        assert_eq!(listed, written, "src/operator_api/catalogue.rs lists every refusal once");
    }
}
