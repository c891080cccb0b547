//! Where a call goes, as far as it matters for partitions: which calls are likely to take from the same counters.
//!
//! A path says it at four levels. `GET /v1/channels/123/messages/456?limit=5` has
//!
//! | Level | Is |
//! |---|---|
//! | path | `GET /v1/channels/123/messages/456` |
//! | endpoint | `GET /v1/channels/*/messages/*`: segments that look like identifiers do not count |
//! | resource | `/v1/channels/123`: up to the first identifier, whatever the method |
//! | family | `/v1/channels`: the first segment that is no version, whatever the method |
//!
//! Only hashes are kept: paths may hold what is nobody's business, and are as long as callers please.

use http::Method;

/// Where a call goes: hashes of its method and path at four levels. The default is a place of its own, for drivers that
/// do not say where calls go: all of them go there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Route {
    pub(super) path: u64,
    pub(super) endpoint: u64,
    pub(super) resource: u64,
    pub(super) family: u64,
}

/// FNV-1a, 64 bits. Whoever finds two paths of one hash has two paths that are paced as one.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const START: Self = Self(0xcbf2_9ce4_8422_2325);

    fn with(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |hash, &byte| {
            Self((hash.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
        })
    }

    fn end(self, level: u8) -> u64 {
        self.with(&[0, level]).0
    }
}

impl Route {
    /// The route of a request to `path` (without its query).
    #[must_use]
    pub fn new(method: &Method, path: &str) -> Self {
        let (mut path_hash, mut endpoint) = (Hash::START, Hash::START);
        let (mut resource, mut family) = (None, None);
        let mut whole = Hash::START;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let bytes = segment.as_bytes();
            whole = whole.with(b"/").with(bytes);
            path_hash = path_hash.with(b"/").with(bytes);
            if is_version(segment) {
                endpoint = endpoint.with(b"/").with(bytes);
                continue;
            }
            family.get_or_insert(whole);
            if is_identifier(bytes) {
                endpoint = endpoint.with(b"/*");
                resource.get_or_insert(whole);
            } else {
                endpoint = endpoint.with(b"/").with(bytes);
            }
        }
        let family = family.unwrap_or(whole);
        let method = method.as_str().as_bytes();
        Self {
            path: path_hash.with(b" ").with(method).end(1),
            endpoint: endpoint.with(b" ").with(method).end(2),
            resource: resource.unwrap_or(family).end(3),
            family: family.end(4),
        }
    }
}

/// `v1`, `v2beta1`, `api`, `rest`, a date such as `2024-01`: it says how the API is spoken, not what it is about.
fn is_version(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    match bytes {
        b"api" | b"rest" => true,
        [b'v', digit, ..] => digit.is_ascii_digit() && bytes.len() <= 10,
        [a, b, c, d, b'-', ..] => {
            [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) && bytes.len() <= 10
        }
        _ => false,
    }
}

/// Whether a segment names one thing among many: it has a digit, is long, or is escaped.
fn is_identifier(segment: &[u8]) -> bool {
    segment.len() > 32
        || segment
            .iter()
            .any(|&byte| byte.is_ascii_digit() || matches!(byte, b'%' | b'@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route::new(&method.parse().unwrap(), path)
    }

    #[test]
    fn identifiers_do_not_tell_endpoints_apart() {
        let one = route("GET", "/v1/contacts/ct_000001");
        for same in [
            "/v1/contacts/ct_000002",
            "/v1/contacts/17",
            "/v1/contacts/0198c2ab-7777-7c7c-8888-aaaaaaaaaaaa",
            "/v1/contacts/ann%40example.com",
            "/v1/contacts/ann@example.com",
        ] {
            let other = route("GET", same);
            assert_eq!(one.endpoint, other.endpoint, "{same}");
            assert_eq!(one.family, other.family, "{same}");
            assert_ne!(one.path, other.path, "{same}");
            assert_ne!(one.resource, other.resource, "{same}");
        }
    }

    #[test]
    fn methods_and_names_tell_endpoints_apart() {
        let one = route("GET", "/v1/contacts");
        assert_ne!(one.endpoint, route("POST", "/v1/contacts").endpoint);
        assert_ne!(one.endpoint, route("GET", "/v1/users").endpoint);
        assert_ne!(one.endpoint, route("GET", "/v2/contacts").endpoint);
        assert_ne!(one.endpoint, route("GET", "/v1/contacts/1").endpoint);
        assert_eq!(one, route("GET", "/v1//contacts/"));
    }

    #[test]
    fn resources_and_families_are_what_paths_begin_with() {
        let one = route("GET", "/api/v10/channels/123/messages/456");
        let other = route("POST", "/api/v10/channels/123/typing");
        assert_eq!((one.resource, one.family), (other.resource, other.family));
        let third = route("GET", "/api/v10/channels/124/messages");
        assert_ne!(one.resource, third.resource);
        assert_eq!(one.family, third.family);
        assert_ne!(one.family, route("GET", "/api/v10/guilds/123").family);
        assert_eq!(
            route("GET", "/2024-01/orders/1").family,
            route("GET", "/2024-01/orders").family
        );
    }

    #[test]
    fn every_path_has_a_route() {
        for path in ["", "/", "//", "/v1", "/%", &"/a".repeat(10_000)] {
            assert_eq!(route("GET", path), route("GET", path));
            assert_ne!(route("GET", path), Route::default());
        }
    }
}
