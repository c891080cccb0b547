//! Texts with places in braces, such as `{method}\n{path}\n{timestamp}`. A brace of one's own is doubled: `{{`.

/// A template, checked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(String),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// A brace without its other half.
    Brace,
    /// A place that nobody fills.
    Unknown(String),
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Brace => f.write_str("has a brace without its other half; write {{ for a brace"),
            Self::Unknown(name) => write!(f, "has a place {{{name}}} that is not known"),
        }
    }
}

impl Template {
    /// Reads a template whose places must fit `known`.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn new(text: &str, known: impl Fn(&str) -> bool) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
                '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
                '}' => return Err(TemplateError::Brace),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(TemplateError::Brace),
                            Some(c) => name.push(c),
                        }
                    }
                    if !known(&name) {
                        let shown = name.chars().take(40).flat_map(char::escape_default);
                        return Err(TemplateError::Unknown(shown.collect()));
                    }
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Place(name));
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// A template of nothing.
    #[must_use]
    pub(super) const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Whether a place of this name is in it.
    #[must_use]
    pub fn has(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Place(name) if fits(name)))
    }

    /// The text with its places filled.
    #[must_use]
    pub fn fill(&self, fill: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Place(name) => text.push_str(&fill(name)),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_braces_kept() {
        let template = Template::new("{a}-{{x}}-{b}", |name| name.len() == 1).unwrap();
        assert_eq!(template.fill(str::to_uppercase), "A-{x}-B");
        assert!(template.has(|name| name == "b") && !template.has(|name| name == "x"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let read = |text: &str| Template::new(text, |name| name == "a").unwrap_err();
        for broken in ["{", "}", "{a", "a}", "{a{b}}"] {
            assert_eq!(read(broken), TemplateError::Brace, "{broken}");
        }
        assert_eq!(read("{nope}"), TemplateError::Unknown("nope".to_owned()));
    }
}
