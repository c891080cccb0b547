//! Whether connections are used again.
//!
//! A connection counts as needless when it brought its first request while another one was free: it had carried a
//! request before, and its answer was whole.

use std::collections::HashMap;

use super::aspect::Aspect;
use super::crowd::about_all;
use super::grade::Mark;
use super::report::Tally;
use super::request::{End, Request};
use crate::clock::NS;

/// So many requests that could have used a connection again say something.
const ENOUGH: usize = 4;
/// The share of them that may come over new ones.
const MOST_NEEDLESS: f64 = 0.5;
/// A connection unused for longer than this may have been given up.
const IDLE_NS: u64 = 4 * NS;

/// Judges it, and says how many connections there were.
pub(super) fn judge(requests: &[Request], tally: &mut Tally) -> usize {
    // For each connection: when its last answer was whole; none while it is busy or when it is over.
    let mut free: HashMap<u64, Option<u64>> = HashMap::new();
    let (mut could, mut needless) = (0, 0);
    for request in requests {
        let start = request.start_ns;
        let is_new = !free.contains_key(&request.connection);
        let has_free = free
            .values()
            .flatten()
            .any(|since| *since <= start && start - since < IDLE_NS);
        if has_free {
            could += 1;
            needless += usize::from(is_new);
        }
        let over = match request.end() {
            End::Answered(_) => request.end_ns(),
            _ => None,
        };
        free.insert(request.connection, over);
    }
    if could >= ENOUGH {
        if needless as f64 > MOST_NEEDLESS * could as f64 {
            let text = format!(
                "{needless} of {could} requests came over a new connection while one was free"
            );
            tally.broken(&about_all(Aspect::Connections, Mark::Minor, text));
        } else {
            let connections = match free.len() {
                1 => "one connection".to_owned(),
                many => format!("{many} connections"),
            };
            let text = format!("{} requests over {connections}", requests.len());
            tally.kept_as(Aspect::Connections, text);
        }
    }
    free.len()
}
