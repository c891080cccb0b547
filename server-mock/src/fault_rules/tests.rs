//! Claims about which fault a request gets.

use http::{HeaderMap, Method, Uri};

use super::*;
use crate::op::{Action, Kind};

const CREATE: Op = Op::Resource(Kind::Contacts, Action::Create);

fn call(name: &str) -> Logical {
    let mut headers = HeaderMap::new();
    headers.insert("x-mock-call", name.parse().unwrap());
    Logical::of(
        &Method::POST,
        &Uri::from_static("/v1/contacts"),
        &headers,
        b"",
    )
}

fn rules(rules: &[FaultRule]) -> FaultRules {
    let mut all = FaultRules::default();
    all.add(rules.to_vec(), 0).unwrap();
    all
}

fn chosen(rules: &mut FaultRules, name: &str) -> Option<String> {
    rules
        .choose((CREATE, "POST", "/v1/contacts", None), &call(name), 0)
        .map(|fault| fault.to_string())
}

fn inline(rules: &mut FaultRules, header: &str, name: &str) -> Option<String> {
    rules
        .inline(header, &call(name))
        .unwrap()
        .map(|fault| fault.to_string())
}

#[test]
fn a_script_plays_once_and_then_all_is_normal() {
    let mut rules = rules(&[FaultRule::on("contacts.create")
        .script("503,reset,ok")
        .unwrap()]);
    let played: Vec<_> = (0..5).map(|_| chosen(&mut rules, "a")).collect();
    let expected =
        [Some("503"), Some("reset"), Some("ok"), None, None].map(|step| step.map(String::from));
    assert_eq!(played, expected);
    assert_eq!(rules.state()[0].played, 3);
}

#[test]
fn a_finished_rule_lets_the_next_one_speak() {
    let first = FaultRule::on("contacts.*").script("503").unwrap();
    let second = FaultRule::on("*").script("429").unwrap();
    let mut rules = rules(&[first, second]);
    assert_eq!(chosen(&mut rules, "a").as_deref(), Some("503"));
    assert_eq!(chosen(&mut rules, "a").as_deref(), Some("429"));
    assert_eq!(chosen(&mut rules, "a"), None);
}

#[test]
fn all_that_a_match_gives_must_hold() {
    let matching: Match =
        serde_json::from_str(r#"{"op":"contacts.create","method":"post","path":"/v1/contacts*"}"#)
            .unwrap();
    assert!(matching.holds((CREATE, "POST", "/v1/contacts", None)));
    assert!(!matching.holds((CREATE, "PUT", "/v1/contacts", None)));
    assert!(!matching.holds((CREATE, "POST", "/v1/users", None)));
    assert!(!matching.holds((Op::Whoami, "POST", "/v1/contacts", None)));
    assert!(!Match::default().holds((Op::Health, "GET", "/healthz", None)));
}

#[test]
fn random_faults_do_not_depend_on_the_order_of_calls() {
    let rule = FaultRule::on("*")
        .random(0.3, 42, "reset,503,lost")
        .unwrap();
    let names: Vec<String> = (0..300).map(|n| format!("call-{n}")).collect();
    let play = |order: &mut dyn Iterator<Item = &String>| {
        let mut rules = rules(std::slice::from_ref(&rule));
        let mut seen = std::collections::BTreeMap::<String, Vec<Option<String>>>::new();
        for name in order {
            seen.entry(name.clone())
                .or_default()
                .push(chosen(&mut rules, name));
        }
        seen
    };
    let in_turn = play(&mut names.iter().flat_map(|name| [name, name, name]));
    let interleaved = play(&mut names.iter().chain(names.iter().rev()).chain(names.iter()));
    assert_eq!(in_turn, interleaved);
    let faulted = in_turn.values().flatten().flatten().count();
    assert!(
        (200..340).contains(&faulted),
        "{faulted} of 900 attempts at p = 0.3"
    );
}

#[test]
fn another_seed_is_another_set_of_faults() {
    let play = |seed| {
        let mut rules = rules(&[FaultRule::on("*").random(0.5, seed, "reset").unwrap()]);
        (0..64)
            .map(|n| chosen(&mut rules, &n.to_string()).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

#[test]
fn a_call_gets_no_more_faults_than_its_cap() {
    let mut rule = FaultRule::on("*").random(1.0, 1, "reset").unwrap();
    rule.random.as_mut().unwrap().max_per_call = Some(2);
    let mut rules = rules(&[rule]);
    let played: Vec<_> = (0..4).map(|_| chosen(&mut rules, "a").is_some()).collect();
    assert_eq!(played, [true, true, false, false]);
    assert!(chosen(&mut rules, "b").is_some());
}

#[test]
fn inline_faults_are_for_each_attempt_once_or_by_attempt() {
    let mut rules = FaultRules::default();
    for _ in 0..3 {
        assert_eq!(inline(&mut rules, "reset", "a").as_deref(), Some("reset"));
    }
    assert_eq!(
        inline(&mut rules, "once:reset", "a").as_deref(),
        Some("reset")
    );
    assert_eq!(inline(&mut rules, "once:reset", "a"), None);
    assert_eq!(
        inline(&mut rules, "once:reset", "b").as_deref(),
        Some("reset")
    );
    let list: Vec<_> = (0..4)
        .map(|_| inline(&mut rules, "503;ra=1,reset,ok", "a"))
        .collect();
    assert_eq!(
        list,
        [Some("503;ra=1"), Some("reset"), Some("ok"), None].map(|step| step.map(String::from))
    );
    assert!(rules.inline("nonsense", &call("a")).is_err());
}

#[test]
fn refuses_rules_that_cannot_be_played() {
    let mut all = FaultRules::default();
    let refused = all.add(vec![FaultRule::on("*").random(1.5, 0, "reset").unwrap()], 0);
    assert_eq!(
        refused.unwrap_err(),
        "rules[0]: random.p must be between 0 and 1, got 1.5"
    );
    let many = vec![FaultRule::default(); MAX_RULES + 1];
    assert_eq!(
        all.add(many, 0).unwrap_err(),
        "a session has at most 1000 fault rules"
    );
    assert!(all.state().is_empty());
}

#[test]
fn a_rule_is_over_when_its_span_is() {
    let dead = FaultRule::on("*")
        .script("429")
        .unwrap()
        .always("503")
        .unwrap()
        .lasting(Duration::from_secs(10));
    let mut all = FaultRules::default();
    all.add(vec![dead], 5_000 * MS).unwrap();
    assert_eq!(all.state()[0].ends_at_ms, Some(15_000));
    let mut at = |ms: u64| {
        let fault = all.choose((CREATE, "POST", "/v1/contacts", None), &call("a"), ms * MS);
        fault.map(|fault| fault.to_string())
    };
    assert_eq!(at(5_000).as_deref(), Some("429"));
    assert_eq!(at(5_001).as_deref(), Some("503"));
    assert_eq!(at(14_999).as_deref(), Some("503"));
    assert_eq!(at(15_000), None);
}

#[test]
fn taking_a_rule_away_changes_no_chance_of_the_others() {
    let play = |take_away: bool| {
        let first = FaultRule::on("users.*")
            .always("500")
            .unwrap()
            .named("first");
        let second = FaultRule::on("*").random(0.5, 1, "reset").unwrap();
        let mut rules = rules(&[first, second]);
        if take_away {
            rules.clear_named("first");
        }
        (0..64)
            .map(|n| chosen(&mut rules, &n.to_string()).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(play(true), play(false));
}
