//! Reads the structured fields of signatures (RFC 9651) in the form in which they are signed: as they would be written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A bare item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Bytes(Vec<u8>),
    Flag,
    Number(i64),
    Text(String),
}

/// Names and values in their order.
type Parameters<'a> = Vec<(&'a str, Item)>;

/// Items with their parameters, and how they were written.
#[derive(Debug)]
pub(super) struct Covered<'a> {
    /// The components as they are signed, such as `"@query-param";name="id"`, each with its name and parameters.
    pub(super) items: Vec<(&'a str, String, Parameters<'a>)>,
    pub(super) parameters: Parameters<'a>,
    pub(super) written: &'a str,
}

/// The first member of a dictionary whose members are inner lists: `sig1=("@method");created=1`.
pub(super) fn first_list(field: &str) -> Option<(&str, Covered<'_>)> {
    let mut reader = Reader(field.trim());
    let label = reader.key()?;
    reader.eat('=')?;
    let start = reader.0;
    reader.eat('(')?;
    let mut items = Vec::new();
    while reader.eat(')').is_none() {
        if !items.is_empty() {
            reader.eat(' ')?;
        }
        let from = reader.0;
        let name = reader.string()?;
        let parameters = reader.parameters()?;
        items.push((between(from, reader.0)?, name, parameters));
    }
    let parameters = reader.parameters()?;
    let written = between(start, reader.0)?;
    // What follows is another signature.
    let ends = reader.0.is_empty() || reader.0.trim_start().starts_with(',');
    ends.then_some((
        label,
        Covered {
            items,
            parameters,
            written,
        },
    ))
}

/// The bytes of one member of a dictionary: `sig1=:AAAA:`.
pub(super) fn bytes_of(field: &str, label: &str) -> Option<Vec<u8>> {
    let mut reader = Reader(field.trim());
    loop {
        let key = reader.key()?;
        reader.eat('=')?;
        let item = reader.item()?;
        reader.parameters()?;
        match item {
            Item::Bytes(bytes) if key == label => return Some(bytes),
            _ => {}
        }
        reader.0 = reader.0.trim_start();
        reader.eat(',')?;
        reader.0 = reader.0.trim_start();
    }
}

fn between<'a>(from: &'a str, rest: &str) -> Option<&'a str> {
    from.get(..from.len().checked_sub(rest.len())?)
}

struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn eat(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    fn while_is(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or(("", self.0));
        self.0 = rest;
        taken
    }

    fn key(&mut self) -> Option<&'a str> {
        let first = self.0.chars().next()?;
        let name = self.while_is(|c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '*')
        });
        (first.is_ascii_lowercase() || first == '*').then_some(name)
    }

    fn string(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut text = String::new();
        let mut chars = self.0.char_indices();
        loop {
            let (at, c) = chars.next()?;
            match c {
                '"' => {
                    self.0 = self.0.get(at + 1..)?;
                    return Some(text);
                }
                '\\' => match chars.next()? {
                    (_, c @ ('"' | '\\')) => text.push(c),
                    _ => return None,
                },
                ' '..='~' => text.push(c),
                _ => return None,
            }
        }
    }

    fn item(&mut self) -> Option<Item> {
        match self.0.chars().next()? {
            '"' => self.string().map(Item::Text),
            ':' => {
                self.eat(':')?;
                let text = self.while_is(|c| c != ':');
                self.eat(':')?;
                STANDARD.decode(text).ok().map(Item::Bytes)
            }
            _ => {
                let digits = self.while_is(|c| c.is_ascii_digit() || c == '-');
                digits.parse().ok().map(Item::Number)
            }
        }
    }

    fn parameters(&mut self) -> Option<Parameters<'a>> {
        let mut all = Vec::new();
        while self.eat(';').is_some() {
            let name = self.key()?;
            let value = match self.eat('=') {
                Some(()) => self.item()?,
                None => Item::Flag,
            };
            all.push((name, value));
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let field = r#"sig1=("@method" "@query-param";name="a\"b");created=1;keyid="k", sig2=();x"#;
        let (label, covered) = first_list(field).unwrap();
        assert_eq!(label, "sig1");
        assert_eq!(
            covered.written,
            r#"("@method" "@query-param";name="a\"b");created=1;keyid="k""#
        );
        let (written, name, parameters) = &covered.items[1];
        assert_eq!(*written, r#""@query-param";name="a\"b""#);
        assert_eq!(name, "@query-param");
        assert_eq!(parameters[0].1, Item::Text("a\"b".into()));
        assert_eq!(covered.parameters[0], ("created", Item::Number(1)));
    }

    #[test]
    fn what_is_no_field_is_not_read() {
        for wrong in [
            "",
            "sig1",
            "sig1=",
            "sig1=(",
            "sig1=(\"a",
            "sig1=(a)",
            "sig1=(\"a\"\"b\")",
            "sig1=()x",
            "sig1=();",
            "sig1=();a=",
            "Sig1=()",
            "sig1=();n=\"é\"",
        ] {
            assert!(first_list(wrong).is_none(), "{wrong}");
        }
        assert_eq!(bytes_of("a=:AQ==:, b=:Ag==:", "b"), Some(vec![2]));
        for wrong in ["", "b", "b=:", "b=:*:", "a=:AQ==:", "a=:AQ==: b=:Ag==:"] {
            assert_eq!(bytes_of(wrong, "b"), None, "{wrong}");
        }
    }
}
