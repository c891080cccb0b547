//! Which events an endpoint wants, said by what they contain: `$.data.amount >= 100 && $.data.tags[*] == "vip"`.
//!
//! A [`Filter`] is parsed once, when an endpoint is registered, and evaluated for each event. It is bounded in length, depth
//! and work, has no functions, no recursion and no regular expressions, and no event makes it panic.
//!
//! | Rule | Grammar |
//! |---|---|
//! | filter | `all ("\|\|" all)*` |
//! | all | `one ("&&" one)*` |
//! | one | `"!" one`, `"(" filter ")"`, or a test |
//! | test | `operand op operand`, `operand "in" choices`, `operand "matches" text`, `"exists" path` |
//! | op | `==`, `!=`, `<`, `<=`, `>`, `>=` |
//! | operand | a path, or a value: a text, a number, `true`, `false`, `null` |
//! | choices | `"[" value ("," value)* "]"`, or a path to an array |
//! | path | `$` and steps: `.name`, `["name"]`, `[0]`, `[-1]` (the last), `[*]`, `.*` |
//! | text | in `"` or `'`, with the escapes of JSON |
//!
//! A path means all places it leads to, which may be none; a test holds where it holds for one of them. So `$.tags[*] == "vip"`
//! is true if one tag is `vip`. `!=` is the opposite of `==`: true where nothing is equal, and where there is nothing. Numbers
//! are compared exactly, texts by their code points; what is of different kinds is neither equal nor ordered.

#![forbid(unsafe_code)]

mod compare;
mod error;
mod evaluate;
mod expression;
mod glob;
mod parse;
mod path;
mod scan;
mod write;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

pub use error::FilterError;
pub use evaluate::TooMuchWork;
pub use glob::Glob;

use expression::Expression;

/// The longest filter, in bytes.
pub const MAX_BYTES: usize = 1_024;
/// How deep `!` and parentheses may be nested.
pub const MAX_DEPTH: usize = 16;
/// How many tests a filter may have.
pub const MAX_TESTS: usize = 64;
/// How many steps a path may have.
pub const MAX_STEPS: usize = 16;
/// How many values may stand between the brackets of `in`.
pub const MAX_CHOICES: usize = 64;
/// The work one evaluation may take: places visited, values compared, characters matched.
pub const MAX_WORK: u32 = 4_000_000;

/// Which events an endpoint wants, by what they contain.
///
/// ```
/// use gatewright_event_filter::Filter;
/// use serde_json::json;
///
/// let filter: Filter = r#"$.data.amount >= 100 && $.data.tags[*] == "vip""#.parse()?;
/// assert_eq!(filter.matches(&json!({"data": {"amount": 250, "tags": ["new", "vip"]}})), Ok(true));
/// assert_eq!(filter.matches(&json!({"data": {"amount": 250, "tags": []}})), Ok(false));
///
/// let error = Filter::parse("$.data.amount => 100").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "character 15: expected ==, !=, <, <=, >, >=, in or matches, found `=`"
/// );
/// # Ok::<(), gatewright_event_filter::FilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Expression);

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    ///
    /// [`FilterError`] says at which character something else was expected, and what.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text).map(Self)
    }

    /// Whether `event` is one that is wanted.
    ///
    /// # Errors
    ///
    /// [`TooMuchWork`] where the event is so large that the filter would take more than [`MAX_WORK`].
    pub fn matches(&self, event: &Value) -> Result<bool, TooMuchWork> {
        evaluate::evaluate(&self.0, event)
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

/// The filter in one way of writing it; read again it is the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
