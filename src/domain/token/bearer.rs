//! The token of an `Authorization: Bearer …` value.

/// The token of an `Authorization` value; the scheme's case does not matter (RFC 9110 §11.1).
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_value_holds_a_token() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer  a.b.c "), Some("a.b.c"));
        for bad in ["a.b.c", "Basic a.b.c", "Bearer", "Bearer ", ""] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
