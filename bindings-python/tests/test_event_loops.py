"""Event loops come and go, in this thread and in others; a client outlives them."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from conftest import LOOPS
from mock_gateway import collected, descriptors

if TYPE_CHECKING:
    import gatewright
    from mock_gateway import Session

ALL_LOOPS = pytest.mark.parametrize("kind", sorted(LOOPS))


def run(kind: str, session: Session, client: gatewright.AsyncClient, calls: int = 5) -> None:
    loop = LOOPS[kind]()

    async def main() -> None:
        answers = await asyncio.gather(*(client.get("/v1/whoami") for _ in range(calls)))
        assert all(answer.is_success for answer in answers)

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


@ALL_LOOPS
def test_one_loop_after_the_other(session: Session, kind: str) -> None:
    client = session.async_client()
    for _ in range(5):
        run(kind, session, client)
    assert len(session.journal()) == 25


@ALL_LOOPS
def test_loops_in_many_threads_at_once(session: Session, kind: str) -> None:
    client = session.async_client()
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(3):
                run(kind, session, client)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(session.journal()) == 8 * 3 * 5


@ALL_LOOPS
def test_a_result_for_a_loop_that_was_closed_is_harmless(session: Session, kind: str) -> None:
    client = session.async_client()
    loop = LOOPS[kind]()

    async def begin() -> list[asyncio.Task[gatewright.Response]]:
        tasks = [asyncio.ensure_future(client.get("/v1/delay/30")) for _ in range(10)]
        await asyncio.sleep(0.005)
        return tasks

    tasks = loop.run_until_complete(begin())
    loop.close()
    while sum(entry["status"] is not None for entry in session.journal()) < 10:
        pass
    run(kind, session, client)
    for task in tasks:
        # Otherwise asyncio complains of a task that was destroyed while it was pending: the test's own doing.
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


@ALL_LOOPS
def test_loops_leave_no_files_and_no_memory_behind(session: Session, kind: str) -> None:
    client = session.async_client()
    run(kind, session, client)
    before = descriptors()
    for _ in range(30):
        run(kind, session, client, calls=1)
    gc.collect()
    assert descriptors() <= before + 4


def test_a_loop_that_was_closed_is_forgotten(session: Session) -> None:
    client = session.async_client()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.get("/v1/whoami"))
    loop.close()
    gone = weakref.ref(loop)
    del loop
    run("asyncio", session, client)
    assert collected(gone)


def test_without_a_running_loop_a_call_says_so(session: Session) -> None:
    coroutine = session.async_client().get("/v1/whoami")
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)


async def test_1000_calls_at_once(session: Session) -> None:
    async with session.async_client() as client:
        answers = await asyncio.gather(*(client.post("/v1/echo", json=number) for number in range(1000)))
    assert [answer.json()["body_length"] for answer in answers] == [len(str(number)) for number in range(1000)]


async def test_other_tasks_go_on_while_calls_wait(session: Session) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    async with session.async_client() as client:
        ticking = asyncio.ensure_future(tick())
        waiting = [asyncio.ensure_future(client.get("/v1/delay/60000")) for _ in range(20)]
        while ticks < 10 or len(session.journal()) < 20:  # noqa: ASYNC110 - the gateway has them when it has them
            await asyncio.sleep(0.001)
        assert not any(call.done() for call in waiting)
        for task in (ticking, *waiting):
            task.cancel()
        await asyncio.gather(ticking, *waiting, return_exceptions=True)
