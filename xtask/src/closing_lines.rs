//! Reads from a suite's output how many of its tests passed, failed and were skipped, and why they were skipped.

use std::ops::AddAssign;

/// The tests of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// What was skipped and why.
    pub(crate) skips: Vec<String>,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.skips.extend(other.skips);
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// How a suite writes its counts.
pub(crate) type Reader = fn(&str) -> Option<Counts>;

/// cargo test: a `test result:` line for each target. A target that died has none and is one failure.
pub(crate) fn cargo_test(output: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let (mut results, mut failed_results, mut failed_targets) = (0_u64, 0_u64, 0_u64);
    let mut in_failed_targets = false;
    for line in output.lines() {
        if let Some(result) = line.strip_prefix("test result: ") {
            results += 1;
            failed_results += u64::from(result.starts_with("FAILED"));
            counts.passed += number_before(result, " passed")?;
            counts.failed += number_before(result, " failed")?;
            counts.skipped += number_before(result, " ignored")?;
        } else if let Some((test, why)) = line
            .strip_prefix("test ")
            .and_then(|line| line.split_once(" ... ignored"))
        {
            let of_docs = test.contains(" (line ");
            let none_given = if of_docs {
                "an example that is only to be read (`ignore`)"
            } else {
                "no reason given"
            };
            let why = why.strip_prefix(", ").unwrap_or(none_given);
            counts.skips.push(format!("{test}: {why}"));
        } else if line.starts_with("error: ")
            && (line.ends_with("targets failed:") || line.ends_with("target failed:"))
        {
            in_failed_targets = true;
        } else if in_failed_targets {
            in_failed_targets = line.starts_with("    `");
            failed_targets += u64::from(in_failed_targets);
        }
    }
    counts.failed += failed_targets.saturating_sub(failed_results);
    (results > 0).then_some(counts)
}

/// pytest with `-ra`: `=== 3 failed, 12 passed, 1 skipped in 0.52s ===` and a `SKIPPED [1] file:line: why` for each place.
pub(crate) fn pytest(output: &str) -> Option<Counts> {
    let is_closing = |line: &&str| {
        line.contains(" in ")
            && (line.contains(" passed")
                || line.contains(" failed")
                || line.contains(" error")
                || line.contains(" skipped"))
    };
    let closing = output
        .lines()
        .rev()
        .take(5)
        .map(|line| line.trim_matches(['=', ' ']))
        .find(is_closing)?;
    let (counted, _) = closing.rsplit_once(" in ")?;
    let mut counts = Counts::default();
    for part in counted.split(", ") {
        let (number, what) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "passed" => counts.passed += number,
            "failed" | "error" | "errors" | "xpassed" => counts.failed += number,
            "skipped" | "xfailed" => counts.skipped += number,
            _ => {}
        }
    }
    let lines = output
        .lines()
        .filter(|line| line.starts_with("SKIPPED [") || line.starts_with("XFAIL "));
    counts.skips = lines.map(str::to_owned).collect();
    Some(counts)
}

/// node:test with the reporter `spec`: its summary is a line `ℹ pass 3` for each kind of outcome, and a skipped test is
/// a line `﹣ name (0.1ms) # why`. What was cancelled failed, and so did what is marked as still to be done.
pub(crate) fn node_test(output: &str) -> Option<Counts> {
    // Tests may print what they like, but the summary comes last.
    let of = |what: &str| -> Option<u64> {
        let prefix = format!("ℹ {what} ");
        let mut lines = output.lines().rev();
        lines
            .find_map(|line| line.strip_prefix(&prefix))?
            .trim()
            .parse()
            .ok()
    };
    let skips = output
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("﹣ "))
        .map(|line| {
            // How long it took to skip it tells nothing.
            let why = line.split_once("ms) # ");
            let parts = why.and_then(|(test, why)| Some((test.rsplit_once(" (")?.0, why)));
            parts.map_or_else(|| line.to_owned(), |(test, why)| format!("{test}: {why}"))
        });
    Some(Counts {
        passed: of("pass")?,
        failed: of("fail")? + of("cancelled")? + of("todo")?,
        skipped: of("skipped")?,
        skips: skips.collect(),
    })
}

/// The conformance harness: its last line is `N passed, N failed`, perhaps with `, N skipped`.
pub(crate) fn harness(output: &str) -> Option<Counts> {
    let closing = output.lines().rev().find(|line| !line.trim().is_empty())?;
    let skipped = if closing.contains(" skipped") {
        number_before(closing, " skipped")?
    } else {
        0
    };
    let skips = output
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("skipped ") || line.starts_with("SKIP "))
        .map(str::to_owned);
    Some(Counts {
        passed: number_before(closing, " passed")?,
        failed: number_before(closing, " failed")?,
        skipped,
        skips: if skipped > 0 {
            skips.collect()
        } else {
            Vec::new()
        },
    })
}

/// The number that stands directly before `word`.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let (before, _) = text.split_once(word)?;
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skips: &[&str]) -> Counts {
        Counts {
            passed,
            failed,
            skipped: skips.len() as u64,
            skips: skips.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn cargo_results_are_summed_over_targets() {
        let output = "\
running 3 tests
test a ... ok
test slow ... ignored, needs a network
test b ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 1.20s
error: 1 target failed:
    `-p gatewright --lib`
";
        assert_eq!(
            cargo_test(output),
            Some(counts(41, 1, &["slow: needs a network"]))
        );
    }

    #[test]
    fn a_target_that_died_is_one_failure() {
        let output = "\
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
error: test failed, to rerun pass `-p x --test y`
error: 2 targets failed:
    `-p x --test y`
    `-p x --test z`
";
        assert_eq!(cargo_test(output), Some(counts(4, 2, &[])));
    }

    #[test]
    fn an_ignored_example_in_docs_has_a_reason() {
        let output = "\
test core/src/lib.rs - (line 16) ... ignored
test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        let skip = "core/src/lib.rs - (line 16): an example that is only to be read (`ignore`)";
        assert_eq!(cargo_test(output), Some(counts(0, 0, &[skip])));
    }

    #[test]
    fn what_did_not_compile_has_no_counts() {
        assert_eq!(
            cargo_test("error: could not compile `gatewright` (lib)\n"),
            None
        );
    }

    #[test]
    fn pytest_is_read_by_its_last_line() {
        let output = "\
=========================== short test summary info ============================
SKIPPED [2] tests/test_fork.py:9: fork is not there on Windows
FAILED tests/test_client.py::test_get - assert 1 == 2
= 1 failed, 20 passed, 2 skipped, 3 deselected, 1 warning, 1 error in 61.05s (0:01:01) =
";
        let read = pytest(output).unwrap();
        assert_eq!((read.passed, read.failed, read.skipped), (20, 2, 2));
        assert_eq!(
            read.skips,
            ["SKIPPED [2] tests/test_fork.py:9: fork is not there on Windows"]
        );
    }

    #[test]
    fn pytest_quiet_is_read_too() {
        assert_eq!(pytest("....\n4 passed in 0.01s\n"), Some(counts(4, 0, &[])));
    }

    #[test]
    fn pytest_without_tests_has_no_counts() {
        assert_eq!(
            pytest("============ no tests ran in 0.00s ============\n"),
            None
        );
        assert_eq!(pytest("ImportError while loading conftest\n"), None);
    }

    #[test]
    fn node_test_is_read_by_its_summary() {
        let output = "\
✔ one (0.8ms)
  ﹣ inner (0.1ms) # no second address
ℹ pass 1
✖ late (0.1ms)
ℹ tests 6
ℹ suites 0
ℹ pass 2
ℹ fail 1
ℹ cancelled 1
ℹ skipped 1
ℹ todo 1
ℹ duration_ms 193.2

✖ failing tests:
";
        assert_eq!(
            node_test(output),
            Some(counts(2, 3, &["inner: no second address"]))
        );
        assert_eq!(node_test("Could not find 'tests'\n"), None);
    }

    #[test]
    fn the_harness_is_read_by_its_last_line() {
        assert_eq!(
            harness("ok a\nfailed b: 1 passed\n47 passed, 2 failed\n\n"),
            Some(counts(47, 2, &[]))
        );
        assert_eq!(
            harness("skipped tls: no openssl\n47 passed, 0 failed, 1 skipped\n"),
            Some(counts(47, 0, &["skipped tls: no openssl"]))
        );
        assert_eq!(harness("adapter ended before it was ready\n"), None);
        assert_eq!(harness(""), None);
    }

    #[test]
    fn skips_are_named_only_where_there_are_some() {
        assert_eq!(counts(3, 0, &[]).to_string(), "3 passed, 0 failed");
        assert_eq!(
            counts(3, 1, &["why"]).to_string(),
            "3 passed, 1 failed, 1 skipped"
        );
    }
}
