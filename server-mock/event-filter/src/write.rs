//! Writes a filter, so that it is read again as the same one.

use std::fmt::{Display, Formatter, Result};

use serde_json::Value;

use crate::expression::{Choices, Expression, Operand};
use crate::path::{Path, Step};
use crate::scan::is_name;

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(all) => {
                let within = |inner: &Self| matches!(inner, Self::All(_) | Self::Any(_));
                joined(f, all, " && ", within)
            }
            Self::Any(any) => joined(f, any, " || ", |inner| matches!(inner, Self::Any(_))),
            Self::Not(inner) => {
                f.write_str("!")?;
                one(f, inner, matches!(**inner, Self::All(_) | Self::Any(_)))
            }
            Self::Compare(left, comparison, right) => {
                write!(f, "{left} {} {right}", comparison.sign())
            }
            Self::Exists(path) => write!(f, "exists {path}"),
            Self::In(operand, Choices::Of(path)) => write!(f, "{operand} in {path}"),
            Self::In(operand, Choices::These(values)) => {
                write!(f, "{operand} in [")?;
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("]")
            }
            Self::Matches(operand, glob) => {
                write!(f, "{operand} matches {}", Value::from(glob.as_str()))
            }
        }
    }
}

fn joined(
    f: &mut Formatter<'_>,
    expressions: &[Expression],
    sign: &str,
    in_parentheses: impl Fn(&Expression) -> bool,
) -> Result {
    for (at, inner) in expressions.iter().enumerate() {
        if at > 0 {
            f.write_str(sign)?;
        }
        one(f, inner, in_parentheses(inner))?;
    }
    Ok(())
}

fn one(f: &mut Formatter<'_>, inner: &Expression, in_parentheses: bool) -> Result {
    if in_parentheses {
        write!(f, "({inner})")
    } else {
        inner.fmt(f)
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Value(value) => value.fmt(f),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Each => f.write_str("[*]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if is_name(name) => write!(f, ".{name}")?,
                Step::Name(name) => write!(f, "[{}]", Value::from(name.as_str()))?,
            }
        }
        Ok(())
    }
}
