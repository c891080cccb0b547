"""The settings that both clients take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gatewright._auth import AsyncAuth


@dataclass(frozen=True)
class Retry:
    """How calls are retried."""

    max_attempts: int = 3
    """Attempts in all, the first included."""
    backoff_base: float = 0.5
    """Upper bound of the first wait, in seconds; it doubles with each retry."""
    backoff_cap: float = 8.0
    """Upper bound of every wait, in seconds."""
    max_retry_after: float = 60.0
    """The longest Retry-After that is waited out, in seconds; more is raised at once with the hint."""
    budget: int = 500
    """Tokens of the retry budget: a retry costs 5, after a timeout 10; a success gives back."""


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


class ClientState(TypedDict):
    """Budget and limits of the base URL's host at one moment."""

    budget_left: int
    """Tokens left in the retry budget."""
    budget_capacity: int
    """What the retry budget holds when full."""
    limits: list[LimitsState]
    """The limits, one entry for each credential that was used."""


def native_settings(
    *,
    auth: AsyncAuth | None,
    retry: Retry | None,
    max_attempts: int | None,
    allowed_origins: Iterable[str],
    ca_certificates: str | Path | bytes | None,
    **plain: object,
) -> dict[str, object]:
    """The settings as the native module takes them."""
    retry = retry or Retry()
    if isinstance(ca_certificates, (str, Path)):
        ca_certificates = Path(ca_certificates).read_bytes()
    return {
        "auth": auth,
        "max_attempts": retry.max_attempts if max_attempts is None else max_attempts,
        "backoff_base": retry.backoff_base,
        "backoff_cap": retry.backoff_cap,
        "max_retry_after": retry.max_retry_after,
        "budget": retry.budget,
        "allowed_origins": list(allowed_origins),
        "ca_certificates": ca_certificates,
        **plain,
    }
