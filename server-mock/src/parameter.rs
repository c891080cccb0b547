//! Whole numbers and cursors in queries, paths and headers: read within the bounds that the document names, and refused
//! outside of them.
//!
//! | Text | Answer |
//! |---|---|
//! | ASCII digits, within the bounds | the number |
//! | anything else: a sign, a fraction, too much, nothing | 400 `invalid_parameter` |
//!
//! Nothing is clamped: a client that asks for more than it can have would believe that it has all. The rows of the
//! document say the same bounds by [`crate::openapi::schema::whole`].

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::clock::MS;
use crate::problem::{Problem, invalid_parameter};

/// Records on a page where nothing is said.
const DEFAULT_PAGE: usize = 20;
/// Records on a page that can be asked for.
pub(crate) const PAGE: RangeInclusive<u64> = 1..=100;
/// Characters of a cursor: the longest text that a list is sorted by, in base64.
pub(crate) const MAX_CURSOR_CHARS: usize = 4_096;
/// Milliseconds since 1970: all instants that a session's clock can have.
pub(crate) const INSTANT_MS: RangeInclusive<u64> = 0..=u64::MAX / MS;
/// All that can be counted.
pub(crate) const COUNT: RangeInclusive<u64> = 0..=u64::MAX;

/// The number that a text is, if it has nothing but digits.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// The whole number that a JSON value is: `5`, and `5.0`, which JSON Schema counts as one too.
pub(crate) fn whole_json(value: &Value) -> Option<u64> {
    // Up to 2^53 every whole number is exact.
    let exact =
        |number: &f64| number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(number);
    let from_float = || value.as_f64().filter(exact).map(|number| number as u64);
    value.as_u64().or_else(from_float)
}

/// The number a parameter is.
pub(crate) fn whole(name: &str, text: &str, within: &RangeInclusive<u64>) -> Result<u64, Problem> {
    let found = digits(text).filter(|number| within.contains(number));
    found.ok_or_else(|| {
        let (least, most) = (within.start(), within.end());
        invalid_parameter(
            name,
            format!("{name} must be a number from {least} to {most}"),
        )
    })
}

/// How many records a list's page may have.
pub(crate) fn page_limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else {
        return Ok(DEFAULT_PAGE);
    };
    let limit = whole("limit", text, &PAGE)?;
    Ok(usize::try_from(limit).unwrap_or(DEFAULT_PAGE))
}

/// What a list wrote into a cursor; nothing where no list can have made it.
pub(crate) fn cursor_text(cursor: &str) -> Option<String> {
    if cursor.len() > MAX_CURSOR_CHARS {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_included_and_nothing_is_clamped() {
        let limit = |text| page_limit(text).map_err(|problem| problem.detail);
        assert_eq!(limit(None), Ok(20));
        assert_eq!((limit(Some("1")), limit(Some("100"))), (Ok(1), Ok(100)));
        for wrong in [
            "0",
            "101",
            "+5",
            "-5",
            "5.0",
            " 5",
            "",
            "18446744073709551616",
        ] {
            let refused = limit(Some(wrong)).unwrap_err();
            assert_eq!(refused, "limit must be a number from 1 to 100", "{wrong:?}");
        }
        assert_eq!(digits("18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn whole_numbers_of_json_may_have_a_fraction_of_nothing() {
        let whole = |text: &str| whole_json(&serde_json::from_str(text).unwrap());
        assert_eq!(
            (whole("5"), whole("5.0"), whole("5e3")),
            (Some(5), Some(5), Some(5_000))
        );
        for none in ["5.5", "-1", "-1.0", "1e300", "\"5\"", "null"] {
            assert_eq!(whole(none), None, "{none}");
        }
    }
}
