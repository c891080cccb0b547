package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration

/**
 * A private HTTP cache in memory (RFC 9111): answers are kept as their servers allow; see [ClientConfig.cache].
 *
 * @property maxBytes What all answers may take, in bytes; the least recently used goes first.
 * @property maxEntryBytes What one answer may take, in bytes; `null` for an eighth of all.
 * @property staleIfError How long an answer may be used stale where the server fails and says nothing of its own about that.
 * @property heuristicFreshness The longest lifetime that is guessed from `Last-Modified`; `null` for no guesses.
 */
public data class Cache(
    public val maxBytes: Long = 64L * 1024 * 1024,
    public val maxEntryBytes: Long? = null,
    public val staleIfError: Duration? = null,
    public val heuristicFreshness: Duration? = null,
) {
    internal fun write(json: JsonText) {
        json.beginObject()
        json.name("maxBytes").number(maxBytes)
        maxEntryBytes?.let { json.name("maxEntryBytes").number(it) }
        staleIfError?.let { json.name("staleIfErrorMs").milliseconds(it) }
        heuristicFreshness?.let { json.name("heuristicFreshnessMs").milliseconds(it) }
        json.endObject()
    }
}
