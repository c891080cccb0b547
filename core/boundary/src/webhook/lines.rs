//! Reads a request from the lines that the host language hands over: a name and a value in turns. That crosses faster than JSON.
//!
//! They may begin with `:url` and `:method`, what the framework says the request is. No header has such a name, so other names that
//! begin with a colon (HTTP/2 has some) are passed over.

use std::borrow::Cow;

use gatewright_webhook::Received;

/// A request without its body.
pub(super) struct Lines<'l> {
    url: Option<&'l str>,
    method: Option<&'l str>,
    fields: Vec<(&'l [u8], Cow<'l, [u8]>)>,
}

impl<'l> Lines<'l> {
    pub(super) fn read(lines: &'l str) -> Self {
        let mut request = Self {
            url: None,
            method: None,
            fields: Vec::new(),
        };
        let mut lines = lines.split('\n');
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            if !name.starts_with(':') {
                request.fields.push((name.as_bytes(), wire_bytes(value)));
            } else if request.fields.is_empty() {
                match name {
                    ":url" => request.url = Some(value),
                    ":method" => request.method = Some(value),
                    _ => {}
                }
            }
        }
        request
    }

    /// The request with its body.
    pub(super) fn with<'r>(&'r self, body: &'r [u8]) -> Received<'r> {
        let mut received = Received::new(body, &self.fields);
        received.url = self.url;
        received.method = self.method;
        received
    }
}

/// A header's text as the bytes that were on the wire: where its characters all go up to U+00FF, each is a byte, as HTTP libraries read
/// them.
fn wire_bytes(text: &str) -> Cow<'_, [u8]> {
    if text.is_ascii() {
        return Cow::Borrowed(text.as_bytes());
    }
    let latin: Option<Vec<u8>> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    latin.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
}
