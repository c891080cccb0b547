"""Replay guards: what was handled is remembered, so that a message is handled once.

A guard reserves a message, then commits it (it was handled) or releases it (its handler failed: the sender's next
try is handled). :func:`gatewright.webhooks.once` does these by ``with``.
"""

from __future__ import annotations

import secrets
import sys
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gatewright._native import NativeMemoryGuard, NativeRedisGuard, replay_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

DAY = 86_400.0


class Reservation(NamedTuple):
    """The answer of a guard that was asked for a message."""

    key: str
    """The message: ``Verified.replay_key()``."""

    state: Literal["new", "done", "busy", "full"]
    """``new``: handle it now, then commit or release. ``done``: it was handled. ``busy``: another handler has it now.
    ``full``: the guard has no room."""

    token: int = 0
    """Of a new one: what no other reservation of this message ever had."""


class ReplayGuard(Protocol):
    """A guard, for stores of your own too. Each method must be atomic among all users of the store."""

    def reserve(self, key: str, now: float) -> Reservation:
        """Asks for a message at ``now``, unix seconds. A new reservation ends by itself after a lease of your
        choice."""
        ...

    def commit(self, reservation: Reservation, now: float) -> bool:
        """The message was handled: remember it for the sender's whole retry span. False where the lease had ended."""
        ...

    def release(self, reservation: Reservation, now: float) -> bool:
        """The handler failed: the message may be handled at once. False where the lease had ended."""
        ...


class AsyncReplayGuard(Protocol):
    """As :class:`ReplayGuard`, for a store that is awaited."""

    async def reserve(self, key: str, now: float) -> Reservation:
        """Asks for a message at ``now``, unix seconds. A new reservation ends by itself after a lease of your
        choice."""
        ...

    async def commit(self, reservation: Reservation, now: float) -> bool:
        """The message was handled: remember it for the sender's whole retry span. False where the lease had ended."""
        ...

    async def release(self, reservation: Reservation, now: float) -> bool:
        """The handler failed: the message may be handled at once. False where the lease had ended."""
        ...


class MemoryReplayGuard:
    """Remembers messages in the memory of this process: for receivers that are one process."""

    def __init__(
        self,
        *,
        entries: int = 100_000,
        retention: float = 4 * DAY,
        lease: float = 300.0,
        replay_window: float = 600.0,
    ) -> None:
        """
        :param entries: The most messages remembered; about 200 bytes each.
        :param retention: Seconds that a handled message is remembered; at least the sender's whole retry span.
        :param lease: Seconds that a handler may take before it is taken for crashed.
        :param replay_window: Seconds that a handled message is never forgotten, however full the guard is: at least the
            tolerances of the verifier, past and future, together.
        """
        self._native = NativeMemoryGuard(entries, retention, lease, replay_window)

    def reserve(self, key: str, now: float | None = None) -> Reservation:
        """Asks for a message."""
        return Reservation(key, *self._native.reserve(key, _time(now)))

    def commit(self, reservation: Reservation, now: float | None = None) -> bool:
        """The message was handled. False where the lease had ended."""
        return self._native.settle(reservation.key, reservation.token, _time(now), True)

    def release(self, reservation: Reservation, now: float | None = None) -> bool:
        """The handler failed. False where the lease had ended."""
        return self._native.settle(reservation.key, reservation.token, _time(now), False)

    def __len__(self) -> int:
        return len(self._native)


class RedisReplayGuard:
    """Remembers messages in Redis 5 or later, or Valkey, for receivers that are several processes.

    One connection for the process, made when it is first needed; the ends of leases are those of Redis's own clock. A
    store that cannot be asked raises ``OSError``: answer 503. The keys are those of the Rust SDK's guard.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "gatewright:replay:",
        retention: float = 4 * DAY,
        lease: float = 300.0,
        timeout: float = 2.0,
    ) -> None:
        """
        :param url: ``redis://[user:password@]host[:port][/db]``, or ``rediss://`` for TLS.
        :param prefix: What keys begin with.
        :param retention: Seconds that a handled message is remembered; at least the sender's whole retry span.
        :param lease: Seconds that a handler may take before it is taken for crashed.
        :param timeout: Seconds that a step may take, the connection with it.
        """
        self._native = NativeRedisGuard(url, prefix, retention, lease, timeout)

    def reserve(self, key: str, now: float | None = None) -> Reservation:  # noqa: ARG002, a guard's form
        """Asks for a message. The time is Redis's own."""
        return Reservation(key, *self._native.reserve(key))

    def commit(self, reservation: Reservation, now: float | None = None) -> bool:  # noqa: ARG002, a guard's form
        """The message was handled. False where the lease had ended."""
        return self._native.settle(reservation.key, reservation.token, True)

    def release(self, reservation: Reservation, now: float | None = None) -> bool:  # noqa: ARG002, a guard's form
        """The handler failed. False where the lease had ended."""
        return self._native.settle(reservation.key, reservation.token, False)


_MARKS = {"qmark": "?", "format": "%s", "pyformat": "%s"}


class SqlReplayGuard:
    """Remembers messages in a table of SQLite (3.24 or later) or PostgreSQL, through connections by DB-API 2.0 (PEP
    249).

    Each change is one statement, committed at once.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        table: str = "gatewright_replay",
        paramstyle: Literal["qmark", "format", "pyformat", "numeric"] | None = None,
        retention: float = 4 * DAY,
        lease: float = 300.0,
    ) -> None:
        """
        :param connect: Gives a connection, for one step; it is closed afterwards, which gives that of a pool back.
        :param table: Letters, digits and underscores.
        :param paramstyle: How the driver takes values; by default what its module says.
        :param retention: Seconds that a handled message is remembered; at least the sender's whole retry span.
        :param lease: Seconds that a handler may take before it is taken for crashed.
        """
        self._connect = connect
        self._statements = replay_statements(table)
        self._paramstyle = paramstyle
        self._retention = int(retention)
        self._lease = int(lease)

    def create_table(self) -> None:
        """Makes the table, if it is not there."""
        self._run(("create", ()))

    def sweep(self, now: float | None = None) -> int:
        """Deletes what has ended, and says how many rows: call it now and then."""
        count, _ = self._run(("sweep", (int(_time(now)),)))
        return count

    def reserve(self, key: str, now: float | None = None) -> Reservation:
        """Asks for a message."""
        at = int(_time(now))
        token = secrets.randbits(63)
        count, row = self._run(("reserve", (key, token, at + self._lease, at)), look=key)
        if count == 1:
            return Reservation(key, "new", token)
        # No row: it was released between the two statements. Whoever sends it again gets it.
        return Reservation(key, "done" if row is not None and row[0] == 1 else "busy")

    def commit(self, reservation: Reservation, now: float | None = None) -> bool:
        """The message was handled. False where the lease had ended."""
        at = int(_time(now))
        count, _ = self._run(("commit", (at + self._retention, reservation.key, reservation.token, at)))
        return count == 1

    def release(self, reservation: Reservation, now: float | None = None) -> bool:
        """The handler failed. False where the lease had ended."""
        count, _ = self._run(("release", (reservation.key, reservation.token, int(_time(now)))))
        return count == 1

    def _run(self, change: tuple[str, Sequence[Any]], look: str | None = None) -> tuple[int, Any]:
        """Runs a change, and says how many rows it changed; where it changed none, the row of ``look``."""
        connection = self._connect()
        try:
            cursor = connection.cursor()
            name, values = change
            cursor.execute(self._text(connection, name, len(values)), values)
            count: int = cursor.rowcount
            row = None
            if count != 1 and look is not None:
                cursor.execute(self._text(connection, "look", 1), (look,))
                row = cursor.fetchone()
            cursor.close()
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.close()
        return count, row

    def _text(self, connection: Any, name: str, values: int) -> str:
        """A statement, with its values as the driver takes them: they are there in order, each once."""
        style = self._paramstyle or _paramstyle(connection)
        text = self._statements[name]
        for number in range(values, 0, -1):
            mark = f":{number}" if style == "numeric" else _MARKS.get(style)
            if mark is None:
                raise ValueError(
                    f"paramstyle={style!r} is not known here; give one of qmark, format, pyformat, numeric"
                )
            text = text.replace(f"${number}", mark)
        return text


def _paramstyle(connection: Any) -> str:
    """What the driver's module says of itself; pools wrap connections, and are asked by ``paramstyle=``."""
    name = type(connection).__module__
    while name:
        style = getattr(sys.modules.get(name), "paramstyle", None)
        if isinstance(style, str):
            return style
        name = name.rpartition(".")[0]
    raise TypeError("what the driver's paramstyle is cannot be seen here: give paramstyle=")


def _time(now: float | None) -> float:
    return time.time() if now is None else now
