package dev.gatewright

import kotlin.time.Duration

/**
 * Budget, limits, breaker, slots, regions and cache of a client at one moment; see [Client.state]. But for [regions] and [cache], it is of the host to
 * which the next call goes.
 *
 * @property budgetLeft Tokens left in the retry budget.
 * @property budgetCapacity What the retry budget holds when full.
 * @property limits The limits, one entry for each credential that was used.
 * @property breaker The circuit breaker; `null` where it is off.
 * @property concurrency The attempts under way at once; `null` where there is no limit.
 * @property regions The regions, nearest first; empty where the client has one base URL.
 * @property cache What the cache holds and did; `null` where there is none.
 */
@ConsistentCopyVisibility
public data class ClientState internal constructor(
    public val budgetLeft: Int,
    public val budgetCapacity: Int,
    public val limits: List<LimitsState>,
    public val breaker: BreakerState?,
    public val concurrency: ConcurrencyState?,
    public val regions: List<RegionState>,
    public val cache: CacheState?,
)

/**
 * A host's circuit breaker.
 *
 * @property phase What it does now.
 * @property failures Failures within the window.
 * @property calls Attempts within the window.
 * @property retryAfter While nothing is sent: when to come again.
 * @property lastFailure What failed last.
 */
@ConsistentCopyVisibility
public data class BreakerState internal constructor(
    public val phase: Phase,
    public val failures: Int,
    public val calls: Int,
    public val retryAfter: Duration?,
    public val lastFailure: String?,
) {
    /** What a breaker does. */
    public enum class Phase(
        internal val text: String,
    ) {
        /** Calls go through. */
        CLOSED("closed"),

        /** One call goes through, as a probe. */
        HALF_OPEN("half_open"),

        /** Calls fail at once. */
        OPEN("open"),
    }
}

/**
 * A host's limit of attempts at once.
 *
 * @property limit Attempts that may be under way.
 * @property inFlight Attempts that are.
 * @property queued Attempts that wait for their turn.
 */
@ConsistentCopyVisibility
public data class ConcurrencyState internal constructor(
    public val limit: Int,
    public val inFlight: Int,
    public val queued: Int,
)

/**
 * What is known of one region.
 *
 * @property name Host and port.
 * @property healthy Whether calls go there, where no nearer one does as well.
 * @property budgetLeft Tokens left in its retry budget.
 * @property budgetCapacity What its retry budget holds when full.
 * @property limits Its limits, one entry for each credential that was used.
 * @property breaker Its circuit breaker; `null` where it is off.
 * @property concurrency Its attempts under way at once; `null` where there is no limit.
 */
@ConsistentCopyVisibility
public data class RegionState internal constructor(
    public val name: String,
    public val healthy: Boolean,
    public val budgetLeft: Int,
    public val budgetCapacity: Int,
    public val limits: List<LimitsState>,
    public val breaker: BreakerState?,
    public val concurrency: ConcurrencyState?,
)

/**
 * What a cache holds, and how it answered calls since its client was made.
 *
 * @property entries Answers that are stored.
 * @property bytes What they take.
 * @property maxBytes What they may take.
 * @property hits Calls that were answered without the server.
 * @property revalidated Calls that were answered from the cache after a 304.
 * @property stale Calls that were answered from the cache though it was stale.
 * @property misses Calls that the server answered.
 * @property evicted Answers that had to go to make room.
 */
@ConsistentCopyVisibility
public data class CacheState internal constructor(
    public val entries: Long,
    public val bytes: Long,
    public val maxBytes: Long,
    public val hits: Long,
    public val revalidated: Long,
    public val stale: Long,
    public val misses: Long,
    public val evicted: Long,
)

/**
 * What is known of the limits of one credential.
 *
 * @property inFlight Calls sent and not yet answered.
 * @property queued Calls that wait.
 * @property pausedFor Time until the pause that the server asked for is over.
 * @property quotas The quotas that calls must pass.
 */
@ConsistentCopyVisibility
public data class LimitsState internal constructor(
    public val inFlight: Int,
    public val queued: Int,
    public val pausedFor: Duration?,
    public val quotas: List<QuotaState>,
)

/**
 * What is known of one quota.
 *
 * @property policy The server's name for it; `local` for your own.
 * @property limit Calls in a window.
 * @property remaining Calls that may go now.
 * @property window The window's length, where it is told.
 * @property nextIn Time until the next call may go.
 * @property resetsIn Time until the reset, where it is reset as a whole.
 * @property shared Whether others were seen to take from it.
 */
@ConsistentCopyVisibility
public data class QuotaState internal constructor(
    public val policy: String,
    public val limit: Long,
    public val remaining: Long,
    public val window: Duration?,
    public val nextIn: Duration,
    public val resetsIn: Duration?,
    public val shared: Boolean,
)
