"""JSON lines, downloads and uploads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from pathlib import Path

    from mock_gateway import Session

BYTES = "/v1/bytes/200000"
CONTACT = '{"name":"Ada","email":"ada@example.com"}'


def strong_tag(session: Session) -> None:
    session.set(response_headers=[{"op": "bytes", "set": {"etag": '"v1"'}}])


def test_values_come_line_by_line(session: Session) -> None:
    with session.client() as client, client.json_lines("/v1/lines/20") as lines:
        assert [value["index"] for value in lines] == list(range(20))


async def test_values_come_line_by_line_async(session: Session) -> None:
    async with session.async_client() as client, client.json_lines("/v1/lines/20") as lines:
        assert [value["index"] async for value in lines] == list(range(20))


def test_lines_can_be_had_as_text(session: Session) -> None:
    with session.client() as client, client.json_lines("/v1/lines/2", as_text=True) as lines:
        assert [line[:10] for line in lines] == ['{"index":0', '{"index":1']


@pytest.mark.parametrize("fault", ["short", "fin@1500", "reset@1500"])
def test_a_line_that_is_broken_off_is_no_value(session: Session, fault: str) -> None:
    session.faults({"match": {"op": "lines"}, "script": [fault]})
    found: list[dict[str, object]] = []
    with (
        session.client() as client,
        client.json_lines("/v1/lines/100") as lines,
        pytest.raises(gatewright.ConnectionLostError),
    ):
        found.extend(lines)
    assert found == [value for value in found if set(value) == {"index", "value"}]


def test_a_line_that_is_no_json_is_named(session: Session) -> None:
    with (
        session.client() as client,
        client.json_lines("/v1/ticks", params={"count": 1, "interval_ms": 1}) as lines,
        pytest.raises(gatewright.DecodeError, match="line 1"),
    ):
        next(lines)


def test_a_line_has_a_limit(session: Session) -> None:
    with (
        session.client() as client,
        client.json_lines("/v1/lines/3", max_line_bytes=5) as lines,
        pytest.raises(gatewright.ProtocolError, match="longer than 5 bytes"),
    ):
        next(lines)


def test_a_stream_that_is_closed_says_so(session: Session) -> None:
    with session.client() as client:
        lines = client.json_lines("/v1/lines/3")
        assert next(lines)["index"] == 0
        lines.close()
        with pytest.raises(gatewright.ClosedError):
            next(lines)


@pytest.mark.parametrize("fault", ["fin@90000", "reset@90000"])
def test_a_download_that_breaks_goes_on(session: Session, fault: str) -> None:
    strong_tag(session)
    with session.client() as client:
        whole = client.get(BYTES).content
        session.faults({"match": {"op": "bytes"}, "script": [fault, "ok"]})
        with client.download(BYTES) as download:
            came = b"".join(download)
            assert (download.position, download.total) == (200000, 200000)
            assert download.headers["etag"] == '"v1"'
            assert len(download.attempts) == 2
    assert came == whole
    assert session.header_of("if-range")[-1] == '"v1"'


async def test_a_download_that_breaks_goes_on_async(session: Session) -> None:
    strong_tag(session)
    session.faults({"match": {"op": "bytes"}, "script": ["ok", "fin@90000", "ok"]})
    async with session.async_client() as client:
        whole = (await client.get(BYTES)).content
        async with client.download(BYTES) as download:
            await download.connect()
            assert download.total == 200000
            assert b"".join([chunk async for chunk in download]) == whole


def test_what_cannot_be_gone_on_with_says_why(session: Session) -> None:
    session.faults({"match": {"op": "bytes"}, "script": ["fin@90000", "ok"]})
    with (
        session.client() as client,
        client.download(BYTES) as download,
        pytest.raises(gatewright.ConnectionLostError, match="has no ETag"),
    ):
        b"".join(download)


def test_a_file_is_there_once_it_is_whole(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "file.bin"
    with session.client() as client:
        done = client.download_to(BYTES, file)
        assert (done.length, done.resumed_from, len(done.attempts)) == (200000, 0, 1)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == done.headers["x-content-sha256"]
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


async def test_a_file_is_there_once_it_is_whole_async(session: Session, tmp_path: Path) -> None:
    async with session.async_client() as client:
        done = await client.download_to(BYTES, tmp_path / "file.bin")
    assert done.length == (tmp_path / "file.bin").stat().st_size


def test_a_slow_download_is_given_up(session: Session) -> None:
    floor = gatewright.MinThroughput(bytes_per_second=1000, grace=0.3)
    with (
        session.client() as client,
        client.download("/v1/drip?bytes=100&interval_ms=50", min_throughput=floor) as download,
        pytest.raises(gatewright.TimeoutError, match="where at least 1000 bytes/s are wanted"),
    ):
        b"".join(download)


def test_a_server_without_resumable_uploads_gets_a_plain_one(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "contact.json"
    file.write_text(CONTACT)
    headers = {"content-type": "application/json"}
    with session.client() as client:
        for source in (CONTACT, CONTACT.encode(), file, iter([CONTACT.encode()])):
            upload = client.upload("/v1/contacts", source, headers=headers)
            response = upload.send()
            assert response.status_code == 201
            assert response.json()["name"] == "Ada"
            assert (upload.resumable, upload.answer_lost, upload.location) == (False, False, None)
            assert len(upload.attempts) == 2


async def test_a_server_without_resumable_uploads_gets_a_plain_one_async(session: Session) -> None:
    async with session.async_client() as client:
        upload = client.upload("/v1/contacts", CONTACT, headers={"content-type": "application/json"})
        assert (await upload.send()).status_code == 201
