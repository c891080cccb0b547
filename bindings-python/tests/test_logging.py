"""Records of calls go through `logging`, from the thread that made the call."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

import gatewright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_gateway import Session


class Collector(logging.Handler):
    """Keeps records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    logger = logging.getLogger("gatewright")
    collector = Collector()
    logger.addHandler(collector)
    logger.setLevel(logging.DEBUG)
    yield collector.records
    logger.removeHandler(collector)
    logger.setLevel(logging.NOTSET)


def check(records: list[logging.LogRecord], url: str) -> None:
    quiet, retried, failed = records
    assert {record.name for record in records} == {"gatewright"}
    assert {record.thread for record in records} == {threading.get_ident()}
    assert [record.levelno for record in records] == [logging.DEBUG, logging.INFO, logging.INFO]
    assert quiet.getMessage().startswith(f"GET {url}/v1/whoami 200: #1 at ")
    assert "; #2 at " in retried.getMessage()
    assert "-> retry in" in retried.getMessage()
    assert failed.getMessage().startswith(f"not_found: GET {url}/v1/contacts/nope was answered 404 Not Found")


def test_every_call_is_a_record(session: Session, records: list[logging.LogRecord]) -> None:
    session.script("whoami", "ok", "503")
    with session.client() as client:
        client.get("/v1/whoami")
        client.get("/v1/whoami")
        with pytest.raises(gatewright.NotFoundError):
            client.get("/v1/contacts/nope")
    check(records, session.url)


async def test_every_call_is_a_record_async(session: Session, records: list[logging.LogRecord]) -> None:
    session.script("whoami", "ok", "503")
    async with session.async_client() as client:
        await client.get("/v1/whoami")
        await client.get("/v1/whoami")
        with pytest.raises(gatewright.NotFoundError):
            await client.get("/v1/contacts/nope")
    check(records, session.url)


def test_what_is_not_asked_for_is_not_made(session: Session, records: list[logging.LogRecord]) -> None:
    logging.getLogger("gatewright").setLevel(logging.WARNING)
    with session.client() as client:
        client.get("/v1/whoami")
    assert records == []


def test_a_handler_that_fails_does_not_cost_the_answer(session: Session) -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError("disk full")

    logger = logging.getLogger("gatewright")
    handler = Broken()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with session.client() as client:
            assert client.get("/v1/whoami").is_success
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_a_handler_may_use_a_client(session: Session) -> None:
    client = session.client()

    class Shipping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logging.getLogger("gatewright").removeHandler(self)
            client.post("/v1/echo", content=record.getMessage())

    logger = logging.getLogger("gatewright")
    logger.addHandler(Shipping())
    logger.setLevel(logging.DEBUG)
    try:
        client.get("/v1/whoami")
    finally:
        logger.setLevel(logging.NOTSET)
    assert [entry["op"] for entry in session.journal()] == ["whoami", "echo"]
