//! Just enough DER (X.690) to find the key in a PKCS #8 (RFC 5208) or SEC 1 (RFC 5915) file.

/// Reads one element after the other.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(&'a [u8]);

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[1]`, constructed.
pub(super) const TAGGED_1: u8 = 0xa1;

impl<'a> Der<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element's tag and content.
    pub(super) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match *first {
            short if short < 0x80 => (usize::from(short), rest),
            // Four bytes of length are more than any key has.
            long @ 0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                let length = bytes
                    .iter()
                    .fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The next element's content, where it has this tag.
    pub(super) fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// What is inside of the next element.
    pub(super) fn inside(&mut self, tag: u8) -> Option<Self> {
        self.next(tag).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_nonsense_ends_it() {
        let mut der = Der::new(&[SEQUENCE, 3, INTEGER, 1, 7, OCTET_STRING, 0x81, 1, 9]);
        assert_eq!(
            der.inside(SEQUENCE).unwrap().next(INTEGER),
            Some(&[7_u8][..])
        );
        assert_eq!(der.next(OCTET_STRING), Some(&[9_u8][..]));
        assert!(der.any().is_none());
        for broken in [
            &[][..],
            &[SEQUENCE],
            &[SEQUENCE, 5, 1],
            &[SEQUENCE, 0x80],
            &[SEQUENCE, 0x84, 255, 255, 255, 255],
            &[SEQUENCE, 0x85, 0, 0, 0, 0, 0],
        ] {
            assert!(Der::new(broken).any().is_none(), "{broken:?}");
        }
    }
}
