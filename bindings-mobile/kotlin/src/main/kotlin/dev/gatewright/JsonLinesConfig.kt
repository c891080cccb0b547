package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What may be said of a stream of JSON lines; [timeout] is until its head is there, the stream itself may last for ever. */
public class JsonLinesConfig internal constructor(
    client: ClientConfig,
) : RequestConfig(client) {
    private var setsIdleTimeout = false

    /** The request's method. Default `GET`. */
    public var method: String = "GET"

    /** The longest line in bytes; a longer one is a [ProtocolException]. Default 16 MiB. */
    public var maxLineBytes: Long = 16L * 1024 * 1024

    /**
     * How long nothing may come, not even a blank line, before the connection counts as broken; `null` and [Duration.INFINITE] for no limit.
     * Default 60 seconds.
     */
    public var idleTimeout: Duration? = 60.seconds
        set(value) {
            field = value
            setsIdleTimeout = true
        }

    /** How the stream is read. */
    internal fun style(asText: Boolean): String {
        val json = JsonText().beginObject()
        json.name("maxLineBytes").number(maxLineBytes)
        if (setsIdleTimeout) {
            json.name("idleTimeoutMs").limit(idleTimeout)
        }
        json.name("asText").boolean(asText)
        return json.endObject().toString()
    }
}
