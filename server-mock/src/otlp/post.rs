//! Sends batches to a collector: one connection a request, plain HTTP/1.1, everything with a deadline.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use url::Url;

use super::span::{Span, request};

/// To connect, to write and to read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Read of an answer; only its first line matters.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// Where spans are sent.
pub(super) struct Collector {
    host: String,
    port: u16,
    path: String,
}

impl Collector {
    /// At an address such as `http://127.0.0.1:4318`; without a path spans go to `/v1/traces` (OTLP/HTTP).
    pub(super) fn at(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the collector {url:?}: {why}");
        let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if parsed.scheme() != "http" {
            return Err(wrong(
                "only http:// is spoken; a collector on this machine can pass it on",
            ));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("a user and a password are not sent"));
        }
        let host = parsed.host_str().ok_or_else(|| wrong("it has no host"))?;
        let path = match parsed.path().trim_end_matches('/') {
            "" => "/v1/traces",
            path => path,
        };
        Ok(Self {
            host: host.into(),
            port: parsed.port().unwrap_or(4318),
            path: path.into(),
        })
    }

    /// Sends a batch. What cannot be sent is lost: a developer's gateway keeps nothing for later.
    pub(super) fn send(&self, spans: &[Span]) {
        if !spans.is_empty() {
            // Whether it came is seen at the collector.
            let _ = self.post(&request(spans).to_string());
        }
    }

    fn post(&self, body: &str) -> io::Result<()> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in (bare, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => return self.exchange(socket, body),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn exchange(&self, mut socket: TcpStream, body: &str) -> io::Result<()> {
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}:{}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.path,
            self.host,
            self.port,
            body.len()
        );
        socket.write_all(head.as_bytes())?;
        socket.write_all(body.as_bytes())?;
        let mut answer = Vec::new();
        let _ = socket.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collectors_are_named_as_elsewhere() {
        let at = |url: &str| Collector::at(url).map(|it| (it.host, it.port, it.path));
        let traces = || "/v1/traces".to_owned();
        assert_eq!(
            at("http://127.0.0.1:4318"),
            Ok(("127.0.0.1".into(), 4318, traces()))
        );
        assert_eq!(at("http://otel/"), Ok(("otel".into(), 4318, traces())));
        assert_eq!(
            at("http://[::1]:9/x/"),
            Ok(("[::1]".into(), 9, "/x".into()))
        );
        for wrong in [
            "",
            "otel:4318",
            "https://otel",
            "grpc://otel",
            "http://a:b@otel",
        ] {
            assert!(Collector::at(wrong).is_err(), "{wrong:?}");
        }
    }
}
