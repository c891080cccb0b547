//! A receiver of webhooks that fails: of ten requests three, a third each by a status, by a reset, and by saying nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What came of the requests with one `webhook-id`, in order.
pub(crate) type Seen = HashMap<String, Vec<Ended>>;

/// How the receiver ended a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Answered(u16),
    Reset,
    Silent,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    /// Fails so many of a hundred.
    pub(crate) async fn failing(percent: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let kept = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(receive(socket, Arc::clone(&kept), percent));
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Messages that were answered well at least once.
    pub(crate) fn accepted(&self) -> usize {
        let seen = self.seen.lock().unwrap();
        let well = |ends: &&Vec<Ended>| ends.contains(&Ended::Answered(204));
        seen.values().filter(well).count()
    }
}

async fn receive(mut socket: TcpStream, seen: Arc<Mutex<Seen>>, percent: u64) -> Option<()> {
    let id = request(&mut socket).await?;
    let end = {
        let mut seen = seen.lock().unwrap();
        let ends = seen.entry(id.clone()).or_default();
        let end = decide(&id, ends.len() as u64, percent);
        ends.push(end);
        end
    };
    match end {
        Ended::Answered(status) => {
            let answer = format!(
                "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            socket.write_all(answer.as_bytes()).await.ok()?;
        }
        Ended::Reset => socket.set_zero_linger().ok()?,
        // Until the sender has had enough.
        Ended::Silent => while matches!(socket.read(&mut [0; 64]).await, Ok(1..)) {},
    }
    Some(())
}

/// Reads a whole request: its `webhook-id`.
async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                head.lines().find_map(|line| {
                    let (known, value) = line.split_once(": ")?;
                    known.eq_ignore_ascii_case(name).then(|| value.to_owned())
                })
            };
            let length: usize = header("content-length")?.parse().ok()?;
            if body.len() >= length {
                return header("webhook-id");
            }
        }
        let mut buffer = [0; 4_096];
        let count = socket
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}

/// By the message and how often it came, so that a run does not depend on who is first.
fn decide(id: &str, times: u64, percent: u64) -> Ended {
    let hash = id
        .bytes()
        .chain(times.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let hash = hash ^ (hash >> 29);
    if hash % 100 >= percent {
        return Ended::Answered(204);
    }
    match (hash / 100) % 3 {
        0 => Ended::Answered(503),
        1 => Ended::Reset,
        _ => Ended::Silent,
    }
}
