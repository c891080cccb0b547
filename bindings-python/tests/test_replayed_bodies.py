"""Bodies that can be had again: callables, and files that can seek. What cannot be is sent once."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import pytest

import gatewright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from mock_gateway import Session

WHOLE = b"one " * 50_000 + b"two"
"""More than one piece of a file."""


def pieces() -> Iterator[bytes]:
    yield WHOLE[:4]
    yield WHOLE[4:]


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


async def opened_first() -> AsyncIterator[bytes]:
    return async_pieces()


def arrived(session: Session) -> list[tuple[int, str]]:
    """Length and digest of each body that came."""
    return [(entry["body_length"], entry["body_sha256"]) for entry in session.journal()]


def of(body: bytes) -> tuple[int, str]:
    return len(body), hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("content", [pieces, lambda: WHOLE, lambda: io.BytesIO(WHOLE), lambda: [WHOLE[:9], WHOLE[9:]]])
def test_a_callable_is_called_for_each_attempt(session: Session, content: Callable[[], Any]) -> None:
    session.script("sink", "503", "reset", "ok")
    with session.client() as client:
        response = client.put("/v1/sink", content=content)
    assert response.json()["body_length"] == len(WHOLE)
    assert arrived(session) == [of(WHOLE)] * 3


@pytest.mark.parametrize("content", [pieces, async_pieces, opened_first])
async def test_a_callable_is_called_for_each_attempt_async(session: Session, content: Callable[[], Any]) -> None:
    session.script("sink", "503", "ok")
    async with session.async_client() as client:
        response = await client.put("/v1/sink", content=content)
    assert response.json()["body_length"] == len(WHOLE)
    assert arrived(session) == [of(WHOLE)] * 2


def test_a_file_is_sent_again_from_where_it_stood(session: Session, tmp_path: Path) -> None:
    session.script("sink", "503", "reset", "ok")
    path = tmp_path / "body"
    path.write_bytes(b"head" + WHOLE)
    with session.client() as client, path.open("rb") as file:
        file.seek(4)
        client.put("/v1/sink", content=file)
    assert arrived(session) == [of(WHOLE)] * 3
    assert session.header_of("content-length") == [str(len(WHOLE))] * 3


async def test_a_file_is_sent_again_from_where_it_stood_async(session: Session) -> None:
    session.script("sink", "503", "ok")
    async with session.async_client() as client:
        await client.put("/v1/sink", content=io.BytesIO(WHOLE))
    assert arrived(session) == [of(WHOLE)] * 2


def test_a_file_of_text_is_sent_again_as_utf_8(session: Session) -> None:
    session.script("sink", "503", "ok")
    text = "grün " * 30_000
    with session.client() as client:
        client.put("/v1/sink", content=io.StringIO(text))  # type: ignore[arg-type]
    assert arrived(session) == [of(text.encode())] * 2
    assert session.header_of("content-length") == [None] * 2


class Pipe(io.BytesIO):
    """A file that cannot seek."""

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("content", [pieces(), Pipe(WHOLE)])
def test_what_can_be_had_once_is_sent_once(session: Session, content: Any) -> None:
    session.script("sink", "503", "ok")
    with session.client() as client, pytest.raises(gatewright.ServerError, match=r"cannot be sent again|once"):
        client.put("/v1/sink", content=content)
    assert len(session.journal()) == 1


def test_a_callable_that_raises_is_the_cause(session: Session) -> None:
    def broken() -> bytes:
        raise LookupError("no such piece")

    with session.client() as client, pytest.raises(gatewright.InvalidRequestError) as caught:
        client.put("/v1/sink", content=broken)
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_callable_that_gives_no_body_says_so(session: Session) -> None:
    wrong: Any = lambda: 5  # noqa: E731
    with session.client() as client, pytest.raises(gatewright.InvalidRequestError) as caught:
        client.put("/v1/sink", content=wrong)
    assert "the callable that is the body gave int" in str(caught.value.__cause__)


def test_a_file_that_shrinks_is_an_error(session: Session) -> None:
    class Shrinks(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            self.truncate(4)
            return super().read(size)

    with session.client(max_attempts=1) as client, pytest.raises(gatewright.Error, match="before its length"):
        client.put("/v1/sink", content=Shrinks(WHOLE))


def test_an_upload_takes_what_can_be_had_again(session: Session) -> None:
    contact = b'{"name":"Ada","email":"ada@example.com"}'
    sources: list[Any] = [io.BytesIO(contact), lambda: iter([contact[:5], contact[5:]])]
    with session.client() as client:
        for source in sources:
            session.faults({"match": {"op": "contacts.create"}, "script": ["ok", "503", "ok"]})
            upload = client.upload("/v1/contacts", source, headers={"content-type": "application/json"})
            assert upload.send().json()["name"] == "Ada"
            assert [attempt.status for attempt in upload.attempts][-1] == 201
