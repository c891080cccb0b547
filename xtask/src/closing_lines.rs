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

/// Maven's Surefire: the last `Tests run: 12, Failures: 0, Errors: 0, Skipped: 1` that is not of one class alone. Of a
/// class that skipped tests the line is kept.
pub(crate) fn surefire(output: &str) -> Option<Counts> {
    let without_level = |line: &'_ str| {
        line.strip_prefix('[')
            .and_then(|line| line.split_once("] "))
            .map_or_else(|| line.to_owned(), |(_, text)| text.to_owned())
    };
    let lines: Vec<String> = output
        .lines()
        .map(without_level)
        .filter(|line| line.starts_with("Tests run: "))
        .collect();
    let sum = lines.iter().rfind(|line| !line.contains("Time elapsed"))?;
    let number = |what: &str| -> Option<u64> {
        let (_, after) = sum.split_once(&format!("{what}: "))?;
        after.split(',').next()?.trim().parse().ok()
    };
    let (run, failed, skipped) = (
        number("Tests run")?,
        number("Failures")? + number("Errors")?,
        number("Skipped")?,
    );
    let skips = lines
        .iter()
        .filter(|line| line.contains("Time elapsed") && !line.contains("Skipped: 0,"));
    Some(Counts {
        passed: run.checked_sub(failed + skipped)?,
        failed,
        skipped,
        skips: skips.cloned().collect(),
    })
}

/// `swift test`: XCTest's last `Executed 12 tests, with 1 test skipped and 2 failures (0 unexpected) in …`, where a test
/// with two failures is one that failed; and Swift Testing's `Test run with 3 tests passed after …`, which runs beside it.
pub(crate) fn xctest(output: &str) -> Option<Counts> {
    let of_testing = swift_testing(output);
    let executed = |line: &&str| line.trim_start().starts_with("Executed ");
    let Some(sum) = output.lines().rfind(executed) else {
        return of_testing;
    };
    let case = |line: &str, end: &str| -> Option<String> {
        let (name, after) = line.strip_prefix("Test Case '")?.split_once("' ")?;
        after.starts_with(end).then(|| name.to_owned())
    };
    let run = number_before(sum, " test")?;
    let failed = output
        .lines()
        .filter(|line| case(line, "failed").is_some())
        .count() as u64;
    // What ended the process has no line of its own as a failed test, but then there is no sum either.
    if failed == 0 && number_before(sum, " failure")? > 0 {
        return None;
    }
    let skipped: Vec<String> = output
        .lines()
        .filter_map(|line| case(line, "skipped"))
        .collect();
    let why = |test: &String| {
        let mark = format!("{test} : Test skipped");
        let line = output.lines().find_map(|line| line.split_once(&mark));
        let why = line.map_or("", |(_, why)| why.trim_start_matches([' ', '-', ':']));
        let why = if why.is_empty() {
            "no reason given"
        } else {
            why
        };
        format!("{test}: {why}")
    };
    let mut counts = Counts {
        passed: run.checked_sub(failed + skipped.len() as u64)?,
        failed,
        skipped: skipped.len() as u64,
        skips: skipped.iter().map(why).collect(),
    };
    counts += of_testing.unwrap_or_default();
    Some(counts)
}

/// Swift Testing: `✔ Test run with 3 tests passed after 0.001 seconds.`, or `✘ Test run with 3 tests failed after 0.001
/// seconds with 2 issues.`; a test that failed or was skipped has a line of its own.
fn swift_testing(output: &str) -> Option<Counts> {
    // The sign in front is another one where the terminal cannot show it.
    let text = |line: &'_ str| line.split_once(' ').map_or("", |(_, text)| text).to_owned();
    let lines: Vec<String> = output.lines().map(text).collect();
    let sum = lines
        .iter()
        .rfind(|line| line.starts_with("Test run with "))?;
    let run = number_before(sum, " test")?;
    let of_tests = |word: &str| -> Vec<&String> {
        let is_test = |line: &&String| {
            line.strip_prefix("Test ")
                .is_some_and(|line| !line.starts_with("run with ") && !line.starts_with("case "))
        };
        let is_of = |line: &&String| line.contains(&format!(" {word}"));
        lines.iter().filter(is_test).filter(is_of).collect()
    };
    let failed = of_tests("failed after ").len() as u64;
    let skips = of_tests("skipped");
    let ended_well = sum.contains(" passed after ");
    let failed = if ended_well { 0 } else { failed.max(1) };
    Some(Counts {
        // Skipped tests are not among those of the sum.
        passed: run.checked_sub(failed)?,
        failed,
        skipped: skips.len() as u64,
        skips: skips.into_iter().cloned().collect(),
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
    fn surefire_is_read_by_its_sum() {
        let output = "\
[INFO] Running dev.gatewright.ClientTest
[INFO] Tests run: 9, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1.2 s -- in dev.gatewright.ClientTest
[WARNING] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s -- in dev.gatewright.TlsTest
[ERROR] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.3 s <<< FAILURE! -- in dev.gatewright.PagesTest
[INFO] Results:
[ERROR] Tests run: 16, Failures: 1, Errors: 1, Skipped: 1
[ERROR] Failed to execute goal
";
        let skip = "Tests run: 3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s -- in dev.gatewright.TlsTest";
        assert_eq!(surefire(output), Some(counts(13, 2, &[skip])));
        assert_eq!(surefire("[INFO] No tests to run.\n"), None);
        assert_eq!(surefire("[ERROR] Compilation failure\n"), None);
    }

    #[test]
    fn xctest_counts_tests_and_not_their_failures() {
        let output = "\
Test Suite 'All tests' started at 2026-01-02 03:04:05.000
Test Case 'ClientTests.testGet' passed (0.002 seconds)
/p/Tests/PagesTests.swift:7: error: PagesTests.testAll : XCTAssertEqual failed: (\"1\") is not equal to (\"2\") -
/p/Tests/PagesTests.swift:8: error: PagesTests.testAll : XCTAssertEqual failed: (\"1\") is not equal to (\"2\") -
Test Case 'PagesTests.testAll' failed (0.002 seconds)
/p/Tests/TLSTests.swift:3: TLSTests.testTLS : Test skipped - no openssl
Test Case 'TLSTests.testTLS' skipped (0.001 seconds)
Test Suite 'PagesTests' failed at 2026-01-02 03:04:05.000
\t Executed 1 test, with 2 failures (0 unexpected) in 0.002 (0.002) seconds
Test Suite 'All tests' failed at 2026-01-02 03:04:05.000
\t Executed 3 tests, with 1 test skipped and 2 failures (0 unexpected) in 0.005 (0.005) seconds
";
        assert_eq!(
            xctest(output),
            Some(counts(1, 1, &["TLSTests.testTLS: no openssl"]))
        );
        assert_eq!(xctest("error: fatalError\n"), None);
    }

    #[test]
    fn swift_testing_runs_beside_xctest() {
        let passed = "\
\t Executed 0 tests, with 0 failures (0 unexpected) in 0.000 (0.000) seconds
◇ Test run started.
➜ Test \"no TLS here\" skipped: \"no openssl\"
✔ Test \"a client gets\" passed after 0.001 seconds.
✔ Test run with 1 test passed after 0.001 seconds.
";
        let skip = "Test \"no TLS here\" skipped: \"no openssl\"";
        assert_eq!(xctest(passed), Some(counts(1, 0, &[skip])));
        let failed = "\
✔ Test \"a client gets\" passed after 0.001 seconds.
✘ Test \"pages end\" recorded an issue at PagesTests.swift:7:6: Expectation failed: 1 == 2
✘ Test \"pages end\" failed after 0.001 seconds with 1 issue.
✘ Test run with 2 tests failed after 0.001 seconds with 1 issue.
";
        assert_eq!(xctest(failed), Some(counts(1, 1, &[])));
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
