"""The native half of the package. Its public classes are re-exported by ``gatewright`` and ``gatewright.webhooks``."""

from asyncio import Future
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from os import PathLike
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar, final, overload, type_check_only

from typing_extensions import Self, disjoint_base

from gatewright._arguments import AsyncContent, CacheMode, Content, FailureName, HeaderInput, Params
from gatewright._transfers import MinThroughput

__all__ = [
    "AsyncCore",
    "AsyncEvents",
    "AsyncPages",
    "AsyncStream",
    "Attempt",
    "AttemptRequest",
    "AttemptResult",
    "Drain",
    "Explanation",
    "Headers",
    "NativeDownload",
    "NativeLines",
    "NativeUpload",
    "Pending",
    "RedisQuota",
    "Response",
    "ServerEvent",
    "SyncCore",
    "SyncEvents",
    "SyncPages",
    "SyncStream",
    "Verified",
    "Webhook",
    "__version__",
    "after_fork_in_child",
    "decode_object",
    "error_codes",
    "generate_secret",
    "open_download",
    "open_json_lines",
    "open_upload",
    "run_download_to",
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

def generate_secret() -> str:
    """A new ``whsec_`` secret with 32 random bytes."""

@type_check_only
class QuotaState(TypedDict):
    """What is known of one quota. Times are seconds from now."""

    policy: str
    """The server's name for it; ``local`` for your own."""
    limit: int
    """Calls in a window."""
    remaining: int
    """Calls that may go now."""
    window: float | None
    """The window's length, where it is told."""
    next_in: float
    """Time until the next call may go."""
    resets_in: float | None
    """Time until the reset, where it is reset as a whole."""
    shared: bool
    """Whether others were seen to take from it."""

@type_check_only
class LimitsState(TypedDict):
    """What is known of the limits of one credential. Times are seconds from now."""

    in_flight: int
    """Calls sent and not yet answered."""
    queued: int
    """Calls that wait."""
    paused_for: float | None
    """Time until the pause that the server asked for is over."""
    quotas: list[QuotaState]
    """The quotas that calls must pass."""

@type_check_only
class BreakerState(TypedDict):
    """A circuit breaker at one moment."""

    state: Literal["closed", "half_open", "open"]
    """What it does."""
    failures: int
    """Attempts that failed within the window, or had when it opened."""
    calls: int
    """Attempts in all."""
    retry_after: float | None
    """While nothing goes: seconds until asking again is worth while."""
    last_failure: str | None
    """What failed last, where it is not closed."""

@type_check_only
class ConcurrencyState(TypedDict):
    """The limit of attempts at once."""

    limit: int
    """How many may be under way."""
    in_flight: int
    """How many are."""
    queued: int
    """How many wait."""

@type_check_only
class CacheState(TypedDict):
    """What the cache holds, and what came of the calls so far."""

    entries: int
    """Answers that are stored."""
    bytes: int
    """What they take."""
    max_bytes: int
    """The most that they may take."""
    hits: int
    """Calls that were answered without the server."""
    revalidated: int
    """Calls that were answered from the cache after a 304."""
    stale: int
    """Calls that were answered from the cache though it was stale."""
    misses: int
    """Calls that the server answered."""
    evicted: int
    """Answers that had to go to make room."""

@type_check_only
class SharedQuotaState(TypedDict):
    """What is known of a quota that is shared with other processes. Times are seconds from now."""

    name: str
    """The name under which it is shared."""
    quota: str
    """The quota, such as ``600/min, burst 60``."""
    mode: Literal["new", "shared", "away", "rejoining"]
    """``away``: Redis cannot be reached, and this process keeps to its part; ``rejoining``: it is back, and the others
    are waited for."""
    processes: int
    """Processes that share it, as last seen; 0 where none was."""
    held: int
    """Permits taken ahead and not used yet."""
    queued: int
    """Calls that wait for a permit."""
    paused_for: float | None
    """Time until the pause is over that a server asked one of the processes for."""
    away_for: float | None
    """How long Redis has been out of reach."""
    used: int
    """Permits used so far."""
    round_trips: int
    """Times Redis was asked so far."""

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

@type_check_only
class HostState(TypedDict):
    """Budget, breaker and limits of one host at one moment."""

    budget_left: int
    """Tokens left in the retry budget."""
    budget_capacity: int
    """What the retry budget holds when full."""
    breaker: BreakerState | None
    """The circuit breaker, where it is on."""
    concurrency: ConcurrencyState | None
    """The limit of attempts at once, where there is one."""
    limits: list[LimitsState]
    """The limits, one entry for each credential that was used."""

@type_check_only
class RegionState(HostState):
    """A region."""

    name: str
    """Host and port."""
    healthy: bool
    """Whether calls go there."""

@type_check_only
class ClientState(HostState):
    """What a client knows at one moment: of the base URL's host, of its regions and of its cache."""

    regions: list[RegionState]
    """The regions, nearest first; empty where there are none beside the base URL."""
    cache: CacheState | None
    """The cache, where there is one."""
    shared_quota: SharedQuotaState | None
    """The quota that is shared with other processes, where there is one."""

@type_check_only
class ToldQuota(TypedDict):
    """What an answer says of a quota. Times are seconds."""

    policy: str
    """The server's name for it."""
    limit: int | None
    """Units in a window."""
    remaining: int | None
    """Units that are left."""
    window: float | None
    """The window's length."""
    resets_in: float | None
    """Time until the reset, from the answer on."""

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
    def request(
        self,
        method_name: str,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = ...,
        attempt_timeout: float | None = ...,
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
        :param content: A body as bytes, text, or a file or an iterable of bytes (which is sent once, and not retried).
        :param data: A body as a form.
        :param timeout: Seconds for the whole call; ``None`` for no limit; by default the client's.
        :param attempt_timeout: Seconds from sending an attempt to its response head.
        :param max_attempts: Attempts in all.
        :param idempotency_key: The idempotency key, in place of one made up.
        :param raise_for_status: Whether an error status raises.
        """
    def get(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = ...,
        attempt_timeout: float | None = ...,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> Response:
        """Sends a GET request."""
    def _open(
        self,
        method_name: str,
        path: str,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = ...,
        attempt_timeout: float | None = ...,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        raise_for_status: bool | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> SyncStream: ...
    def _events(
        self,
        method_name: str,
        path: str,
        last_event_id: str | None,
        idle_timeout: float | None,
        /,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        json: Any = None,
        content: Content | None = None,
        data: Params | None = None,
        timeout: float | None = ...,
        attempt_timeout: float | None = ...,
        max_attempts: int | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> SyncEvents: ...
    def _pages(
        self,
        path: str,
        items: str,
        cursor: str,
        cursor_param: str,
        *,
        params: Params | None = None,
        headers: HeaderInput | None = None,
        timeout: float | None = ...,
        attempt_timeout: float | None = ...,
        max_attempts: int | None = None,
        cache: CacheMode | None = None,
        credential: str | Literal[False] | None = None,
        hedge: float | Literal["p95", False] | None = None,
    ) -> SyncPages: ...
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
        method_name: str,
        path: str,
        streamed: bool,
        params: Params | None,
        headers: HeaderInput | None,
        json: Any,
        content: AsyncContent | None,
        data: Params | None,
        timeout: float | None,
        attempt_timeout: float | None,
        max_attempts: int | None,
        idempotency_key: str | None,
        raise_for_status: bool | None,
        cache: CacheMode | None,
        credential: str | Literal[False] | None,
        hedge: float | Literal["p95", False] | None,
        /,
    ) -> Pending: ...
    def _events(
        self,
        method_name: str,
        path: str,
        last_event_id: str | None,
        idle_timeout: float | None,
        params: Params | None,
        headers: HeaderInput | None,
        json: Any,
        content: AsyncContent | None,
        data: Params | None,
        timeout: float | None,
        attempt_timeout: float | None,
        max_attempts: int | None,
        cache: CacheMode | None,
        credential: str | Literal[False] | None,
        hedge: float | Literal["p95", False] | None,
        /,
    ) -> AsyncEvents: ...
    def _pages(
        self,
        path: str,
        items: str,
        cursor: str,
        cursor_param: str,
        params: Params | None,
        headers: HeaderInput | None,
        timeout: float | None,
        attempt_timeout: float | None,
        max_attempts: int | None,
        cache: CacheMode | None,
        credential: str | Literal[False] | None,
        hedge: float | Literal["p95", False] | None,
        /,
    ) -> AsyncPages: ...
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

@final
class Webhook:
    """Verifies and signs webhooks by Standard Webhooks (v1 and v1a).

    :param secret: A ``whsec_`` secret (verifies and signs), a ``whpk_`` key (verifies) or a ``whsk_`` key (signs); or
        several of them, while secrets are being rotated. Raises ``WebhookKeyError`` for one that cannot be used.
    :param tolerance: How many seconds a timestamp may be off, either way.
    :param max_body: The longest body that is verified, in bytes.
    """

    def __new__(cls, secret: str | Iterable[str], *, tolerance: float = 300.0, max_body: int = 1_048_576) -> Self: ...
    def verify(
        self,
        body: bytes | bytearray | memoryview | str,
        headers: Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]],
        *,
        now: float | None = None,
    ) -> Verified:
        """Verifies a request's raw body and headers. Raises ``WebhookVerificationError``.

        :param body: The body as it came, before any parsing.
        :param headers: The headers: a mapping, pairs, whatever Flask, Django, Starlette or aiohttp have, or a WSGI
            environ.
        :param now: The time in unix seconds; by default the clock's.
        """
    def explain(
        self,
        body: bytes | bytearray | memoryview | str,
        headers: Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]],
        *,
        now: float | None = None,
    ) -> str:
        """Says why a request does not verify, in words for the developer. Never show it to the sender."""
    def sign(
        self,
        body: bytes | bytearray | memoryview | str,
        *,
        message_id: str,
        timestamp: float | None = None,
    ) -> dict[str, str]:
        """Signs a body, for tests and for senders: the three headers to send with it."""

@final
class Verified:
    """What was really proven about a request."""

    @property
    def scheme(self) -> str:
        """The scheme: ``standard-webhooks``."""
    @property
    def algorithm(self) -> str:
        """``hmac-sha256`` or ``ed25519``."""
    @property
    def key_index(self) -> int:
        """Which of the secrets fitted, 0 for the first."""
    @property
    def timestamp(self) -> int | None:
        """When it was sent, in unix seconds."""
    @property
    def message_id(self) -> str | None:
        """The message's id; the same when it is sent again."""
    @property
    def body_bound(self) -> str:
        """How the signature binds the body: ``full``."""
    @property
    def timestamp_signed(self) -> bool:
        """Whether the timestamp was signed."""
    @property
    def id_signed(self) -> bool:
        """Whether the id was signed."""
    @property
    def url_bound(self) -> bool:
        """Whether the URL was signed."""
    def json(self) -> Any:
        """The body decoded from JSON. Raises ``ValueError`` where it is none."""

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
    given: dict[str, Any],
) -> NativeLines: ...
def open_download(
    client: SyncCore | AsyncCore, path: str, min_throughput: MinThroughput | None, given: dict[str, Any]
) -> NativeDownload: ...
def run_download_to(
    client: SyncCore | AsyncCore,
    path: str,
    file: str | PathLike[str],
    min_throughput: MinThroughput | None,
    given: dict[str, Any],
) -> Any: ...
def open_upload(
    client: SyncCore | AsyncCore,
    method: str,
    path: str,
    source: Any,
    chunk_size: int,
    resume: str | None,
    min_throughput: MinThroughput | None,
    given: dict[str, Any],
) -> NativeUpload: ...
