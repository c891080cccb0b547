//! A server that keeps nothing of what it answered: `{}` for every path, but an endless body for `/stream`, and nothing at all for `/never`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the server has seen.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
    pub(crate) requests: AtomicUsize,
}

/// A server; its address, and what it has seen.
pub(crate) fn begin() -> (String, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let counts = Arc::<Counts>::default();
    let of_server = Arc::clone(&counts);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let counts = Arc::clone(&of_server);
            std::thread::spawn(move || {
                counts.opened.fetch_add(1, Ordering::SeqCst);
                let _ = serve(connection, &counts);
                counts.closed.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    (address, counts)
}

fn serve(mut connection: TcpStream, counts: &Counts) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    loop {
        let mut path = String::new();
        if reader.read_line(&mut path)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
        }
        counts.requests.fetch_add(1, Ordering::SeqCst);
        let answer: &[u8] = if path.contains("/stream") {
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        } else if path.contains("/never") {
            b""
        } else {
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        };
        connection.write_all(answer)?;
    }
}

/// Waits until `what` holds.
pub(crate) fn until(what: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if what() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(what(), "it does not come to that");
}
