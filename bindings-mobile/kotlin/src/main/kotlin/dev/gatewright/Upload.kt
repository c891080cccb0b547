package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration

/**
 * What may be said of an upload; see [Client.upload]. [timeout] and [attemptTimeout] are for each of its requests, not counting the time in which
 * a body goes out fast enough.
 */
public class UploadConfig internal constructor(
    client: ClientConfig,
) : CallConfig(client) {
    internal var progress: ((UploadPosition) -> Unit)? = null

    /** The method that a plain upload would have. Default `POST`. */
    public var method: String = "POST"

    /** The size of a piece in bytes, above zero; one is held in memory. The server's own limits win. Default 8 MiB. */
    public var chunkSize: Long = 8L * 1024 * 1024

    /** Goes on with an earlier upload, from its [UploadPosition.location]. The body must be the same. Default `null`, a new one. */
    public var resume: String? = null

    /**
     * The server is known to speak the draft: it is not asked. One that does not would take the empty first request for the upload.
     * Default `false`.
     */
    public var assumeResumable: Boolean = false

    /** The idempotency key of the request that makes the upload, in place of one made up. */
    public var idempotencyKey: String? = null

    /** Calls [told] after each request with how far the upload is, one after the other, in a coroutine of its own. */
    public fun onProgress(told: (UploadPosition) -> Unit) {
        progress = told
    }

    override fun write(json: JsonText) {
        super.write(json)
        idempotencyKey?.let { json.name("idempotencyKey").string(it) }
    }
}

/**
 * How far an upload is: what [UploadConfig.onProgress] is told, and where it can be gone on with after an error ([GatewrightException.upload]).
 *
 * @property location Where it can be gone on with ([UploadConfig.resume]), once it was created. Not for logs: whoever has it can write there.
 * @property offset The bytes that the server has acknowledged.
 * @property length The bytes in all; `null` where that is not known.
 */
public class UploadPosition internal constructor(
    public val location: String?,
    public val offset: Long,
    public val length: Long?,
) {
    /** How far it is, without the location. */
    override fun toString(): String = "UploadPosition(offset=$offset, length=$length)"
}

/**
 * An upload that is complete; see [Client.upload].
 *
 * @property response What the server answered in the end; its attempts and its time are those of all requests. Where that answer was lost, it is
 * the one to the question how far the server is, which has no body.
 * @property resumable Whether it went piece by piece; else it went in one request, since the server does not speak the draft.
 * @property answerLost Whether the final answer was lost: the server said later that it has all of it.
 */
public class Uploaded internal constructor(
    public val response: Response,
    public val resumable: Boolean,
    public val answerLost: Boolean,
) {
    /** What was done, attempt by attempt, over all requests. */
    public val attempts: List<Attempt>
        get() = response.attempts

    /** From the start of the upload to its end. */
    public val elapsed: Duration
        get() = response.elapsed

    override fun toString(): String = "Uploaded(response=$response, resumable=$resumable, answerLost=$answerLost)"
}
