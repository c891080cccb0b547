//! The table of the data port's operations: which one a method and a path mean. The OpenAPI document is written from the
//! same rows, so that the two cannot say different things.
//!
//! Each subject has its rows in a file of its own; a template's `{name}` is one segment that is not empty, and `{name*}` at
//! the end all that is left. `HEAD` means `GET`, and `OPTIONS` is answered for every path.

use std::collections::HashMap;
use std::sync::OnceLock;

use http::Method;

use crate::op::Op;
use crate::openapi::About;
use crate::{login, oauth};

/// One row: an operation, where it is, and what the document says of it.
pub(crate) struct Operation {
    pub(crate) op: Op,
    /// Those that the document names: without `HEAD`, and without `OPTIONS` where it is answered as everywhere.
    pub(crate) methods: &'static [&'static str],
    /// A template, such as `/v1/contacts/{id}`.
    pub(crate) path: &'static str,
    pub(crate) about: fn(About) -> About,
}

/// The methods of an operation that does not look at the method. Upstreams take others too: which they have is theirs to
/// say, and OpenAPI has no names for them.
pub(crate) const EVERY_METHOD: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
/// What `Allow` says of such an operation, and a preflight of everything.
pub(crate) const ANY: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The rows of each subject, in the order in which the document has them.
static TABLES: &[&[Operation]] = &[
    crate::records::CONTACTS,
    crate::records::USERS,
    crate::records::PROJECTS,
    crate::records::NESTED,
    crate::batch::OPERATIONS,
    crate::jobs::OPERATIONS,
    crate::files::OPERATIONS,
    crate::events::OPERATIONS,
    crate::endpoints::OPERATIONS,
    crate::usage::OPERATIONS,
    crate::oauth::OPERATIONS,
    crate::login::OPERATIONS,
    crate::upstream::operations::OPERATIONS,
    crate::openapi::OPERATIONS,
    crate::swagger_ui::OPERATIONS,
    crate::webhooks::OPERATIONS,
];

/// Every row.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    TABLES.iter().flat_map(|table| table.iter())
}

/// A request's operation and the part of the path it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub(crate) op: Op,
    /// What stands for the template's first `{…}`: an id, number or status.
    pub(crate) argument: &'a str,
    /// What `Allow` says when the method is the wrong one.
    pub(crate) allow: &'static str,
}

const NOWHERE: Route<'static> = Route {
    op: Op::Unknown,
    argument: "",
    allow: "",
};

/// Finds the operation; `HEAD` means the same as `GET`.
pub(crate) fn route<'a>(method: &Method, path: &'a str) -> Route<'a> {
    let found = match read_by_subject(path) {
        Some(op) => op.and_then(|(op, argument)| Some((Index::get().place_of(op)?, argument))),
        None => Index::get().find(path),
    };
    let Some((place, argument)) = found else {
        return NOWHERE;
    };
    let method = match method.as_str() {
        "HEAD" => "GET",
        name => name,
    };
    let op = place.rows.iter().find_map(|row| {
        let fits = row.methods.contains(&method) || row.op == Op::Upstream;
        fits.then_some(row.op)
    });
    // What would be sent back could hold credentials (RFC 9110, section 9.3.8).
    let op = op.filter(|_| method != "TRACE");
    let op = op.unwrap_or(Op::MethodNotAllowed);
    let op = if method == "OPTIONS" && op != Op::Echo {
        Op::Preflight
    } else {
        op
    };
    Route {
        op,
        argument,
        allow: &place.allow,
    }
}

/// `generic`, or `generic~my-session`: the session in the path, where there is one.
pub(crate) fn session_in_path(path: &str) -> Option<&str> {
    let (_, argument) = read_by_subject(path)??;
    argument.split_once('~').map(|(_, session)| session)
}

/// What a path means of the subjects that read their paths themselves, because there are sessions in them and the paths of
/// real providers; their rows say the methods. `Some(None)` is a path of theirs that means nothing.
fn read_by_subject(path: &str) -> Option<Option<(Op, &str)>> {
    if let Some((op, about)) = login::op_at(path) {
        return Some(Some((Op::Login(op), about)));
    }
    if !path.starts_with("/oauth/") && !path.starts_with("/.well-known/") {
        return None;
    }
    let found = oauth::op_at(path).filter(|(_, provider)| oauth::is_provider(provider));
    Some(found.map(|(op, provider)| (Op::OAuth(op), provider)))
}

/// The rows by what paths begin with, so that a request is compared with few of them.
struct Index(HashMap<&'static str, Vec<Place>>);

/// All rows of one template.
struct Place {
    segments: Vec<Segment>,
    rows: Vec<&'static Operation>,
    allow: String,
}

#[derive(Clone, Copy)]
enum Segment {
    Word(&'static str),
    Any,
    Rest,
}

impl Index {
    fn get() -> &'static Self {
        static INDEX: OnceLock<Index> = OnceLock::new();
        INDEX.get_or_init(|| {
            let mut index = Self(HashMap::new());
            let mut templates: Vec<&str> = Vec::new();
            for row in operations() {
                if !templates.contains(&row.path) {
                    templates.push(row.path);
                }
            }
            for template in templates {
                let rows: Vec<_> = operations().filter(|row| row.path == template).collect();
                let (head, rest) = split(template);
                index.0.entry(head).or_default().push(Place {
                    segments: rest.map(segments).unwrap_or_default(),
                    allow: allow(&rows),
                    rows,
                });
            }
            index
        })
    }

    /// The place of an operation's first row.
    fn place_of(&self, op: Op) -> Option<&Place> {
        let mut places = self.0.values().flatten();
        places.find(|place| place.rows.iter().any(|row| row.op == op))
    }

    fn find<'a>(&self, path: &'a str) -> Option<(&Place, &'a str)> {
        let (head, rest) = split(path);
        let places = self.0.get(head)?;
        places
            .iter()
            .find_map(|place| Some((place, argument(&place.segments, rest)?)))
    }
}

/// `/v1/` and the word after it, or the first word of another path, and what follows.
fn split(path: &str) -> (&str, Option<&str>) {
    let skipped = if path.starts_with("/v1/") { 4 } else { 1 };
    let end = path.get(skipped..).and_then(|rest| rest.find('/'));
    match end.and_then(|end| path.split_at_checked(skipped + end)) {
        Some((head, rest)) => (head, rest.get(1..)),
        None => (path, None),
    }
}

fn segments(template: &'static str) -> Vec<Segment> {
    template
        .split('/')
        .map(|segment| match segment.strip_prefix('{') {
            None => Segment::Word(segment),
            Some(name) if name.ends_with("*}") => Segment::Rest,
            Some(_) => Segment::Any,
        })
        .collect()
}

/// The path's first argument, if it fits the template.
fn argument<'a>(segments: &[Segment], rest: Option<&'a str>) -> Option<&'a str> {
    let mut argument = None;
    let mut left = rest;
    for segment in segments {
        let text = left?;
        let (word, next) = match text.split_once('/') {
            Some((word, next)) => (word, Some(next)),
            None => (text, None),
        };
        match segment {
            Segment::Rest => return Some(argument.unwrap_or(text)),
            Segment::Word(expected) if *expected == word => {}
            Segment::Any if !word.is_empty() => argument = argument.or(Some(word)),
            Segment::Word(_) | Segment::Any => return None,
        }
        left = next;
    }
    left.is_none().then(|| argument.unwrap_or_default())
}

/// The methods of these rows, in the order of [`ANY`].
fn allow(rows: &[&Operation]) -> String {
    let has = |name: &str| {
        let name = if name == "HEAD" { "GET" } else { name };
        name == "OPTIONS" || rows.iter().any(|row| row.methods.contains(&name))
    };
    let methods: Vec<&str> = ANY.split(", ").filter(|name| has(name)).collect();
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn of(method: &str, path: &str) -> (&'static str, &'static str) {
        let found = route(&Method::from_bytes(method.as_bytes()).unwrap(), path);
        (found.op.name(), found.allow)
    }

    fn name(method: &str, path: &str) -> &'static str {
        of(method, path).0
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
        assert_eq!(name("OPTIONS", "/v1/echo"), "echo");
        assert_eq!(of("QUERY", "/v1/echo"), ("method_not_allowed", ANY));
        assert_eq!(name("BREW", "/v1/delay/1"), "method_not_allowed");
        assert_eq!(name("PROPFIND", "/upstream/orders/a"), "upstream");
        assert_eq!(name("TRACE", "/v1/echo"), "method_not_allowed");
        assert_eq!(name("OPTIONS", "/v1/contacts"), "options");
        assert_eq!(name("OPTIONS", "/v1/whoami"), "options");
        assert_eq!(name("POST", "/v1/whoami"), "method_not_allowed");
        assert_eq!(name("DELETE", "/v1/contacts"), "method_not_allowed");
        assert_eq!(name("GET", "/v1/contacts/"), "unknown");
        assert_eq!(name("GET", "/v1/contacts/a/b"), "unknown");
        assert_eq!(name("GET", "/contacts"), "unknown");
        assert_eq!(name("GET", "/"), "unknown");
        assert_eq!(name("GET", "/oauth/generic~s/jwks"), "oauth.jwks");
        assert_eq!(name("GET", "/oauth/ge.neric/jwks"), "unknown");
        assert_eq!(session_in_path("/oauth/generic~s/jwks"), Some("s"));
        assert_eq!(name("GET", "/oauth/github/jwks"), "unknown");
        assert_eq!(
            name("POST", "/oauth/github~s/login/oauth/access_token"),
            "oauth.token"
        );
        assert_eq!(
            name("GET", "/oauth/github/login/oauth/access_token"),
            "method_not_allowed"
        );
        assert_eq!(name("GET", "/login/google~s/callback"), "login.callback");
        assert_eq!(
            of("GET", "/logout"),
            ("method_not_allowed", "POST, OPTIONS")
        );
        assert_eq!(session_in_path("/login/google~s/callback"), Some("s"));
        assert_eq!(session_in_path("/v1/bytes/1~2"), None);
    }

    #[test]
    fn a_path_names_its_methods_in_one_order() {
        assert_eq!(of("BREW", "/v1/contacts").1, "GET, HEAD, POST, OPTIONS");
        let record = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
        assert_eq!(of("POST", "/v1/contacts/ct_1").1, record);
        assert_eq!(of("GET", "/v1/sink").1, "POST, PUT, OPTIONS");
        assert_eq!(of("OPTIONS", "/v1/delay/1").1, ANY);
    }

    #[test]
    fn no_two_rows_mean_the_same_request() {
        let mut seen = BTreeSet::new();
        for row in operations() {
            for method in row.methods {
                assert!(seen.insert((row.path, *method)), "{method} {}", row.path);
            }
        }
    }

    #[test]
    fn operation_names_are_distinct() {
        let mut names: Vec<(&str, Op)> = Vec::new();
        for row in operations() {
            let name = row.op.name();
            match names.iter().find(|(known, _)| *known == name) {
                Some((_, op)) => assert_eq!(*op, row.op, "{name} names two operations"),
                None => names.push((name, row.op)),
            }
        }
        for none in [Op::MethodNotAllowed, Op::Preflight, Op::Unknown] {
            assert!(names.iter().all(|(name, _)| *name != none.name()));
        }
    }
}
