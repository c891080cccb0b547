use bytes::Bytes;
use futures_util::stream;
use gatewright::testing::{answer, answer_with, failure};
use gatewright::{Body, BoxError, ErrorKind, FailureClass, NoRetry, Upload, UploadSource};

use crate::world::{Step, World, header, world};

const SPEAKS: (&str, &str) = ("accept-patch", "application/partial-upload");
const COMPLETE: (&str, &str) = ("upload-complete", "?1");
const INCOMPLETE: (&str, &str) = ("upload-complete", "?0");

fn speaks() -> Step {
    answer_with(204, &[SPEAKS], "")
}

fn created() -> Step {
    answer_with(201, &[("location", "/v1/uploads/up_1")], "")
}

fn appended() -> Step {
    answer_with(204, &[INCOMPLETE], "")
}

fn at(offset: &str) -> Step {
    answer_with(204, &[INCOMPLETE, ("upload-offset", offset)], "")
}

fn done() -> Step {
    answer_with(201, &[COMPLETE], "{\"id\":\"fi_1\"}")
}

fn begin(world: &World, source: impl Into<UploadSource>) -> Upload {
    world
        .client
        .post("/v1/files?name=x")
        .header("content-type", "text/csv")
        .upload(source)
        .chunk_size(4)
}

/// Method, path, offset, complete and body of each request.
fn told(world: &World) -> Vec<String> {
    world
        .wire
        .requests()
        .iter()
        .map(|seen| {
            format!(
                "{} {} {} {} {}",
                seen.method,
                seen.url.path(),
                header(seen, "upload-offset").unwrap_or("-"),
                header(seen, "upload-complete").unwrap_or("-"),
                String::from_utf8_lossy(&seen.body)
            )
        })
        .collect()
}

#[test]
fn an_upload_goes_piece_by_piece() {
    let world = world([speaks(), created(), appended(), appended(), done()]);
    let mut upload = begin(&world, "0123456789");
    let uploaded = world.clock.block_on(upload.send()).unwrap();
    assert!(uploaded.resumable && !uploaded.answer_lost);
    assert_eq!(uploaded.response.text(), "{\"id\":\"fi_1\"}");
    assert_eq!(uploaded.attempts.len(), 5);
    assert_eq!(
        told(&world),
        [
            "OPTIONS /v1/files - - ",
            "POST /v1/files - ?0 ",
            "PATCH /v1/uploads/up_1 0 ?0 0123",
            "PATCH /v1/uploads/up_1 4 ?0 4567",
            "PATCH /v1/uploads/up_1 8 ?1 89",
        ]
    );
    let requests = world.wire.requests();
    let create = &requests[1];
    assert_eq!(header(create, "content-type"), Some("text/csv"));
    assert_eq!(header(create, "upload-length"), Some("10"));
    assert_eq!(create.url.query(), Some("name=x"));
    assert!(header(create, "idempotency-key").is_some());
    for piece in &requests[2..] {
        assert_eq!(
            header(piece, "content-type"),
            Some("application/partial-upload")
        );
        assert_eq!(header(piece, "idempotency-key"), None);
        assert_eq!(header(piece, "upload-draft-interop-version"), Some("8"));
    }
}

#[test]
fn a_server_that_does_not_speak_it_gets_a_plain_upload() {
    for refusal in [
        answer(404),
        answer(405),
        answer_with(204, &[("allow", "POST")], ""),
    ] {
        let world = world([refusal, answer_with(201, &[], "{}")]);
        let uploaded = world
            .clock
            .block_on(begin(&world, "0123456789").send())
            .unwrap();
        assert!(!uploaded.resumable);
        assert_eq!(
            told(&world),
            ["OPTIONS /v1/files - - ", "POST /v1/files - - 0123456789"]
        );
        let requests = world.wire.requests();
        assert_eq!(header(&requests[1], "content-type"), Some("text/csv"));
        assert!(header(&requests[1], "idempotency-key").is_some());
    }
}

#[test]
fn a_break_costs_no_more_than_is_lost() {
    let world = world([
        speaks(),
        created(),
        failure(FailureClass::ConnectionLost),
        at("3"),
        appended(),
        answer(500),
        at("7"),
        done(),
    ]);
    let mut upload = begin(&world, "0123456789");
    let uploaded = world.clock.block_on(upload.send()).unwrap();
    assert_eq!(uploaded.response.status(), 201);
    assert_eq!(
        told(&world)[2..],
        [
            "PATCH /v1/uploads/up_1 0 ?0 0123",
            "HEAD /v1/uploads/up_1 - - ",
            "PATCH /v1/uploads/up_1 3 ?0 3456",
            "PATCH /v1/uploads/up_1 7 ?1 789",
            "HEAD /v1/uploads/up_1 - - ",
            "PATCH /v1/uploads/up_1 7 ?1 789",
        ]
    );
    let numbers: Vec<_> = uploaded.attempts.iter().map(|a| a.number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

#[test]
fn a_stream_that_can_be_read_once_does_too() {
    let pieces = ["01", "2", "3456", "789"];
    for length in [None, Some(10)] {
        let world = world([
            speaks(),
            created(),
            failure(FailureClass::ConnectionLost),
            at("3"),
            appended(),
            done(),
        ]);
        let stream = stream::iter(
            pieces.map(|piece| Ok::<_, BoxError>(Bytes::from_static(piece.as_bytes()))),
        );
        let mut upload = begin(&world, Body::once(stream, length));
        world.clock.block_on(upload.send()).unwrap();
        assert_eq!(
            told(&world)[2..],
            [
                "PATCH /v1/uploads/up_1 0 ?0 0123",
                "HEAD /v1/uploads/up_1 - - ",
                "PATCH /v1/uploads/up_1 3 ?0 3456",
                "PATCH /v1/uploads/up_1 7 ?1 789",
            ]
        );
        let announced = header(&world.wire.requests()[1], "upload-length").map(str::to_owned);
        assert_eq!(announced, length.map(|length| length.to_string()));
    }
}

#[test]
fn a_stream_that_is_shorter_than_announced_is_no_upload() {
    let world = world([speaks(), created()]);
    let stream = stream::iter([Ok::<_, BoxError>(Bytes::from_static(b"01"))]);
    let error = world
        .clock
        .block_on(begin(&world, Body::once(stream, Some(10))).send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(world.wire.requests().len(), 2, "no piece was sent");
}

#[test]
fn a_file_is_uploaded() {
    let path = std::env::temp_dir().join(format!("gatewright-upload-{}", std::process::id()));
    std::fs::write(&path, "0123456789").unwrap();
    let world = world([
        speaks(),
        created(),
        appended(),
        failure(FailureClass::ConnectionLost),
        at("6"),
        done(),
    ]);
    let mut upload = begin(&world, UploadSource::file(&path));
    let uploaded = world.clock.block_on(upload.send());
    let plain = self::world([answer(404), answer(201)]);
    let mut again = begin(&plain, UploadSource::file(&path));
    let plainly = plain.clock.block_on(again.send());
    std::fs::remove_file(&path).unwrap();
    uploaded.unwrap();
    assert_eq!(told(&world)[5], "PATCH /v1/uploads/up_1 6 ?1 6789");
    assert!(!plainly.unwrap().resumable);
    assert_eq!(told(&plain)[1], "POST /v1/files - - 0123456789");
    let mut missing = begin(&plain, UploadSource::file(&path));
    let missing = plain.clock.block_on(missing.send());
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[test]
fn an_answer_that_was_lost_is_not_asked_for_by_sending_again() {
    let world = world([
        speaks(),
        created(),
        failure(FailureClass::ConnectionLost),
        answer_with(204, &[COMPLETE, ("upload-offset", "4")], ""),
    ]);
    let uploaded = world.clock.block_on(begin(&world, "0123").send()).unwrap();
    assert!(uploaded.answer_lost);
    assert_eq!(world.wire.requests().len(), 4);
}

#[test]
fn what_is_given_up_can_be_gone_on_with() {
    let lost = || failure(FailureClass::ConnectionLost);
    let script = [
        speaks(),
        created(),
        lost(),
        at("2"),
        lost(),
        at("2"),
        lost(),
        at("2"),
        lost(),
        at("2"),
        done(),
    ];
    let world = world(script);
    let mut upload = begin(&world, "0123");
    let error = world.clock.block_on(upload.send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.no_retry(), Some(NoRetry::OutOfAttempts));
    assert!(
        error.to_string().contains("send the same upload again"),
        "{error}"
    );
    assert_eq!(
        upload.location(),
        Some("https://api.example/v1/uploads/up_1")
    );
    assert_eq!(upload.offset(), 2);
    let before = world.wire.requests().len();
    let uploaded = world.clock.block_on(upload.send()).unwrap();
    assert_eq!(uploaded.response.status(), 201);
    assert!(told(&world)[before].starts_with("HEAD"));
}

#[test]
fn another_run_goes_on_from_a_location() {
    let world = world([at("4"), done()]);
    let mut upload = begin(&world, "012345").resume("/v1/uploads/up_1");
    world.clock.block_on(upload.send()).unwrap();
    assert_eq!(
        told(&world),
        [
            "HEAD /v1/uploads/up_1 - - ",
            "PATCH /v1/uploads/up_1 4 ?1 45"
        ]
    );
}

#[test]
fn an_upload_resource_of_another_origin_is_refused() {
    let elsewhere = answer_with(201, &[("location", "https://evil.example/up_1")], "");
    let world = world([speaks(), elsewhere]);
    let error = world
        .clock
        .block_on(begin(&world, "0123").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CrossOrigin);
    assert_eq!(world.wire.requests().len(), 2);
}

#[test]
fn an_error_of_the_whole_is_the_callers() {
    let refused = answer_with(422, &[COMPLETE], "{\"title\":\"no CSV\"}");
    let world = world([speaks(), created(), refused]);
    let error = world
        .clock
        .block_on(begin(&world, "0123").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unprocessable);
    assert_eq!(error.attempts().len(), 3);
}

#[test]
fn an_upload_resource_that_is_gone_is_an_error() {
    let world = world([
        speaks(),
        created(),
        failure(FailureClass::ConnectionLost),
        answer(404),
    ]);
    let error = world
        .clock
        .block_on(begin(&world, "0123").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn nothing_to_upload_is_an_upload_of_nothing() {
    let world = world([speaks(), created(), done()]);
    world.clock.block_on(begin(&world, "").send()).unwrap();
    assert_eq!(told(&world)[2], "PATCH /v1/uploads/up_1 0 ?1 ");
}

#[test]
fn a_server_known_to_speak_it_is_not_asked() {
    let world = world([created(), done()]);
    let mut upload = begin(&world, "0123").assume_resumable();
    world.clock.block_on(upload.send()).unwrap();
    assert_eq!(world.wire.requests().len(), 2);
}

#[test]
fn limits_of_the_server_are_kept_to() {
    let limited = answer_with(204, &[SPEAKS, ("upload-limit", "max-size=9")], "");
    let world = world([limited]);
    let error = world
        .clock
        .block_on(begin(&world, "0123456789").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.what().contains("may have 9 bytes"), "{error}");
}

#[test]
fn how_far_it_is_is_known_after_each_request() {
    let world = world([speaks(), created(), appended(), appended(), done()]);
    let mut upload = begin(&world, "0123456789");
    let mut told = Vec::new();
    let uploaded = loop {
        let step = world.clock.block_on(upload.step()).unwrap();
        told.push((upload.location().is_some(), upload.offset()));
        if let Some(uploaded) = step {
            break uploaded;
        }
    };
    assert_eq!(uploaded.attempts.len(), 5);
    assert_eq!(
        told,
        [(false, 0), (true, 0), (true, 4), (true, 8), (true, 8)]
    );
}
