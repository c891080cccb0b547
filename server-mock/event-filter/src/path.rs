//! Paths into an event, and the places they lead to.

use serde_json::Value;

use crate::evaluate::{TooMuchWork, Work};

/// `$.data.tags[*]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Step>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Every element of an array, or every member's value of an object.
    Each,
    /// An element of an array; below zero counted from its end.
    Index(i64),
    /// A member of an object.
    Name(String),
}

impl Path {
    /// Whether it leads to one place at most.
    pub(crate) fn is_single(&self) -> bool {
        !self.0.contains(&Step::Each)
    }

    /// The first place it leads to.
    pub(crate) fn first<'v>(
        &self,
        event: &'v Value,
        work: &mut Work,
    ) -> Result<Option<&'v Value>, TooMuchWork> {
        let mut first = None;
        walk(&self.0, event, work, &mut |value, _| {
            first = Some(value);
            Ok(true)
        })?;
        Ok(first)
    }

    /// Whether `holds` is true of one of the places it leads to.
    pub(crate) fn any<'v>(
        &self,
        event: &'v Value,
        work: &mut Work,
        holds: &mut dyn FnMut(&'v Value, &mut Work) -> Result<bool, TooMuchWork>,
    ) -> Result<bool, TooMuchWork> {
        walk(&self.0, event, work, holds)
    }
}

/// As deep as the path is long, which is bounded.
fn walk<'v>(
    steps: &[Step],
    value: &'v Value,
    work: &mut Work,
    holds: &mut dyn FnMut(&'v Value, &mut Work) -> Result<bool, TooMuchWork>,
) -> Result<bool, TooMuchWork> {
    work.spend(1)?;
    let Some((step, rest)) = steps.split_first() else {
        return holds(value, work);
    };
    match (step, value) {
        (Step::Name(name), Value::Object(members)) => match members.get(name) {
            Some(value) => walk(rest, value, work, holds),
            None => Ok(false),
        },
        (Step::Index(index), Value::Array(items)) => match element(items, *index) {
            Some(value) => walk(rest, value, work, holds),
            None => Ok(false),
        },
        (Step::Each, Value::Array(items)) => each(items.iter(), rest, work, holds),
        (Step::Each, Value::Object(members)) => each(members.values(), rest, work, holds),
        _ => Ok(false),
    }
}

fn each<'v>(
    values: impl Iterator<Item = &'v Value>,
    rest: &[Step],
    work: &mut Work,
    holds: &mut dyn FnMut(&'v Value, &mut Work) -> Result<bool, TooMuchWork>,
) -> Result<bool, TooMuchWork> {
    for value in values {
        if walk(rest, value, work, holds)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn element(items: &[Value], index: i64) -> Option<&Value> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 {
        items.get(items.len().checked_sub(distance)?)
    } else {
        items.get(distance)
    }
}
