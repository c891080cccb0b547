//! Finds members of a JSON object (RFC 8259) without building a tree: what some schemes put into the body. Strict, since a body that
//! two parsers read differently is how a forged one gets through: a member that is there twice is no member.

/// Deeper than this is no webhook.
const MAX_DEPTH: usize = 64;

/// The value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'b> {
    /// A string, its escapes undone.
    Text(String),
    /// A number, as written.
    Number(&'b str),
    /// An object, as written.
    Object(&'b str),
    /// A list, as written.
    List(&'b str),
    /// Anything else.
    Other,
}

impl Value<'_> {
    /// The text, where it is one.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The texts, where it is a list of nothing else.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<String>> {
        let Self::List(written) = *self else {
            return None;
        };
        let mut reader = Reader {
            text: written,
            at: 0,
        };
        let mut texts = Vec::new();
        reader.take(b'[')?;
        reader.space();
        if reader.take(b']').is_some() {
            return Some(texts);
        }
        loop {
            reader.space();
            texts.push(reader.string()?);
            reader.space();
            if reader.take(b',').is_none() {
                reader.take(b']')?;
                return Some(texts);
            }
        }
    }
}

/// The members of the object `text` with the names `wanted`, or `None` where it is no object, not JSON, or has one of them twice.
#[must_use]
pub fn members<'b, const N: usize>(
    text: &'b str,
    wanted: [&str; N],
) -> Option<[Option<Value<'b>>; N]> {
    let mut reader = Reader { text, at: 0 };
    let mut found = [const { None }; N];
    reader.space();
    reader.take(b'{')?;
    reader.space();
    if reader.take(b'}').is_none() {
        loop {
            reader.space();
            let name = reader.string()?;
            reader.space();
            reader.take(b':')?;
            reader.space();
            let slot = wanted
                .iter()
                .zip(&mut found)
                .find(|(want, _)| **want == name);
            match slot {
                Some((_, Some(_))) => return None,
                Some((_, slot)) => *slot = Some(reader.value()?),
                None => reader.skip(1)?,
            }
            reader.space();
            if reader.take(b',').is_none() {
                reader.take(b'}')?;
                break;
            }
        }
    }
    reader.space();
    (reader.at == text.len()).then_some(found)
}

struct Reader<'b> {
    text: &'b str,
    at: usize,
}

impl<'b> Reader<'b> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Value<'b>> {
        let start = self.at;
        match self.peek()? {
            b'"' => self.string().map(Value::Text),
            first => {
                self.skip(1)?;
                let written = self.text.get(start..self.at)?;
                Some(match first {
                    b'{' => Value::Object(written),
                    b'[' => Value::List(written),
                    b'-' | b'0'..=b'9' => Value::Number(written),
                    _ => Value::Other,
                })
            }
        }
    }

    fn skip(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.skip_list(b'{', b'}', depth),
            b'[' => self.skip_list(b'[', b']', depth),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn skip_list(&mut self, open: u8, close: u8, depth: usize) -> Option<()> {
        self.take(open)?;
        self.space();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            self.space();
            if open == b'{' {
                self.string()?;
                self.space();
                self.take(b':')?;
                self.space();
            }
            self.skip(depth + 1)?;
            self.space();
            if self.take(b',').is_none() {
                return self.take(close);
            }
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text
            .get(self.at..)?
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek()?, b'"' | b'\\' | 0..0x20) {
                self.at += 1;
            }
            text.push_str(self.text.get(start..self.at)?);
            if self.take(b'"').is_some() {
                return Some(text);
            }
            self.take(b'\\')?;
            let escape = self.peek()?;
            self.at += 1;
            text.push(match escape {
                b'"' | b'\\' | b'/' => char::from(escape),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode()?,
                _ => return None,
            });
        }
    }

    /// The character of a `\u` escape, or of two that make a surrogate pair.
    fn unicode(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(u32::from(first));
        }
        self.take(b'\\')?;
        self.take(b'u')?;
        let pair = [first, self.unit()?];
        char::decode_utf16(pair).next()?.ok()
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, members};

    #[test]
    fn members_are_found_at_the_top_alone() {
        let text = r#" {"x":{"a":1,"a":2}, "a" : "é\u00e9\ud83d\ude00\n" ,"b":-1.5e+3,"c":{"d":[1,{}]},"e":[true,null,false]} "#;
        let found = members(text, ["a", "b", "c", "d", "e"]);
        let expected = [
            Some(Value::Text("éé😀\n".to_owned())),
            Some(Value::Number("-1.5e+3")),
            Some(Value::Object(r#"{"d":[1,{}]}"#)),
            None,
            Some(Value::List("[true,null,false]")),
        ];
        assert_eq!(found, Some(expected));
        assert_eq!(members("{}", ["a"]), Some([None]));
    }

    #[test]
    fn a_list_of_texts_is_read_and_no_other() {
        let list = |text: &str| {
            let text = format!("{{\"a\":{text}}}");
            let [value] = members(&text, ["a"]).unwrap();
            value.unwrap().texts()
        };
        assert_eq!(list("[]"), Some(vec![]));
        assert_eq!(
            list(r#"[ "a\n" , "]" ]"#),
            Some(vec!["a\n".to_owned(), "]".to_owned()])
        );
        for other in [r#"["a",1]"#, r#""a""#, "1", "{}", "null", r#"[["a"]]"#] {
            assert_eq!(list(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_however_spelled_is_refused() {
        assert_eq!(members(r#"{"a":1,"a":1}"#, ["a"]), None);
        assert_eq!(members(r#"{"a":1,"\u0061":1}"#, ["a"]), None);
        assert!(members(r#"{"b":1,"b":1}"#, ["a"]).is_some());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        for text in [
            "",
            "[]",
            "1",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":1} x",
            "{\"a\":'x'}",
            "{a:1}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":NaN}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e}",
            "{\"a\":\"\\u+123\"}",
            "{\"a\":truely}",
            "\u{feff}{}",
            &deep,
        ] {
            assert_eq!(members(text, ["a"]), None, "{text}");
            assert_eq!(members(text, ["z"]), None, "{text}");
        }
    }
}
