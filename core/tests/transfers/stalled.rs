use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use gatewright::runtime::{BoxFuture, Runtime as _};
use gatewright::testing::{VirtualClock, answer_with};
use gatewright::transport::{Transport, TransportError, TransportRequest, TransportResponse};
use gatewright::{Body, BoxError, Client, ErrorKind, MinThroughput};

use crate::world::{End, pieces, trickle, world_with};

const V1: (&str, &str) = ("etag", "\"v1\"");

fn floor(bytes_per_second: u64, seconds: u64) -> MinThroughput {
    MinThroughput {
        bytes_per_second,
        grace: Duration::from_secs(seconds),
    }
}

/// What was measured, from the causes of an error.
fn measured(error: &gatewright::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(stalled) = inner.downcast_ref::<gatewright::Stalled>() {
            return stalled.to_string();
        }
        cause = inner.source();
    }
    panic!("no measurement in {error:?}")
}

#[test]
fn a_download_that_trickles_is_given_up_though_something_comes() {
    let clock = VirtualClock::new(7);
    let slow = || {
        let mut step = trickle(&clock, &[V1], 10, Duration::from_secs(1)).unwrap();
        step.headers.insert("content-length", 100_000.into());
        step
    };
    let part = |first: u64| {
        let mut step = slow();
        step.status = http::StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {first}-99999/100000");
        step.headers.insert("content-range", range.parse().unwrap());
        step.headers.remove("content-length");
        step
    };
    // 20 s of 10 bytes each, of which the last is not handed over.
    let script = [Ok(slow()), Ok(part(190)), Ok(part(380))];
    let world = world_with(clock.clone(), script, |builder| builder);
    let mut download = world.client.get("/x").download();
    let error = world.clock.block_on(async {
        loop {
            match download.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it cannot end"),
                Err(why) => return why,
            }
        }
    });
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(
        measured(&error),
        "200 bytes in 20 s, where at least 1024 bytes/s are wanted"
    );
    assert!(
        error.to_string().contains("lower `min_throughput`"),
        "{error}"
    );
    assert_eq!(world.wire.requests().len(), 3, "a trickle is no progress");
}

#[test]
fn a_slow_reader_is_no_slow_server() {
    let clock = VirtualClock::new(7);
    let script = [pieces(200, &[V1], &["a", "b", "c"], End::Closed)];
    let world = world_with(clock.clone(), script, |builder| builder);
    let mut download = world.client.get("/x").download();
    let mut came = 0;
    while let Some(bytes) = world.clock.block_on(download.chunk()).unwrap() {
        came += bytes.len();
        world.clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(came, 3);
}

#[test]
fn bodies_are_measured_where_that_is_asked_for() {
    for whole in [true, false] {
        let clock = VirtualClock::new(7);
        let script = [trickle(&clock, &[], 10, Duration::from_secs(1))];
        let world = world_with(clock.clone(), script, |builder| {
            builder
                .timeout(None)
                .max_attempts(1)
                .min_throughput(floor(20, 5))
        });
        let error = world.clock.block_on(async {
            if whole {
                return world.client.get("/x").send().await.unwrap_err();
            }
            let mut answer = world.client.get("/x").stream().await.unwrap();
            loop {
                if let Err(why) = answer.chunk().await {
                    return why;
                }
            }
        });
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            measured(&error),
            "50 bytes in 5 s, where at least 20 bytes/s are wanted"
        );
        assert_eq!(world.clock.elapsed(), Duration::from_secs(5));
    }
}

#[test]
fn without_a_floor_the_deadline_is_what_ends_a_trickle() {
    let clock = VirtualClock::new(7);
    let script = [trickle(&clock, &[], 1, Duration::from_secs(1))];
    let world = world_with(clock.clone(), script, |builder| builder.max_attempts(1));
    let error = world
        .clock
        .block_on(world.client.get("/x").send())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(world.clock.elapsed(), Duration::from_secs(60));
}

/// Takes a request's body piece by piece, with a pause after each, and answers `answer_after` its end.
#[derive(Clone, Debug)]
struct Slow {
    clock: VirtualClock,
    pause: Duration,
    answer_after: Duration,
}

impl Transport for Slow {
    fn send(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, TransportError>> {
        let this = self.clone();
        Box::pin(async move {
            let clock = &this.clock;
            if let Body::Once { mut stream, .. } = request.body {
                while let Some(piece) = stream.next().await {
                    piece.unwrap();
                    clock.sleep_until(clock.instant() + this.pause).await;
                }
            }
            clock.sleep_until(clock.instant() + this.answer_after).await;
            if request.method == http::Method::OPTIONS {
                let speaks = ("accept-patch", "application/partial-upload");
                return answer_with(204, &[speaks], "");
            }
            if request.method == http::Method::POST {
                return answer_with(201, &[("location", "/up")], "");
            }
            answer_with(201, &[("upload-complete", "?1")], "{}")
        })
    }
}

fn client(slow: &Slow) -> Client {
    Client::builder("https://api.example")
        .runtime(slow.clock.clone())
        .transport(slow.clone())
        .max_attempts(1)
        .build()
        .unwrap()
}

#[test]
fn an_upload_that_goes_out_too_slowly_is_given_up() {
    let slow = Slow {
        clock: VirtualClock::new(7),
        pause: Duration::from_secs(100),
        answer_after: Duration::ZERO,
    };
    let client = client(&slow);
    let mut upload = client.post("/v1/files").upload(vec![b'x'; 1 << 20]);
    let error = slow.clock.block_on(upload.send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.what().contains("went out too slowly"), "{error}");
    assert_eq!(
        measured(&error),
        "0 bytes in 20 s, where at least 1024 bytes/s are wanted"
    );
}

#[test]
fn an_upload_may_take_longer_than_an_attempt_while_it_goes_out() {
    // 16 pieces of 64 KiB, 30 s each: 8 minutes, at 2 KiB/s.
    let slow = Slow {
        clock: VirtualClock::new(7),
        pause: Duration::from_secs(30),
        answer_after: Duration::ZERO,
    };
    let client = Client::builder("https://api.example")
        .runtime(slow.clock.clone())
        .transport(slow.clone())
        .min_throughput(floor(1024, 40))
        .build()
        .unwrap();
    let mut upload = client.post("/v1/files").upload(vec![b'x'; 1 << 20]);
    slow.clock.block_on(upload.send()).unwrap();
    assert_eq!(slow.clock.elapsed(), Duration::from_secs(16 * 30));
}

#[test]
fn after_the_body_the_answer_is_waited_for_as_long_as_an_attempt() {
    let slow = Slow {
        clock: VirtualClock::new(7),
        pause: Duration::ZERO,
        answer_after: Duration::from_secs(19),
    };
    let mut upload = client(&slow).post("/v1/files").upload("0123");
    slow.clock.block_on(upload.send()).unwrap();
    let slow = Slow {
        answer_after: Duration::from_secs(21),
        ..slow
    };
    let mut upload = client(&slow)
        .post("/v1/files")
        .upload("0123")
        .resume("/up")
        .assume_resumable();
    let error = slow.clock.block_on(upload.send()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_source_that_has_nothing_to_send_yet_is_no_slow_server() {
    let slow = Slow {
        clock: VirtualClock::new(7),
        pause: Duration::ZERO,
        answer_after: Duration::ZERO,
    };
    let clock = slow.clock.clone();
    let source = stream::unfold(0, move |number| {
        let clock = clock.clone();
        async move {
            clock
                .sleep_until(clock.instant() + Duration::from_secs(50))
                .await;
            (number < 3).then(|| (Ok::<_, BoxError>(Bytes::from_static(b"x")), number + 1))
        }
    });
    let client = client(&slow);
    let request = client
        .post("/x")
        .timeout(None)
        .attempt_timeout(None)
        .min_throughput(floor(1024, 20))
        .body(Body::once(source, None));
    slow.clock.block_on(request.send()).unwrap();
    assert_eq!(slow.clock.elapsed(), Duration::from_secs(200));
}
