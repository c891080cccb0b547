//! Everything that one host thread has under way: calls, lists, questions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use bytes::Bytes;
use gatewright::{ClientBuilder, Error, ErrorKind};

use crate::call::{Control, Driven};
use crate::client::HostClient;
use crate::events::EventStream;
use crate::frame::Frame;
use crate::host::Host;
use crate::list::List;
use crate::names::Language;
use crate::question::{Reply, Slot, gone, thrown};
use crate::settings::Settings;
use crate::table::Table;
use crate::{error, json};

/// Everything that one host thread has under way. Its methods are for that thread.
///
/// Calls, lists and questions go by numbers; the host language chooses those of calls and lists, and uses none twice at a time.
pub struct Port {
    host: Arc<dyn Host>,
    language: Language,
    calls: Table<Arc<Control>>,
    lists: Table<Arc<List>>,
    events: Table<Arc<EventStream>>,
    questions: Table<Arc<Slot>>,
    last_question: AtomicU32,
    last_stream: AtomicU32,
    waiting: AtomicUsize,
    closed: AtomicBool,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").finish_non_exhaustive()
    }
}

impl Port {
    /// A port of this host. Texts have the names of options that the language has.
    pub fn new(host: Arc<dyn Host>, language: Language) -> Arc<Self> {
        Arc::new(Self {
            host,
            language,
            calls: Table::default(),
            lists: Table::default(),
            events: Table::default(),
            questions: Table::default(),
            last_question: AtomicU32::new(0),
            last_stream: AtomicU32::new(0),
            waiting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// A client with the settings of this JSON, and with the transport of the core for this target.
    ///
    /// # Errors
    /// The error as JSON.
    pub fn open_client(
        self: &Arc<Self>,
        base_url: &str,
        settings: &str,
    ) -> Result<HostClient, String> {
        self.open_client_with(base_url, settings, |builder| builder)
    }

    /// As [`Port::open_client`]; `adjust` may give another transport and runtime.
    ///
    /// # Errors
    /// The error as JSON.
    pub fn open_client_with(
        self: &Arc<Self>,
        base_url: &str,
        settings: &str,
        adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<HostClient, String> {
        let opened = Settings::read(self, base_url, settings).and_then(|settings| {
            let client = adjust(settings.builder).build()?;
            Ok(HostClient::new(
                self,
                client,
                settings.number,
                settings.logins,
            ))
        });
        opened.map_err(|wrong| json::text(error::to_json(&wrong, self.language)))
    }

    /// Gives up a call, its answer's stream included: its future is dropped, and nothing more is delivered for it. Unknown numbers are fine.
    pub fn cancel(&self, call: u32) {
        if let Some(control) = self.calls.take(call)
            && control.give_up()
        {
            self.waits_no_more();
        }
    }

    /// Asks for the next piece of a streamed answer: CHUNK, END or ERROR comes. A pull while one is under way is the same pull; one of a
    /// call that is not there, or not any more, is answered by an ERROR `closed`.
    pub fn pull(&self, call: u32) {
        match self.calls.get(call) {
            Some(control) => {
                if control.wait() {
                    self.waiting.fetch_add(1, Ordering::AcqRel);
                }
            }
            None => self.refuse(call, &Error::new(ErrorKind::Closed, "the stream is closed")),
        }
    }

    /// Asks for the next page of a list, as a call of its own: ANSWER, END or ERROR comes. For a list that is not there that is an ERROR
    /// `closed`.
    pub fn next_page(self: &Arc<Self>, call: u32, list: u32) {
        match self.lists.get(list) {
            Some(list) => self.begin(call, |port, control| list.next(port, call, control)),
            None => self.refuse(call, &Error::new(ErrorKind::Closed, "the list is closed")),
        }
    }

    /// Asks for the next events of a stream, as a call of its own: CHUNK comes with their JSON, `[{event, data, id}]`, or END or ERROR. For
    /// a stream that is not there that is an ERROR `closed`.
    pub fn next_events(self: &Arc<Self>, call: u32, list: u32) {
        match self.events.get(list) {
            Some(stream) => self.begin(call, |port, control| stream.next(port, call, control)),
            None => self.refuse(call, &Error::new(ErrorKind::Closed, "the stream is closed")),
        }
    }

    /// Forgets a list or a stream of events. What is under way still comes.
    pub fn drop_pages(&self, list: u32) {
        drop(self.lists.take(list));
        drop(self.events.take(list));
    }

    /// Answers a question. Unknown numbers are fine: whoever asked may have gone.
    pub fn answer(&self, question: u32, text: Option<String>, bytes: Option<Bytes>) {
        if let Some(slot) = self.questions.take(question) {
            slot.fill(Ok(Reply { text, bytes }));
        }
    }

    /// What was asked threw: `cause` is the host language's number for the thrown value. It comes back in the error that comes of it.
    pub fn fail(&self, question: u32, cause: u32, text: &str) {
        if let Some(slot) = self.questions.take(question) {
            slot.fill(Err(thrown(cause, text)));
        }
    }

    /// How many calls, pieces and pages the host language waits for now: while there are any, the process is to stay alive.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// A call of a client that is not there any more: an ERROR `closed` comes of it.
    pub fn refuse_closed(&self, call: u32) {
        self.refuse(call, &Error::new(ErrorKind::Closed, "the client is closed"));
    }

    /// How many calls and streams of events are under way, those that nobody reads from now included.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.calls.len() + self.events.len()
    }

    /// The error, as JSON, of a client that cannot run for want of a runtime: `what` says why.
    #[must_use]
    pub fn without_runtime(&self, what: &str) -> String {
        let error = Error::new(ErrorKind::Connect, what);
        json::text(error::to_json(&error, self.language))
    }

    /// Everything that is under way fails, for want of a runtime: `what` says why.
    pub fn fail_all(&self, what: &str) {
        for (call, control) in self.calls.take_all() {
            if control.give_up() {
                self.refuse(call, &Error::new(ErrorKind::Connect, what));
                self.waits_no_more();
            }
        }
    }

    /// The host thread goes away: everything is dropped, and nothing is delivered any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for (_, control) in self.calls.take_all() {
            if control.give_up() {
                self.waits_no_more();
            }
        }
        drop(self.lists.take_all());
        drop(self.events.take_all());
        for (_, slot) in self.questions.take_all() {
            slot.fill(Err(gone()));
        }
    }

    /// Begins a call; `make` makes its future.
    pub(crate) fn begin<F>(
        self: &Arc<Self>,
        call: u32,
        make: impl FnOnce(Arc<Self>, Arc<Control>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let control = Arc::new(Control::default());
        self.waiting.fetch_add(1, Ordering::AcqRel);
        if let Some(before) = self.calls.put(call, Arc::clone(&control))
            && before.give_up()
        {
            self.waits_no_more();
        }
        let future = make(Arc::clone(self), Arc::clone(&control));
        self.host.spawn(Box::pin(Driven::new(
            Arc::clone(self),
            call,
            control,
            future,
        )));
    }

    /// Delivers what the host language waits for, where it still does; whether so. With the last frame the call is over.
    pub(crate) fn settle(
        &self,
        call: u32,
        control: &Arc<Control>,
        last: bool,
        frame: Frame,
    ) -> bool {
        if !control.settle(last) {
            return false;
        }
        if last {
            self.calls
                .take_if(call, |entry| Arc::ptr_eq(entry, control));
        }
        // In this order: a host whose calls are driven by another thread would see neither a frame nor anybody who waits for one.
        self.deliver(frame);
        self.waits_no_more();
        true
    }

    /// The call has ended by a mistake of ours: nobody is to wait for it for ever.
    pub(crate) fn broke(&self, call: u32, control: &Arc<Control>) {
        let what = "has failed by a mistake of Gatewright's own, which please report; whether the server did it is not known";
        let error = Error::new(ErrorKind::OutcomeUnknown, what);
        let frame = Frame::Error {
            call,
            error: error::to_json(&error, self.language),
        };
        self.settle(call, control, true, frame);
    }

    /// The call's future is gone.
    pub(crate) fn forget(&self, call: u32, control: &Arc<Control>) {
        if control.give_up() {
            self.waits_no_more();
        }
        self.calls
            .take_if(call, |entry| Arc::ptr_eq(entry, control));
    }

    /// A call that fails before it begins.
    pub(crate) fn refuse(&self, call: u32, why: &Error) {
        self.deliver(Frame::Error {
            call,
            error: error::to_json(why, self.language),
        });
    }

    pub(crate) fn keep_list(&self, number: u32, list: List) {
        if !self.closed.load(Ordering::Acquire) {
            drop(self.lists.put(number, Arc::new(list)));
        }
    }

    pub(crate) fn keep_events(&self, number: u32, stream: EventStream) {
        if !self.closed.load(Ordering::Acquire) {
            drop(self.events.put(number, Arc::new(stream)));
        }
    }

    /// Keeps the place for an answer, under a number that is not 0.
    pub(crate) fn keep_question(&self, slot: Arc<Slot>) -> u32 {
        let number = count(&self.last_question);
        self.questions.put(number, Arc::clone(&slot));
        // Looked at afterwards, so that a port that is being closed meanwhile leaves nobody waiting.
        if self.closed.load(Ordering::Acquire) && self.questions.take(number).is_some() {
            slot.fill(Err(gone()));
        }
        number
    }

    /// Whoever asked is gone: whether the question was not answered yet.
    pub(crate) fn forget_question(&self, number: u32) -> bool {
        self.questions.take(number).is_some()
    }

    /// A number for the stream of a body, one for each attempt.
    pub(crate) fn number_of_stream(&self) -> u32 {
        count(&self.last_stream)
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Delivers a question, or word that one is over.
    pub(crate) fn tell(&self, question: Vec<u8>) {
        self.deliver(Frame::Ask { question });
    }

    fn deliver(&self, frame: Frame) {
        if !self.closed.load(Ordering::Acquire) {
            self.host.deliver(frame);
        }
    }

    fn waits_no_more(&self) {
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.host.nobody_waits();
        }
    }

    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 3] {
        [self.calls.len(), self.lists.len(), self.questions.len()]
    }
}

/// The next number, which is never 0.
fn count(last: &AtomicU32) -> u32 {
    loop {
        let number = last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if number != 0 {
            return number;
        }
    }
}
