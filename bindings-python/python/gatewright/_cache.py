"""The settings of a client's cache."""

from __future__ import annotations

from gatewright._value import Value


class Cache(Value):
    """A private HTTP cache in memory (RFC 9111): answers are kept as their servers allow."""

    __slots__ = (  # noqa: RUF023 - in the order of the arguments
        "max_bytes",
        "max_entry_bytes",
        "stale_if_error",
        "heuristic_freshness",
    )

    max_bytes: int
    """What all answers may take; the least recently used goes first."""
    max_entry_bytes: int | None
    """What one answer may take; ``None`` for an eighth of all."""
    stale_if_error: float | None
    """Seconds that an answer may be used stale where the server fails and says nothing of its own about that."""
    heuristic_freshness: float | None
    """The longest lifetime in seconds that is guessed from ``Last-Modified``; ``None`` for no guesses."""

    def __init__(
        self,
        max_bytes: int = 64 * 1024 * 1024,
        max_entry_bytes: int | None = None,
        stale_if_error: float | None = None,
        heuristic_freshness: float | None = None,
    ) -> None:
        self._set(
            max_bytes=max_bytes,
            max_entry_bytes=max_entry_bytes,
            stale_if_error=stale_if_error,
            heuristic_freshness=heuristic_freshness,
        )


def native_cache(cache: bool | Cache | None) -> tuple[object, ...] | None:
    """The cache as the native module takes it."""
    if cache is None or cache is False:
        return None
    if cache is True:
        cache = Cache()
    if not isinstance(cache, Cache):  # pyright: ignore[reportUnnecessaryIsInstance] - not everybody has their types checked
        raise TypeError(f"cache= takes True, False or a Cache, not {type(cache).__name__}")
    return (cache.max_bytes, cache.max_entry_bytes, cache.stale_if_error, cache.heuristic_freshness)
