//! Processes that share one token file, against a server that rotates refresh tokens and notices when one is used twice. And the loopback redirect.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright::oauth::OAuthErrorKind;
use gatewright::token_store::{FileStore, TokenStore as _};
use gatewright::{Auth, Client, OAuth};

/// So many calls, then the access token is refused until it is renewed.
const CALLS_OF_A_TOKEN: usize = 40;

/// What the server knows.
#[derive(Debug, Default)]
struct State {
    /// The number of the tokens that were given last.
    generation: usize,
    /// Whether the access token of that number is refused by now.
    refused: bool,
    calls: usize,
    renewals_asked_for: usize,
    refreshes: usize,
    /// Refresh tokens that came a second time.
    used_twice: usize,
    forms: Vec<BTreeMap<String, String>>,
}

struct Server {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { url, state }
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            head.push(line);
        }
        let header = |name: &str| {
            head.iter()
                .filter_map(|line| line.split_once(": "))
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length = header("content-length").map_or(0, |l| l.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, body) = if head[0].starts_with("POST /token") {
            let form: BTreeMap<_, _> = url::form_urlencoded::parse(&body).into_owned().collect();
            // Long enough for others to come in between.
            std::thread::sleep(Duration::from_millis(5));
            token(&mut state.lock().unwrap(), form)
        } else {
            call(&mut state.lock().unwrap(), &header("authorization"))
        };
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
    }
}

fn token(state: &mut State, form: BTreeMap<String, String>) -> (u16, String) {
    let expected = format!("refresh-{}", state.generation);
    let by_code = form["grant_type"] == "authorization_code";
    if !by_code && form["refresh_token"] != expected {
        state.used_twice += 1;
        return (400, r#"{"error":"invalid_grant"}"#.to_owned());
    }
    state.forms.push(form);
    state.generation += 1;
    state.refreshes += 1;
    state.refused = false;
    let number = state.generation;
    let body = format!(
        r#"{{"access_token":"access-{number}","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-{number}"}}"#
    );
    (200, body)
}

fn call(state: &mut State, authorization: &Option<String>) -> (u16, String) {
    let expected = format!("Bearer access-{}", state.generation);
    if state.refused || authorization.as_deref() != Some(&expected) {
        return (401, r#"{"code":"token_expired"}"#.to_owned());
    }
    state.calls += 1;
    if state.calls.is_multiple_of(CALLS_OF_A_TOKEN) {
        state.refused = true;
        state.renewals_asked_for += 1;
    }
    (200, "{}".to_owned())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn child(what: &str, url: &str, path: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_process_of_its_own", "--nocapture"])
        .env("GATEWRIGHT_TEST_CHILD", what)
        .env("GATEWRIGHT_TEST_URL", url)
        .env("GATEWRIGHT_TEST_STORE", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test by itself: what the processes of the others do.
#[test]
fn a_process_of_its_own() {
    let Ok(what) = std::env::var("GATEWRIGHT_TEST_CHILD") else {
        return;
    };
    let url = std::env::var("GATEWRIGHT_TEST_URL").unwrap();
    let store = FileStore::new(std::env::var("GATEWRIGHT_TEST_STORE").unwrap());
    runtime().block_on(async {
        if what == "hold" {
            let lock = store.lock().await.unwrap();
            assert!(lock.is_some());
            println!("\nheld");
            std::io::stdout().flush().unwrap();
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        let oauth = OAuth::refresh(format!("{url}/token"), "app", "refresh-0").store(store);
        let client = Client::builder(url)
            .auth(Auth::oauth(oauth))
            .build()
            .unwrap();
        let mut done = 0;
        while done < 100 {
            let batch = (0..10).map(|_| client.get("/x").send());
            let answers = futures_util::future::join_all(batch).await;
            for answer in answers {
                match answer {
                    Ok(_) => done += 1,
                    // Its second token was used up by the others meanwhile.
                    Err(error) => assert_eq!(error.code(), "authentication", "{error}"),
                }
            }
        }
    });
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("gatewright-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn processes_that_share_a_file_never_use_a_refresh_token_twice() {
    let (server, folder) = (Server::start(), folder("processes"));
    let path = folder.join("tokens.json");
    let children: Vec<_> = (0..4).map(|_| child("call", &server.url, &path)).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{shown}");
    }
    let state = server.state.lock().unwrap();
    assert_eq!(state.used_twice, 0);
    assert!(state.calls >= 400);
    // One at first, and one for each time that the token was refused; the last may not have been needed any more.
    let expected = state.renewals_asked_for..=state.renewals_asked_for + 1;
    assert!(
        expected.contains(&state.refreshes),
        "{} refreshes for {} refusals",
        state.refreshes,
        state.renewals_asked_for
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_process_that_is_killed_gives_its_lock_back() {
    let folder = folder("killed");
    let path = folder.join("tokens.json");
    let mut child = child("hold", "-", &path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("held")));
    let store = FileStore::new(&path);
    runtime().block_on(async {
        assert!(store.lock().await.unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(store.lock().await.unwrap().is_some());
    });
    std::fs::remove_dir_all(folder).unwrap();
}

/// Sends a request to the loopback listener as a browser would; its answer's status line and head.
fn browse(port: u16, target: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_loopback_takes_its_own_redirect_alone() {
    let server = Server::start();
    let oauth = OAuth::new("app")
        .token_url(format!("{}/token", server.url))
        .authorization_url("https://as.example/authorize");
    let client = Client::builder(&server.url)
        .auth(Auth::oauth(oauth.clone()))
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let login = oauth.over(&client).loopback().await.unwrap();
        let query: BTreeMap<_, _> = login.url().query_pairs().into_owned().collect();
        let redirect_uri = url::Url::parse(&query["redirect_uri"]).unwrap();
        let port = redirect_uri.port().unwrap();
        assert_eq!(
            query["redirect_uri"],
            format!("http://127.0.0.1:{port}/callback")
        );
        let state = query["state"].clone();
        let browser = std::thread::spawn(move || {
            let host = format!("127.0.0.1:{port}");
            // A connection ahead of need, which says nothing.
            let silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let good = format!("/callback?code=c1&state={state}");
            for (target, host, status) in [
                ("/favicon.ico", host.as_str(), "404"),
                ("/callback?code=evil&state=guessed", &host, "400"),
                (&good, "evil.example", "404"),
            ] {
                let answer = browse(port, target, host);
                assert!(
                    answer.starts_with(&format!("HTTP/1.1 {status}")),
                    "{target}: {answer}"
                );
            }
            let answer = browse(port, &good, &host);
            drop(silent);
            answer
        });
        let tokens = login.wait(Duration::from_secs(30)).await.unwrap();
        assert_eq!(tokens.access_token.expose(), "access-1");
        let answer = browser.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        for part in [
            "Content-Security-Policy: default-src 'none'",
            "Cache-Control: no-store",
            "You are logged in",
        ] {
            assert!(answer.contains(part), "{answer}");
        }
        client.get("/x").send().await.unwrap();
        assert_eq!(server.state.lock().unwrap().forms[0]["code"], "c1");
    });
}

#[test]
fn a_login_that_nobody_ends_is_given_up() {
    let server = Server::start();
    let oauth = OAuth::new("app")
        .token_url(format!("{}/token", server.url))
        .authorization_url("https://as.example/authorize");
    let client = Client::new(&server.url).unwrap();
    runtime().block_on(async {
        let login = oauth.over(&client).loopback().await.unwrap();
        let error = login.wait(Duration::from_millis(20)).await.unwrap_err();
        let why = gatewright::oauth::server_error(&error).unwrap();
        assert_eq!(why.kind(), OAuthErrorKind::Expired);
    });
}
