//! Each dialect as servers send it, and as hostile ones might.

use http::{HeaderName, HeaderValue};

use super::*;
use crate::time::UnixMillis;

const WALL: i64 = 1_700_000_000_000;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    headers
}

fn read(pairs: &[(&'static str, &str)]) -> LimitReadings {
    read_limits(
        &headers(pairs),
        Now {
            wall: UnixMillis(WALL),
            ..Now::default()
        },
    )
}

fn only(pairs: &[(&'static str, &str)]) -> Reading {
    let readings = read(pairs);
    assert_eq!(readings.iter().count(), 1, "{readings:?}");
    readings.iter().next().unwrap().clone()
}

fn secs(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn a_response_without_limit_headers_says_nothing() {
    let readings = read(&[
        ("content-type", "application/json"),
        ("x-request-id", "1"),
        ("range", "x"),
    ]);
    assert!(readings.is_empty());
    assert_eq!(readings.dialect(), None);
    assert_eq!(readings.readings.capacity(), 0, "no allocation");
}

#[test]
fn draft_10_joins_the_policy_to_what_is_left() {
    let readings = read(&[
        (
            "ratelimit-policy",
            "\"burst\";q=100;w=60, \"day\";q=1000;w=86400;qu=\"requests\"",
        ),
        ("ratelimit", "\"burst\";r=50;t=30, \"day\";r=900;t=4000"),
    ]);
    assert_eq!(readings.dialect(), Some(Dialect::Draft10));
    let [burst, day] = &readings.readings[..] else {
        panic!("{readings:?}")
    };
    assert_eq!(
        (&*burst.policy, burst.limit, burst.window),
        ("burst", Some(100), secs(60))
    );
    assert_eq!(
        (burst.remaining, burst.reset_after, burst.unit),
        (Some(50), secs(30), Unit::Requests)
    );
    assert_eq!(
        (&*day.policy, day.remaining, day.reset_after),
        ("day", Some(900), secs(4000))
    );
}

#[test]
fn draft_10_lists_may_come_in_several_lines() {
    let readings = read(&[
        ("ratelimit-policy", "\"a\";q=1;w=1"),
        ("ratelimit-policy", "\"b\";q=2;w=2"),
        ("ratelimit", "\"b\";r=1;t=2"),
        ("ratelimit", "\"a\";r=0;t=1"),
    ]);
    let names: Vec<_> = readings.iter().map(|r| (&*r.policy, r.limit)).collect();
    assert_eq!(names, [("b", Some(2)), ("a", Some(1))]);
}

#[test]
fn partition_keys_are_bytes_and_tell_policies_of_one_name_apart() {
    let readings = read(&[
        (
            "ratelimit-policy",
            "\"p\";q=10;w=1;pk=:QQ==:, \"p\";q=20;w=1;pk=:Qg==:",
        ),
        ("ratelimit", "\"p\";r=3;t=1;pk=:Qg==:"),
    ]);
    assert_eq!(
        readings.iter().next().unwrap().partition_key.as_deref(),
        Some(&b"B"[..])
    );
    assert_eq!(readings.iter().next().unwrap().limit, Some(20));
    // Said by the policy alone.
    let reading = only(&[
        ("ratelimit-policy", "\"p\";q=10;pk=:QQ==:"),
        ("ratelimit", "\"p\";r=3"),
    ]);
    assert_eq!(reading.partition_key.as_deref(), Some(&b"A"[..]));
}

#[test]
fn units_other_than_requests_are_told_apart() {
    let unit = |qu: &str| {
        only(&[
            ("ratelimit-policy", &format!("\"p\";q=10;{qu}")),
            ("ratelimit", "\"p\";r=3"),
        ])
        .unit
    };
    assert_eq!(unit("qu=\"requests\""), Unit::Requests);
    assert_eq!(unit("qu=\"content-bytes\""), Unit::ContentBytes);
    assert_eq!(unit("qu=\"concurrent-requests\""), Unit::ConcurrentRequests);
    assert_eq!(unit("qu=\"moons\""), Unit::Other);
    assert_eq!(unit("qu=7"), Unit::Other);
}

#[test]
fn draft_10_wins_over_older_headers() {
    let readings = read(&[
        ("ratelimit", "\"p\";r=3;t=1"),
        ("ratelimit-remaining", "9"),
        ("x-ratelimit-remaining", "8"),
    ]);
    assert_eq!(readings.dialect(), Some(Dialect::Draft10));
    assert_eq!(readings.iter().next().unwrap().remaining, Some(3));
}

#[test]
fn a_malformed_draft_10_header_leaves_the_older_ones() {
    for bad in [
        "\"burst;r=;t=soon",
        "\"p\";r=-1",
        "\"p\"",
        "\"p\";r=1.5",
        "(\"p\");r=1",
        "?1;r=1",
        "",
    ] {
        let readings = read(&[("ratelimit", bad), ("x-ratelimit-remaining", "8")]);
        assert_eq!(readings.dialect(), Some(Dialect::XRateLimit), "{bad:?}");
        assert!(read(&[("ratelimit", bad)]).is_empty(), "{bad:?}");
    }
}

#[test]
fn a_malformed_policy_does_not_take_what_is_left_with_it() {
    let reading = only(&[
        ("ratelimit", "\"p\";r=3;t=1"),
        ("ratelimit-policy", "burst q=many, ;w=-1"),
    ]);
    assert_eq!(
        (reading.remaining, reading.limit, reading.window),
        (Some(3), None, None)
    );
}

#[test]
fn at_most_eight_policies_are_kept_however_many_come() {
    let many: Vec<String> = (0..1000).map(|i| format!("\"p{i}\";r={i}")).collect();
    assert_eq!(
        read(&[("ratelimit", &many.join(", "))]).iter().count(),
        MAX_POLICIES
    );
}

#[test]
fn long_names_are_cut_and_long_keys_refused() {
    let name = "n".repeat(5000);
    assert_eq!(
        only(&[("ratelimit", &format!("\"{name}\";r=1"))])
            .policy
            .len(),
        64
    );
    assert!(read(&[("ratelimit", &format!("\"n\";r=1;pk=\"{name}\""))]).is_empty());
}

#[test]
fn draft_07_dictionary() {
    let reading = only(&[
        ("ratelimit", "limit=100, remaining=50, reset=30"),
        ("ratelimit-policy", "10;w=1, 100;w=60"),
    ]);
    assert_eq!((reading.limit, reading.window), (Some(100), secs(60)));
    assert_eq!(
        (reading.remaining, reading.reset_after),
        (Some(50), secs(30))
    );
    assert!(read(&[("ratelimit", "limit=100, remaining=-1, reset=30")]).is_empty());
}

#[test]
fn draft_06_triple_with_and_without_windows() {
    let triple = |limit: &str, policy: &str| {
        let reading = only(&[
            ("ratelimit-limit", limit),
            ("ratelimit-policy", policy),
            ("ratelimit-remaining", "50"),
            ("ratelimit-reset", "30"),
        ]);
        assert_eq!(
            (reading.remaining, reading.reset_after),
            (Some(50), secs(30))
        );
        (reading.limit, reading.window)
    };
    assert_eq!(triple("100", ""), (Some(100), None));
    assert_eq!(triple("100, 100;w=60", ""), (Some(100), secs(60)));
    assert_eq!(
        triple("10, 10;window=1, 50;window=60", ""),
        (Some(10), secs(1))
    );
    assert_eq!(triple("100;w=60", ""), (Some(100), secs(60)));
    assert_eq!(
        triple("50", "10;w=1, 50;w=60;comment=\"x\""),
        (Some(50), secs(60))
    );
    assert_eq!(triple("many", ""), (None, None));
    assert_eq!(
        read(&[("ratelimit-remaining", "1")]).dialect(),
        Some(Dialect::Draft06)
    );
}

#[test]
fn resets_in_every_form() {
    let reset = |value: &str| {
        only(&[
            ("x-ratelimit-limit", "60"),
            ("x-ratelimit-remaining", "5"),
            ("x-ratelimit-reset", value),
        ])
        .reset_after
    };
    assert_eq!(reset("30"), secs(30));
    assert_eq!(reset("0"), secs(0));
    assert_eq!(reset("0.25"), Some(Duration::from_millis(250)));
    assert_eq!(
        reset("1700000042"),
        secs(42),
        "epoch seconds against our own clock"
    );
    assert_eq!(
        reset("1700000042500"),
        Some(Duration::from_millis(42_500)),
        "epoch milliseconds"
    );
    assert_eq!(reset("1600000000"), secs(0), "past");
    assert_eq!(reset("6m0s"), secs(360));
    assert_eq!(reset("20ms"), Some(Duration::from_millis(20)));
    assert_eq!(reset("1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
    assert_eq!(reset("1d"), secs(86_400));
    assert_eq!(reset("Tue, 14 Nov 2023 22:13:50 GMT"), secs(30));
    for bad in [
        "", "soon", "-5", "1.2.3", "5x", "m", "nan", "inf", "1e3", "s5", "12m3",
    ] {
        assert_eq!(reset(bad), None, "{bad:?}");
    }
}

#[test]
fn epoch_resets_are_read_against_the_servers_own_date() {
    let reading = only(&[
        ("date", "Tue, 14 Nov 2023 23:13:20 GMT"),
        ("x-ratelimit-remaining", "5"),
        ("x-ratelimit-reset", "1700003642"),
    ]);
    assert_eq!(
        reading.reset_after,
        secs(42),
        "our clock is an hour behind and does not matter"
    );
}

#[test]
fn absurd_numbers_saturate_and_negative_ones_are_ignored() {
    let ten_years = secs(10 * 365 * 86_400);
    let huge = "18446744073709551616";
    let reading = only(&[
        ("x-ratelimit-limit", huge),
        ("x-ratelimit-remaining", huge),
        ("x-ratelimit-reset", huge),
    ]);
    assert_eq!(
        (reading.limit, reading.remaining),
        (Some(u64::MAX), Some(u64::MAX))
    );
    assert_eq!(reading.reset_after, ten_years);
    assert_eq!(
        only(&[
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset", "999999999d")
        ])
        .reset_after,
        ten_years
    );
    assert!(read(&[("x-ratelimit-remaining", "-1")]).is_empty());
    assert!(read(&[("x-ratelimit-remaining", "1e9")]).is_empty());
    assert!(
        read(&[("ratelimit", "\"p\";r=9999999999999999")]).is_empty(),
        "16 digits are no structured integer"
    );
    assert_eq!(
        only(&[("ratelimit", "\"p\";r=999999999999999")]).remaining,
        Some(999_999_999_999_999)
    );
}

#[test]
fn github_counts_each_resource_by_itself() {
    let reading = only(&[
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "1700003600"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-resource", "core"),
    ]);
    assert_eq!(
        (&*reading.policy, reading.partition_key.as_deref()),
        ("x-ratelimit", Some(&b"core"[..]))
    );
    assert_eq!(reading.reset_after, secs(3600));
}

#[test]
fn twitter_spells_it_with_another_dash() {
    let reading = only(&[
        ("x-rate-limit-limit", "15"),
        ("x-rate-limit-remaining", "14.0"),
    ]);
    assert_eq!((reading.limit, reading.remaining), (Some(15), Some(14)));
}

#[test]
fn openai_requests_and_tokens() {
    let readings = read(&[
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ]);
    assert_eq!(readings.dialect(), Some(Dialect::PerUnit));
    let [requests, tokens] = &readings.readings[..] else {
        panic!("{readings:?}")
    };
    assert_eq!(
        (requests.unit, requests.limit, requests.reset_after),
        (Unit::Requests, Some(60), secs(1))
    );
    assert_eq!(
        (tokens.unit, tokens.remaining, tokens.reset_after),
        (Unit::Tokens, Some(149_984), secs(360))
    );
}

#[test]
fn github_resets_are_times_of_the_servers_clock() {
    let readings = read(&[
        ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("x-ratelimit-remaining", "5"),
        ("x-ratelimit-reset", "1700000042"),
    ]);
    let reading = readings.iter().next().unwrap();
    assert_eq!(reading.reset_at, Some(UnixMillis(1_700_000_042_000)));
    assert_eq!(readings.served_at(), Some(UnixMillis(WALL)));
}

#[test]
fn kong_names_the_window_that_is_nearest_to_its_end() {
    let windows = [
        ("x-ratelimit-limit-second", "10"),
        ("x-ratelimit-remaining-second", "9"),
        ("x-ratelimit-limit-minute", "100"),
        ("x-ratelimit-remaining-minute", "7"),
    ];
    let nearest = [
        ("ratelimit-limit", "100"),
        ("ratelimit-remaining", "7"),
        ("ratelimit-reset", "42"),
    ];
    let readings = read(&[windows, [nearest[0], nearest[1], nearest[2], nearest[2]]].concat());
    assert_eq!(readings.dialect(), Some(Dialect::Kong));
    let [minute] = &readings.readings[..] else {
        panic!("{readings:?}")
    };
    assert_eq!(
        (&*minute.policy, minute.limit, minute.window),
        ("minute", Some(100), secs(60))
    );
    assert_eq!((minute.remaining, minute.reset_after), (Some(7), secs(42)));
    // Without the three, it is known only how long each window is.
    let readings = read(&windows);
    let policies: Vec<_> = readings
        .iter()
        .map(|reading| (&*reading.policy, reading.window, reading.reset_after))
        .collect();
    assert_eq!(
        policies,
        [("second", secs(1), None), ("minute", secs(60), None)]
    );
    // Three that speak of none of them are what counts.
    let other = read(&[windows[0], windows[1], nearest[0], nearest[1], nearest[2]]);
    assert_eq!(other.dialect(), Some(Dialect::Draft06));
}

#[test]
fn anthropic_says_resets_as_times() {
    let readings = read(&[
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", "999"),
        ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:50Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        (
            "anthropic-ratelimit-input-tokens-reset",
            "2023-11-15T00:14:20.5+02:00",
        ),
    ]);
    assert_eq!(readings.dialect(), Some(Dialect::Anthropic));
    let [requests, tokens] = &readings.readings[..] else {
        panic!("{readings:?}")
    };
    assert_eq!(
        (requests.unit, requests.reset_after),
        (Unit::Requests, secs(30))
    );
    assert_eq!(
        (tokens.unit, tokens.remaining, tokens.reset_after),
        (Unit::Tokens, Some(0), Some(Duration::from_millis(60_500)))
    );
    for bad in [
        "2023-11-14",
        "2023-11-14T22:13:50",
        "2023-13-14T22:13:50Z",
        "2023-11-14T25:13:50Z",
        "T",
        "----T::Z",
    ] {
        let reading = only(&[
            ("anthropic-ratelimit-requests-remaining", "1"),
            ("anthropic-ratelimit-requests-reset", bad),
        ]);
        assert_eq!(reading.reset_after, None, "{bad}");
    }
}

#[test]
fn discord_names_a_bucket_and_how_far_a_refusal_reaches() {
    let readings = read(&[
        ("x-ratelimit-limit", "5"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1470173023.123"),
        ("x-ratelimit-reset-after", "64.57"),
        ("x-ratelimit-bucket", "abcd1234"),
        ("x-ratelimit-scope", "global"),
    ]);
    assert_eq!(readings.dialect(), Some(Dialect::Discord));
    assert_eq!(readings.reach(), Reach::Everything);
    let reading = readings.iter().next().unwrap();
    assert_eq!(
        (reading.partition_key.as_deref(), reading.scope),
        (Some(&b"abcd1234"[..]), Scope::Resource)
    );
    assert_eq!(reading.reset_after, Some(Duration::from_millis(64_570)));
}

#[test]
fn stripe_says_which_calls_a_refusal_is_meant_for() {
    for (reason, reach) in [
        ("global-rate", Reach::Everything),
        ("global-concurrency", Reach::Everything),
        ("endpoint-rate", Reach::Endpoint),
        ("endpoint-concurrency", Reach::Endpoint),
        ("resource-specific", Reach::Path),
        ("something-new", Reach::Partition),
    ] {
        let readings = read(&[("stripe-rate-limited-reason", reason)]);
        assert!(readings.is_empty());
        assert_eq!(readings.reach(), reach, "{reason}");
    }
}

#[test]
fn shopify_tells_what_is_in_a_bucket_that_leaks_in_twenty_seconds() {
    let reading = only(&[("x-shopify-shop-api-call-limit", "32/40")]);
    assert_eq!((reading.limit, reading.remaining), (Some(40), Some(8)));
    assert_eq!((reading.window, reading.reset_after), (secs(20), secs(16)));
    for bad in ["", "32", "/", "1/0", "a/b", "-1/40"] {
        assert!(
            read(&[("x-shopify-shop-api-call-limit", bad)]).is_empty(),
            "{bad}"
        );
    }
    let over = only(&[("x-shopify-shop-api-call-limit", "41/40")]);
    assert_eq!(over.remaining, Some(0));
}

#[test]
fn a_policy_alone_tells_how_many_calls_may_be_under_way() {
    let reading = only(&[(
        "ratelimit-policy",
        "\"burst\";q=10;w=1, \"at-once\";q=2;qu=\"concurrent-requests\"",
    )]);
    assert_eq!(
        (&*reading.policy, reading.unit, reading.limit),
        ("at-once", Unit::ConcurrentRequests, Some(2))
    );
}

#[test]
fn hostile_bytes_never_panic() {
    // Every header at every value that once broke a parser somewhere.
    let names = [
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ];
    let nested = "(".repeat(2000);
    let values = [
        "",
        " ",
        ",",
        ";",
        "=",
        "\"",
        ":",
        "@",
        "%\"%ff\"",
        "1,",
        "1;",
        "1;w",
        "1;w=",
        "1;w=\"\"",
        "..",
        ".",
        "-",
        "+1",
        "9".repeat(400).leak(),
        "µs",
        "1µs",
        "0x10",
        "1,,1",
        "\"a\";r=1;r=2;r=x",
        nested.leak(),
        "1;w=-9",
        "a=(1 2",
        "٣",
    ];
    let now = Now {
        wall: UnixMillis(WALL),
        ..Now::default()
    };
    for first in names {
        for second in names {
            for value in values {
                for other in values {
                    let mut map = HeaderMap::new();
                    map.append(first, HeaderValue::from_bytes(value.as_bytes()).unwrap());
                    map.append(second, HeaderValue::from_bytes(other.as_bytes()).unwrap());
                    assert!(read_limits(&map, now).iter().count() <= MAX_POLICIES);
                }
            }
        }
    }
}

#[test]
fn the_plain_form_reads_the_same() {
    let lists = [
        r#""burst";r=3;t=7"#,
        r#""burst";q=10;w=10"#,
        r#""burst";r=3;t=7, "day";r=400;t=3600"#,
        r#""burst";q=10;w=10,"day";q=500;w=86400"#,
        r#""burst";r=1;r=2;t=007"#,
        r#""day";q=1;q=2,"day";q=3"#,
        r#""";r=0"#,
        r#""burst""#,
        r#""burst";r=999999999999999"#,
        r#""burst";r=9999999999999999"#,
        r#""burst";r=-1"#,
        r#""burst";r=1.5"#,
        r#""burst";r"#,
        r#""burst";r=;t=1"#,
        r#""burst"; r=3"#,
        r#""bu\"rst";r=3"#,
        r#""burst";r=3 , "day";r=4"#,
        r#""burst";r=3,"#,
        r#""burst";r=3,,"day";r=3"#,
        r#""burst";r=3 "day";r=3"#,
        r#" "burst";r=3 "#,
        r#""burst";r=3;x=1"#,
        r#""burst";r=3;pk=:YQ==:"#,
        r#""burst";q=3;qu="concurrent-requests""#,
        r#""a";r=1,"b";r=1,"c";r=1,"d";r=1,"e";r=1"#,
        "burst;r=3",
        "(\"burst\");r=3",
        "\"burst",
        "\"b\u{e9}\";r=3",
        "",
    ];
    let mut plain = 0;
    for left in lists {
        for policies in lists {
            let headers = headers(&[("ratelimit", left), ("ratelimit-policy", policies)]);
            if let Some(readings) = structured::read_plain_list(Present::in_headers(&headers).1) {
                plain += 1;
                assert_eq!(
                    readings,
                    structured::read_any_list(&headers),
                    "{left} and {policies}"
                );
            }
        }
    }
    assert!(plain >= 64, "{plain} pairs are plain");
}
