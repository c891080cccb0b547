//! What commands read: bodies, secrets, headers and whole requests, from files and standard input, never without a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::Failure;

/// More is no webhook.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A request as it was captured.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) method: Option<String>,
    /// The path and query of the request line.
    pub(crate) target: Option<String>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let of = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(of)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::new(format!(
            "{}: larger than {MAX_BYTES} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::new(format!("{}: not UTF-8", path.display())))
}

/// The secrets of a file: one a line, without the line's end. A PEM block is one secret.
pub(crate) fn secrets(path: &Path) -> Result<Vec<String>, Failure> {
    let text = text(path)?;
    if text.contains("-----BEGIN") {
        return Ok(vec![text]);
    }
    let secrets = text.lines().filter(|line| !line.is_empty());
    Ok(secrets.map(str::to_owned).collect())
}

/// `Name: value`, as it stands in a request.
pub(crate) fn header(line: &[u8]) -> Result<(String, Vec<u8>), Failure> {
    let wrong = || {
        let line = String::from_utf8_lossy(line);
        let name: String = line.chars().take_while(|c| *c != ':').take(60).collect();
        Failure::usage(format!(
            "a header is written `Name: value`; {name:?} is none"
        ))
    };
    let colon = line
        .iter()
        .position(|byte| *byte == b':')
        .ok_or_else(wrong)?;
    let (name, value) = line.split_at(colon);
    let name = std::str::from_utf8(name).map_err(|_| wrong())?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(wrong());
    }
    // The colon, and the white space around a value, are not of it (RFC 9112, section 5).
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    Ok((name.to_owned(), value.to_vec()))
}

/// Headers, a line each, up to the first empty line. A request line before them is taken too.
pub(crate) fn head(bytes: &[u8]) -> Result<Captured, Failure> {
    let mut captured = Captured::default();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        match request_line(line).filter(|_| at == 0) {
            Some((method, target)) => {
                captured.method = Some(method);
                captured.target = Some(target);
            }
            None => captured.headers.push(header(line)?),
        }
    }
    Ok(captured)
}

/// A whole request: head, empty line, body.
pub(crate) fn request(bytes: &[u8]) -> Result<Captured, Failure> {
    let end = |mark: &[u8]| {
        let at = bytes
            .windows(mark.len())
            .position(|window| window == mark)?;
        Some((at, at + mark.len()))
    };
    let (head_ends, body_begins) = end(b"\r\n\r\n")
        .into_iter()
        .chain(end(b"\n\n"))
        .min()
        .ok_or_else(|| {
            Failure::usage(
                "a request is its head, an empty line and its body; there is no empty line",
            )
        })?;
    let mut captured = head(bytes.get(..head_ends).unwrap_or_default())?;
    captured.body = bytes.get(body_begins..).unwrap_or_default().to_vec();
    Ok(captured)
}

/// `POST /hook HTTP/1.1`.
fn request_line(line: &[u8]) -> Option<(String, String)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    (version.starts_with("HTTP/") && words.next().is_none())
        .then(|| (method.to_owned(), target.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart() {
        for end in ["\r\n", "\n"] {
            let text = [
                "POST /hook?a=1 HTTP/1.1",
                "Host: a",
                "X-Sig:  v1,ab= ",
                "",
                "{\n\n}",
            ]
            .join(end);
            let captured = request(text.as_bytes()).unwrap();
            assert_eq!(captured.method.as_deref(), Some("POST"));
            assert_eq!(captured.target.as_deref(), Some("/hook?a=1"));
            assert_eq!(
                captured.headers,
                [
                    ("Host".to_owned(), b"a".to_vec()),
                    ("X-Sig".to_owned(), b"v1,ab=".to_vec())
                ]
            );
            assert_eq!(captured.body, b"{\n\n}");
        }
        assert!(request(b"Host: a\n").is_err());
    }

    #[test]
    fn what_is_no_header_is_refused_without_its_value() {
        assert!(
            header(b"no colon, but a secret")
                .unwrap_err()
                .what
                .starts_with("a header is")
        );
        assert!(header(b" : value").is_err());
        assert!(header(b"a b: value").is_err());
        assert_eq!(header(b"a:").unwrap(), ("a".to_owned(), Vec::new()));
    }
}
