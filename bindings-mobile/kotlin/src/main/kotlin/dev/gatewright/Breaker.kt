package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * When a host that fails is left alone, and for how long; see [ClientConfig.breaker]. Calls meanwhile throw a [CircuitOpenException] at once.
 *
 * @property failureRate The share of failures at which it opens, above 0 and at most 1.
 * @property minimumCalls Attempts within the window before their share counts.
 * @property window How long an attempt is remembered.
 * @property open How long it stays open before each probe, within 10 %; `null`: 1 s at first, twice as long after each probe that fails, at
 *   most 10 s.
 */
public data class Breaker(
    public val failureRate: Double = 0.5,
    public val minimumCalls: Int = 20,
    public val window: Duration = 30.seconds,
    public val open: Duration? = null,
) {
    internal fun write(json: JsonText) {
        json.beginObject()
        json.name("failureRate").number(failureRate)
        json.name("minimumCalls").number(minimumCalls)
        json.name("windowMs").milliseconds(window)
        open?.let { json.name("openMs").milliseconds(it) }
        json.endObject()
    }
}
