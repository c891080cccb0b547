"""The synchronous client."""

from __future__ import annotations

from gatewright import _native
from gatewright._arguments import DEFAULT
from gatewright._auth import credential
from gatewright._events import ServerEvents
from gatewright._page import Page
from gatewright._settings import native_settings
from gatewright._stream import StreamResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Self

    from gatewright._arguments import AfterAttempt, BeforeAttempt, Content, HeaderInput, Params
    from gatewright._auth import Auth
    from gatewright._cache import Cache
    from gatewright._native import ClientState, RedisQuota, Response
    from gatewright._settings import Retry


class Client(_native.SyncCore):
    """A client of one API. All its calls, from any thread, share connections, limits and budget."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = 60.0,
        attempt_timeout: float | None = 20.0,
        connect_timeout: float | None = 5.0,
        read_timeout: float | None = 20.0,
        max_attempts: int | None = None,
        retry: Retry | None = None,
        pacing: bool = True,
        quota: str | RedisQuota | None = None,
        idempotency_keys: bool = True,
        idempotency_header: str = "idempotency-key",
        idempotency_quoted: bool = False,
        max_redirects: int = 5,
        allowed_origins: Iterable[str] = (),
        allow_http: bool = False,
        proxy: str | Literal[False] | None = None,
        ca_certificates: str | PathLike[str] | bytes | None = None,
        pins: Iterable[str] = (),
        cache: bool | Cache | None = None,
        before_attempt: BeforeAttempt | None = None,
        after_attempt: AfterAttempt | None = None,
        max_response_bytes: int = 100 * 1024 * 1024,
        raise_for_status: bool = True,
    ) -> None:
        """
        :param base_url: Where paths are joined to, such as ``https://api.example.com/v1``. https, or http to loopback.
        :param auth: A bearer token, ``(user, password)``, :class:`ApiKey`, or a callable that gives tokens.
        :param headers: Headers of every request.
        :param timeout: Seconds for a whole call: queueing, connecting, every attempt, every wait and the body.
        :param attempt_timeout: Seconds from sending an attempt to its response head.
        :param connect_timeout: Seconds for TCP and TLS set-up.
        :param read_timeout: Seconds between two pieces of a body.
        :param max_attempts: Attempts in all; in place of ``retry.max_attempts``.
        :param retry: All rules of retrying.
        :param pacing: Whether calls are held back so that the server's quota lasts.
        :param quota: A quota of one's own, such as ``"100/min, burst 20"``, or a :class:`RedisQuota` of all processes.
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
        :param cache: Keeps answers as their servers allow: ``True`` for 64 MiB in memory, or a :class:`Cache`.
        :param before_attempt: Called with an :class:`AttemptRequest` before each attempt; may change its headers.
        :param after_attempt: Called with an :class:`AttemptResult` after each attempt.
        :param max_response_bytes: The largest body that is read whole.
        :param raise_for_status: Whether an error status raises.
        """
        hidden = None if auth is None else credential(auth)
        del auth
        settings = native_settings(
            auth=hidden,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            max_attempts=max_attempts,
            retry=retry,
            pacing=pacing,
            quota=quota,
            idempotency_keys=idempotency_keys,
            idempotency_header=idempotency_header,
            idempotency_quoted=idempotency_quoted,
            max_redirects=max_redirects,
            allowed_origins=allowed_origins,
            allow_http=allow_http,
            proxy=proxy,
            ca_certificates=ca_certificates,
            pins=pins,
            cache=cache,
            before_attempt=before_attempt,
            after_attempt=after_attempt,
            max_response_bytes=max_response_bytes,
            raise_for_status=raise_for_status,
        )
        super().__init__(base_url, **settings)

    def head(
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
    ) -> Response:
        """Sends a HEAD request."""
        return super().request(
            "HEAD",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
        )

    def options(
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
    ) -> Response:
        """Sends an OPTIONS request."""
        return super().request(
            "OPTIONS",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
        )

    def delete(
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
    ) -> Response:
        """Sends a DELETE request."""
        return super().request(
            "DELETE",
            path,
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            raise_for_status=raise_for_status,
        )

    def post(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
    ) -> Response:
        """Sends a POST request. It carries an idempotency key."""
        return super().request(
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
        )

    def put(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
    ) -> Response:
        """Sends a PUT request."""
        return super().request(
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
        )

    def patch(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
    ) -> Response:
        """Sends a PATCH request. It carries an idempotency key."""
        return super().request(
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
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
    ) -> StreamResponse:
        """Sends a request; the answer's body comes in as it is read. Use it as ``with client.stream(…) as response``.

        The deadline covers the body too: lift it for long streams with ``timeout=None``.
        """
        native = self._open(
            method,
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
        )
        return StreamResponse(native)

    def events(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        last_event_id: str | None = None,
        idle_timeout: float | None = 60.0,
        timeout: float | None = DEFAULT,
        attempt_timeout: float | None = DEFAULT,
        max_attempts: int | None = None,
    ) -> ServerEvents:
        """The server-sent events that answer a request, as they come. Nothing is sent before the first is asked for.

        A connection that ends or breaks is made again, and goes on after the last event that came
        (``Last-Event-ID``), where the request is a GET and its events have ids. The deadline and the attempts are for
        each connecting. Leaving the ``with`` block ends the request.

        :param last_event_id: Goes on after this event, of an earlier stream.
        :param idle_timeout: Seconds of silence after which a connection counts as broken; ``None`` for no limit.
        """
        native = self._events(
            method,
            path,
            last_event_id,
            idle_timeout,
            params=params,
            headers=headers,
            json=json,
            content=content,
            data=data,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
        )
        return ServerEvents(native, last_event_id)

    def pages(
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
    ) -> Iterator[Page]:
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
            params=params,
            headers=headers,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
        )
        while (found := native.next_page()) is not None:
            response, page_items = found
            yield Page(page_items, response)

    def items(
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
    ) -> Iterator[Any]:
        """The items of all pages of a list; see :meth:`pages`."""
        for page in self.pages(
            path,
            params=params,
            headers=headers,
            items=items,
            cursor=cursor,
            cursor_param=cursor_param,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_attempts=max_attempts,
        ):
            yield from page.items

    def state(self) -> ClientState:
        """Budget and limits of the base URL's host, as they are now."""
        return self._state()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
