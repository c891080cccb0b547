package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * The least that a body has to achieve, as it comes and as it goes out; see [ClientConfig.minThroughput]. A slower one ends with a
 * [TimeoutException], whose text says what was measured. Only time counts in which the other side was waited for, so a program that reads slowly
 * stalls nothing.
 *
 * @property bytesPerSecond Bytes in a second, on average over [grace]; 0 never stalls.
 * @property grace For how long it may be slower. Zero is the default.
 */
public data class MinThroughput(
    public val bytesPerSecond: Long = 1024,
    public val grace: Duration = 20.seconds,
) {
    internal fun write(json: JsonText) {
        json.name("minThroughput").beginObject()
        json.name("bytesPerSecond").number(bytesPerSecond)
        json.name("graceMs").milliseconds(grace)
        json.endObject()
    }

    /** Floors that have a name. */
    public companion object {
        /** Nothing has to be achieved. */
        public val off: MinThroughput = MinThroughput(bytesPerSecond = 0)
    }
}
