//! The blocks of a PEM file (RFC 7468), as strictly as a file deserves that came from somewhere else.

use crate::base64::{self, Padding};

/// The longest file: a certificate with its chain has 4 to 8 kB.
pub(crate) const MAX_PEM: usize = 64 * 1024;

/// The bytes of the first block, which must have this label. Blocks may follow (a chain), nothing may stand before, between or
/// after them but white space: what only contains a certificate is another file, maybe one that somebody else wrote.
pub(crate) fn first_block(file: &[u8], label: &str) -> Option<Vec<u8>> {
    if file.len() > MAX_PEM {
        return None;
    }
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let mut first = None;
    let mut rest = std::str::from_utf8(file).ok()?.trim_ascii();
    while !rest.is_empty() {
        let (content, after) = rest.strip_prefix(&begin)?.split_once(&end)?;
        if first.is_none() {
            first = Some(content);
        } else if content.contains('-') {
            return None;
        }
        rest = after.trim_ascii_start();
    }
    let symbols: Vec<u8> = first?
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let mut bytes = vec![0; symbols.len()];
    let len = base64::decode(&symbols, Padding::Whole, &mut bytes)?;
    bytes.truncate(len);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{MAX_PEM, first_block};

    #[test]
    fn blocks_are_read_and_anything_around_them_is_refused() {
        let block = "-----BEGIN A-----\nAQID\r\nBA==\n-----END A-----";
        let read = |text: &str| first_block(text.as_bytes(), "A");
        assert_eq!(read(block), Some(vec![1, 2, 3, 4]));
        assert_eq!(
            read(&format!("\n{block}\n\n{block}\n")),
            Some(vec![1, 2, 3, 4])
        );
        for wrong in [
            String::new(),
            format!("<x>{block}</x>"),
            format!("{block} x"),
            format!("{block}\nx\n{block}"),
            block.replace("BEGIN A", "BEGIN B"),
            block.replace("AQID", "AQ-D"),
            block.replace("BA==", "BA="),
            block.replace("BA==", "BB=="),
            "-----BEGIN A-----\nAQID".to_owned(),
            format!("{block}{}", " \n".repeat(MAX_PEM)),
        ] {
            assert_eq!(read(&wrong), None, "{}", wrong.get(..60).unwrap_or(&wrong));
        }
    }
}
