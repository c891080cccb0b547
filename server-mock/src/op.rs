//! The operations of the data port: what each is called in faults and journal, and the scope it needs. Which method and
//! path mean which is the table of `routes.rs`.

use crate::events::EventOp;
use crate::files::FileOp;
use crate::jobs::JobOp;
use crate::login::LoginOp;
use crate::oauth::OAuthOp;
use crate::webhooks::WebhookOp;

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
    /// Kept and listed as records are, with operations of their own.
    Jobs,
    Projects,
    Users,
}

/// An operation of the data port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Deprecated: what `Whoami` is.
    Account,
    /// Several operations on records in one request.
    Batch,
    Bytes,
    Delay,
    /// The page that shows the OpenAPI document.
    Docs,
    Drip,
    Echo,
    Event(EventOp),
    File(FileOp),
    Greeting,
    Health,
    Job(JobOp),
    Lines,
    Login(LoginOp),
    MethodNotAllowed,
    OAuth(OAuthOp),
    /// The OpenAPI document.
    OpenApi,
    Preflight,
    /// The contacts of a project.
    ProjectContacts,
    Redirect,
    Resource(Kind, Action),
    Sink,
    Ticks,
    Unknown,
    /// A real server behind the gateway.
    Upstream,
    Usage,
    Webhook(WebhookOp),
    Whoami,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Contacts, Self::Users, Self::Projects, Self::Jobs];
    /// Those that clients write as they like.
    pub(crate) const WRITTEN: [Self; 3] = [Self::Contacts, Self::Users, Self::Projects];

    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The word in paths and operation names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Jobs => "jobs",
            Self::Projects => "projects",
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
    /// The name in fault rules, journal and effects.
    pub(crate) fn name(self) -> &'static str {
        use Action::{Create, Delete, Get, List, Replace, Update};
        use Kind::{Contacts, Jobs, Projects, Users};
        match self {
            Self::Account => "account",
            Self::Batch => "batch",
            Self::Bytes => "bytes",
            Self::Delay => "delay",
            Self::Docs => "docs",
            Self::Drip => "drip",
            Self::Ticks => "ticks",
            Self::Echo => "echo",
            Self::Event(EventOp::Get) => "events.get",
            Self::Event(EventOp::List) => "events.list",
            Self::Event(EventOp::Stream) => "events.stream",
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
            Self::Job(op) => op.name(),
            Self::Lines => "lines",
            Self::Login(LoginOp::Begin) => "login.begin",
            Self::Login(LoginOp::Callback) => "login.callback",
            Self::Login(LoginOp::Logout) => "login.logout",
            Self::Login(LoginOp::Session) => "login.session",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::OAuth(OAuthOp::Authorize) => "oauth.authorize",
            Self::OAuth(OAuthOp::Device) => "oauth.device",
            Self::OAuth(OAuthOp::DeviceAuthorization) => "oauth.device_authorization",
            Self::OAuth(OAuthOp::Emails) => "oauth.emails",
            Self::OAuth(OAuthOp::Introspect) => "oauth.introspect",
            Self::OAuth(OAuthOp::Jwks) => "oauth.jwks",
            Self::OAuth(OAuthOp::Metadata) => "oauth.metadata",
            Self::OAuth(OAuthOp::Par) => "oauth.par",
            Self::OAuth(OAuthOp::Revoke) => "oauth.revoke",
            Self::OAuth(OAuthOp::Token) => "oauth.token",
            Self::OAuth(OAuthOp::Userinfo) => "oauth.userinfo",
            Self::OpenApi => "openapi",
            Self::Preflight => "options",
            Self::ProjectContacts => "projects.contacts",
            Self::Redirect => "redirect",
            Self::Resource(Contacts, Create) => "contacts.create",
            Self::Resource(Contacts, Delete) => "contacts.delete",
            Self::Resource(Contacts, Get) => "contacts.get",
            Self::Resource(Contacts, List) => "contacts.list",
            Self::Resource(Contacts, Replace) => "contacts.replace",
            Self::Resource(Contacts, Update) => "contacts.update",
            // Jobs have operations of their own; no row has this one.
            Self::Resource(Jobs, _) => "jobs",
            Self::Resource(Projects, Create) => "projects.create",
            Self::Resource(Projects, Delete) => "projects.delete",
            Self::Resource(Projects, Get) => "projects.get",
            Self::Resource(Projects, List) => "projects.list",
            Self::Resource(Projects, Replace) => "projects.replace",
            Self::Resource(Projects, Update) => "projects.update",
            Self::Resource(Users, Create) => "users.create",
            Self::Resource(Users, Delete) => "users.delete",
            Self::Resource(Users, Get) => "users.get",
            Self::Resource(Users, List) => "users.list",
            Self::Resource(Users, Replace) => "users.replace",
            Self::Resource(Users, Update) => "users.update",
            Self::Sink => "sink",
            Self::Unknown => "unknown",
            Self::Upstream => "upstream",
            Self::Usage => "usage.get",
            Self::Webhook(op) => op.name(),
            Self::Whoami => "whoami",
        }
    }

    /// The scope a key needs for it.
    pub(crate) fn scope(self) -> Option<&'static str> {
        match self {
            Self::Event(_) => Some("events:read"),
            Self::Job(op) => Some(op.scope()),
            Self::Resource(Kind::Jobs, _) => Some("jobs:write"),
            Self::Resource(Kind::Contacts, action) if action.writes() => Some("contacts:write"),
            Self::Resource(Kind::Contacts, _) => Some("contacts:read"),
            Self::Resource(Kind::Projects, action) if action.writes() => Some("projects:write"),
            Self::Resource(Kind::Projects, _) | Self::ProjectContacts => Some("projects:read"),
            Self::Resource(Kind::Users, action) if action.writes() => Some("users:write"),
            Self::Resource(Kind::Users, _) => Some("users:read"),
            Self::Webhook(op) => Some(op.scope()),
            _ => None,
        }
    }
}
