//! Plays one scenario: sets the stage, opens the clients, makes the calls, looks at what was seen.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatewright_server_mock::Session;
use serde_json::{Map, Value, json};

use crate::adapter::{Adapter, Answer, Gone};
use crate::expectation::{Expectation, Seen};
use crate::pattern::shown;
use crate::placeholders::{Names, fill};
use crate::protocol;
use crate::scenario::Scenario;
use crate::stage::{self, Stage};
use crate::step::{Call, Step};
use crate::wire::{Credentials, line, requests};

/// Members of a credential that are no secrets.
const NO_SECRETS: [&str; 28] = [
    "algorithm",
    "audience",
    "authorization_url",
    "client_auth",
    "client_id",
    "client_key_id",
    "components",
    "cookie",
    "device_authorization_url",
    "digest",
    "encoding",
    "error",
    "grant",
    "header",
    "headers",
    "issuer",
    "key_id",
    "kind",
    "label",
    "parameters",
    "query",
    "resources",
    "revocation_url",
    "scopes",
    "tag",
    "text",
    "token_url",
    "user",
];
/// Texts that are shorter are no secrets worth looking for.
const SHORTEST_SECRET: usize = 8;
/// So long the ends of a scenario's requests may take to be in the journal.
const ENDS: Duration = Duration::from_secs(10);

/// How a scenario ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed(Failure),
    /// The adapter lacks a capability, and why.
    Skipped(String),
    /// It died on the way, perhaps through another scenario.
    AdapterGone(Gone),
}

/// What was wrong, and everything that was seen.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    /// One line each.
    pub(crate) problems: Vec<String>,
    pub(crate) seen: Seen,
    pub(crate) out_of_time: bool,
}

impl Failure {
    pub(crate) fn of(problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
            ..Self::default()
        }
    }

    /// The wire, one line for each request.
    pub(crate) fn wire_lines(&self) -> impl Iterator<Item = String> {
        self.seen
            .wire
            .iter()
            .enumerate()
            .map(|(index, request)| line(index + 1, request))
    }
}

/// Plays `scenario`; `number` makes its session unique.
pub(crate) async fn play(
    stage: &Stage,
    adapter: &Adapter,
    scenario: &Scenario,
    number: usize,
) -> Outcome {
    if let Some(need) = scenario
        .needs
        .iter()
        .find(|need| !adapter.hello.capabilities.contains(need))
    {
        return Outcome::Skipped(adapter.hello.lacking(need));
    }
    // The dot at the end keeps `conformance.1.` from being found in `conformance.12.`.
    let name = format!("conformance.{number}.");
    let (session, began, names) = match stage.session(&name, &scenario.gateway).await {
        Ok(session) => session,
        Err(why) => return Outcome::Failed(Failure::of(why)),
    };
    let expectation = match Expectation::read(&fill(&scenario.expect, &names)) {
        Ok(expectation) => expectation,
        Err(why) => return Outcome::Failed(Failure::of(why)),
    };
    let mut playing = Playing::new(adapter, &session, names, number);
    let limit = Duration::from_millis(scenario.deadline_ms);
    let played = tokio::time::timeout(limit, playing.run(scenario, &expectation)).await;
    let mut failure = Failure::default();
    let mut complete = false;
    match played {
        Ok(Ok(())) => complete = true,
        Ok(Err(Stop::Gone(gone))) => return Outcome::AdapterGone(gone),
        Ok(Err(Stop::Wrong(why))) => {
            failure.problems.push(why);
            playing.close_all();
        }
        Err(_) => {
            failure.out_of_time = true;
            failure
                .problems
                .push(format!("did not finish within {} s", limit.as_secs_f64()));
            playing.close_all();
        }
    }
    failure
        .problems
        .splice(0..0, std::mem::take(&mut playing.problems));
    // What stays open for longer does so on purpose.
    session.quiet(ENDS).await;
    let mut seen = std::mem::take(&mut playing.seen);
    let journal = stage::journal(&session);
    let first_call = playing.first_call.get();
    let first_call_ms = first_call.map(|at| at.duration_since(began).as_secs_f64() * 1e3);
    seen.wire = requests(&journal, first_call_ms, &playing.credentials);
    seen.elsewhere = requests(&stage.elsewhere(&name), None, &playing.credentials);
    for operation in expectation.operations() {
        let effects = serde_json::to_value(session.effects(operation)).unwrap_or_default();
        seen.effects.insert(operation.to_owned(), effects);
    }
    if complete {
        failure
            .problems
            .extend(expectation.check(&seen).iter().map(ToString::to_string));
        failure.problems.extend(
            expectation
                .verdict
                .check(&session.verdict(), scenario.may_retry()),
        );
    }
    failure.seen = seen;
    if failure.problems.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Failed(failure)
    }
}

/// Why a scenario cannot go on.
enum Stop {
    Gone(Gone),
    Wrong(String),
}

impl From<Gone> for Stop {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// A scenario that is being played.
struct Playing<'a> {
    adapter: &'a Adapter,
    session: &'a Session,
    names: Names,
    number: usize,
    open: Vec<String>,
    secrets: Vec<String>,
    credentials: Credentials,
    problems: Vec<String>,
    seen: Seen,
    /// When the first call was handed to the adapter.
    first_call: Arc<OnceLock<Instant>>,
}

impl<'a> Playing<'a> {
    fn new(adapter: &'a Adapter, session: &'a Session, names: Names, number: usize) -> Self {
        let mut playing = Self {
            adapter,
            session,
            names,
            number,
            open: Vec::new(),
            secrets: Vec::new(),
            credentials: Credentials::default(),
            problems: Vec::new(),
            seen: Seen::default(),
            first_call: Arc::default(),
        };
        playing.learn_tokens();
        playing
    }

    async fn run(&mut self, scenario: &Scenario, expectation: &Expectation) -> Result<(), Stop> {
        if !expectation.may_show_secrets {
            self.secrets.extend(expectation.never_shown.iter().cloned());
        }
        for (name, options) in scenario.clients() {
            self.open(&name, &options, expectation).await?;
        }
        for step in &scenario.calls {
            let step = Step::read(&fill(step, &self.names)).map_err(Stop::Wrong)?;
            self.step(step, expectation).await?;
        }
        tokio::time::sleep(Duration::from_millis(scenario.settle_ms)).await;
        for name in std::mem::take(&mut self.open) {
            self.close(&name).await?;
        }
        Ok(())
    }

    /// The adapter's name for a client.
    fn client_id(&self, name: &str) -> String {
        format!("{}.{name}", self.number)
    }

    fn learn_tokens(&mut self) {
        for (name, token) in &self.names {
            if let Some(token) = token.as_str().filter(|_| name.starts_with("token.")) {
                self.secrets.push(token.to_owned());
                self.credentials.add(token);
            }
        }
    }

    /// All texts of a credential: secrets, and what the gateway may see of them.
    fn learn_secrets(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= SHORTEST_SECRET => {
                self.credentials.add(text);
                self.secrets.push(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_secrets(item)),
            // Names of headers, users and the like are not secret.
            Value::Object(members) => members
                .iter()
                .filter(|(name, _)| !NO_SECRETS.contains(&name.as_str()))
                .for_each(|(_, value)| self.learn_secrets(value)),
            _ => {}
        }
    }

    async fn open(
        &mut self,
        name: &str,
        options: &Map<String, Value>,
        expectation: &Expectation,
    ) -> Result<(), Stop> {
        let options = fill(&Value::Object(client_options(options)), &self.names);
        if let Some(named) = options.get("credentials").and_then(Value::as_object) {
            named.values().for_each(|auth| self.learn_secrets(auth));
        }
        if let Some(auth) = options.get("auth") {
            self.learn_secrets(auth);
            if let Some(user) = auth.get("user").and_then(Value::as_str) {
                self.credentials.add(user);
            }
        }
        let request =
            json!({ "op": "client.open", "client": self.client_id(name), "options": options });
        let answer = self.adapter.ask(request).await?;
        self.look_at(&answer, &format!("opening {name}"), expectation);
        let opened = answer.value.get("ok").is_some_and(|ok| ok == true);
        if opened {
            self.open.push(name.to_owned());
        } else if !expectation.speaks_of_opening(name) {
            return Err(Stop::Wrong(format!(
                "client {name} could not be opened: {}",
                shown(Some(&answer.value))
            )));
        }
        self.seen
            .clients
            .insert(name.to_owned(), json!({ "opened": answer.value }));
        Ok(())
    }

    async fn close(&mut self, name: &str) -> Result<(), Stop> {
        let answer = self
            .adapter
            .ask(json!({ "op": "client.close", "client": self.client_id(name) }))
            .await?;
        if let Some(Value::Object(client)) = self.seen.clients.get_mut(name) {
            for count in ["tokens_fetched", "hooks_called"] {
                client.insert(
                    count.to_owned(),
                    answer.value.get(count).cloned().unwrap_or_default(),
                );
            }
        }
        Ok(())
    }

    /// Closes what is open without waiting: the scenario is over.
    fn close_all(&mut self) {
        for name in std::mem::take(&mut self.open) {
            // Nobody waits for the answer.
            let (_, answer) = self
                .adapter
                .send(json!({ "op": "client.close", "client": self.client_id(&name) }));
            tokio::spawn(answer);
        }
    }

    async fn step(&mut self, step: Step, expectation: &Expectation) -> Result<(), Stop> {
        match step {
            Step::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::Gateway(setup) => {
                stage::change(self.session, &setup, &mut self.names)
                    .await
                    .map_err(Stop::Wrong)?;
                self.learn_tokens();
            }
            Step::ClearCache(name) => {
                let request =
                    json!({ "op": "client.clear_cache", "client": self.client_id(&name) });
                self.adapter.ask(request).await?;
            }
            Step::Close(name) => {
                // It stays open in the adapter, so that calls on it can be tried.
                let request = json!({ "op": "client.shut", "client": self.client_id(&name) });
                self.adapter.ask(request).await?;
            }
            Step::Call(call) => {
                for _ in 0..call.repeat {
                    let answer = self.call(&call).await?;
                    self.take(answer, expectation);
                }
            }
            Step::Together(calls) => {
                let all: Vec<Pin<Box<dyn Future<Output = _> + Send>>> = calls
                    .iter()
                    .flat_map(|call| std::iter::repeat_n(call, call.repeat))
                    .map(|call| {
                        Box::pin(self.call(call)) as Pin<Box<dyn Future<Output = _> + Send>>
                    })
                    .collect();
                for answer in join_all(all).await {
                    self.take(answer?, expectation);
                }
            }
            Step::Webhook { op, options } => {
                if let Some(secrets) = options.get("secrets") {
                    self.learn_secrets(secrets);
                }
                let mut request = options;
                request.insert("op".to_owned(), op.into());
                let answer = self.adapter.ask(Value::Object(request)).await?;
                self.look_for_secrets(&answer, op, expectation);
                self.seen.user.push(answer.value);
            }
        }
        Ok(())
    }

    /// Makes one call, and gives it up where that is asked for.
    fn call(&self, call: &Call) -> impl Future<Output = Result<Answer, Gone>> + Send + use<'a> {
        let (adapter, session) = (self.adapter, self.session);
        let request = json!({ "op": "call", "client": self.client_id(&call.client), "request": call.request });
        let (after_ms, after_requests, cancel) = (call.after_ms, call.after_requests, call.cancel);
        let first_call = Arc::clone(&self.first_call);
        async move {
            stage::arrived(session, after_requests).await;
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            let _ = first_call.set(Instant::now());
            let (id, answer) = adapter.send(request);
            let mut answer = Box::pin(answer);
            if let Some(cancel) = cancel {
                let its_time = async {
                    stage::arrived(session, cancel.after_requests).await;
                    tokio::time::sleep(Duration::from_millis(cancel.after_ms)).await;
                };
                tokio::select! {
                    answer = &mut answer => return answer,
                    () = its_time => {}
                }
                adapter.ask(json!({ "op": "cancel", "target": id })).await?;
            }
            answer.await
        }
    }

    fn take(&mut self, answer: Answer, expectation: &Expectation) {
        let what = format!("user[{}]", self.seen.user.len());
        self.look_at(&answer, &what, expectation);
        let mut value = answer.value;
        if let Some(members) = value.as_object_mut() {
            members.remove("id");
            members.insert(
                "took_ms".to_owned(),
                (answer.took.as_secs_f64() * 1e3).into(),
            );
        }
        self.seen.user.push(value);
    }

    fn look_at(&mut self, answer: &Answer, what: &str, expectation: &Expectation) {
        self.problems.extend(
            protocol::faults(&answer.value)
                .into_iter()
                .map(|fault| format!("{what}: {fault}")),
        );
        self.look_for_secrets(answer, what, expectation);
    }

    fn look_for_secrets(&mut self, answer: &Answer, what: &str, expectation: &Expectation) {
        if expectation.may_show_secrets {
            return;
        }
        if let Some(secret) = self
            .secrets
            .iter()
            .find(|secret| answer.line.contains(secret.as_str()))
        {
            self.problems.push(format!(
                "{what}: the secret {secret:?} is shown: {}",
                around(&answer.line, secret)
            ));
        }
    }
}

/// Where a secret stands in a line.
fn around(line: &str, secret: &str) -> String {
    let at = line.find(secret).unwrap_or(0);
    let before: Vec<char> = line
        .get(..at)
        .unwrap_or_default()
        .chars()
        .rev()
        .take(60)
        .collect();
    let after: String = line
        .get(at..)
        .unwrap_or_default()
        .chars()
        .take(secret.chars().count() + 20)
        .collect();
    format!("…{}{after}…", before.into_iter().rev().collect::<String>())
}

/// A client's options over those that nearly every scenario wants, see PROTOCOL.md.
fn client_options(own: &Map<String, Value>) -> Map<String, Value> {
    let mut defaults = BTreeMap::from([
        ("base_url", json!("{base_url}")),
        (
            "auth",
            json!({ "kind": "bearer", "token": "sk_test_unlimited_conformance" }),
        ),
    ]);
    let as_built = own.get("as_built").is_some_and(|as_built| as_built == true);
    if !as_built {
        defaults.insert("backoff_base_ms", json!(5));
        defaults.insert("backoff_cap_ms", json!(20));
    }
    let mut options: Map<String, Value> = defaults
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    options.extend(
        own.iter()
            .filter(|(name, _)| *name != "as_built")
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let mut headers = json!({ "x-mock-session": "{session}" });
    if let (Some(headers), Some(Value::Object(own))) = (headers.as_object_mut(), own.get("headers"))
    {
        headers.extend(own.clone());
    }
    options.insert("headers".to_owned(), headers);
    options
}
