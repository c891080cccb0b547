//! Files for a browser, held in memory. Where `FILE.br` or `FILE.gz` lies beside a file and the browser takes it, that
//! is what it gets, as from any web server in production.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;

/// Encodings, the smallest first, with the extension of their files.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The files of one folder; folders within are not looked into.
#[derive(Debug, Default)]
pub struct Site(HashMap<String, Bytes>);

impl Site {
    /// Reads the folder's files.
    ///
    /// # Errors
    ///
    /// Where the folder or one of its files cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut files = HashMap::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                files.insert(name, Bytes::from(std::fs::read(entry.path())?));
            }
        }
        Ok(Self(files))
    }

    /// The file, in the smallest encoding that the request's headers accept.
    #[must_use]
    pub fn answer(&self, name: &str, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
        let plain = self.0.get(name)?;
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
        let accepts = |encoding: &str| {
            let mut tokens = accepted.unwrap_or_default().split(',').map(str::trim);
            tokens.any(|token| token == encoding)
        };
        let encoded = ENCODINGS.iter().find_map(|(encoding, extension)| {
            let body = self.0.get(&format!("{name}{extension}"))?;
            accepts(encoding).then_some((*encoding, body))
        });
        let mut response = Response::new(Full::new(
            encoded.map_or_else(|| plain.clone(), |(_, body)| body.clone()),
        ));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(type_of(name)));
        if let Some((encoding, _)) = encoded {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Some(response)
    }
}

fn type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        let file = |name: &str, text: &'static [u8]| (name.to_owned(), Bytes::from_static(text));
        Site(HashMap::from([
            file("a.js", b"plain"),
            file("a.js.br", b"br"),
            file("a.js.gz", b"gz"),
            file("b.wasm", b"wasm"),
        ]))
    }

    fn encoding_of(name: &str, accepted: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(accepted))]);
        let response = site().answer(name, &headers).unwrap();
        let encoding = response.headers().get(CONTENT_ENCODING)?;
        Some(encoding.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_smallest_encoding_that_is_accepted_is_taken() {
        assert_eq!(
            encoding_of("a.js", "gzip, deflate, br").as_deref(),
            Some("br")
        );
        assert_eq!(encoding_of("a.js", "gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding_of("a.js", "zstd"), None);
        assert_eq!(encoding_of("b.wasm", "gzip, br"), None);
    }

    #[test]
    fn wasm_is_named_as_such_or_browsers_do_not_compile_it_as_it_comes() {
        let response = site().answer("b.wasm", &HeaderMap::new()).unwrap();
        assert_eq!(
            response.headers().get(CONTENT_TYPE).unwrap(),
            "application/wasm"
        );
        assert!(site().answer("c.js", &HeaderMap::new()).is_none());
    }
}
