//! The program: says where it listens, is ready at once, stops when told.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::caller::{HOST_OF_ONES_OWN, asking};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright-gateway"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn ready(child: &mut Child) -> Value {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    serde_json::from_str(&line).unwrap()
}

fn ended(child: &mut Child) -> i32 {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("it did not stop");
}

#[tokio::test]
async fn it_prints_one_line_of_json_and_answers_on_both_ports() {
    let mut child = command(&[
        "serve",
        "--port",
        "0",
        "--print-json",
        "--until-stdin-closes",
    ])
    .spawn()
    .unwrap();
    let said = ready(&mut child);
    assert_eq!(said["pid"], child.id());
    let (url, admin_url) = (
        said["url"].as_str().unwrap(),
        said["admin_url"].as_str().unwrap(),
    );
    assert_eq!(asking(url, "GET", "/healthz").send().await.status(), 200);
    assert_eq!(
        asking(admin_url, "GET", "/admin/health")
            .send()
            .await
            .status(),
        200
    );
    drop(child.stdin.take());
    assert_eq!(ended(&mut child), 0);
}

#[tokio::test]
async fn it_is_ready_within_a_tenth_of_a_second() {
    let arguments = [
        "serve",
        "--port",
        "0",
        "--print-json",
        "--until-stdin-closes",
    ];
    // What it does in a moment in which the machine is not busy with other tests; such a moment comes.
    let begun = Instant::now();
    let mut best = Duration::MAX;
    while best >= Duration::from_millis(100) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{best:?}");
        let started = Instant::now();
        let mut child = command(&arguments).spawn().unwrap();
        ready(&mut child);
        best = best.min(started.elapsed());
        drop(child.stdin.take());
        ended(&mut child);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_needs_less_than_thirty_megabytes_when_ready() {
    let mut child = command(&[
        "serve",
        "--port",
        "0",
        "--print-json",
        "--until-stdin-closes",
    ])
    .spawn()
    .unwrap();
    ready(&mut child);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    drop(child.stdin.take());
    ended(&mut child);
    assert!(kilobytes < 30_000, "{kilobytes} kB");
}

#[cfg(unix)]
#[tokio::test]
async fn it_stops_on_sigterm_and_without_the_flag_not_when_stdin_closes() {
    let mut child = command(&["serve", "--port", "0", "--print-json"])
        .spawn()
        .unwrap();
    let said = ready(&mut child);
    drop(child.stdin.take());
    std::thread::sleep(Duration::from_millis(30));
    let url = said["url"].as_str().unwrap();
    assert_eq!(asking(url, "GET", "/healthz").send().await.status(), 200);
    let killed = Command::new("kill")
        .arg("-TERM")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(ended(&mut child), 0);
}

#[tokio::test]
async fn a_taken_port_is_said_in_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut child = command(&["serve", "--port", &port, "--admin-port", "0"])
        .spawn()
        .unwrap();
    assert_eq!(ended(&mut child), 1);
    let mut said = String::new();
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(
        said.starts_with(&format!(
            "gatewright-gateway: cannot listen on ports {port} and 0: "
        )),
        "{said}"
    );
    assert!(
        said.trim_end()
            .ends_with("choose others with --port and --admin-port"),
        "{said}"
    );
}

#[tokio::test]
async fn a_wrong_option_is_an_error_of_usage() {
    let mut child = command(&["serve", "--prot", "1"]).spawn().unwrap();
    assert_eq!(ended(&mut child), 2);
}

#[tokio::test]
async fn a_gateway_in_process_stops_when_shut_down_or_dropped() {
    let builder = || gatewright_server_mock::Gateway::builder().host(HOST_OF_ONES_OWN);
    let gateway = builder().start().await.unwrap();
    let url = gateway.url();
    assert_eq!(asking(&url, "GET", "/healthz").send().await.status(), 200);
    gateway.shutdown().await;
    assert!(
        tokio::net::TcpStream::connect(url.replace("http://", ""))
            .await
            .is_err()
    );

    let gateway = builder().start_blocking().unwrap();
    let address = gateway.url().replace("http://", "");
    drop(gateway);
    let dropped = Instant::now();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        assert!(dropped.elapsed().as_secs() < 30, "it still listens");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
