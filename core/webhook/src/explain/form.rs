//! Writes a form again the way other languages would, to find the bytes a sender signed before somebody parsed them.

use std::borrow::Cow;

use crate::form::parameters;

/// Which characters stay as they are beside letters and digits, and whether a space is a plus: Python and PHP, browsers, Java,
/// JavaScript's `encodeURIComponent`, Go.
const WRITERS: [(&[u8], bool); 6] = [
    (b"-._~", true),
    (b"-._~", false),
    (b"*-._", true),
    (b"-._!~*'()", false),
    (b"-._", true),
    (b"-._~/", true),
];

/// The spellings of a form.
pub(super) fn rewritten(body: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let Some(pairs) = parameters(body).filter(|pairs| !pairs.is_empty()) else {
        return Vec::new();
    };
    spellings(&pairs)
}

/// The spellings of a form with these parameters.
pub(super) fn spellings(pairs: &[(String, String)]) -> Vec<Cow<'static, [u8]>> {
    let mut all = Vec::new();
    for (plain, plus) in WRITERS {
        for upper in [true, false] {
            let mut body = Vec::new();
            for (name, value) in pairs {
                if !body.is_empty() {
                    body.push(b'&');
                }
                write(name, plain, plus, upper, &mut body);
                body.push(b'=');
                write(value, plain, plus, upper, &mut body);
            }
            all.push(Cow::Owned(body));
        }
    }
    all
}

fn write(text: &str, plain: &[u8], plus: bool, upper: bool, body: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b' ' if plus => body.push(b'+'),
            _ if byte.is_ascii_alphanumeric() || plain.contains(&byte) => body.push(byte),
            _ => {
                let mut digits = String::from("%");
                crate::hex::encode_into(&[byte], &mut digits);
                if upper {
                    digits.make_ascii_uppercase();
                }
                body.extend_from_slice(digits.as_bytes());
            }
        }
    }
}
