// Run it: cargo xtask demo kotlin    (or beside a running gateway: mvn -q compile exec:java)

// Everything that an API client should do by itself, seen to happen: pages, retries, exactly once, pacing, webhooks.

import com.sun.net.httpserver.HttpServer
import dev.gatewright.Auth
import dev.gatewright.Client
import dev.gatewright.Headers
import dev.gatewright.Webhook
import dev.gatewright.WebhookVerificationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.withIndex
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.Serializable
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.UUID
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource.Monotonic.markNow

val GATEWAY_URL = System.getenv("GATEWRIGHT_URL") ?: "http://127.0.0.1:4010"
val ADMIN_URL = System.getenv("GATEWRIGHT_ADMIN_URL") ?: "http://127.0.0.1:4011"
val SESSION = "quickstart-${UUID.randomUUID().toString().take(8)}" // a world of its own in the gateway

@Serializable
data class Contact(
    val id: String,
    val name: String,
    val email: String? = null,
)

@Serializable
data class NewContact(
    val name: String,
    val email: String? = null,
)

@Serializable
data class Event(
    val type: String,
    val data: Contact,
)

fun connect(key: String) =
    Client(GATEWAY_URL) {
        auth = Auth.bearer(key)
        header("X-Mock-Session", SESSION)
    }

suspend fun pages() {
    headline("1  Pages", "client.items() fetches page after page as you go")
    connect("sk_test_pro_acme").use { client ->
        client.pages("/v1/contacts") { query("limit", 20) }.withIndex().collect { (index, page) ->
            val contacts = page.items<Contact>()
            println("   page ${index + 1}: ${contacts.size} contacts, the first is ${contacts.first().name}")
        }
        val names = client.items<Contact>("/v1/contacts") { query("limit", 20) }.map { it.name }.toList()
        check(names.size == 45, "${names.size} contacts in all")
    }
}

suspend fun exactlyOnce() {
    headline("2  Exactly once", "a POST through a connection reset and a 503")
    Gateway.playFaults("contacts.create", "reset", "503")
    connect("sk_test_pro_acme").use { client ->
        val created = client.post("/v1/contacts") { json(NewContact("Ada Lovelace", "ada@example.com")) }
        timeline(created.attempts)
        val keys = Gateway.journal("contacts.create").map { it.header("idempotency-key") }.toSet()
        val effects = Gateway.effects("contacts.create")
        check(created.status == 201, "created ${created.json<Contact>().id} with attempt ${created.attempts.size}")
        check(created.attempts.size == 3 && keys.size == 1, "all attempts carried the same idempotency key")
        check(effects == 1, "the gateway counts $effects side effect")
    }
}

suspend fun pacing() {
    headline("3  Pacing", "12 calls at once where 3 per 2 s are allowed")
    val begun = markNow()
    val answers =
        connect("sk_test_tiny_acme").use { client ->
            coroutineScope { List(12) { async { client.get("/v1/whoami") } }.awaitAll() }
        }
    val took = begun.elapsedNow()
    answers.map { it.attempts.first().started }.sorted().forEachIndexed { index, sent -> sentAt(index + 1, sent, took) }
    val shortest = ((12 - 3) * 2.0 / 3).seconds // a burst of 3 at once, then one every 2/3 s
    val statuses = Gateway.journal("whoami").map { it.status }
    val refused = statuses.count { it == 429 }
    // On a busy machine a call may be long on its way, and the next then comes too early.
    check(refused <= 2 && statuses.size == 12 + refused, "$refused answers were 429")
    check(took <= shortest * 2, "took ${took.shown()}; the shortest possible time is ${shortest.shown()}")
}

suspend fun webhooks() {
    headline("4  Webhooks", "a signed event comes in, and a tampered one stays out")
    val delivery = CompletableDeferred<Pair<Headers, ByteArray>>()
    val receiver = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
    receiver.createContext("/hook") { exchange ->
        delivery.complete(Headers.of(exchange.requestHeaders) to exchange.requestBody.readBytes())
        exchange.sendResponseHeaders(204, -1)
        exchange.close()
    }
    receiver.start()
    val secret = Gateway.deliverWebhooks("http://127.0.0.1:${receiver.address.port}/hook", "contact.created")
    connect("sk_test_pro_acme").use { it.post("/v1/contacts") { json(NewContact("Grace Hopper")) } }
    val (headers, body) = withTimeout(10.seconds) { delivery.await() }
    receiver.stop(0)

    val webhook = Webhook(secret)
    val event = webhook.verify(body, headers).json<Event>()
    check(event.type == "contact.created", "verified ${event.type}: ${event.data.name}")
    try {
        webhook.verify(body.decodeToString().replace("Grace", "Mallory"), headers)
        check(false, "refused the tampered one")
    } catch (refused: WebhookVerificationException) {
        check(refused.code == "bad_signature", "refused the tampered one: ${refused.code}")
    }
}

suspend fun main() {
    printInUtf8()
    for (part in listOf(::pages, ::exactlyOnce, ::pacing, ::webhooks)) part()
    Gateway.close()
    println("\n${if (failed.isEmpty()) good("All of it is so.") else bad("Not so: ") + failed.joinToString()}")
    exitProcess(if (failed.isEmpty()) 0 else 1)
}
