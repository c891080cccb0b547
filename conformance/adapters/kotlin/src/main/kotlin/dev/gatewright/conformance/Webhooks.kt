package dev.gatewright.conformance

// Verifies and signs webhooks as a scenario says.

import dev.gatewright.Headers
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookException
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.Base64
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

fun webhook(request: JsonObject): JsonObject =
    try {
        val secrets = request.getValue("secrets").jsonArray.map { it.jsonPrimitive.content }
        val body = request.textOrNull("base64")?.let(Base64.getDecoder()::decode) ?: request.text("text").encodeToByteArray()
        if (request.text("op") == "webhook.sign") sign(request, secrets, body) else verify(request, secrets, body)
    } catch (error: WebhookException) {
        json("ok" to false, "error" to json("code" to error.code, "message" to error.message))
    }

private fun sign(
    request: JsonObject,
    secrets: List<String>,
    body: ByteArray,
): JsonObject {
    val headers = Webhook(*secrets.toTypedArray()).sign(body, request.text("message_id"), request.instant("timestamp"))
    return json("ok" to true, "headers" to headers)
}

private fun verify(
    request: JsonObject,
    secrets: List<String>,
    body: ByteArray,
): JsonObject {
    val tolerance = request["tolerance_s"]?.jsonPrimitive?.double?.seconds ?: 5.minutes
    val maxBody = request["max_body"]?.jsonPrimitive?.long ?: (1024L * 1024)
    val webhook = Webhook(*secrets.toTypedArray(), tolerance = tolerance, maxBody = maxBody)
    val headers =
        request.getValue("headers").jsonArray.map { pair ->
            val (name, value) = pair.jsonArray.map { it.jsonPrimitive.content }
            name to value
        }
    val verified = webhook.verify(body, Headers.of(*headers.toTypedArray()), request.instant("now"))
    return json("ok" to true, "verified" to shown(verified))
}

private fun shown(verified: Verified): JsonObject =
    json(
        "scheme" to verified.scheme,
        "algorithm" to verified.algorithm,
        "key_index" to verified.keyIndex,
        "timestamp" to verified.timestamp?.epochSeconds,
        "message_id" to verified.messageId,
        "body_bound" to verified.bodyBound,
        "timestamp_signed" to verified.timestampSigned,
        "id_signed" to verified.idSigned,
        "url_bound" to verified.urlBound,
    )

private fun JsonObject.instant(name: String): Instant = Instant.fromEpochSeconds(getValue(name).jsonPrimitive.long)
