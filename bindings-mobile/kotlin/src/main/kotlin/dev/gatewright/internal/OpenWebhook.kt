package dev.gatewright.internal

import dev.gatewright.Headers
import dev.gatewright.SignedWebhook
import dev.gatewright.Verified
import dev.gatewright.WebhookChallenge
import dev.gatewright.WebhookDiagnosis
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Instant

/** A webhook's half that knows its secrets. */
internal class OpenWebhook(
    settings: String,
) {
    private val number: Long

    init {
        Abandoned.release()
        val opened = LongArray(1)
        Native.openWebhook(settings, opened)?.let { throw keyException(it) }
        val webhook = opened[0]
        number = webhook
        Abandoned.watch(this) { Native.freeWebhook(webhook) }
    }

    fun verify(
        body: ByteArray,
        headers: String,
        now: Instant,
    ): Verified = verified(Native.verify(number, body, headers, secondsOf(now)), body)

    fun verifier(
        headers: String,
        now: Instant,
    ): OpenVerifier {
        val opened = LongArray(1)
        Native.openVerifier(number, headers, secondsOf(now), opened)?.let { throw refusal(it) }
        return OpenVerifier(opened[0])
    }

    fun diagnose(
        body: ByteArray,
        headers: String,
        now: Instant,
    ): WebhookDiagnosis {
        val told = Native.diagnose(number, body, headers, secondsOf(now))
        if (told.startsWith('{')) {
            val error = refusal(told)
            return WebhookDiagnosis(error.code, error.message)
        }
        return WebhookDiagnosis(told.substringBefore('\n'), told.substringAfter('\n'))
    }

    fun challenge(verified: Verified): WebhookChallenge? {
        val body = verified.body ?: return null
        val told = Native.challenge(number, verified.told, body)
        if (told.isEmpty()) {
            return null
        }
        val members = INTERNAL_JSON.parseToJsonElement(told).jsonObject
        val status = members["status"]?.jsonPrimitive?.int ?: throw keyException(told)
        return WebhookChallenge(
            status,
            members.text("contentType").orEmpty(),
            members.text("body").orEmpty(),
            members.text("visit"),
        )
    }

    fun addCertificate(
        url: String,
        pem: ByteArray,
        now: Instant,
    ) {
        val wrong = Native.addCertificate(number, url, pem, secondsOf(now))
        if (wrong.isNotEmpty()) {
            throw refusal(wrong)
        }
    }

    fun sign(
        body: ByteArray,
        messageId: String?,
        url: String?,
        timestamp: Instant,
    ): SignedWebhook {
        val told = Native.signRequest(number, body, messageId.orEmpty(), url.orEmpty(), secondsOf(timestamp))
        val members = INTERNAL_JSON.parseToJsonElement(told).jsonObject
        val pairs = members["headers"]?.jsonArray ?: throw keyException(told)
        val headers =
            pairs.map { pair ->
                val (name, value) = pair.jsonArray.map { it.jsonPrimitive.content }
                name to value
            }
        return SignedWebhook(
            Headers.of(*headers.toTypedArray()),
            members.text("body")?.encodeToByteArray() ?: body,
            members.text("url") ?: url,
        )
    }
}

/** The native half of a verification in pieces. */
internal class OpenVerifier(
    private val number: Long,
) {
    init {
        // Not to be held by what lets go of it.
        val verifier = number
        Abandoned.watch(this) { Native.freeVerifier(verifier) }
    }

    fun update(piece: ByteArray) {
        Native.updateVerifier(number, piece)?.let { throw refusal(it) }
    }

    fun finish(): Verified = verified(Native.finishVerifier(number), null)
}

/** A new `whsec_` secret. */
internal fun newSecret(): String = Native.generateSecret()
