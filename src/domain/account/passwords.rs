//! Passwords that everybody tries first (NIST SP 800-63B §3.1.1.2): refused when one is chosen,
//! never when an account with one signs in.
//!
//! `common_passwords.txt` holds the stems of which most leaked passwords are made. A password is
//! common when it is a stem with some digits or signs around it, letters perhaps written as digits,
//! or no more than a walk over the keyboard or a repetition.

use super::refusal::Refusal;

/// Stems in lower case, in order.
const STEMS: &str = include_str!("common_passwords.txt");
/// Digits and signs around a stem that add nothing, in bytes: a year and an exclamation mark.
const AROUND_MAX: usize = 6;
/// Rows, columns and zigzags of keyboards, the alphabet and the digits.
const WALKS: [&str; 11] = [
    "1234567890",
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// Refuses a password that everybody tries first, whatever its case. What is new is checked: an
/// account that is made with it, or a link; a sign-in is not.
///
/// # Errors
///
/// [`Refusal::PasswordCommon`].
///
/// # Examples
///
/// ```
/// use anteroom::domain::account::passwords;
/// assert!(passwords::uncommon("P@ssw0rd2024!").is_err());
/// assert!(passwords::uncommon("correct horse").is_ok());
/// ```
pub fn uncommon(password: &str) -> Result<(), Refusal> {
    let password = password.to_lowercase();
    if is_repetition(&password) || is_walk(&password) || is_dressed_stem(&password) {
        return Err(Refusal::PasswordCommon);
    }
    Ok(())
}

/// The dearest bcrypt hash that is checked: each step doubles the time, and this one takes a second.
pub const BCRYPT_COST_MAX: u32 = 14;

/// The cost of a bcrypt hash, as other servers store passwords; `None`: it is none.
pub fn bcrypt_cost(hash: &str) -> Option<u32> {
    let rest = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().find_map(|kind| hash.strip_prefix(kind))?;
    let (cost, rest) = rest.split_once('$')?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    let is_whole = rest.len() == 53 && rest.bytes().all(is_letter) && cost.len() == 2;
    cost.parse().ok().filter(|cost| is_whole && (4..=31).contains(cost))
}

/// Whether a stored text is a hash that a password can be checked against: argon2, or bcrypt of a cost
/// that is not too high.
pub fn is_hash(stored: &str) -> bool {
    stored.starts_with("$argon2") || bcrypt_cost(stored).is_some_and(|cost| cost <= BCRYPT_COST_MAX)
}

/// One piece of up to four characters over and over, or two equal halves that are a stem.
fn is_repetition(password: &str) -> bool {
    let letters: Vec<char> = password.chars().collect();
    let repeats =
        |length: usize| letters.iter().zip(letters.iter().skip(length)).all(|(a, b)| a == b);
    if (1..=4).any(|length| letters.len() >= 2 * length && repeats(length)) {
        return true;
    }
    let (first, second) = letters.split_at(letters.len() / 2);
    first == second && is_stem(&first.iter().collect::<String>())
}

/// Pieces of walks, each of three characters or more, one after another.
fn is_walk(password: &str) -> bool {
    let mut rest = password;
    while !rest.is_empty() {
        let length = longest_walk(rest);
        if length < 3 {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    !password.is_empty()
}

/// How much of the start is part of a walk in either direction, in bytes; walks are ASCII.
fn longest_walk(text: &str) -> usize {
    let on_a_walk = |part: &str| {
        let back: String = part.chars().rev().collect();
        WALKS.iter().any(|walk| walk.contains(part) || walk.contains(&back))
    };
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.take_while(|end| text.get(..*end).is_some_and(on_a_walk)).last().unwrap_or(0)
}

/// A stem with digits and signs around it; some of its letters may be written as such, not all.
fn is_dressed_stem(password: &str) -> bool {
    let words = [password.to_owned(), spelled(password, 'i'), spelled(password, 'l')];
    words.iter().any(|word| STEMS.lines().any(|stem| is_dressed(password, word, stem)))
}

/// Whether `stem` is all there is in `word`, the spelling of `password`.
fn is_dressed(password: &str, word: &str, stem: &str) -> bool {
    let is_dress = |text: &str| !text.contains(char::is_alphabetic);
    word.match_indices(stem).any(|(at, _)| {
        let end = at + stem.len();
        let parts = (password.get(..at), password.get(at..end), password.get(end..));
        let (Some(before), Some(inside), Some(behind)) = parts else { return false };
        let around = before.len() + behind.len();
        around <= AROUND_MAX && is_dress(before) && is_dress(behind) && !is_dress(inside)
    })
}

/// Digits and signs as the letters they stand for; every letter stays in its place.
fn spelled(word: &str, one: char) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    word.chars().map(letter).collect()
}

fn is_stem(word: &str) -> bool {
    !word.is_empty() && STEMS.lines().any(|stem| stem == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for password in [
            "password",
            "PASSWORD",
            "Password1",
            "password123",
            "P@ssw0rd",
            "p4$$w0rd!",
            "Passw0rd2024!",
            "123password",
            "iloveyou",
            "1L0VEY0U",
            "princess1",
            "football",
            "Michael1990",
            "sunshine!",
            "superman99",
            "letmein1",
            "welcome123",
            "aaaaaaaa",
            "11111111",
            "abababab",
            "abcabcabc",
            "12341234",
            "dragondragon",
            "12345678",
            "1234567890",
            "0123456789",
            "87654321",
            "abcdefgh",
            "hgfedcba",
            "qwertyuiop",
            "qwerty123",
            "Qwerty12345",
            "asdfghjkl",
            "1qaz2wsx",
            "zaq12wsx",
            "1q2w3e4r",
            "qweasdzxc",
            "123qweasd",
            "asdf1234",
            "qazwsxedc",
            "éééééééé",
        ] {
            assert_eq!(uncommon(password), Err(Refusal::PasswordCommon), "{password}");
        }
    }

    #[test]
    fn hashes_of_other_servers_are_known_by_their_form() {
        let hash = |cost: &str| format!("$2a${cost}${}", "a".repeat(53));
        assert_eq!(bcrypt_cost(&hash("10")), Some(10));
        assert!(is_hash(&hash("14")) && !is_hash(&hash("15")) && !is_hash(&hash("32")));
        for other in ["", "$2a$10$short", "$2c$10$", "5f4dcc3b", "$2a$1$", "$1$abc"] {
            assert!(!is_hash(other), "{other}");
        }
        assert!(is_hash("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA"));
    }

    #[test]
    fn what_takes_thought_is_taken() {
        for password in [
            "correct horse",
            "battery staple",
            "bench password",
            "longenough",
            "password is not enough",
            "princess of the two moons",
            "xK9#vQ2m",
            "8hf73kd9",
            "19840917",
            "70701234",
            "michaelandanna",
            "qwertyladder",
            "пароль-и-ёлка",
            "1234abhdkw",
        ] {
            assert_eq!(uncommon(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn the_stems_are_in_order_in_lower_case_and_once() {
        let stems: Vec<&str> = STEMS.lines().collect();
        assert!(stems.len() > 1_000);
        assert!(stems.windows(2).all(|pair| pair[0] < pair[1]));
        for stem in stems {
            assert!(stem.len() >= 4 && stem == stem.to_lowercase(), "{stem}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(password in ".{0,40}|[a-z0-9]{0,20}") {
            let _ = uncommon(&password);
        }

        #[test]
        fn every_stem_is_common_whatever_stands_behind_it(at in 0_usize..1_000, year in 0_u16..10_000) {
            let stem = STEMS.lines().nth(at).unwrap();
            prop_assert!(uncommon(&format!("{stem}{year}")).is_err(), "{stem}{year}");
        }
    }
}
