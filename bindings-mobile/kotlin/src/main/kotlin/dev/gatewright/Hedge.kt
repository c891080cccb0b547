package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration

/**
 * When a second copy of a slow GET, HEAD or OPTIONS is sent; see [ClientConfig.hedge] and [CallConfig.hedge]. The first success is taken, the other is cancelled.
 */
public sealed class Hedge {
    /**
     * Where there is no answer after a time.
     *
     * @property delay The time.
     */
    public data class After(
        public val delay: Duration,
    ) : Hedge()

    /** Where an answer takes longer than 95 of 100 took of late. */
    public data object P95 : Hedge()

    /** Never, for a request of a client that has hedging. */
    public data object Never : Hedge()

    internal fun write(json: JsonText) {
        when (this) {
            is After -> {
                json.beginObject()
                json.name("afterMs").milliseconds(delay)
                json.endObject()
            }

            P95 -> {
                json.string("p95")
            }

            Never -> {
                json.boolean(false)
            }
        }
    }
}
