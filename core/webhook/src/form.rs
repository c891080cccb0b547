//! Bodies of HTML forms, `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), strictly: what is not encoded properly is refused.

/// The parameters of a form, decoded, in their order; `None` where an escape is broken or a text is not UTF-8.
pub(crate) fn parameters(body: &[u8]) -> Option<Vec<(String, String)>> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decoded(halves.next().unwrap_or_default())?;
            Some((name, decoded(halves.next().unwrap_or_default())?))
        })
        .collect()
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut byte = [0];
                crate::hex::decode(after.get(..2)?, &mut byte)?;
                bytes.extend(byte);
                rest = after.get(2..)?;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn forms_are_decoded_and_broken_ones_refused() {
        let pairs = parameters(b"a=1+2&b=%2B%c3%A9&&c&d=x=y&a=").unwrap();
        let expected = [
            ("a", "1 2"),
            ("b", "+é"),
            ("c", ""),
            ("d", "x=y"),
            ("a", ""),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(parameters(b""), Some(Vec::new()));
        for broken in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%c3"] {
            assert_eq!(parameters(broken.as_bytes()), None, "{broken}");
        }
    }
}
