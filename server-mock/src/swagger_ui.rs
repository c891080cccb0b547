//! Swagger UI at `/docs`: shows the document at `/openapi.json` and sends requests from it. Part of the program.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /docs` | the page |
//! | `GET /docs/{file}` | one of [`FILES`] |
//!
//! The large files are kept compressed and sent as they are kept, so they cost neither memory nor time; a caller who refuses
//! gzip gets 406. Nothing comes from elsewhere and nothing inline is run: the content security policy says so. Where the files
//! come from is in `swagger_ui/vendored/README.md`.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::call::Call;
use crate::op::Op;
use crate::openapi::schema::{text, word};
use crate::problem::{Problem, not_found};
use crate::records::listed;
use crate::reply::Reply;
use crate::routes::Operation;
use crate::stable_hash::stable_hash;

/// The version of `swagger-ui-dist` that is vendored; the entity tag of its files.
const VERSION: &str = "5.35.0";

/// Scripts, styles and pictures of this origin and pictures in the style sheet; requests to this origin; framed by nobody.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// A file that the page loads.
struct File {
    name: &'static str,
    media_type: &'static str,
    content: Content,
}

enum Content {
    Plain(&'static str),
    /// Compressed by gzip.
    Gzip(&'static [u8]),
}

static FILES: [File; 6] = [
    File {
        name: "icon.svg",
        media_type: "image/svg+xml",
        content: Content::Plain(include_str!("dashboard/icon.svg")),
    },
    File {
        name: "license.txt",
        media_type: "text/plain; charset=utf-8",
        content: Content::Gzip(include_bytes!("swagger_ui/vendored/license.txt.gz")),
    },
    File {
        name: "page.css",
        media_type: "text/css; charset=utf-8",
        content: Content::Plain(include_str!("swagger_ui/page.css")),
    },
    File {
        name: "page.js",
        media_type: "text/javascript; charset=utf-8",
        content: Content::Plain(include_str!("swagger_ui/page.js")),
    },
    File {
        name: "swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        content: Content::Gzip(include_bytes!(
            "swagger_ui/vendored/swagger-ui-bundle.js.gz"
        )),
    },
    File {
        name: "swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        content: Content::Gzip(include_bytes!("swagger_ui/vendored/swagger-ui.css.gz")),
    },
];

static PAGE: File = File {
    name: "",
    media_type: "text/html; charset=utf-8",
    content: Content::Plain(include_str!("swagger_ui/page.html")),
};

pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        op: Op::Docs,
        methods: &["GET"],
        path: "/docs",
        about: |o| {
            o.tag("Document")
                .summary("This document, to read and to try out")
                .public()
                .content(200, "Swagger UI", "text/html", text(), Value::Null)
                .says(200, "ETag", "the page's entity tag")
                .says(200, "Content-Security-Policy", "what the page may load")
        },
    },
    Operation {
        op: Op::Docs,
        methods: &["GET"],
        path: "/docs/{file}",
        about: |o| {
            let names: Vec<&str> = FILES.iter().map(|file| file.name).collect();
            let media_types = FILES.iter().map(|file| essence(file.media_type));
            media_types
                .fold(o, |o, media_type| {
                    o.content(200, "the file", media_type, text(), Value::Null)
                })
                .tag("Document")
                .summary("A file of the page at `/docs`")
                .public()
                .path("file", word(&names), "its name", "page.css")
                .says(200, "ETag", "the file's entity tag")
                .says(200, "Content-Encoding", "`gzip`, of the large ones")
                .problems(&[404, 406])
        },
    },
];

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}

/// Answers `GET /docs` and the files of the page.
pub(crate) fn respond(call: &Call) -> Reply {
    let file = match call.path() {
        "/docs" => Some(&PAGE),
        _ => FILES.iter().find(|file| file.name == call.route().argument),
    };
    let answered = match file {
        Some(file) => file.reply(&call.parts.headers),
        None => Err(not_found(format!("there is nothing at {}", call.path()))),
    };
    answered.unwrap_or_else(|problem| call.problem(problem))
}

impl File {
    fn reply(&self, headers: &HeaderMap) -> Result<Reply, Problem> {
        let (tag, bytes) = match self.content {
            Content::Plain(text) => (
                format!("\"{:016x}\"", stable_hash(&[text.as_bytes()])),
                Bytes::from_static(text.as_bytes()),
            ),
            Content::Gzip(_) if !takes_gzip(headers) => {
                return Err(Problem::new(
                    StatusCode::NOT_ACCEPTABLE,
                    "not_acceptable",
                    "this file is only there compressed; send Accept-Encoding: gzip",
                ));
            }
            Content::Gzip(bytes) => (
                format!("\"{VERSION}-{}\"", self.name),
                Bytes::from_static(bytes),
            ),
        };
        let is_compressed = matches!(self.content, Content::Gzip(_));
        let had = listed(headers, &IF_NONE_MATCH)
            .any(|known| known == "*" || known.trim_start_matches("W/") == tag);
        let mut reply = if had {
            Reply::new(StatusCode::NOT_MODIFIED)
        } else {
            let kind = HeaderValue::from_static(self.media_type);
            Reply::new(StatusCode::OK)
                .with(CONTENT_TYPE, kind)
                .with_body(bytes)
        };
        if is_compressed && !had {
            reply = reply.with(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if is_compressed {
            reply = reply.with(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        Ok(reply
            .with_text(ETAG, tag)
            .with(CACHE_CONTROL, HeaderValue::from_static("no-cache"))
            .with(CONTENT_SECURITY_POLICY, POLICY)
            .with(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
            .with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
    }
}

/// Whether a caller takes gzip (RFC 9110, section 12.5.3): one that says nothing takes everything.
fn takes_gzip(headers: &HeaderMap) -> bool {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return true;
    }
    let weight = |coding: &str| {
        listed(headers, &ACCEPT_ENCODING).find_map(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight = weight.trim().trim_start_matches(['q', 'Q', '=']);
            let is_it = name.trim().eq_ignore_ascii_case(coding);
            is_it.then(|| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
        })
    };
    let named = weight("gzip").or_else(|| weight("x-gzip"));
    named.or_else(|| weight("*")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_gzip_says_so() {
        let takes = |said: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(said).unwrap());
            takes_gzip(&headers)
        };
        assert!(takes_gzip(&HeaderMap::new()));
        for yes in ["gzip", "br, GZIP;q=0.5", "*", "deflate, *;q=0.1", "x-gzip"] {
            assert!(takes(yes), "{yes}");
        }
        for no in ["", "identity", "br", "gzip;q=0", "gzip; q=0, *", "*;q=0"] {
            assert!(!takes(no), "{no}");
        }
    }

    #[test]
    fn the_page_loads_what_is_there() {
        let Content::Plain(page) = PAGE.content else {
            unreachable!()
        };
        let asked: Vec<&str> = page
            .split('"')
            .filter_map(|text| text.strip_prefix("/docs/"))
            .collect();
        assert_eq!(asked.len(), 5);
        for name in asked {
            assert!(FILES.iter().any(|file| file.name == name), "{name}");
        }
    }
}
