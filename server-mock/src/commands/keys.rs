//! `keys`: which keys there are, what each does, and new ones.

use std::process::ExitCode;

use gatewright_server_mock::{KnownKey, Tier};
use http::Method;
use serde_json::json;

use super::admin_port::{self, AdminPort};
use super::{Failure, Subcommand, print, print_json};
use crate::arguments::Arguments;

pub(super) const COMMAND: Subcommand = Subcommand {
    name: "keys",
    summary: "List, explain and create keys",
    help: HELP,
    run,
};

const HELP: &str = concat!(
    "\
Lists, explains and creates keys. Keys of the form sk_test_TIER_TENANT need no set-up: any gateway takes them.

Usage: gatewright-gateway keys [list] [--tenant NAME]
       gatewright-gateway keys explain KEY...
       gatewright-gateway keys create [--tier TIER] [--tenant NAME] [--revoked | --expired | --readonly]
       gatewright-gateway keys create --ttl SECONDS [--tier TIER] [--tenant NAME] [OPTIONS]

  --tenant NAME      Whose: 1 to 64 letters, digits, - or _ [default: acme]
  --tier TIER        tiny, free, starter, pro, enterprise or unlimited [default: pro]
  --revoked          Every call gets 401 key_revoked
  --expired          Every call gets 401 key_expired
  --readonly         Writes get 403 insufficient_scope
  --ttl SECONDS      A token that ends after so much of the session's clock, made by a running gateway:
",
    admin_port::help!(),
    "  --json             Print one line of JSON
  -h, --help         Print this
"
);

/// The endings of keys that are special.
const ENDINGS: [&str; 4] = ["", "_readonly", "_revoked", "_expired"];

#[derive(Default)]
struct Asked {
    admin: AdminPort,
    json: bool,
    words: Vec<String>,
    tenant: Option<String>,
    tier: Option<Tier>,
    ending: &'static str,
    ttl_s: Option<u64>,
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let asked = read(arguments)?;
    let tenant = asked.tenant.as_deref().unwrap_or("acme");
    let mut words = asked.words.iter().map(String::as_str);
    match words.next() {
        None | Some("list") => list(&asked, tenant),
        Some("explain") => {
            let keys: Vec<KnownKey> = words.map(KnownKey::of).collect();
            if keys.is_empty() {
                return Err(Failure::usage("keys explain needs a key"));
            }
            show(&keys, asked.json)
        }
        Some("create") => create(&asked, tenant),
        Some(other) => Err(Failure::usage(format!(
            "got {other:?} when expecting keys list, explain or create"
        ))),
    }
}

fn read(mut arguments: Arguments) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    while let Some(argument) = arguments.next() {
        if asked.admin.take(&argument, &mut arguments)? {
            continue;
        }
        match argument.name() {
            "--tenant" => asked.tenant = Some(arguments.value(&argument)?),
            "--tier" => {
                let name = arguments.value(&argument)?;
                let tier = Tier::from_name(&name);
                asked.tier = Some(tier.ok_or_else(|| {
                    let names = Tier::ALL.map(Tier::name).join(", ");
                    Failure::usage(format!("--tier cannot be {name:?} when expecting {names}"))
                })?);
            }
            "--ttl" => asked.ttl_s = Some(arguments.number(&argument)?),
            "--readonly" if argument.is_bare() => asked.ending = "_readonly",
            "--revoked" if argument.is_bare() => asked.ending = "_revoked",
            "--expired" if argument.is_bare() => asked.ending = "_expired",
            "--json" if argument.is_bare() => asked.json = true,
            _ => match argument.word() {
                Some(word) => asked.words.push(word.to_owned()),
                None => return Err(arguments.unknown(&argument).into()),
            },
        }
    }
    Ok(asked)
}

fn list(asked: &Asked, tenant: &str) -> Result<ExitCode, Failure> {
    let plain = Tier::ALL.map(|tier| key(tier, tenant, ""));
    let special = ENDINGS
        .iter()
        .skip(1)
        .map(|ending| key(Tier::Pro, tenant, ending));
    let keys: Vec<KnownKey> = plain
        .into_iter()
        .chain(special)
        .map(|key| KnownKey::of(&key))
        .collect();
    show(&keys, asked.json)
}

fn create(asked: &Asked, tenant: &str) -> Result<ExitCode, Failure> {
    let tier = asked.tier.unwrap_or(Tier::Pro);
    let Some(ttl_s) = asked.ttl_s else {
        let known = KnownKey::of(&key(tier, tenant, asked.ending));
        // A tenant that ends like a special key would be another's; one that cannot be is nobody's.
        if known.tenant.as_deref().is_some_and(|of| of != tenant)
            || (known.tenant.is_none()
                && !known.key.ends_with("_revoked")
                && !known.key.ends_with("_expired"))
        {
            return Err(Failure::usage(format!(
                "--tenant cannot be {tenant:?} when expecting 1 to 64 letters, digits, - or _, not ending like a special key"
            )));
        }
        return show(&[known], asked.json);
    };
    let body = json!({ "tier": tier, "tenant": tenant, "ttl_ms": ttl_s.saturating_mul(1_000) });
    let token = asked.admin.send(Method::POST, "tokens", Some(&body))?;
    if asked.json {
        return print_json(&token);
    }
    let text = token.get("token").and_then(|token| token.as_str());
    print(&format!("{}\n", text.unwrap_or_default()))
}

fn key(tier: Tier, tenant: &str, ending: &str) -> String {
    format!("sk_test_{}_{tenant}{ending}", tier.name())
}

fn show(keys: &[KnownKey], json: bool) -> Result<ExitCode, Failure> {
    if json {
        return print_json(&json!({ "keys": keys }));
    }
    let width = keys.iter().map(|known| known.key.len()).max().unwrap_or(0);
    let mut text = String::new();
    for known in keys {
        text.push_str(&format!("{:<width$}  {}\n", known.key, known.does));
    }
    print(&text)
}
