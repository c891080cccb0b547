//! What is signed, as pieces in order: texts of the headers and the URL, and the body among them.

/// The most pieces one signed text is made of: id, timestamp, body and URL, each once, and texts between and around them.
const MAX_PIECES: usize = 9;

/// The pieces of one signed text. The body, the largest, is never copied.
#[derive(Clone, Copy)]
pub(crate) struct Message<'r> {
    parts: [&'r [u8]; MAX_PIECES],
    len: usize,
    body_at: Option<usize>,
}

impl<'r> Message<'r> {
    pub(crate) const fn new() -> Self {
        Self {
            parts: [b""; MAX_PIECES],
            len: 0,
            body_at: None,
        }
    }

    /// Adds a piece. No layout has more than [`MAX_PIECES`].
    pub(crate) fn push(&mut self, part: &'r [u8]) {
        if let Some(slot) = self.parts.get_mut(self.len) {
            *slot = part;
            self.len += 1;
        }
    }

    /// Adds the place of the body.
    pub(crate) fn push_body(&mut self) {
        self.body_at = Some(self.len);
        self.push(b"");
    }

    /// With the body in its place.
    pub(crate) fn with_body<'m>(self, body: &'m [u8]) -> Message<'m>
    where
        'r: 'm,
    {
        let mut message: Message<'m> = self;
        if let Some(slot) = self.body_at.and_then(|at| message.parts.get_mut(at)) {
            *slot = body;
        }
        message
    }

    pub(crate) fn parts(&self) -> &[&'r [u8]] {
        self.parts.get(..self.len).unwrap_or_default()
    }

    /// What is signed before the body.
    pub(crate) fn before_body(&self) -> &[&'r [u8]] {
        self.parts
            .get(..self.body_at.unwrap_or(self.len))
            .unwrap_or_default()
    }

    /// What is signed after the body.
    pub(crate) fn after_body(&self) -> &[&'r [u8]] {
        let first = self.body_at.map_or(self.len, |at| at + 1);
        self.parts.get(first..self.len).unwrap_or_default()
    }

    /// Whether the body is a piece of it.
    pub(crate) const fn has_body(&self) -> bool {
        self.body_at.is_some()
    }
}
