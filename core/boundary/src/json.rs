//! Writes JSON by hand, straight into the bytes that cross: answers are too frequent for trees of values.

#[cfg(feature = "client")]
use std::fmt;
#[cfg(feature = "client")]
use std::time::Duration;

/// Writes `text` as a string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes `text` as it stands inside of a string.
fn escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'))
    {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, after)) = special.split_first() else {
            break;
        };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => {
                let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// Writes a whole number.
pub(crate) fn number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    let mut left = number;
    loop {
        first -= 1;
        if let (Some(digit), Ok(value)) = (digits.get_mut(first), u8::try_from(left % 10)) {
            *digit = b'0' + value;
        }
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(first..).unwrap_or_default());
}

/// Begins a member: a comma unless it is the first, its name, a colon.
pub(crate) fn member(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), Some(b'{')) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Writes what `write` writes, or `null`.
#[cfg(feature = "client")]
pub(crate) fn or_null<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Writes `true` or `false`.
#[cfg(feature = "client")]
pub(crate) fn boolean(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// What was written, as text.
pub(crate) fn text(written: Vec<u8>) -> String {
    // Only texts and ASCII were written, so nothing is ever lost.
    String::from_utf8(written).unwrap_or_default()
}

/// Writes what `value` shows as a string.
#[cfg(feature = "client")]
pub(crate) fn shown(out: &mut Vec<u8>, value: impl fmt::Display) {
    struct Inside<'a>(&'a mut Vec<u8>);
    impl fmt::Write for Inside<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            escaped(self.0, text);
            Ok(())
        }
    }
    out.push(b'"');
    // Writing into memory does not fail.
    let _ = fmt::Write::write_fmt(&mut Inside(out), format_args!("{value}"));
    out.push(b'"');
}

/// Writes a duration in milliseconds, to the microsecond.
#[cfg(feature = "client")]
pub(crate) fn milliseconds(out: &mut Vec<u8>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    number(out, micros / 1000);
    let fraction = micros % 1000;
    if fraction > 0 {
        out.push(b'.');
        for unit in [100, 10, 1] {
            out.push(b'0' + u8::try_from(fraction / unit % 10).unwrap_or(0));
        }
    }
}

/// Writes bytes as a string, each byte a character, as fetch reads header values.
#[cfg(feature = "client")]
pub(crate) fn latin1(out: &mut Vec<u8>, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => string(out, text),
        _ => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            string(out, &text);
        }
    }
}

#[cfg(test)]
#[cfg(feature = "client")]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn any_text_comes_back_as_it_was() {
        let all: String = (0..0x300_u32)
            .chain([0x2028, 0xFFFF, 0x1F600])
            .filter_map(char::from_u32)
            .collect();
        for given in ["", "plain", "\"", "a\\b\"c\nd\u{1}e\u{1f}\u{7f}", &all] {
            let json = written(|out| string(out, given));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), given);
            assert_eq!(written(|out| shown(out, given)), json);
        }
    }

    #[test]
    fn bytes_are_characters() {
        let json = written(|out| latin1(out, b"caf\xe9 \xff"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), "café ÿ");
        assert_eq!(written(|out| latin1(out, "é".as_bytes())), "\"Ã©\"");
    }

    #[test]
    fn numbers_have_all_their_digits() {
        for given in [0, 7, 10, 1234567890, u64::MAX] {
            assert_eq!(written(|out| number(out, given)), given.to_string());
        }
        for (micros, json) in [
            (0, "0"),
            (1, "0.001"),
            (1000, "1"),
            (12_340_050, "12340.050"),
            (1_230, "1.230"),
        ] {
            let duration = Duration::from_micros(micros);
            assert_eq!(written(|out| milliseconds(out, duration)), json);
        }
    }
}
