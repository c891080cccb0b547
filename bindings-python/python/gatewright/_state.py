"""What a client knows, as ``client.state()`` and ``client.explain()`` tell it: the types of dictionaries."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypedDict

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

    class ConcurrencyState(TypedDict):
        """The limit of attempts at once."""

        limit: int
        """How many may be under way."""
        in_flight: int
        """How many are."""
        queued: int
        """How many wait."""

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

    class SharedQuotaState(TypedDict):
        """What is known of a quota that is shared with other processes. Times are seconds from now."""

        name: str
        """The name under which it is shared."""
        quota: str
        """The quota, such as ``600/min, burst 60``."""
        mode: Literal["new", "shared", "away", "rejoining"]
        """``away``: Redis cannot be reached, and this process keeps to its part; ``rejoining``: it is back, and the
        others are waited for."""
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

    class RegionState(HostState):
        """A region."""

        name: str
        """Host and port."""
        healthy: bool
        """Whether calls go there."""

    class ClientState(HostState):
        """What a client knows at one moment: of the base URL's host, of its regions and of its cache."""

        regions: list[RegionState]
        """The regions, nearest first; empty where there are none beside the base URL."""
        cache: CacheState | None
        """The cache, where there is one."""
        shared_quota: SharedQuotaState | None
        """The quota that is shared with other processes, where there is one."""

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
