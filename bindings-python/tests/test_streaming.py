"""Bodies that come and go piece by piece."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

import gatewright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mock_gateway import Session

SIZE = 3_000_000


def test_a_large_body_comes_in_pieces(session: Session) -> None:
    digest = hashlib.sha256()
    with session.client() as client, client.stream("GET", f"/v1/bytes/{SIZE}") as response:
        assert (response.status_code, response.is_success) == (200, True)
        assert response.url == f"{session.url}/v1/bytes/{SIZE}"
        assert response.request_id == response.headers["request-id"]
        assert [attempt.status for attempt in response.attempts] == [200]
        assert response.elapsed > 0
        sizes = []
        for chunk in response.iter_bytes():
            digest.update(chunk)
            sizes.append(len(chunk))
    assert sum(sizes) == SIZE
    assert len(sizes) > 1
    assert digest.hexdigest() == response.headers["x-content-sha256"]


async def test_a_large_body_comes_in_pieces_async(session: Session) -> None:
    digest = hashlib.sha256()
    async with session.async_client() as client, client.stream("GET", f"/v1/bytes/{SIZE}") as response:
        async for chunk in response.iter_bytes():
            digest.update(chunk)
    assert digest.hexdigest() == response.headers["x-content-sha256"]


def test_pieces_come_as_they_are_sent() -> None:
    go = threading.Semaphore(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            for number in range(5):
                # Each piece is sent once the client has the one before.
                assert go.acquire(timeout=60)
                self.wfile.write(b"%d" % number)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadPoolExecutor(1) as pool, HTTPServer(("127.0.0.1", 0), Handler) as server:
        pool.submit(server.handle_request)
        with (
            gatewright.Client(f"http://127.0.0.1:{server.server_port}") as client,
            client.stream("GET", "/") as response,
        ):
            pieces = response.iter_bytes()
            for number in range(5):
                go.release()
                assert next(pieces) == b"%d" % number
            assert list(pieces) == []


def test_lines_are_put_together(session: Session) -> None:
    with session.client() as client, client.stream("GET", "/v1/lines/1000") as response:
        assert [json.loads(line)["index"] for line in response.iter_lines()] == list(range(1000))


async def test_lines_are_put_together_async(session: Session) -> None:
    async with session.async_client() as client, client.stream("GET", "/v1/lines/1000") as response:
        assert [json.loads(line)["index"] async for line in response.iter_lines()] == list(range(1000))


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (r"a\r\nb\nc\rd", ["a", "b", "c", "d"]),
        (r"a\n\nb\n", ["a", "", "b"]),
        (r"\r\n", [""]),
        ("", []),
        ("zäh", ["zäh"]),
    ],
)
def test_lines_end_as_they_like(session: Session, body: str, lines: list[str]) -> None:
    from gatewright._stream import _Lines

    raw = body.encode().replace(rb"\r", b"\r").replace(rb"\n", b"\n")
    for size in (1, 2, 3, 100):
        split = _Lines()
        found = [line for at in range(0, len(raw), size) for line in split.feed(raw[at : at + size])]
        assert found + split.feed(b"", final=True) == lines


def test_text_is_decoded_across_pieces(session: Session) -> None:
    with session.client() as client, client.stream("GET", "/v1/lines/3?interval_ms=1") as response:
        text = "".join(response.iter_text())
    assert [json.loads(line)["index"] for line in text.splitlines()] == [0, 1, 2]


async def test_text_is_decoded_across_pieces_async(session: Session) -> None:
    async with session.async_client() as client, client.stream("GET", "/v1/lines/3?interval_ms=1") as response:
        text = "".join([piece async for piece in response.iter_text()])
    assert text.count("\n") == 3


def test_read_gives_what_is_left(session: Session) -> None:
    with session.client() as client, client.stream("GET", "/v1/drip?bytes=4&interval_ms=2") as response:
        first = next(response.iter_bytes())
        assert first
        assert first + response.read() == b"****"
        assert response.read() == b""


async def test_read_gives_what_is_left_async(session: Session) -> None:
    async with session.async_client() as client:
        response = await client.stream("GET", "/v1/drip?bytes=4&interval_ms=2")
        first = await anext(response.iter_bytes())
        assert first
        assert first + await response.read() == b"****"
        await response.aclose()


def test_a_stream_can_be_left_early(session: Session) -> None:
    with session.client() as client:
        with client.stream("GET", "/v1/bytes/8000000?chunk=65536") as response:
            next(response.iter_bytes())
        with pytest.raises(gatewright.ClosedError, match="the stream is closed"):
            response.read()
        assert client.get("/v1/whoami").is_success


async def test_a_stream_can_be_left_early_async(session: Session) -> None:
    async with session.async_client() as client:
        async with client.stream("GET", "/v1/bytes/8000000?chunk=65536") as response:
            await anext(response.iter_bytes())
        with pytest.raises(gatewright.ClosedError, match="the stream is closed"):
            await response.read()
        assert (await client.get("/v1/whoami")).is_success


def test_an_error_status_raises_before_the_body(session: Session) -> None:
    with session.client() as client, pytest.raises(gatewright.NotFoundError) as caught:
        client.stream("GET", "/v1/contacts/nope")
    assert caught.value.problem is not None


async def test_an_error_status_raises_before_the_body_async(session: Session) -> None:
    async with session.async_client() as client:
        with pytest.raises(gatewright.NotFoundError):
            async with client.stream("GET", "/v1/contacts/nope"):
                pytest.fail("there is no answer to read")


def test_a_stream_is_retried_until_its_head_is_there(session: Session) -> None:
    session.script("lines", "503", "reset")
    with session.client() as client, client.stream("GET", "/v1/lines/2") as response:
        assert len(response.attempts) == 3
        assert len(list(response.iter_lines())) == 2


def test_a_body_that_breaks_off_is_a_lost_connection(session: Session) -> None:
    with (
        session.client() as client,
        client.stream("GET", "/v1/bytes/1000000", headers={"X-Mock-Fault": "reset@9000"}) as r,
    ):
        with pytest.raises(gatewright.ConnectionLostError, match="was answered 200 OK, but its body broke off"):
            r.read()


async def test_a_body_that_breaks_off_is_a_lost_connection_async(session: Session) -> None:
    async with session.async_client() as client:
        async with client.stream("GET", "/v1/bytes/1000000", headers={"X-Mock-Fault": "fin@9000"}) as response:
            with pytest.raises(gatewright.ConnectionLostError):
                await response.read()


def test_a_body_that_stalls_is_a_timeout(session: Session) -> None:
    with session.client(read_timeout=0.02) as client, client.stream("GET", "/v1/drip?bytes=2&interval_ms=60000") as r:
        with pytest.raises(gatewright.TimeoutError, match="nothing came within the read timeout"):
            r.read()


def upload(error: Exception | None = None) -> Iterator[bytes]:
    for _ in range(100):
        yield b"x" * 10_000
    if error is not None:
        raise error


async def async_upload(error: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in upload(error):
        yield piece


def test_a_large_upload_goes_in_pieces(session: Session) -> None:
    with session.client() as client:
        answer = client.post("/v1/sink", content=upload()).json()
    assert answer["body_length"] == 1_000_000
    assert answer["body_sha256"] == hashlib.sha256(b"x" * 1_000_000).hexdigest()


@pytest.mark.parametrize("source", [upload, async_upload])
async def test_a_large_upload_goes_in_pieces_async(session: Session, source: Any) -> None:
    async with session.async_client() as client:
        answer = (await client.post("/v1/sink", content=source())).json()
    assert answer["body_length"] == 1_000_000


def test_both_ways_at_once(session: Session) -> None:
    with session.client() as client, client.stream("POST", "/v1/echo", content=upload()) as response:
        answer = json.loads(response.read())
    assert answer["body_length"] == 1_000_000


def check_source_failed(error: gatewright.Error, cause: Exception, session: Session) -> None:
    assert error.__cause__ is cause
    assert "request body failed (KeyError: 'mine')" in str(error)
    assert str(error).endswith("look at the error of the body's own source")
    assert session.effects()["count"] == 0


def test_an_error_in_the_iterable_is_the_cause(session: Session) -> None:
    cause = KeyError("mine")
    with session.client() as client, pytest.raises(gatewright.InvalidRequestError) as caught:
        client.post("/v1/sink", content=upload(cause))
    check_source_failed(caught.value, cause, session)


@pytest.mark.parametrize("source", [upload, async_upload])
async def test_an_error_in_the_iterable_is_the_cause_async(session: Session, source: Any) -> None:
    cause = KeyError("mine")
    async with session.async_client() as client:
        with pytest.raises(gatewright.InvalidRequestError) as caught:
            await client.post("/v1/sink", content=source(cause))
    check_source_failed(caught.value, cause, session)


def test_a_piece_that_is_no_bytes_is_an_error(session: Session) -> None:
    content: Any = iter([b"good", 5])
    with session.client() as client, pytest.raises(gatewright.InvalidRequestError) as caught:
        client.post("/v1/sink", content=content)
    assert str(caught.value.__cause__) == "a body is made of bytes, not of int"


def test_an_async_iterable_is_for_the_async_client(session: Session) -> None:
    content: Any = async_upload()
    with session.client() as client, pytest.raises(TypeError, match="for AsyncClient only"):
        client.post("/v1/sink", content=content)


def test_a_stream_says_what_it_is(session: Session) -> None:
    with session.client() as client, client.stream("GET", "/v1/lines/1") as response:
        assert repr(response) == "<StreamResponse 200>"
