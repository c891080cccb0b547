"""Streams of server-sent events."""

from __future__ import annotations

from collections import deque

from gatewright._awaiting import piece, result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from gatewright._native import AsyncEvents, ServerEvent, SyncEvents


class _Position:
    """Where a stream is."""

    def __init__(self, last_event_id: str | None) -> None:
        self._came: deque[ServerEvent] = deque()
        self._last_event_id = last_event_id or ""

    @property
    def last_event_id(self) -> str:
        """The id of the last event that was handed over and had one; where a later stream can go on."""
        return self._last_event_id

    def _hand_over(self) -> ServerEvent:
        event = self._came.popleft()
        self._last_event_id = event.id
        return event

    def __repr__(self) -> str:
        return f"<{type(self).__name__} after {self._last_event_id!r}>"


class ServerEvents(_Position):
    """Server-sent events, as they come: iterate over it, best in a ``with`` block, so that it is closed.

    After an error the iteration can go on: where the stream can be resumed, the next event is asked for on a new
    connection.
    """

    def __init__(self, native: SyncEvents, last_event_id: str | None) -> None:
        super().__init__(last_event_id)
        self._native = native

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ServerEvent:
        if not self._came:
            batch = self._native.next_batch()
            if batch is None:
                raise StopIteration
            self._came.extend(batch)
        return self._hand_over()

    def close(self) -> None:
        """Ends the request."""
        self._came.clear()
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncServerEvents(_Position):
    """Server-sent events, as they come: iterate with ``async for``, best in an ``async with`` block, so that it is
    closed.

    After an error the iteration can go on: where the stream can be resumed, the next event is asked for on a new
    connection.
    """

    def __init__(self, native: AsyncEvents, last_event_id: str | None) -> None:
        super().__init__(last_event_id)
        self._native = native

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerEvent:
        if not self._came:
            batch: list[ServerEvent] | None = await piece(self._native.next_batch(), self._keep)
            if batch is None:
                raise StopAsyncIteration
            self._keep(batch)
        return self._hand_over()

    def _keep(self, batch: list[ServerEvent] | None) -> None:
        self._came.extend(batch or ())

    async def aclose(self) -> None:
        """Ends the request."""
        self._came.clear()
        await result(self._native.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
