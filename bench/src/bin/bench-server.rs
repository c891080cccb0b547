//! The server that all clients are measured against: one thread, keep-alive, one fixed JSON answer.
//!
//! Under `/limited/` the answer has the rate-limit headers of draft-10, with a quota that no client comes near. Prints
//! its URL when ready, and ends when its standard input does.

#![allow(clippy::print_stdout, reason = "the ready line")]

use std::convert::Infallible;
use std::error::Error;
use std::io::Read as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
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

fn main() -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?
        .block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service =
                service_fn(|request| async move { Ok::<_, Infallible>(answer(&request)) });
            // A client that goes away in the middle is no concern of ours.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(BODY.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        "request-id",
        HeaderValue::from_static("req_0123456789abcdef"),
    );
    if request.uri().path().starts_with("/limited/") {
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
