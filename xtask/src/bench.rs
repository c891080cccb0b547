//! `cargo xtask bench`: measurements beside others, as Markdown tables.

use crate::workspace::Workspace;
use crate::{Ended, Result};

pub(crate) fn run(_workspace: &Workspace, _arguments: &[String]) -> Result<Ended> {
    Err("not yet".into())
}
