package dev.gatewright

import dev.gatewright.internal.Incoming
import dev.gatewright.internal.Meta
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration

/** What may be said of a download; [timeout] is for each connection until its head is there, the download itself may take as long as it needs. */
public class DownloadConfig internal constructor(
    client: ClientConfig,
) : CallConfig(client)

/**
 * A download that goes on where it breaks, as it comes in; see [Client.download].
 *
 * ```
 * client.download("/v1/files/fi_1/content").use { download ->
 *     download.body.collect { piece -> file.write(piece) }
 * }
 * ```
 *
 * Close it, or read it to its end: until then it holds its connection. Cancelling the coroutine that reads ends it.
 */
public class Download internal constructor(
    private val meta: Meta,
    private val incoming: Incoming,
) : AutoCloseable {
    private val used = AtomicBoolean()
    private val read = AtomicLong()

    /** How many bytes there are in all; `null` where the server did not say so. */
    public val total: Long? = meta.total

    /** The headers of the first answer. */
    public val headers: Headers
        get() = meta.headers

    /** The URL that answered first, without the credential. */
    public val url: String
        get() = meta.url

    /** The server's id of the first request; `null` where it gave none. */
    public val requestId: String?
        get() = meta.requestId

    /** The bytes that were handed over. */
    public val position: Long
        get() = read.get()

    /** What was done, attempt by attempt, over all connections: all of it once [body] came to its end. Where that throws, the exception has them. */
    public val attempts: List<Attempt>
        get() = incoming.told?.attempts ?: meta.attempts

    /** From the start of the download to its end; before that, to its head. */
    public val elapsed: Duration
        get() = incoming.told?.elapsed ?: meta.elapsed

    /**
     * The bytes, a piece each time the collector asks for one. They are collected once; a collector that stops ends the download.
     *
     * It throws a [ConnectionLostException] or a [TimeoutException] where it broke or stalled and is not taken up again, with the reason; a
     * [PreconditionFailedException] where there is another version now; a [DecodeException] where the server named another SHA-256.
     *
     * @throws IllegalStateException where it is read a second time.
     */
    public val body: Flow<ByteArray> =
        flow {
            check(used.compareAndSet(false, true)) { "a download is read once, and it was read before" }
            incoming.use {
                while (true) {
                    val piece = incoming.next() ?: break
                    read.addAndGet(piece.size.toLong())
                    emit(piece)
                }
            }
        }

    /** Ends it without reading on. Whoever reads gets a [ClosedException]. */
    override fun close() {
        incoming.close()
    }

    /** How far it is, without URL and headers. */
    override fun toString(): String = "Download(position=$position, total=$total)"
}

/**
 * A file that is whole; see [Client.downloadTo].
 *
 * @property length Its length in bytes.
 * @property resumedFrom The bytes that an earlier run had left.
 * @property headers The headers of the first answer.
 * @property attempts What was done, attempt by attempt, over all connections.
 * @property elapsed From the start of the download to its end.
 */
public class Downloaded internal constructor(
    public val length: Long,
    public val resumedFrom: Long,
    public val headers: Headers,
    public val attempts: List<Attempt>,
    public val elapsed: Duration,
) {
    override fun toString(): String = "Downloaded(length=$length, resumedFrom=$resumedFrom, elapsed=$elapsed)"
}
