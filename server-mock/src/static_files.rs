//! Files for web pages, served by the admin port: which file a path means, and what keeps it inside its folder.
//!
//! A page there has the origin that `admin/guard.rs` lets through, so it may program its own session; the data port is
//! another origin for it, as an API is for a real page.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use crate::journal::hex;

/// A file is read whole; one that is longer is not served.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A folder whose files are served below a prefix.
#[derive(Clone, Debug)]
struct Mount {
    /// Begins and ends with a slash.
    prefix: String,
    /// Without symbolic links, so that what lies inside can be told.
    folder: PathBuf,
}

/// All folders that are served, the longest prefix first.
#[derive(Clone, Debug, Default)]
pub(crate) struct StaticFiles(Vec<Mount>);

impl StaticFiles {
    /// Checks the folders. An error says which of them cannot be served, and why.
    pub(crate) fn open(wanted: &[(String, PathBuf)]) -> io::Result<Self> {
        let mut mounts = Vec::new();
        for (prefix, folder) in wanted {
            let refused = |why: &str| {
                let what = format!("cannot serve {} at {prefix:?}: {why}", folder.display());
                io::Error::new(io::ErrorKind::InvalidInput, what)
            };
            if !prefix.starts_with('/') {
                return Err(refused("a prefix begins with a slash"));
            }
            let prefix = format!("{}/", prefix.trim_end_matches('/'));
            if ["/admin/", "/dashboard/", "/metrics/"]
                .iter()
                .any(|own| prefix.starts_with(own))
            {
                return Err(refused(
                    "/admin/ is the gateway's own, and so are /dashboard/ and /metrics",
                ));
            }
            if mounts.iter().any(|mount: &Mount| mount.prefix == prefix) {
                return Err(refused("that prefix has a folder already"));
            }
            let folder = fs::canonicalize(folder).map_err(|error| refused(&error.to_string()))?;
            if !folder.is_dir() {
                return Err(refused("that is no folder"));
            }
            mounts.push(Mount { prefix, folder });
        }
        mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        Ok(Self(mounts))
    }

    /// Answers a request for a file; nothing where no folder has it.
    pub(crate) async fn answer(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Option<Response> {
        let (mount, rest) = self
            .0
            .iter()
            .find_map(|mount| Some((mount, path.strip_prefix(mount.prefix.as_str())?)))?;
        let wanted = mount.folder.join(relative(rest)?);
        let folder = mount.folder.clone();
        // Disks can be slow, and the runtime may have a single thread.
        let read = tokio::task::spawn_blocking(move || read_inside(&folder, &wanted));
        let (file, bytes) = read.await.ok()??;
        if !matches!(*method, Method::GET | Method::HEAD) {
            let allow = [(ALLOW, HeaderValue::from_static("GET, HEAD"))];
            return Some((StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
        }
        let etag = format!("\"{}\"", hex(&Sha256::digest(&bytes)));
        let known = headers
            .get(IF_NONE_MATCH)
            .is_some_and(|known| known == etag.as_str());
        let about = [
            (CONTENT_TYPE, HeaderValue::from_static(content_type(&file))),
            // Whoever edits a page sees the change with the next reload.
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (ETAG, HeaderValue::try_from(etag).ok()?),
        ];
        Some(match known {
            true => (StatusCode::NOT_MODIFIED, about).into_response(),
            false => (about, bytes).into_response(),
        })
    }
}

/// The file that the rest of a URL's path means: plain names only, so that it cannot lead out of the folder on any
/// system, nor to a hidden file.
fn relative(rest: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(rest).decode_utf8().ok()?;
    let (folders, name) = decoded.rsplit_once('/').unwrap_or(("", &decoded));
    let name = if name.is_empty() { "index.html" } else { name };
    let folders = folders.split('/').filter(|_| !folders.is_empty());
    folders
        .chain([name])
        .map(|name| is_plain(name).then_some(name))
        .collect()
}

fn is_plain(name: &str) -> bool {
    let strange = |c: char| c.is_control() || matches!(c, '\\' | ':');
    !name.is_empty() && !name.starts_with('.') && !name.contains(strange)
}

/// Reads a file if, with symbolic links followed, it lies inside the folder.
fn read_inside(folder: &Path, wanted: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let file = fs::canonicalize(wanted).ok()?;
    if !file.starts_with(folder) || !file.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let open = fs::File::open(&file).ok()?;
    open.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_FILE_BYTES).then_some((file, bytes))
}

/// What a browser needs to be told: modules and `WebAssembly.instantiateStreaming` are strict about theirs.
fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs" | "cjs") => "text/javascript; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "ts" | "mts" | "cts") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_a_file_below_the_folder() {
        for (rest, file) in [
            ("", "index.html"),
            ("page.js", "page.js"),
            ("a/b/", "a/b/index.html"),
            ("a%20b.css", "a b.css"),
            ("a/b..c", "a/b..c"),
        ] {
            assert_eq!(relative(rest), Some(PathBuf::from(file)), "{rest}");
        }
    }

    #[test]
    fn a_path_never_leads_out_of_the_folder() {
        for rest in [
            "..",
            "../secret",
            "a/../../secret",
            "%2e%2e/secret",
            "%2e%2e%2fsecret",
            "..%5csecret",
            "/etc/passwd",
            "a//b",
            "%2fetc%2fpasswd",
            "c:/windows",
            "a%00.js",
            ".env",
            ".git/config",
            "a/./b",
            "%ff",
        ] {
            assert_eq!(relative(rest), None, "{rest}");
        }
    }
}
