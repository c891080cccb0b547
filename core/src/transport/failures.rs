//! What kind of failure it was that reqwest reports: it decides whether the request may be sent again, so in doubt the
//! careful answer is given.

use std::error::Error as StdError;
use std::io;

use gatewright_engine::retry::FailureClass;

use super::TransportError;
use super::pins::PinMismatch;

/// Marks an error as one of the caller's own body stream.
#[derive(Debug)]
pub(super) struct SourceError(pub(super) crate::body::BoxError);

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SourceError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Phase {
    Head,
    Body,
}

/// Finds out what kind of failure it was. In doubt it is a connection lost after sending: the careful answer.
pub(super) fn classify(error: reqwest::Error, phase: Phase) -> TransportError {
    if let Some(mismatch) = causes(&error).find_map(pin_mismatch) {
        return TransportError {
            class: FailureClass::Tls,
            text: mismatch.to_string(),
            source: Some(Box::new(mismatch.clone())),
        };
    }
    let text = root_cause(&error);
    let class = class_of(&error, phase);
    // The URL may have a key in its query.
    TransportError {
        class,
        text,
        source: Some(Box::new(error.without_url())),
    }
}

fn class_of(error: &reqwest::Error, phase: Phase) -> FailureClass {
    let chain = || causes(error);
    if chain().any(|e| e.is::<SourceError>()) {
        return FailureClass::BodySource;
    }
    if error.is_connect() {
        if chain().any(|e| rustls_error(e).is_some()) {
            return FailureClass::Tls;
        }
        return if error.is_timeout() {
            FailureClass::ConnectTimeout
        } else {
            FailureClass::Connect
        };
    }
    if error.is_builder() {
        return FailureClass::BodySource;
    }
    for cause in chain() {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() {
                return FailureClass::Protocol;
            }
            if hyper.is_user() {
                return FailureClass::BodySource;
            }
        }
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            let refused = h2.reason() == Some(h2::Reason::REFUSED_STREAM);
            let gone =
                h2.is_go_away() && h2.is_remote() && h2.reason() == Some(h2::Reason::NO_ERROR);
            if refused || gone {
                return FailureClass::NotProcessed;
            }
        }
    }
    // A bad chunk size reaches us as hyper's body error around an io::Error of this kind.
    if chain().any(|e| e.is::<hyper::Error>())
        && chain().any(|e| {
            e.downcast_ref::<io::Error>().is_some_and(|io| {
                matches!(
                    io.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                )
            })
        })
    {
        return FailureClass::Protocol;
    }
    // What the decoder says comes without an error of the connection around it.
    let of_connection = chain().any(|e| {
        e.is::<hyper::Error>()
            || e.is::<h2::Error>()
            || e.downcast_ref::<io::Error>().is_some_and(is_reset)
    });
    if phase == Phase::Body && !of_connection && chain().any(|e| e.is::<io::Error>()) {
        return FailureClass::Decode;
    }
    FailureClass::ConnectionLost
}

fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind as Io;
    matches!(
        error.kind(),
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::NotConnected
    )
}

/// rustls reports through `io::Error`s, often one in another, whose inner errors are not in the chain of sources.
fn rustls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    rustls_error(error.downcast_ref::<io::Error>()?.get_ref()?)
}

/// A mismatch of pins, which our own verifier reports through rustls.
fn pin_mismatch<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a PinMismatch> {
    use rustls::{CertificateError, Error, OtherError};
    match rustls_error(error)? {
        Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.downcast_ref()
        }
        _ => None,
    }
}

/// The innermost cause in words: the outer ones repeat the URL or say "error sending request".
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// An error and all that caused it, outermost first.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}
