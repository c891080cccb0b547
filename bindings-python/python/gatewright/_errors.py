"""The exceptions, one class for each kind of error.

Error
├── AuthenticationError       401
├── BadRequestError           400 and other 4xx
├── CircuitOpenError          the host failed too often; nothing was sent
├── ClosedError               the client or stream was closed
├── ConflictError             409
├── ConnectError              no connection; nothing was sent        (ConnectionError)
├── ConnectionLostError       broke off before the answer was whole  (ConnectionError)
├── CrossOriginError          leads to another origin
├── DecodeError               the body is not what it says           (ValueError)
├── HookError                 a hook of yours failed
├── InsecureUrlError          plain http to another machine          (ValueError)
├── InvalidConfigError        a setting is wrong                     (ValueError)
├── InvalidRequestError       cannot be sent as it is                (ValueError)
├── NotCachedError            the cache alone was asked, and has no answer
├── NotFoundError             404, 410
├── OutcomeUnknownError       may or may not have taken effect       (ConnectionError)
├── PermissionDeniedError     403
├── PreconditionFailedError   412, 428
├── ProtocolError             what came is no HTTP                   (ConnectionError)
├── RateLimitedError          429, or held back past the deadline
├── RedirectError             too many, or to nowhere
├── ResponseTooLargeError     larger than allowed
├── ServerError               5xx
├── TimeoutError              a deadline passed                      (TimeoutError)
├── TlsError                  the handshake failed                   (ConnectionError)
├── TokenError                the token callback failed
└── UnprocessableError        422

WebhookError                  (ValueError)
├── WebhookBusyError          another handler has the message now
├── WebhookEventError         an event is not what its handler takes
├── WebhookKeyError           a secret cannot be used
└── WebhookVerificationError  a request is not what it claims to be
"""

from __future__ import annotations

import builtins

from gatewright._native import decode_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Literal

    from typing_extensions import Self

    from gatewright._native import Attempt, Headers


class Error(Exception):
    """A failed call. Its text says what happened, to which request, after which attempts, and what to do next."""

    code: ClassVar[str] = "error"
    """The kind's stable code, such as ``rate_limited``."""

    status_code: int | None
    """The answer's status, where there was one."""
    method: str | None
    """The request's method."""
    url: str | None
    """The request's URL, without secrets."""
    request_id: str | None
    """The server's id of the request."""
    retry_after: float | None
    """How many seconds to wait before the next call."""
    retryability: Literal["permanent", "temporary", "exhausted"]
    """``permanent``, ``temporary`` (not retried here) or ``exhausted`` (retried, and it stayed)."""
    no_retry: str | None
    """Why there was no other attempt."""
    advice: str
    """What to do next."""
    elapsed: float
    """Seconds from the start of the call."""
    headers: Headers | None
    """The answer's headers, where there was one."""
    body: bytes
    """The answer's body, at most 256 KiB of it."""
    attempts: tuple[Attempt, ...]
    """What was done, attempt by attempt."""

    def __init__(self, text: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        facts = facts or {}
        self._facts = facts
        self.status_code = facts.get("status_code")
        self.method = facts.get("method")
        self.url = facts.get("url")
        self.request_id = facts.get("request_id")
        self.retry_after = facts.get("retry_after")
        self.retryability = facts.get("retryability", "permanent")
        self.no_retry = facts.get("no_retry")
        self.advice = facts.get("advice", "")
        self.elapsed = facts.get("elapsed", 0.0)
        self.headers = facts.get("headers")
        self.body = facts.get("body", b"")
        self.attempts = facts.get("attempts", ())

    @property
    def problem(self) -> dict[str, Any] | None:
        """The answer's problem details (RFC 9457), or whatever JSON object its body is."""
        return decode_object(self.body)

    def __copy__(self) -> Self:
        twin = type(self)(str(self), self._facts)
        twin.__dict__.update(self.__dict__)
        twin.__cause__ = self.__cause__
        return twin

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        # All that an error knows does not change.
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        # Attempts and headers stay behind: what crosses to another process is text and numbers.
        facts = {name: value for name, value in self._facts.items() if name not in ("headers", "attempts")}
        return (type(self), (str(self), facts))


class AuthenticationError(Error):
    """401: the server does not accept the credential."""

    code = "authentication"


class BadRequestError(Error):
    """400, and any other 4xx without a class of its own."""

    code = "bad_request"


class CircuitOpenError(Error):
    """The circuit breaker of the host is open: too many calls failed of late. Nothing was sent."""

    code = "circuit_open"


class ClosedError(Error):
    """The client or the stream was closed."""

    code = "closed"


class ConflictError(Error):
    """409."""

    code = "conflict"


class ConnectError(Error, ConnectionError):
    """No connection could be made: refused, DNS. Nothing was sent."""

    code = "connect"


class ConnectionLostError(Error, ConnectionError):
    """The connection broke before the answer was complete."""

    code = "connection_lost"


class CrossOriginError(Error):
    """A redirect or URL leads to another origin, where credentials do not go."""

    code = "cross_origin"


class DecodeError(Error, ValueError):
    """The body could not be decoded."""

    code = "decode"


class HookError(Error):
    """A hook of yours failed; its own exception is the ``__cause__``."""

    code = "hook"


class InsecureUrlError(Error, ValueError):
    """Plain http to another machine."""

    code = "insecure_url"


class InvalidConfigError(Error, ValueError):
    """A setting of the client is wrong."""

    code = "invalid_config"


class InvalidRequestError(Error, ValueError):
    """The request cannot be sent as it is: URL, header or body. Nothing was sent."""

    code = "invalid_request"


class NotCachedError(Error):
    """The cache alone was asked (only-if-cached), and has no answer. Nothing was sent."""

    code = "not_cached"


class NotFoundError(Error):
    """404 or 410."""

    code = "not_found"


class OutcomeUnknownError(Error, ConnectionError):
    """It may or may not have taken effect, and repeating it could double that."""

    code = "outcome_unknown"


class PermissionDeniedError(Error):
    """403."""

    code = "permission_denied"


class PreconditionFailedError(Error):
    """412 or 428."""

    code = "precondition_failed"


class ProtocolError(Error, ConnectionError):
    """What came is no valid HTTP."""

    code = "protocol"


class RateLimitedError(Error):
    """429, or held back so long that the deadline would have passed."""

    code = "rate_limited"


class RedirectError(Error):
    """Too many redirects, or one that leads nowhere."""

    code = "redirect"


class ResponseTooLargeError(Error):
    """The body is larger than allowed."""

    code = "response_too_large"


class ServerError(Error):
    """5xx."""

    code = "server"


class TimeoutError(Error, builtins.TimeoutError):
    """The deadline, or the limit of an attempt, passed."""

    code = "timeout"


class TlsError(Error, ConnectionError):
    """The TLS handshake failed. Nothing was sent."""

    code = "tls"


class TokenError(Error):
    """The token callback failed; its own exception is the ``__cause__``."""

    code = "token"


class UnprocessableError(Error):
    """422."""

    code = "unprocessable"


BY_CODE: dict[str, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}
"""The class of each kind, by its code. The native module looks here."""


class WebhookError(ValueError):
    """What is wrong with a webhook. Its text is for the developer; tell the sender nothing but 400."""

    code: str
    """A stable code, such as ``bad_signature`` or ``secret_too_short``."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.code, str(self)))


class WebhookKeyError(WebhookError):
    """A secret cannot be used."""


class WebhookVerificationError(WebhookError):
    """A request is not what it claims to be, or the certificate that says so could not be fetched."""

    header: str | None
    """The header that the error is about."""

    certificate_url: str | None
    """Where the certificate is that is missing. The URL passed the rules of its scheme; do not follow redirects from
    it."""

    def __init__(self, code: str, text: str, header: str | None = None, certificate_url: str | None = None) -> None:
        super().__init__(code, text)
        self.header = header
        self.certificate_url = certificate_url

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.code, str(self), self.header, self.certificate_url))


class WebhookBusyError(WebhookError):
    """Another handler has this message now (``busy``), or the replay guard has no room (``full``).

    Answer 503: the sender tries again.
    """


class WebhookEventError(WebhookError):
    """An event is not what its handler takes. The request itself was verified."""


class WebhookExplanation(str):  # noqa: SLOT000, a str of one's own with a dict
    """Why a request does not verify, in words for the developer. Never show it to the sender."""

    code: str
    """A stable code, such as ``body_changed`` or ``clock_off``."""

    def __new__(cls, text: str, code: str) -> Self:
        made = super().__new__(cls, text)
        made.code = code
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.code))


_WEBHOOKS: list[type] = [
    WebhookError,
    WebhookBusyError,
    WebhookEventError,
    WebhookExplanation,
    WebhookKeyError,
    WebhookVerificationError,
]
for _class in [Error, *BY_CODE.values()]:
    # Tracebacks name a class as it is imported.
    _class.__module__ = "gatewright"
for _other in _WEBHOOKS:
    _other.__module__ = "gatewright.webhooks"
