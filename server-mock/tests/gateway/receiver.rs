//! A receiver of webhooks: keeps every request and answers what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One webhook as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value);
        values
            .next()
            .unwrap_or_else(|| panic!("{name} is missing in {}", self.head))
    }

    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .collect()
    }
}

/// Listens on a port of its own.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl Receiver {
    /// Answers these statuses in turn, then 204.
    pub(crate) async fn answering(statuses: &[u16]) -> Self {
        let answers = statuses
            .iter()
            .map(|status| format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\n\r\n"))
            .collect();
        Self::start(answers).await
    }

    /// Answers these bytes in turn, then 204.
    pub(crate) async fn start(answers: VecDeque<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook?for=test", listener.local_addr().unwrap()),
            received: Arc::default(),
            answers: Arc::new(Mutex::new(answers)),
        };
        let (received, answers) = (
            Arc::clone(&receiver.received),
            Arc::clone(&receiver.answers),
        );
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(receive(socket, Arc::clone(&received), Arc::clone(&answers)));
            }
        });
        receiver
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn receive(
    mut socket: TcpStream,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<String>>>,
) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let one = Received {
            head: String::from_utf8(bytes[..end].to_vec()).unwrap(),
            body: bytes[end + 4..].to_vec(),
        };
        if one.body.len() < one.header("content-length").parse().unwrap() {
            continue;
        }
        received.lock().unwrap().push(one);
        let answer = answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| "HTTP/1.1 204 No Content\r\n\r\n".into());
        let _ = socket.write_all(answer.as_bytes()).await;
        return;
    }
}
