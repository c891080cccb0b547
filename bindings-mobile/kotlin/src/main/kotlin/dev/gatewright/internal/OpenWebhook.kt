package dev.gatewright.internal

import dev.gatewright.Headers
import dev.gatewright.Verified
import dev.gatewright.WebhookException
import dev.gatewright.WebhookKeyException
import dev.gatewright.WebhookVerificationException
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.Instant

/** A webhook's half that knows its secrets. */
internal class OpenWebhook(
    secrets: Array<out String>,
    tolerance: Duration,
    maxBody: Long,
) {
    private val number: Long

    init {
        Abandoned.release()
        val opened = LongArray(1)
        val given = Array(secrets.size) { secrets[it] }
        val wrong = Native.openWebhook(given, tolerance.toDouble(DurationUnit.SECONDS), maxBody.toDouble(), opened)
        if (wrong != null) {
            throw keyException(wrong)
        }
        val webhook = opened[0]
        number = webhook
        Abandoned.watch(this) { Native.freeWebhook(webhook) }
    }

    fun verify(
        body: ByteArray,
        headers: Headers,
        now: Instant,
    ): Verified {
        val told = Native.verify(number, body, linesOf(headers, ::isSigned), secondsOf(now))
        if (told.startsWith('{')) {
            val (code, message) = errorOf(told)
            throw WebhookVerificationException(code, message)
        }
        return verified(told, body)
    }

    fun explain(
        body: ByteArray,
        headers: Headers,
        now: Instant,
    ): String = Native.explain(number, body, linesOf(headers) { true }, secondsOf(now))

    fun sign(
        body: ByteArray,
        messageId: String,
        timestamp: Instant,
    ): Map<String, String> {
        val told = Native.sign(number, body, messageId, secondsOf(timestamp))
        val members = INTERNAL_JSON.parseToJsonElement(told).jsonObject
        if ("code" in members) {
            throw keyException(told)
        }
        return members.mapValues { (_, value) -> value.jsonPrimitive.content }
    }
}

/** A new `whsec_` secret. */
internal fun newSecret(): String = Native.generateSecret()

private fun keyException(told: String): WebhookException {
    val (code, message) = errorOf(told)
    return WebhookKeyException(code, message)
}

private fun errorOf(told: String): Pair<String, String> {
    val members: JsonObject = INTERNAL_JSON.parseToJsonElement(told).jsonObject
    return members.text("code") to members.text("message")
}

private fun JsonObject.text(name: String): String = get(name)?.jsonPrimitive?.content.orEmpty()

private fun verified(
    lines: String,
    body: ByteArray,
): Verified {
    val line = lines.split('\n')
    val proven = line[6]
    return Verified(
        scheme = line[0],
        algorithm = line[1],
        keyIndex = line[2].toInt(),
        timestamp = line[3].toLongOrNull()?.let(Instant::fromEpochSeconds),
        messageId = line[4].ifEmpty { null },
        bodyBound = line[5],
        timestampSigned = proven[0] == '1',
        idSigned = proven[1] == '1',
        urlBound = proven[2] == '1',
        body = body,
    )
}

/** Whether verification looks at a header. What explains looks at all, for what else may be wrong. */
private fun isSigned(name: String): Boolean = name.startsWith("webhook-", ignoreCase = true)

/** Headers as lines, a name and a value in turns. No header has a line break; were there one, what comes after it is no other header. */
private fun linesOf(
    headers: Headers,
    wanted: (String) -> Boolean,
): String {
    val lines = StringBuilder()
    for ((name, value) in headers.pairs) {
        if (wanted(name)) {
            lines
                .append(oneLine(name))
                .append('\n')
                .append(oneLine(value))
                .append('\n')
        }
    }
    return lines.toString()
}

private fun oneLine(text: String): String = text.replace('\n', ' ')

private fun secondsOf(time: Instant): Double = time.epochSeconds.toDouble()
