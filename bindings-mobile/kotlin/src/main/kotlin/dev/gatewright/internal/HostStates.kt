package dev.gatewright.internal

import dev.gatewright.BreakerState
import dev.gatewright.CacheState
import dev.gatewright.ConcurrencyState
import dev.gatewright.RegionState
import kotlinx.serialization.Serializable
import kotlin.time.Duration.Companion.milliseconds

// Breaker, slots, regions and cache, as the native half tells them.

@Serializable
internal class BreakerJson(
    val state: String,
    val failures: Int,
    val calls: Int,
    val retryAfterMs: Double?,
    val lastFailure: String?,
) {
    /** `null` where its state is none that is known here. */
    fun state(): BreakerState? =
        BreakerState.Phase.entries
            .find { it.text == state }
            ?.let { BreakerState(it, failures, calls, retryAfterMs?.milliseconds, lastFailure) }
}

@Serializable
internal class ConcurrencyJson(
    val limit: Int,
    val inFlight: Int,
    val queued: Int,
) {
    fun state() = ConcurrencyState(limit, inFlight, queued)
}

@Serializable
internal class RegionJson(
    val name: String,
    val healthy: Boolean,
    val budgetLeft: Int,
    val budgetCapacity: Int,
    val limits: List<LimitsJson>,
    val breaker: BreakerJson? = null,
    val concurrency: ConcurrencyJson? = null,
) {
    fun state() = RegionState(name, healthy, budgetLeft, budgetCapacity, limits.map(::limitsOf), breaker?.state(), concurrency?.state())
}

@Serializable
internal class CacheJson(
    val entries: Long,
    val bytes: Long,
    val maxBytes: Long,
    val hits: Long,
    val revalidated: Long,
    val stale: Long,
    val misses: Long,
    val evicted: Long,
) {
    fun state() = CacheState(entries, bytes, maxBytes, hits, revalidated, stale, misses, evicted)
}
