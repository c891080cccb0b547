#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

use super::*;
use crate::Client;

fn refused(url: &str, quota: &str) -> String {
    let error = RedisQuota::new(url, quota).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    error.what().to_owned()
}

#[test]
fn what_is_no_url_or_quota_is_refused_and_no_password_is_shown() {
    for url in [
        "",
        "localhost:6379",
        "http://:hunter2@h:6379",
        "redis://:hunter2@h:port",
        "redis://",
    ] {
        let what = refused(url, "600/min");
        assert!(
            what.starts_with("`url` is no URL of a Redis"),
            "{url}: {what}"
        );
        assert!(!what.contains("hunter2"), "{what}");
    }
    assert!(refused("redis://h", "600").starts_with("`quota`: got \"600\" when expecting"));
    let none: [&str; 0] = [];
    assert!(RedisQuota::cluster(none, "600/min").is_err());
}

#[test]
fn debug_shows_no_password() {
    let quota = RedisQuota::new("redis://user:hunter2@h:6379/1", "600/min").unwrap();
    assert!(!format!("{quota:?}").contains("hunter2"));
    let client = Client::builder("https://h.example").shared_quota(quota);
    assert!(!format!("{client:?}").contains("hunter2"));
}

#[test]
fn a_setting_that_cannot_be_is_refused_by_build() {
    let quota = || RedisQuota::new("redis://127.0.0.1", "600/min").unwrap();
    for (quota, wrong) in [
        (quota().name("a{b}"), "`name` is \"a{b}\""),
        (quota().name(""), "`name` is \"\""),
        (quota().prefix("a\nb"), "`prefix` is"),
        (quota().ahead(Duration::ZERO), "`quota`: `ahead` must be"),
        (
            quota().assumed_processes(0),
            "`quota`: `assumed_processes` must be",
        ),
    ] {
        let client = Client::builder("https://h.example").shared_quota(quota);
        let error = client.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.what().starts_with(wrong), "{error}");
    }
}

#[test]
fn the_name_is_the_host_of_the_base_url_where_none_is_given() {
    let quota = RedisQuota::new("redis://127.0.0.1", "600/min").unwrap();
    let client = Client::builder("https://api.example.com:8443/v1")
        .shared_quota(quota)
        .build()
        .unwrap();
    let state = client.state().shared_quota.unwrap();
    assert_eq!(state.name, "api.example.com:8443");
    assert_eq!(state.quota, "600/min, burst 60");
    assert_eq!(state.mode.as_str(), "new");
}

/// The script and the engine's rules are one: every number is the same, whatever is asked and whatever the clock does.
#[tokio::test]
async fn the_script_answers_as_the_ledger_does() {
    use gatewright_engine::fleet::{Ask, Ledger};

    let Some(redis) = redis_server::RedisServer::start() else {
        return;
    };
    let script = store::SCRIPT.replace("redis.call('TIME')", "{ARGV[18], ARGV[19]}");
    assert_ne!(script, store::SCRIPT);
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut seed = 0x5eed_u64;
    let mut below = |limit: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % limit
    };
    let quotas = [
        "600/min, burst 60",
        "7/s, burst 1",
        "60000/min, burst 3000",
        "1000/d, burst 50",
        "1000000/s, burst 1000000",
    ];
    for (index, quota) in quotas.into_iter().enumerate() {
        let terms = Terms::new(quota.parse().unwrap(), ShareSettings::default()).unwrap();
        let mut ledger = Ledger::default();
        let mut micros = 1_790_000_000_000_000_u64;
        let mut ends = vec![Instant::ORIGIN];
        for step in 0..600 {
            micros += match below(20) {
                0 => below(20_000_000),
                1 => below(2_000_000),
                _ => below(200_000),
            };
            if below(100) == 0 {
                micros -= below(3_000_000);
            }
            let mut ask = Ask::default();
            ask.want = u32::try_from(below(40)).unwrap();
            ask.patience = Duration::from_millis(below(5_000));
            if below(4) == 0 {
                ask.back = u32::try_from(below(10)).unwrap();
                ask.back_last = ask.back / 2;
                ask.back_age = Duration::from_millis(below(300));
                let recent =
                    ends.len() - 1 - usize::try_from(below(3)).unwrap().min(ends.len() - 1);
                ask.back_end = ends[recent];
            }
            if below(50) == 0 {
                ask.pause = Some(Duration::from_millis(1 + below(9_000)));
            }
            ask.away = below(10) == 0;
            ask.leave = below(30) == 0;
            let id = below(6);
            let now = Instant::from_nanos(micros * 1_000);
            let expected = ledger.answer(&terms, id, &ask, now);
            let mut arguments = store::arguments(&terms, &id.to_string(), &ask);
            arguments.push((micros / 1_000_000).to_string());
            arguments.push((micros % 1_000_000).to_string());
            let answer: Vec<i64> = redis::cmd("EVAL")
                .arg(&script)
                .arg(2)
                .arg(format!("{{{index}}}:quota"))
                .arg(format!("{{{index}}}:processes"))
                .arg(&arguments)
                .query_async(&mut connection)
                .await
                .unwrap();
            let found = store::grant(&answer).unwrap();
            assert_eq!(found, expected, "step {step} of {quota}: {ask:?}");
            if found.granted > 0 {
                ends.push(found.end);
            }
        }
    }
}

#[path = "../../tests/fleet/redis_server.rs"]
mod redis_server;
