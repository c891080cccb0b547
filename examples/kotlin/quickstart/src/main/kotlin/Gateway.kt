// What the quickstart asks of the gateway on its admin port: to do wrong by order, what it saw, what it counted.

import dev.gatewright.Client
import dev.gatewright.Response
import kotlinx.serialization.Serializable

object Gateway : AutoCloseable {
    private val admin = Client("$ADMIN_URL/admin")

    /** Plays these faults, one for each request of an operation. */
    suspend fun playFaults(
        operation: String,
        vararg faults: String,
    ) {
        val rule = Rule(mapOf("op" to operation), faults.asList())
        admin.put("faults") {
            query("session", SESSION)
            json(Rules(listOf(rule)))
        }
    }

    /** The requests of an operation, as they came in. */
    suspend fun journal(operation: String): List<Entry> = ask("journal", operation).json<Journal>().entries

    /** How often an operation took effect. */
    suspend fun effects(operation: String): Int = ask("effects", operation).json<Effects>().count

    /** Has events of a type delivered to a URL; gives the secret they are signed with. */
    suspend fun deliverWebhooks(
        url: String,
        type: String,
    ): String {
        val answer =
            admin.post("webhooks/endpoints") {
                query("session", SESSION)
                json(NewEndpoint(url, listOf(type)))
            }
        return answer.json<Endpoint>().secret
    }

    override fun close() = admin.close()

    private suspend fun ask(
        what: String,
        operation: String,
    ): Response =
        admin.get(what) {
            query("session", SESSION)
            query("op", operation)
        }
}

@Serializable
class Rules(
    val rules: List<Rule>,
)

@Serializable
class Rule(
    val match: Map<String, String>,
    val script: List<String>,
)

@Serializable
class Journal(
    val entries: List<Entry>,
)

@Serializable
class Entry(
    val status: Int?,
    private val headers: List<List<String>>,
) {
    fun header(name: String): String? = headers.firstOrNull { it.first() == name }?.last()
}

@Serializable
class Effects(
    val count: Int,
)

@Serializable
class NewEndpoint(
    val url: String,
    val types: List<String>,
)

@Serializable
class Endpoint(
    val secret: String,
)
