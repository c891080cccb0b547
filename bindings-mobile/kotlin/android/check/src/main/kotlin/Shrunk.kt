import dev.gatewright.Auth
import dev.gatewright.Client
import dev.gatewright.Headers
import dev.gatewright.NotFoundException
import dev.gatewright.Proxy
import dev.gatewright.Retryability
import dev.gatewright.Token
import dev.gatewright.Webhook
import kotlinx.coroutines.flow.count
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.Serializable
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds

@Serializable
data class Contact(
    val name: String,
    val id: String? = null,
)

/** What an app does with the library, each way into the native half once: what a shrinker took away wrongly is missed here. */
suspend fun main() {
    val url = System.getenv("GATEWRIGHT_URL") ?: "http://127.0.0.1:4010"
    val attempts = mutableListOf<Int>()
    val client =
        Client(url) {
            auth = Auth.token { Token("sk_test_pro_acme") }
            header("x-mock-session", "shrunk-${System.nanoTime()}")
            proxy = Proxy.None
            afterAttempt { attempts += it.number }
        }
    client.use {
        expect("an object", "Ada", client.post("/v1/contacts") { json(Contact("Ada")) }.json<Contact>().name)
        expect("pages", 46, client.items<Contact>("/v1/contacts") { query("limit", 20) }.count())
        expect("a stream", 100_000, client.stream("GET", "/v1/bytes/100000").use { it.bytes() }.size)
        expect("cancellation", null, withTimeoutOrNull(50.milliseconds) { client.get("/v1/delay/60000") })
        expect("hooks", true, attempts.isNotEmpty())
        try {
            client.get("/v1/contacts/ct_999999")
            expect("an error", "NotFoundException", null)
        } catch (error: NotFoundException) {
            expect("an error's name", true, error.toString().startsWith("dev.gatewright.NotFoundException: not_found: GET "))
            expect("an error's members", Retryability.PERMANENT, error.retryability)
        }
        expect("a state", true, client.state().budgetLeft > 0)
    }
    val webhook = Webhook(Webhook.generateSecret())
    val headers = Headers.of(webhook.sign("{}", messageId = "msg_1"))
    expect("a webhook", "msg_1", webhook.verify("{}", headers).messageId)
    println("an app that R8 has shrunk works")
    exitProcess(0)
}

private fun expect(
    what: String,
    expected: Any?,
    got: Any?,
) {
    if (got != expected) {
        System.err.println("$what: got $got when expecting $expected")
        exitProcess(1)
    }
}
