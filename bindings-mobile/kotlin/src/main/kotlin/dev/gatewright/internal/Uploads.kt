package dev.gatewright.internal

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.getOrElse
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.CoroutineContext

/** Flows as bodies of requests: collected for an attempt, a piece each time the native half asks for one, cancelled when the call is over. */
internal object Uploads {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val byCall = ConcurrentHashMap<Int, Upload>()

    /** How many calls have a stream as their body. */
    val size: Int
        get() = byCall.size

    private class Upload(
        val body: StreamBody,
        val context: CoroutineContext,
    ) {
        val open = ConcurrentHashMap<Int, Pieces>()

        @Volatile
        var over = false
    }

    /** The call has a stream as its body. */
    fun keep(
        call: Int,
        body: StreamBody,
        context: CoroutineContext,
    ) {
        byCall[call] = Upload(body, context.minusKey(Job) + Dispatchers.Default)
    }

    /** The call is over: its flows are cancelled. */
    fun close(call: Int) {
        if (byCall.isNotEmpty()) {
            val upload = byCall.remove(call) ?: return
            upload.over = true
            upload.open.values.forEach(Pieces::close)
        }
    }

    /** Makes the flow for an attempt. */
    fun open(
        call: Int,
        stream: Int,
    ): ByteArray? {
        val upload = checkNotNull(byCall[call]) { OVER }
        val pieces = Pieces(upload.body.open(), scope, upload.context)
        upload.open[stream] = pieces
        if (upload.over) {
            pieces.close()
        }
        return null
    }

    /** The next piece; nothing at the end. */
    suspend fun next(
        call: Int,
        stream: Int,
    ): ByteArray? {
        val upload = byCall[call]
        val pieces = checkNotNull(upload?.open?.get(stream)) { OVER }
        while (true) {
            val piece = pieces.next()
            if (piece == null) {
                upload.open.remove(stream)
                return null
            }
            // An empty piece is no end.
            if (piece.isNotEmpty()) {
                return piece
            }
        }
    }

    /** The native half needs no more of it. */
    fun close(
        call: Int,
        stream: Int,
    ) {
        byCall[call]?.open?.remove(stream)?.close()
    }

    private const val OVER = "the call is over"
}

/** A flow as pieces that are asked for: it goes on when it is asked. */
private class Pieces(
    flow: Flow<ByteArray>,
    scope: CoroutineScope,
    context: CoroutineContext,
) {
    private val wanted = Channel<Unit>(Channel.UNLIMITED)
    private val pieces = Channel<ByteArray>(Channel.UNLIMITED)
    private val job: Job =
        scope.launch(context) {
            try {
                wanted.receive()
                flow.collect { piece ->
                    pieces.send(piece)
                    wanted.receive()
                }
                pieces.close()
            } catch (
                @Suppress("TooGenericExceptionCaught") thrown: Throwable,
            ) {
                pieces.close(thrown)
                // What the flow threw goes to whoever asked for a piece.
                if (thrown is CancellationException) {
                    throw thrown
                }
            }
        }

    suspend fun next(): ByteArray? {
        wanted.send(Unit)
        return pieces.receiveCatching().getOrElse { thrown -> if (thrown == null) null else throw thrown }
    }

    fun close() {
        job.cancel()
    }
}
