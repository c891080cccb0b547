"""The options of a call, declared once for the methods of both clients.

Types alone: at run time methods take them as keyword arguments, which the native module reads and checks
(``call_options.rs``).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypedDict

    from gatewright._arguments import AsyncContent, CacheMode, Content, HeaderInput, Params
    from gatewright._transfers import MinThroughput

    class CallOptions(TypedDict, total=False):
        """What every call may be given. What is not given is as the client has it."""

        params: Params | None
        """Parameters of the query."""
        headers: HeaderInput | None
        """Headers beside the client's own; one of the same name replaces it."""
        timeout: float | None
        """Seconds for the whole call; ``None`` for no limit."""
        attempt_timeout: float | None
        """Seconds from sending an attempt to its response head; ``None`` for no limit."""
        max_attempts: int | None
        """Attempts in all."""
        credential: str | Literal[False] | None
        """The name of one of the client's ``credentials``; ``False`` for none."""
        min_throughput: MinThroughput | None
        """The least that the bodies have to achieve; ``None`` for nothing."""
        traceparent: str | None
        """The trace that the call belongs to (W3C Trace Context). Each attempt is a span of its own in it."""
        tracestate: str | None
        """The state of that trace, which goes along as it is."""
        url_template: str | None
        """The path with names in place of its variable parts, such as ``/v1/contacts/{id}``: a label for observers."""

    class _Body(TypedDict, total=False):
        json: Any
        """A body that is encoded as JSON."""
        content: Content | None
        """A body as bytes, text, a file, an iterable of bytes (sent once, and not retried after that) or a callable
        that gives one."""
        data: Params | None
        """A body as a form."""

    class _AsyncBody(TypedDict, total=False):
        json: Any
        """A body that is encoded as JSON."""
        content: AsyncContent | None
        """A body as bytes, text, a file, an iterable of bytes, asynchronous or not (sent once, and not retried after
        that) or a callable that gives one."""
        data: Params | None
        """A body as a form."""

    class _Key(TypedDict, total=False):
        idempotency_key: str | None
        """The idempotency key, in place of one made up."""

    class _Cached(TypedDict, total=False):
        cache: CacheMode | None
        """How the call meets the cache."""

    class _Raised(TypedDict, total=False):
        raise_for_status: bool | None
        """Whether an error status raises."""

    class _Hedged(TypedDict, total=False):
        hedge: float | Literal["p95", False] | None
        """Seconds after which a second copy is sent, or ``"p95"``; ``False`` for none."""

    class RequestOptions(CallOptions, _Key, _Raised, _Cached, _Hedged, total=False):
        """What a request without a body may be given."""

    class BodyOptions(RequestOptions, _Body, total=False):
        """What a request with a body may be given."""

    class AsyncBodyOptions(RequestOptions, _AsyncBody, total=False):
        """What a request of ``AsyncClient`` with a body may be given."""

    class StreamOptions(CallOptions, _Key, _Raised, _Cached, _Body, total=False):
        """What a streamed request may be given."""

    class AsyncStreamOptions(CallOptions, _Key, _Raised, _Cached, _AsyncBody, total=False):
        """What a streamed request of ``AsyncClient`` may be given."""

    class EventOptions(CallOptions, _Body, total=False):
        """What a stream of events or of JSON lines may be given."""

    class AsyncEventOptions(CallOptions, _AsyncBody, total=False):
        """What a stream of events or of JSON lines of ``AsyncClient`` may be given."""

    class ListOptions(CallOptions, _Cached, _Hedged, total=False):
        """What pages may be given."""

    class UploadOptions(CallOptions, _Key, total=False):
        """What an upload may be given."""
