//! The reference gateway beside other servers that stand in for an API: how soon each is ready, what memory it takes, how many requests it
//! answers. Load is by `wrk`, in rounds that alternate, with all of them running.
//!
//! The gateway does everything it does by default: keys, journal, and limits with their headers, which are set so high that they hold nobody
//! back. The others are as their documentation starts them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::apt::{install, may_install, on_path};
use crate::maven::Maven;
use crate::npm_package::{copy_folder, make_empty};
use crate::process::{answer, quietly};
use crate::project::Kit;
use crate::workspace::Workspace;
use crate::{Result, gateway};

const CRATE: &str = "gatewright-server-mock";
const PATH: &str = "/v1/contacts/ct_000001";
const KEY: &str = "Authorization: Bearer sk_test_pro_bench";
/// Limits that are counted, and hold nobody back.
const LIMITS: &str = r#"{"limits":{"count":1000000000,"period_ms":1000,"burst":1000000000}}"#;
const STARTS: usize = 5;
const ROUNDS: usize = 7;
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Minutes of load in which memory is looked at each minute, unless the variable says another number.
const SOAK_MINUTES: u32 = 2;
const SOAK_VARIABLE: &str = "GATEWRIGHT_SOAK_MINUTES";

struct Peer {
    name: String,
    /// On this port, with the second for whom has one to be set up by.
    command: Box<dyn Fn(u16, u16) -> Command>,
    /// What the second port is told once the server is ready: a path and JSON.
    told: Option<(&'static str, &'static str)>,
}

struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Row {
    name: String,
    ready: Vec<Duration>,
    fresh_kb: u64,
    used_kb: u64,
    rates: Vec<f64>,
}

/// Builds the gateway, gets the others and prints the table.
pub(super) fn print(workspace: &Workspace) -> Result<()> {
    wrk()?;
    let peers = peers(workspace)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut running = Vec::new();
    for peer in &peers {
        let mut row = Row {
            name: peer.name.clone(),
            ready: Vec::new(),
            fresh_kb: 0,
            used_kb: 0,
            rates: Vec::new(),
        };
        for at in 0..STARTS {
            let (server, ready) = start(peer)?;
            row.ready.push(ready);
            row.fresh_kb = memory_kb(&server)?;
            if at + 1 == STARTS {
                running.push(server);
            }
        }
        rows.push(row);
    }
    // A JVM compiles what it does often.
    for server in &running {
        load(server, 5)?;
    }
    for _ in 0..ROUNDS {
        for (row, server) in rows.iter_mut().zip(&running) {
            row.rates.push(load(server, 2)?);
        }
    }
    for (row, server) in rows.iter_mut().zip(&running) {
        row.used_kb = memory_kb(server)?;
    }
    let own = rows.first().map_or(0.0, |row| median(&row.rates));
    println!(
        "| GET of 180 bytes, 32 connections | ready, ms | memory when ready, MB | requests/s | gatewright is | memory after, MB |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for row in &rows {
        let ready: Vec<f64> = row
            .ready
            .iter()
            .map(|time| time.as_secs_f64() * 1e3)
            .collect();
        let rate = median(&row.rates);
        println!(
            "| {} | {:.0} | {:.0} | {rate:.0} | {:.1} times | {:.0} |",
            row.name,
            median(&ready),
            row.fresh_kb as f64 / 1024.0,
            own / rate,
            row.used_kb as f64 / 1024.0,
        );
    }
    println!(
        "\nReady: from starting the process to its first answer, the median of {STARTS}. Requests: medians of {ROUNDS} rounds of 2 s that alternate, by `wrk` on the same machine, after 5 s of load."
    );
    drop(running);
    if let Some(own) = peers.first() {
        soak(own)?;
    }
    Ok(())
}

/// Load for some minutes, with the memory after each.
fn soak(peer: &Peer) -> Result<()> {
    let asked = std::env::var(SOAK_VARIABLE).ok();
    let minutes = asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(SOAK_MINUTES);
    let (server, _) = start(peer)?;
    let mut memory = Vec::new();
    for _ in 0..minutes {
        load(&server, 60)?;
        memory.push(format!("{:.0}", memory_kb(&server)? as f64 / 1024.0));
    }
    println!(
        "\nMemory of the gateway in MB after each minute of load: {}.",
        memory.join(", ")
    );
    Ok(())
}

fn peers(workspace: &Workspace) -> Result<Vec<Peer>> {
    let mut build = workspace.cargo("build");
    build.args([
        "--release",
        "--package",
        CRATE,
        "--bin",
        "gatewright-gateway",
    ]);
    crate::process::show(&mut build)?;
    let program = gateway::program(workspace, "release");
    let own = Peer {
        name: "gatewright-gateway".into(),
        command: Box::new(move |port, admin| {
            let mut command = Command::new(&program);
            command.args(["serve", "--port", &port.to_string()]);
            command.args(["--admin-port", &admin.to_string()]);
            command
        }),
        told: Some(("/admin/session", LIMITS)),
    };
    let pinned = workspace.root.join("bench/gateway");
    Ok(vec![
        own,
        prism(workspace, &pinned)?,
        wiremock(workspace, &pinned)?,
        mockserver(workspace, &pinned)?,
    ])
}

fn prism(workspace: &Workspace, pinned: &Path) -> Result<Peer> {
    let node = Kit::find(workspace)?.node;
    let project = workspace.scratch("bench-gateway");
    make_empty(&project)?;
    copy_folder(pinned, &project, &|_| true)?;
    let mut npm = node.npm();
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&project);
    quietly(&mut npm)?;
    let document = pinned.join("openapi.yaml");
    Ok(Peer {
        name: "Prism 5.16.0".into(),
        command: Box::new(move |port, _| {
            let mut command = node.command();
            command
                .arg(project.join("node_modules/@stoplight/prism-cli/dist/index.js"))
                .args(["mock", "--port", &port.to_string()])
                .arg(&document);
            command
        }),
        told: None,
    })
}

fn wiremock(workspace: &Workspace, pinned: &Path) -> Result<Peer> {
    let maven = Maven::find_or_install(workspace)?;
    let classes = classes(workspace, &maven, pinned, "wiremock")?;
    let folder = pinned.join("wiremock");
    Ok(Peer {
        name: "WireMock 3.13.2".into(),
        command: Box::new(move |port, _| {
            let mut command = maven.java();
            command
                .args([
                    "-cp",
                    &classes,
                    "wiremock.Run",
                    "--port",
                    &port.to_string(),
                    "--root-dir",
                ])
                .arg(&folder);
            command
        }),
        told: None,
    })
}

fn mockserver(workspace: &Workspace, pinned: &Path) -> Result<Peer> {
    let maven = Maven::find_or_install(workspace)?;
    let classes = classes(workspace, &maven, pinned, "mockserver")?;
    let answers = format!(
        "-Dmockserver.initializationJsonPath={}",
        pinned.join("mockserver.json").display()
    );
    Ok(Peer {
        name: "MockServer 5.15.0".into(),
        command: Box::new(move |port, _| {
            let mut command = maven.java();
            command
                .args([&answers, "-Dmockserver.logLevel=WARN", "-cp", &classes])
                .args(["org.mockserver.cli.Main", "-serverPort", &port.to_string()]);
            command
        }),
        told: None,
    })
}

fn classes(workspace: &Workspace, maven: &Maven, pinned: &Path, name: &str) -> Result<String> {
    let file = workspace.scratch(&format!("bench-{name}.classpath"));
    let mut command = maven.command(pinned, &workspace.scratch("bench-gateway-build"));
    command
        .arg("--quiet")
        .arg(format!("--file={name}.xml"))
        .arg("dependency:build-classpath")
        .arg(format!("-Dmdep.outputFile={}", file.display()));
    quietly(&mut command)?;
    Ok(fs::read_to_string(file)?.trim().to_owned())
}

fn start(peer: &Peer) -> Result<(Running, Duration)> {
    // Free a moment ago, and nobody else is looking for one.
    let free = [
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    ];
    let [port, second] = [free[0].local_addr()?.port(), free[1].local_addr()?.port()];
    drop(free);
    let mut command = (peer.command)(port, second);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| format!("{}: {error}", peer.name))?;
    let server = Running { child, port };
    while begun.elapsed() < READY_WITHIN {
        if answers(port) {
            let ready = begun.elapsed();
            if let Some((path, json)) = peer.told {
                tell(second, path, json)?;
            }
            return Ok((server, ready));
        }
        sleep(Duration::from_millis(1));
    }
    Err(format!(
        "{} was not ready within {} s",
        peer.name,
        READY_WITHIN.as_secs()
    )
    .into())
}

fn answers(port: u16) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            socket,
            "GET {PATH} HTTP/1.1\r\nhost: localhost\r\n{KEY}\r\nconnection: close\r\n\r\n"
        )?;
        let mut head = [0; 12];
        socket.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    asked().unwrap_or(false)
}

/// Sends JSON, which has to be taken.
fn tell(port: u16, path: &str, json: &str) -> Result<()> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        socket,
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}",
        json.len()
    )?;
    let mut said = String::new();
    socket.read_to_string(&mut said)?;
    if said.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(format!("POST {path}: {}", said.lines().next().unwrap_or_default()).into())
}

/// Requests a second.
fn load(server: &Running, seconds: u32) -> Result<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c32", &format!("-d{seconds}s"), "-H", KEY])
        .arg(format!("http://127.0.0.1:{}{PATH}", server.port));
    let said = answer(&mut wrk)?;
    if let Some(line) = said.lines().find(|line| line.contains("Non-2xx")) {
        return Err(format!("wrk: {line}").into());
    }
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    let rate = rate.and_then(|rate| rate.trim().parse().ok());
    rate.ok_or_else(|| format!("wrk said {said:?}").into())
}

fn memory_kb(server: &Running) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| "the system does not say what memory a process has".into())
}

fn wrk() -> Result<()> {
    if on_path(&["wrk"]).is_some() {
        return Ok(());
    }
    if !may_install() {
        return Err(
            "there is no wrk, which makes the load: install it (on Debian: apt-get install wrk)"
                .into(),
        );
    }
    install("there is no wrk", &["wrk"])
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
