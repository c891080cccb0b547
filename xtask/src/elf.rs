//! Reads of a shared library in ELF (System V ABI, chapters 4 and 5) what decides whether Android can load it.

use crate::Result;

/// A shared library, as its headers have it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SharedLibrary {
    /// `e_machine`.
    pub(crate) machine: u16,
    /// Of each part that is loaded into memory: it begins at a multiple of this.
    pub(crate) alignments: Vec<u64>,
    /// The libraries that must be there for it.
    pub(crate) needs: Vec<String>,
    /// Of the symbols that it has for others or needs of them. A name that another one ends with may stand only as its end.
    pub(crate) symbols: Vec<String>,
}

const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;

/// Where fields are, which differs with the width of addresses.
struct Layout {
    word: usize,
    /// Of the file's header: where program headers begin, how large one is, how many there are.
    headers: usize,
    header_size: usize,
    header_count: usize,
    /// Of a program header: file offset, address, size in the file, alignment.
    offset: usize,
    address: usize,
    size: usize,
    alignment: usize,
}

const WIDE: Layout = Layout {
    word: 8,
    headers: 32,
    header_size: 54,
    header_count: 56,
    offset: 8,
    address: 16,
    size: 32,
    alignment: 48,
};

const NARROW: Layout = Layout {
    word: 4,
    headers: 28,
    header_size: 42,
    header_count: 44,
    offset: 4,
    address: 8,
    size: 16,
    alignment: 28,
};

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    size: u64,
    alignment: u64,
}

impl SharedLibrary {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| "it is no shared library in ELF, or a broken one".into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let layout = match bytes.get(..7)? {
            [0x7f, b'E', b'L', b'F', 2, 1, 1] => &WIDE,
            [0x7f, b'E', b'L', b'F', 1, 1, 1] => &NARROW,
            _ => return None,
        };
        let number = |at: u64, size: usize| number(bytes, at, size);
        let word = |at: u64| number(at, layout.word);
        let shared = number(16, 2)? == 3;
        let headers = word(layout.headers as u64)?;
        let header_size = number(layout.header_size as u64, 2)?;
        let segments: Vec<Segment> = (0..number(layout.header_count as u64, 2)?)
            .map(|index| {
                let at = headers.checked_add(index.checked_mul(header_size)?)?;
                let field = |of: usize| word(at.checked_add(of as u64)?);
                Some(Segment {
                    kind: number(at, 4)?,
                    offset: field(layout.offset)?,
                    address: field(layout.address)?,
                    size: field(layout.size)?,
                    alignment: field(layout.alignment)?,
                })
            })
            .collect::<Option<_>>()?;
        let loaded = || segments.iter().filter(|segment| segment.kind == PT_LOAD);
        let in_file = |address: u64| {
            let segment = loaded().find(|segment| {
                (segment.address..segment.address.saturating_add(segment.size)).contains(&address)
            })?;
            segment.offset.checked_add(address - segment.address)
        };
        let dynamic = segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
        let width = layout.word as u64;
        let entries: Vec<(u64, u64)> = (0..dynamic.size / (2 * width))
            .map(|index| {
                let at = dynamic.offset.checked_add(index * 2 * width)?;
                Some((word(at)?, word(at.checked_add(width)?)?))
            })
            .collect::<Option<_>>()?;
        let value = |tag: u64| {
            entries
                .iter()
                .find(|(found, _)| *found == tag)
                .map(|(_, value)| *value)
        };
        let texts = in_file(value(DT_STRTAB)?)?;
        let texts = usize::try_from(texts).ok()?;
        let size = usize::try_from(value(DT_STRSZ)?).ok()?;
        let texts = bytes.get(texts..texts.checked_add(size)?)?;
        let text = |at: u64| {
            let text = texts
                .get(usize::try_from(at).ok()?..)?
                .split(|byte| *byte == 0)
                .next()?;
            String::from_utf8(text.to_vec()).ok()
        };
        let needs = entries.iter().filter(|(tag, _)| *tag == DT_NEEDED);
        let symbols = texts.split(|byte| *byte == 0);
        shared.then_some(())?;
        Some(Self {
            machine: u16::try_from(number(18, 2)?).ok()?,
            alignments: loaded().map(|segment| segment.alignment).collect(),
            needs: needs.map(|(_, at)| text(*at)).collect::<Option<_>>()?,
            symbols: symbols
                .filter_map(|name| String::from_utf8(name.to_vec()).ok())
                .collect(),
        })
    }
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: u64, size: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_this_machine_are_read() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.lines().find_map(|line| {
            line.split_whitespace()
                .last()
                .filter(|path| path.ends_with("/libc.so.6"))
        });
        // A musl machine has none.
        let Some(libc) = libc else { return };
        let bytes = std::fs::read(libc).unwrap();
        let library = SharedLibrary::read(&bytes).unwrap();
        assert!(
            library
                .alignments
                .iter()
                .all(|alignment| alignment.is_power_of_two())
        );
        assert!(library.alignments.len() > 1);
        assert!(library.symbols.iter().any(|name| name.ends_with("malloc")));
        assert!(
            library
                .needs
                .iter()
                .any(|name| name.starts_with("ld-linux")),
            "{library:?}"
        );
        for end in [0, 7, 20, 63, 64, 500] {
            assert!(SharedLibrary::read(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn no_bytes_make_it_fail_in_another_way() {
        let mut bytes = vec![0xff; 4096];
        bytes[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        assert!(SharedLibrary::read(&bytes).is_err());
        assert!(SharedLibrary::read(b"!<arch>\n").is_err());
    }
}
