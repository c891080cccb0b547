//! Hexadecimal digits, in either case.

/// Appends `bytes` in lower case.
pub(crate) fn encode_into(bytes: &[u8], text: &mut String) {
    text.reserve(2 * bytes.len());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
}

/// Writes the bytes of `text` to the front of `out` and tells how many; `None` where `text` is not pairs of digits, or `out` is too small.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut room = out.iter_mut();
    let (pairs, odd) = text.as_chunks::<2>();
    for [high, low] in pairs {
        *room.next()? = value(*high)? << 4 | value(*low)?;
    }
    odd.is_empty().then_some(pairs.len())
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode, encode_into};

    #[test]
    fn every_byte_is_written_and_read_again_in_both_cases() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = String::new();
        encode_into(&bytes, &mut text);
        for text in [text.clone(), text.to_uppercase()] {
            let mut out = [0; 256];
            assert_eq!(decode(text.as_bytes(), &mut out), Some(256));
            assert_eq!(out.as_slice(), bytes);
        }
    }

    #[test]
    fn what_is_no_pair_of_digits_is_refused() {
        for text in ["0", "0g", "g0", " 0", "0x", "00 ", "é"] {
            assert_eq!(decode(text.as_bytes(), &mut [0; 8]), None, "{text}");
        }
        assert_eq!(decode(b"0000", &mut [0; 1]), None);
        assert_eq!(decode(b"", &mut []), Some(0));
    }
}
