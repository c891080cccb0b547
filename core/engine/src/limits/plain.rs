//! Reads the plainest form of draft-10's lists, which nearly all answers have, without a parser for all of RFC 9651 and
//! without allocation: `"burst";r=3;t=7, "day";r=400;t=3600`.
//!
//! It knows strings without escapes, and the parameters `q`, `w`, `r`, `t` with up to 15 digits. What is anything else in any way
//! is left to `structured.rs`: both give the same where this gives anything (`the_plain_form_reads_the_same`).

/// Members that are read; longer lists are left to the parser.
const MOST: usize = 3;
/// The most digits of an integer (RFC 9651, section 3.3.1).
const DIGITS: usize = 15;

/// One member.
#[derive(Clone, Copy, Default)]
pub(super) struct Plain<'h> {
    pub(super) name: &'h str,
    pub(super) q: Option<u64>,
    pub(super) w: Option<u64>,
    pub(super) r: Option<u64>,
    pub(super) t: Option<u64>,
}

/// The members of one field.
#[derive(Clone, Copy, Default)]
pub(super) struct List<'h> {
    members: [Plain<'h>; MOST],
    len: usize,
}

impl<'h> List<'h> {
    /// Reads the members of a field of one line into an empty list. `None` where it is not of the plain form.
    pub(super) fn read(&mut self, value: &'h [u8]) -> Option<()> {
        let mut rest = value;
        loop {
            let member = self.members.get_mut(self.len)?;
            rest = member.read(rest)?;
            self.len += 1;
            rest = match rest {
                [] => return Some(()),
                [b',', b' ', after @ ..] | [b',', after @ ..] => after,
                _ => return None,
            };
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Plain<'h>> {
        self.members.iter().take(self.len)
    }
}

impl<'h> Plain<'h> {
    /// Reads one member, and answers what comes after it.
    fn read(&mut self, value: &'h [u8]) -> Option<&'h [u8]> {
        let quoted = value.strip_prefix(b"\"")?;
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        let (name, after) = quoted.split_at_checked(end)?;
        if !name
            .iter()
            .all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\')
        {
            return None;
        }
        self.name = std::str::from_utf8(name).ok()?;
        let mut rest = after.get(1..)?;
        while let [b';', key, b'=', digits @ ..] = rest {
            let slot = match key {
                b'q' => &mut self.q,
                b'w' => &mut self.w,
                b'r' => &mut self.r,
                b't' => &mut self.t,
                _ => return None,
            };
            let (mut number, mut read) = (0u64, 0);
            rest = digits;
            while let [digit @ b'0'..=b'9', after @ ..] = rest {
                number = number * 10 + u64::from(digit - b'0');
                read += 1;
                if read > DIGITS {
                    return None;
                }
                rest = after;
            }
            if read == 0 {
                return None;
            }
            *slot = Some(number);
        }
        Some(rest)
    }
}
