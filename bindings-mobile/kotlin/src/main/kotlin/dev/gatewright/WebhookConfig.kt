package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Clock
import kotlin.time.Duration

/** Settings of a [Webhook]; what is `null` is as the scheme has it. */
public class WebhookConfig internal constructor(
    private val scheme: WebhookScheme,
    private val secrets: List<String>,
) {
    /** How far a timestamp may be off. Default as the scheme's: 5 minutes for most. */
    public var tolerance: Duration? = null

    /** How far a timestamp may be in the future. Default: as [tolerance]. */
    public var futureTolerance: Duration? = null

    /** The longest body that is verified, in bytes. Default 1 MiB. */
    public var maxBody: Long? = null

    /**
     * The URL that the sender was told, for schemes that sign it; it wins over that of a request. What it leaves out (path, query) is the
     * request's.
     */
    public var url: String? = null

    /** PayPal: the id of the webhook. Required there. */
    public var webhookId: String? = null

    /** SNS: the topic that messages come from. Required there. */
    public var topicArn: String? = null

    /** HTTP signatures: the key id of each secret; none: any. */
    public var keyIds: List<String> = emptyList()

    /** HTTP signatures: what has to be signed. Default `content-digest`. */
    public var components: List<String>? = null

    /** The template of [WebhookScheme.CUSTOM]. */
    public var template: WebhookTemplate? = null

    /** The keys that sign, where they are others than those that verify (Discord: 64 hexadecimal digits of the private key). */
    public var signingSecrets: List<String>? = null

    /** The clock. Tests may give another. */
    public var clock: Clock = Clock.System

    /** Where [Webhook.receive] has certificates from (SNS, PayPal). */
    public var certificates: CertificateFetcher? = null

    internal fun json(): String {
        val json = JsonText().beginObject()
        json.name("scheme").string(scheme.id)
        json.name("secrets").strings(secrets)
        signingSecrets?.let { json.name("signingSecrets").strings(it) }
        tolerance?.let { json.name("tolerance").whole(it) }
        futureTolerance?.let { json.name("futureTolerance").whole(it) }
        maxBody?.let { json.name("maxBody").number(it) }
        url?.let { json.name("url").string(it) }
        webhookId?.let { json.name("webhookId").string(it) }
        topicArn?.let { json.name("topicArn").string(it) }
        if (keyIds.isNotEmpty()) {
            json.name("keyIds").strings(keyIds)
        }
        components?.let { json.name("components").strings(it) }
        template?.write(json.name("template"))
        return json.endObject().toString()
    }
}

/** Whole milliseconds. Less than none is none that is taken. */
internal fun JsonText.whole(time: Duration): JsonText =
    when {
        time.isInfinite() && time.isPositive() -> string("Infinity")
        time.isNegative() -> number(-1)
        else -> number(time.inWholeMilliseconds)
    }
