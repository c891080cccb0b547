use super::*;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

const SPEAKS: &[(&str, &str)] = &[("accept-patch", "text/x, Application/Partial-Upload")];

/// Created, and about to send the first piece.
fn created(length: u64, chunk: u64, more: &[(&str, &str)]) -> UploadState {
    let mut upload = UploadState::new(Some(length), chunk);
    assert_eq!(upload.next(), Next::Discover);
    upload.on_discovered(Some(&headers(SPEAKS))).unwrap();
    assert_eq!(upload.next(), Next::Create);
    upload.on_created(&headers(more), true).unwrap();
    upload
}

fn append(offset: u64, at_most: u64) -> Next {
    Next::Append { offset, at_most }
}

fn shown(headers: Vec<(HeaderName, HeaderValue)>) -> Vec<String> {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect()
}

#[test]
fn an_upload_goes_piece_by_piece() {
    let mut upload = created(10, 6, &[]);
    assert_eq!(
        shown(upload.creation()),
        [
            "upload-draft-interop-version: 8",
            "upload-complete: ?0",
            "upload-length: 10"
        ]
    );
    assert_eq!(upload.next(), append(0, 6));
    let more = headers(&[("upload-complete", "?0"), ("upload-offset", "6")]);
    let went = upload.on_appended(StatusCode::NO_CONTENT, &more, 6, false);
    assert_eq!((went, upload.next()), (Ok(false), append(6, 6)));
    assert_eq!(
        shown(upload.append(true)),
        [
            "upload-draft-interop-version: 8",
            "upload-complete: ?1",
            "upload-offset: 6",
            "content-type: application/partial-upload"
        ]
    );
    let last = headers(&[("upload-complete", "?1")]);
    let went = upload.on_appended(StatusCode::CREATED, &last, 4, true);
    assert_eq!((went, upload.next()), (Ok(true), Next::Done));
}

#[test]
fn a_server_that_does_not_speak_it_gets_a_plain_upload() {
    for answer in [
        None,
        Some(headers(&[])),
        Some(headers(&[("accept-patch", "application/*, */*")])),
        Some(headers(&[("allow", "POST")])),
    ] {
        let mut upload = UploadState::new(Some(10), 6);
        upload.on_discovered(answer.as_ref()).unwrap();
        assert_eq!(upload.next(), Next::Plain, "{answer:?}");
    }
}

#[test]
fn a_creation_without_a_location_is_an_error() {
    let mut upload = UploadState::new(Some(10), 6);
    upload.assume_support();
    assert_eq!(upload.next(), Next::Create);
    assert_eq!(
        upload.on_created(&headers(&[]), false),
        Err(Wrong::NoLocation)
    );
}

#[test]
fn a_break_is_followed_by_a_question() {
    let mut upload = created(10, 6, &[]);
    upload.on_lost();
    assert_eq!(upload.next(), Next::Ask);
    let came = upload.on_offset(&headers(&[
        ("upload-offset", "2"),
        ("upload-complete", "?0"),
    ]));
    assert_eq!((came, upload.next()), (Ok(true), append(2, 6)));
    upload.on_lost();
    let came = upload.on_offset(&headers(&[("upload-offset", "2")]));
    assert_eq!(came, Ok(false), "no progress");
}

#[test]
fn an_answer_that_was_lost_is_not_asked_for_by_sending_again() {
    let mut upload = created(10, 10, &[]);
    upload.on_lost();
    upload
        .on_offset(&headers(&[
            ("upload-offset", "10"),
            ("upload-complete", "?1"),
        ]))
        .unwrap();
    assert_eq!((upload.next(), upload.offset()), (Next::Done, 10));
}

#[test]
fn an_offset_never_goes_back() {
    let mut upload = created(10, 6, &[]);
    let more = headers(&[("upload-offset", "6")]);
    upload
        .on_appended(StatusCode::NO_CONTENT, &more, 6, false)
        .unwrap();
    upload.on_lost();
    assert_eq!(
        upload.on_offset(&headers(&[("upload-offset", "5")])),
        Err(Wrong::WentBack { says: 5, had: 6 })
    );
    for (answer, wrong) in [
        (
            &[("upload-offset", "11")][..],
            Wrong::TooFar {
                says: 11,
                length: 10,
            },
        ),
        (&[("upload-offset", "-1")], Wrong::NoOffset),
        (&[("upload-offset", "\"7\"")], Wrong::NoOffset),
        (&[("upload-complete", "1")], Wrong::NoOffset),
    ] {
        assert_eq!(upload.on_offset(&headers(answer)), Err(wrong));
    }
}

#[test]
fn a_server_that_is_elsewhere_says_where() {
    let mut upload = created(10, 6, &[]);
    let answer = headers(&[("upload-offset", "4"), ("upload-complete", "?0")]);
    let went = upload.on_refused(StatusCode::CONFLICT, &answer, 6);
    assert_eq!((went, upload.next()), (Ok(true), append(4, 6)));
    // Refused where it says itself that it is: there is no use in it.
    let went = upload.on_refused(StatusCode::CONFLICT, &answer, 6);
    assert_eq!(went, Ok(false));
    let went = upload.on_refused(StatusCode::CONFLICT, &headers(&[]), 6);
    assert_eq!(went, Ok(false));
}

#[test]
fn a_piece_too_large_is_cut() {
    let mut upload = created(10, 6, &[]);
    let limit = headers(&[("upload-limit", "max-append-size=3, max-age=60")]);
    let went = upload.on_refused(StatusCode::PAYLOAD_TOO_LARGE, &limit, 6);
    assert_eq!((went, upload.next()), (Ok(true), append(0, 3)));
    let went = upload.on_refused(StatusCode::PAYLOAD_TOO_LARGE, &limit, 3);
    assert_eq!(went, Ok(false), "it is not larger than allowed");
}

#[test]
fn limits_are_kept_to() {
    let upload = created(10, 6, &[("upload-limit", "max-append-size=4")]);
    assert_eq!(upload.next(), append(0, 4));
    let upload = created(10, 6, &[("upload-limit", "min-append-size=8")]);
    assert_eq!(upload.next(), append(0, 8));
    let mut upload = UploadState::new(Some(10), 6);
    let mut small = headers(SPEAKS);
    small.insert(UPLOAD_LIMIT, HeaderValue::from_static("max-size=9"));
    assert!(matches!(
        upload.on_discovered(Some(&small)),
        Err(Wrong::Limit(_))
    ));
    for nothing in [
        "max-append-size=?1",
        "max-append-size=(1 2)",
        "=",
        "max-append-size=-4",
    ] {
        let read = UploadLimits::of(&headers(&[("upload-limit", nothing)]));
        assert_eq!(read, UploadLimits::default(), "{nothing}");
    }
}

#[test]
fn an_error_of_the_whole_is_no_error_of_a_piece() {
    let mut upload = created(10, 10, &[]);
    let answer = headers(&[("upload-complete", "?1")]);
    let went = upload.on_refused(StatusCode::UNPROCESSABLE_ENTITY, &answer, 10);
    assert_eq!((went, upload.next()), (Ok(false), Next::Done));
}
