//! The command line.

use std::path::PathBuf;

/// What `--help` says.
pub(crate) const HELP: &str = "\
Plays the conformance scenarios against the adapter of an SDK and the reference gateway.

gatewright-conformance [--adapter \"CMD ...\"] [--name LANG] [--scenarios DIR] [--webhooks DIR] [--only SUBSTR]... [--jobs N] [--json] [--list]

  --adapter \"CMD ...\"  the adapter's command; quotes group words   [the Rust adapter beside this program]
  --name LANG          what the SDK is called in the output         [what the adapter says]
  --scenarios DIR      a folder with scenario files                 [conformance/scenarios]
  --webhooks DIR       a folder with the corpus of webhooks, which is played as well
  --only SUBSTR        only scenarios with this in their name; may be repeated
  --jobs N             scenarios at once                            [8]
  --json               one JSON object for each scenario, and one for the whole at the end
  --list               the names of the scenarios, without playing them

Exit code: 0 all passed, 1 some failed, 2 nothing could be played.
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) adapter: Option<Vec<String>>,
    pub(crate) name: Option<String>,
    pub(crate) scenarios: Option<PathBuf>,
    pub(crate) webhooks: Option<PathBuf>,
    pub(crate) only: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) json: bool,
    pub(crate) list: bool,
    pub(crate) help: bool,
}

impl Args {
    /// Reads the arguments after the program's name.
    pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            adapter: None,
            name: None,
            scenarios: None,
            webhooks: None,
            only: Vec::new(),
            jobs: 8,
            json: false,
            list: false,
            help: false,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) if flag.starts_with("--") => {
                    (flag.to_owned(), Some(value.to_owned()))
                }
                _ => (argument, None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| format!("{flag} takes a value"))
            };
            match flag.as_str() {
                "--adapter" => args.adapter = Some(words(&value()?)?),
                "--name" => args.name = Some(value()?),
                "--scenarios" => args.scenarios = Some(value()?.into()),
                "--webhooks" => args.webhooks = Some(value()?.into()),
                "--only" => args.only.push(value()?),
                "--jobs" => {
                    args.jobs = value()?
                        .parse()
                        .ok()
                        .filter(|jobs| *jobs > 0)
                        .ok_or("--jobs takes a number from 1")?;
                }
                "--json" => args.json = true,
                "--list" => args.list = true,
                "--help" | "-h" => args.help = true,
                _ => return Err(format!("there is no argument {flag:?}; see --help")),
            }
        }
        Ok(args)
    }
}

/// Splits a command at spaces; single and double quotes group.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(format!("--adapter has a quote without its end: {command}"));
    }
    words.extend(word);
    if words.is_empty() {
        Err("--adapter is empty".to_owned())
    } else {
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Args, String> {
        Args::read(arguments.iter().map(|a| (*a).to_owned()))
    }

    #[test]
    fn arguments_are_read() {
        let args = read(&[
            "--adapter",
            "py 'a b/x.py' --sync",
            "--only=auth",
            "--only",
            "retries",
            "--json",
        ])
        .unwrap();
        assert_eq!(args.adapter.unwrap(), ["py", "a b/x.py", "--sync"]);
        assert_eq!(args.only, ["auth", "retries"]);
        assert!(args.json && !args.list);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for wrong in [
            &["--adapter"][..],
            &["--adapter", "'x"],
            &["--adapter", " "],
            &["--jobs", "0"],
            &["x"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
