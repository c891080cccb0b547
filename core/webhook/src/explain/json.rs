//! Writes JSON again the way other languages would, to find the bytes a sender signed before somebody parsed them.
//!
//! Works on tokens: the order of keys and the spelling of numbers stay as they are, since what a
//! parser did to those cannot be undone.

/// Deeper than this is no webhook, and would make indented output explode.
const MAX_DEPTH: usize = 64;

/// Larger than this is left alone: twenty rewritings of it would take too long.
const MAX_BODY: usize = 128 * 1024;

/// The white space between tokens.
#[derive(Clone, Copy)]
enum Layout {
    /// JavaScript, Go, Rust: `{"a":1}`.
    Compact,
    /// Python: `{"a": 1, "b": 2}`.
    Spaced,
    /// Pretty printers, with this before each level.
    Indented(&'static str),
}

const LAYOUTS: [Layout; 5] = [
    Layout::Compact,
    Layout::Spaced,
    Layout::Indented("  "),
    Layout::Indented("    "),
    Layout::Indented("\t"),
];

/// Which characters of a string are escaped beyond what JSON demands.
#[derive(Clone, Copy)]
enum Escapes {
    /// JavaScript, Rust.
    Fewest,
    /// Python: everything outside ASCII.
    NonAscii,
    /// PHP: everything outside ASCII, and slashes.
    NonAsciiAndSlash,
    /// Go: `<`, `>`, `&` and the two line separators.
    Html,
}

const ESCAPES: [Escapes; 4] = [
    Escapes::Fewest,
    Escapes::NonAscii,
    Escapes::NonAsciiAndSlash,
    Escapes::Html,
];

/// Whether `fits` any rewriting of `body`, with or without a line end.
pub(super) fn find_original(body: &[u8], fits: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    if body.len() > MAX_BODY {
        return false;
    }
    let Some(tokens) = tokens(body) else {
        return false;
    };
    // Indentation may make it much larger.
    let most = body.len().saturating_mul(4).saturating_add(4096);
    for layout in LAYOUTS {
        for escapes in ESCAPES {
            let Some(mut written) = write(&tokens, layout, escapes, most) else {
                continue;
            };
            if fits(written.as_bytes()) {
                return true;
            }
            written.push('\n');
            if fits(written.as_bytes()) {
                return true;
            }
        }
    }
    false
}

/// The content of a body that is one JSON string.
pub(super) fn unquote(body: &[u8]) -> Option<Vec<u8>> {
    match tokens(body)?.as_slice() {
        [Token::Text(text)] => Some(text.clone().into_bytes()),
        _ => None,
    }
}

/// The members of an object whose values are all strings, as a form becomes one.
pub(super) fn flat_texts(body: &[u8]) -> Option<Vec<(String, String)>> {
    let tokens = tokens(body)?;
    let [Token::Open('{'), inner @ .., Token::Close('}')] = tokens.as_slice() else {
        return None;
    };
    let pairs = inner.split(|token| matches!(token, Token::Comma));
    pairs
        .map(|pair| match pair {
            [Token::Text(name), Token::Colon, Token::Text(value)] => {
                Some((name.clone(), value.clone()))
            }
            _ => None,
        })
        .collect()
}

enum Token<'b> {
    Open(char),
    Close(char),
    Comma,
    Colon,
    /// A string, its escapes undone.
    Text(String),
    /// A number or a word, as written.
    Plain(&'b str),
}

fn tokens(body: &[u8]) -> Option<Vec<Token<'_>>> {
    let mut rest = std::str::from_utf8(body).ok()?.trim_ascii_start();
    let mut tokens = Vec::new();
    let mut open: Vec<char> = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '{' | '[' => {
                if open.len() >= MAX_DEPTH {
                    return None;
                }
                open.push(if first == '{' { '}' } else { ']' });
                (Token::Open(first), rest.get(1..)?)
            }
            '}' | ']' => {
                if open.pop() != Some(first) {
                    return None;
                }
                (Token::Close(first), rest.get(1..)?)
            }
            ',' => (Token::Comma, rest.get(1..)?),
            ':' => (Token::Colon, rest.get(1..)?),
            '"' => {
                let (text, after) = text(rest.get(1..)?)?;
                (Token::Text(text), after)
            }
            _ => {
                let end = rest
                    .find(|char: char| {
                        !(char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
                    })
                    .unwrap_or(rest.len());
                let (plain, after) = rest.split_at_checked(end)?;
                if plain.is_empty() {
                    return None;
                }
                (Token::Plain(plain), after)
            }
        };
        tokens.push(token);
        rest = after.trim_ascii_start();
    }
    (open.is_empty() && !tokens.is_empty()).then_some(tokens)
}

/// The string whose opening quote was just read, and what follows its closing one.
fn text(rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some((text, chars.as_str())),
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => escaped(&mut chars)?,
                other => other,
            }),
            char => text.push(char),
        }
    }
}

/// The character of a `\u` escape, or of two that make a surrogate pair.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let mut unit = |introduced: bool| -> Option<u32> {
        if !introduced && (chars.next()? != '\\' || chars.next()? != 'u') {
            return None;
        }
        let digits = chars.as_str().get(..4)?;
        *chars = chars.as_str().get(4..)?.chars();
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(true)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    let second = unit(false)?;
    char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?])
        .next()?
        .ok()
}

fn write(tokens: &[Token<'_>], layout: Layout, escapes: Escapes, most: usize) -> Option<String> {
    let mut written = String::new();
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        match token {
            Token::Open(bracket) => {
                written.push(*bracket);
                depth += 1;
                if !matches!(next, Some(Token::Close(_))) {
                    break_line(&mut written, layout, depth);
                }
            }
            Token::Close(bracket) => {
                depth = depth.saturating_sub(1);
                if !index
                    .checked_sub(1)
                    .is_some_and(|before| matches!(tokens.get(before), Some(Token::Open(_))))
                {
                    break_line(&mut written, layout, depth);
                }
                written.push(*bracket);
            }
            Token::Comma => {
                written.push(',');
                match layout {
                    Layout::Compact => {}
                    Layout::Spaced => written.push(' '),
                    Layout::Indented(_) => break_line(&mut written, layout, depth),
                }
            }
            Token::Colon => written.push_str(if matches!(layout, Layout::Compact) {
                ":"
            } else {
                ": "
            }),
            Token::Text(text) => quote(text, escapes, &mut written),
            Token::Plain(plain) => written.push_str(plain),
        }
        if written.len() > most {
            return None;
        }
    }
    Some(written)
}

fn break_line(written: &mut String, layout: Layout, depth: usize) {
    if let Layout::Indented(indent) = layout {
        written.push('\n');
        for _ in 0..depth {
            written.push_str(indent);
        }
    }
}

fn quote(text: &str, escapes: Escapes, written: &mut String) {
    written.push('"');
    for char in text.chars() {
        match char {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            '\u{8}' => written.push_str("\\b"),
            '\u{c}' => written.push_str("\\f"),
            '/' if matches!(escapes, Escapes::NonAsciiAndSlash) => written.push_str("\\/"),
            _ if char < ' ' || escapes.escape(char) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    written.push_str("\\u");
                    for shift in [12, 8, 4, 0] {
                        written.extend(char::from_digit(u32::from(*unit) >> shift & 15, 16));
                    }
                }
            }
            _ => written.push(char),
        }
    }
    written.push('"');
}

impl Escapes {
    fn escape(self, char: char) -> bool {
        match self {
            Self::Fewest => false,
            Self::NonAscii | Self::NonAsciiAndSlash => char > '\u{7e}',
            Self::Html => matches!(char, '<' | '>' | '&' | '\u{2028}' | '\u{2029}'),
        }
    }
}
