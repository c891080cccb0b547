//! The adapter of a language: a process that is spoken to in lines of JSON, one request and one answer each, by id.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | running | a line with the id of a request | running, that request is answered |
//! | running | a line that is no JSON, too long, or with an id that nobody waits for | gone, all requests fail |
//! | running | its output ends | gone, all requests fail |
//! | gone | a request | fails at once with the reason |
//! | running | `end` | its input is closed; gone when it has ended, or is ended after a while |

use std::collections::HashMap;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The version of the line protocol.
pub(crate) const PROTOCOL: u64 = 1;
/// The longest line an adapter may write.
const MAX_LINE: u64 = 16 * 1024 * 1024;
/// What is kept of its standard error.
const MAX_STDERR: usize = 1024 * 1024;
/// How long it may take to come up and say hello: interpreters start slowly on a busy machine.
const HELLO_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to end when its input has.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// A running adapter.
pub(crate) struct Adapter {
    lines: mpsc::UnboundedSender<String>,
    shared: Arc<Shared>,
    /// Owns the process, which ends with it.
    reading: JoinHandle<()>,
    /// What it said of itself.
    pub(crate) hello: Hello,
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// What an adapter says when it is asked who it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hello {
    pub(crate) sdk: String,
    pub(crate) capabilities: Vec<String>,
    /// Why it cannot do the others.
    lacks: HashMap<String, String>,
    /// The most scenarios that it is to be in at once.
    pub(crate) at_once: Option<usize>,
}

impl Hello {
    /// What is said of a scenario that needs `capability`, which is not among its own.
    pub(crate) fn lacking(&self, capability: &str) -> String {
        match self.lacks.get(capability) {
            Some(why) => format!("the adapter has no {capability}: {why}"),
            None => format!("the adapter has no {capability}"),
        }
    }
}

#[derive(Default)]
struct Shared {
    ids: AtomicU64,
    waiting: Mutex<Waiting>,
    stderr: Mutex<String>,
}

#[derive(Default)]
struct Waiting {
    answers: HashMap<u64, oneshot::Sender<Answer>>,
    gone: Option<String>,
}

/// An answer of the adapter.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) value: Value,
    /// The line as it came.
    pub(crate) line: String,
    pub(crate) took: Duration,
}

/// The adapter is gone, and why.
#[derive(Clone, Debug)]
pub(crate) struct Gone(pub(crate) String);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn fail_all(&self, why: &str) {
        let mut waiting = lock(&self.waiting);
        waiting.gone.get_or_insert_with(|| why.to_owned());
        // Dropping the senders tells everybody who waits.
        waiting.answers.clear();
    }

    fn why_gone(&self) -> Gone {
        Gone(
            lock(&self.waiting)
                .gone
                .clone()
                .unwrap_or_else(|| "the adapter is gone".to_owned()),
        )
    }

    /// Takes in a line. An error ends the adapter.
    fn on_line(&self, line: String) -> Result<(), String> {
        let value: Value = serde_json::from_str(&line)
            .map_err(|why| format!("the adapter wrote what is not JSON ({why}): {}", cut(&line)))?;
        let id = value.get("id").and_then(Value::as_u64);
        let Some(waiting) = id.and_then(|id| lock(&self.waiting).answers.remove(&id)) else {
            return Err(format!(
                "the adapter answered what nobody asked: {}",
                cut(&line)
            ));
        };
        // Whoever asked may have given up at the deadline.
        let _ = waiting.send(Answer {
            value,
            line,
            took: Duration::ZERO,
        });
        Ok(())
    }
}

fn cut(line: &str) -> String {
    line.chars().take(200).collect()
}

impl Adapter {
    /// Starts an adapter and lets it say hello.
    pub(crate) async fn start(command: &[String]) -> Result<Self, Gone> {
        let (program, arguments) = command
            .split_first()
            .ok_or_else(|| Gone("the adapter's command is empty".to_owned()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            // The gateway is on loopback; a proxy of this machine has no part in it.
            .env_remove("ALL_PROXY")
            .env_remove("all_proxy")
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .spawn()
            .map_err(|why| Gone(format!("the adapter cannot be started: {program}: {why}")))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Gone("the adapter has no pipes".to_owned()));
        };
        let shared = Arc::new(Shared::default());
        let (lines, to_write) = mpsc::unbounded_channel();
        let errors = tokio::spawn(keep_stderr(stderr, Arc::clone(&shared)));
        tokio::spawn(write_lines(stdin, to_write));
        let reading = tokio::spawn(read_lines(stdout, child, errors, Arc::clone(&shared)));
        let mut adapter = Self {
            lines,
            shared,
            reading,
            hello: Hello::default(),
        };
        adapter.hello = adapter.say_hello(HELLO_WITHIN).await?;
        Ok(adapter)
    }

    async fn say_hello(&self, within: Duration) -> Result<Hello, Gone> {
        let asked = self.ask(json!({ "op": "hello", "protocol": PROTOCOL }));
        let answer = match tokio::time::timeout(within, asked).await {
            Ok(answer) => answer?.value,
            Err(_) => {
                let why = format!(
                    "the adapter did not answer hello within {} s",
                    within.as_secs()
                );
                self.shared.fail_all(&why);
                self.reading.abort();
                return Err(Gone(why));
            }
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let protocol = answer.get("protocol").and_then(Value::as_u64);
        let capabilities = answer
            .get("capabilities")
            .and_then(Value::as_array)
            .map(|all| {
                all.iter()
                    .filter_map(|capability| capability.as_str().map(str::to_owned))
                    .collect()
            });
        let lacks = answer.get("lacks").and_then(Value::as_object);
        let lacks = lacks
            .into_iter()
            .flatten()
            .filter_map(|(capability, why)| Some((capability.clone(), why.as_str()?.to_owned())))
            .collect();
        let at_once = answer
            .get("at_once")
            .and_then(Value::as_u64)
            .and_then(|most| usize::try_from(most).ok());
        match (protocol, text("sdk"), capabilities) {
            (Some(PROTOCOL), Some(sdk), Some(capabilities)) => Ok(Hello {
                sdk,
                capabilities,
                lacks,
                at_once,
            }),
            _ => Err(Gone(format!(
                "the adapter's hello is not as PROTOCOL.md has it: {answer}"
            ))),
        }
    }

    /// Lets it end by itself: one that has started other programs has something to clear away. Answers with all that it
    /// wrote to its standard error.
    pub(crate) async fn end(mut self) -> String {
        // The writer ends with its last sender, and the pipe with the writer.
        self.lines = mpsc::unbounded_channel().0;
        // Where it does not end in time, dropping `self` ends it.
        let _ = tokio::time::timeout(ENDS_WITHIN, &mut self.reading).await;
        self.stderr()
    }

    /// Whether it still answers.
    pub(crate) async fn is_well(&self) -> bool {
        self.say_hello(Duration::from_secs(5)).await.is_ok()
    }

    /// Whether it is gone.
    pub(crate) fn is_gone(&self) -> bool {
        lock(&self.shared.waiting).gone.is_some()
    }

    /// Sends a request; its id can be used before the answer is there.
    pub(crate) fn send(
        &self,
        mut request: Value,
    ) -> (u64, impl Future<Output = Result<Answer, Gone>> + use<>) {
        let id = self.shared.ids.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(members) = request.as_object_mut() {
            members.insert("id".to_owned(), id.into());
        }
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiting = lock(&self.shared.waiting);
            if waiting.gone.is_none() {
                waiting.answers.insert(id, sender);
            }
        }
        let asked = Instant::now();
        // A writer that is gone has closed the pipe: the reader says why.
        let _ = self.lines.send(format!("{request}\n"));
        let shared = Arc::clone(&self.shared);
        let answer = async move {
            let mut answer = receiver.await.map_err(|_| shared.why_gone())?;
            answer.took = asked.elapsed();
            Ok(answer)
        };
        (id, answer)
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&self, request: Value) -> Result<Answer, Gone> {
        self.send(request).1.await
    }

    /// Everything it wrote to its standard error, as far as it is kept.
    pub(crate) fn stderr(&self) -> String {
        lock(&self.shared.stderr).clone()
    }
}

async fn write_lines(mut stdin: ChildStdin, mut lines: mpsc::UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// Reads answers until the adapter ends or breaks the protocol; then ends it.
async fn read_lines(
    stdout: ChildStdout,
    mut child: Child,
    errors: JoinHandle<()>,
    shared: Arc<Shared>,
) {
    let mut reader = BufReader::new(stdout);
    let mut why = loop {
        let mut line = Vec::new();
        match (&mut reader)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) => break None,
            Ok(_) if line.last() != Some(&b'\n') => {
                break Some(format!(
                    "the adapter's last line has no end: {}",
                    cut(&String::from_utf8_lossy(&line))
                ));
            }
            Ok(_) => {}
            Err(error) => break Some(format!("the adapter cannot be read: {error}")),
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Err(why) = shared.on_line(line) {
            break Some(why);
        }
    };
    if why.is_some() {
        // It may have ended already.
        let _ = child.start_kill();
    }
    let ended = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
    // What it said last is often the reason.
    let _ = tokio::time::timeout(Duration::from_secs(1), errors).await;
    let status = ended
        .ok()
        .and_then(Result::ok)
        .as_ref()
        .map_or_else(|| "unknown".to_owned(), ExitStatus::to_string);
    let why = why
        .take()
        .unwrap_or_else(|| format!("the adapter ended ({status})"));
    let said = lock(&shared.stderr).clone();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    shared.fail_all(&if last.is_empty() {
        why
    } else {
        format!("{why}; it said: {}", last.join(" | "))
    });
}

async fn keep_stderr(stderr: ChildStderr, shared: Arc<Shared>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut kept = lock(&shared.stderr);
        if kept.len() + line.len() < MAX_STDERR {
            kept.push_str(&line);
            kept.push('\n');
        }
    }
}
