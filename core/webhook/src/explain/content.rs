//! What senders sign that mean to follow a scheme and do not: the pieces of other schemes, under this one's headers.

use std::borrow::Cow;

use super::{Cause, SignedContent, Trials};
use crate::envelope::{Envelope, Signed};
use crate::layout::{Layout, Piece};
use crate::received::Received;
use crate::schemes::Settings;

impl Trials<'_> {
    /// The signature fits other content than the scheme signs.
    pub(super) fn other_content(
        &self,
        request: &Received<'_>,
        envelope: &Envelope<'_>,
    ) -> Option<Cause> {
        const fn text(text: &'static str) -> Piece {
            Piece::Text(Cow::Borrowed(text))
        }
        if matches!(envelope.signed, Signed::Texts(_)) {
            return None;
        }
        let layout = &*self.settings.layout;
        let contents: [(SignedContent, &[Piece]); 9] = [
            (SignedContent::Body, &[Piece::Body]),
            (
                SignedContent::TimestampAndBody,
                &[Piece::Timestamp, text("."), Piece::Body],
            ),
            (
                SignedContent::TimestampColonBody,
                &[Piece::Timestamp, text(":"), Piece::Body],
            ),
            (
                SignedContent::VersionTimestampAndBody,
                &[text("v0:"), Piece::Timestamp, text(":"), Piece::Body],
            ),
            (
                SignedContent::TimestampRunsIntoBody,
                &[Piece::Timestamp, Piece::Body],
            ),
            (SignedContent::UrlAndBody, &[Piece::Url, Piece::Body]),
            (
                SignedContent::IdTimestampAndBody,
                &[
                    Piece::Id,
                    text("."),
                    Piece::Timestamp,
                    text("."),
                    Piece::Body,
                ],
            ),
            (
                SignedContent::IdAndTimestamp,
                &[Piece::Id, text("."), Piece::Timestamp],
            ),
            (
                SignedContent::WithoutBody,
                &[Piece::Id, text("."), Piece::Timestamp, text(".")],
            ),
        ];
        let possible = |pieces: &[Piece]| {
            pieces != &*layout.pieces
                && (layout.timestamp.is_some() || !pieces.contains(&Piece::Timestamp))
                && (layout.id.is_some() || !pieces.contains(&Piece::Id))
                && (request.url.is_some() || !pieces.contains(&Piece::Url))
        };
        contents
            .into_iter()
            .filter(|(_, pieces)| possible(pieces))
            .find(|(_, pieces)| {
                let settings = Settings {
                    layout: Cow::Owned(Layout {
                        pieces: pieces.to_vec().into(),
                        ..layout.clone()
                    }),
                    ..self.settings.clone()
                };
                self.read_and_verify(&settings, self.keys, request)
            })
            .map(|(content, _)| Cause::OtherContent { content })
    }
}
