//! Finds a header that was probably meant to be the missing one: a proxy's, a framework's or another scheme's spelling.

use crate::headers::Headers;
use crate::layout::{Layout, TimestampAt};

/// Names shorter than this are alike by chance.
const SHORTEST: usize = 8;

/// The name of a present header that looks like `wanted`, safe to print.
pub(super) fn similar(wanted: &str, layout: &Layout, headers: &dyn Headers) -> Option<String> {
    let wanted_letters = letters(wanted.as_bytes());
    let suffix = wanted_letters
        .strip_prefix("webhook")
        .unwrap_or(&wanted_letters)
        .to_owned();
    let core = without_x(&wanted_letters).to_owned();
    let mut exact = vec![&*layout.signature];
    exact.extend(layout.id.as_deref());
    if let Some(TimestampAt::Header(name)) = &layout.timestamp {
        exact.push(name);
    }
    let mut found = None;
    headers.visit(&mut |name, _| {
        let is_exact = exact
            .iter()
            .any(|exact| name.eq_ignore_ascii_case(exact.as_bytes()));
        if found.is_some() || is_exact || !is_printable(name) {
            return;
        }
        let letters = letters(name);
        let theirs = without_x(&letters);
        let begins_alike = theirs.len().min(core.len()) >= SHORTEST
            && (theirs.starts_with(&core) || core.starts_with(theirs));
        if letters.ends_with(&wanted_letters)
            || letters.strip_prefix("svix") == Some(&suffix)
            || begins_alike
        {
            found = Some(name.iter().copied().map(char::from).collect());
        }
    });
    found
}

/// Without the `x-` before it.
fn without_x(letters: &str) -> &str {
    letters.strip_prefix('x').unwrap_or(letters)
}

/// Lower-case letters and digits alone, so that `HTTP_WEBHOOK_ID` ends with `webhook-id`.
fn letters(name: &[u8]) -> String {
    name.iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect()
}

/// The name came from a stranger: only short names of plain characters go into a log.
fn is_printable(name: &[u8]) -> bool {
    name.len() <= 64
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
