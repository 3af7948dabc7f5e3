//! How the front ends list their errors: what stands on the wire, what it means, what a client does.
//! `docs/reference/errors.md` is written from these lists and compared in a test; tests beside each list
//! compare it with the code.

use std::fmt::Write as _;

/// What a client should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// The call is wrong: the same again is refused again.
    MendCall,
    /// Prove again who is asking, then repeat the call.
    SignIn,
    /// A person has to hear it; asking again changes nothing.
    TellPerson,
    /// Nothing was done: the same call again when it is time.
    Later,
    /// It may have been done: look, then try again.
    LookAgain,
    /// Take a new place in line.
    EnterAnew,
    /// A place or a right to it is elsewhere: go on as told.
    GoOn,
    /// Only who runs the server can change it.
    TellOperator,
}

impl Advice {
    /// The words of the page.
    pub const fn text(self) -> &'static str {
        match self {
            Self::MendCall => "mend the call; the same again is refused again",
            Self::SignIn => "refresh the session or sign in again, then repeat the call",
            Self::TellPerson => "tell the person; do not repeat",
            Self::Later => "wait as long as it says, then the same call; nothing was done",
            Self::LookAgain => "look how things are now, then decide again",
            Self::EnterAnew => "enter the line anew",
            Self::GoOn => "go on without it, as the answer says",
            Self::TellOperator => "show that it does not work now; who runs the server has to act",
        }
    }

    /// Whether the same call may be sent again without anything else having happened.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Later)
    }
}

/// An error as a client meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// What stands on the wire: the name or word, or the message that clients match on.
    pub name: &'static str,
    /// HTTP status, or the protocol's own number.
    pub status: u16,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub advice: Advice,
}

/// A table of errors. `status` is the head of the column of numbers, `name` that of what is written.
pub fn table(errors: &[WireError], status: &str, name: &str) -> String {
    let mut text = format!(
        "| {status} | {name} | meaning | what a client does | again? |\n|---|---|---|---|---|\n"
    );
    for error in errors {
        let again = if error.advice.is_retryable() { "yes" } else { "no" };
        let WireError { name, status, meaning, advice } = error;
        let _ = writeln!(text, "| {status} | `{name}` | {meaning} | {} | {again} |", advice.text());
    }
    text
}

/// The texts in the code of a source file, without its comments and the tests at its end; places for
/// values (`{…}`) are empty.
#[cfg(test)]
pub(crate) fn texts(source: &str) -> Vec<(String, String)> {
    let end = source.find("#[cfg(test)]").unwrap_or(source.len());
    let code = source[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in code {
        let plain = line.replace("\\\"", "'");
        let texts = plain.split('"').skip(1).step_by(2);
        found.extend(texts.map(|text| (line.trim().to_owned(), without_values(text))));
    }
    found
}

/// The refusals in the code of a source file that writes each as `(status, "word")`.
#[cfg(test)]
pub(crate) fn refusals(source: &str) -> Vec<(u16, String)> {
    let each = texts(source).into_iter().filter_map(|(line, text)| {
        let head = line.split(&format!(", \"{text}\"")).next()?;
        Some((head.rsplit('(').next()?.parse().ok()?, text))
    });
    each.collect()
}

/// A message with its places for values empty.
#[cfg(test)]
pub(crate) fn without_values(text: &str) -> String {
    let mut parts = text.split('{');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("{}");
        plain.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    plain
}
