//! The server that all clients are measured against: one thread, keep-alive, answers made beforehand.
//!
//! | Request | Answer |
//! |---|---|
//! | `GET /bytes/N` | `N` bytes, for each N of `SIZES` |
//! | `POST`, `PUT`, `PATCH` anywhere | reads the body, then says its length: `{"bytes":N}` |
//! | `GET /site/FILE` | a file of the folder that is the only argument, for browsers |
//! | `GET` under `/limited/` | the small body, with the rate-limit headers of draft-10 and a quota that no client comes near |
//! | any other `GET` | the small body: 250 bytes of JSON |
//!
//! Prints its URL when ready, and ends when its standard input does.

#![allow(clippy::print_stdout, reason = "the ready line")]

use std::convert::Infallible;
use std::error::Error;
use std::io::Read as _;

use bytes::Bytes;
use futures_util::StreamExt as _;
use gatewright_bench::site::Site;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyDataStream, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// 250 bytes, as an API answers them.
const BODY: &str = concat!(
    r#"{"id":"ct_000001","object":"contact","email":"ada.lovelace@example.com","name":"Ada Lovelace","#,
    r#""tags":["beta","newsletter"],"score":42.5,"active":true,"company":null,"#,
    r#""created_at":"2026-01-02T03:04:05Z","updated_at":"2026-02-03T04:05:06Z","version":17}"#
);

/// The sizes of large bodies.
const SIZES: [usize; 2] = [1_000_000, 50_000_000];

fn main() -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let site = match std::env::args_os().nth(1) {
        Some(folder) => Site::read(folder.as_ref())?,
        None => Site::default(),
    };
    // It is there as long as the process is.
    let answers = Box::leak(Box::new(Answers::new(site)));
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(serve(answers))
}

async fn serve(answers: &'static Answers) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| async move {
                let answer = match *request.method() {
                    Method::POST | Method::PUT | Method::PATCH => length_of(request).await,
                    _ => answers.to(&request),
                };
                Ok::<_, Infallible>(answer)
            });
            // A client that goes away in the middle is no concern of ours.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// All that is answered without looking into the request's body.
struct Answers {
    large: Bytes,
    site: Site,
}

impl Answers {
    fn new(site: Site) -> Self {
        let most = SIZES.into_iter().max().unwrap_or_default();
        let large = (b'!'..=b'~').cycle().take(most).collect::<Vec<u8>>();
        Self {
            large: Bytes::from(large),
            site,
        }
    }

    fn to(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if let Some(size) = path.strip_prefix("/bytes/") {
            let size = size.parse().ok().filter(|size| SIZES.contains(size));
            return size.map_or_else(not_found, |size| {
                with_type("application/octet-stream", self.large.slice(..size))
            });
        }
        if let Some(name) = path.strip_prefix("/site/") {
            return self
                .site
                .answer(name, request.headers())
                .unwrap_or_else(not_found);
        }
        let mut response = with_type("application/json", Bytes::from_static(BODY.as_bytes()));
        let headers = response.headers_mut();
        headers.insert(
            "request-id",
            HeaderValue::from_static("req_0123456789abcdef"),
        );
        if path.starts_with("/limited/") {
            headers.insert(
                "ratelimit-policy",
                HeaderValue::from_static(r#""burst";q=1000000;w=1"#),
            );
            headers.insert(
                "ratelimit",
                HeaderValue::from_static(r#""burst";r=999999;t=1"#),
            );
        }
        response
    }
}

async fn length_of(request: Request<Incoming>) -> Response<Full<Bytes>> {
    let mut body = BodyDataStream::new(request.into_body());
    let mut length = 0;
    while let Some(Ok(piece)) = body.next().await {
        length += piece.len();
    }
    with_type(
        "application/json",
        Bytes::from(format!(r#"{{"bytes":{length}}}"#)),
    )
}

fn with_type(content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let value = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = with_type("text/plain", Bytes::from_static(b"not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
