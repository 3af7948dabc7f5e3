//! Which e-mail addresses can be right: the protocol's form (protocol-nakama §2.7), and within it
//! the addr-spec of RFC 5322 §3.4.1, with letters of every script (RFC 6531).
//!
//! Whether mail arrives is nobody's to say from here. What cannot be right is a mistake the player
//! should hear of while they can still mend it.

/// Whether an address has the protocol's form and can be right. White space and control characters
/// are refused before.
///
/// # Examples
///
/// ```
/// use anteroom::domain::account::addresses::can_be_right;
/// assert!(can_be_right("ada.lovelace+game@mail.example"));
/// assert!(!can_be_right("ada@home@mail.example"));
/// ```
pub fn can_be_right(address: &str) -> bool {
    has_protocol_form(address)
        && local_end(address).is_some_and(|at| {
            let (local, host) = address.split_at(at);
            is_local(local) && host.strip_prefix('@').is_some_and(is_host)
        })
}

/// Something, `@`, something, `.`, something. The first `@` that is not the first character leaves
/// most for the rest, so no other needs to be tried.
fn has_protocol_form(address: &str) -> bool {
    let host = address.char_indices().skip(1).find_map(|(at, c)| {
        let rest = address.get(at + 1..)?;
        (c == '@').then_some(rest)
    });
    host.is_some_and(|host| {
        host.char_indices().skip(1).any(|(at, c)| c == '.' && at + 1 < host.len())
    })
}

/// Where the first `@` outside quotes is.
fn local_end(address: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in address.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '@' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Words with a dot between two; a word is an atom or stands in quotes.
fn is_local(local: &str) -> bool {
    let mut rest = local;
    loop {
        let length = if rest.starts_with('"') {
            quoted_length(rest)
        } else {
            rest.find(|c| !is_atom_char(c)).unwrap_or(rest.len())
        };
        if length == 0 {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
        match rest.strip_prefix('.') {
            Some(next) => rest = next,
            None => return rest.is_empty(),
        }
    }
}

/// Length of the quoted word at the start, in bytes; zero when its quotes do not close.
fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    0
}

/// Labels with a dot between two, or an address in brackets.
fn is_host(host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match literal {
        Some(inner) => !inner.is_empty() && !inner.contains(['[', ']', '\\']),
        None => host.split('.').all(|label| !label.is_empty() && label.chars().all(is_atom_char)),
    }
}

/// `atext` of RFC 5322 §3.2.3, and everything above ASCII.
fn is_atom_char(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_can_be_right_are_taken() {
        for address in [
            "ada@mail.example",
            "ada.lovelace+game@mail.example",
            "a@b.c",
            "!#$%&'*+-/=?^_`{|}~@mail.example",
            "ädä@bücher.example",
            "用户@例子.广告",
            r#""ada@home"@mail.example"#,
            r#""a\"b\\".c@mail.example"#,
            r#""..".x@mail.example"#,
            "ada@[192.0.2.1]",
            "ada@xn--bcher-kva.example",
            "ada@a-b.c-d.example",
            "1@2.3",
        ] {
            assert!(can_be_right(address), "{address}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_right_are_not() {
        for address in [
            "",
            "ada",
            "@mail.example",
            "ada@",
            "ada@mail",
            "ada@.example",
            "ada@mail.",
            "ada@mail..example",
            "ada@home@mail.example",
            "ada@@mail.example",
            ".ada@mail.example",
            "ada.@mail.example",
            "a..da@mail.example",
            r#""@mail.example"#,
            r#""ada@mail.example"#,
            r#"a"d"a@mail.example"#,
            r#""ada"x@mail.example"#,
            r#""ada\"@mail.example"#,
            "<ada@mail.example>",
            "mailto:ada@mail.example",
            "ada,bob@mail.example",
            "ada(home)@mail.example",
            "ada@mail.example,bob@mail.example",
            "ada@[192.0.2.1",
            "ada@192.0.2.1]",
            "ada@[]",
        ] {
            assert!(!can_be_right(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_plain_addresses_pass(
            text in ".{0,40}|[a\"\\\\@.\\[\\]]{0,20}",
            local in "[a-z0-9]{1,8}(\\.[a-z0-9]{1,8}){0,2}",
            host in "[a-z]{1,8}(\\.[a-z]{1,8}){1,3}",
        ) {
            let _ = can_be_right(&text);
            let address = format!("{local}@{host}");
            prop_assert!(can_be_right(&address));
        }

        #[test]
        fn nothing_passes_that_the_protocol_refuses(text in "[a\"\\\\@.\\[\\]é]{0,20}") {
            prop_assert!(!can_be_right(&text) || has_protocol_form(&text));
        }
    }
}
