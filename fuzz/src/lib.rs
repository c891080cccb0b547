//! What is fuzzed: a function for each parser, which takes any bytes and panics where something is not as it must be.
//!
//! Each is run in two ways: by libFuzzer (`fuzz_targets/`, nightly) and by `replay`, which plays the corpus and then
//! changes it at random (stable). See `docs/simulation.md`.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

mod credentials;
mod events;
mod fields;
mod limits;
mod places;
mod streams;
mod webhook_schemes;
mod webhooks;

/// One parser, or a few that belong together.
pub struct Target {
    /// Its name: that of its corpus.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target {
        name: "cache_control",
        run: fields::cache_control,
    },
    Target {
        name: "content_range",
        run: fields::content_range,
    },
    Target {
        name: "device_authorization",
        run: credentials::device_authorization,
    },
    Target {
        name: "event_filter",
        run: events::event_filter,
    },
    Target {
        name: "http_date",
        run: fields::http_date,
    },
    Target {
        name: "json_lines",
        run: streams::json_lines,
    },
    Target {
        name: "limits",
        run: limits::limits,
    },
    Target {
        name: "link",
        run: places::link,
    },
    Target {
        name: "local_quota",
        run: limits::local_quota,
    },
    Target {
        name: "metadata",
        run: credentials::metadata,
    },
    Target {
        name: "oauth_redirect",
        run: credentials::oauth_redirect,
    },
    Target {
        name: "problem",
        run: fields::problem,
    },
    Target {
        name: "redact",
        run: credentials::redact,
    },
    Target {
        name: "redirect",
        run: places::redirect,
    },
    Target {
        name: "retry_after",
        run: fields::retry_after,
    },
    Target {
        name: "signing",
        run: credentials::signing,
    },
    Target {
        name: "sse",
        run: streams::sse,
    },
    Target {
        name: "structured",
        run: limits::structured,
    },
    Target {
        name: "token_answer",
        run: credentials::token_answer,
    },
    Target {
        name: "traceparent",
        run: fields::traceparent,
    },
    Target {
        name: "url",
        run: places::url,
    },
    Target {
        name: "webhook",
        run: webhooks::webhook,
    },
    Target {
        name: "webhook_key",
        run: webhook_schemes::webhook_key,
    },
    Target {
        name: "webhook_public_key",
        run: webhook_schemes::webhook_public_key,
    },
    Target {
        name: "webhook_secret",
        run: webhook_schemes::webhook_secret,
    },
];

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Header lines, `name: value`; what is none is left out.
fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(32) {
        let Some(at) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..at], line[at + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    headers
}

/// What is before the first empty line, and what is after it.
fn head_and_body(data: &[u8]) -> (&[u8], &[u8]) {
    match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, b""),
    }
}

/// The first byte says how the rest is cut into pieces.
fn pieces(data: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let Some((seed, mut rest)) = data.split_first() else {
        return (Vec::new(), data);
    };
    let whole = rest;
    let mut state = u64::from(*seed);
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let most = if *seed < 64 { 1 } else { u64::from(*seed) / 8 };
        let length = usize::try_from((state >> 33) % most + 1)
            .unwrap_or(1)
            .min(rest.len());
        let (piece, others) = rest.split_at(length);
        pieces.push(piece);
        rest = others;
        // Now and then nothing comes.
        if state.is_multiple_of(7) {
            pieces.push(b"");
        }
    }
    (pieces, whole)
}

/// The seeds of a target, by name, from a folder.
///
/// # Errors
/// Where the folder cannot be read.
pub fn corpus(folder: &std::path::Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut seeds = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        seeds.insert(name, std::fs::read(path)?);
    }
    Ok(seeds)
}
