"""Answers whose body comes in as it is read."""

from __future__ import annotations

import codecs
import io
from collections import deque

from gatewright._awaiting import piece, result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from gatewright._native import AsyncStream, Attempt, Headers, SyncStream


class _Head:
    """What is known before the body."""

    status_code: int
    """The status."""
    headers: Headers
    """The headers."""
    url: str
    """The URL that answered."""
    request_id: str | None
    """The server's id of the request."""
    attempts: tuple[Attempt, ...]
    """What was done, attempt by attempt."""
    elapsed: float
    """Seconds until the head was there."""
    cache_status: str | None
    """How a client with a cache answered: ``hit``, ``revalidated``, ``stale`` or ``miss``."""

    def __init__(self, native: SyncStream | AsyncStream) -> None:
        head = native.head()
        self.status_code, self.headers, self.url, self.request_id, attempts, self.elapsed, self.cache_status = head
        self.attempts = tuple(attempts)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    @property
    def from_cache(self) -> bool:
        """Whether the body comes from the cache."""
        return self.cache_status not in (None, "miss")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status_code}>"


class _Lines:
    """Splits text into lines, as they come: at \\n, \\r\\n and \\r."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._rest = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> list[str]:
        text = self._rest + self._newlines.decode(self._decode(chunk, final), final)
        *lines, self._rest = text.split("\n")
        if final and self._rest:
            lines.append(self._rest)
            self._rest = ""
        return lines


class StreamResponse(_Head):
    """An answer whose body comes in as it is read. Use it as a context manager, so that it is closed."""

    def __init__(self, native: SyncStream) -> None:
        super().__init__(native)
        self._native = native

    def iter_bytes(self) -> Iterator[bytes]:
        """The body, piece by piece, as it comes in."""
        while (chunk := self._native.next_chunk()) is not None:
            yield chunk

    def iter_text(self) -> Iterator[str]:
        """The body as text, piece by piece. What is no UTF-8 is replaced."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        for chunk in self.iter_bytes():
            if text := decode(chunk):
                yield text
        if text := decode(b"", True):
            yield text

    def iter_lines(self) -> Iterator[str]:
        """The body's lines, without their ends."""
        lines = _Lines()
        for chunk in self.iter_bytes():
            yield from lines.feed(chunk)
        yield from lines.feed(b"", final=True)

    def read(self) -> bytes:
        """What is left of the body."""
        return b"".join(self.iter_bytes())

    def close(self) -> None:
        """Ends it, whatever is still to come."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStreamResponse(_Head):
    """An answer whose body comes in as it is read. Use it with ``async with``, so that it is closed."""

    def __init__(self, native: AsyncStream) -> None:
        super().__init__(native)
        self._native = native
        self._kept: deque[bytes] = deque()

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, as it comes in."""
        while True:
            chunk: bytes | None
            if self._kept:
                chunk = self._kept.popleft()
            else:
                chunk = await piece(self._native.next_chunk(), self._keep)
            if chunk is None:
                return
            yield chunk

    def _keep(self, chunk: bytes | None) -> None:
        if chunk is not None:
            self._kept.append(chunk)

    async def iter_text(self) -> AsyncIterator[str]:
        """The body as text, piece by piece. What is no UTF-8 is replaced."""
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        async for chunk in self.iter_bytes():
            if text := decode(chunk):
                yield text
        if text := decode(b"", True):
            yield text

    async def iter_lines(self) -> AsyncIterator[str]:
        """The body's lines, without their ends."""
        lines = _Lines()
        async for chunk in self.iter_bytes():
            for line in lines.feed(chunk):
                yield line
        for line in lines.feed(b"", final=True):
            yield line

    async def read(self) -> bytes:
        """What is left of the body."""
        return b"".join([chunk async for chunk in self.iter_bytes()])

    async def aclose(self) -> None:
        """Ends it, whatever is still to come."""
        self._kept.clear()
        await result(self._native.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncStreamCall:
    """A call that hands its answer over as a stream: ``async with`` it, or ``await`` it and close it."""

    def __init__(self, start: Callable[[], Awaitable[AsyncStreamResponse]]) -> None:
        self._start = start
        self._response: AsyncStreamResponse | None = None

    def __await__(self) -> Generator[object, None, AsyncStreamResponse]:
        return self._start().__await__()

    async def __aenter__(self) -> AsyncStreamResponse:
        self._response = await self._start()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            await self._response.aclose()
