//! Keeps web pages away from the admin port: a loopback `Host` (against DNS rebinding) and no foreign `Origin`.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};

use super::AdminError;

/// Lets a request through only if it names this machine and does not come from another site's page.
pub(super) async fn check(own: SocketAddr, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .map(|value| value.to_str().unwrap_or(""));
    let Some(host) = host.filter(|host| is_own(host, own)) else {
        return refuse("Host must be localhost or a loopback address");
    };
    let foreign = request.headers().get_all(ORIGIN).iter().any(|origin| {
        origin
            .to_str()
            .ok()
            .and_then(|origin| origin.strip_prefix("http://"))
            != Some(host)
    });
    if foreign {
        return refuse("Origin must be the admin port itself");
    }
    next.run(request).await
}

fn refuse(detail: &str) -> Response {
    AdminError {
        status: StatusCode::FORBIDDEN,
        code: "foreign_caller",
        detail: detail.into(),
    }
    .into_response()
}

fn is_own(host: &str, own: SocketAddr) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    bare.parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback() || address == own.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_own() {
        let own: SocketAddr = "127.0.0.1:4011".parse().unwrap();
        for host in [
            "localhost",
            "LOCALHOST:4011",
            "127.0.0.1:4011",
            "127.9.9.9",
            "[::1]:4011",
        ] {
            assert!(is_own(host, own), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com:4011",
            "127.0.0.1.nip.io",
            "10.0.0.1:4011",
            "0.0.0.0",
        ] {
            assert!(!is_own(host, own), "{host}");
        }
    }
}
