//! What a row of the table says of its operation in the document: parameters, bodies, answers and their headers.
//!
//! What is the same for all of a kind is added here: the template's parameters, the ways to authenticate, and the answers
//! that any operation may give (401, 403, 429 and so on).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Deprecated, Ref, RefOr, Required};

use super::schema::{AnySchema, example, refer, text};
use crate::routes::{Operation, operations};

/// Headers of components that every answer has.
const EVERYWHERE: [&str; 2] = ["Request-Id", "Server-Timing"];
/// Headers that answers within limits have.
const OF_LIMITS: [&str; 2] = ["RateLimit", "RateLimit-Policy"];
/// The ways to authenticate, of which one is enough.
pub(super) const SECURITY: [&str; 5] = ["bearer", "basic", "apiKey", "apiKeyQuery", "apiKeyCookie"];

/// What is said of an operation.
pub(crate) struct About {
    operation: OperationBuilder,
    parameters: Vec<Parameter>,
    answers: BTreeMap<u16, ResponseBuilder>,
    problems: BTreeSet<u16>,
    body: Option<RequestBodyBuilder>,
    public: bool,
}

impl About {
    pub(super) fn new() -> Self {
        Self {
            operation: OperationBuilder::new(),
            parameters: Vec::new(),
            answers: BTreeMap::new(),
            problems: BTreeSet::new(),
            body: None,
            public: false,
        }
    }

    /// The group it is shown in.
    pub(crate) fn tag(mut self, name: &str) -> Self {
        self.operation = self.operation.tag(name);
        self
    }

    /// What it does, in a few words.
    pub(crate) fn summary(mut self, words: &str) -> Self {
        self.operation = self.operation.summary(Some(words));
        self
    }

    /// What else there is to know; Markdown.
    pub(crate) fn detail(mut self, markdown: &str) -> Self {
        self.operation = self.operation.description(Some(markdown));
        self
    }

    /// It needs no credentials, and no limit counts it.
    pub(crate) fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// It will go away.
    pub(crate) fn deprecated(mut self) -> Self {
        self.operation = self.operation.deprecated(Some(Deprecated::True));
        self
    }

    /// A parameter in the template. One that is not described is text.
    pub(crate) fn path(
        self,
        name: &str,
        schema: impl Into<AnySchema>,
        words: &str,
        value: impl Into<Value>,
    ) -> Self {
        let parameter = parameter(name, ParameterIn::Path, schema.into(), words)
            .required(Required::True)
            .example(example(value.into()));
        self.with(parameter)
    }

    /// A parameter in the query, which may be left out.
    pub(crate) fn query(self, name: &str, schema: impl Into<AnySchema>, words: &str) -> Self {
        let parameter = parameter(name, ParameterIn::Query, schema.into(), words);
        self.with(parameter)
    }

    /// A parameter in the query that has to be there.
    pub(crate) fn required_query(
        self,
        name: &str,
        schema: impl Into<AnySchema>,
        words: &str,
    ) -> Self {
        let parameter = parameter(name, ParameterIn::Query, schema.into(), words);
        self.with(parameter.required(Required::True))
    }

    /// A header of the request, which may be left out.
    pub(crate) fn header(self, name: &str, schema: impl Into<AnySchema>, words: &str) -> Self {
        let parameter = parameter(name, ParameterIn::Header, schema.into(), words);
        self.with(parameter)
    }

    /// A header of the request that has to be there.
    pub(crate) fn required_header(
        self,
        name: &str,
        schema: impl Into<AnySchema>,
        words: &str,
    ) -> Self {
        let parameter = parameter(name, ParameterIn::Header, schema.into(), words);
        self.with(parameter.required(Required::True))
    }

    fn with(mut self, parameter: ParameterBuilder) -> Self {
        self.parameters.push(parameter.build());
        self
    }

    /// A body that has to be there, as JSON.
    pub(crate) fn json(self, schema: impl Into<AnySchema>, value: impl Into<Value>) -> Self {
        self.body("application/json", schema, value)
    }

    /// A body that has to be there, of a media type. Said several times: any of them.
    pub(crate) fn body(
        mut self,
        media_type: &str,
        schema: impl Into<AnySchema>,
        value: impl Into<Value>,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .example(example(value.into()));
        let body = self
            .body
            .unwrap_or_default()
            .required(Some(Required::True))
            .content(media_type, content.build());
        self.body = Some(body);
        self
    }

    /// The same, for a body that may be left out.
    pub(crate) fn optional_body(
        mut self,
        media_type: &str,
        schema: impl Into<AnySchema>,
        value: impl Into<Value>,
    ) -> Self {
        self = self.body(media_type, schema, value);
        let body = self.body.take();
        self.body = body.map(|body| body.required(Some(Required::False)));
        self
    }

    /// An answer with JSON.
    pub(crate) fn ok(
        self,
        status: u16,
        words: &str,
        schema: impl Into<AnySchema>,
        value: impl Into<Value>,
    ) -> Self {
        self.content(status, words, "application/json", schema, value)
    }

    /// An answer of a media type. Said several times for a status: any of them.
    pub(crate) fn content(
        mut self,
        status: u16,
        words: &str,
        media_type: &str,
        schema: impl Into<AnySchema>,
        value: impl Into<Value>,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .example(example(value.into()));
        let answer = self.answers.remove(&status).unwrap_or_default();
        let answer = answer
            .description(words)
            .content(media_type, content.build());
        self.answers.insert(status, answer);
        self
    }

    /// An answer without a body.
    pub(crate) fn empty(mut self, status: u16, words: &str) -> Self {
        let answer = ResponseBuilder::new().description(words);
        self.answers.insert(status, answer);
        self
    }

    /// A header of an answer that was said before.
    pub(crate) fn says(mut self, status: u16, name: &str, words: &str) -> Self {
        if let Some(answer) = self.answers.remove(&status) {
            let header = HeaderBuilder::new()
                .schema(Some(text()))
                .description(Some(words))
                .build();
            self.answers.insert(status, answer.header(name, header));
        }
        self
    }

    /// Errors it answers beside those of every operation: problem details (RFC 9457).
    pub(crate) fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// The operation as the document has it, for one method of its row.
    pub(super) fn build(mut self, row: &Operation, method: &str) -> OperationBuilder {
        let name = row.op.name();
        let id = match row.methods {
            [_] => name.to_owned(),
            _ => format!("{name}.{}", method.to_ascii_lowercase()),
        };
        let rows = operations().filter(|other| other.op == row.op);
        let id = match rows.take_while(|other| other.path != row.path).count() {
            0 => id,
            before => format!("{id}.{}", before + 1),
        };
        let undescribed: Vec<&str> = names(row.path)
            .filter(|name| !self.parameters.iter().any(|known| known.name == *name))
            .collect();
        for name in undescribed {
            let schema = text().min_length(Some(1));
            self = self.path(name, schema, "", Value::Null);
        }
        let mut operation = self
            .operation
            .operation_id(Some(id))
            .parameters(Some(self.parameters));
        if self.body.is_some() {
            self.problems.extend([400, 413]);
        }
        if self.public {
            let none: [SecurityRequirement; 0] = [];
            operation = operation.securities(Some(none));
        } else {
            self.problems.extend([400, 401, 429, 507]);
        }
        if row.op.scope().is_some() {
            self.problems.insert(403);
        }
        if let Some(body) = self.body.filter(|_| method != "GET" && method != "DELETE") {
            operation = operation.request_body(Some(body.build()));
        }
        // A status that the operation answers in its own way, and that is a problem too, has both media types.
        for (status, answer) in &mut self.answers {
            if self.problems.remove(status) {
                let content = ContentBuilder::new().schema(Some(refer("Problem")));
                let both = std::mem::take(answer);
                *answer = both.content("application/problem+json", content.build());
            }
        }
        for (status, answer) in self.answers {
            let limited = !self.public;
            operation = operation.response(status.to_string(), with_headers(answer, limited));
        }
        for status in self.problems {
            let reference = Ref::from_response_name(format!("Problem{status}"));
            operation = operation.response(status.to_string(), RefOr::<Response>::Ref(reference));
        }
        operation
    }
}

/// The names of a template's parameters.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).map(|part| {
        let name = part.split('}').next().unwrap_or_default();
        name.trim_end_matches('*')
    })
}

fn parameter(name: &str, place: ParameterIn, schema: AnySchema, words: &str) -> ParameterBuilder {
    let words = Some(words).filter(|words| !words.is_empty());
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(words)
        .schema(Some(schema))
}

/// An answer with the headers that every one has.
pub(super) fn with_headers(answer: ResponseBuilder, limited: bool) -> Response {
    let of_limits = OF_LIMITS.iter().filter(|_| limited);
    EVERYWHERE
        .iter()
        .chain(of_limits)
        .fold(answer, |answer, name| {
            answer.header_ref(*name, Ref::new(format!("#/components/headers/{name}")))
        })
        .build()
}

/// A header among the components.
pub(super) fn header(words: &str, schema: ObjectBuilder) -> HeaderBuilder {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(words))
}
