//! The host's language in texts: the core names options as Rust and Python do, and speaks of times as JavaScript has them where they came from
//! JSON.

use std::borrow::Cow;

/// The language of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// JavaScript: `baseUrl`; times are milliseconds.
    #[default]
    JavaScript,
    /// Swift: `baseURL`; times are durations.
    Swift,
    /// Kotlin: `baseUrl`; times are durations.
    Kotlin,
}

/// What the core calls an option, and what the host language does. Nothing else is changed: a server may speak of fields in backticks, too.
const NAMES: [(&str, &str); 33] = [
    ("allow_http", "allowHttp"),
    ("allowed_origins", "allowedOrigins"),
    ("assume_resumable", "assumeResumable"),
    ("attempt_timeout", "attemptTimeout"),
    ("authorization_url", "authorizationUrl"),
    ("backoff_base", "retry.backoffBase"),
    ("backoff_cap", "retry.backoffCap"),
    ("base_url", "baseUrl"),
    ("ca_certificates", "caCertificates"),
    ("chunk_size", "chunkSize"),
    ("client_auth", "clientAuth"),
    ("client_id", "clientId"),
    ("client_key", "clientKey"),
    ("client_secret", "clientSecret"),
    ("connect_timeout", "connectTimeout"),
    ("device_authorization_url", "deviceAuthorizationUrl"),
    ("error_for_status", "throwOnError"),
    ("failure_rate", "breaker.failureRate"),
    ("idempotency_header", "idempotencyHeader"),
    ("idle_timeout", "idleTimeout"),
    ("max_attempts", "retry.maxAttempts"),
    ("max_concurrency", "maxConcurrency"),
    ("max_line_bytes", "maxLineBytes"),
    ("max_queue", "maxQueue"),
    ("max_redirects", "maxRedirects"),
    ("max_response_bytes", "maxResponseBytes"),
    ("max_retry_after", "retry.maxRetryAfter"),
    ("min_throughput", "minThroughput"),
    ("raise_for_status", "throwOnError"),
    ("read_timeout", "readTimeout"),
    ("revocation_url", "revocationUrl"),
    ("token_url", "tokenUrl"),
    ("unsigned_streams", "unsignedStreams"),
];

/// What is another name in Swift than in the others, under which JSON has it or the core.
const OF_SWIFT: [(&str, &str); 12] = [
    ("allowHttp", "allowHTTP"),
    ("allow_http", "allowHTTP"),
    ("authorization_url", "authorizationURL"),
    ("baseUrl", "baseURL"),
    ("base_url", "baseURL"),
    ("client_id", "clientID"),
    ("cursorParam", "cursorParameter"),
    ("device_authorization_url", "deviceAuthorizationURL"),
    ("lastEventId", "lastEventID"),
    ("redirectUri", "redirectURI"),
    ("revocation_url", "revocationURL"),
    ("token_url", "tokenURL"),
];

/// How a time limit that is none is spoken of, which a type of JavaScript's does not keep out.
const LIMIT: &str = "a number of milliseconds above zero, or null for no limit";
/// As [`LIMIT`], for a time that may be zero.
const TIME: &str = "a number of milliseconds, zero or more";

impl Language {
    /// `text` as a program in this language is told it. Only names in backticks are changed, and only those of options: a server may speak of
    /// fields in backticks, too.
    pub(crate) fn words(self, text: &str) -> Cow<'_, str> {
        let named = self.named(text);
        let limit = match self {
            Self::JavaScript => return named,
            Self::Swift => "a time above zero, or `.never`",
            Self::Kotlin => "a time above zero, or null for none",
        };
        for (of_javascript, own) in [(LIMIT, limit), (TIME, "a time of zero or more")] {
            if let Some((before, after)) = named.split_once(of_javascript) {
                // "is -5; it must be …"
                let number = before.strip_suffix("; it must be ");
                let before = number.map_or(before, |number| number);
                let joint = number.map_or("", |_| " ms; it must be ");
                return Cow::Owned(format!("{before}{joint}{own}{after}"));
            }
        }
        named
    }

    fn named(self, text: &str) -> Cow<'_, str> {
        let mut parts = text.split('`');
        if parts.clone().nth(2).is_none() {
            return Cow::Borrowed(text);
        }
        let mut changed = String::with_capacity(text.len() + 8);
        changed.push_str(parts.next().unwrap_or_default());
        for part in parts {
            changed.push('`');
            changed.push_str(self.name(part).unwrap_or(part));
        }
        Cow::Owned(changed)
    }

    /// What this language calls an option.
    fn name(self, core: &str) -> Option<&'static str> {
        let own: &[(&str, &str)] = match self {
            Self::Swift => &OF_SWIFT,
            Self::JavaScript | Self::Kotlin => &[],
        };
        let mut names = own.iter().chain(&NAMES);
        names
            .find(|(known, _)| *known == core)
            .map(|(_, host)| *host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{JavaScript, Kotlin, Swift};

    #[test]
    fn options_have_the_names_of_the_language() {
        for (core, host) in [
            ("`attempt_timeout` is 0", "`attemptTimeout` is 0"),
            ("raise `timeout`", "raise `timeout`"),
            ("`base_url` and `allow_http`", "`baseUrl` and `allowHttp`"),
            ("see `max_attempts`.", "see `retry.maxAttempts`."),
        ] {
            assert_eq!(JavaScript.words(core), host);
            assert_eq!(Kotlin.words(core), host);
            let of_swift = host
                .replace("baseUrl", "baseURL")
                .replace("allowHttp", "allowHTTP");
            assert_eq!(Swift.words(core), of_swift);
        }
    }

    #[test]
    fn times_are_those_of_the_language() {
        for (text, swift, kotlin) in [
            (
                "`timeout` is 0; it must be a number of milliseconds above zero, or null for no limit",
                "`timeout` is 0 ms; it must be a time above zero, or `.never`",
                "`timeout` is 0 ms; it must be a time above zero, or null for none",
            ),
            (
                "`retry.backoffCap` must be a number of milliseconds, zero or more; change it",
                "`retry.backoffCap` must be a time of zero or more; change it",
                "`retry.backoffCap` must be a time of zero or more; change it",
            ),
        ] {
            assert_eq!(JavaScript.words(text), text);
            assert_eq!(Swift.words(text), swift);
            assert_eq!(Kotlin.words(text), kotlin);
        }
    }

    #[test]
    fn the_words_of_others_stay_as_they_are() {
        for text in [
            "",
            "plain base_url",
            "`first_name` is missing",
            "one ` alone",
            "max_attempts ` base_url",
        ] {
            for language in [JavaScript, Swift, Kotlin] {
                assert_eq!(language.words(text), text);
            }
        }
    }

    #[test]
    fn no_advice_has_a_name_in_snake_case() {
        for kind in gatewright::ErrorKind::ALL {
            let advice = gatewright::Error::new(*kind, "").advice();
            for language in [JavaScript, Swift, Kotlin] {
                let shown = language.words(&advice);
                let names = shown.split('`').skip(1).step_by(2);
                for name in names {
                    assert!(!name.contains('_'), "{kind}: {shown}");
                }
            }
        }
    }
}
