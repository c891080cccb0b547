//! Standard base64 (RFC 4648, section 4) in the one spelling that each run of bytes has. A general engine is several times its size,
//! which counts for what a page loads; the tests hold it against one.

const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const NO_SYMBOL: u8 = 0xFF;

/// What each byte stands for.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed by the compiler"
)]
const VALUES: [u8; 256] = {
    let mut values = [NO_SYMBOL; 256];
    let mut value = 0;
    while value < SYMBOLS.len() {
        values[SYMBOLS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Whether the last group must be filled up with `=`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// It must.
    Whole,
    /// It may be, wholly or in part.
    Any,
}

/// How many symbols `encode_into` writes for as many bytes.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Appends `bytes` to `text`.
pub(crate) fn encode_into(bytes: &[u8], text: &mut String) {
    text.reserve(encoded_len(bytes.len()));
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4_usize {
            let value = bits >> (18 - 6 * at) & 63;
            let symbol = SYMBOLS.get(value as usize).filter(|_| at <= group.len());
            text.push(char::from(symbol.copied().unwrap_or(b'=')));
        }
    }
}

/// Writes the bytes of `text` to the front of `out` and tells how many; `None` where `text` is not base64, or `out` is too small.
pub(crate) fn decode(text: &[u8], padding: Padding, out: &mut [u8]) -> Option<usize> {
    let symbols = match text {
        [symbols @ .., b'=', b'='] | [symbols @ .., b'='] => symbols,
        symbols => symbols,
    };
    let pads = text.len() - symbols.len();
    let last = symbols.len() % 4;
    let filled = (last + pads).is_multiple_of(4);
    if last == 1
        || last + pads > 4
        || (last == 0 && pads > 0)
        || (padding == Padding::Whole && !filled)
    {
        return None;
    }
    let mut room = out.iter_mut();
    let mut len = 0;
    for group in symbols.chunks(4) {
        let mut bits = 0;
        for symbol in group {
            let value = *VALUES.get(usize::from(*symbol))?;
            if value == NO_SYMBOL {
                return None;
            }
            bits = bits << 6 | u32::from(value);
        }
        let [_, decoded @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        let (bytes, rest) = decoded.split_at_checked(group.len() - 1)?;
        // Bits that are set beyond the last byte would be a second spelling.
        if rest.iter().any(|bits| *bits != 0) {
            return None;
        }
        for byte in bytes {
            *room.next()? = *byte;
        }
        len += bytes.len();
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::DecodePaddingMode;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

    use super::{Padding, decode, encode_into};

    const ANY: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );

    fn decoded(text: &[u8], padding: Padding) -> Option<Vec<u8>> {
        let mut out = vec![0; text.len()];
        let len = decode(text, padding, &mut out)?;
        out.truncate(len);
        Some(out)
    }

    #[track_caller]
    fn as_the_engine(text: &[u8]) {
        let shown = text.escape_ascii();
        assert_eq!(
            decoded(text, Padding::Whole),
            STANDARD.decode(text).ok(),
            "{shown}"
        );
        assert_eq!(
            decoded(text, Padding::Any),
            ANY.decode(text).ok(),
            "{shown}"
        );
    }

    #[test]
    fn bytes_are_written_as_the_engine_writes_them() {
        let bytes: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
        for len in 0..bytes.len() {
            let mut text = String::from("before ");
            encode_into(&bytes[len / 2..len], &mut text);
            assert_eq!(
                text,
                format!("before {}", STANDARD.encode(&bytes[len / 2..len]))
            );
            as_the_engine(&text.as_bytes()[7..]);
        }
    }

    /// Every text of up to six of these, alone and after a whole group.
    #[test]
    fn texts_are_read_as_the_engine_reads_them() {
        const FEW: &[u8] = b"AQg/=-";
        for len in 0..7_u32 {
            for number in 0..FEW.len().pow(len) {
                let text: Vec<u8> = (0..len)
                    .map(|place| FEW[number / FEW.len().pow(place) % FEW.len()])
                    .collect();
                as_the_engine(&text);
                as_the_engine(&[b"b64+", text.as_slice()].concat());
            }
        }
    }

    #[test]
    fn any_byte_is_read_as_the_engine_reads_it() {
        for byte in 0..=255 {
            for place in 0..8 {
                let mut text = *b"AAAAAAAA";
                text[place] = byte;
                as_the_engine(&text);
                as_the_engine(&text[..7]);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(decode(b"AAAA", Padding::Whole, &mut [0; 2]), None);
        assert_eq!(decode(b"AAAA", Padding::Whole, &mut [0; 3]), Some(3));
        assert_eq!(decode(b"AAAA", Padding::Whole, &mut [0; 4]), Some(3));
    }
}
