//! A streamed answer on its way to the host language, a piece for each pull.
//!
//! Reads ahead of the pulls, up to [`AHEAD`] bytes, so that a piece is there when it is asked for, and so that small pieces cross together.
//!
//! | State | Event | Next |
//! |---|---|---|
//! | reading | a piece came | reading, or full |
//! | reading, full | pulled, and there is something | that is delivered; reading |
//! | reading | the body ended or broke | ended: the connection is given back |
//! | ended | pulled | what is left is delivered, then END or ERROR; over |

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use gatewright::{Error, RequestBuilder, StreamResponse};

use crate::call::Control;
use crate::frame::Frame;
use crate::port::Port;
use crate::{error, meta};

/// What is read before it is asked for; one piece may go beyond.
const AHEAD: usize = 256 * 1024;

/// Sends the request and hands its answer over: the head, then the body as it is pulled.
pub(crate) async fn relay(
    port: Arc<Port>,
    call: u32,
    control: Arc<Control>,
    request: RequestBuilder,
) {
    let answer = match request.stream().await {
        Ok(answer) => answer,
        Err(why) => {
            let frame = failed(&port, call, &why);
            port.settle(call, &control, true, frame);
            return;
        }
    };
    let mut head = Vec::with_capacity(1024);
    meta::of_stream(&mut head, &answer);
    let frame = Frame::Head {
        call,
        status: answer.status().as_u16(),
        meta: head,
    };
    if port.settle(call, &control, false, frame) {
        Relay {
            port,
            call,
            control,
            answer: Some(answer),
            ahead: Vec::new(),
            size: 0,
            broken: None,
        }
        .run()
        .await;
    }
}

fn failed(port: &Port, call: u32, why: &Error) -> Frame {
    Frame::Error {
        call,
        error: error::to_json(why, port.language()),
    }
}

struct Relay {
    port: Arc<Port>,
    call: u32,
    control: Arc<Control>,
    /// `None` once it ended.
    answer: Option<StreamResponse>,
    ahead: Vec<Bytes>,
    size: usize,
    broken: Option<Error>,
}

impl Relay {
    async fn run(mut self) {
        loop {
            if self.size < AHEAD {
                self.read().await;
            }
            pulled(&self.control).await;
            let call = self.call;
            let (last, frame) = if self.size > 0 {
                (
                    false,
                    Frame::Chunk {
                        call,
                        bytes: self.piece(),
                    },
                )
            } else if self.answer.is_some() {
                continue;
            } else {
                match &self.broken {
                    None => (true, Frame::End { call }),
                    Some(why) => (true, failed(&self.port, call, why)),
                }
            };
            if !self.port.settle(call, &self.control, last, frame) || last {
                return;
            }
        }
    }

    /// Reads until the body ends, until there is enough, or until somebody waits for what is there.
    async fn read(&mut self) {
        while let Some(answer) = &mut self.answer {
            let (control, something) = (&self.control, self.size > 0);
            let came = {
                let mut chunk = pin!(answer.chunk());
                std::future::poll_fn(|cx| match chunk.as_mut().poll(cx) {
                    Poll::Ready(came) => Poll::Ready(Some(came)),
                    Poll::Pending if something && control.is_waited_for() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                })
                .await
            };
            match came {
                Some(Ok(Some(bytes))) => {
                    self.size += bytes.len();
                    self.ahead.push(bytes);
                    if self.size >= AHEAD {
                        return;
                    }
                }
                Some(Ok(None)) => self.answer = None,
                Some(Err(why)) => {
                    self.answer = None;
                    self.broken = Some(why);
                }
                None => return,
            }
        }
    }

    /// All that is there, in one piece.
    fn piece(&mut self) -> Bytes {
        let pieces = std::mem::take(&mut self.ahead);
        let size = std::mem::replace(&mut self.size, 0);
        if let [only] = pieces.as_slice() {
            return only.clone();
        }
        let mut whole = BytesMut::with_capacity(size);
        pieces
            .iter()
            .for_each(|piece| whole.extend_from_slice(piece));
        whole.freeze()
    }
}

/// Waits for a pull. The call is polled again when one comes.
pub(crate) async fn pulled(control: &Control) {
    std::future::poll_fn(|_| {
        if control.is_waited_for() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
