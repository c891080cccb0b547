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
