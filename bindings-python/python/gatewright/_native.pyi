"""The native half of the package. Its public classes are re-exported by ``gatewright`` and ``gatewright.webhooks``."""

from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from typing import Any, Final, Literal, TypeAlias, TypeVar, final, overload

from typing_extensions import Self, Unpack, disjoint_base

from gatewright._arguments import FailureName, HeaderInput, WebhookScheme
from gatewright._errors import WebhookExplanation
from gatewright._options import (
    AsyncBodyOptions,
    AsyncEventOptions,
    AsyncStreamOptions,
    BodyOptions,
    CallOptions,
    EventOptions,
    ListOptions,
    RequestOptions,
    StreamOptions,
    UploadOptions,
)
from gatewright._state import ClientState, HostState, ToldQuota

__all__ = [
    "AsyncCore",
    "AsyncEvents",
    "AsyncPages",
    "AsyncStream",
    "Attempt",
    "AttemptEnded",
    "AttemptRequest",
    "AttemptResult",
    "AttemptStarted",
    "CallEnded",
    "CallStarted",
    "Challenge",
    "Drain",
    "Explanation",
    "Headers",
    "NativeDownload",
    "NativeLines",
    "NativeLogin",
    "NativeMemoryGuard",
    "NativeRedisGuard",
    "NativeUpload",
    "Pending",
    "Place",
    "RedisQuota",
    "Response",
    "ServerEvent",
    "SignedRequest",
    "Signer",
    "SyncCore",
    "SyncEvents",
    "SyncPages",
    "SyncStream",
    "Template",
    "Verified",
    "Webhook",
    "WebhookVerifier",
    "__version__",
    "after_fork_in_child",
    "begin_login",
    "decode_object",
    "error_codes",
    "generate_secret",
    "log_out",
    "open_download",
    "open_json_lines",
    "open_upload",
    "replay_statements",
    "run_command_line",
    "run_download_to",
    "webhook_schemes",
]

_T = TypeVar("_T")
_Head: TypeAlias = tuple[int, Headers, str, str | None, list[Attempt], float, str | None]

__version__: Final[str]

def error_codes() -> list[str]:
    """The codes of all kinds of errors."""

def after_fork_in_child() -> None:
    """Tells the module that this is a child process: threads and connections are made anew."""

def decode_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; ``None`` where it is none."""

def run_command_line(arguments: Sequence[str]) -> int:
    """Runs a command line without the program's name, and answers the exit code."""

def generate_secret() -> str:
    """A new ``whsec_`` secret with 32 random bytes."""

@final
class RedisQuota:
    """A quota that any number of processes share through Redis: all whose quota has the same name and prefix.

    While Redis cannot be reached, each process keeps to its part, the quota divided by the processes last seen."""

    def __new__(
        cls,
        url: str | Iterable[str],
        quota: str,
        *,
        name: str | None = None,
        prefix: str = "gatewright",
        cluster: bool = False,
        ahead: float = 1.0,
        keep: float = 0.5,
        timeout: float = 0.25,
        probe: float = 0.5,
        assumed_processes: int = 8,
        max_queue: int = 10_000,
        ca_certificates: bytes | None = None,
    ) -> Self:
        """
        :param url: ``redis://[user:password@]host[:port][/db]``, ``rediss://`` for TLS; several for a cluster.
        :param quota: The quota, such as ``"600/min, burst 50"``.
        :param name: The name under which it is shared; by default host and port of the base URL.
        :param prefix: What the keys in Redis begin with.
        :param cluster: Whether it is a Redis Cluster.
        :param ahead: Seconds for which permits are taken ahead.
        :param keep: Seconds by which a permit that was taken ahead may be used late; taken off the burst.
        :param timeout: Seconds that Redis may take to answer before it counts as away; to connect, four times as long.
        :param probe: Seconds between two tries while Redis is away.
        :param assumed_processes: How many processes share the quota, where Redis was never reached.
        :param max_queue: Calls that may wait for a permit; more are refused.
        :param ca_certificates: PEM certificates that are trusted in place of the system's, for ``rediss://``.
        """

@final
class Explanation:
    """What would be done with an outcome, and why. ``str`` says it in words. Times are seconds."""

    @property
    def decision(self) -> Literal["return", "retry", "refresh_token", "redirect", "give_up"]:
        """What would be decided."""
    @property
    def reason(self) -> str | None:
        """Why there would be another attempt, or none."""
    @property
    def wait(self) -> tuple[float, float] | None:
        """The wait before the next attempt, at least and at most: jitter decides."""
    @property
    def location(self) -> str | None:
        """Where a redirect would lead."""
    @property
    def code(self) -> str | None:
        """The code of the error that would be raised, were there no other attempt; ``None`` for a success."""
    @property
    def repeatable(self) -> bool:
        """Whether the request is safe to repeat: by its method, or because it carries a key."""
    @property
    def retry_after(self) -> float | None:
        """What the server asks for."""
    @property
    def cost(self) -> int | None:
        """What the retry would cost of the budget."""
    @property
    def budget_left(self) -> int:
        """Tokens in the retry budget now."""
    @property
    def counted(self) -> Literal["failure", "neither", "success"] | None:
        """How the breaker would count it."""
    @property
    def breaker(self) -> Literal["closed", "half_open", "open"] | None:
        """What the breaker would do then."""
    @property
    def paused_for(self) -> float | None:
        """How long all calls of this credential would be held back."""
    @property
    def region(self) -> str | None:
        """The region to which the retry would go."""
    @property
    def quotas(self) -> list[ToldQuota]:
        """The quotas that the answer's headers tell of."""
    @property
    def reasons(self) -> list[str]:
        """Why, a sentence each, in the order in which it is decided."""

@final
class Headers(Mapping[str, str]):
    """Headers: a read-only, case-insensitive mapping. Repeated headers are joined with ``, ``; ``get_list`` has them
    apart."""

    def __getitem__(self, name: str, /) -> str: ...
    def __contains__(self, name: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @overload
    def get(self, name: str, default: None = None, /) -> str | None: ...
    @overload
    def get(self, name: str, default: str, /) -> str: ...
    @overload
    def get(self, name: str, default: _T, /) -> str | _T: ...
    def get_list(self, name: str) -> list[str]:
        """All values of ``name``, apart."""
    # Lists, not views: what a frozen mapping has to say does not change.
    def keys(self) -> list[str]: ...  # type: ignore[override]
    def values(self) -> list[str]: ...  # type: ignore[override]
    def items(self) -> list[tuple[str, str]]: ...  # type: ignore[override]

@final
class Attempt:
    """One attempt of a call. Times are seconds."""

    @property
    def number(self) -> int:
        """1 for the first."""
    @property
    def started(self) -> float:
        """When it was sent, from the start of the call."""
    @property
    def queued(self) -> float:
        """How long it was held back before that."""
    @property
    def queued_for(self) -> str | None:
        """Why it was held back, where it was."""
    @property
    def took(self) -> float:
        """From sending to its outcome."""
    @property
    def status(self) -> int | None:
        """The answer's status, where there was one."""
    @property
    def error(self) -> str | None:
        """What went wrong, where there was no complete answer."""
    @property
    def retry_after(self) -> float | None:
        """How long the server asked to wait."""
    @property
    def request_id(self) -> str | None:
        """The server's id of the request. Kept for attempts that failed."""
    @property
    def decision(self) -> Literal["none", "return", "retry", "refresh_token", "redirect", "give_up"]:
        """What was decided then."""
    @property
    def reason(self) -> str | None:
        """Why there was another attempt, or none."""
    @property
    def wait(self) -> float | None:
        """The wait before the next attempt, where one follows."""
    @property
    def budget_left(self) -> int:
        """Tokens left in the retry budget afterwards."""
    @property
    def region(self) -> str | None:
        """The region it went to, where the client has several."""
    @property
    def hedge(self) -> bool:
        """Whether it was a second copy of a slow request."""

@final
class AttemptRequest:
    """An attempt that is about to be sent. Its headers may be changed; credentials are put on afterwards."""

    @property
    def number(self) -> int:
        """1 for the first."""
    @property
    def method(self) -> str:
        """The method."""
    @property
    def url(self) -> str:
        """The URL, redacted."""
    @property
    def headers(self) -> Headers:
        """The headers as they are now."""
    def set_header(self, name: str, value: str | bytes) -> None:
        """Sets a header. Raises ``InvalidRequestError`` where no header can carry it."""
    def remove_header(self, name: str) -> None:
        """Takes a header away. Raises ``KeyError`` where it is not there."""

@final
class AttemptResult:
    """An attempt that is over."""

    @property
    def number(self) -> int:
        """1 for the first."""
    @property
    def method(self) -> str:
        """The method."""
    @property
    def url(self) -> str:
        """The URL, redacted."""
    @property
    def status_code(self) -> int | None:
        """The answer's status, where there was one."""
    @property
    def headers(self) -> Headers | None:
        """The answer's headers, where there was one."""
    @property
    def error(self) -> str | None:
        """What went wrong, where there was no complete answer."""
    @property
    def took(self) -> float:
        """Seconds from sending to this moment."""

@final
class Response:
    """An answer, read whole."""

    @property
    def status_code(self) -> int:
        """The status."""
    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
    @property
    def headers(self) -> Headers:
        """The headers."""
    @property
    def content(self) -> bytes:
        """The body."""
    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
    def json(self) -> Any:
        """The body decoded from JSON. Raises ``DecodeError`` where it is none."""
    @property
    def url(self) -> str:
        """The URL that answered, without the credential."""
    @property
    def method(self) -> str:
        """The method of the request."""
    @property
    def request_id(self) -> str | None:
        """The server's id of the request."""
    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was done, attempt by attempt."""
    @property
    def elapsed(self) -> timedelta:
        """From the start of the call to its answer."""
    @property
    def cache_status(self) -> Literal["hit", "revalidated", "stale", "miss"] | None:
        """How the cache had a part in it; ``None`` where it had none."""
    @property
    def from_cache(self) -> bool:
        """Whether the body is from the cache."""
    def timeline(self) -> str:
        """The attempts as a picture in text, a line each: dots are waits, blocks are requests."""

@final
class ServerEvent:
    """An event of a stream of server-sent events."""

    @property
    def event(self) -> str:
        """What kind of event it is; ``message`` where the server did not say."""
    @property
    def data(self) -> str:
        """Its data; lines are joined by a line feed."""
    @property
    def id(self) -> str:
        """The id of the last event that had one, this one included; empty where none had."""
    def json(self) -> Any:
        """The data decoded from JSON. Raises ``DecodeError`` where it is none."""
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class SyncCore:
    """The native half of ``Client``."""

    def __init__(self, base_url: str, /, **settings: object) -> None: ...
    def request(self, method_name: str, path: str, /, **options: Unpack[BodyOptions]) -> Response:
        """Sends a request, and reads the answer whole.

        :param path: Joined to the base URL. An absolute URL must be of the same origin.
        """
    def get(self, path: str, /, **options: Unpack[RequestOptions]) -> Response:
        """Sends a GET request."""
    def head(self, path: str, /, **options: Unpack[RequestOptions]) -> Response:
        """Sends a HEAD request."""
    def options(self, path: str, /, **options: Unpack[RequestOptions]) -> Response:
        """Sends an OPTIONS request."""
    def delete(self, path: str, /, **options: Unpack[RequestOptions]) -> Response:
        """Sends a DELETE request."""
    def post(self, path: str, /, **options: Unpack[BodyOptions]) -> Response:
        """Sends a POST request. It carries an idempotency key."""
    def put(self, path: str, /, **options: Unpack[BodyOptions]) -> Response:
        """Sends a PUT request."""
    def patch(self, path: str, /, **options: Unpack[BodyOptions]) -> Response:
        """Sends a PATCH request. It carries an idempotency key."""
    def _open(self, method_name: str, path: str, options: StreamOptions) -> SyncStream: ...
    def _events(
        self,
        method_name: str,
        path: str,
        last_event_id: str | None,
        idle_timeout: float | None,
        options: EventOptions,
    ) -> SyncEvents: ...
    def _pages(self, path: str, items: str, cursor: str, cursor_param: str, options: ListOptions) -> SyncPages: ...
    def _explain(
        self,
        status: int | None,
        failure: FailureName | None,
        headers: HeaderInput | None,
        body: bytes | str | None,
        method_name: str,
        path: str,
        idempotency_key: bool | None,
        replayable: bool,
        attempt: int,
        elapsed: float,
        max_attempts: int | None,
        timeout: float | None,
        /,
    ) -> Explanation: ...
    def clear_cache(self) -> None:
        """Forgets every answer that the cache has stored."""
    def _state(self) -> ClientState: ...
    @property
    def base_url(self) -> str:
        """The base URL, without secrets."""
    def close(self) -> None:
        """Refuses further calls. Those under way go on."""

@final
class SyncStream:
    """An answer whose body comes in as it is read."""

    def next_chunk(self) -> bytes | None: ...
    def close(self) -> None: ...
    def head(self) -> _Head: ...

@final
class SyncEvents:
    """Server-sent events, in batches."""

    def next_batch(self) -> list[ServerEvent] | None: ...
    def close(self) -> None: ...

@final
class SyncPages:
    """Pages, one at a time."""

    def next_page(self) -> tuple[Response, list[Any]] | None: ...

@final
class Pending:
    """A call under way: dropping this cancels it."""

    @property
    def future(self) -> Future[Any]:
        """The future that brings the result."""
    def cancel(self) -> None:
        """Ends the call."""

@disjoint_base
class AsyncCore:
    """The native half of ``AsyncClient``."""

    def __init__(self, base_url: str, /, **settings: object) -> None: ...
    def _start(
        self,
        of: str,
        method_name: str,
        path: str,
        options: RequestOptions | AsyncBodyOptions | AsyncStreamOptions,
    ) -> Pending: ...
    def _events(
        self,
        method_name: str,
        path: str,
        last_event_id: str | None,
        idle_timeout: float | None,
        options: AsyncEventOptions,
    ) -> AsyncEvents: ...
    def _pages(self, path: str, items: str, cursor: str, cursor_param: str, options: ListOptions) -> AsyncPages: ...
    def _explain(
        self,
        status: int | None,
        failure: FailureName | None,
        headers: HeaderInput | None,
        body: bytes | str | None,
        method_name: str,
        path: str,
        idempotency_key: bool | None,
        replayable: bool,
        attempt: int,
        elapsed: float,
        max_attempts: int | None,
        timeout: float | None,
        /,
    ) -> Explanation: ...
    def clear_cache(self) -> None:
        """Forgets every answer that the cache has stored."""
    def _state(self) -> ClientState: ...
    def _close(self) -> None: ...
    @property
    def base_url(self) -> str:
        """The base URL, without secrets."""

@final
class AsyncStream:
    """An answer whose body comes in as it is read."""

    def next_chunk(self) -> Pending: ...
    def close(self) -> Pending: ...
    def head(self) -> _Head: ...

@final
class AsyncEvents:
    """Server-sent events, in batches."""

    def next_batch(self) -> Pending: ...
    def close(self) -> Pending: ...

@final
class AsyncPages:
    """Pages, one at a time."""

    def next_page(self) -> Pending: ...

@final
class Drain:
    """What an event loop calls when results are there."""

    def __call__(self, *args: object, **kwargs: object) -> None: ...

_RawBody: TypeAlias = bytes | bytearray | memoryview | str
_WebhookHeaders: TypeAlias = Mapping[str, Any] | Mapping[bytes, Any] | Iterable[tuple[str | bytes, str | bytes]]

@final
class Webhook:
    """Verifies webhooks of one scheme; and signs, where the sender has the same secret. Make it once; it may be used
    from any thread.

    :param secret: The secret as the provider shows it, or several while they are rotated. In Standard Webhooks a
        ``whsec_`` secret (verifies and signs), a ``whpk_`` key (verifies) or a ``whsk_`` key (signs). None for
        ``sns`` and ``paypal``. Raises ``WebhookKeyError`` for one that cannot be used.
    :param scheme: How the sender signs; by default ``standard-webhooks``, or ``custom`` with a ``template``.
    :param tolerance: How many seconds a timestamp may be off, either way. By default 300; 60 for ``linear``, 5 for
        ``paddle``. Of no effect where a scheme has no timestamp.
    :param future_tolerance: How many seconds a timestamp may be in the future, where that should differ.
    :param max_body: The longest body that is verified, in bytes.
    :param url: ``twilio``, ``square``, ``custom``: the public URL that the sender calls, or the front part of it;
        behind a proxy the one that arrives is another.
    :param webhook_id: ``paypal``: the id of the webhook, which is signed.
    :param topic_arn: ``sns``: the only topic to accept.
    :param key_ids: ``http-signature``: the ``keyid`` of each secret, in order.
    :param components: ``http-signature``: what must be covered; by default ``["content-digest"]``.
    :param template: ``custom``: the form of signatures.
    :param fetch_certificate: ``sns``, ``paypal``: gives the bytes at a URL, whose host and path were checked; follow no
        redirects. By default (``True``) the package fetches it itself. ``False``: nobody does, and
        ``WebhookVerificationError.certificate_url`` says what to hand to ``add_certificate``. What was fetched is kept.
    """

    def __new__(
        cls,
        secret: str | Iterable[str] | None = None,
        *,
        scheme: WebhookScheme | None = None,
        tolerance: float | None = None,
        future_tolerance: float | None = None,
        max_body: int = 1_048_576,
        url: str | None = None,
        webhook_id: str | None = None,
        topic_arn: str | None = None,
        key_ids: Sequence[str] | None = None,
        components: Sequence[str] | None = None,
        template: Template | None = None,
        fetch_certificate: Callable[[str], bytes] | bool | None = None,
    ) -> Self: ...
    @property
    def scheme(self) -> WebhookScheme:
        """How the sender signs."""
    @property
    def max_body(self) -> int:
        """The longest body that is verified, in bytes."""
    def verify(
        self,
        body: _RawBody,
        headers: _WebhookHeaders,
        *,
        url: str | None = None,
        method: str | None = None,
        now: float | None = None,
    ) -> Verified:
        """Verifies a request's raw body and headers. Raises ``WebhookVerificationError``.

        With ``sns`` and ``paypal`` it may fetch a certificate: in asyncio code use ``asyncio.to_thread``.

        :param body: The body as it came, before any parsing.
        :param headers: The headers: a mapping, pairs, whatever Flask, Django, Starlette or aiohttp have, or a WSGI
            environ.
        :param url: The URL of the request, for schemes that sign it.
        :param method: The method of the request, for ``http-signature``; by default POST.
        :param now: The time in unix seconds; by default the clock's.
        """
    def verifier(
        self,
        headers: _WebhookHeaders,
        *,
        url: str | None = None,
        method: str | None = None,
        now: float | None = None,
    ) -> WebhookVerifier:
        """Begins to verify a body that arrives in pieces. Raises ``WebhookVerificationError`` for headers that
        cannot be right.
        """
    def explain(
        self,
        body: _RawBody,
        headers: _WebhookHeaders,
        *,
        url: str | None = None,
        method: str | None = None,
        now: float | None = None,
    ) -> WebhookExplanation:
        """Says why a request does not verify, in words for the developer. Never show it to the sender.

        It may take a tenth of a second: do not call it for every refusal of a public endpoint.
        """
    def challenge(self, verified: Verified, body: _RawBody | None = None) -> Challenge | None:
        """The answer to a request that is a question to the endpoint and no event: Slack's ``url_verification``, Zoom's
        ``endpoint.url_validation``, Discord's PING, the confirmation of an SNS subscription. ``None`` for everything
        else.
        """
    def add_certificate(self, url: str, pem: bytes | bytearray | memoryview | str, *, now: float | None = None) -> None:
        """Keeps the certificate that was fetched from ``url``, where ``fetch_certificate`` is not used. At most 16 are
        kept, each until it ends. Raises ``WebhookVerificationError``.
        """
    def sign(self, body: _RawBody, *, message_id: str, timestamp: float | None = None) -> dict[str, str]:
        """Signs a body by Standard Webhooks or Svix: the three headers to send with it."""
    def sign_request(
        self,
        body: _RawBody,
        *,
        message_id: str | None = None,
        timestamp: float | None = None,
        url: str | None = None,
    ) -> SignedRequest:
        """As ``Signer.sign_request``, where the sender has the secret given here; with several, by the first where the
        scheme has no list of signatures.
        """

@final
class WebhookVerifier:
    """Verifies a body as it arrives: ``Webhook.verifier()``. Trust nothing before ``finish()``.

    Where what is signed is made from the body (``twilio``, ``linear``, ``mailgun``, ``sns``, ``paypal``,
    ``http-signature``) it is kept, up to ``max_body``.
    """

    def update(self, chunk: _RawBody) -> None:
        """Takes the next piece. Raises ``WebhookVerificationError`` as soon as the body is too large."""
    def finish(self) -> Verified:
        """The verdict over everything taken. Raises ``WebhookVerificationError``."""

@final
class Template:
    """How a provider signs that is not among the schemes.

    :param signature_header: The header with the signature or the list of them.
    :param signed: What is signed, with the places ``{id}``, ``{timestamp}``, ``{body}`` and ``{url}``, each at most
        once.
    :param timestamp_header: The header with the timestamp, unix seconds.
    :param timestamp_item: Or the prefix of the timestamp as an item of the list: ``t=``.
    :param id_header: The header with the message's id.
    :param prefix: What stands before each signature: ``sha256=``, ``v1=``.
    :param separator: What separates the items; by default there is one item.
    :param secret_encoding: How the secret is written. An Ed25519 key is ``hex`` or ``base64``.
    """

    def __new__(
        cls,
        signature_header: str,
        signed: str,
        *,
        algorithm: Literal["hmac-sha1", "hmac-sha256", "hmac-sha512", "ed25519"] = "hmac-sha256",
        encoding: Literal["hex", "base64"] = "hex",
        timestamp_header: str | None = None,
        timestamp_item: str | None = None,
        id_header: str | None = None,
        prefix: str = "",
        separator: str | None = None,
        secret_encoding: Literal["text", "hex", "base64"] = "text",  # noqa: S107
    ) -> Self: ...

@final
class Signer:
    """Signs webhooks, for senders and for tests of receivers.

    There is none for ``sendgrid``, ``sns`` and ``paypal``, whose keys only they have.

    :param secret: As the sender has it: a shared secret, a ``whsk_`` key, for ``discord`` the seed in hexadecimal.
        Several where the scheme has a list of signatures. Raises ``WebhookKeyError``.
    """

    def __new__(
        cls,
        secret: str | Iterable[str],
        *,
        scheme: WebhookScheme | None = None,
        template: Template | None = None,
    ) -> Self: ...
    @property
    def scheme(self) -> WebhookScheme:
        """How it signs."""
    def sign(self, body: _RawBody, *, message_id: str, timestamp: float | None = None) -> dict[str, str]:
        """Signs a body by Standard Webhooks or Svix: the three headers to send with it."""
    def sign_request(
        self,
        body: _RawBody,
        *,
        message_id: str | None = None,
        timestamp: float | None = None,
        url: str | None = None,
    ) -> SignedRequest:
        """Signs a request of any scheme. Raises ``WebhookError`` for what no receiver should accept.

        :param body: The body, exactly as it will be sent.
        :param message_id: The id of the message; needed where it is signed (``standard-webhooks``, ``svix``,
            ``mailgun``).
        :param timestamp: When it is sent, in unix seconds; by default now.
        :param url: The URL it is sent to; needed where it is signed (``twilio``, ``square``).
        """

@final
class SignedRequest:
    """What to send."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry the signature, in lower case."""
    @property
    def body(self) -> bytes:
        """The body: another than the one given, where it holds the signature (``mailgun``)."""
    @property
    def url(self) -> str | None:
        """The URL: another than the one given, where it holds the body's hash (``twilio``, JSON)."""

@final
class Challenge:
    """The answer to a request that is a question to the endpoint."""

    @property
    def status(self) -> int:
        """The status to answer with."""
    @property
    def content_type(self) -> str:
        """The answer's ``content-type``."""
    @property
    def body(self) -> str:
        """The answer's body."""
    @property
    def visit(self) -> str | None:
        """A URL to call with GET, which confirms the subscription (``sns``); call it only if you want that topic."""

@final
class Verified:
    """What was really proven about a request."""

    @property
    def scheme(self) -> WebhookScheme:
        """The scheme."""
    @property
    def algorithm(self) -> str:
        """``hmac-sha1``, ``hmac-sha256``, ``hmac-sha512``, ``ed25519``, ``ecdsa-p256-sha256``, ``rsa-sha1``,
        ``rsa-sha256`` or ``rsa-pss-sha512``.
        """
    @property
    def key_index(self) -> int:
        """Which of the secrets fitted, 0 for the first."""
    @property
    def timestamp(self) -> int | None:
        """When it was sent, in unix seconds."""
    @property
    def message_id(self) -> str | None:
        """The message's id, the same when it is sent again. See ``id_signed`` for whether to trust it."""
    @property
    def body_bound(self) -> Literal["full", "fields", "crc32", "none"]:
        """How the signature binds the body: its bytes, what it says but not how, a checksum that anybody can make
        fit, or not at all.
        """
    @property
    def timestamp_signed(self) -> bool:
        """Whether the timestamp was signed."""
    @property
    def id_signed(self) -> bool:
        """Whether the id was signed."""
    @property
    def url_bound(self) -> bool:
        """Whether the URL was signed."""
    @property
    def body(self) -> bytes | None:
        """The body; ``None`` where it was verified as it arrived and not kept."""
    def json(self) -> Any:
        """The body decoded from JSON. Raises ``ValueError`` where it is none."""
    def replay_key(self, sender: str, *, message_id: str | None = None) -> str:
        """What a replay guard remembers of the message, 64 hexadecimal digits.

        It is made of the id where that is signed, else of what is signed: then a retry that was signed anew has another
        key, and an id from the verified body knows it again.

        :param sender: Your own name for who sends: ids are unique within one sender only.
        :param message_id: The id that the verified body has, such as Stripe's ``evt_...``.
        """

@final
class NativeMemoryGuard:
    """The guard of ``MemoryReplayGuard``."""

    def __new__(cls, entries: int, retention: float, lease: float, replay_window: float) -> Self: ...
    def reserve(self, message: str, at: float) -> tuple[Literal["new", "done", "busy", "full"], int]: ...
    def settle(self, message: str, token: int, at: float, done: bool) -> bool: ...
    def __len__(self) -> int: ...

@final
class NativeRedisGuard:
    """The guard of ``RedisReplayGuard``."""

    def __new__(cls, url: str, prefix: str, retention: float, lease: float, timeout: float) -> Self: ...
    def reserve(self, message: str) -> tuple[Literal["new", "done", "busy", "full"], int]: ...
    def settle(self, message: str, token: int, done: bool) -> bool: ...

def replay_statements(table: str) -> dict[str, str]:
    """The statements of ``SqlReplayGuard``, by name."""

def webhook_schemes() -> list[WebhookScheme]:
    """The names of all schemes."""

@final
class NativeLines:
    """The values of a stream of JSON lines, in batches; for ``AsyncClient`` what a task awaits them by."""

    def next_batch(self) -> Any: ...
    def close(self) -> Any: ...

@final
class NativeDownload:
    """The bytes of a download; for ``AsyncClient`` what a task awaits them by."""

    def next_chunk(self) -> Any: ...
    def connect(self) -> Any: ...
    def position(self) -> tuple[int, int | None, Headers, list[Attempt]]: ...
    def close(self) -> Any: ...

@final
class NativeUpload:
    """An upload; for ``AsyncClient`` what a task awaits it by."""

    def send(self) -> Any: ...
    def position(self) -> tuple[str | None, int, int | None]: ...

def open_json_lines(
    client: SyncCore | AsyncCore,
    method: str,
    path: str,
    idle_timeout: float | None,
    max_line_bytes: int,
    as_text: bool,
    options: EventOptions | AsyncEventOptions,
) -> NativeLines: ...
def open_download(client: SyncCore | AsyncCore, path: str, options: CallOptions) -> NativeDownload: ...
def run_download_to(
    client: SyncCore | AsyncCore, path: str, file: str | PathLike[str], options: CallOptions
) -> Any: ...
def open_upload(
    client: SyncCore | AsyncCore,
    method: str,
    path: str,
    source: Any,
    chunk_size: int,
    resume: str | None,
    options: UploadOptions,
) -> NativeUpload: ...

@final
class NativeLogin:
    """A login that was begun, and what a user is shown for it."""

    @property
    def url(self) -> str | None: ...
    @property
    def user_code(self) -> str | None: ...
    @property
    def verification_uri(self) -> str | None: ...
    @property
    def verification_uri_complete(self) -> str | None: ...
    @property
    def expires_in(self) -> float | None: ...
    def end(self, redirect: str | None, timeout: float) -> Any: ...

def begin_login(client: SyncCore | AsyncCore, credential: str | None, kind: str, redirect_uri: str | None) -> Any: ...
def log_out(client: SyncCore | AsyncCore, credential: str | None) -> Any: ...

@final
class Place:
    """Where a request goes."""

    @property
    def method(self) -> str:
        """The method."""
    @property
    def url(self) -> str:
        """The URL, redacted."""
    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
    @property
    def host(self) -> str:
        """The host: a name or an address."""
    @property
    def port(self) -> int | None:
        """The port, the scheme's own where none is written."""
    @property
    def template(self) -> str | None:
        """The path as a template, where the call was given ``url_template``."""

@final
class CallStarted:
    """A call that begins."""

    @property
    def place(self) -> Place:
        """Where it goes first."""
    @property
    def traceparent(self) -> str | None:
        """The trace context that the call was given."""
    @property
    def tracestate(self) -> str | None:
        """Its state."""

@final
class AttemptStarted:
    """An attempt that is about to be sent."""

    @property
    def number(self) -> int:
        """1 for the first."""
    @property
    def place(self) -> Place:
        """Where it goes."""

@final
class AttemptEnded:
    """An attempt that is over: its head came, it failed, or it was given up."""

    @property
    def number(self) -> int:
        """1 for the first."""
    @property
    def place(self) -> Place:
        """Where it went."""
    @property
    def status_code(self) -> int | None:
        """The status, where there was an answer."""
    @property
    def error(self) -> str | None:
        """What went wrong, in one of few words: a status of 400 and more as digits, ``timeout``, ``cancelled``."""
    @property
    def took(self) -> float:
        """Seconds from sending to its end."""

@final
class CallEnded:
    """A call that is over."""

    @property
    def place(self) -> Place:
        """Where it went first."""
    @property
    def status_code(self) -> int | None:
        """The status of the answer, where there was one."""
    @property
    def error(self) -> str | None:
        """The code of the error, such as ``rate_limited``; ``cancelled`` where the caller went away."""
    @property
    def took(self) -> float:
        """Seconds from its start to its end."""
    @property
    def retries(self) -> int:
        """How often it was sent again."""
    @property
    def held_back(self) -> float:
        """Seconds for which it was held back."""
    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was done; empty where the caller went away."""
    @property
    def state(self) -> HostState:
        """Budget, breaker and limits of the base URL's host, as they are now."""
