"""What a client takes does not grow, and goes away with it."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gatewright
from mock_gateway import collected, descriptors, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_gateway import Session

STATM = Path("/proc/self/statm")
MEASURED = pytest.mark.skipif(not STATM.exists(), reason="no /proc here")


def resident() -> int:
    """Bytes of memory that are really there."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows(work: Callable[[], None]) -> int:
    """By how many bytes `work` makes the process grow each time, once it is warm.

    What leaks does so every time; the allocator, which asks for more when threads happen to meet, does not. So that the
    least of several times is taken.
    """
    work()
    times = []
    for _ in range(4):
        gc.collect()
        before = resident()
        work()
        gc.collect()
        times.append(resident() - before)
    return min(times)


@MEASURED
def test_10_000_calls_do_not_make_it_grow(session: Session) -> None:
    session.set(journal_entries=0)
    with session.client() as client:

        def work() -> None:
            for _ in range(2_000):
                client.get("/v1/whoami").json()

        assert grows(work) < 500_000


@MEASURED
def test_10_000_calls_do_not_make_it_grow_async(session: Session) -> None:
    session.set(journal_entries=0)
    client = session.async_client()

    async def calls() -> None:
        for _ in range(40):
            await asyncio.gather(*(client.get("/v1/whoami") for _ in range(50)))

    assert grows(lambda: asyncio.run(calls())) < 500_000


@MEASURED
def test_errors_and_retries_do_not_make_it_grow(session: Session) -> None:
    session.set(journal_entries=0)
    session.faults({"random": {"p": 1, "kinds": ["reset", "404"]}})
    with session.client(retry=gatewright.Retry(backoff_base=0, backoff_cap=0, budget=1_000_000)) as client:

        def work() -> None:
            for _ in range(200):
                with pytest.raises(gatewright.Error):
                    client.get("/v1/whoami")

        assert grows(work) < 500_000


def test_clients_that_go_away_leave_no_files_behind(session: Session) -> None:
    session.client().get("/v1/whoami")
    gc.collect()
    before = descriptors()

    def come_and_go() -> None:
        session.client().get("/v1/whoami")
        with session.client().stream("GET", "/v1/bytes/4000000") as response:
            next(response.iter_bytes())

    for _ in range(20):
        come_and_go()
    gc.collect()
    # Those of the last clients are closed a moment after them.
    assert eventually(lambda: descriptors() <= before + 2), descriptors()


class Service:
    """As applications have it: an object with a client, whose callbacks are the object's own methods."""

    def __init__(self, session: Session, kind: str) -> None:
        settings = {"auth": self.token, "before_attempt": self.before, "after_attempt": self.before}
        self.client = session.client(**settings) if kind == "sync" else session.async_client(**settings)

    def token(self) -> str:
        return "sk_test_unlimited_acme"

    def before(self, _: object) -> None:
        """Sees every attempt."""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_whose_callbacks_know_it_is_collected(session: Session, kind: str) -> None:
    service = Service(session, kind)
    if isinstance(service.client, gatewright.Client):
        service.client.get("/v1/whoami")
    else:
        asyncio.run(service.client.get("/v1/whoami"))
    gone = weakref.ref(service)
    del service
    assert collected(gone)


def test_a_client_in_use_is_not_collected(session: Session) -> None:
    async def main() -> None:
        def fetch() -> str:
            gc.collect()
            return "sk_test_unlimited_acme"

        answers = [session.async_client(auth=fetch).get("/v1/whoami") for _ in range(5)]
        gc.collect()
        for answer in await asyncio.gather(*answers):
            assert answer.is_success

    asyncio.run(main())
