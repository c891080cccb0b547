"""The options of a call: which method takes which, what they put onto the wire, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import InvalidConfigError, InvalidRequestError, MinThroughput, Pacing

if TYPE_CHECKING:
    from mock_gateway import Session

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
DRIP = "/v1/drip?bytes=100&interval_ms=50"
FLOOR = MinThroughput(bytes_per_second=1000, grace=0.3)
SLOW = "where at least 1000 bytes/s are wanted"


@pytest.mark.parametrize(
    ("method", "option"),
    [("get", "json"), ("delete", "content"), ("post", "chunk_size"), ("head", "time_out"), ("request", "params_")],
)
def test_an_option_that_a_method_does_not_take_is_a_type_error(session: Session, method: str, option: str) -> None:
    path = ["GET", "/v1/whoami"] if method == "request" else ["/v1/whoami"]
    given: dict[str, Any] = {option: 1}
    with (
        session.client() as client,
        pytest.raises(TypeError, match=rf"^{method}\(\) got an unexpected keyword argument '{option}'$"),
    ):
        getattr(client, method)(*path, **given)
    assert session.journal() == []


async def test_an_option_that_a_method_does_not_take_is_a_type_error_async(session: Session) -> None:
    given: dict[str, Any] = {"json": 1}
    wrong: dict[str, Any] = {"idempotency_key": "k"}
    async with session.async_client() as client:
        with pytest.raises(TypeError, match=r"^get\(\) got an unexpected keyword argument 'json'$"):
            await client.get("/v1/whoami", **given)
        with pytest.raises(TypeError, match=r"^download\(\) got an unexpected keyword argument 'json'$"):
            client.download("/v1/bytes/1", **given)
        with pytest.raises(TypeError, match=r"^events\(\) got an unexpected keyword argument 'idempotency_key'$"):
            client.events("/v1/ticks", **wrong)
    assert session.journal() == []


def test_a_wrong_type_names_the_option(session: Session) -> None:
    given: dict[str, Any] = {"max_attempts": "many"}
    with session.client() as client, pytest.raises(TypeError, match=r"^argument 'max_attempts': "):
        client.get("/v1/whoami", **given)
    assert session.journal() == []


def test_an_option_that_is_none_is_not_given(session: Session) -> None:
    with session.client() as client:
        response = client.post(
            "/v1/echo",
            params=None,
            headers=None,
            json=None,
            content=b"x",
            data=None,
            max_attempts=None,
            idempotency_key=None,
            raise_for_status=None,
            cache=None,
            credential=None,
            hedge=None,
            traceparent=None,
            tracestate=None,
            url_template=None,
        )
    assert response.is_success
    assert "idempotency-key" in dict(session.last()["headers"])


def test_a_body_that_is_too_slow_is_given_up(session: Session) -> None:
    with session.client() as client:
        with pytest.raises(gatewright.TimeoutError, match=SLOW):
            client.get(DRIP, min_throughput=FLOOR, max_attempts=1)
        assert len(client.get("/v1/drip?bytes=20&interval_ms=1").content) == 20


def test_a_clients_floor_holds_for_all_its_calls_but_where_one_says_otherwise(session: Session) -> None:
    with session.client(min_throughput=FLOOR, max_attempts=1) as client:
        with pytest.raises(gatewright.TimeoutError, match=SLOW):
            client.get(DRIP)
        assert len(client.get("/v1/drip?bytes=12&interval_ms=50", min_throughput=None).content) == 12


async def test_a_clients_floor_holds_for_all_its_calls_async(session: Session) -> None:
    async with session.async_client(min_throughput=FLOOR, max_attempts=1) as client:
        with pytest.raises(gatewright.TimeoutError, match=SLOW):
            await client.get(DRIP)


@pytest.mark.parametrize(
    ("floor", "text"),
    [
        (MinThroughput(bytes_per_second=-1), "`min_throughput.bytes_per_second` is -1; it must be a number of bytes"),
        (MinThroughput(grace=float("nan")), "`min_throughput.grace` is nan; it must be a number of seconds"),
    ],
)
def test_a_floor_that_cannot_be_is_refused(session: Session, floor: MinThroughput, text: str) -> None:
    with pytest.raises(InvalidConfigError, match=text):
        session.client(min_throughput=floor)
    with session.client() as client, pytest.raises(InvalidRequestError, match=text):
        client.get("/v1/whoami", min_throughput=floor)
    wrong: Any = 5
    with session.client() as client, pytest.raises(TypeError, match="takes a MinThroughput or None, not this int"):
        client.get("/v1/whoami", min_throughput=wrong)
    assert session.journal() == []


def test_each_attempt_is_a_span_of_the_callers_trace(session: Session) -> None:
    session.script("whoami", "503", "ok")
    with session.client() as client:
        client.get("/v1/whoami", traceparent=PARENT, tracestate="vendor=abc", url_template="/v1/{what}")
    first, second = (value or "" for value in session.header_of("traceparent"))
    for sent in (first, second):
        assert sent.startswith(f"00-{TRACE}-")
        assert sent.endswith("-01")
    assert len({first, second, PARENT}) == 3
    assert session.header_of("tracestate") == ["vendor=abc"] * 2


async def test_the_callers_trace_goes_along_async(session: Session) -> None:
    async with session.async_client() as client:
        await client.get("/v1/whoami", traceparent=PARENT)
    (sent,) = session.header_of("traceparent")
    assert sent is not None
    assert sent[3:35] == TRACE


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"traceparent": "00-abc"}, "`traceparent` is wrong: it must look like 00-"),
        ({"tracestate": "a=b"}, "`tracestate` is given without a `traceparent`"),
    ],
)
def test_a_trace_that_is_none_is_refused(session: Session, options: dict[str, Any], text: str) -> None:
    with session.client() as client, pytest.raises(InvalidRequestError, match=text):
        client.get("/v1/whoami", **options)
    assert session.journal() == []


def test_no_more_calls_wait_than_may(session: Session) -> None:
    with session.client(quota="1/min", pacing=Pacing(max_queue=0)) as client:
        client.get("/v1/whoami")
        with pytest.raises(gatewright.RateLimitedError, match=r"queue|wait"):
            client.get("/v1/whoami")
    assert len(session.journal()) == 1


def test_a_queue_that_cannot_be_is_refused(session: Session) -> None:
    with pytest.raises(InvalidConfigError, match=r"`pacing.max_queue` is -1; it must be a number of calls"):
        session.client(pacing=Pacing(max_queue=-1))
