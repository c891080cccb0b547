package dev.gatewright.internal

// What the native half says of webhooks, and how requests go to it.

import dev.gatewright.BodyBound
import dev.gatewright.Headers
import dev.gatewright.MissingCertificateException
import dev.gatewright.Verified
import dev.gatewright.WebhookAlgorithm
import dev.gatewright.WebhookException
import dev.gatewright.WebhookKeyException
import dev.gatewright.WebhookScheme
import dev.gatewright.WebhookVerificationException
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Instant

/** The error of a secret or setting. */
internal fun keyException(told: String): WebhookException {
    val (code, message) = errorOf(told)
    return WebhookKeyException(code, message)
}

/** The error of a request. */
internal fun refusal(told: String): WebhookException {
    val members = INTERNAL_JSON.parseToJsonElement(told).jsonObject
    val (code, message) = errorOf(told)
    val url = members.text("url") ?: return WebhookVerificationException(code, message)
    return MissingCertificateException(code, message, url)
}

private fun errorOf(told: String): Pair<String, String> {
    val members = INTERNAL_JSON.parseToJsonElement(told).jsonObject
    return members.text("code").orEmpty() to members.text("message").orEmpty()
}

internal fun JsonObject.text(name: String): String? = get(name)?.jsonPrimitive?.content

/** What was proven, from its lines; or the refusal is thrown. */
internal fun verified(
    lines: String,
    body: ByteArray?,
): Verified {
    if (lines.startsWith('{')) {
        throw refusal(lines)
    }
    val line = lines.split('\n')
    val proven = line[6]
    return Verified(
        scheme = WebhookScheme.of(line[0]),
        algorithm = WebhookAlgorithm.of(line[1]),
        keyIndex = line[2].toInt(),
        timestamp = line[3].toLongOrNull()?.let(Instant::fromEpochSeconds),
        messageId = line[4].ifEmpty { null },
        bodyBound = BodyBound.of(line[5]),
        timestampSigned = proven[0] == '1',
        idSigned = proven[1] == '1',
        urlBound = proven[2] == '1',
        body = body,
        told = lines,
    )
}

/**
 * A request as lines, a name and a value in turns, before the headers those of `:url` and `:method`. No header has a line break; were there one,
 * what comes after it is no other header, but a control character, which is refused where it matters. None begins with a colon either, but
 * HTTP/2's own, which are no part of it.
 */
internal fun linesOf(
    headers: Headers,
    url: String?,
    method: String?,
    wanted: (String) -> Boolean,
): String {
    val lines = StringBuilder()
    url?.let { lines.line(":url").line(it) }
    method?.let { lines.line(":method").line(it) }
    for ((name, value) in headers.pairs) {
        if (!name.startsWith(':') && wanted(name)) {
            lines.line(name).line(value)
        }
    }
    return lines.toString()
}

private fun StringBuilder.line(text: String): StringBuilder = append(text.replace('\n', '\r')).append('\n')

internal fun secondsOf(time: Instant): Double = time.epochSeconds.toDouble()
