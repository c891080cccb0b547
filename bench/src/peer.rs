//! A client in a process of its own: told how many calls to make, it says what they took.
//!
//! What it is run as, and what goes over its standard streams, a line each:
//!
//! | Arguments | It reads | It writes |
//! |---|---|---|
//! | `list` | nothing | the names of its clients |
//! | `peer NAME URL AT_ONCE` | numbers of calls, to the end of its input | first `{"title":"okhttp 5.5.1"}`, then for each number a [`Round`] |

use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::rounds::median;

/// How long a round of one peer should take.
pub const ROUND: Duration = Duration::from_millis(250);

/// A round takes a fraction of a second and a virtual machine is up in a few; a peer that takes so long hangs.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// Calls of the first round, for each that is made at once.
const FIRST_CALLS: u64 = 50;

/// Why a peer cannot be measured.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a number of calls took.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// How many there were: about as many as asked for.
    pub calls: f64,
    /// From the first one's beginning to the last one's end.
    pub seconds: f64,
    /// Of the whole process, all its threads, user and system.
    pub cpu_seconds: f64,
    /// The most memory the process ever had resident.
    pub peak_mb: f64,
}

/// The first line of a peer.
#[derive(Deserialize)]
struct Ready {
    title: String,
}

/// The names of the clients that a program has.
///
/// # Errors
///
/// Where it cannot be run, or fails.
pub fn names(program: &[OsString]) -> Result<Vec<String>, Failure> {
    let output = command(program)?
        .arg("list")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the clients' program ended: {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A client's process and the rounds it has run.
#[derive(Debug)]
pub struct Peer {
    /// Its name in the program.
    pub name: String,
    /// What a table calls it.
    pub title: String,
    rounds: Vec<Round>,
    calls: u64,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Peer {
    /// Starts the client `name` and lets it make calls for at least `warm_up`, until it is known how many make a round.
    ///
    /// # Errors
    ///
    /// Where it cannot be started, ends, or does not answer.
    pub fn start(
        program: &[OsString],
        name: &str,
        url: &str,
        at_once: u64,
        warm_up: Duration,
    ) -> Result<Self, Failure> {
        let mut child = command(program)?
            .args(["peer", name, url, &at_once.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
                lines.try_for_each(|line| sender.send(line))
            });
        }
        let mut peer = Self {
            name: name.to_owned(),
            title: String::new(),
            rounds: Vec::new(),
            calls: at_once * FIRST_CALLS,
            stdin: child.stdin.take(),
            child,
            lines,
        };
        peer.title = peer.answer::<Ready>()?.title;
        let begun = Instant::now();
        loop {
            let round = peer.run()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a few thousand"
            )]
            let calls = (round.calls / round.seconds * ROUND.as_secs_f64()) as u64;
            peer.calls = calls.max(at_once);
            if begun.elapsed() >= warm_up && round.seconds >= ROUND.as_secs_f64() / 2.0 {
                return Ok(peer);
            }
        }
    }

    /// One round more.
    ///
    /// # Errors
    ///
    /// Where the peer ended or does not answer.
    pub fn round(&mut self) -> Result<(), Failure> {
        let round = self.run()?;
        self.rounds.push(round);
        Ok(())
    }

    /// The median, over rounds, of one of their figures for each call.
    #[must_use]
    pub fn per_call(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(|r| figure(r) / r.calls).collect())
    }

    /// The median, over rounds that ran side by side, of how many times as long as `other` a call took.
    #[must_use]
    pub fn times_as_long_as(&self, other: &Self) -> f64 {
        let per_call = |round: &Round| round.seconds / round.calls;
        let pairs = self.rounds.iter().zip(&other.rounds);
        median(pairs.map(|(a, b)| per_call(a) / per_call(b)).collect())
    }

    /// The most memory the process ever had.
    #[must_use]
    pub fn peak_mb(&self) -> f64 {
        self.rounds.last().map_or(0.0, |round| round.peak_mb)
    }

    fn run(&mut self) -> Result<Round, Failure> {
        if let Some(stdin) = &mut self.stdin {
            // A peer that ended breaks the pipe; its missing answer tells of it.
            let _ = writeln!(stdin, "{}", self.calls).and_then(|()| stdin.flush());
        }
        self.answer()
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        match self.lines.recv_timeout(ANSWERS_WITHIN) {
            Ok(line) => serde_json::from_str(&line)
                .map_err(|error| format!("{} said {line:?}: {error}", self.name).into()),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "{} did not answer within {} s",
                self.name,
                ANSWERS_WITHIN.as_secs()
            )
            .into()),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                Err(format!("{} ended: {status}", self.name).into())
            }
        }
    }
}

impl Drop for Peer {
    /// Lets the process end; one that does not is ended.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &[OsString]) -> Result<Command, Failure> {
    let (first, rest) = program.split_first().ok_or("no program is named")?;
    let mut command = Command::new(first);
    command.args(rest);
    Ok(command)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script, "sh"].map(OsString::from).to_vec()
    }

    /// Says that each call took a second, to a driver that wants rounds of a quarter of one.
    const SLOW: &str = r#"echo '{"title":"slow 1.0"}'
        while read calls; do
          echo "{\"calls\":$calls,\"seconds\":$calls,\"cpuSeconds\":0.5,\"peakMb\":12}"
        done"#;

    #[test]
    fn a_peer_is_told_calls_and_tells_what_they_took() {
        let mut peer = Peer::start(&shell(SLOW), "slow", "http://x", 2, Duration::ZERO).unwrap();
        assert_eq!(peer.title, "slow 1.0");
        peer.round().unwrap();
        assert_eq!(peer.per_call(|round| round.seconds), 1.0);
        assert_eq!(peer.per_call(|round| round.cpu_seconds), 0.25);
        assert_eq!((peer.peak_mb(), peer.times_as_long_as(&peer)), (12.0, 1.0));
    }

    #[test]
    fn a_peer_that_ends_is_named_with_its_status() {
        let gone = Peer::start(&shell("exit 3"), "gone", "http://x", 1, Duration::ZERO);
        let text = gone.unwrap_err().to_string();
        assert!(
            text.starts_with("gone ended: ") && text.contains('3'),
            "{text}"
        );
    }

    #[test]
    fn names_are_lines() {
        let program = shell("test $1 = list && printf 'one\\nanother, too\\n'");
        assert_eq!(names(&program).unwrap(), ["one", "another, too"]);
        assert!(names(&shell("exit 1")).is_err());
    }
}
