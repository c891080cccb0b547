"""JSON lines, downloads and uploads."""

from __future__ import annotations

from collections import deque

from gatewright._awaiting import piece, result
from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from gatewright._native import Attempt, Headers, NativeDownload, NativeLines, NativeUpload, Response


class MinThroughput(Value):
    """The least that a body has to achieve; what is slower ends with :class:`TimeoutError`."""

    __slots__ = ("bytes_per_second", "grace")

    bytes_per_second: int
    """Bytes in a second, on average over ``grace``."""
    grace: float
    """Seconds for which it may be slower. Only time in which the other side is waited for counts."""

    def __init__(self, bytes_per_second: int = 1024, grace: float = 20.0) -> None:
        self._set(bytes_per_second=bytes_per_second, grace=grace)


class Downloaded(Value):
    """A file that is whole."""

    __slots__ = ("length", "resumed_from", "headers", "attempts")  # noqa: RUF023 - in the order of the arguments

    length: int
    """Its length in bytes."""
    resumed_from: int
    """The bytes that an earlier run had left."""
    headers: Headers
    """The headers of the first answer."""
    attempts: list[Attempt]
    """What was done, attempt by attempt, over all connections."""

    def __init__(self, length: int, resumed_from: int, headers: Headers, attempts: list[Attempt]) -> None:
        self._set(length=length, resumed_from=resumed_from, headers=headers, attempts=attempts)


class JsonLines:
    """The values of a stream of JSON lines, as they come: iterate over it, best in a ``with`` block, so that it is
    closed.

    After an error about one line the iteration can go on with the line after it.
    """

    def __init__(self, native: NativeLines) -> None:
        self._native = native
        self._came: deque[Any] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if not self._came:
            batch = self._native.next_batch()
            if batch is None:
                raise StopIteration
            self._came.extend(batch)
        return self._came.popleft()

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


class AsyncJsonLines:
    """The values of a stream of JSON lines, as they come: iterate with ``async for``, best in an ``async with`` block,
    so that it is closed.

    After an error about one line the iteration can go on with the line after it.
    """

    def __init__(self, native: NativeLines) -> None:
        self._native = native
        self._came: deque[Any] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        if not self._came:
            batch = await piece(self._native.next_batch(), self._keep)
            if batch is None:
                raise StopAsyncIteration
            self._keep(batch)
        return self._came.popleft()

    def _keep(self, batch: list[Any] | None) -> None:
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


class _Position:
    """Where a download is."""

    def __init__(self, native: NativeDownload) -> None:
        self._native = native

    @property
    def position(self) -> int:
        """The bytes that were handed over."""
        return self._native.position()[0]

    @property
    def total(self) -> int | None:
        """How many bytes there are, where the server said so; known once it is connected."""
        return self._native.position()[1]

    @property
    def headers(self) -> Headers:
        """The headers of the first answer; empty before it came."""
        return self._native.position()[2]

    @property
    def attempts(self) -> list[Attempt]:
        """What was done so far, attempt by attempt, over all connections."""
        return self._native.position()[3]


class Download(_Position):
    """The bytes of a download that goes on where it broke: iterate over it, in a ``with`` block, so that it is closed.

    After an error that may pass the iteration can go on where it ended.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = self._native.next_chunk()
        if chunk is None:
            raise StopIteration
        return chunk

    def connect(self) -> None:
        """Connects, so that ``headers`` and ``total`` are known. Iterating does it by itself."""
        self._native.connect()

    def close(self) -> None:
        """Ends the download."""
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncDownload(_Position):
    """The bytes of a download that goes on where it broke: iterate with ``async for``, in an ``async with`` block, so
    that it is closed.

    After an error that may pass the iteration can go on where it ended.
    """

    def __init__(self, native: NativeDownload) -> None:
        super().__init__(native)
        self._kept: deque[bytes] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._kept:
            return self._kept.popleft()
        chunk: bytes | None = await piece(self._native.next_chunk(), self._keep)
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def _keep(self, chunk: bytes | None) -> None:
        if chunk is not None:
            self._kept.append(chunk)

    async def connect(self) -> None:
        """Connects, so that ``headers`` and ``total`` are known. Iterating does it by itself."""
        await result(self._native.connect())

    async def aclose(self) -> None:
        """Ends the download."""
        await result(self._native.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _UploadPosition:
    """Where an upload is."""

    def __init__(self, native: NativeUpload) -> None:
        self._native = native
        self.resumable: bool | None = None
        """Whether it went piece by piece; known once it is sent."""
        self.answer_lost: bool = False
        """The final answer was lost: the server said later that it has all of it."""
        self.attempts: list[Attempt] = []
        """What was done, attempt by attempt, over all requests; known once it is sent."""

    @property
    def location(self) -> str | None:
        """Where it can be gone on with, once it was created. Not for logs: whoever has it can write there."""
        return self._native.position()[0]

    @property
    def offset(self) -> int:
        """The bytes that the server has acknowledged."""
        return self._native.position()[1]

    @property
    def length(self) -> int | None:
        """The bytes in all, where that is known."""
        return self._native.position()[2]

    def _sent(self, told: tuple[Response, bool, bool, list[Attempt]]) -> Response:
        response, self.resumable, self.answer_lost, self.attempts = told
        return response


class Upload(_UploadPosition):
    """An upload that a break costs no more than a piece."""

    def send(self) -> Response:
        """Uploads all of it. After an error that may pass it can be called again: it goes on where the server is."""
        return self._sent(self._native.send())


class AsyncUpload(_UploadPosition):
    """An upload that a break costs no more than a piece."""

    async def send(self) -> Response:
        """Uploads all of it. After an error that may pass it can be called again: it goes on where the server is."""
        return self._sent(await result(self._native.send()))
