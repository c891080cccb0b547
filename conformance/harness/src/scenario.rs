//! One scenario as it stands in its file: what the gateway does, which calls are made, what must be seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::expectation::Expectation;
use crate::placeholders::{Names, fill, unknown};
use crate::step::Step;

/// The longest a scenario may take unless it says otherwise.
const DEADLINE_MS: u64 = 30_000;
/// What an adapter may say that it cannot do, so that scenarios which need it are skipped.
pub(crate) const CAPABILITIES: [&str; 38] = [
    "api_key_cookie",
    "breaker",
    "cache",
    "cancel",
    "concurrency",
    "connections",
    "credentials",
    "download",
    "events",
    "explain",
    "failure_kinds",
    "float_times",
    "hedging",
    "hooks",
    "idempotency",
    "input_errors",
    "interruptible_callbacks",
    "json_lines",
    "min_throughput",
    "oauth",
    "oauth_login",
    "only_cache",
    "pacing",
    "pages",
    "partial_bodies",
    "redirects",
    "regions",
    "replayable_upload",
    "signatures",
    "stream_download",
    "stream_upload",
    "tls",
    "token_callback",
    "trace_context",
    "truncated_encodings",
    "upload",
    "webhook_sign",
    "webhook_verify",
];
/// The names that every scenario can use; `{token.NAME}` comes with its own tokens.
pub(crate) const NAMES: [&str; 5] = [
    "authority",
    "base_url",
    "other_origin",
    "refused_url",
    "session",
];

/// A scenario that has been read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// Unique, `subject/what-is-claimed`.
    pub(crate) name: String,
    /// The rule, in words.
    pub(crate) about: String,
    /// Where the rule stands.
    pub(crate) source: String,
    /// What an adapter must be able to do.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(default)]
    each: Each,
    #[serde(default = "deadline")]
    pub(crate) deadline_ms: u64,
    /// How long to wait after the last call for requests that should not come.
    #[serde(default)]
    pub(crate) settle_ms: u64,
    #[serde(default)]
    pub(crate) gateway: GatewaySetup,
    #[serde(default)]
    client: Option<Map<String, Value>>,
    #[serde(default)]
    clients: BTreeMap<String, Map<String, Value>>,
    #[serde(default)]
    pub(crate) calls: Vec<Value>,
    pub(crate) expect: Value,
}

/// Values for names: the scenario is played once for each row, or for each combination.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Each {
    Rows(Vec<Names>),
    Product(BTreeMap<String, Vec<Value>>),
}

impl Default for Each {
    fn default() -> Self {
        Self::Rows(vec![Names::new()])
    }
}

impl Each {
    fn rows(&self) -> Vec<Names> {
        let by_name = match self {
            Self::Rows(rows) => return rows.clone(),
            Self::Product(by_name) => by_name,
        };
        by_name
            .iter()
            .fold(vec![Names::new()], |rows, (name, values)| {
                rows.iter()
                    .flat_map(|row| {
                        values.iter().map(|value| {
                            row.clone()
                                .into_iter()
                                .chain([(name.clone(), value.clone())])
                                .collect()
                        })
                    })
                    .collect()
            })
    }
}

/// What a row adds to the scenario's name: its `case`, or else all of it.
fn suffix(row: &Names) -> String {
    let shown = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    match row.get("case") {
        Some(case) => format!(" {}", shown(case)),
        None => row
            .iter()
            .map(|(name, value)| format!(" {name}={}", shown(value)))
            .collect(),
    }
}

const fn deadline() -> u64 {
    DEADLINE_MS
}

/// What the session of the gateway is set to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GatewaySetup {
    /// Options of the session.
    #[serde(default)]
    pub(crate) options: Option<Value>,
    /// Fault rules; they replace those that are there.
    #[serde(default)]
    pub(crate) faults: Option<Value>,
    #[serde(default)]
    pub(crate) clock: Option<ClockSetup>,
    /// Tokens to be made, by name.
    #[serde(default)]
    pub(crate) tokens: BTreeMap<String, TokenOrder>,
}

/// What happens to the session's clock, in this order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockSetup {
    #[serde(default)]
    pub(crate) freeze: bool,
    #[serde(default)]
    pub(crate) advance_ms: u64,
    #[serde(default)]
    pub(crate) resume: bool,
}

/// A token that the gateway is to accept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenOrder {
    pub(crate) tier: String,
    pub(crate) tenant: String,
    /// Of the session's clock.
    pub(crate) ttl_ms: u64,
}

impl Scenario {
    /// The clients to be opened, by name.
    pub(crate) fn clients(&self) -> BTreeMap<String, Map<String, Value>> {
        let mut clients = self.clients.clone();
        let needs_none =
            !self.calls.is_empty() && self.calls.iter().all(|call| call.get("webhook").is_some());
        match &self.client {
            Some(options) => drop(clients.insert("default".to_owned(), options.clone())),
            None if clients.is_empty() && !needs_none => {
                clients.insert("default".to_owned(), Map::new());
            }
            None => {}
        }
        clients
    }

    /// Whether no client, and no call, is told to make one attempt.
    pub(crate) fn may_retry(&self) -> bool {
        let is_one = |options: &Map<String, Value>| {
            options.get("max_attempts").is_some_and(|most| *most == 1)
        };
        let calls = self.calls.iter().filter_map(|call| Step::read(call).ok());
        let mut requests = calls.flat_map(|step| match step {
            Step::Call(call) => vec![call.request],
            Step::Together(calls) => calls.into_iter().map(|call| call.request).collect(),
            _ => Vec::new(),
        });
        !self.clients().values().any(is_one) && !requests.any(|request| is_one(&request))
    }

    /// Reads a scenario and makes one of it for each combination of its `each`.
    pub(crate) fn read_all(text: &str) -> Result<Vec<Self>, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|why| format!("is not JSON: {why}"))?;
        let template: Self =
            serde_json::from_value(value.clone()).map_err(|why| why.to_string())?;
        let mut all = Vec::new();
        for row in template.each.rows() {
            let mut scenario: Self =
                serde_json::from_value(fill(&value, &row)).map_err(|why| why.to_string())?;
            scenario.name = format!("{}{}", template.name, suffix(&row));
            scenario.check()?;
            all.push(scenario);
        }
        Ok(all)
    }

    /// Finds slips of the pen before anything is played.
    fn check(&self) -> Result<(), String> {
        if let Some(unknown) = self
            .needs
            .iter()
            .find(|need| !CAPABILITIES.contains(&need.as_str()))
        {
            return Err(format!(
                "needs {unknown:?}, which is none of {}",
                CAPABILITIES.join(", ")
            ));
        }
        if self.client.is_some() && self.clients.contains_key("default") {
            return Err(
                "`client` is the client named \"default\" in `clients`; give one of them"
                    .to_owned(),
            );
        }
        let names: Names = NAMES
            .into_iter()
            .map(str::to_owned)
            .chain(
                self.gateway
                    .tokens
                    .keys()
                    .map(|name| format!("token.{name}")),
            )
            .map(|name| (name, Value::Null))
            .collect();
        let texts = [
            Value::from(self.calls.clone()),
            self.expect.clone(),
            self.clients().into_values().collect(),
        ];
        if let Some(name) = texts.iter().find_map(|value| unknown(value, &names)) {
            return Err(format!("{{{name}}} stands for nothing"));
        }
        let clients = self.clients();
        for call in &self.calls {
            for client in Step::read(call)?.clients() {
                if !clients.contains_key(client) {
                    return Err(format!("there is no client {client:?}"));
                }
            }
        }
        Expectation::read(&self.expect).map(drop)
    }
}

/// A file that is no scenario.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) file: String,
    pub(crate) why: String,
}

/// All scenarios below a folder, by name; and the files that are none.
pub(crate) fn load(folder: &Path) -> std::io::Result<(Vec<Scenario>, Vec<Unreadable>)> {
    let mut files = Vec::new();
    find_files(folder, &mut files)?;
    files.sort();
    let (mut scenarios, mut unreadable) = (Vec::<Scenario>::new(), Vec::new());
    for path in files {
        let file = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .display()
            .to_string();
        match Scenario::read_all(&std::fs::read_to_string(&path)?) {
            Ok(all) => {
                for scenario in all {
                    if scenarios.iter().any(|other| other.name == scenario.name) {
                        let why = format!("its name {:?} is taken", scenario.name);
                        unreadable.push(Unreadable {
                            file: file.clone(),
                            why,
                        });
                    } else {
                        scenarios.push(scenario);
                    }
                }
            }
            Err(why) => unreadable.push(Unreadable { file, why }),
        }
    }
    Ok((scenarios, unreadable))
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_files(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
