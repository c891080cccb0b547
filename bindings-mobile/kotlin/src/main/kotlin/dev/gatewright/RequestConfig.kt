package dev.gatewright

import dev.gatewright.internal.JsonText
import dev.gatewright.internal.QueryPairs
import kotlinx.serialization.SerializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What may be said of any call: of one request, or of each request of a list. */
@GatewrightDsl
public sealed class CallConfig(
    private val client: ClientConfig,
) {
    private val query = QueryPairs()
    private val headers = mutableListOf<Pair<String, String>>()
    private var setsTimeout = false
    private var setsAttemptTimeout = false

    /** For the whole call, in place of the client's; `null` and [Duration.INFINITE] for no limit. */
    public var timeout: Duration? = client.timeout
        set(value) {
            field = value
            setsTimeout = true
        }

    /** From sending an attempt to its response head, in place of the client's; `null` and [Duration.INFINITE] for no limit. */
    public var attemptTimeout: Duration? = client.attemptTimeout
        set(value) {
            field = value
            setsAttemptTimeout = true
        }

    /** Attempts in all, the first included. Default: the client's. */
    public var maxAttempts: Int? = null

    /** How the call uses the client's cache. Default [CacheMode.DEFAULT]. */
    public var cache: CacheMode? = null

    /** When a second copy is sent, where the method is GET, HEAD or OPTIONS and the answer is read whole. Default: the client's. */
    public var hedge: Hedge? = null

    /** Which of the client's credentials the call carries. Default: [ClientConfig.auth]. */
    public var credential: RequestCredential? = null

    /** The least that its bodies have to achieve, in both directions; [MinThroughput.off] for nothing. Default `null`: the client's. */
    public var minThroughput: MinThroughput? = null

    /** The trace that the call belongs to. Default `null`: none, and no `traceparent` is sent. */
    public var traceContext: TraceContext? = null

    /**
     * The path with names in place of its variable parts, such as `/contacts/{id}`, for [ClientConfig.observer]. It is not sent. Default `null`,
     * none.
     */
    public var urlTemplate: String? = null

    /**
     * Adds a parameter to the query. `null` is left out; a list, an array or a sequence repeats the name; anything else is written as its
     * [toString] has it.
     */
    public fun query(
        name: String,
        value: Any?,
    ) {
        query.add(name, value)
    }

    /** Adds parameters to the query, each as the other [query] does. */
    public fun query(parameters: Map<String, Any?>) {
        for ((name, value) in parameters) {
            query.add(name, value)
        }
    }

    /** Adds parameters to the query, each as the other [query] does. */
    public fun query(vararg parameters: Pair<String, Any?>) {
        for ((name, value) in parameters) {
            query.add(name, value)
        }
    }

    /** Adds a header. One of the client's own that has the same name is replaced. */
    public fun header(
        name: String,
        value: String,
    ) {
        headers += name to value
    }

    /** Adds headers, each as [header] does. */
    public fun headers(vararg headers: Pair<String, String>) {
        this.headers += headers
    }

    /** Writes what was said into the options of a call. */
    internal open fun write(json: JsonText) {
        if (query.pairs.isNotEmpty()) {
            json.name("query").pairs(query.pairs)
        }
        if (headers.isNotEmpty()) {
            json.name("headers").pairs(headers)
        }
        if (setsTimeout) {
            json.name("timeoutMs").limit(timeout)
        }
        if (setsAttemptTimeout) {
            json.name("attemptTimeoutMs").limit(attemptTimeout)
        }
        maxAttempts?.let { json.name("maxAttempts").number(it) }
        cache?.let { json.name("cache").string(it.text) }
        hedge?.let { it.write(json.name("hedge")) }
        credential?.let { it.write(json.name("credential")) }
        minThroughput?.write(json)
        traceContext?.write(json)
        urlTemplate?.let { json.name("urlTemplate").string(it) }
    }
}

/** What may be said of one request. */
public open class RequestConfig internal constructor(
    client: ClientConfig,
) : CallConfig(client) {
    @PublishedApi
    internal val json: Json = client.json

    /** The request's body. Default none. */
    public var body: Body? = null

    /** The idempotency key, in place of one made up. Default: one is made up for POST and PATCH. */
    public var idempotencyKey: String? = null

    /** Whether an error status is thrown. Default: the client's. */
    public var throwOnError: Boolean? = null

    /**
     * Makes [value] the body, encoded as JSON by the client's [ClientConfig.json].
     *
     * @throws InvalidRequestException where it cannot be encoded.
     */
    public inline fun <reified T> json(value: T) {
        json(json.serializersModule.serializer<T>(), value)
    }

    /** As the other [json], by a serializer. */
    public fun <T> json(
        serializer: SerializationStrategy<T>,
        value: T,
    ) {
        body = Body.json(serializer, value, json)
    }

    override fun write(json: JsonText) {
        super.write(json)
        idempotencyKey?.let { json.name("idempotencyKey").string(it) }
        throwOnError?.let { json.name("throwOnError").boolean(it) }
    }
}

/** What may be said of a stream of events; [timeout] is for each connection to be made, the stream itself may last for ever. */
public class EventConfig internal constructor(
    client: ClientConfig,
) : RequestConfig(client) {
    private var setsIdleTimeout = false

    /** The request's method. Only after a GET a connection that broke is made again. Default `GET`. */
    public var method: String = "GET"

    /** Begins after the event of this id, where the server knows it. Default: wherever the server begins. */
    public var lastEventId: String? = null

    /**
     * How long nothing may come, not even a comment, before the connection counts as broken; `null` and [Duration.INFINITE] for no limit.
     * Default 60 seconds.
     */
    public var idleTimeout: Duration? = 60.seconds
        set(value) {
            field = value
            setsIdleTimeout = true
        }

    /** Where the stream begins, and when it counts as broken. */
    internal fun style(): String {
        val json = JsonText().beginObject()
        lastEventId?.let { json.name("lastEventId").string(it) }
        if (setsIdleTimeout) {
            json.name("idleTimeoutMs").limit(idleTimeout)
        }
        return json.endObject().toString()
    }
}

/** What may be said of a list: of each of its requests, and where it has its items and cursors. */
public class PageConfig internal constructor(
    client: ClientConfig,
) : CallConfig(client) {
    /** The body's member with the items, dots for members of members; a body that is a list is its own items. Default `data`. */
    public var items: String = "data"

    /** The body's member with the next cursor. A `Link: rel="next"` goes before it. Default `next_cursor`. */
    public var cursor: String = "next_cursor"

    /** The query parameter that takes the cursor. Default `cursor`. */
    public var cursorParam: String = "cursor"

    internal fun style(): String {
        val json = JsonText().beginObject()
        json.name("items").string(items)
        json.name("cursor").string(cursor)
        json.name("cursorParam").string(cursorParam)
        return json.endObject().toString()
    }
}
