//! The verdict: how a client behaved, judged from what arrived on the wire and nothing else.
//!
//! | File | What |
//! |---|---|
//! | `request` | one request as the verdict sees it |
//! | `aspect` | what is judged: texts, advice and sources |
//! | `calls` | which requests are attempts of one call |
//! | `attempts` | the rules about one call: waits, keys, effects, what must not be repeated |
//! | `crowd` | the rules about all calls together: jitter, growth, pauses, limits |
//! | `outage` | whether a server that is down is left alone |
//! | `reuse` | whether connections are used again |
//! | `grade` | marks and grades |
//! | `report` | the verdict as a value |
//! | `text`, `page`, `levels` | the same for a terminal, a browser, and what was left of the limits as a picture |
//!
//! Each call has a picture too, which is that of the dashboard: `crate::timeline`.
//!
//! Every threshold is a named constant in the file of its rule and stands in `docs/verdicts.md` with its source.

mod aspect;
mod attempts;
mod calls;
mod crowd;
mod grade;
mod levels;
mod outage;
mod page;
mod report;
mod request;
mod reuse;
mod text;

pub use aspect::Aspect;
pub(crate) use calls::{Attempts, grouped};
pub use grade::{Grade, Mark};
pub use report::{AspectVerdict, AttemptVerdict, CallVerdict, Finding, Quota, Verdict};
pub(crate) use request::{End, Request};

#[cfg(test)]
mod tests;
