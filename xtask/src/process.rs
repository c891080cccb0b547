//! Running programs: captured with a deadline, or before the user's eyes.

use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;

/// No step of ours takes longer; one that does hangs.
const DEADLINE: Duration = Duration::from_secs(40 * 60);

/// After a program has ended, its output may still be held open by what it started.
const LINGERING: Duration = Duration::from_secs(2);

/// How a program ended.
pub(crate) enum Exit {
    Code(i32),
    /// By a signal.
    Killed,
    /// Not at all: it was stopped.
    TooLate,
}

/// What a program did.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    /// Both streams, in the order they were written.
    pub(crate) output: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn well(&self) -> bool {
        matches!(self.exit, Exit::Code(0))
    }

    /// How it ended, in words.
    pub(crate) fn ended(&self) -> String {
        match self.exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Killed => "killed by a signal".to_owned(),
            Exit::TooLate => format!("stopped after {}", in_words(self.took)),
        }
    }
}

/// Runs a program to its end and keeps what it writes. It reads nothing.
pub(crate) fn capture(command: &mut Command) -> Result<Ran> {
    capture_within(command, DEADLINE)
}

fn capture_within(command: &mut Command, deadline: Duration) -> Result<Ran> {
    let begun = Instant::now();
    let (mut reader, writer) = io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let spawned = command.spawn();
    let mut child = spawned.map_err(|error| cannot_run(command, &error))?;
    // The command holds the pipe's writing ends, and with them open there would never be an end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let output = Arc::new(Mutex::new(Vec::new()));
    let (ended, end) = mpsc::channel();
    let kept = Arc::clone(&output);
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        let _ = ended.send(());
    });
    let exit = loop {
        let closed = end.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout);
        if let Some(status) = if closed {
            Some(child.wait()?)
        } else {
            child.try_wait()?
        } {
            if !closed {
                let _ = end.recv_timeout(LINGERING);
            }
            break status.code().map_or(Exit::Killed, Exit::Code);
        }
        if begun.elapsed() > deadline {
            stop(&mut child);
            break Exit::TooLate;
        }
    };
    let bytes = std::mem::take(&mut *output.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Ran {
        exit,
        output: String::from_utf8_lossy(&bytes).into_owned(),
        took: begun.elapsed(),
    })
}

/// Ends a program and, where `pkill` is there, those it started.
fn stop(child: &mut Child) {
    let parent = child.id().to_string();
    let _ = Command::new("pkill")
        .args(["-KILL", "-P", &parent])
        .stderr(Stdio::null())
        .status();
    let _ = child.kill();
    let _ = child.wait();
}

/// Runs a program whose output matters only when it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<()> {
    let ran = capture(command)?;
    if ran.well() {
        return Ok(());
    }
    Err(format!(
        "{}\n{} failed: {}",
        ran.output.trim_end(),
        in_short(command),
        ran.ended()
    )
    .into())
}

/// Runs a program before the user's eyes, or quietly.
pub(crate) fn run(command: &mut Command, shown: bool) -> Result<()> {
    if shown {
        show(command)
    } else {
        quietly(command)
    }
}

/// Runs a program before the user's eyes; an error unless it ends well.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    match show_code(command)? {
        0 => Ok(()),
        code => Err(format!("{} failed: exit code {code}", in_short(command)).into()),
    }
}

/// Runs a program before the user's eyes and tells its exit code.
pub(crate) fn show_code(command: &mut Command) -> Result<u8> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| cannot_run(command, &error))?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

/// Runs a short program for its standard output, trimmed.
pub(crate) fn answer(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| cannot_run(command, &error))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed: {}", in_short(command), why.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cannot_run(command: &Command, error: &io::Error) -> String {
    format!(
        "{} cannot be run: {error}",
        command.get_program().to_string_lossy()
    )
}

/// The command line as a user would type it.
pub(crate) fn in_short(command: &Command) -> String {
    let program = command.get_program();
    let name = std::path::Path::new(program).file_name().unwrap_or(program);
    let words = std::iter::once(name).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A time as a person reads it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        seconds @ 10..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_in_order() {
        let ran = capture(&mut shell("echo one; echo two >&2; echo three; exit 3")).unwrap();
        assert_eq!(ran.output, "one\ntwo\nthree\n");
        assert_eq!(ran.ended(), "exit code 3");
        assert!(!ran.well());
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let ran = capture_within(
            &mut shell("echo begun; exec sleep 30"),
            Duration::from_millis(150),
        )
        .unwrap();
        assert!(matches!(ran.exit, Exit::TooLate));
        assert!(ran.took < Duration::from_secs(10), "{:?}", ran.took);
        assert_eq!(ran.output, "begun\n");
    }

    #[test]
    fn a_program_is_over_when_what_it_started_is_not() {
        let ran = capture(&mut shell("sleep 30 & echo $!")).unwrap();
        assert!(
            ran.well() && ran.took < Duration::from_secs(10),
            "{:?}",
            ran.took
        );
        shell(&format!("kill {}", ran.output.trim()))
            .status()
            .unwrap();
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let Err(error) = capture(&mut Command::new("no-such-program")) else {
            panic!("ran")
        };
        assert!(
            error
                .to_string()
                .starts_with("no-such-program cannot be run: "),
            "{error}"
        );
    }

    #[test]
    fn times_are_short() {
        let texts = [400, 12_900, 185_000].map(|ms| in_words(Duration::from_millis(ms)));
        assert_eq!(texts, ["0.4 s", "12 s", "3 min 05 s"]);
    }
}
