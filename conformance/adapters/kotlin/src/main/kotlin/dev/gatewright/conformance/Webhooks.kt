package dev.gatewright.conformance

// Verifies and signs webhooks as a scenario says.

import dev.gatewright.Headers
import dev.gatewright.MissingCertificateException
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookAlgorithm
import dev.gatewright.WebhookConfig
import dev.gatewright.WebhookException
import dev.gatewright.WebhookScheme
import dev.gatewright.WebhookTemplate
import dev.gatewright.WebhookVerificationException
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.Base64
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

/** The pieces in which a body is verified once more. */
private const val PIECE = 7

fun webhook(request: JsonObject): JsonObject =
    try {
        val body = request.textOrNull("base64")?.let(::decoded) ?: request.text("text").encodeToByteArray()
        if (request.text("op") == "webhook.sign") sign(request, body) else verify(request, body)
    } catch (error: WebhookException) {
        json("ok" to false, "error" to json("code" to error.code, "message" to error.message))
    }

private fun sign(
    request: JsonObject,
    body: ByteArray,
): JsonObject {
    val headers = Webhook(*request.texts("secrets")).sign(body, request.text("message_id"), request.instant("timestamp"))
    return json("ok" to true, "headers" to headers)
}

private fun verify(
    request: JsonObject,
    body: ByteArray,
): JsonObject {
    val settings = request.objectOrNull("settings")
    val schemeName = request.textOrNull("scheme") ?: "standard-webhooks"
    val scheme = WebhookScheme.entries.find { it.id == schemeName } ?: throw Unsupported("the scheme $schemeName")
    val webhook =
        Webhook(scheme, *request.texts("secrets")) {
            request["tolerance_s"]?.let { tolerance = it.jsonPrimitive.double.seconds }
            request["max_body"]?.let { maxBody = it.jsonPrimitive.long }
            settings?.let(::take)
        }
    val headers =
        Headers.of(
            *request
                .getValue("headers")
                .jsonArray
                .map { pair -> pair.jsonArray[0].jsonPrimitive.content to value(pair.jsonArray[1]) }
                .toTypedArray(),
        )
    val play = Play(webhook, body, headers, request.instant("now"), request.textOrNull("url"), request.textOrNull("method"))
    val whole = verdict { play.whole(settings?.textOrNull("certificate")) }
    if (play.hasNoCertificate) {
        return whole
    }
    val streamed = verdict { play.streamed() }
    if (whole != streamed) {
        throw IllegalStateException("whole: $whole, in pieces: $streamed")
    }
    return whole
}

private class Play(
    private val webhook: Webhook,
    private val body: ByteArray,
    private val headers: Headers,
    private val now: Instant,
    private val url: String?,
    private val method: String?,
) {
    /** Whether the certificate that was fetched was refused, so that none is there. */
    var hasNoCertificate = false
        private set

    fun whole(certificate: String?): Verified =
        try {
            webhook.verify(body, headers, now, url, method)
        } catch (error: MissingCertificateException) {
            hasNoCertificate = true
            webhook.addCertificate(error.url, (certificate ?: throw error).encodeToByteArray(), now)
            hasNoCertificate = false
            webhook.verify(body, headers, now, url, method)
        }

    fun streamed(): Verified {
        val verifier = webhook.verifier(headers, now, url, method)
        for (start in body.indices step PIECE) {
            verifier.update(body.copyOfRange(start, minOf(start + PIECE, body.size)))
        }
        return verifier.finish()
    }
}

private fun verdict(verify: () -> Verified): JsonObject =
    try {
        json("ok" to true, "verified" to shown(verify()))
    } catch (error: WebhookVerificationException) {
        json("ok" to false, "error" to json("code" to error.code, "message" to error.message))
    }

private fun WebhookConfig.take(settings: JsonObject) {
    for ((name, value) in settings) {
        when (name) {
            "tolerance" -> tolerance = value.jsonPrimitive.double.seconds
            "max_body" -> maxBody = value.jsonPrimitive.long
            "url" -> url = value.jsonPrimitive.content
            "webhook_id" -> webhookId = value.jsonPrimitive.content
            "topic_arn" -> topicArn = value.jsonPrimitive.content
            "key_ids" -> keyIds = texts(value)
            "components" -> components = texts(value)
            "template" -> template = template(value.jsonObject)
            "certificate" -> Unit
            else -> throw Unsupported("the setting $name")
        }
    }
}

private fun template(given: JsonObject): WebhookTemplate =
    WebhookTemplate(
        signatureHeader = given.text("signature_header"),
        signed = given.text("signed"),
        timestampHeader = given.textOrNull("timestamp_header"),
        timestampItem = given.textOrNull("timestamp_item"),
        idHeader = given.textOrNull("id_header"),
        algorithm = WebhookAlgorithm.entries.first { it.id == (given.textOrNull("algorithm") ?: "hmac-sha256") },
        encoding = WebhookTemplate.Encoding.valueOf((given.textOrNull("encoding") ?: "hex").uppercase()),
        prefix = given.textOrNull("prefix").orEmpty(),
        separator = given.textOrNull("separator")?.single(),
        secretEncoding = WebhookTemplate.SecretEncoding.valueOf((given.textOrNull("secret_encoding") ?: "text").uppercase()),
    )

private fun shown(verified: Verified): JsonObject =
    json(
        "scheme" to verified.scheme.id,
        "algorithm" to verified.algorithm.id,
        "key_index" to verified.keyIndex,
        "timestamp" to verified.timestamp?.epochSeconds,
        "message_id" to verified.messageId,
        "body_bound" to verified.bodyBound.id,
        "timestamp_signed" to verified.timestampSigned,
        "id_signed" to verified.idSigned,
        "url_bound" to verified.urlBound,
    )

/** A header's value; what is no text has a character for each byte, as HTTP libraries read it. */
private fun value(value: JsonElement): String =
    (value as? JsonObject)?.let { String(decoded(it.text("base64")), Charsets.ISO_8859_1) } ?: value.jsonPrimitive.content

private fun decoded(base64: String): ByteArray = Base64.getDecoder().decode(base64)

private fun texts(value: JsonElement): List<String> = (value as JsonArray).map { it.jsonPrimitive.content }

private fun JsonObject.texts(name: String): Array<String> = texts(getValue(name)).toTypedArray()

private fun JsonObject.instant(name: String): Instant = Instant.fromEpochSeconds(getValue(name).jsonPrimitive.long)
