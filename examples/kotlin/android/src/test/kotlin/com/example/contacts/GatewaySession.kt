package com.example.contacts

import dev.gatewright.Auth
import dev.gatewright.Client
import dev.gatewright.Proxy
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.addJsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject
import java.util.UUID
import kotlin.time.Duration.Companion.milliseconds

/** A test's own world in the reference gateway, whose program `GATEWRIGHT_GATEWAY` names. */
class GatewaySession : AutoCloseable {
    private val id = "kotlin-${UUID.randomUUID()}"
    private val admin = Client("${Program.adminUrl}/admin") { proxy = Proxy.None }

    /** The client of an app, with retries that do not make a test wait. */
    fun client() =
        Client(Program.url) {
            auth = Auth.bearer(KEY)
            header("x-mock-session", id)
            retry = retry.copy(backoffBase = 1.milliseconds, backoffCap = 2.milliseconds)
            proxy = Proxy.None
        }

    /** Plays these faults, one for each request of an operation. */
    suspend fun script(
        operation: String,
        vararg faults: String,
    ) {
        val rules =
            buildJsonObject {
                putJsonArray("rules") {
                    addJsonObject {
                        putJsonObject("match") { put("op", operation) }
                        putJsonArray("script") { faults.forEach(::add) }
                    }
                }
            }
        admin.put("faults") {
            query("session", id)
            json(rules)
        }
    }

    /** How many requests of an operation came in. */
    suspend fun requests(operation: String): Int = ask("journal", operation).getValue("entries").jsonArray.size

    /** How often an operation took effect. */
    suspend fun effects(operation: String): Int = ask("effects", operation).getValue("count").jsonPrimitive.int

    override fun close() = admin.close()

    private suspend fun ask(
        what: String,
        operation: String,
    ): JsonObject =
        admin
            .get(what) {
                query("session", id)
                query("op", operation)
            }.json()

    companion object {
        const val KEY = "sk_test_pro_acme"
    }

    /** One gateway for all tests. It ends with its standard input, which ends with this process. */
    private object Program {
        val url: String
        val adminUrl: String

        init {
            val named = System.getenv("GATEWRIGHT_GATEWAY")
            val program = checkNotNull(named) { "GATEWRIGHT_GATEWAY must name the program gatewright-gateway" }
            val gateway =
                ProcessBuilder(program, "serve", "--port", "0", "--print-json", "--until-stdin-closes")
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start()
            val ready = Json.parseToJsonElement(gateway.inputReader().readLine()).jsonObject
            url = ready.getValue("url").jsonPrimitive.content
            adminUrl = ready.getValue("admin_url").jsonPrimitive.content
        }
    }
}
