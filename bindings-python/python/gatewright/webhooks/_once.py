"""A message is handled once: reserved before its handler runs, committed after it, released where it failed."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import TYPE_CHECKING, TypeVar

from gatewright._errors import WebhookBusyError
from gatewright.webhooks._replay import MemoryReplayGuard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from gatewright.webhooks._replay import AsyncReplayGuard, ReplayGuard, Reservation

_logger = logging.getLogger("gatewright.webhooks")
_T = TypeVar("_T")


def once(guard: ReplayGuard, key: str, *, clock: Callable[[], float] = time.time) -> Once:
    """Reserves a message by ``with``: true inside where it is new, false where it was handled before.

    It is committed where the block ends, and released where it raises, so that the sender's next try is handled. Raises
    :class:`WebhookBusyError` where another handler has it now: answer 503.

    >>> with once(guard, verified.replay_key("billing")) as is_new:  # doctest: +SKIP
    ...     if is_new:
    ...         handle(verified.json())

    :param guard: Where messages are remembered.
    :param key: ``verified.replay_key("your name of the sender")``.
    :param clock: Gives unix seconds.
    """
    return Once(guard, key, clock)


def once_async(guard: ReplayGuard | AsyncReplayGuard, key: str, *, clock: Callable[[], float] = time.time) -> OnceAsync:
    """As :func:`once`, by ``async with``. A guard that is not awaited is asked on another thread."""
    return OnceAsync(guard, key, clock)


def _is_new(reservation: Reservation) -> bool:
    if reservation.state == "new":
        return True
    if reservation.state == "done":
        return False
    if reservation.state == "full":
        raise WebhookBusyError("full", "the replay guard has no room for more messages; answer 503")
    raise WebhookBusyError("busy", "another handler has this message now; answer 503, and the sender tries again")


def _lost(settled: bool, key: str) -> None:
    if not settled:
        _logger.warning("webhook %s: its handler took longer than the lease; it may have been handled twice", key)


class Once:
    """What :func:`once` gives."""

    def __init__(self, guard: ReplayGuard, key: str, clock: Callable[[], float]) -> None:
        self._guard = guard
        self._key = key
        self._clock = clock
        self._held: Reservation | None = None

    def __enter__(self) -> bool:
        reservation = self._guard.reserve(self._key, self._clock())
        is_new = _is_new(reservation)
        self._held = reservation if is_new else None
        return is_new

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        if error is None:
            _lost(self._guard.commit(held, self._clock()), self._key)
            return
        try:
            self._guard.release(held, self._clock())
        except Exception:
            # The handler's own error is the one to see.
            _logger.exception("webhook %s: it could not be released, and waits until its lease ends", self._key)


class OnceAsync:
    """What :func:`once_async` gives."""

    def __init__(self, guard: ReplayGuard | AsyncReplayGuard, key: str, clock: Callable[[], float]) -> None:
        self._guard = guard
        self._key = key
        self._clock = clock
        self._held: Reservation | None = None

    async def __aenter__(self) -> bool:
        reservation = await self._ask(self._guard.reserve, self._key)
        is_new = _is_new(reservation)
        self._held = reservation if is_new else None
        return is_new

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        if error is None:
            _lost(await self._ask(self._guard.commit, held), self._key)
            return
        try:
            await self._ask(self._guard.release, held)
        except Exception:
            _logger.exception("webhook %s: it could not be released, and waits until its lease ends", self._key)

    async def _ask(self, step: Callable[..., _T | Awaitable[_T]], what: object) -> _T:
        now = self._clock()
        if inspect.iscoroutinefunction(step) or isinstance(self._guard, MemoryReplayGuard):
            answer = step(what, now)
        else:
            answer = await asyncio.to_thread(step, what, now)
        if inspect.isawaitable(answer):
            return await answer
        return answer
