//! `faults`: what goes wrong on a running gateway, set from a shell.

use std::process::ExitCode;

use gatewright_server_mock::Fault;
use http::Method;
use serde_json::{Map, Value, json};

use super::admin_port::{self, AdminPort};
use super::{Failure, Subcommand, print, print_json};
use crate::arguments::Arguments;

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "faults",
    summary: "List, set and clear the faults of a running gateway",
    help: HELP,
    run,
};

const HELP: &str = concat!(
    "\
Lists, sets and clears the faults of a running gateway.

Usage: gatewright-gateway faults list [OPTIONS]
       gatewright-gateway faults set [OPTIONS] [FAULT,FAULT...]
       gatewright-gateway faults clear [OPTIONS]

FAULT,FAULT... is played one by one, a fault for each request: 503;ra=2,reset,ok

Which requests (all that is given must hold; default: all but /healthz):
  --op OP            An operation such as contacts.create; may end in *
  --method METHOD    A method
  --path PATH        A path; may end in *
  --region NAME      The region it came to; may end in *

What (set):
  --always FAULT     Every request, once the list is played
  --random P         So much of the requests, 0 to 1, decided by the seed
  --kinds FAULTS     What --random chooses from [default: reset,commit_reset,503,429,lost]
  --seed N           Of --random [default: 0]
  --for MS           Ends after so many milliseconds of the session's clock
  --name NAME        A name to clear it by
  --add              Keep the rules that are there; this one comes behind them

clear:
  --name NAME        Only the rules of that name

Everywhere:
",
    admin_port::help!(),
    "  --json             Print one line of JSON: {\"rules\":[...]}
  -h, --help         Print this

The faults: status codes (503, 503;ra=2, 429;ra=date:+5), latency=MS, hang, reset, fin, reset@BYTES, lost (done, but the
answer is lost), garbage, bad-chunk, short, bad-gzip, truncated-gzip, big-headers, stall@N, drip=MS, ok.
"
);

/// What is asked for.
#[derive(Default)]
struct Asked {
    admin: AdminPort,
    json: bool,
    add: bool,
    name: Option<String>,
    matching: Map<String, Value>,
    script: Option<String>,
    always: Option<String>,
    random: Option<f64>,
    kinds: Option<String>,
    seed: Option<u64>,
    for_ms: Option<u64>,
}

fn run(mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let Some(verb) = arguments.next() else {
        return Err(Failure::usage(
            "faults needs one of the words list, set, clear",
        ));
    };
    let verb = verb.name().to_owned();
    let asked = read(arguments)?;
    let rules = match verb.as_str() {
        "list" => asked.admin.get("faults")?,
        "clear" => {
            let path = match &asked.name {
                Some(name) => format!("faults?{}", query("name", name)),
                None => "faults".into(),
            };
            asked.admin.send(Method::DELETE, &path, None)?
        }
        "set" => {
            let method = if asked.add { Method::POST } else { Method::PUT };
            let body = json!({ "rules": [rule(&asked)?] });
            asked.admin.send(method, "faults", Some(&body))?
        }
        other => {
            return Err(Failure::usage(format!(
                "got {other:?} when expecting faults list, set or clear"
            )));
        }
    };
    if asked.json {
        return print_json(&rules);
    }
    print(&shown(&rules))
}

fn read(mut arguments: Arguments) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        if asked.admin.take(&argument, &mut arguments)? {
            continue;
        }
        match argument.name() {
            "--op" | "--method" | "--path" | "--region" => {
                let name = argument.name().trim_start_matches('-').to_owned();
                let value = arguments.value(&argument)?;
                asked.matching.insert(name, value.into());
            }
            "--name" => asked.name = Some(arguments.value(&argument)?),
            "--always" => asked.always = Some(arguments.value(&argument)?),
            "--kinds" => asked.kinds = Some(arguments.value(&argument)?),
            "--random" => asked.random = Some(arguments.number(&argument)?),
            "--seed" => asked.seed = Some(arguments.number(&argument)?),
            "--for" => asked.for_ms = Some(arguments.number(&argument)?),
            "--add" if argument.is_bare() => asked.add = true,
            "--json" if argument.is_bare() => asked.json = true,
            _ => match argument.word() {
                Some(list) if asked.script.is_none() => asked.script = Some(list.to_owned()),
                _ => return Err(arguments.unknown(&argument).into()),
            },
        }
    }
    Ok(asked)
}

/// The rule as the admin port reads it.
fn rule(asked: &Asked) -> Result<Value, Failure> {
    let mut rule = Map::new();
    if !asked.matching.is_empty() {
        rule.insert("match".into(), asked.matching.clone().into());
    }
    if let Some(list) = &asked.script {
        rule.insert("script".into(), faults(list)?.into());
    }
    if let Some(fault) = &asked.always {
        let fault: Fault = fault
            .parse()
            .map_err(|error| Failure::usage(format!("--always: {error}")))?;
        rule.insert("always".into(), fault.to_string().into());
    }
    if let Some(p) = asked.random {
        let mut random = Map::new();
        random.insert("p".into(), json!(p));
        random.insert("seed".into(), json!(asked.seed.unwrap_or(0)));
        if let Some(kinds) = &asked.kinds {
            random.insert("kinds".into(), faults(kinds)?.into());
        }
        rule.insert("random".into(), random.into());
    }
    if rule.keys().all(|key| key == "match") {
        return Err(Failure::usage(
            "faults set needs what should go wrong: a list such as 503;ra=2,reset,ok, or --always, or --random",
        ));
    }
    if let Some(ms) = asked.for_ms {
        rule.insert("for_ms".into(), ms.into());
    }
    if let Some(name) = &asked.name {
        rule.insert("name".into(), name.clone().into());
    }
    Ok(rule.into())
}

/// A list of faults, each as its own text.
fn faults(list: &str) -> Result<Vec<Value>, Failure> {
    let read = Fault::list(list).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(read
        .into_iter()
        .map(|fault| fault.to_string().into())
        .collect())
}

fn query(name: &str, value: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish()
}

/// The rules for people, a line each.
fn shown(answer: &Value) -> String {
    let rules = answer.get("rules").and_then(Value::as_array);
    let Some(rules) = rules.filter(|rules| !rules.is_empty()) else {
        return "no faults\n".into();
    };
    let mut text = String::new();
    for (at, rule) in rules.iter().enumerate() {
        let part = |name: &str| rule.get(name).and_then(Value::as_str);
        let number = |name: &str| rule.get(name).and_then(Value::as_u64);
        text.push_str(&format!("{}.", at + 1));
        if let Some(name) = part("name") {
            text.push_str(&format!(" [{name}]"));
        }
        match rule.get("match").and_then(Value::as_object) {
            Some(wanted) if !wanted.is_empty() => {
                for (name, value) in wanted {
                    text.push_str(&format!(" {name}={}", value.as_str().unwrap_or_default()));
                }
            }
            _ => text.push_str(" every request"),
        }
        if let Some(script) = rule.get("script").and_then(Value::as_array) {
            let steps: Vec<&str> = script.iter().filter_map(Value::as_str).collect();
            let played = number("played").unwrap_or(0);
            text.push_str(&format!(": {} ({played} played)", steps.join(", ")));
        }
        if let Some(fault) = part("always") {
            text.push_str(&format!(": always {fault}"));
        }
        if let Some(random) = rule.get("random") {
            text.push_str(&format!(": random {random}"));
        }
        if let Some(ms) = number("for_ms") {
            text.push_str(&format!(", for {ms} ms"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let words = line.split_whitespace().map(String::from).collect();
        read(Arguments::new("faults", words)).unwrap()
    }

    #[test]
    fn a_rule_is_what_the_admin_port_reads() {
        let rule = rule(&asked(
            "--op contacts.create 503;ra=2,reset --always 500 --for 30 --name x",
        ));
        assert_eq!(
            rule.unwrap(),
            json!({"match": {"op": "contacts.create"}, "script": ["503;ra=2", "reset"], "always": "500", "for_ms": 30, "name": "x"})
        );
    }

    #[test]
    fn nothing_to_go_wrong_is_a_mistake() {
        for line in ["--op contacts.create", "nonsense", "--always nonsense"] {
            assert!(rule(&asked(line)).is_err(), "{line}");
        }
    }
}
