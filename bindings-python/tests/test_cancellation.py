"""A task that is cancelled ends its call at once, wherever that call is, and gives its place back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright import Retry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator

    from mock_gateway import Session

AT_ONCE = 20.0
"""Seconds. What is cancelled would take a minute; a machine that is busy takes its time for everything."""


@contextlib.contextmanager
def at_once() -> Generator[None]:
    """What is in here takes no longer than that."""
    begun = time.monotonic()
    yield
    took = time.monotonic() - begun
    assert took < AT_ONCE, f"it took {took:.1f} s"


async def cancelled(task: asyncio.Task[Any]) -> None:
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done(), task
    with at_once():
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - it is in another process
        await asyncio.sleep(0.001)


async def idle(client: gatewright.AsyncClient) -> None:
    """Waits until no call has a place any more; what leaks is never idle."""
    await until(lambda: all(limits["in_flight"] == limits["queued"] == 0 for limits in client.state()["limits"]))


async def test_a_call_that_is_queued(session: Session) -> None:
    async with session.async_client(quota="1/min, burst 1") as client:
        await client.get("/v1/whoami")
        task = asyncio.ensure_future(client.get("/v1/whoami", timeout=None))
        await until(lambda: client.state()["limits"][0]["queued"] == 1)
        await cancelled(task)
        await idle(client)
    assert len(session.journal()) == 1


async def test_a_call_that_waits_to_be_retried(session: Session) -> None:
    session.faults({"random": {"p": 1, "kinds": ["503;ra=30"]}})
    async with session.async_client(retry=Retry()) as client:
        task = asyncio.ensure_future(client.get("/v1/whoami"))
        await until(lambda: client.state()["budget_left"] < 500)
        await cancelled(task)
        await idle(client)
    assert len(session.journal()) == 1


@pytest.fixture
def unanswering_url() -> Iterator[str]:
    """The URL of a port whose queue of connections is full: connecting to it takes for ever."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            filler.connect(listener.getsockname())
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    for each in (*fillers, listener):
        each.close()


async def test_a_call_that_connects(unanswering_url: str) -> None:
    async with gatewright.AsyncClient(unanswering_url, connect_timeout=None) as client:
        task = asyncio.ensure_future(client.get("/"))
        await until(lambda: any(limits["in_flight"] for limits in client.state()["limits"]))
        await cancelled(task)
        await idle(client)


async def test_a_call_that_waits_for_its_answer(session: Session) -> None:
    async with session.async_client() as client:
        task = asyncio.ensure_future(client.get("/v1/delay/60000"))
        await until(lambda: bool(session.journal()))
        await cancelled(task)
        await idle(client)


async def test_a_call_that_reads_its_answer(session: Session) -> None:
    async with session.async_client() as client:
        task = asyncio.ensure_future(client.get("/v1/drip?bytes=1000&interval_ms=60000"))
        await until(lambda: bool(session.journal()))
        await asyncio.sleep(0.01)
        await cancelled(task)
        await idle(client)


async def test_a_call_that_sends_its_body(session: Session) -> None:
    begun = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await asyncio.sleep(60)

    async with session.async_client() as client:
        task = asyncio.ensure_future(client.post("/v1/sink", content=pieces()))
        await begun.wait()
        await cancelled(task)
        await idle(client)


class Pieces:
    """An answer in pieces, each sent when the test says so, and at once: that needs no turn of the loop."""

    def __init__(self, connection: socket.socket, response: gatewright.AsyncStreamResponse) -> None:
        self.send = connection.sendall
        self.response = response


@contextlib.asynccontextmanager
async def answer_of_three_bytes() -> AsyncGenerator[Pieces]:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        async with gatewright.AsyncClient(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            asked = asyncio.ensure_future(client.stream("GET", "/"))
            connection, _ = await loop.sock_accept(listener)
            with connection:
                await loop.sock_recv(connection, 10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n")
                async with await asked as response:
                    yield Pieces(connection, response)
                await idle(client)


async def next_piece(response: gatewright.AsyncStreamResponse) -> bytes:
    async for piece in response.iter_bytes():
        return piece
    return b""


async def test_a_stream_that_waits_for_its_next_piece() -> None:
    async with answer_of_three_bytes() as pieces:
        pieces.send(b"1")
        assert await next_piece(pieces.response) == b"1"
        await cancelled(asyncio.ensure_future(pieces.response.read()))
        pieces.send(b"23")
        # What was not read yet is still to come.
        assert await pieces.response.read() == b"23"


async def test_a_piece_that_came_just_before_the_cancellation_is_not_lost() -> None:
    async with answer_of_three_bytes() as pieces:
        task = asyncio.ensure_future(next_piece(pieces.response))
        await asyncio.sleep(0)
        pieces.send(b"1")
        # The piece comes while the loop has no turn to see it.
        time.sleep(0.1)  # noqa: ASYNC251
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        pieces.send(b"23")
        assert await pieces.response.read() == b"123"


async def test_a_piece_that_was_handed_over_just_before_the_cancellation_is_not_lost() -> None:
    async with answer_of_three_bytes() as pieces:
        task = asyncio.ensure_future(next_piece(pieces.response))
        await asyncio.sleep(0)
        waits_for: Any = getattr(task, "_fut_waiter")  # noqa: B009 - of asyncio's own
        pieces.send(b"1")
        while not waits_for.done():  # noqa: ASYNC110 - to be there in the very turn in which it comes
            await asyncio.sleep(0)
        task.cancel()
        # It is here now, or still to come: which of the two is for the loop to say.
        found = b""
        with contextlib.suppress(asyncio.CancelledError):
            found = await task
        pieces.send(b"23")
        assert found + await pieces.response.read() == b"123"


async def test_a_page_that_is_under_way(session: Session) -> None:
    session.script("contacts.list", "ok", "hang")

    async def collect() -> None:
        async for _ in client.pages("/v1/contacts", params={"limit": 20}):
            pass

    async with session.async_client() as client:
        task = asyncio.ensure_future(collect())
        await until(lambda: len(session.journal()) == 2)
        await cancelled(task)
        await idle(client)


async def test_a_timeout_of_asyncio(session: Session) -> None:
    async with session.async_client() as client:
        await client.get("/v1/whoami")
        begun = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.get("/v1/delay/60000"), 0.05)
        assert 0.045 <= time.monotonic() - begun < 0.05 + AT_ONCE
        if sys.version_info >= (3, 11):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.get("/v1/delay/60000")
        await idle(client)
        assert (await client.get("/v1/whoami")).is_success


async def test_an_answer_that_came_before_the_cancellation_is_not_lost_silently(session: Session) -> None:
    async with session.async_client() as client:
        task = asyncio.ensure_future(client.get("/v1/whoami"))
        await asyncio.wait([task])
        task.cancel()
        assert (await task).is_success


async def test_2000_cancelled_calls_leak_nothing(session: Session) -> None:
    async with session.async_client() as client:
        await client.get("/v1/whoami")

        async def call_and_cancel(number: int) -> None:
            task = asyncio.ensure_future(client.get("/v1/delay/60000" if number % 2 else "/v1/whoami"))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

        for at in range(0, 2000, 50):
            await asyncio.gather(*(call_and_cancel(number) for number in range(at, at + 50)))
        await idle(client)
        answers = await asyncio.gather(*(client.get("/v1/whoami") for _ in range(50)))
        assert all(answer.is_success for answer in answers)
        gc.collect()
        # Those of other loops are other tests'.
        loop, here = asyncio.get_running_loop(), asyncio.current_task()
        futures = [each for each in gc.get_objects() if isinstance(each, asyncio.Future) and each.get_loop() is loop]
        assert [future for future in futures if not future.done() and future is not here] == []


async def test_a_cancelled_call_gives_its_place_in_the_queue_to_the_next(session: Session) -> None:
    async with session.async_client(quota="2/s, burst 1", timeout=None) as client:
        await client.get("/v1/whoami")
        waiting = [asyncio.ensure_future(client.get("/v1/whoami")) for _ in range(120)]
        await until(lambda: client.state()["limits"][0]["queued"] > 100)
        for task in waiting[:-1]:
            task.cancel()
        # Behind the others it would be its turn in a minute.
        with at_once():
            assert (await waiting[-1]).is_success
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_task_group_ends_with_its_first_error(session: Session) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise LookupError

    async with session.async_client() as client:
        others: list[Awaitable[object]] = [asyncio.ensure_future(client.get("/v1/delay/60000")) for _ in range(10)]
        with pytest.raises(LookupError):
            await asyncio.gather(fails(), *others)
        with at_once():
            for other in others:
                assert isinstance(other, asyncio.Future)
                other.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        await idle(client)
