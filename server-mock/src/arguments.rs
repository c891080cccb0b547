//! The words after a command's name, and what can be wrong with them.

use std::fmt;

/// What cannot be understood, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsageError(pub(crate) String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; see gatewright-gateway --help", self.0)
    }
}

/// The words of one command, in order.
#[derive(Debug)]
pub(crate) struct Arguments {
    command: &'static str,
    rest: std::vec::IntoIter<String>,
}

/// One word: `--name`, `--name=value`, or a word that is no option.
#[derive(Debug)]
pub(crate) struct Argument {
    text: String,
}

impl Argument {
    /// What is before `=` of an option, else the whole word.
    pub(crate) fn name(&self) -> &str {
        match self.joined() {
            Some((name, _)) => name,
            None => &self.text,
        }
    }

    /// Whether no value is joined to it by `=`.
    pub(crate) fn is_bare(&self) -> bool {
        self.joined().is_none()
    }

    /// The word, where it is no option.
    pub(crate) fn word(&self) -> Option<&str> {
        (!self.text.starts_with('-') || self.text == "-").then_some(&*self.text)
    }

    fn joined(&self) -> Option<(&str, &str)> {
        self.text
            .split_once('=')
            .filter(|_| self.text.starts_with('-'))
    }
}

impl Arguments {
    pub(crate) fn new(command: &'static str, words: Vec<String>) -> Self {
        Self {
            command,
            rest: words.into_iter(),
        }
    }

    /// The next word.
    pub(crate) fn next(&mut self) -> Option<Argument> {
        self.rest.next().map(|text| Argument { text })
    }

    /// The value of an option: what is joined to it, else the next word.
    pub(crate) fn value(&mut self, of: &Argument) -> Result<String, UsageError> {
        match of.joined() {
            Some((_, value)) => Ok(value.to_owned()),
            None => {
                let value = self.rest.next();
                value.ok_or_else(|| UsageError(format!("{} needs a value", of.name())))
            }
        }
    }

    /// A value that is a number, or anything else that can be read from text.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, of: &Argument) -> Result<T, UsageError> {
        let value = self.value(of)?;
        value
            .parse()
            .map_err(|_| UsageError(format!("{} cannot be {value:?}", of.name())))
    }

    /// A word that this command does not know.
    pub(crate) fn unknown(&self, argument: &Argument) -> UsageError {
        let (text, command) = (&argument.text, self.command);
        UsageError(format!("got {text:?}, which is no option of {command}"))
    }

    /// All words that are left.
    pub(crate) fn rest(self) -> impl Iterator<Item = String> {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Arguments {
        Arguments::new(
            "faults",
            line.split_whitespace().map(String::from).collect(),
        )
    }

    #[test]
    fn values_are_joined_or_follow() {
        let mut arguments = arguments("--n 3 --n=4 word=5 --url=a=b --flag");
        let mut seen = Vec::new();
        while let Some(argument) = arguments.next() {
            seen.push(match argument.name() {
                "--n" => arguments.number::<u16>(&argument).unwrap().to_string(),
                "--url" => arguments.value(&argument).unwrap(),
                name => format!("{name} {}", argument.word().is_some()),
            });
        }
        assert_eq!(seen, ["3", "4", "word=5 true", "a=b", "--flag false"]);
    }

    #[test]
    fn mistakes_are_named() {
        let mut words = arguments("--n x --n");
        let first = words.next().unwrap();
        let see = "; see gatewright-gateway --help";
        assert_eq!(
            words.number::<u16>(&first).unwrap_err().to_string(),
            format!("--n cannot be \"x\"{see}")
        );
        let second = words.next().unwrap();
        assert_eq!(
            words.value(&second).unwrap_err().to_string(),
            format!("--n needs a value{see}")
        );
        assert_eq!(
            words.unknown(&second).to_string(),
            format!("got \"--n\", which is no option of faults{see}")
        );
    }
}
