//! The grammar of faults: `503;ra=2`, `reset@300`, `latency=50`, `lost` and their kin.
//!
//! | Fault | On the wire | Side effect |
//! |---|---|---|
//! | `ok` | the normal answer | happens |
//! | `STATUS` with `;ra=` `;ra-ms=` `;retryable=` `;type=` `;code=` `;body=` | that status | none |
//! | `latency=MS` | the normal answer, later | happens |
//! | `hang` | nothing, until the client leaves or 60 s pass | none |
//! | `reset` / `fin` | RST or FIN before any byte | none |
//! | `reset@N` / `fin@N` | RST or FIN after N bytes of the response | happens |
//! | `lost` = `commit_reset` / `commit_fin` | RST or FIN before any byte | happens |
//! | `garbage` | a status line that is not HTTP, FIN | none |
//! | `bad-chunk` | chunked, with a size that is no number, FIN | happens |
//! | `short` | `Content-Length` larger than the body, FIN | happens |
//! | `bad-gzip` | `Content-Encoding: gzip` over bytes that are none | happens |
//! | `truncated-gzip` | `Content-Encoding: gzip` that ends early | happens |
//! | `big-headers` | 1 MiB of headers | happens |
//! | `stall@N` | N bytes of the body, then nothing until the client leaves or 60 s pass | happens |
//! | `cut-upload@N` | RST before any byte | N bytes of an upload are kept |
//! | `drip=MS` with `;n=BYTES` | the body in pieces, a pause before each | happens |
//!
//! Every fault takes `;latency=MS` too. A list is separated by commas; commas and semicolons in quotes do not separate.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Fin,
    Reset,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadChunk,
    BadGzip,
    BigHeaders,
    /// Before any byte; `committed` says whether the request is executed first.
    Cut {
        how: Cut,
        committed: bool,
    },
    CutAfter {
        how: Cut,
        bytes: u64,
    },
    /// Takes so many bytes of an upload, then RST.
    CutUpload {
        bytes: u64,
    },
    /// Sends so many bytes of the body, then nothing.
    Stall {
        bytes: u64,
    },
    Drip {
        pause: Duration,
        size: usize,
    },
    Garbage,
    Hang,
    Ok,
    Short,
    Status(StatusFault),
    TruncatedGzip,
}

/// A status answered instead of executing the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatusFault {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Wait>,
    pub(crate) should_retry: Option<bool>,
    /// A problem type, or a content type for `body`.
    pub(crate) kind: Option<HeaderValue>,
    pub(crate) code: Option<String>,
    pub(crate) body: Option<String>,
}

/// How a wait is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A date so many seconds from now.
    Date(u64),
    Millis(HeaderValue),
    /// As written: seconds or anything else.
    Raw(HeaderValue),
}

/// One thing that goes wrong with one request; written and read in the grammar above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    text: String,
    pub(crate) kind: Kind,
    pub(crate) latency: Duration,
}

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

/// The longest pause a fault may ask for.
const MAX_PAUSE_MS: u64 = 60_000;
/// The longest fault text.
const MAX_FAULT_BYTES: usize = 64 * 1024;

impl Fault {
    /// Whether it leaves the answer as it is, and on time.
    pub(crate) fn is_none(&self) -> bool {
        self.kind == Kind::Ok && self.latency.is_zero()
    }

    /// Reads a list, separated by commas: `503;ra=2,reset,ok`.
    pub fn list(text: &str) -> Result<Vec<Self>, FaultError> {
        if text.len() > MAX_FAULT_BYTES {
            return Err(FaultError(format!(
                "a fault is at most {MAX_FAULT_BYTES} bytes"
            )));
        }
        split(text, ',').map(str::parse).collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let text = text.trim();
        let mut parts = split(text, ';');
        let head = parts.next().unwrap_or("");
        let mut kind = kind(head).ok_or_else(|| {
            FaultError(format!(
                "got fault {head:?} when expecting ok, a status, latency=MS, hang, reset, reset@N, fin, fin@N, lost, \
                 commit_reset, commit_fin, garbage, bad-chunk, short, bad-gzip, truncated-gzip, big-headers, stall@N, \
                 cut-upload@N or drip=MS"
            ))
        })?;
        let mut latency = head
            .strip_prefix("latency=")
            .map_or(Some(0), millis)
            .unwrap_or(0);
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                FaultError(format!(
                    "got {part:?} in fault {text:?} when expecting NAME=VALUE"
                ))
            })?;
            let wrong = || FaultError(format!("{name}={value} is not possible in fault {text:?}"));
            match (&mut kind, name.trim()) {
                (_, "latency") => latency = millis(value).ok_or_else(wrong)?,
                (Kind::Drip { size, .. }, "n") => {
                    *size = value
                        .parse()
                        .ok()
                        .filter(|size| *size > 0)
                        .ok_or_else(wrong)?;
                }
                (Kind::Status(status), name) => status.set(name, value).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            }
        }
        Ok(Self {
            text: text.into(),
            kind,
            latency: Duration::from_millis(latency),
        })
    }
}

fn kind(head: &str) -> Option<Kind> {
    let cut = |how, committed| Some(Kind::Cut { how, committed });
    match head {
        "ok" => return Some(Kind::Ok),
        "hang" => return Some(Kind::Hang),
        "reset" => return cut(Cut::Reset, false),
        "fin" => return cut(Cut::Fin, false),
        "lost" | "commit_reset" => return cut(Cut::Reset, true),
        "commit_fin" => return cut(Cut::Fin, true),
        "garbage" => return Some(Kind::Garbage),
        "bad-chunk" => return Some(Kind::BadChunk),
        "short" => return Some(Kind::Short),
        "bad-gzip" => return Some(Kind::BadGzip),
        "truncated-gzip" => return Some(Kind::TruncatedGzip),
        "big-headers" => return Some(Kind::BigHeaders),
        _ => {}
    }
    let cut_after = |how, bytes: &str| {
        Some(Kind::CutAfter {
            how,
            bytes: digits(bytes)?,
        })
    };
    if let Some(bytes) = head.strip_prefix("reset@") {
        return cut_after(Cut::Reset, bytes);
    }
    if let Some(bytes) = head.strip_prefix("fin@") {
        return cut_after(Cut::Fin, bytes);
    }
    if let Some(bytes) = head.strip_prefix("cut-upload@") {
        return Some(Kind::CutUpload {
            bytes: digits(bytes)?,
        });
    }
    if let Some(bytes) = head.strip_prefix("stall@") {
        return Some(Kind::Stall {
            bytes: digits(bytes)?,
        });
    }
    if let Some(pause) = head.strip_prefix("drip=") {
        return Some(Kind::Drip {
            pause: Duration::from_millis(millis(pause)?),
            size: 1,
        });
    }
    if let Some(pause) = head.strip_prefix("latency=") {
        return millis(pause).map(|_| Kind::Ok);
    }
    let status = head.parse().ok().filter(|_| head.len() == 3)?;
    // 1xx would not end the exchange, and no status above 599 exists.
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|_| (200..600).contains(&status))?;
    Some(Kind::Status(StatusFault {
        status,
        retry_after: None,
        should_retry: None,
        kind: None,
        code: None,
        body: None,
    }))
}

impl StatusFault {
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let text = dequoted(value);
        match name {
            "ra" => {
                self.retry_after = Some(match text.strip_prefix("date:+") {
                    Some(seconds) => Wait::Date(digits(seconds).filter(|s| *s <= 1_000_000_000)?),
                    None => Wait::Raw(text.parse().ok()?),
                });
            }
            "ra-ms" => self.retry_after = Some(Wait::Millis(text.parse().ok()?)),
            "retryable" => self.should_retry = Some(text.parse().ok()?),
            "type" => self.kind = Some(text.parse().ok()?),
            "code" => self.code = Some(text),
            "body" => self.body = Some(text),
            _ => return None,
        }
        Some(())
    }
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn millis(text: &str) -> Option<u64> {
    digits(text).filter(|ms| *ms <= MAX_PAUSE_MS)
}

/// Splits at `separator` outside of double quotes; a backslash in quotes takes the next character as it is.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        c == separator && !quoted
    })
    .map(str::trim)
}

/// Takes away the quotes around a value and the backslashes in it.
fn dequoted(value: &str) -> String {
    let value = value.trim();
    let Some(inner) = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return value.into();
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' {
            chars.next().unwrap_or(c)
        } else {
            c
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Fault {
        text.parse().unwrap()
    }

    fn status(text: &str) -> StatusFault {
        match parse(text).kind {
            Kind::Status(status) => status,
            other => panic!("got {other:?} for {text}"),
        }
    }

    #[test]
    fn reads_every_kind() {
        for text in [
            "ok",
            "hang",
            "reset",
            "reset@0",
            "reset@300",
            "fin",
            "fin@7",
            "garbage",
            "bad-chunk",
            "short",
            "bad-gzip",
            "truncated-gzip",
            "big-headers",
            "drip=5",
            "drip=5;n=100",
            "lost",
            "commit_reset",
            "commit_fin",
            "latency=50",
            "503",
            "429;ra=2",
            "reset;latency=10",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
        assert_eq!(parse("lost").kind, parse("commit_reset").kind);
        assert_eq!(parse("latency=50").latency, Duration::from_millis(50));
        assert!(parse("ok").is_none());
        assert!(!parse("latency=50").is_none());
    }

    #[test]
    fn reads_waits_in_every_form() {
        let raw = |text: &'static str| Some(Wait::Raw(HeaderValue::from_static(text)));
        assert_eq!(status("503;ra=2").retry_after, raw("2"));
        assert_eq!(
            status("503;ra=\"in; a, while\"").retry_after,
            raw("in; a, while")
        );
        assert_eq!(status("503;ra=date:+30").retry_after, Some(Wait::Date(30)));
        let millis = Some(Wait::Millis(HeaderValue::from_static("250")));
        assert_eq!(status("503;ra-ms=250").retry_after, millis);
        assert_eq!(status("500;retryable=false").should_retry, Some(false));
        assert_eq!(
            status(r#"400;body="{\"a\":1, \"b\":2}""#).body.unwrap(),
            r#"{"a":1, "b":2}"#
        );
    }

    #[test]
    fn lists_are_split_outside_quotes() {
        let list = Fault::list("503;ra=\"a,b\", reset ,ok").unwrap();
        let texts: Vec<_> = list.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["503;ra=\"a,b\"", "reset", "ok"]);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for wrong in [
            "",
            "rest",
            "99",
            "100",
            "600",
            "5030",
            "reset@",
            "reset@x",
            "reset@-1",
            "drip=",
            "latency=x",
            "latency=999999",
            "503;ra",
            "503;retryable=maybe",
            "reset;ra=1",
            "503;ra=a\nb",
            "drip=5;n=0",
            "ok,,ok",
        ] {
            assert!(Fault::list(wrong).is_err(), "{wrong:?} was accepted");
        }
        assert_eq!(
            "reset;ra=1".parse::<Fault>().unwrap_err().to_string(),
            "ra=1 is not possible in fault \"reset;ra=1\""
        );
    }
    #[test]
    fn no_text_makes_it_panic() {
        let alphabet: Vec<char> = "503reset@;,=\"\\ra-ms:+drip latencybody1é\0\n"
            .chars()
            .collect();
        let mut random = 1;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(random % 24) {
                random = crate::stable_hash::mix(random);
                text.push(alphabet[(random % alphabet.len() as u64) as usize]);
            }
            random = crate::stable_hash::mix(random);
            if let Ok(list) = Fault::list(&text) {
                let written: Vec<String> = list.iter().map(ToString::to_string).collect();
                assert_eq!(
                    Fault::list(&written.join(",")).as_ref(),
                    Ok(&list),
                    "{text:?}"
                );
            }
        }
    }
}
