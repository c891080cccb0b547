"""What requests and clients take: the types of their arguments."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Any, Literal, Protocol

    from gatewright._native import AttemptRequest, AttemptResult

    class ReadableFile(Protocol):
        """A file that is open for reading bytes."""

        def read(self, size: int, /) -> bytes:
            """The next bytes, none at the end."""
            ...

    Primitive = str | int | float | bool | None
    Params = Mapping[str, Primitive | Sequence[Primitive]] | Sequence[tuple[str, Primitive | Sequence[Primitive]]]
    """Query or form parameters. ``True`` is ``true``, ``None`` is left out, a list repeats the name."""
    HeaderInput = Mapping[str, str | bytes | int] | Sequence[tuple[str, str | bytes | int]]
    """Headers, as a mapping or as pairs."""
    Plain = bytes | bytearray | memoryview | str | ReadableFile | Iterable[bytes]
    Content = Plain | Callable[[], Plain]
    """A body: bytes, text as UTF-8, a file, an iterable of bytes, or a callable that gives one of these for each
    attempt. An iterable is sent once, and so is a file that cannot seek."""
    AsyncContent = Plain | AsyncIterable[bytes] | Callable[[], Plain | AsyncIterable[bytes]]
    """The same; an iterable may be asynchronous."""

    CacheMode = Literal["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"]
    """How a call meets the cache, as in the Fetch standard."""
    FailureName = Literal[
        "body_source",
        "connect",
        "connect_timeout",
        "connection_lost",
        "decode",
        "hidden_redirect",
        "hook",
        "not_processed",
        "protocol",
        "read_timeout",
        "response_too_large",
        "timeout",
        "tls",
    ]
    """How an attempt may fail without a complete answer."""
    WebhookScheme = Literal[
        "standard-webhooks",
        "svix",
        "stripe",
        "github",
        "slack",
        "zoom",
        "shopify",
        "twilio",
        "square",
        "discord",
        "linear",
        "paddle",
        "mailgun",
        "sendgrid",
        "sns",
        "paypal",
        "http-signature",
        "custom",
    ]
    """How the sender of webhooks signs."""

    BeforeAttempt = Callable[[AttemptRequest], None]
    AfterAttempt = Callable[[AttemptResult], None]
    AsyncBeforeAttempt = Callable[[AttemptRequest], Awaitable[None] | None]
    AsyncAfterAttempt = Callable[[AttemptResult], Awaitable[None] | None]

DEFAULT: Any = ...
"""Not given: the client's own setting holds. ``None`` means no limit."""
