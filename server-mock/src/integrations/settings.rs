//! What is set of an integration, and what of it cannot be.

use gatewright_event_filter::{Filter, Glob};
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::template::{Escaping, Template};
use crate::key::is_tenant;

const MAX_INTEGRATIONS: usize = 32;
const MAX_EVENTS: usize = 32;
const MAX_RECIPIENTS: usize = 50;
const DEFAULT_TEXT: &str = "{{ type }}: {{ data.name or data.id or id }}";
const DEFAULT_SUBJECT: &str = "{{ type }}";
/// The channel that sends nothing anywhere.
pub(super) const SINK: &str = "sink";

/// Where notices of some events go: to Slack or by e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Integration {
    /// 1 to 64 letters, digits, `-` or `_`.
    pub name: String,
    /// Types of events, with `*` for anything: `contact.*`. Default: all.
    #[serde(default = "every_event")]
    pub events: Vec<String>,
    /// What else an event must be, as webhook endpoints have it: `$.data.amount >= 100`. Default: nothing.
    #[serde(default)]
    pub filter: Option<String>,
    /// The text, with members of the event: `{{ data.email }}`. Default: type and name.
    #[serde(default)]
    pub template: Option<String>,
    /// Slack; or `email`, one of the two.
    #[serde(default)]
    pub slack: Option<Slack>,
    /// E-mail.
    #[serde(default)]
    pub email: Option<Email>,
}

/// An incoming webhook of Slack, or of what understands the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Slack {
    /// `https://hooks.slack.com/services/…`, or `sink`.
    pub url: String,
}

/// E-mail by SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Email {
    /// `smtps://user:password@host`, `smtp://host:587?tls=required`, `smtp://localhost:1025` without TLS, or `sink`.
    pub smtp: String,
    /// `Name <address>`.
    pub from: String,
    /// At most 50.
    pub to: Vec<String>,
    /// As the text; line ends become spaces. Default: the event's type.
    #[serde(default)]
    pub subject: Option<String>,
}

fn every_event() -> Vec<String> {
    vec!["*".into()]
}

impl Integration {
    /// Whether an event is one of those that it is for.
    pub(super) fn wants(&self, kind: &str, event: &Value) -> bool {
        let fits = self
            .events
            .iter()
            .any(|pattern| Glob::new(pattern).is_match(kind));
        fits && self.filter.as_deref().is_none_or(|filter| {
            let filter = Filter::parse(filter);
            filter.is_ok_and(|filter| filter.matches(event).unwrap_or(false))
        })
    }

    /// Subject and text for an event, or why there can be none.
    pub(super) fn written(
        &self,
        event: &Value,
    ) -> (Option<Result<String, String>>, Result<String, String>) {
        let escaping = match self.slack {
            Some(_) => Escaping::Slack,
            None => Escaping::None,
        };
        let text = self.template.as_deref().unwrap_or(DEFAULT_TEXT);
        let text = Template(text).filled(event, escaping);
        let subject = self.email.as_ref().map(|email| {
            let subject = email.subject.as_deref().unwrap_or(DEFAULT_SUBJECT);
            let subject = Template(subject).filled(event, Escaping::None)?;
            Ok(subject.split(['\r', '\n']).collect::<Vec<_>>().join(" "))
        });
        (subject, text)
    }

    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if !is_tenant(name) {
            return Err(format!(
                "a name is 1 to 64 letters, digits, - or _, got {name:?}"
            ));
        }
        if self.events.is_empty() || self.events.len() > MAX_EVENTS {
            return Err(format!("{name}: 1 to {MAX_EVENTS} events"));
        }
        if let Some(filter) = &self.filter {
            Filter::parse(filter)
                .map_err(|fault| format!("{name}: filter: {}", fault.pointing(filter)))?;
        }
        let templates = [
            &self.template,
            &self.email.as_ref().and_then(|email| email.subject.clone()),
        ]
        .map(|template| template.clone());
        for template in templates.iter().flatten() {
            Template(template)
                .check()
                .map_err(|fault| format!("{name}: template: {fault}"))?;
        }
        match (&self.slack, &self.email) {
            (Some(slack), None) => slack.check(),
            (None, Some(email)) => email.check(),
            _ => Err("say either slack or email".into()),
        }
        .map_err(|fault| format!("{name}: {fault}"))
    }
}

impl Slack {
    fn check(&self) -> Result<(), String> {
        let url = Url::parse(&self.url);
        let is_url =
            url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        // The URL itself is a secret.
        (is_url || self.url == SINK)
            .then_some(())
            .ok_or_else(|| "slack: url is http or https, or sink".into())
    }
}

impl Email {
    fn check(&self) -> Result<(), String> {
        if self.smtp != SINK {
            super::email::transport(&self.smtp).map_err(|why| format!("email: smtp: {why}"))?;
        }
        if self.to.is_empty() || self.to.len() > MAX_RECIPIENTS {
            return Err(format!("email: 1 to {MAX_RECIPIENTS} recipients"));
        }
        for address in self.to.iter().chain([&self.from]) {
            let mailbox: Result<Mailbox, _> = address.parse();
            mailbox.map_err(|why| format!("email: {address:?}: {why}"))?;
        }
        Ok(())
    }
}

/// What is wrong with a list of them, or nothing.
pub(crate) fn check_all(integrations: &[Integration]) -> Result<(), String> {
    if integrations.len() > MAX_INTEGRATIONS {
        return Err(format!(
            "a session has at most {MAX_INTEGRATIONS} integrations"
        ));
    }
    for (at, integration) in integrations.iter().enumerate() {
        integration.check()?;
        let mut before = integrations.iter().take(at);
        if before.any(|other| other.name == integration.name) {
            return Err(format!("{} is there twice", integration.name));
        }
    }
    Ok(())
}
