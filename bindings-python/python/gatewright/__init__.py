"""Client for HTTP API platforms: retries, rate-limit respect, idempotency and auth from one core.

>>> from gatewright import Client
>>> with Client("https://api.example.com", auth="sk_...") as client:  # doctest: +SKIP
...     contact = client.get("/v1/contacts/ct_000001").json()
"""

import os as _os

from gatewright import webhooks
from gatewright._async_client import AsyncClient
from gatewright._auth import ApiKey, Basic, Bearer, Token
from gatewright._cache import Cache
from gatewright._client import Client
from gatewright._errors import (
    AuthenticationError,
    BadRequestError,
    CircuitOpenError,
    ClosedError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    CrossOriginError,
    DecodeError,
    Error,
    HookError,
    InsecureUrlError,
    InvalidConfigError,
    InvalidRequestError,
    NotCachedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    PreconditionFailedError,
    ProtocolError,
    RateLimitedError,
    RedirectError,
    ResponseTooLargeError,
    ServerError,
    TimeoutError,
    TlsError,
    TokenError,
    UnprocessableError,
)
from gatewright._events import AsyncServerEvents, ServerEvents
from gatewright._login import (
    AsyncDeviceLogin,
    AsyncLogin,
    AsyncLoopbackLogin,
    AsyncOAuthFlow,
    DeviceLogin,
    Login,
    LoopbackLogin,
    OAuthFlow,
    Tokens,
)
from gatewright._native import (
    Attempt,
    AttemptEnded,
    AttemptRequest,
    AttemptResult,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Explanation,
    Headers,
    Place,
    RedisQuota,
    Response,
    ServerEvent,
    __version__,
)
from gatewright._native import after_fork_in_child as _after_fork_in_child
from gatewright._oauth import Dpop, HmacSignature, HttpSignature, OAuth
from gatewright._opentelemetry import OpenTelemetry
from gatewright._page import Page
from gatewright._settings import Breaker, Pacing, Retry
from gatewright._stream import AsyncStreamCall, AsyncStreamResponse, StreamResponse
from gatewright._transfers import (
    AsyncDownload,
    AsyncJsonLines,
    AsyncUpload,
    Download,
    Downloaded,
    JsonLines,
    MinThroughput,
    Upload,
)

__all__ = [
    "ApiKey",
    "AsyncClient",
    "AsyncDeviceLogin",
    "AsyncDownload",
    "AsyncJsonLines",
    "AsyncLogin",
    "AsyncLoopbackLogin",
    "AsyncOAuthFlow",
    "AsyncServerEvents",
    "AsyncStreamCall",
    "AsyncStreamResponse",
    "AsyncUpload",
    "Attempt",
    "AttemptEnded",
    "AttemptRequest",
    "AttemptResult",
    "AttemptStarted",
    "AuthenticationError",
    "BadRequestError",
    "Basic",
    "Bearer",
    "Breaker",
    "Cache",
    "CallEnded",
    "CallStarted",
    "CircuitOpenError",
    "Client",
    "ClosedError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "CrossOriginError",
    "DecodeError",
    "DeviceLogin",
    "Download",
    "Downloaded",
    "Dpop",
    "Error",
    "Explanation",
    "Headers",
    "HmacSignature",
    "HookError",
    "HttpSignature",
    "InsecureUrlError",
    "InvalidConfigError",
    "InvalidRequestError",
    "JsonLines",
    "Login",
    "LoopbackLogin",
    "MinThroughput",
    "NotCachedError",
    "NotFoundError",
    "OAuth",
    "OAuthFlow",
    "OpenTelemetry",
    "OutcomeUnknownError",
    "Pacing",
    "Page",
    "PermissionDeniedError",
    "Place",
    "PreconditionFailedError",
    "ProtocolError",
    "RateLimitedError",
    "RedirectError",
    "RedisQuota",
    "Response",
    "ResponseTooLargeError",
    "Retry",
    "ServerError",
    "ServerEvent",
    "ServerEvents",
    "StreamResponse",
    "TimeoutError",
    "TlsError",
    "Token",
    "TokenError",
    "Tokens",
    "UnprocessableError",
    "Upload",
    "__version__",
    "webhooks",
]

if hasattr(_os, "register_at_fork"):
    # Threads and timers do not survive a fork: a child makes its own.
    _os.register_at_fork(after_in_child=_after_fork_in_child)
