//! The operations of the data port: which one a method and a path mean, and what each is called in faults and journal.

use http::Method;

use crate::files::FileOp;
use crate::oauth::OAuthOp;

/// What a resource's operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Delete,
    Get,
    List,
    Replace,
    Update,
}

/// A collection of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Contacts,
    Users,
}

/// An operation of the data port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Bytes,
    Delay,
    Drip,
    Echo,
    File(FileOp),
    Greeting,
    Health,
    Lines,
    MethodNotAllowed,
    OAuth(OAuthOp),
    Preflight,
    Redirect,
    Resource(Kind, Action),
    Sink,
    Ticks,
    Unknown,
    Whoami,
}

/// A request's operation and the part of the path it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) op: Op,
    /// The id, number or status in the path.
    pub(crate) argument: &'a str,
    /// What `Allow` says when the method is the wrong one.
    pub(crate) allow: &'static str,
}

const COLLECTION: &str = "GET, HEAD, POST, OPTIONS";
const RECORD: &str = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
const READ: &str = "GET, HEAD, OPTIONS";
const FILE: &str = "GET, HEAD, DELETE, OPTIONS";
const CONTENT: &str = "GET, HEAD, PUT, OPTIONS";
const UPLOAD: &str = "GET, HEAD, PATCH, DELETE, OPTIONS";
/// Every method there is an operation for.
pub(crate) const ANY: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Finds the operation; `HEAD` means the same as `GET`.
pub(crate) fn route<'a>(method: &Method, path: &'a str) -> Route<'a> {
    let (op, argument, allow) = find(method, path);
    let op = match op {
        Found::Op(op) => op,
        Found::Read(op) if method == Method::GET || method == Method::HEAD => op,
        Found::Read(_) => Op::MethodNotAllowed,
        Found::None => Op::Unknown,
    };
    let op = if method == Method::OPTIONS && !matches!(op, Op::Unknown | Op::Echo) {
        Op::Preflight
    } else {
        op
    };
    Route {
        op,
        argument,
        allow,
    }
}

enum Found {
    Op(Op),
    /// Only for `GET` and `HEAD`.
    Read(Op),
    None,
}

fn find<'a>(method: &Method, path: &'a str) -> (Found, &'a str, &'static str) {
    if path == "/healthz" {
        return (Found::Read(Op::Health), "", READ);
    }
    if let Some((op, provider)) = oauth(path) {
        return oauth_route(method, op, provider);
    }
    let Some(rest) = path.strip_prefix("/v1/") else {
        return (Found::None, "", "");
    };
    let (head, tail) = match rest.split_once('/') {
        Some((head, tail)) => (head, Some(tail)),
        None => (rest, None),
    };
    match (head, tail) {
        ("files" | "uploads" | "exports", tail) => file(method, head, tail),
        ("contacts", tail) => resource(method, Kind::Contacts, tail),
        ("users", tail) => resource(method, Kind::Users, tail),
        ("greeting", None) => (Found::Read(Op::Greeting), "", READ),
        ("whoami", None) => (Found::Read(Op::Whoami), "", READ),
        ("echo", tail) => (Found::Op(Op::Echo), tail.unwrap_or(""), ANY),
        ("sink", None) if method == Method::POST || method == Method::PUT => {
            (Found::Op(Op::Sink), "", "POST, PUT, OPTIONS")
        }
        ("sink", None) => (Found::Op(Op::MethodNotAllowed), "", "POST, PUT, OPTIONS"),
        ("bytes", Some(n)) => (Found::Read(Op::Bytes), n, READ),
        ("lines", Some(n)) => (Found::Read(Op::Lines), n, READ),
        ("ticks", None) => (Found::Read(Op::Ticks), "", READ),
        ("drip", None) => (Found::Read(Op::Drip), "", READ),
        ("redirect", Some(status)) => (Found::Op(Op::Redirect), status, ANY),
        ("delay", Some(ms)) => (Found::Op(Op::Delay), ms, ANY),
        _ => (Found::None, "", ""),
    }
}

/// The operations on files, uploads and exports.
fn file<'a>(method: &Method, head: &str, tail: Option<&'a str>) -> (Found, &'a str, &'static str) {
    let (argument, part) = match tail.map(|tail| tail.split_once('/').unwrap_or((tail, ""))) {
        None => ("", "collection"),
        Some((id, "")) => (id, "one"),
        Some((id, "content")) => (id, "content"),
        Some(_) => return (Found::None, "", ""),
    };
    let (op, allow) = match (head, part, method.as_str()) {
        ("exports", "collection", _) => return (Found::Read(Op::File(FileOp::Export)), "", READ),
        ("files", "collection", "POST") => (Some(FileOp::Create), "POST, OPTIONS"),
        ("files", "collection", _) => (None, "POST, OPTIONS"),
        ("files", "one", "GET" | "HEAD") => (Some(FileOp::Get), FILE),
        ("files", "one", "DELETE") => (Some(FileOp::Delete), FILE),
        ("files", "one", _) => (None, FILE),
        ("files", "content", "GET" | "HEAD") => (Some(FileOp::Content), CONTENT),
        ("files", "content", "PUT") => (Some(FileOp::Replace), CONTENT),
        ("files", "content", _) => (None, CONTENT),
        ("uploads", "one", "GET" | "HEAD") => (Some(FileOp::Offset), UPLOAD),
        ("uploads", "one", "PATCH") => (Some(FileOp::Append), UPLOAD),
        ("uploads", "one", "DELETE") => (Some(FileOp::Cancel), UPLOAD),
        ("uploads", "one", _) => (None, UPLOAD),
        _ => return (Found::None, "", ""),
    };
    (
        Found::Op(op.map_or(Op::MethodNotAllowed, Op::File)),
        argument,
        allow,
    )
}

/// The operation of the authorization server that a path means, and the issuer's name in it.
fn oauth(path: &str) -> Option<(OAuthOp, &str)> {
    for well_known in [
        "/.well-known/oauth-authorization-server/oauth/",
        "/.well-known/openid-configuration/oauth/",
    ] {
        if let Some(provider) = path.strip_prefix(well_known) {
            return (!provider.contains('/')).then_some((OAuthOp::Metadata, provider));
        }
    }
    let (provider, rest) = path.strip_prefix("/oauth/")?.split_once('/')?;
    let op = match rest {
        ".well-known/openid-configuration" => OAuthOp::Metadata,
        "authorize" => OAuthOp::Authorize,
        "device" => OAuthOp::Device,
        "device_authorization" => OAuthOp::DeviceAuthorization,
        "introspect" => OAuthOp::Introspect,
        "jwks" => OAuthOp::Jwks,
        "revoke" => OAuthOp::Revoke,
        "token" => OAuthOp::Token,
        "userinfo" => OAuthOp::Userinfo,
        _ => return None,
    };
    Some((op, provider))
}

/// `generic`, or `generic~my-session`: the session in the path, where there is one.
pub(crate) fn session_in_path(path: &str) -> Option<&str> {
    oauth(path)?.1.split_once('~').map(|(_, session)| session)
}

fn oauth_route<'a>(
    method: &Method,
    op: OAuthOp,
    provider: &'a str,
) -> (Found, &'a str, &'static str) {
    let name = provider.split('~').next().unwrap_or_default();
    let known = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !known {
        return (Found::None, "", "");
    }
    let (reads, posts, allow) = match op {
        OAuthOp::Metadata | OAuthOp::Jwks => (true, false, READ),
        OAuthOp::Authorize | OAuthOp::Device | OAuthOp::Userinfo => (true, true, COLLECTION),
        _ => (false, true, "POST, OPTIONS"),
    };
    let allowed = (reads && (method == Method::GET || method == Method::HEAD))
        || (posts && method == Method::POST);
    let op = if allowed {
        Op::OAuth(op)
    } else {
        Op::MethodNotAllowed
    };
    (Found::Op(op), provider, allow)
}

fn resource<'a>(
    method: &Method,
    kind: Kind,
    id: Option<&'a str>,
) -> (Found, &'a str, &'static str) {
    let Some(id) = id else {
        let action = match method.as_str() {
            "GET" | "HEAD" => Some(Action::List),
            "POST" => Some(Action::Create),
            _ => None,
        };
        return (found(kind, action), "", COLLECTION);
    };
    if id.is_empty() || id.contains('/') {
        return (Found::None, "", "");
    }
    let action = match method.as_str() {
        "GET" | "HEAD" => Some(Action::Get),
        "PUT" => Some(Action::Replace),
        "PATCH" => Some(Action::Update),
        "DELETE" => Some(Action::Delete),
        _ => None,
    };
    (found(kind, action), id, RECORD)
}

fn found(kind: Kind, action: Option<Action>) -> Found {
    Found::Op(action.map_or(Op::MethodNotAllowed, |action| Op::Resource(kind, action)))
}

impl Kind {
    /// The word in paths and operation names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Users => "users",
        }
    }
}

impl Action {
    /// Whether it may change a record.
    pub(crate) fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List)
    }
}

impl Op {
    /// Every operation.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        use Action::{Create, Delete, Get, List, Replace, Update};
        let mut all = vec![
            Self::Bytes,
            Self::Delay,
            Self::Drip,
            Self::Ticks,
            Self::Echo,
            Self::Greeting,
            Self::Health,
            Self::Lines,
            Self::MethodNotAllowed,
            Self::Preflight,
            Self::Redirect,
            Self::Sink,
            Self::Unknown,
            Self::Whoami,
        ];
        all.extend(
            [
                OAuthOp::Authorize,
                OAuthOp::Device,
                OAuthOp::DeviceAuthorization,
                OAuthOp::Introspect,
                OAuthOp::Jwks,
                OAuthOp::Metadata,
                OAuthOp::Revoke,
                OAuthOp::Token,
                OAuthOp::Userinfo,
            ]
            .map(Self::OAuth),
        );
        all.extend(
            [
                FileOp::Append,
                FileOp::Cancel,
                FileOp::Content,
                FileOp::Create,
                FileOp::Delete,
                FileOp::Export,
                FileOp::Get,
                FileOp::Offset,
                FileOp::Replace,
            ]
            .map(Self::File),
        );
        for kind in [Kind::Contacts, Kind::Users] {
            for action in [Create, Delete, Get, List, Replace, Update] {
                all.push(Self::Resource(kind, action));
            }
        }
        all
    }

    /// The name in fault rules, journal and effects.
    pub(crate) fn name(self) -> &'static str {
        use Action::{Create, Delete, Get, List, Replace, Update};
        use Kind::{Contacts, Users};
        match self {
            Self::Bytes => "bytes",
            Self::Delay => "delay",
            Self::Drip => "drip",
            Self::Ticks => "ticks",
            Self::Echo => "echo",
            Self::File(FileOp::Append) => "uploads.append",
            Self::File(FileOp::Cancel) => "uploads.cancel",
            Self::File(FileOp::Content) => "files.content",
            Self::File(FileOp::Create) => "files.create",
            Self::File(FileOp::Delete) => "files.delete",
            Self::File(FileOp::Export) => "exports",
            Self::File(FileOp::Get) => "files.get",
            Self::File(FileOp::Offset) => "uploads.offset",
            Self::File(FileOp::Replace) => "files.replace",
            Self::Greeting => "greeting",
            Self::Health => "healthz",
            Self::Lines => "lines",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::OAuth(OAuthOp::Authorize) => "oauth.authorize",
            Self::OAuth(OAuthOp::Device) => "oauth.device",
            Self::OAuth(OAuthOp::DeviceAuthorization) => "oauth.device_authorization",
            Self::OAuth(OAuthOp::Introspect) => "oauth.introspect",
            Self::OAuth(OAuthOp::Jwks) => "oauth.jwks",
            Self::OAuth(OAuthOp::Metadata) => "oauth.metadata",
            Self::OAuth(OAuthOp::Revoke) => "oauth.revoke",
            Self::OAuth(OAuthOp::Token) => "oauth.token",
            Self::OAuth(OAuthOp::Userinfo) => "oauth.userinfo",
            Self::Preflight => "options",
            Self::Redirect => "redirect",
            Self::Resource(Contacts, Create) => "contacts.create",
            Self::Resource(Contacts, Delete) => "contacts.delete",
            Self::Resource(Contacts, Get) => "contacts.get",
            Self::Resource(Contacts, List) => "contacts.list",
            Self::Resource(Contacts, Replace) => "contacts.replace",
            Self::Resource(Contacts, Update) => "contacts.update",
            Self::Resource(Users, Create) => "users.create",
            Self::Resource(Users, Delete) => "users.delete",
            Self::Resource(Users, Get) => "users.get",
            Self::Resource(Users, List) => "users.list",
            Self::Resource(Users, Replace) => "users.replace",
            Self::Resource(Users, Update) => "users.update",
            Self::Sink => "sink",
            Self::Unknown => "unknown",
            Self::Whoami => "whoami",
        }
    }

    /// The scope a key needs for it.
    pub(crate) fn scope(self) -> Option<&'static str> {
        match self {
            Self::Resource(Kind::Contacts, action) if action.writes() => Some("contacts:write"),
            Self::Resource(Kind::Contacts, _) => Some("contacts:read"),
            Self::Resource(Kind::Users, action) if action.writes() => Some("users:write"),
            Self::Resource(Kind::Users, _) => Some("users:read"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, path: &str) -> &'static str {
        route(&Method::from_bytes(method.as_bytes()).unwrap(), path)
            .op
            .name()
    }

    #[test]
    fn methods_and_paths_find_their_operation() {
        assert_eq!(name("GET", "/v1/contacts"), "contacts.list");
        assert_eq!(name("HEAD", "/v1/contacts"), "contacts.list");
        assert_eq!(name("POST", "/v1/contacts"), "contacts.create");
        assert_eq!(name("PUT", "/v1/contacts/ct_1"), "contacts.replace");
        assert_eq!(name("PATCH", "/v1/users/us_1"), "users.update");
        assert_eq!(name("DELETE", "/v1/users/us_1"), "users.delete");
        assert_eq!(name("DELETE", "/v1/echo/deeper/still"), "echo");
        assert_eq!(name("OPTIONS", "/v1/contacts"), "options");
        assert_eq!(name("OPTIONS", "/v1/whoami"), "options");
        assert_eq!(name("POST", "/v1/whoami"), "method_not_allowed");
        assert_eq!(name("DELETE", "/v1/contacts"), "method_not_allowed");
        assert_eq!(name("GET", "/v1/contacts/"), "unknown");
        assert_eq!(name("GET", "/v1/contacts/a/b"), "unknown");
        assert_eq!(name("GET", "/"), "unknown");
    }

    #[test]
    fn operation_names_are_distinct() {
        let all = Op::all();
        let names: std::collections::BTreeSet<_> = all.iter().map(|op| op.name()).collect();
        assert_eq!(names.len(), all.len());
    }
}
