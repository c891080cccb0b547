//! Streams: how they are cut into pieces on the way changes nothing.

use std::collections::VecDeque;

use gatewright_engine::jsonl::LineParser;
use gatewright_engine::sse::EventParser;

use crate::pieces;

const LIMIT: usize = 256;

pub(crate) fn sse(data: &[u8]) {
    let (pieces, whole) = pieces(data);
    let read = |pieces: &[&[u8]]| {
        let mut parser = EventParser::new(LIMIT, "first");
        let mut events = VecDeque::new();
        let ended = pieces
            .iter()
            .try_for_each(|piece| parser.push(piece, &mut events));
        let rest = ended
            .is_ok()
            .then(|| (parser.last_id().to_owned(), parser.retry()));
        (events, ended, rest)
    };
    let at_once = read(&[whole]);
    assert_eq!(read(&pieces), at_once);
    for event in &at_once.0 {
        // A character that cannot be read takes three bytes where it took one.
        assert!(
            event.data.len() <= 3 * LIMIT && event.kind.len() <= 3 * LIMIT,
            "{event:?}"
        );
    }
}

pub(crate) fn json_lines(data: &[u8]) {
    let (pieces, whole) = pieces(data);
    let read = |pieces: &[&[u8]]| {
        let mut parser = LineParser::new(LIMIT);
        let mut lines = VecDeque::new();
        let mut ended = pieces
            .iter()
            .try_for_each(|piece| parser.push(piece, &mut lines));
        if ended.is_ok() {
            ended = parser.finish(&mut lines);
        }
        (lines, ended)
    };
    assert_eq!(read(&pieces), read(&[whole]));
}
