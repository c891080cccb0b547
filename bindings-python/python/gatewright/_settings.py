"""The settings that both clients take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatewright._auth import parts_of


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


def native_settings(
    *,
    auth: Any,
    headers: Any,
    retry: Retry | None,
    max_attempts: int | None,
    allowed_origins: Iterable[str],
    ca_certificates: str | Path | bytes | None,
    **plain: Any,
) -> dict[str, Any]:
    """The settings as the native module takes them."""
    retry = retry or Retry()
    attempts = retry.max_attempts if max_attempts is None else max_attempts
    if isinstance(ca_certificates, (str, Path)):
        ca_certificates = Path(ca_certificates).read_bytes()
    return {
        "auth": parts_of(auth),
        "headers": headers,
        "retry": (attempts, retry.backoff_base, retry.backoff_cap, retry.max_retry_after, retry.budget),
        "allowed_origins": list(allowed_origins),
        "ca_certificates": ca_certificates,
        **plain,
    }
