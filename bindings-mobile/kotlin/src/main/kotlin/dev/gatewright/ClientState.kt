package dev.gatewright

import kotlin.time.Duration

/**
 * Budget and limits of the base URL's host at one moment; see [Client.state].
 *
 * @property budgetLeft Tokens left in the retry budget.
 * @property budgetCapacity What the retry budget holds when full.
 * @property limits The limits, one entry for each credential that was used.
 */
@ConsistentCopyVisibility
public data class ClientState internal constructor(
    public val budgetLeft: Int,
    public val budgetCapacity: Int,
    public val limits: List<LimitsState>,
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
