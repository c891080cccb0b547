//! What observers are told, and the trace context of each attempt, over a scripted transport and a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatewright::telemetry::{
    AttemptEnded, AttemptStarted, CallEnded, CallStarted, ObservedCall, Observer, TraceContext,
    retries,
};
use gatewright::testing::{Never, Scripted, Seen, VirtualClock, answer, answer_with, failure};
use gatewright::{Auth, Client, ClientBuilder, FailureClass};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-";

/// Writes down what it is told.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Notes {
    fn call(&self, call: &CallStarted<'_>) -> Option<Box<dyn ObservedCall>> {
        let place = call.place;
        self.add(format!(
            "call {} {} {} {:?} {:?}",
            place.method, place.url, place.host, place.port, place.template
        ));
        Some(Box::new(self.clone()))
    }
}

impl ObservedCall for Notes {
    fn attempt_started(&self, attempt: &AttemptStarted<'_>) -> Option<TraceContext> {
        self.add(format!("attempt {} {}", attempt.number, attempt.place.url));
        None
    }

    fn attempt_ended(&self, attempt: &AttemptEnded<'_>) {
        self.add(format!(
            "attempt {} ended {:?} {:?}",
            attempt.number, attempt.status, attempt.error
        ));
    }

    fn ended(&self, call: &CallEnded<'_>) {
        self.add(format!(
            "call ended {:?} {:?} {} {} {}",
            call.status,
            call.error,
            call.attempts.len(),
            retries(call.attempts),
            call.state.budget_left
        ));
    }
}

fn client(
    wire: &Scripted,
    clock: &VirtualClock,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    let builder = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(wire.clone());
    settings(builder).build().unwrap()
}

fn header(seen: &Seen, name: &str) -> Option<String> {
    let value = seen.headers.get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

fn parents(wire: &Scripted) -> Vec<Option<String>> {
    wire.requests()
        .iter()
        .map(|seen| header(seen, "traceparent"))
        .collect()
}

#[test]
fn each_attempt_is_a_span_of_its_own_in_the_callers_trace() {
    let (wire, clock) = (
        Scripted::new([answer(503), answer(200)]),
        VirtualClock::new(7),
    );
    let client = client(&wire, &clock, |builder| builder);
    let context = TraceContext::parse(PARENT).unwrap().with_state("a=1");
    let request = client.get("/v1/x").trace_context(context);
    clock.block_on(request.send()).unwrap();
    let parents: Vec<_> = parents(&wire).into_iter().map(Option::unwrap).collect();
    assert!(parents.iter().all(|parent| parent.starts_with(TRACE)));
    assert!(parents.iter().all(|parent| parent.ends_with("-01")));
    assert!(parents[0] != parents[1] && parents[0] != PARENT);
    assert_eq!(header(&wire.requests()[1], "tracestate").unwrap(), "a=1");
}

#[test]
fn without_a_trace_nothing_is_sent_and_nothing_is_made_up() {
    let (wire, clock) = (
        Scripted::new([answer(200), answer(200)]),
        VirtualClock::new(7),
    );
    let client = client(&wire, &clock, |builder| builder);
    clock.block_on(client.get("/v1/x").send()).unwrap();
    let by_hand = client.get("/v1/x").header("traceparent", "mine");
    let by_hand = by_hand.trace_context(TraceContext::parse(PARENT).unwrap());
    clock.block_on(by_hand.send()).unwrap();
    assert_eq!(parents(&wire), [None, Some("mine".to_owned())]);
}

#[test]
fn a_trace_stays_with_its_origin() {
    let elsewhere = ("location", "https://cdn.example/x");
    let wire = Scripted::new([answer_with(302, &[elsewhere], ""), answer(200)]);
    let clock = VirtualClock::new(7);
    let client = client(&wire, &clock, |builder| {
        builder.allow_origin("https://cdn.example")
    });
    let request = client
        .get("/v1/x")
        .trace_context(TraceContext::parse(PARENT).unwrap());
    clock.block_on(request.send()).unwrap();
    let parents = parents(&wire);
    assert!(parents[0].is_some() && parents[1].is_none());
}

#[test]
fn observers_are_told_of_each_attempt_and_of_the_end() {
    let lost = failure(FailureClass::ConnectionLost);
    let wire = Scripted::new([answer(503), lost, answer(200)]);
    let (clock, notes) = (VirtualClock::new(7), Notes::default());
    let client = client(&wire, &clock, |builder| {
        builder
            .observer(notes.clone())
            .auth(Auth::api_key_query("key", "sk_secret"))
    });
    let request = client
        .get("/v1/contacts/ct_1")
        .query([("key", "sk_secret")])
        .url_template("/v1/contacts/{id}");
    clock.block_on(request.send()).unwrap();
    let shown = "https://api.example/v1/contacts/ct_1?key=***";
    assert_eq!(
        notes.all(),
        [
            format!("call GET {shown} api.example Some(443) Some(\"/v1/contacts/{{id}}\")"),
            format!("attempt 1 {shown}"),
            "attempt 1 ended Some(503) Some(\"503\")".to_owned(),
            format!("attempt 2 {shown}"),
            "attempt 2 ended None Some(\"connection_lost\")".to_owned(),
            format!("attempt 3 {shown}"),
            "attempt 3 ended Some(200) None".to_owned(),
            "call ended Some(200) None 3 2 495".to_owned(),
        ]
    );
}

#[test]
fn an_error_is_told_by_its_kind() {
    let (wire, clock) = (Scripted::new([answer(404)]), VirtualClock::new(7));
    let notes = Notes::default();
    let client = client(&wire, &clock, |builder| builder.observer(notes.clone()));
    clock.block_on(client.get("/v1/x").send()).unwrap_err();
    let ended = notes.all().pop().unwrap();
    assert_eq!(ended, "call ended Some(404) Some(\"not_found\") 1 0 500");
}

#[test]
fn whoever_goes_away_ends_the_attempt_and_the_call() {
    let (clock, notes) = (VirtualClock::new(7), Notes::default());
    let client = Client::builder("https://api.example")
        .runtime(clock.clone())
        .transport(Never)
        .observer(notes.clone())
        .build()
        .unwrap();
    clock.block_on(async {
        let call = std::pin::pin!(client.get("/v1/x").send());
        let timer = gatewright::runtime::Runtime::sleep_until(
            &clock,
            gatewright::runtime::Instant::ORIGIN + Duration::from_secs(1),
        );
        let _ = futures_util::future::select(call, timer).await;
    });
    let told = notes.all();
    assert_eq!(
        told[2..],
        [
            "attempt 1 ended None Some(\"cancelled\")",
            "call ended None Some(\"cancelled\") 0 0 500"
        ]
    );
}

/// Names the trace context itself.
#[derive(Debug)]
struct Naming;

impl Observer for Naming {
    fn call(&self, _: &CallStarted<'_>) -> Option<Box<dyn ObservedCall>> {
        Some(Box::new(Self))
    }
}

impl ObservedCall for Naming {
    fn attempt_started(&self, _: &AttemptStarted<'_>) -> Option<TraceContext> {
        TraceContext::parse(PARENT).ok()
    }
}

#[test]
fn an_observer_may_name_the_trace_context() {
    let (wire, clock) = (Scripted::new([answer(200)]), VirtualClock::new(7));
    let client = client(&wire, &clock, |builder| builder.observer(Naming));
    clock.block_on(client.get("/v1/x").send()).unwrap();
    assert_eq!(parents(&wire), [Some(PARENT.to_owned())]);
}
