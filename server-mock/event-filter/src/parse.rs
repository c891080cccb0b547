//! Reads a filter by recursive descent, no deeper than [`MAX_DEPTH`].

use serde_json::{Number, Value};

use crate::error::FilterError;
use crate::expression::{Choices, Comparison, Expression, Operand};
use crate::glob::Glob;
use crate::path::{Path, Step};
use crate::scan::{Scanner, begins_name, goes_on_name};
use crate::{MAX_BYTES, MAX_CHOICES, MAX_DEPTH, MAX_STEPS, MAX_TESTS};

/// The signs that compare, the longer ones first.
const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::AtLeast,
    Comparison::AtMost,
    Comparison::Less,
    Comparison::More,
];

pub(crate) fn parse(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        depth: 0,
        tests: 0,
    };
    if text.len() > MAX_BYTES {
        let end = (0..=MAX_BYTES).rev().find(|at| text.is_char_boundary(*at));
        let place = end.unwrap_or(0);
        let expected = format!("a filter of at most {MAX_BYTES} bytes");
        return Err(parser.scanner.expected_at(place, expected));
    }
    let expression = parser.filter()?;
    parser.scanner.skip_blanks();
    if parser.scanner.peek().is_some() {
        return Err(parser.scanner.expected("&&, || or the end of the filter"));
    }
    Ok(expression)
}

struct Parser<'t> {
    scanner: Scanner<'t>,
    depth: usize,
    tests: usize,
}

impl Parser<'_> {
    fn filter(&mut self) -> Result<Expression, FilterError> {
        let mut any = vec![self.all()?];
        while self.take("||") {
            any.push(self.all()?);
        }
        Ok(joined(any, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut all = vec![self.one()?];
        while self.take("&&") {
            all.push(self.one()?);
        }
        Ok(joined(all, Expression::All))
    }

    fn take(&mut self, sign: &str) -> bool {
        self.scanner.skip_blanks();
        self.scanner.take(sign)
    }

    fn one(&mut self) -> Result<Expression, FilterError> {
        self.scanner.skip_blanks();
        let place = self.scanner.place();
        let opens = self.scanner.peek();
        if !matches!(opens, Some('!' | '(')) {
            return self.test();
        }
        if self.depth == MAX_DEPTH {
            let expected = format!("at most {MAX_DEPTH} levels of ! and parentheses");
            return Err(self.scanner.expected_at(place, expected));
        }
        self.depth += 1;
        self.scanner.next();
        let expression = if opens == Some('!') {
            Expression::Not(Box::new(self.one()?))
        } else {
            let inner = self.filter()?;
            if !self.take(")") {
                return Err(self.scanner.expected("&&, || or )"));
            }
            inner
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn test(&mut self) -> Result<Expression, FilterError> {
        if self.tests == MAX_TESTS {
            return Err(self.scanner.expected(format!("at most {MAX_TESTS} tests")));
        }
        self.tests += 1;
        if self.scanner.take_word("exists") {
            self.scanner.skip_blanks();
            if self.scanner.peek() != Some('$') {
                return Err(self
                    .scanner
                    .expected("a path after exists, such as $.data.email"));
            }
            return Ok(Expression::Exists(self.path()?));
        }
        let left = self.operand("a path such as $.data.amount, a value, exists, ! or (")?;
        self.scanner.skip_blanks();
        if self.scanner.take_word("in") {
            return Ok(Expression::In(left.clone(), self.choices(&left)?));
        }
        if self.scanner.take_word("matches") {
            self.scanner.skip_blanks();
            if !matches!(self.scanner.peek(), Some('"' | '\'')) {
                return Err(self
                    .scanner
                    .expected("a pattern in quotes, such as \"*@example.com\""));
            }
            return Ok(Expression::Matches(left, Glob::new(&self.text()?)));
        }
        let comparison = COMPARISONS
            .into_iter()
            .find(|comparison| self.scanner.take(comparison.sign()));
        let Some(comparison) = comparison else {
            let expected = "==, !=, <, <=, >, >=, in or matches";
            return Err(self.scanner.expected(expected));
        };
        self.scanner.skip_blanks();
        let place = self.scanner.place();
        let after = format!("a path or a value after {}", comparison.sign());
        let right = self.operand(&after)?;
        self.one_of_many(&left, right.is_many(), place)?;
        Ok(Expression::Compare(left, comparison, right))
    }

    /// Two sides with several places each would be compared pair by pair.
    fn one_of_many(
        &self,
        left: &Operand,
        right_is_many: bool,
        place: usize,
    ) -> Result<(), FilterError> {
        if left.is_many() && right_is_many {
            let expected = "a path without *, because the left side has one";
            return Err(self.scanner.expected_at(place, expected));
        }
        Ok(())
    }

    fn choices(&mut self, left: &Operand) -> Result<Choices, FilterError> {
        self.scanner.skip_blanks();
        let place = self.scanner.place();
        if self.scanner.peek() == Some('$') {
            let path = self.path()?;
            if !path.is_single() {
                let expected = "a path without * to an array";
                return Err(self.scanner.expected_at(place, expected));
            }
            self.one_of_many(left, true, place)?;
            return Ok(Choices::Of(path));
        }
        if !self.scanner.take("[") {
            let expected = "a list such as [\"a\", \"b\"] or a path to an array after in";
            return Err(self.scanner.expected(expected));
        }
        let mut values = Vec::new();
        loop {
            self.scanner.skip_blanks();
            if values.len() == MAX_CHOICES {
                return Err(self
                    .scanner
                    .expected(format!("at most {MAX_CHOICES} values")));
            }
            let Some(value) = self.value()? else {
                return Err(self.scanner.expected("a value"));
            };
            values.push(value);
            if self.take("]") {
                return Ok(Choices::These(values));
            }
            if !self.scanner.take(",") {
                return Err(self.scanner.expected(", or ]"));
            }
        }
    }

    fn operand(&mut self, expected: &str) -> Result<Operand, FilterError> {
        if self.scanner.peek() == Some('$') {
            return self.path().map(Operand::Path);
        }
        match self.value()? {
            Some(value) => Ok(Operand::Value(value)),
            None => Err(self.scanner.expected(expected)),
        }
    }

    /// A text, a number, a truth value or null, if one comes.
    fn value(&mut self) -> Result<Option<Value>, FilterError> {
        match self.scanner.peek() {
            Some('"' | '\'') => self.text().map(|text| Some(Value::String(text))),
            Some('-' | '0'..='9') => self.number().map(Some),
            _ => {
                let words = [
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("null", Value::Null),
                ];
                let mut words = words.into_iter();
                let found = words.find(|(word, _)| self.scanner.take_word(word));
                Ok(found.map(|(_, value)| value))
            }
        }
    }

    fn number(&mut self) -> Result<Value, FilterError> {
        let place = self.scanner.place();
        let digits = self
            .scanner
            .take_run(|char| char.is_ascii_digit() || matches!(char, '-' | '+' | '.' | 'e' | 'E'));
        digits
            .parse::<Number>()
            .map(Value::Number)
            .map_err(|_| self.scanner.expected_at(place, "a number as in JSON"))
    }

    fn path(&mut self) -> Result<Path, FilterError> {
        self.scanner.next();
        let mut steps = Vec::new();
        loop {
            let place = self.scanner.place();
            let step = if self.scanner.take(".") {
                self.named()?
            } else if self.scanner.take("[") {
                self.bracketed()?
            } else {
                return Ok(Path(steps));
            };
            if steps.len() == MAX_STEPS {
                let expected = format!("at most {MAX_STEPS} steps in a path");
                return Err(self.scanner.expected_at(place, expected));
            }
            steps.push(step);
        }
    }

    /// After the dot.
    fn named(&mut self) -> Result<Step, FilterError> {
        if self.scanner.take("*") {
            return Ok(Step::Each);
        }
        if !self.scanner.peek().is_some_and(begins_name) {
            let expected = "a name or * after the dot; other names go in brackets: [\"my name\"]";
            return Err(self.scanner.expected(expected));
        }
        Ok(Step::Name(self.scanner.take_run(goes_on_name).into()))
    }

    /// After the bracket.
    fn bracketed(&mut self) -> Result<Step, FilterError> {
        self.scanner.skip_blanks();
        let step = match self.scanner.peek() {
            Some('*') => {
                self.scanner.next();
                Step::Each
            }
            Some('"' | '\'') => Step::Name(self.text()?),
            Some('-' | '0'..='9') => {
                let place = self.scanner.place();
                let digits = self
                    .scanner
                    .take_run(|char| char.is_ascii_digit() || char == '-');
                let index = digits.parse().ok().map(Step::Index);
                index.ok_or_else(|| self.scanner.expected_at(place, "the number of an element"))?
            }
            _ => return Err(self.scanner.expected("*, a number or a name in quotes")),
        };
        self.scanner.skip_blanks();
        if !self.scanner.take("]") {
            return Err(self.scanner.expected("]"));
        }
        Ok(step)
    }

    /// A text in quotes of either kind, with the escapes of JSON (RFC 8259, section 7).
    fn text(&mut self) -> Result<String, FilterError> {
        let start = self.scanner.place();
        let quote = self.scanner.next().unwrap_or('"');
        let mut text = String::new();
        loop {
            match self.scanner.next() {
                None => {
                    let end = self.scanner.place();
                    let from = self.scanner.expected_at(start, "").at;
                    let expected = format!("a closing {quote} for the text from character {from}");
                    return Err(self.scanner.expected_at(end, expected));
                }
                Some(char) if char == quote => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(char) => text.push(char),
            }
        }
    }

    /// After the backslash.
    fn escape(&mut self) -> Result<char, FilterError> {
        let place = self.scanner.place();
        let wrong = |parser: &Self| {
            let expected = r#"an escape of JSON: \" \\ \/ \b \f \n \r \t \u0000, or \'"#;
            parser.scanner.expected_at(place, expected)
        };
        Ok(match self.scanner.next() {
            Some(char @ ('"' | '\'' | '\\' | '/')) => char,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit().ok_or_else(|| wrong(self))?;
                let mut units = vec![first];
                if (0xd800..0xdc00).contains(&first) && self.scanner.take("\\u") {
                    units.push(self.unit().ok_or_else(|| wrong(self))?);
                }
                let mut chars = char::decode_utf16(units);
                match (chars.next(), chars.next()) {
                    (Some(Ok(char)), None) => char,
                    _ => return Err(wrong(self)),
                }
            }
            _ => return Err(wrong(self)),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | self.scanner.next()?.to_digit(16)?;
        }
        u16::try_from(unit).ok()
    }
}

/// One is itself.
fn joined(
    mut expressions: Vec<Expression>,
    several: impl Fn(Vec<Expression>) -> Expression,
) -> Expression {
    match (expressions.pop(), expressions.is_empty()) {
        (Some(one), true) => one,
        (Some(last), false) => {
            expressions.push(last);
            several(expressions)
        }
        (None, _) => several(expressions),
    }
}
