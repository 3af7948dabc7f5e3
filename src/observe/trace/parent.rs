//! `traceparent`: the trace that a caller says this request belongs to (W3C Trace Context §3.2).

use opentelemetry::trace::{SpanId, TraceId};

/// Bytes of version 00; later versions may be longer.
const LENGTH: usize = 55;

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub trace: TraceId,
    pub span: SpanId,
    pub is_sampled: bool,
}

impl Traceparent {
    /// `None`: not by the rules, and then as good as absent.
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let [version, trace, span, flags] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_hex = |part: &str| part.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let lengths = [version, trace, span, flags].map(str::len);
        let is_whole = parts.next().is_none() && lengths == [2, 32, 16, 2];
        let fits = if version == "00" { rest.is_empty() } else { version != "ff" };
        let goes_on = rest.is_empty() || rest.starts_with('-');
        if !(is_whole && fits && goes_on && [version, trace, span, flags].into_iter().all(is_hex)) {
            return None;
        }
        let trace = TraceId::from_hex(trace).ok().filter(|it| *it != TraceId::INVALID)?;
        let span = SpanId::from_hex(span).ok().filter(|it| *it != SpanId::INVALID)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace, span, is_sampled: flags & 1 == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_keeps_the_rules_is_read() {
        let read = Traceparent::parse(GOOD).unwrap();
        assert_eq!(read.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((read.span.to_string().as_str(), read.is_sampled), ("00f067aa0ba902b7", true));
        let unsampled = GOOD.replace("-01", "-00");
        assert!(!Traceparent::parse(&unsampled).unwrap().is_sampled);
        let later = GOOD.replacen("00", "cc", 1) + "-what-comes";
        assert!(Traceparent::parse(&later).is_some());
    }

    #[test]
    fn what_breaks_them_is_as_good_as_absent() {
        let zeros = |digits: usize| "0".repeat(digits);
        for bad in [
            String::new(),
            "naïve".repeat(20),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            format!("{GOOD}-more"),
            GOOD.replacen("00", "cc", 1) + "more",
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros(32)),
            GOOD.replace("00f067aa0ba902b7", &zeros(16)),
            GOOD.replace('-', "_"),
        ] {
            assert_eq!(Traceparent::parse(&bad), None, "{bad}");
        }
    }
}
