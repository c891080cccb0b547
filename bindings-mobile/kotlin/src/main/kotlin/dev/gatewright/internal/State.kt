package dev.gatewright.internal

import dev.gatewright.ClientState
import dev.gatewright.LimitsState
import dev.gatewright.QuotaState
import kotlinx.serialization.Serializable
import kotlin.time.Duration.Companion.milliseconds

/** What a client knows of its host, as the native half tells it. */
internal fun stateOf(text: String): ClientState {
    val told = INTERNAL_JSON.decodeFromString<StateJson>(text)
    return ClientState(
        budgetLeft = told.budgetLeft,
        budgetCapacity = told.budgetCapacity,
        limits = told.limits.map(::limitsOf),
        breaker = told.breaker?.state(),
        concurrency = told.concurrency?.state(),
        regions = told.regions.map(RegionJson::state),
        cache = told.cache?.state(),
    )
}

internal fun limitsOf(told: LimitsJson): LimitsState =
    LimitsState(told.inFlight, told.queued, told.pausedForMs?.milliseconds, told.quotas.map(::quotaOf))

private fun quotaOf(told: QuotaJson): QuotaState =
    QuotaState(
        policy = told.policy,
        limit = told.limit,
        remaining = told.remaining,
        window = told.windowMs?.milliseconds,
        nextIn = told.nextInMs.milliseconds,
        resetsIn = told.resetsInMs?.milliseconds,
        shared = told.shared,
    )

@Serializable
private class StateJson(
    val budgetLeft: Int,
    val budgetCapacity: Int,
    val limits: List<LimitsJson>,
    val breaker: BreakerJson? = null,
    val concurrency: ConcurrencyJson? = null,
    val regions: List<RegionJson> = emptyList(),
    val cache: CacheJson? = null,
)

@Serializable
internal class LimitsJson(
    val inFlight: Int,
    val queued: Int,
    val pausedForMs: Double?,
    val quotas: List<QuotaJson>,
)

@Serializable
internal class QuotaJson(
    val policy: String,
    val limit: Long,
    val remaining: Long,
    val windowMs: Double?,
    val nextInMs: Double,
    val resetsInMs: Double?,
    val shared: Boolean,
)
