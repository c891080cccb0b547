//! Plain decimal numbers in headers: digits and at most one dot. The grammar of `f64` would take `inf`, `nan` and `1e9` too, and its
//! parser, exact to the last bit, is a tenth of what a page loads of this crate.

/// Digits after the dot that count.
const MOST_AFTER_DOT: usize = 20;

/// A plain decimal number; infinite where it has more than 308 digits.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let after_dot = fraction.bytes().take(MOST_AFTER_DOT);
    let scale = after_dot.clone().fold(1.0, |scale, _| scale * 10.0);
    // Exact as long as the digits are a whole number below 2^53.
    let digits = whole
        .bytes()
        .chain(after_dot)
        .fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
    Some(digits / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_with_at_most_one_dot_are_a_number() {
        for text in [
            "0",
            "7",
            "007",
            "1.5",
            "5.",
            ".5",
            "0.1",
            "1735689600.123",
            "299.792458",
        ] {
            assert_eq!(decimal(text), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn all_else_is_none() {
        for text in [
            "", ".", "1.2.3", "-1", "+1", "1e9", "inf", "nan", " 1", "1 ", "１",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn absurdly_long_numbers_are_numbers() {
        assert_eq!(decimal(&"9".repeat(400)), Some(f64::INFINITY));
        let third = decimal(&format!("0.{}", "3".repeat(400))).unwrap();
        assert!((third - 1.0 / 3.0).abs() < 1e-15, "{third}");
    }
}
