use super::*;
use http::header;

const V1: &str = "\"v1\"";
/// Of `hello`.
const HELLO: &str = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

/// Reading from the start, of five bytes; `came` of them are delivered.
fn reading(more: &[(&str, &str)], came: &'static str) -> DownloadState {
    let mut state = DownloadState::new();
    let mut head = headers(&[("content-length", "5")]);
    head.extend(headers(more));
    assert_eq!(state.on_head(StatusCode::OK, &head), Ok(Taken::On));
    assert_eq!(state.on_bytes(came.into()).unwrap(), came);
    state
}

fn part(state: &mut DownloadState, pairs: &[(&str, &str)]) -> Result<Taken, Wrong> {
    state.on_head(StatusCode::PARTIAL_CONTENT, &headers(pairs))
}

#[test]
fn a_break_is_followed_by_a_range() {
    let mut state = reading(&[("etag", V1), ("repr-digest", HELLO)], "hel");
    assert_eq!(
        state.wanted(),
        Some(Wanted {
            range: "bytes=3-".to_owned(),
            if_range: HeaderValue::from_static(V1)
        })
    );
    assert_eq!(
        part(
            &mut state,
            &[("content-range", "bytes 3-4/5"), ("etag", V1)]
        ),
        Ok(Taken::On)
    );
    assert_eq!(state.on_bytes("lo".into()).unwrap(), "lo");
    assert!(state.has_all());
    assert_eq!(state.on_end(), Ok(()));
}

#[test]
fn nothing_delivered_is_nothing_to_mix() {
    let mut state = reading(&[("etag", "W/\"v1\"")], "");
    assert_eq!((state.wanted(), state.no_resume()), (None, None));
    let other = headers(&[("etag", "\"v2\""), ("content-length", "2")]);
    assert_eq!(state.on_head(StatusCode::OK, &other), Ok(Taken::On));
    state.on_bytes("ab".into()).unwrap();
    assert_eq!(state.on_end(), Ok(()));
}

#[test]
fn without_a_strong_tag_there_is_no_resuming() {
    for (more, why) in [
        (&[][..], NoResume::NoEtag),
        (&[("etag", "W/\"v1\"")], NoResume::WeakEtag),
        (&[("etag", "v1")], NoResume::NoEtag),
        (
            &[("etag", V1), ("accept-ranges", "none")],
            NoResume::NoRanges,
        ),
        (
            &[("etag", V1), ("content-encoding", "gzip")],
            NoResume::Encoded,
        ),
    ] {
        let state = reading(more, "hel");
        assert_eq!((state.wanted(), state.no_resume()), (None, Some(why)));
    }
}

#[test]
fn a_part_that_does_not_fit_is_refused() {
    for wrong in [
        &[][..],
        &[("content-range", "bytes 2-4/5")],
        &[("content-range", "bytes 4-4/5")],
        &[("content-range", "bytes */5")],
        &[("content-range", "bytes 3-4/5"), ("content-length", "1")],
        &[
            ("content-range", "bytes 3-4/5"),
            ("content-encoding", "gzip"),
        ],
    ] {
        let mut state = reading(&[("etag", V1)], "hel");
        assert!(
            matches!(part(&mut state, wrong), Err(Wrong::Mismatch(_))),
            "{wrong:?}"
        );
    }
    // A part that nobody asked for.
    let mut state = DownloadState::new();
    assert!(part(&mut state, &[("content-range", "bytes 0-4/5")]).is_err());
}

#[test]
fn two_versions_are_never_mixed() {
    let changed = Err(Wrong::Changed { delivered: 3 });
    for other in [
        &[("content-range", "bytes 3-4/5"), ("etag", "\"v2\"")][..],
        &[("content-range", "bytes 3-4/5"), ("etag", "W/\"v1\"")],
        &[("content-range", "bytes 3-8/9"), ("etag", V1)],
    ] {
        let mut state = reading(&[("etag", V1)], "hel");
        assert_eq!(part(&mut state, other), changed, "{other:?}");
    }
    for whole in [&[("etag", "\"v2\"")][..], &[("etag", "W/\"v1\"")], &[]] {
        let mut state = reading(&[("etag", V1)], "hel");
        assert_eq!(state.on_head(StatusCode::OK, &headers(whole)), changed);
    }
    let mut state = reading(&[("etag", V1)], "hel");
    let shorter = headers(&[("content-range", "bytes */2")]);
    assert_eq!(
        state.on_unsatisfied(&shorter),
        Err(Wrong::Changed { delivered: 3 })
    );
}

#[test]
fn a_server_without_ranges_sends_it_again() {
    let mut state = reading(&[("etag", V1), ("repr-digest", HELLO)], "hel");
    let whole = headers(&[("etag", V1), ("content-length", "5")]);
    assert_eq!(state.on_head(StatusCode::OK, &whole), Ok(Taken::On));
    assert_eq!(state.on_bytes("he".into()).unwrap(), "");
    // It breaks again, before anything new came.
    assert_eq!(state.on_end(), Err(Wrong::TooLittle { total: 5, came: 2 }));
    assert_eq!(state.on_head(StatusCode::OK, &whole), Ok(Taken::On));
    assert_eq!(state.on_bytes("hell".into()).unwrap(), "l");
    assert_eq!(state.on_bytes("o".into()).unwrap(), "o");
    assert_eq!(state.on_end(), Ok(()));
}

#[test]
fn an_earlier_part_of_another_version_begins_anew() {
    let etag = HeaderValue::from_static(V1);
    let mut state = DownloadState::after(3, etag.clone());
    let other = headers(&[("etag", "\"v2\""), ("content-length", "2")]);
    assert_eq!(state.on_head(StatusCode::OK, &other), Ok(Taken::Anew));
    assert_eq!((state.position(), state.total()), (0, Some(2)));
    // What is there is longer than what the server has.
    let mut state = DownloadState::after(3, etag);
    let shorter = headers(&[("content-range", "bytes */2")]);
    assert_eq!(state.on_unsatisfied(&shorter), Ok(None));
    assert_eq!((state.position(), state.wanted()), (0, None));
}

#[test]
fn an_earlier_part_goes_on_and_its_digest_is_that_of_all() {
    let mut state = DownloadState::after(3, HeaderValue::from_static(V1));
    let rest = [
        ("content-range", "bytes 3-4/5"),
        ("etag", V1),
        ("repr-digest", HELLO),
    ];
    assert_eq!(part(&mut state, &rest), Ok(Taken::On));
    assert!(state.wants_sum());
    let mut sum = Sum::default();
    sum.update(b"hel");
    state.set_sum(sum);
    state.on_bytes("lo".into()).unwrap();
    assert_eq!(state.on_end(), Ok(()));
}

#[test]
fn an_earlier_part_may_be_all_of_it() {
    let mut state = DownloadState::after(5, HeaderValue::from_static(V1));
    let all = headers(&[("content-range", "bytes */5"), ("etag", V1)]);
    assert_eq!(state.on_unsatisfied(&all), Ok(Some(Taken::Complete)));
    assert!(state.has_all());
    let mut state = DownloadState::after(5, HeaderValue::from_static(V1));
    let other = headers(&[("content-range", "bytes */5"), ("etag", "\"v2\"")]);
    assert_eq!(state.on_unsatisfied(&other), Ok(None));
}

#[test]
fn a_digest_that_does_not_fit_is_an_error() {
    let mut state = reading(&[("etag", V1), ("repr-digest", HELLO)], "hel");
    state.on_bytes("l!".into()).unwrap();
    assert_eq!(state.on_end(), Err(Wrong::Digest));
    // Of encoded content the digest is of other bytes.
    let encoded = [("content-digest", HELLO), ("content-encoding", "gzip")];
    let mut state = reading(&encoded, "hel");
    state.on_bytes("l!".into()).unwrap();
    assert_eq!(state.on_end(), Ok(()));
}

#[test]
fn a_length_that_does_not_fit_is_an_error() {
    let mut state = reading(&[("etag", V1)], "hel");
    assert_eq!(state.on_end(), Err(Wrong::TooLittle { total: 5, came: 3 }));
    assert_eq!(
        state.on_bytes("lo!".into()),
        Err(Wrong::TooMuch { total: 5 })
    );
}

#[test]
fn what_has_no_content_is_no_download() {
    let mut state = DownloadState::new();
    for status in [204, 301] {
        let status = StatusCode::from_u16(status).unwrap();
        assert!(state.on_head(status, &HeaderMap::new()).is_err());
    }
}
