//! The request that is being answered: its id, and the trace it belongs to. Both go along with the
//! request's own task; work that is handed to somebody else says itself whose it was.

use std::fmt;

use super::trace::Parent;

/// Longest id that is taken from a request, in bytes: a UUID with its dashes, and some more.
const LENGTH_MAX: usize = 64;
/// Shortest one: fewer characters name nothing.
const LENGTH_MIN: usize = 8;
/// Length of one that is made here: sixteen hex digits.
const LENGTH_OWN: usize = 16;

/// A request's id: ASCII letters, digits, `-`, `_`, `.`; 8 to 64 of them. Copied, never allocated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    text: [u8; LENGTH_MAX],
    length: u8,
}

impl RequestId {
    /// One that somebody else gave. `None`: too short, too long, or of other characters, which could
    /// forge lines of a log.
    pub fn given(text: &[u8]) -> Option<Self> {
        let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let fits = (LENGTH_MIN..=LENGTH_MAX).contains(&text.len());
        (fits && text.iter().all(is_safe)).then(|| Self::of(text))
    }

    /// One from a number that is given once.
    pub fn made(number: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; LENGTH_OWN];
        for (at, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[(number >> (60 - 4 * at) & 0xf) as usize];
        }
        Self::of(&text)
    }

    /// At most [`LENGTH_MAX`] bytes of ASCII.
    fn of(ascii: &[u8]) -> Self {
        let mut text = [0; LENGTH_MAX];
        let length = ascii.len().min(LENGTH_MAX);
        text[..length].copy_from_slice(&ascii[..length]);
        Self { text, length: u8::try_from(length).unwrap_or_default() }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What goes along with a request's task.
#[derive(Clone)]
struct Scope {
    id: RequestId,
    parent: Option<Parent>,
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// Answers a request: whatever `answer` does is done for it.
pub fn within<T, F: Future<Output = T>>(
    id: RequestId,
    parent: Option<Parent>,
    answer: F,
) -> impl Future<Output = T> + use<T, F> {
    SCOPE.scope(Scope { id, parent }, answer)
}

/// The id of the request whose task this is.
pub fn current_id() -> Option<RequestId> {
    SCOPE.try_with(|scope| scope.id).ok()
}

/// The span that a step of this request's work belongs to; `None`: nobody traces it.
pub(super) fn current_parent() -> Option<(RequestId, Parent)> {
    SCOPE.try_with(|scope| Some((scope.id, scope.parent.clone()?))).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_ids_of_safe_characters_are_taken() {
        for good in ["9f3c2a71", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "edge_7.a-1"] {
            assert_eq!(RequestId::given(good.as_bytes()).unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in ["", "short", "with space", "line\nbreak", "quote\"1", "naïve-id", &long] {
            assert_eq!(RequestId::given(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn our_own_are_sixteen_hex_digits() {
        assert_eq!(RequestId::made(0x00c0_ffee_0123_4567).as_str(), "00c0ffee01234567");
    }

    #[tokio::test]
    async fn an_id_goes_along_with_its_request_and_no_further() {
        assert_eq!(current_id(), None);
        let (one, two) = (RequestId::made(1), RequestId::made(2));
        let each = |id| {
            within(id, None, async move {
                for _ in 0..3 {
                    assert_eq!(current_id(), Some(id));
                    tokio::task::yield_now().await;
                }
            })
        };
        tokio::join!(each(one), each(two));
        assert_eq!(current_id(), None);
    }
}
