"""How coroutines wait for the native module, and it for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from gatewright._native import Pending


async def next_or_none(awaitable: Awaitable[Any]) -> Any:
    """Awaits; the end of an async iterator is ``None``, since StopAsyncIteration may not leave a task."""
    try:
        return await awaitable
    except StopAsyncIteration:
        return None


async def result(pending: Pending) -> Any:
    """Awaits a call's result; a call whose task is cancelled is ended and gives its place back."""
    try:
        return await pending.future
    except BaseException:
        pending.cancel()
        raise


async def piece(pending: Pending, keep: Callable[[Any], None]) -> Any:
    """Awaits a piece of a stream; one that comes at the very moment in which the task is cancelled is kept."""
    future = pending.future
    try:
        return await future
    except BaseException:
        pending.cancel()
        if future.done() and not future.cancelled() and future.exception() is None:
            keep(future.result())
        raise
