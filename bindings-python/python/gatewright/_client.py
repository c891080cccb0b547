"""The synchronous client."""

from __future__ import annotations

from gatewright import _native
from gatewright._arguments import DEFAULT
from gatewright._auth import credential as as_credential
from gatewright._events import ServerEvents
from gatewright._login import OAuthFlow
from gatewright._page import Page
from gatewright._settings import native_settings
from gatewright._stream import StreamResponse
from gatewright._transfers import Download, Downloaded, JsonLines, Upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Self, Unpack

    from gatewright._arguments import AfterAttempt, BeforeAttempt, Content, FailureName, HeaderInput
    from gatewright._auth import Auth
    from gatewright._cache import Cache
    from gatewright._native import Explanation, RedisQuota
    from gatewright._observer import Observer
    from gatewright._options import CallOptions, EventOptions, ListOptions, StreamOptions, UploadOptions
    from gatewright._settings import Breaker, Pacing, Retry
    from gatewright._state import ClientState
    from gatewright._transfers import MinThroughput


class Client(_native.SyncCore):
    """A client of one API. All its calls, from any thread, share connections, limits and budget."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: Auth | None = None,
        credentials: Mapping[str, Auth] | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = 60.0,
        attempt_timeout: float | None = 20.0,
        connect_timeout: float | None = 5.0,
        read_timeout: float | None = 20.0,
        min_throughput: MinThroughput | None = DEFAULT,
        max_attempts: int | None = None,
        retry: Retry | None = None,
        pacing: Pacing | bool = True,
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
        before_attempt: BeforeAttempt | None = None,
        after_attempt: AfterAttempt | None = None,
        observer: Observer | None = None,
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
        :param min_throughput: The least that the bodies of all calls have to achieve; ``None`` for nothing. By default
            1 KiB/s over 20 s for downloads and uploads, and nothing for all else, whose bodies the deadline covers.
        :param max_attempts: Attempts in all; in place of ``retry.max_attempts``.
        :param retry: All rules of retrying.
        :param pacing: Whether calls are held back so that the server's quota lasts; :class:`Pacing` says
            how many may wait.
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
        :param observer: Is told of every call and attempt, such as :class:`OpenTelemetry`, which makes spans and
            metrics.
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
            min_throughput=min_throughput,
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
            observer=observer,
            max_response_bytes=max_response_bytes,
            raise_for_status=raise_for_status,
        )
        super().__init__(base_url, **settings)

    def stream(self, method: str, path: str, /, **options: Unpack[StreamOptions]) -> StreamResponse:
        """Sends a request; the answer's body comes in as it is read. Use it as ``with client.stream(…) as response``.

        The deadline covers the body too: lift it for long streams with ``timeout=None``.
        """
        return StreamResponse(self._open(method, path, options))

    def events(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        last_event_id: str | None = None,
        idle_timeout: float | None = 60.0,
        **options: Unpack[EventOptions],
    ) -> ServerEvents:
        """The server-sent events that answer a request, as they come. Nothing is sent before the first is asked for.

        A connection that ends or breaks is made again, and goes on after the last event that came
        (``Last-Event-ID``), where the request is a GET and its events have ids. The deadline and the attempts are for
        each connecting. Leaving the ``with`` block ends the request.

        :param last_event_id: Goes on after this event, of an earlier stream.
        :param idle_timeout: Seconds of silence after which a connection counts as broken; ``None`` for no limit.
        """
        native = self._events(method, path, last_event_id, idle_timeout, options)
        return ServerEvents(native, last_event_id)

    def json_lines(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        idle_timeout: float | None = 60.0,
        max_line_bytes: int = 16 * 1024 * 1024,
        as_text: bool = False,
        **options: Unpack[EventOptions],
    ) -> JsonLines:
        """The values of the JSON lines that answer a request, as they come. Nothing is sent before the first is asked
        for.

        A stream that breaks off is an error; what came of an unfinished line is no value. The deadline is for
        connecting. Leaving the ``with`` block ends the request.

        :param idle_timeout: Seconds of silence after which it is an error; ``None`` for no limit.
        :param max_line_bytes: The longest line.
        :param as_text: Gives the lines as they are, for those that are no JSON.
        """
        native = _native.open_json_lines(self, method, path, idle_timeout, max_line_bytes, as_text, options)
        return JsonLines(native)

    def download(self, path: str, /, **options: Unpack[CallOptions]) -> Download:
        """The bytes of an answer, which goes on where it breaks, where the server gives a strong ETag. Two versions are
        never mixed. Nothing is sent before the first bytes are asked for.

        The deadline is for connecting. Leaving the ``with`` block ends the request. Where no ``min_throughput`` is
        given, neither here nor for the client, it is 1 KiB/s over 20 s.
        """
        return Download(_native.open_download(self, path, options))

    def download_to(self, path: str, file: str | PathLike[str], /, **options: Unpack[CallOptions]) -> Downloaded:
        """Downloads into a file, as :meth:`download` does. The bytes come into ``FILE.part`` beside it, which takes the
        file's place once it is whole; what an earlier run left there is gone on with, where the server still has that
        version.
        """
        done = _native.run_download_to(self, path, file, options)
        return Downloaded(*done)

    def upload(
        self,
        path: str,
        source: Content | PathLike[str],
        /,
        *,
        method: str = "POST",
        chunk_size: int = 8 * 1024 * 1024,
        resume: str | None = None,
        **options: Unpack[UploadOptions],
    ) -> Upload:
        """An upload, which a break costs no more than a piece where the server speaks the draft of resumable uploads;
        else it goes in one request. Nothing is sent before ``send``. Where no ``min_throughput`` is given, neither here
        nor for the client, it is 1 KiB/s over 20 s.

        :param source: The path of a file as :class:`pathlib.Path`, or what a body may be: bytes, text, a file, an
            iterable of bytes, or a callable that gives one. What can be had again is, where the server is further back.
        :param chunk_size: Bytes of a piece; one is held in memory.
        :param resume: Goes on with an upload of an earlier run, from its ``location``.
        """
        return Upload(_native.open_upload(self, method, path, source, chunk_size, resume, options))

    def pages(
        self,
        path: str,
        /,
        *,
        items: str = "data",
        cursor: str = "next_cursor",
        cursor_param: str = "cursor",
        **options: Unpack[ListOptions],
    ) -> Iterator[Page]:
        """The pages of a list, by ``Link: rel="next"`` or by cursor.

        :param items: The body's member with the items; a body that is a list is its own items.
        :param cursor: The body's member with the next cursor.
        :param cursor_param: The query parameter that takes it.
        """
        native = self._pages(path, items, cursor, cursor_param, options)
        while (found := native.next_page()) is not None:
            response, page_items = found
            yield Page(page_items, response)

    def items(
        self,
        path: str,
        /,
        *,
        items: str = "data",
        cursor: str = "next_cursor",
        cursor_param: str = "cursor",
        **options: Unpack[ListOptions],
    ) -> Iterator[Any]:
        """The items of all pages of a list; see :meth:`pages`."""
        for page in self.pages(path, items=items, cursor=cursor, cursor_param=cursor_param, **options):
            yield from page.items

    def oauth(self, credential: str | None = None) -> OAuthFlow:
        """Logging in and out by the client's ``OAuth``. The client's calls use the tokens that a login brings.

        :param credential: The name of one of ``credentials``; by default ``auth``.
        """
        return OAuthFlow(self, credential)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
