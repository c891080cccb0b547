//! The report of a run: a line for each step with its time, what failed with its output, and the sum at the end.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::closing_lines::{Counts, Reader};
use crate::process::{Ran, capture, in_short, in_words};
use crate::workspace::Workspace;
use crate::{Ended, Result};

/// Of a failed step this many last lines are shown; all of them are in its log.
const SHOWN_LINES: usize = 300;

/// Collects what steps counted, and says it as they end.
pub(crate) struct Report {
    counts: Counts,
    failures: Vec<String>,
    logs: PathBuf,
    part: &'static str,
    begun: Instant,
    part_begun: Instant,
    done: Vec<String>,
}

impl Report {
    pub(crate) fn new(workspace: &Workspace) -> Result<Self> {
        let logs = workspace.scratch("logs");
        fs::create_dir_all(&logs)?;
        let now = Instant::now();
        Ok(Self {
            counts: Counts::default(),
            failures: Vec::new(),
            logs,
            part: "",
            begun: now,
            part_begun: now,
            done: Vec::new(),
        })
    }

    /// Begins a part: a group of steps.
    pub(crate) fn part(&mut self, name: &'static str) {
        self.end_part();
        self.part = name;
        self.part_begun = Instant::now();
        println!("\n== {name}");
    }

    fn end_part(&self) {
        if !self.part.is_empty() {
            println!(
                "   {} took {}",
                self.part,
                in_words(self.part_begun.elapsed())
            );
        }
    }

    /// Remembers what another part need not do again.
    pub(crate) fn done(&mut self, what: String) {
        self.done.push(what);
    }

    pub(crate) fn has_done(&self, what: &str) -> bool {
        self.done.iter().any(|done| done == what)
    }

    /// Says something by the way.
    pub(crate) fn note(&self, text: &str) {
        println!("   note: {text}");
    }

    /// A step without which others cannot run. It counts nothing when it ends well, and one failure otherwise.
    pub(crate) fn prepare(&mut self, name: &str, command: &mut Command) -> bool {
        let ran = self.run(name, command);
        let good = ran.as_ref().is_some_and(Ran::well);
        let failed = u64::from(!good);
        self.end_step(
            name,
            ran,
            Counts {
                failed,
                ..Counts::default()
            },
            None,
        );
        good
    }

    /// The same for what is more than one program.
    pub(crate) fn prepare_by<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Option<T> {
        let begun = begin_step(name);
        match work() {
            Ok(value) => {
                println!("ok, {}", in_words(begun.elapsed()));
                Some(value)
            }
            Err(error) => {
                println!("FAILED, {}\n{error}", in_words(begun.elapsed()));
                self.count(
                    name,
                    Counts {
                        failed: 1,
                        ..Counts::default()
                    },
                );
                None
            }
        }
    }

    /// The value of something small without which a test cannot run. Where there is none, the test failed.
    pub(crate) fn needed<T>(&mut self, test: &str, value: Result<T>) -> Option<T> {
        value
            .map_err(|error| self.fail(test, &error.to_string()))
            .ok()
    }

    /// One test that is not a program.
    pub(crate) fn check_by(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if self.prepare_by(name, work).is_some() {
            self.count(
                name,
                Counts {
                    passed: 1,
                    ..Counts::default()
                },
            );
        }
    }

    /// Tests that cannot be run here, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("-- {name} ... skipped: {why}");
        let skips = vec![format!("{name}: {why}")];
        self.count(
            name,
            Counts {
                skipped: 1,
                skips,
                ..Counts::default()
            },
        );
    }

    /// A step that is one test: passed if the program ends well.
    pub(crate) fn check(&mut self, name: &str, command: &mut Command) {
        let ran = self.run(name, command);
        let good = ran.as_ref().is_some_and(Ran::well);
        let counts = Counts {
            passed: u64::from(good),
            failed: u64::from(!good),
            ..Counts::default()
        };
        self.end_step(name, ran, counts, None);
    }

    /// A suite that counts its tests itself, and whether all of it is good. One that says no counts, or ends badly without
    /// a failure, is one failure.
    pub(crate) fn suite(&mut self, name: &str, command: &mut Command, reader: Reader) -> bool {
        let ran = self.run(name, command);
        let read = ran.as_ref().and_then(|ran| reader(&ran.output));
        let ended_well = ran.as_ref().is_some_and(Ran::well);
        let (counts, why) = judge_suite(read, ended_well);
        let good = counts.failed == 0;
        self.end_step(name, ran, counts, why);
        good
    }

    /// As [`Self::suite`], but what does not even start is not counted: `false`, to be tried in another way.
    pub(crate) fn suite_if_it_starts(
        &mut self,
        name: &str,
        command: &mut Command,
        reader: Reader,
    ) -> bool {
        let ran = self.run(name, command);
        let read = ran.as_ref().and_then(|ran| reader(&ran.output));
        if read.is_none() {
            println!("could not be built as a whole");
            return false;
        }
        let ended_well = ran.as_ref().is_some_and(Ran::well);
        let (counts, why) = judge_suite(read, ended_well);
        self.end_step(name, ran, counts, why);
        true
    }

    /// A test that failed before there was a program to run.
    pub(crate) fn fail(&mut self, name: &str, why: &str) {
        println!("-- {name} ... FAILED: {why}");
        self.count(
            name,
            Counts {
                failed: 1,
                ..Counts::default()
            },
        );
    }

    /// The last word: what failed, what was skipped, and the sum as the last line.
    pub(crate) fn finish(self) -> Ended {
        self.end_part();
        println!("\nall took {}", in_words(self.begun.elapsed()));
        if !self.counts.skips.is_empty() {
            println!("\nskipped:");
            self.counts
                .skips
                .iter()
                .for_each(|skip| println!("  {skip}"));
        }
        if !self.failures.is_empty() {
            println!("\nfailed (logs in {}):", self.logs.display());
            self.failures
                .iter()
                .for_each(|failure| println!("  {failure}"));
        }
        println!("\n{}", self.counts);
        if self.counts.failed == 0 {
            Ended::Well
        } else {
            Ended::Badly
        }
    }

    fn run(&self, name: &str, command: &mut Command) -> Option<Ran> {
        begin_step(name);
        match capture(command) {
            Ok(ran) => {
                let log = format!(
                    "$ {}\n{}\n[{}]\n",
                    in_short(command),
                    ran.output,
                    ran.ended()
                );
                let _ = fs::write(self.log_of(name), log);
                Some(ran)
            }
            Err(error) => {
                println!("{error}");
                None
            }
        }
    }

    fn end_step(&mut self, name: &str, ran: Option<Ran>, counts: Counts, why: Option<&str>) {
        let took = in_words(ran.as_ref().map_or(Duration::ZERO, |ran| ran.took));
        let counted = if counts.passed + counts.failed + counts.skipped > 1 {
            format!(" ({counts})")
        } else {
            String::new()
        };
        if counts.failed == 0 {
            println!("ok{counted}, {took}");
        } else {
            println!("FAILED{counted}, {took}");
            if let Some(ran) = ran {
                print_indented(&last_lines(&ran.output, SHOWN_LINES));
                println!(
                    "   {}{}",
                    why.map_or_else(String::new, |why| format!("{why}; ")),
                    ran.ended()
                );
            }
        }
        self.count(name, counts);
    }

    fn count(&mut self, name: &str, counts: Counts) {
        if counts.failed > 0 {
            self.failures.push(format!("{}: {name}", self.part));
        }
        self.counts += counts;
    }

    fn log_of(&self, step: &str) -> PathBuf {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        self.logs.join(format!(
            "{}-{}.log",
            self.part,
            step.chars().map(safe).collect::<String>()
        ))
    }
}

fn begin_step(name: &str) -> Instant {
    use std::io::Write as _;
    print!("-- {name} ... ");
    let _ = std::io::stdout().flush();
    Instant::now()
}

fn judge_suite(read: Option<Counts>, ended_well: bool) -> (Counts, Option<&'static str>) {
    match read {
        None => (
            Counts {
                failed: 1,
                ..Counts::default()
            },
            Some("it did not come to its closing line"),
        ),
        Some(counts) if !ended_well && counts.failed == 0 => (
            Counts {
                failed: 1,
                ..counts
            },
            Some("no test failed, and yet it ended badly"),
        ),
        Some(counts) => (counts, None),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let left_out = lines.len().saturating_sub(count);
    let shown = lines.get(left_out..).unwrap_or_default().join("\n");
    if left_out == 0 {
        shown
    } else {
        format!("[{left_out} lines more in the log]\n{shown}")
    }
}

fn print_indented(text: &str) {
    text.lines().for_each(|line| println!("   | {line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(passed: u64) -> Counts {
        Counts {
            passed,
            ..Counts::default()
        }
    }

    #[test]
    fn a_suite_without_counts_is_one_failure() {
        assert_eq!(judge_suite(None, true).0.failed, 1);
        assert_eq!(judge_suite(None, false).0.failed, 1);
    }

    #[test]
    fn a_suite_that_ends_badly_is_a_failure_even_when_all_its_tests_passed() {
        let (counts, why) = judge_suite(Some(passed(7)), false);
        assert_eq!((counts.passed, counts.failed), (7, 1));
        assert_eq!(why, Some("no test failed, and yet it ended badly"));
    }

    #[test]
    fn a_good_suite_counts_as_it_says() {
        assert_eq!(judge_suite(Some(passed(7)), true), (passed(7), None));
    }

    #[test]
    fn of_long_output_the_end_is_shown() {
        assert_eq!(last_lines("a\nb\nc", 2), "[1 lines more in the log]\nb\nc");
        assert_eq!(last_lines("a\nb", 2), "a\nb");
    }
}
