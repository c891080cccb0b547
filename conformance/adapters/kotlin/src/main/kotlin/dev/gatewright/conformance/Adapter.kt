package dev.gatewright.conformance

import dev.gatewright.Body
import dev.gatewright.Client
import dev.gatewright.Gatewright
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.isActive
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.concurrent.ConcurrentHashMap

/** All that PROTOCOL.md has, but for what [LACKS] names. */
private val CAPABILITIES =
    listOf(
        "api_key_cookie",
        "cache",
        "cancel",
        "connections",
        "credentials",
        "download",
        "events",
        "explain",
        "hedging",
        "regions",
        "breaker",
        "concurrency",
        "failure_kinds",
        "hooks",
        "idempotency",
        "input_errors",
        "interruptible_callbacks",
        "json_lines",
        "min_throughput",
        "oauth",
        "oauth_login",
        "only_cache",
        "pages",
        "pacing",
        "partial_bodies",
        "redirects",
        "replayable_upload",
        "signatures",
        "stream_download",
        "stream_upload",
        "tls",
        "token_callback",
        "trace_context",
        "truncated_encodings",
        "upload",
        "webhook_asymmetric",
        "webhook_schemes",
        "webhook_sign",
        "webhook_verify",
    )

private val LACKS =
    mapOf(
        "float_times" to "times are kotlin.time.Duration, which cannot be NaN and whose INFINITE means no limit",
    )

/** Carries out requests with the Kotlin SDK. An adapter translates, nothing more. */
class Adapter {
    private class Opened(
        val client: Client,
        val counts: Counts,
    )

    private val clients = ConcurrentHashMap<String, Opened>()

    /** The answer to a request, without its `id`; throws nothing. */
    suspend fun answer(request: JsonObject): JsonObject =
        try {
            carryOut(request)
        } catch (what: Unsupported) {
            json("unsupported" to what.message)
        } catch (error: Throwable) {
            failure(error)
        }

    private suspend fun carryOut(request: JsonObject): JsonObject =
        when (val op = request.text("op")) {
            "hello" -> hello()
            "client.open" -> open(request)
            "client.clear_cache" -> clearCache(request)
            "client.shut" -> shut(request)
            "client.close" -> close(request)
            "call" -> call(opened(request).client, request.objectOrNull("request") ?: throw Unsupported("a call without request"))
            "webhook.sign", "webhook.verify" -> webhook(request)
            else -> throw Unsupported("the operation $op")
        }

    private fun hello(): JsonObject =
        json(
            "protocol" to 1,
            "sdk" to "gatewright ${Gatewright.VERSION} on Java ${Runtime.version()}",
            "capabilities" to CAPABILITIES,
            "lacks" to LACKS,
        )

    private fun opened(request: JsonObject): Opened {
        val name = request.text("client")
        return clients[name] ?: throw Unsupported("the client $name, which is not open")
    }

    private fun open(request: JsonObject): JsonObject {
        val options = request.objectOrNull("options") ?: throw Unsupported("a client without options")
        val counts = Counts()
        val client = Client(options.text("base_url")) { take(options, counts) }
        clients[request.text("client")] = Opened(client, counts)
        return json("ok" to true, "shown" to listOf(client.toString()))
    }

    private fun clearCache(request: JsonObject): JsonObject {
        opened(request).client.clearCache()
        return json("ok" to true)
    }

    private fun shut(request: JsonObject): JsonObject {
        opened(request).client.close()
        return json("ok" to true)
    }

    private fun close(request: JsonObject): JsonObject {
        val opened = opened(request)
        clients.remove(request.text("client"))
        opened.client.close()
        return opened.counts.shown()
    }

    private suspend fun call(
        client: Client,
        request: JsonObject,
    ): JsonObject =
        when (val mode = request.textOrNull("mode") ?: "whole") {
            "whole" -> whole(client, request)
            "stream" -> stream(client, request)
            "pages" -> pages(client, request)
            "events" -> events(client, request)
            "explain" -> explain(client, request)
            "login" -> login(client, request)
            "json_lines" -> jsonLines(client, request)
            "download" -> download(client, request)
            "upload" -> upload(client, request)
            else -> throw Unsupported("the mode $mode")
        }

    private suspend fun whole(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        val response = client.request(request.text("method"), request.text("path")) { take(request) }
        return head(response) + json("body" to bodyOf(response.bytes()))
    }

    private suspend fun stream(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        val enough = request["stop_after_bytes"]?.jsonPrimitive?.long ?: Long.MAX_VALUE
        client.stream(request.text("method"), request.text("path")) { take(request) }.use { response ->
            val answer = head(response)
            val received = Received()
            try {
                response.body
                    .onEach(received::take)
                    .takeWhile { received.length < enough }
                    .collect()
            } catch (error: Throwable) {
                return failure(error) + json("delivered" to received.shown())
            }
            return answer + json("body" to received.shown())
        }
    }

    private suspend fun pages(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        if (request.text("method") != "GET") throw Unsupported("pages of another method than GET")
        val most = request["max_pages"]?.jsonPrimitive?.int ?: 100
        val lengths = mutableListOf<Int>()
        val items = mutableListOf<JsonElement>()
        val answer =
            try {
                client.pages(request.text("path")) { take(request) }.take(most).collect { page ->
                    val some = page.items<JsonElement>()
                    lengths += some.size
                    items += some
                }
                json("ok" to true)
            } catch (error: Throwable) {
                failure(error)
            }
        return answer + json("pages" to lengths, "items" to items)
    }

    private suspend fun events(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        val most = request["max_events"]?.jsonPrimitive?.int ?: 100
        val came = mutableListOf<JsonObject>()
        val answer =
            try {
                client.events(request.text("path")) { takeStream(request) }.take(most).collect {
                    came += json("event" to it.event, "data" to it.data, "id" to it.id)
                }
                json("ok" to true)
            } catch (error: Throwable) {
                failure(error)
            }
        return answer + json("events" to came)
    }

    private suspend fun jsonLines(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        val most = request["max_values"]?.jsonPrimitive?.int ?: 100
        val values = mutableListOf<JsonElement>()
        val answer =
            try {
                client.jsonLines<JsonElement>(request.text("path")) { takeLines(request) }.take(most).collect { values += it }
                json("ok" to true)
            } catch (error: Throwable) {
                failure(error)
            }
        return answer + json("values" to values)
    }

    private suspend fun download(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        if (request.text("method") != "GET") throw Unsupported("a download by another method than GET")
        client.download(request.text("path")) { takePlain(request) }.use { download ->
            val received = Received()
            try {
                download.body.collect(received::take)
            } catch (error: Throwable) {
                return failure(error) + json("delivered" to received.shown())
            }
            return downloaded(download) + json("body" to received.shown())
        }
    }

    private suspend fun upload(
        client: Client,
        request: JsonObject,
    ): JsonObject {
        val uploaded = client.upload(request.text("path"), bodyOf(request) ?: Body.bytes(ByteArray(0))) { takeUpload(request) }
        val body = json("body" to bodyOf(uploaded.response.bytes()))
        return head(uploaded.response) + body + json("resumable" to uploaded.resumable, "answer_lost" to uploaded.answerLost)
    }

    /** What was given up is told as such only where the coroutine was. */
    private suspend fun failure(error: Throwable): JsonObject =
        when {
            error is Unsupported -> throw error
            error is CancellationException && !currentCoroutineContext().isActive -> json("ok" to false, "cancelled" to true)
            else -> failed(error)
        }
}
