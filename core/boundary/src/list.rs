//! A list whose pages the host language asks for, one after the other.

use std::sync::Arc;

use futures_util::lock::Mutex;
use gatewright::{Error, Pages};

use crate::call::Control;
use crate::error;
use crate::frame::Frame;
use crate::port::Port;

/// A list. Two that ask for its next page at once get one after the other.
pub(crate) struct List(Mutex<State>);

enum State {
    Pages(Box<Pages>),
    /// What is wrong is said in place of the first page.
    Wrong(Option<Error>),
}

impl List {
    pub(crate) fn new(pages: Result<Pages, Error>) -> Self {
        Self(Mutex::new(match pages {
            Ok(pages) => State::Pages(Box::new(pages)),
            Err(wrong) => State::Wrong(Some(wrong)),
        }))
    }

    /// The call that fetches the next page.
    pub(crate) async fn next(self: Arc<Self>, port: Arc<Port>, call: u32, control: Arc<Control>) {
        let frame = match self.fetch().await {
            Ok(Some(response)) => Frame::Answer { call, response },
            Ok(None) => Frame::End { call },
            Err(error) => Frame::Error {
                call,
                error: error::to_json(&error, port.language()),
            },
        };
        port.settle(call, &control, true, frame);
    }

    async fn fetch(&self) -> Result<Option<gatewright::Response>, Error> {
        let pages = match &mut *self.0.lock().await {
            State::Wrong(wrong) => return wrong.take().map_or(Ok(None), Err),
            State::Pages(pages) => pages.next_page().await?,
        };
        let Some(page) = pages else { return Ok(None) };
        // The host language takes the items itself; that there are any is for the core to say.
        page.raw_items()?;
        Ok(Some(page.into_response()))
    }
}
