package dev.gatewright

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.net.HttpURLConnection
import java.net.URI
import java.net.URLEncoder
import java.util.Base64
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

const val KEY: String = "sk_test_unlimited_acme"

/** Retries that do not make a test wait. */
val SOON: Retry = Retry(backoffBase = 1.milliseconds, backoffCap = 2.milliseconds)

/** A time limit within which a call gets to where it is to be cut off, on a busy machine, too. */
val A_WHILE: Duration = 3.seconds

/** The reference gateway as a process of these tests. Each test has a session of its own in it. */
object Gateway {
    val url: String
    val adminUrl: String

    init {
        val program = checkNotNull(System.getenv("GATEWRIGHT_GATEWAY")) { "GATEWRIGHT_GATEWAY must name the program gatewright-gateway" }
        // Its standard input closes with this process, and it ends with that.
        val process =
            ProcessBuilder(program, "serve", "--port", "0", "--print-json", "--until-stdin-closes")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
        val line = checkNotNull(process.inputStream.bufferedReader().readLine()) { "the gateway ended" }
        val told = Json.parseToJsonElement(line).jsonObject
        url = told.text("url")
        adminUrl = told.text("admin_url")
    }
}

/** One test's own world in the gateway. */
class Session {
    val id: String = "kt-${UUID.randomUUID()}"
    val url: String = Gateway.url

    /** A client of this session; retries do not wait unless told to. */
    fun client(
        path: String = "",
        configure: ClientConfig.() -> Unit = {},
    ): Client =
        Client(url + path) {
            auth = Auth.bearer(KEY)
            retry = SOON
            header("x-mock-session", id)
            configure()
        }

    suspend fun admin(
        method: String,
        path: String,
        body: String? = null,
        vararg query: Pair<String, String>,
    ): JsonElement =
        withContext(Dispatchers.IO) {
            val parameters = (listOf("session" to id) + query).joinToString("&") { (name, value) -> "$name=${URLEncoder.encode(value, "UTF-8")}" }
            val url = "${Gateway.adminUrl}/admin/$path?$parameters"
            val connection = URI(url).toURL().openConnection() as HttpURLConnection
            connection.requestMethod = method
            if (body != null) {
                connection.doOutput = true
                connection.setRequestProperty("content-type", "application/json")
                connection.outputStream.use { it.write(body.encodeToByteArray()) }
            }
            check(
                connection.responseCode < 300,
            ) { "$method $url: ${connection.responseCode} ${connection.errorStream?.readBytes()?.decodeToString()}" }
            val text = connection.inputStream.use { it.readBytes().decodeToString() }
            if (text.isEmpty()) JsonNull else Json.parseToJsonElement(text)
        }

    suspend fun faults(rules: String) {
        admin("PUT", "faults", """{"rules": [$rules]}""")
    }

    /** Plays these faults, one for each request of an operation. */
    suspend fun script(
        op: String,
        vararg faults: String,
    ) {
        faults("""{"match": {"op": "$op"}, "script": ${JsonArray(faults.map(::JsonPrimitive))}}""")
    }

    /** What came in, in order. */
    suspend fun journal(): List<JsonObject> =
        admin("GET", "journal")
            .jsonObject
            .getValue("entries")
            .jsonArray
            .map { it.jsonObject }

    suspend fun last(): JsonObject = journal().last()

    suspend fun effects(op: String): JsonObject = admin("GET", "effects", null, "op" to op).jsonObject

    suspend fun set(options: String) {
        admin("POST", "session", options)
    }

    /** Of how many calls the gateway has not sent the last byte. It counts those of tiers with limits. */
    suspend fun inProgress(): Int =
        admin("GET", "limits")
            .jsonObject
            .getValue("tenants")
            .jsonArray
            .sumOf { it.jsonObject.number("in_progress") }
}

/** A tier with limits: the gateway counts what is in progress. */
val COUNTED: Auth = Auth.bearer("sk_test_enterprise_acme")

fun JsonObject.text(name: String): String = getValue(name).jsonPrimitive.content

fun JsonObject.number(name: String): Int = getValue(name).jsonPrimitive.int

/** The headers of a request in the journal. */
val JsonObject.headers: Map<String, String>
    get() = (getValue("headers") as JsonArray).associate { (it as JsonArray)[0].jsonPrimitive.content to it[1].jsonPrimitive.content }

/** The body of a request in the journal. */
val JsonObject.body: ByteArray
    get() = Base64.getDecoder().decode(text("body_base64"))

/** A test that ends, even if what it tests does not. */
fun checked(test: suspend CoroutineScope.() -> Unit): Unit =
    runBlocking(Dispatchers.Default) {
        withTimeout(10.minutes) { test() }
    }

/** Waits until something is so. What never is makes the test time out. */
suspend fun until(condition: suspend () -> Boolean) {
    withTimeout(60.seconds) {
        while (!condition()) {
            delay(2)
        }
    }
}

/** Waits until no call has a place any more; what leaks is never idle. */
suspend fun idle(client: Client) {
    until { client.state().limits.all { it.inFlight == 0 && it.queued == 0 } }
}

fun inFlight(client: Client): Boolean = client.state().limits.any { it.inFlight > 0 }

/** The error that something throws. */
inline fun <reified E : Throwable> thrown(run: () -> Any?): E {
    val given =
        try {
            run()
        } catch (
            @Suppress("TooGenericExceptionCaught") e: Throwable,
        ) {
            return e as? E ?: throw AssertionError("not a ${E::class.simpleName}", e)
        }
    throw AssertionError("nothing was thrown, but $given given")
}

/** So many at once. */
suspend fun <T> together(
    count: Int,
    run: suspend (Int) -> T,
): List<T> =
    coroutineScope {
        List<Deferred<T>>(count) { number -> async { run(number) } }.awaitAll()
    }
