use super::*;

fn read(text: &str) -> Result<Vec<Scenario>, String> {
    Scenario::read_all(text)
}

fn with(members: &str) -> String {
    format!(r#"{{"name":"a/b","about":"x","source":"y","expect":{{}}{members}}}"#)
}

#[test]
fn a_table_makes_a_scenario_of_each_combination() {
    let all = read(&with(
        r#","each":{"method":["PUT","DELETE"],"status":[500,503]},"calls":[{"method":"{method}","path":"/{status}"}]"#,
    ))
    .unwrap();
    let names: Vec<_> = all.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "a/b method=PUT status=500",
            "a/b method=PUT status=503",
            "a/b method=DELETE status=500",
            "a/b method=DELETE status=503"
        ]
    );
    assert_eq!(
        all[3].calls,
        [serde_json::json!({"method": "DELETE", "path": "/503"})]
    );
}

#[test]
fn rows_are_named_by_their_case() {
    let rows = r#","each":[{"case":"one","code":"x"},{"status":3}]"#;
    let names: Vec<_> = read(&with(rows))
        .unwrap()
        .into_iter()
        .map(|s| s.name)
        .collect();
    assert_eq!(names, ["a/b one", "a/b status=3"]);
}

#[test]
fn without_clients_there_is_the_default_one_and_webhooks_need_none() {
    let clients = |members| {
        read(&with(members)).unwrap()[0]
            .clients()
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(clients(""), ["default"]);
    assert_eq!(clients(r#","clients":{"a":{},"b":{}}"#), ["a", "b"]);
    let webhook = r#","calls":[{"webhook":{"sign":{"secrets":["x"],"message_id":"m","timestamp":1,"text":""}}}]"#;
    assert_eq!(clients(webhook), Vec::<String>::new());
}

#[test]
fn slips_of_the_pen_are_refused() {
    for (members, part) in [
        (r#","need":[]"#, "unknown field"),
        (r#","needs":["magic"]"#, "magic"),
        (
            r#","calls":[{"method":"GET","path":"/{nowhere}"}]"#,
            "{nowhere} stands for nothing",
        ),
        (
            r#","calls":[{"method":"GET","path":"/","client":"c"}]"#,
            "no client \"c\"",
        ),
        (
            r#","calls":[{"method":"GET","path":"/","timeout":3}]"#,
            "\"timeout\"",
        ),
        (r#","calls":[{"wait":3}]"#, "wait"),
    ] {
        let why = read(&with(members)).unwrap_err();
        assert!(why.contains(part), "{members}: {why}");
    }
    let why = read(r#"{"name":"a/b","about":"x","source":"y","expect":{"users":[]}}"#).unwrap_err();
    assert!(why.contains("users"), "{why}");
}

#[test]
fn the_scenarios_of_this_repository_are_named_by_their_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let (scenarios, unreadable) = load(&folder).unwrap();
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert!(scenarios.len() >= 60);
    for scenario in scenarios {
        let stem = scenario.name.split(' ').next().unwrap();
        assert!(
            folder.join(format!("{stem}.json")).exists(),
            "{}",
            scenario.name
        );
        assert!(
            !scenario.about.is_empty() && !scenario.source.is_empty(),
            "{}",
            scenario.name
        );
    }
}
