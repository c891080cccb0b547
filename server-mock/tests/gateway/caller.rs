//! A client that hides nothing: it writes a request to a socket and keeps every byte and the way the connection ended.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use gatewright_server_mock::{Gateway, Session};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long the rest of an answer, or its end, is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway of one's own, one session of it and a key.
pub(crate) struct Caller {
    pub(crate) gateway: Gateway,
    pub(crate) session: Session,
    key: String,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    /// Nothing more came for as long as the test waited.
    Open,
    Reset,
}

/// All that came back.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) raw: Vec<u8>,
    pub(crate) end: End,
}

/// A request being put together.
#[derive(Clone)]
pub(crate) struct Asking {
    address: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Caller {
    /// With a key that has no limits.
    pub(crate) async fn new() -> Self {
        Self::with_key("sk_test_unlimited_acme").await
    }

    pub(crate) async fn with_key(key: &str) -> Self {
        let gateway = Gateway::builder().start().await.unwrap();
        let session = gateway.session("test").unwrap();
        Self {
            gateway,
            session,
            key: key.into(),
        }
    }

    /// A request with the key and the session.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Asking {
        self.anonymous(method, path)
            .header("authorization", &format!("Bearer {}", self.key))
    }

    /// A request with the session and no key.
    pub(crate) fn anonymous(&self, method: &str, path: &str) -> Asking {
        asking(&self.gateway.url(), method, path).header("x-mock-session", self.session.name())
    }

    /// A request to the admin port.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Asking {
        asking(&self.gateway.admin_url(), method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.ask("GET", path).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Seen {
        self.ask("POST", path).json(&body).send().await
    }
}

/// A request to `url`; the connection is closed after the answer.
pub(crate) fn asking(url: &str, method: &str, path: &str) -> Asking {
    let address = url.strip_prefix("http://").unwrap().to_owned();
    Asking {
        headers: vec![
            ("host".into(), address.clone()),
            ("connection".into(), "close".into()),
        ],
        address,
        method: method.into(),
        path: path.into(),
        body: Vec::new(),
    }
}

impl Asking {
    /// Sets a header, in place of one of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", &length)
    }

    /// The request as bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it and reads until the connection ends.
    pub(crate) async fn send(&self) -> Seen {
        let mut socket = self.connect().await;
        socket.write_all(&self.bytes()).await.unwrap();
        read_to_end(&mut socket, PATIENCE).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }
}

/// Reads until `is_whole` is true of what came, however long that takes on a busy machine, and then for as long as
/// `read_to_end` does.
pub(crate) async fn read_whole(
    socket: &mut TcpStream,
    is_whole: impl Fn(&Seen) -> bool,
    then: Duration,
) -> Seen {
    let mut seen = Seen {
        raw: Vec::new(),
        end: End::Open,
    };
    let mut buffer = vec![0; 64 * 1024];
    while !is_whole(&seen) {
        let read = timeout(PATIENCE, socket.read(&mut buffer)).await;
        let count = read.expect("the rest has not come").unwrap();
        assert!(count > 0, "it ended in {:?}", seen.head());
        seen.raw.extend_from_slice(&buffer[..count]);
    }
    let rest = read_to_end(socket, then).await;
    seen.raw.extend(rest.raw);
    seen.end = rest.end;
    seen
}

/// An address at which nobody listens, and nobody else can for as long as it is held.
pub(crate) fn nobody() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// Where a gateway listens whose ports are closed and opened: on Linux at an address of its own, where nobody else asks for
/// any free port meanwhile.
pub(crate) const HOST_OF_ONES_OWN: IpAddr = if cfg!(target_os = "linux") {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 40))
} else {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
};

/// Reads until the connection ends or nothing has come for `patience`.
pub(crate) async fn read_to_end(socket: &mut TcpStream, patience: Duration) -> Seen {
    let mut raw = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        match timeout(patience, socket.read(&mut buffer)).await {
            Ok(Ok(0)) => break End::Fin,
            Ok(Ok(bytes)) => raw.extend_from_slice(&buffer[..bytes]),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Ok(Err(error)) => panic!("reading failed: {error}"),
            Err(_) => break End::Open,
        }
    };
    Seen { raw, end }
}

impl Seen {
    pub(crate) fn status(&self) -> u16 {
        let head = self.head();
        let line = head.lines().next().unwrap_or_default();
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3));
        status
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status line in {line:?}, {:?}", self.end))
    }

    pub(crate) fn head(&self) -> String {
        let end = find(&self.raw, b"\r\n\r\n").unwrap_or(self.raw.len());
        String::from_utf8_lossy(&self.raw[..end]).into_owned()
    }

    /// A header that is there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self
            .head()
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
            .collect();
        assert!(values.len() < 2, "{name} is repeated: {values:?}");
        values.into_iter().next()
    }

    /// The body, without chunk framing.
    pub(crate) fn body(&self) -> Vec<u8> {
        let start = find(&self.raw, b"\r\n\r\n").map_or(self.raw.len(), |at| at + 4);
        let framed = &self.raw[start..];
        if self.header("transfer-encoding").as_deref() == Some("chunked") {
            dechunked(framed)
        } else {
            framed.to_vec()
        }
    }

    /// Whether the head is there and all of the body that it announces.
    pub(crate) fn is_whole(&self) -> bool {
        let Some(head) = find(&self.raw, b"\r\n\r\n") else {
            return false;
        };
        let length = self.header("content-length");
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        self.raw.len() >= head + 4 + length
    }

    pub(crate) fn json(&self) -> Value {
        let body = self.body();
        serde_json::from_slice(&body).unwrap_or_else(|error| {
            panic!(
                "{error} in {:?}, {:?}",
                String::from_utf8_lossy(&self.raw),
                self.end
            )
        })
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn dechunked(mut framed: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = find(framed, b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&framed[..at]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&framed[at + 2..at + 2 + size]);
        framed = &framed[at + 4 + size..];
    }
    body
}
