//! The structured fields (RFC 9651) that signatures come in: dictionaries of inner lists of strings, and of byte sequences. What is
//! read is written again in the one canonical way (section 4.1), since that is what was signed.

use crate::base64::{self, Padding};

/// A parameter's value, as far as signatures have them. Decimals, dates and display strings are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Integer(i64),
    Text(String),
    /// A token, a byte sequence or a boolean: nothing here reads it.
    Other,
}

/// A name with its parameters: one covered component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) parameters: Vec<(String, Bare)>,
    /// As it is written in a signature base.
    pub(crate) canonical: String,
}

/// One member of `Signature-Input`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InnerList {
    pub(crate) label: String,
    pub(crate) items: Vec<Item>,
    pub(crate) parameters: Vec<(String, Bare)>,
    /// As it is written in the last line of a signature base.
    pub(crate) canonical: String,
}

impl InnerList {
    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Bare> {
        parameter(&self.parameters, name)
    }
}

pub(crate) fn parameter<'p>(parameters: &'p [(String, Bare)], name: &str) -> Option<&'p Bare> {
    let found = parameters.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value)
}

/// `label=("a" "b";x=1);y="z", …`. `None`: malformed, a label twice, or more than `most` of them.
pub(crate) fn inner_lists(field: &[u8], most: usize) -> Option<Vec<InnerList>> {
    let mut reader = Reader(field);
    let mut lists: Vec<InnerList> = Vec::new();
    reader.spaces();
    while !reader.0.is_empty() {
        let label = reader.key()?;
        reader.byte(b'=')?;
        let list = reader.inner_list(label)?;
        if lists.len() >= most || lists.iter().any(|known| known.label == list.label) {
            return None;
        }
        lists.push(list);
        reader.end_of_member()?;
    }
    Some(lists)
}

/// `label=:base64:, …`. `None`: malformed, a label twice, or more than `most` of them.
pub(crate) fn byte_sequences(field: &[u8], most: usize) -> Option<Vec<(String, Vec<u8>)>> {
    let mut reader = Reader(field);
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    reader.spaces();
    while !reader.0.is_empty() {
        let label = reader.key()?;
        reader.byte(b'=')?;
        let bytes = reader.bytes()?;
        if members.len() >= most || members.iter().any(|(known, _)| *known == label) {
            return None;
        }
        members.push((label, bytes));
        reader.end_of_member()?;
    }
    Some(members)
}

const fn is_string_byte(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// What is not read yet.
struct Reader<'f>(&'f [u8]);

impl<'f> Reader<'f> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn byte(&mut self, wanted: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[wanted])?;
        Some(())
    }

    fn spaces(&mut self) {
        while self.byte(b' ').is_some() {}
    }

    /// What is in front as long as `fits` says so.
    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'f [u8] {
        let end = self.0.iter().position(|byte| !fits(*byte));
        let (run, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        run
    }

    /// Between two members: a comma with optional white space around it; after the last one: nothing but spaces.
    fn end_of_member(&mut self) -> Option<()> {
        let blank = |byte| matches!(byte, b' ' | b'\t');
        self.run(blank);
        if self.0.is_empty() {
            return Some(());
        }
        self.byte(b',')?;
        self.run(blank);
        // A comma at the end is an error (section 4.2.2).
        (!self.0.is_empty()).then_some(())
    }

    /// Section 4.2.3.3.
    fn key(&mut self) -> Option<String> {
        matches!(self.peek()?, b'a'..=b'z' | b'*').then_some(())?;
        let key =
            self.run(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'*'));
        std::str::from_utf8(key).ok().map(str::to_owned)
    }

    fn inner_list(&mut self, label: String) -> Option<InnerList> {
        self.byte(b'(')?;
        let mut items = Vec::new();
        let mut canonical = String::from("(");
        loop {
            self.spaces();
            if self.byte(b')').is_some() {
                break;
            }
            if !items.is_empty() {
                canonical.push(' ');
            }
            let text = self.text()?;
            let mut own = String::new();
            write_string(&text, &mut own);
            let parameters = self.parameters(&mut own)?;
            // Between two items there must be a space (section 4.2.1.2).
            matches!(self.peek()?, b' ' | b')').then_some(())?;
            canonical.push_str(&own);
            items.push(Item {
                text,
                parameters,
                canonical: own,
            });
        }
        canonical.push(')');
        let parameters = self.parameters(&mut canonical)?;
        Some(InnerList {
            label,
            items,
            parameters,
            canonical,
        })
    }

    /// Section 4.2.3.2. A parameter that is there twice is refused: two readers may take another one each.
    fn parameters(&mut self, canonical: &mut String) -> Option<Vec<(String, Bare)>> {
        let mut parameters: Vec<(String, Bare)> = Vec::new();
        while self.byte(b';').is_some() {
            self.spaces();
            let name = self.key()?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return None;
            }
            canonical.push(';');
            canonical.push_str(&name);
            let value = if self.byte(b'=').is_some() {
                self.value(canonical)?
            } else {
                Bare::Other
            };
            parameters.push((name, value));
        }
        Some(parameters)
    }

    fn value(&mut self, canonical: &mut String) -> Option<Bare> {
        Some(match self.peek()? {
            b'"' => {
                let text = self.text()?;
                canonical.push('=');
                write_string(&text, canonical);
                Bare::Text(text)
            }
            b'-' | b'0'..=b'9' => {
                let negative = self.byte(b'-').is_some();
                let digits = self.run(|byte| byte.is_ascii_digit());
                // Section 4.2.4: at most 15 digits, so that nothing overflows. A dot would make it a decimal.
                ((1..=15).contains(&digits.len()) && self.peek() != Some(b'.')).then_some(())?;
                let number: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
                let number = if negative { -number } else { number };
                canonical.push('=');
                canonical.push_str(&number.to_string());
                Bare::Integer(number)
            }
            b':' => {
                canonical.push_str("=:");
                base64::encode_into(&self.bytes()?, canonical);
                canonical.push(':');
                Bare::Other
            }
            b'?' => {
                self.byte(b'?')?;
                match self.peek()? {
                    // True is written as the name alone.
                    b'1' => {}
                    b'0' => canonical.push_str("=?0"),
                    _ => return None,
                }
                self.0 = self.0.get(1..)?;
                Bare::Other
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'*' => {
                let token = self.run(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
                });
                canonical.push('=');
                canonical.push_str(std::str::from_utf8(token).ok()?);
                Bare::Other
            }
            _ => return None,
        })
    }

    /// Section 4.2.5.
    fn text(&mut self) -> Option<String> {
        self.byte(b'"')?;
        let mut text = String::new();
        loop {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            let byte = match first {
                b'"' => return Some(text),
                b'\\' => {
                    let (escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    matches!(escaped, b'"' | b'\\').then_some(escaped)?
                }
                byte if is_string_byte(*byte) => byte,
                _ => return None,
            };
            text.push(char::from(*byte));
        }
    }

    /// Section 4.2.7, in canonical base64.
    fn bytes(&mut self) -> Option<Vec<u8>> {
        self.byte(b':')?;
        let symbols = self.run(|byte| byte != b':');
        self.byte(b':')?;
        let mut bytes = vec![0; symbols.len()];
        let len = base64::decode(symbols, Padding::Whole, &mut bytes)?;
        bytes.truncate(len);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bare, byte_sequences, inner_lists};

    #[test]
    fn lists_are_read_and_written_canonically() {
        let lists = inner_lists(
            br#" sig1=( "@method"   "x";name="a\"b" );created=007; keyid="k";flag=?1;off=?0;t=a/b;b=:AQ==: , s2=()"#,
            8,
        )
        .unwrap();
        let [first, second] = &lists[..] else {
            panic!("{lists:?}")
        };
        assert_eq!(
            first.canonical,
            r#"("@method" "x";name="a\"b");created=7;keyid="k";flag;off=?0;t=a/b;b=:AQ==:"#
        );
        assert_eq!(first.parameter("created"), Some(&Bare::Integer(7)));
        assert_eq!(first.items[1].canonical, r#""x";name="a\"b""#);
        assert_eq!(
            (second.label.as_str(), second.canonical.as_str()),
            ("s2", "()")
        );
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for wrong in [
            r#"sig1"#,
            "sig1=",
            "sig1=(",
            r#"sig1=("a"#,
            r#"sig1=("a""b")"#,
            "sig1=(a)",
            "sig1=() x",
            "sig1=(),",
            "sig1=(),sig1=()",
            "Sig1=()",
            r#"sig1=("a");created"x"#,
            "sig1=();created=1.5",
            "sig1=();created=--1",
            "sig1=();created=1234567890123456",
            "sig1=();a=1;a=2",
            "sig1=();a=?2",
            "sig1=();a=:A:",
            "sig1=();a=@1",
            "sig1=(\"\u{e9}\")",
            "sig1=(\"a\\n\")",
            "sig1=()\n",
            "\tsig1=()",
            "a=(),b=(),c=()",
        ] {
            assert_eq!(inner_lists(wrong.as_bytes(), 2), None, "{wrong}");
        }
        for wrong in [
            "a",
            "a=",
            "a=:",
            "a=:AQ:",
            "a=:AR==:",
            "a=:AQ==:;x",
            "a=:AQ==:,",
            "a=:AQ==:,a=:AQ==:",
            "a=?1",
        ] {
            assert_eq!(byte_sequences(wrong.as_bytes(), 2), None, "{wrong}");
        }
        assert_eq!(byte_sequences(b"", 2), Some(Vec::new()));
        assert_eq!(
            byte_sequences(b"a=:AQ==:\t,  b=::", 2),
            Some(vec![("a".to_owned(), vec![1]), ("b".to_owned(), vec![])])
        );
    }
}
