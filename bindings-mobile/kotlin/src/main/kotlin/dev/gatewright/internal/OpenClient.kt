package dev.gatewright.internal

import dev.gatewright.Body
import dev.gatewright.ClientConfig
import dev.gatewright.ClientState
import dev.gatewright.EventConfig
import dev.gatewright.Explanation
import dev.gatewright.Page
import dev.gatewright.PageConfig
import dev.gatewright.RequestConfig
import dev.gatewright.Response
import dev.gatewright.ServerEvent
import dev.gatewright.StreamResponse
import dev.gatewright.Supposition
import dev.gatewright.TokenStore
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.serialization.json.Json

/** A client's half that begins calls, and says what came of them. */
internal class OpenClient(
    baseUrl: String,
    config: ClientConfig,
) {
    val json: Json = config.json
    private val callbacks: Callbacks? = callbacksOf(config)
    val number: Long

    init {
        Abandoned.release()
        val callbackNumber = callbacks?.let(Callbacks::register) ?: 0
        val opened = LongArray(1)
        val wrong = Native.openClient(baseUrl, settingsOf(config, callbackNumber), opened)
        if (wrong != null) {
            Callbacks.forget(callbackNumber)
            throw exceptionOf(Failure(wrong), null)
        }
        val client = opened[0]
        number = client
        Abandoned.watch(this) {
            Native.freeClient(client)
            Callbacks.forget(callbackNumber)
        }
    }

    fun baseUrl(): String = Native.baseUrl(number)

    fun state(): ClientState = stateOf(Native.state(number))

    fun clearCache() {
        Native.clearCache(number)
    }

    fun explain(supposed: Supposition): Explanation = explanationOf(Native.explainOutcome(number, supposed.json()))

    fun close() {
        Native.closeClient(number)
    }

    /** A part of a login, as a call: what it tells, as JSON, or nothing. */
    suspend fun login(begin: (client: Long, call: Int) -> Unit): String? {
        val call = Calls.nextNumber()
        try {
            return Calls.await<ByteArray?>(call, this) { begin(number, call) }?.decodeToString()
        } finally {
            Calls.finish(call)
        }
    }

    /** A number for a login, which is forgotten when [owner] is. */
    fun beginsLogin(owner: Any): Int {
        val (client, login) = number to Calls.nextNumber()
        Abandoned.watch(owner) { Native.dropLogin(client, login) }
        return login
    }

    /** A call whose answer is read whole. */
    suspend fun whole(
        method: String,
        path: String,
        config: RequestConfig?,
    ): Response {
        if (config == null) {
            val call = Calls.nextNumber()
            return Calls.await(call, this) { Native.start(number, call, method, path, 0, null, null) }
        }
        val body = config.body?.prepared()
        return begin(Calls.nextNumber(), 0, method, path, config, body, null)
    }

    /** A call whose answer is streamed. */
    suspend fun stream(
        method: String,
        path: String,
        config: RequestConfig,
    ): StreamResponse {
        val call = Calls.nextNumber()
        val body = config.body?.prepared()
        val head = begin<Head>(call, 1, method, path, config, body) { Calls.giveUp(call) }
        return StreamResponse(head.status, head.meta, Incoming(call, this), json)
    }

    private suspend fun <T> begin(
        call: Int,
        mode: Int,
        method: String,
        path: String,
        config: RequestConfig,
        body: Body.Prepared?,
        dropped: ((T) -> Unit)?,
    ): T {
        val options = optionsOf(config, body)
        val stream = body as? StreamBody
        if (stream != null) {
            Uploads.keep(call, stream, currentCoroutineContext())
        }
        try {
            return Calls.await(call, this, dropped) { Native.start(number, call, method, path, mode, options, (body as? WholeBody)?.bytes) }
        } finally {
            if (stream != null && mode == 0) {
                // Where it was cancelled before it began, nothing else does.
                Uploads.close(call)
            }
        }
    }

    /** The pages of a list, each fetched when [emit] returned from the one before. */
    suspend fun pages(
        path: String,
        config: PageConfig,
        emit: suspend (Page) -> Unit,
    ) {
        val list = Calls.nextNumber()
        val options = JsonText().beginObject().also(config::write).endObject()
        Native.pages(number, list, path, options.toString(), config.style())
        walk<Response>(list, Native::nextPage) { emit(Page(it, config.items, json)) }
    }

    /** The events of a stream of them. */
    suspend fun events(
        path: String,
        config: EventConfig,
        emit: suspend (ServerEvent) -> Unit,
    ) {
        val list = Calls.nextNumber()
        val body = config.body?.prepared()
        val bytes = (body as? WholeBody)?.bytes
        Native.events(number, list, config.method, path, optionsOf(config, body), bytes, config.style())
        walk<ByteArray>(list, Native::nextEvents) { batch -> eventsOf(batch, json).forEach { emit(it) } }
    }

    /** Asks for what a list gives, one after the other. */
    suspend inline fun <T : Any> walk(
        list: Int,
        crossinline next: (Int, Int) -> Unit,
        use: (T) -> Unit,
    ) {
        try {
            while (true) {
                val call = Calls.nextNumber()
                use(Calls.await<T?>(call, this) { next(call, list) } ?: break)
            }
        } finally {
            Native.dropPages(list)
            Driver.ensure()
        }
    }
}

private fun callbacksOf(config: ClientConfig): Callbacks? {
    val token = config.auth.token
    val stores = mutableMapOf<String?, TokenStore>()
    config.auth.store?.let { stores[null] = it }
    for ((name, auth) in config.credentials) {
        auth.store?.let { stores[name] = it }
    }
    val hooks = config.before != null || config.after != null || config.observer != null
    val isNeeded = token != null || hooks || stores.isNotEmpty()
    return if (isNeeded) Callbacks(token, config.before, config.after, stores, config.observer) else null
}
