//! Reads header fields from whatever the receiving framework has: pairs, maps, `http::HeaderMap`.

use std::collections::{BTreeMap, HashMap};

/// The header fields of one received request, as name and value bytes.
///
/// Implemented for slices, arrays and vectors of pairs, `BTreeMap`, `HashMap` and, with the feature
/// `http`, `http::HeaderMap`. Names are compared without regard to ASCII case; the values are used
/// as the exact bytes that arrived, so hand them in undecoded (or encoded back the way the
/// framework decoded them: WSGI uses Latin-1).
pub trait Headers {
    /// Calls `see` with the name and value of every field, once for each value of a repeated field.
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8]));
}

impl<H: Headers + ?Sized> Headers for &H {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        (**self).visit(see);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for [(N, V)] {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        for (name, value) in self {
            see(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const LEN: usize> Headers for [(N, V); LEN] {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        self.as_slice().visit(see);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for Vec<(N, V)> {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        self.as_slice().visit(see);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Headers for BTreeMap<N, V> {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        for (name, value) in self {
            see(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, S> Headers for HashMap<N, V, S> {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        for (name, value) in self {
            see(name.as_ref(), value.as_ref());
        }
    }
}

#[cfg(feature = "http")]
impl Headers for http::HeaderMap {
    fn visit<'h>(&'h self, see: &mut dyn FnMut(&'h [u8], &'h [u8])) {
        for (name, value) in self {
            see(name.as_str().as_bytes(), value.as_bytes());
        }
    }
}

/// One wanted field: what the request had under its name.
#[derive(Clone, Copy)]
pub(crate) enum Found<'h> {
    /// No such field.
    Missing,
    /// Exactly one.
    Once(&'h [u8]),
    /// More than one, so that two readers may disagree about which counts.
    Repeated,
}

/// Finds each of `names` in one pass; an empty name is not looked for.
pub(crate) fn find<'h, const N: usize>(
    headers: &'h dyn Headers,
    names: [&str; N],
) -> [Found<'h>; N] {
    let mut found = [Found::Missing; N];
    headers.visit(&mut |name, value| {
        for (wanted, slot) in names.iter().zip(&mut found) {
            if name.eq_ignore_ascii_case(wanted.as_bytes()) && !wanted.is_empty() {
                *slot = match slot {
                    Found::Missing => Found::Once(value),
                    Found::Once(_) | Found::Repeated => Found::Repeated,
                };
            }
        }
    });
    found
}
