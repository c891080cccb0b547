//! What a process has: clients, calls, questions, and whoever drives them.

use std::sync::Arc;

use gatewright_boundary::{Batch, Port as BoundaryPort};

use crate::blob::Blob;
use crate::client::NativeClient;
use crate::drive::Driver;
use crate::error::NativeError;
use crate::mailbox::{Mailbox, MailboxHost};

/// The language of the host: names of options in texts are that language's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Language {
    /// Swift: `baseURL`, `allowHTTP`.
    Swift,
    /// Kotlin: `baseUrl`, `allowHttp`.
    Kotlin,
}

impl From<Language> for gatewright_boundary::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Swift => Self::Swift,
            Language::Kotlin => Self::Kotlin,
        }
    }
}

/// Frames for one crossing.
#[derive(Debug, Default, uniffi::Record)]
pub struct Delivery {
    /// The frames, one after the other; none where there is nothing left to drive.
    pub frames: Blob,
    /// Bodies that are not in the frames; these name them by index.
    pub large: Vec<Blob>,
}

impl From<Batch> for Delivery {
    fn from(batch: Batch) -> Self {
        Self {
            frames: batch.bytes.into(),
            large: batch
                .large
                .into_iter()
                .map(|body| Vec::from(body).into())
                .collect(),
        }
    }
}

/// Everything that a process has under way. All of it may be called from any thread.
#[derive(uniffi::Object)]
pub struct Port {
    pub(crate) boundary: Arc<BoundaryPort>,
    pub(crate) mailbox: Arc<Mailbox>,
    driver: Driver,
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").finish_non_exhaustive()
    }
}

#[uniffi::export]
impl Port {
    /// A port. It costs nothing until a client is opened.
    #[uniffi::constructor]
    #[must_use]
    pub fn new(language: Language) -> Arc<Self> {
        let mailbox = Arc::<Mailbox>::default();
        Arc::new(Self {
            boundary: BoundaryPort::new(
                Arc::new(MailboxHost(Arc::clone(&mailbox))),
                language.into(),
            ),
            mailbox,
            driver: Driver::default(),
        })
    }

    /// A client with the settings of this JSON.
    ///
    /// # Errors
    /// What is wrong with them, as JSON.
    pub fn open_client(
        self: Arc<Self>,
        base_url: &str,
        settings: &str,
    ) -> Result<Arc<NativeClient>, NativeError> {
        let client = self.boundary.open_client(base_url, settings)?;
        Ok(Arc::new(NativeClient::new(self, client)?))
    }

    /// Gives up a call, or the answer's stream that came of it: nothing more comes. Unknown numbers are fine.
    pub fn cancel(&self, call: u32) {
        self.boundary.cancel(call);
        self.rest();
    }

    /// Asks for the next piece of a streamed answer: CHUNK, END or ERROR comes.
    pub fn pull(&self, call: u32) {
        self.boundary.pull(call);
    }

    /// Asks for the next page of a list, as a call of its own: ANSWER, END or ERROR comes.
    pub fn next_page(&self, call: u32, list: u32) {
        self.boundary.next_page(call, list);
    }

    /// Asks for the next events of a stream of them, as a call of its own: CHUNK (some events as JSON, and the call is over), END or ERROR
    /// comes.
    pub fn next_events(&self, call: u32, list: u32) {
        self.boundary.next_events(call, list);
    }

    /// Forgets a list, or a stream of events.
    pub fn drop_pages(&self, list: u32) {
        self.boundary.drop_pages(list);
        self.rest();
    }

    /// Answers a question.
    pub fn answer(&self, question: u32, text: Option<String>, bytes: Option<Blob>) {
        self.boundary
            .answer(question, text, bytes.map(|blob| blob.0.into()));
    }

    /// What was asked threw: `cause` is the host's number for the thrown value, `text` what it says.
    pub fn fail(&self, question: u32, cause: u32, text: &str) {
        self.boundary.fail(question, cause, text);
    }

    /// Runs what is under way until there are frames, and gives these. Without any, nothing is left to drive: no client is open and nobody
    /// waits, or the port is stopped. The thread may then end; whoever begins a call later drives anew.
    #[must_use]
    pub fn drive(&self) -> Delivery {
        self.drive_batch().into()
    }

    /// Drops everything, for good: nothing is delivered any more, and who drives comes back with nothing.
    pub fn stop(&self) {
        self.boundary.close();
        self.mailbox.stop();
        self.driver.rest(&self.mailbox, &self.boundary);
    }

    /// How many calls, pieces and pages the host waits for; not 0 before all frames are handed over.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        // In this order: frames are there before nobody waits for them.
        match self.boundary.waiting() {
            0 => u32::from(self.mailbox.contents().has_frames()),
            some => u32::try_from(some).unwrap_or(u32::MAX),
        }
    }
}

impl Port {
    pub(crate) fn drive_batch(&self) -> Batch {
        loop {
            match self.driver.drive(&self.mailbox, &self.boundary) {
                Ok(batch) => return batch,
                Err(error) => {
                    self.boundary.fail_all(&without_runtime(&error));
                    let tasks = self.mailbox.change(|all| std::mem::take(&mut all.tasks));
                    drop(tasks);
                    let batch = self.mailbox.contents().next_batch();
                    if let Some(batch) = batch {
                        return batch;
                    }
                }
            }
        }
    }

    /// A client was opened.
    pub(crate) fn opened(&self) -> std::io::Result<()> {
        self.mailbox.contents().clients += 1;
        self.driver.make_ready().inspect_err(|_| self.closed())
    }

    /// A client was closed.
    pub(crate) fn closed(&self) {
        self.mailbox
            .change(|contents| contents.clients = contents.clients.saturating_sub(1));
        self.rest();
    }

    /// Lets go of the connections, where nobody needs them any more and nobody drives: nobody else would.
    fn rest(&self) {
        if self.mailbox.contents().clients == 0 {
            self.driver.rest(&self.mailbox, &self.boundary);
        }
    }
}

/// Why nothing can be run.
pub(crate) fn without_runtime(error: &std::io::Error) -> String {
    format!("the system gives no means to wait for connections: {error}")
}
