"""The settings that both clients take."""

from __future__ import annotations

from os import PathLike

from gatewright._cache import native_cache
from gatewright._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatewright._auth import AsyncAuth
    from gatewright._cache import Cache


class Retry(Value):
    """How calls are retried."""

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "max_attempts",
        "backoff_base",
        "backoff_cap",
        "max_retry_after",
        "budget",
    )

    max_attempts: int
    """Attempts in all, the first included."""
    backoff_base: float
    """Upper bound of the first wait, in seconds; it doubles with each retry."""
    backoff_cap: float
    """Upper bound of every wait, in seconds."""
    max_retry_after: float
    """The longest Retry-After that is waited out, in seconds; more is raised at once with the hint."""
    budget: int
    """Tokens of the retry budget: a retry costs 5, after a timeout 10; a success gives back."""

    def __init__(
        self,
        max_attempts: int = 3,
        backoff_base: float = 0.5,
        backoff_cap: float = 8.0,
        max_retry_after: float = 60.0,
        budget: int = 500,
    ) -> None:
        self._set(
            max_attempts=max_attempts,
            backoff_base=backoff_base,
            backoff_cap=backoff_cap,
            max_retry_after=max_retry_after,
            budget=budget,
        )


class Breaker(Value):
    """When a host that fails is left alone, and for how long."""

    __slots__ = ("failure_rate", "minimum_calls", "window", "open")  # noqa: RUF023 - in the order of the arguments

    failure_rate: float
    """The share of failures at which it opens, above 0 and at most 1."""
    minimum_calls: int
    """Attempts within the window before their share counts."""
    window: float
    """How long an attempt is remembered, in seconds."""
    open: float | None
    """How long it stays open before each probe, in seconds, within 10 %. None: 1 at first, twice as long after each
    probe that fails, at most 10."""

    def __init__(
        self, failure_rate: float = 0.5, minimum_calls: int = 20, window: float = 30.0, open: float | None = None
    ) -> None:
        self._set(failure_rate=failure_rate, minimum_calls=minimum_calls, window=window, open=open)


class Pacing(Value):
    """How calls are held back so that the server's quota lasts."""

    __slots__ = ("max_queue",)

    max_queue: int
    """Calls that may wait for their turn, for each host and credential; one more raises :class:`RateLimitedError`."""

    def __init__(self, max_queue: int = 10_000) -> None:
        self._set(max_queue=max_queue)


def native_settings(
    *,
    auth: AsyncAuth | None,
    breaker: Breaker | bool,
    regions: Iterable[str],
    cache: bool | Cache | None,
    retry: Retry | None,
    max_attempts: int | None,
    allowed_origins: Iterable[str],
    ca_certificates: str | PathLike[str] | bytes | None,
    pins: Iterable[str],
    **plain: object,
) -> dict[str, object]:
    """The settings as the native module takes them."""
    retry = retry or Retry()
    if isinstance(ca_certificates, (str, PathLike)):
        with open(ca_certificates, "rb") as file:  # noqa: PTH123 - importing pathlib takes longer than all of this
            ca_certificates = file.read()
    return {
        "auth": auth,
        "max_attempts": retry.max_attempts if max_attempts is None else max_attempts,
        "backoff_base": retry.backoff_base,
        "backoff_cap": retry.backoff_cap,
        "max_retry_after": retry.max_retry_after,
        "budget": retry.budget,
        "allowed_origins": list(allowed_origins),
        "ca_certificates": ca_certificates,
        "pins": list(pins),
        "breaker": breaker,
        "regions": list(regions),
        "cache": native_cache(cache),
        **plain,
    }
