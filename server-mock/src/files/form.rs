//! A file as a part of a form: `multipart/form-data` (RFC 7578) with one file, read in pieces and within bounds.
//!
//! The file is the part with a file name, or the part `file`. A part `digest` says its digest as `Repr-Digest` would
//! (RFC 9530), because parts have no such header (RFC 7578, section 4.8); `Content-Digest` is of the whole body. Other
//! parts are read past. See decision 0046.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use multer::Multipart;
use sha2::{Digest as _, Sha256};

use super::check_digest;
use super::upload::flag;
use crate::call::Call;
use crate::problem::Problem;
use crate::records::essence;

/// Bytes that the parser is given at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// Parts of a form.
const MAX_PARTS: usize = 32;
/// Bytes of a part that is no file.
const MAX_FIELD_BYTES: usize = 8 * 1024;
/// Characters of a file's name.
const MAX_NAME_CHARS: usize = 255;
/// Characters of a boundary (RFC 2046, section 5.1.1).
const MAX_BOUNDARY_CHARS: usize = 70;

/// The file that a form brings.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) bytes: Bytes,
    pub(super) kind: HeaderValue,
    /// Without folders; none where the form says none.
    pub(super) name: Option<Box<str>>,
    /// Of all that the form says. A form that is sent again may have another boundary and is the same.
    pub(super) fingerprint: [u8; 32],
}

/// The form that a request brings, if its body is one.
pub(super) async fn of(call: &Call) -> Result<Option<Form>, Problem> {
    let headers = &call.parts.headers;
    let kind = headers.get(CONTENT_TYPE);
    if kind.is_none_or(|kind| essence(kind) != "multipart/form-data") {
        return Ok(None);
    }
    if flag(call).is_some() {
        let detail = "an upload in parts is of the file itself, not of a form";
        return Err(wrong("invalid_upload", detail));
    }
    read(headers, &call.upload.bytes).await.map(Some)
}

/// Reads the file of a form, or says what is wrong with the form.
async fn read(headers: &HeaderMap, body: &Bytes) -> Result<Form, Problem> {
    let mut multipart = Multipart::new(pieces(body.clone()), boundary(headers)?);
    let mut file = None;
    let mut said = None;
    let mut fingerprint = Sha256::new();
    let mut parts = 0;
    while let Some(mut part) = multipart.next_field().await.map_err(malformed)? {
        parts += 1;
        if parts > MAX_PARTS {
            let detail = format!("a form has at most {MAX_PARTS} parts");
            return Err(wrong("multipart_too_many_parts", detail));
        }
        let Some(field) = part.name().map(str::to_owned) else {
            let detail = "each part has Content-Disposition: form-data with a name";
            return Err(wrong("malformed_multipart", detail));
        };
        plainly_encoded(part.headers())?;
        let kind = part.headers().get(CONTENT_TYPE).cloned();
        let name = part.file_name().map(str::to_owned);
        let is_file = name.is_some() || field == "file";
        if is_file && file.is_some() {
            let detail = "a form brings one file; send each in a request of its own";
            return Err(wrong("multipart_too_many_files", detail));
        }
        let mut bytes = BytesMut::new();
        while let Some(piece) = part.chunk().await.map_err(malformed)? {
            if !is_file && bytes.len() + piece.len() > MAX_FIELD_BYTES {
                return Err(field_too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        let kind_text = kind.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        let name_text = name.as_deref().unwrap_or_default();
        for text in [field.as_bytes(), name_text.as_bytes(), kind_text, &bytes] {
            fingerprint.update((text.len() as u64).to_le_bytes());
            fingerprint.update(text);
        }
        if is_file {
            file = Some((bytes.freeze(), kind, name));
        } else if field == "digest" {
            said = Some(bytes);
        }
    }
    let Some((bytes, kind, name)) = file else {
        let detail = "send the file as a part with a file name, or as the part `file`";
        return Err(wrong("multipart_no_file", detail));
    };
    if let Some(said) = said {
        check_digest("the part `digest`", &said, &bytes)?;
    }
    Ok(Form {
        bytes,
        kind: kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
        name: name.and_then(|name| plain_name(&name)),
        fingerprint: fingerprint.finalize().into(),
    })
}

fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    let text = kind.and_then(Result::ok).unwrap_or_default();
    match multer::parse_boundary(text) {
        Ok(boundary) if (1..=MAX_BOUNDARY_CHARS).contains(&boundary.len()) => Ok(boundary),
        Err(multer::Error::NoBoundary) => Err(wrong(
            "multipart_no_boundary",
            "Content-Type: multipart/form-data has a parameter `boundary`; leave the header to the library that writes the form",
        )),
        _ => Err(wrong(
            "malformed_multipart",
            format!("the boundary has 1 to {MAX_BOUNDARY_CHARS} characters"),
        )),
    }
}

/// The body in pieces, with a pause behind each, so that the parser holds no more than a piece and others have their turn.
fn pieces(body: Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold((body, false), |(mut rest, began)| async move {
        if rest.is_empty() {
            return None;
        }
        if began {
            tokio::task::yield_now().await;
        }
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        Some((Ok(piece), (rest, true)))
    })
}

/// Senders of HTTP do not encode parts (RFC 7578, section 4.7), and what is encoded is not decoded here.
fn plainly_encoded(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(encoding) = headers.get("content-transfer-encoding") else {
        return Ok(());
    };
    let plain = ["7bit", "8bit", "binary"];
    let is_plain = plain
        .iter()
        .any(|plain| encoding.as_bytes().eq_ignore_ascii_case(plain.as_bytes()));
    if is_plain {
        return Ok(());
    }
    let detail = "parts are sent as they are, without Content-Transfer-Encoding";
    Err(wrong("multipart_encoding", detail))
}

/// The last part of a path, whichever way its folders are written (RFC 7578, section 4.2).
fn plain_name(name: &str) -> Option<Box<str>> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_CHARS)
        .collect();
    (!matches!(name.as_str(), "" | "." | "..")).then(|| name.into())
}

fn malformed(error: multer::Error) -> Problem {
    let detail = match error {
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => {
            "the form ends before its last boundary, or has none of the boundary in Content-Type"
                .to_owned()
        }
        error => format!("the form cannot be read: {error}"),
    };
    wrong("malformed_multipart", detail)
}

fn field_too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "multipart_field_too_large",
        format!("a part that is no file has at most {MAX_FIELD_BYTES} bytes"),
    )
}

fn wrong(code: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDARY: &str = "x-b";

    fn headers(kind: &str) -> HeaderMap {
        let kind = HeaderValue::try_from(kind).unwrap();
        HeaderMap::from_iter([(CONTENT_TYPE, kind)])
    }

    /// Each its headers and its bytes.
    type Parts<'a> = &'a [(&'a str, &'a [u8])];

    fn form(parts: Parts, boundary: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for (about, bytes) in parts {
            body.extend_from_slice(format!("--{boundary}\r\n{about}\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        body
    }

    async fn read_bytes(body: Vec<u8>, boundary: &str) -> Result<Form, Problem> {
        let kind = format!("multipart/form-data; boundary={boundary}");
        read(&headers(&kind), &body.into()).await
    }

    async fn read_parts(parts: Parts<'_>) -> Result<Form, Problem> {
        read_bytes(form(parts, BOUNDARY), BOUNDARY).await
    }

    const FILE: &str = "Content-Disposition: form-data; name=\"a\"; filename=\"C:\\dir/a.txt\"\r\nContent-Type: text/plain";

    #[tokio::test]
    async fn a_file_larger_than_a_piece_is_read_whole() {
        // Line ends and beginnings of boundaries at every place a piece can end.
        let bytes = b"\r\n--x-".repeat(PIECE_BYTES / 4);
        let form = read_parts(&[(FILE, &bytes)]).await.unwrap();
        assert!(form.bytes == bytes);
        assert_eq!(
            (form.name.as_deref(), form.kind),
            (Some("a.txt"), "text/plain".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn another_boundary_is_the_same_form_and_another_byte_another() {
        let one = form(&[(FILE, b"hello")], "one");
        let two = form(&[(FILE, b"hello")], "two");
        let three = form(&[(FILE, b"hellO")], "one");
        let one = read_bytes(one, "one").await.unwrap().fingerprint;
        assert_eq!(read_bytes(two, "two").await.unwrap().fingerprint, one);
        assert_ne!(read_bytes(three, "one").await.unwrap().fingerprint, one);
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_form_is_said() {
        let field = "Content-Disposition: form-data; name=\"note\"";
        let encoded = format!("{FILE}\r\nContent-Transfer-Encoding: base64");
        let digest = "Content-Disposition: form-data; name=\"digest\"";
        let many = vec![(field, &b"x"[..]); MAX_PARTS + 1];
        let large = vec![b'x'; MAX_FIELD_BYTES + 1];
        let wrong_digest = b"sha-256=:AAAAul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
        let cases: [(Parts, &str); 8] = [
            (&[(FILE, b"1"), (FILE, b"2")], "multipart_too_many_files"),
            (&[(field, b"1")], "multipart_no_file"),
            (&[], "multipart_no_file"),
            (&[("Content-Type: text/plain", b"1")], "malformed_multipart"),
            (&[(&encoded, b"MQ==")], "multipart_encoding"),
            (&many, "multipart_too_many_parts"),
            (&[(field, &large)], "multipart_field_too_large"),
            (
                &[(FILE, b"hello"), (digest, wrong_digest)],
                "digest_mismatch",
            ),
        ];
        for (parts, code) in cases {
            let problem = read_parts(parts).await.unwrap_err();
            assert_eq!(problem.code(), code);
        }
        for cut in [0, 3, 20, 105, 112] {
            let mut body = form(&[(FILE, b"hello")], BOUNDARY);
            assert!(body.len() > 115);
            body.truncate(cut);
            let problem = read_bytes(body, BOUNDARY).await.unwrap_err();
            assert_eq!(problem.code(), "malformed_multipart", "{cut}");
        }
        for (kind, code) in [
            ("multipart/form-data", "multipart_no_boundary"),
            ("multipart/form-data; boundary=\"\"", "malformed_multipart"),
        ] {
            let problem = read(&headers(kind), &Bytes::new()).await.unwrap_err();
            assert_eq!(problem.code(), code, "{kind}");
        }
    }

    #[test]
    fn a_name_has_no_folders() {
        for (name, plain) in [
            ("a.txt", Some("a.txt")),
            ("/etc/passwd", Some("passwd")),
            ("C:\\a\\b.txt", Some("b.txt")),
            ("a\nb", Some("ab")),
            ("..", None),
            ("a/", None),
            ("", None),
        ] {
            assert_eq!(plain_name(name).as_deref(), plain, "{name:?}");
        }
    }
}
