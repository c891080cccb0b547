//! Where the certificates of AWS SNS and PayPal may come from. The message names the URL, so these rules are what the signature is
//! worth: whoever could choose another URL could sign anything (`docs/decisions/0029-webhook-public-keys.md`).

use std::fmt;

/// A URL that passed the rules of its scheme. Fetch it over TLS with the ordinary checks, without following redirects, with a limit
/// of 64 KiB, and hand in the body of an answer with status 200.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateUrl(String);

impl CertificateUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// AWS SNS: `https://sns.<region>.amazonaws.com/SimpleNotificationService-<hex>.pem`, or `.com.cn`.
    pub(crate) fn of_sns(url: &str) -> Option<Self> {
        let (host, path) = host_and_path(url)?;
        let name = path
            .strip_prefix("SimpleNotificationService")?
            .strip_suffix(".pem")?;
        let name_fits = name.is_empty()
            || name
                .strip_prefix('-')
                .is_some_and(|hex| is_run_of(hex, |byte| byte.is_ascii_alphanumeric()));
        (is_sns_host(host) && name_fits).then(|| Self(url.to_owned()))
    }

    /// PayPal: `https://api.paypal.com/v1/notifications/certs/CERT-…`, and the sandbox's.
    pub(crate) fn of_paypal(url: &str) -> Option<Self> {
        const HOSTS: [&str; 4] = [
            "api.paypal.com",
            "api-m.paypal.com",
            "api.sandbox.paypal.com",
            "api-m.sandbox.paypal.com",
        ];
        let (host, path) = host_and_path(url)?;
        let name = path.strip_prefix("v1/notifications/certs/")?;
        let name_fits = is_run_of(name, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
        });
        (HOSTS.contains(&host) && name_fits).then(|| Self(url.to_owned()))
    }
}

impl fmt::Display for CertificateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `sns.<region>.amazonaws.com`, or `.com.cn`: also where SNS confirms subscriptions.
pub(crate) fn is_sns_host(host: &str) -> bool {
    let region = host.strip_prefix("sns.").and_then(|rest| {
        rest.strip_suffix(".amazonaws.com")
            .or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
    });
    region.is_some_and(|region| {
        region.len() >= 3 && is_run_of(region, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Host and path (without its slash) of a URL that says no more than these: `https`, no user, no port but 443. What follows must
/// allow neither a query nor an escape, which it does by naming the characters it allows.
pub(crate) fn host_and_path(url: &str) -> Option<(&str, &str)> {
    let (authority, path) = url.strip_prefix("https://")?.split_once('/')?;
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    is_run_of(host, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
    })
    .then_some((host, path))
}

/// Whether a text has 1 to 255 bytes that all fit.
fn is_run_of(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::CertificateUrl;

    #[test]
    fn sns_certificates_come_from_sns() {
        for good in [
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-a86cb10b4e1f29c941702d737128f7b6.pem",
            "https://sns.us-gov-west-1.amazonaws.com:443/SimpleNotificationService.pem",
        ] {
            assert_eq!(CertificateUrl::of_sns(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "HTTPS://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com:8443/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com@evil.example/SimpleNotificationService-f3.pem",
            "https://evil@sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com.evil.example/SimpleNotificationService-f3.pem",
            "https://sns.evil.example/sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.a.b.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us.amazonaws.com.com/SimpleNotificationService-f3.pem",
            "https://sns.us_west.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns..amazonaws.com/SimpleNotificationService-f3.pem",
            "https://snsxus-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://s3.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem?x",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem#x",
            "https://sns.us-west-2.amazonaws.com/?Action=GetEndpointAttributes&x=.pem",
            "https://sns.us-west-2.amazonaws.com/a/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com//SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-..%2f.pem",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-.pem",
            "https://sns.us-west-2.amazonaws.com/other.pem",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.crt",
            "https://sns.us-west-2.amazonaws.com\\@evil.example/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem\n",
            " https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "https://sns.us-west-2.amazonaws.com",
            "https://ѕns.us-west-2.amazonaws.com/SimpleNotificationService-f3.pem",
            "",
        ] {
            assert_eq!(CertificateUrl::of_sns(bad), None, "{bad}");
        }
        let long = format!(
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-{}.pem",
            "a".repeat(256)
        );
        assert_eq!(CertificateUrl::of_sns(&long), None);
    }

    #[test]
    fn paypal_certificates_come_from_paypal() {
        for good in [
            "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
            "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-90621ecd",
            "https://api-m.paypal.com/v1/notifications/certs/CERT_1",
        ] {
            assert_eq!(CertificateUrl::of_paypal(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://api.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
            "https://evil.paypal.com/v1/notifications/certs/CERT-1",
            "https://api.paypal.com/v1/notifications/certs/../../../x",
            "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
            "https://api.paypal.com/v1/notifications/certs/",
            "https://api.paypal.com/v1/other/CERT-1",
            "https://api.paypal.com:444/v1/notifications/certs/CERT-1",
            "https://API.paypal.com/v1/notifications/certs/CERT-1",
        ] {
            assert_eq!(CertificateUrl::of_paypal(bad), None, "{bad}");
        }
    }
}
