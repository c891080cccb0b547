//! Texts and numbers as `Display` shows them, without width and fill: the standard library's, which know both, are a good part of the
//! size of the module that a page loads.

use std::fmt;

/// A text inside of a message.
pub(crate) struct Text<'t>(pub(crate) &'t str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A number inside of a message, in decimal.
pub(crate) struct Number(pub(crate) u64);

impl Number {
    /// A length, an index or a count.
    pub(crate) fn of(number: usize) -> Self {
        // No target has a `usize` of more than 64 bits.
        Self(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The most that a u64 has.
        let mut digits = [b'0'; 20];
        let mut first = digits.len();
        let mut rest = self.0;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            let [value, ..] = (rest % 10).to_le_bytes();
            *digit += value;
            rest /= 10;
            first = at;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(first..).unwrap_or_default();
        f.write_str(std::str::from_utf8(digits).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn numbers_are_shown_as_the_standard_library_shows_them() {
        for number in [
            0,
            1,
            9,
            10,
            11,
            99,
            100,
            12_345_678_909,
            u64::MAX - 1,
            u64::MAX,
        ] {
            assert_eq!(Number(number).to_string(), number.to_string());
        }
    }
}
