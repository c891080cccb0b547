"""The client for asyncio."""

from __future__ import annotations

from gatewright import _native
from gatewright._arguments import DEFAULT
from gatewright._auth import credential as as_credential
from gatewright._awaiting import result
from gatewright._events import AsyncServerEvents
from gatewright._page import Page
from gatewright._settings import native_settings
from gatewright._stream import AsyncStreamCall, AsyncStreamResponse
from gatewright._transfers import AsyncDownload, AsyncJsonLines, AsyncUpload, Downloaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Self

    from gatewright._arguments import (
        AsyncAfterAttempt,
        AsyncBeforeAttempt,
        AsyncContent,
        CacheMode,
        FailureName,
        HeaderInput,
        Params,
    )
    from gatewright._auth import AsyncAuth
    from gatewright._cache import Cache
    from gatewright._native import ClientState, Explanation, RedisQuota, Response
    from gatewright._settings import Breaker, Retry
    from gatewright._transfers import MinThroughput


class AsyncClient(_native.AsyncCore):
    """A client of one API, for asyncio. All its calls share connections, limits and budget."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: AsyncAuth | None = None,
        credentials: Mapping[str, AsyncAuth] | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = 60.0,
        attempt_timeout: float | None = 20.0,
        connect_timeout: float | None = 5.0,
        read_timeout: float | None = 20.0,
        max_attempts: int | None = None,
        retry: Retry | None = None,
        pacing: bool = True,
        quota: str | RedisQuota | None = None,
        max_concurrency: int | None = None,
        breaker: Breaker | bool = True,
        regions: Iterable[str] = (),
        hedge: float | Literal["p95"] | None = None,
        cache: bool | Cache | None = None,
        idempotency_keys: bool = True,
        idempotency_header: str = "idempotency-key",
        idempotency_quoted: bool = False,
        max_redirects: int = 5,
        allowed_origins: Iterable[str] = (),
        allow_http: bool = False,
        proxy: str | Literal[False] | None = None,
        ca_certificates: str | PathLike[str] | bytes | None = None,
        pins: Iterable[str] = (),
        before_attempt: AsyncBeforeAttempt | None = None,
        after_attempt: AsyncAfterAttempt | None = None,
        max_response_bytes: int = 100 * 1024 * 1024,
        raise_for_status: bool = True,
    ) -> None:
        """
        :param base_url: Where paths are joined to, such as ``https://api.example.com/v1``. https, or http to loopback.
        :param auth: A bearer token, ``(user, password)``, :class:`ApiKey`, or a callable that gives tokens.
        :param credentials: Further credentials by name, for the calls that ask for one by ``credential="name"``.
        :param headers: Headers of every request.
        :param timeout: Seconds for a whole call: queueing, connecting, every attempt, every wait and the body.
        :param attempt_timeout: Seconds from sending an attempt to its response head.
        :param connect_timeout: Seconds for TCP and TLS set-up.
        :param read_timeout: Seconds between two pieces of a body.
        :param max_attempts: Attempts in all; in place of ``retry.max_attempts``.
        :param retry: All rules of retrying.
        :param pacing: Whether calls are held back so that the server's quota lasts.
        :param quota: A quota of one's own, such as ``"100/min, burst 20"``, or a :class:`RedisQuota` of all processes.
        :param max_concurrency: Attempts that may be under way at one host at once; more wait for their turn.
        :param breaker: When a host that fails is left alone: by default from 20 attempts in 30 s of which half failed,
            for 10 s. Calls meanwhile raise :class:`CircuitOpenError` at once. ``False`` for never.
        :param regions: Other base URLs of the same API, nearest first, for when the first is out of reach.
        :param hedge: Seconds after which a second copy of a slow GET, HEAD or OPTIONS is sent, or ``"p95"``: where it
            takes longer than 95 of 100 took. The first success is taken.
        :param cache: A private cache (RFC 9111) in memory: ``True`` for 64 MiB, or a :class:`Cache`.
        :param idempotency_keys: Whether POST and PATCH get an idempotency key by themselves.
        :param idempotency_header: The header of the key.
        :param idempotency_quoted: Whether the key is quoted, as the IETF draft has it.
        :param max_redirects: Redirects followed for one call, to the same origin; 0 hands them over.
        :param allowed_origins: Other origins to which requests may go, without credentials.
        :param allow_http: Allows plain http to other machines.
        :param proxy: A proxy's URL; ``False`` for none; by default as the environment says.
        :param ca_certificates: PEM certificates that are trusted beside the system's: a path, or the PEM itself.
        :param pins: Public keys of which the host's verified chain has to show one, as ``"sha256/BASE64"``; for an
            allowed origin ``"host=sha256/BASE64"``. All other checks stay on.
        :param before_attempt: Called with an :class:`AttemptRequest` before each attempt; may change its headers.
        :param after_attempt: Called with an :class:`AttemptResult` after each attempt.
        :param max_response_bytes: The largest body that is read whole.
        :param raise_for_status: Whether an error status raises.
        """
        hidden = None if auth is None else as_credential(auth)
        others = {name: as_credential(value) for name, value in (credentials or {}).items()}
        del auth, credentials
        settings = native_settings(
            auth=hidden,
            credentials=others,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            max_attempts=max_attempts,
            retry=retry,
            pacing=pacing,
            quota=quota,
            max_concurrency=max_concurrency,
            breaker=breaker,
            regions=regions,
            hedge=hedge,
            cache=cache,
            idempotency_keys=idempotency_keys,
            idempotency_header=idempotency_header,
            idempotency_quoted=idempotency_quoted,
            max_redirects=max_redirects,
            allowed_origins=allowed_origins,
            allow_http=allow_http,
            proxy=proxy,
            ca_certificates=ca_certificates,
            pins=pins,
            before_attempt=before_attempt,
            after_attempt=after_attempt,
            max_response_bytes=max_response_bytes,
            raise_for_status=raise_for_status,
        )
        super().__init__(base_url, **settings)

    async def request(
        self,
        method: str,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a request, and reads the answer whole.

        :param path: Joined to the base URL. An absolute URL must be of the same origin.
        :param params: Parameters of the query.
        :param headers: Headers beside the client's own; one of the same name replaces it.
        :param json: A body that is encoded as JSON.
        :param content: A body as bytes, text, or an iterable of bytes (which is sent once: no retry after sending).
        :param data: A body as a form.
        :param timeout: Seconds for the whole call; ``None`` for no limit; by default the client's.
        :param attempt_timeout: Seconds from sending an attempt to its response head.
        :param max_attempts: Attempts in all.
        :param idempotency_key: The idempotency key, in place of one made up.
        :param raise_for_status: Whether an error status raises.
        """
        pending = self._start(
            method,
            path,
            False,
            params,
            headers,
            json,
            content,
            data,
            timeout,
            attempt_timeout,
            max_attempts,
            idempotency_key,
            raise_for_status,
            cache,
            credential,
            hedge,
        )
        answer: Response = await result(pending)
        return answer

    async def get(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a GET request."""
        return await self.request(
            "GET",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def head(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a HEAD request."""
        return await self.request(
            "HEAD",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def options(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends an OPTIONS request."""
        return await self.request(
            "OPTIONS",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def delete(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a DELETE request."""
        return await self.request(
            "DELETE",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def post(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a POST request. It carries an idempotency key."""
        return await self.request(
            "POST",
            path,
            params=params,
            headers=headers,
            json=json,
            content=content,
            data=data,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def put(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a PUT request."""
        return await self.request(
            "PUT",
            path,
            params=params,
            headers=headers,
            json=json,
            content=content,
            data=data,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    async def patch(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a PATCH request. It carries an idempotency key."""
        return await self.request(
            "PATCH",
            path,
            params=params,
            headers=headers,
            json=json,
            content=content,
            data=data,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
            cache=cache,
            credential=credential,
            hedge=hedge,
        )

    def stream(
        self,
        method: str,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
    ) -> AsyncStreamCall:
        """Sends a request; the answer's body comes in as it is read. ``async with`` the call.

        The deadline covers the body too: lift it for long streams with ``timeout=None``.
        """

        async def start() -> AsyncStreamResponse:
            pending = self._start(
                method,
                path,
                True,
                params,
                headers,
                json,
                content,
                data,
                timeout,
                attempt_timeout,
                max_attempts,
                idempotency_key,
                raise_for_status,
                cache,
                credential,
                None,
            )
            return AsyncStreamResponse(await result(pending))

        return AsyncStreamCall(start)

    def events(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        last_event_id: str | None = None,
        idle_timeout: float | None = 60.0,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        credential: str | Literal[False] | None = None,
    ) -> AsyncServerEvents:
        """The server-sent events that answer a request, as they come. Nothing is sent before the first is asked for.

        A connection that ends or breaks is made again, and goes on after the last event that came
        (``Last-Event-ID``), where the request is a GET and its events have ids. The deadline and the attempts are for
        each connecting. Leaving the ``async with`` block ends the request.

        :param last_event_id: Goes on after this event, of an earlier stream.
        :param idle_timeout: Seconds of silence after which a connection counts as broken; ``None`` for no limit.
        """
        native = self._events(
            method,
            path,
            last_event_id,
            idle_timeout,
            params,
            headers,
            json,
            content,
            data,
            timeout,
            attempt_timeout,
            max_attempts,
            None,
            credential,
            None,
        )
        return AsyncServerEvents(native, last_event_id)

    def json_lines(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: AsyncContent | None = None,
        data: Params | None = None,
        idle_timeout: float | None = 60.0,
        max_line_bytes: int = 16 * 1024 * 1024,
        as_text: bool = False,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        credential: str | Literal[False] | None = None,
    ) -> AsyncJsonLines:
        """The values of the JSON lines that answer a request, as they come. Nothing is sent before the first is asked
        for.

        A stream that breaks off is an error; what came of an unfinished line is no value. The deadline is for
        connecting. Leaving the ``async with`` block ends the request.

        :param idle_timeout: Seconds of silence after which it is an error; ``None`` for no limit.
        :param max_line_bytes: The longest line.
        :param as_text: Gives the lines as they are, for those that are no JSON.
        """
        options = {
            "params": params,
            "headers": headers,
            "json": json,
            "content": content,
            "data": data,
            "timeout": timeout,
            "attempt_timeout": attempt_timeout,
            "max_attempts": max_attempts,
            "credential": credential,
        }
        native = _native.open_json_lines(self, method, path, idle_timeout, max_line_bytes, as_text, options)
        return AsyncJsonLines(native)

    def download(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        min_throughput: MinThroughput | None = DEFAULT,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        credential: str | Literal[False] | None = None,
    ) -> AsyncDownload:
        """The bytes of an answer, which goes on where it breaks, where the server gives a strong ETag. Two versions are
        never mixed. Nothing is sent before the first bytes are asked for.

        The deadline is for connecting. Leaving the ``async with`` block ends the request.

        :param min_throughput: The least that it has to achieve, 1 KiB/s over 20 s by default; ``None`` for nothing.
        """
        options = {
            "params": params,
            "headers": headers,
            "timeout": timeout,
            "attempt_timeout": attempt_timeout,
            "max_attempts": max_attempts,
            "credential": credential,
        }
        return AsyncDownload(_native.open_download(self, path, min_throughput, options))

    async def download_to(
        self,
        path: str,
        file: str | PathLike[str],
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        min_throughput: MinThroughput | None = DEFAULT,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        credential: str | Literal[False] | None = None,
    ) -> Downloaded:
        """Downloads into a file, as :meth:`download` does. The bytes come into ``FILE.part`` beside it, which takes the
        file's place once it is whole; what an earlier run left there is gone on with, where the server still has that
        version.
        """
        options = {
            "params": params,
            "headers": headers,
            "timeout": timeout,
            "attempt_timeout": attempt_timeout,
            "max_attempts": max_attempts,
            "credential": credential,
        }
        done = await result(_native.run_download_to(self, path, file, min_throughput, options))
        return Downloaded(*done)

    def upload(
        self,
        path: str,
        source: AsyncContent | PathLike[str],
        /,
        *,
        method: str = "POST",
        params: Params | None = None,
        headers: HeaderInput | None = None,
        chunk_size: int = 8 * 1024 * 1024,
        resume: str | None = None,
        min_throughput: MinThroughput | None = DEFAULT,
        idempotency_key: str | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        credential: str | Literal[False] | None = None,
    ) -> AsyncUpload:
        """An upload, which a break costs no more than a piece where the server speaks the draft of resumable uploads;
        else it goes in one request. Nothing is sent before ``send``.

        :param source: Bytes, text, a file or an iterable of bytes, or the path of a file as :class:`pathlib.Path`.
        :param chunk_size: Bytes of a piece; one is held in memory.
        :param resume: Goes on with an upload of an earlier run, from its ``location``.
        :param min_throughput: The least that it has to achieve, 1 KiB/s over 20 s by default; ``None`` for nothing.
        """
        options = {
            "params": params,
            "headers": headers,
            "idempotency_key": idempotency_key,
            "timeout": timeout,
            "attempt_timeout": attempt_timeout,
            "max_attempts": max_attempts,
            "credential": credential,
        }
        native = _native.open_upload(self, method, path, source, chunk_size, resume, min_throughput, options)
        return AsyncUpload(native)

    async def pages(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        items: str = "data",
        cursor: str = "next_cursor",
        cursor_param: str = "cursor",
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> AsyncIterator[Page]:
        """The pages of a list, by ``Link: rel="next"`` or by cursor.

        :param items: The body's member with the items; a body that is a list is its own items.
        :param cursor: The body's member with the next cursor.
        :param cursor_param: The query parameter that takes it.
        """
        native = self._pages(
            path,
            items,
            cursor,
            cursor_param,
            params,
            headers,
            timeout,
            attempt_timeout,
            max_attempts,
            cache,
            credential,
            hedge,
        )
        while (found := await result(native.next_page())) is not None:
            response, page_items = found
            yield Page(page_items, response)

    async def items(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        items: str = "data",
        cursor: str = "next_cursor",
        cursor_param: str = "cursor",
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> AsyncIterator[Any]:
        """The items of all pages of a list; see :meth:`pages`."""
        async for page in self.pages(
            path,
            params=params,
            headers=headers,
            items=items,
            cursor=cursor,
            cursor_param=cursor_param,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            cache=cache,
            credential=credential,
            hedge=hedge,
        ):
            for item in page.items:
                yield item

    def explain(
        self,
        status: int | None = None,
        *,
        failure: FailureName | None = None,
        headers: HeaderInput | None = None,
        body: bytes | str | None = None,
        method: str = "GET",
        path: str = "",
        idempotency_key: bool | None = None,
        replayable: bool = True,
        attempt: int = 1,
        elapsed: float = 0.0,
        max_attempts: int | None = None,
        timeout: float | None = DEFAULT,
    ) -> Explanation:
        """What would be done with an outcome that did not happen, and why. Nothing is sent, and nothing is changed.

        >>> print(client.explain(503, headers={"retry-after": "2"}))  # doctest: +SKIP
        retry in 2 s to 2.20 s (the server was unavailable)
        ...

        :param status: The status that the server answers.
        :param failure: In place of a status: how the attempt fails, such as ``"connection_lost"``.
        :param headers: Headers of the answer.
        :param body: The body of the answer; problem details in it may matter.
        :param method: The method of the request.
        :param path: The path of the request, for redirects.
        :param idempotency_key: Whether the request carries an idempotency key; by default as the client does it.
        :param replayable: Whether the request's body can be sent again.
        :param attempt: Which attempt it was, 1 for the first.
        :param elapsed: Seconds that the call would have been under way.
        :param max_attempts: Attempts in all; by default the client's.
        :param timeout: The call's deadline in seconds; by default the client's.
        """
        return self._explain(
            status,
            failure,
            headers,
            body,
            method,
            path,
            idempotency_key,
            replayable,
            attempt,
            elapsed,
            max_attempts,
            timeout,
        )

    def state(self) -> ClientState:
        """Budget, breaker, limits, regions and cache, as they are now."""
        return self._state()

    async def aclose(self) -> None:
        """Refuses further calls. Those under way go on."""
        self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
