//! The place of a call in a distributed trace: W3C Trace Context (Recommendation of 2021-11-23), `traceparent` and `tracestate`.
//!
//! `traceparent: 00-TRACEID-SPANID-FLAGS`, in lower-case hex. Each attempt is a span of its own: same trace, new span id (section 2.3.1
//! of the recommendation), so that a server tells attempts apart. `tracestate` travels as it came.

use std::fmt;

use http::HeaderValue;

use crate::time::Random;

/// `tracestate` longer than this is left out; 512 characters have to be carried (section 3.3.1.5).
const MOST_STATE: usize = 4096;

/// Where in which trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
    state: Option<HeaderValue>,
}

/// A `traceparent` that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTraceContext;

impl fmt::Display for NoTraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it must look like 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, in lower case and not all zero")
    }
}

impl std::error::Error for NoTraceContext {}

impl TraceContext {
    /// From its parts.
    ///
    /// # Errors
    /// Where an id is all zero.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Result<Self, NoTraceContext> {
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(NoTraceContext);
        }
        Ok(Self {
            trace_id,
            span_id,
            flags,
            state: None,
        })
    }

    /// Reads a `traceparent`. Of a version that is not known yet the part is read that stays (section 3.2.4).
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(traceparent: &str) -> Result<Self, NoTraceContext> {
        let mut parts = traceparent.trim().split('-');
        let mut part = || parts.next().ok_or(NoTraceContext);
        let [version] = hex::<1>(part()?)?;
        let (trace_id, span_id) = (hex::<16>(part()?)?, hex::<8>(part()?)?);
        let [flags] = hex::<1>(part()?)?;
        let more = parts.next().is_some();
        if version == 0xff || (version == 0 && more) {
            return Err(NoTraceContext);
        }
        // Of flags only those are kept that are known.
        Self::new(trace_id, span_id, flags & 0b11)
    }

    /// A new trace that begins here.
    pub fn generate(sampled: bool, random: &mut dyn Random) -> Self {
        let (high, low) = (random.next_u64(), random.next_u64());
        let mut trace_id = [0; 16];
        trace_id
            .iter_mut()
            .zip(high.to_be_bytes().into_iter().chain(low.to_be_bytes()))
            .for_each(|(to, from)| *to = from);
        if trace_id == [0; 16] {
            trace_id = [1; 16];
        }
        Self {
            trace_id,
            span_id: span_id(random),
            // All of the id is random: the flag of level 2, which those of level 1 ignore.
            flags: u8::from(sampled) | 0b10,
            state: None,
        }
    }

    /// The same with this `tracestate`. One that is no header value, or much too long, is left out.
    #[must_use]
    pub fn with_state(mut self, tracestate: &str) -> Self {
        let state = tracestate.trim();
        self.state = (!state.is_empty() && state.len() <= MOST_STATE)
            .then(|| HeaderValue::from_str(state).ok())
            .flatten();
        self
    }

    /// Another span of the same trace, with this as its parent.
    #[must_use]
    pub fn child(&self, random: &mut dyn Random) -> Self {
        Self {
            span_id: span_id(random),
            ..self.clone()
        }
    }

    /// The trace's id.
    #[must_use]
    pub const fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The span's id.
    #[must_use]
    pub const fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// The trace's flags: bit 0, it is sampled; bit 1, its id is random.
    #[must_use]
    pub const fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// What the systems on the way have to say, as it came.
    #[must_use]
    pub const fn state(&self) -> Option<&HeaderValue> {
        self.state.as_ref()
    }

    /// As a `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id);
        text.push('-');
        push_hex(&mut text, &self.span_id);
        text.push('-');
        push_hex(&mut text, &[self.flags]);
        text
    }
}

fn span_id(random: &mut dyn Random) -> [u8; 8] {
    let id = random.next_u64();
    if id == 0 { [1; 8] } else { id.to_be_bytes() }
}

fn hex<const N: usize>(text: &str) -> Result<[u8; N], NoTraceContext> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(NoTraceContext),
    };
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(NoTraceContext);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else {
            return Err(NoTraceContext);
        };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(bytes)
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    struct Counting(u64);
    impl Random for Counting {
        fn next_u64(&mut self) -> u64 {
            self.0 += 1;
            self.0 - 1
        }
    }

    #[test]
    fn a_traceparent_reads_as_it_is_written() {
        let context = TraceContext::parse(PARENT).unwrap();
        assert_eq!(context.traceparent(), PARENT);
        assert!(context.is_sampled());
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
            "00-ä0f7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(wrong), Err(NoTraceContext), "{wrong}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_stays_the_same() {
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09-what-may-come";
        let context = TraceContext::parse(later).unwrap();
        assert_eq!(context.traceparent(), PARENT);
    }

    #[test]
    fn a_child_is_another_span_of_the_same_trace() {
        let context = TraceContext::parse(PARENT).unwrap().with_state("a=1,b=2");
        let child = context.child(&mut Counting(7));
        assert_eq!(
            child.traceparent(),
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000007-01"
        );
        assert_eq!(child.state(), Some(&HeaderValue::from_static("a=1,b=2")));
    }

    #[test]
    fn no_id_is_ever_all_zero() {
        struct Zero;
        impl Random for Zero {
            fn next_u64(&mut self) -> u64 {
                0
            }
        }
        let context = TraceContext::generate(true, &mut Zero);
        assert_eq!(TraceContext::parse(&context.traceparent()), Ok(context));
    }

    #[test]
    fn a_state_that_no_header_can_carry_is_left_out() {
        let context = TraceContext::parse(PARENT).unwrap();
        for state in ["a=1\r\nx: y", "", &"a".repeat(5000)] {
            assert_eq!(context.clone().with_state(state).state(), None);
        }
    }
}
