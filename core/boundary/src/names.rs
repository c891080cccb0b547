//! Names of options in texts: the core writes them as Rust and Python do, the host language's are others.

use std::borrow::Cow;

/// What the core calls an option, and what the host language does. Nothing else is changed: a server may speak of fields in backticks, too.
const NAMES: [(&str, &str); 17] = [
    ("allow_http", "allowHttp"),
    ("allowed_origins", "allowedOrigins"),
    ("attempt_timeout", "attemptTimeout"),
    ("backoff_base", "retry.backoffBase"),
    ("backoff_cap", "retry.backoffCap"),
    ("base_url", "baseUrl"),
    ("ca_certificates", "caCertificates"),
    ("connect_timeout", "connectTimeout"),
    ("error_for_status", "throwOnError"),
    ("idempotency_header", "idempotencyHeader"),
    ("idle_timeout", "idleTimeout"),
    ("max_attempts", "retry.maxAttempts"),
    ("max_redirects", "maxRedirects"),
    ("max_response_bytes", "maxResponseBytes"),
    ("max_retry_after", "retry.maxRetryAfter"),
    ("raise_for_status", "throwOnError"),
    ("read_timeout", "readTimeout"),
];

/// `text` with the names of options as the host language has them.
pub(crate) fn for_host(text: &str) -> Cow<'_, str> {
    let mut parts = text.split('`');
    if parts.clone().nth(2).is_none() {
        return Cow::Borrowed(text);
    }
    let mut changed = String::with_capacity(text.len() + 8);
    changed.push_str(parts.next().unwrap_or_default());
    for part in parts {
        changed.push('`');
        let name = NAMES.iter().find(|(core, _)| *core == part);
        changed.push_str(name.map_or(part, |(_, host)| host));
    }
    Cow::Owned(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_the_names_of_javascript() {
        for (core, host) in [
            ("`attempt_timeout` is 0", "`attemptTimeout` is 0"),
            ("raise `timeout`", "raise `timeout`"),
            ("`base_url` and `allow_http`", "`baseUrl` and `allowHttp`"),
            ("see `max_attempts`.", "see `retry.maxAttempts`."),
        ] {
            assert_eq!(for_host(core), host);
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
            assert_eq!(for_host(text), text);
        }
    }

    #[test]
    fn no_advice_has_a_name_in_snake_case() {
        for kind in gatewright::ErrorKind::ALL {
            let advice = gatewright::Error::new(*kind, "").advice();
            let shown = for_host(&advice);
            let names = shown.split('`').skip(1).step_by(2);
            for name in names {
                assert!(!name.contains('_'), "{kind}: {shown}");
            }
        }
    }
}
