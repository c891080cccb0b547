"""Each message is handled once: guards in memory, SQL, Redis and of one's own, by `once`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import gatewright
from gatewright.webhooks import (
    MemoryReplayGuard,
    RedisReplayGuard,
    Reservation,
    SqlReplayGuard,
    Webhook,
    WebhookBusyError,
    generate_secret,
    once,
    once_async,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gatewright.webhooks import AsyncReplayGuard, ReplayGuard

NOW = 1_700_000_000.0
PATIENT = 20.0
KEY = "ab" * 32
OTHER = "cd" * 32


class OwnGuard:
    """A store of the user's own, as small as it gets."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, int]] = {}
        self.tokens = 0

    def reserve(self, key: str, now: float) -> Reservation:
        if key in self.held:
            return Reservation(key, "done" if self.held[key][0] == "done" else "busy")
        self.tokens += 1
        self.held[key] = ("held", self.tokens)
        return Reservation(key, "new", self.tokens)

    def commit(self, reservation: Reservation, now: float) -> bool:
        return self.settle(reservation, ("done", 0))

    def release(self, reservation: Reservation, now: float) -> bool:
        return self.settle(reservation, None)

    def settle(self, reservation: Reservation, after: tuple[str, int] | None) -> bool:
        if self.held.pop(reservation.key, None) != ("held", reservation.token):
            return False
        if after is not None:
            self.held[reservation.key] = after
        return True


class OwnAsyncGuard:
    """The same, awaited."""

    def __init__(self) -> None:
        self.own = OwnGuard()

    async def reserve(self, key: str, now: float) -> Reservation:
        await asyncio.sleep(0)
        return self.own.reserve(key, now)

    async def commit(self, reservation: Reservation, now: float) -> bool:
        await asyncio.sleep(0)
        return self.own.commit(reservation, now)

    async def release(self, reservation: Reservation, now: float) -> bool:
        await asyncio.sleep(0)
        return self.own.release(reservation, now)


def in_sqlite(folder: Path) -> SqlReplayGuard:
    guard = SqlReplayGuard(lambda: sqlite3.connect(folder / "replay.db"))
    guard.create_table()
    return guard


GUARDS: dict[str, Callable[[Path], ReplayGuard]] = {
    "memory": lambda _folder: MemoryReplayGuard(),
    "sql": in_sqlite,
    "own": lambda _folder: OwnGuard(),
}


@pytest.fixture(params=GUARDS)
def guard(request: pytest.FixtureRequest, tmp_path: Path) -> ReplayGuard:
    return GUARDS[request.param](tmp_path)


def clock() -> float:
    return NOW


def handled_once(guard: ReplayGuard) -> None:
    handled = 0
    with contextlib.suppress(ZeroDivisionError), once(guard, KEY, clock=clock):
        raise ZeroDivisionError
    for _ in range(3):
        with once(guard, KEY, clock=clock) as is_new:
            handled += is_new
    assert handled == 1
    with once(guard, OTHER, clock=clock) as is_new:
        assert is_new
        with pytest.raises(WebhookBusyError) as caught, once(guard, OTHER, clock=clock):
            raise AssertionError("it is handled twice at once")
        assert caught.value.code == "busy"


def test_a_message_is_handled_once(guard: ReplayGuard) -> None:
    handled_once(guard)


def test_a_message_is_handled_once_through_redis(redis_url: str) -> None:
    handled_once(RedisReplayGuard(redis_url, timeout=PATIENT))
    with once(RedisReplayGuard(redis_url, timeout=PATIENT), KEY) as is_new:
        assert not is_new, "another guard of the same store knows it"
    with once(RedisReplayGuard(redis_url, prefix="other:", timeout=PATIENT), KEY) as is_new:
        assert is_new


async def handled_once_awaited(guard: ReplayGuard | AsyncReplayGuard) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with once_async(guard, KEY, clock=clock):
            raise ZeroDivisionError
    handled = 0

    async def handle() -> None:
        nonlocal handled
        with contextlib.suppress(WebhookBusyError):
            async with once_async(guard, KEY, clock=clock) as is_new:
                await asyncio.sleep(0)
                handled += is_new

    await asyncio.gather(*(handle() for _ in range(10)))
    await handle()
    assert handled == 1


def test_a_message_is_handled_once_among_tasks(guard: ReplayGuard) -> None:
    asyncio.run(handled_once_awaited(guard))
    asyncio.run(handled_once_awaited(OwnAsyncGuard()))


def test_a_message_is_handled_once_among_tasks_through_redis(redis_url: str) -> None:
    asyncio.run(handled_once_awaited(RedisReplayGuard(redis_url, timeout=PATIENT)))


def test_a_cancelled_handler_releases_its_message() -> None:
    guard = MemoryReplayGuard()

    async def run() -> None:
        async def handle() -> None:
            async with once_async(guard, KEY, clock=clock):
                await asyncio.Event().wait()

        task = asyncio.create_task(handle())
        await asyncio.sleep(0)
        assert guard.reserve(KEY, NOW).state == "busy"
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert guard.reserve(KEY, NOW).state == "new"


@pytest.mark.parametrize("kind", ["memory", "sql"])
def test_a_lease_ends_and_so_does_the_retention(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    guard = GUARDS[kind](tmp_path)
    crashed = guard.reserve(KEY, NOW)
    assert guard.reserve(KEY, NOW + 299).state == "busy"
    second = guard.reserve(KEY, NOW + 300)
    assert second.state == "new"
    assert not guard.commit(crashed, NOW + 301), "it was given up"
    assert guard.commit(second, NOW + 301)
    assert guard.reserve(KEY, NOW + 4 * 86_400).state == "done"
    assert guard.reserve(KEY, NOW + 4 * 86_400 + 302).state == "new"
    times = iter([NOW, NOW + 400])
    with caplog.at_level(logging.WARNING, logger="gatewright.webhooks"), once(guard, OTHER, clock=lambda: next(times)):
        pass
    assert "took longer than the lease" in caplog.text


def test_a_guard_in_memory_is_bounded() -> None:
    guard = MemoryReplayGuard(entries=2)
    assert [guard.reserve(f"{number:064x}", NOW).state for number in range(3)] == ["new", "new", "full"]
    assert len(guard) == 2
    with pytest.raises(WebhookBusyError) as caught, once(guard, KEY, clock=clock):
        raise AssertionError("there is no room")
    assert caught.value.code == "full"
    for wrong in ({"entries": 0}, {"lease": -1.0}, {"retention": float("nan")}):
        settings: Any = wrong
        with pytest.raises(ValueError, match=next(iter(wrong))):
            MemoryReplayGuard(**settings)
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        guard.reserve("msg_1")


def test_a_table_is_swept_and_named(tmp_path: Path) -> None:
    file = tmp_path / "own.db"
    guard = SqlReplayGuard(lambda: sqlite3.connect(file), table="hooks_seen", paramstyle="qmark", lease=1)
    guard.create_table()
    guard.create_table()
    guard.reserve(KEY, NOW)
    assert guard.sweep(NOW) == 0
    assert guard.sweep(NOW + 1) == 1
    with contextlib.closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM hooks_seen").fetchone() == (0,)


class Recorder:
    """A connection that runs SQLite's statements, and says that it takes values otherwise."""

    def __init__(self, file: Path, seen: list[str]) -> None:
        self.connection = sqlite3.connect(file)
        self.seen = seen

    def cursor(self) -> Any:
        outer, cursor = self, self.connection.cursor()

        class Cursor:
            @property
            def rowcount(self) -> int:
                return cursor.rowcount

            def execute(self, text: str, values: Any) -> None:
                outer.seen.append(text)
                cursor.execute(text.replace("%s", "?"), values)

            def fetchone(self) -> Any:
                return cursor.fetchone()

            def close(self) -> None:
                cursor.close()

        return Cursor()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def test_values_are_written_as_the_driver_takes_them(tmp_path: Path) -> None:
    seen: list[str] = []
    guard = SqlReplayGuard(lambda: Recorder(tmp_path / "a.db", seen), paramstyle="pyformat")
    guard.create_table()
    handled_once(guard)
    assert any("VALUES (%s, %s, 0, %s)" in text for text in seen)
    assert not any("$" in text for text in seen)
    with pytest.raises(TypeError, match="give paramstyle="):
        SqlReplayGuard(lambda: Recorder(tmp_path / "a.db", seen)).sweep()
    named: Any = "named"
    with pytest.raises(ValueError, match="paramstyle='named' is not known here"):
        SqlReplayGuard(lambda: sqlite3.connect(tmp_path / "a.db"), paramstyle=named).sweep()


def test_what_a_failing_handler_raises_is_what_one_sees(caplog: pytest.LogCaptureFixture) -> None:
    class Away(OwnGuard):
        def release(self, reservation: Reservation, now: float) -> bool:
            raise OSError("no store")

    with pytest.raises(ZeroDivisionError), once(Away(), KEY, clock=clock):
        raise ZeroDivisionError
    assert "it could not be released" in caplog.text


def test_a_redis_that_is_away_is_told_without_its_password() -> None:
    guard = RedisReplayGuard("redis://:hunter2@127.0.0.1:1", timeout=1)
    with pytest.raises(OSError, match=r"\S") as caught, once(guard, KEY):
        raise AssertionError("nobody reserved it")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(guard)
    with pytest.raises(gatewright.InvalidConfigError):
        RedisReplayGuard("hunter2://")


FORKS = """
import os, sys
from gatewright.webhooks import RedisReplayGuard
guard = RedisReplayGuard(sys.argv[1], timeout=20)
assert guard.reserve("ab" * 32).state == "new"
child = os.fork()
if child == 0:
    states = [guard.reserve("ab" * 32).state, guard.reserve("cd" * 32).state]
    os._exit(0 if states == ["busy", "new"] else 1)
print(os.waitpid(child, 0)[1], guard.reserve("cd" * 32).state)
"""


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="there is no fork")
def test_a_child_process_makes_a_connection_of_its_own(redis_url: str) -> None:
    # In a process of its own: Python warns of forks where there are threads.
    run = [sys.executable, "-W", "ignore", "-c", FORKS, redis_url]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["0", "busy"], "")


def test_keys_tell_senders_and_messages_apart() -> None:
    webhook = Webhook(generate_secret())
    verified = webhook.verify(b"{}", webhook.sign(b"{}", message_id="m", timestamp=NOW), now=NOW)
    assert verified.replay_key("a") == verified.replay_key("a", message_id="m")
    assert len({verified.replay_key("a"), verified.replay_key("b"), verified.replay_key("a", message_id="n")}) == 3
