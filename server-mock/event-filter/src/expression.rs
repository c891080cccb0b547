//! A filter that has been read: tests, joined by and, or and not.

use serde_json::Value;

use crate::glob::Glob;
use crate::path::Path;

/// What a filter says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare(Operand, Comparison, Operand),
    Exists(Path),
    In(Operand, Choices),
    Matches(Operand, Glob),
    Not(Box<Expression>),
}

/// One side of a test.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    /// A text, a number, a truth value or null.
    Value(Value),
}

/// What `in` looks into.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choices {
    /// The elements of an array of the event.
    Of(Path),
    These(Vec<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    AtLeast,
    AtMost,
    Equal,
    Less,
    More,
    NotEqual,
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::Less => "<",
            Self::More => ">",
            Self::NotEqual => "!=",
        }
    }
}

impl Operand {
    /// Whether it may mean several places.
    pub(crate) fn is_many(&self) -> bool {
        matches!(self, Self::Path(path) if !path.is_single())
    }
}
