//! Decides whether an event is wanted, with a bound on the work.

use std::cmp::Ordering;
use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::MAX_WORK;
use crate::compare::{equal, order};
use crate::expression::{Choices, Comparison, Expression, Operand};

/// The event is so large that the filter would take more than [`MAX_WORK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMuchWork;

impl fmt::Display for TooMuchWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event takes more than {MAX_WORK} steps to filter")
    }
}

impl Error for TooMuchWork {}

/// What may still be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work(u32);

impl Default for Work {
    fn default() -> Self {
        Self(MAX_WORK)
    }
}

impl Work {
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), TooMuchWork> {
        let steps = u32::try_from(steps).map_err(|_| TooMuchWork)?;
        self.0 = self.0.checked_sub(steps).ok_or(TooMuchWork)?;
        Ok(())
    }
}

pub(crate) fn evaluate(expression: &Expression, event: &Value) -> Result<bool, TooMuchWork> {
    holds(expression, event, &mut Work::default())
}

/// As deep as the filter is nested, which is bounded.
fn holds(expression: &Expression, event: &Value, work: &mut Work) -> Result<bool, TooMuchWork> {
    match expression {
        Expression::All(all) => {
            for one in all {
                if !holds(one, event, work)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Expression::Any(any) => {
            for one in any {
                if holds(one, event, work)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Expression::Not(inner) => Ok(!holds(inner, event, work)?),
        Expression::Exists(path) => Ok(path.first(event, work)?.is_some()),
        Expression::Matches(operand, glob) => any(operand, event, work, &mut |value, work| {
            value
                .as_str()
                .map_or(Ok(false), |text| glob.fits(text, work))
        }),
        Expression::In(operand, choices) => is_in(operand, choices, event, work),
        Expression::Compare(left, Comparison::NotEqual, right) => {
            Ok(!compare(left, Comparison::Equal, right, event, work)?)
        }
        Expression::Compare(left, comparison, right) => {
            compare(left, *comparison, right, event, work)
        }
    }
}

fn is_in(
    operand: &Operand,
    choices: &Choices,
    event: &Value,
    work: &mut Work,
) -> Result<bool, TooMuchWork> {
    let choices: &[Value] = match choices {
        Choices::These(values) => values,
        Choices::Of(path) => match path.first(event, work)? {
            Some(Value::Array(values)) => values,
            _ => return Ok(false),
        },
    };
    any(operand, event, work, &mut |value, work| {
        for choice in choices {
            if equal(value, choice, work)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// At most one side means several places: that is seen to when the filter is read.
fn compare(
    left: &Operand,
    comparison: Comparison,
    right: &Operand,
    event: &Value,
    work: &mut Work,
) -> Result<bool, TooMuchWork> {
    any(left, event, work, &mut |left, work| {
        any(right, event, work, &mut |right, work| {
            if comparison == Comparison::Equal {
                return equal(left, right, work);
            }
            let order = order(left, right, work)?;
            Ok(order.is_some_and(|order| comparison.allows(order)))
        })
    })
}

impl Comparison {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::More => order.is_gt(),
            Self::NotEqual => order.is_ne(),
        }
    }
}

fn any<'v>(
    operand: &'v Operand,
    event: &'v Value,
    work: &mut Work,
    holds: &mut dyn FnMut(&'v Value, &mut Work) -> Result<bool, TooMuchWork>,
) -> Result<bool, TooMuchWork> {
    match operand {
        Operand::Path(path) => path.any(event, work, holds),
        Operand::Value(value) => holds(value, work),
    }
}
